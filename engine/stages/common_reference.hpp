// CommonReference: takes from each channel what its group has in common, frame by frame.
//
//   y_c[n] = x_c[n] - r_g[n],    r_g[n] = mean or median of x_j[n] over the channels j of group g
//                                         that count in frame n
//
// A channel counts in a frame unless it is bad, or its sample there is not finite or larger in
// magnitude than `largest`. So neither a NaN nor a channel at its limit touches another one; its
// own sample is what it was less the reference: a NaN stays one. A bad channel, and one in no
// group, passes as it is. Where no channel of a group counts, the reference is 0.
//
// It has no memory: gaps, resets and the sizes of the calls make no difference, to the last bit.
//
// Thread:   process(): one at a time. set_bad(), is_bad(): any.
// Realtime: everything but construction is safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace firbank {

struct ChannelCentre;

enum class ReferenceKind {
  kMean,    // the cheaper one: every channel counts alike
  kMedian,  // a spike in fewer than half of the channels leaves no trace in the others
};

struct CommonReferenceConfig {
  std::size_t channels = 0;  // at least 1
  ReferenceKind kind = ReferenceKind::kMedian;

  /// Channels of each group; a channel may be in one group only. Empty: one group of all channels.
  std::vector<std::vector<std::size_t>> groups = {};

  /// Samples of a larger magnitude do not count; above 0, finite, in the units of the samples.
  /// A little less than full scale leaves out what a converter has limited.
  float largest = std::numeric_limits<float>::max();
};

class CommonReference {
 public:
  /// Throws: Error naming the field, its value and what is allowed; std::bad_alloc.
  explicit CommonReference(const CommonReferenceConfig& config);
  ~CommonReference();
  CommonReference(const CommonReference&) = delete;
  CommonReference& operator=(const CommonReference&) = delete;

  /// In place: `planes` are channels() planes of `frames` samples each, any number.
  void process(float* const* planes, std::size_t frames) noexcept;

  /// From the next call on. A channel that is not there is ignored, and is not bad.
  void set_bad(std::size_t channel, bool is_bad) noexcept;
  bool is_bad(std::size_t channel) const noexcept;

  /// From the next call on: CommonReferenceConfig::largest, above 0. Thread: as process().
  void set_largest(float largest) noexcept { largest_ = largest; }

  std::size_t channels() const noexcept { return channels_; }

 private:
  void process_group(const std::vector<std::size_t>& group, float* const* planes,
                     std::size_t frames) noexcept;

  std::size_t channels_;
  ReferenceKind kind_;
  std::vector<std::vector<std::size_t>> groups_;
  float largest_;
  const ChannelCentre* kernel_;
  std::unique_ptr<std::atomic<bool>[]> bad_;

  // Scratch of one group.
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace firbank
