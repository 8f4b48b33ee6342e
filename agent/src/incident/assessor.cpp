#include "incident/assessor.hpp"

#include <algorithm>
#include <charconv>

#include "incident/diagnostics.hpp"

namespace nines::agent::incident {
namespace {

constexpr int64_t kFirstWaitNs = 480 * kNsPerSecond;  // from the last answer on: ten minutes in all
constexpr int64_t kResumeWaitNs = 60 * kNsPerSecond;
constexpr int64_t kMostWaitNs = 4 * 3600 * kNsPerSecond;
constexpr int64_t kChangesBeforeNs = core::kChangeWindowS * kNsPerSecond;
constexpr int64_t kTroubleBeforeNs = 1'800 * kNsPerSecond;
constexpr int64_t kOnsetErrorNs = core::kOnsetErrorS * kNsPerSecond;

// "97", "~1200" and ">=97" of an earlier life.
uint64_t users_told(const core::Incident& incident) {
  const core::Evidence* const newest = incident.newest(core::EventKind::impact);
  const std::string* const text = newest != nullptr ? newest->entry.detail("users") : nullptr;
  uint64_t users = 0;
  if (text == nullptr) return 0;
  const size_t digits = std::min(text->find_first_of("0123456789"), text->size());
  std::from_chars(text->data() + digits, text->data() + text->size(), users);
  return users;
}

WallTime end_of(const core::Incident& incident, WallTime now) {
  if (!incident.over()) return now;
  return incident.recovered.ns != 0 ? incident.recovered : incident.resolved;
}

size_t impacts_of(const core::Incident& incident) {
  return static_cast<size_t>(
      std::count_if(incident.evidence.begin(), incident.evidence.end(),
                    [](const core::Evidence& one) { return one.kind == core::EventKind::impact; }));
}

// Who was asked and not heard, and why, and whose clocks differ; empty: all were, and none.
std::string without(const Answer& answer) {
  std::string out;
  for (const auto& [node, why] : answer.missing) {
    out += (out.empty() ? " (without " : ", ") + node + ": " + why;
  }
  if (!out.empty()) out += ")";
  const std::string clocks = tell_clocks(answer.clocks);
  return clocks.empty() ? out : out + " (clocks: " + clocks + ")";
}

}  // namespace

Assessor::Assessor(const slo::SloEngine& engine, const core::IncidentBook& book, std::string node,
                   Parts parts, Out out)
    : engine_(engine),
      book_(book),
      node_(std::move(node)),
      parts_(std::move(parts)),
      out_(std::move(out)) {}

void Assessor::resume(const std::vector<core::Incident>& open, WallTime now) {
  life_began_ = now;
  for (const core::Incident& incident : open) {
    Case* const one = case_of(incident.id, incident.began);
    if (one == nullptr) return;
    one->impacts = impacts_of(incident);
    one->wait_ns = kFirstWaitNs;
    one->next = {now.ns + kResumeWaitNs};
  }
}

// An incident that is asked about anew (it is back) is a new case from its new onset on.
Assessor::Case* Assessor::case_of(const std::string& id, WallTime onset) {
  const auto found = cases_.find(id);
  if (found == cases_.end() && cases_.size() >= kMostCases) {
    ++dropped_;
    return nullptr;
  }
  Case& one = cases_[id];
  if (one.onset.ns == 0) {
    one.onset = onset;
  } else if (one.onset != onset) {
    one.diagnosed = one.suspected = false;
    one.onset = std::min(one.onset, onset);  // what it cost counts from the beginning
  }
  return &one;
}

void Assessor::ask(const FactsQuestion& question, std::function<void(Facts)> done) const {
  if (parts_.ask) {
    parts_.ask(question, std::move(done));
  } else {
    done({});
  }
}

std::vector<slo::Change> Assessor::changes_around(WallTime onset) const {
  if (!parts_.changes) return {};
  std::vector<slo::Change> out = parts_.changes();
  std::erase_if(out, [&](const slo::Change& change) {
    return change.at.ns < onset.ns - kChangesBeforeNs || change.at.ns > onset.ns + kOnsetErrorNs;
  });
  return out;
}

NodeFacts::Trouble Assessor::trouble_around(WallTime onset) const {
  if (parts_.node == nullptr) return {};
  return parts_.node->trouble({onset.ns - kTroubleBeforeNs});
}

void Assessor::answered(const std::string& id, WallTime onset, Answer answer, bool last,
                        WallTime now) {
  const auto incident = book_.find(id, now);
  if (!incident || incident->over() || case_of(id, onset) == nullptr) return;
  FactsQuestion question{onset, now, {}, slos_of(*incident, engine_), {}, true};
  for (const slo::Change& change : changes_around(onset)) {
    if (!change.service.empty()) question.changed.emplace_back(change.service, change.at);
  }
  for (const Suspicion& suspicion : answer.suspects) {
    if (question.suspected.size() == 3) break;
    question.suspected.push_back({suspicion.told.service, suspicion.told.line});
  }
  ask(question, [this, id, question, answer = std::move(answer), last](const Facts& facts) {
    conclude(id, question, answer, facts, last);
  });
}

void Assessor::conclude(const std::string& id, const FactsQuestion& asked, const Answer& answer,
                        const Facts& facts, bool last) {
  const auto incident = book_.find(id, asked.now);
  const auto found = cases_.find(id);
  if (!incident || found == cases_.end()) return;
  Case& one = found->second;
  const auto changes = changes_around(asked.onset);
  const CauseFacts known{asked.onset,
                         changes,
                         answer,
                         facts,
                         slo_shares(engine_, asked),
                         {incident->services.begin(), incident->services.end()},
                         book_.topology(),
                         trouble_around(asked.onset)};
  const Causes causes = rank(known, node_);
  tell_suspects(id, one, causes, answer);
  const bool begins = !one.diagnosed;
  if (begins || last || (!answer.suspects.empty() && !one.suspected)) {
    diagnose(id, one, asked, answer, facts);
  }
  one.diagnosed = true;
  one.suspected = one.suspected || !answer.suspects.empty();
  tell_class(id, one, *incident, known, causes);
  if (begins || last) tell_impact(*incident, one, facts, asked.now);
  if (last) {
    one.wait_ns = kFirstWaitNs;
    one.next = {asked.now.ns + one.wait_ns};
  }
}

// The first one is told last: the newest evidence is the strongest.
void Assessor::tell_suspects(const std::string& id, Case& one, const Causes& causes,
                             const Answer& answer) {
  if (causes.suspects.empty() || causes.suspects == one.suspects) return;
  one.suspects = causes.suspects;
  std::string news;
  for (const Told& told : causes.suspects) {
    news += (news.empty() ? " suspects: " : " | ") + told.text;
  }
  for (auto it = causes.suspects.rbegin(); it != causes.suspects.rend(); ++it) {
    Told told = *it;
    told.details.insert(told.details.begin() + 1, {"of", std::to_string(causes.suspects.size())});
    out_.write(id, std::move(told));
  }
  out_.news(id + news + without(answer));
}

void Assessor::tell_class(const std::string& id, Case& one, const core::Incident& incident,
                          const CauseFacts& known, const Causes& causes) {
  std::vector<core::Condition> conditions;
  for (const core::IncidentCondition& condition : incident.conditions) {
    conditions.push_back(condition.condition);
  }
  std::vector<core::FailureFact> facts = class_facts(known, causes);
  for (const uint32_t slo : slos_of(incident, engine_)) {
    const slo::SloSpec& spec = engine_.spec(slo);
    if (spec.indicator.kind != slo::SliKind::threshold) continue;
    facts.push_back({core::FactKind::slow, spec.service, 30, "its SLO " + spec.name + " burns"});
  }
  write_part(id, one, "class", {incident::tell_class(core::classify(conditions, facts))});
}

void Assessor::diagnose(const std::string& id, Case& one, const FactsQuestion& asked,
                        const Answer& answer, const Facts& facts) {
  Diagnosis diagnosis{asked, answer, facts, {}, {}, {}, trouble_around(asked.onset)};
  if (parts_.newcomers) diagnosis.newcomers = parts_.newcomers();
  if (parts_.node != nullptr) diagnosis.node = parts_.node->vitals(asked.now);
  if (parts_.changes) diagnosis.changes = parts_.changes();
  for (auto& [part, told] : diagnostics_of(diagnosis)) write_part(id, one, part, std::move(told));
}

void Assessor::write_part(const std::string& id, Case& one, const std::string& part,
                          std::vector<Told> told) {
  std::vector<Told>& before = one.parts[part];
  if (before == told) return;
  before = told;
  for (Told& page : told) out_.write(id, std::move(page));
}

void Assessor::tell_impact(const core::Incident& incident, Case& one, const Facts& facts,
                           WallTime now) {
  ImpactQuestion question;
  question.since = one.onset;
  question.until = end_of(incident, now);
  question.slos = slos_of(incident, engine_);
  question.restarted = life_began_ > one.onset && facts.users_from > one.onset;
  if (question.restarted) question.users_before = users_told(incident);
  Told told = incident::tell_impact(engine_, question, facts);
  if (told.text == one.impact) return;
  one.impact = told.text;
  ++one.impacts;
  out_.write(incident.id, std::move(told));
}

void Assessor::renew_impact(const std::string& id, WallTime now, bool over) {
  const auto incident = book_.find(id, now);
  const auto found = cases_.find(id);
  if (!incident || found == cases_.end()) return;
  FactsQuestion question{found->second.onset, now, {}, slos_of(*incident, engine_), {}, false};
  ask(question, [this, id, now, over](const Facts& facts) {
    const auto known = book_.find(id, now);
    const auto one = cases_.find(id);
    if (!known || one == cases_.end()) return;
    tell_impact(*known, one->second, facts, now);
    if (over) cases_.erase(one);
  });
}

void Assessor::ended(const std::string& id, WallTime now) { renew_impact(id, now, true); }

void Assessor::tick(WallTime now) {
  for (auto& [id, one] : cases_) {
    if (one.next.ns == 0 || now < one.next || one.impacts >= kMostImpacts) continue;
    one.wait_ns = std::min(2 * one.wait_ns, kMostWaitNs);
    one.next = {now.ns + one.wait_ns};
    renew_impact(id, now, false);
    break;  // one at a time: each takes the thread that reads a moment
  }
}

}  // namespace nines::agent::incident
