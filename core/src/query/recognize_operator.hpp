// MATCH_RECOGNIZE's half of MatchStage; match_operator.cpp has the other and chooses.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "nines/query/operator.hpp"
#include "pattern_program.hpp"

namespace nines::query {

std::unique_ptr<Operator> make_recognizer(const MatchStage& stage, PatternProgram program,
                                          std::span<const std::string> inputs, const Limits& limits,
                                          RowSink& out);

}  // namespace nines::query
