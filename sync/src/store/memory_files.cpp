#include "memory_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "files.hpp"
#include "sql/memory.hpp"

namespace nines::store {
namespace {

constexpr int64_t kBlockBytes = MemoryFiles::kBlock;
constexpr size_t kCopyBytes = 16 * MemoryFiles::kBlock;
// Where SQLite's locks lie in a file ("PENDING_BYTE" and the 511 bytes behind it).
constexpr off_t kLocksAt = 0x40000000, kLocksBytes = 512;

struct alignas(8) OpenFile {
  sqlite3_file head;  // first: SQLite sees this
  MemoryFiles* files;
  MemoryFiles::File* file;
};
OpenFile& self(sqlite3_file* f) { return *reinterpret_cast<OpenFile*>(f); }

int f_close(sqlite3_file*) { return SQLITE_OK; }
int f_read(sqlite3_file* f, void* out, int n, sqlite3_int64 at) {
  const MemoryFiles::File& file = *self(f).file;
  if (!MemoryFiles::read(file, static_cast<char*>(out), static_cast<size_t>(n), at)) {
    return SQLITE_IOERR_READ;
  }
  return at + n <= file.bytes ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}
int f_write(sqlite3_file* f, const void* in, int n, sqlite3_int64 at) {
  return self(f).files->write(*self(f).file, static_cast<const char*>(in), static_cast<size_t>(n),
                              at);
}
int f_truncate(sqlite3_file* f, sqlite3_int64 size) {
  self(f).files->truncate(*self(f).file, size);
  return SQLITE_OK;
}
int f_sync(sqlite3_file*, int) { return SQLITE_OK; }
int f_size(sqlite3_file* f, sqlite3_int64* size) {
  *size = self(f).file->bytes;
  return SQLITE_OK;
}
int f_lock(sqlite3_file*, int) { return SQLITE_OK; }
int f_reserved(sqlite3_file*, int* out) {
  *out = 0;
  return SQLITE_OK;
}
int f_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int f_sector(sqlite3_file*) { return static_cast<int>(MemoryFiles::kBlock); }
int f_device(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

constexpr sqlite3_io_methods kMethods = {1,         f_close,  f_read,   f_write, f_truncate,
                                         f_sync,    f_size,   f_lock,   f_lock,  f_reserved,
                                         f_control, f_sector, f_device, nullptr, nullptr,
                                         nullptr,   nullptr,  nullptr,  nullptr};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool pread_all(int fd, char* out, size_t n, int64_t at) {
  while (n > 0) {
    const ssize_t got = ::pread(fd, out, n, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    out += got;
    at += got;
    n -= static_cast<size_t>(got);
  }
  return true;
}

Status check_unlocked(int fd, const std::string& path) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = kLocksAt;
  lock.l_len = kLocksBytes;
  if (::fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return Ok{};
  return Error{Errc::unavailable,
               path +
                   " is in use by another process: stop the other nines agent, or give this one "
                   "its own --state DIR",
               0};
}

}  // namespace

MemoryFiles::MemoryFiles() {
  sql::meter_sqlite_heap();                   // before anything else touches SQLite
  static std::atomic<uint64_t> instances{0};  // VFS names are global to SQLite
  sqlite3_vfs* const base = sqlite3_vfs_find(nullptr);
  name_ = "nines-memory-" + std::to_string(++instances);
  vfs_ = *base;  // its other methods do not look at which VFS they are called through
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.szOsFile = static_cast<int>(sizeof(OpenFile));
  vfs_.pAppData = this;
  vfs_.xOpen = &MemoryFiles::open;
  vfs_.xDelete = &MemoryFiles::remove;
  vfs_.xAccess = &MemoryFiles::access;
  vfs_.xFullPathname = &MemoryFiles::full_path;
  sqlite3_vfs_register(&vfs_, 0);
}

MemoryFiles::~MemoryFiles() {
  end();
  sqlite3_vfs_unregister(&vfs_);
}

Status MemoryFiles::take_base(File& file, const std::string& path) {
  struct stat status {};
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Ok{};
  file.base = fd;
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return Ok{};
  NINES_CHECK(check_unlocked(fd, path));
  file.base_bytes = file.bytes = static_cast<int64_t>(status.st_size);
  file.there = true;
  if (&file != &database_) return Ok{};
  base_bytes_ = file.bytes;
  base_device_ = static_cast<uint64_t>(status.st_dev);
  base_inode_ = static_cast<uint64_t>(status.st_ino);
  return Ok{};
}

Status MemoryFiles::begin(const std::string& directory, const std::string& why) {
  end();
  directory_ = directory;
  base_path_ = moved_path(directory);
  Status taken = take_base(database_, base_path_);
  if (taken.ok() && !database_.there) {
    base_path_ = directory + "/nines.db";
    taken = take_base(database_, base_path_);
    if (taken.ok() && database_.there) taken = take_base(wal_, base_path_ + "-wal");
  }
  if (!taken.ok()) {
    end();
    return taken;
  }
  why_ = why.empty() ? "the state directory cannot be written" : why;
  return Ok{};
}

void MemoryFiles::drop(File& file) {
  blocks_ -= file.blocks.size();
  if (file.base >= 0) ::close(file.base);
  file = {};
}

void MemoryFiles::end() {
  drop(database_);
  drop(wal_);
  drop(journal_);
  base_bytes_ = 0;
  base_device_ = base_inode_ = 0;
  forgot_ = false;
  why_.clear();
}

void MemoryFiles::forget_base() {
  drop(database_);
  drop(wal_);
  drop(journal_);
  forgot_ = true;
}

Result<bool> MemoryFiles::base_stands() const {
  struct stat status {};
  const bool there = ::stat(base_path_.c_str(), &status) == 0;
  if (!there) return base_inode_ == 0 || forgot_;
  if (database_.base >= 0) NINES_CHECK(check_unlocked(database_.base, base_path_));
  return static_cast<uint64_t>(status.st_dev) == base_device_ &&
         static_cast<uint64_t>(status.st_ino) == base_inode_ &&
         static_cast<int64_t>(status.st_size) == base_bytes_;
}

Status MemoryFiles::write_to(const std::string& path) const {
  if (wal_.bytes > 0) return Error{Errc::io, "rows are still in the WAL that lies in memory"};
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  std::string buffer(kCopyBytes, '\0');
  bool done = fd >= 0;
  for (int64_t at = 0; done && at < database_.bytes;) {
    const auto n = static_cast<size_t>(
        std::min<int64_t>(static_cast<int64_t>(kCopyBytes), database_.bytes - at));
    done = read(database_, buffer.data(), n, at) &&
           ::write(fd, buffer.data(), n) == static_cast<ssize_t>(n);
    at += static_cast<int64_t>(n);
  }
  done = done && ::fdatasync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (done) return Ok{};
  ::unlink(path.c_str());
  return Error{error == ENOSPC || error == EDQUOT ? Errc::exhausted : Errc::io,
               "cannot write " + path + ": " + std::strerror(error) +
                   "; check the disk and its mount options",
               error};
}

int64_t MemoryFiles::database_bytes() const noexcept { return database_.bytes; }

bool MemoryFiles::read(const File& file, char* out, size_t n, int64_t at) {
  while (n > 0) {
    const int64_t block = at / kBlockBytes, within = at % kBlockBytes;
    const size_t part = std::min<size_t>(n, static_cast<size_t>(kBlockBytes - within));
    if (const auto found = file.blocks.find(block); found != file.blocks.end()) {
      std::memcpy(out, found->second->data() + within, part);
    } else {
      const int64_t left = std::max<int64_t>(0, file.base_bytes - at);
      const size_t kept = std::min<size_t>(
          part, static_cast<size_t>(std::min<int64_t>(left, static_cast<int64_t>(part))));
      if (!pread_all(file.base, out, kept, at)) return false;
      std::memset(out + kept, 0, part - kept);
    }
    out += part;
    at += static_cast<int64_t>(part);
    n -= part;
  }
  return true;
}

int MemoryFiles::write(File& file, const char* in, size_t n, int64_t at) {
  while (n > 0) {
    const int64_t block = at / kBlockBytes, within = at % kBlockBytes;
    const size_t part = std::min<size_t>(n, static_cast<size_t>(kBlockBytes - within));
    auto found = file.blocks.find(block);
    if (found == file.blocks.end()) {
      if (bytes() + kBlock > kMaxBytes) return SQLITE_FULL;
      auto made = std::make_unique<std::array<char, kBlock>>();
      if (part < kBlock && !read(file, made->data(), kBlock, block * kBlockBytes)) {
        return SQLITE_IOERR_WRITE;
      }
      found = file.blocks.emplace(block, std::move(made)).first;
      ++blocks_;
    }
    std::memcpy(found->second->data() + within, in, part);
    in += part;
    at += static_cast<int64_t>(part);
    n -= part;
    file.bytes = std::max(file.bytes, at);
  }
  file.there = true;
  return SQLITE_OK;
}

void MemoryFiles::truncate(File& file, int64_t bytes) {
  const auto behind = file.blocks.lower_bound((bytes + kBlockBytes - 1) / kBlockBytes);
  for (auto it = behind; it != file.blocks.end(); it = file.blocks.erase(it)) --blocks_;
  if (const auto last = file.blocks.find(bytes / kBlockBytes); last != file.blocks.end()) {
    std::fill(last->second->begin() + static_cast<std::ptrdiff_t>(bytes % kBlockBytes),
              last->second->end(), '\0');
  }
  file.base_bytes = std::min(file.base_bytes, bytes);
  file.bytes = bytes;
}

MemoryFiles::File& MemoryFiles::of(const char* path) {
  const std::string_view name(path);
  return ends_with(name, "-wal") ? wal_ : ends_with(name, "-journal") ? journal_ : database_;
}

int MemoryFiles::open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out) {
  OpenFile& mine = self(file);
  mine.head.pMethods = nullptr;
  if (path == nullptr) return SQLITE_CANTOPEN;  // temporary files: the store has none
  mine.files = static_cast<MemoryFiles*>(vfs->pAppData);
  mine.file = &mine.files->of(path);
  mine.file->there = true;
  mine.head.pMethods = &kMethods;
  if (out != nullptr) *out = flags;
  return SQLITE_OK;
}

int MemoryFiles::remove(sqlite3_vfs* vfs, const char* path, int) {
  auto& files = *static_cast<MemoryFiles*>(vfs->pAppData);
  files.drop(files.of(path));
  return SQLITE_OK;
}

// As it is: the directory may be one that cannot even be looked into.
int MemoryFiles::full_path(sqlite3_vfs*, const char* path, int n, char* out) {
  const size_t length = std::strlen(path);
  if (length >= static_cast<size_t>(n)) return SQLITE_CANTOPEN;
  std::memcpy(out, path, length + 1);
  return SQLITE_OK;
}

int MemoryFiles::access(sqlite3_vfs* vfs, const char* path, int, int* out) {
  *out = static_cast<MemoryFiles*>(vfs->pAppData)->of(path).there ? 1 : 0;
  return SQLITE_OK;
}

}  // namespace nines::store
