// ServeLosses: the frames of the input that never came: told while it happens, listed for the
// report, and the newest ones for who looks on.
//
// Thread: one at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "demos/firbank/serve_status.hpp"

namespace firbank::program {

class ServeLosses {
 public:
  /// So many are listed; all are counted.
  static constexpr std::size_t kMostListed = 1'000'000;
  static constexpr std::size_t kMostNewest = 64;

  /// `quiet`: nothing is told.
  ServeLosses(double sample_rate_hz, bool quiet) : sample_rate_hz_(sample_rate_hz), quiet_(quiet) {}

  void add(const InputLoss& loss);

  std::vector<InputLoss> newest() const { return {newest_.begin(), newest_.end()}; }
  std::uint64_t count() const noexcept { return listed_.size() + unlisted_; }
  std::uint64_t unlisted() const noexcept { return unlisted_; }
  /// The first ones; they are gone from here.
  std::vector<InputLoss> take_listed() { return std::move(listed_); }

 private:
  void tell(const InputLoss& loss);

  double sample_rate_hz_;
  bool quiet_;
  std::vector<InputLoss> listed_;
  std::uint64_t unlisted_ = 0;
  std::deque<InputLoss> newest_;
  std::uint64_t untold_ = 0;
  std::chrono::steady_clock::time_point next_line_{};
};

}  // namespace firbank::program
