// count, sum, avg, stddev, min, max, first, last, rate.
#include <algorithm>
#include <cmath>
#include <limits>

#include "aggregate_function.hpp"
#include "exact_sum.hpp"
#include "expr/coerce.hpp"
#include "nines/query/bytes.hpp"
#include "nines/query/kept_value.hpp"

namespace nines::query {
namespace {

using Texts = std::deque<std::string>;

Value count_value(uint64_t n) {
  if (n <= INT64_MAX) return Value::of_int(static_cast<int64_t>(n));
  return Value::of_real(static_cast<double>(n));
}

struct CountState {
  uint64_t n = 0;

  size_t add(const AggregateConfig&, const Value&, const Row&) {
    ++n;
    return 0;
  }
  size_t merge(const AggregateConfig&, const CountState& later) {
    n += later.n;
    return 0;
  }
  Value result(const AggregateConfig&, Texts&) const { return count_value(n); }
  bool approximate() const { return false; }
  void save(std::string& out) const { put_varint(out, n); }
  bool load(const AggregateConfig&, std::string_view& in, size_t&) { return get_varint(in, n); }
};

// sum and avg. Texts that are numbers count as such, as everywhere in the language.
struct SumState {
  uint64_t n = 0;
  ExactSum sum;

  size_t add(const AggregateConfig&, const Value& value, const Row&) {
    const Value number = expr::to_number(value);
    if (number.is_null()) return 0;
    ++n;
    return sum.add(number);
  }
  size_t merge(const AggregateConfig&, const SumState& later) {
    n += later.n;
    return sum.merge(later.sum);
  }
  Value result(const AggregateConfig& config, Texts&) const {
    if (n == 0) return {};
    if (config.spec.kind == AggregateKind::sum) return sum.value();
    return expr::calculate(sum.value(), count_value(n), expr::Arithmetic::divide);
  }
  bool approximate() const { return sum.approximate(); }
  void save(std::string& out) const {
    put_varint(out, n);
    sum.save(out);
  }
  bool load(const AggregateConfig&, std::string_view& in, size_t& grown) {
    return get_varint(in, n) && sum.load(in, grown);
  }
};

// Of the sample, from exact sums of x and x*x in units of 1e-12 and 1e-24.
struct StddevState {
  static constexpr double kUnits = 1e12;

  uint64_t n = 0;
  WideInt<3> sum;
  WideInt<5> squares;  // 2^254 each, 2^64 of them
  bool lost = false;   // finer digits than 1e-12 or sizes beyond 1e26

  size_t add(const AggregateConfig&, const Value& value, const Row&) {
    const Value number = expr::to_number(value);
    if (number.is_null()) return 0;
    Units x;
    if (number.kind == ValueKind::real) {
      x = rounded(number.real);
    } else if (!to_units(number, x)) {
      lost = true;
      x = rounded(expr::double_of(number));
    }
    ++n;
    sum.add(x.negative, x.low, x.high);
    WideInt<3> size;
    size.add(false, x.low, x.high);
    squares += product<5>(size, size);
    return 0;
  }

  Units rounded(double d) {
    const double scaled = std::fabs(d) * kUnits;
    Units x{d < 0, 0, 0};
    if (!(scaled < 0x1p127)) {
      lost = true;
      return {d < 0, ~uint64_t{0}, ~uint64_t{0} >> 1};
    }
    const double whole = std::round(scaled);
    const double high = std::floor(whole * 0x1p-64);
    x.high = static_cast<uint64_t>(high);
    x.low = static_cast<uint64_t>(whole - high * 0x1p64);
    return x;
  }

  size_t merge(const AggregateConfig&, const StddevState& later) {
    n += later.n;
    sum += later.sum;
    squares += later.squares;
    lost |= later.lost;
    return 0;
  }
  // sqrt((n * sum(x^2) - sum(x)^2) / (n * (n - 1)))
  Value result(const AggregateConfig&, Texts&) const {
    if (n < 2) return {};
    WideInt<2> count;
    count.add(false, n);
    const WideInt<3> size = sum.size();
    WideInt<7> above = product<7>(squares, count);
    above -= product<7>(size, size);
    const double below = static_cast<double>(n) * static_cast<double>(n - 1);
    return Value::of_real(std::sqrt(above.to_double() / below) / kUnits);
  }
  bool approximate() const { return lost; }
  void save(std::string& out) const {
    put_varint(out, n);
    put_byte(out, lost ? 1 : 0);
    for (size_t i = 0; i < 3; ++i) put_fixed64(out, sum[i]);
    for (size_t i = 0; i < 5; ++i) put_fixed64(out, squares[i]);
  }
  bool load(const AggregateConfig&, std::string_view& in, size_t&) {
    uint8_t flag = 0;
    bool good = get_varint(in, n) && get_byte(in, flag) && flag <= 1;
    for (size_t i = 0; i < 3; ++i) good = good && get_fixed64(in, sum[i]);
    for (size_t i = 0; i < 5; ++i) good = good && get_fixed64(in, squares[i]);
    lost = flag != 0;
    return good && !squares.negative() && consistent();
  }
  // Only of numbers can it be that n * sum(x^2) >= sum(x)^2.
  bool consistent() const {
    WideInt<2> count;
    count.add(false, n);
    const WideInt<3> size = sum.size();
    WideInt<7> above = product<7>(squares, count);
    above -= product<7>(size, size);
    return !above.negative();
  }
};

// A state grows by the longest text that it has seen: what it keeps now depends on the order.
struct LongestText {
  size_t bytes = 0;

  size_t see(size_t size) {
    const size_t grown = size > bytes ? size - bytes : 0;
    bytes += grown;
    return grown;
  }
  void save(std::string& out) const { put_varint(out, bytes); }
  bool load(std::string_view& in, size_t& grown) {
    uint64_t size = 0;
    if (!get_varint(in, size) || size > std::numeric_limits<int32_t>::max()) return false;
    bytes = static_cast<size_t>(size);
    grown += bytes;
    return true;
  }
};

// min, max. Of values that compare equal the first one stays.
struct ExtremeState {
  bool any = false;
  LongestText longest;
  KeptValue kept;

  size_t add(const AggregateConfig& config, const Value& value, const Row&) {
    if (!any || better(config, value)) kept.set(value);
    any = true;
    return longest.see(value.text.size());
  }
  bool better(const AggregateConfig& config, const Value& value) const {
    const int order = compare_values(value, kept.get());
    return config.spec.kind == AggregateKind::min ? order < 0 : order > 0;
  }
  size_t merge(const AggregateConfig& config, const ExtremeState& later) {
    if (!later.any) return 0;
    const Value value = later.kept.get();
    if (!any || better(config, value)) kept.set(value);
    any = true;
    return longest.see(later.longest.bytes);
  }
  Value result(const AggregateConfig&, Texts&) const { return any ? kept.get() : Value::null(); }
  bool approximate() const { return false; }
  void save(std::string& out) const {
    longest.save(out);
    put_value(out, any ? kept.get() : Value::null());
  }
  bool load(const AggregateConfig&, std::string_view& in, size_t& grown) {
    Value value;
    if (!longest.load(in, grown) || !get_value(in, value)) return false;
    any = !value.is_null();
    kept.set(value);
    return value.text.size() <= longest.bytes;
  }
};

// first, last: by time and place, rows without time behind those with one.
struct EdgeState {
  static constexpr bool kTakesNull = true;

  struct When {
    bool no_ts = false;
    int64_t ts = 0;
    Place place;
    friend auto operator<=>(const When&, const When&) = default;
  };
  bool any = false;
  When when;
  LongestText longest;
  KeptValue kept;

  size_t add(const AggregateConfig& config, const Value& value, const Row& row) {
    take(config, {!row.has_ts, row.has_ts ? row.ts.ns : 0, row.place}, value);
    return longest.see(value.text.size());
  }
  // Of rows at the same place the first is `first` and the last is `last`.
  void take(const AggregateConfig& config, const When& at, const Value& value) {
    if (any && (config.spec.kind == AggregateKind::first ? !(at < when) : at < when)) return;
    any = true;
    when = at;
    kept.set(value);
  }
  size_t merge(const AggregateConfig& config, const EdgeState& later) {
    if (!later.any) return 0;
    take(config, later.when, later.kept.get());
    return longest.see(later.longest.bytes);
  }
  Value result(const AggregateConfig&, Texts&) const { return any ? kept.get() : Value::null(); }
  bool approximate() const { return false; }
  void save(std::string& out) const {
    put_byte(out, static_cast<uint8_t>((any ? 1 : 0) | (when.no_ts ? 2 : 0)));
    if (!any) return;
    longest.save(out);
    put_signed(out, when.ts);
    put_varint(out, when.place.file);
    put_signed(out, when.place.at);
    put_value(out, kept.get());
  }
  bool load(const AggregateConfig&, std::string_view& in, size_t& grown) {
    uint8_t flags = 0;
    uint64_t file = 0;
    Value value;
    if (!get_byte(in, flags) || flags > 3 || flags == 2) return false;
    any = flags != 0;
    when.no_ts = (flags & 2) != 0;
    if (!any) return true;
    if (!longest.load(in, grown) || !get_signed(in, when.ts) || !get_varint(in, file) ||
        !get_signed(in, when.place.at) || !get_value(in, value)) {
      return false;
    }
    when.place.file = static_cast<uint32_t>(file);
    kept.set(value);
    return file <= UINT32_MAX && value.text.size() <= longest.bytes;
  }
};

// Rows a time over the range of their ts. One moment has no rate: NULL.
struct RateState {
  uint64_t n = 0;
  int64_t from = INT64_MAX, to = INT64_MIN;

  size_t add(const AggregateConfig&, const Value&, const Row& row) {
    if (!row.has_ts) return 0;
    ++n;
    from = std::min(from, row.ts.ns);
    to = std::max(to, row.ts.ns);
    return 0;
  }
  size_t merge(const AggregateConfig&, const RateState& later) {
    n += later.n;
    from = std::min(from, later.from);
    to = std::max(to, later.to);
    return 0;
  }
  Value result(const AggregateConfig& config, Texts&) const {
    int64_t range = 0;
    if (n == 0 || __builtin_sub_overflow(to, from, &range) || range == 0) return {};
    using expr::Arithmetic;
    const Value rows =
        expr::calculate(count_value(n), Value::of_int(config.spec.per_ns), Arithmetic::multiply);
    return expr::calculate(rows, Value::of_int(range), Arithmetic::divide);
  }
  bool approximate() const { return false; }
  void save(std::string& out) const {
    put_varint(out, n);
    if (n == 0) return;
    put_signed(out, from);
    put_signed(out, to);
  }
  bool load(const AggregateConfig&, std::string_view& in, size_t&) {
    if (!get_varint(in, n)) return false;
    return n == 0 || (get_signed(in, from) && get_signed(in, to) && from <= to);
  }
};

}  // namespace

std::unique_ptr<Aggregate> make_simple(const AggregateConfig& config) {
  switch (config.spec.kind) {
    case AggregateKind::count: return std::make_unique<FunctionOf<CountState>>(config);
    case AggregateKind::sum:
    case AggregateKind::avg: return std::make_unique<FunctionOf<SumState>>(config);
    case AggregateKind::stddev: return std::make_unique<FunctionOf<StddevState>>(config);
    case AggregateKind::min:
    case AggregateKind::max: return std::make_unique<FunctionOf<ExtremeState>>(config);
    case AggregateKind::first:
    case AggregateKind::last: return std::make_unique<FunctionOf<EdgeState>>(config);
    case AggregateKind::rate: return std::make_unique<FunctionOf<RateState>>(config);
    default: return nullptr;
  }
}

}  // namespace nines::query
