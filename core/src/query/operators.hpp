// The operators of this folder, each made by a function of its own; make_operator() chooses.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "nines/query/operator.hpp"

namespace nines::query {

std::unique_ptr<Operator> make_group(const GroupStage& stage, std::span<const std::string> inputs,
                                     const Limits& limits, RowSink& out);
std::unique_ptr<Operator> make_project(const ProjectStage& stage,
                                       std::span<const std::string> inputs, RowSink& out);
std::unique_ptr<Operator> make_sort(const SortStage& stage, std::span<const std::string> inputs,
                                    const Limits& limits, RowSink& out);
std::unique_ptr<Operator> make_anomaly(const AnomalyStage& stage,
                                       std::span<const std::string> inputs, const Limits& limits,
                                       RowSink& out);

// What merge_saved() says of bytes that are none.
inline Error corrupt_state(const char* what) {
  return {Errc::corrupt, std::string("saved state of ") + what + " is damaged", 0};
}

}  // namespace nines::query
