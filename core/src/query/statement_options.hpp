// What stands around the blocks: WITH (deadline='10s', ...) at the end, and where SELECTs end.
#pragma once

#include "../expr/reader.hpp"
#include "nines/query/plan.hpp"

namespace nines::query {

// Reads WITH (...) and ';' at the end into `out`; gives the index of the token behind the rest. The
// reader stays where it is.
Result<size_t> read_options(expr::Reader& reader, Statement& out);

// A SELECT as far as its words tell, looked at without parsing.
struct SelectShape {
  bool has_from = false;
  bool compound = false;     // part of UNION, INTERSECT, EXCEPT
  bool native_only = false;  // has clauses that SQLite has no counterpart for
  size_t log_sources = 0;    // in its own FROM
  size_t tables = 0;         // all of FROM
  size_t behind = 0;         // index of the token behind it
};
// REQUIRES a reader at SELECT; it stays there.
SelectShape shape_of(expr::Reader& reader);
bool is_set_operator(const expr::Reader& reader, size_t ahead);

}  // namespace nines::query
