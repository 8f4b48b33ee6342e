// Drives one operator of a query with small rows and shows what comes out as text.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../core/src/query/match_operators.hpp"
#include "nines/base/decimal.hpp"
#include "nines/query/operator.hpp"

namespace nines::query::driving {

inline expr::Expression parsed(std::string_view text) {
  auto expression = expr::Expression::parse(text);
  NINES_ASSERT(expression.ok());
  return *expression;
}

// A row at a time in seconds; without one: ts below 0. Values: "" is NULL, what reads as a number
// is one, the rest are texts. `at` tells rows of equal time apart.
struct In {
  double ts = -1;
  std::vector<std::string> values;
  int64_t at = -1;
};

inline Value value_of(const std::string& text) {
  if (text.empty()) return Value::null();
  if (const auto number = Decimal::parse(text)) {
    return Value::of_decimal(number->mantissa, number->exponent);
  }
  return Value::of_text(text);
}

inline std::string show(const Value& v) {
  switch (v.kind) {
    case ValueKind::null: return "-";
    case ValueKind::boolean: return v.mantissa != 0 ? "true" : "false";
    case ValueKind::number: return Decimal{v.mantissa, v.exponent}.to_string();
    case ValueKind::real: return std::to_string(v.real);
    case ValueKind::time: return "@" + Decimal{v.time_ns / 1'000'000, -3}.to_string();
    default: return std::string(v.text);
  }
}

// Rows as "a|b|c"; stops wanting them after `most`.
class Shown final : public RowSink {
 public:
  bool take(const Row& row) override {
    std::string text;
    for (const Value& v : row.values) text += (text.empty() ? "" : "|") + show(v);
    rows.push_back(text);
    widths.push_back(row.values.size());
    return rows.size() < most;
  }
  std::vector<std::string> rows;
  std::vector<size_t> widths;
  size_t most = SIZE_MAX;
};

// To the millisecond.
inline int64_t seconds(double s) { return static_cast<int64_t>(s * 1000.0 + 0.5) * 1'000'000; }

// Columns that are left out at the end are NULL.
inline Row make_row(const In& in, size_t number, size_t width, std::vector<Value>& values) {
  values.clear();
  for (const std::string& text : in.values) values.push_back(value_of(text));
  values.resize(width);
  Row row;
  row.values = values;
  row.has_ts = in.ts >= 0;
  if (row.has_ts) row.ts.ns = seconds(in.ts);
  row.place.at = in.at >= 0 ? in.at : static_cast<int64_t>(number);
  return row;
}

inline bool feed(Operator& op, size_t width, const std::vector<In>& rows) {
  std::vector<Value> values;
  for (size_t i = 0; i < rows.size(); ++i) {
    // Texts die with the call, as those of a scan do.
    auto mine = std::make_unique<In>(rows[i]);
    if (!op.take(make_row(*mine, i, width, values))) return false;
  }
  return true;
}

inline std::vector<Column> columns(std::initializer_list<const char*> names) {
  std::vector<Column> made;
  for (const char* const name : names) made.push_back({name, parsed(name)});
  return made;
}

}  // namespace nines::query::driving
