// LIKE, GLOB and REGEXP. Constant patterns are sorted by shape first, so that the usual ones
// ('/healthz%', '%timeout%') are a comparison or a search and nothing else. The only file that
// sees RE2 is pattern_regexp.cpp.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/base/result.hpp"

namespace re2 {
class RE2;
}

namespace nines::expr {

inline constexpr int kNoEscape = -1;

// ASCII letters match in either case; _ is one character, % any number.
bool like(std::string_view text, std::string_view pattern, int escape) noexcept;
// Case-sensitive; ?, *, [a-z], [^a-z].
bool glob(std::string_view text, std::string_view pattern) noexcept;
// REQUIRES `needle` in lower case.
bool contains_ignoring_case(std::string_view text, std::string_view needle) noexcept;

// Of each of these sets one literal is part of every match of the regular expression; none where
// nothing could be derived. `exact`: the expression is just an alternation of the only set.
struct PatternLiterals {
  std::vector<std::vector<std::string>> all_of;  // of at most 64, none empty
  bool ignore_case = false;  // literals are in lower case, ASCII letters match in either
  bool exact = false;
};
PatternLiterals pattern_literals(std::string_view pattern);

// A regular expression, compiled once. Searches take time linear in the text.
class Regexp {
 public:
  // The error's message is the reason only; the caller knows the place.
  static Result<Regexp> compile(const std::string& pattern);
  ~Regexp();
  Regexp(Regexp&&) noexcept;
  Regexp& operator=(Regexp&&) noexcept;

  bool matches(std::string_view text) const noexcept;
  // Text of a group of the first match (0: all of it); data() == nullptr when there is none.
  std::string_view extract(std::string_view text, int group) const noexcept;
  // The texts of groups 0 .. out.size() - 1, likewise. REQUIRES 1 <= out.size() <= 33. False: no
  // match.
  bool extract_groups(std::string_view text, std::span<std::string_view> out) const noexcept;
  int groups() const noexcept;
  // (?P<name>...), by number.
  std::vector<std::pair<int, std::string>> named_groups() const;
  bool is_literal() const noexcept { return literal_only_; }

 private:
  Regexp();
  void choose_literals(const PatternLiterals& literals);
  bool has_required_literal(std::string_view text) const noexcept;

  // When not empty, every match contains one of them, in either case when fold_.
  std::vector<std::string> required_;
  bool fold_ = false;
  bool literal_only_ = false;  // a match is just one of required_
  std::unique_ptr<re2::RE2> re2_;
};

// A regular expression searched over many lines at once; it never matches across a line end.
class LineRegexp {
 public:
  // Nothing when lines of a block cannot be told from texts of their own: \A, \z, \C and flags but
  // a leading (?i).
  static std::unique_ptr<LineRegexp> compile(const std::string& pattern);
  ~LineRegexp();
  // Where the first match at or behind `from` begins; npos: none. REQUIRES a line to begin at
  // `from`.
  size_t find(std::string_view block, size_t from) const noexcept;
  // Whether what stands at the edges of a line matters: ^, $.
  bool has_anchors() const noexcept { return anchors_; }

 private:
  LineRegexp();
  bool anchors_ = false;
  std::unique_ptr<re2::RE2> re2_;
};

// A constant pattern of any of the three kinds.
class Matcher {
 public:
  static Matcher of_like(std::string_view pattern, int escape);
  static Matcher of_glob(std::string_view pattern);
  static Matcher of_regexp(Regexp regexp);
  bool matches(std::string_view text) const noexcept;

 private:
  enum class Shape : uint8_t { exact, prefix, suffix, contains, both_ends, like, glob, regexp };
  void simplify(const std::vector<std::string>& literals);

  Shape shape_ = Shape::exact;
  bool fold_ = false;  // letters match in either case; text_ and tail_ are in lower case
  int escape_ = kNoEscape;
  std::string text_;
  std::string tail_;            // both_ends
  std::vector<Regexp> regexp_;  // none or one
};

}  // namespace nines::expr
