// Texts of layout fields to values.
#pragma once

#include <string_view>

#include "log/layout_program.hpp"
#include "nines/log/value.hpp"

namespace nines::log {

// All conversions but time, request and address.
Value layout_value(Conv conv, std::string_view text) noexcept;
// Null when the text is no level of that kind.
Value level_value(Conv conv, std::string_view text) noexcept;

// "10.0.0.1:80", "[::1]:80", "::1:80": the part before the last colon, and the port behind it.
Value address_value(std::string_view text) noexcept;
Value port_value(std::string_view text) noexcept;

// PostgreSQL: "duration: 12.345 ms  statement: ...".
Value pg_duration(std::string_view message) noexcept;
bool is_pg_severity(std::string_view text) noexcept;
// DETAIL, HINT, STATEMENT...: they tell more of the record before.
bool is_pg_detail(std::string_view text) noexcept;

}  // namespace nines::log
