// BuildFacts: what this build was made of and how. The source with them is written at every build,
// by build_facts.cmake, when they have changed.
#pragma once

namespace firbank::program {

struct BuildFacts {
  const char* version;   // "0.1.0"
  const char* commit;    // "276aa6e3ec5b", "276aa6e3ec5b-changed" where files differ, or "unknown"
  const char* compiler;  // "GNU 12.2.0"
  const char* flags;     // those of the library's sources
  const char* build_type;  // "Release"
  const char* target;      // "Linux x86_64"
};

extern const BuildFacts kBuildFacts;

}  // namespace firbank::program
