// Aggregates of the log language for SQLite: the states of nines/query/aggregate.hpp, driven by
// SQLite's groups, so that both ways count alike.
//
//   nines_count([x]) nines_sum(x) nines_min(x) nines_max(x) nines_avg(x)
//   stddev(x) count_distinct(x) topk(x[, k]) percentile(x, share) hist(x)   also as nines_<name>
//   rate(ts[, '1m'])            rows a second (a minute) over the range of ts
//   first(x[, ts[, place]])     of the earliest row by (ts, place); without: as the rows come
//   last(x[, ts[, place]])
//
// Over windows they work where rows only come in (frames from UNBOUNDED PRECEDING, the default, or
// whole partitions); a sliding frame is an error that says so: states do not forget.
#pragma once

#include <sqlite3.h>

#include <string>
#include <vector>

#include "memory.hpp"
#include "nines/base/result.hpp"

namespace nines::sql {

// `budget` outlives the connection.
Status add_aggregates(sqlite3* db, Budget& budget);
std::vector<std::string> aggregate_names();

}  // namespace nines::sql
