#include "group_table.hpp"

#include <algorithm>
#include <new>

#include "nines/base/contract.hpp"
#include "nines/query/bytes.hpp"

namespace nines::query {
namespace {

constexpr size_t kFirstSlots = 64;
constexpr size_t kAround = 48;  // slot and allocator, for one group

size_t with_slack(size_t limit) { return limit > SIZE_MAX - limit / 8 ? limit : limit + limit / 8; }

bool reads_as_key(std::string_view key, size_t columns) {
  Value value;
  for (; columns > 0; --columns) {
    if (!read_key(key, value)) return false;
  }
  return key.empty();
}

}  // namespace

GroupTable::GroupTable(AggregateSet& aggregates, const Limits& limits, bool without_limits)
    : aggregates_(aggregates),
      state_bytes_(aggregates.state_bytes()),
      max_groups_(without_limits ? SIZE_MAX : limits.max_groups),
      max_bytes_(without_limits ? SIZE_MAX : limits.max_bytes),
      high_groups_(with_slack(max_groups_)),
      high_bytes_(with_slack(max_bytes_)),
      slots_(kFirstSlots) {}

GroupTable::~GroupTable() {
  for (const Slot& slot : slots_) {
    if (slot.group != nullptr) destroy(slot.group);
  }
}

Group* GroupTable::make(std::string_view key, uint64_t hash) {
  auto* const memory = static_cast<char*>(::operator new(kHeadBytes + state_bytes_ + key.size()));
  auto* const group = ::new (memory) Group;
  group->hash = hash;
  group->key_size = static_cast<uint32_t>(key.size());
  group->bytes = kHeadBytes + state_bytes_ + key.size() + kAround;
  aggregates_.create(states_of(*group));
  std::copy(key.begin(), key.end(), memory + kHeadBytes + state_bytes_);
  return group;
}

void GroupTable::destroy(Group* group) noexcept {
  aggregates_.destroy(states_of(*group));
  group->~Group();
  ::operator delete(static_cast<void*>(group));
}

Group* GroupTable::add(std::string_view key, uint64_t hash) {
  if (hash >= bound_) {
    left_out_.add(hash);
    return nullptr;
  }
  Group* const group = make(key, hash);
  place(group);
  if (size_ <= high_groups_ && bytes_ <= high_bytes_) return group;
  cut();
  return find(key, hash);  // unless it was cut off itself
}

void GroupTable::place(Group* group) {
  if ((size_ + 1) * 4 > slots_.size() * 3) rehash(slots_.size() * 2);
  const size_t mask = slots_.size() - 1;
  size_t i = static_cast<size_t>(group->hash) & mask;
  while (slots_[i].group != nullptr) i = (i + 1) & mask;
  slots_[i] = {group->hash, group};
  ++size_;
  bytes_ += group->bytes;
  peak_bytes_ = std::max(peak_bytes_, bytes_);
}

void GroupTable::rehash(size_t slots) {
  std::vector<Slot> old(slots);
  old.swap(slots_);
  const size_t mask = slots - 1;
  for (const Slot& slot : old) {
    if (slot.group == nullptr) continue;
    size_t i = static_cast<size_t>(slot.hash) & mask;
    while (slots_[i].group != nullptr) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

std::vector<Group*> GroupTable::by_hash() const {
  std::vector<Group*> all;
  all.reserve(size_);
  for (const Slot& slot : slots_) {
    if (slot.group != nullptr) all.push_back(slot.group);
  }
  std::sort(all.begin(), all.end(), [this](const Group* a, const Group* b) {
    return a->hash != b->hash ? a->hash < b->hash : key_of(*a) < key_of(*b);
  });
  return all;
}

std::vector<const Group*> GroupTable::groups() const {
  std::vector<const Group*> all;
  all.reserve(size_);
  for (const Slot& slot : slots_) {
    if (slot.group != nullptr) all.push_back(slot.group);
  }
  return all;
}

void GroupTable::cut() {
  peak_bytes_ = std::max(peak_bytes_, bytes_);
  const std::vector<Group*> all = by_hash();
  size_t bytes = 0;
  size_t kept = 0;
  for (; kept < all.size() && all[kept]->hash < bound_; ++kept) {
    bytes += all[kept]->bytes;
    if (kept + 1 > max_groups_ || bytes > max_bytes_) break;
  }
  if (kept == all.size()) return;
  ++epoch_;
  bound_ = std::min(bound_, all[kept]->hash);
  while (kept > 0 && all[kept - 1]->hash >= bound_) --kept;  // one hash stays or goes as a whole
  for (size_t i = kept; i < all.size(); ++i) {
    left_out_.add(all[i]->hash);
    destroy(all[i]);
  }
  std::fill(slots_.begin(), slots_.end(), Slot{});
  size_ = 0;
  bytes_ = 0;
  for (size_t i = 0; i < kept; ++i) place(all[i]);
}

void GroupTable::merge(GroupTable& later) {
  NINES_ASSERT(later.state_bytes_ == state_bytes_);
  bound_ = std::min(bound_, later.bound_);
  left_out_.merge(later.left_out_);
  std::vector<Slot> slots(kFirstSlots);
  slots.swap(later.slots_);
  ++later.epoch_;
  later.size_ = 0;
  later.bytes_ = 0;
  for (const Slot& slot : slots) {
    Group* const group = slot.group;
    if (group == nullptr) continue;
    Group* const mine = find(key_of(*group), group->hash);
    if (mine == nullptr) {
      place(group);
      continue;
    }
    if (group->has_ts && (!mine->has_ts || group->ts < mine->ts)) mine->ts = group->ts;
    mine->has_ts |= group->has_ts;
    mine->place = std::min(mine->place, group->place);
    const size_t grown = aggregates_.merge(states_of(*mine), states_of(*group));
    mine->bytes += grown;
    bytes_ += grown;
    destroy(group);
  }
  cut();
}

void GroupTable::save(std::string& out) const {
  put_varint(out, bound_);
  left_out_.save(out);
  put_varint(out, size_);
  for (const Group* group : by_hash()) {
    put_text(out, key_of(*group));
    put_byte(out, group->has_ts ? 1 : 0);
    put_signed(out, group->ts);
    put_varint(out, group->place.file);
    put_signed(out, group->place.at);
    aggregates_.save(states_of(*group), out);
  }
}

bool GroupTable::load_group(std::string_view& in, size_t columns) {
  std::string_view key;
  if (!get_text(in, key) || key.size() > UINT32_MAX || !reads_as_key(key, columns)) return false;
  const uint64_t hash = hash_of(key);
  if (hash >= bound_ || find(key, hash) != nullptr) return false;
  Group* const group = make(key, hash);
  uint8_t has_ts = 0;
  uint64_t file = 0;
  size_t grown = 0;
  const bool good = get_byte(in, has_ts) && has_ts <= 1 && get_signed(in, group->ts) &&
                    get_varint(in, file) && file <= UINT32_MAX && get_signed(in, group->place.at) &&
                    aggregates_.load(states_of(*group), in, grown);
  group->has_ts = has_ts != 0;
  group->place.file = static_cast<uint32_t>(file);
  group->bytes += grown;
  place(group);
  return good;
}

bool GroupTable::load(std::string_view& in, size_t columns) {
  NINES_ASSERT(size_ == 0);
  uint64_t n = 0;
  size_t grown = 0;
  if (!get_varint(in, bound_) || !left_out_.load(in, grown) || !get_varint(in, n)) return false;
  if (n > in.size()) return false;
  for (; n > 0; --n) {
    if (!load_group(in, columns)) return false;
  }
  return true;
}

}  // namespace nines::query
