#include "nines/incident/narrative.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <tuple>

#include "incident/text.hpp"
#include "nines/incident/current_evidence.hpp"

namespace nines::incident {
namespace {

constexpr size_t kMostNamed = 5;   // of a kind, in full sentences
constexpr double kLowBudget = 10;  // per cent
constexpr double kFastBurn = 1;

std::string number_text(double value) {
  char out[32];
  const double rounded = std::round(value * 10) / 10;
  const auto end = std::to_chars(out, out + sizeof out, rounded == 0 ? 0.0 : rounded).ptr;
  return std::string(out, end);
}

// Sentences made of words and facts.
class Teller {
 public:
  Teller& say(std::string_view words) {
    sentence_.text += words;
    return *this;
  }
  Teller& fact(const std::string& key, const std::string& value) {
    const bool known = std::any_of(out_.facts.begin(), out_.facts.end(),
                                   [&](const NarrativeFact& f) { return f.key == key; });
    if (!known) out_.facts.push_back({key, value});
    sentence_.facts.push_back(key);
    return say(value);
  }
  Teller& count(const std::string& key, size_t n, const std::string& one) {
    fact(key, std::to_string(n));
    return say(n == 1 ? " " + one : " " + one + "s");
  }
  void end() {
    sentence_.text += '.';
    out_.sentences.push_back(std::move(sentence_));
    sentence_ = {};
  }
  Narrative take() { return std::move(out_); }

 private:
  Narrative out_;
  Sentence sentence_;
};

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  return text;
}

void tell_incident(Teller& t, const Incident& i, WallTime now) {
  const std::string k = "incident." + i.id + ".";
  t.fact(k + "id", i.id).say(" (").fact(k + "severity", priority_text(i.severity)).say(") is ");
  t.fact(k + "state", std::string(state_name(i.state)));
  if (i.state == State::acknowledged && !i.acknowledged_by.empty()) {
    t.say(" by ").fact(k + "acknowledged_by", i.acknowledged_by);
  }
  if (i.state == State::mitigated && !i.mitigated_by.empty()) {
    t.say(" by ").fact(k + "mitigated_by", i.mitigated_by);
  }
  if (!i.title.empty()) t.say(": ").fact(k + "title", trimmed(i.title));
  t.end();
  t.say("It began ").fact(k + "age", span_text(seconds_between(i.began, now))).say(" ago");
  if (i.services.size() > 1) {
    t.say(" and concerns ").count(k + "services", i.services.size(), "service");
  }
  t.end();
}

void tell_reasons(Teller& t, const Incident& i) {
  const std::string k = "incident." + i.id + ".";
  if (const Evidence* e = i.newest(EventKind::impact)) {
    t.say("Impact: ").fact(k + "impact", trimmed(e->entry.text)).end();
  }
  const Evidence* const kind = current_evidence(i).failure_class;
  const std::string* const name = kind != nullptr ? kind->entry.detail("class") : nullptr;
  if (name != nullptr && *name != "unknown" && i.causes.empty()) {
    t.say("It looks like ").fact(k + "class", failure_class_words(*name)).end();
  }
  if (!i.causes.empty()) {
    t.say("The stated cause: ").fact(k + "cause", trimmed(i.causes.back().text)).end();
  } else if (const Evidence* e = i.newest(EventKind::suspects)) {
    t.say("First suspects, not confirmed: ").fact(k + "suspects", trimmed(e->entry.text)).end();
  } else {
    t.say("The cause is unknown so far").end();
  }
}

std::vector<const Incident*> worst_first(const std::vector<Incident>& incidents) {
  std::vector<const Incident*> open;
  for (const Incident& i : incidents) {
    if (!i.over()) open.push_back(&i);
  }
  std::stable_sort(open.begin(), open.end(), [](const Incident* a, const Incident* b) {
    return std::tie(a->severity, a->began) < std::tie(b->severity, b->began);
  });
  return open;
}

void tell_overview(Teller& t, const NarrativeFacts& f, const std::vector<const Incident*>& open) {
  t.count("services.count", f.services.size(), "service")
      .say(f.services.size() == 1 ? " is watched; " : " are watched; ");
  if (open.empty()) {
    t.say("no incident is open").end();
    return;
  }
  t.count("incidents.open", open.size(), "incident").say(open.size() == 1 ? " is" : " are");
  t.say(" open").end();
}

bool is_troubled(const SloFacts& s) {
  return (s.budget_left && *s.budget_left < kLowBudget) || (s.burn && *s.burn > kFastBurn);
}

void tell_slo(Teller& t, const SloFacts& s) {
  const std::string k = "slo." + s.slo + ".";
  t.say("SLO ").fact(k + "name", s.slo);
  if (!s.service.empty() && s.service != s.slo) {
    t.say(" of ").fact(k + "service", s.service);
  }
  if (s.budget_left && *s.budget_left < 0) {
    t.say(" has overspent its error budget: ").fact(k + "budget_left", number_text(*s.budget_left));
    t.say(" % left");
  } else if (s.budget_left) {
    t.say(" has ").fact(k + "budget_left", number_text(*s.budget_left));
    t.say(" % of its error budget left");
  } else {
    t.say(" has an error budget that is not known yet");
  }
  if (s.burn) {
    t.say(" and burns it at ").fact(k + "burn", number_text(*s.burn)).say(" times the rate that ");
    t.say("would just use it up");
  }
  if (!s.target.empty()) {
    t.say(" (target ").fact(k + "target", s.target).say(" % over ");
    t.fact(k + "window", s.window).say(")");
  }
  t.end();
  const bool ends = s.exhausted_in_h && (!s.budget_left || *s.budget_left > 0);
  if (!ends) return;
  t.say("If that goes on, it is used up in ");
  t.fact(k + "exhausted_in_h", number_text(*s.exhausted_in_h)).say(" h").end();
}

void tell_slos(Teller& t, const NarrativeFacts& f) {
  std::vector<const SloFacts*> troubled;
  const SloFacts* least = nullptr;
  size_t fine = 0, silent = 0;
  for (const SloFacts& s : f.slos) {
    if (is_troubled(s)) {
      troubled.push_back(&s);
    } else if (!s.budget_left) {
      ++silent;
    } else {
      ++fine;
      if (least == nullptr || *s.budget_left < *least->budget_left) least = &s;
    }
  }
  std::stable_sort(troubled.begin(), troubled.end(), [](const SloFacts* a, const SloFacts* b) {
    return a->budget_left.value_or(100) < b->budget_left.value_or(100);
  });
  for (size_t i = 0; i < std::min(troubled.size(), kMostNamed); ++i) tell_slo(t, *troubled[i]);
  if (troubled.size() > kMostNamed) {
    t.count("slos.troubled.more", troubled.size() - kMostNamed, "further SLO");
    t.say(" burning too fast, or nearly out of budget").end();
  }
  if (least != nullptr) {
    t.count("slos.fine", fine, troubled.empty() ? "SLO" : "other SLO");
    t.say(fine == 1 ? " is within budget, with " : " are within budget; the least is left to ");
    const std::string k = "slo." + least->slo + ".";
    if (fine > 1) t.fact(k + "name", least->slo).say(": ");
    t.fact(k + "budget_left", number_text(*least->budget_left)).say(" %");
    if (fine == 1) t.say(" left for ").fact(k + "name", least->slo);
    t.end();
  }
  if (silent > 0) {
    t.say("There is no data yet for ").count("slos.silent", silent, "SLO").end();
  }
}

void tell_changes(Teller& t, const NarrativeFacts& f) {
  const slo::Change* last = nullptr;
  size_t deploys = 0;
  for (const slo::Change& c : f.changes) {
    const int64_t age = seconds_between(c.at, f.now);
    const bool counts =
        c.kind == slo::ChangeKind::deploy && age >= 0 && age <= f.changes_hours * 3600;
    if (!counts) continue;
    ++deploys;
    if (last == nullptr || c.at >= last->at) last = &c;
  }
  t.say("In the last ").fact("changes.hours", std::to_string(f.changes_hours)).say(" h there ");
  if (last == nullptr) {
    t.say("was no deploy").end();
    return;
  }
  t.say(deploys == 1 ? "was " : "were ").count("changes.deploys", deploys, "deploy");
  t.say(deploys == 1 ? ", of " : ", the last one of ").fact("changes.last.service", last->service);
  t.say(" ").fact("changes.last.age", span_text(seconds_between(last->at, f.now))).say(" ago");
  if (!last->who.empty()) t.say(" by ").fact("changes.last.who", last->who);
  t.end();
}

}  // namespace

std::string Narrative::text() const {
  std::string out;
  for (const Sentence& s : sentences) out += (out.empty() ? "" : " ") + s.text;
  return out;
}

const std::string* Narrative::value(std::string_view key) const noexcept {
  const auto found = std::find_if(facts.begin(), facts.end(),
                                  [&](const NarrativeFact& f) { return f.key == key; });
  return found == facts.end() ? nullptr : &found->value;
}

Narrative narrate(const NarrativeFacts& f) {
  Teller t;
  const auto open = worst_first(f.incidents);
  tell_overview(t, f, open);
  for (size_t i = 0; i < std::min(open.size(), kMostNamed); ++i) {
    tell_incident(t, *open[i], f.now);
    tell_reasons(t, *open[i]);
  }
  tell_slos(t, f);
  size_t resolved = 0;
  for (const Incident& i : f.incidents) {
    const int64_t age = seconds_between(i.resolved, f.now);
    resolved += i.over() && age >= 0 && age <= f.changes_hours * 3600 ? 1U : 0U;
  }
  if (resolved > 0) {
    t.count("incidents.resolved", resolved, "incident").say(resolved == 1 ? " was" : " were");
    t.say(" resolved in the last ").fact("changes.hours", std::to_string(f.changes_hours));
    t.say(" h").end();
  }
  tell_changes(t, f);
  return t.take();
}

Narrative narrate(const Incident& i, WallTime now) {
  Teller t;
  const std::string k = "incident." + i.id + ".";
  tell_incident(t, i, now);
  for (const IncidentCondition& c : i.conditions) {
    if (!c.condition.holds) continue;
    t.say("It holds: ").fact(k + "condition." + c.condition.key, trimmed(c.condition.text)).end();
  }
  tell_reasons(t, i);
  if (!i.actions.empty()) {
    t.say("So far ").count(k + "actions", i.actions.size(), "action");
    t.say(i.actions.size() == 1 ? " was" : " were").say(" taken; the last one: ");
    t.fact(k + "last_action", trimmed(i.actions.back().text)).end();
  }
  const std::string& commander = i.roles[static_cast<size_t>(Role::commander)];
  if (!commander.empty()) t.fact(k + "commander", commander).say(" leads").end();
  if (i.over()) {
    t.say("It was over after ");
    const WallTime end = i.recovered != WallTime{} ? i.recovered : i.resolved;
    t.fact(k + "duration", span_text(seconds_between(i.began, end))).end();
  }
  return t.take();
}

void write_json(JsonWriter& out, const Narrative& narrative) {
  out.begin_object().member("text", narrative.text()).key("sentences").begin_array();
  for (const Sentence& s : narrative.sentences) {
    out.begin_object().member("text", s.text).key("facts").begin_array();
    for (const std::string& key : s.facts) out.value(key);
    out.end_array().end_object();
  }
  out.end_array().key("facts").begin_object();
  for (const NarrativeFact& f : narrative.facts) out.member(f.key, f.value);
  out.end_object().end_object();
}

}  // namespace nines::incident
