#include "navigation.hpp"

#include <algorithm>
#include <cstddef>

#include "bound.hpp"
#include "nines/base/contract.hpp"

namespace nines::query {

struct Navigator::Term {
  Navigation what;
  size_t column = kNone;
  size_t label = kNone;  // kNone: rows of any
  std::unique_ptr<Aggregate> aggregate;
  std::unique_ptr<char[]> state;
  size_t taken = 0;  // rows of the match that the state has seen
};

struct Navigator::Item {
  expr::Evaluator evaluator;
  std::vector<size_t> own;  // columns of the current row that stand first in `values`
  std::vector<Term> terms;  // what stands behind them
  std::vector<Value> values;
};

namespace {

AggregateSpec spec_of(const Navigation& what) {
  AggregateSpec spec;
  spec.kind = what.aggregate;
  if (!what.column.empty()) {
    auto column = expr::Expression::parse("x");  // that there is an argument is all it tells
    NINES_ASSERT(column.ok());
    spec.value = *column;
  }
  return spec;
}

}  // namespace

bool is_true(const Value& verdict) noexcept {
  switch (verdict.kind) {
    case ValueKind::boolean:
    case ValueKind::number: return verdict.mantissa != 0;
    case ValueKind::real: return verdict.real != 0;
    default: return false;
  }
}

Navigator::Navigator(std::span<const PatternExpression> expressions,
                     std::span<const std::string> labels, std::span<const std::string> inputs)
    : labels_(labels.begin(), labels.end()) {
  for (const PatternExpression& expression : expressions) {
    std::vector<size_t> slots, own;
    std::vector<Term> terms;
    // Own columns and terms lie side by side; the number of the former is known at the end.
    constexpr size_t kTerm = size_t{1} << 20;
    for (const std::string& field : expression.value.fields()) {
      const auto term =
          std::find_if(expression.terms.begin(), expression.terms.end(),
                       [&](const Navigation& navigation) { return navigation.field == field; });
      if (term == expression.terms.end()) {
        slots.push_back(own.size());
        own.push_back(input_index(inputs, field));
        continue;
      }
      slots.push_back(kTerm + terms.size());
      Term& made = terms.emplace_back();
      made.what = *term;
      if (!term->column.empty()) made.column = input_index(inputs, term->column);
      if (!term->variable.empty()) {  // one that the pattern does not have is that of no row
        const auto label = std::find(labels_.begin(), labels_.end(), term->variable);
        made.label = static_cast<size_t>(label - labels_.begin());
      }
      if (term->kind == Navigation::Kind::aggregate) {
        made.aggregate = make_aggregate(spec_of(*term));
        made.state = std::make_unique_for_overwrite<char[]>(made.aggregate->state_bytes());
        made.aggregate->create(made.state.get());
      }
    }
    for (size_t& slot : slots) slot = slot >= kTerm ? slot - kTerm + own.size() : slot;
    std::vector<Value> values(own.size() + terms.size());
    items_.push_back(
        {{expression.value, slots}, std::move(own), std::move(terms), std::move(values)});
  }
}

Navigator::~Navigator() { clear_states(); }

void Navigator::clear_states() noexcept {
  for (Item& item : items_) {
    for (Term& term : item.terms) {
      if (term.aggregate) term.aggregate->destroy(term.state.get());
    }
  }
}

std::vector<size_t> Navigator::columns() const {
  std::vector<size_t> found;
  for (const Item& item : items_) {
    found.insert(found.end(), item.own.begin(), item.own.end());
    for (const Term& term : item.terms) {
      if (term.column != kNone) found.push_back(term.column);
    }
  }
  return found;
}

void Navigator::begin(const MatchView& view) {
  view_ = view;
  for (Item& item : items_) {
    for (Term& term : item.terms) {
      if (!term.aggregate || term.taken == 0) continue;
      term.aggregate->destroy(term.state.get());
      term.aggregate->create(term.state.get());
      term.taken = 0;
    }
  }
}

void Navigator::at(size_t i, std::vector<Value>& out) {
  texts_.clear();
  for (Item& item : items_) {
    Value* value = item.values.data();
    const Row* const row =
        i < view_.labels.size() ? &view_.rows->at(view_.first + static_cast<int64_t>(i)) : nullptr;
    for (const size_t column : item.own) {
      *value++ = row == nullptr ? Value::null() : row->values[column];
    }
    for (Term& term : item.terms) *value++ = resolve(term, i);
    out.push_back(item.evaluator.eval(item.values));
  }
}

bool Navigator::of(const Term& term, size_t i) const noexcept {
  return term.label == kNone || view_.labels[i] == term.label;
}

// Among the rows before `end`.
size_t Navigator::nth_from_start(const Term& term, size_t end) const noexcept {
  int64_t left = term.what.offset;
  for (size_t i = 0; i < end; ++i) {
    if (of(term, i) && left-- == 0) return i;
  }
  return kNone;
}
size_t Navigator::nth_from_end(const Term& term, size_t end) const noexcept {
  const bool counts = term.what.kind == Navigation::Kind::last;
  int64_t left = counts ? term.what.offset : 0;
  for (size_t i = end; i-- > 0;) {
    if (of(term, i) && left-- == 0) return i;
  }
  return kNone;
}

Value Navigator::column_of(const Row* row, const Term& term) const noexcept {
  return row == nullptr || term.column == kNone ? Value::null() : row->values[term.column];
}

Value Navigator::resolve(Term& term, size_t i) {
  using Kind = Navigation::Kind;
  const size_t size = view_.labels.size();
  const size_t end = term.what.final_ ? size : std::min(i + 1, size);
  const auto number = [&](size_t at) { return view_.first + static_cast<int64_t>(at); };
  switch (term.what.kind) {
    case Kind::match_number: return Value::of_int(view_.match_number);
    case Kind::aggregate: return aggregate(term, end);
    case Kind::first: {
      const size_t at = nth_from_start(term, end);
      return at == kNone ? Value::null() : column_of(&view_.rows->at(number(at)), term);
    }
    default: break;
  }
  const size_t at = nth_from_end(term, end);
  if (at == kNone) return Value::null();
  switch (term.what.kind) {
    case Kind::classifier: return Value::of_text(labels_[view_.labels[at]]);
    case Kind::prev: return column_of(view_.rows->beside(number(at), -term.what.offset), term);
    case Kind::next: return column_of(view_.rows->beside(number(at), term.what.offset), term);
    default: return column_of(&view_.rows->at(number(at)), term);
  }
}

Value Navigator::aggregate(Term& term, size_t end) {
  for (; term.taken < end; ++term.taken) {
    if (!of(term, term.taken)) continue;
    const Row& row = view_.rows->at(view_.first + static_cast<int64_t>(term.taken));
    const Value value = term.column == kNone ? Value::of_bool(true) : row.values[term.column];
    term.aggregate->add(term.state.get(), value, row);
  }
  return term.aggregate->result(term.state.get(), texts_);
}

}  // namespace nines::query
