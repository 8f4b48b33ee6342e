// Plain SQL around log blocks: joins, window functions, common table expressions, set operations.
// An SQLite in memory runs it over tables whose rows are pulled while it asks for them; nothing is
// written to disk (temp_store=MEMORY, bounded), no statement but a single SELECT or WITH is taken.
//
// Times are TEXT of 30 characters (2026-11-21T01:35:51.262484239Z: sorts as time does, and SQLite's
// date functions read it), booleans 0 and 1, levels their names (columns of tables sort them by
// rank), decimals INTEGER where they are, else REAL; what looks like such a time or level comes out
// as one again, reals as the shortest decimal.
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
  // About how many rows there are, for the order of joins; -1: nobody knows.
  virtual int64_t estimated_rows() const { return -1; }
};

struct NamedTable {
  std::string name;
  Table* table = nullptr;
};

struct Limits {
  // Of everything that SQLite, the rows kept for joins and the aggregates hold for this statement;
  // beyond it the statement fails: exhausted. What a Table itself holds is not counted.
  size_t max_bytes = 64 * 1024 * 1024;
  const std::atomic<bool>* stop = nullptr;  // looked at every few thousand steps
};

// The aggregates and functions of the log language (percentile, topk, bucket, template...) are
// there under their own names and as nines_<name> (src/sql/{scalars,aggregates}.hpp list them).
// Errors of SQLite come as invalid_argument with its message, the place and the nearest known name.
class Residual {
 public:
  static Result<std::unique_ptr<Residual>> prepare(std::string_view sql,
                                                   std::vector<NamedTable> tables,
                                                   const Limits& limits);
  virtual ~Residual() = default;
  virtual const std::vector<std::string>& columns() const = 0;
  // Pushes all rows; cancelled when `stop` was set. Once only.
  virtual Status run(query::RowSink& out) = 0;

  struct Usage {
    size_t peak_bytes = 0;
    uint64_t readings = 0;   // how often tables were opened
    uint64_t kept_rows = 0;  // rows kept in memory for joins
  };
  virtual Usage usage() const = 0;
};

}  // namespace nines::sql
