// Opening a file that is an InputFile already, for those who looked into it first.
#pragma once

#include <memory>

#include "io/endpoint.hpp"
#include "io/input_file.hpp"

namespace firbank {

/// What the file is, is found in it, or in its name when it is a pipe that was not loaded; never
/// raw samples. Nothing may have been read from it with read(). Throws: Error (kInput).
std::unique_ptr<Source> open_source(InputFile file, double npy_sample_rate_hz);

}  // namespace firbank
