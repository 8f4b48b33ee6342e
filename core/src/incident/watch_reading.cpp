// What TemplateWatch tells: findings, rates, busy errors, who was heard.
#include <algorithm>
#include <map>
#include <tuple>

#include "incident/watch_state.hpp"
#include "nines/incident/counts.hpp"

namespace nines::incident {
namespace {

constexpr int64_t kSlotNs = TemplateWatch::kSlotS * kNsPerSecond;

}  // namespace

uint64_t TemplateWatch::Impl::sum(const CountSeries& series, int64_t from,
                                  int64_t until) const noexcept {
  uint64_t lines = 0;
  for (int64_t at = from; at < until; ++at) lines += series.slots[place(at)];
  return lines;
}

int64_t TemplateWatch::Impl::watched_slots(int64_t from, int64_t until) const noexcept {
  int64_t watched = 0;
  for (int64_t at = from; at < until; ++at) watched += slots_how[place(at)].complete ? 1 : 0;
  return watched;
}

int64_t TemplateWatch::Impl::first_slot(WallTime since) const noexcept {
  return std::clamp(since.ns / kSlotNs, std::max<int64_t>(0, oldest_slot()),
                    std::max<int64_t>(0, slot));
}

std::vector<CountFinding> TemplateWatch::findings(WallTime since, size_t most, double least) const {
  const Impl& self = *impl_;
  const int64_t from = self.first_slot(since);
  const double minutes =
      static_cast<double>(self.watched_slots(from, self.slot)) / static_cast<double>(kSlotsAMinute);
  std::vector<CountFinding> all;
  if (minutes <= 0) return all;
  const auto consider = [&](const WatchedService& service, const CountSeries& series,
                            TemplateId line, bool error, WallTime first) {
    if (service.known_minutes < kLeastMinutes) return;
    CountFinding found;
    found.seen = self.sum(series, from, self.slot);
    found.expected = static_cast<double>(series.usual) * minutes;
    found.dispersion = series.dispersion(service.exposure);
    found.score = count_score(found.seen, found.expected) / found.dispersion;
    if (std::abs(found.score) < least) return;
    found.service = service.name;
    found.line = line;
    found.error = error;
    found.seconds = minutes * kMinuteS;
    found.first_seen = first;
    all.push_back(std::move(found));
  };
  for (const WatchedService& service : self.services) {
    consider(service, service.lines, 0, false, {});
    consider(service, service.errors, 0, true, {});
  }
  for (const WatchedTemplate& line : self.templates) {
    consider(self.services[line.service], line.series, line.line, line.error, line.first);
  }
  std::sort(all.begin(), all.end(), [](const CountFinding& a, const CountFinding& b) {
    return std::tuple(-std::abs(a.score), a.service, a.line, a.error) <
           std::tuple(-std::abs(b.score), b.service, b.line, b.error);
  });
  std::map<std::pair<std::string, bool>, size_t> told;
  std::erase_if(all, [&](const CountFinding& found) {
    return ++told[{found.service, found.score > 0}] > most;
  });
  return all;
}

std::vector<ServiceRate> TemplateWatch::rates(WallTime since) const {
  const Impl& self = *impl_;
  const int64_t from = self.first_slot(since);
  const double minutes =
      static_cast<double>(self.watched_slots(from, self.slot)) / static_cast<double>(kSlotsAMinute);
  std::vector<ServiceRate> rates;
  for (const WatchedService& service : self.services) {
    rates.push_back({service.name, minutes * kMinuteS, self.sum(service.lines, from, self.slot),
                     self.sum(service.errors, from, self.slot), service.lines.usual * minutes,
                     service.errors.usual * minutes});
  }
  std::sort(rates.begin(), rates.end(),
            [](const ServiceRate& a, const ServiceRate& b) { return a.service < b.service; });
  return rates;
}

std::vector<ErrorCourse> TemplateWatch::busy_errors(uint64_t least) const {
  const Impl& self = *impl_;
  std::vector<ErrorCourse> busy;
  const int64_t oldest = self.first_slot({});
  for (const WatchedTemplate& line : self.templates) {
    if (!line.error) continue;
    const int64_t from = std::max(oldest, self.slot - kSlotsAMinute);
    if (self.sum(line.series, from, self.slot + 1) < least) continue;
    const WatchedService& service = self.services[line.service];
    ErrorCourse course;
    course.service = service.name;
    course.line = line.line;
    for (int64_t at = self.slot; at >= oldest; --at) {
      course.slots.push_back(line.series.slots[Impl::place(at)]);
    }
    course.slots_end = {(self.slot + 1) * kSlotNs};
    course.usual = line.series.usual_near;
    course.dispersion = line.series.dispersion(service.exposure);
    course.peak = std::max(line.series.peak, line.series.peak_before);
    course.known_minutes = service.known_minutes;
    busy.push_back(std::move(course));
  }
  return busy;
}

std::vector<Hearing> TemplateWatch::hearing() const {
  std::vector<Hearing> all;
  for (const WatchedService& service : impl_->services) {
    all.push_back({service.name, service.last, service.quiet_slots * kSlotS,
                   service.gaps.longest_slots() * kSlotS, service.gaps.days(),
                   static_cast<double>(service.lines.usual)});
  }
  return all;
}

}  // namespace nines::incident
