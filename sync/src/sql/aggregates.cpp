#include "aggregates.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include "nines/base/decimal.hpp"
#include "nines/query/aggregate.hpp"
#include "values.hpp"

namespace nines::sql {
namespace {

using query::AggregateKind;
using query::AggregateSpec;

struct Entry {
  const char* name;
  AggregateKind kind;
  int min_args, max_args;
  bool plain;  // SQLite has none of that name
};
constexpr Entry kEntries[] = {
    {"count", AggregateKind::count, 0, 1, false},
    {"sum", AggregateKind::sum, 1, 1, false},
    {"min", AggregateKind::min, 1, 1, false},
    {"max", AggregateKind::max, 1, 1, false},
    {"avg", AggregateKind::avg, 1, 1, false},
    {"stddev", AggregateKind::stddev, 1, 1, true},
    {"count_distinct", AggregateKind::count_distinct, 1, 1, true},
    {"topk", AggregateKind::topk, 1, 2, true},
    {"percentile", AggregateKind::percentile, 2, 2, true},
    {"hist", AggregateKind::hist, 1, 1, true},
    {"rate", AggregateKind::rate, 1, 2, true},
    {"first", AggregateKind::first, 1, 3, true},
    {"last", AggregateKind::last, 1, 3, true},
};

// Of a share such as 0.99, cut down to thousandths; nullopt when it is none.
std::optional<uint32_t> permille_of(const Value& v) {
  if (v.kind != ValueKind::number) return std::nullopt;
  const Decimal share{v.mantissa, v.exponent};
  if (share < Decimal{0, 0} || share > Decimal{1, 0}) return std::nullopt;
  int64_t mantissa = share.mantissa;
  int exponent = share.exponent + 3;
  for (; exponent < 0 && mantissa != 0; ++exponent) mantissa /= 10;
  for (; exponent > 0 && mantissa != 0; --exponent) mantissa *= 10;  // at most 1000
  return static_cast<uint32_t>(mantissa);
}

std::optional<int64_t> duration_of(const Value& v) {
  static const expr::Expression kDuration = *expr::Expression::parse("duration_ms(a0)");
  const size_t slot = 0;
  expr::Evaluator evaluator(kDuration, {&slot, 1});
  const Value ms = evaluator.eval({&v, 1});
  if (ms.kind != ValueKind::number) return std::nullopt;
  const auto ns = multiply({ms.mantissa, ms.exponent}, {kNsPerMs, 0});
  if (!ns) return std::nullopt;
  const Number whole = number_of(Value::of_decimal(ns->mantissa, ns->exponent));
  return whole.is_integer && whole.integer > 0 ? std::optional(whole.integer) : std::nullopt;
}

// What lies in the memory that SQLite keeps for a group; all zero at first.
struct Slot {
  const query::Aggregate* aggregate;
  void* state;
  size_t grown;
  int64_t arrived;
};

class Function {
 public:
  Function(const Entry& entry, Budget& budget) : entry_(entry), budget_(budget) {}

  void step(sqlite3_context* context, std::span<sqlite3_value*> arguments);
  // `done`: the group is over; its state is given back.
  void result(sqlite3_context* context, Slot* slot, bool done);

 private:
  Result<AggregateSpec> spec_of(std::span<sqlite3_value*> arguments) const;
  const query::Aggregate* aggregate_of(const AggregateSpec& spec);
  bool start(sqlite3_context* context, Slot& slot, std::span<sqlite3_value*> arguments);

  Entry entry_;
  Budget& budget_;
  // By what tells them apart: k, share, unit of time.
  std::map<int64_t, std::unique_ptr<query::Aggregate>> known_;
};

Result<AggregateSpec> Function::spec_of(std::span<sqlite3_value*> arguments) const {
  AggregateSpec spec;
  spec.kind = entry_.kind;
  if (!arguments.empty() && entry_.kind != AggregateKind::rate) {
    spec.value = *expr::Expression::parse("a0");
  }
  if (arguments.size() < 2) return spec;
  const Value parameter = value_of(arguments[1]);
  const std::string name = entry_.name;
  if (entry_.kind == AggregateKind::percentile) {
    const auto permille = permille_of(parameter);
    if (!permille) return Error{Errc::invalid_argument, "percentile(x, share): 0 <= share <= 1"};
    spec.permille = *permille;
  } else if (entry_.kind == AggregateKind::topk) {
    if (parameter.kind != ValueKind::number || parameter.exponent != 0 || parameter.mantissa < 1) {
      return Error{Errc::invalid_argument, "topk(x, k): k is a whole number above 0"};
    }
    spec.k = parameter.mantissa;
  } else if (entry_.kind == AggregateKind::rate) {
    const auto per = duration_of(parameter);
    if (!per) return Error{Errc::invalid_argument, "rate(ts, '1m'): a duration above 0"};
    spec.per_ns = *per;
  }
  return spec;
}

const query::Aggregate* Function::aggregate_of(const AggregateSpec& spec) {
  int64_t key = spec.value ? 1 : 0;
  if (spec.kind == AggregateKind::percentile) key = spec.permille;
  if (spec.kind == AggregateKind::topk) key = spec.k;
  if (spec.kind == AggregateKind::rate) key = spec.per_ns;
  auto& known = known_[key];
  if (!known) known = query::make_aggregate(spec);
  return known.get();
}

bool Function::start(sqlite3_context* context, Slot& slot, std::span<sqlite3_value*> arguments) {
  const auto spec = spec_of(arguments);
  if (!spec.ok()) {
    sqlite3_result_error(context, spec.error().message.c_str(), -1);
    return false;
  }
  const query::Aggregate* const aggregate = aggregate_of(*spec);
  slot.state = sqlite3_malloc64(std::max<size_t>(aggregate->state_bytes(), 1));
  if (slot.state == nullptr) {
    sqlite3_result_error_nomem(context);
    return false;
  }
  aggregate->create(slot.state);
  slot.aggregate = aggregate;
  return true;
}

void Function::step(sqlite3_context* context, std::span<sqlite3_value*> arguments) {
  auto* const slot = static_cast<Slot*>(sqlite3_aggregate_context(context, sizeof(Slot)));
  if (slot == nullptr) return sqlite3_result_error_nomem(context);
  if (slot->aggregate == nullptr && !start(context, *slot, arguments)) return;
  const Value value = arguments.empty() ? Value::of_int(1) : value_of(arguments[0]);
  query::Row row;
  row.place.at = slot->arrived++;
  const bool ordered = entry_.kind == AggregateKind::first || entry_.kind == AggregateKind::last;
  const size_t time_at = entry_.kind == AggregateKind::rate ? 0 : 1;
  if ((ordered || time_at == 0) && time_at < arguments.size()) {
    const Value time = value_of(arguments[time_at]);
    row.has_ts = time.kind == ValueKind::time;
    if (row.has_ts) row.ts = {time.time_ns};
  }
  if (ordered && arguments.size() > 2) row.place.at = sqlite3_value_int64(arguments[2]);
  const size_t grown = slot->aggregate->add(slot->state, value, row);
  if (grown == 0) return;
  if (!budget_.take(grown)) return sqlite3_result_error_nomem(context);
  slot->grown += grown;
}

void Function::result(sqlite3_context* context, Slot* slot, bool done) {
  Slot empty{};
  if (slot == nullptr || slot->aggregate == nullptr) {  // no row at all
    if (slot != nullptr || !start(context, empty, {})) return;
    slot = &empty;
    done = true;
  }
  std::deque<std::string> texts;
  give_result(context, slot->aggregate->result(slot->state, texts), false);
  if (!done) return;
  slot->aggregate->destroy(slot->state);
  sqlite3_free(slot->state);
  budget_.give(slot->grown);
  *slot = {};
}

Function& function_of(sqlite3_context* context) {
  return *static_cast<Function*>(sqlite3_user_data(context));
}
Slot* slot_of(sqlite3_context* context) {
  return static_cast<Slot*>(sqlite3_aggregate_context(context, 0));
}
void on_step(sqlite3_context* context, int argc, sqlite3_value** argv) {
  function_of(context).step(context, {argv, static_cast<size_t>(argc)});
}
void on_final(sqlite3_context* context) {
  function_of(context).result(context, slot_of(context), true);
}
void on_value(sqlite3_context* context) {
  function_of(context).result(context, slot_of(context), false);
}
void on_inverse(sqlite3_context* context, int, sqlite3_value**) {
  sqlite3_result_error(context,
                       "this aggregate can't slide: begin the frame with UNBOUNDED PRECEDING, or "
                       "use count, sum, avg, min, max",
                       -1);
}

Status add(sqlite3* db, const std::string& name, const Entry& entry, Budget& budget) {
  for (int n = entry.min_args; n <= entry.max_args; ++n) {
    const int rc = sqlite3_create_window_function(
        db, name.c_str(), n, SQLITE_UTF8 | SQLITE_INNOCUOUS, new Function(entry, budget), on_step,
        on_final, on_value, on_inverse, [](void* p) { delete static_cast<Function*>(p); });
    if (rc != SQLITE_OK) return Error{Errc::io, "function " + name + ": " + sqlite3_errstr(rc)};
  }
  return Ok{};
}

}  // namespace

Status add_aggregates(sqlite3* db, Budget& budget) {
  for (const Entry& entry : kEntries) {
    NINES_CHECK(add(db, std::string("nines_") + entry.name, entry, budget));
    if (entry.plain) NINES_CHECK(add(db, entry.name, entry, budget));
  }
  return Ok{};
}

std::vector<std::string> aggregate_names() {
  std::vector<std::string> names;
  for (const Entry& entry : kEntries) names.emplace_back(entry.name);
  return names;
}

}  // namespace nines::sql
