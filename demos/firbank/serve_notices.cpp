#include "demos/firbank/serve_notices.hpp"

#include <utility>

#include <fmt/format.h>

#include "demos/firbank/console.hpp"
#include "demos/firbank/wording.hpp"

namespace firbank::program {
namespace {

constexpr std::chrono::seconds kBetweenLines(1);
constexpr std::chrono::milliseconds kBetweenLooks(500);
constexpr std::chrono::seconds kLasting(3);  // longer than the window of one measurement

}  // namespace

std::string ServeNotices::at(std::int64_t frame) const {
  return position(frame, settings_.sample_rate_hz);
}

std::optional<std::string> ServeNotices::may_tell(Repeated& kind, std::string_view thing) const {
  const Clock::time_point now = Clock::now();
  if (settings_.quiet || now < kind.next) {
    ++kind.untold;
    return std::nullopt;
  }
  kind.next = now + kBetweenLines;
  const std::uint64_t before = std::exchange(kind.untold, 0);
  return before == 0 ? "" : fmt::format(", and {} before", counted(before, thing));
}

void ServeNotices::lost(const Packet& packet) {
  if (const auto before = may_tell(losses_, "gap")) {
    tell("firbank: lost {} from {}{}\n",
         counted(static_cast<std::uint64_t>(packet.gap_before), "frame"),
         at(packet.first_frame - packet.gap_before), *before);
  }
}

void ServeNotices::again(const Packet& packet, std::int64_t frames) {
  if (const auto before = may_tell(again_, "packet")) {
    tell("firbank: left out {} that came again, or too late, from {}{}\n",
         counted(static_cast<std::uint64_t>(frames), "frame"), at(packet.first_frame), *before);
  }
}

void ServeNotices::begins_anew(const Packet& packet, std::int64_t expected_frame) {
  if (const auto before = may_tell(begins_, "beginning")) {
    tell("firbank: the stream begins anew at {}, where {} was due{}\n", at(packet.first_frame),
         at(expected_frame), *before);
  }
}

void ServeNotices::out_of_range(std::int64_t first_frame) {
  if (settings_.quiet || std::exchange(is_out_of_range_, true)) return;
  tell("firbank: from frame {} on nothing is filtered: it is too near to the last index there is\n",
       first_frame);
}

bool ServeNotices::is_due() {
  const Clock::time_point now = Clock::now();
  if (now < next_look_) return false;
  next_look_ = now + kBetweenLooks;
  return true;
}

void ServeNotices::look(const PacketStats& stats, bool is_running) {
  if (settings_.quiet) return;
  if (stats.last_error != told_trouble_) {
    tell("firbank: {}\n", stats.last_error);
    told_trouble_ = stats.last_error;
  }
  if (settings_.has_clock) look_at_rate(stats, is_running);
}

void ServeNotices::look_at_rate(const PacketStats& stats, bool is_running) {
  if (!is_running) {
    rate_changed_.reset();
    is_off_rate_ = false;
    return;
  }
  if (comes_at_its_rate(stats) != is_off_rate_) {
    rate_changed_.reset();
    return;
  }
  const Clock::time_point now = Clock::now();
  if (!rate_changed_) rate_changed_ = now;
  if (now - *rate_changed_ < kLasting) return;
  rate_changed_.reset();
  is_off_rate_ = !is_off_rate_;
  tell("firbank: the stream comes at {:.1f} Hz {} {:.1f} Hz\n", stats.rate_hz,
       is_off_rate_ ? "instead of" : "again, as declared:", stats.declared_rate_hz);
}

void ServeNotices::look(std::size_t number, const SinkStats& stats) {
  if (told_receivers_.size() <= number) told_receivers_.resize(number + 1);
  std::string& told = told_receivers_[number];
  if (settings_.quiet || stats.last_error == told) return;
  told = stats.last_error;
  tell("firbank: {}\n", told);
}

}  // namespace firbank::program
