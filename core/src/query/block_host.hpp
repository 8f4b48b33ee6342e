// What expressions within a log block may hold beyond the expression language: aggregates, now(),
// anomaly(). What only SQLite knows (sub-queries, window functions) is refused with
// Errc::unsupported and the reason, upon which the block runs there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "../expr/reader.hpp"
#include "syntax.hpp"

namespace nines::query {

class BlockHost final : public expr::Host {
 public:
  explicit BlockHost(WallTime now) : now_(now) {}

  Result<NodePtr> call(expr::Reader& reader) override;
  Result<NodePtr> subquery(expr::Reader& reader, NodePtr left, bool negated) override;
  Result<NodePtr> name(expr::Reader& reader) override;

  // The clause that is read now and whether aggregates may stand in it.
  void enter(std::string_view clause, bool allowed) {
    clause_ = clause;
    aggregates_allowed_ = allowed;
  }

  WallTime now() const { return now_; }
  // Of the source: a.x is its field x.
  void set_alias(std::string_view alias) { alias_ = alias; }

  std::vector<AggregateSyntax> aggregates;
  std::vector<AnomalySyntax> anomalies;

 private:
  Result<NodePtr> aggregate(expr::Reader& reader, AggregateKind kind);
  Result<NodePtr> anomaly(expr::Reader& reader);
  Result<NodePtr> unknown(expr::Reader& reader) const;

  WallTime now_;
  std::string_view clause_;
  std::string alias_;
  bool aggregates_allowed_ = false;
  bool inside_ = false;  // an aggregate
};

// Of an aggregate's name, any case.
std::optional<AggregateKind> aggregate_named(std::string_view name);
std::string_view aggregate_name(AggregateKind kind);
// At a call: the aggregate that it is; min(a, b) is none.
std::optional<AggregateKind> aggregate_call(expr::Reader& reader);
// REQUIRES the reader at the name; takes the call with its FILTER.
Result<AggregateSyntax> read_aggregate(expr::Reader& reader, AggregateKind kind);
// now(), when it stands here.
NodePtr read_now(expr::Reader& reader, WallTime now);
bool is_sqlite_function(std::string_view name);
// A text literal that is a duration above zero. `what` begins the error: "IDLE".
Result<int64_t> read_duration(expr::Reader& reader, std::string_view what);
// "(" ... ")" from the reader's place: number of arguments, 0 when it is empty.
size_t count_arguments(const expr::Reader& reader);
// timestamp('2026-...'), so that it prints as it parses.
NodePtr time_node(expr::Reader& reader, const expr::Token& at, WallTime time);

}  // namespace nines::query
