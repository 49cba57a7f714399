#include "tests/support/elf_file.hpp"

#include <cstddef>
#include <cstring>

#include <elf.h>

namespace firbank::test {

namespace {

/// The `index`th T in `bytes`, from `offset` on; all zero when it is not all there.
template <class T>
T read(std::span<const char> bytes, std::size_t offset, std::size_t index = 0) {
  T value{};
  offset += index * sizeof(T);
  if (offset <= bytes.size() && sizeof(T) <= bytes.size() - offset) {
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
  }
  return value;
}

std::string text_at(std::span<const char> bytes, std::size_t offset) {
  if (offset >= bytes.size()) return {};
  return std::string(bytes.data() + offset, strnlen(bytes.data() + offset, bytes.size() - offset));
}

std::span<const char> section(std::span<const char> image, const char* name) {
  for (const ElfSection& one : elf_sections(image)) {
    if (one.name == name) return one.bytes;
  }
  return {};
}

}  // namespace

std::vector<ElfSection> elf_sections(std::span<const char> image) {
  const auto header = read<Elf64_Ehdr>(image, 0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64) {
    return {};
  }
  const auto names = read<Elf64_Shdr>(image, header.e_shoff, header.e_shstrndx);
  std::vector<ElfSection> sections;
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const auto one = read<Elf64_Shdr>(image, header.e_shoff, i);
    const bool stored = one.sh_type != SHT_NOBITS && one.sh_offset <= image.size() &&
                        one.sh_size <= image.size() - one.sh_offset;
    sections.push_back(
        {text_at(image, names.sh_offset + one.sh_name),
         stored ? image.subspan(one.sh_offset, one.sh_size) : std::span<const char>()});
  }
  return sections;
}

std::vector<std::string> exported_symbols(std::span<const char> image) {
  const std::span<const char> symbols = section(image, ".dynsym");
  const std::span<const char> names = section(image, ".dynstr");
  std::vector<std::string> exported;
  for (std::size_t i = 0; i < symbols.size() / sizeof(Elf64_Sym); ++i) {
    const auto symbol = read<Elf64_Sym>(symbols, 0, i);
    if (symbol.st_shndx != SHN_UNDEF && ELF64_ST_BIND(symbol.st_info) != STB_LOCAL) {
      exported.push_back(text_at(names, symbol.st_name));
    }
  }
  return exported;
}

std::vector<std::string> needed_libraries(std::span<const char> image) {
  const std::span<const char> entries = section(image, ".dynamic");
  const std::span<const char> names = section(image, ".dynstr");
  std::vector<std::string> needed;
  for (std::size_t i = 0; i < entries.size() / sizeof(Elf64_Dyn); ++i) {
    const auto entry = read<Elf64_Dyn>(entries, 0, i);
    if (entry.d_tag == DT_NEEDED) needed.push_back(text_at(names, entry.d_un.d_val));
  }
  return needed;
}

}  // namespace firbank::test
