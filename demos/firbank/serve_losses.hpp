// ServeLosses: the frames of the input that never came: listed for the report, and the newest ones
// for who looks on.
//
// Thread: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "demos/firbank/serve_status.hpp"

namespace firbank::program {

class ServeLosses {
 public:
  /// So many are listed; all are counted.
  static constexpr std::size_t kMostListed = 1'000'000;
  static constexpr std::size_t kMostNewest = 64;

  void add(const InputLoss& loss) {
    newest_.push_back(loss);
    if (newest_.size() > kMostNewest) newest_.pop_front();
    if (listed_.size() < kMostListed) {
      listed_.push_back(loss);
    } else {
      ++unlisted_;
    }
  }

  std::vector<InputLoss> newest() const { return {newest_.begin(), newest_.end()}; }
  std::uint64_t count() const noexcept { return listed_.size() + unlisted_; }
  std::uint64_t unlisted() const noexcept { return unlisted_; }
  /// The first ones; they are gone from here.
  std::vector<InputLoss> take_listed() { return std::move(listed_); }

 private:
  std::vector<InputLoss> listed_;
  std::uint64_t unlisted_ = 0;
  std::deque<InputLoss> newest_;
};

}  // namespace firbank::program
