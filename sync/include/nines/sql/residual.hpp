// Plain SQL around log blocks: joins, window functions, common table expressions, set operations.
// An SQLite in memory runs it over tables whose rows are pulled while it asks for them; nothing is
// written to disk (temp_store=MEMORY, bounded), no statement but a single SELECT or WITH is taken.
//
// Times are TEXT of 30 characters (2026-11-21T01:35:51.262484239Z: sorts as time does, and SQLite's
// date functions read it), booleans 0 and 1, levels their names, decimals REAL; what looks like
// such a time comes out as a time again.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/query/row.hpp"

namespace nines::sql {

// Rows that can be asked for again (a table on the inner side of a join is read once and kept when
// it fits `max_bytes`, else read again).
class Table {
 public:
  virtual ~Table() = default;
  virtual const std::vector<std::string>& columns() const = 0;
  class Cursor {
   public:
    virtual ~Cursor() = default;
    // Replaces the content of `out` by the next rows; none: the end.
    virtual Status next(query::RowBatch& out) = 0;
  };
  // What SQLite asks for: columns it reads (others may be NULL), and how many rows are
  // enough (-1: all).
  struct Wish {
    uint64_t columns = ~uint64_t{0};  // bit 63 stands for all behind it
    int64_t limit = -1;
  };
  virtual Result<std::unique_ptr<Cursor>> open(const Wish& wish) = 0;
};

struct NamedTable {
  std::string name;
  Table* table = nullptr;
};

struct Limits {
  size_t max_bytes = 64 * 1024 * 1024;  // of SQLite's memory; beyond it the statement fails: exhausted
  const std::atomic<bool>* stop = nullptr;  // looked at every few thousand steps
};

// The aggregates and functions of the log language (percentile, topk, bucket, template...) are there
// under their own names. Errors of SQLite come as invalid_argument with its message.
class Residual {
 public:
  static Result<std::unique_ptr<Residual>> prepare(std::string_view sql,
                                                   std::vector<NamedTable> tables,
                                                   const Limits& limits);
  virtual ~Residual() = default;
  virtual const std::vector<std::string>& columns() const = 0;
  // Pushes all rows; cancelled when `stop` was set. Once only.
  virtual Status run(query::RowSink& out) = 0;
};

}  // namespace nines::sql
