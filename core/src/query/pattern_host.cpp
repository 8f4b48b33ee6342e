#include "pattern_host.hpp"

#include <algorithm>

#include "../expr/ascii.hpp"
#include "../expr/functions.hpp"
#include "block_host.hpp"

namespace nines::query {
namespace {

using expr::Reader;
using expr::Sym;
using expr::Token;
using Kind = Navigation::Kind;

struct NavigationName {
  std::string_view name;
  Kind kind;
};
constexpr NavigationName kNavigations[] = {{"first", Kind::first},
                                           {"last", Kind::last},
                                           {"prev", Kind::prev},
                                           {"next", Kind::next},
                                           {"classifier", Kind::classifier},
                                           {"match_number", Kind::match_number}};

bool same_term(const Navigation& a, const Navigation& b) {
  return a.kind == b.kind && a.variable == b.variable && a.column == b.column &&
         a.offset == b.offset && a.aggregate == b.aggregate && a.final_ == b.final_;
}

}  // namespace

std::string_view PatternHost::variable(std::string_view name) const {
  for (const std::string& v : variables_) {
    if (expr::equals_ignoring_case(v, name)) return v;
  }
  return {};
}

NodePtr PatternHost::keep(Navigation term, size_t offset) {
  auto found = std::find_if(terms_.begin(), terms_.end(),
                            [&](const Navigation& t) { return same_term(t, term); });
  if (found == terms_.end()) {
    term.field = "\x01n" + std::to_string(terms_.size());
    terms_.push_back(std::move(term));
    found = std::prev(terms_.end());
  }
  return field_node(found->field, offset);
}

// x, or A.x; the reader stands at the name.
Status PatternHost::column(Reader& reader, Navigation& term) const {
  const Token& t = reader.peek();
  if (t.sym != Sym::identifier) {
    return reader.unexpected("a field, or a variable and a field such as A.status");
  }
  if (reader.peek(1).sym == Sym::left_paren) {
    return reader.fail(t, "navigation takes a plain field here; put the expression around it");
  }
  const size_t dot = t.text.find('.');
  const std::string_view known =
      dot == std::string::npos ? std::string_view() : variable(t.text.substr(0, dot));
  term.variable = known;
  term.column = known.empty() ? t.text : t.text.substr(dot + 1);
  reader.take();
  return Ok{};
}

Result<NodePtr> PatternHost::call(Reader& reader) {
  const Token& name = reader.peek();
  if (NodePtr time = read_now(reader, now_)) return time;
  Navigation term;
  for (const NavigationName& n : kNavigations) {
    if (!expr::equals_ignoring_case(n.name, name.text)) continue;
    term.kind = n.kind;
    return navigate(reader, std::move(term));
  }
  const auto kind = aggregate_named(name.text);
  reader.seek(reader.position() + 1);
  const size_t arguments = count_arguments(reader);
  reader.seek(reader.position() - 1);
  if (!kind || arguments > 1) return NodePtr();
  switch (*kind) {
    case AggregateKind::count:
    case AggregateKind::sum:
    case AggregateKind::min:
    case AggregateKind::max:
    case AggregateKind::avg: break;
    default:
      return reader.fail(name, name.text +
                                   "() is not known within a match; count, sum, min, max "
                                   "and avg are");
  }
  term.kind = Kind::aggregate;
  term.aggregate = *kind;
  return aggregate(reader, std::move(term));
}

Result<NodePtr> PatternHost::navigate(Reader& reader, Navigation term) {
  const Token& name = reader.take();
  reader.take();  // (
  if (term.kind == Kind::classifier || term.kind == Kind::match_number) {
    NINES_CHECK(reader.expect(Sym::right_paren, "')': " + name.text + "() takes nothing"));
    return keep(std::move(term), name.begin);
  }
  NINES_CHECK(column(reader, term));
  const bool physical = term.kind == Kind::prev || term.kind == Kind::next;
  term.offset = physical ? 1 : 0;
  if (reader.accept(Sym::comma)) {
    constexpr int64_t kMostRows = 10'000;
    const Token& n = reader.peek();
    const auto offset = n.sym == Sym::number ? Decimal::parse(n.text) : std::nullopt;
    if (!offset || offset->exponent != 0 || offset->mantissa > kMostRows) {
      return reader.unexpected("a number of rows, at most 10000");
    }
    term.offset = offset->mantissa;
    reader.take();
  }
  NINES_CHECK(reader.expect(Sym::right_paren, "')' after the field of " + name.text + "()"));
  return keep(std::move(term), name.begin);
}

Result<NodePtr> PatternHost::aggregate(Reader& reader, Navigation term) {
  const Token& name = reader.take();
  reader.take();                                                          // (
  if (reader.peek().sym == Sym::identifier && reader.is_other('.', 1)) {  // count(A.*)
    term.variable = variable(reader.peek().text);
    if (term.variable.empty()) return reader.unexpected("a variable of the pattern");
    reader.take();
    reader.take();
    NINES_CHECK(reader.expect(Sym::star, "'*' after the variable"));
  } else if (!reader.accept(Sym::star)) {
    NINES_CHECK(column(reader, term));
  }
  if (term.column.empty() && term.aggregate != AggregateKind::count) {
    return reader.fail(name, name.text + "() takes a field, such as A.bytes");
  }
  NINES_CHECK(reader.expect(Sym::right_paren, "')' after the argument of " + name.text + "()"));
  return keep(std::move(term), name.begin);
}

Result<NodePtr> PatternHost::subquery(Reader& reader, NodePtr, bool) {
  return reader.fail(reader.peek(), "a sub-query can't stand in a condition of a pattern");
}

Result<NodePtr> PatternHost::name(Reader& reader) {
  const Token& t = reader.peek();
  const bool final_word = reader.is_word("final");
  if ((final_word || reader.is_word("running")) && reader.peek(1).sym == Sym::identifier &&
      reader.peek(2).sym == Sym::left_paren) {
    reader.take();
    const size_t before = terms_.size();
    NINES_TRY(NodePtr node, call(reader));
    if (!node) return reader.unexpected("FIRST, LAST or an aggregate after FINAL or RUNNING");
    // The same without FINAL may be there already; then it stays as it is.
    if (final_word) {
      Navigation term = terms_.size() > before ? terms_.back() : Navigation{};
      for (const Navigation& known : terms_) {
        if (known.field == node->text) term = known;
      }
      if (terms_.size() > before) terms_.pop_back();
      term.final_ = true;
      return keep(std::move(term), t.begin);
    }
    return node;
  }
  Navigation term;
  const size_t dot = t.text.find('.');
  if (dot != std::string::npos) term.variable = variable(t.text.substr(0, dot));
  const bool measure = self_.empty();
  if (term.variable.empty() && !measure) return NodePtr();  // field of the row at hand
  term.column = term.variable.empty() ? t.text : t.text.substr(dot + 1);
  reader.take();
  if (!measure && term.variable == self_) return field_node(term.column, t.begin);
  return keep(std::move(term), t.begin);
}

}  // namespace nines::query
