#include "nines/oncall/router.hpp"

#include <algorithm>

#include "civil.hpp"

namespace nines::oncall {
namespace {

constexpr int64_t kShareS = 28 * kDayS, kMostShareMilli = 4000;

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Of "error_storm checkout".
std::string_view kind_of(std::string_view signature) {
  return signature.substr(0, signature.find(' '));
}

bool knows(const Person& person, const Request& request) {
  return person.knows(request.service) || person.knows(kind_of(request.signature));
}

struct Pool {
  const Plan& plan;
  const PageLedger& ledger;
  const Request& request;
  int64_t shared = 0, people = 0;  // pages of 28 days of all candidates
};

Term level_term(const Pool& pool, uint32_t level) {
  if (level == 0) return {"level", 0, "on the first level"};
  const Weights& weights = pool.plan.weights;
  return {"level", weights.not_first + (level - 1) * weights.further_level,
          "on level " + std::to_string(level + 1)};
}

Term fatigue_term(const Pool& pool, uint32_t person) {
  const int64_t fatigue = pool.ledger.fatigue_milli(person, pool.request.at_s);
  return {"fatigue", pool.plan.weights.fatigue * fatigue / 1000,
          "fatigue " + milli_text(fatigue) + ", " +
              std::to_string(pool.ledger.pages_within(person, pool.request.at_s, kDayS)) +
              " pages in 24h"};
}

Term skill_term(const Pool& pool, uint32_t person) {
  const auto tally = pool.ledger.tally(person, pool.request.signature, pool.request.at_s);
  const bool declared = knows(pool.plan.roster->people[person], pool.request);
  const int64_t prior = declared ? 2 : 0;
  const int64_t skill = 1000 * (tally.resolved + prior + 1) / (tally.told + prior + 2);
  return {"skill", pool.plan.weights.skill * (1000 - skill) / 1000,
          "resolved " + std::to_string(tally.resolved) + " of " + std::to_string(tally.told) +
              " like it" + (declared ? ", knows it" : "")};
}

int64_t pages_of_share(const Pool& pool, uint32_t person) {
  return pool.ledger.pages_within(person, pool.request.at_s, kShareS);
}

Term share_term(const Pool& pool, uint32_t person) {
  const int64_t own = pages_of_share(pool, person);
  const int64_t share =
      pool.shared == 0 ? 1000 : std::min(kMostShareMilli, own * pool.people * 1000 / pool.shared);
  return {"share", pool.plan.weights.share * share / 1000,
          std::to_string(own) + " of " + std::to_string(pool.shared) + " pages in 28d, " +
              milli_text(share) + " of a fair share"};
}

std::string blocked_by(const Pool& pool, uint32_t person) {
  const Request& request = pool.request;
  const Person& who = pool.plan.roster->people[person];
  if (std::find(request.told.begin(), request.told.end(), person) != request.told.end()) {
    return "was told already";
  }
  if (who.is_away(request.at_s)) return "is away";
  if (const auto cap = pool.ledger.cap_reached(person, request.at_s)) {
    return "has had " + std::to_string(cap->pages) + " pages within " +
           format_duration_s(cap->within_s);
  }
  if (request.severity > 2) return "P3 pages nobody";
  if (request.severity == 2 && who.is_quiet(request.at_s)) return "has quiet hours";
  return {};
}

std::vector<Candidate> candidates_of(const Plan& plan, const Policy& policy, int64_t at_s) {
  std::vector<Candidate> out;
  std::vector<bool> seen(plan.roster->people.size());
  for (size_t level = 0; level < policy.levels.size(); ++level) {
    std::vector<uint32_t> people;
    const Level& one = policy.levels[level];
    if (one.schedule) people.push_back(plan.schedules[*one.schedule].at(at_s).person);
    people.insert(people.end(), one.people.begin(), one.people.end());
    for (const uint32_t person : people) {
      if (person == kNobody || seen[person]) continue;
      seen[person] = true;
      Candidate candidate;
      candidate.person = person;
      candidate.level = static_cast<uint32_t>(level);
      out.push_back(std::move(candidate));
    }
  }
  return out;
}

void set_terms(const Pool& pool, Candidate& candidate) {
  candidate.terms = {level_term(pool, candidate.level), fatigue_term(pool, candidate.person),
                     skill_term(pool, candidate.person), share_term(pool, candidate.person)};
  for (const Term& term : candidate.terms) candidate.cost_milli += term.milli;
  candidate.blocked = blocked_by(pool, candidate.person);
}

std::vector<Expert> experts_of(const Plan& plan, const PageLedger& ledger, const Request& request) {
  std::vector<Expert> out;
  for (uint32_t i = 0; i < plan.roster->people.size(); ++i) {
    Expert one;
    one.person = i;
    one.knows = knows(plan.roster->people[i], request);
    one.away = plan.roster->people[i].is_away(request.at_s);
    one.on_signature = ledger.tally(i, request.signature, request.at_s);
    one.on_service = ledger.tally_of_service(i, request.service, request.signature, request.at_s);
    if (!one.knows && one.on_signature.resolved + one.on_service.resolved == 0) continue;
    // What is like it counts twice as much as what else happened to that service.
    const int64_t prior = one.knows ? 2 : 0;
    const int64_t good = 2 * one.on_signature.resolved + one.on_service.resolved + prior + 1;
    const int64_t all = 2 * one.on_signature.told + one.on_service.told + prior + 2;
    one.score_milli = 1000 * good / all;
    out.push_back(one);
  }
  const auto& people = plan.roster->people;
  std::sort(out.begin(), out.end(), [&](const Expert& a, const Expert& b) {
    if (a.away != b.away) return b.away;
    if (a.score_milli != b.score_milli) return a.score_milli > b.score_milli;
    if (a.on_signature.resolved != b.on_signature.resolved) {
      return a.on_signature.resolved > b.on_signature.resolved;
    }
    return people[a.person].id < people[b.person].id;
  });
  if (out.size() > Route::kMaxExperts) out.resize(Route::kMaxExperts);
  return out;
}

// The cheapest first, then level by level.
std::vector<Step> chain_of(const Route& route, const Request& request) {
  std::vector<const Candidate*> order;
  for (const Candidate& one : route.candidates) {
    if (one.free()) order.push_back(&one);
  }
  if (order.size() > 2) {
    std::stable_sort(order.begin() + 1, order.end(),
                     [](const Candidate* a, const Candidate* b) { return a->level < b->level; });
  }
  std::vector<Step> out;
  const int64_t ack = route.policy->ack_s[static_cast<size_t>(request.severity)];
  const size_t most = ack == 0 ? 1 : Route::kMaxSteps;
  for (size_t i = 0; i < std::min(most, order.size()); ++i) {
    out.push_back({order[i]->person, request.at_s + static_cast<int64_t>(i) * ack});
  }
  return out;
}

// When the first of those that only have quiet hours has none any more.
std::optional<int64_t> end_of_quiet(const Plan& plan, const Route& route, int64_t at_s) {
  constexpr int64_t kStepS = 300, kMostS = 7 * kDayS;
  for (int64_t t = at_s / kStepS * kStepS + kStepS; t <= at_s + kMostS; t += kStepS) {
    for (const Candidate& one : route.candidates) {
      if (one.blocked == "has quiet hours" && !plan.roster->people[one.person].is_quiet(t)) {
        return t;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

const Policy* Plan::policy_for(std::string_view service) const noexcept {
  const Policy* fallback = nullptr;
  for (const Policy& one : policies) {
    if (contains(one.services, service)) return &one;
    if (one.services.empty() && fallback == nullptr) fallback = &one;
  }
  return fallback;
}

const Policy* Plan::policy_named(std::string_view name) const noexcept {
  const auto found = std::find_if(policies.begin(), policies.end(),
                                  [&](const Policy& one) { return one.name == name; });
  return found == policies.end() ? nullptr : &*found;
}

const Schedule* Plan::schedule_named(std::string_view name) const noexcept {
  const auto found = std::find_if(schedules.begin(), schedules.end(),
                                  [&](const Schedule& one) { return one.name() == name; });
  return found == schedules.end() ? nullptr : &*found;
}

int64_t next_digest(const Policy& policy, int64_t now_s) {
  int64_t day = day_at(*policy.zone, now_s);
  for (int i = 0; i < 400; ++i, ++day) {
    const int64_t at_s = instant_of(*policy.zone, day * kDayS + policy.digest_at_s);
    const bool works = (policy.business_days >> weekday_of(day) & 1) != 0;
    if (at_s > now_s && works && !policy.holidays.has(day)) return at_s;
  }
  return now_s + kDayS;  // there is no business day at all
}

Route route(const Plan& plan, const PageLedger& ledger, const Request& request) {
  NINES_ASSERT(request.severity >= 0 && request.severity <= 3);
  Route out;
  out.policy = plan.policy_for(request.service);
  out.experts = experts_of(plan, ledger, request);
  if (out.policy == nullptr) return out;
  if (request.severity == 3) out.digest_s = next_digest(*out.policy, request.at_s);
  out.candidates = candidates_of(plan, *out.policy, request.at_s);
  Pool pool{plan, ledger, request};
  for (const Candidate& one : out.candidates) pool.shared += pages_of_share(pool, one.person);
  pool.people = static_cast<int64_t>(out.candidates.size());
  for (Candidate& one : out.candidates) set_terms(pool, one);
  const auto& people = plan.roster->people;
  std::sort(out.candidates.begin(), out.candidates.end(),
            [&](const Candidate& a, const Candidate& b) {
              if (a.free() != b.free()) return a.free();
              if (a.free() && a.cost_milli != b.cost_milli) return a.cost_milli < b.cost_milli;
              if (a.level != b.level) return a.level < b.level;
              return people[a.person].id < people[b.person].id;
            });
  out.chain = chain_of(out, request);
  if (out.chain.empty() && request.severity == 2) {
    out.hold_s = end_of_quiet(plan, out, request.at_s);
  }
  return out;
}

}  // namespace nines::oncall
