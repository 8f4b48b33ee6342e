#include "view/remedy_words.hpp"

#include <cmath>
#include <cstdio>

#include "nines/remedy/rule_check.hpp"

namespace nines::agent::view {

using nines::remedy::Act;
using nines::remedy::Guard;
using nines::remedy::Lesson;
using nines::remedy::Phase;
using nines::remedy::Reach;
using nines::remedy::RuleLife;

std::string moment(WallTime t) { return format_rfc3339(WallTime::from_s(t.seconds())); }

std::string_view phase_name(Phase phase) {
  switch (phase) {
    case Phase::intended: return "begun";
    case Phase::done: return "done";
    case Phase::in_doubt: return "in doubt";
    case Phase::good: return "helped";
    case Phase::failed: return "did not help";
    case Phase::not_done: return "not done";
    case Phase::settled: return "settled";
  }
  return "";
}

std::string share_text(double share) {
  if (!std::isfinite(share)) return "-";
  char out[32];
  std::snprintf(out, sizeof out, "%.0f %%", share * 100);
  return out;
}

std::string opposed_to(const RuleLife& rule, const Guard& guard) {
  std::string out;
  for (const RuleLife& other : opposing(rule, guard.rules(), guard.limits())) {
    out += (out.empty() ? "" : ", ") + other.rule;
  }
  return out;
}

void write(JsonWriter& json, const RuleLife& rule, const Guard& guard) {
  json.begin_object();
  json.member("rule", rule.rule);
  json.member("state", rule_state_name(rule.state));
  json.member("action", rule.action.key());
  json.member("signature", rule.signature);
  json.member("service", rule.service);
  json.member("shadow_hits", rule.hits);
  json.member("failures_in_a_row", static_cast<int64_t>(rule.failures));
  json.member("demotions", rule.demotions);
  if (rule.since.ns != 0) json.member("since", moment(rule.since));
  json.member("asks_each_time", reach_of(rule.action, guard.limits()) == Reach::irreversible);
  if (const auto others = opposed_to(rule, guard); !others.empty()) json.member("opposes", others);
  json.end_object();
}

void write(JsonWriter& json, const Act& act) {
  json.begin_object();
  json.member("id", act.id);
  json.member("rule", act.rule);
  json.member("action", act.action.key());
  json.member("target", act.target);
  json.member("incident", act.incident);
  json.member("phase", phase_name(act.phase));
  json.member("at", moment(act.at));
  if (act.ended.ns != 0) json.member("ended", moment(act.ended));
  if (!act.undoes.empty()) json.member("undoes", act.undoes);
  if (!act.before.empty()) json.member("before", act.before);
  if (!act.who.empty()) json.member("who", act.who);
  json.end_object();
}

void write_number(JsonWriter& json, const char* name, double value) {
  json.key(name);
  if (std::isfinite(value)) {
    json.value(value);
  } else {
    json.null();
  }
}

std::string span_text(double seconds) {
  if (!std::isfinite(seconds)) return "-";
  const auto whole = static_cast<int64_t>(std::llround(std::fabs(seconds)));
  return (seconds < 0 && whole > 0 ? "-" : "") + format_duration_s(whole);
}

std::string range_text(const nines::remedy::Interval& of) {
  if (!std::isfinite(of.low) || !std::isfinite(of.high)) return "-";
  char out[48];
  std::snprintf(out, sizeof out, "%.0f-%.0f %%", of.low * 100, of.high * 100);
  return out;
}

void write(JsonWriter& json, const Lesson& lesson) {
  json.begin_object();
  json.member("signature", lesson.signature);
  json.member("action", lesson.action.key());
  json.member("standing", standing_name(lesson.standing));
  json.member("good", lesson.good);
  json.member("n", lesson.n);
  write_number(json, "success_low", lesson.success.low);
  write_number(json, "success_high", lesson.success.high);
  write_number(json, "gain", lesson.gain);
  write_number(json, "p_adjusted", lesson.adjusted);
  if (!lesson.against.empty()) json.member("against", lesson.against);
  json.end_object();
}

}  // namespace nines::agent::view
