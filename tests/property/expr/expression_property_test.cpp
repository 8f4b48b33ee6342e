// Random expressions against a naive interpreter that walks a tree of its own, and print -> parse
// round trips. The interpreter shares Decimal with the product, and nothing else.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cctype>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "nines/base/decimal.hpp"
#include "nines/expr/expression.hpp"

namespace {

using nines::Decimal;
using nines::Value;
using nines::ValueKind;
using nines::expr::Evaluator;
using nines::expr::Expression;

// NULL, boolean, exact number, text.
using Plain = std::variant<std::monostate, bool, Decimal, std::string>;

struct Tree {
  std::string op;  // "literal", "field", or an operator
  Plain literal;
  std::string name;
  std::vector<Tree> kids;
};

// A hundred trees are few for so many operators.
const bool kManyRuns = setenv("RC_PARAMS", "max_success=3000 max_discard_ratio=50", 0) == 0;

bool is_null(const Plain& p) { return std::holds_alternative<std::monostate>(p); }

struct Inexact {};  // the exact result does not exist: the case is discarded

std::optional<Decimal> as_number(const Plain& p) {
  if (const auto* b = std::get_if<bool>(&p)) return Decimal{*b, 0};
  if (const auto* d = std::get_if<Decimal>(&p)) return *d;
  const auto* s = std::get_if<std::string>(&p);
  if (s == nullptr) return std::nullopt;
  const auto number = Decimal::parse(*s);
  // Texts of very many digits are reals, which this interpreter does not have.
  if (!number && s->size() > 18 && s->find_first_not_of("0123456789.e+-") == std::string::npos) {
    throw Inexact{};
  }
  return number;
}

std::string as_text(const Plain& p) {
  if (const auto* b = std::get_if<bool>(&p)) return *b ? "true" : "false";
  if (const auto* d = std::get_if<Decimal>(&p)) return d->to_string();
  return std::get<std::string>(p);
}

std::optional<bool> as_truth(const Plain& p) {
  if (const auto* b = std::get_if<bool>(&p)) return *b;
  if (const auto* d = std::get_if<Decimal>(&p)) return d->mantissa != 0;
  return std::nullopt;
}

std::string lower(std::string s) {
  for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

// -1, 0, 1; nullopt when the two have no order.
std::optional<int> order(const Plain& a, const Plain& b) {
  if (is_null(a) || is_null(b)) return std::nullopt;
  const auto* text_a = std::get_if<std::string>(&a);
  const auto* text_b = std::get_if<std::string>(&b);
  if (text_a && text_b) return *text_a < *text_b ? -1 : *text_a > *text_b;
  const auto word = [](const std::string& s) -> Plain {
    if (lower(s) == "true") return true;
    if (lower(s) == "false") return false;
    return {};
  };
  if (text_a && std::holds_alternative<bool>(b)) return order(word(*text_a), b);
  if (text_b && std::holds_alternative<bool>(a)) return order(a, word(*text_b));
  const auto x = as_number(a);
  const auto y = as_number(b);
  if (!x || !y) return std::nullopt;
  return *x < *y ? -1 : *x > *y;
}

// By recursion over both texts, lower case throughout.
bool like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    return like(text, pattern.substr(1)) || (!text.empty() && like(text.substr(1), pattern));
  }
  if (text.empty() || (pattern[0] != '_' && pattern[0] != text[0])) return false;
  return like(text.substr(1), pattern.substr(1));
}

Plain arithmetic(const std::string& op, const Plain& left, const Plain& right) {
  const auto a = as_number(left);
  const auto b = as_number(right);
  if (!a || !b) return {};
  std::optional<Decimal> result;
  if (op == "+") result = add(*a, *b);
  if (op == "-") result = subtract(*a, *b);
  if (op == "*") result = multiply(*a, *b);
  if (!result) throw Inexact{};
  return *result;
}

using Fields = std::vector<std::pair<std::string, Plain>>;

Plain interpret(const Tree& t, const Fields& fields);

Plain compared(const std::string& op, const Plain& a, const Plain& b) {
  const auto o = order(a, b);
  if (!o) return {};
  if (op == "=") return *o == 0;
  if (op == "<>") return *o != 0;
  if (op == "<") return *o < 0;
  if (op == "<=") return *o <= 0;
  if (op == ">") return *o > 0;
  return *o >= 0;
}

Plain both(const Plain& a, const Plain& b) {
  const auto x = as_truth(a);
  const auto y = as_truth(b);
  if ((x && !*x) || (y && !*y)) return false;
  return x && y ? Plain(true) : Plain();
}
Plain opposite(const Plain& a) {
  const auto x = as_truth(a);
  return x ? Plain(!*x) : Plain();
}
Plain either(const Plain& a, const Plain& b) { return opposite(both(opposite(a), opposite(b))); }

Plain interpret_many(const Tree& t, const Fields& fields, const std::vector<Plain>& v) {
  if (t.op == "IN") {
    Plain result = false;
    for (size_t i = 1; i < v.size(); ++i) result = either(result, compared("=", v[0], v[i]));
    return result;
  }
  if (t.op == "BETWEEN") return both(compared(">=", v[0], v[1]), compared("<=", v[0], v[2]));
  if (t.op == "CASE") {
    return as_truth(v[0]) == std::optional<bool>(true) ? interpret(t.kids[1], fields) : v[2];
  }
  for (const Plain& p : v) {  // coalesce
    if (!is_null(p)) return p;
  }
  return {};
}

Plain interpret(const Tree& t, const Fields& fields) {
  if (t.op == "literal") return t.literal;
  if (t.op == "field") {
    for (const auto& [name, value] : fields) {
      if (name == t.name) return value;
    }
    return {};
  }
  std::vector<Plain> v;
  for (const Tree& kid : t.kids) v.push_back(interpret(kid, fields));
  if (t.op == "NOT") return opposite(v[0]);
  if (t.op == "IS NULL") return is_null(v[0]);
  if (t.op == "IS TRUE") return as_truth(v[0]) == std::optional<bool>(true);
  if (t.op == "AND") return both(v[0], v[1]);
  if (t.op == "OR") return either(v[0], v[1]);
  if (t.op == "IS") {
    const auto* word = std::get_if<bool>(&t.kids[1].literal);  // IS TRUE asks for the truth
    if (t.kids[1].op == "literal" && word != nullptr) return as_truth(v[0]) == std::optional(*word);
    return is_null(v[0]) || is_null(v[1]) ? is_null(v[0]) && is_null(v[1])
                                          : order(v[0], v[1]) == std::optional<int>(0);
  }
  if (t.op == "-" && v.size() == 1) return arithmetic("-", Decimal{0, 0}, v[0]);
  if (t.op == "+" || t.op == "-" || t.op == "*") return arithmetic(t.op, v[0], v[1]);
  if (t.op == "||" || t.op == "LIKE" || t.op == "contains") {
    if (is_null(v[0]) || is_null(v[1])) return {};
    if (t.op == "||") return as_text(v[0]) + as_text(v[1]);
    if (t.op == "LIKE") return like(lower(as_text(v[0])), lower(as_text(v[1])));
    return as_text(v[0]).find(as_text(v[1])) != std::string::npos;
  }
  if (t.op == "IN" || t.op == "BETWEEN" || t.op == "CASE" || t.op == "coalesce") {
    return interpret_many(t, fields, v);
  }
  return compared(t.op, v[0], v[1]);
}

// Parentheses around everything, so that the tree is unmistakable.
std::string source_of(const Tree& t) {
  if (t.op == "field") return t.name;
  if (t.op == "literal") {
    if (is_null(t.literal)) return "NULL";
    if (const auto* b = std::get_if<bool>(&t.literal)) return *b ? "TRUE" : "FALSE";
    if (const auto* d = std::get_if<Decimal>(&t.literal)) return "(" + d->to_string() + ")";
    std::string out = "'";
    for (const char c : std::get<std::string>(t.literal))
      out += c == '\'' ? "''" : std::string(1, c);
    return out + "'";
  }
  std::vector<std::string> s;
  for (const Tree& kid : t.kids) s.push_back("(" + source_of(kid) + ")");
  if (t.op == "NOT" || (t.op == "-" && s.size() == 1)) return t.op + " " + s[0];
  if (t.op == "IS NULL" || t.op == "IS TRUE") return s[0] + " " + t.op;
  if (t.op == "contains") return "contains(" + s[0] + ", " + s[1] + ")";
  if (t.op == "coalesce") return "coalesce(" + s[0] + ", " + s[1] + ", " + s[2] + ")";
  if (t.op == "IN") return s[0] + " IN (" + s[1] + ", " + s[2] + ")";
  if (t.op == "BETWEEN") return s[0] + " BETWEEN " + s[1] + " AND " + s[2];
  if (t.op == "CASE") return "CASE WHEN " + s[0] + " THEN " + s[1] + " ELSE " + s[2] + " END";
  return s[0] + " " + t.op + " " + s[1];
}

rc::Gen<Plain> any_plain() {
  return rc::gen::exec([]() -> Plain {
    switch (*rc::gen::inRange(0, 8)) {
      case 0: return {};
      case 1: return *rc::gen::arbitrary<bool>();
      case 2: return *rc::gen::element<std::string>("true", "False", "10", "-0.5", "1e3", "");
      case 3:
        return *rc::gen::container<std::string>(rc::gen::element('a', 'B', 'b', '%', '_', '\''));
      case 4:
        return Decimal{*rc::gen::inRange<int64_t>(-2'000'000'000, 2'000'000'000),
                       *rc::gen::inRange(-9, 9)};
      case 5: return Decimal{*rc::gen::inRange<int64_t>(-3, 4), 0};
      default: return Decimal{*rc::gen::inRange<int64_t>(0, 600), 0};
    }
  });
}

Tree make_tree(int depth) {
  const int choice = *rc::gen::inRange(0, depth == 0 ? 2 : 10);
  if (choice == 0) return {"literal", *any_plain(), {}, {}};
  if (choice == 1)
    return {"field", {}, *rc::gen::element<std::string>("a", "b", "c.d", "missing"), {}};
  const auto op = *rc::gen::element<std::string>(
      "NOT", "IS NULL", "IS TRUE", "-", "AND", "OR", "IS", "+", "-", "*", "||", "LIKE", "contains",
      "IN", "BETWEEN", "CASE", "coalesce", "=", "<>", "<", "<=", ">", ">=", "=", "<", "AND", "OR");
  size_t count = 2;
  if (op == "NOT" || op == "IS NULL" || op == "IS TRUE") count = 1;
  if (op == "-" && *rc::gen::arbitrary<bool>()) count = 1;
  if (op == "IN" || op == "BETWEEN" || op == "CASE" || op == "coalesce") count = 3;
  Tree t{op, {}, {}, {}};
  for (size_t i = 0; i < count; ++i) t.kids.push_back(make_tree(depth - 1));
  return t;
}

Value to_value(const Plain& p) {
  if (const auto* b = std::get_if<bool>(&p)) return Value::of_bool(*b);
  if (const auto* d = std::get_if<Decimal>(&p)) return Value::of_decimal(d->mantissa, d->exponent);
  if (const auto* s = std::get_if<std::string>(&p)) return Value::of_text(*s);
  return Value::null();
}

std::string show(const Value& v) {
  switch (v.kind) {
    case ValueKind::null: return "null";
    case ValueKind::boolean: return v.mantissa != 0 ? "true" : "false";
    case ValueKind::number: return Decimal{v.mantissa, v.exponent}.to_string();
    case ValueKind::text: return "'" + std::string(v.text) + "'";
    default: return "another kind";
  }
}

std::string evaluate(const Expression& e, const Fields& fields) {
  std::vector<Value> values;
  std::vector<size_t> slots;
  for (const std::string& name : e.fields()) {
    slots.push_back(values.size());
    values.push_back(Value::null());
    for (const auto& [known, value] : fields) {
      if (known == name) values.back() = to_value(value);
    }
  }
  Evaluator evaluator(e, slots);
  return show(evaluator.eval(values));
}

Fields any_fields() { return {{"a", *any_plain()}, {"b", *any_plain()}, {"c.d", *any_plain()}}; }

}  // namespace

TEST_CASE("Evaluation agrees with a naive interpreter", "[expr][property]") {
  REQUIRE(kManyRuns);
  CHECK(rc::check("value of a random tree", [] {
    const Tree tree = make_tree(*rc::gen::inRange(1, 5));
    const Fields fields = any_fields();
    Plain expected;  // owns the text that is shown below
    try {
      expected = interpret(tree, fields);
    } catch (const Inexact&) {
      RC_DISCARD("needs a real");
    }
    const std::string source = source_of(tree);
    RC_LOG() << source << "\n";
    const auto e = Expression::parse(source);
    RC_ASSERT(e.ok());
    RC_ASSERT(evaluate(*e, fields) == show(to_value(expected)));
  }));
}

TEST_CASE("Canonical text parses back to the same expression", "[expr][property]") {
  CHECK(rc::check("print, parse, print", [] {
    const Tree tree = make_tree(*rc::gen::inRange(1, 6));
    const Fields fields = any_fields();
    const auto first = Expression::parse(source_of(tree));
    RC_ASSERT(first.ok());
    const std::string text = first->to_string();
    RC_LOG() << text << "\n";
    const auto second = Expression::parse(text);
    RC_ASSERT(second.ok());
    RC_ASSERT(second->to_string() == text);
    RC_ASSERT(second->fields() == first->fields());
    RC_ASSERT(evaluate(*second, fields) == evaluate(*first, fields));
  }));
}

TEST_CASE("No text makes the parser do anything but answer", "[expr][property]") {
  CHECK(rc::check("random tokens", [] {
    const auto words = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "a", "1", "'x'", "(", ")", "AND", "OR", "NOT", "=", "<", "-", "IN", ",", "BETWEEN", "LIKE",
        "CASE", "WHEN", "THEN", "ELSE", "END", "IS", "NULL", "lower", "max", "CAST", "AS", "text",
        "~", "ESCAPE", "\"q\"", "'", "--", "/*", "\xc3", "1e", "||"));
    std::string source;
    for (const std::string& w : words) source += w + " ";
    const auto e = Expression::parse(source);
    if (e.ok()) {
      const auto again = Expression::parse(e->to_string());
      RC_ASSERT(again.ok());
      RC_ASSERT(again->to_string() == e->to_string());
    } else {
      RC_ASSERT(e.error().message.rfind("line ", 0) == 0);
    }
  }));
}
