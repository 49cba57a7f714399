// Raw samples without a header, on a file, standard input or standard output.
#pragma once

#include <memory>
#include <string>

#include "io/endpoint.hpp"
#include "io/sample_encoding.hpp"

namespace firbank {

/// "-" is standard input. Throws: Error (kInput). A stream may end inside a frame, as when its
/// writer died: incomplete_frame_bytes() tells.
std::unique_ptr<Source> open_raw(const std::string& path, const RawFormat& format);

/// "-" is standard output; always little-endian. Throws: Error (kOutput).
std::unique_ptr<Sink> create_raw(const std::string& path, std::size_t channels,
                                 SampleEncoding encoding, bool dither);

}  // namespace firbank
