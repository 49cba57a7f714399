// MatchedFilter: correlates recordings with a known sequence, by firbank's own engine: it is the
// convolution with the sequence turned round, in double precision.
//
// Results are divided by the sequence's frames: a sequence of +1 and -1 that came back unchanged
// has a peak of 1.
//
// Thread:   one at a time.
// Realtime: no.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/engine.hpp"

namespace firbank::program {

class MatchedFilter {
 public:
  /// Throws: Error when the sequence is empty or not finite.
  explicit MatchedFilter(std::span<const double> sequence);

  /// correlation[n] = sum over k of sequence[k] * recording[n + k] / frames, for every n from which
  /// on the recording holds a whole sequence; empty where it is shorter than one.
  std::vector<double> correlation(std::span<const double> recording);

  /// The same for a recording of one period, which goes on as it began: as many values as it has
  /// frames. Precondition: as many frames as the sequence has.
  std::vector<double> periodic_correlation(std::span<const double> period);

 private:
  std::size_t frames_;
  BasicEngine<double> engine_;
};

}  // namespace firbank::program
