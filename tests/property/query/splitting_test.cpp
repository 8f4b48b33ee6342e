// The law of splitting: cutting the input anywhere and merging the states in the order of the parts
// gives the bytes of one uninterrupted run, limits or not, in memory or through saved bytes.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <deque>

#include "../../support/query_rows.hpp"

namespace {

using namespace nines;
using namespace nines::query;
using namespace nines::query::testing;

const std::vector<std::string> kInputs{"k", "n", "s", "x"};

struct Input {
  std::deque<std::string> texts;
  RowBatch rows{kInputs.size()};
};

Value any_number() {
  switch (*rc::gen::inRange(0, 8)) {
    case 0: return Value::null();
    case 1: return Value::of_bool(*rc::gen::arbitrary<bool>());
    case 2: return Value::of_int(*rc::gen::inRange<int64_t>(-5, 5));
    case 3: return Value::of_decimal(*rc::gen::inRange<int64_t>(-2000, 2000), -2);
    case 4: return Value::of_decimal(*rc::gen::arbitrary<int64_t>(), *rc::gen::inRange(-20, 20));
    case 5: return Value::of_real(*rc::gen::inRange(-1000, 1000) / 7.0);
    case 6: return Value::of_real(*rc::gen::inRange(-1000, 1000) * 1e250);
    default: return Value::of_int(*rc::gen::inRange<int64_t>(0, 1000));
  }
}

Value any_value(Input& input) {
  switch (*rc::gen::inRange(0, 6)) {
    case 0: return any_number();
    case 1: return Value::of_time(*rc::gen::inRange<int64_t>(0, 5));
    case 2: {
      const bool err = *rc::gen::arbitrary<bool>();
      return Value::of_level(Level::error, err ? "err" : "ERROR");
    }
    default: {
      const auto n = static_cast<size_t>(*rc::gen::inRange(0, 40));
      const char c = static_cast<char>('a' + *rc::gen::inRange(0, 3));
      return Value::of_text(input.texts.emplace_back(n, c));
    }
  }
}

void fill(Input& input, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    const int key = *rc::gen::inRange(0, 12);
    const Value k =
        key == 0 ? Value::null()
                 : Value::of_text(input.texts.emplace_back("service-" + std::to_string(key)));
    const std::vector<Value> values{k, any_number(), any_value(input), any_number()};
    // Times out of order and missing ones.
    Row row{values,
            WallTime{*rc::gen::inRange<int64_t>(0, 50)},
            {0, static_cast<int64_t>(i)},
            *rc::gen::inRange(0, 5) != 0};
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
    const auto n =
        static_cast<size_t>(*rc::gen::inRange<int>(0, static_cast<int>(rows.size()) + 1));
    for (size_t i = 0; i < n && at < rows.size(); ++i, ++at) op.take(rows[at]);
  };
  feed(*first);
  while (at < rows.size()) {
    const auto later = make_operator(stage, kInputs, limits, sink);
    feed(*later);
    if (*rc::gen::arbitrary<bool>()) {
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
    const auto n = static_cast<size_t>(*rc::gen::inRange(1, 20));
    for (size_t i = 0; i < n && at < rows.size(); ++i, ++at) parts.back()->take(rows[at]);
  }
  while (parts.size() > 1) {
    const auto i =
        static_cast<size_t>(*rc::gen::inRange<int>(0, static_cast<int>(parts.size()) - 1));
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
  fill(input, static_cast<size_t>(*rc::gen::inRange(0, 120)));
  const std::string expected = whole({stage}, limits, input.rows);
  RC_ASSERT(split(stage, limits, input.rows) == expected);
  RC_ASSERT(as_tree(stage, limits, input.rows) == expected);
}

Limits any_limits() {
  Limits limits;
  if (*rc::gen::arbitrary<bool>())
    limits.max_groups = static_cast<size_t>(*rc::gen::inRange(0, 10));
  if (*rc::gen::arbitrary<bool>()) {
    limits.max_bytes = static_cast<size_t>(*rc::gen::inRange(0, 20'000));
  }
  return limits;
}

GroupStage any_group(const std::vector<AggregateSpec>& specs) {
  GroupStage stage;
  if (*rc::gen::inRange(0, 5) != 0) stage.keys.push_back({"k", expression("k")});
  if (*rc::gen::arbitrary<bool>()) stage.keys.push_back({"s", expression("s")});
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
  rc::check([] {
    std::vector<AggregateSpec> specs;
    for (const AggregateKind kind : kKinds) {
      AggregateSpec spec = aggregate(kind, *rc::gen::element<std::string>("n", "s", "x"));
      spec.distinct = *rc::gen::inRange(0, 3) == 0;
      if (*rc::gen::inRange(0, 3) == 0) spec.filter = expression("x > 0");
      specs.push_back(std::move(spec));
    }
    specs.push_back(aggregate(AggregateKind::count));
    require_law(any_group(specs), any_limits());
  });
}

TEST_CASE("Sorted rows are the same however the input was cut") {
  rc::check([] {
    SortStage stage;
    stage.keep = static_cast<size_t>(*rc::gen::inRange(1, 5));
    const auto keys = *rc::gen::inRange(1, 3);
    for (int i = 0; i < keys; ++i) {
      SortStage::Key key;
      key.column = static_cast<size_t>(*rc::gen::inRange(0, 4));
      key.descending = *rc::gen::arbitrary<bool>();
      if (*rc::gen::arbitrary<bool>()) key.nulls_first = *rc::gen::arbitrary<bool>();
      stage.keys.push_back(key);
    }
    stage.distinct = *rc::gen::arbitrary<bool>();
    if (*rc::gen::arbitrary<bool>()) stage.limit = *rc::gen::inRange<uint64_t>(0, 20);
    stage.offset = *rc::gen::inRange<uint64_t>(0, 5);
    require_law(stage, any_limits());
  });
}
