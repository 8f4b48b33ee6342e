// The law of splitting: cutting the input anywhere and merging the states in the order of the parts
// gives the bytes of one uninterrupted run, limits or not, in memory or through saved bytes.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <deque>
#include <random>

#include "../../support/query_rows.hpp"

namespace {

using namespace nines;
using namespace nines::query;
using namespace nines::query::testing;

const std::vector<std::string> kInputs{"k", "n", "s", "x"};

// All of a case comes out of one seed: thousands of generators would take rapidcheck minutes.
std::mt19937_64 chance;
int64_t pick(int64_t from, int64_t to) {
  return from + static_cast<int64_t>(chance() % static_cast<uint64_t>(to - from));
}
bool flip() { return pick(0, 2) != 0; }

struct Input {
  std::deque<std::string> texts;
  RowBatch rows{kInputs.size()};
};

Value any_number() {
  switch (pick(0, 8)) {
    case 0: return Value::null();
    case 1: return Value::of_bool(flip());
    case 2: return Value::of_int(pick(-5, 5));
    case 3: return Value::of_decimal(pick(-2000, 2000), -2);
    case 4:
      return Value::of_decimal(static_cast<int64_t>(chance()), static_cast<int>(pick(-20, 20)));
    case 5: return Value::of_real(static_cast<double>(pick(-1000, 1000)) / 7);
    case 6: return Value::of_real(static_cast<double>(pick(-1000, 1000)) * 1e250);
    default: return Value::of_int(pick(0, 1000));
  }
}

Value any_value(Input& input) {
  switch (pick(0, 6)) {
    case 0: return any_number();
    case 1: return Value::of_time(pick(0, 5));
    case 2: {
      const bool err = flip();
      return Value::of_level(Level::error, err ? "err" : "ERROR");
    }
    default: {
      const auto n = static_cast<size_t>(pick(0, 40));
      const char c = "abc"[pick(0, 3)];
      return Value::of_text(input.texts.emplace_back(n, c));
    }
  }
}

void fill(Input& input, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const int64_t key = pick(0, 12);
    const Value k =
        key == 0 ? Value::null()
                 : Value::of_text(input.texts.emplace_back("service-" + std::to_string(key)));
    const std::vector<Value> values{k, any_number(), any_value(input), any_number()};
    // Times out of order and missing ones.
    Row row{values, WallTime{pick(0, 50)}, {0, static_cast<int64_t>(i)}, pick(0, 5) != 0};
    input.rows.take(row);
  }
}

std::string whole(const std::vector<Stage>& stages, const Limits& limits, const RowBatch& rows) {
  RowBatch out(16);
  std::string text;
  struct Text final : RowSink {
    explicit Text(std::string& t) : text(t) {}
    bool take(const Row& row) override {
      RowBatch one(row.values.size());
      one.take(row);
      text += show_all(one);
      return true;
    }
    std::string& text;
  } sink(text);
  const auto pipeline = QueryPipeline::make(stages, kInputs, limits, sink);
  for (size_t i = 0; i < rows.size(); ++i) pipeline->input().take(rows[i]);
  pipeline->finish();
  const OperatorStats stats = pipeline->stats();
  return text + "evicted " + std::to_string(stats.evicted) + " approximate " +
         std::to_string(stats.approximate) + " in " + std::to_string(stats.rows_in);
}

struct Text final : RowSink {
  bool take(const Row& row) override {
    RowBatch one(row.values.size());
    one.take(row);
    text += show_all(one);
    return true;
  }
  std::string text;
};

// Parts of random lengths; each is merged into the first one as it is or through saved bytes.
std::string split(const Stage& stage, const Limits& limits, const RowBatch& rows) {
  Text sink;
  const auto first = make_operator(stage, kInputs, limits, sink);
  size_t at = 0;
  const auto feed = [&](Operator& op) {
    const auto n = static_cast<size_t>(pick(0, static_cast<int>(rows.size()) + 1));
    for (size_t i = 0; i < n && at < rows.size(); ++i, ++at) op.take(rows[at]);
  };
  feed(*first);
  while (at < rows.size()) {
    const auto later = make_operator(stage, kInputs, limits, sink);
    feed(*later);
    if (flip()) {
      first->merge(*later);
    } else {
      std::string saved;
      later->save(saved);
      RC_ASSERT(first->merge_saved(saved).ok());
    }
  }
  first->finish();
  const OperatorStats stats = first->stats();
  return sink.text + "evicted " + std::to_string(stats.evicted) + " approximate " +
         std::to_string(stats.approximate) + " in " + std::to_string(stats.rows_in);
}

// Merging two merged states is the same too.
std::string as_tree(const Stage& stage, const Limits& limits, const RowBatch& rows) {
  Text sink;
  std::deque<std::unique_ptr<Operator>> parts;
  for (size_t at = 0; at < rows.size() || parts.empty();) {
    parts.push_back(make_operator(stage, kInputs, limits, sink));
    const auto n = static_cast<size_t>(pick(1, 20));
    for (size_t i = 0; i < n && at < rows.size(); ++i, ++at) parts.back()->take(rows[at]);
  }
  while (parts.size() > 1) {
    const auto i = static_cast<size_t>(pick(0, static_cast<int>(parts.size()) - 1));
    parts[i]->merge(*parts[i + 1]);
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1);
  }
  parts.front()->finish();
  const OperatorStats stats = parts.front()->stats();
  return sink.text + "evicted " + std::to_string(stats.evicted) + " approximate " +
         std::to_string(stats.approximate) + " in " + std::to_string(stats.rows_in);
}

void require_law(const Stage& stage, const Limits& limits) {
  Input input;
  fill(input, static_cast<size_t>(pick(0, 120)));
  const std::string expected = whole({stage}, limits, input.rows);
  RC_ASSERT(split(stage, limits, input.rows) == expected);
  RC_ASSERT(as_tree(stage, limits, input.rows) == expected);
}

// Some values are frequent, most are rare, and many of any frequency are equally frequent.
void require_topk_law(uint64_t seed) {
  chance.seed(seed);
  GroupStage stage;
  stage.aggregates = {aggregate(AggregateKind::topk, "s")};
  stage.aggregates[0].k = 1000;
  Input input;
  for (int64_t i = 0; i < 60'000; ++i) {
    const double u = static_cast<double>(pick(0, 1'000'000)) / 1e6;
    const auto id = static_cast<int64_t>(40'000 * (flip() ? u : u * u * u * u));
    const Value value = Value::of_text(input.texts.emplace_back("id-" + std::to_string(id)));
    const std::vector<Value> values{Value::null(), Value::null(), value, Value::null()};
    input.rows.take({values, WallTime{i}, {0, i}, true});
  }
  const std::string expected = whole({stage}, {}, input.rows);
  INFO(expected);
  CHECK(expected.find("approximate 1") != std::string::npos);
  CHECK(std::count(expected.begin(), expected.end(), '[') > 40);
  CHECK(split(stage, {}, input.rows) == expected);
  CHECK(as_tree(stage, {}, input.rows) == expected);
}

Limits any_limits() {
  Limits limits;
  if (flip()) limits.max_groups = static_cast<size_t>(pick(0, 10));
  if (flip()) {
    limits.max_bytes = static_cast<size_t>(pick(0, 20'000));
  }
  return limits;
}

GroupStage any_group(const std::vector<AggregateSpec>& specs) {
  GroupStage stage;
  if (pick(0, 5) != 0) stage.keys.push_back({"k", expression("k")});
  if (flip()) stage.keys.push_back({"s", expression("s")});
  stage.aggregates = specs;
  return stage;
}

const AggregateKind kKinds[] = {AggregateKind::count,
                                AggregateKind::sum,
                                AggregateKind::min,
                                AggregateKind::max,
                                AggregateKind::avg,
                                AggregateKind::stddev,
                                AggregateKind::count_distinct,
                                AggregateKind::topk,
                                AggregateKind::percentile,
                                AggregateKind::hist,
                                AggregateKind::rate,
                                AggregateKind::first,
                                AggregateKind::last};

}  // namespace

TEST_CASE("Every aggregate gives the bytes of one run however its input was cut") {
  CHECK(rc::check([](uint64_t seed) {
    chance.seed(seed);
    std::vector<AggregateSpec> specs;
    for (const AggregateKind kind : kKinds) {
      AggregateSpec spec = aggregate(kind, std::string(1, "nsx"[pick(0, 3)]));
      spec.distinct = pick(0, 3) == 0;
      if (pick(0, 3) == 0) spec.filter = expression("x > 0");
      specs.push_back(std::move(spec));
    }
    specs.push_back(aggregate(AggregateKind::count));
    require_law(any_group(specs), any_limits());
  }));
}

TEST_CASE("topk of more values than can be counted is the same however its input was cut") {
  for (uint64_t seed = 1; seed <= 6; ++seed) require_topk_law(seed);
}

TEST_CASE("Sorted rows are the same however the input was cut") {
  CHECK(rc::check([](uint64_t seed) {
    chance.seed(seed);
    SortStage stage;
    stage.keep = static_cast<size_t>(pick(1, 5));
    const auto keys = pick(1, 3);
    for (int i = 0; i < keys; ++i) {
      SortStage::Key key;
      key.column = static_cast<size_t>(pick(0, 4));
      key.descending = flip();
      if (flip()) key.nulls_first = flip();
      stage.keys.push_back(key);
    }
    stage.distinct = flip();
    if (stage.distinct) stage.keep = kInputs.size();
    if (flip()) stage.limit = static_cast<uint64_t>(pick(0, 20));
    stage.offset = static_cast<uint64_t>(pick(0, 5));
    require_law(stage, any_limits());
  }));
}
