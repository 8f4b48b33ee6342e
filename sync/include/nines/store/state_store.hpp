// StateStore: everything an agent must not forget, in one SQLite file (WAL, synchronous=FULL,
// EXCLUSIVE; settings and their measured reasons: sync/README.md). A commit writes one journal row
// that carries counts and file positions together (law 1), plus alert memory and alert events of
// the same instant, in one transaction. Hourly, old journal rows are folded into per-hour chunks.
//
// Synchronous and not thread-safe: the agent's store thread owns it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/slo/batch.hpp"
#include "nines/slo/engine.hpp"

namespace nines::store {

struct StoreOptions {
  std::string directory;                       // nines.db lies in it; created 0750 when missing
  int64_t max_bytes = 256 * 1024 * 1024;       // cap of the database file
  int64_t fold_after_s = 2 * 3600 + 600;       // journal rows older than this are folded
  int64_t keep_chunks_s = 92 * 86400;
  int64_t keep_events = 10'000;
};

// SLOs are named in the file by (name, generation); the store maps them to the engine's indices.
struct SloIdentity {
  std::string name, generation;
};

struct Restored {
  bool fresh = true;                        // no file was there
  std::string quarantined;                  // a corrupt file was set aside under this path
  uint64_t skipped_rows = 0;                // rows that failed their checksum
  uint64_t boot = 0;                        // generation of this node's life; +1 at every open
  std::vector<slo::Position> positions;
  std::vector<slo::AlertMemory> alerts;
};

class StateStore {
 public:
  // Opens or creates; a corrupt file is renamed to *.bad and replaced (said in Restored). Another
  // process holding the file gives `unavailable` with its remedy.
  static Result<std::unique_ptr<StateStore>> open(const StoreOptions& options);
  virtual ~StateStore() = default;

  virtual const Restored& restored() const noexcept = 0;
  // Makes `slo` known under engine index `index` and replays its kept counts (several batches, each
  // bounded) into `replay`, with that index in them.
  virtual Status attach(uint32_t index, const SloIdentity& slo,
                        const std::function<void(const slo::Batch&)>& replay) = 0;

  struct Commit {
    slo::Batch batch;
    std::vector<slo::AlertMemory> alerts;   // full present memory; written only when changed
    std::vector<slo::AlertEvent> events;    // get their sequence here
    WallTime now{};
  };
  // All or nothing. On `io`/`exhausted` nothing is written and the caller keeps the batch and
  // merges it into the next.
  virtual Status commit(Commit& commit) = 0;
  // Folds rows older than options.fold_after_s and drops what is beyond retention.
  virtual Status fold(WallTime now) = 0;

  // Delivery cursors: what each destination (e.g. "webhook:ops") has been told.
  virtual Result<std::vector<slo::AlertEvent>> events_after(uint64_t sequence, size_t max) = 0;
  virtual Result<uint64_t> cursor(const std::string& destination) = 0;
  virtual Status set_cursor(const std::string& destination, uint64_t sequence) = 0;

  struct Stats {
    uint64_t commits = 0, failed_commits = 0, bytes_written = 0, file_bytes = 0, journal_rows = 0, folds = 0;
  };
  virtual Stats stats() const noexcept = 0;
};

}  // namespace nines::store
