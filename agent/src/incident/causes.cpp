#include "incident/causes.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

namespace nines::agent::incident {
namespace {

constexpr size_t kMostServices = 3, kMostChanges = 2;
constexpr size_t kMostText = 420, kMostWrong = 200, kMostExample = 140;
constexpr size_t kMostWhys = 3, kMostOthers = 2, kMostWhy = 120;
constexpr int64_t kBeforeS = 1'800;

std::string hundredths(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

// As the keys of conditions have it, and the knowledge base.
std::string id_text(core::TemplateId id) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(id));
  return text;
}

std::string joined(const std::vector<std::string>& all, const char* between) {
  std::string out;
  for (const std::string& one : all) out += (out.empty() ? "" : between) + one;
  return out;
}

// Who fails because of what was changed is nobody to compare it with: the services of the incident,
// and whoever calls a changed one.
std::vector<core::ShareChange> comparable(const CauseFacts& f,
                                          const std::set<std::string>& changed) {
  std::map<std::string, core::ShareChange> all;
  for (const core::ShareChange& share : f.facts.shares) all[share.service] = share;
  for (const core::ShareChange& share : f.slo_shares) all[share.service] = share;
  std::vector<core::ShareChange> out;
  for (auto& [service, share] : all) {
    const std::string& name = service;
    const bool victim = f.services.contains(name) ||
                        std::any_of(changed.begin(), changed.end(), [&](const std::string& one) {
                          return f.topology.depends(name, one);
                        });
    if (changed.contains(name) || !victim) out.push_back(std::move(share));
  }
  return out;
}

// "its first error came 2.1 s before that of web", where none of the two had erred before.
std::string who_began(const core::RequestTrail::Passed& passed, const std::string& service) {
  const core::RequestTrail::Passage* mine = nullptr;
  const core::RequestTrail::Passage* next = nullptr;
  for (const auto& one : passed.services) {
    if (one.first_error.ns == 0 || !one.quiet_before) continue;
    if (one.service == service) {
      mine = &one;
    } else if (next == nullptr || one.first_error < next->first_error) {
      next = &one;
    }
  }
  if (mine == nullptr || next == nullptr) return {};
  const double ms = static_cast<double>(next->first_error.ns - mine->first_error.ns) / 1e6;
  if (ms == 0) return {};
  char text[64];
  const double size = ms < 0 ? -ms : ms;
  std::snprintf(text, sizeof text, size < 1000 ? "%.0f ms" : "%.1f s",
                size < 1000 ? size : size / 1000);
  return std::string("its first error came ") + text + (ms > 0 ? " before" : " after") +
         " the first one of " + next->service;
}

// As conditions name it: what incidents with the same error line are known by.
std::string line_name(core::TemplateId line) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(line));
  return text;
}

Told service_told(const CauseFacts& f, const Suspicion& suspicion, double prior) {
  Told out{core::EventKind::suspects, suspicion.told.service, {}};
  for (const std::string& sentence : suspicion.told.evidence) out.text += "; " + sentence;
  if (const auto began = who_began(f.facts.passed, suspicion.told.service); !began.empty()) {
    out.text += "; " + began;
  }
  if (prior > 1) out.text += "; was changed within the half hour before (counts 3 times)";
  out.text = shortened(out.text, kMostText);
  out.details = {{"service", suspicion.told.service},
                 {"wrong_if", shortened(suspicion.told.wrong_if, kMostWrong)}};
  if (suspicion.told.line != 0) {
    out.details.emplace_back("template", id_text(suspicion.told.line));
  }
  if (!suspicion.example.text.empty()) {
    out.details.emplace_back("example", shortened(suspicion.example.text, kMostExample));
  }
  if (suspicion.told.line != 0) out.details.emplace_back("line", line_name(suspicion.told.line));
  if (!suspicion.node.empty()) out.details.emplace_back("on", suspicion.node);
  if (!suspicion.pod.empty()) out.details.emplace_back("pod", suspicion.pod);
  return out;
}

// Nodes that were asked and not heard in time.
std::string missing_in(const Answer& answer) {
  std::string out;
  for (const auto& [node, why] : answer.missing) out += (out.empty() ? "" : ", ") + node;
  return out;
}

Told change_told(const core::ChangeSuspect& suspect, const slo::Change& change) {
  return {core::EventKind::suspects,
          shortened(suspect.text, kMostText),
          {{"service", change.service},
           {"wrong_if", shortened(joined(suspect.wrong_if, "; or "), kMostWrong)},
           {"change", std::to_string(change.id)},
           {"kind", std::string(slo::change_kind_name(change.kind))}}};
}

std::string of_class(const core::ClassFinding& found) {
  return std::string(core::failure_class_name(found.failure)) + " (" + hundredths(found.weight) +
         ")";
}

}  // namespace

std::vector<core::ShareChange> slo_shares(const slo::SloEngine& engine,
                                          const FactsQuestion& asked) {
  std::map<std::string, core::ShareChange> out;
  for (uint32_t i = 0; i < engine.size(); ++i) {
    if (!engine.has(i) || engine.spec(i).service.empty() || !engine.spec(i).group_of.empty()) {
      continue;
    }
    const std::string& service = engine.spec(i).service;
    WallTime moment = asked.onset;
    for (const auto& [name, at] : asked.changed) {
      if (name == service) moment = at;
    }
    const int64_t slot_ns = slo::kSlotS * kNsPerSecond;
    const WallTime change{(moment.ns + slot_ns - 1) / slot_ns * slot_ns};
    const int64_t since_s = (asked.now.ns / slot_ns * slot_ns - change.ns) / kNsPerSecond;
    if (since_s < slo::kSlotS) continue;
    const auto before = engine.events(i, change, kBeforeS);
    const auto after = engine.events(i, asked.now, since_s);
    core::ShareChange& share = out[service];
    share.service = service;
    share.errors_before += static_cast<uint64_t>(before.bad);
    share.of_before += static_cast<uint64_t>(before.total());
    share.errors_after += static_cast<uint64_t>(after.bad);
    share.of_after += static_cast<uint64_t>(after.total());
  }
  std::vector<core::ShareChange> all;
  for (auto& [service, share] : out) all.push_back(std::move(share));
  return all;
}

Causes rank(const CauseFacts& f, const std::string& node) {
  std::set<std::string> changed;
  for (const slo::Change& change : f.changes) {
    if (core::change_prior(f.onset, f.changes, change.service) > 1) changed.insert(change.service);
  }
  Causes out;
  out.changes = core::rank_changes(f.onset, f.changes, comparable(f, changed));
  std::vector<core::ServiceEvidence> services;
  for (const Suspicion& one : f.answer.suspects) {
    services.push_back({one.told.service, one.told.score});
  }
  size_t of_services = 0, of_changes = 0;
  for (const auto& cause : core::rank_causes(f.onset, f.changes, out.changes, services)) {
    if (cause.is_change ? of_changes == kMostChanges : of_services == kMostServices) continue;
    ++(cause.is_change ? of_changes : of_services);
    if (cause.is_change) {
      out.suspects.push_back(
          change_told(out.changes[cause.at], f.changes[out.changes[cause.at].change]));
    } else {
      const Suspicion& one = f.answer.suspects[cause.at];
      out.suspects.push_back(
          service_told(f, one, core::change_prior(f.onset, f.changes, one.told.service)));
    }
    core::Details head{{"rank", std::to_string(out.suspects.size())},
                       {"score", hundredths(cause.score)},
                       {"node", node}};
    auto& details = out.suspects.back().details;
    details.insert(details.begin(), head.begin(), head.end());
    if (out.suspects.size() == 1 && !f.answer.missing.empty()) {
      details.emplace_back("missing", missing_in(f.answer));
    }
    const std::string clocks = tell_clocks(f.answer.clocks);
    if (out.suspects.size() == 1 && !clocks.empty()) {
      details.emplace_back("clocks", shortened(clocks, kMostWhy));
    }
  }
  return out;
}

std::vector<core::FailureFact> class_facts(const CauseFacts& f, const Causes& causes) {
  using core::FactKind;
  std::vector<core::FailureFact> out = f.answer.facts;
  for (const core::ChangeSuspect& suspect : causes.changes) {
    // "deploy of pay (1.4.2) 2m before the onset"; the numbers stand with the suspect.
    const std::string what =
        suspect.text.substr(0, suspect.text.find(suspect.before ? ": errors" : "; its errors"));
    out.push_back({FactKind::change, suspect.service, 30, what});
    if (suspect.effect_low && *suspect.effect_low > 0) {
      out.push_back({FactKind::change_impact, suspect.service, suspect.score, what});
    }
  }
  for (const std::string& text : f.trouble.restarts) {
    out.push_back({FactKind::restarted, {}, 30, text});
  }
  for (const std::string& text : f.trouble.kills) {
    out.push_back({FactKind::error_text, {}, 30, "out of memory: " + text});
  }
  return out;
}

Told tell_class(const std::vector<core::ClassFinding>& found) {
  Told out;
  const core::ClassFinding& first = found.front();
  out.details = {{"part", "class"},
                 {"class", std::string(core::failure_class_name(first.failure))},
                 {"weight", hundredths(first.weight)}};
  if (first.failure == core::FailureClass::unknown) {
    out.text = "failure class unknown: nothing that is known weighs enough";
    return out;
  }
  out.text = "failure class " + of_class(first);
  for (size_t i = 1; i < std::min(found.size(), 1 + kMostOthers); ++i) {
    out.text += (i == 1 ? ", less likely " : ", ") + of_class(found[i]);
  }
  for (size_t i = 0; i < std::min(first.why.size(), kMostWhys); ++i) {
    out.details.emplace_back("why-" + std::to_string(i + 1), shortened(first.why[i], kMostWhy));
  }
  return out;
}

}  // namespace nines::agent::incident
