#include "row_conditions.hpp"

#include <algorithm>

namespace nines::query {
namespace {

using Kind = Navigation::Kind;

Visible::What seen_by(const Navigation& term) {
  if (term.kind == Kind::aggregate && term.column.empty()) return Visible::What::count;
  const bool nearest = term.kind != Kind::aggregate &&
                       (term.offset == 0 || term.kind == Kind::prev || term.kind == Kind::next);
  if (!nearest) return Visible::What::all;
  return term.kind == Kind::first ? Visible::What::first : Visible::What::last;
}

template <class Visit>
void each_term(const MatchStage& stage, Visit&& visit) {
  for (const auto* const list : {&stage.define, &stage.measures}) {
    for (const PatternExpression& expression : *list) {
      for (const Navigation& term : expression.terms) visit(term);
    }
  }
}

}  // namespace

RowConditions::RowConditions(const MatchStage& stage, const PatternProgram& program,
                             std::span<const std::string> inputs) {
  for (const std::string& name : program.labels) {
    Label& label = labels_.emplace_back();
    const auto define = std::find_if(stage.define.begin(), stage.define.end(),
                                     [&](const PatternExpression& e) { return e.name == name; });
    if (define == stage.define.end()) {
      label.always = true;
      continue;
    }
    if (define->terms.empty()) {
      label.plain.emplace(define->value, inputs);
      for (const std::string& field : define->value.fields()) {
        columns_.push_back(input_index(inputs, field));
      }
      continue;
    }
    label.navigator = std::make_unique<Navigator>(std::span(&*define, 1), program.labels, inputs);
    const auto columns = label.navigator->columns();
    columns_.insert(columns_.end(), columns.begin(), columns.end());
    look_at(*define, program, label);
    all_of_row_ = all_of_row_ && label.of_row;
  }
}

void RowConditions::look_at(const PatternExpression& define, const PatternProgram& program,
                            Label& label) {
  for (const Navigation& term : define.terms) {
    const size_t variable = program.label(term.variable);
    const bool any = term.variable.empty();
    // The row is the last of its own variable.
    const bool own = any || term.variable == define.name;
    const bool last = term.kind == Kind::value || term.kind == Kind::prev ||
                      term.kind == Kind::next || term.kind == Kind::classifier ||
                      (term.kind == Kind::last && term.offset == 0);
    if (own && last) continue;
    label.of_row = false;
    if (any) continue;  // rows of the match whatever their labels
    const Visible seen{seen_by(term), variable};
    if (std::find(visible_.begin(), visible_.end(), seen) == visible_.end()) {
      visible_.push_back(seen);
    }
  }
}

bool RowConditions::holds(size_t number, const RowsView& rows, int64_t row) {
  Label& label = labels_[number];
  if (label.always) return true;
  if (label.plain) return label.plain->holds(rows.at(row).values);
  const auto own = static_cast<uint16_t>(number);
  return holds(number, rows, row, std::span(&own, 1), 0);
}

bool RowConditions::holds(size_t number, const RowsView& rows, int64_t first,
                          std::span<const uint16_t> labels, int64_t match_number) {
  Navigator& navigator = *labels_[number].navigator;
  navigator.begin({&rows, first, labels, match_number});
  verdict_.clear();
  navigator.at(labels.size() - 1, verdict_);
  return is_true(verdict_.front());
}

Reach reach_of(const MatchStage& stage) noexcept {
  Reach reach;
  each_term(stage, [&](const Navigation& term) {
    if (term.kind == Kind::prev) reach.before = std::max(reach.before, term.offset);
    if (term.kind == Kind::next) reach.behind = std::max(reach.behind, term.offset);
  });
  return reach;
}

bool uses_match_number(const MatchStage& stage) noexcept {
  bool uses = false;
  each_term(stage, [&](const Navigation& t) { uses = uses || t.kind == Kind::match_number; });
  return uses;
}

}  // namespace nines::query
