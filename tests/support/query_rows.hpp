// Rows for tests of query operators: made from literals, shown as text.
#pragma once

#include <charconv>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nines/base/decimal.hpp"
#include "nines/query/operator.hpp"
#include "nines/query/pipeline.hpp"

namespace nines::query::testing {

// What a value is, to the last bit: a number, its kind and its form.
inline std::string show(const Value& v) {
  switch (v.kind) {
    case ValueKind::null: return "NULL";
    case ValueKind::boolean: return v.mantissa != 0 ? "true" : "false";
    case ValueKind::number: return Decimal{v.mantissa, v.exponent}.to_string();
    case ValueKind::real: {
      char buffer[40];
      const auto end = std::to_chars(buffer, buffer + sizeof buffer, v.real).ptr;
      return "~" + std::string(buffer, end);
    }
    case ValueKind::time: return "t" + std::to_string(v.time_ns);
    case ValueKind::level: return "<" + std::string(level_name(v.level)) + ">";
    case ValueKind::text: return "'" + std::string(v.text) + "'";
  }
  return "?";
}

inline std::string show(const Row& row) {
  std::string text;
  for (const Value& value : row.values) {
    if (!text.empty()) text += ' ';
    text += show(value);
  }
  return text;
}

inline std::string show(const RowBatch& rows) {
  std::string text;
  for (size_t i = 0; i < rows.size(); ++i) text += show(rows[i]) + '\n';
  return text;
}

// Everything of a row, with time and place.
inline std::string show_all(const RowBatch& rows) {
  std::string text;
  for (size_t i = 0; i < rows.size(); ++i) {
    const Row row = rows[i];
    text += show(row) + (row.has_ts ? " @" + std::to_string(row.ts.ns) : " @-") + " " +
            std::to_string(row.place.file) + ":" + std::to_string(row.place.at) + '\n';
  }
  return text;
}

inline expr::Expression expression(std::string_view text) {
  auto parsed = expr::Expression::parse(text);
  if (!parsed.ok()) contract_failed(parsed.error().message.c_str(), __FILE__, __LINE__);
  return *parsed;
}

inline AggregateSpec aggregate(AggregateKind kind, std::string_view value = {}) {
  AggregateSpec spec;
  spec.kind = kind;
  spec.name = "a";
  if (!value.empty()) spec.value = expression(value);
  return spec;
}

// `text` lives as long as what it was made of.
inline Value text(std::string_view t) { return Value::of_text(t); }
inline Value number(int64_t n, int exponent = 0) { return Value::of_decimal(n, exponent); }

// Rows a second apart, one after the other in one file.
class Rows {
 public:
  explicit Rows(size_t columns) : batch_(columns) {}
  Rows& add(const std::vector<Value>& values) {
    const auto n = static_cast<int64_t>(batch_.size());
    return add(values, Row{{}, WallTime::from_s(n), {0, n * 100}, true});
  }
  Rows& add(const std::vector<Value>& values, Row where) {
    where.values = values;
    batch_.take(where);
    return *this;
  }
  const RowBatch& batch() const { return batch_; }

 private:
  RowBatch batch_;
};

inline std::vector<std::string> run(const std::vector<Stage>& stages,
                                    std::vector<std::string> inputs, const RowBatch& rows,
                                    const Limits& limits = {}, OperatorStats* stats = nullptr) {
  std::vector<std::string> lines;
  struct Lines final : RowSink {
    explicit Lines(std::vector<std::string>& l) : lines(l) {}
    bool take(const Row& row) override {
      lines.push_back(show(row));
      return true;
    }
    std::vector<std::string>& lines;
  } sink(lines);
  const auto pipeline = QueryPipeline::make(stages, std::move(inputs), limits, sink);
  for (size_t i = 0; i < rows.size() && pipeline->input().take(rows[i]); ++i) {
  }
  pipeline->finish();
  if (stats != nullptr) *stats = pipeline->stats();
  return lines;
}

}  // namespace nines::query::testing
