#include "view/remedy_view.hpp"

#include <algorithm>

#include "nines/base/json_writer.hpp"
#include "view/metric_family.hpp"
#include "view/remedy_words.hpp"
#include "view/table.hpp"
#include "view/text.hpp"

namespace nines::agent::view {

using nines::remedy::Act;
using nines::remedy::Lesson;
using nines::remedy::RuleLife;

namespace {

void write_anchors(JsonWriter& json, const remedy::AuditAnchors& anchors) {
  json.key("heads").begin_array();
  for (const std::string& node : anchors.nodes()) {
    for (const remedy::Anchor& one : anchors.of(node)) {
      json.begin_object();
      json.member("node", node);
      json.member("number", one.head.number);
      json.member("hash", hex_of(one.head.hash));
      json.end_object();
    }
  }
  json.end_array();
  json.key("faults").begin_array();
  for (const auto& one : anchors.faults()) {
    json.begin_object();
    json.member("node", one.node);
    json.member("number", one.number);
    json.member("why", one.why);
    json.member("at", moment(one.at));
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string remedies_json(const remedy::Steward& steward, WallTime now) {
  const nines::remedy::Guard& guard = steward.guard();
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object();
  json.member("enabled", guard.limits().enabled);
  json.member("stopped", guard.stopped(now) || steward.broken() > 0);
  json.key("stops").begin_array();
  for (const auto& stop : guard.stops()) {
    json.begin_object();
    json.member("id", stop.uid());
    json.member("node", stop.node);
    json.member("who", stop.who.empty() ? std::string_view("nines") : std::string_view(stop.who));
    json.member("why", stop.text);
    json.member("at", moment(stop.at));
    json.end_object();
  }
  json.end_array();
  json.member("unread", steward.broken());
  json.member("breaker_open", guard.breaker_open(now));
  json.key("rules").begin_array();
  for (const RuleLife& rule : guard.rules()) write(json, rule, guard);
  json.end_array();
  json.key("acts").begin_array();
  for (const Act& act : guard.acts()) write(json, act);
  json.end_array();
  json.key("waiting").begin_array();
  for (const auto& one : steward.stood()) {
    json.begin_object();
    json.member("rule", one.rule);
    json.member("incident", one.incident);
    json.member("target", one.target);
    json.member("why", one.why);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out + "\n";
}

std::string remedies_table(const remedy::Steward& steward, WallTime now, size_t width) {
  const nines::remedy::Guard& guard = steward.guard();
  std::string out;
  if (!guard.limits().enabled) {
    out += "remediation is not enabled (remediation.enabled)\n";
  } else if (guard.stopped(now)) {
    out += "STOPPED: nothing is begun (nines remedy resume)\n";
  }
  for (const auto& stop : guard.stops()) {
    out += "  by " + (stop.who.empty() ? "nines" : printable(stop.who)) + " on " +
           printable(stop.node) + ", " + moment(stop.at);
    out += stop.text.empty() ? "\n" : ": " + printable(stop.text) + "\n";
  }
  if (steward.broken() > 0) {
    out += "HELD: " + std::to_string(steward.broken()) +
           " event(s) cannot be read and may be stops (nines remedy resume)\n";
  }
  const auto rules = guard.rules();
  if (rules.empty()) return out + "no rules\n";
  Table table({{"RULE"}, {"STATE"}, {"DOES"}, {"AGAINST"}, {"HITS", true, 2}});
  for (const RuleLife& rule : rules) {
    const std::string against = rule.signature.empty() ? rule.service : rule.signature;
    table.add({{printable(rule.rule)},
               {std::string(rule_state_name(rule.state))},
               {printable(rule.action.key())},
               {printable(against)},
               {std::to_string(rule.hits)}});
  }
  out += table.render(width, false);
  for (const RuleLife& rule : rules) {
    if (const auto others = opposed_to(rule, guard); !others.empty()) {
      out += "\n" + printable(rule.rule + " would undo, or be undone by: " + others) + "\n";
    }
  }
  const auto acts = guard.acts();
  if (!acts.empty()) {
    Table done(
        {{"ACT"}, {"RULE", false, 1}, {"TARGET"}, {"INCIDENT", false, 2}, {"BECAME"}, {"AT"}});
    constexpr size_t kShown = 10;
    for (size_t i = acts.size() - std::min(acts.size(), kShown); i < acts.size(); ++i) {
      const Act& act = acts[i];
      done.add({{act.id},
                {printable(act.rule)},
                {printable(act.target)},
                {act.incident},
                {std::string(phase_name(act.phase))},
                {moment(act.at)}});
    }
    out += "\n" + done.render(width, false);
  }
  for (const auto& one : steward.stood()) {
    if (one.why.empty()) continue;
    out +=
        "\n" + one.rule + " does nothing about " + one.incident + ": " + printable(one.why) + "\n";
  }
  return out;
}

std::string lessons_json(const std::vector<Lesson>& lessons) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_array();
  for (const Lesson& lesson : lessons) write(json, lesson);
  json.end_array();
  return out + "\n";
}

std::string lessons_table(const std::vector<Lesson>& lessons, size_t width) {
  if (lessons.empty()) return "nothing is known yet: too few actions with an outcome\n";
  Table table({{"AGAINST"},
               {"DO"},
               {"STANDING"},
               {"WORKED", true},
               {"AT LEAST", true},
               {"WHY NOT", false, 2}});
  for (const Lesson& lesson : lessons) {
    table.add({{printable(lesson.signature)},
               {printable(lesson.action.key())},
               {std::string(standing_name(lesson.standing))},
               {std::to_string(lesson.good) + " of " + std::to_string(lesson.n)},
               {share_text(lesson.success.low)},
               {printable(lesson.against)}});
  }
  return table.render(width, false);
}

std::string audit_json(const remedy::AuditLog& audit, const std::optional<AuditFault>& fault,
                       const remedy::AuditAnchors& anchors) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object();
  json.member("whole", !fault);
  if (fault) {
    json.member("first_fault", fault->number);
    json.member("why", fault->why);
  }
  json.member("head", audit.head().number);
  json.member("head_hash", hex_of(audit.head().hash));
  json.key("records").begin_array();
  for (const auto& record : audit.records()) {
    json.begin_object();
    json.member("number", record.number);
    json.member("hash", hex_of(record.hash));
    json.member("body", record.body);
    json.end_object();
  }
  json.end_array();
  write_anchors(json, anchors);
  json.end_object();
  return out + "\n";
}

std::string audit_verdict(const std::string& node, const remedy::AuditLog& audit,
                          const std::optional<AuditFault>& fault,
                          const remedy::AuditAnchors& anchors) {
  const auto faults = anchors.faults();
  std::string out = fault || !faults.empty() ? "NOT whole\n" : "whole\n";
  out += node + ": " + std::to_string(audit.records().size()) + " records, the newest is " +
         std::to_string(audit.head().number) + " " + hex_of(audit.head().hash) + "\n";
  if (fault) out += node + ": record " + std::to_string(fault->number) + ": " + fault->why + "\n";
  size_t seen = 0;
  for (const remedy::Anchor& one : anchors.of(node)) {
    if (!fault || one.head.number < fault->number) ++seen;
  }
  out += node + ": it agrees with " + std::to_string(seen) + " head(s) that others have heard\n";
  for (const std::string& other : anchors.nodes()) {
    const auto heads = anchors.of(other);
    if (other == node || heads.empty()) continue;
    const auto& head = heads.back().head;
    out += printable(other) + ": told of record " + std::to_string(head.number) + " " +
           hex_of(head.hash) + "\n";
  }
  for (const auto& one : faults) {
    if (one.node == node && fault) continue;
    out += printable(one.node) + ": record " + std::to_string(one.number) + ": " + one.why +
           " (found " + moment(one.at) + ")\n";
  }
  return out;
}

std::string remedy_metrics(const remedy::Steward& steward, const remedy::Curator& curator,
                           WallTime now) {
  const auto& counters = steward.counters();
  const MetricFamily families[] = {
      {"nines_remedy_stopped", "1: nothing is begun.", steward.guard().stopped(now) ? 1U : 0U},
      {"nines_remedy_shadow_hits_total", "Times a rule in shadow would have acted.",
       counters.shadow_hits},
      {"nines_remedy_intents_total", "Actions that were decided.", counters.intents},
      {"nines_remedy_done_total", "Actions that were done.", counters.done},
      {"nines_remedy_failed_total", "Actions that were not done, or failed.", counters.failed},
      {"nines_remedy_unknown_total", "Actions of which nobody heard the end at once.",
       counters.unknown},
      {"nines_remedy_rolled_back_total", "Actions that were undone.", counters.rolled_back},
      {"nines_remedy_paged_total", "Times a person was called.", counters.paged},
      {"nines_remedy_unwritten_total",
       "Decisions that could not be written, and were not acted on.", counters.unwritten},
      {"nines_remedy_held_total", "Looks while the stop file was there.", counters.held},
      {"nines_remedy_beyond_total", "Rules and incidents that had no room to be looked at.",
       counters.beyond},
      {"nines_remedy_heard_total", "Events of other nodes that were news.", counters.heard},
      {"nines_remedy_heard_refused_total",
       "Events of other nodes that were from the future, or had no room.", counters.heard_refused},
      {"nines_remedy_heard_invalid_total", "Events of other nodes that could not be read.",
       counters.heard_invalid},
      {"nines_remedy_switches_beyond_total",
       "Stops and demotions of a node that told more of them than it may: nothing is begun.",
       counters.switches_beyond},
      {"nines_remedy_unread", "Events that may be stops: nothing is begun.", steward.broken()},
      {"nines_remedy_breaker_open", "1: too many of the last acts failed, no rule acts by itself.",
       steward.guard().breaker_open(now) ? 1U : 0U},
      {"nines_remedy_demoted_total", "Rules that went back to shadow by what came of them.",
       counters.demoted},
      {"nines_remedy_dry_runs_total", "Rules that people tried out.", counters.dry_runs},
      {"nines_remedy_runs_total", "Rules that people ran.", counters.runs},
      {"nines_remedy_runs_refused_total", "Of those, for want of room.", counters.runs_refused},
      {"nines_remedy_drafted_total", "Rules that were drafted from what history proves.",
       curator.counters().drafted},
      {"nines_remedy_drafts_waiting_total",
       "Times such a draft found no room beside those that wait for a person.",
       curator.counters().no_room},
      {"nines_remedy_history_records", "Records that are learned from.", curator.records()},
      {"nines_remedy_audit_records", "Number of the newest record of the audit log.",
       steward.audit().head().number},
  };
  return metric_families(families);
}

}  // namespace nines::agent::view
