// The spectra of the taps that belong to one level of a plan.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/filter_bank.hpp"
#include "engine/partition_plan.hpp"
#include "engine/responses.hpp"
#include "kernels/backend.hpp"

namespace firbank {

/// The partitions of a level that hold taps of a response whose filter has `taps` taps.
inline IndexRange partitions_of(const LevelPlan& plan, const Response& response, std::size_t taps) {
  const std::size_t begin = std::max(response.delay, plan.first_tap);
  const std::size_t end = std::min(response.delay + taps, plan.end_tap());
  if (begin >= end) return {};
  return {.first = (begin - plan.first_tap) / plan.partition_taps,
          .last = (end - plan.first_tap + plan.partition_taps - 1) / plan.partition_taps};
}

/// What lies in those partitions, which are not none.
template <class Sample>
void copy_response(const LevelPlan& plan, const Response& response, std::span<const double> taps,
                   const IndexRange& partitions, std::vector<Sample>& samples) {
  const std::size_t first = plan.first_tap + partitions.first * plan.partition_taps;
  const std::size_t last = std::min(plan.first_tap + partitions.last * plan.partition_taps,
                                    response.delay + taps.size());
  samples.assign(last - first, Sample{0});
  for (std::size_t k = std::max(first, response.delay); k < last; ++k) {
    samples[k - first] = static_cast<Sample>(response.gain * taps[k - response.delay]);
  }
}

template <class Sample>
struct LevelSpectra {
  std::unique_ptr<SpectralBank<Sample>> bank;
  std::vector<IndexRange> partitions;  // of each response: those of this level that hold taps
  std::size_t longest = 0;             // the last partition of any response, plus 1
};

/// Set-up: the part of every response that lies between the level's first and last tap. What of
/// `shape` follows from the responses is still to be filled in; `first_bank` is the first level's,
/// if there is another. SpectralBank::end_load() is left to the caller.
template <class Sample>
LevelSpectra<Sample> load_spectra(const SpectralLevel<Sample>& level, const LevelPlan& plan,
                                  const FilterBank& filters, const ResponseTable& responses,
                                  SpectralBankShape shape,
                                  SpectralBank<Sample>* first_bank = nullptr) {
  LevelSpectra<Sample> spectra;
  for (const Response& response : responses.responses()) {
    spectra.partitions.push_back(
        partitions_of(plan, response, filters.taps(response.filter).size()));
    spectra.longest = std::max(spectra.longest, spectra.partitions.back().last);
  }
  shape.partitions = spectra.partitions;
  shape.terms = responses.terms();
  spectra.bank = level.make_bank(std::move(shape), first_bank);

  std::vector<Sample> samples;
  for (std::size_t r = 0; r < spectra.partitions.size(); ++r) {
    const IndexRange& range = spectra.partitions[r];
    if (range.first == range.last) continue;
    const Response& response = responses.responses()[r];
    copy_response(plan, response, filters.taps(response.filter), range, samples);
    spectra.bank->load(r, samples);
  }
  return spectra;
}

/// Set-up of a bank in use: other taps for one filter. `partitions` are those of each response;
/// true when some of them are others now.
template <class Sample>
bool replace_spectra(SpectralBank<Sample>& bank, const LevelPlan& plan, std::size_t filter,
                     std::span<const double> taps, const ResponseTable& responses,
                     std::vector<IndexRange>& partitions) {
  bool has_moved = false;
  std::vector<Sample> samples;
  for (std::size_t r = 0; r < partitions.size(); ++r) {
    const Response& response = responses.responses()[r];
    if (response.filter != filter) continue;
    const IndexRange range = partitions_of(plan, response, taps.size());
    samples.clear();
    if (range.first < range.last) copy_response(plan, response, taps, range, samples);
    bank.replace(r, range, samples);
    has_moved = has_moved || range.first != partitions[r].first || range.last != partitions[r].last;
    partitions[r] = range;
  }
  return has_moved;
}

/// The last partition of any response, plus 1.
inline std::size_t longest_of(const std::vector<IndexRange>& partitions) {
  std::size_t longest = 0;
  for (const IndexRange& range : partitions) longest = std::max(longest, range.last);
  return longest;
}

}  // namespace firbank
