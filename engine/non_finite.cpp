#include "engine/non_finite.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

namespace firbank {
namespace {

constexpr std::int64_t kLongAgo = std::numeric_limits<std::int64_t>::min() / 2;

template <class Sample>
using BitsOf = std::conditional_t<sizeof(Sample) == 4, std::uint32_t, std::uint64_t>;

/// The bits that hold a sample's exponent. Compared as numbers they order magnitudes, NaN included,
/// and no compiler flag can optimise that away.
template <class Sample>
BitsOf<Sample> exponent_of(Sample sample) noexcept {
  using Bits = BitsOf<Sample>;
  return std::bit_cast<Bits>(sample) & std::bit_cast<Bits>(std::numeric_limits<Sample>::infinity());
}

template <class Sample>
bool is_bad_sample(Sample sample) noexcept {
  return exponent_of(sample) == exponent_of(std::numeric_limits<Sample>::infinity());
}

/// To `value` at least.
void raise(std::atomic<std::int64_t>& frame, std::int64_t value) noexcept {
  std::int64_t now = frame.load(std::memory_order_relaxed);
  while (now < value && !frame.compare_exchange_weak(now, value, std::memory_order_relaxed)) {
  }
}

}  // namespace

template <class Sample>
NonFiniteGuard<Sample>::NonFiniteGuard(std::size_t inputs, std::size_t reach,
                                       std::size_t piece_frames, std::size_t transform_frames)
    : copy_(*checked_copy<Sample>(best_instruction_set())),
      reach_(reach),
      words_(std::bit_ceil((reach + piece_frames) / 64 + 2)),
      bits_(inputs * words_, 0),
      last_bad_(inputs, kLongAgo),
      quiet_from_(kLongAgo),
      transform_frames_(transform_frames),
      loud_until_(kLongAgo) {}

/// Empties each word of an input's ring when the stream first enters it, but for as long as all are
/// empty.
template <class Sample>
void NonFiniteGuard<Sample>::enter(std::size_t input, std::int64_t clock,
                                   std::size_t frames) noexcept {
  const std::int64_t latest_bad =
      quiet_from_.load(std::memory_order_relaxed) - static_cast<std::int64_t>(reach_);
  if (clock > latest_bad + static_cast<std::int64_t>(64 * words_)) return;
  std::uint64_t* ring = words(input);
  const std::int64_t end = clock + static_cast<std::int64_t>(frames);
  for (std::int64_t word = (clock + 63) >> 6; word <= (end - 1) >> 6; ++word) {
    ring[static_cast<std::size_t>(word) & (words_ - 1)] = 0;
  }
}

template <class Sample>
void NonFiniteGuard<Sample>::clean(std::size_t input, std::int64_t clock, const Sample* in,
                                   Sample* out, std::size_t frames, bool past_caches) noexcept {
  enter(input, clock, frames);
  if (copy_.run(in, out, frames, kLoud, past_caches)) return;  // neither loud nor bad
  std::uint64_t* ring = words(input);
  const std::int64_t end = clock + static_cast<std::int64_t>(frames);
  for (std::size_t n = 0; n < frames; ++n) {
    if (exponent_of(in[n]) < exponent_of(kLoud)) continue;
    if (!is_bad_sample(in[n])) {
      raise(loud_until_, end + static_cast<std::int64_t>(reach_ + 2 * transform_frames_));
      continue;
    }
    out[n] = 0;
    const std::int64_t frame = clock + static_cast<std::int64_t>(n);
    ring[static_cast<std::size_t>(frame >> 6) & (words_ - 1)] |= std::uint64_t{1} << (frame & 63);
    last_bad_[input] = frame;
    raise(quiet_from_, frame + static_cast<std::int64_t>(reach_));
  }
}

template <class Sample>
bool NonFiniteGuard<Sample>::is_bad(std::size_t input, std::int64_t clock) const noexcept {
  const std::uint64_t word = words(input)[static_cast<std::size_t>(clock >> 6) & (words_ - 1)];
  return (word >> (clock & 63) & 1) != 0;
}

template <class Sample>
std::int64_t NonFiniteGuard<Sample>::latest_bad(std::size_t input, std::int64_t first,
                                                std::int64_t last) const noexcept {
  const std::uint64_t* ring = words(input);
  for (std::int64_t word = last >> 6; word >= first >> 6; --word) {
    std::uint64_t bits = ring[static_cast<std::size_t>(word) & (words_ - 1)];
    if (word == last >> 6 && (last & 63) != 63) bits &= (std::uint64_t{2} << (last & 63)) - 1;
    if (bits == 0) continue;
    const std::int64_t found = (word << 6) + 63 - std::countl_zero(bits);
    return std::max(found, first - 1);
  }
  return first - 1;
}

template <class Sample>
void NonFiniteGuard<Sample>::mark_spoiled(const std::vector<Reach>& edges, std::int64_t clock,
                                          std::uint8_t* flags, std::size_t frames) const noexcept {
  for (const Reach& edge : edges) {
    const std::int64_t start = clock - static_cast<std::int64_t>(edge.delay);
    const auto taps = static_cast<std::int64_t>(edge.taps);
    if (last_bad_[edge.input] <= start - taps) continue;
    std::int64_t bad =
        latest_bad(edge.input, start - taps + 1, std::min(start, last_bad_[edge.input]));
    for (std::size_t n = 0; n < frames; ++n) {
      const std::int64_t frame = start + static_cast<std::int64_t>(n);
      if (is_bad(edge.input, frame)) bad = frame;
      if (frame - bad < taps) flags[n] = 1;
    }
  }
}

template <class Sample>
void NonFiniteGuard<Sample>::mark_overflow(const Sample* out, std::uint8_t* flags,
                                           std::size_t frames) noexcept {
  for (std::size_t n = 0; n < frames; ++n) {
    if (is_bad_sample(out[n])) flags[n] = 1;
  }
}

template <class Sample>
void NonFiniteGuard<Sample>::reset() noexcept {
  quiet_from_.store(kLongAgo, std::memory_order_relaxed);
  loud_until_.store(kLongAgo, std::memory_order_relaxed);
  std::fill(last_bad_.begin(), last_bad_.end(), kLongAgo);
  std::fill(bits_.begin(), bits_.end(), 0);
}

template class NonFiniteGuard<float>;
template class NonFiniteGuard<double>;

}  // namespace firbank
