// Audio files with a header: WAV, RF64, W64, FLAC, AIFF, CAF and AU. All are read and most are
// written through libsndfile; WAV and RF64 are written by wav_file.hpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/endpoint.hpp"
#include "io/input_file.hpp"
#include "io/sample_encoding.hpp"

namespace firbank {

/// Throws: Error (kInput) when the file is not audio, is damaged or contradicts itself, or holds
/// fewer frames than its header claims. A WAV whose header leaves its length open (as programs
/// write into pipes) is read to its end.
std::unique_ptr<Source> open_audio_file(InputFile file);

/// Whether `path` ends in the extension of a container that create_audio_file writes.
bool is_audio_path(const std::string& path);

/// What create_audio_file stores in a file of this name when no encoding is asked for.
SampleEncoding default_audio_encoding(const std::string& path);

/// The extensions that is_audio_path knows, for messages: ".wav, .w64, ...".
std::string audio_extensions();

/// Without an encoding: float32 where the container can hold it, else its widest integer.
/// A .wav is a plain WAV that everything reads, and becomes RF64 when it outgrows 4 GiB.
/// Throws: Error (kOutput); Error (kConfiguration) when the container cannot hold the encoding, the
/// channels or the rate.
std::unique_ptr<Sink> create_audio_file(const std::string& path, const StreamFormat& format,
                                        std::optional<SampleEncoding> encoding, bool dither);

}  // namespace firbank
