// Helpers of the expression tests: a record by names, an expression evaluated against it.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "nines/base/decimal.hpp"
#include "nines/expr/expression.hpp"

namespace expr_test {

using nines::Value;
using nines::ValueKind;
using nines::expr::Evaluator;
using nines::expr::Expression;
using nines::expr::Truth;

using Record = std::map<std::string, Value>;

inline Value text(std::string_view t) { return Value::of_text(t); }
inline Value number(int64_t mantissa, int exponent = 0) {
  return Value::of_decimal(mantissa, exponent);
}

// Keeps what the result points to alive.
class Evaluation {
 public:
  Evaluation(const std::string& source, const Record& record)
      : expression_(parsed(source)), evaluator_(expression_, slots()) {
    for (const std::string& name : expression_.fields()) {
      const auto found = record.find(name);
      values_.push_back(found == record.end() ? Value::null() : found->second);
    }
    // The two ways to ask must agree; the second may take a shorter way.
    value_ = evaluator_.eval(values_);
    const uint64_t overflows = evaluator_.overflows();
    const Truth wanted = truth_of(value_);
    if (evaluator_.test(values_) != wanted) throw std::runtime_error(source + ": test() differs");
    value_ = evaluator_.eval(values_);
    overflows_ = overflows;
  }
  const Value& value() const { return value_; }
  uint64_t overflows() const { return overflows_; }  // of one evaluation
  // kind and value in one text: "number 3.5", "text abc", "null".
  std::string shown() const { return show(value_); }

  static std::string show(const Value& v) {
    switch (v.kind) {
      case ValueKind::null: return "null";
      case ValueKind::boolean: return v.mantissa != 0 ? "true" : "false";
      case ValueKind::number: return nines::Decimal{v.mantissa, v.exponent}.to_string();
      case ValueKind::real: return "real " + std::to_string(v.real);
      case ValueKind::text: return "'" + std::string(v.text) + "'";
      case ValueKind::time: return "time " + std::to_string(v.time_ns);
      case ValueKind::level: return std::string(nines::level_name(v.level));
    }
    return "?";
  }

 private:
  static Expression parsed(const std::string& source) {
    auto expression = Expression::parse(source);
    if (!expression.ok()) throw std::runtime_error(source + ": " + expression.error().message);
    return *expression;
  }
  std::vector<size_t> slots() const {
    std::vector<size_t> s(expression_.fields().size());
    for (size_t i = 0; i < s.size(); ++i) s[i] = i;
    return s;
  }

  static Truth truth_of(const Value& v) {
    if (v.kind == ValueKind::boolean || v.kind == ValueKind::number) {
      return v.mantissa != 0 ? Truth::yes : Truth::no;
    }
    if (v.kind == ValueKind::real) return v.real != 0 ? Truth::yes : Truth::no;
    return Truth::unknown;
  }

  Expression expression_;
  Evaluator evaluator_;
  std::vector<Value> values_;
  Value value_;
  uint64_t overflows_ = 0;
};

inline std::string eval(const std::string& source, const Record& record = {}) {
  return Evaluation(source, record).shown();
}
inline std::string canonical(const std::string& source) {
  auto expression = Expression::parse(source);
  return expression.ok() ? expression->to_string() : "error: " + expression.error().message;
}
inline std::string error_of(const std::string& source) {
  auto expression = Expression::parse(source);
  return expression.ok() ? "no error: " + expression->to_string() : expression.error().message;
}

}  // namespace expr_test
