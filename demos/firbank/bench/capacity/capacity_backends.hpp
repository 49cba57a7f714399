// Which backends a search for the capacity is made on.
#pragma once

#include <string>
#include <vector>

namespace firbank::program {

/// The one asked for; or, where that is empty, the best of the CPU and each GPU.
/// Throws: Error (kConfiguration) when one cannot run here.
std::vector<std::string> backends_to_try(const std::string& asked);

}  // namespace firbank::program
