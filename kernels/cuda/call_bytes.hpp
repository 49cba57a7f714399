// How many bytes of device memory a nominal call of a plan has to read, from the layouts of its
// banks.
//
// A call that is a part of a partition of the first level meets partition 0 anew and does its share
// of all others, and of the blocks of later levels. In direct form it meets all taps.
//
// Thread: any; set-up only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/backend.hpp"

namespace firbank::cuda {

/// A level of a plan: partitions from `first_tap` on.
struct LevelExtent {
  std::size_t bins = 0;  // M
  std::size_t block_frames = 0;
  std::size_t partition_taps = 0;  // as many, or other ones of a single partition
  std::size_t first_tap = 0;
  std::size_t partitions = 0;
};

/// What is convolved: taps [first, last) of each response, delays included, and who hears them.
struct BankExtent {
  std::vector<IndexRange> taps;
  std::vector<std::vector<ResponseTerm>> terms;  // of each output
  bool compact = false;                          // the responses' spectra
};

struct CallBytes {
  double loaded = 0;  // by the kernels
  double floor = 0;   // by any kernels, with this plan
  double cached = 0;  // of `loaded`: BlockBytes::cached
};

/// Of float, on a device of `multiprocessors`.
CallBytes call_bytes(const std::vector<LevelExtent>& levels, std::size_t call_frames,
                     const BankExtent& bank, std::uint32_t multiprocessors);

/// The same in direct form, in pieces of up to `piece_frames`, which begin at whole chunks.
CallBytes direct_call_bytes(std::size_t piece_frames, std::size_t call_frames,
                            const BankExtent& bank, std::uint32_t multiprocessors);

}  // namespace firbank::cuda
