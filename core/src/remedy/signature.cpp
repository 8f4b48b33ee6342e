#include "nines/remedy/signature.hpp"

#include <algorithm>

#include "nines/incident/incident.hpp"

namespace nines::remedy {
namespace {

// Of a storm its own line. Else the first suspect has the say: what is found later is found in the
// wake of it.
std::string error_line(const incident::Incident& i) {
  const incident::Condition& first = i.conditions.front().condition;
  if (first.kind == incident::ConditionKind::error_storm) {
    return first.key.substr(first.key.rfind('/') + 1);
  }
  const auto found =
      std::find_if(i.evidence.begin(), i.evidence.end(), [](const incident::Evidence& one) {
        return one.kind == incident::EventKind::suspects && one.entry.detail("line") != nullptr;
      });
  return found == i.evidence.end() ? std::string() : *found->entry.detail("line");
}

}  // namespace

std::string signature_of(const incident::Incident& i) {
  std::string out = i.signature();
  if (i.conditions.empty()) return out;
  const incident::Condition& first = i.conditions.front().condition;
  // Pages and tickets: rules of minutes and rules of hours.
  if (first.kind == incident::ConditionKind::burn_rate) {
    out.append(kFiner).append(first.priority <= 1 ? "fast" : "slow");
  }
  if (const std::string line = error_line(i); !line.empty()) {
    out.append(kFiner).append("line ").append(line);
  }
  return out;
}

std::string_view coarser(std::string_view signature) noexcept {
  const size_t at = signature.rfind(kFiner);
  return at == std::string_view::npos ? std::string_view() : signature.substr(0, at);
}

bool covers(std::string_view signature, std::string_view one) noexcept {
  return one.starts_with(signature) &&
         (one.size() == signature.size() || one.substr(signature.size()).starts_with(kFiner));
}

}  // namespace nines::remedy
