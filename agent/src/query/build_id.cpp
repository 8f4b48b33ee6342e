#include "query/build_id.hpp"

#include <elf.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>

namespace nines::agent::query {
namespace {

constexpr size_t kLeastId = 8, kMostId = 32;  // sha1 has 20 bytes, md5 and uuid 16, xxhash 8

template <class T>
std::optional<T> record(std::string_view bytes, uint64_t at) {
  if (at > bytes.size() || bytes.size() - at < sizeof(T)) return std::nullopt;
  T out;
  std::memcpy(&out, bytes.data() + at, sizeof(T));
  return out;
}

std::string in_hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

uint64_t padded(uint64_t size) { return (size + 3) & ~uint64_t{3}; }

// Elf32_Nhdr and Elf64_Nhdr are the same.
std::string id_of(std::string_view notes) {
  for (uint64_t at = 0; const auto note = record<Elf32_Nhdr>(notes, at);) {
    const uint64_t name = at + sizeof *note, id = name + padded(note->n_namesz);
    const uint64_t end = id + note->n_descsz;
    if (end > notes.size()) break;
    const bool sized = note->n_descsz >= kLeastId && note->n_descsz <= kMostId;
    const bool by_gnu = notes.substr(name, note->n_namesz) == std::string_view("GNU\0", 4);
    if (note->n_type == NT_GNU_BUILD_ID && by_gnu && sized) {
      return in_hex(notes.substr(id, note->n_descsz));
    }
    at = id + padded(note->n_descsz);
  }
  return "";
}

template <class File, class Segment>
std::string find_id(std::string_view head) {
  const auto file = record<File>(head, 0);
  if (!file) return "";
  for (uint64_t i = 0; i < file->e_phnum; ++i) {
    const auto segment = record<Segment>(head, file->e_phoff + i * sizeof(Segment));
    if (!segment) break;
    const bool here =
        segment->p_offset <= head.size() && segment->p_filesz <= head.size() - segment->p_offset;
    if (segment->p_type != PT_NOTE || !here) continue;
    std::string id = id_of(head.substr(segment->p_offset, segment->p_filesz));
    if (!id.empty()) return id;
  }
  return "";
}

}  // namespace

std::string build_id(std::string_view head) {
  const char order = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
  if (head.size() < EI_NIDENT || !head.starts_with(ELFMAG) || head[EI_DATA] != order) return "";
  switch (head[EI_CLASS]) {
    case ELFCLASS64: return find_id<Elf64_Ehdr, Elf64_Phdr>(head);
    case ELFCLASS32: return find_id<Elf32_Ehdr, Elf32_Phdr>(head);
    default: return "";
  }
}

}  // namespace nines::agent::query
