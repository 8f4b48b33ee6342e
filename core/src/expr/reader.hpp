// The expression parser as part of a larger one. A Reader is the cursor over the tokens of a text
// that statements and expressions share; a Host gives meaning to what only its owner knows
// (aggregates, sub-queries, steps of a sequence), so that there is one expression language.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "node.hpp"
#include "token.hpp"

namespace nines::expr {

class Reader;

// Asked while an expression is read. What it gives stands in the tree like any other node; usually
// it is a field of a made-up name.
class Host {
 public:
  virtual ~Host() = default;
  // At a name with '(' behind it. nullptr: a function of the language, nothing is taken.
  virtual Result<NodePtr> call(Reader& reader) = 0;
  // At '(' SELECT where a value is expected, or behind IN (then `left` is what stands before it).
  virtual Result<NodePtr> subquery(Reader& reader, NodePtr left, bool negated) = 0;
  // At a name that is no call. nullptr: a field, nothing is taken.
  virtual Result<NodePtr> name(Reader& reader) = 0;
};

class Reader {
 public:
  Reader(std::string_view source, std::vector<Token> tokens, std::string_view whole, Host* host)
      : source_(source), whole_(whole), tokens_(std::move(tokens)), host_(host) {}
  virtual ~Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // One expression from here on; stops at what can't go on with it.
  virtual Result<NodePtr> expression() = 0;
  // Who is asked from now on.
  void use(Host* host) { host_ = host; }

  const Token& peek(size_t ahead = 0) const {
    return tokens_[at_ + ahead < tokens_.size() ? at_ + ahead : tokens_.size() - 1];
  }
  const Token& before() const { return tokens_[at_ > 0 ? at_ - 1 : 0]; }
  const Token& take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool accept(Sym sym) {
    if (peek().sym != sym) return false;
    take();
    return true;
  }
  Status expect(Sym sym, std::string_view text);
  // Unquoted words, any case.
  bool is_word(std::string_view word, size_t ahead = 0) const;
  bool accept_word(std::string_view word);
  bool is_other(char c, size_t ahead = 0) const;  // signs that expressions do not use
  bool accept_other(char c);

  size_t position() const { return at_; }  // index of the next token
  void seek(size_t position) { at_ = position; }
  std::string_view source() const { return source_; }
  const std::vector<Token>& tokens() const { return tokens_; }

  Error fail(const Token& t, std::string_view what, Errc code = Errc::invalid_argument) const;
  Error unexpected(std::string_view expected, std::string_view hint = {}) const;
  std::string shown(const Token& t) const;
  NodePtr make(NodeKind kind, const Token& at);

 protected:
  std::string_view source_;
  std::string_view whole_;  // what the text is, for "end of the ..."
  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t nodes_ = 0;
  Host* host_;
};

// `host` may be null and outlives the reader, as does `source`.
std::unique_ptr<Reader> make_reader(std::string_view source, std::vector<Token> tokens,
                                    std::string_view whole, Host* host);

}  // namespace nines::expr
