#include "nines/incident/metric_evidence.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/robust.hpp"

namespace nines::incident {
namespace {

constexpr double kSlack = 2, kMostZ = 4;
constexpr int64_t kCusumS = 600;  // so long before the onset a rise may have begun
// A metric that is told once a minute holds until it is told again.
constexpr int64_t kHoldSlots = 6;

int64_t slot_of(WallTime at) noexcept { return at.seconds() / MetricEvidence::kSlotS; }

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, std::fabs(value) >= 1000 ? "%.0f" : "%.4g", value);
  return text;
}

double correlation(const std::vector<std::pair<double, double>>& pairs) noexcept {
  const auto n = static_cast<double>(pairs.size());
  double x = 0, y = 0;
  for (const auto& [a, b] : pairs) {
    x += a / n;
    y += b / n;
  }
  double xx = 0, yy = 0, xy = 0;
  for (const auto& [a, b] : pairs) {
    xx += (a - x) * (a - x);
    yy += (b - y) * (b - y);
    xy += (a - x) * (b - y);
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

std::string tell(const MetricFinding& found) {
  std::string out = found.name;
  if (!found.service.empty()) out += " of " + found.service;
  const int64_t minutes = std::max<int64_t>(1, found.known_s / 60);
  out += " was " + number(found.value) + ", usually " + number(found.usual) + " (median of " +
         std::to_string(minutes) + " min), ";
  out += found.value >= found.usual ? "rose " : "fell ";
  out += std::to_string(std::abs(found.seconds_before)) +
         (found.seconds_before >= 0 ? " s before" : " s after");
  if (!found.moves) return out;
  char text[96];
  std::snprintf(text, sizeof text, "; moves with the share of bad events (r %.2f, %lld s %s)",
                found.moves->correlation, static_cast<long long>(std::abs(found.moves->lag_s)),
                found.moves->lag_s >= 0 ? "ahead" : "behind");
  return out + text;
}

}  // namespace

float MetricEvidence::Series::at(int64_t slot) const noexcept {
  const bool kept = slot <= newest && slot > newest - static_cast<int64_t>(kSlots) && slot >= 0;
  return kept ? values[static_cast<size_t>(slot) % kSlots] : kNone;
}

// Too many vitals make room among themselves, too many series among those that are none.
void MetricEvidence::make_room(bool for_vital) {
  const auto vitals = static_cast<size_t>(std::count_if(
      series_.begin(), series_.end(), [](const auto& one) { return one.second->vital; }));
  const bool among_vitals = for_vital && vitals >= kMostVitals;
  if (!among_vitals && series_.size() < kMostSeries) return;
  auto quietest = series_.end();
  for (auto one = series_.begin(); one != series_.end(); ++one) {
    if (one->second->vital != among_vitals) continue;
    const bool quieter =
        quietest == series_.end() || one->second->newest < quietest->second->newest;
    if (quieter) quietest = one;
  }
  if (quietest == series_.end()) return;
  series_.erase(quietest);
  ++let_go_;
}

void MetricEvidence::add(const Key& key, WallTime at, double value, bool vital) {
  if (!std::isfinite(value) || at.ns <= 0) return;
  auto found = series_.find(key);
  if (found == series_.end()) {
    make_room(vital);
    found = series_.emplace(key, std::make_unique<Series>()).first;
    found->second->newest = slot_of(at);
  }
  Series& series = *found->second;
  series.vital = series.vital || vital;
  const int64_t slot = slot_of(at);
  constexpr auto kAll = static_cast<int64_t>(kSlots);
  if (slot <= series.newest - kAll) return;
  for (int64_t skipped = std::max(series.newest + 1, slot - kAll + 1); skipped < slot; ++skipped) {
    series.values[static_cast<size_t>(skipped) % kSlots] = kNone;
  }
  series.newest = std::max(series.newest, slot);
  series.values[static_cast<size_t>(slot) % kSlots] = static_cast<float>(value);
}

std::optional<MetricFinding> MetricEvidence::look(const Key& key, const Series& series,
                                                  WallTime onset, WallTime now) {
  const int64_t begin = slot_of(onset);
  const int64_t first = begin - kLeadS / kSlotS;
  const int64_t last = std::min(slot_of(now), begin + kFollowS / kSlotS);
  std::vector<double> before;
  int64_t known_s = 0;
  for (int64_t slot = series.newest - static_cast<int64_t>(kSlots) + 1; slot < first; ++slot) {
    const float value = series.at(slot);
    if (std::isnan(value)) continue;
    if (before.empty()) known_s = (first - slot) * kSlotS;
    before.push_back(value);
  }
  if (before.size() < kFewest) return std::nullopt;
  MetricFinding out;
  out.usual = median(before);
  const double spread = mad(before, out.usual);
  int64_t farthest = -1;
  for (int64_t slot = first; slot <= last; ++slot) {
    const float value = series.at(slot);
    if (std::isnan(value)) continue;
    const double z = robust_score(value, out.usual, spread);
    if (std::fabs(z) <= std::fabs(out.robust_z)) continue;
    out.robust_z = z;
    out.value = value;
    farthest = slot;
  }
  if (farthest < 0 || std::fabs(out.robust_z) < kFar) return std::nullopt;
  double sum = 0;
  int64_t since = farthest;
  for (int64_t slot = begin - kCusumS / kSlotS; slot <= farthest; ++slot) {
    const float value = series.at(slot);
    if (std::isnan(value)) continue;
    const double z = robust_score(value, out.usual, spread) * (out.robust_z > 0 ? 1 : -1);
    if (sum == 0) since = slot;
    sum = std::max(0.0, sum + std::clamp(z, -kMostZ, kMostZ) - kSlack);
  }
  out.name = key.first;
  out.service = key.second;
  out.since = WallTime::from_s(since * kSlotS);
  out.seconds_before = onset.seconds() - since * kSlotS;
  out.known_s = known_s;
  return out;
}

std::optional<MetricFinding::Moves> MetricEvidence::moves(const Series& series,
                                                          std::span<const double> bad,
                                                          int64_t bad_end) {
  const auto size = static_cast<int64_t>(bad.size());
  // As it stood in each slot.
  const auto held = [&](int64_t slot) {
    for (int64_t back = 0; back < kHoldSlots; ++back) {
      if (const float value = series.at(slot - back); !std::isnan(value)) return value;
    }
    return kNone;
  };
  MetricFinding::Moves best;
  for (int64_t lag = -kMostLagS / kSlotS; lag <= kMostLagS / kSlotS; ++lag) {
    std::vector<std::pair<double, double>> pairs;
    for (int64_t i = 0; i < size; ++i) {
      const double share = bad[static_cast<size_t>(i)];
      const float value = held(bad_end - size + i - lag);
      if (!std::isnan(share) && !std::isnan(value)) pairs.emplace_back(value, share);
    }
    if (pairs.size() < kFewest) continue;
    const double r = correlation(pairs);
    const bool nearer = std::abs(lag * kSlotS) < std::abs(best.lag_s);
    const double gain = std::fabs(r) - std::fabs(best.correlation);
    if (gain > 1e-9 || (gain > -1e-9 && nearer)) best = {r, lag * kSlotS};
  }
  if (std::fabs(best.correlation) < kMoves) return std::nullopt;
  return best;
}

std::vector<MetricEvidence::Recent> MetricEvidence::vitals(WallTime now, int64_t for_s) const {
  std::vector<Recent> out;
  const int64_t first = slot_of({now.ns - for_s * kNsPerSecond});
  for (const auto& [key, series] : series_) {
    if (!series->vital) continue;
    const float newest = series->at(series->newest);
    Recent one{key.first, newest, newest, WallTime::from_s(series->newest * kSlotS)};
    for (int64_t slot = std::max(first, series->newest - static_cast<int64_t>(kSlots) + 1);
         slot < series->newest; ++slot) {
      const float value = series->at(slot);
      if (value > one.most) one.most = value;  // false where there is none
    }
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<MetricFinding> MetricEvidence::find(WallTime onset, WallTime now,
                                                std::span<const double> bad, WallTime bad_end,
                                                size_t limit) const {
  std::vector<MetricFinding> out;
  for (const auto& [key, series] : series_) {
    auto found = look(key, *series, onset, now);
    if (!found) continue;
    found->moves = moves(*series, bad, slot_of(bad_end));
    found->text = tell(*found);
    out.push_back(std::move(*found));
  }
  const auto weight = [](const MetricFinding& found) {
    const double moves = found.moves ? std::fabs(found.moves->correlation) : 0;
    return std::min(std::fabs(found.robust_z), 1000.0) * (1 + moves);
  };
  std::stable_sort(out.begin(), out.end(), [&](const MetricFinding& a, const MetricFinding& b) {
    return weight(a) > weight(b);
  });
  if (out.size() > limit) out.resize(limit);
  return out;
}

}  // namespace nines::incident
