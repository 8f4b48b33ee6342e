// What TemplateWatch holds. Services are numbered in the order they came; a template of a service
// is found by a hash of both.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "incident/count_series.hpp"
#include "incident/hash.hpp"
#include "nines/incident/template_watch.hpp"

namespace nines::incident {

// Of a service, before anything is compared with them.
inline constexpr int64_t kLeastMinutes = 30;

// The longest silence of each of the last days.
struct Gaps {
  static constexpr size_t kDays = 8;
  std::array<uint16_t, kDays> longest{};  // slots + 1; 0: not heard, or not to be learned
  int64_t day = -1;                       // since 1970, the newest

  void turn_to(int64_t today) noexcept;
  void add(int64_t slots) noexcept;
  int64_t longest_slots() const noexcept;
  int days() const noexcept;
};

struct WatchedService {
  std::string name;
  Exposure exposure;
  CountSeries lines, errors;
  Gaps gaps;
  int64_t known_minutes = 0;
  WallTime last{};
  int64_t quiet_slots = 0;
  uint64_t heard_in = 0;  // stretch: that it was heard is noted
};

struct WatchedTemplate {
  uint32_t service = 0;
  TemplateId line = 0;
  bool error = false;
  WallTime first{}, last{};
  CountSeries series;
};

uint64_t watch_key(uint32_t service, TemplateId line, bool error) noexcept;

// What a service has logged and was forgotten for want of room: it is not new when it comes back.
// The last 4,096, as hashes of 32 bits of service name and line.
class ForgottenLines {
 public:
  static constexpr size_t kMost = 4096;
  void add(std::string_view service, TemplateId line);
  bool has(std::string_view service, TemplateId line) const noexcept;
  const std::vector<uint32_t>& hashes() const noexcept { return hashes_; }
  void restore(const std::vector<uint32_t>& hashes);
  size_t memory_bytes() const noexcept { return hashes_.capacity() * 4 + known_.size() * 24; }

 private:
  void add_hash(uint32_t hash);
  std::vector<uint32_t> hashes_;  // a ring when full
  size_t oldest_ = 0;
  std::unordered_map<uint32_t, uint32_t> known_;  // how often in the ring
};

// So that a name need not be copied to be looked up.
struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const noexcept {
    return std::hash<std::string_view>()(name);
  }
};

struct TemplateWatch::Impl {
  explicit Impl(WatchLimits given) : limits(given) { slots_how.fill({false, false}); }

  // A line mostly has the service of the one before it.
  WatchedService* service_of(std::string_view name) {
    const bool last =
        last_service < services.size() && same_text(services[last_service].name, name);
    return last ? &services[last_service] : find_service(name);
  }
  WatchedService* find_service(std::string_view name);
  WatchedTemplate& template_of(uint32_t service, TemplateId line, bool error, WallTime at) {
    const auto bits = static_cast<uint32_t>(line ^ (line >> 32)) + service * 13 + (error ? 7 : 0);
    uint32_t& guess = hints[bits % hints.size()];
    if (guess < templates.size()) {
      WatchedTemplate& guessed = templates[guess];
      if (guessed.line == line && guessed.service == service && guessed.error == error) {
        return guessed;
      }
    }
    const size_t found = find_template(service, line, error, at);
    guess = static_cast<uint32_t>(found);
    return templates[found];
  }
  size_t find_template(uint32_t service, TemplateId line, bool error, WallTime at);
  void announce(const WatchedService& service, TemplateId line, bool error, WallTime at);
  size_t room_for_template();
  void remove_template(size_t index);
  void remove_service(uint32_t index);
  void heard(WatchedService& service);
  size_t place_of(WallTime at) {
    return at.ns >= reach.from && at.ns < reach.until ? reach.place : find_place(at);
  }
  size_t find_place(WallTime at);

  void end_slot(Watched how);
  void end_minute();
  void fold(int64_t minute);
  void turn_hour(int64_t hour);
  void refresh();        // all that is usual: at the beginning of an hour
  void refresh_young();  // of series without a week, which follow their mean
  void clear_slots();
  Watched how_was(int64_t minute) const noexcept;

  uint64_t sum(const CountSeries& series, int64_t from, int64_t until) const noexcept;
  int64_t watched_slots(int64_t from, int64_t until) const noexcept;
  // Slots [first, slot) that are known and not older than the ring.
  int64_t first_slot(WallTime since) const noexcept;
  // The minute that runs has taken the place of the oldest.
  int64_t oldest_slot() const noexcept {
    return slot / kSlotsAMinute * kSlotsAMinute - (static_cast<int64_t>(kSlots) - kSlotsAMinute);
  }
  static size_t place(int64_t at) noexcept { return static_cast<size_t>(at) % kSlots; }
  template <class Visit>
  void each_series(Visit visit) {
    for (WatchedService& service : services) {
      visit(service.lines, service.exposure);
      visit(service.errors, service.exposure);
    }
    for (WatchedTemplate& line : templates) {
      visit(line.series, services[line.service].exposure);
    }
  }

  WatchLimits limits;
  int64_t slot = -1;       // that runs, since 1970
  int64_t learn_hour = 0;  // whose sums run; 0: none yet
  int64_t learn_week = 0;
  Watched how;
  std::array<Watched, kSlots> slots_how{};
  std::vector<WatchedService> services;
  std::vector<WatchedTemplate> templates;
  std::unordered_map<std::string, uint32_t, NameHash, std::equal_to<>> service_at;
  std::unordered_map<uint64_t, uint32_t> template_at;
  uint32_t last_service = 0;  // that was counted
  uint64_t stretch = 1;       // between two calls of advance(): nothing ends within it
  // Lines of [from, until) are counted at `place`, until the stretch ends.
  struct Reach {
    int64_t from = 0, until = 0;
    size_t place = 0;
  };
  Reach reach;
  // Where templates were found last, by some bits of what they are: a guess, to be tested.
  std::array<uint32_t, 256> hints{};
  ForgottenLines forgotten;
  std::vector<FirstSeen> first_seen;
  Stats stats;
};

}  // namespace nines::incident
