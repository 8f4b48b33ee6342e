// A field that a statement names and no record has is NULL everywhere: most often a slip of the
// pen, which nobody sees in the rows.
#pragma once

#include "nines/query/plan.hpp"
#include "query/answer.hpp"
#include "query/environment.hpp"

namespace nines::agent::query {

// Hints at each field of `scan` that no record read here had, with the nearest name that records
// have; where not all records were looked at, only if there is one. `did`: what the scan of all
// files of `source` did, on this node.
void hint_at_missing_fields(const nines::query::ScanPlan& scan,
                            const nines::query::SourceRef& source, const Environment& environment,
                            Answer& did);

}  // namespace nines::agent::query
