// Reads what a test wants to know of an ELF file, on disk or inside another one: a module, or the
// code of kernels.
//
// Thread: any.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace firbank::test {

struct ElfSection {
  std::string name;
  std::span<const char> bytes;
};

/// The sections of the 64-bit ELF image in `image`; none when it is no such image.
std::vector<ElfSection> elf_sections(std::span<const char> image);

/// Names that the module in `image` offers to others.
std::vector<std::string> exported_symbols(std::span<const char> image);

/// Names of the libraries that the module in `image` is linked to.
std::vector<std::string> needed_libraries(std::span<const char> image);

}  // namespace firbank::test
