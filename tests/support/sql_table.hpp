// Tables of rows in memory for tests of SQL, and a sink that prints rows.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nines/base/decimal.hpp"
#include "nines/base/time.hpp"
#include "nines/sql/residual.hpp"

namespace nines::testing {

// Gives its rows in batches of `batch`; remembers what it was asked for.
class MemoryTable final : public sql::Table {
 public:
  explicit MemoryTable(std::vector<std::string> columns)
      : columns_(std::move(columns)), rows_(columns_.size()) {}

  MemoryTable& add(std::vector<Value> values) {
    query::Row row;
    row.values = values;
    rows_.take(row);
    return *this;
  }
  const std::vector<std::string>& columns() const override { return columns_; }
  int64_t estimated_rows() const override { return estimate; }
  Result<std::unique_ptr<Cursor>> open(const Wish& wish) override {
    wishes.push_back(wish);
    if (!failure.ok() && fail_at == 0) return failure.error();
    return std::unique_ptr<Cursor>(std::make_unique<RowCursor>(*this));
  }

  size_t batch = 3;
  int64_t estimate = -1;
  size_t fail_at = 0;  // row
  Status failure = Ok{};
  std::vector<Wish> wishes;
  uint64_t given = 0;  // rows

 private:
  struct RowCursor final : Cursor {
    explicit RowCursor(MemoryTable& t) : table(t) {}
    Status next(query::RowBatch& out) override {
      out.clear();
      for (size_t n = 0; n < table.batch && at < table.rows_.size(); ++n, ++at) {
        if (!table.failure.ok() && at == table.fail_at) return table.failure;
        out.take(table.rows_[at]);
        ++table.given;
      }
      return Ok{};
    }
    MemoryTable& table;
    size_t at = 0;
  };

  std::vector<std::string> columns_;
  query::RowBatch rows_;
};

inline Value text(std::string_view t) { return Value::of_text(t); }
inline Value integer(int64_t i) { return Value::of_int(i); }
inline Value decimal(std::string_view d) {
  const Decimal exact = *Decimal::parse(d);
  return Value::of_decimal(exact.mantissa, exact.exponent);
}
inline Value level(Level l, std::string_view raw = "raw") { return Value::of_level(l, raw); }

// A value with its kind: i5, d0.25, r0.333, 'text', @time, #LEVEL, true, NULL.
inline std::string shown(const Value& v) {
  switch (v.kind) {
    case ValueKind::null: return "NULL";
    case ValueKind::boolean: return v.mantissa != 0 ? "true" : "false";
    case ValueKind::number: return Decimal{v.mantissa, v.exponent}.to_string();
    case ValueKind::real: return "r" + std::to_string(v.real);
    case ValueKind::text: return "'" + std::string(v.text) + "'";
    case ValueKind::time: return "@" + format_rfc3339({v.time_ns});
    case ValueKind::level: return "#" + std::string(level_name(v.level));
  }
  return "?";
}

// Rows as lines "a|b|c".
class TextSink final : public query::RowSink {
 public:
  bool take(const query::Row& row) override {
    std::string line;
    for (const Value& v : row.values) line.append(line.empty() ? "" : "|").append(shown(v));
    lines.push_back(std::move(line));
    return lines.size() < most;
  }
  std::vector<std::string> lines;
  size_t most = SIZE_MAX;
};

}  // namespace nines::testing
