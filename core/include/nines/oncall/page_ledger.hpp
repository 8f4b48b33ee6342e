// PageLedger: who was paged when, for what, and what came of it: what fatigue, fair share, skill
// and caps are reckoned from. All in integers, so that every node and machine routes alike.
//
// Fatigue: each page counts 1.000 and half as much every 12 h (to the quarter of an hour), twice
// as much when it came between 22:00 and 07:00 where that person lives.
//
// Not thread-safe. Memory: 48 bytes a page and the signatures; beyond Limits the oldest pages go,
// and what is beyond the signatures has none, both counted.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/oncall/roster.hpp"

namespace nines::oncall {

// One person was told of one incident, once.
struct Page {
  int64_t at_s = 0;
  uint32_t person = kNobody;
  int severity = 1;  // P0..P3
  std::string service;
  std::string signature;       // Incident::signature(): kind and service
  int64_t acknowledged_s = 0;  // by this person; 0: never
  int64_t over_s = 0;          // the incident was; 0: it is not
  bool resolved = false;       // by this person
  bool by_itself = false;      // nobody did anything about it
};

class PageLedger {
 public:
  struct Limits {
    size_t pages = 20'000, signatures = 4096;
  };
  struct Entry {
    int64_t at_s = 0, acknowledged_s = 0, over_s = 0;
    uint32_t signature = 0, service = 0;  // name() of them; 0: none
    int8_t severity = 1;
    bool resolved = false, by_itself = false, night = false;
  };
  struct Tally {
    int64_t told = 0, resolved = 0;
  };

  explicit PageLedger(std::shared_ptr<const Roster> roster) : PageLedger(std::move(roster), {}) {}
  PageLedger(std::shared_ptr<const Roster> roster, Limits limits);

  // In any order; most cheaply in the order of time.
  void add(const Page& page);

  // Pages after `now_s` count nowhere.
  int64_t fatigue_milli(uint32_t person, int64_t now_s) const;
  int64_t pages_within(uint32_t person, int64_t now_s, int64_t within_s) const;
  // The cap that one page more would exceed.
  std::optional<Cap> cap_reached(uint32_t person, int64_t now_s) const;
  // Pages of that signature; of that service with any other signature.
  Tally tally(uint32_t person, std::string_view signature, int64_t now_s) const;
  Tally tally_of_service(uint32_t person, std::string_view service, std::string_view but_signature,
                         int64_t now_s) const;

  // By time.
  const std::vector<Entry>& pages_of(uint32_t person) const { return pages_[person]; }
  const std::string& name(uint32_t id) const { return names_[id]; }
  const Roster& roster() const noexcept { return *roster_; }

  struct Counters {
    uint64_t forgotten = 0;  // pages that made room
    uint64_t unnamed = 0;    // beyond the signatures
    uint64_t strangers = 0;  // of people who are not in the roster
  };
  const Counters& counters() const noexcept { return counters_; }
  size_t size() const noexcept { return size_; }

 private:
  uint32_t intern(const std::string& name);
  uint32_t find(std::string_view name) const;

  std::shared_ptr<const Roster> roster_;
  Limits limits_;
  std::vector<std::vector<Entry>> pages_;
  std::vector<std::string> names_{""};
  std::map<std::string, uint32_t, std::less<>> ids_;
  size_t size_ = 0;
  Counters counters_;
};

}  // namespace nines::oncall
