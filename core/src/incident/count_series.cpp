#include "incident/count_series.hpp"

#include <algorithm>
#include <cmath>

#include "nines/query/bytes.hpp"

namespace nines::incident {
namespace {

constexpr double kStepsADoubling = 10;
constexpr double kHalfLifeMinutes = 72 * 60;
constexpr double kWeekDecay = 0.8409;  // half-life of four weeks
constexpr double kPriorMinutes = 60;   // an hour's weight
constexpr double kLinesForWeek = 32;
constexpr double kLeastUsual = 0.05;  // a minute: one line in a rare series is no dispersion
constexpr double kPriorChi2 = 1.5, kPriorChi2Minutes = 30;
constexpr double kLeastForChi2 = 30;  // minutes: what is usual is not known before
constexpr double kMostChi2 = 10'000;  // of a minute: one burst is not taken for a habit

double minute_decay() noexcept {
  static const double decay = std::exp2(-1 / kHalfLifeMinutes);
  return decay;
}

const std::array<double, 256>& values_of_bytes() noexcept {
  static const std::array<double, 256> values = [] {
    std::array<double, 256> all{};
    for (size_t i = 0; i < all.size(); ++i) {
      all[i] = std::exp2(static_cast<double>(i) / kStepsADoubling) - 1;
    }
    return all;
  }();
  return values;
}

double usual_at(const Week& week, size_t hour, double all_hours, const Week& watched) noexcept {
  double lines = 0, minutes = 0;
  for (size_t h = hour % 24; h < kWeekHours; h += 24) {
    lines += week.at(h);
    minutes += watched.at(h);
  }
  const double of_day = (lines + kPriorMinutes * all_hours) / (minutes + kPriorMinutes);
  return (week.at(hour) + kPriorMinutes * of_day) / (watched.at(hour) + kPriorMinutes);
}

bool finite_and_positive(double value) noexcept { return value >= 0 && value < 1e18; }

void save_week(std::string& out, const Week& week) {
  out.append(reinterpret_cast<const char*>(week.bytes().data()), week.bytes().size());
}

bool restore_week(std::string_view& in, Week& week) noexcept {
  if (in.size() < kWeekHours) return false;
  std::copy_n(in.begin(), kWeekHours, week.bytes().begin());
  in.remove_prefix(kWeekHours);
  return true;
}

}  // namespace

double Week::at(size_t hour) const noexcept { return values_of_bytes()[bytes_[hour]]; }

void Week::set(size_t hour, double value) noexcept {
  const double step = std::round(kStepsADoubling * std::log2(1 + std::max(0.0, value)));
  bytes_[hour] = static_cast<uint8_t>(std::min(255.0, step));
}

void Exposure::add_minute() noexcept {
  minutes = minutes * minute_decay() + 1;
  hour_minutes += 1;
}

void Exposure::end_hour(size_t hour) noexcept {
  if (hour_minutes > 0) week.set(hour, week.at(hour) * kWeekDecay + hour_minutes);
  hour_minutes = 0;
}

void CountSeries::learn_minute(uint32_t lines, const Exposure& exposure) noexcept {
  const double apart = lines - static_cast<double>(usual);
  const double part = apart * apart / std::max<double>(usual, kLeastUsual);
  chi2 *= minute_decay();
  if (exposure.minutes >= kLeastForChi2) chi2 += std::min(part, kMostChi2);
  sum = sum * minute_decay() + lines;
  minutes = minutes * minute_decay() + 1;
  hour_sum += lines;
  peak = std::max(peak, lines);
}

// A series that gets its week late is taken to have been even until then.
void CountSeries::end_hour(size_t hour, const Exposure& exposure) {
  if (exposure.hour_minutes <= 0) return;
  if (!week && sum >= kLinesForWeek) {
    week = std::make_unique<Week>();
    const double rate = all_hours(exposure);
    for (size_t h = 0; h < kWeekHours; ++h) week->set(h, rate * exposure.week.at(h));
  }
  if (week) week->set(hour, week->at(hour) * kWeekDecay + hour_sum);
  hour_sum = 0;
}

// A line that came late is not taken for one that was always there and silent: it counts from its
// first minute on, and an hour without it.
double CountSeries::all_hours(const Exposure& exposure) const noexcept {
  return (sum + 0.25) / std::min(minutes + kPriorMinutes, exposure.minutes + 1);
}

void CountSeries::refresh(size_t hour, const Exposure& exposure) noexcept {
  const double rate = all_hours(exposure);
  usual = usual_near = static_cast<float>(rate);
  if (!week) return;
  usual = static_cast<float>(usual_at(*week, hour, rate, exposure.week));
  usual_near = usual;
  for (const size_t near : {(hour + 1) % kWeekHours, (hour + kWeekHours - 1) % kWeekHours}) {
    const double there = usual_at(*week, near, rate, exposure.week);
    usual_near = std::max(usual_near, static_cast<float>(there));
  }
}

void CountSeries::end_week() noexcept {
  peak_before = peak;
  peak = 0;
}

void CountSeries::take(const CountSeries& other) {
  for (size_t i = 0; i < slots.size(); ++i) slots[i] += other.slots[i];
  sum += other.sum;
  minutes = std::max(minutes, other.minutes);
  chi2 = std::max(chi2, other.chi2);
  hour_sum += other.hour_sum;
  usual += other.usual;
  usual_near += other.usual_near;
  peak = std::max(peak, other.peak);
  peak_before = std::max(peak_before, other.peak_before);
  if (!other.week) return;
  if (!week) week = std::make_unique<Week>();
  for (size_t h = 0; h < kWeekHours; ++h) week->set(h, week->at(h) + other.week->at(h));
}

double CountSeries::dispersion(const Exposure& exposure) const noexcept {
  return std::max(1.0,
                  (chi2 + kPriorChi2 * kPriorChi2Minutes) / (exposure.minutes + kPriorChi2Minutes));
}

void CountSeries::save(std::string& out) const {
  using namespace query;
  for (const double value : {sum, minutes, chi2, hour_sum}) put_double(out, value);
  put_varint(out, peak);
  put_varint(out, peak_before);
  put_byte(out, week ? 1 : 0);
  if (week) save_week(out, *week);
}

bool CountSeries::restore(std::string_view& in) {
  using namespace query;
  for (double* value : {&sum, &minutes, &chi2, &hour_sum}) {
    if (!get_double(in, *value) || !finite_and_positive(*value)) return false;
  }
  uint64_t peaks[2] = {};
  uint8_t has_week = 0;
  for (uint64_t& value : peaks) {
    if (!get_varint(in, value) || value > UINT32_MAX) return false;
  }
  peak = static_cast<uint32_t>(peaks[0]);
  peak_before = static_cast<uint32_t>(peaks[1]);
  if (!get_byte(in, has_week) || has_week > 1) return false;
  if (has_week == 0) return true;
  week = std::make_unique<Week>();
  return restore_week(in, *week);
}

void save_exposure(std::string& out, const Exposure& exposure) {
  query::put_double(out, exposure.minutes);
  query::put_double(out, exposure.hour_minutes);
  save_week(out, exposure.week);
}

bool restore_exposure(std::string_view& in, Exposure& exposure) {
  return query::get_double(in, exposure.minutes) && finite_and_positive(exposure.minutes) &&
         query::get_double(in, exposure.hour_minutes) &&
         finite_and_positive(exposure.hour_minutes) && restore_week(in, exposure.week);
}

}  // namespace nines::incident
