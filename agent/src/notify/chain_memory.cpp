// What a chain keeps over a restart, as JSON: it is read by nobody else, and seldom written.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "notify/chain.hpp"

namespace nines::agent::notify {
namespace {

using nlohmann::json;

json event_json(const slo::AlertEvent& e) {
  return {{"slo", e.slo},           {"service", e.service}, {"rule", e.rule},
          {"severity", e.severity}, {"at", e.at.ns},        {"since", e.since.ns},
          {"summary", e.summary},   {"seq", e.sequence},    {"boot", e.boot},
          {"priority", e.priority}, {"details", e.details}};
}

// Of a resolution: nothing else is owed.
slo::AlertEvent event_of(const json& from) {
  slo::AlertEvent e;
  e.kind = slo::AlertEvent::Kind::resolved;
  e.slo = from.value("slo", "");
  e.service = from.value("service", "");
  e.rule = from.value("rule", "");
  e.severity = from.value("severity", "");
  e.at.ns = from.value("at", int64_t{0});
  e.since.ns = from.value("since", int64_t{0});
  e.summary = from.value("summary", "");
  e.sequence = from.value("seq", uint64_t{0});
  e.boot = from.value("boot", uint64_t{0});
  e.priority = from.value("priority", 3);
  if (const auto details = from.find("details"); details != from.end() && details->is_array()) {
    for (const json& one : *details) {
      if (one.is_array() && one.size() == 2 && one[0].is_string() && one[1].is_string()) {
        e.details.emplace_back(one[0].get<std::string>(), one[1].get<std::string>());
      }
    }
  }
  return e;
}

const json& list_of(const json& from, const char* key) {
  static const json kNone = json::array();
  const auto found = from.find(key);
  return found != from.end() && found->is_array() ? *found : kNone;
}

}  // namespace

std::string Chain::memory(Instant now, WallTime wall) const {
  if (single()) return {};
  json out = {{"cursor", cursor_}, {"steps", json::array()}, {"entries", json::array()}};
  for (const Step& step : steps_) {
    json owed = json::array();
    for (const Message& message : step.owed) owed.push_back(event_json(message.event));
    out["steps"].push_back({{"name", step.rule.name},
                            {"position", step.position},
                            {"open", step.open},
                            {"owed", std::move(owed)}});
  }
  for (const Entry& entry : window_) {
    if (!entry.placed || (!entry.satisfied && !entry.failed && entry.turn == 0)) continue;
    out["entries"].push_back({{"seq", entry.sequence()},
                              {"turn", steps_[entry.turn].rule.name},
                              {"since", wall.ns - (now.ns - entry.turn_since.ns)},
                              {"satisfied", entry.satisfied}});
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

size_t Chain::step_named(const std::string& name) const {
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i].rule.name == name) return i;
  }
  return 0;
}

Status Chain::restore(const std::string& memory, const Identity& identity, Instant now,
                      WallTime wall) {
  if (single() || memory.empty()) return Ok{};
  const Error not_understood{Errc::corrupt, "what a chain kept of its last life is not understood"};
  try {
    const json kept = json::parse(memory);
    cursor_ = std::max(cursor_, kept.value("cursor", uint64_t{0}));
    for (Step& step : steps_) step.position = cursor_;
    for (const json& from : list_of(kept, "steps")) {
      const std::string name = from.value("name", "");
      Step& step = steps_[step_named(name)];
      if (step.rule.name != name) continue;  // of a step that is configured no more
      step.position = std::max(step.position, from.value("position", uint64_t{0}));
      for (const json& alert : list_of(from, "open")) step.open.insert(alert.get<std::string>());
      for (const json& owed : list_of(from, "owed")) {
        if (step.owed.size() < kMaxOwed) {
          step.owed.push_back(event_message(identity, event_of(owed)));
        }
      }
    }
    for (const json& from : list_of(kept, "entries")) {
      Kept entry;
      entry.turn = step_named(from.value("turn", ""));
      // A clock that was set back does not give a step more than its deadline.
      const int64_t age = std::max<int64_t>(0, wall.ns - from.value("since", wall.ns));
      entry.turn_since = {now.ns - age};
      entry.satisfied = from.value("satisfied", false);
      if (kept_.size() < kMaxQueue) kept_.emplace(from.value("seq", uint64_t{0}), entry);
    }
  } catch (const json::exception&) {
    return not_understood;
  }
  return Ok{};
}

}  // namespace nines::agent::notify
