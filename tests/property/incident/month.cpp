#include "month.hpp"

#include <algorithm>
#include <cmath>

namespace nines::incident::test {
namespace {

constexpr int64_t kDay = 86400, kHour = 3600, kSlot = TemplateWatch::kSlotS;
constexpr double kPi = 3.14159265358979;
constexpr TemplateId kRefused = 900, kNightly = 901;

double season(int64_t s) {
  const double hour = static_cast<double>(s % kDay) / 3600;
  const double day = 0.3 + 0.7 * (0.5 - 0.5 * std::cos(2 * kPi * (hour - 3) / 24));
  return s / kDay % 7 >= 5 ? day * 0.5 : day;
}

}  // namespace

HealthyNode::HealthyNode(uint32_t seed) : chance_(seed) {
  for (const double rate : {60.0, 20.0, 8.0, 4.0, 1.5, 0.4}) {
    Service service;
    service.rate = rate;
    const TemplateId first = services_.size() * 100 + 1;
    for (TemplateId i = 0; i < 5; ++i) service.lines.push_back({first + i, 0.19, false});
    service.lines.push_back({first + 10, 0.01, true});
    service.lines.push_back({first + 11, 0.0005, true});
    services_.push_back(std::move(service));
  }
}

double HealthyNode::uniform(double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(chance_);
}

// Poisson; by a normal distribution where that is near enough.
uint32_t HealthyNode::draw(double mean) {
  if (mean > 30) {
    const double value = std::normal_distribution<double>(mean, std::sqrt(mean))(chance_);
    return static_cast<uint32_t>(std::max(0.0, std::round(value)));
  }
  const double stop = std::exp(-mean);
  uint32_t count = 0;
  for (double left = uniform(0, 1); left > stop; left *= uniform(0, 1)) ++count;
  return count;
}

void HealthyNode::plan_day(int64_t day) {
  day_ = day;
  const int64_t start = day * kDay;
  for (Service& service : services_) {
    service.level = uniform(0.8, 1.25);
    service.busy_from = start + static_cast<int64_t>(uniform(0, 80'000));
    service.busy_until = service.busy_from + static_cast<int64_t>(uniform(120, 900));
    service.restart_at =
        uniform(0, 1) < 0.35 ? start + static_cast<int64_t>(uniform(0, 86'000)) : -1;
    service.restart_ends = service.restart_at + static_cast<int64_t>(uniform(15, 45));
  }
  deploy_of_ = static_cast<size_t>(uniform(0, static_cast<double>(services_.size())));
  deploy_at_ = start + 9 * kHour + static_cast<int64_t>(uniform(0, 8.0 * kHour)) / kSlot * kSlot;
  if (day % 5 == 3) {
    const auto from = start + static_cast<int64_t>(uniform(0, 80'000));
    stops_.push_back({from, from + static_cast<int64_t>(uniform(30, 1500))});
  }
  if (day % 4 == 2) {
    const auto from = start + static_cast<int64_t>(uniform(0, 80'000));
    lags_.push_back({from, from + static_cast<int64_t>(uniform(60, 600))});
  }
}

// It restarts, says new things in a burst, and goes on with them.
void HealthyNode::deploy(Service& service, TemplateWatch& watch, size_t index, int64_t s) {
  service.restart_at = s;
  service.restart_ends = s + 30;
  for (int i = 0; i < 2; ++i) {
    watch.count(name(index), next_, true, WallTime::from_s(kMonthStart + s),
                5 + static_cast<uint32_t>(uniform(0, 60)));
    service.lines.push_back({next_++, 0.001, true});
  }
  service.lines.push_back({next_++, 0.1, false});
}

void HealthyNode::slot(TemplateWatch& watch, int64_t s, int silenced) {
  if (s / kDay != day_) plan_day(s / kDay);
  const auto at = [s](int64_t offset) { return WallTime::from_s(kMonthStart + s + offset); };
  for (size_t i = 0; i < services_.size(); ++i) {
    Service& service = services_[i];
    if (static_cast<int>(i) == silenced) continue;
    if (s == deploy_at_ && i == deploy_of_ && s / kDay % 7 < 5) deploy(service, watch, i, s);
    if (s >= service.restart_at && s < service.restart_ends) {
      // Who calls it says so.
      const size_t caller = (i + 1) % services_.size();
      if (static_cast<int>(caller) == silenced || s >= service.restart_at + 30) continue;
      watch.count(name(caller), kRefused, true, at(1), 1 + draw(std::min(30.0, service.rate)));
      continue;
    }
    const bool busy = s >= service.busy_from && s < service.busy_until;
    const double traffic = service.rate * season(s) * service.level * (busy ? 3 : 1);
    for (const Line& line : service.lines) {
      const uint32_t lines = draw(traffic * line.share);
      if (lines == 0) continue;
      watch.count(name(i), line.id, line.error, at(static_cast<int64_t>(line.id) % kSlot), lines);
    }
    const bool night = s % kDay >= 2 * kHour && s % kDay < 2 * kHour + 600;
    if (i == 1 && night) watch.count(name(i), kNightly, true, at(5), 10 + draw(10));
  }
}

bool HealthyNode::stopped(int64_t s) const {
  return std::any_of(stops_.begin(), stops_.end(),
                     [s](const Span& stop) { return s >= stop.from && s < stop.until; });
}

Watched HealthyNode::watched(int64_t s) const {
  const bool lags = std::any_of(lags_.begin(), lags_.end(),
                                [s](const Span& lag) { return s >= lag.from && s < lag.until; });
  return {!lags, true};
}

}  // namespace nines::incident::test
