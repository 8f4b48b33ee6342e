// The StateStore on SQLite. Opening and reading back: sqlite_store.cpp; folding and retention:
// fold.cpp; documents: documents.cpp; the change log: change_log.cpp.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec.hpp"
#include "connection.hpp"
#include "files.hpp"
#include "memory_files.hpp"
#include "meter_vfs.hpp"
#include "nines/store/state_store.hpp"

namespace nines::store {

class SqliteStore final : public StateStore {
 public:
  explicit SqliteStore(const StoreOptions& options);
  ~SqliteStore() override;
  Status start();
  // On what options.memory holds. REQUIRES that it has begun.
  Status start_in_memory();

  const Restored& restored() const noexcept override { return restored_; }
  Status attach(uint32_t index, const SloIdentity& slo,
                const std::function<void(const slo::Batch&)>& replay) override;
  Status commit(Commit& commit) override;
  Status fold(WallTime now) override;
  Result<bool> move_to_disk() override;
  Result<std::vector<slo::AlertEvent>> events_after(uint64_t sequence, size_t max) override;
  Result<uint64_t> cursor(const std::string& destination) override;
  Status set_cursor(const std::string& destination, uint64_t sequence) override;
  Status put_documents(const std::vector<Document>& documents) override;
  Result<std::vector<Document>> documents(const std::string& kind) override;
  Status record(Record& record) override;
  Result<std::vector<slo::Change>> changes() override;
  Stats stats() const noexcept override;

 private:
  // What a run of journal rows adds up to; key of chunks: (hour, persistent id).
  struct Folded {
    std::map<std::pair<int64_t, uint32_t>, Chunk> chunks;
    std::map<std::string, std::string> positions;
    std::optional<std::string> alerts;
    slo::Batch totals;
    int64_t last_seq = 0;
    size_t rows = 0;
    bool more = false;  // foldable rows are left
    void add(JournalRow&& row);
  };
  using RowSink = std::function<void(JournalRow&&)>;

  // Opens the file anew after an I/O error: a failed fsync may be reported once only, so nothing
  // is ever flushed again through the same descriptor.
  Status ready();
  // A commit whose flush failed may stand in the WAL all the same, complete. Its caller was told
  // "nothing is written" and gives the batch again, so what lies behind our sequences goes first.
  Status undo_in_doubt();
  Status note(Status status);
  Result<std::unique_ptr<Connection>> connect(bool check);
  Status open_or_quarantine();
  Error open_error(Error error) const;
  Status write_memory_out();
  Status begin_life();
  Status load();
  Status load_positions(std::map<std::string, std::string>& positions);
  Status each_journal_row(uint64_t& skipped, const RowSink& sink);
  Result<uint32_t> persistent_id(const SloIdentity& slo);
  Status replay_chunks(uint32_t id, uint32_t index, const std::function<void(const slo::Batch&)>&);
  Result<bool> read_chunk(int64_t hour, uint32_t id, Chunk& chunk);

  Status check_commit(const Commit& commit) const;
  Status write_commit(const Commit& commit, const std::string& alerts,
                      const std::vector<const Document*>& documents);
  Status write_documents(const std::vector<const Document*>& changed);
  // The two halves of put_documents(), for those who have a transaction already.
  Result<std::vector<const Document*>> documents_to_write(const std::vector<Document>& documents);
  Status put_each(const std::vector<const Document*>& changed);
  Status write_record(const Record& record, const std::vector<const Document*>& documents);
  Status write_events(const std::vector<slo::AlertEvent>& events);
  Status write_event(const slo::AlertEvent& event, uint64_t sequence);
  void number_events(std::vector<slo::AlertEvent>& events);
  void hold_events(std::vector<slo::AlertEvent>& events);
  Status read_events(uint64_t after, uint64_t before, size_t max,
                     std::vector<slo::AlertEvent>& out);
  Status load_change_bounds();
  Result<bool> stands(const Document& document, bool& present);
  // Runs `work`; when the disk (not our cap) is full, frees the ballast and runs it once more.
  Status with_ballast(const std::function<Status()>& work);

  // How far the file is from max_bytes, in pages.
  struct Headroom {
    int64_t used = 0, cap = 0;
    bool pressed() const { return used > cap / 10 * 9; }
    // A failed transaction has given its pages back, so "full" is told by what it may have needed.
    bool at_cap() const { return cap - used < std::max<int64_t>(cap / 20, 256); }
  };
  Result<Headroom> headroom();
  Status gather(int64_t now_s, bool any_age, Folded& out);
  Status write_folded(const Folded& folded);
  Result<bool> fold_round(int64_t now_s, bool any_age);
  Status retain(int64_t now_s);
  Status retain_events();
  Status retain_large_events(int64_t last);
  Result<bool> drop_oldest_hour();
  Status relieve();

  StoreOptions options_;
  std::string path_;
  WriteMeter meter_;
  MeterVfs vfs_;
  Ballast ballast_;
  MemoryFiles* memory_ = nullptr;  // of options_, while this life is in memory
  std::unique_ptr<Connection> connection_;
  Restored restored_;
  Stats stats_;
  std::vector<uint32_t> ids_;  // engine index -> persistent id, 0: not attached
  std::string alerts_;         // as last written
  int64_t next_seq_ = 1;
  uint64_t next_event_ = 1;
  std::vector<slo::AlertEvent> held_;  // taken while the disk failed, by sequence
  int64_t next_change_ = 1;
};

}  // namespace nines::store
