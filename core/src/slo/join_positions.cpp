// What an EventJoin keeps over a restart: one Position a bucket.
//
//   state = version 1 | unit of time as a power of ten (0, 3, 6) | number of entries
//           | each: key, 8 bytes, little endian | 1 start, 2 end, 3 both
//                   | start behind the start of the slot | end behind the start, or of the slot
//   Numbers are varints, the last one zigzag.
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "nines/slo/join.hpp"

namespace nines::slo {
namespace {

constexpr int64_t kSlotNs = kSlotS * kNsPerSecond;
constexpr uint8_t kVersion = 1, kHasStart = 1, kHasEnd = 2;

void put_varint(std::string& out, uint64_t v) {
  for (; v >= 0x80; v >>= 7U) out += static_cast<char>(v | 0x80U);
  out += static_cast<char>(v);
}

uint64_t zigzag(int64_t v) {
  return (static_cast<uint64_t>(v) << 1U) ^ static_cast<uint64_t>(v >> 63);
}
int64_t unzigzag(uint64_t v) {
  return static_cast<int64_t>(v >> 1U) ^ -static_cast<int64_t>(v & 1U);
}

class Reader {
 public:
  explicit Reader(std::string_view data) : rest_(data) {}
  bool ok() const { return ok_; }
  bool complete() const { return ok_ && rest_.empty(); }
  uint8_t byte() {
    if (rest_.empty()) ok_ = false;
    if (!ok_) return 0;
    const auto b = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return b;
  }
  uint64_t varint() {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const uint8_t b = byte();
      v |= static_cast<uint64_t>(b & 0x7fU) << shift;
      if (b < 0x80) return v;
    }
    ok_ = false;
    return 0;
  }
  uint64_t fixed() {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) v |= static_cast<uint64_t>(byte()) << shift;
    return v;
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

// a + b * unit, where that is a time.
std::optional<int64_t> plus(int64_t a, int64_t b, int64_t unit) {
  int64_t product = 0, sum = 0;
  if (__builtin_mul_overflow(b, unit, &product) || __builtin_add_overflow(a, product, &sum))
    return std::nullopt;
  return sum;
}

}  // namespace

std::string EventJoin::encode(int64_t slot, const Bucket& bucket) const {
  const int64_t base = slot * kSlotNs;
  uint8_t power = 6;
  int64_t unit = kNsPerMs;
  const auto divides = [&](const Entry& e) {
    return (e.start == kUnset || e.start % unit == 0) && (e.end == kUnset || e.end % unit == 0);
  };
  for (uint32_t i = bucket.head; i != kNone && unit > 1; i = pool_[i].bucket.next) {
    while (!divides(pool_[i])) {
      unit /= 1000;
      power = static_cast<uint8_t>(power - 3);
    }
  }
  std::string out{static_cast<char>(kVersion), static_cast<char>(power)};
  put_varint(out, bucket.count);
  for (uint32_t i = bucket.head; i != kNone; i = pool_[i].bucket.next) {
    const Entry& e = pool_[i];
    for (unsigned shift = 0; shift < 64; shift += 8) out += static_cast<char>(e.key >> shift);
    const bool start = e.start != kUnset, end = e.end != kUnset;
    out += static_cast<char>((start ? kHasStart : 0) | (end ? kHasEnd : 0));
    if (start) put_varint(out, static_cast<uint64_t>((e.start - base) / unit));
    if (end) put_varint(out, zigzag((e.end - (start ? e.start : base)) / unit));
  }
  return out;
}

bool EventJoin::decode(int64_t slot, std::string_view state) {
  Reader in(state);
  if (in.byte() != kVersion) return false;
  const uint8_t power = in.byte();
  if (power > 6 || power % 3 != 0) return false;
  const int64_t unit = power == 0 ? 1 : power == 3 ? kNsPerUs : kNsPerMs;
  const int64_t base = slot * kSlotNs;
  const auto fits = [](const Entry& e) {
    return (e.start == kUnset || std::abs(e.start) <= kMaxTimeNs) &&
           (e.end == kUnset || std::abs(e.end) <= kMaxTimeNs);
  };
  for (uint64_t n = in.varint(); n > 0 && in.ok(); --n) {
    Entry read;
    read.key = in.fixed();
    const uint8_t has = in.byte();
    if (has == 0 || has > (kHasStart | kHasEnd)) return false;
    if ((has & kHasStart) != 0) {
      const auto at = plus(base, static_cast<int64_t>(in.varint()), unit);
      if (!at) return false;
      read.start = *at;
    }
    if ((has & kHasEnd) != 0) {
      const auto at = plus(read.start != kUnset ? read.start : base, unzigzag(in.varint()), unit);
      if (!at) return false;
      read.end = *at;
    }
    if (!in.ok() || !fits(read) || slot_of({read.home()}) != slot) return false;
    if (find(read.key) != kNone) continue;
    const uint32_t index = create(read.key);
    pool_[index].start = read.start;
    pool_[index].end = read.end;
    bucket_add(index);
    if (read.both()) met_add(index);
  }
  return in.complete();
}

bool EventJoin::restore(const Position& position) {
  std::string_view key = position.key;
  const std::string prefix = std::string(kPrefix) + options_.id + ":";
  if (!key.starts_with(prefix)) return false;
  key.remove_prefix(prefix.size());
  int64_t slot = 0;
  const auto [end, problem] = std::from_chars(key.data(), key.data() + key.size(), slot);
  const bool numbered = problem == std::errc{} && end == key.data() + key.size() &&
                        slot >= -kMaxTimeNs / kSlotNs && slot <= kMaxTimeNs / kSlotNs;
  if (!numbered) return false;
  const bool whole = decode(slot, position.state);
  if (!whole) ++counters_.lost_buckets;
  Bucket& bucket = buckets_[slot];
  bucket.kept = true;
  bucket.dirty = !whole || bucket.count == 0;
  return true;
}

void EventJoin::take_positions(std::vector<Position>& out) {
  const std::string prefix = std::string(kPrefix) + options_.id + ":";
  for (auto it = buckets_.begin(); it != buckets_.end();) {
    Bucket& bucket = it->second;
    if (bucket.dirty) {
      const bool gone = bucket.count == 0;
      out.push_back({prefix + std::to_string(it->first), gone ? "" : encode(it->first, bucket)});
      bucket.dirty = false;
      bucket.kept = !gone;
    }
    it = bucket.count == 0 ? buckets_.erase(it) : std::next(it);
  }
}

}  // namespace nines::slo
