#include "kept_rows.hpp"

#include <bit>
#include <functional>

#include "values.hpp"

namespace nines::sql {
namespace {

uint64_t hash_of(std::string_view key) noexcept { return std::hash<std::string_view>{}(key); }

}  // namespace

bool HashIndex::build(const query::RowBatch& rows) {
  const size_t size = rows.size();
  if (size >= kNone) return false;
  const size_t buckets = std::bit_ceil(std::max<size_t>(size, 8));
  if (!held_.set(buckets * sizeof(uint32_t) + size * (sizeof(uint32_t) + sizeof(uint64_t)))) {
    return false;
  }
  buckets_.assign(buckets, kNone);
  chain_.assign(size, kNone);
  hashes_.assign(size, 0);
  std::string key;
  for (size_t row = size; row-- > 0;) {  // backwards: chains run in the order of the table
    key.clear();
    const query::Row values = rows[row];
    bool any_null = false;
    for (const size_t column : columns_) {
      any_null = any_null || !append_join_key(key, values.values[column]);
    }
    if (any_null) continue;
    hashes_[row] = hash_of(key);
    uint32_t& head = buckets_[hashes_[row] & (buckets - 1)];
    chain_[row] = head;
    head = static_cast<uint32_t>(row);
  }
  return true;
}

uint32_t HashIndex::with_hash(uint32_t row, uint64_t hash) const noexcept {
  while (row != kNone && hashes_[row] != hash) row = chain_[row];
  return row;
}

uint32_t HashIndex::first(std::string_view key) const noexcept {
  const uint64_t hash = hash_of(key);
  return with_hash(buckets_[hash & (buckets_.size() - 1)], hash);
}

uint32_t HashIndex::next(uint32_t row) const noexcept {
  return with_hash(chain_[row], hashes_[row]);
}

KeptRows::Outcome KeptRows::load(Table::Cursor& source, const std::atomic<bool>* stop,
                                 Status& why) {
  query::RowBatch batch(rows_.columns());
  const size_t reserve = budget_.limit() / 4;
  for (;;) {
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) {
      why = Error{Errc::cancelled, "the query was stopped"};
      return Outcome::failed;
    }
    if (why = source.next(batch); !why.ok()) return Outcome::failed;
    if (batch.size() == 0) return Outcome::kept;
    for (size_t i = 0; i < batch.size(); ++i) rows_.take(batch[i]);
    const size_t now = rows_.memory_bytes();
    const size_t more = now > held_.bytes() ? now - held_.bytes() : 0;
    if (!budget_.has_room(more + batch.memory_bytes(), reserve) || !held_.set(now)) {
      rows_ = query::RowBatch(rows_.columns());
      held_.set(0);
      return Outcome::too_large;
    }
  }
}

const HashIndex* KeptRows::index(const KeyColumns& columns) {
  for (const auto& known : indexes_) {
    if (known->columns() == columns) return known.get();
  }
  auto made = std::make_unique<HashIndex>(budget_, columns);
  if (!made->build(rows_)) return nullptr;
  return indexes_.emplace_back(std::move(made)).get();
}

}  // namespace nines::sql
