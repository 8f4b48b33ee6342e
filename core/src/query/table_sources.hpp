// The log sources of a block that SQLite runs, and the columns that stand for expressions over
// their fields.
#pragma once

#include <string>
#include <vector>

#include "../expr/reader.hpp"
#include "syntax.hpp"

namespace nines::query {

// A table of FROM. `log` ones are inputs of the statement.
struct TableSource {
  std::string alias;  // as SQL knows it
  bool log = false;
  size_t input = 0;
  std::vector<std::string> columns;  // of others, where they are known
};

// Trees hold fields of several sources (Node::detail says which) and parts that only SQL has
// (fields whose text marks them). sql_of() makes SQL of them:
// - a part over fields of one source becomes a column of its table, worked out by the scan
// - what stands above is evaluated by nines_eval(), so that its meaning is ours, except AND, OR,
// NOT,
//   IS NULL and the comparisons of a join, which SQLite must see
class TableSources {
 public:
  explicit TableSources(std::vector<Input>& inputs) : inputs_(inputs) {}

  std::vector<TableSource> all;

  // A part that only SQL has; `name` is what people call it. `column`: of another table.
  NodePtr foreign(std::string sql, std::string name, size_t offset, bool column = false);
  NodePtr field(size_t source, std::string_view name, size_t offset) const;
  std::string sql_of(const Node& tree);
  // "a"."x0" for a tree over fields of one source.
  std::string column_of(size_t source, const Node& tree);
  // What the item is called when it has no alias.
  std::string name_of(const Node& tree) const;

  bool has_foreign(const Node& tree) const;
  // The one source of all fields; kNone without any, kSeveral.
  static constexpr size_t kNone = SIZE_MAX;
  static constexpr size_t kSeveral = SIZE_MAX - 1;
  size_t source_of(const Node& tree) const;
  TableScan& scan_of(size_t source) { return std::get<TableScan>(inputs_[all[source].input].what); }

 private:
  struct Foreign {
    std::string sql, name;
    bool column;
  };
  bool is_column(const Node& tree) const;
  bool is_foreign(const Node& tree) const;
  const Foreign& foreign_of(const Node& tree) const;
  bool is_join_comparison(const Node& tree) const;
  std::string joined(const Node& tree, std::string_view word);
  std::string evaluated(const Node& tree);
  void take_leaves(NodePtr& tree, std::vector<std::string>& leaves);

  std::vector<Input>& inputs_;
  std::vector<Foreign> foreign_;
};

std::string quoted_name(std::string_view name);  // "name"
std::string quoted_text(std::string_view text);  // 'text'

}  // namespace nines::query
