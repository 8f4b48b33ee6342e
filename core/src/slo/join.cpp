#include "nines/slo/join.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include "nines/base/contract.hpp"
#include "nines/base/fnv1a.hpp"

namespace nines::slo {
namespace {

constexpr int64_t kSlotNs = kSlotS * kNsPerSecond;
constexpr size_t kFirstTable = 64;

uint64_t mix(uint64_t h) noexcept {
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdULL;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ULL;
  return h ^ (h >> 33);
}

// FNV-1a and a final mix. Never 0.
uint64_t hash(std::string_view text) noexcept {
  const uint64_t h = mix(fnv1a64(text));
  return h != 0 ? h : 1;
}

uint64_t hash_number(int64_t mantissa, int exponent) noexcept {
  while (exponent < 0 && mantissa % 10 == 0 && mantissa != 0) {
    mantissa /= 10;
    ++exponent;
  }
  std::array<char, 48> text{};
  char* const end = text.data() + text.size();
  char* const room = end - 16;  // for the exponent
  char* at = std::to_chars(text.data(), room, mantissa).ptr;
  if (mantissa != 0 && exponent != 0) {
    *at++ = 'e';
    at = std::to_chars(at, end, exponent).ptr;
  }
  return hash({text.data(), static_cast<size_t>(at - text.data())});
}

}  // namespace

uint64_t join_key(const Value& value) noexcept {
  switch (value.kind) {
    case ValueKind::null: break;
    case ValueKind::text:
    case ValueKind::level: return hash(value.text);
    case ValueKind::boolean: return hash(value.mantissa != 0 ? "true" : "false");
    case ValueKind::number: return hash_number(value.mantissa, value.exponent);
    case ValueKind::time: return hash_number(value.time_ns, 0);
    case ValueKind::real: {
      const uint64_t h = mix(std::bit_cast<uint64_t>(value.real));
      return h != 0 ? h : 1;
    }
  }
  return 0;
}

int64_t unit_ns(std::string_view unit) noexcept {
  struct Unit {
    std::string_view name;
    int64_t ns;
  };
  static constexpr Unit kUnits[] = {
      {"ns", 1},           {"us", kNsPerUs},         {"ms", kNsPerMs},
      {"s", kNsPerSecond}, {"m", 60 * kNsPerSecond}, {"h", 3600 * kNsPerSecond}};
  for (const Unit& known : kUnits) {
    if (known.name == unit) return known.ns;
  }
  return 0;
}

EventJoin::EventJoin(Options options)
    : options_(std::move(options)),
      keep_ns_((options_.join.timeout_s + options_.join.grace_s) * kNsPerSecond),
      table_(kFirstTable, kNone) {
  NINES_ASSERT(options_.join.max_pending > 0 && options_.unit_ns > 0);
}

// --- verdicts ------------------------------------------------------------------------------------

EventJoin::Verdict EventJoin::judge(const Entry& entry) const {
  Verdict v;
  v.slot = slot_of({entry.start});
  const bool ended = entry.end != kUnset;
  const int64_t lag = ended ? std::max<int64_t>(0, entry.end - entry.start) : 0;
  if (!ended || lag > options_.join.timeout_s * kNsPerSecond) {
    v.bad = options_.join.on_timeout == OnTimeout::bad ? 1 : 0;
    return v;
  }
  const auto order = compare(Decimal{lag, 0}, options_.limit_ns);
  const bool good = options_.op == CompareOp::lt    ? order < 0
                    : options_.op == CompareOp::lte ? order <= 0
                    : options_.op == CompareOp::gt  ? order > 0
                                                    : order >= 0;
  (good ? v.good : v.bad) = 1;
  v.measured = true;
  v.lag = static_cast<double>(lag) / static_cast<double>(options_.unit_ns);
  return v;
}

void EventJoin::count(const Entry& entry, int sign, bool measured) {
  Verdict v = judge(entry);
  if (v.good == 0 && v.bad == 0) return;
  v.good *= sign;
  v.bad *= sign;
  v.measured = v.measured && measured;
  verdicts_.push_back(v);
}

void EventJoin::put(uint64_t key, int64_t at, bool is_start) {
  at = std::clamp(at, -kMaxTimeNs, kMaxTimeNs);
  uint32_t index = find(key);
  const bool fresh = index == kNone;
  if (fresh) index = create(key);
  int64_t Entry::*const side = is_start ? &Entry::start : &Entry::end;
  Entry& entry = pool_[index];
  const bool again = entry.*side != kUnset;
  if (again) ++counters_.duplicates;
  if (again && at >= entry.*side) return;
  const bool had_met = entry.both();
  if (had_met) count(entry, -1, false);
  if (!fresh) bucket_remove(index);
  entry.*side = at;
  bucket_add(index);
  if (!entry.both()) return;
  count(entry, 1, !had_met);
  if (!had_met) meet(index);
}

void EventJoin::meet(uint32_t index) {
  const Entry& entry = pool_[index];
  if (entry.end < entry.start) ++counters_.negative;
  if (entry.end - entry.start > options_.join.timeout_s * kNsPerSecond) ++counters_.timed_out;
  if (options_.join.unique_keys) {
    remove(index);
  } else {
    met_add(index);
  }
}

void EventJoin::advance(WallTime starts_known, WallTime ends_known) {
  const int64_t newest = std::max(starts_known.ns, ends_known.ns);
  for (auto it = buckets_.begin(); it != buckets_.end();) {
    if (!is_due(it->first * kSlotNs, newest)) return;
    uint32_t index = it->second.head;
    ++it;  // remove() may let the bucket go
    while (index != kNone) {
      const Entry& entry = pool_[index];
      const uint32_t next = entry.bucket.next;
      if (is_due(entry.home(), entry.start != kUnset ? ends_known.ns : starts_known.ns)) {
        if (entry.start == kUnset) ++counters_.unmatched;
        if (entry.end == kUnset) {
          ++counters_.timed_out;
          count(entry, 1, false);
        }
        remove(index);
      }
      index = next;
    }
  }
}

// Whether nothing is awaited any more for an entry of that time.
bool EventJoin::is_due(int64_t at, int64_t known) const noexcept {
  return std::min(known, kMaxTimeNs) >= at + keep_ns_;
}

// --- the table -----------------------------------------------------------------------------------

uint32_t EventJoin::create(uint64_t key) {
  if (size_ >= static_cast<size_t>(options_.join.max_pending)) make_room();
  if ((size_ + 1) * 2 > table_.size()) grow();
  uint32_t index = 0;
  if (free_.empty()) {
    index = static_cast<uint32_t>(pool_.size());
    pool_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
    pool_[index] = {};
  }
  pool_[index].key = key;
  index_add(index);
  ++size_;
  return index;
}

void EventJoin::make_room() {
  if (met_.head != kNone) {
    ++counters_.forgotten;
    return remove(met_.head);
  }
  for (const auto& [slot, bucket] : buckets_) {
    if (bucket.head == kNone) continue;  // gone, the store does not know yet
    ++counters_.overflow;
    return remove(bucket.head);
  }
}

void EventJoin::remove(uint32_t index) {
  bucket_remove(index);
  met_remove(index);
  index_remove(pool_[index].key);
  free_.push_back(index);
  --size_;
}

size_t EventJoin::home_of(uint64_t key) const noexcept {
  return static_cast<size_t>(key) & (table_.size() - 1);
}

uint32_t EventJoin::find(uint64_t key) const noexcept {
  for (size_t at = home_of(key);; at = (at + 1) & (table_.size() - 1)) {
    if (table_[at] == kNone || pool_[table_[at]].key == key) return table_[at];
  }
}

void EventJoin::index_add(uint32_t index) {
  size_t at = home_of(pool_[index].key);
  while (table_[at] != kNone) at = (at + 1) & (table_.size() - 1);
  table_[at] = index;
}

// Linear probing without tombstones: what follows moves up where its own place allows.
void EventJoin::index_remove(uint64_t key) {
  const size_t mask = table_.size() - 1;
  size_t hole = home_of(key);
  while (pool_[table_[hole]].key != key) hole = (hole + 1) & mask;
  for (size_t at = (hole + 1) & mask; table_[at] != kNone; at = (at + 1) & mask) {
    const size_t wants = home_of(pool_[table_[at]].key);
    if (((at - wants) & mask) < ((at - hole) & mask)) continue;
    table_[hole] = table_[at];
    hole = at;
  }
  table_[hole] = kNone;
}

void EventJoin::grow() {
  const std::vector<uint32_t> before = std::move(table_);
  table_.assign(before.size() * 2, kNone);
  for (const uint32_t index : before) {
    if (index != kNone) index_add(index);
  }
}

// --- buckets and order ---------------------------------------------------------------------------

void EventJoin::bucket_add(uint32_t index) {
  Bucket& bucket = buckets_[slot_of({pool_[index].home()})];
  pool_[index].bucket = {kNone, bucket.head};
  if (bucket.head != kNone) pool_[bucket.head].bucket.prev = index;
  bucket.head = index;
  ++bucket.count;
  bucket.dirty = true;
}

void EventJoin::bucket_remove(uint32_t index) {
  const Entry& entry = pool_[index];
  const auto it = buckets_.find(slot_of({entry.home()}));
  Bucket& bucket = it->second;
  if (entry.bucket.prev != kNone) {
    pool_[entry.bucket.prev].bucket.next = entry.bucket.next;
  } else {
    bucket.head = entry.bucket.next;
  }
  if (entry.bucket.next != kNone) pool_[entry.bucket.next].bucket.prev = entry.bucket.prev;
  --bucket.count;
  bucket.dirty = true;
  if (bucket.count == 0 && !bucket.kept) buckets_.erase(it);
}

void EventJoin::met_add(uint32_t index) {
  pool_[index].met = {met_.tail, kNone};
  (met_.tail != kNone ? pool_[met_.tail].met.next : met_.head) = index;
  met_.tail = index;
}

void EventJoin::met_remove(uint32_t index) {
  const Links links = pool_[index].met;
  const bool listed = met_.head == index || links.prev != kNone;
  if (!listed) return;
  (links.prev != kNone ? pool_[links.prev].met.next : met_.head) = links.next;
  (links.next != kNone ? pool_[links.next].met.prev : met_.tail) = links.prev;
}

size_t EventJoin::memory_bytes() const noexcept {
  return pool_.capacity() * sizeof(Entry) + (free_.capacity() + table_.capacity()) * 4 +
         buckets_.size() * (sizeof(Bucket) + 48) + verdicts_.capacity() * sizeof(Verdict);
}

}  // namespace nines::slo
