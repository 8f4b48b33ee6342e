#include "app/drafting.hpp"

#include <utility>

#include "app/log.hpp"
#include "app/wiring.hpp"
#include "net/asio.hpp"

namespace nines::agent {
namespace {

constexpr int64_t kEveryS = 30;

}  // namespace

struct Drafting::Draft {
  SloPlan plan;
  std::vector<slo::Batch> kept;  // counts of an earlier life
  bool attached = false;
  Ingest::Sources sources;
};

Drafting::Drafting(Parts parts) : parts_(parts), last_look_(parts.clock.mono()) {
  for (const slo::SloSpec& spec : parts_.setup.slos) drafted_.insert(spec.generation());
}

void Drafting::look() {
  const Instant now = parts_.clock.mono();
  if (!parts_.setup.drafted || looking_) return;
  if ((now.ns - last_look_.ns) / kNsPerSecond < kEveryS) return;
  last_look_ = now;
  looking_ = true;
  parts_.store_work.post([this] {
    collector::Discovered found;
    auto drafts = draft(parts_.setup.config, parts_.log_root, parts_.clock, found);
    net::asio::post(parts_.io, [this, drafts = std::move(drafts)] {
      looking_ = false;
      std::vector<Draft> fresh;
      for (const slo::SloSpec& spec : drafts) {
        if (drafted_.insert(spec.generation()).second) take_in(with_free_name(spec), fresh);
      }
      if (!fresh.empty()) watch(std::make_shared<std::vector<Draft>>(std::move(fresh)));
    });
  });
}

// Drafts of one look have different names, but those of an earlier look are not among them.
slo::SloSpec Drafting::with_free_name(slo::SloSpec spec) const {
  const auto taken = [&](const std::string& name) {
    for (uint32_t i = 0; i < parts_.judge.slos(); ++i) {
      if (parts_.judge.engine().has(i) && parts_.judge.engine().spec(i).name == name) return true;
    }
    return false;
  };
  const std::string base = spec.name;
  for (int n = 2; taken(spec.name); ++n) spec.name = base + "-" + std::to_string(n);
  return spec;
}

void Drafting::take_in(const slo::SloSpec& spec, std::vector<Draft>& fresh) {
  const auto index = parts_.judge.add(spec);
  if (!index.ok()) {
    log::warn("agent", "not watched: " + index.error().message);
    return;
  }
  log::info("agent", "drafted " + spec.name + " for a log that has appeared");
  auto plan = plan_slo(*index, spec, parts_.setup.config);
  NINES_ASSERT(plan.ok());  // drafts name their own paths
  Draft draft;
  draft.plan = std::move(*plan);
  fresh.push_back(std::move(draft));
}

// All drafts of a look together: the files they share are read once, from their start, for all.
// Passed from the store's thread by this one to that of ingest and back.
void Drafting::watch(const Drafts& drafts) {
  parts_.store_work.post([this, drafts] {
    for (Draft& draft : *drafts) {
      const slo::SloSpec& spec = draft.plan.spec;
      const Status done =
          parts_.store.attach(draft.plan.slo, {spec.name, spec.generation()},
                              [&](const slo::Batch& batch) { draft.kept.push_back(batch); });
      draft.attached = done.ok();
      // Its counts could not be committed and would hold up all others.
      if (!done.ok()) log::error("store", spec.name + " is not watched: " + done.error().message);
    }
    std::erase_if(*drafts, [](const Draft& draft) { return !draft.attached; });
    net::asio::post(parts_.io, [this, drafts] {
      for (const Draft& draft : *drafts) {
        for (const slo::Batch& batch : draft.kept) parts_.judge.restore(batch);
      }
      parts_.ingest.post([this, drafts](Ingest& ingest) { follow(ingest, drafts); });
    });
  });
}

// On the ingest thread.
void Drafting::follow(Ingest& ingest, const Drafts& drafts) {
  for (Draft& draft : *drafts) {
    const auto sources = ingest.add(draft.plan);
    draft.attached = sources.ok();
    if (sources.ok()) {
      draft.sources = *sources;
    } else {
      log::error("agent", sources.error().message);
    }
  }
  ingest.inputs().rescan();
  net::asio::post(parts_.io, [this, drafts] {
    for (const Draft& draft : *drafts) {
      if (draft.attached) parts_.judge.set_sources(draft.plan.slo, draft.sources);
    }
  });
}

}  // namespace nines::agent
