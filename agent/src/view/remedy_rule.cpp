#include "view/remedy_rule.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "remedy/pre_state.hpp"
#include "view/remedy_words.hpp"
#include "view/table.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using nines::remedy::Effect;
using nines::remedy::GuardEvent;
using nines::remedy::Step;
using remedy::RuleStory;
using remedy::Steward;

std::string who_of(const GuardEvent& event) { return event.who.empty() ? "nines" : event.who; }

std::string lines_of(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out += printable(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string known_of(const RuleStory& story) {
  if (!story.known) return "nothing: it was never done there";
  const auto& known = *story.known;
  std::string out = std::to_string(known.good) + " of " + std::to_string(known.n) +
                    " went well, whoever did it (95 %: " + range_text(known.success) + ")";
  if (std::isfinite(known.gain)) {
    out += ", " + share_text(known.gain) + " more than of what else was done";
  }
  if (known.standing == nines::remedy::Standing::proven) return out + "; proven";
  return out + "; not proven" + (known.against.empty() ? "" : ": " + known.against);
}

std::string steps_of(const RuleStory& story) {
  const auto& procedure = story.procedure;
  std::string out = "\nprocedure";
  out += procedure.resolutions > 0
             ? " (from " + std::to_string(procedure.resolutions) + " resolutions)\n"
             : " (no resolution was seen yet)\n";
  int number = 0;
  for (const Step& step : procedure.steps) {
    out += "  " + std::to_string(++number) + ". " + printable(step.action.key()) + "\n";
    for (const auto check : step.before) {
      out += "       before    " + std::string(check_text(check)) + "\n";
    }
    for (const auto check : step.after) {
      out += "       after     " + std::string(check_text(check)) + "\n";
    }
    out += "       rollback  after " + format_duration_s(step.wait_s) + " " +
           (step.rollback ? step.rollback->key() + " once, then a person is called"
                          : "a person is called: nothing undoes it") +
           "\n";
  }
  return out;
}

std::string acts_of(const RuleStory& story, size_t width) {
  if (story.acts.empty()) return "\nit has not acted\n";
  Table table({{"ACT"},
               {"AT"},
               {"BY", false, 2},
               {"TARGET"},
               {"BEFORE", false, 3},
               {"INCIDENT", false, 1},
               {"BECAME"}});
  for (const auto& act : story.acts) {
    table.add({{act.id},
               {moment(act.at)},
               {act.by_person ? printable(act.who) : "the rule"},
               {printable(act.target)},
               {printable(remedy::told_before(act))},
               {act.incident},
               {std::string(phase_name(act.phase))}});
  }
  std::string out = "\n" + table.render(width, false);
  const size_t more = story.acts_in_all - story.acts.size();
  if (more > 0) out += "and " + std::to_string(more) + " before\n";
  return out;
}

std::string p_of(const Effect& effect) {
  if (!std::isfinite(effect.change.median)) return "-";
  if (effect.p_change < 0.001) return "< 0.001";
  char out[16];
  std::snprintf(out, sizeof out, "%.3f", effect.p_change);
  return out;
}

std::string change_of(const Effect& effect) {
  const auto& change = effect.change;
  if (!std::isfinite(change.median)) return "-";
  const bool bounded = std::isfinite(change.interval.low) && std::isfinite(change.interval.high);
  return span_text(change.median) + (bounded ? " (" + span_text(change.interval.low) + " to " +
                                                   span_text(change.interval.high) + ")"
                                             : " (too few)");
}

std::string said_by_guard(const std::vector<nines::remedy::Refusal>& refused) {
  return refused.empty() ? "go" : "no: " + remedy::reasons_of(refused);
}

void write_refusals(JsonWriter& json, const char* name,
                    const std::vector<nines::remedy::Refusal>& refused) {
  json.key(name).begin_array();
  for (const auto one : refused) json.value(refusal_text(one));
  json.end_array();
}

}  // namespace

std::string rule_json(const RuleStory& story, const nines::remedy::Guard& guard) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().key("rule");
  write(json, story.life, guard);
  json.key("known");
  story.known ? write(json, *story.known) : static_cast<void>(json.null());
  json.key("procedure");
  write_json(json, story.procedure);
  json.key("effect");
  write_json(json, story.effect);
  json.key("changes").begin_array();
  for (const GuardEvent& event : story.changes) {
    json.begin_object().member("at", moment(event.order()));
    json.member("what", guard_kind_name(event.kind)).member("who", who_of(event));
    if (!event.text.empty()) json.member("text", event.text);
    json.end_object();
  }
  json.end_array().key("acts").begin_array();
  for (const auto& act : story.acts) write(json, act);
  json.end_array();
  json.member("acts_in_all", static_cast<uint64_t>(story.acts_in_all)).end_object();
  return out + "\n";
}

std::string rule_text(const RuleStory& story, size_t width) {
  const auto& life = story.life;
  std::string out = printable(life.rule) + ": " + printable(life.action.key()) + "\n";
  out += "  state      " + std::string(rule_state_name(life.state)) + " since " +
         moment(life.since) + ", " + std::to_string(life.hits) + " hits in shadow, " +
         std::to_string(life.demotions) + (life.demotions == 1 ? " demotion\n" : " demotions\n");
  if (!life.signature.empty()) out += "  against    " + printable(life.signature) + "\n";
  if (!life.service.empty()) out += "  service    " + printable(life.service) + "\n";
  out += "  known      " + printable(known_of(story)) + "\n";
  out += steps_of(story);
  out += "\n" + lines_of(to_text(story.effect));
  out += "\nsaid of it\n";
  for (const GuardEvent& event : story.changes) {
    out += "  " + moment(event.order()) + "  " + std::string(guard_kind_name(event.kind)) + " by " +
           printable(who_of(event)) + (event.text.empty() ? "" : ": " + printable(event.text)) +
           "\n";
  }
  return out + acts_of(story, width);
}

std::string rules_report_json(const std::vector<RuleStory>& stories,
                              const nines::remedy::Guard& guard) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_array();
  for (const RuleStory& story : stories) {
    json.begin_object().key("rule");
    write(json, story.life, guard);
    json.key("effect");
    write_json(json, story.effect);
    json.end_object();
  }
  json.end_array();
  return out + "\n";
}

std::string rules_report_table(const std::vector<RuleStory>& stories, size_t width) {
  if (stories.empty()) return "no rules\n";
  Table table({{"RULE"},
               {"STATE"},
               {"WENT WELL", true},
               {"95 %", true},
               {"WITHOUT", true, 2},
               {"TO RECOVER", true, 1},
               {"P", true, 3},
               {"TOIL SAVED", true},
               {"DEMOTIONS", true, 4}});
  std::string advice;
  int64_t toil_s = 0;
  for (const RuleStory& story : stories) {
    const Effect& e = story.effect;
    table.add({{printable(story.life.rule)},
               {std::string(rule_state_name(story.life.state))},
               {std::to_string(e.good) + " of " + std::to_string(e.n)},
               {e.n > 0 ? range_text(e.success) : "-"},
               {std::to_string(e.base_good) + " of " + std::to_string(e.base_n)},
               {change_of(e)},
               {p_of(e)},
               {format_duration_s(e.toil_saved_s)},
               {std::to_string(story.life.demotions)}});
    toil_s += e.toil_saved_s;
    if (!e.demote.empty()) {
      advice += printable(story.life.rule) + " stopped working: " + printable(e.demote) + "\n";
    }
  }
  return table.render(width, false) + "\ntoil saved in all: " + format_duration_s(toil_s) + "\n" +
         advice;
}

std::string run_json(const Steward::RunWish& wish, const Steward::Ran& ran) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().member("rule", wish.rule).member("incident", wish.incident);
  json.member("dry_run", wish.dry).member("target", ran.target);
  json.key("steps").begin_array();
  for (const std::string& step : ran.tried.steps) json.value(step);
  json.end_array();
  json.member("became", became_name(ran.tried.became)).member("text", ran.tried.text);
  if (!ran.tried.before.empty()) json.member("before", ran.tried.before);
  write_refusals(json, "against_the_rule", ran.as_rule);
  write_refusals(json, "against_you", ran.as_person);
  json.member("held", ran.held).member("needs_lease", ran.by_lease);
  json.key("act");
  ran.act.empty() ? json.null() : json.value(ran.act);
  if (!ran.why.empty()) json.member("why", ran.why);
  json.end_object();
  return out + "\n";
}

std::string run_text(const Steward::RunWish& wish, const Steward::Ran& ran) {
  std::string out = printable(wish.rule) + " on " + printable(ran.target) + " for " +
                    wish.incident + (wish.dry ? ", dry run\n" : "\n");
  int number = 0;
  for (const std::string& step : ran.tried.steps) {
    out += "  " + std::to_string(++number) + ". " + printable(step) + "\n";
  }
  out += "  tried out   " + std::string(became_name(ran.tried.became)) + ": " +
         printable(ran.tried.text) + "\n";
  out += "  the rule    " + said_by_guard(ran.as_rule) + "\n";
  out += "  you         " + said_by_guard(ran.as_person) + "\n";
  if (ran.held) out += "  held: the stop file is there, or the log is damaged\n";
  if (ran.by_lease) out += "  it takes the lease when it is run\n";
  if (!ran.act.empty()) {
    out += "act " + ran.act + " is begun; what becomes of it: nines remedy show " +
           printable(wish.rule) + "\n";
  } else if (!wish.dry) {
    out += "nothing was done: " + printable(ran.why) + "\n";
  }
  return out;
}

}  // namespace nines::agent::view
