// How rotated generations of a log file are called: app.log -> app.log.1, app.log-20260101,
// app.log.2026-01-01T10:00:00, app.1.log, app-20260101.log, app.log.old, 0.log.20260219-233547,
// app-1.log.gz.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nines::collector {

// .gz .zst: can be read.
bool is_packed_name(std::string_view name) noexcept;
// .xz .bz2 .lz4: cannot.
bool is_unreadable_name(std::string_view name) noexcept;

// Names only nominate; what a file is, its content and inode decide.
enum class Nomination : uint8_t {
  none,    // only the same content can show that it is a generation (app.log.bak)
  weak,    // app-2.log: a generation of app.log (logback), or the log of another app
  strong,  // what a rotation of it is usually called
};
// Of `name` as a generation of `base`, compressed or not.
Nomination nomination(std::string_view base, std::string_view name) noexcept;
inline bool is_rotated_name(std::string_view base, std::string_view name) noexcept {
  return nomination(base, name) == Nomination::strong;
}

// Beginning shared by all names under which a copy or an old generation of `base` may be found.
std::string_view rotation_stem(std::string_view base) noexcept;

// Names of which `name` could be a generation or a copy, longest first.
std::vector<std::string> possible_bases(std::string_view name);

}  // namespace nines::collector
