// ArrayJob: convolutions of arrays that lie in memory, described without their samples.
//
// A job is a number of units that are alike and need nothing of one another: a channel with its
// kernel, a channel with a bank of kernels, or all channels of a matrix at once. Output o of a unit
// is the sum, over the edges that lead to it, of gain * (kernel * input), of which a window of
// frames is wanted. Frames before the first and behind the last of an input are zero.
//
// Arrays are described by strides, so that any axis of an array of any number of dimensions can be
// the time, and a complex array is two real ones.
//
// Thread:   any; values without behaviour.
// Realtime: no.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/element_type.hpp"

namespace firbank {

struct ArrayEdge {
  std::size_t input = 0;   // of a unit
  std::size_t kernel = 0;  // of a unit
  std::size_t output = 0;  // of a unit
  double gain = 1.0;

  bool operator==(const ArrayEdge&) const = default;
};

/// Frames [first, first + count) of a full convolution, whose frame 0 holds tap 0 of frame 0.
struct ArrayWindow {
  std::uint64_t first = 0;
  std::uint64_t count = 0;

  std::uint64_t end() const noexcept { return first + count; }
  bool operator==(const ArrayWindow&) const = default;
};

struct ArrayJob {
  std::vector<std::size_t> units = {};  // of each dimension; none: one unit
  std::size_t inputs = 1;               // of a unit, as are the rest
  std::vector<std::size_t> taps = {};   // of each kernel, 1 or more
  std::vector<ArrayEdge> edges = {};
  std::vector<ArrayWindow> windows = {};  // of each output
  bool own_kernels = false;               // of each unit; or else one set serves all
  std::uint64_t frames = 0;               // of each input, 0 or more

  std::size_t unit_count() const noexcept;
  std::size_t outputs() const noexcept { return windows.size(); }
  std::size_t longest() const noexcept;  // taps
  /// Cuts kernels behind the last tap that any window hears.
  void cut_unheard_taps();
  /// From the first frame that any output wants to behind the last one.
  ArrayWindow all_windows() const noexcept;
};

/// Where the planes of a job's inputs, kernels or outputs begin. Strides and offsets count elements
/// of the array's type and may be negative.
struct ArrayView {
  const void* base = nullptr;  // outputs are written to all the same
  ElementType type = ElementType::kFloat32;
  std::vector<std::ptrdiff_t> unit_strides = {};  // of each dimension of ArrayJob::units
  std::vector<std::ptrdiff_t> offsets = {};       // of a unit's planes
  std::ptrdiff_t frame_stride = 1;

  /// Of unit `unit` in C order of `units`, plane `plane`.
  std::ptrdiff_t offset(const std::vector<std::size_t>& units, std::size_t unit,
                        std::size_t plane) const noexcept;
};

/// Arrays of the three kinds. Outputs of different shapes, as a ragged bank has, are several views
/// of one plane a unit each; otherwise one view has all.
struct ArraySignals {
  ArrayView input;
  ArrayView kernels;
  std::vector<ArrayView> outputs;
};

}  // namespace firbank
