#include "app/backfill.hpp"

#include <algorithm>

#include "app/ingest.hpp"
#include "app/judge.hpp"
#include "app/wiring.hpp"
#include "cli/commands.hpp"

namespace nines::agent {
namespace {

// Of the selector itself, or of the source of nines.yaml that it names.
bool is_files(const slo::SourceSelector& selector, const NodeConfig& config) {
  for (const SourceConfig& source : config.sources) {
    if (!selector.name.empty() && source.name == selector.name) {
      return source.selector.input == slo::InputKind::files;
    }
  }
  return selector.input == slo::InputKind::files;
}

bool reads_files(const slo::SloSpec& spec, const NodeConfig& config) {
  const bool two = spec.indicator.kind == slo::SliKind::ratio || spec.indicator.join;
  return is_files(spec.indicator.total.source, config) &&
         (!two || is_files(spec.indicator.part.source, config));
}

// Up to where the SLOs that are known here are covered.
class Reach {
 public:
  void take(const slo::Batch& batch) {
    for (const slo::SlotDelta& delta : batch.slots) {
      if (delta.covered_s == 0) continue;
      const int64_t slots = std::max<int64_t>(1, delta.covered_s / slo::kSlotS);
      end_ = std::max(end_, delta.slot + slots);
    }
  }
  WallTime or_else(WallTime fallback) const {
    return end_ == INT64_MIN ? fallback : WallTime::from_s(end_ * slo::kSlotS);
  }

 private:
  int64_t end_ = INT64_MIN;
};

Status read_all(Ingest& ingest, Judge& judge) {
  // A copy that a scan finds is read from the next one on.
  ingest.inputs().rescan();
  ingest.inputs().rescan();
  for (const collector::StreamRef& at : ingest.inputs().list()) {
    while (at.input->read_some(*at.stream, true)) {
      if (stop_requested()) return Error{Errc::cancelled, "stopped; nothing was counted", 0};
      if (ingest.pipeline().full()) judge.take(ingest.hand_over(), Judge::kNoCoverage);
    }
  }
  return Ok{};
}

Status check_names(const Setup& setup, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const bool known = std::any_of(setup.slos.begin(), setup.slos.end(),
                                   [&](const slo::SloSpec& spec) { return spec.name == name; });
    if (!known) return Error{Errc::not_found, "no SLO is called '" + name + "'", 0};
  }
  return Ok{};
}

store::SloIdentity identity_of(const slo::SloSpec& spec) { return {spec.name, spec.generation()}; }

struct Chosen {
  const slo::SloSpec* spec;
  Backfilled::Slo* told;
};

void sum_up(const slo::Batch& batch, std::vector<Chosen>& chosen) {
  for (const slo::SlotDelta& delta : batch.slots) {
    if (delta.slo >= chosen.size() || (delta.good == 0 && delta.bad == 0)) continue;
    Backfilled::Slo& told = *chosen[delta.slo].told;
    told.good += delta.good;
    told.bad += delta.bad;
    const WallTime at = WallTime::from_s(delta.slot * slo::kSlotS);
    if (told.first.ns == 0 || at < told.first) told.first = at;
  }
}

// The positions of files are those of the running SLOs and stay where they are; what the new ones
// have pending goes on from there.
void keep_own_positions(slo::Batch& batch) {
  std::erase_if(batch.positions, [](const slo::Position& p) {
    const bool own = p.key.starts_with(slo::EventJoin::kPrefix) ||
                     p.key.starts_with(collector::kGroupPrefix);
    return !own || p.state.empty();  // empty: of an SLO that is not filled up here
  });
}

}  // namespace

Result<Backfilled> backfill(const Setup& setup, const std::vector<std::string>& names,
                            store::StateStore& store, const Clock& clock) {
  NINES_CHECK(check_names(setup, names));
  Backfilled out;
  out.slos.reserve(setup.slos.size());
  std::vector<Chosen> chosen;
  Reach reach;
  for (const slo::SloSpec& spec : setup.slos) {
    const bool wanted =
        names.empty() || std::find(names.begin(), names.end(), spec.name) != names.end();
    bool known = false;
    const auto index = static_cast<uint32_t>(out.slos.size());
    NINES_CHECK(store.attach(index, identity_of(spec), [&](const slo::Batch& batch) {
      known = known || !batch.slots.empty();
      reach.take(batch);
    }));
    if (!wanted) continue;
    out.slos.push_back({spec.name, known, !reads_files(spec, setup.config), 0, 0, {}});
    if (!known && !out.slos.back().not_files) chosen.push_back({&spec, &out.slos.back()});
  }
  if (chosen.empty() || store.restored().positions.empty()) return out;

  InputEnvironment environment;
  environment.once = environment.reread = true;
  NINES_TRY(auto ingest, Ingest::create(setup.config, store.restored().positions,
                                        std::move(environment), clock));
  Judge judge(setup.config);
  for (const Chosen& one : chosen) {
    NINES_TRY(const uint32_t index, judge.add(*one.spec));
    NINES_TRY(const SloPlan plan, plan_slo(index, *one.spec, setup.config));
    NINES_TRY(const Ingest::Sources sources, ingest->add(plan));
    judge.set_sources(index, sources);
    NINES_CHECK(store.attach(index, identity_of(*one.spec), [](const slo::Batch&) {}));
  }
  NINES_CHECK(read_all(*ingest, judge));
  const WallTime until = reach.or_else(store.restored().max_event_time);
  HandOver last = ingest->hand_over(until, true);
  out.bytes = last.tailer.bytes_read;
  out.files = static_cast<int64_t>(ingest->inputs().list().size());
  judge.take(std::move(last), until);
  for (const uint32_t row : judge.take_new_rows()) NINES_CHECK(attach_row(store, judge, row));
  store::StateStore::Commit commit = judge.take_commit(clock.wall());
  keep_own_positions(commit.batch);
  commit.alerts = store.restored().alerts;
  sum_up(commit.batch, chosen);
  NINES_CHECK(store.commit(commit));
  NINES_CHECK(store.fold(clock.wall()));
  return out;
}

}  // namespace nines::agent
