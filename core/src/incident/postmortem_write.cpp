// A postmortem as Markdown and as JSON.
#include <algorithm>

#include "incident/text.hpp"
#include "nines/incident/postmortem.hpp"

namespace nines::incident {
namespace {

using Texts = std::vector<std::string>;

constexpr std::string_view kForPeople = "_To be filled in by those who were there._";

void add(std::string& out, std::string_view text) {
  out += text;
  out += '\n';
}
void section(std::string& out, std::string_view title) { add(out, "\n## " + std::string(title)); }
void part(std::string& out, std::string_view title) { add(out, "\n### " + std::string(title)); }

void add_list(std::string& out, const Texts& list, std::string_view none) {
  for (const std::string& text : list) add(out, "- " + text);
  if (list.empty()) add(out, none);
}

// In a cell of a table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string item_state(const ActionItem& a, WallTime now) {
  if (a.done != WallTime{}) return "done " + date_text(a.done);
  if (!a.overdue(now)) return "open";
  const int64_t days = seconds_between(a.due, now) / 86400;
  return "**overdue" + (days > 0 ? " by " + std::to_string(days) + " d" : std::string()) + "**";
}

void add_items(std::string& out, const Postmortem& p) {
  if (p.items.empty()) return add(out, "None recorded yet.");
  add(out, "| | Action | Owner | Due Date | Priority | State |");
  add(out, "|---|---|---|---|---|---|");
  for (const ActionItem& a : p.items) {
    add(out, "| " + a.item + " | " + cell(a.text) + " | " +
                 (a.owner.empty() ? "nobody yet" : cell(a.owner)) + " | " +
                 (a.due == WallTime{} ? "none" : date_text(a.due)) + " | " +
                 (a.priority.empty() ? "not set" : cell(a.priority)) + " | " +
                 item_state(a, p.as_of) + " |");
  }
}

void add_timeline(std::string& out, const Postmortem& p) {
  std::string day;
  for (const auto& line : p.timeline) {
    const std::string date = date_text(line.at);
    if (date != day && !day.empty()) add(out, "- _" + date + "_");
    day = date;
    const std::string_view order = line.order_unknown ? " (or before the line above)" : "";
    add(out, "- **" + clock_text(line.at) + "** - " + line.text + std::string(order));
  }
}

void add_analysis(std::string& out, const Postmortem& p) {
  part(out, "What Happened");
  add_list(out, p.what_happened, "Unknown.");
  part(out, "Why It Happened");
  add(out, p.root_cause.empty() ? "The root cause is not stated yet." : p.root_cause);
  add(out, "");
  for (size_t i = 0; i < p.whys.size(); ++i) {
    const auto& why = p.whys[i];
    add(out, std::to_string(i + 1) + ". " + why.question + " " +
                 (why.known ? why.answer : "_" + why.answer + "_"));
  }
  part(out, "Contributing Factors");
  for (const auto& f : p.factors) {
    add(out, "- " + f.text + (f.evidence == 0 ? "" : " (E" + std::to_string(f.evidence) + ")"));
    if (!f.wrong_if.empty()) add(out, "  - What would make this wrong: " + f.wrong_if);
  }
  if (p.factors.empty()) add(out, "None known.");
  if (p.evidence.empty()) return;
  part(out, "Evidence");
  for (const auto& e : p.evidence) {
    add(out, "- " + e.text);
    for (const std::string& line : e.lines) add(out, "  - " + line);
  }
}

void write_texts(JsonWriter& out, std::string_view name, const Texts& texts) {
  out.key(name).begin_array();
  for (const std::string& text : texts) out.value(text);
  out.end_array();
}

void write_analysis(JsonWriter& out, const Postmortem& p) {
  out.key("root_cause_analysis").begin_object();
  write_texts(out, "what_happened", p.what_happened);
  out.key("root_cause");
  if (p.root_cause.empty()) {
    out.null();
  } else {
    out.value(p.root_cause);
  }
  out.key("whys").begin_array();
  for (const auto& why : p.whys) {
    out.begin_object().member("question", why.question).member("answer", why.answer);
    out.member("known", why.known).end_object();
  }
  out.end_array().key("contributing_factors").begin_array();
  for (const auto& f : p.factors) {
    out.begin_object().member("text", f.text).key("evidence");
    if (f.evidence == 0) {
      out.null();
    } else {
      out.value("E" + std::to_string(f.evidence));
    }
    out.member("wrong_if", f.wrong_if).end_object();
  }
  out.end_array().key("evidence").begin_array();
  for (const auto& e : p.evidence) {
    std::string text = e.text;
    for (const std::string& line : e.lines) text += "; " + line;
    out.value(text);
  }
  out.end_array();
  out.end_object();
}

void write_items(JsonWriter& out, const Postmortem& p) {
  out.key("action_items").begin_array();
  for (const ActionItem& a : p.items) {
    out.begin_object().member("item", a.item).member("text", a.text).member("owner", a.owner);
    out.member("due", a.due).member("priority", a.priority).member("done", a.done);
    out.member("overdue", a.overdue(p.as_of)).end_object();
  }
  out.end_array();
}

}  // namespace

std::string postmortem_markdown(const Postmortem& p) {
  std::string out;
  add(out, "# Post-Incident Review: " + p.id + (p.title.empty() ? "" : ", " + p.title));
  add(out, "\nAs of " + moment_text(p.as_of) + ", state " + p.state +
               ". Written from what was recorded; all times are UTC.");
  section(out, "Incident Summary");
  add_list(out, p.summary, "");
  add(out, "- Impact: " + (p.impact.empty() ? "unknown" : p.impact));
  section(out, "Timeline");
  add_timeline(out, p);
  section(out, "Root Cause Analysis");
  add_analysis(out, p);
  section(out, "Resolution");
  part(out, "Immediate Actions");
  add_list(out, p.actions, "None recorded.");
  part(out, "Temporary Mitigations");
  add_list(out, p.mitigations, "None recorded.");
  add(out, "\n" + p.resolution);
  section(out, "Lessons Learned");
  part(out, "What Went Well");
  add_list(out, p.went_well, kForPeople);
  part(out, "What Could Be Improved");
  add_list(out, p.to_improve, kForPeople);
  section(out, "Action Items");
  add_items(out, p);
  section(out, "Prevention");
  part(out, "Short-term (1-4 weeks)");
  add_list(out, p.short_term, kForPeople);
  part(out, "Long-term (1-6 months)");
  add_list(out, p.long_term, kForPeople);
  part(out, "Monitoring Improvements");
  add_list(out, p.monitoring, kForPeople);
  return out;
}

void write_json(JsonWriter& out, const Postmortem& p) {
  out.begin_object().member("id", p.id).member("title", p.title);
  out.member("severity", p.severity).member("state", p.state).member("as_of", p.as_of);
  write_texts(out, "summary", p.summary);
  out.key("impact");
  if (p.impact.empty()) {
    out.null();
  } else {
    out.value(p.impact);
  }
  out.key("timeline").begin_array();
  for (const auto& line : p.timeline) {
    out.begin_object().member("at", line.at).member("text", line.text);
    out.member("order_unknown", line.order_unknown).end_object();
  }
  out.end_array();
  write_analysis(out, p);
  out.key("resolution").begin_object();
  write_texts(out, "immediate_actions", p.actions);
  write_texts(out, "temporary_mitigations", p.mitigations);
  out.member("text", p.resolution).end_object();
  out.key("lessons_learned").begin_object();
  write_texts(out, "went_well", p.went_well);
  write_texts(out, "to_improve", p.to_improve);
  out.end_object();
  write_items(out, p);
  out.key("prevention").begin_object();
  write_texts(out, "short_term", p.short_term);
  write_texts(out, "long_term", p.long_term);
  write_texts(out, "monitoring", p.monitoring);
  out.end_object().end_object();
}

}  // namespace nines::incident
