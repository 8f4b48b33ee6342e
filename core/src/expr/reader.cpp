#include "reader.hpp"

#include "ascii.hpp"

namespace nines::expr {

Status Reader::expect(Sym sym, std::string_view text) {
  if (accept(sym)) return Ok{};
  return unexpected(text);
}

bool Reader::is_word(std::string_view word, size_t ahead) const {
  const Token& t = peek(ahead);
  return !t.quoted && t.sym != Sym::string && equals_ignoring_case(t.text, word);
}

bool Reader::accept_word(std::string_view word) {
  if (!is_word(word)) return false;
  take();
  return true;
}

bool Reader::is_other(char c, size_t ahead) const {
  const Token& t = peek(ahead);
  return t.sym == Sym::other && t.text[0] == c;
}

bool Reader::accept_other(char c) {
  if (!is_other(c)) return false;
  take();
  return true;
}

std::string Reader::shown(const Token& t) const {
  if (t.sym == Sym::end) return "end of the " + std::string(whole_);
  constexpr size_t kShown = 40;
  std::string_view text = source_.substr(t.begin, t.end - t.begin);
  const bool cut = text.size() > kShown;
  return "'" + std::string(text.substr(0, kShown)) + (cut ? "..." : "") + "'";
}

Error Reader::fail(const Token& t, std::string_view what, Errc code) const {
  return error_at(source_, t.begin, what, code);
}

Error Reader::unexpected(std::string_view expected, std::string_view hint) const {
  std::string what = "unexpected " + shown(peek()) + "; expected " + std::string(expected);
  if (!hint.empty()) what += "; hint: " + std::string(hint);
  return fail(peek(), what);
}

NodePtr Reader::make(NodeKind kind, const Token& at) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  node->offset = at.begin;
  ++nodes_;
  return node;
}

}  // namespace nines::expr
