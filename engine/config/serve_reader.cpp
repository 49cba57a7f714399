#include "engine/config/serve_reader.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "engine/config/channel_list.hpp"
#include "engine/config/config_text.hpp"
#include "io/error.hpp"
#include "io/one_line.hpp"
#include "io/socket.hpp"

namespace firbank {
namespace {

constexpr double kMostMs = 60'000;
constexpr double kMostIdleMs = 86'400'000;
constexpr std::size_t kMostQueueMb = 65'536;
constexpr const char* kWays = "tcp://HOST:PORT, shm:NAME, zmq:ENDPOINT and - are allowed";

bool take_scheme(std::string& text, std::string_view scheme) {
  if (!text.starts_with(scheme)) return false;
  text.erase(0, scheme.size());
  return true;
}

/// What stands at `key`; a file is a way for outputs only.
PacketWay read_way(TomlTable& table, std::string_view key, const std::string& folder,
                   bool may_be_file) {
  std::optional<std::string> text = table.text(key);
  if (!text) {
    table.refuse(fmt::format("{} is missing; {}{}", key, kWays, may_be_file ? ", and files" : ""));
  }
  PacketWay way;
  way.place = table.place(key);
  if (*text == "-") return way;
  if (take_scheme(*text, "tcp://")) {
    way.kind = PacketWay::Kind::kTcp;
    try {
      parse_tcp_address(*text);
    } catch (const Error& error) {
      table.refuse(key, error.what());
    }
  } else if (take_scheme(*text, "shm:")) {
    way.kind = PacketWay::Kind::kSharedMemory;
  } else if (take_scheme(*text, "zmq:")) {
    way.kind = PacketWay::Kind::kZeromq;
  } else if (may_be_file && text->find("://") == std::string::npos) {
    way.kind = PacketWay::Kind::kFile;
    *text = path_from(folder, *text);
  } else {
    table.refuse(key, fmt::format("it is '{}'; {}{}", one_line(*text), kWays,
                                  may_be_file ? ", and files" : ""));
  }
  way.name = *std::move(text);
  return way;
}

/// A key that goes with some ways only.
template <class Value>
void refuse_unless(TomlTable& table, std::string_view key, const std::optional<Value>& value,
                   bool has_use, std::string_view allowed) {
  if (value && !has_use) {
    table.refuse(key, fmt::format("it has no use here; allowed with {}", allowed));
  }
}

/// The keys that go with a way.
void read_way_options(TomlTable& table, PacketWay& way) {
  const std::optional<bool> connects = table.flag("connect");
  const bool is_tcp = way.kind == PacketWay::Kind::kTcp;
  const bool is_zeromq = way.kind == PacketWay::Kind::kZeromq;
  refuse_unless(table, "connect", connects, is_tcp || is_zeromq, "tcp:// and zmq:");
  way.connects = connects.value_or(false);
  const std::optional<std::string> topic = table.text("topic");
  refuse_unless(table, "topic", topic, is_zeromq, "zmq:");
  way.topic = topic.value_or("");
}

void read_input_options(TomlTable& table, ServeSettings& settings) {
  PacketWay& way = settings.input;
  read_way_options(table, way);
  const std::optional<bool> any_owner = table.flag("any_owner");
  refuse_unless(table, "any_owner", any_owner, way.kind == PacketWay::Kind::kSharedMemory, "shm:");
  way.any_owner = any_owner.value_or(false);
  const std::optional<double> idle_ms = table.number("idle_ms", 0, kMostIdleMs);
  refuse_unless(table, "idle_ms", idle_ms, way.kind == PacketWay::Kind::kTcp && !way.connects,
                "tcp:// that waits for senders");
  if (idle_ms) settings.idle_seconds = *idle_ms / 1'000;
}

void read_output_options(TomlTable& table, PacketWay& way) {
  read_way_options(table, way);
  const std::optional<bool> group_may_read = table.flag("group_may_read");
  refuse_unless(table, "group_may_read", group_may_read, way.kind == PacketWay::Kind::kSharedMemory,
                "shm:");
  way.group_may_read = group_may_read.value_or(false);
  const std::optional<std::size_t> queue_mb = table.count("queue_mb", 1, kMostQueueMb);
  refuse_unless(table, "queue_mb", queue_mb, way.kind == PacketWay::Kind::kTcp && !way.connects,
                "tcp:// that waits for receivers");
  way.queue_bytes = queue_mb.value_or(0) * 1'000'000;
}

double seconds(TomlTable& table, std::string_view key, double least_ms, double otherwise) {
  const std::optional<double> ms = table.number(key, least_ms, kMostMs);
  return ms ? *ms / 1'000 : otherwise;
}

void read_events(TomlTable& table, ServeEvents& events) {
  const std::optional<double> sigmas = table.number("sigmas", 0.001, 1e6);
  events.level = table.number("level", -1e30, 1e30);
  if (sigmas && events.level) {
    table.refuse("level", "sigmas is there as well; one of them is allowed");
  }
  events.sigmas = sigmas.value_or(events.sigmas);
  const std::string direction =
      table.one_of("direction", {"fall", "rise", "either"}).value_or("fall");
  events.crossing = direction == "rise"   ? Crossing::kRise
                    : direction == "fall" ? Crossing::kFall
                                          : Crossing::kEither;
  events.refractory_seconds = seconds(table, "refractory_ms", 0, events.refractory_seconds);
  events.peak_seconds = seconds(table, "peak_ms", 0, events.peak_seconds);
}

ServeEnvelope read_envelope(TomlTable& table) {
  ServeEnvelope envelope;
  const std::string kind =
      table.one_of("kind", {"rectified", "power", "rms", "analytic"}).value_or("rms");
  envelope.kind = kind == "rectified"  ? EnvelopeKind::kRectified
                  : kind == "power"    ? EnvelopeKind::kPower
                  : kind == "analytic" ? EnvelopeKind::kAnalytic
                                       : EnvelopeKind::kRms;
  envelope.seconds = seconds(table, "window_ms", 0.001, 0);
  envelope.place = table.place("window_ms");
  if (envelope.seconds == 0) table.refuse("window_ms is missing: how long its window is");
  return envelope;
}

/// Each channel may be in one group.
std::vector<std::vector<std::size_t>> read_reference_groups(
    TomlTable& table, const ChannelList& list, const std::vector<std::string>& inputs) {
  constexpr std::string_view kKey = "reference_groups";
  std::vector<std::vector<std::size_t>> groups;
  std::vector<std::size_t> group_of(inputs.size(), 0);  // from 1 on
  const auto listed_groups = table.groups(kKey);
  if (!listed_groups) return groups;
  for (const auto& listed : *listed_groups) {
    const std::size_t number = groups.size() + 1;
    groups.push_back(list.find(table, kKey, listed, fmt::format("group {}: ", number)));
    for (const std::size_t channel : groups.back()) {
      if (group_of[channel] != 0) {
        table.refuse(
            kKey, fmt::format("input {}, '{}', is in groups {} and {}; each may be in one",
                              channel + 1, one_line(inputs[channel]), group_of[channel], number));
      }
      group_of[channel] = number;
    }
  }
  return groups;
}

void read_reference(TomlTable& table, ServeSettings& settings, const ChannelList& list,
                    const std::vector<std::string>& inputs) {
  if (const auto reference = table.one_of("reference", {"none", "mean", "median"})) {
    if (*reference == "mean") settings.reference = ReferenceKind::kMean;
    if (*reference == "median") settings.reference = ReferenceKind::kMedian;
  }
  settings.reference_groups = read_reference_groups(table, list, inputs);
  if (!settings.reference_groups.empty() && !settings.reference) {
    table.refuse("reference_groups",
                 "there is no reference; with reference = 'mean' or 'median' it is allowed");
  }
}

}  // namespace

ServeSettings read_serve_settings(TomlTable& serve, const std::string& folder,
                                  const std::vector<std::string>& inputs) {
  ServeSettings settings;
  settings.input = read_way(serve, "input", folder, false);
  read_input_options(serve, settings);
  settings.once = serve.flag("once").value_or(false);
  settings.unit = serve.text("unit").value_or("");
  const std::string gaps = serve.one_of("gaps", {"zero", "hold", "reset", "nan"}).value_or("zero");
  settings.gaps = gaps == "hold"    ? GapPolicy::kHold
                  : gaps == "reset" ? GapPolicy::kReset
                  : gaps == "nan"   ? GapPolicy::kNan
                                    : GapPolicy::kZero;
  const ChannelList list(inputs);
  if (const auto bad = serve.texts_or_counts("bad_channels")) {
    settings.bad_channels = list.find(serve, "bad_channels", *bad);
  }
  read_reference(serve, settings, list, inputs);
  settings.reference_largest = serve.number("reference_largest", 1e-30, 1e30);
  refuse_unless(serve, "reference_largest", settings.reference_largest,
                settings.reference.has_value(), "a reference");
  settings.decimate = serve.count("decimate", 1, 65'536).value_or(1);
  serve.single("envelope", [&](TomlTable& table) { settings.envelope = read_envelope(table); });
  serve.single("events", [&](TomlTable& table) { read_events(table, settings.events.emplace()); });
  serve.each("output", [&](TomlTable& table) {
    ServeOutput output;
    const std::optional<std::string> kind = table.one_of("kind", {"raw", "filtered", "events"});
    if (!kind) table.refuse("kind is missing; raw, filtered and events are allowed");
    output.kind = *kind == "raw"        ? ServedKind::kRaw
                  : *kind == "filtered" ? ServedKind::kFiltered
                                        : ServedKind::kEvents;
    if (output.kind == ServedKind::kEvents && !settings.events) {
      table.refuse("kind", "it is 'events'; with the table [serve.events] that is allowed");
    }
    output.to = read_way(table, "to", folder, true);
    read_output_options(table, output.to);
    settings.outputs.push_back(std::move(output));
  });
  if (settings.outputs.empty()) serve.refuse("there is no [[serve.output]]; 1 is needed");
  return settings;
}

}  // namespace firbank
