// The order of ORDER BY.
#pragma once

#include <vector>

#include "nines/query/plan.hpp"
#include "nines/query/row.hpp"

namespace nines::query {

class RowOrder {
 public:
  explicit RowOrder(std::vector<SortStage::Key> keys) : keys_(std::move(keys)) {}

  int compare(const Row& a, const Row& b) const noexcept {
    for (const SortStage::Key& key : keys_) {
      const int order = compare(key, a.values[key.column], b.values[key.column]);
      if (order != 0) return order;
    }
    return 0;
  }

 private:
  static int compare(const SortStage::Key& key, const Value& a, const Value& b) noexcept {
    if (a.is_null() || b.is_null()) {
      if (a.is_null() && b.is_null()) return 0;
      return a.is_null() == key.nulls_first.value_or(!key.descending) ? -1 : 1;
    }
    const int order = compare_values(a, b);
    return key.descending ? -order : order;
  }

  std::vector<SortStage::Key> keys_;
};

}  // namespace nines::query
