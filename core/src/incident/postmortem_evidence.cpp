#include "incident/postmortem_evidence.hpp"

#include <algorithm>

#include "incident/text.hpp"
#include "nines/incident/current_evidence.hpp"

namespace nines::incident {
namespace {

using Texts = std::vector<std::string>;

// Told in the text, elsewhere in the review, or for programs only.
bool is_left_out(std::string_view key) {
  static constexpr std::string_view kKeys[] = {"wrong_if", "service", "node",  "rank",
                                               "of",       "score",   "part",  "page",
                                               "change",   "kind",    "class", "weight"};
  return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

std::string line_of(const std::string& key, const std::string& value) {
  const bool numbered = key.find_first_not_of("0123456789") == std::string::npos;
  if (numbered || key.starts_with("why-")) return value;
  if (key.starts_with("other-")) return "less likely: " + value;
  if (key == "example") return "for example: " + value;
  if (key == "missing") return "not heard in time: " + value;
  if (key == "on") return "on node " + value;
  return key + ": " + value;
}

Postmortem::Finding finding_of(const Evidence& e) {
  Postmortem::Finding out;
  const bool suspect = e.kind == EventKind::suspects;
  out.text = "E" + std::to_string(e.number) + " (" + std::string(event_kind_name(e.kind)) + ", " +
             moment_text(e.entry.at) + (e.entry.node.empty() ? "" : ", " + e.entry.node) +
             "): " + (suspect ? suspect_words(e) : e.entry.text);
  if (e.kind == EventKind::impact) return out;  // its text says all of it
  for (const auto& [key, value] : e.entry.details) {
    if (!is_left_out(key) && !value.empty()) out.lines.push_back(line_of(key, value));
  }
  return out;
}

}  // namespace

std::string suspect_words(const Evidence& suspect) {
  const std::string& text = suspect.entry.text;
  const std::string* const service = suspect.entry.detail("service");
  const bool named = service != nullptr && text.starts_with(*service + "; ");
  return named ? *service + ": " + text.substr(service->size() + 2) : text;
}

std::vector<Postmortem::Finding> findings_of(const Incident& incident) {
  const CurrentEvidence current = current_evidence(incident);
  std::vector<const Evidence*> all = current.diagnostics, first;
  if (current.impact != nullptr) all.push_back(current.impact);
  std::sort(all.begin(), all.end(),
            [](const Evidence* a, const Evidence* b) { return a->number < b->number; });
  if (current.failure_class != nullptr) first.push_back(current.failure_class);
  first.insert(first.end(), current.suspects.begin(), current.suspects.end());
  all.insert(all.begin(), first.begin(), first.end());
  std::vector<Postmortem::Finding> out;
  for (const Evidence* e : all) out.push_back(finding_of(*e));
  if (const size_t before = incident.evidence.size() - all.size(); before > 0) {
    out.push_back({std::to_string(before) +
                       (before == 1 ? " earlier finding" : " earlier findings") +
                       " that these have taken the place of: with the incident, as JSON",
                   {}});
  }
  return out;
}

}  // namespace nines::incident
