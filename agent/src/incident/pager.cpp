#include "incident/pager.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "http/message.hpp"
#include "incident/pager_turn.hpp"
#include "nines/incident/postmortem.hpp"
#include "view/text.hpp"

namespace nines::agent::incident {
namespace {

using nlohmann::json;

// Keys of documents; no incident is called so.
constexpr const char* kReminder = "reminder";
constexpr const char* kUnrouted = "unrouted";
constexpr int64_t kCountItemsNs = 60 * kNsPerSecond;
constexpr int kNothing = 4;  // less urgent than P3
constexpr size_t kMaxSuspect = 300, kMostItemsTold = 10;

bool told_by_alert(core::ConditionKind kind) {
  return kind == core::ConditionKind::burn_rate || kind == core::ConditionKind::node_silent;
}

// How urgent it is by what alerts told, and by everything else, since it was opened last.
struct Urgency {
  int by_alerts = kNothing, otherwise = kNothing;
  bool alert_holds = false;
};

Urgency urgency_of(const core::Incident& incident) {
  const WallTime start = std::max(incident.opened, incident.reopened);
  Urgency out;
  for (const core::IncidentCondition& one : incident.conditions) {
    if (!one.condition.holds && one.over < start) continue;
    const bool alert = told_by_alert(one.condition.kind);
    int& worst = alert ? out.by_alerts : out.otherwise;
    worst = std::min(worst, one.condition.priority);
    out.alert_holds = out.alert_holds || (alert && one.condition.holds);
  }
  if (!incident.severity_by.empty() || incident.conditions.empty()) {
    out.otherwise = incident.severity;
  }
  return out;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string replaced(std::string text, std::string_view what, const std::string& by) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
  return text;
}

std::string runbook_of(const std::string& pattern, const core::Incident& incident) {
  if (pattern.empty()) return {};
  const std::string kind =
      incident.conditions.empty()
          ? "declared"
          : std::string(core::condition_kind_name(incident.conditions.front().condition.kind));
  std::string link = replaced(pattern, "{kind}", http::percent_encode(kind));
  link = replaced(std::move(link), "{service}", http::percent_encode(incident.service));
  return replaced(std::move(link), "{severity}", view::priority_name(incident.severity));
}

// The first suspect, in a few words; empty: nobody is suspected yet.
std::string suspect_of(const core::Incident& incident) {
  const core::Evidence* const newest = incident.newest(core::EventKind::suspects);
  if (newest == nullptr) return {};
  std::string text = newest->entry.text;
  if (text.size() <= kMaxSuspect) return text;
  size_t end = kMaxSuspect;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

std::string since(WallTime from, WallTime to) {
  return format_duration_s(std::max<int64_t>(0, (to.ns - from.ns) / kNsPerSecond));
}

std::string sentence_of(const core::Incident& incident, std::string_view transition,
                        WallTime unanswered, WallTime now) {
  if (transition == "worse") {
    return "it is " + view::priority_name(incident.severity) + " now: " + incident.title;
  }
  if (transition == "reopened") return "it is back: " + incident.title;
  if (transition == "escalated") {
    return "nobody has acknowledged it for " + since(unanswered, now) + ": " + incident.title;
  }
  return incident.title;
}

WallTime time_of(const json& from, const char* key) { return {from.value(key, int64_t{0})}; }

}  // namespace

Pager::Pager(Parts parts) : parts_(std::move(parts)) {}

void Pager::restore(const std::vector<store::Document>& documents) {
  for (const store::Document& document : documents) {
    const auto from = json::parse(document.body, nullptr, false);
    if (!from.is_object()) continue;
    try {
      if (document.key == kReminder) {
        reminded_ = time_of(from, "at");
        overdue_since_ = time_of(from, "since");
        continue;
      }
      if (document.key == kUnrouted) {
        unrouted_ = from.value("alerts", decltype(unrouted_)());
        continue;
      }
      Told told;
      told.id = document.key;
      told.service = from.value("service", "");
      told.opened_on = from.value("opened_on", "");
      told.since = time_of(from, "since");
      told.at = time_of(from, "at");
      told.worst = from.value("worst", kNothing);
      told.page = from.value("page", false);
      told.ticket = from.value("ticket", false);
      told.everybody = from.value("everybody", false);
      told.reopens = from.value("reopens", 0);
      told.level = std::max(0, from.value("level", 0));
      told.unanswered = time_of(from, "unanswered");
      told.on_call = from.value("on_call", false);
      told.people = from.value("people", std::vector<std::string>());
      told.names = from.value("names", std::vector<std::string>());
      told.later = time_of(from, "later");
      told.digest = time_of(from, "digest");
      told.reach = from.value("reach", std::vector<std::string>());
      told.unreached = from.value("unreached", false);
      if (told_.size() < kMaxKept) told_[told.id] = std::move(told);
    } catch (const json::exception&) {  // damaged: it is told once more rather than never
    }
  }
}

store::Document Pager::document_of(const Told& told) const {
  json body = {{"service", told.service},
               {"opened_on", told.opened_on},
               {"since", told.since.ns},
               {"at", told.at.ns},
               {"worst", told.worst},
               {"page", told.page},
               {"ticket", told.ticket},
               {"everybody", told.everybody},
               {"reopens", told.reopens},
               {"level", told.level},
               {"unanswered", told.unanswered.ns}};
  if (told.on_call) {
    body.update({{"on_call", true},
                 {"people", told.people},
                 {"names", told.names},
                 {"later", told.later.ns},
                 {"digest", told.digest.ns},
                 {"reach", told.reach},
                 {"unreached", told.unreached}});
  }
  return {kDocuments, told.id, body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

store::Document Pager::reminder_document() const {
  const json body = {{"at", reminded_.ns}, {"since", overdue_since_.ns}};
  return {kDocuments, kReminder, body.dump()};
}

Pager::Decided Pager::look(const core::IncidentBook& book, WallTime now) {
  Turn turn{book, now, {}, {}};
  if (parts_.rules.tells != Tells::none) {
    core::BookQuery open;
    open.only_open = true;
    Incidents theirs;
    for (core::Incident& one : book.list(open, now)) {
      if ((parts_.mine && !parts_.mine(one)) || (parts_.quiet && parts_.quiet(one))) continue;
      opens(one, turn);
      theirs.emplace(one.id, std::move(one));
    }
    if (parts_.on_call) {
      for (const auto& [id, one] : theirs) go_on(one, turn);
      tell_digests(theirs, turn);
    }
    for (const core::Escalation& due : book.due(now)) {
      if (parts_.on_call) break;
      const auto incident = theirs.find(due.id);
      if (incident != theirs.end()) escalate(due, incident->second, turn);
    }
  }
  settle(turn);
  remind(turn);
  return std::move(turn.out);
}

Pager::Told* Pager::kept(const core::Incident& incident) {
  return const_cast<Told*>(std::as_const(*this).kept(incident));
}

const Pager::Told* Pager::kept(const core::Incident& incident) const {
  auto found = told_.find(incident.id);
  for (size_t i = 0; found == told_.end() && i < incident.aliases.size(); ++i) {
    found = told_.find(incident.aliases[i]);
  }
  return found != told_.end() ? &found->second : nullptr;
}

Pager::Told* Pager::keep(const core::Incident& incident, WallTime now) {
  if (told_.size() >= kMaxKept) {
    ++counters_.beyond;
    return nullptr;
  }
  Told& told = told_[incident.id];
  told.id = incident.id;
  told.service = incident.service.empty() ? "node" : incident.service;
  told.opened_on = incident.opened_on;
  told.since = incident.began;
  told.at = now;
  told.reopens = incident.reopens;
  told.unanswered = incident.unanswered_since;
  return &told;
}

// What is to be told of an incident that is open.
void Pager::opens(const core::Incident& incident, Turn& turn) {
  const bool all = parts_.rules.tells == Tells::all || parts_.on_call;
  const Urgency urgency = urgency_of(incident);
  const int by_alerts = all ? kNothing : urgency.by_alerts;
  const int own = all ? incident.severity : urgency.otherwise;
  Told* told = kept(incident);
  if (told == nullptr) {
    if (own >= by_alerts) return;
    told = keep(incident, turn.now);
    if (told == nullptr) return;
    const WallTime start = std::max(incident.opened, incident.reopened);
    const bool by_another =  // who was only chosen has perhaps not been told
        std::any_of(incident.pages.begin(), incident.pages.end(),
                    [&](const core::Entry& page) { return page.at >= start && !is_claim(page); });
    if (by_another && by_alerts == kNothing) {  // the node that told it before is gone
      told->worst = own;
      (incident.severity <= 1 ? told->page : told->ticket) = told->everybody = true;
      if (parts_.on_call) take_over(incident, *told, turn.now);
      turn.out.documents.push_back(document_of(*told));
      return;
    }
    ++(incident.reopens > 0 ? counters_.reopened : counters_.opened);
    const char* const begins = incident.reopens > 0 ? "reopened" : "opened";
    return tell(incident, *told, by_alerts != kNothing ? "worse" : begins, turn);
  }
  const bool waits = told->later != WallTime{} || told->digest != WallTime{};
  if (!parts_.on_call && waits) {  // there is no on-call any more that it could wait for
    told->on_call = false;
    told->later = told->digest = {};
    return tell(incident, *told, "opened", turn);
  }
  const bool back = incident.reopens > told->reopens && (all || !urgency.alert_holds);
  if (!back && own >= std::min(by_alerts, told->worst)) return;
  ++(back ? counters_.reopened : counters_.worse);
  tell(incident, *told, back ? "reopened" : "worse", turn);
}

void Pager::tell(const core::Incident& incident, Told& told, std::string_view transition,
                 Turn& turn) {
  if (!parts_.on_call) return fire(incident, told, transition, {}, turn);
  std::vector<std::string> names = parts_.on_call->shared(incident.severity <= 1);
  if (transition != "worse") told.people.clear();
  tell_next(incident, told, transition, std::move(names), turn);
}

void Pager::escalate(const core::Escalation& due, const core::Incident& incident, Turn& turn) {
  const auto& levels = parts_.rules.levels;
  const int64_t timer = parts_.rules.ack_s[std::clamp(due.severity, 0, 3)] * kNsPerSecond;
  if (due.level == 0 || levels.empty()) return;
  Told* told = kept(incident);
  if (told == nullptr) {  // alerts told it
    told = keep(incident, due.since);
    if (told == nullptr) return;
  }
  if (told->unanswered != due.since) {
    told->unanswered = due.since;
    told->level = 0;
  }
  const auto level = static_cast<size_t>(told->level);
  // Whoever was told has the whole time to answer, also when the agent was away.
  if (due.level <= told->level || level >= levels.size() || turn.now.ns - told->at.ns < timer) {
    return;
  }
  ++told->level;
  ++counters_.escalated;
  fire(incident, *told, "escalated", levels[level], turn);
}

void Pager::fire(const core::Incident& incident, Told& told, std::string_view transition,
                 std::vector<std::string> notify, Turn& turn) {
  slo::AlertEvent event;
  event.kind = slo::AlertEvent::Kind::fired;
  event.slo = told.id;
  event.service = told.service;
  event.rule = kRule;
  event.severity = incident.severity <= 1 ? "page" : "ticket";
  event.priority = incident.severity;
  event.at = turn.now;
  event.since = told.since;
  event.summary = told.unreached && transition == "escalated"
                      ? "who was told before cannot be reached: " + incident.title
                      : sentence_of(incident, transition, told.unanswered, turn.now);
  event.details = {{"incident", incident.id},
                   {"transition", std::string(transition)},
                   {"opened_on", told.opened_on}};
  const auto add = [&](const char* name, std::string value) {
    if (!value.empty()) event.details.emplace_back(name, std::move(value));
  };
  if (transition == "escalated") add("level", std::to_string(told.level));
  add("suspect", suspect_of(incident));
  add("runbook", runbook_of(parts_.rules.runbook, incident));
  (incident.severity <= 1 ? told.page : told.ticket) = true;
  told.everybody = told.everybody || notify.empty();
  event.notify = std::move(notify);
  if (transition != "escalated") told.worst = std::min(told.worst, incident.severity);
  told.reopens = incident.reopens;
  told.at = turn.now;
  turn.out.events.push_back(std::move(event));
  turn.out.documents.push_back(document_of(told));
}

// What is over, or known no more, is told to be over.
void Pager::settle(Turn& turn) {
  for (auto it = told_.begin(); it != told_.end();) {
    const auto incident = turn.book.find(it->second.id, turn.now);
    if (incident && !incident->over()) {
      ++it;
      continue;
    }
    resolve(it->second, incident ? &*incident : nullptr, turn);
    turn.out.documents.push_back({kDocuments, it->second.id, {}});
    it = told_.erase(it);
  }
}

void Pager::resolve(const Told& told, const core::Incident* incident, Turn& turn) {
  if (!told.page && !told.ticket) return;
  ++counters_.resolved;
  slo::AlertEvent event;
  event.kind = slo::AlertEvent::Kind::resolved;
  event.slo = told.id;
  event.service = told.service;
  event.rule = kRule;
  event.severity = told.page ? "page" : "ticket";
  event.priority = told.page ? std::min(told.worst, 1) : std::clamp(told.worst, 2, 3);
  event.at = turn.now;
  event.since = told.since;
  event.details = {{"incident", incident != nullptr ? incident->id : told.id},
                   {"transition", "resolved"},
                   {"opened_on", told.opened_on}};
  event.summary = "it is over";
  if (incident != nullptr) {
    event.summary +=
        " after " + since(incident->began, incident->resolved) + ": " + incident->title;
    const std::string suspect = suspect_of(*incident);
    if (!suspect.empty()) event.details.emplace_back("suspect", suspect);
  }
  std::vector<std::string> by_name = told.on_call ? told.names : named(told.level);
  if (!told.everybody || told.on_call) {
    event.notify = std::move(by_name);
    turn.out.events.push_back(std::move(event));
    return;
  }
  turn.out.events.push_back(event);
  const PagerRules& rules = parts_.rules;
  const auto& deaf = told.page ? rules.no_pages : rules.no_tickets;
  std::erase_if(by_name, [&](const std::string& name) { return !contains(deaf, name); });
  if (told.page && told.ticket) {  // those that take no pages were told of it, too
    for (const std::string& name : rules.only_tickets) {
      if (!contains(by_name, name)) by_name.push_back(name);
    }
  }
  if (by_name.empty()) return;
  event.notify = std::move(by_name);
  turn.out.events.push_back(std::move(event));
}

// Whom the first levels told.
std::vector<std::string> Pager::named(int level) const {
  std::vector<std::string> out;
  const auto& levels = parts_.rules.levels;
  for (size_t i = 0; i < levels.size() && i < static_cast<size_t>(level); ++i) {
    for (const std::string& name : levels[i]) {
      if (!contains(out, name)) out.push_back(name);
    }
  }
  return out;
}

void Pager::remind(Turn& turn) {
  if (turn.now.ns - counted_.ns < kCountItemsNs && turn.now.ns >= counted_.ns) return;
  counted_ = turn.now;
  const bool told = overdue_since_ != WallTime{};
  if (parts_.rules.tells == Tells::none && !told) return;
  std::vector<core::Incident> mine = turn.book.list({}, turn.now);
  std::erase_if(mine, [&](const core::Incident& one) { return parts_.mine && !parts_.mine(one); });
  const auto overdue = core::overdue_items(mine, turn.now);
  if (overdue.empty() && !told) return;
  if (!overdue.empty() && told &&
      turn.now.ns - reminded_.ns < parts_.rules.remind_s * kNsPerSecond) {
    return;
  }
  slo::AlertEvent event;
  event.kind = overdue.empty() ? slo::AlertEvent::Kind::resolved : slo::AlertEvent::Kind::fired;
  event.slo = "action-items";
  event.service = "incidents";
  event.rule = "overdue";
  event.severity = "ticket";
  event.priority = 3;
  event.at = turn.now;
  if (!told) overdue_since_ = overdue.front().item.due;
  event.since = overdue_since_;
  event.details = {{"transition", overdue.empty() ? "resolved" : "overdue"}};
  event.summary = overdue.empty()
                      ? "no action item is overdue any more"
                      : std::to_string(overdue.size()) +
                            (overdue.size() == 1 ? " action item is" : " action items are") +
                            " overdue";
  for (size_t i = 0; i < overdue.size() && i < kMostItemsTold; ++i) {
    const core::OverdueItem& one = overdue[i];
    event.summary += (i == 0 ? ": " : "; ") + one.incident + " " + one.item.item + " " +
                     one.item.text + (one.item.owner.empty() ? "" : " (" + one.item.owner + ")") +
                     ", due " + format_rfc3339(to_ms(one.item.due));
  }
  reminded_ = turn.now;
  counters_.reminded += overdue.empty() ? 0 : 1;
  if (overdue.empty()) overdue_since_ = {};
  turn.out.documents.push_back(overdue.empty() ? store::Document{kDocuments, kReminder, {}}
                                               : reminder_document());
  turn.out.events.push_back(std::move(event));
}

void Pager::unrouted(const slo::AlertEvent& fired, std::vector<std::string> names) {
  if (unrouted_.size() >= kMaxKept) {
    ++counters_.beyond;
    return;
  }
  unrouted_[fired.slo + "/" + fired.rule] = std::move(names);
  unrouted_changed_ = true;
}

std::optional<std::vector<std::string>> Pager::ends_unrouted(const slo::AlertEvent& resolved) {
  auto was = unrouted_.extract(resolved.slo + "/" + resolved.rule);
  if (was.empty()) return std::nullopt;
  unrouted_changed_ = true;
  return std::move(was.mapped());
}

std::optional<store::Document> Pager::take_unrouted() {
  if (!std::exchange(unrouted_changed_, false)) return std::nullopt;
  if (unrouted_.empty()) return store::Document{kDocuments, kUnrouted, {}};
  const json body = {{"alerts", unrouted_}};
  return store::Document{kDocuments, kUnrouted,
                         body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

std::string incident_of_slo(const core::IncidentBook& book, std::string_view slo, WallTime now) {
  const std::string key = "burn/" + std::string(slo);
  for (const core::Incident& one : book.list({}, now)) {  // newest first
    for (const core::IncidentCondition& condition : one.conditions) {
      if (condition.condition.key == key) return one.id;
    }
  }
  return {};
}

}  // namespace nines::agent::incident
