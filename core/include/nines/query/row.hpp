// Rows on their way through a query: what a scan reads out of a log, what operators hand on, what
// a query answers. One row at a time is pushed downstream; nothing is copied on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/log/value.hpp"

namespace nines::query {

// Where a record stands. Orders rows of equal time; the same however the input was split.
struct Place {
  uint32_t file = 0;  // index among the files of the query, in the order of their paths
  int64_t at = 0;     // byte offset of the record's first line
  friend auto operator<=>(const Place&, const Place&) = default;
};

// All views die when take() returns.
struct Row {
  std::span<const Value> values;  // one per column of the stage before
  WallTime ts{};                  // valid when has_ts; of a group or session: its start
  Place place;
  bool has_ts = false;
};

class RowSink {
 public:
  virtual ~RowSink() = default;
  // False: no more rows are wanted (a LIMIT is reached, the reader is gone); more are ignored.
  virtual bool take(const Row& row) = 0;
};

// Owns copies of rows: what is held back, handed to another thread or sorted. Values live in one
// array, texts in one arena. Not thread-safe.
class RowBatch final : public RowSink {
 public:
  explicit RowBatch(size_t columns) : columns_(columns) {}
  bool take(const Row& row) override;
  // REQUIRES i < size(). Views live until the batch changes.
  Row operator[](size_t i) const noexcept;
  size_t size() const noexcept { return heads_.size(); }
  size_t columns() const noexcept { return columns_; }
  size_t memory_bytes() const noexcept;
  void clear() noexcept;  // keeps the memory

 private:
  struct Head {
    WallTime ts;
    Place place;
    bool has_ts;
  };
  size_t columns_;
  std::vector<Head> heads_;
  std::vector<Value> values_;
  // Texts in blocks that never move.
  std::string_view keep(std::string_view text);
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::vector<size_t> block_sizes_;
  size_t block_ = 0, used_ = 0;
};

// The order of ORDER BY, GROUP BY and DISTINCT, total over all kinds: NULL, then numbers
// (booleans are 0 and 1; decimals and reals by value), then times, then levels by rank, then texts
// by bytes. Never says that 1 and 1.0 differ.
int compare_values(const Value& a, const Value& b) noexcept;
// Bytes that are equal exactly when compare_values() is 0; of any length, prefix-free, so that the
// keys of several columns can be put one behind the other. Not ordered.
void append_key(std::string& out, const Value& value);
// And back. The text points into `in`, which moves behind the value. False: not such bytes.
bool read_key(std::string_view& in, Value& out) noexcept;

}  // namespace nines::query
