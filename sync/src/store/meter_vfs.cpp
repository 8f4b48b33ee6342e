#include "meter_vfs.hpp"

#include <atomic>

#include "sql/memory.hpp"

namespace nines::store {
namespace {

struct alignas(8) MeterFile {
  sqlite3_file head;  // first: SQLite sees this
  WriteMeter* meter;
  sqlite3_file* real;  // lies behind this struct
};

MeterFile& self(sqlite3_file* file) { return *reinterpret_cast<MeterFile*>(file); }
sqlite3_file* real(sqlite3_file* file) { return self(file).real; }

int f_close(sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); }
int f_read(sqlite3_file* f, void* out, int n, sqlite3_int64 at) {
  return real(f)->pMethods->xRead(real(f), out, n, at);
}
int f_write(sqlite3_file* f, const void* in, int n, sqlite3_int64 at) {
  self(f).meter->bytes += static_cast<uint64_t>(n);
  return real(f)->pMethods->xWrite(real(f), in, n, at);
}
int f_truncate(sqlite3_file* f, sqlite3_int64 size) {
  return real(f)->pMethods->xTruncate(real(f), size);
}
int f_sync(sqlite3_file* f, int flags) {
  ++self(f).meter->flushes;
  return real(f)->pMethods->xSync(real(f), flags);
}
int f_size(sqlite3_file* f, sqlite3_int64* size) {
  return real(f)->pMethods->xFileSize(real(f), size);
}
int f_lock(sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); }
int f_unlock(sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); }
int f_reserved(sqlite3_file* f, int* out) {
  return real(f)->pMethods->xCheckReservedLock(real(f), out);
}
int f_control(sqlite3_file* f, int op, void* arg) {
  return real(f)->pMethods->xFileControl(real(f), op, arg);
}
int f_sector(sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); }
int f_device(sqlite3_file* f) { return real(f)->pMethods->xDeviceCharacteristics(real(f)); }

// Version 1: no shared memory, no mmap.
constexpr sqlite3_io_methods kMethods = {1,         f_close,  f_read,   f_write,  f_truncate,
                                         f_sync,    f_size,   f_lock,   f_unlock, f_reserved,
                                         f_control, f_sector, f_device, nullptr,  nullptr,
                                         nullptr,   nullptr,  nullptr,  nullptr};

}  // namespace

MeterVfs::MeterVfs(WriteMeter& meter, const std::string& base) : meter_(meter) {
  sql::meter_sqlite_heap();                   // before anything else touches SQLite
  static std::atomic<uint64_t> instances{0};  // VFS names are global to SQLite
  base_ = sqlite3_vfs_find(base.empty() ? nullptr : base.c_str());
  if (base_ == nullptr) return;
  name_ = "nines-meter-" + std::to_string(++instances);
  vfs_ = *base_;  // its other methods do not look at which VFS they are called through
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.szOsFile = static_cast<int>(sizeof(MeterFile)) + base_->szOsFile;
  vfs_.pAppData = this;
  vfs_.xOpen = &MeterVfs::open;
  ok_ = sqlite3_vfs_register(&vfs_, 0) == SQLITE_OK;
}

MeterVfs::~MeterVfs() {
  if (ok_) sqlite3_vfs_unregister(&vfs_);
}

int MeterVfs::open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out) {
  auto& owner = *static_cast<MeterVfs*>(vfs->pAppData);
  MeterFile& mine = self(file);
  mine.meter = &owner.meter_;
  mine.real = reinterpret_cast<sqlite3_file*>(&mine + 1);
  const int rc = owner.base_->xOpen(owner.base_, path, mine.real, flags, out);
  // SQLite calls xClose exactly when pMethods is set, also after a failed open.
  mine.head.pMethods = mine.real->pMethods != nullptr ? &kMethods : nullptr;
  return rc;
}

}  // namespace nines::store
