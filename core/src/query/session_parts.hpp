// What a session keeps besides its aggregates: the services it passed through, and its timeline.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nines/query/row.hpp"

namespace nines::query {

// Numbers below 64, which are all that most installations have, are bits.
class ServiceSet {
 public:
  // Bytes by which it has grown.
  size_t add(uint32_t number) {
    if (number < 64) {
      bits_ |= uint64_t{1} << number;
      return 0;
    }
    const auto at = std::lower_bound(more_.begin(), more_.end(), number);
    if (at != more_.end() && *at == number) return 0;
    more_.insert(at, number);
    return sizeof(uint32_t);
  }
  size_t add(const ServiceSet& other) {
    bits_ |= other.bits_;
    size_t grown = 0;
    for (const uint32_t number : other.more_) grown += add(number);
    return grown;
  }
  void clear() noexcept {
    bits_ = 0;
    if (!more_.empty()) more_ = {};
  }
  friend bool operator==(const ServiceSet&, const ServiceSet&) = default;

 private:
  friend class ServiceNames;
  uint64_t bits_ = 0;
  std::vector<uint32_t> more_;
};

// Names as small numbers. At most kMost; more are told, not kept.
class ServiceNames {
 public:
  static constexpr uint32_t kMost = 4096;
  ServiceNames() : cells_(64) {}

  // kMost when there is no room for another.
  uint32_t number_of(std::string_view name);
  const std::string& name(uint32_t number) const noexcept { return names_[number]; }
  // JSON array of the names, sorted; lives until the next call. Most sessions pass through one of
  // a few sets of services, whose text is kept.
  std::string_view json_of(const ServiceSet& set);

 private:
  struct Text {
    ServiceSet set;
    std::string json = "[]";
  };
  void grow();
  void write(Text& text) const;

  std::vector<std::string> names_;
  std::vector<uint32_t> cells_;  // number + 1; open addressing
  std::vector<Text> texts_ = std::vector<Text>(64);
  uint32_t last_ = 0;  // rows of a service tend to follow each other
};

// The first kMost rows of a session in the order of time.
class Timeline {
 public:
  static constexpr size_t kMost = 50, kMessageBytes = 512;

  // Bytes by which it has grown.
  size_t add(const Row& row, std::string_view service, std::string_view message);
  size_t add(Timeline&& other);
  // JSON array of [ms since start, service, message].
  void write(WallTime start, std::string& out) const;

 private:
  struct Entry {
    WallTime ts;
    Place place;
    std::string service, message;
  };
  size_t insert(Entry entry);
  bool wanted(WallTime ts, Place place) const noexcept;

  std::vector<Entry> entries_;  // ascending
};

// A span of time in milliseconds, exact.
Value milliseconds(int64_t ns) noexcept;

}  // namespace nines::query
