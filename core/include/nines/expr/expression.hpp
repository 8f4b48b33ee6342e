// The one expression language (DESIGN 4.4): SQL expressions over record fields. The `where` of an
// SLI, alert routes and the WHERE of a query all use it.
//
//   status >= 500 AND path NOT LIKE '/healthz%'
//   level >= 'WARN' AND message REGEXP 'timeout|refused'
//
// Identifiers are fields (nested JSON as a.b, odd names in "double quotes"); a missing field is
// NULL; logic is three-valued. docs: core/src/expr/README.md has the grammar and coercion rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/log/value.hpp"

namespace nines::expr {

class Program;  // private compiled form
struct Node;
class Expression;
// Of a tree that the parser of statements has put together (src/expr/node.hpp). Folds the tree.
Expression make_expression(Node& root);

enum class Truth : uint8_t { no, yes, unknown };

// A parsed and checked expression. Immutable: const calls are thread-safe. Cheap to copy.
class Expression {
 public:
  // Errors carry line and column within `text`, the offending text, what was expected and, for
  // unknown functions, the nearest known name.
  static Result<Expression> parse(std::string_view text);

  // Fields in order of first use, without duplicates.
  const std::vector<std::string>& fields() const noexcept;
  // Canonical text: parse(to_string()) is the same expression; used for hashes and `explain`.
  std::string to_string() const;
  // True when no field other than `field` is read, so that a caller may tabulate the expression
  // over the values of that one field.
  bool depends_only_on(std::string_view field) const noexcept;

 private:
  friend class Evaluator;
  friend Expression make_expression(Node& root);
  explicit Expression(std::shared_ptr<const Program> program);
  std::shared_ptr<const Program> program_;
};

// Evaluates one expression against values laid out by the caller. Owns scratch memory for string
// functions (bounded: 64 KiB a record; beyond it a string function yields NULL and is counted).
// Not thread-safe; one per thread. eval() neither allocates nor throws.
class Evaluator {
 public:
  // slots[i] is the index in `values` of expression.fields()[i]. REQUIRES one slot per field, and
  // in eval() and test() that `values` reaches every slot.
  Evaluator(const Expression& expression, std::span<const size_t> slots);
  ~Evaluator();
  Evaluator(Evaluator&&) noexcept;
  Evaluator& operator=(Evaluator&&) noexcept;

  // The text of the result points into `values`, the expression or this evaluator's scratch memory
  // and dies with the next call.
  Value eval(std::span<const Value> values) noexcept;
  // Number <> 0, boolean; text and others are unknown.
  Truth test(std::span<const Value> values) noexcept;
  uint64_t overflows() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nines::expr
