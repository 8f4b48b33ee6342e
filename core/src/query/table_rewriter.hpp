// Log blocks that SQLite runs: every source becomes a table whose columns are worked out by the
// scan, so that expressions keep their meaning (README.md, "The other way").
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "statement_options.hpp"
#include "table_sources.hpp"

namespace nines::query {

// Columns of what has a name in the statement (WITH e AS ...), where they are known.
using KnownTables = std::map<std::string, std::vector<std::string>>;

class TableRewriter final : public expr::Host {
 public:
  // Runs a nested SELECT natively if that can be: its number among the inputs; nothing: it can't,
  // and the reader stands where it stood.
  using Native = std::function<std::optional<size_t>(const SelectShape&)>;

  // Adds an Input for each source to `inputs`. `reason` is why it does not run natively.
  TableRewriter(expr::Reader& reader, WallTime now, std::vector<Input>& inputs,
                const KnownTables& tables, Native native, std::string reason)
      : in_(reader),
        now_(now),
        inputs_(inputs),
        tables_(tables),
        native_(std::move(native)),
        reason_(std::move(reason)),
        sources_(inputs) {}

  // REQUIRES the reader at SELECT; it stands behind the block afterwards. Gives the SQL for it.
  Result<std::string> run();

  Result<NodePtr> call(expr::Reader& reader) override;
  Result<NodePtr> subquery(expr::Reader& reader, NodePtr left, bool negated) override;
  Result<NodePtr> name(expr::Reader& reader) override;

 private:
  enum class Clause : uint8_t { items, from, where, group_by, having, order_by, other };
  struct Span {
    size_t begin, end;  // tokens
    std::string sql;
  };
  struct Scope {
    Scope* outer = nullptr;
    size_t behind = 0;
    std::vector<size_t> sources;  // in TableSources::all
    std::vector<Span> spans;      // of FROM: what replaces them
    std::vector<ItemSyntax> items;
    std::string implicit_from;  // still to be written
    bool outer_join = false;
    Clause clause = Clause::items;
  };

  // ---- FROM (table_from.cpp) ----
  Status read_sources();
  Status read_table(size_t& i);
  Status read_log_source();
  void add_log_source(TableScan scan, size_t begin, size_t end);
  bool has_from();
  void all_logs();
  void close_from(std::string& out);
  Status read_clauses();
  std::string take_alias();
  bool at_source_clause() const;
  Status using_columns();
  static void finish_scan(ScanPlan& scan);

  // ---- clauses and sub-queries ----
  Result<std::string> select();
  Status step(std::string& out);
  bool clause_word(std::string& out);
  Status item(std::string& out);
  Status star(std::string& out);
  Status where(std::string& out);
  Status order_key(std::string& out);
  bool is_structure() const;
  bool is_constant(const Node& tree) const;
  bool is_column(size_t first, const Node& tree) const;
  bool contains_source(size_t source) const;
  bool names_outer(size_t behind) const;
  void copy(std::string& out);
  static void append(std::string& out, std::string_view text);
  Result<std::string> nested();  // at SELECT within parentheses

  // ---- what expressions hold (table_calls.cpp) ----
  Result<NodePtr> aggregate(AggregateKind kind);
  Result<NodePtr> foreign_call();
  Result<std::string> window();
  Result<size_t> only_log_source(const expr::Token& at) const;
  Result<std::string> arguments_of(const AggregateSyntax& a, const expr::Token& at);
  std::optional<size_t> source_named(std::string_view alias) const;

  expr::Reader& in_;
  WallTime now_;
  std::vector<Input>& inputs_;
  const KnownTables& tables_;
  Native native_;
  std::string reason_;
  TableSources sources_;
  Scope* scope_ = nullptr;
  int depth_ = 0;  // of nested SELECTs
};

}  // namespace nines::query
