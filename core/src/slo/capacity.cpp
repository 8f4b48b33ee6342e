#include "nines/slo/capacity.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace nines::slo {
namespace {

constexpr int64_t kDayS = 86400;
constexpr double kUnit = 10'000;
constexpr size_t kMinDays = 14;
constexpr double kFarDays = 3 * 365;
constexpr double kZ = 1.2815515655446004;

struct Day {
  double x, y;  // days before the newest (<= 0), share
};

double median(std::vector<double>& v) {
  std::sort(v.begin(), v.end());
  const size_t half = v.size() / 2;
  return v.size() % 2 == 1 ? v[half] : (v[half - 1] + v[half]) / 2;
}

struct Trendline {
  double slope = 0, low = 0, high = 0, now = 0;
};

Trendline theil_sen(const std::vector<Day>& days) {
  std::vector<double> slopes;
  slopes.reserve(days.size() * (days.size() - 1) / 2);
  for (size_t i = 0; i < days.size(); ++i) {
    for (size_t j = i + 1; j < days.size(); ++j) {
      slopes.push_back((days[j].y - days[i].y) / (days[j].x - days[i].x));
    }
  }
  Trendline line;
  line.slope = median(slopes);
  const auto n = static_cast<double>(days.size());
  const auto pairs = static_cast<double>(slopes.size());
  const double spread = kZ * std::sqrt(n * (n - 1) * (2 * n + 5) / 18);
  const auto rank = [&](double r) {
    return slopes[static_cast<size_t>(std::clamp(r, 0.0, pairs - 1))];
  };
  line.low = rank((pairs - spread) / 2 - 1);
  line.high = rank((pairs + spread) / 2);
  std::vector<double> levels;
  levels.reserve(days.size());
  for (const Day& day : days) levels.push_back(day.y - line.slope * day.x);
  line.now = median(levels);
  return line;
}

std::optional<double> days_until(double level, double newest, double now, double slope) {
  if (newest >= level) return 0;
  if (slope <= 0) return std::nullopt;
  const double days = std::max(0.0, (level - now) / slope);
  return days <= kFarDays ? std::optional<double>(days) : std::nullopt;
}

CapacityState state_of(double share, const CapacityLevels& levels) {
  if (share >= levels.critical) return CapacityState::critical;
  if (share >= levels.scale) return CapacityState::scale;
  return share >= levels.watch ? CapacityState::watch : CapacityState::ok;
}

std::string text_of(const char* format, double value) {
  char text[400];
  const int n = std::snprintf(text, sizeof text, format, value);
  return {text, static_cast<size_t>(n)};
}

std::string message_of(const CapacityForecast& f) {
  if (!f.newest) return "Nothing is known yet.";
  std::string out = text_of("%.1f", 100 * *f.newest) + " % used at the most on the newest day";
  if (!f.growth_per_day) {
    return out + "; " + std::to_string(f.days) + " of " + std::to_string(kMinDays) +
           " days for a forecast.";
  }
  out += ", " + text_of("%+.2f", 100 * *f.growth_per_day) + " points a day";
  const std::string critical = text_of("%.0f", 100 * f.levels.critical) + " %";
  if (f.state == CapacityState::critical) return out + "; above " + critical + " already.";
  if (!f.days_to_critical) return out + "; " + critical + " is not in sight.";
  if (!f.growing) return out + ", which is within its noise.";
  return out + "; " + critical + " in " + text_of("%.0f", *f.days_to_critical) + " days.";
}

}  // namespace

CapacityLevels capacity_levels(std::string_view vital) noexcept {
  if (vital == "cpu") return {0.70, 0.80, 0.90};
  if (vital == "memory") return {0.80, 0.85, 0.95};
  return {0.85, 0.85, 0.95};
}

std::string_view capacity_state_name(CapacityState state) noexcept {
  static constexpr std::string_view kNames[] = {"ok", "watch", "scale", "critical"};
  return kNames[static_cast<size_t>(state)];
}

size_t DailyMaxima::place(int64_t day) const noexcept {
  constexpr auto kN = static_cast<int64_t>(kDays);
  return static_cast<size_t>((day % kN + kN) % kN);
}

void DailyMaxima::add(int64_t day, double share) noexcept {
  if (!(share >= 0)) return;
  const auto value = static_cast<uint16_t>(std::lround(std::min(share, 1.0) * kUnit));
  if (!any_) share_.fill(kNone);
  if (!any_ || day > newest_) {
    const int64_t from = any_ ? std::max(newest_ + 1, day - static_cast<int64_t>(kDays) + 1) : day;
    for (int64_t d = from; d <= day; ++d) share_[place(d)] = kNone;
    newest_ = day;
    any_ = true;
  }
  if (day <= newest_ - static_cast<int64_t>(kDays)) return;
  uint16_t& slot = share_[place(day)];
  if (slot == kNone || slot < value) slot = value;
}

std::optional<double> DailyMaxima::at(int64_t day) const noexcept {
  if (!any_ || day > newest_ || day <= newest_ - static_cast<int64_t>(kDays)) return std::nullopt;
  const uint16_t value = share_[place(day)];
  if (value == kNone) return std::nullopt;
  return value / kUnit;
}

std::string DailyMaxima::save() const {
  if (!any_) return {};
  std::string out = "1 " + std::to_string(newest_) + " ";
  for (int64_t day = newest_ - static_cast<int64_t>(kDays) + 1; day <= newest_; ++day) {
    const uint16_t value = share_[place(day)];
    if (value != kNone) out += std::to_string(value);
    if (day < newest_) out += ',';
  }
  return out;
}

Status DailyMaxima::restore(std::string_view text) {
  const Error damaged{Errc::invalid_argument, "not what daily maxima are kept as"};
  if (!text.starts_with("1 ")) return damaged;
  text.remove_prefix(2);
  DailyMaxima read;
  read.any_ = true;
  read.share_.fill(kNone);
  auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), read.newest_);
  const bool sane = read.newest_ > -1'000'000 && read.newest_ < 1'000'000;  // 2,700 years
  if (error != std::errc() || !sane || at == text.data() + text.size() || *at != ' ') {
    return damaged;
  }
  text.remove_prefix(static_cast<size_t>(at - text.data()) + 1);
  for (int64_t day = read.newest_ - static_cast<int64_t>(kDays) + 1;; ++day) {
    const std::string_view one = text.substr(0, text.find(','));
    uint16_t value = kNone;
    if (!one.empty()) {
      const auto end = one.data() + one.size();
      const auto done = std::from_chars(one.data(), end, value);
      if (done.ec != std::errc() || done.ptr != end || value > kUnit) return damaged;
    }
    read.share_[place(day)] = value;
    if (day == read.newest_) {
      if (one.size() != text.size()) return damaged;
      *this = read;
      return Ok{};
    }
    if (one.size() == text.size()) return damaged;
    text.remove_prefix(one.size() + 1);
  }
}

CapacityForecast forecast_capacity(std::string_view vital, const DailyMaxima& maxima) {
  CapacityForecast f;
  f.vital = vital;
  f.levels = capacity_levels(vital);
  std::vector<Day> days;
  if (const auto newest = maxima.newest()) {
    for (int64_t back = static_cast<int64_t>(DailyMaxima::kDays) - 1; back >= 0; --back) {
      const auto share = maxima.at(*newest - back);
      if (!share) continue;
      days.push_back({-static_cast<double>(back), *share});
      f.highest = std::max(f.highest.value_or(0), *share);
    }
    f.newest = maxima.at(*newest);
    f.newest_day = WallTime::from_s(*newest * kDayS);
    f.state = state_of(f.newest.value_or(0), f.levels);
  }
  f.days = days.size();
  if (days.size() >= kMinDays) {
    const Trendline line = theil_sen(days);
    const double newest = f.newest.value_or(0);
    f.growth_per_day = line.slope;
    f.growth_low = line.low;
    f.growth_high = line.high;
    f.growing = line.low > 0;
    f.in_30_days = std::clamp(line.now + 30 * line.slope, 0.0, 1.0);
    f.in_90_days = std::clamp(line.now + 90 * line.slope, 0.0, 1.0);
    f.days_to_scale = days_until(f.levels.scale, newest, line.now, line.slope);
    f.days_to_critical = days_until(f.levels.critical, newest, line.now, line.slope);
    f.days_to_critical_earliest = days_until(f.levels.critical, newest, line.now, line.high);
    f.days_to_critical_latest = days_until(f.levels.critical, newest, line.now, line.low);
  }
  f.message = message_of(f);
  return f;
}

Capacity::Vital* Capacity::find(std::string_view name) {
  for (Vital& vital : vitals_) {
    if (vital.name == name) return &vital;
  }
  if (vitals_.size() == kMaxVitals) return nullptr;
  vitals_.emplace_back().name = name;
  return &vitals_.back();
}

bool Capacity::add(std::string_view name, double share, WallTime at) {
  Vital* const vital = find(name);
  if (vital == nullptr) return false;
  const int64_t s = at.seconds();
  const int64_t span = s >= 0 ? s / kMeanS : -1;
  if (span != vital->span) {
    // Only whole means: a single sample after a start is no five minutes.
    vital->span = span;
    vital->sum = 0;
    vital->samples = 0;
  }
  vital->sum += share;
  ++vital->samples;
  const bool last = s % kMeanS >= kMeanS - 60;
  if (!last || vital->samples < 3) return true;
  const std::string before = vital->maxima.save();
  vital->maxima.add(s / kDayS, vital->sum / static_cast<double>(vital->samples));
  vital->changed = vital->changed || vital->maxima.save() != before;
  return true;
}

std::vector<Capacity::Kept> Capacity::take_changes() {
  std::vector<Kept> out;
  for (Vital& vital : vitals_) {
    if (vital.changed) out.push_back({vital.name, vital.maxima.save()});
    vital.changed = false;
  }
  return out;
}

bool Capacity::restore(const Kept& kept) {
  DailyMaxima maxima;
  if (kept.vital.empty() || !maxima.restore(kept.text).ok()) return false;
  Vital* const vital = find(kept.vital);
  if (vital == nullptr) return false;
  vital->maxima = maxima;
  return true;
}

std::vector<CapacityForecast> Capacity::forecasts() const {
  std::vector<CapacityForecast> out;
  for (const Vital& vital : vitals_) {
    if (vital.maxima.newest()) out.push_back(forecast_capacity(vital.name, vital.maxima));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.vital < b.vital; });
  return out;
}

}  // namespace nines::slo
