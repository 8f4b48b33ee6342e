#include <algorithm>
#include <numeric>

#include "ascii.hpp"
#include "token.hpp"

namespace nines::expr {
namespace {

struct Keyword {
  std::string_view word;
  Sym sym;
};
constexpr Keyword kKeywords[] = {
    {"and", Sym::kw_and},   {"as", Sym::kw_as},         {"between", Sym::kw_between},
    {"case", Sym::kw_case}, {"cast", Sym::kw_cast},     {"else", Sym::kw_else},
    {"end", Sym::kw_end},   {"escape", Sym::kw_escape}, {"false", Sym::kw_false},
    {"glob", Sym::kw_glob}, {"ilike", Sym::kw_ilike},   {"in", Sym::kw_in},
    {"is", Sym::kw_is},     {"like", Sym::kw_like},     {"not", Sym::kw_not},
    {"null", Sym::kw_null}, {"or", Sym::kw_or},         {"regexp", Sym::kw_regexp},
    {"then", Sym::kw_then}, {"true", Sym::kw_true},     {"when", Sym::kw_when},
};

struct Symbol {
  std::string_view text;
  Sym sym;
};
// Longest first.
constexpr Symbol kSymbols[] = {
    {"==", Sym::eq},        {"!=", Sym::ne},         {"<>", Sym::ne},        {"<=", Sym::le},
    {">=", Sym::ge},        {"||", Sym::concat},     {"!~", Sym::not_match}, {"=", Sym::eq},
    {"<", Sym::lt},         {">", Sym::gt},          {"~", Sym::match},      {"+", Sym::plus},
    {"-", Sym::minus},      {"*", Sym::star},        {"/", Sym::slash},      {"%", Sym::percent},
    {"(", Sym::left_paren}, {")", Sym::right_paren}, {",", Sym::comma},
};

struct Mistake {
  std::string_view text;
  std::string_view hint;
};
constexpr Mistake kMistakes[] = {
    {"=>", "hint: 'greater or equal' is written >="},
    {"=<", "hint: 'less or equal' is written <="},
    {"=~", "hint: a regular expression match is written ~ or REGEXP"},
    {"&&", "hint: write AND"},
    {"!", "hint: write NOT, or != for 'not equal'"},
    {"\xe2\x80\x98", "hint: texts stand in straight quotes: 'text'"},
    {"\xe2\x80\x99", "hint: texts stand in straight quotes: 'text'"},
    {"\xe2\x80\x9c", "hint: texts stand in straight quotes: 'text'"},
    {"\xe2\x80\x9d", "hint: texts stand in straight quotes: 'text'"},
    {"\xe2\x89\xa5", "hint: write >="},
    {"\xe2\x89\xa4", "hint: write <="},
    {";", "hint: an expression is one value without a semicolon"},
};

class Lexer {
 public:
  Lexer(std::string_view source, Dialect dialect)
      : source_(source), statement_(dialect == Dialect::statement) {}

  Result<std::vector<Token>> run() {
    for (;;) {
      NINES_CHECK(skip_blanks());
      if (at_ == source_.size()) break;
      Token token;
      token.begin = at_;
      NINES_CHECK(next(token));
      token.end = at_;
      tokens_.push_back(std::move(token));
    }
    Token end;
    end.begin = end.end = at_;
    tokens_.push_back(std::move(end));
    return std::move(tokens_);
  }

 private:
  bool starts(std::string_view text) const { return source_.substr(at_).starts_with(text); }
  char peek(size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }

  Status skip_blanks() {
    for (;;) {
      while (at_ < source_.size() && is_space(source_[at_])) ++at_;
      if (starts("--")) {
        at_ = std::min(source_.find('\n', at_), source_.size());
      } else if (starts("/*")) {
        const size_t close = source_.find("*/", at_ + 2);
        if (close == std::string_view::npos) {
          return error_at(source_, at_, "the comment '/*' is never closed; expected '*/'");
        }
        at_ = close + 2;
      } else {
        return Ok{};
      }
    }
  }

  Status next(Token& token) {
    const char c = peek();
    if (c == '\'') return text(token, false);
    if ((c == 'r' || c == 'R') && peek(1) == '\'') {
      ++at_;
      return text(token, true);
    }
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number(token);
    // Typographic quotes and signs are letters by their bytes, so mistakes come first.
    for (const Mistake& m : kMistakes) {
      if (!starts(m.text) || (m.text == "!" && (peek(1) == '=' || peek(1) == '~'))) continue;
      if (statement_ && m.text == ";") continue;
      return error_at(source_, at_,
                      "unexpected '" + std::string(m.text) + "'; " + std::string(m.hint));
    }
    if (c == '"' || c == '`' || is_identifier_start(c)) return name(token);
    return symbol(token);
  }

  // REQUIRES the opening quote at at_. '' stands for one quote except in raw text.
  Status text(Token& token, bool raw) {
    token.sym = Sym::string;
    return quoted('\'', raw, token.begin, token.text);
  }

  Status quoted(char quote, bool raw, size_t begin, std::string& out) {
    for (++at_; at_ < source_.size(); ++at_) {
      if (source_[at_] != quote) {
        out += source_[at_];
      } else if (!raw && peek(1) == quote) {
        out += quote;
        ++at_;
      } else {
        ++at_;
        return Ok{};
      }
    }
    const std::string_view what = quote == '\'' ? "text" : "name";
    std::string start(source_.substr(begin, 20));
    return error_at(source_, begin,
                    "the " + std::string(what) + " that starts with " + start +
                        " is never closed; expected " + quote + "; hint: a " + quote +
                        " inside is written twice");
  }

  Status number(Token& token) {
    token.sym = Sym::number;
    while (is_digit(peek())) ++at_;
    if (peek() == '.') ++at_;
    while (is_digit(peek())) ++at_;
    const bool sign = peek(1) == '+' || peek(1) == '-';
    if ((peek() == 'e' || peek() == 'E') && is_digit(peek(sign ? 2 : 1))) {
      at_ += sign ? 2 : 1;
      while (is_digit(peek())) ++at_;
    }
    if (is_identifier_char(peek()) || peek() == '.') return bad_number(token.begin);
    token.text = source_.substr(token.begin, at_ - token.begin);
    return Ok{};
  }

  Status bad_number(size_t begin) {
    while (is_identifier_char(peek()) || peek() == '.') ++at_;
    return error_at(source_, begin,
                    "'" + std::string(source_.substr(begin, at_ - begin)) +
                        "' is no number; hint: durations are written " +
                        (statement_ ? "in quotes, '5m'" : "duration_ms('5m')") +
                        ", names that start with a digit \"in double quotes\"");
  }

  // a, a.b, a."odd name".c, `a`: one token, segments joined by dots.
  Status name(Token& token) {
    token.sym = Sym::identifier;
    for (;;) {
      NINES_CHECK(segment(token));
      const char c = peek(1);
      if (peek() != '.' || !(is_identifier_char(c) || c == '"' || c == '`')) break;
      token.text += '.';
      ++at_;
    }
    if (token.text.empty()) return error_at(source_, token.begin, "the name \"\" is empty");
    if (!token.quoted) token.sym = keyword(token.text);
    return Ok{};
  }

  Status segment(Token& token) {
    if (peek() == '"' || peek() == '`') {
      token.quoted = true;
      return quoted(peek(), false, at_, token.text);
    }
    const size_t begin = at_;
    while (is_identifier_char(peek())) ++at_;
    token.text += source_.substr(begin, at_ - begin);
    return Ok{};
  }

  Status symbol(Token& token) {
    for (const Symbol& s : kSymbols) {
      if (!starts(s.text)) continue;
      token.sym = s.sym;
      at_ += s.text.size();
      return Ok{};
    }
    constexpr std::string_view kOthers = ";:.{}[]?|&^$";
    if (statement_ && peek() != '\0' && kOthers.find(peek()) != std::string_view::npos) {
      token.sym = Sym::other;
      token.text = source_[at_++];
      return Ok{};
    }
    const auto byte = static_cast<unsigned char>(peek());
    std::string shown(1, peek());
    if (byte < 0x20 || byte == 0x7f) shown = "byte " + std::to_string(byte);
    return error_at(source_, at_, "unexpected character '" + shown + "'");
  }

  std::string_view source_;
  bool statement_;
  size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> tokenize(std::string_view source, Dialect dialect) {
  if (source.size() > kMaxTextBytes) {
    return Error{Errc::exhausted, "line 1, column 1: the expression has " +
                                      std::to_string(source.size()) + " bytes; at most " +
                                      std::to_string(kMaxTextBytes) + " are allowed"};
  }
  return Lexer(source, dialect).run();
}

Sym keyword(std::string_view word) noexcept {
  for (const Keyword& k : kKeywords) {
    if (equals_ignoring_case(k.word, word)) return k.sym;
  }
  return Sym::identifier;
}

Error error_at(std::string_view source, size_t offset, std::string_view what, Errc code) {
  size_t line = 1;
  size_t column = 1;
  for (const char c : source.substr(0, offset)) {
    if (c == '\n') {
      ++line;
      column = 1;
    } else if (!is_continuation(c)) {
      ++column;
    }
  }
  return {code, "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " +
                    std::string(what)};
}

bool is_identifier_start(char c) noexcept {
  return is_letter(c) || c == '_' || c == '@' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_identifier_char(char c) noexcept {
  return is_identifier_start(c) || is_digit(c) || c == '$';
}

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t change = diagonal + (to_lower(a[i]) != to_lower(b[j]));
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace nines::expr
