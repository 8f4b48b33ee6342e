// The actions of an incident as records of history.
#include <algorithm>

#include "incident/text.hpp"
#include "nines/remedy/history.hpp"
#include "nines/remedy/signature.hpp"

namespace nines::remedy {
namespace {

// Who knows what he did may say so ("action": "rollout-undo"), else his words are read.
Action action_of(const incident::Entry& entry) {
  if (const std::string* key = entry.detail("verb")) {
    if (auto action = Action::of_key(*key)) return *action;
  }
  return action_of_text(entry.text);
}

Record begun(const incident::Incident& i, int step) {
  Record r;
  r.id = i.id + '/' + std::to_string(step);
  r.incident = i.id;
  r.signature = signature_of(i);
  r.severity = std::clamp(i.severity, 0, 3);
  r.step = step;
  return r;
}

Record of_entry(const incident::Incident& i, const incident::Entry& entry, int step) {
  Record r = begun(i, step);
  r.action = action_of(entry);
  r.at = entry.at;
  r.who = entry.who;
  if (const std::string* rule = entry.detail("rule")) {
    r.actor = Actor::rule;
    r.rule = *rule;
  } else if (i.recovered != WallTime{} && i.first_acknowledged != WallTime{}) {
    r.hands_on_s =
        std::max<int64_t>(0, incident::seconds_between(i.first_acknowledged, i.recovered));
  }
  return r;
}

void judge(Record& r, Outcome outcome, WallTime when, const incident::Incident& i, WallTime until) {
  r.outcome = outcome;
  r.judged = when;
  r.recover_s = std::max<int64_t>(0, incident::seconds_between(i.began, until));
  r.censored = i.recovered == WallTime{};
}

}  // namespace

std::vector<Record> records_of(const incident::Incident& i, WallTime now, const JudgeRules& rules) {
  const bool recovered = i.recovered != WallTime{};
  std::vector<Record> out;
  for (const incident::Entry& entry : i.actions) {
    if (recovered && entry.at > i.recovered) continue;
    out.push_back(of_entry(i, entry, static_cast<int>(out.size()) + 1));
  }
  if (out.empty() && recovered) {
    out.push_back(begun(i, 1));
    out.back().at = i.opened;
  }
  const WallTime stays{i.recovered.ns + rules.stays_s * kNsPerSecond};
  for (size_t k = 0; k < out.size(); ++k) {
    Record& r = out[k];
    const WallTime end{r.at.ns + rules.window_s * kNsPerSecond};
    if (k + 1 < out.size()) {  // something else had to be done
      judge(r, Outcome::failed, out[k + 1].at, i, recovered ? i.recovered : now);
    } else if (!recovered || (i.recovered > end && r.action.verb != Verb::nothing)) {
      if (now > end) judge(r, Outcome::failed, end, i, recovered ? i.recovered : now);
    } else if (now >= stays) {
      const bool quick = i.recovered <= end;  // what was left alone may also have taken too long
      judge(r, quick ? Outcome::resolved : Outcome::failed, stays, i, i.recovered);
    }
    // It came back: whatever was done before that did not last.
    if (i.reopens > 0 && r.at < i.reopened && r.outcome != Outcome::unknown) {
      r.outcome = Outcome::failed;
    }
  }
  return out;
}

}  // namespace nines::remedy
