// Rows as bytes, many at a time. Values just as they are; places and times as differences.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/query/row.hpp"

namespace nines::query {

// `order`: what rows of several nodes are merged by: the time of the row; of one without time, or
// out of order in its file, that of those before it.
struct OrderedRow {
  Row row;
  WallTime order{};
};

// Several rows together are never longer: who decodes them knows what they can become.
inline constexpr size_t kMostRowsBytes = size_t{64} * 1024;

class RowEncoder {
 public:
  // Columns that do not travel go as NULL.
  explicit RowEncoder(std::vector<bool> travels) : travels_(std::move(travels)) {}
  // REQUIRES as many values as `travels`.
  void add(const Row& row, WallTime order);
  size_t rows() const noexcept { return rows_; }
  size_t bytes() const noexcept { return body_.size(); }
  std::string take();  // of the rows so far; empty again afterwards

 private:
  std::vector<bool> travels_;
  std::string body_;
  size_t rows_ = 0;
  Row last_;
  int64_t last_order_ = 0;
};

// What a RowEncoder took, with the bytes they stand in.
class DecodedRows {
 public:
  // Corrupt, unless every row has `columns` values and a place of the files from `first_file` on,
  // at most kFilesANode.
  static Result<DecodedRows> decode(std::string_view bytes, size_t columns, uint32_t first_file);
  size_t size() const noexcept { return heads_.size(); }
  OrderedRow operator[](size_t i) const noexcept;  // views into this
  size_t memory_bytes() const noexcept;
  // Whether `order` never goes back, not before `floor` either.
  bool is_ordered(WallTime floor) const noexcept;

 private:
  struct Head {
    WallTime ts, order;
    Place place;
    bool has_ts = false;
  };
  std::vector<char> bytes_;  // stays where it is when this is moved
  std::vector<Head> heads_;
  std::vector<Value> values_;
  size_t columns_ = 0;
};

}  // namespace nines::query
