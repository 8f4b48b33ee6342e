// A SQLite VFS that passes everything on to another one and counts what is written and flushed:
// the write budget is metered where it is spent. It offers no shared memory on purpose: the store
// is EXCLUSIVE, and without an mmapped -shm file 40 % fewer bytes reach the card (README).
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>

namespace nines::store {

struct WriteMeter {
  uint64_t bytes = 0, flushes = 0;
};

// Registered while it lives; must outlive the connections opened through name(). Registering takes
// SQLite's global lock, so stores may be made on any thread.
class MeterVfs {
 public:
  // `base`: name of the VFS underneath, empty for the default. ok() is false when there is none.
  MeterVfs(WriteMeter& meter, const std::string& base);
  ~MeterVfs();
  MeterVfs(const MeterVfs&) = delete;
  MeterVfs& operator=(const MeterVfs&) = delete;

  const char* name() const { return name_.c_str(); }
  bool ok() const { return ok_; }

 private:
  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out);

  WriteMeter& meter_;
  std::string name_;
  sqlite3_vfs* base_ = nullptr;
  sqlite3_vfs vfs_{};
  bool ok_ = false;
};

}  // namespace nines::store
