// The stack machine.
#include <algorithm>
#include <cstring>

#include "functions_log.hpp"
#include "nines/expr/expression.hpp"
#include "program.hpp"

namespace nines::expr {
namespace {

Value of_truth(Truth t) {
  return t == Truth::unknown ? Value::null() : Value::of_bool(t == Truth::yes);
}

Truth negated(Truth t) {
  return t == Truth::unknown ? t : t == Truth::yes ? Truth::no : Truth::yes;
}

Value negated_if(Truth t, bool negate) { return of_truth(negate ? negated(t) : t); }

Truth both(Truth a, Truth b) {
  if (a == Truth::no || b == Truth::no) return Truth::no;
  return a == Truth::yes && b == Truth::yes ? Truth::yes : Truth::unknown;
}
Truth either(Truth a, Truth b) { return negated(both(negated(a), negated(b))); }

Truth accepted(uint8_t order, uint8_t mask) {
  if (order == 0) return Truth::unknown;
  return (order & mask) != 0 ? Truth::yes : Truth::no;
}

Truth in_set(const Value& v, const LiteralSet& set) {
  if (v.is_null()) return Truth::unknown;
  Truth result = set.has_null ? Truth::unknown : Truth::no;
  if (v.kind == ValueKind::text && set.only_texts) {
    return std::binary_search(set.texts.begin(), set.texts.end(), v.text) ? Truth::yes : result;
  }
  for (const Operand& item : set.all) {
    result = either(result, accepted(order_of(v, item), kEqual));
    if (result == Truth::yes) break;
  }
  return result;
}

Truth in_list(const Value& v, std::span<const Value> items) {
  Truth result = Truth::no;
  for (const Value& item : items) result = either(result, accepted(order_of(v, item), kEqual));
  return result;
}

Truth between(const Value& v, const Value& low, const Value& high) {
  return both(accepted(order_of(v, low), kGreater | kEqual),
              accepted(order_of(v, high), kLess | kEqual));
}

Truth same(const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return a.is_null() && b.is_null() ? Truth::yes : Truth::no;
  return order_of(a, b) == kEqual ? Truth::yes : Truth::no;
}

Truth match(const Matcher& matcher, const Value& subject, bool negate, Scratch& scratch) {
  if (subject.kind == ValueKind::text) {  // the usual case without the detour
    return matcher.matches(subject.text) != negate ? Truth::yes : Truth::no;
  }
  const auto text = to_text(subject, scratch);
  if (!text) return Truth::unknown;
  return matcher.matches(*text) != negate ? Truth::yes : Truth::no;
}

// compare_field and match_field.
inline Truth test_field(const Program& p, const Instruction& i, const Value& field,
                        Scratch& scratch) {
  if (i.op == Op::compare_field) return accepted(order_of(field, p.constants[i.b]), i.flag);
  return match(p.matchers[i.b], field, i.flag != 0, scratch);
}

Value match_pattern(const Instruction& i, const Value& subject, const Value& pattern,
                    Scratch& scratch) {
  const auto text = to_text(subject, scratch);
  const auto wild = to_text(pattern, scratch);
  if (!text || !wild) return {};
  const bool hit = i.op == Op::glob ? glob(*text, *wild) : like(*text, *wild, i.n - 1);
  return Value::of_bool(hit != (i.flag != 0));
}

Value concat(const Value& a, const Value& b, Scratch& scratch) {
  const auto left = to_text(a, scratch);
  const auto right = to_text(b, scratch);
  if (!left || !right) return {};
  char* const out = scratch.take(left->size() + right->size());
  if (out == nullptr) return {};
  std::copy(right->begin(), right->end(), std::copy(left->begin(), left->end(), out));
  return Value::of_text({out, left->size() + right->size()});
}

Value extract(const Regexp& regexp, int group, const Value& subject, Scratch& scratch) {
  const auto text = to_text(subject, scratch);
  if (!text) return {};
  const std::string_view found = regexp.extract(*text, group);
  return found.data() == nullptr ? Value::null() : Value::of_text(found);
}

Value call(const Function& f, std::span<const Value> args, Scratch& scratch) {
  if (f.null_if_null) {
    for (const Value& v : args) {
      if (v.is_null()) return {};
    }
  }
  return f.run(args, scratch);
}

// Everything but jumps and the two fused instructions. Returns the new top (one behind the last).
Value* step(const Program& p, const Instruction& i, Value* top, Scratch& scratch) noexcept {
  const bool flag = i.flag != 0;
  switch (i.op) {
    case Op::compare:
      top[-2] = of_truth(accepted(order_of(top[-2], top[-1]), i.flag));
      return top - 1;
    case Op::logical_not: top[-1] = of_truth(negated(truth_of(top[-1]))); return top;
    case Op::match: top[-1] = of_truth(match(p.matchers[i.b], top[-1], flag, scratch)); return top;
    case Op::in_set: top[-1] = negated_if(in_set(top[-1], p.sets[i.b]), flag); return top;
    case Op::duplicate: top[0] = top[-1]; return top + 1;
    case Op::drop: return top - 1;
    case Op::same: top[-2] = negated_if(same(top[-2], top[-1]), flag); return top - 1;
    case Op::is_truth: {
      const bool is = truth_of(top[-1]) == (i.n != 0 ? Truth::yes : Truth::no);
      top[-1] = Value::of_bool(is != flag);
      return top;
    }
    case Op::is_null: top[-1] = Value::of_bool(top[-1].is_null() != flag); return top;
    case Op::like:
    case Op::glob: top[-2] = match_pattern(i, top[-2], top[-1], scratch); return top - 1;
    case Op::in_list: {
      Value* const base = top - i.n - 1;
      *base = negated_if(in_list(*base, {base + 1, i.n}), flag);
      return base + 1;
    }
    case Op::between:
      top[-3] = negated_if(between(top[-3], top[-2], top[-1]), flag);
      return top - 2;
    case Op::arithmetic:
      top[-2] = calculate(top[-2], top[-1], static_cast<Arithmetic>(i.flag));
      return top - 1;
    case Op::concat: top[-2] = concat(top[-2], top[-1], scratch); return top - 1;
    case Op::negate: top[-1] = negate(top[-1]); return top;
    case Op::cast: top[-1] = cast(top[-1], static_cast<CastType>(i.flag), scratch); return top;
    case Op::call: {
      Value* const base = top - i.n;
      *base = call(*p.functions[i.a], {base, i.n}, scratch);
      return base + 1;
    }
    case Op::extract: top[-1] = extract(p.regexps[i.b], i.n, top[-1], scratch); return top;
    case Op::bucket: top[-1] = bucket_of(top[-1], p.constants[i.b].value.mantissa); return top;
    default: break;
  }
  contract_failed("a known instruction", __FILE__, __LINE__);
  return top;
}

}  // namespace

Truth run_chain(const Program& p, const Value* values, const size_t* slots,
                Scratch& scratch) noexcept {
  Truth result = p.chain_stops_at == Truth::no ? Truth::yes : Truth::no;
  for (const Instruction& i : p.chain) {
    const Truth t = test_field(p, i, values[slots[i.a]], scratch);
    if (t == p.chain_stops_at) return t;
    if (t == Truth::unknown) result = t;
  }
  return result;
}

Value run(const Program& p, const Value* values, const size_t* slots, Value* stack,
          Scratch& scratch) noexcept {
  Value* top = stack;
  const Instruction* const code = p.code.data();
  for (const Instruction* i = code;; ++i) {
    switch (i->op) {
      case Op::field: *top++ = values[slots[i->a]]; break;
      case Op::constant: *top++ = p.constants[i->a].value; break;
      case Op::compare_field:
      case Op::match_field:
        *top++ = of_truth(test_field(p, *i, values[slots[i->a]], scratch));
        break;
      case Op::and_next:
        --top;
        top[-1] = of_truth(both(truth_of(top[-1]), truth_of(top[0])));
        if (truth_of(top[-1]) == Truth::no) i = code + i->a - 1;
        break;
      case Op::and_first:
        top[-1] = of_truth(truth_of(top[-1]));
        if (truth_of(top[-1]) == Truth::no) i = code + i->a - 1;
        break;
      case Op::or_next:
        --top;
        top[-1] = of_truth(either(truth_of(top[-1]), truth_of(top[0])));
        if (truth_of(top[-1]) == Truth::yes) i = code + i->a - 1;
        break;
      case Op::or_first:
        top[-1] = of_truth(truth_of(top[-1]));
        if (truth_of(top[-1]) == Truth::yes) i = code + i->a - 1;
        break;
      case Op::jump: i = code + i->a - 1; break;
      case Op::jump_unless:
        if (truth_of(*--top) != Truth::yes) i = code + i->a - 1;
        break;
      case Op::jump_present:
        if (top[-1].is_null()) {
          --top;
        } else {
          i = code + i->a - 1;
        }
        break;
      case Op::done: return top[-1];
      default: top = step(p, *i, top, scratch); break;
    }
  }
}

}  // namespace nines::expr
