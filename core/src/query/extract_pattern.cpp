#include "query/extract_pattern.hpp"

#include <algorithm>
#include <cstring>

#include "log/number.hpp"

namespace nines::query {
namespace {

constexpr size_t kMaxCaptures = 32;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}
bool is_name_start(char c) noexcept {
  const char lower = static_cast<char>(c | 0x20);
  return (lower >= 'a' && lower <= 'z') || c == '_' || c == '@' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_name(std::string_view text) noexcept {
  return !text.empty() && is_name_start(text[0]) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_name_start(c) || is_digit(c) || c == '$' || c == '.';
         });
}

size_t search(std::string_view text, size_t from, std::string_view needle) noexcept {
  if (from > text.size()) return std::string_view::npos;
  const void* found =
      ::memmem(text.data() + from, text.size() - from, needle.data(), needle.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<size_t>(static_cast<const char*>(found) - text.data());
}

// Characters from `at` on that are a number; 0: none.
size_t integer_length(std::string_view text, size_t at, size_t most) noexcept {
  size_t i = at;
  if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
  const size_t digits = i;
  while (i < text.size() && i - at < most && is_digit(text[i])) ++i;
  return i == digits ? 0 : i - at;
}

size_t number_length(std::string_view text, size_t at, size_t most) noexcept {
  size_t length = integer_length(text, at, most);
  if (length == 0) return 0;
  const auto here = [&](size_t i) { return at + i < text.size() ? text[at + i] : '\0'; };
  if (here(length) == '.' && is_digit(here(length + 1))) {
    ++length;
    while (length < most && is_digit(here(length))) ++length;
  }
  if ((here(length) | 0x20) == 'e') {
    const bool sign = here(length + 1) == '-' || here(length + 1) == '+';
    size_t i = length + (sign ? 2 : 1);
    if (is_digit(here(i))) {
      while (i < most && is_digit(here(i))) ++i;
      length = i;
    }
  }
  return length;
}

Value to_number(std::string_view text) noexcept {
  if (text.starts_with('+')) text.remove_prefix(1);
  const Value value = log::number_value(text);
  return value.kind == ValueKind::text ? Value::null() : value;
}

Error bad(std::string message) { return {Errc::invalid_argument, std::move(message)}; }

}  // namespace

Result<ExtractPattern> ExtractPattern::compile(std::string_view text, size_t& error_at) {
  ExtractPattern pattern;
  error_at = 0;
  NINES_CHECK(pattern.parse(text, error_at));
  if (pattern.names_.empty()) {
    error_at = 0;
    return bad("the pattern has no field; write one as in 'took <ms:num>ms'");
  }
  return pattern;
}

void ExtractPattern::add_literal(char c) {
  if (elements_.empty() || elements_.back().kind != Kind::literal) elements_.emplace_back();
  elements_.back().text += c;
}

Status ExtractPattern::parse(std::string_view text, size_t& at) {
  while (at < text.size()) {
    const char c = text[at];
    const char next = at + 1 < text.size() ? text[at + 1] : '\0';
    if (c == '\\' && (next == '<' || next == '\\')) {
      add_literal(next);
      at += 2;
    } else if (c != '<') {
      add_literal(c);
      ++at;
    } else {
      const size_t close = text.find('>', at);
      if (close == npos) {
        return bad("'<' begins a field that no '>' ends; a literal '<' is written \\<");
      }
      NINES_CHECK(add_capture(text.substr(at + 1, close - at - 1)));
      at = close + 1;
    }
  }
  return Ok{};
}

Status ExtractPattern::add_capture(std::string_view inside) {
  const size_t colon = inside.find(':');
  const std::string name(inside.substr(0, colon));
  const std::string_view kind = colon == npos ? "any" : inside.substr(colon + 1);
  Element element;
  if (kind == "any") {
    element.kind = Kind::any;
  } else if (kind == "word") {
    element.kind = Kind::word;
  } else if (kind == "num") {
    element.kind = Kind::num;
  } else if (kind == "int") {
    element.kind = Kind::integer;
  } else {
    return bad("unknown kind \"" + std::string(kind) + "\"; one of: any, word, num, int");
  }
  if (!elements_.empty() && elements_.back().kind != Kind::literal) {
    return bad("nothing stands between <" + name +
               "> and the field before it, so nothing tells where that one ends");
  }
  if (name != "_" && !name.empty()) {
    if (!is_name(name)) {
      return bad("\"" + name +
                 "\" is no name of a field (letters, digits, _ and dots); a literal '<' is "
                 "written \\<");
    }
    if (std::find(names_.begin(), names_.end(), name) != names_.end()) {
      return bad("field \"" + name + "\" is there twice");
    }
    if (names_.size() == kMaxCaptures) return bad("more than 32 fields");
    element.slot = static_cast<int>(names_.size());
    names_.push_back(name);
  }
  elements_.push_back(std::move(element));
  return Ok{};
}

bool ExtractPattern::run(std::string_view text, std::span<Value> out) const noexcept {
  for (Value& value : out) value = Value{};
  size_t at = 0;
  bool matched = true;
  for (size_t i = 0; matched && i < elements_.size();) {
    const bool any = elements_[i].kind == Kind::any;
    const size_t first = any ? i + 1 : i;
    size_t last = first;
    while (last < elements_.size() && elements_[last].kind != Kind::any) ++last;
    size_t end = text.size();
    const size_t begin = first == last ? text.size() : find(text, at, first, last, end, out);
    matched = begin != npos;
    if (matched && any) put(i, text.substr(at, begin - at), out);
    at = end;
    i = last;
  }
  if (!matched) {
    for (Value& value : out) value = Value{};
  }
  return matched;
}

size_t ExtractPattern::find(std::string_view text, size_t from, size_t first, size_t last,
                            size_t& end, std::span<Value> out) const noexcept {
  for (;;) {
    const size_t at = next_start(text, from, first);
    if (at == npos) return npos;
    if (match_at(text, at, first, last, end, out)) return at;
    from = at + 1;
  }
}

// Where the segment may begin.
size_t ExtractPattern::next_start(std::string_view text, size_t from, size_t first) const noexcept {
  const Element& element = elements_[first];
  if (element.kind == Kind::literal) return search(text, from, element.text);
  for (size_t i = from; i < text.size(); ++i) {
    const char c = text[i];
    const char before = i == 0 ? ' ' : text[i - 1];
    if (element.kind == Kind::word) {
      if (!is_blank(c) && is_blank(before)) return i;
    } else if (is_digit(c) ? !is_digit(before) : c == '-' || c == '+') {
      return i;
    }
  }
  return npos;
}

bool ExtractPattern::match_at(std::string_view text, size_t at, size_t first, size_t last,
                              size_t& end, std::span<Value> out) const noexcept {
  for (size_t i = first; i < last; ++i) {
    const Element& element = elements_[i];
    size_t length = 0;
    switch (element.kind) {
      case Kind::literal:
        if (text.substr(at, element.text.size()) != element.text) return false;
        at += element.text.size();
        continue;
      case Kind::word: length = word_end(text, at, i) - at; break;
      case Kind::num: length = number_length(text, at, kMaxNumber); break;
      case Kind::any:  // between segments, never within one
      case Kind::integer: length = integer_length(text, at, kMaxNumber); break;
    }
    if (length == 0) return false;
    put(i, text.substr(at, length), out);
    at += length;
  }
  end = at;
  return true;
}

// `at` itself: no word there.
size_t ExtractPattern::word_end(std::string_view text, size_t at, size_t element) const noexcept {
  const std::string_view stop =
      element + 1 < elements_.size() ? std::string_view(elements_[element + 1].text) : "";
  const size_t most = std::min(text.size(), at + kMaxWord);
  for (size_t i = at; i < most; ++i) {
    if (!stop.empty() && i > at && text[i] == stop[0] && text.substr(i).starts_with(stop)) {
      return i;
    }
    if (is_blank(text[i])) return stop.empty() ? i : at;
  }
  const bool ends = stop.empty() || text.substr(most).starts_with(stop);
  return ends ? most : at;
}

void ExtractPattern::put(size_t element, std::string_view found,
                         std::span<Value> out) const noexcept {
  const int slot = elements_[element].slot;
  if (slot < 0) return;
  const Kind kind = elements_[element].kind;
  const bool number = kind == Kind::num || kind == Kind::integer;
  out[static_cast<size_t>(slot)] = number ? to_number(found) : Value::of_text(found);
}

}  // namespace nines::query
