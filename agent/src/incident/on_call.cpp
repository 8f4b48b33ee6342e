#include "incident/on_call.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "nines/base/contract.hpp"

namespace nines::agent::incident {
namespace {

namespace oncall = nines::oncall;
using oncall::kNobody;

constexpr size_t kMostReasons = 3;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string service_of(const core::Incident& incident) {
  return incident.service.empty() ? "node" : incident.service;
}

bool equal_letters(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// "on call by primary", "on level 2 of all".
std::string duty_of(const oncall::Plan& plan, const oncall::Policy& policy, uint32_t level,
                    uint32_t person, int64_t at_s) {
  const oncall::Level& one = policy.levels[level];
  if (one.schedule && plan.schedules[*one.schedule].at(at_s).person == person) {
    return "on call by " + plan.schedules[*one.schedule].name();
  }
  return "on level " + std::to_string(level + 1) + " of " + policy.name;
}

std::string why_nobody(const oncall::Plan& plan, const oncall::Route& route,
                       const std::string& service, const std::vector<uint32_t>& unreachable) {
  if (route.policy == nullptr) return "no policy is for " + service;
  if (route.candidates.empty()) return "nobody is on call by policy " + route.policy->name;
  std::string out;
  for (size_t i = 0; i < route.candidates.size() && i < kMostReasons; ++i) {
    const oncall::Candidate& one = route.candidates[i];
    const bool reachable =
        std::find(unreachable.begin(), unreachable.end(), one.person) == unreachable.end();
    out += (out.empty() ? "" : ", ") + plan.roster->people[one.person].id + " " +
           (reachable ? one.blocked : "has no notifier here");
  }
  return out;
}

bool reaches(const OnCall::Notifier& notifier, const oncall::Person& person) {
  return contains(person.notify, notifier.name) ||
         (!notifier.chain.empty() && contains(person.notify, notifier.chain));
}

const std::shared_ptr<const oncall::Roster>& roster_of(const OnCall::Parts& parts) {
  NINES_ASSERT(parts.plan != nullptr);
  return parts.plan->roster;
}

// To the quarter of an hour; a week of nothing else ends as well.
WallTime end_of_quiet(const oncall::Person& person, WallTime now) {
  constexpr int64_t kStepS = 900, kMostS = 7 * 86'400;
  const int64_t from_s = now.seconds();
  int64_t t_s = from_s - from_s % kStepS + kStepS;
  while (t_s < from_s + kMostS && person.is_quiet(t_s)) t_s += kStepS;
  return WallTime::from_s(t_s);
}

// What history tells of a page: the first answer of this person, and the first end.
void add_end(const OnCall& on_call, const core::Incident& incident, oncall::Page& page) {
  using Kind = core::EventKind;
  bool answered = false;
  for (const core::HistoryEntry& one : incident.history) {
    if (one.at.seconds() < page.at_s) continue;
    const bool ours = !one.who.empty() && on_call.person_of(one.who) == page.person;
    answered = answered || one.kind == Kind::acknowledged || one.kind == Kind::action;
    if (one.kind == Kind::acknowledged && ours && page.acknowledged_s == 0) {
      page.acknowledged_s = one.at.seconds();
    }
    if (one.kind != Kind::resolved) continue;
    page.over_s = one.at.seconds();
    page.by_itself = one.by_itself && !answered;
    // Who answered a page of what then was over by itself has resolved it as well as anybody.
    page.resolved = ours || (one.by_itself && page.acknowledged_s != 0);
    return;
  }
}

}  // namespace

OnCall::OnCall(Parts parts) : parts_(std::move(parts)), imported_(roster_of(parts_)) {
  for (const oncall::Page& page : parts_.imported) imported_.add(page);
}

std::vector<OnCall::NotedPage> OnCall::pages(const core::IncidentBook& book, WallTime now) const {
  core::BookQuery all;
  all.limit = SIZE_MAX;
  std::vector<NotedPage> out;
  for (const core::Incident& incident : book.list(all, now)) {
    for (const core::Entry& entry : incident.pages) {
      const std::string* const who = entry.detail(kPagedPerson);
      const auto person = who == nullptr ? std::nullopt : plan().roster->find(*who);
      if (!person) continue;
      oncall::Page page;
      page.at_s = entry.at.seconds();
      page.person = *person;
      const std::string* const priority = entry.detail(kPagedPriority);
      const bool known = priority != nullptr && priority->size() == 1;
      page.severity = known ? std::clamp(priority->front() - '0', 0, 3) : incident.severity;
      page.service = incident.service;
      page.signature = incident.signature();
      add_end(*this, incident, page);
      out.push_back({incident.id, std::move(page)});
    }
  }
  std::sort(out.begin(), out.end(), [](const NotedPage& a, const NotedPage& b) {
    return std::tie(a.page.at_s, a.page.person, a.incident) <
           std::tie(b.page.at_s, b.page.person, b.incident);
  });
  return out;
}

oncall::PageLedger OnCall::ledger(const core::IncidentBook& book, WallTime now) const {
  oncall::PageLedger out = imported_;
  for (const NotedPage& one : pages(book, now)) out.add(one.page);
  return out;
}

oncall::Request OnCall::request_of(const core::Incident& incident, WallTime now) const {
  oncall::Request out;
  out.at_s = now.seconds();
  out.severity = std::clamp(incident.severity, 0, 3);
  out.service = service_of(incident);
  out.signature = incident.signature();
  return out;
}

OnCall::Choice OnCall::chosen(const oncall::Route& route, uint32_t person,
                              const oncall::Request& request) const {
  Choice out;
  out.person = person;
  out.id = plan().roster->people[person].id;
  out.notify = notifiers_of(person);
  for (const oncall::Candidate& one : route.candidates) {
    if (one.person != person) continue;
    out.why = duty_of(plan(), *route.policy, one.level, person, request.at_s);
  }
  for (const oncall::Expert& one : route.experts) {
    if (one.person == person || one.away) continue;
    out.experts += (out.experts.empty() ? "" : ", ") + plan().roster->people[one.person].id;
  }
  return out;
}

OnCall::Choice OnCall::choose(const oncall::PageLedger& ledger, const core::Incident& incident,
                              const std::vector<std::string>& told, WallTime now) const {
  oncall::Request request = request_of(incident, now);
  for (const std::string& id : told) {
    if (const auto person = plan().roster->find(id)) request.told.push_back(*person);
  }
  std::vector<uint32_t> unreachable;
  oncall::Route route = oncall::route(plan(), ledger, request);
  for (; !route.chain.empty(); route = oncall::route(plan(), ledger, request)) {
    const uint32_t person = route.chain.front().person;
    if (!notifiers_of(person).empty()) return chosen(route, person, request);
    unreachable.push_back(person);
    request.told.push_back(person);
  }
  Choice out;
  if (route.digest_s) out.digest = WallTime::from_s(*route.digest_s);
  if (route.hold_s) out.later = WallTime::from_s(*route.hold_s);
  out.why = why_nobody(plan(), route, request.service, unreachable);
  return out;
}

OnCall::Choice OnCall::of_digest(const oncall::PageLedger& ledger, const core::Incident& incident,
                                 WallTime now) const {
  oncall::Request request = request_of(incident, now);
  request.severity = 1;  // a digest wakes nobody: it has its own time
  const oncall::Route route = oncall::route(plan(), ledger, request);
  // By level, not by cost: reading mail in the morning is the work of whoever is on call.
  const oncall::Candidate* best = nullptr;
  for (const oncall::Candidate& one : route.candidates) {
    const bool there = !plan().roster->people[one.person].is_away(request.at_s) &&
                       !notifiers_of(one.person).empty();
    if (there && (best == nullptr || one.level < best->level)) best = &one;
  }
  if (best != nullptr) return chosen(route, best->person, request);
  Choice out;
  out.why = "whoever is on call is away or has no notifier here";
  return out;
}

int64_t OnCall::ack_ns(const core::Incident& incident) const {
  const oncall::Policy* const policy = plan().policy_for(service_of(incident));
  if (policy == nullptr) return 0;
  return policy->ack_s[static_cast<size_t>(std::clamp(incident.severity, 0, 3))] * kNsPerSecond;
}

std::string OnCall::policy_of(const core::Incident& incident) const {
  const oncall::Policy* const policy = plan().policy_for(service_of(incident));
  return policy == nullptr ? std::string() : policy->name;
}

bool OnCall::has(const std::string& notifier) const {
  return std::any_of(parts_.notifiers.begin(), parts_.notifiers.end(), [&](const Notifier& one) {
    return one.name == notifier || (!one.chain.empty() && one.chain == notifier);
  });
}

std::vector<std::string> OnCall::notifiers_of(uint32_t person) const {
  std::vector<std::string> out;
  for (const std::string& name : plan().roster->people[person].notify) {
    if (has(name) && !contains(out, name)) out.push_back(name);
  }
  return out;
}

bool OnCall::is_somebodys(const Notifier& notifier) const {
  const auto& people = plan().roster->people;
  return std::any_of(people.begin(), people.end(),
                     [&](const oncall::Person& one) { return reaches(notifier, one); });
}

OnCall::Awake OnCall::awake(bool page, WallTime now) const {
  Awake out{{kName}, {}};
  bool anybody = false;
  for (const Notifier& one : parts_.notifiers) {
    if (!(page ? one.pages : one.tickets) || contains(out.notify, one.name)) continue;
    bool asleep = false, reached = false;
    for (const oncall::Person& person : plan().roster->people) {
      if (!reaches(one, person)) continue;
      const bool quiet = person.is_quiet(now.seconds());
      asleep = asleep || quiet;
      reached = true;
      if (!quiet) continue;
      const WallTime end = end_of_quiet(person, now);
      if (!out.later || end < *out.later) out.later = end;
    }
    anybody = anybody || (reached && !asleep);
    if (!asleep) out.notify.push_back(one.name);
  }
  if (anybody) out.later.reset();
  return out;
}

std::vector<std::string> OnCall::everybody(bool page) const {
  std::vector<std::string> out = {kName};
  for (const Notifier& one : parts_.notifiers) {
    if ((page ? one.pages : one.tickets) && !contains(out, one.name)) out.push_back(one.name);
  }
  return out;
}

std::vector<std::string> OnCall::shared(bool page) const {
  std::vector<std::string> out = {kName};
  for (const Notifier& one : parts_.notifiers) {
    if ((page ? one.pages : one.tickets) && !is_somebodys(one) && !contains(out, one.name)) {
      out.push_back(one.name);
    }
  }
  return out;
}

std::optional<uint32_t> OnCall::owner_of(std::string_view notifier) const {
  const auto& people = plan().roster->people;
  std::optional<uint32_t> owner;
  for (uint32_t i = 0; i < people.size(); ++i) {
    const auto& ways = people[i].notify;
    if (std::find(ways.begin(), ways.end(), notifier) == ways.end()) continue;
    if (owner) return std::nullopt;
    owner = i;
  }
  return owner;
}

// By a link: "kim, by link to NOTIFIER", or without a name, then of whom that notifier is.
std::optional<uint32_t> OnCall::person_of(std::string_view who) const {
  constexpr std::string_view kByLink = "by link to ";
  if (who.starts_with(kByLink)) return owner_of(who.substr(kByLink.size()));
  who = who.substr(0, who.find(", by link to "));
  if (who.empty()) return std::nullopt;
  const auto& people = plan().roster->people;
  for (uint32_t i = 0; i < people.size(); ++i) {
    if (equal_letters(people[i].id, who)) return i;
  }
  for (uint32_t i = 0; i < people.size(); ++i) {
    if (equal_letters(people[i].name, who)) return i;
  }
  return std::nullopt;
}

bool is_claim(const core::Entry& page) {
  return page.detail(kPagedPerson) != nullptr || page.detail(kPagedNobody) != nullptr;
}

}  // namespace nines::agent::incident
