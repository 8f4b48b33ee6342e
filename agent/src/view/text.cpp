#include "view/text.hpp"

#include <cmath>
#include <cstdio>

#include "nines/base/json_writer.hpp"

namespace nines::agent::view {
namespace {

bool starts_code_point(char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }

void drop_trailing_zeros(std::string& text) {
  if (text.find('.') == std::string::npos) return;
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  if (text == "-0") text = "0";
}

std::string fixed(double value, int decimals) {
  char buffer[400];
  const int n = std::snprintf(buffer, sizeof buffer, "%.*f", decimals, value);
  std::string text(buffer, static_cast<size_t>(n));
  drop_trailing_zeros(text);
  return text;
}

}  // namespace

size_t display_width(std::string_view utf8) {
  size_t width = 0;
  for (const char c : utf8) width += starts_code_point(c);
  return width;
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (size_t i = 0; i < out.size(); ++i) {
    const auto u = static_cast<uint8_t>(out[i]);
    // C1 controls (U+0080..9F) are C2 80..9F in UTF-8 and drive terminals too.
    const bool c1 = u == 0xC2 && i + 1 < out.size() && static_cast<uint8_t>(out[i + 1]) < 0xA0;
    if (c1) out.erase(i + 1, 1);
    if (c1 || u < 0x20 || u == 0x7F) out[i] = '?';
  }
  return out;
}

std::string fit(std::string_view text, size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  size_t columns = 0, i = 0;
  for (; i < text.size(); ++i) {
    if (!starts_code_point(text[i])) continue;
    if (++columns == width) break;
  }
  return std::string(text.substr(0, i)) + "~";
}

std::string pad_right(std::string_view text, size_t width) {
  std::string out(text);
  const size_t have = display_width(text);
  if (have < width) out.append(width - have, ' ');
  return out;
}

std::string pad_left(std::string_view text, size_t width) {
  const size_t have = display_width(text);
  std::string out(have < width ? width - have : 0, ' ');
  return out.append(text);
}

std::string short_number(const std::optional<double>& value) {
  if (!value || !std::isfinite(*value)) return "-";
  const double magnitude = std::fabs(*value);
  if (magnitude == 0) return "0";
  if (magnitude < 1e-4) {
    char buffer[32];
    const int n = std::snprintf(buffer, sizeof buffer, "%.1e", *value);
    return std::string(buffer, static_cast<size_t>(n));
  }
  const int exponent = static_cast<int>(std::floor(std::log10(magnitude)));
  const int decimals = 3 - exponent;
  return fixed(*value, decimals < 0 ? 0 : decimals > 9 ? 9 : decimals);
}

std::string percent(const std::optional<double>& ratio) {
  if (!ratio || !std::isfinite(*ratio)) return "-";
  // One bad event among many millions must not read as 100 %.
  for (int decimals = 4; decimals < 12; ++decimals) {
    std::string text = fixed(*ratio * 100, decimals);
    if (text != "100" || *ratio == 1) return text + " %";
  }
  return "<100 %";
}

std::string exact_percent(Decimal ratio) {
  if (ratio.mantissa != 0) ratio.exponent += 2;
  return ratio.to_string() + "%";
}

std::string human_bytes(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  return fixed(value, unit == 0 ? 0 : 1) + " " + kUnits[unit];
}

std::string window_name(int64_t window_s) {
  return window_s == 86400 ? "24h" : format_duration_s(window_s);
}

std::string priority_name(int priority) { return "P" + std::to_string(priority); }

std::string double_text(double value) {
  std::string out;
  append_json_double(out, value);
  return out;
}

}  // namespace nines::agent::view
