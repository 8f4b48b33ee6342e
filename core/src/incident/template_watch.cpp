#include "nines/incident/template_watch.hpp"

#include <algorithm>
#include <utility>

#include "incident/hash.hpp"
#include "incident/watch_state.hpp"

namespace nines::incident {
namespace {

constexpr int64_t kSlotNs = TemplateWatch::kSlotS * kNsPerSecond;
constexpr int64_t kRing = static_cast<int64_t>(TemplateWatch::kSlots);
constexpr int64_t kRingMinutes = kRing / kSlotsAMinute;
constexpr int64_t kSlotsADay = 86400 / TemplateWatch::kSlotS;
constexpr int64_t kMostSlotsUnasked = 6;  // between two calls of advance()
constexpr int64_t kMinutesAWeek = 7 * 1440;

uint32_t hash_of(std::string_view service, TemplateId line) noexcept {
  uint64_t hash = 0x9e3779b97f4a7c15ULL;
  for (const char c : service) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  return static_cast<uint32_t>(mix(mix(hash, service.size()), line));
}

}  // namespace

uint64_t watch_key(uint32_t service, TemplateId line, bool error) noexcept {
  return mix(mix(mix(0x5851f42d4c957f2dULL, service * 2ULL + (error ? 1 : 0)), line), 1);
}

void Gaps::turn_to(int64_t today) noexcept {
  if (today <= day) return;
  const int64_t from = std::max(day + 1, today - static_cast<int64_t>(kDays) + 1);
  for (int64_t d = from; d <= today; ++d) longest[static_cast<size_t>(d) % kDays] = 0;
  day = today;
}

void Gaps::add(int64_t slots) noexcept {
  uint16_t& kept = longest[static_cast<size_t>(day) % kDays];
  kept = static_cast<uint16_t>(std::max<int64_t>(kept, std::min<int64_t>(slots + 1, UINT16_MAX)));
}

int64_t Gaps::longest_slots() const noexcept {
  return std::max<int64_t>(0, *std::max_element(longest.begin(), longest.end()) - int64_t{1});
}

int Gaps::days() const noexcept {
  return static_cast<int>(
      std::count_if(longest.begin(), longest.end(), [](uint16_t kept) { return kept != 0; }));
}

void ForgottenLines::add_hash(uint32_t hash) {
  if (hashes_.size() < kMost) {
    hashes_.push_back(hash);
  } else {
    const auto gone = known_.find(std::exchange(hashes_[oldest_], hash));
    if (--gone->second == 0) known_.erase(gone);
    oldest_ = (oldest_ + 1) % kMost;
  }
  ++known_[hash];
}

void ForgottenLines::add(std::string_view service, TemplateId line) {
  if (!has(service, line)) add_hash(hash_of(service, line));
}

bool ForgottenLines::has(std::string_view service, TemplateId line) const noexcept {
  return known_.contains(hash_of(service, line));
}

void ForgottenLines::restore(const std::vector<uint32_t>& hashes) {
  *this = {};
  for (const uint32_t hash : hashes) add_hash(hash);
}

// ---- services and templates ----

WatchedService* TemplateWatch::Impl::find_service(std::string_view name) {
  auto it = service_at.find(name);
  if (it == service_at.end()) {
    if (services.size() >= limits.max_services) return nullptr;
    WatchedService fresh;
    fresh.name = name;
    services.push_back(std::move(fresh));
    it = service_at.emplace(std::string(name), static_cast<uint32_t>(services.size() - 1)).first;
  }
  last_service = it->second;
  return &services[last_service];
}

void TemplateWatch::Impl::announce(const WatchedService& service, TemplateId line, bool error,
                                   WallTime at) {
  if (service.known_minutes < limits.learn_minutes || forgotten.has(service.name, line)) return;
  if (first_seen.size() >= limits.max_first_seen) {
    ++stats.first_seen_dropped;
    return;
  }
  first_seen.push_back({service.name, line, error, at});
}

// The place of a template that is to come: at the end, or that of the one not seen for longest.
size_t TemplateWatch::Impl::room_for_template() {
  if (templates.size() < limits.max_templates) {
    templates.emplace_back();
    return templates.size() - 1;
  }
  const auto oldest = std::min_element(
      templates.begin(), templates.end(),
      [](const WatchedTemplate& a, const WatchedTemplate& b) { return a.last < b.last; });
  forgotten.add(services[oldest->service].name, oldest->line);
  ++stats.forgotten;
  template_at.erase(watch_key(oldest->service, oldest->line, oldest->error));
  *oldest = {};
  return static_cast<size_t>(oldest - templates.begin());
}

size_t TemplateWatch::Impl::find_template(uint32_t service, TemplateId line, bool error,
                                          WallTime at) {
  const uint64_t key = watch_key(service, line, error);
  const auto it = template_at.find(key);
  if (it != template_at.end()) return it->second;
  if (!template_at.contains(watch_key(service, line, !error))) {
    announce(services[service], line, error, at);
  }
  const size_t index = room_for_template();
  WatchedTemplate& fresh = templates[index];
  fresh.service = service;
  fresh.line = line;
  fresh.error = error;
  fresh.first = at;
  if (slot >= 0)
    fresh.series.refresh(hour_of_week(slot * kSlotS / 3600), services[service].exposure);
  template_at.emplace(key, static_cast<uint32_t>(index));
  return index;
}

void TemplateWatch::Impl::remove_template(size_t index) {
  const WatchedTemplate& gone = templates[index];
  template_at.erase(watch_key(gone.service, gone.line, gone.error));
  if (index + 1 != templates.size()) {
    templates[index] = std::move(templates.back());
    const WatchedTemplate& moved = templates[index];
    template_at[watch_key(moved.service, moved.line, moved.error)] = static_cast<uint32_t>(index);
  }
  templates.pop_back();
}

// The last service takes its number.
void TemplateWatch::Impl::remove_service(uint32_t index) {
  for (size_t i = templates.size(); i-- > 0;) {
    if (templates[i].service == index) remove_template(i);
  }
  service_at.erase(services[index].name);
  const auto last = static_cast<uint32_t>(services.size() - 1);
  if (index != last) {
    services[index] = std::move(services[last]);
    service_at[services[index].name] = index;
    for (size_t i = 0; i < templates.size(); ++i) {
      WatchedTemplate& moved = templates[i];
      if (moved.service != last) continue;
      template_at.erase(watch_key(last, moved.line, moved.error));
      moved.service = index;
      template_at[watch_key(index, moved.line, moved.error)] = static_cast<uint32_t>(i);
    }
  }
  services.pop_back();
}

// ---- counting ----

// For the first time in this stretch.
void TemplateWatch::Impl::heard(WatchedService& service) {
  service.heard_in = stretch;
  service.gaps.turn_to(slot / kSlotsADay);
  if (how.learn && how.complete) service.gaps.add(service.quiet_slots);
  service.quiet_slots = 0;
}

// kSlots: too late for all of them.
size_t TemplateWatch::Impl::find_place(WallTime at) {
  const int64_t its = at.ns / kSlotNs;
  if (slot < 0) slot = its;
  if (its < oldest_slot()) return kSlots;
  const int64_t found = std::min(its, slot);
  if (found < 0) return place(found);  // before 1970: nothing to be quick about
  reach = {found * kSlotNs, found == slot ? INT64_MAX : (found + 1) * kSlotNs, place(found)};
  return reach.place;
}

void TemplateWatch::count(std::string_view name, TemplateId line, bool error, WallTime at,
                          uint32_t times) {
  Impl& self = *impl_;
  const size_t place = self.place_of(at);
  if (place == kSlots) {
    self.stats.late += times;
    return;
  }
  WatchedService* const service = self.service_of(name);
  if (service == nullptr) {
    self.stats.left_out += times;
    return;
  }
  self.stats.lines += times;
  service->last = std::max(service->last, at);
  if (service->heard_in != self.stretch) self.heard(*service);
  service->lines.slots[place] += times;
  if (error) service->errors.slots[place] += times;
  WatchedTemplate& found = self.template_of(self.last_service, line, error, at);
  found.last = std::max(found.last, at);
  found.series.slots[place] += times;
}

void TemplateWatch::merge(TemplateId from, TemplateId to) {
  Impl& self = *impl_;
  if (from == to) return;
  for (uint32_t service = 0; service < self.services.size(); ++service) {
    bool known = false;
    for (const bool error : {false, true}) {
      const auto it = self.template_at.find(watch_key(service, from, error));
      if (it == self.template_at.end()) continue;
      known = true;
      WatchedTemplate old = std::move(self.templates[it->second]);
      self.templates[it->second] = {};
      WatchedTemplate& gone = self.templates[it->second];
      gone.service = service;
      gone.line = from;
      gone.error = error;
      self.remove_template(it->second);
      const bool fresh = !self.template_at.contains(watch_key(service, to, error));
      const size_t announced = self.first_seen.size();
      WatchedTemplate& into = self.template_of(service, to, error, old.first);
      self.first_seen.resize(std::min(announced, self.first_seen.size()));
      into.first = std::min(into.first, old.first);
      into.last = std::max(into.last, old.last);
      if (fresh) {
        into.series = std::move(old.series);
      } else {
        into.series.take(old.series);
      }
    }
    if (!known) continue;
    std::erase_if(self.first_seen, [&](const FirstSeen& event) {
      return event.line == to && event.service == self.services[service].name;
    });
  }
}

void TemplateWatch::forget(std::string_view service) {
  const auto it = impl_->service_at.find(service);
  if (it != impl_->service_at.end()) impl_->remove_service(it->second);
}

std::vector<FirstSeen> TemplateWatch::take_first_seen() {
  return std::exchange(impl_->first_seen, {});
}

// ---- time ----

Watched TemplateWatch::Impl::how_was(int64_t minute) const noexcept {
  Watched out;
  for (int64_t at = minute * kSlotsAMinute; at < (minute + 1) * kSlotsAMinute; ++at) {
    const Watched& was = slots_how[place(at)];
    out.complete = out.complete && was.complete;
    out.learn = out.learn && was.learn;
  }
  return out;
}

void TemplateWatch::Impl::end_slot(Watched was) {
  slots_how[place(slot)] = was;
  if (was.complete) {
    for (WatchedService& service : services) {
      if (service.lines.slots[place(slot)] == 0) ++service.quiet_slots;
    }
  }
  ++slot;
  if (slot % kSlotsAMinute == 0) end_minute();
  if (slot * kSlotS % 3600 == 0) refresh();
}

// The oldest minute of the ring makes room for the one that begins.
void TemplateWatch::Impl::end_minute() {
  const int64_t leaves = slot / kSlotsAMinute - kRingMinutes;
  if (leaves >= 0) fold(leaves);
  for (int64_t i = 0; i < kSlotsAMinute; ++i) {
    const size_t at = place(slot + i);
    each_series([at](CountSeries& series, const Exposure&) { series.slots[at] = 0; });
    slots_how[at] = {false, false};
  }
}

// In an incident only while nobody at all is known: else a node that starts in the midst of one
// would know nobody for as long as it lasts. Who is new beside others that are known waits for its
// end: what it does in trouble would be taken for what is usual.
void TemplateWatch::Impl::fold(int64_t minute) {
  const Watched was = how_was(minute);
  const auto known = [](const WatchedService& one) { return one.known_minutes >= kLeastMinutes; };
  if (!was.complete) return;
  if (!was.learn && std::any_of(services.begin(), services.end(), known)) return;
  turn_hour(minute / 60);
  const int64_t from = minute * kSlotsAMinute;
  each_series([&](CountSeries& series, const Exposure& exposure) {
    uint64_t lines = 0;
    for (int64_t at = from; at < from + kSlotsAMinute; ++at) lines += series.slots[place(at)];
    series.learn_minute(static_cast<uint32_t>(std::min<uint64_t>(lines, UINT32_MAX)), exposure);
  });
  for (WatchedService& service : services) {
    service.exposure.add_minute();
    ++service.known_minutes;
  }
  refresh_young();
}

void TemplateWatch::Impl::turn_hour(int64_t hour) {
  if (hour == learn_hour) return;
  if (learn_hour != 0) {
    const size_t ended = hour_of_week(learn_hour);
    each_series([ended](CountSeries& series, const Exposure& exposure) {
      series.end_hour(ended, exposure);
    });
    for (WatchedService& service : services) service.exposure.end_hour(ended);
  }
  learn_hour = hour;
  const int64_t week = hour * 60 / kMinutesAWeek;
  if (learn_week != 0 && week != learn_week) {
    each_series([](CountSeries& series, const Exposure&) { series.end_week(); });
  }
  learn_week = week;
}

void TemplateWatch::Impl::refresh() {
  const size_t hour = hour_of_week(slot * kSlotS / 3600);
  each_series(
      [hour](CountSeries& series, const Exposure& exposure) { series.refresh(hour, exposure); });
}

void TemplateWatch::Impl::refresh_young() {
  each_series([](CountSeries& series, const Exposure& exposure) {
    if (!series.week) series.refresh(0, exposure);
  });
}

void TemplateWatch::Impl::clear_slots() {
  each_series([](CountSeries& series, const Exposure&) { series.slots = {}; });
  slots_how.fill({false, false});
}

void TemplateWatch::advance(WallTime now, Watched how) {
  Impl& self = *impl_;
  const int64_t slot = now.ns / kSlotNs;
  if (self.slot < 0) {
    self.slot = slot;
    self.slots_how.fill({false, false});
    self.refresh();
  }
  self.how = how;
  ++self.stretch;
  self.reach = {};
  const int64_t steps = slot - self.slot;
  // Beyond the ring nothing is left of it; and a clock that was set back begins anew.
  if (steps > kRing || steps < -kMostSlotsUnasked) {
    self.clear_slots();
    self.slot = slot;
    self.refresh();
    return;
  }
  const Watched missed{false, false};
  while (self.slot < slot) self.end_slot(steps > kMostSlotsUnasked ? missed : how);
}

TemplateWatch::TemplateWatch(WatchLimits limits) : impl_(std::make_unique<Impl>(limits)) {}
TemplateWatch::~TemplateWatch() = default;
TemplateWatch::TemplateWatch(TemplateWatch&&) noexcept = default;
TemplateWatch& TemplateWatch::operator=(TemplateWatch&&) noexcept = default;

TemplateWatch::Stats TemplateWatch::stats() const noexcept {
  Stats stats = impl_->stats;
  stats.services = impl_->services.size();
  stats.templates = impl_->templates.size();
  // Nodes of the tables have some 16 bytes beside what they hold.
  stats.memory_bytes = sizeof(Impl) + impl_->forgotten.memory_bytes() +
                       impl_->template_at.size() * 32 + impl_->service_at.size() * 72 +
                       impl_->first_seen.capacity() * sizeof(FirstSeen);
  impl_->each_series([&](const CountSeries& series, const Exposure&) {
    stats.memory_bytes += series.memory_bytes();
  });
  stats.memory_bytes += impl_->templates.size() * (sizeof(WatchedTemplate) - sizeof(CountSeries)) +
                        impl_->services.size() * (sizeof(WatchedService) - 2 * sizeof(CountSeries));
  return stats;
}

}  // namespace nines::incident
