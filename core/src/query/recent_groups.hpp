// The groups that short texts were found to belong to, by the bytes of the texts themselves: no key
// is built for them, nothing is hashed byte by byte, and no memory of a group is read to compare.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nines::query {

struct Group;

class RecentGroups {
 public:
  struct Entry {
    uint64_t first = 0, last = 0;
    size_t size = 0;
    Group* group = nullptr;
  };

  // The entry for `text`: of its group, or free for it when it has none yet. nullptr: a text of
  // another length than most names have.
  Entry* entry(std::string_view text) noexcept {
    const size_t size = text.size();
    if (size < 4 || size > 16) return nullptr;
    // Two overlapping halves of two overlapping pieces: all bytes, whatever the size.
    const char* const p = text.data();
    const size_t step = size / 8 * 4;
    const uint64_t first = uint64_t{load(p)} << 32 | load(p + step);
    const uint64_t last = uint64_t{load(p + size - 4)} << 32 | load(p + size - 4 - step);
    const uint64_t mixed = (first ^ (last << 1) ^ size) * 0x9e3779b97f4a7c15;
    Entry& found = entries_[static_cast<size_t>(mixed >> (64 - kBits))];
    if (found.first != first || found.last != last || found.size != size) {
      found = {first, last, size, nullptr};
    }
    return &found;
  }
  void clear() noexcept { entries_.fill(Entry{}); }

 private:
  static uint32_t load(const char* p) noexcept {
    uint32_t v = 0;
    std::memcpy(&v, p, sizeof v);
    return v;
  }

  static constexpr unsigned kBits = 7;
  std::array<Entry, size_t{1} << kBits> entries_{};
};

}  // namespace nines::query
