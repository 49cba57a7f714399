// The text that Equalizer APO is configured by.
//
//   Preamp: -6 dB
//   Filter 1: ON PK Fc 100 Hz Gain -3 dB Q 1.4         (equaliser_text.hpp tells which)
//   GraphicEQ: 25 6; 40 4.5; 63 3
//   Convolution: room.wav        (channel 1 on the first channel selected, and so on, round robin)
//   Delay: 10 ms, or 480 samples
//   Channel: L 2 C, or all       (what the lines after it act on, to the file's end; at first all)
//   Copy: L=L+0.5*R R=-6dB*L     (from what the channels were before the line; new ones come to be)
//   Include: other.txt
// Each channel's way from the inputs becomes one edge for each input that it hears, through one
// filter: all bands and curves in a row are made into a single FIR filter. Lines with other
// commands, and what of these has no meaning here, are listed in RunConfig::unsupported and have no
// effect. Words may be in any case. '#' begins a comment line.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "engine/config/run_config.hpp"

namespace firbank {

struct EqualizerApoOptions {
  /// Of the stream, for the text does not tell: 1 to 64. Names are those of the usual layouts: L R,
  /// L R RL RR, L R C LFE RL RR (or SL SR), L R C LFE RL RR SL SR; a channel has its number as
  /// well.
  std::size_t channels = 2;

  /// How filters are made of curves: Equaliser::taps and Equaliser::phase.
  std::size_t taps = 0;
  FilterPhase phase = FilterPhase::kMinimum;

  /// Reads a file that is included. Throws: Error.
  std::function<std::string(const std::string& path)> read_text;
};

/// `path` names the text in messages; files are looked for in its folder. Any thread; reads nothing
/// but through `options.read_text`. Throws: Error (kConfiguration) naming the line.
RunConfig parse_equalizer_apo_config(std::string_view text, const std::string& path,
                                     const EqualizerApoOptions& options);

}  // namespace firbank
