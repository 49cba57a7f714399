#include "demos/firbank/bench/loopback/delay_estimate.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "demos/firbank/bench/loopback/band_limited_peak.hpp"
#include "demos/firbank/bench/loopback/line_fit.hpp"
#include "demos/firbank/bench/loopback/matched_filter.hpp"
#include "demos/firbank/bench/loopback/maximum_length_sequence.hpp"
#include "demos/firbank/bench/loopback/sequence_arrivals.hpp"
#include "demos/firbank/bench/order_statistics.hpp"

namespace firbank::program {
namespace {

constexpr double kSilence = 1e-6;      // -120 dBFS
constexpr double kFullScale = 0.999;   // converters of 16 bits end at 32767 / 32768
constexpr double kMostClipped = 1e-3;  // of the frames: a click is no clipping

double decibels(double ratio) {
  return 20 * std::log10(ratio);
}

double peak_to_noise_db(double peak, std::span<const double> correlation) {
  std::vector<double> magnitudes;
  magnitudes.reserve(correlation.size());
  for (const double value : correlation) magnitudes.push_back(std::abs(value));
  const double noise = median_of(std::move(magnitudes)) / 0.6745;
  // Where nothing but rounding is left, there are no more digits to tell of.
  return decibels(std::abs(peak) / std::max(noise, 1e-10 * std::abs(peak)));
}

/// A period by itself: where it came back, to a part of a frame.
struct ReceivedPeriod {
  std::size_t begin = 0;  // in the recording, to the frame
  BandLimitedPeak peak;   // from there on
  double peak_to_noise_db = 0;
};

class Estimator {
 public:
  Estimator(const LoopbackSetting& setting, std::span<const float> recording,
            std::span<const std::size_t> glitches, std::size_t margin_frames)
      : setting_(setting),
        timeline_(setting),
        recording_(recording.begin(), recording.end()),
        glitches_(glitches),
        margin_frames_(margin_frames),
        filter_(maximum_length_sequence(setting.sequence_order)) {}

  DelayEstimate estimate() {
    if (!refuse_bad_recording()) find_repeats();
    return std::move(estimate_);
  }

 private:
  std::size_t period() const { return timeline_.sequence_frames; }
  double seconds(std::size_t frames) const {
    return static_cast<double>(frames) / setting_.sample_rate_hz;
  }

  /// Whether it is: nothing more can be told then.
  bool refuse_bad_recording() {
    if (recording_.size() < timeline_.total_frames) {
      estimate_.refusal =
          fmt::format("only {} of {} frames came back", recording_.size(), timeline_.total_frames);
      return true;
    }
    double peak = 0;
    std::size_t clipped = 0;
    for (const double sample : recording_) {
      if (!std::isfinite(sample)) {
        estimate_.refusal = "the input holds samples that are no finite numbers";
        return true;
      }
      peak = std::max(peak, std::abs(sample));
      if (std::abs(sample) >= kFullScale) ++clipped;
    }
    if (peak < kSilence) {
      estimate_.refusal =
          "the input is silent (below -120 dBFS); is the output connected to it, and is neither "
          "muted?";
      return true;
    }
    const double share = static_cast<double>(clipped) / static_cast<double>(recording_.size());
    if (share > kMostClipped) {
      estimate_.refusal = fmt::format(
          "the input clips, {:.2g}% of its frames; a lower level or input gain is "
          "needed",
          100 * share);
      return true;
    }
    return false;
  }

  void find_repeats() {
    const std::vector<double> correlation = filter_.correlation(recording_);
    const SequenceArrivals arrivals(correlation, period(), timeline_.first_frame);
    // Of one period, as one disturbance in the midst of silence has nothing else about it.
    const std::span<const double> about = arrivals.about_highest();
    const double clear_db = peak_to_noise_db(arrivals.peak(), about);
    if (clear_db < kLeastPeakToNoiseDb) {
      estimate_.refusal = fmt::format(
          "what came in holds no trace of the sequence (its correlation stands {:.0f} dB out of "
          "the noise, {:.0f} are needed); another channel, a higher level or order may help",
          clear_db, kLeastPeakToNoiseDb);
      return;
    }
    if (!tells_whole_periods(arrivals)) {
      estimate_.refusal = fmt::format(
          "of {} periods of the sequence {} came back, and samples were lost: the delay may be any "
          "number of periods ({:.0f} ms) longer",
          timeline_.periods, arrivals.count(), 1e3 * seconds(period()));
      return;
    }
    std::vector<ReceivedPeriod> periods = receive(arrivals);
    if (periods.empty()) {
      estimate_.refusal =
          fmt::format("no repeat of {} came back whole: {} lost samples, {} ended too late",
                      setting_.repeats, estimate_.spoiled_repeats, estimate_.late_repeats);
      return;
    }
    summarize(periods);
  }

  /// Whether the first period that is seen must be the first that was played.
  bool tells_whole_periods(const SequenceArrivals& arrivals) const {
    if (arrivals.count() == timeline_.periods) return true;
    const bool lost_before =
        std::any_of(glitches_.begin(), glitches_.end(), [&](std::size_t frame) {
          return frame + margin_frames_ >= timeline_.first_frame &&
                 frame <= arrivals.first() + period() + margin_frames_;
        });
    return arrivals.count() < timeline_.periods && !arrivals.has_room_for_more() && !lost_before;
  }

  bool is_spoiled(std::size_t played, std::size_t begin) const {
    return std::any_of(glitches_.begin(), glitches_.end(), [&](std::size_t frame) {
      return frame + margin_frames_ >= played && frame <= begin + period() + margin_frames_;
    });
  }

  /// The periods that count, and what they tell; the others are counted.
  std::vector<ReceivedPeriod> receive(const SequenceArrivals& arrivals) {
    std::vector<ReceivedPeriod> received;
    std::size_t expected = arrivals.first();
    for (std::size_t n = 1; n < timeline_.periods; ++n) {
      expected += period();
      const auto begin = arrivals.near(expected);
      if (!begin) {
        ++estimate_.late_repeats;
        continue;
      }
      expected = *begin;
      const std::size_t played = timeline_.first_frame + n * period();
      const auto one = is_spoiled(played, *begin) ? std::nullopt : receive_at(*begin);
      if (!one) {
        ++estimate_.spoiled_repeats;
        continue;
      }
      received.push_back(*one);
      const auto whole = static_cast<double>(*begin) - static_cast<double>(played);
      estimate_.repeats.push_back(
          {static_cast<double>(played), whole + one->peak.position, one->peak_to_noise_db});
    }
    return received;
  }

  std::optional<ReceivedPeriod> receive_at(std::size_t begin) {
    const std::vector<double> response =
        filter_.periodic_correlation(std::span(recording_).subspan(begin, period()));
    ReceivedPeriod received{begin, band_limited_peak(response), 0};
    const auto length = static_cast<double>(period());
    if (received.peak.position > length / 2) received.peak.position -= length;
    received.peak_to_noise_db = peak_to_noise_db(received.peak.value, response);
    const bool is_clear = received.peak_to_noise_db >= kLeastPeakToNoiseDb;
    if (!is_clear || std::abs(received.peak.position) > length / 4) return std::nullopt;
    return received;
  }

  void summarize(const std::vector<ReceivedPeriod>& periods) {
    const std::vector<DelayRepeat>& repeats = estimate_.repeats;
    std::vector<double> at;
    std::vector<double> delays;
    std::vector<double> clear_db;
    for (const DelayRepeat& repeat : repeats) {
      at.push_back(repeat.at_frame);
      delays.push_back(repeat.delay_frames);
      clear_db.push_back(repeat.peak_to_noise_db);
    }
    RoundTrip trip;
    trip.frames = median_of(delays);
    const auto [least, most] = std::minmax_element(delays.begin(), delays.end());
    trip.spread_frames = *most - *least;
    trip.spread_about_drift_frames = trip.spread_frames;
    trip.peak_to_noise_db = median_of(clear_db);
    if (const auto line = fit_line(at, delays)) {
      trip.drift_ppm = 1e6 * line->slope;
      trip.drift_error_ppm = 1e6 * line->slope_error;
      trip.spread_about_drift_frames = line->spread;
    }

    // The repeat next to the median stands for all.
    const auto nearest = std::min_element(delays.begin(), delays.end(), [&](double a, double b) {
      return std::abs(a - trip.frames) < std::abs(b - trip.frames);
    });
    const ReceivedPeriod& shown = periods[static_cast<std::size_t>(nearest - delays.begin())];
    trip.polarity = shown.peak.value < 0 ? -1 : 1;
    trip.gain_db = decibels(std::abs(shown.peak.value)) - setting_.level_dbfs;
    estimate_.round_trip = trip;
    show_response(shown);
  }

  void show_response(const ReceivedPeriod& shown) {
    constexpr std::ptrdiff_t kBefore = 32;
    constexpr std::ptrdiff_t kBehind = 96;
    const std::vector<double> response =
        filter_.periodic_correlation(std::span(recording_).subspan(shown.begin, period()));
    const auto size = static_cast<std::ptrdiff_t>(response.size());
    const auto peak = static_cast<std::ptrdiff_t>(std::llround(shown.peak.position));
    for (std::ptrdiff_t lag = peak - kBefore; lag <= peak + kBehind; ++lag) {
      const auto at = static_cast<std::size_t>((lag % size + size) % size);
      estimate_.response.push_back(
          {static_cast<double>(lag) - shown.peak.position, response[at] / shown.peak.value});
    }
  }

  const LoopbackSetting& setting_;
  LoopbackTimeline timeline_;
  std::vector<double> recording_;
  std::span<const std::size_t> glitches_;
  std::size_t margin_frames_;
  MatchedFilter filter_;
  DelayEstimate estimate_;
};

}  // namespace

DelayEstimate estimate_delay(const LoopbackSetting& setting, std::span<const float> recording,
                             std::span<const std::size_t> glitches, std::size_t margin_frames) {
  return Estimator(setting, recording, glitches, margin_frames).estimate();
}

}  // namespace firbank::program
