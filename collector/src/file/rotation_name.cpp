#include "file/rotation_name.hpp"

#include <algorithm>
#include <array>

namespace nines::collector {
namespace {

constexpr std::string_view kSeparators = ".-_~";

// ".1", "-20260101", ".2026-01-01T10:00:00Z": a separator, then digits and what stands in dates.
bool is_generation(std::string_view middle) noexcept {
  if (middle.size() < 2 || kSeparators.find(middle[0]) == std::string_view::npos) return false;
  return middle.find_first_of("0123456789") != std::string_view::npos &&
         middle.find_first_not_of("0123456789.-_:TZ+") == std::string_view::npos;
}

// Between stem and extension: ".1", or a date. "worker-2.log" is another worker, not a generation
// of worker.log, and reading it would count its lines for the wrong service.
bool is_inner_generation(std::string_view middle) noexcept {
  constexpr int kDigitsOfDate = 6;
  if (!is_generation(middle)) return false;
  const auto digits =
      std::count_if(middle.begin(), middle.end(), [](char c) { return c >= '0' && c <= '9'; });
  return middle[0] == '.' || digits >= kDigitsOfDate;
}

}  // namespace

bool is_compressed_name(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 5> kEndings = {".gz", ".zst", ".xz", ".bz2", ".lz4"};
  for (const std::string_view ending : kEndings) {
    if (name.ends_with(ending)) return true;
  }
  return false;
}

bool is_rotated_name(std::string_view base, std::string_view name) noexcept {
  if (name.size() <= base.size()) return false;
  if (name.starts_with(base)) {
    const std::string_view rest = name.substr(base.size());
    return is_generation(rest) || rest == ".old" || rest == ".prev";
  }
  const std::string_view stem = rotation_stem(base);
  const std::string_view extension = base.substr(stem.size());
  if (extension.empty() || !name.starts_with(stem) || !name.ends_with(extension)) return false;
  return is_inner_generation(name.substr(stem.size(), name.size() - base.size()));
}

std::string_view rotation_stem(std::string_view base) noexcept {
  const size_t dot = base.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? base : base.substr(0, dot);
}

std::vector<std::string> possible_bases(std::string_view name) {
  std::vector<std::string> out;
  for (size_t i = name.size(); i-- > 1;) {
    if (kSeparators.find(name[i]) != std::string_view::npos) out.emplace_back(name.substr(0, i));
  }
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return out;
  for (size_t i = dot; i-- > 1;) {
    if (!is_inner_generation(name.substr(i, dot - i))) continue;
    out.push_back(std::string(name.substr(0, i)).append(name.substr(dot)));
  }
  return out;
}

}  // namespace nines::collector
