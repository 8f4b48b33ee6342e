// How rotated generations of a log file are called: app.log -> app.log.1, app.log-20260101,
// app.log.2026-01-01T10:00:00, app.1.log, app-20260101.log, app.log.old, 0.log.20260219-233547.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nines::collector {

bool is_compressed_name(std::string_view name) noexcept;

// `name` is what a rotation of `base` is usually called.
bool is_rotated_name(std::string_view base, std::string_view name) noexcept;

// Beginning shared by all names under which a copy or an old generation of `base` may be found.
std::string_view rotation_stem(std::string_view base) noexcept;

// Names of which `name` could be a generation or a copy, longest first.
std::vector<std::string> possible_bases(std::string_view name);

}  // namespace nines::collector
