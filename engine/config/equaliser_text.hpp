// Equaliser bands and curves as text, in the words of Equalizer APO and Room EQ Wizard.
//
// Any thread; pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "engine/config/equaliser.hpp"

namespace firbank {

/// A band that is off, and so without effect.
struct BandOff {};

/// A band that means something which has no magnitude curve here.
struct BandUnsupported {
  std::string why;
};

using BandText = std::variant<EqualiserBand, BandOff, BandUnsupported>;

/// "ON PK Fc 100 Hz Gain -3 dB Q 1.4": ON or OFF, which may be missing; a type; Fc, with Gain and
/// either Q or "BW Oct" where the type has them.
///   PK, PEQ, Modal   Fc, Gain, and Q or BW Oct
///   LS, LSC, HS, HSC Fc (the centre), Gain, and Q, or a slope as in "LSC 6 dB", or neither: 10.8
///   dB LP, LPQ, HP, HPQ Fc, and Q or neither: 0.7071
/// A slope of x dB an octave is the cookbook's S = x / 12. `place` begins error messages.
/// Throws: Error (kConfiguration) naming the number that is missing or out of range.
BandText parse_band(std::string_view text, const std::string& place);

/// "25 6; 40 4.5; 63 3": frequencies in Hz and gains in dB. Throws: Error (kConfiguration).
GraphicCurve parse_graphic_curve(std::string_view text, const std::string& place);

}  // namespace firbank
