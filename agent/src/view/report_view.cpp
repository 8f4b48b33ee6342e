#include "view/report_view.hpp"

#include "view/changes_view.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using slo::Period;
using slo::SloReport;
using slo::WindowCounts;

std::string moment(WallTime t) { return format_rfc3339(WallTime::from_s(t.seconds())); }
std::string day(WallTime t) { return moment(t).substr(0, 10); }

// A cell of a Markdown table or a bullet: names and texts may come from anywhere.
std::string safe(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    if (std::string_view("|\\`*_<>[]#").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string duration(const std::optional<int64_t>& seconds) {
  if (!seconds) return "-";
  const int64_t s = *seconds;
  const auto join = [](int64_t big, const char* unit, int64_t small, const char* smaller) {
    return std::to_string(big) + " " + unit +
           (small == 0 ? "" : " " + std::to_string(small) + " " + smaller);
  };
  if (s >= 86400) return join(s / 86400, "d", s % 86400 / 3600, "h");
  if (s >= 3600) return join(s / 3600, "h", s % 3600 / 60, "min");
  if (s >= 60) return join(s / 60, "min", s % 60, "s");
  return std::to_string(s) + " s";
}

std::string share_of(const slo::Compliance& c) {
  return std::to_string(c.met) + " of " + std::to_string(c.counted) + " (" + percent(c.share()) +
         ")";
}

int64_t whole(int64_t number, const WindowCounts& w) { return number / w.scale; }

std::optional<double> sli_of(const WindowCounts& w) {
  if (w.total() == 0) return std::nullopt;
  return static_cast<double>(w.good) / static_cast<double>(w.total());
}

void append_overview(std::string& out, const Report& report) {
  out +=
      "| SLO | target | SLI | bad / allowed | budget used | met | days met | hours met | "
      "MTTR | MTBF |\n|---|---|---|---|---|---|---|---|---|---|\n";
  for (const SloReport& s : report.slos) {
    out += "| " + safe(s.slo) + " | " + exact_percent(s.target) + " | " + percent(s.sli) + " | " +
           std::to_string(whole(s.counts.bad, s.counts)) + " / " + std::to_string(s.allowed_bad) +
           " " + s.unit + " | " + percent(s.budget_used) + " | " +
           (s.counts.total() == 0 ? "no events"
            : s.met               ? "yes"
                                  : "**no**") +
           " | " + share_of(s.days) + " | " + share_of(s.hours) + " | " +
           duration(s.reliability.mttr_s) + " | " + duration(s.reliability.mtbf_s) + " |\n";
  }
}

void append_periods(std::string& out, const char* title, const std::vector<Period>& periods,
                    bool with_hour) {
  if (periods.empty()) return;
  out += std::string("\n") + title + ":\n\n";
  for (const Period& p : periods) {
    out += "- " + (with_hour ? moment(p.start) : day(p.start)) + ": " +
           std::to_string(whole(p.counts.bad, p.counts)) + " of " +
           std::to_string(whole(p.counts.total(), p.counts)) + " bad (SLI " +
           percent(sli_of(p.counts)) + ")\n";
  }
}

void append_weeks(std::string& out, const SloReport& s) {
  if (s.weeks.empty()) return;
  out += "\n| week from | " + s.unit + " | bad | SLI | met |\n|---|---|---|---|---|\n";
  for (const Period& w : s.weeks) {
    out += "| " + day(w.start) + " | " + std::to_string(whole(w.counts.total(), w.counts)) + " | " +
           std::to_string(whole(w.counts.bad, w.counts)) + " | " + percent(sli_of(w.counts)) +
           " | " +
           (w.counts.total() == 0 ? "-"
            : w.met               ? "yes"
                                  : "no") +
           " |\n";
  }
}

void append_incidents(std::string& out, const SloReport& s) {
  if (s.reliability.incidents.empty()) {
    out += "\nNo alert fired.\n";
    return;
  }
  out += "\n| alert | severity | times | open | mean time to resolve |\n|---|---|---|---|---|\n";
  for (const slo::FailureMode& m : s.reliability.modes) {
    const int64_t resolved = m.times - m.open;
    std::optional<int64_t> mean;
    if (resolved > 0) mean = m.total_s / resolved;
    out += "| " + safe(m.rule) + " | " + safe(m.severity) + " | " + std::to_string(m.times) +
           " | " + std::to_string(m.open) + " | " + duration(mean) + " |\n";
  }
}

void append_changes(std::string& out, const Report& report) {
  out += "\n## Changes\n\n";
  if (report.changes.empty()) out += "None were annotated.\n";
  for (const ChangeWithImpact& c : report.changes) {
    out += "- #" + std::to_string(c.change.id) + " " + moment(c.change.at) + " " +
           std::string(slo::change_kind_name(c.change.kind)) +
           (c.change.service.empty() ? "" : " of " + safe(c.change.service)) +
           (c.change.who.empty() ? "" : " by " + safe(c.change.who)) +
           (c.change.text.empty() ? "" : ": " + safe(c.change.text)) + "\n";
    for (const slo::Impact& impact : c.impacts) {
      out += "  - " + safe(impact.treated.slo) + ": " + difference_text(impact) + "\n";
    }
  }
}

void append_list(std::string& out, const char* title, const char* none,
                 const std::vector<slo::Change>& changes) {
  out += std::string("\n## ") + title + "\n\n";
  if (changes.empty()) out += std::string(none) + "\n";
  for (const slo::Change& c : changes) {
    const std::string* action = c.detail("action");
    out += "- " + moment(c.at) + " " + safe(c.service) +
           (action == nullptr ? "" : " " + safe(*action)) + " by " + safe(c.who) + ": " +
           safe(c.text) + "\n";
  }
}

void append_toil(std::string& out, const Report& report) {
  out += "\n## Toil\n\n";
  if (report.toil.empty()) {
    out += "No manual actions were annotated (`nines annotate --kind manual_action`).\n";
    return;
  }
  out += "| times | minutes | service | what | first | last |\n|---|---|---|---|---|---|\n";
  for (const slo::ToilItem& t : report.toil) {
    out += "| " + std::to_string(t.times) + " | " +
           (t.minutes == 0 ? "-" : std::to_string(t.minutes)) + " | " + safe(t.service) + " | " +
           safe(t.text) + " | " + day(t.first) + " | " + day(t.last) + " |\n";
  }
}

void write_periods(JsonWriter& json, std::string_view key, const std::vector<Period>& periods) {
  json.key(key).begin_array();
  for (const Period& p : periods) {
    json.begin_object().member("start", p.start).member("good", p.counts.good);
    json.member("bad", p.counts.bad)
        .member("total", p.counts.total())
        .member("scale", p.counts.scale);
    json.member("sli", sli_of(p.counts)).member("met", p.met).end_object();
  }
  json.end_array();
}

void write_seconds(JsonWriter& json, std::string_view key, const std::optional<int64_t>& value) {
  json.key(key);
  if (value) {
    json.value(*value);
  } else {
    json.null();
  }
}

void write_compliance(JsonWriter& json, std::string_view key, const slo::Compliance& c) {
  json.key(key).begin_object().member("met", c.met).member("counted", c.counted);
  json.member("share", c.share()).end_object();
}

void write_slo_report(JsonWriter& json, const SloReport& s) {
  json.begin_object().member("slo", s.slo).member("service", s.service);
  json.member("target", s.target).member("window", format_duration_s(s.window_s));
  json.member("good", s.counts.good).member("bad", s.counts.bad);
  json.member("total", s.counts.total()).member("unit", s.unit).member("scale", s.counts.scale);
  json.member("sli", s.sli);
  json.member("allowed_bad", s.allowed_bad).member("budget_used", s.budget_used);
  json.member("met", s.met).member("covered_s", s.counts.covered_s);
  write_compliance(json, "hours", s.hours);
  write_compliance(json, "days", s.days);
  write_periods(json, "weeks", s.weeks);
  write_periods(json, "worst_days", s.worst_days);
  write_periods(json, "worst_hours", s.worst_hours);
  write_seconds(json, "mttr_s", s.reliability.mttr_s);
  write_seconds(json, "mtbf_s", s.reliability.mtbf_s);
  json.key("incidents").begin_array();
  for (const slo::Incident& i : s.reliability.incidents) {
    json.begin_object().member("rule", i.rule).member("severity", i.severity);
    json.member("fired", i.fired).member("resolved", i.resolved).end_object();
  }
  json.end_array().key("failure_modes").begin_array();
  for (const slo::FailureMode& m : s.reliability.modes) {
    json.begin_object().member("rule", m.rule).member("severity", m.severity);
    json.member("times", m.times).member("open", m.open);
    json.member("total_s", m.total_s).end_object();
  }
  json.end_array().end_object();
}

void write_list(JsonWriter& json, std::string_view key, const std::vector<slo::Change>& changes) {
  json.key(key).begin_array();
  for (const slo::Change& change : changes) write_change(json, change);
  json.end_array();
}

}  // namespace

std::string report_json(const Report& report) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().member("node", report.node).member("from", report.from);
  json.member("to", report.to).member("made", report.made);
  json.key("slos").begin_array();
  for (const SloReport& s : report.slos) write_slo_report(json, s);
  json.end_array().key("changes").begin_array();
  for (const ChangeWithImpact& c : report.changes) {
    json.begin_object().key("change");
    write_change(json, c.change);
    json.key("impact").begin_array();
    for (const slo::Impact& impact : c.impacts) write_impact(json, impact);
    json.end_array().end_object();
  }
  json.end_array();
  write_list(json, "overrides", report.overrides);
  write_list(json, "exclusions", report.exclusions);
  json.key("toil").begin_array();
  for (const slo::ToilItem& t : report.toil) {
    json.begin_object().member("text", t.text).member("service", t.service);
    json.member("times", t.times).member("minutes", t.minutes);
    json.member("first", t.first).member("last", t.last).end_object();
  }
  json.end_array().end_object();
  return out += '\n';
}

std::string report_markdown(const Report& report) {
  std::string out = "# Service levels on " + safe(report.node) + ", " + day(report.from) + " to " +
                    moment(report.to) + "\n\n";
  append_overview(out, report);
  out +=
      "\nMTTR: from fired to resolved. MTBF: from the end of trouble to its next beginning. "
      "Days, hours and weeks (from Monday) are of UTC; those without events count neither as "
      "met nor as missed.\n";
  for (const SloReport& s : report.slos) {
    out += "\n## " + safe(s.slo) + " (" + safe(s.service) + ")\n";
    append_weeks(out, s);
    append_periods(out, "Worst days", s.worst_days, false);
    append_periods(out, "Worst hours", s.worst_hours, true);
    append_incidents(out, s);
  }
  append_changes(out, report);
  append_list(out, "Gate overrides", "None.", report.overrides);
  append_list(out, "Exclusions", "None.", report.exclusions);
  append_toil(out, report);
  return out;
}

}  // namespace nines::agent::view
