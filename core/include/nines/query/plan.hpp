// The compiled form of a query. A statement is plain SQL (run by SQLite) over inputs; most are one
// log block and no SQL is left around it.
//
//   log block:  scan (fields, EXTRACT, WHERE, time range, CONTEXT)
//               -> [Session | Match] -> [Group] -> [Anomaly] -> [Project] -> [Sort]
//
// Everything is a value: plans can be copied, printed, sent to other nodes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/expr/expression.hpp"
#include "nines/log/format.hpp"

namespace nines::query {

// An expression with the name that its value has downstream.
struct Column {
  std::string name;
  expr::Expression value;
};

// ---- the scan ----

// EXTRACT field PATTERN 'in <ms:num>ms' | EXTRACT field REGEXP '(?P<ms>\d+)ms': new fields out of
// the text of another. No match: they are NULL.
struct Extract {
  enum class Kind : uint8_t { pattern, regexp };
  Kind kind = Kind::pattern;
  std::string field;               // usually message
  std::string text;                // the pattern as written
  std::vector<std::string> names;  // of the fields it gives, in order
};

// CONTEXT n BEFORE m AFTER [BY field] [WITHIN t]: records around those that WHERE chose.
struct ContextSpec {
  uint32_t before = 0, after = 0;
  std::string by;  // empty or "file": neighbours in the file; else records of equal value
  std::optional<int64_t> within_ns;  // not farther than this from the record chosen
};

// What to read out of each record, and which records.
struct ScanPlan {
  // Fields of DESIGN 4.5 or of the format; missing ones are NULL. `_error` is NULL or why the line
  // is malformed (no_match, bad_time, not_cri); malformed lines are rows with raw and _error.
  std::vector<std::string> fields;
  std::vector<Extract> extracts;          // their fields follow `fields` in the row
  std::optional<expr::Expression> where;  // over fields and extracted ones
  std::optional<WallTime> since, until;   // [since, until); records without time pass neither
  std::optional<ContextSpec> context;     // rows get ctx_group and ctx_offset behind the others
  // CONTEXT: only so many of `fields` are used of its rows; the others, which WHERE alone needs,
  // may be NULL in them.
  std::optional<size_t> shown_fields;
  bool needs_time = false;  // Row::ts is used downstream (fields named ts ask for it by themselves)
  std::optional<uint64_t> first_rows;  // no more rows than these are wanted (LIMIT without ORDER)
};
// fields, extracted fields, ctx_group, ctx_offset.
std::vector<std::string> columns_of(const ScanPlan& scan);

struct SourceRef {
  enum class Kind : uint8_t {
    logs,    // the sources of the agent (or the container logs of this node) by name glob
    files,   // globs, directories (all logs in them), "-" for standard input
    remote,  // another system's search API: names its `remotes` entry of nines.yaml
  };
  Kind kind = Kind::files;
  std::vector<std::string> names;
  std::string format = "auto", pattern;  // as in nines.yaml; remote: pattern is the query there
  std::string alias;                     // FROM files('x') a
  std::vector<std::string> nodes;        // AT NODES (...); empty: here
  std::vector<std::string> exclude;      // globs of files that are none of it
  std::string service;                   // of its records that name none; empty: from the path
};

// ---- stages ----

enum class AggregateKind : uint8_t {
  count,  // count(*): no argument; count(x): those that are not NULL
  sum,    // exact: integers and decimals to 12 places; NULL without any number
  min,    // by compare_values()
  max,
  avg,             // sum / count, as the division of the expression language
  stddev,          // of the sample; real
  count_distinct,  // exact up to 1,000, then HyperLogLog (about 1 %)
  topk,            // topk(x, k): JSON array of [value, count], Space-Saving beyond its capacity
  percentile,      // percentile(x, 0.99): nearest rank, within 1 % (slo::Sketch's bins)
  hist,            // JSON array of [upper bound, count] in powers of two
  rate,            // rate(): rows a second over the range of ts of the group; rate('1m'): a minute
  first,           // of the earliest row by (ts, place); of rows without ts: by place, behind
  last,
};
struct AggregateSpec {
  AggregateKind kind = AggregateKind::count;
  std::string name;                        // of its column
  std::optional<expr::Expression> value;   // absent: count(*), rate()
  std::optional<expr::Expression> filter;  // FILTER (WHERE ...)
  bool distinct = false;                   // count(DISTINCT x): exact; sum, avg likewise
  int64_t k = 10;                          // topk
  uint32_t permille = 990;                 // percentile; finer shares are rounded down
  int64_t per_ns = 1'000'000'000;          // rate
};

// GROUP BY; without keys one group of everything, there even when no row is.
// Gives: the keys, then the aggregates. Groups come out in the order of their keys.
struct GroupStage {
  std::vector<Column> keys;
  std::vector<AggregateSpec> aggregates;
};

// WHERE over columns of the stage before (HAVING), then the SELECT list.
struct ProjectStage {
  std::optional<expr::Expression> filter;
  std::vector<Column> columns;
};

// DISTINCT, ORDER BY, LIMIT, OFFSET. Without keys rows keep the order of the input. Equal rows of
// ORDER BY stand in the order of the input. Hidden keys (not in the SELECT list) are columns at
// the end that `keep` cuts off; with DISTINCT there are none.
struct SortStage {
  struct Key {
    size_t column = 0;
    bool descending = false;
    std::optional<bool> nulls_first;  // default: first ascending, last descending, as in SQLite
  };
  std::vector<Key> keys;
  bool distinct = false;
  std::optional<uint64_t> limit;
  uint64_t offset = 0;
  size_t keep = 0;  // columns that go out
};

// SESSION BY: rows of equal keys that follow each other within `idle` are a session, at most `max`
// long. START WHEN begins another, END WHEN ends it (the row belongs to it).
// Gives: keys, session_id (text, stable: hash of key and start), start, end (times), duration_ms, n
// (rows), services (JSON array, sorted), timeline (JSON array of [ms since start, service,
// message], at most 50), state (closed|evicted|open), then the aggregates. Rows out of order within
// `lateness` change nothing.
struct SessionStage {
  std::vector<Column> keys;  // NULL in the first key: in no session
  int64_t idle_ns = 30'000'000'000;
  int64_t max_ns = INT64_MAX;
  std::optional<expr::Expression> start_when, end_when;
  int64_t lateness_ns = 2'000'000'000;
  std::vector<AggregateSpec> aggregates;
  bool with_services = true, with_timeline = false;  // columns that nobody uses are NULL
};

// MATCH_RECOGNIZE (SQL:2016 subset), and SEQUENCE as sugar over it.
struct PatternNode {
  enum class Kind : uint8_t {
    variable,     // name
    sequence,     // kids one behind the other
    alternation,  // the first kid that matches is preferred
    repeat,       // kids[0], min..max times
    permute,      // all kids in any order
    first,        // ^: the first row of the partition
    last,         // $
    empty,        // ()
    absent,       // SEQUENCE's NOT: `name` must not come between its neighbours
  };
  Kind kind = Kind::empty;
  std::string name;
  std::vector<PatternNode> kids;
  uint32_t min = 1, max = 1;  // UINT32_MAX: without bound
  bool reluctant = false;
  bool excluded = false;  // {- ... -}: matched, but no row of ALL ROWS
};

// A DEFINE condition or a measure. Its text is an expression in which navigation stands as fields
// that the compiler made up: `terms[i]` tells what the field named `terms[i].field` is.
struct Navigation {
  enum class Kind : uint8_t {
    value,         // field of the current row, or of variable's last row so far (A.x)
    first,         // FIRST(A.x, n)
    last,          // LAST(A.x, n)
    prev,          // PREV(x, n): physical row before, of the partition
    next,          // NEXT(x, n)
    aggregate,     // count/sum/min/max/avg(A.x) over the rows of a variable so far
    classifier,    // CLASSIFIER(): name of the variable of the row
    match_number,  // MATCH_NUMBER()
  };
  Kind kind = Kind::value;
  std::string field;     // what stands for it in the expression: "\x01n0"
  std::string variable;  // empty: the universal row pattern variable
  std::string column;    // input column; empty: count(A.*)
  int64_t offset = 0;    // n
  AggregateKind aggregate = AggregateKind::count;
  bool final_ = false;  // FINAL; default RUNNING
};
struct PatternExpression {
  std::string name;  // variable that it defines, or column that it gives
  expr::Expression value;
  std::vector<Navigation> terms;
};

struct MatchStage {
  std::vector<Column> keys;  // PARTITION BY; NULL in any: the row is in no partition
  PatternNode pattern;
  std::vector<PatternExpression> define;  // a variable without one matches every row
  std::vector<PatternExpression> measures;
  std::optional<int64_t> within_ns;       // first to last row of a match
  std::optional<expr::Expression> until;  // a row that ends every attempt of its partition
  enum class Rows : uint8_t { one, all, all_unmatched } rows = Rows::one;
  enum class Skip : uint8_t { past_last, to_next, to_first, to_last } skip = Skip::past_last;
  std::string skip_to;  // variable of to_first, to_last
  // Written as SEQUENCE: steps need not be neighbours (rows between them are passed over), and
  // each attempt ends matched, expired (WITHIN went by, UNTIL, an absent step came) or pending.
  bool sequence = false;
  int64_t lateness_ns = 2'000'000'000;
};
// Gives: MATCH_RECOGNIZE ONE ROW: keys, measures; ALL ROWS: the input columns, then measures.
// SEQUENCE ONE ROW: keys, match_number, start, end, duration_ms, state (matched|pending), and for
// each step x that is not NOT: x_ts, x_message, x_raw when the input has them, then measures;
// ALL ROWS: the input columns, match_number, step.

// anomaly(n) OVER (BUCKETS '1m' BASELINE '1h') over the rows of a Group stage whose key holds
// bucket(ts, ...): one series for each value of the other keys. Gives the input columns and one
// more: the robust z score (0.6745 (x - median) / MAD of the buckets of the baseline before it;
// NULL with less than five; ten times the rate change when MAD is 0). Missing buckets count as 0.
struct AnomalyStage {
  std::string value, time;  // input columns
  std::vector<std::string> series;
  int64_t bucket_ns = 0, baseline_ns = 0;
  std::string name;  // of the new column
};

// Records around chosen ones where "around" is not the neighbourhood in the file:
// CONTEXT ... BY key. Takes the rows of a scan that chose nothing (`where` moved here).
struct ContextByStage {
  ContextSpec spec;
  expr::Expression chosen;
  int64_t lateness_ns = 2'000'000'000;
};

using Stage = std::variant<GroupStage, ProjectStage, SortStage, SessionStage, MatchStage,
                           AnomalyStage, ContextByStage>;

// ---- statements ----

// A log block that runs natively.
struct Block {
  SourceRef source;
  ScanPlan scan;
  std::vector<Stage> stages;
  std::vector<std::string> columns;  // of its rows
};

// A log source as a table of SQLite: columns are expressions worked out by the scan, so that their
// meaning is ours; what of WHERE can be done by the scan is in scan.where already.
struct TableScan {
  SourceRef source;
  ScanPlan scan;
  std::vector<Column> columns;
};

struct Input {
  std::string table;  // its name in `residual`
  std::variant<Block, TableScan> what;
  std::string why_not_native;  // of a TableScan, for EXPLAIN
  size_t begin = 0, end = 0;   // what it stands for in the statement
};

struct Statement {
  std::string text;
  enum class Explain : uint8_t { no, plan, analyze } explain = Explain::no;
  std::vector<Input> inputs;
  // What SQLite runs over the tables of `inputs`; empty: the rows of the only input (a Block).
  std::string residual;
  // WITH (...) at the end.
  std::optional<int64_t> deadline_ns;
  std::optional<uint64_t> max_memory;
  int64_t lateness_ns = 2'000'000'000;
  bool allow_partial = true;
};

struct ParseOptions {
  WallTime now;        // for SINCE '-2h' and now()
  bool native = true;  // false: every log source becomes a TableScan (differential tests)
};
// Errors show the statement's line with a caret below the place, what was expected, and the
// nearest known name.
Result<Statement> parse_statement(std::string_view sql, const ParseOptions& options);
// What runs where: a line a part, indented.
std::string explain(const Statement& statement);

}  // namespace nines::query
