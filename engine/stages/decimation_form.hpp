// DecimationForm: one way to compute the frames that a Decimator keeps.
//
// Thread:   one at a time.
// Realtime: everything but construction is safe.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/filter_bank.hpp"
#include "engine/stages/decimator.hpp"

namespace firbank {

class DecimationForm {
 public:
  virtual ~DecimationForm() = default;

  /// Most frames at a time.
  virtual std::size_t piece() const noexcept = 0;

  /// Takes `frames` frames of every channel, from in[c][offset] on, and writes the frames `kept`,
  /// kept + factor... of them to `out`, from out[c][put] on. Calls follow one another: `kept` is
  /// what the last call left of a factor.
  virtual void take(const float* const* in, std::size_t offset, std::size_t frames,
                    std::size_t kept, float* const* out, std::size_t put) noexcept = 0;

  /// Input so far is 0, and the next call's `kept` anything below the factor.
  virtual void forget() noexcept = 0;
};

/// The form that is estimated to take the least time.
DecimatorForm cheapest_form(const DecimatorConfig& config, const FilterBank& bank);

/// Of a configuration that has been checked; `form` is not kAuto.
std::unique_ptr<DecimationForm> make_form(DecimatorForm form, const DecimatorConfig& config,
                                          const FilterBank& bank);

}  // namespace firbank
