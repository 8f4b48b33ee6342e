// SidecarStore: the files of the index: creating, appending, and making room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "index/sidecar.hpp"
#include "nines/base/result.hpp"
#include "nines/base/time.hpp"

namespace nines::collector {

class SidecarStore {
 public:
  SidecarStore(std::string directory, int64_t max_bytes)
      : directory_(std::move(directory)), max_bytes_(max_bytes) {}

  // Makes the directory, deletes what is of no use.
  Status open();
  // Blocks that end behind `keep_to` are taken out. Without any left it begins anew.
  Status prepare(const SidecarId& id, std::string_view log_path, int64_t keep_to);
  // REQUIRES a call of prepare(); when the file has gone since, fails with not_found.
  Status append(const SidecarId& id, std::string_view blocks);
  // The log's content is in another file from now on.
  Status move(const SidecarId& from, const SidecarId& to, std::string_view log_path);
  // Deletes what belongs to no log any more, then the oldest while there are more than max_bytes.
  void sweep();

  int64_t bytes() const noexcept { return bytes_; }
  uint64_t evicted() const noexcept { return evicted_; }
  // Bytes of sidecars that were written to after that.
  int64_t bytes_since(WallTime when) const;
  std::string path_of(const SidecarId& id) const;

 private:
  Status create(const SidecarId& id, std::string_view log_path);

  std::string directory_;
  int64_t max_bytes_;
  int64_t bytes_ = 0;
  uint64_t evicted_ = 0;
};

}  // namespace nines::collector
