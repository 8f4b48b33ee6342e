#include "nines/incident/postmortem.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "incident/postmortem_evidence.hpp"
#include "incident/text.hpp"
#include "nines/incident/current_evidence.hpp"

namespace nines::incident {
namespace {

using Texts = std::vector<std::string>;

constexpr int64_t kSuspectChange_s = 1800;  // before it began
// What the process asks for: time to acknowledge by severity, and P0/P1 over within half an hour.
constexpr int64_t kAckTarget_s[4] = {300, 900, 3600, 0};
constexpr int64_t kRecoverTarget_s = 1800;
constexpr int64_t kDetectTarget_s = 300;

WallTime end_of(const Incident& i) {
  if (!i.over()) return {};
  return i.recovered != WallTime{} ? i.recovered : i.resolved;
}

// What happened, without the rule that says so and what else it knows.
std::string headline(const std::string& title) {
  return title.substr(0, std::min(title.find("; "), title.find(" (rule ")));
}

std::string by(const std::string& who) { return who.empty() ? "" : " by " + who; }

std::string list_of(const Texts& names, std::string_view none) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? std::string(none) : out;
}

std::string count_of(size_t n, const std::string& one) {
  return std::to_string(n) + " " + one + (n == 1 ? "" : "s");
}

// An incident that comes back was over in between.
struct Stretches {
  int64_t seconds = 0;
  size_t count = 0;
};
Stretches stretches_of(const Incident& i, WallTime until) {
  Stretches out;
  WallTime from = i.began, ended{};
  const auto close = [&](WallTime end) {
    if (from == WallTime{} || end < from) return;
    out.seconds += seconds_between(from, end);
    ++out.count;
    from = ended = {};
  };
  for (const HistoryEntry& h : i.history) {
    if (h.kind == EventKind::condition_ended) ended = h.at;
    if (h.kind == EventKind::resolved) close(ended != WallTime{} ? ended : h.at);
    const bool begins = h.kind == EventKind::condition_began || h.kind == EventKind::reopened;
    if (begins && from == WallTime{}) from = h.at;
  }
  close(until);
  return out;
}

void summarise(Postmortem& p, const Incident& i, const PostmortemFacts& facts) {
  p.summary.push_back("Date: " + date_text(i.began));
  const WallTime end = end_of(i);
  std::string duration = "not over yet";
  if (end != WallTime{}) {
    duration = span_text(seconds_between(i.began, end)) + " (" + moment_text(i.began) + " to " +
               moment_text(end) + ")";
  }
  if (const Stretches bad = stretches_of(i, end != WallTime{} ? end : p.as_of); bad.count > 1) {
    duration += ", " + span_text(bad.seconds) + " of it in " + std::to_string(bad.count) +
                " stretches, between which all was well";
  }
  p.summary.push_back("Duration: " + duration);
  p.summary.push_back("Severity: " + priority_text(i.severity) +
                      (i.severity_by.empty() ? "" : ", set by " + i.severity_by));
  p.summary.push_back("Services: " + list_of(i.services, "none named"));
  if (!i.nodes.empty()) p.summary.push_back("Nodes: " + list_of(i.nodes, ""));
  if (!i.aliases.empty()) p.summary.push_back("Also told as: " + list_of(i.aliases, ""));
  if (i.reopens > 0)
    p.summary.push_back("Reopened: " + count_of(static_cast<size_t>(i.reopens), "time"));
  if (!facts.earlier.empty()) {
    p.summary.push_back("Seen before: " + count_of(facts.earlier.size(), "time") + ", last as " +
                        facts.earlier.back().id);
  }
  for (size_t r = 0; r < kRoles; ++r) {
    if (i.roles[r].empty()) continue;
    p.summary.push_back(std::string(role_title(static_cast<Role>(r))) + ": " + i.roles[r]);
  }
  if (const Evidence* kind = current_evidence(i).failure_class) {
    p.summary.push_back("Kind: " + kind->entry.text + " (E" + std::to_string(kind->number) + ")");
  }
  if (const Evidence* impact = i.newest(EventKind::impact)) {
    p.impact = impact->entry.text + " (E" + std::to_string(impact->number) + ")";
  }
}

std::string what_of(const HistoryEntry& h) {
  const std::string text = h.text.empty() ? "" : ": " + h.text;
  switch (h.kind) {
    case EventKind::condition_began: return "Condition: " + headline(h.text);
    case EventKind::condition_ended: return "Condition over" + text;
    case EventKind::declared: return "Declared" + by(h.who) + text;
    case EventKind::acknowledged: return "Acknowledged" + by(h.who) + text;
    case EventKind::mitigated: return "Mitigated" + by(h.who) + text;
    case EventKind::resolved:
      return h.by_itself ? "Resolved: all conditions had been over for long enough"
                         : "Resolved" + by(h.who) + text;
    case EventKind::reopened: return "Reopened" + by(h.who) + text;
    case EventKind::severity_set: return "Severity set" + by(h.who) + text;
    case EventKind::role_assigned: return "Role assigned" + by(h.who) + text;
    case EventKind::note: return "Note" + by(h.who) + text;
    case EventKind::action: return "Action" + by(h.who) + text;
    case EventKind::communication_sent: return "Communication sent" + by(h.who) + text;
    case EventKind::page_sent: return "Page sent" + text;
    case EventKind::suspects: return "Suspects found" + text;
    case EventKind::impact: return "Impact measured" + text;
    case EventKind::diagnostics: return "Diagnostics taken" + text;
    case EventKind::cause_stated: return "Cause stated" + by(h.who) + text;
    case EventKind::item_added: return "Action item added" + by(h.who) + text;
    case EventKind::item_done: return "Action item done" + by(h.who) + text;
    case EventKind::linked: return "Linked" + by(h.who) + text;
  }
  return h.text;
}

std::string change_text(const slo::Change& c) {
  return std::string(slo::change_kind_name(c.kind)) +
         (c.service.empty() ? "" : " of " + c.service) + by(c.who) +
         (c.text.empty() ? "" : ": " + c.text);
}

// Suspects that were told together are one line, with their names in order; what speaks against
// each of them is under its number.
void tell_suspects(Postmortem& p, const Incident& i) {
  std::map<std::pair<WallTime, std::string>, std::map<std::string, const Evidence*>> together;
  for (const Evidence& e : i.evidence) {
    if (e.kind != EventKind::suspects) continue;
    const std::string* const rank = e.entry.detail("rank");
    if (rank == nullptr || suspect_name(e).empty()) {
      p.timeline.push_back({e.entry.at, "Suspects found: " + e.entry.text});
    } else {
      together[{e.entry.at, e.entry.node}][*rank] = &e;
    }
  }
  for (const auto& [told, ranked] : together) {
    std::string names;
    for (const auto& [rank, e] : ranked) {
      names +=
          (names.empty() ? "" : ", ") + suspect_name(*e) + " (E" + std::to_string(e->number) + ")";
    }
    p.timeline.push_back({told.first, "Suspects found: " + names});
  }
}

void tell_timeline(Postmortem& p, const Incident& i, const PostmortemFacts& facts) {
  p.timeline = facts.timeline;
  const bool kept = !facts.timeline.empty();
  for (const slo::Change& c : facts.changes) {
    if (!kept) p.timeline.push_back({c.at, "Change: " + change_text(c)});
  }
  if (i.began < i.opened) p.timeline.push_back({i.began, "It began to be wrong"});
  if (!kept) {
    const Evidence* const impact = i.newest(EventKind::impact);
    bool over = false, diagnosed = false;
    for (const HistoryEntry& h : short_history(i)) {
      // Earlier figures of what it cost are with the incident.
      const bool outdated = h.kind == EventKind::impact && impact != nullptr &&
                            (h.at != impact->entry.at || h.text != impact->entry.text);
      if (h.kind == EventKind::suspects || outdated) continue;
      if (h.kind == EventKind::diagnostics && std::exchange(diagnosed, true)) {
        p.timeline.push_back({h.at, "Diagnostics taken again: " + h.text});
        continue;
      }
      const bool back = over && h.kind == EventKind::condition_began;
      p.timeline.push_back({h.at, (back ? "It is back. " : "") + what_of(h)});
      over = h.kind == EventKind::resolved || (over && !back);
    }
    tell_suspects(p, i);
  }
  const WallTime end = end_of(i);
  if (end != WallTime{} && end < i.resolved) {
    p.timeline.push_back({end, "Recovered: no condition holds any more"});
  }
  std::stable_sort(p.timeline.begin(), p.timeline.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
}

std::vector<const slo::Change*> suspect_changes(const Incident& i, const PostmortemFacts& facts) {
  std::vector<const slo::Change*> out;
  for (const slo::Change& c : facts.changes) {
    const int64_t before = seconds_between(c.at, i.began);
    if (before >= 0 && before <= kSuspectChange_s) out.push_back(&c);
  }
  return out;
}

void find_factors(Postmortem& p, const Incident& i, const PostmortemFacts& facts) {
  std::set<std::string> told;  // changes that are suspects already
  for (const Evidence* e : current_evidence(i).suspects) {
    const std::string* wrong = e->entry.detail("wrong_if");
    p.factors.push_back({suspect_words(*e), e->number, wrong == nullptr ? "" : *wrong});
    if (const std::string* change = e->entry.detail("change")) told.insert(*change);
  }
  for (const slo::Change* c : suspect_changes(i, facts)) {
    if (c->id != 0 && told.contains(std::to_string(c->id))) continue;
    const std::string before = span_text(seconds_between(c->at, i.began));
    p.factors.push_back({change_text(*c) + ", " + before + " before it began", 0,
                         "the trouble began before the change reached any node, or is also "
                         "seen where the change was not made"});
  }
  for (const IncidentCondition& c : i.conditions) {
    const bool of_node = c.condition.service.empty();
    if (!of_node || i.service.empty()) continue;
    p.factors.push_back({c.condition.text, 0, "the node was in this state in quiet times, too"});
  }
}

void find_whys(Postmortem& p, const Incident& i) {
  const std::string what =
      i.title.empty() ? "this happen" : "this happen (" + headline(i.title) + ")";
  const auto ask = [&](std::string question, std::string answer) {
    const bool known = !answer.empty();
    p.whys.push_back({std::move(question), known ? std::move(answer) : "to be answered", known});
  };
  std::string first;
  if (const Evidence* e = i.newest(EventKind::suspects)) {
    first = "The evidence points here, unconfirmed (E" + std::to_string(e->number) +
            "): " + suspect_words(*e);
  }
  ask("Why did " + what + "?", first);
  std::string cause;
  if (!i.causes.empty()) cause = i.causes.back().text;
  ask("Why was that so?", cause);
  ask("Why could that get into production?", "");
  const int64_t unnoticed = seconds_between(i.began, i.opened);
  ask("Why was it not noticed earlier?",
      unnoticed > kDetectTarget_s ? ""
                                  : "It was noticed " + span_text(unnoticed) + " after it began");
  ask("Why did nothing prevent it?", "");
}

void analyse(Postmortem& p, const Incident& i, const PostmortemFacts& facts) {
  for (const IncidentCondition& c : i.conditions) {
    const WallTime end = c.condition.holds ? WallTime{} : c.over;
    p.what_happened.push_back(c.condition.text + " (" + priority_text(c.condition.priority) + ", " +
                              std::string(condition_kind_name(c.condition.kind)) + ", from " +
                              moment_text(c.condition.since) + " " +
                              (end == WallTime{} ? "on, not over yet" : "to " + moment_text(end)) +
                              ")");
  }
  if (i.conditions.empty()) p.what_happened.push_back(i.title);
  if (!i.causes.empty()) {
    const Entry& cause = i.causes.back();
    p.root_cause = cause.text + (cause.who.empty() ? "" : " (stated by " + cause.who + ")");
  }
  find_factors(p, i, facts);
  find_whys(p, i);
  p.evidence = findings_of(i);
}

void tell_resolution(Postmortem& p, const Incident& i) {
  for (const Entry& e : i.actions) {
    const std::string* outcome = e.detail("outcome");
    p.actions.push_back(
        clock_text(e.at) + by(e.who) + ": " + e.text +
        (outcome == nullptr ? " (outcome not recorded)" : " (outcome: " + *outcome + ")"));
  }
  for (const HistoryEntry& h : i.history) {
    if (h.kind != EventKind::mitigated) continue;
    p.mitigations.push_back(clock_text(h.at) + by(h.who) + ": " +
                            (h.text.empty() ? "mitigated; how is not recorded" : h.text));
  }
  if (!i.over()) {
    p.resolution = "Not resolved yet.";
  } else if (i.resolved_itself) {
    p.resolution = "It recovered at " + moment_text(i.recovered) +
                   " and stayed so; what made it recover is not recorded.";
  } else {
    p.resolution = (i.resolution.empty() ? "How is not recorded" : i.resolution) + " (" +
                   moment_text(i.resolved) + by(i.resolved_by) + ")";
  }
}

void judge(Postmortem& p, bool good, std::string text) {
  (good ? p.went_well : p.to_improve).push_back(std::move(text));
}

void learn(Postmortem& p, const Incident& i, const PostmortemFacts& facts) {
  const int64_t detect = seconds_between(i.began, i.opened);
  judge(p, detect <= kDetectTarget_s,
        "It was detected " + span_text(detect) +
            " after it began (aim: " + span_text(kDetectTarget_s) + ").");
  const int64_t aim = kAckTarget_s[std::clamp(i.severity, 0, 3)];
  if (i.first_acknowledged != WallTime{}) {
    const int64_t took = seconds_between(i.opened, i.first_acknowledged);
    const std::string text = "It was acknowledged " + span_text(took) + " after it was opened";
    judge(p, aim == 0 || took <= aim,
          text + (aim == 0
                      ? "."
                      : " (aim for " + priority_text(i.severity) + ": " + span_text(aim) + ")."));
  } else if (aim > 0) {
    judge(p, false, "Nobody acknowledged it.");
  }
  const WallTime end = end_of(i);
  if (end != WallTime{} && i.severity <= 1) {
    const Stretches bad = stretches_of(i, end);
    const int64_t took = bad.count > 1 ? bad.seconds : seconds_between(i.began, end);
    judge(p, took < kRecoverTarget_s,
          (bad.count > 1
               ? "It lasted " + span_text(took) + " in " + std::to_string(bad.count) + " stretches"
               : "It was over " + span_text(took) + " after it began") +
              " (aim for P0 and P1: less than " + span_text(kRecoverTarget_s) + ").");
  }
  if (i.severity <= 1 && i.roles[0].empty()) judge(p, false, "No Incident Commander was assigned.");
  if (i.severity <= 1 && i.communications.empty()) {
    judge(p, false, "No communication was recorded.");
  }
  if (i.reopens > 0) {
    judge(p, false,
          "It came back " + count_of(static_cast<size_t>(i.reopens), "time") +
              " after it had been resolved.");
  }
  if (!facts.earlier.empty()) {
    judge(p, false,
          "The same had happened " + count_of(facts.earlier.size(), "time") + " before, last as " +
              facts.earlier.back().id + ".");
  }
  if (i.causes.empty()) judge(p, false, "The root cause is not stated yet.");
}

void prevent(Postmortem& p, const Incident& i, const PostmortemFacts& facts) {
  for (const ActionItem& a : i.items) {
    if (a.done != WallTime{}) continue;
    const bool far = a.due != WallTime{} && seconds_between(p.as_of, a.due) > 28 * 86400;
    (far ? p.long_term : p.short_term).push_back(a.item + ": " + a.text);
  }
  if (!suspect_changes(i, facts).empty()) {
    p.short_term.push_back("Review what checked the change before it went out.");
  }
  if (facts.earlier.size() > 1) {
    p.long_term.push_back("This signature keeps coming (" + i.signature() +
                          "): what would end it for good is worth more than the next repair.");
  }
  const int64_t detect = seconds_between(i.began, i.opened);
  if (detect > kDetectTarget_s) {
    p.monitoring.push_back("It went unnoticed for " + span_text(detect) +
                           ": a faster rule or a shorter window would have told earlier (" +
                           i.signature() + ").");
  }
  if (i.declared) {
    p.monitoring.push_back("A person saw it first: no condition covers it.");
  }
}

}  // namespace

Postmortem postmortem_of(const Incident& i, const PostmortemFacts& facts, WallTime now) {
  Postmortem p;
  p.id = i.id;
  p.title = headline(i.title);
  p.severity = priority_text(i.severity);
  p.state = state_name(i.state);
  p.as_of = now;
  summarise(p, i, facts);
  tell_timeline(p, i, facts);
  analyse(p, i, facts);
  tell_resolution(p, i);
  learn(p, i, facts);
  p.items = i.items;
  prevent(p, i, facts);
  return p;
}

std::vector<OverdueItem> overdue_items(const std::vector<Incident>& incidents, WallTime now) {
  std::vector<OverdueItem> out;
  for (const Incident& i : incidents) {
    for (const ActionItem& item : i.items) {
      if (item.overdue(now)) out.push_back({i.id, item});
    }
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.item.due < b.item.due; });
  return out;
}

}  // namespace nines::incident
