// EXTRACT: new fields out of the text of another.
//
//   PATTERN 'took <ms:num>ms at <path:word>'    literals and captures, searched anywhere, no regex
//   REGEXP '(?P<ms>\d+)ms'                      RE2 with named groups
//
// A pattern is compiled to searches for the literals between its captures (facts: ten times as fast
// as RE2 captures). A capture is <name>, <name:kind> or <_> for what nobody wants:
//
//   any   (default) the shortest text up to what follows it; at the end of the pattern all the
//   rest,
//         at its beginning from the start of the text
//   word  one to 1024 characters that are no blanks, up to the first occurrence of what follows it;
//         at the end of the pattern up to the next blank, at its beginning from behind a blank
//   num   the longest run that is a decimal number: -1.5, 2e3; given as a number
//   int   digits, perhaps with a sign; given as a number
//
// The leftmost match counts. `\<` and `\\` are a literal '<' and '\'. Two captures need a literal
// between them, for nothing else tells where the first one ends.
//
// Groups of a REGEXP that look like plain numbers (12, -0.5; not 007, 1e3) are numbers, others
// text.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/log/value.hpp"
#include "nines/query/plan.hpp"

namespace nines::query {

// Immutable, cheap to copy, may be shared by threads.
class Extractor {
 public:
  // The error says what is wrong; `error_at`, when given, where in `text`.
  static Result<Extractor> compile(Extract::Kind kind, std::string_view text,
                                   size_t* error_at = nullptr);
  // Of the fields it gives, in order; at least one, all different.
  const std::vector<std::string>& names() const noexcept;
  // REQUIRES out.size() == names().size(). False: no match, all are NULL. Texts point into `text`.
  // Time is linear in the text; nothing is allocated (but see Evaluator about RE2).
  bool run(std::string_view text, std::span<Value> out) const noexcept;

  struct Impl;

 private:
  explicit Extractor(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// For whoever only checks: the names of its fields, or the error.
Result<std::vector<std::string>> extract_names(Extract::Kind kind, std::string_view text,
                                               size_t* error_at = nullptr);

}  // namespace nines::query
