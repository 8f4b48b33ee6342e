#include "remedy/curator.hpp"

#include <algorithm>
#include <utility>

#include "nines/base/sha256.hpp"
#include "nines/remedy/signature.hpp"

namespace nines::agent::remedy {
namespace {

using core::GuardEvent;
using core::GuardKind;
using core::RuleState;

constexpr size_t kMostName = 96;  // of a rule, without its number

// "unit-restart worker.service" against "burn_rate jobs":
// unit-restart-worker.service-burn_rate-jobs
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool keeps = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
    if (keeps) {
      out += c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  return out;
}

}  // namespace

std::string digest_of(const core::Procedure& procedure) {
  std::string steps;
  for (const core::Step& step : procedure.steps) steps += step.action.key() + '\n';
  return hex_of(sha256(steps)).substr(0, 16);
}

bool is_executable(const core::Action& action) {
  switch (scope_of(action.verb)) {
    case core::Scope::unit:
    case core::Scope::outside: return action.verb > core::Verb::other && !action.parameter.empty();
    default: return action.verb > core::Verb::other;
  }
}

Curator::Curator(Steward& steward, Incidents incidents, Settings settings,
                 std::function<void(const std::string&)> let_go)
    : steward_(steward),
      incidents_(std::move(incidents)),
      settings_(settings),
      experience_(std::move(let_go)) {}

void Curator::tick(WallTime now) {
  if (now >= next_) {
    next_ = {now.ns + settings_.look_s * kNsPerSecond};
    see(now);
    choose_rules();
    draft(now);
  }
  judge_one(now);
}

void Curator::see(WallTime now) {
  const bool all = !std::exchange(whole_, true);
  const WallTime from = all ? WallTime{} : WallTime{now.ns - kBackS * kNsPerSecond};
  for (const Incident& one : incidents_(from, all ? SIZE_MAX : kMostIncidents, now)) {
    experience_.take(one, now);
  }
}

const Experience& Curator::experience(WallTime now) {
  for (const Incident& one : incidents_({}, SIZE_MAX, now)) experience_.take(one, now);
  return experience_;
}

void Curator::choose_rules() {
  for (const core::RuleLife& rule : steward_.guard().rules()) {
    if (rule.state > RuleState::shadow && experience_.has_changed(rule.rule, rule.signature)) {
      rules_.insert(rule.rule);
    }
  }
  experience_.forget_changes();
}

void Curator::judge_one(WallTime now) {
  if (rules_.empty()) return;
  const std::string name = std::move(rules_.extract(rules_.begin()).value());
  const auto rule = steward_.guard().rule(name);
  if (!rule || rule->state <= RuleState::shadow) return;
  ++counters_.judged;
  const core::Effect effect = effect_of(experience_.history(), name, rule->signature, now);
  // What was known when a person let it act is his decision.
  if (!effect.demote.empty() && effect.judged > rule->since) steward_.demote(name, effect.demote);
}

size_t Curator::open_drafts() const {
  const auto rules = steward_.guard().rules();
  return static_cast<size_t>(std::count_if(rules.begin(), rules.end(), [](const auto& rule) {
    return rule.state == RuleState::draft && !rule.procedure.empty();
  }));
}

std::map<Curator::Pair, Curator::Drafted> Curator::drafted() const {
  std::map<Pair, Drafted> out;
  for (const GuardEvent& event : steward_.guard().events()) {
    if (event.kind != GuardKind::rule_drafted) continue;
    const auto action = core::Action::of_key(event.detail("action"));
    if (!action) continue;
    out[{event.detail("signature"), *action}] = {event.rule, event.detail("procedure"),
                                                 event.order()};
  }
  return out;
}

void Curator::draft(WallTime now) {
  if (settings_.open_drafts == 0 || !steward_.guard().limits().enabled) return;
  const bool retry = !waiting_.empty() && now >= again_;
  if (!retry && drafts_of_ == experience_.changes()) return;
  drafts_of_ = experience_.changes();
  again_ = {now.ns + settings_.retry_s * kNsPerSecond};
  std::vector<core::Lesson> proven = experience_.lessons();
  std::erase_if(proven, [](const core::Lesson& one) {
    return one.standing != core::Standing::proven || !is_executable(one.action);
  });
  if (proven.empty()) return;
  const auto procedures = procedures_of(experience_.history(), proven);
  for (const core::Lesson& lesson : proven) {
    for (const core::Procedure& one : procedures) {
      const bool of_it = one.signature == lesson.signature && !one.steps.empty() &&
                         one.steps.back().action == lesson.action;
      if (of_it) draft(lesson, one, now);
    }
  }
}

void Curator::draft(const core::Lesson& lesson, const core::Procedure& procedure, WallTime now) {
  const Pair pair{lesson.signature, lesson.action};
  waiting_.erase(pair);
  if (is_covered(lesson)) return;
  const std::string digest = digest_of(procedure);
  const auto all = drafted();
  const auto last = all.find(pair);
  std::string name;
  bool again = false;  // in place of one that nobody has looked at yet
  if (last != all.end()) {
    const Drafted& before = last->second;
    const auto rule = steward_.guard().rule(before.rule);
    if (before.procedure == digest || before.procedure.empty()) return;  // or a person's own
    if (now.ns - before.at.ns < settings_.redraft_s * kNsPerSecond) {
      waiting_.insert(pair);
      return;
    }
    again = rule && rule->state == RuleState::draft;
    if (again) name = before.rule;
  }
  if (!again && open_drafts() >= settings_.open_drafts) {
    ++counters_.no_room;
    waiting_.insert(pair);
    return;
  }
  if (name.empty()) name = free_name(lesson);
  auto done = steward_.guard().draft(name, lesson.action, lesson.signature, {}, {}, now, digest);
  if (!done.ok()) return;
  ++counters_.drafted;
  steward_.did(std::move(done), [](const Status&) {});
}

// A rule of a coarser signature does the same about these incidents already.
bool Curator::is_covered(const core::Lesson& lesson) const {
  const auto rules = steward_.guard().rules();
  return std::any_of(rules.begin(), rules.end(), [&](const core::RuleLife& rule) {
    return rule.action == lesson.action && !rule.signature.empty() &&
           rule.signature != lesson.signature && core::covers(rule.signature, lesson.signature);
  });
}

// One that no rule ever had: what was said of that one would be read as of this.
std::string Curator::free_name(const core::Lesson& lesson) const {
  std::set<std::string> taken;
  for (const GuardEvent& event : steward_.guard().events()) taken.insert(event.rule);
  const std::string base = plain(lesson.action.key() + ' ' + lesson.signature).substr(0, kMostName);
  std::string name = base;
  for (int i = 2; taken.contains(name); ++i) name = base + '-' + std::to_string(i);
  return name;
}

}  // namespace nines::agent::remedy
