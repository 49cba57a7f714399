// The program's version, which the build gives.
#pragma once

namespace firbank::program {

inline constexpr const char* kVersion = FIRBANK_VERSION;

}  // namespace firbank::program
