// The rows of a table kept in memory, because SQLite asks for them again and again (the inner side
// of a join, a subquery that looks at each row), with an index over the columns that it compares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "memory.hpp"
#include "nines/query/row.hpp"
#include "nines/sql/residual.hpp"

namespace nines::sql {

// Which columns an index is over. SQLite compares again what it finds (collisions are harmless).
using KeyColumns = std::vector<size_t>;

class HashIndex {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  HashIndex(Budget& budget, KeyColumns columns) : held_(budget), columns_(std::move(columns)) {}
  // False: no memory for it.
  bool build(const query::RowBatch& rows);
  // First row with this key, in the order of the table; next() goes on. Rows in the chain of
  // another key with the same bucket are passed over.
  uint32_t first(std::string_view key) const noexcept;
  uint32_t next(uint32_t row) const noexcept;
  const KeyColumns& columns() const noexcept { return columns_; }

 private:
  uint32_t with_hash(uint32_t row, uint64_t hash) const noexcept;

  Held held_;
  KeyColumns columns_;
  std::vector<uint32_t> buckets_, chain_;
  std::vector<uint64_t> hashes_;
};

// One reading of a table, whole.
class KeptRows {
 public:
  KeptRows(Budget& budget, uint64_t mask, size_t columns)
      : budget_(budget), held_(budget), mask_(mask), rows_(columns) {}

  enum class Outcome : uint8_t { kept, too_large, failed };
  // Reads the table to its end, at most until three quarters of the budget are used: SQLite needs
  // the rest. too_large: gives everything back.
  Outcome load(Table::Cursor& source, const std::atomic<bool>* stop, Status& why);

  uint64_t mask() const noexcept { return mask_; }
  const query::RowBatch& rows() const noexcept { return rows_; }
  // nullptr: no memory for the index. Made when first asked for.
  const HashIndex* index(const KeyColumns& columns);

 private:
  Budget& budget_;
  Held held_;
  uint64_t mask_;
  query::RowBatch rows_;
  std::vector<std::unique_ptr<HashIndex>> indexes_;
};

}  // namespace nines::sql
