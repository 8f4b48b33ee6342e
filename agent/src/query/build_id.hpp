// What a program file is known by: the build id that the linker made of its content, read from the
// head of the file (a checksum of all its bytes costs a read of all its bytes).
#pragma once

#include <string>
#include <string_view>

namespace nines::agent::query {

// The first part of a program that build_id() needs; linkers place the notes right behind the
// heads.
inline constexpr size_t kProgramHead = size_t{16} * 1024;

// In hexadecimal digits; empty: `head` is no ELF file of this byte order, or has none.
std::string build_id(std::string_view head);

}  // namespace nines::agent::query
