// The text that jconvolver, fconvolver and mcfx_convolver are configured by.
//
// Numbers count from 1, gains are linear, delays and lengths are in frames, and repeated responses
// of a pair add:
//   /convolver/new INPUTS OUTPUTS PARTITION LENGTH [DENSITY]
//   /cd FOLDER
//   /impulse/read INPUT OUTPUT GAIN DELAY OFFSET LENGTH CHANNEL FILE
//   /impulse/dirac INPUT OUTPUT GAIN DELAY
//   /impulse/hilbert INPUT OUTPUT GAIN DELAY LENGTH
//   /impulse/copy INPUT OUTPUT FROM-INPUT FROM-OUTPUT
//   /impulse/packedmatrix INPUTS GAIN DELAY OFFSET LENGTH FILE
//   /input/name NUMBER NAME [PORT], /output/name NUMBER NAME [PORT]
// Partition size and density belong to another engine and are only checked; /jack/ commands are
// skipped. Without /convolver/new, as mcfx has it, there are as many channels as are named.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "engine/config/run_config.hpp"

namespace firbank {

/// How many channels a file has; a packed matrix has one for each output.
using ChannelsOfFile = std::function<std::size_t(const std::string& path)>;

/// `path` names the text in messages, and its folder is where files are looked for first. Any
/// thread; reads nothing but through `channels_of`. Throws: Error (kConfiguration) naming the line.
RunConfig parse_jconvolver_config(std::string_view text, const std::string& path,
                                  const ChannelsOfFile& channels_of);

}  // namespace firbank
