#include "config/promql.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace nines::agent::config::promql {
namespace {

constexpr int kMaxDepth = 32;
const char* const kShapes =
    "Nines counts events: write sum(rate(metric{label=\"value\"}[{{.window}}]))";

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}
bool is_name(char c) { return is_name_start(c) || (c >= '0' && c <= '9'); }

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Thrown to nobody: every step gives nullptr or false once `failure` is there.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::unique_ptr<Node> query() {
    auto node = quotient(0);
    if (node && !at_end()) return fail(at_, "unexpected " + shown(), kShapes);
    return node;
  }
  bool selector(Selector& out);
  bool at_end() {
    blanks();
    return at_ == text_.size();
  }
  std::unique_ptr<Failure> take_failure() { return std::move(failure_); }
  std::unique_ptr<Node> fail(size_t offset, std::string message, std::string hint) {
    if (!failure_) {
      failure_ = std::make_unique<Failure>(Failure{offset, std::move(message), std::move(hint)});
    }
    return nullptr;
  }
  size_t at() const { return at_; }
  std::string shown() {
    blanks();
    if (at_ == text_.size()) return "end of the query";
    size_t end = at_ + 1;
    while (end < text_.size() && is_name(text_[at_]) && is_name(text_[end])) ++end;
    return "'" + std::string(text_.substr(at_, end - at_)) + "'";
  }

 private:
  void blanks() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        ++at_;
      } else {
        return;
      }
    }
  }
  bool take(char c) {
    blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool expect(char c) {
    if (take(c)) return true;
    fail(at_, std::string("expected '") + c + "', found " + shown(), kShapes);
    return false;
  }
  // The name at this place, which stays.
  std::string_view peek_word() {
    blanks();
    size_t end = at_;
    if (end < text_.size() && is_name_start(text_[end])) {
      while (end < text_.size() && is_name(text_[end])) ++end;
    }
    return text_.substr(at_, end - at_);
  }
  bool take_word(std::string_view word) {
    if (lowered(peek_word()) != word) return false;
    at_ += word.size();
    return true;
  }
  std::unique_ptr<Node> binary(Node::Kind kind, std::unique_ptr<Node> left,
                               std::unique_ptr<Node> right, size_t offset) {
    if (!left || !right) return nullptr;
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->left = std::move(left);
    node->right = std::move(right);
    node->offset = offset;
    return node;
  }

  std::unique_ptr<Node> quotient(int depth);
  std::unique_ptr<Node> difference(int depth);
  std::unique_ptr<Node> primary(int depth);
  std::unique_ptr<Node> sum();
  bool zero_when_empty();
  bool matcher(Matcher& out);
  bool quoted(std::string& out);
  bool window();

  std::string_view text_;
  size_t at_ = 0;
  std::unique_ptr<Failure> failure_;
};

// a / b, looser than a - b here: (a - b) / c and a / b are what SLOs divide, and a mixture without
// parentheses is refused below.
std::unique_ptr<Node> Parser::quotient(int depth) {
  auto left = difference(depth);
  if (!left || !take('/')) return left;
  const size_t offset = at_ - 1;
  const bool sum = left->kind == Node::Kind::add || left->kind == Node::Kind::subtract;
  if (sum && !left->grouped) {
    return fail(offset, "this '/' belongs to the term before it alone",
                "put parentheses around each side of '/'");
  }
  auto right = primary(depth);
  if (!right) return nullptr;
  auto node = binary(Node::Kind::divide, std::move(left), std::move(right), offset);
  if (!at_end() && text_[at_] != ')') {
    return fail(at_, "unexpected " + shown() + " behind a quotient", kShapes);
  }
  return node;
}

std::unique_ptr<Node> Parser::difference(int depth) {
  auto node = primary(depth);
  while (node) {
    const bool minus = take('-');
    if (!minus && !take('+')) break;
    const size_t offset = at_ - 1;
    auto right = primary(depth);
    // 1 - a / b: the quotient is the right side.
    if (right && minus && node->kind == Node::Kind::one && take('/')) {
      const size_t slash = at_ - 1;
      right = binary(Node::Kind::divide, std::move(right), primary(depth), slash);
    }
    node = binary(minus ? Node::Kind::subtract : Node::Kind::add, std::move(node), std::move(right),
                  offset);
  }
  return node;
}

std::unique_ptr<Node> Parser::primary(int depth) {
  blanks();
  const size_t offset = at_;
  if (depth >= kMaxDepth) return fail(at_, "nested deeper than 32 levels", {});
  if (take('(')) {
    auto node = quotient(depth + 1);
    if (!node || !expect(')') || !zero_when_empty()) return nullptr;
    node->grouped = true;
    return node;
  }
  if (at_ < text_.size() && text_[at_] == '1' &&
      (at_ + 1 == text_.size() || text_[at_ + 1] == ' ' || text_[at_ + 1] == '-' ||
       text_[at_ + 1] == '\n')) {
    ++at_;
    auto node = std::make_unique<Node>();
    node->kind = Node::Kind::one;
    node->offset = offset;
    return node;
  }
  if (take_word("sum")) {
    auto node = sum();
    if (node) node->offset = offset;
    return node && zero_when_empty() ? std::move(node) : nullptr;
  }
  const std::string_view word = peek_word();
  if (word == "rate" || word == "increase") {
    return fail(offset, "a " + std::string(word) + "() without sum() is one number for each series",
                "write sum(" + std::string(word) + "(...))");
  }
  return fail(offset,
              word.empty()
                  ? "unexpected " + shown()
                  : "'" + std::string(word) + "' is not a count of events that Nines knows",
              kShapes);
}

// Behind "sum".
std::unique_ptr<Node> Parser::sum() {
  const std::string group = lowered(peek_word());
  if (group == "by" || group == "without") {
    return fail(at_, "sum " + group + " (...) makes several SLOs of one query",
                "write one SLO for each group, with its labels in the selector");
  }
  if (!expect('(')) return nullptr;
  const std::string function(peek_word());
  const size_t offset = at_;
  if (function != "rate" && function != "increase") {
    return fail(offset,
                function.empty() ? "unexpected " + shown() + " in sum()"
                                 : "sum(" + function + "(...)) is not a count of events",
                kShapes);
  }
  at_ += function.size();
  auto node = std::make_unique<Node>();
  if (!expect('(') || !selector(node->selector) || !window() || !expect(')') || !expect(')')) {
    return nullptr;
  }
  const std::string behind = lowered(peek_word());
  if (behind == "by" || behind == "without") {
    return fail(at_, "sum(...) " + behind + " (...) makes several SLOs of one query",
                "write one SLO for each group, with its labels in the selector");
  }
  return node;
}

// "or vector(0)": no series are no events anyway.
bool Parser::zero_when_empty() {
  const size_t offset = (blanks(), at_);
  if (!take_word("or")) return true;
  if (take_word("on") && (!expect('(') || !expect(')'))) return false;
  if (take_word("vector") && take('(') && take('0') && take(')')) return true;
  fail(offset, "only 'or vector(0)' is understood behind a sum", kShapes);
  return false;
}

bool Parser::selector(Selector& out) {
  blanks();
  out.offset = at_;
  out.metric = peek_word();
  at_ += out.metric.size();
  if (take('{')) {
    while (!take('}')) {
      Matcher next;
      if (!matcher(next)) return false;
      if (next.label == "__name__" && next.op == MatchOp::equal && out.metric.empty()) {
        out.metric = next.value;
      } else {
        out.matchers.push_back(std::move(next));
      }
      if (take(',')) continue;
      if (!expect('}')) return false;
      break;
    }
  }
  if (!out.metric.empty()) return true;
  fail(out.offset, "expected the name of a metric, found " + shown(), kShapes);
  return false;
}

bool Parser::matcher(Matcher& out) {
  blanks();
  out.offset = at_;
  out.label = peek_word();
  if (out.label.empty()) {
    fail(at_, "expected the name of a label, found " + shown(), "label=\"value\"");
    return false;
  }
  at_ += out.label.size();
  blanks();
  constexpr std::pair<std::string_view, MatchOp> kOps[] = {{"!=", MatchOp::not_equal},
                                                           {"=~", MatchOp::regex},
                                                           {"!~", MatchOp::not_regex},
                                                           {"=", MatchOp::equal}};
  for (const auto& [op, match] : kOps) {
    if (!text_.substr(at_).starts_with(op)) continue;
    at_ += op.size();
    out.op = match;
    return quoted(out.value);
  }
  fail(at_, "expected =, !=, =~ or !~ behind the label, found " + shown(), "label=\"value\"");
  return false;
}

bool Parser::quoted(std::string& out) {
  blanks();
  const size_t begin = at_;
  const char quote = at_ < text_.size() ? text_[at_] : ' ';
  if (quote != '"' && quote != '\'' && quote != '`') {
    fail(at_, "expected a text in quotes, found " + shown(), "label=\"value\"");
    return false;
  }
  for (++at_; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == quote) {
      ++at_;
      return true;
    }
    if (c != '\\' || quote == '`') {
      out += c;
      continue;
    }
    const char escaped = ++at_ < text_.size() ? text_[at_] : ' ';
    constexpr std::string_view kSpelt = "ntr\\\"'";
    constexpr std::string_view kMeant = "\n\t\r\\\"'";
    const size_t known = kSpelt.find(escaped);
    if (known == std::string_view::npos) {
      fail(at_ - 1, "unknown escape '\\" + std::string(1, escaped) + "'",
           "a backslash of a regular expression is written \\\\");
      return false;
    }
    out += kMeant[known];
  }
  fail(begin, "this text is never closed", {});
  return false;
}

// [{{.window}}], [5m], and no offset or subquery behind it.
bool Parser::window() {
  blanks();
  const size_t begin = at_;
  if (!expect('[')) return false;
  const size_t end = text_.find(']', at_);
  if (end == std::string_view::npos) {
    fail(begin, "this '[' is never closed", kShapes);
    return false;
  }
  if (text_.substr(at_, end - at_).find(':') != std::string_view::npos) {
    fail(begin, "a subquery is not a count of events", kShapes);
    return false;
  }
  at_ = end + 1;
  const std::string_view word = peek_word();
  if (word != "offset" && !(at_ < text_.size() && text_[at_] == '@')) return true;
  fail(at_, "Nines counts events when they happen: " + shown() + " has no meaning", kShapes);
  return false;
}

}  // namespace

Parsed parse_query(std::string_view text) {
  Parser parser(text);
  Parsed out;
  out.node = parser.query();
  out.failure = parser.take_failure();
  if (out.failure) out.node.reset();
  return out;
}

ParsedSelector parse_selector(std::string_view text) {
  Parser parser(text);
  ParsedSelector out;
  auto selector = std::make_unique<Selector>();
  if (parser.selector(*selector) && !parser.at_end()) {
    parser.fail(parser.at(), "unexpected " + parser.shown() + " behind the selector",
                "a metric with labels only: metric{label=\"value\"}");
  }
  out.failure = parser.take_failure();
  if (!out.failure) out.selector = std::move(selector);
  return out;
}

}  // namespace nines::agent::config::promql
