// percentile, hist, count_distinct, topk.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "aggregate_function.hpp"
#include "distinct_sketch.hpp"
#include "expr/coerce.hpp"
#include "hash.hpp"
#include "nines/base/json_writer.hpp"
#include "nines/query/bytes.hpp"
#include "quantiles.hpp"
#include "top_values.hpp"

namespace nines::query {
namespace {

using Texts = std::deque<std::string>;

// No more digits than are true: within 1 % of the value at that rank, five are more than enough.
// The least and the greatest value are exact; whole numbers stay.
Value shown(double v) {
  if (v == std::floor(v)) return Value::of_real(v);
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, v, std::chars_format::scientific, 4).ptr;
  return expr::parse_number({text, static_cast<size_t>(end - text)});
}

struct PercentileState {
  Quantiles quantiles;

  size_t add(const AggregateConfig&, const Value& value, const Row&) {
    // Most are whole numbers that a double holds exactly.
    constexpr int64_t kExact = int64_t{1} << 53;
    const bool whole = value.kind == ValueKind::number && value.exponent == 0;
    if (whole && value.mantissa <= kExact && value.mantissa >= -kExact) {
      return quantiles.add_whole(value.mantissa);
    }
    const Value number = expr::to_number(value);
    return number.is_null() ? 0 : quantiles.add(expr::double_of(number));
  }
  size_t merge(const AggregateConfig&, const PercentileState& later) {
    return quantiles.merge(later.quantiles);
  }
  Value result(const AggregateConfig& config, Texts&) const {
    const auto at = quantiles.at(config.spec.permille);
    return at ? shown(*at) : Value::null();
  }
  bool approximate() const { return quantiles.approximate(); }
  void save(std::string& out) const { quantiles.save(out); }
  bool load(const AggregateConfig&, std::string_view& in, size_t& grown) {
    return quantiles.load(in, grown);
  }
};

// Bin e holds (2^(e-1), 2^e]; the one below the lowest holds all up to 0. No numbers: an empty
// array.
struct HistState {
  // Bins far below what logs hold are one, so that nothing stretches the range.
  static constexpr int kLowest = -64, kHighest = 1024;

  BinCounts bins;

  size_t add(const AggregateConfig&, const Value& value, const Row&) {
    const Value number = expr::to_number(value);
    return number.is_null() ? 0 : bins.add(bin_of(expr::double_of(number)));
  }
  static int bin_of(double v) {
    if (!(v > 0)) return kLowest - 1;
    int exponent = 0;
    const double part = std::frexp(v, &exponent);  // [0.5, 1)
    return std::clamp(part == 0.5 ? exponent - 1 : exponent, kLowest, kHighest);
  }
  size_t merge(const AggregateConfig&, const HistState& later) { return bins.merge(later.bins); }
  Value result(const AggregateConfig&, Texts& texts) const {
    std::string& text = texts.emplace_back();
    JsonWriter json(text);
    json.begin_array();
    for (size_t i = 0; i < bins.size(); ++i) {
      if (bins.count(i) == 0) continue;
      const int bin = bins.bin(i);
      json.begin_array();
      json.value(bin < kLowest ? 0.0 : std::ldexp(1.0, bin)).value(bins.count(i));
      json.end_array();
    }
    json.end_array();
    return Value::of_text(text);
  }
  bool approximate() const { return bins.saturated(); }
  void save(std::string& out) const { bins.save(out); }
  bool load(const AggregateConfig&, std::string_view& in, size_t& grown) {
    return bins.load(in, kLowest - 1, kHighest, grown);
  }
};

struct CountDistinctState {
  DistinctSketch sketch;

  size_t add(const AggregateConfig&, const Value& value, const Row&) {
    return sketch.add(hash_value(value));
  }
  size_t merge(const AggregateConfig&, const CountDistinctState& later) {
    return sketch.merge(later.sketch);
  }
  Value result(const AggregateConfig&, Texts&) const {
    return Value::of_int(static_cast<int64_t>(sketch.estimate()));
  }
  bool approximate() const { return !sketch.exact(); }
  void save(std::string& out) const { sketch.save(out); }
  bool load(const AggregateConfig&, std::string_view& in, size_t& grown) {
    return sketch.load(in, grown);
  }
};

void append_value(JsonWriter& json, const Value& value) {
  switch (value.kind) {
    case ValueKind::null: json.null(); return;
    case ValueKind::boolean:
    case ValueKind::number: json.value(expr::decimal_of(value)); return;
    case ValueKind::real: json.value(value.real); return;
    case ValueKind::time: json.value(format_rfc3339(WallTime{value.time_ns})); return;
    case ValueKind::level: json.value(level_name(value.level)); return;
    case ValueKind::text: json.value(value.text); return;
  }
}

struct TopkState {
  TopValues values;

  size_t add(const AggregateConfig&, const Value& value, const Row&) { return values.add(value); }
  size_t merge(const AggregateConfig&, const TopkState& later) {
    return values.merge(later.values);
  }
  Value result(const AggregateConfig& config, Texts& texts) const {
    std::string& text = texts.emplace_back();
    JsonWriter json(text);
    json.begin_array();
    const auto k = static_cast<size_t>(std::clamp<int64_t>(config.spec.k, 0, 1000));
    for (const TopValues::Entry& entry : values.top(k)) {
      Value value;
      std::string_view key = entry.key;
      read_key(key, value);
      json.begin_array();
      append_value(json, value);
      json.value(entry.count).end_array();
    }
    json.end_array();
    return Value::of_text(text);
  }
  bool approximate() const { return !values.exact(); }
  void save(std::string& out) const { values.save(out); }
  bool load(const AggregateConfig&, std::string_view& in, size_t& grown) {
    return values.load(in, grown);
  }
};

}  // namespace

std::unique_ptr<Aggregate> make_sketch(const AggregateConfig& config) {
  switch (config.spec.kind) {
    case AggregateKind::percentile: return std::make_unique<FunctionOf<PercentileState>>(config);
    case AggregateKind::hist: return std::make_unique<FunctionOf<HistState>>(config);
    case AggregateKind::count_distinct:
      return std::make_unique<FunctionOf<CountDistinctState>>(config);
    case AggregateKind::topk: return std::make_unique<FunctionOf<TopkState>>(config);
    default: return nullptr;
  }
}

}  // namespace nines::query
