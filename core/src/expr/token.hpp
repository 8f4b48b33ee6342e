// Tokens of the expression language and errors with a position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"

namespace nines::expr {

inline constexpr size_t kMaxTextBytes = 64 * 1024;
inline constexpr int kMaxDepth = 200;
inline constexpr size_t kMaxNodes = 4096;

enum class Sym : uint8_t {
  end,
  identifier,
  number,
  string,
  left_paren,
  right_paren,
  comma,
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  plus,
  minus,
  star,
  slash,
  percent,
  concat,
  match,
  not_match,
  other,  // of statements only: a sign that expressions do not use
  // Keywords; all of them are reserved.
  kw_and,
  kw_as,
  kw_between,
  kw_case,
  kw_cast,
  kw_else,
  kw_end,
  kw_escape,
  kw_false,
  kw_glob,
  kw_ilike,
  kw_in,
  kw_is,
  kw_like,
  kw_not,
  kw_null,
  kw_or,
  kw_regexp,
  kw_then,
  kw_true,
  kw_when,
};

struct Token {
  Sym sym = Sym::end;
  bool quoted = false;  // identifier with "" or ``
  size_t begin = 0;     // byte offsets in the source
  size_t end = 0;
  std::string text;  // decoded: the field name, the text of a string, the digits of a number
};

// In a statement the signs that expressions do not use (; : . { } [ ] ? | & ^ $) are tokens.
enum class Dialect : uint8_t { expression, statement };
// The last token is Sym::end.
Result<std::vector<Token>> tokenize(std::string_view source,
                                    Dialect dialect = Dialect::expression);

// Sym::identifier when `word` is no keyword (any case).
Sym keyword(std::string_view word) noexcept;

// "line 1, column 8: ..."; columns count characters from 1.
Error error_at(std::string_view source, size_t offset, std::string_view what,
               Errc code = Errc::invalid_argument);

bool is_identifier_start(char c) noexcept;
bool is_identifier_char(char c) noexcept;

// Number of single edits (ASCII case ignored) from one word to the other.
size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace nines::expr
