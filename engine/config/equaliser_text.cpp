#include "engine/config/equaliser_text.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include <fmt/format.h>

#include "engine/config/config_text.hpp"
#include "io/one_line.hpp"

namespace firbank {
namespace {

std::optional<BandShape> shape_of(std::string_view type) {
  const auto is = [&](std::string_view name) { return same_word(type, name); };
  if (is("PK") || is("PEQ") || is("Modal")) return BandShape::kPeak;
  if (is("LS") || is("LSC")) return BandShape::kLowShelf;
  if (is("HS") || is("HSC")) return BandShape::kHighShelf;
  if (is("LP") || is("LPQ")) return BandShape::kLowPass;
  if (is("HP") || is("HPQ")) return BandShape::kHighPass;
  return std::nullopt;
}

/// Q of a shelf with the cookbook's slope S.
double shelf_q(double gain_db, double slope) {
  const double a = std::pow(10.0, gain_db / 40);
  return 1 / std::sqrt((a + 1 / a) * (1 / slope - 1) + 2);
}

/// Q of a peak that is `octaves` wide between the points of half its gain.
double bandwidth_q(double octaves) {
  return 1 / (2 * std::sinh(std::numbers::ln2 / 2 * octaves));
}

class BandParser {
 public:
  BandParser(std::string_view text, const std::string& place) : left_(text), place_(place) {}

  BandText parse() {
    std::string_view type = take_word(left_);
    if (same_word(type, "OFF")) return BandOff{};
    if (same_word(type, "ON")) type = take_word(left_);
    if (same_word(type, "None")) return BandOff{};
    if (type.empty())
      refuse_config(place_, "the filter has no type; PK, LS, HS, LP, HP are allowed");
    const std::optional<BandShape> shape = shape_of(type);
    if (!shape) {
      return BandUnsupported{
          fmt::format("filter type '{}' is not supported; PK, LS, HS, LP, HP are", one_line(type))};
    }
    band_.shape = *shape;
    if (is_shelf() && !take_slope(type)) {
      return BandUnsupported{"shelves given by their corner are not supported; LSC and HSC are"};
    }
    while (!(left_ = trimmed(left_)).empty()) {
      const std::string_view word = take_word(left_);
      if (same_word(word, "Fc")) {
        frequency_ = take("Fc", kMostBandHz, 1e-3);
        skip("Hz");
      } else if (same_word(word, "Gain")) {
        gain_ = take("Gain", kMostBandGainDb, -kMostBandGainDb);
        skip("dB");
      } else if (same_word(word, "Q")) {
        q_ = take("Q", kMostBandQ, kLeastBandQ);
      } else if (same_word(word, "BW")) {
        skip("Oct");
        const double octaves = take("BW Oct", 10, 0.001);
        if (!is_shelf()) q_ = bandwidth_q(octaves);
        if (is_shelf()) return BandUnsupported{"a shelf with BW is not supported; one with Q is"};
      } else if (same_word(word, "T60")) {
        break;  // of Modal: what Q already says
      } else {
        refuse_config(place_, fmt::format("'{}' is not allowed here; Fc, Gain, Q and BW Oct are",
                                          one_line(word)));
      }
    }
    return finished();
  }

 private:
  bool is_shelf() const {
    return band_.shape == BandShape::kLowShelf || band_.shape == BandShape::kHighShelf;
  }

  /// The slope after a shelf's type; false when it belongs to a corner frequency.
  bool take_slope(std::string_view type) {
    std::string_view ahead = left_;
    std::string_view number = take_word(ahead);
    if (number.size() > 2 && same_word(number.substr(number.size() - 2), "dB")) {
      number.remove_suffix(2);
    } else if (!same_word(take_word(ahead), "dB")) {
      return true;
    }
    const std::optional<double> slope = parse_number(number);
    if (!slope) return true;
    if (type.size() == 2) return false;
    if (*slope < 1 || *slope > 12) {
      refuse_config(place_,
                    fmt::format("the slope is {} dB an octave; 1 to 12 are allowed", *slope));
    }
    slope_ = *slope / 12;
    left_ = ahead;
    return true;
  }

  double take(const char* name, double most, double least) {
    const std::string_view word = take_word(left_);
    const std::optional<double> value = parse_number(word);
    if (!value || *value < least || *value > most) {
      refuse_config(place_, fmt::format("{} is '{}'; a number from {} to {} is allowed", name,
                                        one_line(word), least, most));
    }
    return *value;
  }

  void skip(std::string_view unit) {
    std::string_view ahead = left_;
    if (same_word(take_word(ahead), unit)) left_ = ahead;
  }

  BandText finished() {
    const bool has_gain = is_shelf() || band_.shape == BandShape::kPeak;
    if (!frequency_) refuse_config(place_, "the filter has no Fc, its frequency in Hz");
    if (has_gain && !gain_) refuse_config(place_, "the filter has no Gain, in dB");
    if (band_.shape == BandShape::kPeak && !q_) refuse_config(place_, "the filter has no Q");
    band_.frequency_hz = *frequency_;
    if (has_gain) band_.gain_db = *gain_;
    if (q_) {
      band_.q = *q_;
    } else if (is_shelf()) {
      band_.q = shelf_q(band_.gain_db, slope_);
    }
    return band_;
  }

  std::string_view left_;
  const std::string& place_;
  EqualiserBand band_;
  std::optional<double> frequency_;
  std::optional<double> gain_;
  std::optional<double> q_;
  double slope_ = 0.9;
};

}  // namespace

BandText parse_band(std::string_view text, const std::string& place) {
  return BandParser(text, place).parse();
}

GraphicCurve parse_graphic_curve(std::string_view text, const std::string& place) {
  GraphicCurve curve;
  while (!(text = trimmed(text)).empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    std::string_view point = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (point.empty()) continue;
    const std::string_view whole = point;
    const std::optional<double> hz = parse_number(take_word(point));
    const std::optional<double> db = parse_number(take_word(point));
    if (!hz || !db || !trimmed(point).empty() || *hz < 1e-3 || *hz > kMostBandHz ||
        std::abs(*db) > kMostBandGainDb) {
      refuse_config(place,
                    fmt::format("point '{}' is not allowed; a frequency from 0.001 to {} Hz and a "
                                "gain from {} to {} dB are, such as 100 -3",
                                one_line(whole), kMostBandHz, -kMostBandGainDb, kMostBandGainDb));
    }
    if (!curve.empty() && *hz <= curve.back().frequency_hz) {
      refuse_config(place, fmt::format("frequency {} Hz follows {} Hz; rising ones are allowed",
                                       *hz, curve.back().frequency_hz));
    }
    curve.push_back({*hz, *db});
  }
  if (curve.empty()) refuse_config(place, "the curve has 0 points; at least 1 is needed");
  return curve;
}

}  // namespace firbank
