#include "app/wiring.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "app/source_check.hpp"

namespace nines::agent {

namespace {

std::vector<slo::Position> saved_positions(const store::StateStore* store) {
  if (store == nullptr) return {};
  std::vector<slo::Position> out = store->restored().positions;
  for (const std::string& key : store->restored().lost_positions) {
    out.push_back({key, collector::kPositionLost});
  }
  return out;
}

// Rows of an earlier life come back with their counts, before anything is read.
Status restore_groups(Halves& halves, store::StateStore* store) {
  if (store == nullptr) return Ok{};
  for (const slo::GroupRow& row : halves.ingest->restore_groups(store->restored().max_event_time)) {
    NINES_TRY(const uint32_t index, halves.judge->add_row(row));
    NINES_CHECK(attach_row(*store, *halves.judge, index));
  }
  return Ok{};
}

}  // namespace

Status attach_row(store::StateStore& store, Judge& judge, uint32_t row) {
  const slo::SloSpec& spec = judge.engine().spec(row);
  NINES_CHECK(store.attach(row, {spec.name, spec.generation()},
                           [&](const slo::Batch& batch) { judge.restore(batch); }));
  judge.resume_row(row);
  return Ok{};
}

Result<Halves> wire(const Setup& setup, store::StateStore* store, const Clock& clock,
                    InputEnvironment environment) {
  Halves halves;
  halves.judge = std::make_unique<Judge>(setup.config);
  NINES_TRY(halves.ingest,
            Ingest::create(setup.config, saved_positions(store), std::move(environment), clock));
  std::vector<SloPlan> plans;
  for (const slo::SloSpec& spec : setup.slos) {
    NINES_TRY(const uint32_t index, halves.judge->add(spec));
    if (spec.composite.used()) continue;  // made of other SLOs: nothing to count or keep
    if (store != nullptr) {
      NINES_CHECK(store->attach(index, {spec.name, spec.generation()},
                                [&](const slo::Batch& batch) { halves.judge->restore(batch); }));
    }
    NINES_TRY(SloPlan plan, plan_slo(index, spec, setup.config));
    NINES_TRY(const Ingest::Sources sources, halves.ingest->add(plan));
    halves.judge->set_sources(index, sources);
    plans.push_back(std::move(plan));
  }
  NINES_CHECK(halves.ingest->add_watched(setup.config));
  NINES_CHECK(restore_groups(halves, store));
  for (const std::string& problem : source_problems(plans)) {
    std::fprintf(stderr, "%s\n", problem.c_str());
  }
  if (store != nullptr) halves.judge->restore_alerts(store->restored().alerts);
  return halves;
}

Result<std::unique_ptr<store::StateStore>> open_store(const std::string& directory,
                                                      const NodeConfig& config) {
  return open_store(directory, config, nullptr, {});
}

Result<std::unique_ptr<store::StateStore>> open_store(const std::string& directory,
                                                      const NodeConfig& config,
                                                      std::shared_ptr<store::MemoryFiles> memory,
                                                      WallTime now) {
  store::StoreOptions options;
  options.directory = directory;
  options.max_bytes = config.store_max_bytes;
  options.memory = std::move(memory);
  options.memory_boot = static_cast<uint64_t>(std::max<int64_t>(0, now.seconds()));
  return store::StateStore::open(options);
}

ProcessFigures process_figures() {
  ProcessFigures out;
  if (std::FILE* f = std::fopen("/proc/self/statm", "re")) {
    unsigned long size = 0, resident = 0;
    if (std::fscanf(f, "%lu %lu", &size, &resident) == 2) {
      out.resident_bytes = resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    }
    std::fclose(f);
  }
  struct rusage usage {};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    out.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  return out;
}

}  // namespace nines::agent
