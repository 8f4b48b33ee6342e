// The two ways of a SortStage.
#pragma once

#include "operators.hpp"

namespace nines::query {

// With keys: rows are kept, the best of them come out at the end. Mergeable.
std::unique_ptr<Operator> make_ordered(const SortStage& stage, size_t columns, const Limits& limits,
                                       RowSink& out);
// Without: rows pass in the order of the input and stop as soon as LIMIT is reached.
std::unique_ptr<Operator> make_passing(const SortStage& stage, size_t columns, const Limits& limits,
                                       RowSink& out);

}  // namespace nines::query
