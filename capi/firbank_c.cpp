// The C functions: arguments are checked, exceptions become a status and a message, everything else
// is done by Stream.
#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "capi/firbank.h"
#include "capi/stream.hpp"
#include "engine/config/toml_config.hpp"
#include "io/error.hpp"

using firbank::Error;
using firbank::ErrorKind;
using firbank::capi::Reader;
using firbank::capi::Stream;
using firbank::capi::StreamParts;

struct firbank_reader {
  firbank_engine* engine;
  std::unique_ptr<Reader> reader;
};

struct firbank_engine {
  firbank_status status = FIRBANK_OK;
  std::string message;
  std::unique_ptr<Stream> stream;
  std::vector<std::unique_ptr<firbank_reader>> readers;  // gone before the stream
};

namespace {

constexpr const char* kNoMemory = "memory does not suffice";

/// Keeps the handle's message; without the memory for it, an empty one.
firbank_status refuse(firbank_engine* engine, firbank_status status, const char* message) noexcept {
  engine->status = status;
  try {
    engine->message = message;
  } catch (...) {
    engine->message.clear();
  }
  return status;
}

/// Runs set-up code, and leaves what it throws with the handle.
template <class Work>
firbank_status guarded(firbank_engine* engine, Work&& work) noexcept {
  try {
    work();
    return FIRBANK_OK;
  } catch (const Error& error) {
    return refuse(engine,
                  error.kind() == ErrorKind::kConfiguration ? FIRBANK_BAD_CONFIG : FIRBANK_BAD_FILE,
                  error.what());
  } catch (const std::bad_alloc&) {
    return refuse(engine, FIRBANK_NO_MEMORY, kNoMemory);
  } catch (const std::length_error&) {
    return refuse(engine, FIRBANK_NO_MEMORY, kNoMemory);
  } catch (const std::exception& error) {
    return refuse(engine, FIRBANK_FAILED, error.what());
  } catch (...) {
    return refuse(engine, FIRBANK_FAILED, "an unknown failure");
  }
}

[[noreturn]] void refuse_config(const std::string& message) {
  throw Error(ErrorKind::kConfiguration, message);
}

/// A constant of C as one of C++; both count from 0.
template <class To>
To one_of(const char* field, int value, int count) {
  if (value < 0 || value >= count) {
    refuse_config(fmt::format("{} is {}; allowed: 0 to {}", field, value, count - 1));
  }
  return static_cast<To>(value);
}

firbank::NativeFormat format_of(const char* field, const firbank_format& format) {
  firbank::NativeFormat result;
  result.type = one_of<firbank::NativeType>(fmt::format("{}.type", field).c_str(), format.type, 4);
  result.is_planar = one_of<int>(fmt::format("{}.layout", field).c_str(), format.layout, 2) == 1;
  result.scale = format.scale;
  result.offset = format.offset;
  return result;
}

firbank::FilterBank bank_of(const firbank_filters& filters) {
  if (filters.count == 0 || filters.taps == nullptr || filters.lengths == nullptr) {
    refuse_config("there are no filters; at least one is needed, with taps and a length");
  }
  std::vector<std::vector<double>> taps;
  std::vector<std::string> names;
  for (std::size_t filter = 0; filter < filters.count; ++filter) {
    const double* const first = filters.taps[filter];
    if (first == nullptr) refuse_config(fmt::format("filter {}: its taps are null", filter));
    taps.emplace_back(first, first + filters.lengths[filter]);
    if (filters.names == nullptr) continue;
    const char* const name = filters.names[filter];
    if (name == nullptr) refuse_config(fmt::format("filter {}: its name is null", filter));
    names.emplace_back(name);
  }
  return firbank::FilterBank(std::move(taps), std::move(names));
}

firbank::Routing routing_of(const firbank_config& config, std::size_t filters) {
  using firbank::Routing;
  switch (one_of<int>("routing", config.routing, 4)) {
    case FIRBANK_ROWS:
      return Routing::rows(config.channels, filters);
    case FIRBANK_BANK:
      return Routing::bank(config.channels, filters);
    case FIRBANK_MATRIX:
      return Routing::matrix(config.channels, config.outputs, filters);
    default:
      break;
  }
  if (config.edge_count > 0 && config.edges == nullptr) {
    refuse_config(fmt::format("edges is null; edge_count is {}", config.edge_count));
  }
  std::vector<firbank::Edge> edges;
  for (std::size_t k = 0; k < config.edge_count; ++k) {
    const firbank_edge& edge = config.edges[k];
    if (edge.filter >= filters) {
      refuse_config(
          fmt::format("edges[{}].filter is {}; allowed: 0 to {}", k, edge.filter, filters - 1));
    }
    edges.push_back({edge.input, edge.filter, edge.output, edge.gain, edge.delay});
  }
  return Routing(config.channels, config.outputs, std::move(edges));
}

firbank::EngineConfig engine_config_of(const firbank_config& config) {
  firbank::EngineConfig engine;
  engine.sample_rate_hz = config.sample_rate_hz;
  engine.block_frames = config.block_frames;
  engine.max_frames = config.max_frames;
  engine.max_taps = config.max_taps;
  engine.threads = config.threads;
  if (config.backend != nullptr) engine.backend = config.backend;
  engine.depth_blocks = config.depth_blocks;
  engine.ring_blocks = config.ring_blocks;
  engine.max_readers = config.max_readers;
  engine.gap_policy = one_of<firbank::GapPolicy>("gap_policy", config.gap_policy, 4);
  engine.max_fill_frames = config.max_fill_frames;
  engine.start_transient = one_of<firbank::StartTransient>("transient", config.transient, 3);
  engine.spectra = one_of<firbank::Spectra>("spectra", config.spectra, 2);
  return engine;
}

std::vector<std::string> names_of_inputs(const firbank_config& config) {
  std::vector<std::string> names;
  for (std::size_t channel = 0; channel < config.channels; ++channel) {
    const char* name = nullptr;
    if (config.channel_names != nullptr) {
      name = config.channel_names[channel];
      if (name == nullptr) refuse_config(fmt::format("channel_names[{}] is null", channel));
    }
    names.push_back(name != nullptr ? name : std::to_string(channel + 1));
  }
  return names;
}

firbank_config defaults() {
  firbank_config config = {};
  config.struct_size = sizeof(config);
  config.sample_rate_hz = 48'000;
  config.channels = 1;
  config.outputs = 1;
  config.in = {FIRBANK_INT16, FIRBANK_INTERLEAVED, 1, 0};
  config.out = {FIRBANK_FLOAT32, FIRBANK_INTERLEAVED, 1, 0};
  const firbank::EngineConfig engine;
  config.block_frames = engine.block_frames;
  config.threads = engine.threads;
  config.ring_blocks = 32;
  config.max_readers = engine.max_readers;
  config.max_fill_frames = engine.max_fill_frames;
  return config;
}

/// The caller's configuration as this version knows it: what an older caller does not have keeps
/// its default.
firbank_config known(const firbank_config* config) {
  firbank_config result = defaults();
  if (config == nullptr) return result;
  constexpr std::size_t kLeast = offsetof(firbank_config, sample_rate_hz);
  if (config->struct_size <= kLeast || config->struct_size > sizeof(result)) {
    refuse_config(fmt::format(
        "struct_size is {}; allowed: {} to {}; firbank_config_init() sets it, and a larger one "
        "belongs to a newer header than the library's ({})",
        config->struct_size, kLeast + 1, sizeof(result), firbank_version()));
  }
  std::memcpy(&result, config, config->struct_size);
  result.struct_size = sizeof(result);
  return result;
}

StreamParts parts_of(const firbank_config& config, const firbank_filters& filters) {
  constexpr std::size_t kMostChannels = 1'000'000;
  if (config.channels < 1 || config.channels > kMostChannels) {
    refuse_config(fmt::format("channels is {}; allowed: 1 to {}", config.channels, kMostChannels));
  }
  if (config.outputs > kMostChannels) {
    refuse_config(fmt::format("outputs is {}; allowed: up to {}", config.outputs, kMostChannels));
  }
  firbank::FilterBank bank = bank_of(filters);
  firbank::Routing routing = routing_of(config, bank.size());
  return {.engine = engine_config_of(config),
          .in_double = one_of<int>("precision", config.precision, 2) == FIRBANK_DOUBLE,
          .in = format_of("in", config.in),
          .out = format_of("out", config.out),
          .bank = bank,
          .routing = std::move(routing),
          .input_names = names_of_inputs(config),
          .output_names = {},
          .unit = config.unit != nullptr ? config.unit : ""};
}

StreamParts parts_of(const firbank_config& config, std::string_view text,
                     const std::string& folder) {
  const std::string path = folder.empty() ? "configuration" : folder + "/configuration";
  firbank::RunConfig run = firbank::parse_toml_config(text, path);
  firbank::EngineConfig engine = engine_config_of(config);
  if (run.stream.sample_rate_hz > 0) engine.sample_rate_hz = run.stream.sample_rate_hz;
  firbank::ConfigBanks banks(run, {.sample_rate_hz = engine.sample_rate_hz});
  engine.block_frames = run.engine.block_frames;
  engine.threads = run.engine.threads;
  engine.backend = run.engine.backend;
  engine.max_taps = std::max({config.max_taps, banks.longest_taps(), run.engine.response_frames});
  if (run.engine.spectra == "int16") engine.spectra = firbank::Spectra::kInt16;
  return {.engine = engine,
          .in_double = run.engine.precision == "double",
          .in = format_of("in", config.in),
          .out = format_of("out", config.out),
          .bank = banks.bank(),
          .routing = banks.routing(),
          .input_names = run.inputs,
          .output_names = run.outputs,
          .unit = config.unit != nullptr ? config.unit : "",
          .config = std::move(run),
          .banks = std::move(banks)};
}

bool is_open(const firbank_engine* engine) noexcept {
  return engine != nullptr && engine->stream;
}

}  // namespace

extern "C" {

const char* firbank_version(void) {
  return FIRBANK_VERSION;
}

const char* firbank_status_text(firbank_status status) {
  switch (status) {
    case FIRBANK_OK:
      return "no error";
    case FIRBANK_BAD_ARGUMENT:
      return "an argument that is none";
    case FIRBANK_BAD_CONFIG:
      return "a value that is not allowed";
    case FIRBANK_BAD_FILE:
      return "a file that cannot be read";
    case FIRBANK_NO_MEMORY:
      return "memory does not suffice";
    case FIRBANK_WRONG_STATE:
      return "a call that is out of order";
    case FIRBANK_TOO_MANY_FRAMES:
      return "more frames than a call may bring";
    case FIRBANK_BACKWARD_JUMP:
      return "frames that have come already";
    case FIRBANK_OUT_OF_RANGE:
      return "frames beyond the last index";
    case FIRBANK_BACKEND_LOST:
      return "the device is lost";
    case FIRBANK_RING_FULL:
      return "the ring is full for now";
    case FIRBANK_FAILED:
      break;
  }
  return "a failure";
}

void firbank_config_init(firbank_config* config, size_t size) {
  if (config == nullptr) return;
  firbank_config all = defaults();
  all.struct_size = std::min(size, sizeof(all));
  if (all.struct_size > 0) std::memcpy(config, &all, all.struct_size);
}

firbank_engine* firbank_new(void) {
  return new (std::nothrow) firbank_engine;
}

void firbank_free(firbank_engine* engine) {
  if (engine == nullptr) return;
  engine->readers.clear();
  delete engine;
}

firbank_status firbank_last_status(const firbank_engine* engine) {
  return engine != nullptr ? engine->status : FIRBANK_BAD_ARGUMENT;
}

const char* firbank_message(const firbank_engine* engine) {
  if (engine == nullptr) return "the handle is null";
  if (engine->status != FIRBANK_OK && engine->message.empty()) return kNoMemory;
  return engine->message.c_str();
}

firbank_status firbank_open(firbank_engine* engine, const firbank_config* config,
                            const firbank_filters* filters) {
  if (engine == nullptr) return FIRBANK_BAD_ARGUMENT;
  if (config == nullptr || filters == nullptr) {
    return refuse(engine, FIRBANK_BAD_ARGUMENT, "the configuration or the filters are null");
  }
  if (engine->stream) {
    return refuse(engine, FIRBANK_WRONG_STATE, "the handle is open already; each is opened once");
  }
  return guarded(engine, [&] {
    engine->stream = firbank::capi::make_stream(parts_of(known(config), *filters));
  });
}

firbank_status firbank_open_toml(firbank_engine* engine, const firbank_config* config,
                                 const char* text, size_t length, const char* folder) {
  if (engine == nullptr) return FIRBANK_BAD_ARGUMENT;
  if (text == nullptr) return refuse(engine, FIRBANK_BAD_ARGUMENT, "the text is null");
  if (engine->stream) {
    return refuse(engine, FIRBANK_WRONG_STATE, "the handle is open already; each is opened once");
  }
  return guarded(engine, [&] {
    engine->stream = firbank::capi::make_stream(
        parts_of(known(config), {text, length}, folder != nullptr ? folder : ""));
  });
}

size_t firbank_inputs(const firbank_engine* engine) {
  return is_open(engine) ? engine->stream->parts().routing.inputs() : 0;
}
size_t firbank_outputs(const firbank_engine* engine) {
  return is_open(engine) ? engine->stream->parts().routing.outputs() : 0;
}
size_t firbank_max_frames(const firbank_engine* engine) {
  return is_open(engine) ? engine->stream->max_frames() : 0;
}
size_t firbank_latency_frames(const firbank_engine* engine) {
  return is_open(engine) ? engine->stream->latency_frames() : 0;
}
size_t firbank_tail_frames(const firbank_engine* engine) {
  return is_open(engine) ? engine->stream->tail_frames() : 0;
}
const char* firbank_backend(const firbank_engine* engine) {
  return is_open(engine) ? engine->stream->backend().c_str() : "";
}
const char* firbank_input_name(const firbank_engine* engine, size_t input) {
  if (input >= firbank_inputs(engine)) return nullptr;
  return engine->stream->parts().input_names[input].c_str();
}
const char* firbank_output_name(const firbank_engine* engine, size_t output) {
  if (output >= firbank_outputs(engine)) return nullptr;
  return engine->stream->output_name(output).c_str();
}
const char* firbank_unit(const firbank_engine* engine) {
  return is_open(engine) ? engine->stream->parts().unit.c_str() : "";
}

firbank_status firbank_group_delay(const firbank_engine* engine, size_t output, double* frames,
                                   int* is_constant) {
  if (engine == nullptr || frames == nullptr || is_constant == nullptr) return FIRBANK_BAD_ARGUMENT;
  if (!engine->stream) return FIRBANK_WRONG_STATE;
  if (output >= firbank_outputs(engine)) return FIRBANK_BAD_ARGUMENT;
  const firbank::GroupDelay delay = engine->stream->delay(output);
  *frames = delay.frames;
  *is_constant = delay.is_constant ? 1 : 0;
  return FIRBANK_OK;
}

firbank_status firbank_process(firbank_engine* engine, const void* in, void* out, size_t frames) {
  if (engine == nullptr || in == nullptr || out == nullptr) return FIRBANK_BAD_ARGUMENT;
  if (!engine->stream) return FIRBANK_WRONG_STATE;
  return engine->stream->process(in, out, frames);
}

firbank_status firbank_flush(firbank_engine* engine, void* out, size_t frames, size_t* written) {
  if (engine == nullptr || out == nullptr || written == nullptr) return FIRBANK_BAD_ARGUMENT;
  *written = 0;
  if (!engine->stream) return FIRBANK_WRONG_STATE;
  return engine->stream->flush(out, frames, *written);
}

firbank_status firbank_reset(firbank_engine* engine) {
  if (engine == nullptr) return FIRBANK_BAD_ARGUMENT;
  return engine->stream ? engine->stream->reset() : FIRBANK_WRONG_STATE;
}

firbank_status firbank_start(firbank_engine* engine) {
  if (engine == nullptr) return FIRBANK_BAD_ARGUMENT;
  if (!engine->stream) {
    return refuse(engine, FIRBANK_WRONG_STATE, "the handle is not open; open it before start");
  }
  if (engine->stream->is_running()) {
    return refuse(engine, FIRBANK_WRONG_STATE, "the engine runs already; stop it before start");
  }
  return guarded(engine, [&] { engine->stream->start(); });
}

firbank_status firbank_stop(firbank_engine* engine) {
  if (engine == nullptr) return FIRBANK_BAD_ARGUMENT;
  if (!is_open(engine) || !engine->stream->is_running()) {
    return refuse(engine, FIRBANK_WRONG_STATE, "the engine does not run");
  }
  engine->stream->stop();
  return FIRBANK_OK;
}

firbank_status firbank_push(firbank_engine* engine, const void* in, size_t frames,
                            int64_t first_frame, int64_t timestamp_ns, firbank_pushed* pushed) {
  firbank_pushed unwanted;
  if (pushed == nullptr) pushed = &unwanted;
  *pushed = {0, first_frame};
  if (engine == nullptr || in == nullptr) return FIRBANK_BAD_ARGUMENT;
  if (!is_open(engine) || !engine->stream->is_running()) return FIRBANK_WRONG_STATE;
  return engine->stream->push(in, frames, first_frame, timestamp_ns, *pushed);
}

firbank_status firbank_end(firbank_engine* engine) {
  if (engine == nullptr) return FIRBANK_BAD_ARGUMENT;
  if (!is_open(engine) || !engine->stream->is_running()) return FIRBANK_WRONG_STATE;
  return engine->stream->end() ? FIRBANK_OK : FIRBANK_RING_FULL;
}

firbank_reader* firbank_open_reader(firbank_engine* engine, firbank_policy policy) {
  if (engine == nullptr) return nullptr;
  if (policy != FIRBANK_LOSSLESS && policy != FIRBANK_LOSSY) {
    refuse(engine, FIRBANK_BAD_ARGUMENT,
           "the policy is neither FIRBANK_LOSSLESS nor FIRBANK_LOSSY");
    return nullptr;
  }
  if (!is_open(engine) || !engine->stream->is_running()) {
    refuse(engine, FIRBANK_WRONG_STATE, "the engine does not run; start it before a reader");
    return nullptr;
  }
  firbank_reader* opened = nullptr;
  guarded(engine, [&] {
    auto reader = std::make_unique<firbank_reader>();
    reader->engine = engine;
    reader->reader =
        engine->stream->open_reader(policy == FIRBANK_LOSSLESS ? firbank::ReaderPolicy::kLossless
                                                               : firbank::ReaderPolicy::kLossy);
    engine->readers.push_back(std::move(reader));
    opened = engine->readers.back().get();
  });
  return opened;
}

void firbank_close_reader(firbank_reader* reader) {
  if (reader == nullptr) return;
  std::erase_if(reader->engine->readers,
                [reader](const auto& open) { return open.get() == reader; });
}

firbank_status firbank_pull(firbank_reader* reader, void* out, size_t frames,
                            firbank_block* block) {
  if (block != nullptr) *block = {};
  if (reader == nullptr || out == nullptr || block == nullptr) return FIRBANK_BAD_ARGUMENT;
  reader->reader->pull(out, frames, *block);
  return FIRBANK_OK;
}

int firbank_wait(firbank_reader* reader, int64_t timeout_ns) {
  return reader != nullptr && reader->reader->wait(timeout_ns) ? 1 : 0;
}

firbank_status firbank_set_bad_channel(firbank_engine* engine, size_t channel, int bad) {
  if (engine == nullptr) return FIRBANK_BAD_ARGUMENT;
  if (!engine->stream) return FIRBANK_WRONG_STATE;
  if (channel >= firbank_inputs(engine)) return FIRBANK_BAD_ARGUMENT;
  engine->stream->set_bad_channel(channel, bad != 0);
  return FIRBANK_OK;
}

firbank_status firbank_swap(firbank_engine* engine, const firbank_filters* filters,
                            int64_t at_frame, size_t crossfade_frames, uint64_t* ticket) {
  if (engine == nullptr) return FIRBANK_BAD_ARGUMENT;
  if (filters == nullptr) return refuse(engine, FIRBANK_BAD_ARGUMENT, "the filters are null");
  if (!engine->stream) {
    return refuse(engine, FIRBANK_WRONG_STATE, "the handle is not open; open it before a swap");
  }
  return guarded(engine, [&] {
    const std::uint64_t number =
        engine->stream->swap(bank_of(*filters), at_frame, crossfade_frames);
    if (ticket != nullptr) *ticket = number;
  });
}

firbank_status firbank_swap_preset(firbank_engine* engine, const char* preset, int64_t at_frame,
                                   size_t crossfade_frames, uint64_t* ticket) {
  if (engine == nullptr) return FIRBANK_BAD_ARGUMENT;
  if (preset == nullptr) return refuse(engine, FIRBANK_BAD_ARGUMENT, "the preset is null");
  if (!engine->stream || !engine->stream->parts().banks) {
    return refuse(engine, FIRBANK_WRONG_STATE, "presets need a handle opened from a configuration");
  }
  return guarded(engine, [&] {
    const StreamParts& parts = engine->stream->parts();
    const firbank::BankState state{.preset = firbank::find_preset(*parts.config, preset)};
    const std::uint64_t number =
        engine->stream->swap(parts.banks->bank(state), at_frame, crossfade_frames);
    if (ticket != nullptr) *ticket = number;
  });
}

int firbank_live_frame(const firbank_engine* engine, uint64_t ticket, int64_t* frame) {
  if (!is_open(engine)) return 0;
  const std::optional<std::int64_t> live = engine->stream->live_frame(ticket);
  if (live && frame != nullptr) *frame = *live;
  return live ? 1 : 0;
}

firbank_status firbank_get_stats(const firbank_engine* engine, firbank_stats* stats) {
  if (engine == nullptr || stats == nullptr) return FIRBANK_BAD_ARGUMENT;
  if (!engine->stream) return FIRBANK_WRONG_STATE;
  firbank_stats all = engine->stream->stats();
  if (stats->struct_size <= offsetof(firbank_stats, frames)) return FIRBANK_BAD_ARGUMENT;
  all.struct_size = std::min(stats->struct_size, sizeof(all));
  std::memcpy(stats, &all, all.struct_size);
  return FIRBANK_OK;
}

}  // extern "C"
