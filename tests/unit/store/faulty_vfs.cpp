#include "faulty_vfs.hpp"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace nines::store::test {
namespace {

sqlite3_vfs* base = nullptr;
sqlite3_vfs faulty;

struct alignas(8) File {
  sqlite3_file head;
  const char* path;  // SQLite keeps it as long as the file is open
  sqlite3_file* real;
};
File& self(sqlite3_file* f) { return *reinterpret_cast<File*>(f); }
sqlite3_file* real(sqlite3_file* f) { return self(f).real; }

int f_close(sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); }
int f_read(sqlite3_file* f, void* out, int n, sqlite3_int64 at) {
  return real(f)->pMethods->xRead(real(f), out, n, at);
}
int f_write(sqlite3_file* f, const void* in, int n, sqlite3_int64 at) {
  if (const int code = FaultyVfs::instance().fault(true); code != SQLITE_OK) {
    // Torn: half of it arrived.
    (void)real(f)->pMethods->xWrite(real(f), in, n / 2, at);
    return code;
  }
  return real(f)->pMethods->xWrite(real(f), in, n, at);
}
int f_truncate(sqlite3_file* f, sqlite3_int64 size) {
  return real(f)->pMethods->xTruncate(real(f), size);
}
int f_sync(sqlite3_file* f, int flags) {
  if (const int code = FaultyVfs::instance().fault(false); code != SQLITE_OK) return code;
  FaultyVfs::instance().flushed(self(f).path == nullptr ? "" : self(f).path);
  return real(f)->pMethods->xSync(real(f), flags & SQLITE_SYNC_DATAONLY);
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
int f_device(sqlite3_file*) { return 0; }

constexpr sqlite3_io_methods kMethods = {1,         f_close,  f_read,   f_write,  f_truncate,
                                         f_sync,    f_size,   f_lock,   f_unlock, f_reserved,
                                         f_control, f_sector, f_device, nullptr,  nullptr,
                                         nullptr,   nullptr,  nullptr,  nullptr};

int v_open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out) {
  File& mine = self(file);
  mine.path = path;
  mine.real = reinterpret_cast<sqlite3_file*>(&mine + 1);
  const int rc = base->xOpen(base, path, mine.real, flags, out);
  mine.head.pMethods = mine.real->pMethods != nullptr ? &kMethods : nullptr;
  return rc;
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

FaultyVfs& FaultyVfs::instance() {
  static FaultyVfs one;
  if (base == nullptr) {
    base = sqlite3_vfs_find(nullptr);
    faulty = *base;
    faulty.pNext = nullptr;
    faulty.zName = kName;
    faulty.szOsFile = static_cast<int>(sizeof(File)) + base->szOsFile;
    faulty.xOpen = v_open;
    sqlite3_vfs_register(&faulty, 0);
  }
  return one;
}

int FaultyVfs::fault(bool write) {
  if (write && !freed_.empty() && ::access(freed_.c_str(), F_OK) == 0) return SQLITE_FULL;
  if (fired_ && lasting_) return code_;
  if (countdown_ == 0 || --countdown_ != 0) return SQLITE_OK;
  fired_ = true;
  return write ? code_ : (code_ == SQLITE_FULL ? SQLITE_IOERR_FSYNC : code_);
}

void FaultyVfs::flushed(const std::string& path) {
  if (tracking_) durable_[path] = contents(path);
}

void FaultyVfs::lose_unflushed() {
  for (const auto& [path, bytes] : durable_) {
    if (!std::filesystem::exists(path)) continue;  // a rollback journal that was done with
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
}

}  // namespace nines::store::test
