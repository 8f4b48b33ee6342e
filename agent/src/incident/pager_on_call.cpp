// The Pager where there is an on-call document: which person is told of an incident, and when the
// next one is.
#include <algorithm>
#include <utility>

#include "incident/pager_turn.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::agent::incident {
namespace {

namespace oncall = nines::oncall;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void add_new(std::vector<std::string>& to, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!contains(to, name)) to.push_back(name);
  }
}

bool unanswered(const core::Incident& incident) {
  return incident.state == core::State::open || incident.state == core::State::reopened;
}

// Some node looks after it since it was opened last.
bool is_claimed(const core::Incident& incident) {
  const WallTime start = std::max(incident.opened, incident.reopened);
  return std::any_of(incident.pages.begin(), incident.pages.end(),
                     [&](const core::Entry& page) { return page.at >= start && is_claim(page); });
}

std::string rows_of(const std::vector<const core::Incident*>& incidents) {
  std::string out;
  JsonWriter json(out);
  json.begin_array();
  for (const core::Incident* one : incidents) {
    json.begin_object().member("incident", one->id).member("service", one->service);
    json.member("title", one->title).member("since", one->began).end_object();
  }
  json.end_array();
  return out;
}

}  // namespace

const oncall::PageLedger& Pager::ledger(Turn& turn) const {
  if (!turn.ledger) turn.ledger.emplace(parts_.on_call->ledger(turn.book, turn.now));
  return *turn.ledger;
}

bool Pager::answers_for(const core::Incident& incident) const {
  if (!parts_.on_call || parts_.rules.tells == Tells::none) return false;
  const Told* const told = kept(incident);
  return (told != nullptr && told->on_call) || is_claimed(incident);
}

std::vector<std::string> Pager::heard_by(const core::Incident& incident) const {
  const Told* const told = kept(incident);
  const bool by_people =
      parts_.on_call && told != nullptr && told->on_call && !told->people.empty();
  return by_people && !told->everybody ? told->names : std::vector<std::string>();
}

// `names` hear it whoever is chosen. What becomes worse goes to whoever was told of it before, and
// only when that is nobody to the next.
void Pager::tell_next(const core::Incident& incident, Told& told, std::string_view transition,
                      std::vector<std::string> names, Turn& turn) {
  const OnCall& on_call = *parts_.on_call;
  std::vector<std::pair<std::string, std::string>> more;
  told.on_call = true;
  told.reach.clear();
  if (transition == "worse" && !told.people.empty()) {
    told.later = {};
    add_new(names, told.names);
  } else {
    const bool was_put_off = told.later != WallTime{};
    const OnCall::Choice choice = on_call.choose(ledger(turn), incident, told.people, turn.now);
    told.later = choice.later.value_or(WallTime{});
    told.digest = choice.digest.value_or(WallTime{});
    // What may wait wakes nobody, whoever it is for.
    const bool may_wait = incident.severity >= 2;
    const OnCall::Awake all =
        may_wait ? on_call.awake(false, turn.now) : OnCall::Awake{on_call.everybody(true), {}};
    const bool asleep = !choice.somebody() && !choice.later && !choice.digest && all.later;
    if (asleep) told.later = *all.later;
    const bool put_off = choice.later || choice.digest || asleep;
    told.everybody = !choice.somebody() && !put_off;
    if (choice.somebody()) {
      told.people.push_back(choice.id);
      add_new(names, choice.notify);
      told.reach = choice.notify;
      note_page(incident, choice, turn);
      more = {{kPagedPerson, choice.id}, {"why", choice.why}};
      if (!choice.experts.empty()) more.emplace_back("experts", choice.experts);
    } else if (told.everybody) {
      note_nobody(incident, "everybody", choice.why, turn);
      ++counters_.nobody;
      std::vector<std::string> these = all.notify;
      if (was_put_off) {  // what is nobody's heard of it at once
        std::erase_if(these, [&](const std::string& name) {
          return name != OnCall::kName && contains(told.names, name);
        });
      }
      add_new(names, these);
      more = {{"why", "everybody is told: " + choice.why}};
    } else {
      note_nobody(incident, choice.digest ? "digest" : "later", choice.why, turn);
      counters_.held += choice.digest ? 0 : 1;
    }
  }
  const bool unreached = std::exchange(told.unreached, false);
  if (transition == "worse") {
    told.reach = told.names;
    const auto shared = on_call.shared(incident.severity <= 1);
    std::erase_if(told.reach, [&](const std::string& name) { return contains(shared, name); });
  }
  add_new(told.names, names);
  if (names.empty()) {  // nobody hears of it now
    turn.out.documents.push_back(document_of(told));
    return;
  }
  told.unreached = unreached;  // for the sentence
  fire(incident, told, transition, std::move(names), turn);
  told.unreached = false;
  turn.out.documents.back() = document_of(told);
  for (auto& detail : more) turn.out.events.back().details.push_back(std::move(detail));
}

void Pager::note_page(const core::Incident& incident, const OnCall::Choice& choice, Turn& turn) {
  ++counters_.people;
  std::string by;
  for (const std::string& name : choice.notify) by += (by.empty() ? " by " : ", ") + name;
  const std::string priority = std::to_string(incident.severity);
  turn.out.notes.push_back({incident.id,
                            choice.why + ", is told" + by,
                            {{kPagedPerson, choice.id}, {kPagedPriority, priority}}});
  oncall::Page page;  // for what else is decided now
  page.at_s = turn.now.seconds();
  page.person = choice.person;
  page.severity = incident.severity;
  page.service = incident.service;
  page.signature = incident.signature();
  turn.ledger->add(page);
}

// For the other nodes: this one looks after it.
void Pager::note_nobody(const core::Incident& incident, const char* how, const std::string& why,
                        Turn& turn) {
  const char* const text = std::string_view(how) == "later"    ? "somebody is told later"
                           : std::string_view(how) == "digest" ? "it is for the digest"
                                                               : "everybody is told";
  turn.out.notes.push_back(
      {incident.id, why.empty() ? text : std::string(text) + ": " + why, {{kPagedNobody, how}}});
}

bool Pager::refused(const std::vector<std::string>& names, const slo::AlertEvent& event) {
  if (event.rule != kRule) return false;
  const auto found = told_.find(event.slo);
  if (found == told_.end()) return false;
  Told& told = found->second;
  const bool last = told.on_call && event.at == told.at && !told.reach.empty();  // that was told
  if (!last) return false;
  std::erase_if(told.reach, [&](const std::string& name) { return contains(names, name); });
  if (!told.reach.empty()) return false;
  told.unreached = true;
  ++counters_.refused;
  return true;
}

// The next one, when the last did not answer in time, or when quiet hours are over.
void Pager::go_on(const core::Incident& incident, Turn& turn) {
  Told* const told = kept(incident);
  if (told == nullptr || !unanswered(incident)) return;
  if (told->at > turn.now) {  // by a clock that was set back: all times count from now
    told->at = turn.now;
    if (told->later != WallTime{} || told->digest != WallTime{}) told->later = turn.now;
    told->digest = {};
  }
  if (told->digest != WallTime{}) return;
  if (told->later != WallTime{}) {
    if (turn.now < told->later) return;
    return tell_next(incident, *told, told->people.empty() ? "opened" : "escalated", {}, turn);
  }
  const int64_t time_ns = parts_.on_call->ack_ns(incident);
  const bool nobody_left = told->on_call && told->everybody;
  const bool in_time = time_ns == 0 || turn.now.ns - told->at.ns < time_ns;
  if (nobody_left || (in_time && !told->unreached)) return;
  told->unanswered = incident.unanswered_since;
  ++told->level;
  ++counters_.escalated;
  tell_next(incident, *told, "escalated", {}, turn);
}

// Of a node that is gone: who was chosen there was told, too. Where it had put that off, or nothing
// is known of anybody, somebody is chosen now, or put off anew.
void Pager::take_over(const core::Incident& incident, Told& told, WallTime now) {
  const WallTime start = std::max(incident.opened, incident.reopened);
  told.on_call = true;
  told.everybody = false;
  add_new(told.names, parts_.on_call->shared(incident.severity <= 1));
  for (const core::Entry& page : incident.pages) {
    const std::string* const who = page.detail(kPagedPerson);
    const std::string* const nobody = page.detail(kPagedNobody);
    if (page.at < start) continue;
    if (nobody != nullptr) told.everybody = *nobody == "everybody";
    if (who == nullptr) continue;
    add_new(told.people, {*who});
    told.at = page.at;
    if (const auto person = parts_.on_call->plan().roster->find(*who)) {
      add_new(told.names, parts_.on_call->notifiers_of(*person));
    }
  }
  if (told.people.empty() && !told.everybody) told.later = now;
}

// One message a policy, however many wait for it. It tells of rows: nothing that could be over.
void Pager::tell_digests(const Incidents& theirs, Turn& turn) {
  std::map<std::string, std::vector<const core::Incident*>> due;
  for (const auto& [id, incident] : theirs) {
    Told* const told = kept(incident);
    if (told == nullptr || told->digest == WallTime{} || turn.now < told->digest) continue;
    told->digest = {};
    turn.out.documents.push_back(document_of(*told));
    if (unanswered(incident)) due[parts_.on_call->policy_of(incident)].push_back(&incident);
  }
  for (const auto& [policy, incidents] : due) {
    ++counters_.digests;
    const OnCall::Choice choice =
        parts_.on_call->of_digest(ledger(turn), *incidents.front(), turn.now);
    counters_.nobody += choice.somebody() ? 0 : 1;
    slo::AlertEvent event;
    event.kind = slo::AlertEvent::Kind::rows;
    event.rule = "digest";
    event.severity = "ticket";
    event.priority = 3;
    event.at = turn.now;
    event.since = turn.now;
    for (const core::Incident* one : incidents) event.since = std::min(event.since, one->began);
    event.summary = "Digest of " + policy + ": " + std::to_string(incidents.size()) +
                    (incidents.size() == 1 ? " incident" : " incidents") + " of P3";
    event.rows = rows_of(incidents);
    event.notify = choice.somebody() ? choice.notify : parts_.on_call->everybody(false);
    event.details = {{"transition", "digest"}};
    if (choice.somebody()) event.details.emplace_back(kPagedPerson, choice.id);
    event.details.emplace_back("why", choice.why);
    turn.out.events.push_back(std::move(event));
  }
}

}  // namespace nines::agent::incident
