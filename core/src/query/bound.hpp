// Expressions over the columns that a stage takes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "nines/expr/expression.hpp"
#include "nines/query/plan.hpp"
#include "nines/query/row.hpp"

namespace nines::query {

// Index of `name` among `inputs`. REQUIRES that it is there: the compiler of statements sees to it.
size_t input_index(std::span<const std::string> inputs, std::string_view name);

// An expression bound to the columns it reads. A bare column, which most keys and arguments are,
// costs no evaluation. One per thread, as its Evaluator.
class Bound {
 public:
  // REQUIRES every field of `expression` among `inputs`.
  Bound(const expr::Expression& expression, std::span<const std::string> inputs);

  // The text lives as long as the row's values and until the next call.
  Value eval(std::span<const Value> values) noexcept {
    return column_ != kNoColumn ? values[column_] : evaluator_.eval(values);
  }
  // The same where it may stay: in `values` or in `room`.
  const Value& eval(std::span<const Value> values, Value& room) noexcept {
    if (column_ != kNoColumn) return values[column_];
    return room = evaluator_.eval(values);
  }
  // True only for a condition that holds; NULL does not.
  bool holds(std::span<const Value> values) noexcept {
    return evaluator_.test(values) == expr::Truth::yes;
  }

 private:
  static constexpr size_t kNoColumn = SIZE_MAX;
  size_t column_ = kNoColumn;
  expr::Evaluator evaluator_;
};

std::vector<Bound> bind(std::span<const Column> columns, std::span<const std::string> inputs);

}  // namespace nines::query
