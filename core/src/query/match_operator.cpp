#include <algorithm>

#include "match_operators.hpp"
#include "nines/base/contract.hpp"
#include "pattern_program.hpp"
#include "recognize_operator.hpp"
#include "sequence_operator.hpp"

namespace nines::query {

std::unique_ptr<Operator> make_match(const MatchStage& stage, std::span<const std::string> inputs,
                                     const Limits& limits, RowSink& out) {
  auto program = compile_pattern(stage.pattern);
  NINES_ASSERT(program.ok());  // the compiler of statements has checked it
  if (stage.sequence) return make_sequence(stage, *program, inputs, limits, out);
  return make_recognizer(stage, std::move(*program), inputs, limits, out);
}

std::vector<std::string> match_columns(const MatchStage& stage,
                                       std::span<const std::string> inputs) {
  std::vector<std::string> names;
  const bool one = stage.rows == MatchStage::Rows::one;
  if (one) {
    for (const Column& key : stage.keys) names.push_back(key.name);
  } else {
    names.assign(inputs.begin(), inputs.end());
  }
  if (stage.sequence && one) {
    for (const char* const name : {"match_number", "start", "end", "duration_ms", "state"}) {
      names.emplace_back(name);
    }
    const auto program = compile_pattern(stage.pattern);
    NINES_ASSERT(program.ok());
    for (const size_t label : step_labels(*program)) {
      for (const size_t column : step_inputs(inputs)) {
        names.push_back(program->labels[label] + "_" + inputs[column]);
      }
    }
  } else if (stage.sequence) {
    names.insert(names.end(), {"match_number", "step"});
    return names;
  }
  for (const PatternExpression& measure : stage.measures) names.push_back(measure.name);
  return names;
}

}  // namespace nines::query
