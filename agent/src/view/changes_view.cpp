#include "view/changes_view.hpp"

#include <cstdio>

#include "view/table.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using slo::Change;
using slo::Impact;
using slo::ReleaseWatch;
using slo::WindowCounts;

std::string moment(WallTime t) { return format_rfc3339(WallTime::from_s(t.seconds())); }

std::string counts(const WindowCounts& w) {
  return std::to_string(w.bad) + " of " + std::to_string(w.total());
}

std::string points(double share) {
  char text[40];
  const int n = std::snprintf(text, sizeof text, "%+.3g", 100 * share);
  return {text, static_cast<size_t>(n)};
}

void write_counts(JsonWriter& json, std::string_view key, const WindowCounts& w) {
  json.key(key).begin_object();
  json.member("good", w.good).member("bad", w.bad).member("total", w.total());
  json.member("covered_s", w.covered_s).member("start", w.start).member("end", w.end);
  json.end_object();
}

void write_watch(JsonWriter& json, const ReleaseWatch& w) {
  json.begin_object().member("slo", w.slo).member("service", w.service);
  json.member("verdict", slo::watch_verdict_name(w.verdict)).member("done", w.done);
  json.member("released", w.released).member("ends", w.ends);
  write_counts(json, "after", w.just_before.after);
  write_counts(json, "just_before", w.just_before.before);
  json.member("probability", w.just_before.probability);
  write_counts(json, "day_before", w.day_before.before);
  json.member("day_before_probability", w.day_before.probability);
  json.member("text", w.text).end_object();
}

void write_row(JsonWriter& json, const slo::ImpactRow& row) {
  json.begin_object().member("slo", row.slo).member("service", row.service);
  write_counts(json, "before", row.before);
  write_counts(json, "after", row.after);
  json.member("before_share", row.before_share).member("after_share", row.after_share);
  json.end_object();
}

std::string title_of(const Change& c) {
  return "#" + std::to_string(c.id) + " " + std::string(slo::change_kind_name(c.kind)) +
         (c.service.empty() ? "" : " of " + printable(c.service)) + " at " + moment(c.at);
}

void append_impact(std::string& out, const Impact& i) {
  const auto share = [](const std::optional<double>& s) { return percent(s); };
  out += "\n" + printable(i.treated.slo) + "\n";
  out += "  before   " + counts(i.treated.before) + " bad (" + share(i.treated.before_share) +
         "), " + moment(i.treated.before.start) + " .. " + moment(i.treated.before.end) + "\n";
  out += "  after    " + counts(i.treated.after) + " bad (" + share(i.treated.after_share) + "), " +
         moment(i.treated.after.start) + " .. " + moment(i.treated.after.end) + "\n";
  if (i.adjusted) {
    out += "  untouched services: " + counts(i.control_before) + " bad before, " +
           counts(i.control_after) + " after (" + std::to_string(i.controls.size()) + " SLO(s))\n";
  }
  out += "  => " + difference_text(i) + "\n";
  for (const std::string& doubt : i.doubts) out += "  ! " + printable(doubt) + "\n";
}

}  // namespace

void write_change(JsonWriter& json, const Change& c) {
  json.begin_object().member("id", c.id).member("at", c.at);
  json.member("from", c.from).member("to", c.to);
  json.member("kind", slo::change_kind_name(c.kind)).member("service", c.service);
  json.member("slo", c.slo).member("who", c.who).member("text", c.text);
  // A key may come more than once (the actions of a step): pairs, not an object.
  json.key("details").begin_array();
  for (const auto& [key, value] : c.details) {
    json.begin_object().member("key", key).member("value", value).end_object();
  }
  json.end_array().end_object();
}

std::string changes_json(const std::vector<Change>& changes) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_array();
  for (const Change& change : changes) write_change(json, change);
  json.end_array();
  return out += '\n';
}

std::string changes_table(const std::vector<Change>& changes, size_t width) {
  if (changes.empty()) return "no changes are known; `nines annotate` writes one\n";
  Table table({{"TEXT", false, 0},
               {"ID", true, 0},
               {"AT", false, 0},
               {"KIND", false, 0},
               {"SERVICE", false, 1},
               {"WHO", false, 2}});
  for (const Change& c : changes) {
    const std::string of = c.slo.empty() || c.slo == c.service ? c.service : c.slo;
    table.add({{printable(c.text)},
               {std::to_string(c.id)},
               {moment(c.at)},
               {std::string(slo::change_kind_name(c.kind))},
               {printable(of)},
               {printable(c.who)}});
  }
  return table.render(width, false);
}

std::string change_json(const Change& change, const std::vector<ReleaseWatch>& watches) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().key("change");
  write_change(json, change);
  json.key("watches").begin_array();
  for (const ReleaseWatch& watch : watches) write_watch(json, watch);
  json.end_array().end_object();
  return out += '\n';
}

std::string change_text(const Change& c, const std::vector<ReleaseWatch>& watches) {
  std::string out = title_of(c) + (c.who.empty() ? "" : " by " + printable(c.who)) + "\n";
  if (c.from != WallTime{}) out += "from " + moment(c.from) + " to " + moment(c.to) + "\n";
  if (!c.text.empty()) out += printable(c.text) + "\n";
  for (const auto& [key, value] : c.details) {
    out += "  " + printable(key) + ": " + printable(value) + "\n";
  }
  for (const ReleaseWatch& w : watches) {
    out += "watch " + std::string(slo::watch_verdict_name(w.verdict)) +
           (w.done ? ", ended " : ", until ") + moment(w.ends) + "\n  " + printable(w.text) + "\n";
  }
  return out;
}

std::string difference_text(const Impact& impact) {
  if (!impact.difference) return "no events before or after: nothing can be said";
  std::string out = points(*impact.difference) + " points of bad events";
  out += impact.adjusted ? ", difference in differences" : ", no untouched service to compare";
  out += "; 95 %: " + points(impact.interval.low) + " to " + points(impact.interval.high);
  if (!impact.significant) return out + " (may be nothing)";
  return out + (*impact.difference > 0 ? " (worse)" : " (better)");
}

void write_impact(JsonWriter& json, const Impact& impact) {
  json.begin_object().key("treated");
  write_row(json, impact.treated);
  json.key("controls").begin_array();
  for (const slo::ImpactRow& row : impact.controls) write_row(json, row);
  json.end_array().member("difference", impact.difference);
  json.member("plain_difference", impact.plain_difference);
  json.key("interval_95");
  if (impact.difference) {
    json.begin_array().value(impact.interval.low).value(impact.interval.high).end_array();
  } else {
    json.null();
  }
  json.member("adjusted", impact.adjusted).member("significant", impact.significant);
  json.member("summary", difference_text(impact));
  json.key("doubts").begin_array();
  for (const std::string& doubt : impact.doubts) json.value(doubt);
  json.end_array().end_object();
}

std::string impact_json(const Change& change, const std::vector<Impact>& impacts) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().key("change");
  write_change(json, change);
  json.key("slos").begin_array();
  for (const Impact& impact : impacts) write_impact(json, impact);
  json.end_array().end_object();
  return out += '\n';
}

std::string impact_text(const Change& change, const std::vector<Impact>& impacts) {
  std::string out = title_of(change) + "\n";
  if (impacts.empty()) out += "no SLO here belongs to it: nothing can be said\n";
  for (const Impact& impact : impacts) append_impact(out, impact);
  return out;
}

}  // namespace nines::agent::view
