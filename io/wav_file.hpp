// WAV and RF64 files, written by firbank itself: the audio library's can become RF64 only with a
// header that many programs do not read.
#pragma once

#include <memory>
#include <string>

#include "io/endpoint.hpp"
#include "io/sample_encoding.hpp"

namespace firbank {

/// Plain WAV that everything reads, and RF64 from 4 GiB on, or in any case when `always_long`. When
/// `format.frames` is known the header has no room for RF64 that is not needed; more frames may
/// still come, as long as the file stays below 4 GiB.
/// `format` has 1 to 1,024 channels and a rate of 1 to 2^31 - 1 Hz. Throws: Error (kOutput).
std::unique_ptr<Sink> create_wav(const std::string& path, const StreamFormat& format,
                                 SampleEncoding encoding, bool dither, bool always_long);

}  // namespace firbank
