// Opening files and standard streams by name: which reader or writer serves a path.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/endpoint.hpp"
#include "io/sample_encoding.hpp"

namespace firbank {

struct OpenOptions {
  /// Raw samples: layout of the stream. Needed for "-" (standard input) and for files that
  /// are to be read as raw; a path with a known header ignores it only when it is empty.
  std::optional<RawFormat> raw_format;

  /// Rate of a .npy file, which has none of its own.
  double npy_sample_rate_hz = 48'000.0;
};

/// Opens `path` for reading: "-" is standard input (raw), ".npy" by its magic, everything else
/// through the audio library. From a pipe come raw samples, WAV, AIFF, AU, and .npy by its name.
/// Throws: Error (kInput) naming the file, the value and what is allowed; Error (kConfiguration)
/// when "-" comes without raw_format.
std::unique_ptr<Source> open_source(const std::string& path, const OpenOptions& options = {});

struct CreateOptions {
  /// Empty: float32 where the container can hold it, else the widest integer format it has.
  std::optional<SampleEncoding> encoding;

  /// Add triangular dither of one least significant bit before rounding to an integer format.
  bool dither = false;
};

/// What create_sink stores at `path` when no encoding is asked for.
SampleEncoding default_encoding(const std::string& path);

/// Creates `path` for `format.channels` channels at `format.sample_rate_hz`: "-" is standard output
/// (raw little-endian), ".npy", ".raw", and by extension what the audio library writes (.wav, .w64,
/// .rf64, .flac, .aiff, ...), whether in small or in capital letters. A WAV that outgrows 4 GiB
/// becomes RF64 by itself; with `format.frames` set, to the frames that will come at most, a
/// shorter one has the plainest header there is. A file is written under a temporary name beside
/// `path` and takes its name in Sink::finish(); a sink destroyed before that removes it. Throws:
/// Error (kOutput); Error (kConfiguration) when the container cannot hold the encoding, the
/// channels or the rate.
std::unique_ptr<Sink> create_sink(const std::string& path, const StreamFormat& format,
                                  const CreateOptions& options = {});

/// Reads what is left of a stream, planar, in double precision: result[channel][frame].
std::vector<std::vector<double>> read_all(Source& source);

}  // namespace firbank
