// The spectra of the taps that belong to one level of a plan.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "engine/filter_bank.hpp"
#include "engine/partition_plan.hpp"
#include "engine/responses.hpp"
#include "kernels/backend.hpp"

namespace firbank {

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
  const std::size_t length = plan.partition_taps;
  for (const Response& response : responses.responses()) {
    const std::size_t begin = std::max(response.delay, plan.first_tap);
    const std::size_t end =
        std::min(response.delay + filters.taps(response.filter).size(), plan.end_tap());
    IndexRange& range = spectra.partitions.emplace_back();
    if (begin >= end) continue;
    range.first = (begin - plan.first_tap) / length;
    range.last = (end - plan.first_tap + length - 1) / length;
    spectra.longest = std::max(spectra.longest, range.last);
  }
  shape.partitions = spectra.partitions;
  shape.terms = responses.terms();
  spectra.bank = level.make_bank(std::move(shape), first_bank);

  std::vector<Sample> samples;
  for (std::size_t r = 0; r < spectra.partitions.size(); ++r) {
    const IndexRange& range = spectra.partitions[r];
    if (range.first == range.last) continue;
    const Response& response = responses.responses()[r];
    const std::size_t first = plan.first_tap + range.first * length;
    const std::size_t last = std::min(plan.first_tap + range.last * length,
                                      response.delay + filters.taps(response.filter).size());
    samples.assign(last - first, Sample{0});
    for (std::size_t k = std::max(first, response.delay); k < last; ++k) {
      samples[k - first] =
          static_cast<Sample>(response.gain * filters.taps(response.filter)[k - response.delay]);
    }
    spectra.bank->load(r, samples);
  }
  return spectra;
}

}  // namespace firbank
