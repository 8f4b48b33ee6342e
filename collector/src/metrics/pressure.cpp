#include <array>
#include <charconv>

#include "file/fs.hpp"
#include "nines/collector/governor.hpp"

namespace nines::collector {

std::optional<int32_t> parse_pressure(std::string_view text) noexcept {
  constexpr std::string_view kHead = "some avg10=";
  if (!text.starts_with(kHead)) return std::nullopt;
  const char* p = text.data() + kHead.size();
  const char* const end = text.data() + text.size();
  int32_t whole = 0, part = 0;
  const auto [point, bad] = std::from_chars(p, end, whole);
  if (bad != std::errc() || whole < 0 || whole > 100) return std::nullopt;
  // The kernel always writes two decimals.
  if (end - point < 3 || *point != '.') return std::nullopt;
  const auto [rest, error] = std::from_chars(point + 1, point + 3, part);
  if (error != std::errc() || rest != point + 3 || part < 0) return std::nullopt;
  return whole * 100 + part;
}

Pressure read_pressure(const std::string& proc) {
  const auto read = [&](const char* resource) -> std::optional<int32_t> {
    const UniqueFd fd = open_for_reading(proc + "/pressure/" + resource);
    std::array<char, 256> text;
    const int64_t n = fd.valid() ? read_at(fd.get(), text.data(), text.size(), 0) : -1;
    // Kernels that were told psi=0 have the files and refuse to read them.
    if (n <= 0) return std::nullopt;
    return parse_pressure({text.data(), static_cast<size_t>(n)});
  };
  return {read("cpu"), read("memory"), read("io")};
}

}  // namespace nines::collector
