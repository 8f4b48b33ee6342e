// The key of a row, by which an operator looks up the state that it keeps for each key: the values
// of some columns as bytes (append_key()) and the hash of these.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bound.hpp"
#include "key_table.hpp"
#include "nines/base/contract.hpp"

namespace nines::query {

class RowKey {
 public:
  // A row in which one of the first `needed` columns is NULL has no key.
  RowKey(std::span<const Column> columns, std::span<const std::string> inputs,
         size_t needed = SIZE_MAX)
      : columns_(bind(columns, inputs)), needed_(needed) {}

  // False: the row has no key, and the rest is of no use until the next call.
  bool read(std::span<const Value> values) {
    bytes_.clear();
    for (size_t i = 0; i < columns_.size(); ++i) {
      const Value value = columns_[i].eval(values);
      if (i < needed_ && value.is_null()) return false;
      append_key(bytes_, value);
    }
    hash_ = hash_bytes(bytes_);
    return true;
  }
  const std::string& bytes() const noexcept { return bytes_; }
  uint64_t hash() const noexcept { return hash_; }

  // The values that some key's bytes stand for, at the end of `out`; texts point into `bytes`.
  void append_values(std::string_view bytes, std::vector<Value>& out) const {
    for (size_t i = 0; i < columns_.size(); ++i) {
      const bool there = read_key(bytes, out.emplace_back());
      NINES_ASSERT(there);
    }
  }

 private:
  std::vector<Bound> columns_;
  size_t needed_;
  std::string bytes_;
  uint64_t hash_ = 0;
};

}  // namespace nines::query
