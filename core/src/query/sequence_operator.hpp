// SEQUENCE's half of MatchStage; match_operator.cpp has the other and chooses.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nines/query/operator.hpp"
#include "pattern_program.hpp"

namespace nines::query {

// REQUIRES that `program` is one of steps and absent ones alone.
std::unique_ptr<Operator> make_sequence(const MatchStage& stage, const PatternProgram& program,
                                        std::span<const std::string> inputs, const Limits& limits,
                                        RowSink& out);
// Labels of the steps that are no NOT, in their order.
std::vector<size_t> step_labels(const PatternProgram& program);
// Columns that ONE ROW gives of each step: ts, message and raw, those that there are.
std::vector<size_t> step_inputs(std::span<const std::string> inputs);

}  // namespace nines::query
