// SpectralMac: products of spectra, summed over partitions and terms, on one instruction set.
//
// A spectrum of M bins is cut into chunks (TransformPlan::chunk_samples). Delay lines lie as
// [chunk][slot][chunk samples], responses as [chunk][partition][chunk samples] with any distance
// between chunks, so that one chunk of all partitions streams from memory while its sum stays in
// registers.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/backend.hpp"
#include "kernels/cpu/instruction_set.hpp"

namespace firbank {

/// A scale, the upper half of a float, is that of all values of a partition's chunk in one lane of
/// the planes: of up to four bins. So few share one that a narrow band keeps its precision as well.
inline float scale_of(std::uint16_t upper) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(upper) << 16);
}

/// One input met by one response. Partition p of the response lies at index p - partitions.first.
template <class Sample>
struct MacTerm {
  const Sample* input = nullptr;          // [chunk][slot]
  const Sample* response = nullptr;       // its first chunk: [partition]
  const std::int16_t* compact = nullptr;  // or, in place of that, multiples of scales:
  const std::uint16_t* scales = nullptr;  // [partition][plane lane] of its first chunk
  std::size_t response_stride = 0;        // values between chunks of the response
  std::size_t scale_stride = 0;           // scales between them
  std::size_t first_partition = 0;
  std::size_t last_partition = 0;
};

/// Where the sums of a tile lie, and what they take.
template <class Sample>
struct MacJob {
  std::size_t first_chunk = 0;  // of the spectra, those that are summed
  std::size_t last_chunk = 0;
  std::size_t chunk_samples = 0;
  std::size_t plane_lanes = 1;
  std::size_t slots = 0;            // in a delay line
  std::size_t input_stride = 0;     // samples between chunks of a delay line
  std::size_t newest = 0;           // slot that meets partition 0
  std::size_t first_partition = 0;  // of the sum
  std::size_t last_partition = 0;

  /// The same for the block after `newest`, as far as it is known: without partition 0.
  MacJob after() const noexcept {
    MacJob job = *this;
    job.newest = newest == 0 ? slots - 1 : newest - 1;
    job.first_partition = first_partition > 1 ? first_partition : 1;
    return job;
  }
};

/// One sum of products.
template <class Sample>
struct MacSum {
  std::span<const MacTerm<Sample>> terms;
  const Sample* from = nullptr;  // starts the sum; null for zero; may be `to`
  Sample* to = nullptr;          // [chunk][chunk samples]
  Sample* next = nullptr;        // where the sum of MacJob::after() goes as well; null for nowhere

  MacSum after() const noexcept { return {terms, nullptr, next, nullptr}; }
};

template <class Sample>
struct SpectralMac {
  /// One to kMacTile sums whose terms have the same inputs and partitions, one for one; all have
  /// a `next`, or none. What is read of an input serves them all, and what is read of a response
  /// serves both sums.
  ///
  /// No product is added to more than 31 others before the sums are added up: the rounding error
  /// of long filters stays near that of one product. A sum is the same to the last bit with any
  /// others beside it and however the chunks are cut.
  void (*run)(const MacJob<Sample>& job, std::span<const MacSum<Sample>> sums) noexcept;

  /// The same for responses that are compact; float only.
  void (*run_compact)(const MacJob<Sample>& job, std::span<const MacSum<Sample>> sums) noexcept;
};

/// Most sums that are worth making together.
inline constexpr std::size_t kMacTile = 4;

/// Products that are added up before the sum is folded into the total.
inline constexpr std::size_t kMacRun = 32;

/// Null when this build has none for `set`.
template <class Sample>
const SpectralMac<Sample>* spectral_mac(InstructionSet set) noexcept;

}  // namespace firbank
