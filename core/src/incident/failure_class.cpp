#include "nines/incident/failure_class.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace nines::incident {
namespace {

using std::string_view;

constexpr double kFullScore = 30;
constexpr double kLeastWeight = 1;

struct OfCondition {
  ConditionKind kind;
  FailureClass failure;
  double weight;
};
constexpr OfCondition kConditions[] = {
    {ConditionKind::service_silent, FailureClass::crash, 3},
    {ConditionKind::crash_loop, FailureClass::crash, 3},
    {ConditionKind::oom_kill, FailureClass::memory, 5},
    {ConditionKind::disk_full, FailureClass::disk, 4},
    {ConditionKind::under_voltage, FailureClass::power, 5},
    {ConditionKind::node_silent, FailureClass::power, 4},
    {ConditionKind::queue_depth, FailureClass::overload, 1.5},
    {ConditionKind::queue_depth, FailureClass::dependency_down, 1},
    {ConditionKind::queue_depth, FailureClass::slow_dependency, 1},
};

struct OfFact {
  FactKind kind;
  FailureClass failure;
  double weight;
};
constexpr OfFact kFacts[] = {
    {FactKind::slow, FailureClass::slow_dependency, 3},
    {FactKind::not_reached, FailureClass::dependency_down, 2},
    {FactKind::cpu_up, FailureClass::cpu, 3},
    {FactKind::memory_up, FailureClass::memory, 2},
    {FactKind::traffic_up, FailureClass::overload, 3},
    {FactKind::restarted, FailureClass::crash, 1.5},
    {FactKind::change, FailureClass::bad_deploy, 1.5},
    {FactKind::change_impact, FailureClass::bad_deploy, 4},
};
// A change of a service that is itself in trouble.
constexpr double kChangeAndTrouble = 3;

struct OfText {
  string_view words;  // in lower case
  FailureClass failure;
  double weight;
};
constexpr OfText kTexts[] = {
    {"no space left", FailureClass::disk, 4},
    {"disk full", FailureClass::disk, 4},
    {"disk quota", FailureClass::disk, 3},
    {"read-only file system", FailureClass::disk, 3},
    {"out of memory", FailureClass::memory, 4},
    {"outofmemory", FailureClass::memory, 4},
    {"cannot allocate memory", FailureClass::memory, 4},
    {"bad_alloc", FailureClass::memory, 4},
    {"heap space", FailureClass::memory, 4},
    {"panic", FailureClass::crash, 3},
    {"segmentation fault", FailureClass::crash, 3},
    {"sigsegv", FailureClass::crash, 3},
    {"core dumped", FailureClass::crash, 3},
    {"fatal error", FailureClass::crash, 2},
    {"connection refused", FailureClass::dependency_down, 4},
    {"econnrefused", FailureClass::dependency_down, 4},
    {"no route to host", FailureClass::dependency_down, 4},
    {"no such host", FailureClass::dependency_down, 4},
    {"name or service not known", FailureClass::dependency_down, 4},
    {"connection reset", FailureClass::dependency_down, 3},
    {"connection closed", FailureClass::dependency_down, 3},
    {"connection lost", FailureClass::dependency_down, 3},
    {"lost connection", FailureClass::dependency_down, 3},
    {"broken pipe", FailureClass::dependency_down, 2},
    {"not connected", FailureClass::dependency_down, 3},
    {"service unavailable", FailureClass::dependency_down, 3},
    {"bad gateway", FailureClass::dependency_down, 3},
    {"timed out", FailureClass::slow_dependency, 3},
    {"timeout", FailureClass::slow_dependency, 3},
    {"deadline exceeded", FailureClass::slow_dependency, 3},
    {"slow query", FailureClass::slow_dependency, 3},
    {"lock wait", FailureClass::slow_dependency, 3},
    {"too many requests", FailureClass::overload, 3},
    {"too many connections", FailureClass::overload, 3},
    {"too many open files", FailureClass::overload, 3},
    {"rate limit", FailureClass::overload, 3},
    {"overload", FailureClass::overload, 3},
    {"queue is full", FailureClass::overload, 3},
    {"queue full", FailureClass::overload, 3},
    {"pool exhausted", FailureClass::overload, 2},
    {"malformed", FailureClass::malformed_input, 4},
    {"invalid json", FailureClass::malformed_input, 4},
    {"unexpected token", FailureClass::malformed_input, 4},
    {"unexpected end of", FailureClass::malformed_input, 3},
    {"jsondecodeerror", FailureClass::malformed_input, 4},
    {"parse error", FailureClass::malformed_input, 4},
    {"failed to parse", FailureClass::malformed_input, 4},
    {"cannot parse", FailureClass::malformed_input, 4},
    {"failed to decode", FailureClass::malformed_input, 4},
    {"cannot decode", FailureClass::malformed_input, 4},
    {"unmarshal", FailureClass::malformed_input, 4},
    {"deserializ", FailureClass::malformed_input, 4},
    {"schema validation", FailureClass::malformed_input, 4},
    {"missing required field", FailureClass::malformed_input, 4},
    {"under-voltage", FailureClass::power, 4},
    {"i/o error", FailureClass::power, 2},
};

string_view fact_name(FactKind kind) noexcept {
  switch (kind) {
    case FactKind::error_text: return "error lines";
    case FactKind::errors_up: return "more errors";
    case FactKind::slow: return "slower";
    case FactKind::not_reached: return "not reached any more";
    case FactKind::cpu_up: return "more CPU than usual";
    case FactKind::memory_up: return "more memory than usual";
    case FactKind::traffic_up: return "more traffic than usual";
    case FactKind::restarted: return "restarted";
    case FactKind::change: return "changed shortly before";
    case FactKind::change_impact:
      return "more errors since a change than where nothing was changed";
  }
  return "";
}

std::string lower_case(string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::string sentence(const FailureFact& fact) {
  std::string out = fact.service.empty() ? "" : fact.service + ": ";
  out += fact_name(fact.kind);
  if (!fact.text.empty()) out += ": " + fact.text;
  return out;
}

// What speaks for each class: of one kind of fact the weightiest only.
class Scales {
 public:
  void add(FailureClass failure, int kind, double weight, const std::string& why) {
    auto& [known, text] = parts_[failure][kind];
    if (weight <= known) return;
    known = weight;
    text = why;
  }

  std::vector<ClassFinding> findings() const {
    std::vector<ClassFinding> all;
    for (const auto& [failure, parts] : parts_) {
      std::vector<std::pair<double, std::string>> sorted;
      for (const auto& [kind, part] : parts) sorted.push_back(part);
      std::stable_sort(sorted.begin(), sorted.end(),
                       [](const auto& a, const auto& b) { return a.first > b.first; });
      ClassFinding finding;
      finding.failure = failure;
      for (auto& [weight, why] : sorted) {
        finding.weight += weight;
        finding.why.push_back(std::move(why));
      }
      if (finding.weight >= kLeastWeight) all.push_back(std::move(finding));
    }
    std::stable_sort(all.begin(), all.end(), [](const ClassFinding& a, const ClassFinding& b) {
      return a.weight > b.weight;
    });
    return all;
  }

 private:
  using Part = std::pair<double, std::string>;
  std::map<FailureClass, std::map<int, Part>> parts_;
};

// Numbers that tell kinds of facts apart: conditions, facts, and a change with its trouble.
int number_of(ConditionKind kind) noexcept { return static_cast<int>(kind); }
int number_of(FactKind kind) noexcept { return 100 + static_cast<int>(kind); }
constexpr int kNumberOfChangeAndTrouble = 200;

void weigh_text(Scales& scales, const FailureFact& fact, double share) {
  const std::string text = lower_case(fact.text);
  for (const OfText& row : kTexts) {
    if (text.find(row.words) == std::string::npos) continue;
    scales.add(row.failure, number_of(fact.kind), row.weight * share, sentence(fact));
  }
}

// Whether a service that was changed is itself in trouble; what it is.
std::optional<std::string> trouble_of(const std::string& service,
                                      std::span<const Condition> conditions,
                                      std::span<const FailureFact> facts) {
  for (const Condition& condition : conditions) {
    if (condition.service == service && condition.kind != ConditionKind::oom_kill) {
      return condition.text;
    }
  }
  for (const FailureFact& fact : facts) {
    const bool bad = fact.kind == FactKind::error_text || fact.kind == FactKind::errors_up ||
                     fact.kind == FactKind::slow;
    if (bad && fact.service == service && fact.score >= kFullScore / 3) return sentence(fact);
  }
  return std::nullopt;
}

}  // namespace

string_view failure_class_name(FailureClass failure) noexcept {
  switch (failure) {
    case FailureClass::crash: return "crash";
    case FailureClass::memory: return "memory";
    case FailureClass::disk: return "disk";
    case FailureClass::cpu: return "cpu";
    case FailureClass::dependency_down: return "dependency_down";
    case FailureClass::slow_dependency: return "slow_dependency";
    case FailureClass::bad_deploy: return "bad_deploy";
    case FailureClass::overload: return "overload";
    case FailureClass::malformed_input: return "malformed_input";
    case FailureClass::power: return "power";
    case FailureClass::unknown: return "unknown";
  }
  return "unknown";
}

std::vector<ClassFinding> classify(std::span<const Condition> conditions,
                                   std::span<const FailureFact> facts) {
  Scales scales;
  for (const Condition& condition : conditions) {
    for (const OfCondition& row : kConditions) {
      if (row.kind != condition.kind) continue;
      scales.add(row.failure, number_of(row.kind), row.weight, condition.text);
    }
  }
  for (const FailureFact& fact : facts) {
    const double share = std::clamp(fact.score / kFullScore, 0.0, 1.0);
    if (fact.kind == FactKind::error_text) weigh_text(scales, fact, share);
    for (const OfFact& row : kFacts) {
      if (row.kind != fact.kind) continue;
      scales.add(row.failure, number_of(row.kind), row.weight * share, sentence(fact));
    }
    if (fact.kind != FactKind::change || fact.service.empty()) continue;
    if (const auto trouble = trouble_of(fact.service, conditions, facts)) {
      scales.add(FailureClass::bad_deploy, kNumberOfChangeAndTrouble, kChangeAndTrouble * share,
                 "what was changed is in trouble: " + *trouble);
    }
  }
  std::vector<ClassFinding> found = scales.findings();
  if (found.empty()) found.emplace_back();
  return found;
}

}  // namespace nines::incident
