#include "incident/review_facts.hpp"

#include <utility>

namespace nines::agent::incident {
namespace {

constexpr int64_t kChangesBeforeNs = 1800 * kNsPerSecond;

}  // namespace

nines::incident::PostmortemFacts review_facts(const nines::incident::IncidentBook& book,
                                              const nines::incident::Incident& incident,
                                              std::vector<slo::Change> changes, WallTime now) {
  nines::incident::PostmortemFacts facts;
  const int64_t from = incident.began.ns - kChangesBeforeNs;
  const int64_t to = incident.over() ? incident.resolved.ns : now.ns;
  for (slo::Change& change : changes) {
    if (change.at.ns >= from && change.at.ns <= to) facts.changes.push_back(std::move(change));
  }
  for (nines::incident::Incident& other : book.list({}, now)) {
    if (other.key != incident.key || other.opened < incident.opened) {
      const bool alike = other.signature() == incident.signature() && other.id != incident.id;
      if (alike) facts.earlier.push_back(std::move(other));
    }
  }
  return facts;
}

}  // namespace nines::agent::incident
