// What DEFINE conditions and MEASURES see of a match: the current row, rows of its variables, rows
// around them, aggregates over them.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nines/query/aggregate.hpp"
#include "nines/query/plan.hpp"
#include "nines/query/row.hpp"

namespace nines::query {

// The rows that a match is made of, by number.
class RowsView {
 public:
  virtual ~RowsView() = default;
  // REQUIRES that it is a row of the match.
  virtual const Row& at(int64_t number) const = 0;
  // The row `offset` behind (before) that one in the partition; null when there is none.
  virtual const Row* beside(int64_t number, int64_t offset) const = 0;
};

struct MatchView {
  const RowsView* rows = nullptr;
  int64_t first = 0;                 // number of the first row
  std::span<const uint16_t> labels;  // of the rows from there on
  int64_t match_number = 0;
};

// As a condition: NULL and what is no number does not hold.
bool is_true(const Value& verdict) noexcept;

// Evaluates expressions with navigation. Not thread-safe.
class Navigator {
 public:
  // `labels`: names of the labels of a MatchView. REQUIRES that the columns of the expressions are
  // among `inputs`.
  Navigator(std::span<const PatternExpression> expressions, std::span<const std::string> labels,
            std::span<const std::string> inputs);
  ~Navigator();

  // A match, of which at() then looks at ever later rows. The view outlives the last at().
  void begin(const MatchView& view);
  // Values of all expressions as of the row view.first + i, appended. An i of labels.size() is
  // that of an empty match: everything is NULL but MATCH_NUMBER and counts. Texts live until the
  // next call of at() or begin(), or as long as the rows.
  void at(size_t i, std::vector<Value>& out);

  // Columns of the inputs that it reads.
  std::vector<size_t> columns() const;

 private:
  struct Term;
  struct Item;

  Value resolve(Term& term, size_t i);
  Value aggregate(Term& term, size_t i);
  Value column_of(const Row* row, const Term& term) const noexcept;
  bool of(const Term& term, size_t i) const noexcept;
  static constexpr size_t kNone = SIZE_MAX;
  size_t nth_from_start(const Term& term, size_t end) const noexcept;
  size_t nth_from_end(const Term& term, size_t end) const noexcept;
  void clear_states() noexcept;

  std::vector<Item> items_;
  std::vector<std::string> labels_;
  MatchView view_;
  std::deque<std::string> texts_;
};

}  // namespace nines::query
