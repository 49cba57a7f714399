// Another program's output, if it gives one soon.
//
// Thread:   any.
// Realtime: no.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace firbank::program {

/// What `arguments[0]`, found by PATH, writes to its standard output, the first 64 KiB of it. None
/// when there is no such program, it fails, or it has not ended within `limit`: it is killed then.
std::optional<std::string> output_of(const std::vector<std::string>& arguments,
                                     std::chrono::milliseconds limit);

}  // namespace firbank::program
