#include "top_values.hpp"

#include <algorithm>
#include <functional>

#include "hash.hpp"
#include "nines/query/bytes.hpp"
#include "nines/query/row.hpp"

namespace nines::query {
namespace {

Value value_of(std::string_view key) {
  Value value;
  read_key(key, value);
  return value;
}

bool more_frequent(const TopValues::Entry& a, const TopValues::Entry& b) {
  if (a.count != b.count) return a.count > b.count;
  return compare_values(value_of(a.key), value_of(b.key)) < 0;
}

}  // namespace

size_t TopValues::Hash::operator()(std::string_view key) const noexcept {
  return static_cast<size_t>(hash_bytes(key));
}

size_t TopValues::add(const Value& value) {
  key_.clear();
  append_key(key_, value);
  if (sketch_.empty()) return add_exact(key_, 1);
  offer(key_, 1, add_sketch(key_, 1));
  return 0;
}

size_t TopValues::add_exact(std::string_view key, uint64_t count) {
  if (const auto at = counts_.find(key); at != counts_.end()) {
    at->second += count;
    return 0;
  }
  counts_.emplace(key, count);
  const size_t grown = key.size() + kAround;
  bytes_ += grown;
  const size_t keys = bytes_ - counts_.size() * kAround;
  if (counts_.size() <= kExact && keys <= kExactBytes) return grown;
  bytes_ -= grown;
  return to_sketch();
}

// Each row has a column of its own for a key, out of one hash of 128 bits.
size_t TopValues::cell_of(size_t row, uint64_t hash, uint64_t step) {
  const uint64_t column = (hash + row * step) / (UINT64_MAX / kColumns + 1);
  return row * kColumns + static_cast<size_t>(column);
}

uint64_t TopValues::add_sketch(std::string_view key, uint64_t count) {
  const uint64_t hash = hash_bytes(key);
  const uint64_t step = hash_integer(hash, 7) | 1;
  uint64_t least = UINT64_MAX;
  for (size_t row = 0; row < kRows; ++row) {
    least = std::min(least, sketch_[cell_of(row, hash, step)] += count);
  }
  return least;
}

uint64_t TopValues::estimate(std::string_view key) const {
  const uint64_t hash = hash_bytes(key);
  const uint64_t step = hash_integer(hash, 7) | 1;
  uint64_t least = UINT64_MAX;
  for (size_t row = 0; row < kRows; ++row) {
    least = std::min(least, sketch_[cell_of(row, hash, step)]);
  }
  return least;
}

// Every row of the sketch holds all rows of the input.
uint64_t TopValues::least_told() const {
  uint64_t all = 0;
  for (size_t column = 0; column < kColumns; ++column) all += sketch_[column];
  return all / kShare + 1;
}

size_t TopValues::to_sketch() {
  const size_t before = bytes_;
  bytes_ = kSketchBytes;
  sketch_.assign(kRows * kColumns, 0);
  Counts all;
  all.swap(counts_);
  for (const auto& [key, count] : all) offer(key, count, add_sketch(key, count));
  return kSketchBytes - before;
}

// `count` more of a value. One that has come no more often than bar_ need not be counted.
void TopValues::offer(std::string_view key, uint64_t count, uint64_t estimate) {
  if (estimate <= bar_ || key.size() > kCandidateBytes) return;
  if (const auto at = counts_.find(key); at != counts_.end()) {
    at->second += count;
    return;
  }
  counts_.emplace(key, count);
  if (counts_.size() > kMostCandidates) prune();
}

// Takes the count of the first one that is too many from all: what that sums up to over any number
// of times is below a kCandidates-th of the rows, since each time more than so many pay it.
void TopValues::prune() {
  std::vector<uint64_t> counts;
  counts.reserve(counts_.size());
  for (const auto& [key, count] : counts_) counts.push_back(count);
  const auto middle = counts.begin() + static_cast<std::ptrdiff_t>(kCandidates);
  std::nth_element(counts.begin(), middle, counts.end(), std::greater<>());
  const uint64_t price = *middle;
  std::erase_if(counts_, [price](const auto& entry) { return entry.second <= price; });
  for (auto& [key, count] : counts_) count -= price;
  bar_ += price;
}

size_t TopValues::merge(const TopValues& other) {
  size_t grown = 0;
  if (other.sketch_.empty()) {
    for (const auto& [key, count] : other.counts_) {
      if (sketch_.empty()) {
        grown += add_exact(key, count);
      } else {
        offer(key, count, add_sketch(key, count));
      }
    }
    return grown;
  }
  if (sketch_.empty()) grown = to_sketch();
  for (size_t i = 0; i < sketch_.size(); ++i) sketch_[i] += other.sketch_[i];
  bar_ += other.bar_;
  for (const auto& [key, count] : other.counts_) offer(key, count, estimate(key));
  return grown;
}

std::vector<TopValues::Entry> TopValues::top(size_t k) const {
  std::vector<Entry> all;
  all.reserve(counts_.size());
  const uint64_t least = sketch_.empty() ? 0 : least_told();
  for (const auto& [key, count] : counts_) {
    const uint64_t counted = sketch_.empty() ? count : estimate(key);
    if (counted >= least) all.push_back({key, counted});
  }
  k = std::min(k, all.size());
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(k);
  std::partial_sort(all.begin(), end, all.end(), more_frequent);
  all.erase(end, all.end());
  return all;
}

void TopValues::save(std::string& out) const {
  put_byte(out, exact() ? 0 : 1);
  for (const uint64_t count : sketch_) put_varint(out, count);
  if (!exact()) put_varint(out, bar_);
  std::vector<Entry> all;
  for (const auto& [key, count] : counts_) all.push_back({key, count});
  std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
  put_varint(out, all.size());
  for (const Entry& entry : all) {
    put_text(out, entry.key);
    put_varint(out, entry.count);
  }
}

bool TopValues::load(std::string_view& in, size_t& grown) {
  uint8_t sketched = 0;
  uint64_t n = 0;
  if (!get_byte(in, sketched) || sketched > 1) return false;
  if (sketched != 0) {
    if (in.size() < kRows * kColumns) return false;
    sketch_.resize(kRows * kColumns);
    bytes_ = kSketchBytes;
    grown += kSketchBytes;
    for (uint64_t& count : sketch_) {
      if (!get_varint(in, count)) return false;
    }
    if (!get_varint(in, bar_)) return false;
  }
  if (!get_varint(in, n) || n > (sketched != 0 ? kMostCandidates : kExact)) return false;
  std::string_view before;
  for (uint64_t i = 0; i < n; ++i) {
    std::string_view key;
    uint64_t count = 0;
    if (!get_text(in, key) || !get_varint(in, count) || (i > 0 && key <= before)) return false;
    before = key;
    Value value;
    std::string_view rest = key;
    if (!read_key(rest, value) || !rest.empty()) return false;
    if (sketched == 0) {
      grown += add_exact(key, count);
      if (!exact()) return false;  // more text than an exact state holds
    } else {
      counts_.emplace(key, count);
    }
  }
  return true;
}

}  // namespace nines::query
