#include "file/rotation_name.hpp"

#include <algorithm>
#include <initializer_list>

namespace nines::collector {
namespace {

constexpr std::string_view kSeparators = ".-_~";

// ".1", "-20260101", ".2026-01-01T10:00:00Z": a separator, then digits and what stands in dates.
bool is_generation(std::string_view middle) noexcept {
  if (middle.size() < 2 || kSeparators.find(middle[0]) == std::string_view::npos) return false;
  return middle.find_first_of("0123456789") != std::string_view::npos &&
         middle.find_first_not_of("0123456789.-_:TZ+") == std::string_view::npos;
}

// Between stem and extension: ".1", or a date. "worker-2.log" may as well be another worker, and
// reading it as a generation of worker.log would count its lines for the wrong service: weak.
Nomination inner_generation(std::string_view middle) noexcept {
  constexpr int kDigitsOfDate = 6;
  if (!is_generation(middle)) return Nomination::none;
  const auto digits =
      std::count_if(middle.begin(), middle.end(), [](char c) { return c >= '0' && c <= '9'; });
  return middle[0] == '.' || digits >= kDigitsOfDate ? Nomination::strong : Nomination::weak;
}

bool ends_with_any(std::string_view name, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); });
}

std::string_view without_packing(std::string_view name) noexcept {
  return is_packed_name(name) ? name.substr(0, name.rfind('.')) : name;
}

}  // namespace

bool is_packed_name(std::string_view name) noexcept { return ends_with_any(name, {".gz", ".zst"}); }

bool is_unreadable_name(std::string_view name) noexcept {
  return ends_with_any(name, {".xz", ".bz2", ".lz4"});
}

Nomination nomination(std::string_view base, std::string_view full_name) noexcept {
  const std::string_view name = without_packing(full_name);
  if (name == base && name != full_name) return Nomination::strong;  // app.log.gz
  if (name.size() <= base.size()) return Nomination::none;
  if (name.starts_with(base)) {
    const std::string_view rest = name.substr(base.size());
    return is_generation(rest) || rest == ".old" || rest == ".prev" ? Nomination::strong
                                                                    : Nomination::none;
  }
  const std::string_view stem = rotation_stem(base);
  const std::string_view extension = base.substr(stem.size());
  if (extension.empty() || !name.starts_with(stem) || !name.ends_with(extension)) {
    return Nomination::none;
  }
  return inner_generation(name.substr(stem.size(), name.size() - base.size()));
}

std::string_view rotation_stem(std::string_view base) noexcept {
  const size_t dot = base.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? base : base.substr(0, dot);
}

std::vector<std::string> possible_bases(std::string_view full_name) {
  const std::string_view name = without_packing(full_name);
  std::vector<std::string> out;
  if (name != full_name) out.emplace_back(name);
  for (size_t i = name.size(); i-- > 1;) {
    if (kSeparators.find(name[i]) != std::string_view::npos) out.emplace_back(name.substr(0, i));
  }
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return out;
  for (size_t i = dot; i-- > 1;) {
    if (inner_generation(name.substr(i, dot - i)) == Nomination::none) continue;
    out.push_back(std::string(name.substr(0, i)).append(name.substr(dot)));
  }
  return out;
}

}  // namespace nines::collector
