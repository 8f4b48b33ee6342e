#include "nines/slo/exclusions.hpp"

#include <algorithm>

#include "ring.hpp"

namespace nines::slo {
namespace {

constexpr int64_t kDayS = 86400;
constexpr int64_t kAheadS = 32 * kDayS;
constexpr int64_t kMostS = 200 * kDayS;  // wider than any window: older expansions are let go

Interval whole_minutes(const Interval& i) {
  return {floor_div(i.from_s, 60) * 60, -floor_div(-i.to_s, 60) * 60};
}

// `sorted` by start.
std::vector<Interval> merge(const std::vector<Interval>& sorted) {
  std::vector<Interval> out;
  for (const Interval& i : sorted) {
    if (!out.empty() && i.from_s <= out.back().to_s) {
      out.back().to_s = std::max(out.back().to_s, i.to_s);
    } else {
      out.push_back(i);
    }
  }
  return out;
}

std::vector<Interval> subtract(const std::vector<Interval>& from,
                               const std::vector<Interval>& what) {
  std::vector<Interval> out;
  for (Interval rest : from) {
    for (const Interval& hole : what) {
      if (hole.to_s <= rest.from_s || hole.from_s >= rest.to_s) continue;
      if (hole.from_s > rest.from_s) out.push_back({rest.from_s, hole.from_s});
      rest.from_s = hole.to_s;
    }
    if (rest.from_s < rest.to_s) out.push_back(rest);
  }
  return out;
}

// The first interval that ends behind `at_s`.
std::vector<Interval>::const_iterator from(const std::vector<Interval>& all, int64_t at_s) {
  return std::partition_point(all.begin(), all.end(),
                              [&](const Interval& i) { return i.to_s <= at_s; });
}

}  // namespace

std::string_view effect_name(ExclusionEffect effect) noexcept {
  return effect == ExclusionEffect::drop ? "drop" : "reserve";
}

Exclusions::Exclusions(std::vector<ExclusionSpec> specs) : specs_(std::move(specs)) {}

bool Exclusions::any(ExclusionEffect effect) const noexcept {
  return std::any_of(specs_.begin(), specs_.end(),
                     [&](const ExclusionSpec& spec) { return spec.effect == effect; });
}

void Exclusions::expand() {
  spans_.clear();
  for (size_t i = 0; i < specs_.size(); ++i) {
    std::vector<Interval> found;
    if (specs_[i].rule != nullptr) {
      specs_[i].rule->expand(low_s_, high_s_, found);
    } else {
      found.push_back(specs_[i].once);
    }
    for (const Interval& interval : found) spans_.push_back({whole_minutes(interval), i});
  }
  std::sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) {
    return a.at.from_s != b.at.from_s ? a.at.from_s < b.at.from_s : a.spec < b.spec;
  });
  std::vector<Interval> found[2];
  for (const Span& span : spans_) {
    found[static_cast<size_t>(specs_[span.spec].effect)].push_back(span.at);
  }
  merged_[0] = merge(found[0]);
  merged_[1] = subtract(merge(found[1]), merged_[0]);
}

void Exclusions::prepare(int64_t from_s, int64_t to_s) {
  if (from_s >= low_s_ && to_s <= high_s_) return;
  const bool fresh = low_s_ == high_s_;
  const int64_t low = from_s - kDayS, high = to_s + kAheadS;
  low_s_ = fresh ? low : std::min(low_s_, low);
  high_s_ = fresh ? high : std::max(high_s_, high);
  if (high_s_ - low_s_ > kMostS) {
    low_s_ = low;
    high_s_ = high;
  }
  expand();
}

std::optional<ExclusionEffect> Exclusions::effect_at(int64_t at_s) {
  if (specs_.empty()) return std::nullopt;
  prepare(at_s, at_s + 1);
  for (const auto effect : {ExclusionEffect::drop, ExclusionEffect::reserve}) {
    const auto& all = merged_[static_cast<size_t>(effect)];
    const auto i = from(all, at_s);
    if (i != all.end() && i->from_s <= at_s) return effect;
  }
  return std::nullopt;
}

int64_t Exclusions::seconds_within(ExclusionEffect effect, int64_t from_s, int64_t to_s) {
  if (specs_.empty() || from_s >= to_s) return 0;
  prepare(from_s, to_s);
  const auto& all = merged_[static_cast<size_t>(effect)];
  int64_t seconds = 0;
  for (auto i = from(all, from_s); i != all.end() && i->from_s < to_s; ++i) {
    seconds += std::min(i->to_s, to_s) - std::max(i->from_s, from_s);
  }
  return seconds;
}

std::string_view Exclusions::name_at(int64_t at_s) {
  if (specs_.empty()) return {};
  prepare(at_s, at_s + 1);
  for (const Span& span : spans_) {
    if (span.at.from_s <= at_s && at_s < span.at.to_s) return specs_[span.spec].name;
  }
  return {};
}

}  // namespace nines::slo
