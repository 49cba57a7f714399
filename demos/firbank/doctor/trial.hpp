// Trial: the same small work with a change of its surroundings and without, in turn, so that what
// drifts meanwhile does not decide.
//
// Each side is repeated a few times. What counts of a repeat is its median, and its 99th percentile
// where it has values enough; a side's figure is the median of its repeats. A difference is shown
// only where the repeats of one side lie all below those of the other, each side's highest left out
// of the comparison: other programs' work falls on either side at times. By chance alone that
// happens to one figure in 66 with six repeats.
//
// Thread:   one.
// Realtime: no.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace firbank::program {

/// One quantile of both sides, in microseconds.
struct TrialFigure {
  double quantile = 0.5;
  double as_it_is_us = 0;
  double changed_us = 0;
  double as_it_is_spread_us = 0;  // half the range of the repeats, the highest left out
  double changed_spread_us = 0;
  bool shown = false;  // whether the difference is beyond the repeats' own

  double saved_us() const { return as_it_is_us - changed_us; }
};

struct TrialText {
  std::string what;      // is measured: "wake-up after a sleep of 1 ms: how late"
  std::string as_it_is;  // "the ordinary scheduler"
  std::string changed;   // "SCHED_FIFO"
};

struct Trial {
  TrialText text;
  std::size_t count = 0;  // values of each side, at least
  TrialFigure median;
  std::optional<TrialFigure> p99;

  /// The one to look at first: the 99th percentile, unless the median alone shows a difference.
  const TrialFigure& telling() const;
  bool shown() const { return telling().shown; }
  /// Whether the change is worth being made: what it saves is shown, and is both a tenth and a
  /// microsecond at least.
  bool is_worth_it() const;
};

/// A repeat of the work: appends what it measured, in microseconds.
using Repeat = std::function<void(std::vector<double>& values_us)>;

struct TrialRules {
  std::size_t repeats = 6;                // of each side
  std::int64_t repeat_ns = 300'000'000;   // how long one should take
  std::function<bool()> stopped;          // asked before each repeat, and within long ones
  std::function<void()> repeat_was_made;  // for progress

  bool is_stopped() const { return stopped && stopped(); }
};

/// None when it was stopped, or when a repeat measured nothing.
std::optional<Trial> run_trial(TrialText text, const Repeat& as_it_is, const Repeat& changed,
                               const TrialRules& rules);

/// What repeats that were made come to. Each is a list of values; none of them may be empty.
Trial judge_trial(TrialText text, const std::vector<std::vector<double>>& as_it_is,
                  const std::vector<std::vector<double>>& changed);

/// `value` with no more digits than `spread` leaves it, and 3 at most: "61", "5.2", "0.48".
std::string rounded(double value, double spread);

}  // namespace firbank::program
