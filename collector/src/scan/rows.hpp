// RowMaker: from a framed record to a row: the fields somebody wants, EXTRACT, the time range,
// WHERE. Nothing is allocated for a record. Not thread-safe; one for each part.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/collector/framing.hpp"
#include "nines/collector/scan.hpp"
#include "nines/expr/expression.hpp"
#include "nines/log/format.hpp"
#include "nines/query/extract.hpp"
#include "nines/query/row.hpp"
#include "scan/shape.hpp"

namespace nines::collector {

class RowMaker {
 public:
  // The shape and the plan outlive it.
  static Result<std::unique_ptr<RowMaker>> create(const ScanShape& shape,
                                                  const query::ScanPlan& plan,
                                                  const ScanOptions& options);

  enum class Verdict : uint8_t {
    none,     // a blank line: no record at all
    outside,  // not within the time range
    no,       // WHERE is not true
    yes,
  };
  // `known`: WHERE is true for it, as the search for lines has found.
  Verdict judge(const FramedRecord& record, bool known = false);
  // Reads a record that is not to be judged, and not to be counted (again).
  void read(const FramedRecord& record);
  // Of the record just judged or read, whatever the verdict (but none). Dies with the next record.
  query::Row row() {
    for (Extraction& extraction : extractions_) {
      if (!extraction.early || !extracted_early_) run(extraction);
    }
    query::Row row;
    row.values = std::span<const Value>(values_).first(row_columns_);
    row.place = place_;
    row.has_ts = record_.has_ts;
    if (record_.has_ts) row.ts = record_.ts;
    return row;
  }
  std::optional<WallTime> time() const noexcept {
    return record_.has_ts ? std::optional(record_.ts) : std::nullopt;
  }
  // CONTEXT's columns of the next row().
  void set_context(Value group, Value offset) noexcept;

  const log::LineParser& parser() const noexcept { return *parser_; }
  bool reads_time() const noexcept { return reads_time_; }
  const ScanStats& stats() const noexcept { return stats_; }
  ScanStats& stats() noexcept { return stats_; }

 private:
  // Fields that come from elsewhere than the parser.
  enum class Context : uint8_t {
    none,
    ts,
    ingest_ts,
    node,
    source,
    line,
    said,  // by the record; else by what holds it: service, and source of what is no file
    raw,
    original,  // raw of what is no file
    ns,
    pod,
    container,
    error,
  };
  struct ContextField {
    size_t column = 0;
    Context what = Context::none;
    Value fixed;
  };
  struct Extraction {
    query::Extractor extractor;
    size_t from = 0;    // column of its text
    size_t column = 0;  // of its first field
    size_t count = 0;
    bool early = false;  // WHERE uses one of its fields
  };

  RowMaker(const ScanShape& shape, const query::ScanPlan& plan, const ScanOptions& options)
      : shape_(shape), plan_(plan), options_(options) {}
  Status prepare();
  Status prepare_extracts();
  void prepare_columns();
  size_t column_of(const std::string& name);
  Context context_of(const std::string& name) const noexcept;
  // For every record: written into the two that call them.
#define NINES_INTO_CALLER __attribute__((always_inline)) inline
  NINES_INTO_CALLER bool parse(const FramedRecord& record);
  NINES_INTO_CALLER void count(const FramedRecord& record) noexcept;
  NINES_INTO_CALLER log::ParseOutcome parse_text(std::string_view text);
  NINES_INTO_CALLER void fill_context(const FramedRecord& record);
  NINES_INTO_CALLER bool in_range() const noexcept;
#undef NINES_INTO_CALLER
  void fill_other(const ContextField& field, const FramedRecord& record);
  void run(Extraction& extraction);
  void note_fields() noexcept;

  const ScanShape& shape_;
  const query::ScanPlan& plan_;
  const ScanOptions& options_;
  std::unique_ptr<log::LineParser> parser_;
  std::vector<std::string> names_;   // of all columns: the row's, then those WHERE alone uses
  std::vector<Value> values_;        // by column
  std::vector<std::string> wanted_;  // of the parser
  std::vector<size_t> wanted_columns_;
  std::vector<Value> parsed_;  // when wanted_columns_ are not 0, 1, 2...
  std::vector<ContextField> context_;
  std::vector<Extraction> extractions_;
  struct Unseen {
    size_t column = 0;
    uint64_t bit = 0;  // of ScanStats::fields_seen
  };
  std::vector<Unseen> unseen_;  // named fields that no record has had so far
  std::optional<expr::Evaluator> where_;
  size_t row_columns_ = 0;
  bool in_place_ = false;  // the parser writes where the row has its columns
  bool reads_time_ = false;
  bool parses_ = false;        // some field or the time comes from the parser
  bool parses_shown_ = false;  // one that is used of rows around those that WHERE chose
  log::ParsedRecord record_;
  query::Place place_;
  std::string_view error_;
  bool extracted_early_ = false;  // of this record
  ScanStats stats_;
};

}  // namespace nines::collector
