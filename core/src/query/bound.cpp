#include "bound.hpp"

#include <algorithm>

#include "nines/base/contract.hpp"

namespace nines::query {
namespace {

std::vector<size_t> slots_of(const expr::Expression& expression,
                             std::span<const std::string> inputs) {
  std::vector<size_t> slots;
  slots.reserve(expression.fields().size());
  for (const std::string& field : expression.fields()) slots.push_back(input_index(inputs, field));
  return slots;
}

// The canonical text of a bare field is its name, in double quotes when it is an odd one; no other
// expression reads like that.
bool is_bare_field(const expr::Expression& expression) {
  if (expression.fields().size() != 1) return false;
  const std::string& field = expression.fields().front();
  const std::string text = expression.to_string();
  if (text == field) return true;
  std::string quoted = "\"";
  for (const char c : field) quoted.append(c == '"' ? 2 : 1, c);
  return text == quoted + '"';
}

}  // namespace

size_t input_index(std::span<const std::string> inputs, std::string_view name) {
  const auto at = std::find(inputs.begin(), inputs.end(), name);
  NINES_ASSERT(at != inputs.end());
  return static_cast<size_t>(at - inputs.begin());
}

Bound::Bound(const expr::Expression& expression, std::span<const std::string> inputs)
    : evaluator_(expression, slots_of(expression, inputs)) {
  if (is_bare_field(expression)) column_ = input_index(inputs, expression.fields().front());
}

std::vector<Bound> bind(std::span<const Column> columns, std::span<const std::string> inputs) {
  std::vector<Bound> bound;
  bound.reserve(columns.size());
  for (const Column& column : columns) bound.emplace_back(column.value, inputs);
  return bound;
}

}  // namespace nines::query
