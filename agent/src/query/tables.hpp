// What SQLite reads from: log blocks and bare log sources as tables.
#pragma once

#include <memory>

#include "nines/query/plan.hpp"
#include "nines/sql/residual.hpp"
#include "query/answer.hpp"
#include "query/environment.hpp"

namespace nines::agent::query {

// All references outlive the table. Errors: as links_of() (query/nodes.hpp).
Result<std::unique_ptr<sql::Table>> make_table(const nines::query::Input& input,
                                               const Environment& environment, Answer& answer);

}  // namespace nines::agent::query
