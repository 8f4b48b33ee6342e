// Queries drawn from the language of log blocks, clause by clause, so that one that fails can be
// cut down to what makes it fail.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "random_logs.hpp"

namespace nines::test {

struct QueryText {
  struct Item {
    std::string expression, alias;
  };
  struct Key {
    size_t item = 0;
    std::string direction;  // "", " DESC", " NULLS LAST" ...
  };
  bool distinct = false;
  bool grouped = false;
  std::vector<Item> items;
  std::string clauses;             // SINCE, UNTIL, EXTRACT
  std::vector<std::string> where;  // joined by AND
  std::vector<std::string> group_by;
  std::string having;
  std::vector<Key> order;
  std::optional<size_t> limit;
  size_t offset = 0;

  std::string sql(const std::string& source) const;
  // The answer is the same list of rows, not only the same rows.
  bool is_ordered() const { return !order.empty() || !(grouped || distinct); }
  // Every query that lacks one part of this one and is still sensible.
  std::vector<QueryText> smaller() const;
};

QueryText random_query(Chance& chance);

}  // namespace nines::test
