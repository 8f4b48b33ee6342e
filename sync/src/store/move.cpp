// A life in memory: its start, and its way to the disk.
#include "sqlite_store.hpp"

namespace nines::store {

std::shared_ptr<MemoryFiles> make_memory_files() { return std::make_shared<MemoryFiles>(); }

Status SqliteStore::start_in_memory() {
  memory_ = options_.memory.get();
  restored_.in_memory = memory_->why();
  restored_.fresh = memory_->database_bytes() == 0;
  NINES_CHECK(open_or_quarantine());
  NINES_CHECK(load());
  return begin_life();
}

Result<bool> SqliteStore::move_to_disk() {
  if (memory_ == nullptr) return true;
  NINES_CHECK(prepare_directory(options_.directory));
  NINES_TRY(const bool known, memory_->base_stands());
  if (!known) return false;
  NINES_CHECK(write_boot_file(options_.directory, restored_.boot));
  NINES_CHECK(ready());
  NINES_CHECK(connection_->db.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  connection_.reset();  // opened anew where it stands then, or where it stood
  NINES_CHECK(write_memory_out());
  memory_->end();
  memory_ = nullptr;
  if (!ballast_.present()) ballast_.restore();
  (void)ready();  // what may fail now fails like any write from here on, and is tried again
  return true;
}

Status SqliteStore::write_memory_out() {
  NINES_CHECK(memory_->write_to(moved_path(options_.directory) + ".new"));
  if (memory_->forgot_base() && !restored_.quarantined.empty()) {
    NINES_TRY(const std::string aside, quarantine(path_));
  }
  NINES_CHECK(offer_move(options_.directory));
  return finish_move(options_.directory);
}

}  // namespace nines::store
