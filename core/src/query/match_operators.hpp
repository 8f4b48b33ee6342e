// The stages that follow rows in the order of time: sessions, sequences and patterns, context by
// key. make_operator() and columns_of() dispatch to these.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nines/query/operator.hpp"

namespace nines::query {

std::unique_ptr<Operator> make_session(const SessionStage& stage,
                                       std::span<const std::string> inputs, const Limits& limits,
                                       RowSink& out);
std::unique_ptr<Operator> make_match(const MatchStage& stage, std::span<const std::string> inputs,
                                     const Limits& limits, RowSink& out);
std::unique_ptr<Operator> make_context_by(const ContextByStage& stage,
                                          std::span<const std::string> inputs, const Limits& limits,
                                          RowSink& out);

std::vector<std::string> session_columns(const SessionStage& stage,
                                         std::span<const std::string> inputs);
std::vector<std::string> match_columns(const MatchStage& stage,
                                       std::span<const std::string> inputs);
std::vector<std::string> context_by_columns(const ContextByStage& stage,
                                            std::span<const std::string> inputs);

}  // namespace nines::query
