// Router: whom a page goes to, and why. A pure function of the plan, the ledger and the request;
// integers only, ties broken by level and then by the person's id, so that all nodes agree.
//
//   cost = 4.000 * (not on the first level) + 1.000 * (each level beyond the second)
//        + 3.000 * fatigue + 2.000 * (1 - skill) + 1.000 * share
//
//   fatigue  of PageLedger
//   skill    (resolved + 1) / (told + 2) on that signature; who lists the service or the kind among
//            the skills has two resolved of two more
//   share    own pages of the last 28 days, over the mean of all candidates; at most 4
//
// Candidates are the people of the policy's levels now: who is on call by a schedule, or named.
// Nobody is routed to by skill alone: experts are suggestions. Not paged are: who is away, who was
// told of it already, whose cap is reached (whatever the severity: the next one is paged), and for
// P2 who has quiet hours. P3 pages nobody: it is for the digest of the next business day.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nines/base/json_writer.hpp"
#include "nines/oncall/page_ledger.hpp"
#include "nines/oncall/schedule.hpp"

namespace nines::oncall {

struct Weights {
  int64_t not_first = 4000, further_level = 1000, fatigue = 3000, skill = 2000, share = 1000;
};

struct Level {
  std::optional<uint32_t> schedule;  // whoever is on call by it
  std::vector<uint32_t> people;      // and these
};

struct Policy {
  std::string name;
  std::vector<std::string> services;  // empty: all that no other policy names
  std::vector<Level> levels;
  std::array<int64_t, 4> ack_s{300, 900, 3600, 0};  // by severity; 0: no timer
  // The digest: on the first of these days that is no holiday, at that time.
  Zone zone = utc_zone();
  uint8_t business_days = kWorkingDays;
  int32_t digest_at_s = 9 * 3600;
  Holidays holidays;
};

// Everything that the on-call document says. Immutable once made.
struct Plan {
  static constexpr size_t kMaxSchedules = 64, kMaxPolicies = 64, kMaxLevels = 8;
  std::shared_ptr<const Roster> roster;
  std::vector<Schedule> schedules;
  std::vector<Policy> policies;
  Weights weights;

  // The first that names the service, else the first that names none; nullptr: there is none.
  const Policy* policy_for(std::string_view service) const noexcept;
  const Policy* policy_named(std::string_view name) const noexcept;
  const Schedule* schedule_named(std::string_view name) const noexcept;
};

struct Request {
  int64_t at_s = 0;
  int severity = 1;  // P0..P3
  std::string service, signature;
  std::vector<uint32_t> told;  // who was told of it already
};

struct Term {
  const char* name;
  int64_t milli = 0;
  std::string why;
};

struct Candidate {
  uint32_t person = kNobody;
  uint32_t level = 0;
  int64_t cost_milli = 0;
  std::vector<Term> terms;  // they add up to cost_milli
  std::string blocked;      // why not; empty: may be paged
  bool free() const noexcept { return blocked.empty(); }
};

struct Expert {
  uint32_t person = kNobody;
  int64_t score_milli = 0;
  PageLedger::Tally on_signature, on_service;  // on_service: other signatures of it
  bool knows = false, away = false;
};

// Whom is told when, while nobody acknowledges.
struct Step {
  uint32_t person = kNobody;
  int64_t at_s = 0;
};

struct Route {
  static constexpr size_t kMaxExperts = 3, kMaxSteps = 8;
  const Policy* policy = nullptr;     // lives with the plan; nullptr: nobody is responsible
  std::vector<Candidate> candidates;  // who may be paged by cost, then the others by level
  std::vector<Step> chain;            // empty: nobody is paged now
  std::vector<Expert> experts;
  std::optional<int64_t> digest_s;  // P3: when it is told
  std::optional<int64_t> hold_s;    // P2: everybody has quiet hours until then
};

Route route(const Plan& plan, const PageLedger& ledger, const Request& request);

// When the next digest of a policy goes out: later than now_s.
int64_t next_digest(const Policy& policy, int64_t now_s);

// "4.250": thousandths.
std::string milli_text(int64_t milli);
// Every candidate with every term, for people.
std::string explain(const Plan& plan, const Request& request, const Route& route);
void write_json(JsonWriter& out, const Plan& plan, const Request& request, const Route& route);

}  // namespace nines::oncall
