// The functions of the language: one table for the parser, the evaluator and error messages.
#pragma once

#include <span>
#include <string_view>

#include "coerce.hpp"

namespace nines::expr {

enum class Param : uint8_t {
  any,
  number,  // a literal must be a number
  text,
  pattern,   // a regular expression, literal only
  group,     // number of a capturing group, literal only
  duration,  // a literal must be a duration
  width,     // a duration above zero, literal only
  unit,      // 'second' ... 'year', literal only
  time,      // a literal must be a time
};

// How a call is compiled.
enum class CallForm : uint8_t { plain, coalesce, iif, extract, bucket };

inline constexpr int kAnyCount = 100;

struct Function {
  std::string_view name;
  int min_args;
  int max_args;
  Param params[3];    // the last holds for all further arguments
  bool null_if_null;  // any NULL argument makes the result NULL without a call
  CallForm form;
  Value (*run)(std::span<const Value> args, Scratch& scratch) noexcept;
};

std::span<const Function> all_functions() noexcept;
const Function* find_function(std::string_view name) noexcept;
// Nearest name by edit distance, empty when none is near.
std::string_view nearest_function(std::string_view name);

}  // namespace nines::expr
