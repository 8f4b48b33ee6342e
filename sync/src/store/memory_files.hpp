// MemoryFiles: the state files of an agent whose disk cannot be written. What stands on the disk is
// read where it stands; what is written stays here, by blocks of 4 KiB, so that a life in memory
// goes on from the last one and costs what it changes. A SQLite VFS gives them to the store.
//
// One directory, one store at a time; used by the thread that uses the store.
#pragma once

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "nines/base/result.hpp"

namespace nines::store {

class MemoryFiles {
 public:
  static constexpr size_t kBlock = 4096;
  static constexpr size_t kMaxBytes = 16 * 1024 * 1024;  // then writes meet a full disk

  MemoryFiles();
  ~MemoryFiles();
  MemoryFiles(const MemoryFiles&) = delete;
  MemoryFiles& operator=(const MemoryFiles&) = delete;

  const char* vfs_name() const { return name_.c_str(); }
  // Begins a life on top of what can be read in `directory`, because of `why`. `unavailable`:
  // another process uses it.
  Status begin(const std::string& directory, const std::string& why);
  bool begun() const noexcept { return !why_.empty(); }
  const std::string& why() const noexcept { return why_; }
  // What stands on the disk is damaged: the database is empty from now on.
  void forget_base();
  bool forgot_base() const noexcept { return forgot_; }
  int64_t base_bytes() const noexcept { return base_bytes_; }
  // Whether what was found at begin() is what stands there now; `unavailable` as begin().
  Result<bool> base_stands() const;
  // The database to `path`, whole and flushed. REQUIRES that nothing has it open and that it stands
  // alone, without rows in a WAL.
  Status write_to(const std::string& path) const;
  void end();

  size_t bytes() const noexcept { return blocks_ * kBlock; }
  int64_t database_bytes() const noexcept;

  // What one open file of SQLite's does.
  struct File {
    int base = -1;           // the file on the disk, or none
    int64_t base_bytes = 0;  // what still counts of it
    int64_t bytes = 0;
    bool there = false;
    std::map<int64_t, std::unique_ptr<std::array<char, kBlock>>> blocks;
  };
  // False: the disk cannot be read. What is behind the end is zeros.
  static bool read(const File& file, char* out, size_t n, int64_t at);
  // An SQLITE_ code.
  int write(File& file, const char* in, size_t n, int64_t at);
  void truncate(File& file, int64_t bytes);

 private:
  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out);
  static int remove(sqlite3_vfs* vfs, const char* path, int sync);
  static int full_path(sqlite3_vfs* vfs, const char* path, int n, char* out);
  static int access(sqlite3_vfs* vfs, const char* path, int flags, int* out);
  Status take_base(File& file, const std::string& path);
  void drop(File& file);
  File& of(const char* path);

  std::string name_, directory_, why_, base_path_;
  sqlite3_vfs vfs_{};
  File database_, wal_, journal_;
  int64_t base_bytes_ = 0;
  uint64_t base_device_ = 0, base_inode_ = 0;
  size_t blocks_ = 0;
  bool forgot_ = false;
};

}  // namespace nines::store
