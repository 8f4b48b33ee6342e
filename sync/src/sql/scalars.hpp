// Functions of the expression language as functions of SQLite, by evaluating expressions over
// converted values, so that a name means the same within a log block and around it.
//
//   contains, starts_with, split_part, regexp_extract, bucket, template, level ...   plain names of
//       what SQLite has not, and of round, floor, ceil, trim, ltrim, rtrim, where SQLite's mean
//       less (doubles; blanks only)
//   nines_<name>         every one of them, also of what SQLite has under that name
//   nines_eval(text, a0, a1, ...)   any expression over fields named a0, a1, ...
//   x REGEXP 'pattern'   RE2, with the prefilter of literals
#pragma once

#include <sqlite3.h>

#include <string>
#include <vector>

#include "nines/base/result.hpp"

namespace nines::sql {

Status add_scalars(sqlite3* db);
// Plain names that add_scalars() gives, for suggestions.
std::vector<std::string> scalar_names();

}  // namespace nines::sql
