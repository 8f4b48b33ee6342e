// The files around the database: its directory, the ballast, the boot counter, quarantine.
#pragma once

#include <cstdint>
#include <string>

#include "nines/base/result.hpp"

namespace nines::store {

// Creates the directory (0750, with its parents) and proves that it can be written.
Status prepare_directory(const std::string& directory);

// 1 MiB held back: on a full disk SQLite can neither delete nor checkpoint without writing first.
class Ballast {
 public:
  explicit Ballast(const std::string& directory) : path_(directory + "/nines.ballast") {}
  bool present() const;
  // true when it was there and is gone now.
  bool release() const;
  // Makes it again when eight times its size is free; a failure only means trying later.
  void restore() const;

 private:
  std::string path_;
};

// The boot number lies beside the database too, so that it grows even when the database was lost:
// what left the node as (node, boot, sequence) must never be said again of something else.
uint64_t read_boot_file(const std::string& directory);  // 0: none or damaged
Status write_boot_file(const std::string& directory, uint64_t boot);

// A database that is to take the place of nines.db: written whole under moved_path() + ".new",
// flushed and renamed to moved_path(). finish_move() does the rest, at once or at the next start:
// the WAL that belongs to the old one goes first. Without such a file it does nothing.
std::string moved_path(const std::string& directory);
Status offer_move(const std::string& directory);
Status finish_move(const std::string& directory);

// Renames the database and its WAL to nines.db.bad-<n>, n in 1..3; the third is overwritten, so the
// disk cannot fill with them. Returns the new path.
Result<std::string> quarantine(const std::string& database);

}  // namespace nines::store
