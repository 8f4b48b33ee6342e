// Log blocks that SQLite runs: every source becomes a table whose columns are worked out by the
// scan, so that expressions keep their meaning.
#pragma once

#include <string>
#include <vector>

#include "../expr/reader.hpp"
#include "syntax.hpp"

namespace nines::query {

struct Rewritten {
  size_t begin = 0, end = 0;  // in the text of the statement
  std::string sql;
};

class TableRewriter {
 public:
  // Adds an Input for each source to `inputs`. `reason` is why it does not run natively.
  TableRewriter(expr::Reader& reader, WallTime now, std::vector<Input>& inputs, std::string reason)
      : in_(reader), now_(now), inputs_(inputs), reason_(std::move(reason)) {}

  // REQUIRES the reader at SELECT; it stands behind the block afterwards.
  Result<Rewritten> run();

 private:
  expr::Reader& in_;
  WallTime now_;
  std::vector<Input>& inputs_;
  std::string reason_;
};

}  // namespace nines::query
