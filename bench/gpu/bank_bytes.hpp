// How many bytes of device memory a nominal call of a plan has to read, from the layout of its
// bank.
//
// A call that is a part of a partition meets partition 0 anew and does its share of all others.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "engine/filter_bank.hpp"
#include "engine/partition_plan.hpp"
#include "engine/responses.hpp"
#include "kernels/cuda/bank_layout.hpp"

namespace firbank::bench {

struct CallBytes {
  double loaded = 0;  // by the kernels
  double floor = 0;   // by any kernels, with this plan
};

inline cuda::BlockBytes layout_bytes(const SpectralBankShape& shape, std::uint32_t bins,
                                     std::uint32_t multiprocessors) {
  constexpr std::size_t kValueBytes = sizeof(cuda::Complex<float>);
  const cuda::BankLayout layout = cuda::bank_layout(shape);
  return cuda::block_bytes(layout, bins, kValueBytes,
                           cuda::accumulate_splits(layout, bins, kValueBytes, multiprocessors));
}

inline CallBytes call_bytes(const PartitionPlan& plan, const FilterBank& bank,
                            const Routing& routing, std::uint32_t multiprocessors) {
  const LevelPlan& level = plan.levels.front();  // a device's plan has no other
  const ResponseTable table(routing);
  SpectralBankShape whole;
  whole.terms = table.terms();
  for (const Response& response : table.responses()) {
    const std::size_t end = response.delay + bank.taps(response.filter).size();
    whole.partitions.push_back(
        {response.delay / level.block_frames, (end + level.block_frames - 1) / level.block_frames});
  }
  SpectralBankShape first = whole;
  for (IndexRange& range : first.partitions) {
    range.last = std::max(range.first, std::min<std::size_t>(range.last, 1));
  }

  const auto bins = static_cast<std::uint32_t>(level.bins());
  const cuda::BlockBytes all = layout_bytes(whole, bins, multiprocessors);
  const cuda::BlockBytes newest = layout_bytes(first, bins, multiprocessors);
  const double blocks =
      static_cast<double>(plan.call_frames) / static_cast<double>(level.block_frames);
  const auto of_call = [&](std::uint64_t block, std::uint64_t piece) {
    return std::max(blocks, 1.0) * static_cast<double>(piece) +
           blocks * static_cast<double>(block - piece);
  };
  return {of_call(all.loaded, newest.loaded), of_call(all.floor, newest.floor)};
}

}  // namespace firbank::bench
