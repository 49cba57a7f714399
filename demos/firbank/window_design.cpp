#include "demos/firbank/window_design.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>
#include <utility>

#include <fmt/format.h>

#include "demos/firbank/checks.hpp"

namespace firbank::program {
namespace {

constexpr double kPi = std::numbers::pi;

struct Band {
  double first_hz;
  double last_hz;
};

/// Modified Bessel function of the first kind and order 0, by its power series.
double bessel_i0(double x) {
  double term = 1;
  double sum = 1;
  for (int k = 1; term > 1e-17 * sum; ++k) {
    term *= (x / (2 * k)) * (x / (2 * k));
    sum += term;
  }
  return sum;
}

double kaiser_beta(double attenuation_db) {
  if (attenuation_db > 50) return 0.1102 * (attenuation_db - 8.7);
  if (attenuation_db < 21) return 0;
  return 0.5842 * std::pow(attenuation_db - 21, 0.4) + 0.07886 * (attenuation_db - 21);
}

/// Width of one transition for the window's formula: that of hilbert runs through 0 Hz.
double width_factor(FilterKind kind) {
  return kind == FilterKind::kHilbert ? 2.0 : 1.0;
}

std::size_t estimated_taps(double attenuation_db, double transition_hz, double sample_rate_hz) {
  const double width = 2 * kPi * transition_hz / sample_rate_hz;
  const double order = std::max(attenuation_db - 7.95, 1.0) / (2.285 * width);
  if (order > static_cast<double>(kMaxDesignTaps)) return kMaxDesignTaps + 2;
  return 2 * static_cast<std::size_t>(std::ceil(order / 2)) + 1;
}

/// Tap of an ideal lowpass, `n` frames from its middle.
double sinc_tap(double n, double cutoff_hz, double sample_rate_hz) {
  const double f = 2 * cutoff_hz / sample_rate_hz;
  return n == 0 ? f : std::sin(kPi * f * n) / (kPi * n);
}

double ideal_tap(const DesignRequest& request, double n) {
  const double rate = request.sample_rate_hz;
  const double all = n == 0 ? 1.0 : 0.0;
  switch (request.kind) {
    case FilterKind::kLowpass:
      return sinc_tap(n, request.high_hz, rate);
    case FilterKind::kHighpass:
      return all - sinc_tap(n, request.low_hz, rate);
    case FilterKind::kBandpass:
      return sinc_tap(n, request.high_hz, rate) - sinc_tap(n, request.low_hz, rate);
    case FilterKind::kBandstop:
      return all - sinc_tap(n, request.high_hz, rate) + sinc_tap(n, request.low_hz, rate);
    case FilterKind::kHilbert:
      break;
  }
  return std::fmod(std::abs(n), 2.0) == 1.0 ? 2 / (kPi * n) : 0.0;
}

/// Where the gain is to be 1.
double reference_hz(const DesignRequest& request) {
  switch (request.kind) {
    case FilterKind::kHighpass:
      return request.sample_rate_hz / 2;
    case FilterKind::kBandpass:
      return (request.low_hz + request.high_hz) / 2;
    case FilterKind::kHilbert:
      return request.sample_rate_hz / 4;
    case FilterKind::kLowpass:
    case FilterKind::kBandstop:
      break;
  }
  return 0;
}

std::vector<double> windowed_taps(const DesignRequest& request, std::size_t count, double beta) {
  std::vector<double> taps(count);
  const double middle = static_cast<double>(count - 1) / 2;
  const double peak = bessel_i0(beta);
  for (std::size_t k = 0; k < count; ++k) {
    const double n = static_cast<double>(k) - middle;
    const double x = middle > 0 ? n / middle : 0.0;
    const double window = bessel_i0(beta * std::sqrt(std::max(0.0, 1 - x * x))) / peak;
    taps[k] = window * ideal_tap(request, n);
  }
  const double gain = gain_at(taps, reference_hz(request), request.sample_rate_hz);
  if (gain > 0) {
    for (double& tap : taps) tap /= gain;
  }
  return taps;
}

std::vector<Band> passbands(const DesignRequest& request, double transition_hz) {
  const double half = transition_hz / 2;
  const double top = request.sample_rate_hz / 2;
  switch (request.kind) {
    case FilterKind::kLowpass:
      return {{0, request.high_hz - half}};
    case FilterKind::kHighpass:
      return {{request.low_hz + half, top}};
    case FilterKind::kBandpass:
      return {{request.low_hz + half, request.high_hz - half}};
    case FilterKind::kBandstop:
      return {{0, request.low_hz - half}, {request.high_hz + half, top}};
    case FilterKind::kHilbert:
      break;
  }
  return {{transition_hz, top - transition_hz}};
}

std::vector<Band> stopbands(const DesignRequest& request, double transition_hz) {
  const double half = transition_hz / 2;
  const double top = request.sample_rate_hz / 2;
  switch (request.kind) {
    case FilterKind::kLowpass:
      return {{request.high_hz + half, top}};
    case FilterKind::kHighpass:
      return {{0, request.low_hz - half}};
    case FilterKind::kBandpass:
      return {{0, request.low_hz - half}, {request.high_hz + half, top}};
    case FilterKind::kBandstop:
      return {{request.low_hz + half, request.high_hz - half}};
    case FilterKind::kHilbert:
      break;
  }
  return {};
}

constexpr int kEdgeSteps = 96;
constexpr int kMiddleSteps = 512;
constexpr int kGridPoints = 2 * (kEdgeSteps + 1) + kMiddleSteps - 1;

/// Frequencies to look at first: eight to a ripple next to the ends of the band, where ripples are
/// greatest, and some between.
std::vector<double> grid(Band band, double ripple_hz) {
  constexpr double kRipples = 12;
  const double width_hz = band.last_hz - band.first_hz;
  const double edge_hz = std::min(kRipples * ripple_hz, width_hz / 2);
  std::vector<double> frequencies;
  for (int i = 0; i <= kEdgeSteps; ++i) {
    frequencies.push_back(band.first_hz + edge_hz * i / kEdgeSteps);
    frequencies.push_back(band.last_hz - edge_hz * i / kEdgeSteps);
  }
  for (int i = 1; i < kMiddleSteps; ++i) {
    frequencies.push_back(band.first_hz + width_hz * i / kMiddleSteps);
  }
  std::sort(frequencies.begin(), frequencies.end());
  return frequencies;
}

/// The greatest `badness(gain)` over a band: that of a grid, then of every peak near the greatest,
/// narrowed down by golden sections. `step` is called after each frequency.
template <class Badness>
double worst(const std::vector<double>& taps, Band band, double sample_rate_hz, Badness badness,
             const std::function<void()>& step) {
  constexpr double kNear = 0.9;
  constexpr int kSections = 20;
  constexpr double kGolden = std::numbers::phi - 1;
  const auto at = [&](double hz) {
    const double value = badness(gain_at(taps, hz, sample_rate_hz));
    step();
    return value;
  };
  const std::vector<double> hz = grid(band, sample_rate_hz / static_cast<double>(taps.size()));
  std::vector<double> values(hz.size());
  std::transform(hz.begin(), hz.end(), values.begin(), at);
  const double greatest = *std::max_element(values.begin(), values.end());
  double result = greatest;
  for (std::size_t i = 1; i + 1 < hz.size(); ++i) {
    const bool peak = values[i] >= values[i - 1] && values[i] >= values[i + 1];
    if (!peak || values[i] < kNear * greatest) continue;
    double from = hz[i - 1];
    double to = hz[i + 1];
    for (int section = 0; section < kSections; ++section) {
      const double left = at(to - kGolden * (to - from));
      const double right = at(from + kGolden * (to - from));
      result = std::max({result, left, right});
      if (left > right) {
        to = from + kGolden * (to - from);
      } else {
        from = to - kGolden * (to - from);
      }
    }
  }
  return result;
}

FilterDesign measured(const DesignRequest& request, std::vector<double> taps, double transition_hz,
                      const DesignProgress& progress) {
  const auto deviation_db = [](double gain) {
    return std::abs(20 * std::log10(std::max(gain, 1e-20)));
  };
  // x + j H x: negative frequencies are left with the gain (1 - |H|) / (1 + |H|).
  const auto image = [](double gain) { return std::abs(1 - gain) / (1 + gain); };
  const bool hilbert = request.kind == FilterKind::kHilbert;
  const std::vector<Band> passed = passbands(request, transition_hz);
  const std::vector<Band> stopped = stopbands(request, transition_hz);
  // The grids are nearly all of the work; what peaks add to them is not known beforehand.
  const auto passes = static_cast<std::int64_t>(passed.size() * (hilbert ? 2 : 1) + stopped.size());
  const std::int64_t total = kGridPoints * passes;
  std::int64_t done = 0;
  const auto worst_of = [&](const Band& band, const auto& badness) {
    return worst(taps, band, request.sample_rate_hz, badness, [&] {
      done = std::min(done + 1, total);
      progress(taps.size(), done, total);
    });
  };
  FilterDesign design;
  design.transition_hz = transition_hz;
  double leak = 0;
  for (const Band& band : passed) {
    design.passband_ripple_db = std::max(design.passband_ripple_db, worst_of(band, deviation_db));
    if (hilbert) leak = std::max(leak, worst_of(band, image));
  }
  for (const Band& band : stopped) {
    leak = std::max(leak, worst_of(band, [](double gain) { return gain; }));
  }
  design.attenuation_db = -20 * std::log10(std::max(leak, 1e-20));
  design.taps = std::move(taps);
  return design;
}

void check_edge(const char* option, double hz, double sample_rate_hz) {
  if (hz > 0 && hz < sample_rate_hz / 2) return;
  refuse(fmt::format("{} is {} Hz; more than 0 and less than half the rate, {} Hz, is allowed",
                     option, hz, sample_rate_hz / 2));
}

void check(const DesignRequest& request) {
  const double rate = request.sample_rate_hz;
  const bool two_edges =
      request.kind == FilterKind::kBandpass || request.kind == FilterKind::kBandstop;
  if (request.kind == FilterKind::kLowpass) check_edge("--cutoff", request.high_hz, rate);
  if (request.kind == FilterKind::kHighpass) check_edge("--cutoff", request.low_hz, rate);
  if (two_edges) {
    check_edge("--low", request.low_hz, rate);
    check_edge("--high", request.high_hz, rate);
    if (request.low_hz >= request.high_hz) {
      refuse(fmt::format("--low is {} Hz; less than --high, {} Hz, is allowed", request.low_hz,
                         request.high_hz));
    }
  }
  if (request.taps &&
      (*request.taps % 2 == 0 || *request.taps < 3 || *request.taps > kMaxDesignTaps)) {
    refuse(fmt::format("--taps is {}; an odd number from 3 to {} is allowed", *request.taps,
                       kMaxDesignTaps));
  }
  if (!request.taps && !request.transition_hz) {
    refuse("--transition HZ or --taps N is needed: how steep, or how long, the filter may be");
  }
}

/// A transition must leave something of each band that it borders on.
void check_transition(const DesignRequest& request, double transition_hz) {
  std::vector<Band> bands = passbands(request, transition_hz);
  for (const Band& band : stopbands(request, transition_hz)) bands.push_back(band);
  const bool fits = std::all_of(bands.begin(), bands.end(),
                                [](const Band& band) { return band.first_hz < band.last_hz; });
  if (fits) return;
  if (request.transition_hz) {
    refuse(
        fmt::format("--transition is {} Hz; the bands beside it end within it: a smaller one is "
                    "needed",
                    transition_hz));
  }
  refuse(
      fmt::format("--taps is {}: their transition, {:.1f} Hz, is wider than the bands beside it; "
                  "more taps, or less --attenuation, are needed",
                  *request.taps, transition_hz));
}

}  // namespace

FilterKind filter_kind(std::string_view word) {
  if (word == "highpass") return FilterKind::kHighpass;
  if (word == "bandpass") return FilterKind::kBandpass;
  if (word == "bandstop") return FilterKind::kBandstop;
  if (word == "hilbert") return FilterKind::kHilbert;
  return FilterKind::kLowpass;
}

double gain_at(const std::vector<double>& taps, double frequency_hz, double sample_rate_hz) {
  // A rotating phasor, set anew every 256 taps so that its rounding errors do not add up.
  constexpr std::size_t kRun = 256;
  const double angle = -2 * kPi * frequency_hz / sample_rate_hz;
  const std::complex<double> step = std::polar(1.0, angle);
  std::complex<double> sum = 0;
  for (std::size_t first = 0; first < taps.size(); first += kRun) {
    std::complex<double> phasor =
        std::polar(1.0, std::remainder(angle * static_cast<double>(first), 2 * kPi));
    const std::size_t last = std::min(taps.size(), first + kRun);
    for (std::size_t k = first; k < last; ++k) {
      sum += taps[k] * phasor;
      phasor = {phasor.real() * step.real() - phasor.imag() * step.imag(),
                phasor.real() * step.imag() + phasor.imag() * step.real()};
    }
  }
  return std::abs(sum);
}

FilterDesign design_filter(const DesignRequest& request, const DesignProgress& progress) {
  check(request);
  const double factor = width_factor(request.kind);
  const double asked_db = request.attenuation_db;
  double transition_hz = 0;
  std::size_t count = 0;
  if (request.taps) {
    count = *request.taps;
    const double width = std::max(asked_db - 7.95, 1.0) / (2.285 * static_cast<double>(count - 1));
    transition_hz = width * request.sample_rate_hz / (2 * kPi * factor);
  }
  if (request.transition_hz) transition_hz = *request.transition_hz;
  check_transition(request, transition_hz);
  if (request.taps) {
    return measured(request, windowed_taps(request, count, kaiser_beta(asked_db)), transition_hz,
                    progress);
  }

  constexpr int kTries = 20;
  constexpr double kWorthwhileDb = 0.01;
  FilterDesign design;
  double target_db = asked_db;
  for (int i = 0; i < kTries; ++i) {
    count = estimated_taps(target_db, factor * transition_hz, request.sample_rate_hz);
    if (count > kMaxDesignTaps) {
      refuse(
          fmt::format("--transition is {} Hz: more than {} taps would be needed; a wider one is "
                      "allowed",
                      transition_hz, kMaxDesignTaps));
    }
    FilterDesign longer = measured(request, windowed_taps(request, count, kaiser_beta(target_db)),
                                   transition_hz, progress);
    // Where rounding is what leaks, more taps do not help.
    if (i > 0 && longer.attenuation_db < design.attenuation_db + kWorthwhileDb) break;
    design = std::move(longer);
    if (design.attenuation_db >= asked_db) break;
    target_db += asked_db - design.attenuation_db + 0.05;
  }
  return design;
}

FilterDesign rounded_to_float(const DesignRequest& request, const FilterDesign& design,
                              const DesignProgress& progress) {
  std::vector<double> taps = design.taps;
  for (double& tap : taps) tap = static_cast<double>(static_cast<float>(tap));
  return measured(request, std::move(taps), design.transition_hz, progress);
}

}  // namespace firbank::program
