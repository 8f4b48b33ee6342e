#include "nines/incident/detector.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "incident/detector_impl.hpp"
#include "nines/incident/counts.hpp"

namespace nines::incident {
namespace {

constexpr size_t kStormSlots = 7;  // a minute, and the slot that runs
constexpr double kStormMinutes = static_cast<double>(kStormSlots) / 6;
constexpr std::string_view kStormPrefix = "storm/";
constexpr int kWeekOfDays = 8;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value >= 100 ? "%.0f" : "%.2g", value);
  return text;
}

std::string storm_key(const ErrorCourse& course) {
  char line[17];
  std::snprintf(line, sizeof line, "%016llx", static_cast<unsigned long long>(course.line));
  return std::string(kStormPrefix) + course.service + "/" + line;
}

uint64_t lines_of(const ErrorCourse& course) noexcept {
  uint64_t lines = 0;
  for (size_t i = 0; i < std::min(kStormSlots, course.slots.size()); ++i) lines += course.slots[i];
  return lines;
}

// A twelfth of the least storm, and clearly more than usual, in ten seconds.
double heavy_slot(const StormRule& rule, const ErrorCourse& course) noexcept {
  return std::max(static_cast<double>(rule.least_lines) / 12,
                  rule.times_usual / 2 * course.usual / 6);
}

// Where the run of heavy slots begins that leads up to now; a pause of one slot is part of it.
WallTime storm_onset(const StormRule& rule, const ErrorCourse& course) noexcept {
  const double heavy = heavy_slot(rule, course);
  size_t first = 0, pause = 0;
  for (size_t i = 0; i < course.slots.size() && pause < 3; ++i) {
    if (course.slots[i] >= heavy) {
      first = i;
      pause = 0;
    } else {
      pause += i > 0 ? 1 : 0;  // the slot that runs may be young
    }
  }
  const auto slots = static_cast<int64_t>(first) + 1;
  return {course.slots_end.ns - slots * TemplateWatch::kSlotS * kNsPerSecond};
}

bool storms(const StormRule& rule, const ErrorCourse& course) noexcept {
  const auto lines = static_cast<double>(lines_of(course));
  const double heavy = heavy_slot(rule, course);
  const auto end = course.slots.begin() +
                   static_cast<std::ptrdiff_t>(std::min(kStormSlots, course.slots.size()));
  const auto slots = std::count_if(course.slots.begin(), end,
                                   [heavy](uint32_t lines_now) { return lines_now >= heavy; });
  const double usual = course.usual * kStormMinutes;
  return course.known_minutes >= rule.learn_minutes &&
         lines >= static_cast<double>(rule.least_lines) && lines >= rule.times_usual * usual &&
         lines >= rule.times_peak * course.peak && static_cast<size_t>(slots) >= rule.least_slots &&
         count_score(static_cast<uint64_t>(lines), usual) / course.dispersion >= rule.least_score;
}

}  // namespace

void Detector::Impl::judge(Verdict verdict, WallTime now) {
  verdict.condition.node = node;
  if (!states.judge(verdict, now)) ++refused;
}

void Detector::Impl::judge_storm(const ErrorCourse& course, WallTime now) {
  const uint64_t lines = lines_of(course);
  Verdict verdict;
  verdict.bad = storms(settings.storm, course);
  verdict.condition.key = storm_key(course);
  verdict.condition.kind = ConditionKind::error_storm;
  verdict.condition.priority = settings.storm.priority;
  verdict.condition.service = course.service;
  verdict.condition.since = storm_onset(settings.storm, course);
  verdict.condition.text = course.service + ": " + std::to_string(lines) +
                           " error lines of one template in " +
                           std::to_string(kStormSlots * TemplateWatch::kSlotS) + " s, usually " +
                           number(course.usual * kStormMinutes) + ", " +
                           std::to_string(course.peak) + " in the busiest minute of the last weeks";
  judge(std::move(verdict), now);
}

void Detector::Impl::look_at_storms(const TemplateWatch& watch, WallTime now) {
  const uint64_t calm = std::max<uint64_t>(1, settings.storm.least_lines / 2);
  std::vector<std::string> still = states.held(kStormPrefix);
  for (const ErrorCourse& course : watch.busy_errors(calm)) {
    judge_storm(course, now);
    std::erase(still, storm_key(course));
  }
  for (const std::string& key : still) {
    Verdict verdict;
    verdict.condition = states.of(key);
    verdict.good = true;
    verdict.clear_s = settings.storm.clear_s;
    verdict.over = verdict.condition.service + ": fewer than " + std::to_string(calm) +
                   " error lines of the template in a minute";
    judge(std::move(verdict), now);
  }
}

void Detector::Impl::judge_silence(const Hearing& heard, WallTime now) {
  const SilenceRule& rule = settings.silence;
  const std::string key = "silent/" + heard.service;
  const bool open = states.holds(key);
  const bool steady = heard.days >= rule.least_days && heard.longest_s <= rule.steady_s &&
                      heard.lines_a_minute >= rule.least_lines_a_minute;
  if (!open && !steady) return;
  const double times = rule.times_longest * (heard.days < kWeekOfDays ? 2 : 1);
  const double limit =
      std::max(static_cast<double>(rule.least_s), times * static_cast<double>(heard.longest_s)) +
      static_cast<double>(TemplateWatch::kSlotS);
  const bool gone = heard.quiet_s > rule.give_up_s;
  Verdict verdict;
  verdict.bad = !gone && static_cast<double>(heard.quiet_s) >= limit;
  verdict.good = gone || heard.quiet_s < rule.least_s;
  verdict.clear_s = gone ? 0 : rule.clear_s;
  verdict.condition.key = key;
  verdict.condition.kind = ConditionKind::service_silent;
  verdict.condition.priority = rule.priority;
  verdict.condition.service = heard.service;
  verdict.condition.since = heard.last;
  verdict.condition.text = heard.service + ": no line for " + std::to_string(heard.quiet_s) +
                           " s; usually " + number(heard.lines_a_minute) +
                           " a minute and never quiet for more than " +
                           std::to_string(std::max(heard.longest_s, TemplateWatch::kSlotS)) + " s";
  verdict.over = heard.service + (gone ? ": silent for a day, taken for gone" : ": logs again");
  judge(std::move(verdict), now);
}

void Detector::Impl::look_at_silence(const TemplateWatch& watch, WallTime now) {
  std::vector<std::string> still = states.held("silent/");
  for (const Hearing& heard : watch.hearing()) {
    judge_silence(heard, now);
    std::erase(still, "silent/" + heard.service);
  }
  for (const std::string& key : still) {  // TemplateWatch::forget
    Verdict verdict;
    verdict.condition = states.of(key);
    verdict.good = true;
    verdict.over = verdict.condition.service + ": is gone";
    judge(std::move(verdict), now);
  }
}

std::vector<Condition> Detector::look(WallTime now, const TemplateWatch& watch,
                                      const Surroundings& around) {
  Impl& self = *impl_;
  self.node = around.node;
  if (self.settings.storm.on) self.look_at_storms(watch, now);
  if (self.settings.silence.on && around.reading && !around.node_silent) {
    self.look_at_silence(watch, now);
  }
  if (self.settings.queue.on) self.look_at_queues(now);
  if (self.settings.oom.on) self.look_at_kills(now);
  if (self.settings.crash_loop.on) self.look_at_containers(now);
  if (self.settings.disk.on) self.look_at_disks(now);
  if (self.settings.voltage.on) self.look_at_power(now);
  return self.states.take_changes();
}

std::vector<Condition> Detector::standing() const { return impl_->states.standing(); }

Detector::Stats Detector::stats() const noexcept {
  return {
      impl_->states.size(),
      impl_->queues.size() + impl_->kills.size() + impl_->containers.size() + impl_->disks.size(),
      impl_->refused};
}

Detector::Detector(DetectorSettings settings)
    : impl_(std::make_unique<Impl>(std::move(settings))) {}
Detector::~Detector() = default;

}  // namespace nines::incident
