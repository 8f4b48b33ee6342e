#include "nines/slo/gate_keeper.hpp"

#include <algorithm>

namespace nines::slo {
namespace {

constexpr int64_t kMinTtlS = 60;

std::string until_text(WallTime t) { return format_rfc3339(WallTime::from_s(t.seconds())); }

int64_t number(const Details& details, std::string_view key) {
  for (const auto& [name, value] : details) {
    const auto parsed = name == key ? Decimal::parse(value) : std::nullopt;
    if (parsed && parsed->exponent == 0) return parsed->mantissa;
  }
  return 0;
}

std::string text(const Details& details, std::string_view key) {
  for (const auto& [name, value] : details) {
    if (name == key) return value;
  }
  return {};
}

WallTime seconds(const Details& details, std::string_view key) {
  return WallTime::from_s(number(details, key));
}

Change entry(ChangeKind kind, WallTime at) {
  Change change;
  change.kind = kind;
  change.at = at;
  return change;
}

const BudgetStep* step_named(const GatePolicy& policy, std::string_view name) {
  for (const BudgetStep& step : policy.steps) {
    if (step.name == name) return &step;
  }
  return nullptr;
}

std::string remaining_text(const SloStatus& status) {
  if (!status.error_budget_remaining) return "nothing is known of the budget";
  const Decimal tenths{static_cast<int64_t>(*status.error_budget_remaining * 1000), -1};
  return tenths.to_string() + " % of the budget is left (" + std::to_string(status.window.bad) +
         " of " + std::to_string(status.window.total()) + " events bad)";
}

AlertEvent step_alert(const SloSpec& spec, const BudgetStep& step, AlertEvent::Kind kind,
                      WallTime now, const std::string& summary) {
  AlertEvent event;
  event.kind = kind;
  event.slo = spec.name;
  event.service = spec.service;
  event.rule = "step:" + step.name;
  event.severity = step.severity;
  event.priority = priority_of(step.severity, spec.tier);
  event.at = event.since = now;
  event.summary = spec.name + ": " + summary;
  return event;
}

}  // namespace

std::string GateMemory::encode() const {
  const std::string level = std::to_string(static_cast<int>(closed));
  const std::string cleared_s = std::to_string(cleared.seconds());
  return encode_details({{"slo", slo}, {"closed", level}, {"cleared", cleared_s}, {"step", step}});
}

std::optional<GateMemory> GateMemory::decode(std::string_view body) {
  const Details details = decode_details(body);
  GateMemory out;
  out.slo = text(details, "slo");
  const int64_t closed = number(details, "closed");
  if (out.slo.empty() || closed < 0 || closed > 3) return std::nullopt;
  out.closed = static_cast<Release>(closed);
  out.cleared = seconds(details, "cleared");
  out.step = text(details, "step");
  return out;
}

std::string Override::encode() const {
  return encode_details({{"name", name},
                         {"by", by},
                         {"reason", reason},
                         {"at", std::to_string(at.seconds())},
                         {"until", std::to_string(until.seconds())}});
}

std::optional<Override> Override::decode(std::string_view body) {
  const Details details = decode_details(body);
  Override out{text(details, "name"), text(details, "by"), text(details, "reason"),
               seconds(details, "at"), seconds(details, "until")};
  if (out.name.empty() || out.until <= out.at) return std::nullopt;
  return out;
}

const Override* GateKeeper::override_for(const SloSpec& spec, WallTime now) const {
  for (const std::string* name : {&spec.name, &spec.service}) {
    const auto found = overrides_.find(*name);
    if (found != overrides_.end() && now < found->second.until) return &found->second;
  }
  return nullptr;
}

void GateKeeper::hold_down(const SloSpec& spec, SloStatus& status, WallTime now,
                           GateMemory& memory) {
  GateVerdict& gate = status.gate;
  if (spec.gate.hold_down_s == 0) {
    memory.closed = Release::go;
    memory.cleared = {};
    return;
  }
  if (gate.decision >= Release::hold && gate.decision >= memory.closed) {
    memory.closed = gate.decision;
    memory.cleared = {};
    return;
  }
  if (memory.closed == Release::go) return;
  // The cause is gone, or weaker than it was. A clock set back must not hold for longer.
  if (memory.cleared == WallTime{} || memory.cleared > now) {
    memory.cleared = WallTime::from_s(now.seconds());
  }
  const WallTime until = WallTime::from_s(memory.cleared.seconds() + spec.gate.hold_down_s);
  if (now < until) {
    gate.held = memory.closed;
    gate.held_until = until;
    gate.decision = memory.closed;
    gate.reason = std::string(release_name(memory.closed)) + ": held down until " +
                  until_text(until) + " after its cause is gone; now it would be " + gate.reason;
    return;
  }
  memory.closed = gate.decision >= Release::hold ? gate.decision : Release::go;
  memory.cleared = {};
}

void GateKeeper::tell_step(const SloSpec& spec, const SloStatus& status, WallTime now,
                           GateMemory& memory, Outcome& out) {
  if (status.state == State::no_data) return;  // what was known of the budget stays
  const std::string name = status.budget_step ? status.budget_step->name : std::string();
  if (name == memory.step) return;
  const BudgetStep* const before = step_named(spec.gate, memory.step);
  const bool deeper =
      status.budget_step &&
      (before == nullptr || status.budget_step->remaining_below < before->remaining_below);
  Change change = entry(ChangeKind::budget_step, now);
  change.service = spec.service;
  change.slo = spec.name;
  change.who = "nines";
  change.text = std::string(deeper ? "down to" : "back to") + " step " +
                (name.empty() ? "none" : name) + ": " + remaining_text(status);
  change.details = {{"from", memory.step.empty() ? "none" : memory.step},
                    {"to", name.empty() ? "none" : name}};
  if (status.budget_step) {
    for (const std::string& action : status.budget_step->actions) {
      change.details.emplace_back("action", action);
    }
  }
  if (before != nullptr && !before->severity.empty()) {
    out.alerts.push_back(
        step_alert(spec, *before, AlertEvent::Kind::resolved, now, "left step " + change.text));
  }
  if (status.budget_step && !status.budget_step->severity.empty()) {
    out.alerts.push_back(
        step_alert(spec, *status.budget_step, AlertEvent::Kind::fired, now, change.text));
  }
  out.changes.push_back(std::move(change));
  memory.step = name;
}

void GateKeeper::judge(const SloSpec& spec, SloStatus& status, WallTime now,
                       const std::vector<WatchNote>& watches, Outcome& out) {
  GateVerdict& gate = status.gate;
  GateMemory& memory = memory_[spec.name];
  memory.slo = spec.name;
  const GateMemory before = memory;
  for (const WatchNote& note : watches) {
    if (note.service != spec.service || (!note.slo.empty() && note.slo != spec.name)) continue;
    gate.watch = note.text;
    if (gate.decision >= Release::hold) {
      gate.reason += "; " + note.text;
      continue;
    }
    gate.decision = Release::hold;
    gate.reason = "HOLD: " + note.text + "; without it " + gate.reason;
  }
  hold_down(spec, status, now, memory);
  gate.without_override = gate.decision;
  if (const Override* open = override_for(spec, now)) {
    gate.overridden = true;
    gate.override_by = open->by;
    gate.override_reason = open->reason;
    gate.override_at = open->at;
    gate.override_until = open->until;
    gate.decision = std::min(gate.decision, Release::caution);
    gate.reason = std::string(release_name(gate.decision)) + ": opened by " + open->by + " until " +
                  until_text(open->until) + " (" + open->reason + "); without it " + gate.reason;
  }
  tell_step(spec, status, now, memory, out);
  if (memory != before) out.changed.push_back(memory);
}

void GateKeeper::expire(WallTime now, Outcome& out) {
  for (auto it = overrides_.begin(); it != overrides_.end();) {
    if (now < it->second.until) {
      ++it;
      continue;
    }
    Change change = entry(ChangeKind::override, it->second.until);
    change.service = it->first;
    change.who = "nines";
    change.text = "the override by " + it->second.by + " has run out";
    change.details = {{"action", "expired"}, {"reason", it->second.reason}};
    out.changes.push_back(std::move(change));
    out.ended.push_back(it->first);
    it = overrides_.erase(it);
  }
}

Result<GateKeeper::Opened> GateKeeper::open(const std::string& name, const std::string& by,
                                            const std::string& reason, int64_t ttl_s,
                                            const std::vector<const SloSpec*>& specs,
                                            WallTime now) {
  int64_t most_s = INT64_MAX;
  bool needs_reason = false;
  for (const SloSpec* spec : specs) {
    most_s = std::min(most_s, spec->gate.override_ttl_s);
    needs_reason = needs_reason || spec->gate.override_needs_reason;
  }
  const auto wrong = [](const std::string& what) { return Error{Errc::invalid_argument, what, 0}; };
  if (needs_reason && reason.find_first_not_of(' ') == std::string::npos) {
    return wrong("an override needs a reason");
  }
  if (ttl_s < kMinTtlS || ttl_s > most_s) {
    return wrong("the ttl of an override must lie within " + format_duration_s(kMinTtlS) + ".." +
                 format_duration_s(most_s) + " (override.ttl of the policy), found " +
                 format_duration_s(ttl_s));
  }
  if (by.empty()) return wrong("an override says by whom");
  const WallTime at = WallTime::from_s(now.seconds());
  Opened out;
  out.override_ = {name, by, reason, at, WallTime::from_s(at.seconds() + ttl_s)};
  out.change = entry(ChangeKind::override, at);
  out.change.service = name;
  out.change.who = by;
  out.change.text = reason.empty() ? "no reason given" : reason;
  out.change.details.emplace_back("action", "opened");
  out.change.details.emplace_back("ttl", format_duration_s(ttl_s));
  out.change.details.emplace_back("until", until_text(out.override_.until));
  NINES_CHECK(check_change(out.change, now));
  return out;
}

Result<Change> GateKeeper::revoke(const std::string& name, const std::string& by,
                                  const std::string& reason, WallTime now) const {
  const auto found = overrides_.find(name);
  if (found == overrides_.end()) {
    return Error{Errc::not_found, "the gate of '" + name + "' has no override", 0};
  }
  Change change = entry(ChangeKind::override, WallTime::from_s(now.seconds()));
  change.service = name;
  change.who = by.empty() ? "unknown" : by;
  change.text = reason.empty() ? "the override by " + found->second.by + " was taken back" : reason;
  change.details = {{"action", "revoked"}, {"of", found->second.by}};
  NINES_CHECK(check_change(change, now));
  return change;
}

}  // namespace nines::slo
