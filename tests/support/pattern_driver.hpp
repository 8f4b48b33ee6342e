// Patterns, steps and measures for tests of SEQUENCE and MATCH_RECOGNIZE.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../../core/src/query/pattern_program.hpp"
#include "rows_driver.hpp"

namespace nines::query::driving {

using Kind = PatternNode::Kind;

inline PatternNode node(Kind kind, std::vector<PatternNode> kids = {}) {
  PatternNode made;
  made.kind = kind;
  made.kids = std::move(kids);
  return made;
}
inline PatternNode var(std::string name) {
  PatternNode made = node(Kind::variable);
  made.name = std::move(name);
  return made;
}
inline PatternNode absent(std::string name) {
  PatternNode made = node(Kind::absent);
  made.name = std::move(name);
  return made;
}
inline PatternNode repeat(PatternNode kid, uint32_t min, uint32_t max, bool reluctant = false) {
  PatternNode made = node(Kind::repeat, {std::move(kid)});
  made.min = min;
  made.max = max;
  made.reluctant = reluctant;
  return made;
}

// `text` with A.x and the like replaced: each pair is a name in the text and what it stands for.
inline PatternExpression expression(std::string name, std::string text,
                                    std::vector<std::pair<std::string, Navigation>> terms = {}) {
  PatternExpression made{std::move(name), parsed("1"), {}};
  for (auto& [word, term] : terms) {
    term.field = "nav" + std::to_string(made.terms.size());
    for (size_t at = 0; (at = text.find(word, at)) != std::string::npos;) {
      text.replace(at, word.size(), term.field);
    }
    made.terms.push_back(term);
  }
  made.value = parsed(text);
  return made;
}

inline Navigation of(Navigation::Kind kind, std::string variable, std::string column,
                     int64_t offset = 0) {
  Navigation made;
  made.kind = kind;
  made.variable = std::move(variable);
  made.column = std::move(column);
  made.offset = offset;
  return made;
}

inline OperatorStats run_match(const MatchStage& stage, const std::vector<std::string>& inputs,
                               const std::vector<In>& rows, RowSink& out,
                               const Limits& limits = {}) {
  const auto op = make_match(stage, inputs, limits, out);
  if (feed(*op, inputs.size(), rows)) op->finish();
  return op->stats();
}

}  // namespace nines::query::driving
