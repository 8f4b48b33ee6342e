#include "app/report.hpp"

namespace nines::agent {
namespace {

constexpr int64_t kImpactWindowS = 2 * 3600;
constexpr size_t kMaxEventsPerFetch = 64;
constexpr size_t kMaxImpacts = 50;  // of a report: each costs windows of every SLO

}  // namespace

view::Report make_report(const Logbook& book, const std::vector<slo::AlertEvent>& events,
                         int64_t from_s, int64_t to_s, WallTime now) {
  using slo::ChangeKind;
  view::Report out;
  out.from = WallTime::from_s(from_s);
  out.to = WallTime::from_s(to_s);
  out.made = to_ms(now);
  const slo::SloEngine& engine = book.engine();
  for (uint32_t i = 0; i < engine.size(); ++i) {
    if (engine.has(i)) out.slos.push_back(slo::report_of(engine, i, events, out.from, out.to));
  }
  std::vector<slo::Change> toil;
  size_t impacts = 0;
  for (const slo::Change& change : book.changes()) {
    if (change.at < out.from || change.at >= out.to) continue;
    switch (change.kind) {
      case ChangeKind::override: out.overrides.push_back(change); break;
      case ChangeKind::exclusion: out.exclusions.push_back(change); break;
      case ChangeKind::manual_action: toil.push_back(change); break;
      default: {
        out.changes.push_back({change, {}});
        const bool moved =
            change.kind == ChangeKind::deploy || change.kind == ChangeKind::migration;
        if (moved && impacts++ < kMaxImpacts) {
          out.changes.back().impacts = book.impact(change, now, kImpactWindowS);
        }
      }
    }
  }
  out.toil = slo::toil_inventory(toil);
  return out;
}

std::vector<slo::AlertEvent> alerts_since(store::StateStore& store, int64_t from_s) {
  std::vector<slo::AlertEvent> out;
  for (uint64_t after = 0;;) {
    auto page = store.events_after(after, kMaxEventsPerFetch);
    if (!page.ok() || page->empty()) return out;
    after = page->back().sequence;
    for (slo::AlertEvent& event : *page) {
      const bool alert = event.kind != slo::AlertEvent::Kind::rows;
      if (alert && event.at.seconds() >= from_s) out.push_back(std::move(event));
    }
  }
}

}  // namespace nines::agent
