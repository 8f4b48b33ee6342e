// Small text helpers of the writers: numbers and names as people and terminals can take them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nines/base/decimal.hpp"

namespace nines::agent::view {

// Columns on a terminal (code points; wide characters count as one).
size_t display_width(std::string_view utf8);
// Control and escape bytes become '?': names may come from hostile paths.
std::string printable(std::string_view text);
// Cut to `width` columns, the last one being "~" when something was lost.
std::string fit(std::string_view text, size_t width);
std::string pad_right(std::string_view text, size_t width);
std::string pad_left(std::string_view text, size_t width);

// Rounded for display: 4 significant digits, plain notation ("0.01234", "15.2", below
// 0.0001 "1.5e-20"); "-" when
// undefined.
std::string short_number(const std::optional<double>& value);
// "99.95 %", "-12.5 %"; "-" when undefined.
std::string percent(const std::optional<double>& ratio);
// A target as a percentage, exactly: 0.999 -> "99.9%".
std::string exact_percent(Decimal ratio);
// "12.3 MiB"
std::string human_bytes(uint64_t bytes);
// As format_duration_s, but a day is "24h": the name that burn rates have in the field.
std::string window_name(int64_t window_s);
// "P0", the most urgent, to "P3".
std::string priority_name(int priority);
std::string double_text(double value);  // shortest that reads back equal

}  // namespace nines::agent::view
