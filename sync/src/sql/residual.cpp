#include "nines/sql/residual.hpp"

#include <sqlite3.h>

#include <optional>

#include "connection.hpp"
#include "memory.hpp"
#include "values.hpp"

namespace nines::sql {
namespace {

struct Finalize {
  void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
};
using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

// Blanks, comments and semicolons: nothing that would be a second statement.
bool is_blank(std::string_view rest) {
  while (!rest.empty()) {
    if (rest.starts_with("--")) {
      rest.remove_prefix(std::min(rest.find('\n'), rest.size()));
    } else if (rest.starts_with("/*")) {
      const size_t end = rest.find("*/", 2);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    } else if (std::string_view(" \t\r\n\f;").find(rest.front()) != std::string_view::npos) {
      rest.remove_prefix(1);
    } else {
      return false;
    }
  }
  return true;
}

class SqliteResidual final : public Residual {
 public:
  SqliteResidual(std::string_view sql, std::vector<NamedTable> tables, const Limits& limits)
      : sql_(sql), tables_(std::move(tables)), around_(limits.max_bytes) {
    around_.stop = limits.stop;
  }
  ~SqliteResidual() override {
    const HeapScope scope(around_.budget);
    statement_.reset();
    db_.reset();
  }

  Status prepare();
  const std::vector<std::string>& columns() const override { return columns_; }
  Status run(query::RowSink& out) override;
  Usage usage() const override {
    return {around_.budget.peak(), around_.readings, around_.kept_rows};
  }

 private:
  Error failure(int rc) { return explain_failure(db_.get(), rc, sql_, tables_, around_); }
  query::Row read_row(int64_t number);

  std::string sql_;
  std::vector<NamedTable> tables_;
  Surroundings around_;
  Connection db_;
  Prepared statement_;
  std::vector<std::string> columns_;
  std::vector<Value> values_;
  std::optional<size_t> ts_column_;
};

Status SqliteResidual::prepare() {
  const HeapScope scope(around_.budget);
  NINES_TRY(db_, open_connection(tables_, around_));
  sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  const int rc = sqlite3_prepare_v3(db_.get(), sql_.c_str(), static_cast<int>(sql_.size() + 1), 0,
                                    &raw, &rest);
  statement_.reset(raw);
  if (rc != SQLITE_OK) return failure(rc);
  if (raw == nullptr) return Error{Errc::invalid_argument, "there is no statement"};
  if (!is_blank(rest)) {
    return Error{Errc::invalid_argument,
                 "one statement at a time; what follows it: " + std::string(rest).substr(0, 40)};
  }
  if (sqlite3_stmt_readonly(raw) == 0 || sqlite3_stmt_isexplain(raw) != 0 ||
      sqlite3_column_count(raw) == 0) {
    return Error{Errc::invalid_argument, "a query is a SELECT (or WITH ... SELECT)"};
  }
  const int count = sqlite3_column_count(raw);
  for (int i = 0; i < count; ++i) columns_.emplace_back(sqlite3_column_name(raw, i));
  values_.resize(columns_.size());
  for (size_t i = 0; i < columns_.size() && !ts_column_; ++i) {
    if (columns_[i] == "ts") ts_column_ = i;
  }
  return Ok{};
}

query::Row SqliteResidual::read_row(int64_t number) {
  for (size_t i = 0; i < values_.size(); ++i) {
    values_[i] = value_of(sqlite3_column_value(statement_.get(), static_cast<int>(i)));
  }
  query::Row row;
  row.values = values_;
  row.place.at = number;
  if (ts_column_ && values_[*ts_column_].kind == ValueKind::time) {
    row.has_ts = true;
    row.ts = {values_[*ts_column_].time_ns};
  }
  return row;
}

Status SqliteResidual::run(query::RowSink& out) {
  const HeapScope scope(around_.budget);
  for (int64_t number = 0;; ++number) {
    const int rc = sqlite3_step(statement_.get());
    if (rc == SQLITE_DONE) break;
    if (rc != SQLITE_ROW) {
      Error error = failure(rc);
      statement_.reset();
      return error;
    }
    if (!out.take(read_row(number))) break;
  }
  statement_.reset();
  return Ok{};
}

}  // namespace

Result<std::unique_ptr<Residual>> Residual::prepare(std::string_view sql,
                                                    std::vector<NamedTable> tables,
                                                    const Limits& limits) {
  meter_sqlite_heap();
  auto made = std::make_unique<SqliteResidual>(sql, std::move(tables), limits);
  NINES_CHECK(made->prepare());
  return std::unique_ptr<Residual>(std::move(made));
}

}  // namespace nines::sql
