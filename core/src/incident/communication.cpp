#include "nines/incident/communication.hpp"

#include <algorithm>
#include <array>

#include "incident/text.hpp"

namespace nines::incident {
namespace {

constexpr size_t kMostLines = 10;  // of a list; people read these on a telephone

void line(std::string& out, std::string_view text) {
  out += text;
  out += '\n';
}
void item(std::string& out, std::string_view text) {
  out += "- ";
  line(out, text);
}

std::string or_unknown(const std::string& text) { return text.empty() ? "unknown" : text; }

std::string names(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& name : list) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::string next_update(const Incident& i, WallTime now, const CommunicationSettings& settings) {
  const int64_t in_s = settings.update_s[std::clamp(i.severity, 0, 3)];
  return moment_text({now.ns + in_s * kNsPerSecond});
}

void add_head(std::string& out, std::string_view title, const Incident& i) {
  line(out, "**" + std::string(title) + "**");
  out += '\n';
  line(out, "Incident ID: " + i.id);
}

void add_impact(std::string& out, const Incident& i) {
  line(out, "\nIMPACT:");
  const Evidence* impact = i.newest(EventKind::impact);
  item(out, impact == nullptr ? "Effect on users: unknown so far" : impact->entry.text);
  item(out, "Affected: " + (i.services.empty() ? or_unknown(names(i.nodes)) : names(i.services)));
}

void add_conditions(std::string& out, const Incident& i) {
  size_t count = 0;
  for (const IncidentCondition& c : i.conditions) {
    if (!c.condition.holds || ++count > kMostLines) continue;
    item(out, c.condition.text + " (since " + moment_text(c.condition.since) + ")");
  }
  if (count > kMostLines) item(out, "and " + std::to_string(count - kMostLines) + " more");
}

void add_status(std::string& out, const Incident& i) {
  switch (i.state) {
    case State::open: item(out, "Open; nobody has acknowledged it yet"); break;
    case State::reopened:
      item(out, "Reopened at " + moment_text(i.reopened) + "; nobody has acknowledged it yet");
      break;
    case State::acknowledged:
      item(out, "Investigating" +
                    (i.acknowledged_by.empty() ? "" : ": acknowledged by " + i.acknowledged_by) +
                    " at " + moment_text(i.acknowledged));
      break;
    case State::mitigated:
      item(out, "Mitigated at " + moment_text(i.mitigated) +
                    (i.mitigated_by.empty() ? "" : " by " + i.mitigated_by) + "; not resolved yet");
      break;
    case State::resolved: item(out, "Resolved at " + moment_text(i.resolved)); break;
  }
  if (!i.over() && !i.conditions.empty() && !i.holding()) {
    item(out, "No condition holds any more since " + moment_text(i.recovered));
  }
  add_conditions(out, i);
}

void add_actions(std::string& out, const Incident& i) {
  if (i.actions.empty()) item(out, "None recorded");
  const size_t skip = i.actions.size() > kMostLines ? i.actions.size() - kMostLines : 0;
  if (skip > 0) item(out, std::to_string(skip) + " earlier ones are left out");
  for (size_t n = skip; n < i.actions.size(); ++n) {
    const Entry& e = i.actions[n];
    const std::string* outcome = e.detail("outcome");
    item(out, clock_text(e.at) + (e.who.empty() ? "" : " " + e.who) + ": " + e.text +
                  (outcome == nullptr ? "" : " (outcome: " + *outcome + ")"));
  }
}

void add_open_items(std::string& out, const Incident& i, std::string_view none) {
  size_t count = 0;
  for (const ActionItem& a : i.items) {
    if (a.done != WallTime{} || ++count > kMostLines) continue;
    item(out, a.item + ": " + a.text + (a.owner.empty() ? " (no owner)" : " (" + a.owner + ")") +
                  (a.due == WallTime{} ? "" : ", due " + date_text(a.due)));
  }
  if (count == 0) item(out, none);
}

std::string cause_of(const Incident& i) {
  if (!i.causes.empty()) return i.causes.back().text;
  const Evidence* e = i.newest(EventKind::suspects);
  if (e == nullptr) return "Unknown so far";
  return "Not confirmed. First suspects (E" + std::to_string(e->number) + "): " + e->entry.text;
}

std::string initial(const Incident& i, WallTime now, const CommunicationSettings& settings) {
  std::string out;
  add_head(out, "INCIDENT", i);
  line(out, "Severity: " + priority_text(i.severity));
  line(out, "Service: " + or_unknown(i.service));
  line(out, "Started: " + moment_text(i.began));
  add_impact(out, i);
  line(out, "\nSTATUS:");
  add_status(out, i);
  item(out, "Next update: " + next_update(i, now, settings));
  const std::string& commander = i.roles[static_cast<size_t>(Role::commander)];
  line(out, "\nIncident Commander: " + (commander.empty() ? "not assigned" : commander));
  return out;
}

std::string update(const Incident& i, WallTime now, const CommunicationSettings& settings) {
  std::string out;
  add_head(out, "INCIDENT UPDATE", i);
  line(out, "Time: " + moment_text(now));
  line(out, "Severity: " + priority_text(i.severity));
  line(out, "\nCURRENT STATUS:");
  add_status(out, i);
  line(out, "\nACTIONS TAKEN:");
  add_actions(out, i);
  line(out, "\nNEXT STEPS:");
  add_open_items(out, i, "None recorded");
  line(out, "\nNext update: " + next_update(i, now, settings));
  return out;
}

std::string resolution(const Incident& i, const CommunicationSettings& settings) {
  std::string out;
  add_head(out, i.over() ? "INCIDENT RESOLVED" : "INCIDENT NOT RESOLVED YET", i);
  line(out, "Resolution Time: " + (i.over() ? moment_text(i.resolved) : "not yet"));
  const WallTime end = i.recovered != WallTime{} ? i.recovered : i.resolved;
  line(out, "Duration: " +
                (end == WallTime{} ? "not over yet" : span_text(seconds_between(i.began, end))));
  line(out, "\nRESOLUTION:");
  if (!i.resolution.empty()) {
    item(out, i.resolution);
  } else if (i.resolved_itself) {
    item(out,
         "It recovered at " + moment_text(i.recovered) + " and stayed so; nobody recorded a fix");
  } else {
    item(out, "Not recorded");
  }
  line(out, "\nROOT CAUSE:");
  item(out, cause_of(i));
  line(out, "\nNEXT STEPS:");
  item(out, "Post-incident review: no date is recorded");
  add_open_items(out, i, "No open action items are recorded");
  item(out, "Follow-up items are tracked " +
                (settings.tracker.empty() ? "with the incident" : "in " + settings.tracker));
  return out;
}

}  // namespace

std::string_view template_name(Template which) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"initial", "update", "resolution"};
  return kNames[static_cast<size_t>(which)];
}

std::string communication(Template which, const Incident& incident, WallTime now,
                          const CommunicationSettings& settings) {
  switch (which) {
    case Template::initial: return initial(incident, now, settings);
    case Template::update: return update(incident, now, settings);
    case Template::resolution: return resolution(incident, settings);
  }
  return {};
}

}  // namespace nines::incident
