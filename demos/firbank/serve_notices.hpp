// ServeNotices: what `firbank serve` tells while it runs, in lines on standard error.
//
// What a bad line does by the thousand is told once a second, with how often it was meanwhile; what
// lasts, when it begins and when it is over. The report has everything.
//
// Thread: one at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/packet_endpoint.hpp"

namespace firbank::program {

class ServeNotices {
 public:
  struct Settings {
    bool quiet = false;
    double sample_rate_hz = 0;
    bool has_clock = true;  // what comes is as fast as its clock; a pipe may hold a file
  };

  explicit ServeNotices(const Settings& settings) : settings_(settings) {}

  /// Frames before this packet never came.
  void lost(const Packet& packet);
  /// Frames of this packet were there before, and are left out.
  void again(const Packet& packet, std::int64_t frames);
  /// The index goes on at this packet, and not at `expected_frame`.
  void begins_anew(const Packet& packet, std::int64_t expected_frame);
  /// The engine has no numbers for what comes. Once.
  void out_of_range(std::int64_t first_frame);

  /// Whether it is time to look again.
  bool is_due();
  /// Senders that were let go of or turned away, and how fast packets come.
  void look(const PacketStats& stats, bool is_running);
  /// Receivers of output `number`.
  void look(std::size_t number, const SinkStats& stats);

 private:
  using Clock = std::chrono::steady_clock;

  /// A kind of line of which there may be thousands.
  struct Repeated {
    Clock::time_point next{};
    std::uint64_t untold = 0;
  };
  /// ", and 3 gaps before", or "", where the line may be told; nothing where it may not.
  std::optional<std::string> may_tell(Repeated& kind, std::string_view thing) const;
  void look_at_rate(const PacketStats& stats, bool is_running);
  std::string at(std::int64_t frame) const;

  Settings settings_;
  Repeated losses_;
  Repeated again_;
  Repeated begins_;
  Clock::time_point next_look_{};
  std::string told_trouble_;
  std::vector<std::string> told_receivers_;
  std::optional<Clock::time_point> rate_changed_;
  bool is_off_rate_ = false;  // and told
  bool is_out_of_range_ = false;
};

}  // namespace firbank::program
