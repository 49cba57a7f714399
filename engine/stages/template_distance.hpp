// TemplateDistance: how far the latest samples are from each of K templates.
//
//   d_k[n] = sqrt( sum_c sum_i (x_c[n - L + 1 + i] - t_kc[i])^2 )      c: the template's channels
//
// Frame n belongs to the window of L frames that ends with it: L - 1 frames after the template's
// first sample. It is computed as window energy - 2 correlation + template energy, the correlation
// by an Engine in double precision, and is within 1e-4 of the true value, relative to it. Where the
// three terms cancel so far that their rounding errors could be more than that, which a bound tells
// window by window, the window is computed again, by its differences. stages/README.md derives it.
//
// What is computed again is bounded: each template may have `exact_share` of its windows, over
// time, and up to 32 more at a time. Beyond that, when very near matches last, the distance has the
// absolute error of the three terms, at most about 1e-6 of the root of the energies, and is counted
// (unrefined_windows()).
//
// There is no distance, NaN, in the first L - 1 frames of a stream, behind a gap, and where a
// sample of the template's channels in the window is not finite; other templates are not touched.
//
// Thread:   process() and reset(): one at a time. The counts: any.
// Realtime: everything but construction is safe: one thread, no allocation, no lock, no system
//           call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/stages/stream_position.hpp"

namespace firbank {

struct Template {
  std::vector<std::size_t> channels;         // of the stream, each once; at least 1
  std::vector<std::vector<double>> samples;  // of each of them: L samples, oldest first, finite
};

struct TemplateDistanceConfig {
  std::size_t channels = 0;              // of the stream, at least 1
  std::vector<Template> templates = {};  // at least 1; all of one length L, 1 to 65,536

  /// Nominal frames a call, 1 to 65,536. The plan is made for it; any other size is correct.
  std::size_t block_frames = 256;

  /// How many of a template's windows may be computed by their differences in the long run, 0 to 1.
  /// With 1 every window may, and the worst case costs as much as if all were.
  double exact_share = 0.125;
};

class TemplateDistance {
 public:
  /// Throws: Error naming the field, its value and what is allowed; std::bad_alloc.
  explicit TemplateDistance(const TemplateDistanceConfig& config);
  ~TemplateDistance();
  TemplateDistance(const TemplateDistance&) = delete;
  TemplateDistance& operator=(const TemplateDistance&) = delete;

  /// `in` holds channels() planes of `frames` frames, any number, from index `first_frame` on;
  /// `out` as many of templates() planes, none of which is a plane of `in`.
  void process(const float* const* in, float* const* out, std::size_t frames,
               std::int64_t first_frame) noexcept;

  /// Forgets the history; the next call may begin anywhere.
  void reset() noexcept;

  std::size_t channels() const noexcept;
  std::size_t templates() const noexcept;
  std::size_t length() const noexcept;  // L
  std::uint64_t gaps() const noexcept { return position_.gaps(); }

  /// Since construction: windows that were computed by their differences, and those that should
  /// have been.
  std::uint64_t exact_windows() const noexcept;
  std::uint64_t unrefined_windows() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
  StreamPosition position_;
};

}  // namespace firbank
