// StateStore: everything an agent must not forget, in one SQLite file (WAL, synchronous=FULL,
// EXCLUSIVE; settings and their measured reasons: sync/README.md). A commit writes one journal row
// that carries counts and file positions together (law 1), plus alert memory and alert events of
// the same instant, in one transaction. Hourly, old journal rows are folded into per-hour chunks.
// The file outlives kill -9, power cuts, a full disk and damaged bytes; what is lost then is said.
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
#include "nines/slo/changes.hpp"
#include "nines/slo/engine.hpp"

namespace nines::store {

// State that is kept in memory while its directory cannot be written. It outlives the store, so
// that whoever opens the store again (a new configuration) goes on with it.
class MemoryFiles;
std::shared_ptr<MemoryFiles> make_memory_files();

struct StoreOptions {
  std::string directory;                  // nines.db lies in it; created 0750 when missing
  int64_t max_bytes = 256 * 1024 * 1024;  // cap of the database file
  int64_t fold_after_s = 2 * 3600 + 600;  // journal rows older than this are folded
  int64_t keep_chunks_s = 93 * 86400;     // a quarter may have 92 days and an hour
  int64_t keep_events = 10'000;
  int64_t keep_large_events = 1000;       // those of more than 4 KiB (rows of standing queries)
  int64_t keep_changes = 2000;            // entries of the change log
  size_t max_documents = 16384;           // of all kinds together
  size_t max_document_bytes = 64 * 1024;  // of one
  // Set: a directory that cannot be created, read or written is no error. What can be read of it is
  // where a life in memory begins (Restored::in_memory), until move_to_disk().
  std::shared_ptr<MemoryFiles> memory;
  // Least boot number of such a life. No disk makes it grow, so it must: the seconds since 1970.
  uint64_t memory_boot = 0;
  std::string vfs;  // SQLite VFS underneath; empty: the system's (tests)
};

// SLOs are named in the file by (name, generation); the store maps them to the engine's indices.
struct SloIdentity {
  std::string name, generation;
};

// A small thing that another part of the agent wants to find again after a restart, and could learn
// anew at a price: not counts, not positions. The store does not look into it.
struct Document {
  std::string kind;  // whose, e.g. "k8s-pod"
  std::string key;   // unique within its kind
  std::string body;  // empty: forget it
  friend bool operator==(const Document&, const Document&) = default;
};

struct Restored {
  bool fresh = true;          // no file was there
  std::string quarantined;    // a corrupt file was set aside under this path
  std::string in_memory;      // why this life began in memory; empty: on the disk
  bool clean = true;          // the last life ended by closing the store
  uint64_t skipped_rows = 0;  // rows that failed their checksum (grows in attach)
  uint64_t boot = 0;          // generation of this node's life; +1 at every open
  std::vector<slo::Position> positions;
  // Files whose position failed its checksum while their counts are kept: reading them from the
  // start would count lines twice, so continue at their end and leave the gap uncovered.
  std::vector<std::string> lost_positions;
  std::vector<slo::AlertMemory> alerts;
  int64_t late = 0, dropped_late = 0, skewed = 0;  // sums over all commits
  WallTime max_event_time{};
};

class StateStore {
 public:
  // Opens or creates; a corrupt file is renamed to *.bad and replaced (said in Restored). Another
  // process holding the file gives `unavailable` with its remedy.
  static Result<std::unique_ptr<StateStore>> open(const StoreOptions& options);
  virtual ~StateStore() = default;

  virtual const Restored& restored() const noexcept = 0;
  // Makes `slo` known under engine index `index` and replays its kept counts (several batches, each
  // bounded) into `replay`, with that index in them. Counts older than fold_after_s are known by
  // the minute: they come in the first slot of their minute, their covered seconds evenly in its
  // six slots.
  virtual Status attach(uint32_t index, const SloIdentity& slo,
                        const std::function<void(const slo::Batch&)>& replay) = 0;

  struct Commit {
    slo::Batch batch;
    std::vector<slo::AlertMemory> alerts;  // full present memory; written only when changed
    std::vector<slo::AlertEvent> events;   // get their sequence and this life's boot here
    // Small things that change every minute, such as how far a destination has been told: they ride
    // along and cost no flush of their own. Not written when there is nothing else to write; what
    // is beyond the bounds of put_documents() is refused, counted, and holds up no count.
    std::vector<Document> documents;
    WallTime now{};
  };
  // All or nothing. On `io`/`exhausted` nothing is written and the caller keeps the batch and
  // merges it into the next. Not its alert events: a broken disk must not hold up a page. The store
  // takes them (their sequence is set, and no longer 0), gives them to whoever asks for events, and
  // writes them with the next commit or record that succeeds; at most kMaxHeld, the rest stays
  // with the caller. Events that were taken may be given again: they are passed over.
  static constexpr size_t kMaxHeld = 256;
  virtual Status commit(Commit& commit) = 0;
  // Folds rows older than options.fold_after_s and drops what is beyond retention; bounded work,
  // stats().journal_rows tells what is left. Near max_bytes it folds rows of any age and drops the
  // oldest hours: call it when commit() said `exhausted`.
  virtual Status fold(WallTime now) = 0;

  // For a life in memory: all of it to the disk, on which the store goes on. An error: not yet, and
  // nothing has changed. False: a state stands there now that this life does not know of, so it
  // ends nothing and begins with that one: close this store, and open another without its memory.
  // True also for a store that is on the disk.
  virtual Result<bool> move_to_disk() = 0;

  // Delivery cursors: what each destination (e.g. "webhook:ops") has been told.
  virtual Result<std::vector<slo::AlertEvent>> events_after(uint64_t sequence, size_t max) = 0;
  // A destination that was never seen starts behind the events there are: it is told what happens
  // from now on, not the past.
  virtual Result<uint64_t> cursor(const std::string& destination) = 0;
  virtual Status set_cursor(const std::string& destination, uint64_t sequence) = 0;

  // All or nothing, in one transaction; what stands there already is not written again.
  // `invalid_argument`: one is too large; `exhausted`: there would be more than max_documents.
  virtual Status put_documents(const std::vector<Document>& documents) = 0;
  // Of one kind, by key. Damaged ones are skipped and counted in restored().skipped_rows.
  virtual Result<std::vector<Document>> documents(const std::string& kind) = 0;

  // The change log: entries get their id here, 1, 2, 3... Documents and alert events that belong to
  // them go into the same transaction: all or nothing. Beyond keep_changes the oldest go, counted.
  struct Record {
    std::vector<slo::Change> changes;
    std::vector<Document> documents;
    std::vector<slo::AlertEvent> events;
    bool empty() const { return changes.empty() && documents.empty() && events.empty(); }
  };
  virtual Status record(Record& record) = 0;  // events as with commit()
  // Oldest first. Damaged ones are skipped and counted in restored().skipped_rows.
  virtual Result<std::vector<slo::Change>> changes() = 0;

  struct Stats {
    uint64_t commits = 0, failed_commits = 0;
    uint64_t bytes_written = 0, flushes = 0;  // write and fsync calls of SQLite, this life
    uint64_t file_bytes = 0;                  // of the database; its WAL adds about 4 MiB
    uint64_t journal_rows = 0, folds = 0, last_row_bytes = 0;
    uint64_t dropped_hours = 0;   // chunks given up because the file was at its cap
    uint64_t dropped_events = 0;  // deleted by keep_events before every destination had them
    uint64_t memory_bytes = 0;    // of a life in memory
    uint64_t held_events = 0;     // told, but not on disk yet
    uint64_t ballast_freed = 0;   // how often the disk was full
    uint64_t documents_written = 0, documents_refused = 0;
    uint64_t changes_written = 0, dropped_changes = 0;  // dropped: beyond keep_changes
  };
  virtual Stats stats() const noexcept = 0;
};

}  // namespace nines::store
