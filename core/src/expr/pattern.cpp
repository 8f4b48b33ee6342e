#include "pattern.hpp"

#include <cstring>

#include "ascii.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace nines::expr {
namespace {

bool starts_with(std::string_view text, std::string_view lower_prefix, bool fold) {
  if (text.size() < lower_prefix.size()) return false;
  if (!fold) return std::memcmp(text.data(), lower_prefix.data(), lower_prefix.size()) == 0;
  for (size_t i = 0; i < lower_prefix.size(); ++i) {
    if (to_lower(text[i]) != lower_prefix[i]) return false;
  }
  return true;
}

bool ends_with(std::string_view text, std::string_view lower_suffix, bool fold) {
  if (text.size() < lower_suffix.size()) return false;
  return starts_with(text.substr(text.size() - lower_suffix.size()), lower_suffix, fold);
}

// Where the match stands; a step that matches moves both on.
struct Cursor {
  size_t text;
  size_t pattern;
};

// Matches `text` against a pattern in which `step` knows everything but the "any number" sign. Only
// the last such sign needs to be tried again, so the worst case is text times pattern.
template <class IsMany, class Step>
bool wildcard_match(std::string_view text, std::string_view pattern, IsMany is_many, Step step) {
  Cursor at{0, 0};
  Cursor retry{0, std::string_view::npos};
  for (;;) {
    if (at.pattern < pattern.size() && is_many(at.pattern)) {
      retry = {at.text, ++at.pattern};
      if (at.pattern == pattern.size()) return true;
      continue;
    }
    if (at.pattern == pattern.size() && at.text == text.size()) return true;
    if (at.pattern < pattern.size() && at.text < text.size() && step(at)) continue;
    if (retry.pattern == std::string_view::npos || retry.text >= text.size()) return false;
    retry.text = next_character(text, retry.text);
    at = retry;
  }
}

// [a-z], [^a-z], []abc] at `at.pattern`; an unclosed one matches nothing.
bool glob_class(std::string_view text, std::string_view pattern, Cursor& at) {
  const auto c = static_cast<unsigned char>(text[at.text]);
  size_t p = at.pattern + 1;
  const bool inverted = p < pattern.size() && (pattern[p] == '^' || pattern[p] == '!');
  if (inverted) ++p;
  bool found = false;
  for (bool first = true;; first = false, ++p) {
    if (p >= pattern.size()) return false;
    if (pattern[p] == ']' && !first) break;
    const auto low = static_cast<unsigned char>(pattern[p]);
    auto high = low;
    if (p + 2 < pattern.size() && pattern[p + 1] == '-' && pattern[p + 2] != ']') {
      p += 2;
      high = static_cast<unsigned char>(pattern[p]);
    }
    found |= c >= low && c <= high;
  }
  if (found == inverted) return false;
  at = {inverted ? next_character(text, at.text) : at.text + 1, p + 1};
  return true;
}

// A constant pattern split at its "any number" signs.
struct Pieces {
  std::vector<std::string> literals{""};  // between the "any number" signs
  bool simple = true;                     // no single-character wildcards
};

Pieces like_pieces(std::string_view pattern, int escape) {
  Pieces pieces;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (escape != kNoEscape && c == static_cast<char>(escape)) {
      if (++i == pattern.size()) {
        pieces.simple = false;
        break;
      }
      pieces.literals.back() += to_lower(pattern[i]);
    } else if (c == '%') {
      pieces.literals.emplace_back();
    } else {
      pieces.simple &= c != '_';
      pieces.literals.back() += to_lower(c);
    }
  }
  return pieces;
}

Pieces glob_pieces(std::string_view pattern) {
  Pieces pieces;
  for (const char c : pattern) {
    pieces.simple &= c != '?' && c != '[';
    if (c == '*') {
      pieces.literals.emplace_back();
    } else {
      pieces.literals.back() += c;
    }
  }
  return pieces;
}

bool contains_scalar(std::string_view text, std::string_view needle, size_t from) {
  const size_t last = text.size() - needle.size();
  for (size_t i = from; i <= last; ++i) {
    if (to_lower(text[i]) == needle[0] && starts_with(text.substr(i), needle, true)) return true;
  }
  return false;
}

}  // namespace

bool contains_ignoring_case(std::string_view text, std::string_view needle) noexcept {
  if (needle.empty()) return true;
  if (text.size() < needle.size()) return false;
  size_t i = 0;
#if defined(__SSE2__)
  // Sixteen places at a time: first and last byte in either case, then the whole.
  const size_t gap = needle.size() - 1;
  const auto both = [](char c) { return std::pair{_mm_set1_epi8(c), _mm_set1_epi8(to_upper(c))}; };
  const auto [first, first_upper] = both(needle.front());
  const auto [last, last_upper] = both(needle.back());
  for (; i + gap + 16 <= text.size(); i += 16) {
    const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i + gap));
    const __m128i hit =
        _mm_and_si128(_mm_or_si128(_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(a, first_upper)),
                      _mm_or_si128(_mm_cmpeq_epi8(b, last), _mm_cmpeq_epi8(b, last_upper)));
    for (auto mask = static_cast<unsigned>(_mm_movemask_epi8(hit)); mask != 0; mask &= mask - 1) {
      const auto place = i + static_cast<unsigned>(__builtin_ctz(mask));
      if (starts_with(text.substr(place), needle, true)) return true;
    }
  }
#endif
  return contains_scalar(text, needle, i);
}

bool like(std::string_view text, std::string_view pattern, int escape) noexcept {
  const auto is_escape = [&](size_t p) {
    return escape != kNoEscape && pattern[p] == static_cast<char>(escape);
  };
  return wildcard_match(
      text, pattern, [&](size_t p) { return pattern[p] == '%' && !is_escape(p); },
      [&](Cursor& at) {
        size_t p = at.pattern;
        if (is_escape(p)) {
          if (++p == pattern.size()) return false;
        } else if (pattern[p] == '_') {
          at = {next_character(text, at.text), p + 1};
          return true;
        }
        if (to_lower(pattern[p]) != to_lower(text[at.text])) return false;
        at = {at.text + 1, p + 1};
        return true;
      });
}

bool glob(std::string_view text, std::string_view pattern) noexcept {
  return wildcard_match(
      text, pattern, [&](size_t p) { return pattern[p] == '*'; },
      [&](Cursor& at) {
        const char c = pattern[at.pattern];
        if (c == '[') return glob_class(text, pattern, at);
        if (c != '?' && c != text[at.text]) return false;
        at = {c == '?' ? next_character(text, at.text) : at.text + 1, at.pattern + 1};
        return true;
      });
}

Matcher Matcher::of_like(std::string_view pattern, int escape) {
  const Pieces pieces = like_pieces(pattern, escape);
  Matcher m;
  m.fold_ = true;
  m.escape_ = escape;
  m.shape_ = Shape::like;
  m.text_ = pattern;
  if (pieces.simple) m.simplify(pieces.literals);
  return m;
}

Matcher Matcher::of_glob(std::string_view pattern) {
  const Pieces pieces = glob_pieces(pattern);
  Matcher m;
  m.shape_ = Shape::glob;
  m.text_ = pattern;
  if (pieces.simple) m.simplify(pieces.literals);
  return m;
}

Matcher Matcher::of_regexp(Regexp regexp) {
  Matcher m;
  m.shape_ = Shape::regexp;
  m.regexp_.push_back(std::move(regexp));
  return m;
}

// `literals` are the texts between the "any number" signs, empty at open ends.
void Matcher::simplify(const std::vector<std::string>& literals) {
  const std::string& front = literals.front();
  const std::string& back = literals.back();
  for (size_t i = 1; i + 1 < literals.size(); ++i) {
    if (literals[i].empty()) continue;  // %% is %
    if (literals.size() != 3 || !front.empty() || !back.empty()) return;
    shape_ = Shape::contains;
    text_ = literals[1];
    return;
  }
  shape_ = literals.size() == 1 ? Shape::exact
           : back.empty()       ? Shape::prefix
           : front.empty()      ? Shape::suffix
                                : Shape::both_ends;
  tail_ = back;
  text_ = shape_ == Shape::suffix ? back : front;
}

bool Matcher::matches(std::string_view text) const noexcept {
  switch (shape_) {
    case Shape::exact: return text.size() == text_.size() && starts_with(text, text_, fold_);
    case Shape::prefix: return starts_with(text, text_, fold_);
    case Shape::suffix: return ends_with(text, text_, fold_);
    case Shape::contains:
      if (fold_) return contains_ignoring_case(text, text_);
      return memmem(text.data(), text.size(), text_.data(), text_.size()) != nullptr;
    case Shape::both_ends:
      return text.size() >= text_.size() + tail_.size() && starts_with(text, text_, fold_) &&
             ends_with(text, tail_, fold_);
    case Shape::like: return like(text, text_, escape_);
    case Shape::glob: return glob(text, text_);
    case Shape::regexp: break;
  }
  return regexp_.front().matches(text);
}

}  // namespace nines::expr
