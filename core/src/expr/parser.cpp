// Pratt parser: text to checked tree.
#include <algorithm>

#include "ascii.hpp"
#include "functions.hpp"
#include "node.hpp"
#include "pattern.hpp"
#include "precedence.hpp"
#include "reader.hpp"
#include "token.hpp"

namespace nines::expr {
namespace {

using TreeResult = Result<NodePtr>;

struct CastName {
  std::string_view name;
  CastType type;
};
constexpr CastName kCastNames[] = {
    {"integer", CastType::integer}, {"int", CastType::integer},    {"bigint", CastType::integer},
    {"real", CastType::real},       {"double", CastType::real},    {"float", CastType::real},
    {"number", CastType::number},   {"numeric", CastType::number}, {"decimal", CastType::number},
    {"text", CastType::text},       {"varchar", CastType::text},   {"string", CastType::text},
    {"boolean", CastType::boolean}, {"bool", CastType::boolean},
};

int binding(Sym sym) {
  switch (sym) {
    case Sym::kw_or: return kPrecOr;
    case Sym::kw_and: return kPrecAnd;
    case Sym::eq:
    case Sym::ne:
    case Sym::match:
    case Sym::not_match:
    case Sym::kw_is:
    case Sym::kw_in:
    case Sym::kw_like:
    case Sym::kw_ilike:
    case Sym::kw_glob:
    case Sym::kw_regexp:
    case Sym::kw_between:
    case Sym::kw_not: return kPrecEqual;  // a NOT LIKE b
    case Sym::lt:
    case Sym::le:
    case Sym::gt:
    case Sym::ge: return kPrecRelation;
    case Sym::plus:
    case Sym::minus: return kPrecAdd;
    case Sym::star:
    case Sym::slash:
    case Sym::percent: return kPrecMultiply;
    case Sym::concat: return kPrecConcat;
    default: return 0;
  }
}

uint8_t compare_mask(Sym sym) {
  switch (sym) {
    case Sym::eq: return kEqual;
    case Sym::ne: return kLess | kGreater;
    case Sym::lt: return kLess;
    case Sym::le: return kLess | kEqual;
    case Sym::gt: return kGreater;
    default: return kGreater | kEqual;
  }
}

Arithmetic arithmetic_of(Sym sym) {
  switch (sym) {
    case Sym::plus: return Arithmetic::add;
    case Sym::minus: return Arithmetic::subtract;
    case Sym::star: return Arithmetic::multiply;
    case Sym::slash: return Arithmetic::divide;
    default: return Arithmetic::modulo;
  }
}

bool is_text_literal(const Node& n) {
  return n.kind == NodeKind::literal && n.value.kind == ValueKind::text;
}

// `level >= WARN` means the level, not a field of that name.
void read_as_level(const Node& field, Node& other) {
  Level level{};
  if (field.kind != NodeKind::field || field.text != "level") return;
  if (other.kind != NodeKind::field || !parse_level(other.text, level)) return;
  if (!equals_ignoring_case(other.text, level_name(level))) return;
  other.kind = NodeKind::literal;
  other.value = Value::of_text(other.text);
}

void read_all_as_levels(Node& node) {
  for (size_t i = 1; i < node.kids.size(); ++i) read_as_level(*node.kids[0], *node.kids[i]);
}

class Parser final : public Reader {
 public:
  Parser(std::string_view source, std::vector<Token> tokens, std::string_view whole, Host* host)
      : Reader(source, std::move(tokens), whole, host) {}

  TreeResult run() {
    if (peek().sym == Sym::end) {
      return fail(peek(), "the expression is empty; expected a condition such as status >= 500");
    }
    NINES_TRY(NodePtr root, expression(kPrecOr));
    if (peek().sym != Sym::end) return unexpected("an operator or the end", leftover_hint());
    return root;
  }

  // The limits hold for each expression of a statement; what a host reads counts as a part.
  TreeResult expression() override {
    if (depth_ == 0) nodes_ = 0;
    return expression(kPrecOr);
  }

 private:
  struct Deeper {
    explicit Deeper(int& depth) : depth_(depth) { ++depth_; }
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    int& depth_;
  };

  std::string_view leftover_hint() const {
    if (peek().sym == Sym::right_paren) return "there is no '(' that it closes";
    if (peek().sym == Sym::identifier && at_ > 0 && before().sym == Sym::identifier) {
      return "an odd field name is written \"in double quotes\"";
    }
    return {};
  }

  // Adds a kid and keeps height and number of nodes within their limits.
  Status adopt(Node& parent, NodePtr kid) {
    parent.height = std::max(parent.height, kid->height + 1);
    parent.kids.push_back(std::move(kid));
    if (parent.height > kMaxDepth) return too_deep();
    if (nodes_ > kMaxNodes) {
      return fail(peek(), "the expression has more than " + std::to_string(kMaxNodes) + " parts",
                  Errc::exhausted);
    }
    return Ok{};
  }
  Error too_deep() const {
    return fail(peek(),
                "the expression is nested more than " + std::to_string(kMaxDepth) + " levels deep",
                Errc::exhausted);
  }

  TreeResult expression(int min) {
    const Deeper deeper(depth_);
    if (depth_ > kMaxDepth) return too_deep();
    NINES_TRY(NodePtr left, prefix());
    while (binding(peek().sym) >= min && binding(peek().sym) > 0) {
      NINES_TRY(left, infix(std::move(left)));
    }
    return left;
  }

  TreeResult prefix() {
    const Token& t = peek();
    switch (t.sym) {
      case Sym::kw_not: return unary(NodeKind::logical_not, kPrecNot);
      case Sym::minus: return unary(NodeKind::negate, kPrecUnary);
      case Sym::plus: take(); return expression(kPrecUnary);
      default: return primary();
    }
  }

  TreeResult unary(NodeKind kind, int precedence) {
    NodePtr node = make(kind, take());
    NINES_TRY(NodePtr operand, expression(precedence));
    if (kind == NodeKind::negate && negate_literal(*operand)) return operand;
    NINES_CHECK(adopt(*node, std::move(operand)));
    return node;
  }
  // -5 is a number, so that it prints as it parses.
  static bool negate_literal(Node& n) {
    const bool real = n.value.kind == ValueKind::real;
    if (n.kind != NodeKind::literal || (n.value.kind != ValueKind::number && !real)) return false;
    n.value = negate(n.value);
    if (real) n.text = n.value.real < 0 ? "-" + n.text : n.text.substr(1);
    return true;
  }

  TreeResult primary() {
    const Token& t = peek();
    switch (t.sym) {
      case Sym::number: return number();
      case Sym::string: return text_literal();
      case Sym::kw_true:
      case Sym::kw_false: {
        NodePtr node = make(NodeKind::literal, take());
        node->value = Value::of_bool(t.sym == Sym::kw_true);
        return node;
      }
      case Sym::kw_null: return make(NodeKind::literal, take());
      case Sym::identifier: return t.quoted || peek(1).sym != Sym::left_paren ? field() : call();
      case Sym::kw_end:  // no CASE is complete here, so it is a name where a host says so
        if (host_ != nullptr) return field();
        break;
      case Sym::left_paren: return parenthesized();
      case Sym::kw_case: return case_expression();
      case Sym::kw_cast: return cast_expression();
      case Sym::eq:
        return unexpected("a value", "equality is written a = b, 'greater or equal' a >= b");
      default: break;
    }
    return unexpected("a value: a field, a number, 'text', a function or '('");
  }

  bool at_subquery() const {
    return host_ != nullptr && peek().sym == Sym::left_paren &&
           (is_word("select", 1) || is_word("with", 1) || is_word("values", 1));
  }

  TreeResult parenthesized() {
    if (at_subquery()) return host_->subquery(*this, nullptr, false);
    const Token& open = take();
    NINES_TRY(NodePtr inside, expression(kPrecOr));
    if (!accept(Sym::right_paren)) {
      return unexpected("')' for the '(' at " + place(open));
    }
    return inside;
  }

  std::string place(const Token& t) const {
    std::string message = error_at(source_, t.begin, "").message;
    return message.substr(0, message.size() - 2);
  }

  TreeResult number() {
    const Token& t = take();
    NodePtr node = make(NodeKind::literal, t);
    node->value = parse_number(t.text);
    if (node->value.is_null()) return fail(t, "the number " + t.text + " is out of range");
    if (node->value.kind == ValueKind::real) node->text = t.text;
    return node;
  }

  TreeResult text_literal() {
    const Token& t = take();
    NodePtr node = make(NodeKind::literal, t);
    node->text = t.text;
    node->value = Value::of_text(node->text);
    return node;
  }

  TreeResult field() {
    if (host_ != nullptr) {
      NINES_TRY(NodePtr known, host_->name(*this));
      if (known) return known;
    }
    const Token& t = take();
    NodePtr node = make(NodeKind::field, t);
    node->text = t.text;
    return node;
  }

  TreeResult infix(NodePtr left) {
    const Token& op = take();
    switch (op.sym) {
      case Sym::kw_and: return logical(NodeKind::logical_and, std::move(left), op, kPrecNot);
      case Sym::kw_or: return logical(NodeKind::logical_or, std::move(left), op, kPrecAnd);
      case Sym::eq:
      case Sym::ne:
      case Sym::lt:
      case Sym::le:
      case Sym::gt:
      case Sym::ge: return comparison(std::move(left), op);
      case Sym::kw_is: return is(std::move(left), op);
      case Sym::match: return test(std::move(left), op, Sym::kw_regexp, false);
      case Sym::not_match: return test(std::move(left), op, Sym::kw_regexp, true);
      case Sym::kw_not: return negated_test(std::move(left));
      case Sym::kw_in:
      case Sym::kw_like:
      case Sym::kw_ilike:
      case Sym::kw_glob:
      case Sym::kw_regexp:
      case Sym::kw_between: return test(std::move(left), op, op.sym, false);
      case Sym::concat: return binary(NodeKind::concat, std::move(left), op, kPrecConcat + 1);
      default: break;
    }
    NINES_TRY(NodePtr node, binary(NodeKind::arithmetic, std::move(left), op, binding(op.sym) + 1));
    node->detail = static_cast<uint8_t>(arithmetic_of(op.sym));
    return node;
  }

  TreeResult binary(NodeKind kind, NodePtr left, const Token& op, int precedence) {
    NodePtr node = make(kind, op);
    NINES_TRY(NodePtr right, expression(precedence));
    NINES_CHECK(adopt(*node, std::move(left)));
    NINES_CHECK(adopt(*node, std::move(right)));
    return node;
  }

  TreeResult comparison(NodePtr left, const Token& op) {
    NINES_TRY(NodePtr node, binary(NodeKind::compare, std::move(left), op, binding(op.sym) + 1));
    node->detail = compare_mask(op.sym);
    read_as_level(*node->kids[0], *node->kids[1]);
    read_as_level(*node->kids[1], *node->kids[0]);
    return node;
  }

  // AND and OR are associative: a chain is one node, however long.
  TreeResult logical(NodeKind kind, NodePtr left, const Token& op, int precedence) {
    NINES_TRY(NodePtr right, expression(precedence));
    NodePtr node = make(kind, op);
    for (NodePtr* side : {&left, &right}) {
      if ((*side)->kind != kind) {
        NINES_CHECK(adopt(*node, std::move(*side)));
      } else if (node->kids.empty()) {
        node = std::move(*side);
      } else {
        for (NodePtr& kid : (*side)->kids) NINES_CHECK(adopt(*node, std::move(kid)));
      }
    }
    return node;
  }

  TreeResult is(NodePtr left, const Token& op) {
    const bool negated = accept(Sym::kw_not);
    NINES_TRY(NodePtr node, binary(NodeKind::same, std::move(left), op, kPrecEqual + 1));
    node->negated = negated;
    const Node& right = *node->kids[1];
    if (right.kind == NodeKind::literal && right.value.is_null()) {
      node->kind = NodeKind::is_null;
    } else if (right.kind == NodeKind::literal && right.value.kind == ValueKind::boolean) {
      node->kind = NodeKind::is_truth;
      node->detail = right.value.mantissa != 0;
    }
    if (node->kind != NodeKind::same) node->kids.pop_back();
    return node;
  }

  TreeResult negated_test(NodePtr left) {
    switch (peek().sym) {
      case Sym::kw_in:
      case Sym::kw_like:
      case Sym::kw_ilike:
      case Sym::kw_glob:
      case Sym::kw_regexp:
      case Sym::kw_between: {
        const Token& op = take();
        return test(std::move(left), op, op.sym, true);
      }
      default: return unexpected("LIKE, GLOB, REGEXP, IN or BETWEEN after NOT");
    }
  }

  TreeResult test(NodePtr left, const Token& op, Sym what, bool negated) {
    if (what == Sym::kw_in && at_subquery()) {
      return host_->subquery(*this, std::move(left), negated);
    }
    NodePtr node = make(kind_of_test(what), op);
    node->negated = negated;
    NINES_CHECK(adopt(*node, std::move(left)));
    if (what == Sym::kw_in) {
      NINES_CHECK(list(*node));
      read_all_as_levels(*node);
      return node;
    }
    NINES_TRY(NodePtr right, expression(kPrecRelation));
    NINES_CHECK(adopt(*node, std::move(right)));
    if (what == Sym::kw_between) {
      NINES_CHECK(expect(Sym::kw_and, "AND and the upper bound of BETWEEN"));
      NINES_TRY(NodePtr upper, expression(kPrecRelation));
      NINES_CHECK(adopt(*node, std::move(upper)));
    }
    if (node->kind == NodeKind::between) read_all_as_levels(*node);
    if (node->kind == NodeKind::like && accept(Sym::kw_escape)) NINES_CHECK(escape(*node));
    if (node->kind == NodeKind::regexp) NINES_CHECK(check_pattern(*node->kids[1]).status);
    return node;
  }

  static NodeKind kind_of_test(Sym sym) {
    switch (sym) {
      case Sym::kw_in: return NodeKind::in;
      case Sym::kw_glob: return NodeKind::glob;
      case Sym::kw_regexp: return NodeKind::regexp;
      case Sym::kw_between: return NodeKind::between;
      default: return NodeKind::like;
    }
  }

  Status escape(Node& node) {
    const Token& t = peek();
    if (t.sym != Sym::string || t.text.size() != 1) {
      return unexpected("a text of one ASCII character after ESCAPE, such as '\\'");
    }
    node.escape = static_cast<unsigned char>(take().text[0]);
    return Ok{};
  }

  // "(a, b)"; at least one.
  Status list(Node& node) {
    NINES_CHECK(expect(Sym::left_paren, "'(' and a list of values after IN"));
    do {
      NINES_TRY(NodePtr item, expression(kPrecOr));
      NINES_CHECK(adopt(node, std::move(item)));
    } while (accept(Sym::comma));
    return expect(Sym::right_paren, "',' or ')' in the list of IN");
  }

  struct PatternCheck {
    Status status;
    int groups = 0;
  };
  PatternCheck check_pattern(const Node& pattern) const {
    if (!is_text_literal(pattern)) {
      return {error_at(source_, pattern.offset,
                       "a regular expression must be a literal text such as 'timeout|refused', so "
                       "that it is compiled once")};
    }
    const auto regexp = Regexp::compile(pattern.text);
    if (regexp.ok()) return {Ok{}, regexp->groups()};
    return {error_at(
        source_, pattern.offset,
        "bad regular expression '" + pattern.text.substr(0, 80) + "': " + regexp.error().message,
        regexp.error().code)};
  }

  TreeResult case_expression() {
    NodePtr node = make(NodeKind::case_when, take());
    if (peek().sym != Sym::kw_when) {
      node->kind = NodeKind::case_of;
      NINES_TRY(NodePtr operand, expression(kPrecOr));
      NINES_CHECK(adopt(*node, std::move(operand)));
    }
    if (peek().sym != Sym::kw_when) return unexpected("WHEN");
    while (accept(Sym::kw_when)) {
      NINES_TRY(NodePtr when, expression(kPrecOr));
      NINES_CHECK(adopt(*node, std::move(when)));
      NINES_CHECK(expect(Sym::kw_then, "THEN"));
      NINES_TRY(NodePtr then, expression(kPrecOr));
      NINES_CHECK(adopt(*node, std::move(then)));
    }
    NodePtr otherwise = make(NodeKind::literal, peek());
    if (accept(Sym::kw_else)) {
      NINES_TRY(otherwise, expression(kPrecOr));
    }
    NINES_CHECK(adopt(*node, std::move(otherwise)));
    NINES_CHECK(expect(Sym::kw_end, "WHEN, ELSE or END of CASE"));
    return node;
  }

  TreeResult cast_expression() {
    NodePtr node = make(NodeKind::cast, take());
    NINES_CHECK(expect(Sym::left_paren, "'(' after CAST"));
    NINES_TRY(NodePtr operand, expression(kPrecOr));
    NINES_CHECK(adopt(*node, std::move(operand)));
    NINES_CHECK(expect(Sym::kw_as, "AS and a type"));
    const auto* const end = std::end(kCastNames);
    const auto* const found = std::find_if(std::begin(kCastNames), end, [&](const CastName& c) {
      return equals_ignoring_case(c.name, peek().text);
    });
    if (found == end) return unexpected("a type: integer, real, number, text or boolean");
    node->detail = static_cast<uint8_t>(found->type);
    take();
    NINES_CHECK(expect(Sym::right_paren, "')' after the type"));
    return node;
  }

  TreeResult call() {
    if (host_ != nullptr) {
      NINES_TRY(NodePtr known, host_->call(*this));
      if (known) return known;
    }
    const Token& name = take();
    NodePtr node = make(NodeKind::call, name);
    node->function = find_function(name.text);
    if (node->function == nullptr) return unknown_function(name);
    take();
    if (!accept(Sym::right_paren)) {
      do {
        NINES_TRY(NodePtr argument, expression(kPrecOr));
        NINES_CHECK(adopt(*node, std::move(argument)));
      } while (accept(Sym::comma));
      NINES_CHECK(expect(Sym::right_paren, "',' or ')' after an argument"));
    }
    NINES_CHECK(check_count(name, *node));
    NINES_CHECK(check_arguments(*node));
    return node;
  }

  Error unknown_function(const Token& name) const {
    std::string what = "unknown function '" + name.text.substr(0, 64) + "'";
    const std::string_view nearest = nearest_function(name.text);
    if (!nearest.empty()) what += "; did you mean '" + std::string(nearest) + "'?";
    return fail(name, what);
  }

  Status check_count(const Token& name, const Node& node) const {
    const Function& f = *node.function;
    const auto count = static_cast<int>(node.kids.size());
    if (count >= f.min_args && count <= f.max_args) return Ok{};
    std::string wanted = std::to_string(f.min_args);
    if (f.max_args == kAnyCount) {
      wanted = "at least " + wanted;
    } else if (f.max_args != f.min_args) {
      wanted += " to " + std::to_string(f.max_args);
    }
    return fail(name, std::string(f.name) + "() takes " + wanted +
                          (wanted == "1" ? " argument" : " arguments") + ", got " +
                          std::to_string(count) +
                          (f.form == CallForm::bucket ? "; hint: bucket(ts, '1m')" : ""));
  }

  Status check_arguments(const Node& node) const {
    int groups = 0;
    for (size_t i = 0; i < node.kids.size(); ++i) {
      const Param param = node.function->params[std::min<size_t>(i, 2)];
      if (param == Param::pattern) {
        PatternCheck check = check_pattern(*node.kids[i]);
        NINES_CHECK(std::move(check.status));
        groups = check.groups;
      } else if (const std::string wanted = misfit(param, *node.kids[i], groups); !wanted.empty()) {
        return error_at(source_, node.kids[i]->offset,
                        "argument " + std::to_string(i + 1) + " of " +
                            std::string(node.function->name) + "() must be " + wanted + ", got " +
                            print_tree(*node.kids[i]).substr(0, 80));
      }
    }
    return Ok{};
  }

  static bool is_unit(std::string_view text) {
    constexpr std::string_view kUnits[] = {"second", "minute", "hour", "day",
                                           "week",   "month",  "year"};
    return std::any_of(std::begin(kUnits), std::end(kUnits),
                       [&](std::string_view unit) { return equals_ignoring_case(unit, text); });
  }
  // What the parameter wants when the argument is a literal that can't be it.
  static std::string misfit(Param param, const Node& arg, int groups) {
    const Value& v = arg.value;
    const bool literal = arg.kind == NodeKind::literal;
    if (param == Param::group) {
      const bool fits = literal && v.kind == ValueKind::number && v.exponent == 0 &&
                        v.mantissa >= 0 && v.mantissa <= groups;
      return fits ? "" : "the number of a group of the pattern, 0 to " + std::to_string(groups);
    }
    const bool text = literal && v.kind == ValueKind::text;
    if (param == Param::width && (!text || parse_duration_ns(v.text).value_or(0) <= 0)) {
      return "a duration in quotes, such as '1m' or '15s'";
    }
    if (param == Param::unit && !(text && is_unit(v.text))) {
      return "'second', 'minute', 'hour', 'day', 'week', 'month' or 'year'";
    }
    if (!literal || v.is_null()) return {};
    if (param == Param::time && !(text && !parse_time(v.text).is_null())) {
      return "a time such as '2026-11-21 10:00'";
    }
    if (param == Param::number && to_number(v).is_null()) return "a number";
    if (param == Param::duration &&
        (v.kind != ValueKind::text || parse_duration(v.text).is_null())) {
      return "a duration such as '1m30s' or '250ms'";
    }
    return {};
  }

  int depth_ = 0;
};

void collect_fields(const Node& node, std::vector<std::string>& out) {
  if (node.kind == NodeKind::field && std::find(out.begin(), out.end(), node.text) == out.end()) {
    out.push_back(node.text);
  }
  for (const NodePtr& kid : node.kids) collect_fields(*kid, out);
}

}  // namespace

Result<NodePtr> parse_tree(std::string_view source) {
  NINES_TRY(std::vector<Token> tokens, tokenize(source));
  return Parser(source, std::move(tokens), "expression", nullptr).run();
}

std::unique_ptr<Reader> make_reader(std::string_view source, std::vector<Token> tokens,
                                    std::string_view whole, Host* host) {
  return std::make_unique<Parser>(source, std::move(tokens), whole, host);
}

std::vector<std::string> fields_of(const Node& root) {
  std::vector<std::string> fields;
  collect_fields(root, fields);
  return fields;
}

}  // namespace nines::expr
