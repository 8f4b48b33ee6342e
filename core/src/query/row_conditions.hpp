// The DEFINE conditions of MATCH_RECOGNIZE, and which of them depend on what.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bound.hpp"
#include "navigation.hpp"
#include "pattern_program.hpp"
#include "recognizer.hpp"

namespace nines::query {

class RowConditions {
 public:
  RowConditions(const MatchStage& stage, const PatternProgram& program,
                std::span<const std::string> inputs);

  // Whether a row alone, with the rows beside it, decides; then it may be asked once.
  bool of_row(size_t label) const noexcept { return labels_[label].of_row; }
  bool all_of_row() const noexcept { return all_of_row_; }
  // REQUIRES of_row(label).
  bool holds(size_t label, const RowsView& rows, int64_t row);
  // The last of `labels` is that of the row, the first that of row `first`.
  bool holds(size_t label, const RowsView& rows, int64_t first, std::span<const uint16_t> labels,
             int64_t match_number);

  // What tells readings apart.
  const std::vector<Visible>& visible() const noexcept { return visible_; }
  const std::vector<size_t>& columns() const noexcept { return columns_; }

 private:
  struct Label {
    bool always = false, of_row = true;
    std::optional<Bound> plain;
    std::unique_ptr<Navigator> navigator;
  };
  void look_at(const PatternExpression& define, const PatternProgram& program, Label& label);

  std::vector<Label> labels_;
  std::vector<Visible> visible_;
  std::vector<size_t> columns_;
  bool all_of_row_ = true;
  std::vector<Value> verdict_;
};

// How far navigation goes from a row to those before and behind it.
struct Reach {
  int64_t before = 0, behind = 0;
};
Reach reach_of(const MatchStage& stage) noexcept;
bool uses_match_number(const MatchStage& stage) noexcept;

}  // namespace nines::query
