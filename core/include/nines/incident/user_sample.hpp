// UserSample: how many different users met something bad since a moment. Keeps when each of them
// last did, so that those since any moment of the last day can be counted afterwards. Exact up to
// kMost users; beyond, only users whose hash begins with a zero bit are kept, then with two, and so
// on (adaptive sampling: Wegman; Flajolet 1990), and what is counted stands for 2, 4... times as
// many, with a relative standard error of about 1 / sqrt(how many were counted). A HyperLogLog
// needs no fewer bytes once it has to forget, and is never exact.
//
// 64 KiB when full, nothing while nobody met anything. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"

namespace nines::incident {

class UserSample {
 public:
  static constexpr size_t kMost = 2'048;
  static constexpr int64_t kKeptNs = 86'400 * kNsPerSecond;  // longer ago makes room

  void met(std::string_view user, WallTime at);

  struct Count {
    uint64_t users = 0;
    bool exact = true;
    double error = 0;  // relative, one standard error
  };
  // Different users of all of them together, each of which met something at or after `since`.
  static Count count(std::span<const UserSample* const> samples, WallTime since);

  // All that is kept, so that another life goes on with the same figures and the same error: 9 to
  // 18 bytes a user, 24 KiB where all times are of whole milliseconds of one day.
  std::string save() const;
  // Instead of what is known. corrupt: nothing was taken.
  Status restore(std::string_view saved);

  size_t users() const noexcept { return used_; }  // that are kept
  size_t memory_bytes() const noexcept { return entries_.capacity() * sizeof(Entry); }

 private:
  struct Entry {
    uint64_t user = 0;  // hash; 0: free
    int64_t at = 0;
  };
  bool keeps(uint64_t user) const noexcept {
    return thinning_ == 0 || (user >> (64 - thinning_)) == 0;
  }
  Entry& place_of(uint64_t user) noexcept;
  void rebuild(size_t size, int64_t oldest);
  void make_room();

  std::vector<Entry> entries_;  // open addressing, a power of two, at most half full
  size_t used_ = 0;
  unsigned thinning_ = 0;
  int64_t newest_ = INT64_MIN;
};

}  // namespace nines::incident
