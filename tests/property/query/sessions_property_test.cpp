// Sessions against a naive grouping of sorted rows, and shuffles within the lateness.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <tuple>

#include "rows_driver.hpp"

namespace nines::query::driving {
namespace {

const std::vector<std::string> kInputs = {"id", "service", "message"};

struct Case {
  SessionStage stage;
  std::vector<In> rows;      // sorted
  std::vector<In> shuffled;  // within the lateness
};

SessionStage draw_stage() {
  SessionStage stage;
  stage.keys = columns({"id"});
  stage.idle_ns = seconds(*rc::gen::element(0, 1, 3, 7));
  stage.lateness_ns = seconds(*rc::gen::element(0, 1, 4, 20));
  if (*rc::gen::arbitrary<bool>()) stage.max_ns = seconds(*rc::gen::inRange(0, 10));
  if (*rc::gen::inRange(0, 4) == 0) stage.start_when = parsed("message = 'b'");
  if (*rc::gen::inRange(0, 4) == 0) stage.end_when = parsed("message = 'e'");
  stage.with_services = stage.with_timeline = true;
  return stage;
}

// Each row is put off by less than the lateness, which is all the disorder there may be.
std::vector<In> shuffle(const std::vector<In>& rows, int64_t lateness_ns) {
  std::vector<std::pair<double, size_t>> order;
  const int most = static_cast<int>(lateness_ns / 1'000'000);
  for (size_t i = 0; i < rows.size(); ++i) {
    order.emplace_back(rows[i].ts * 1000 + *rc::gen::inRange(0, most + 1), i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<In> shuffled;
  for (const auto& [when, i] : order) shuffled.push_back(rows[i]);
  return shuffled;
}

Case draw_case() {
  Case c{draw_stage(), {}, {}};
  const int count = *rc::gen::inRange(0, 60);
  double ts = 1000;
  for (int i = 0; i < count; ++i) {
    ts += *rc::gen::element(0.0, 0.0, 0.5, 1.0, 1.001, 2.0, 3.0, 7.5);
    c.rows.push_back({ts,
                      {*rc::gen::element<std::string>("a", "b", "c", ""),
                       *rc::gen::element<std::string>("x", "y", ""),
                       *rc::gen::element<std::string>("b", "e", "m", "n")},
                      i});
  }
  c.shuffled = shuffle(c.rows, c.stage.lateness_ns);
  return c;
}

// key, start, end, n, state; sorted.
using Found = std::vector<std::tuple<std::string, int64_t, int64_t, int64_t, std::string>>;

class Finder final : public RowSink {
 public:
  bool take(const Row& row) override {
    const auto& v = row.values;
    CHECK(row.ts.ns == v[2].time_ns);
    found.emplace_back(show(v[0]), v[2].time_ns, v[3].time_ns, v[5].mantissa, show(v[8]));
    return true;
  }
  Found found;
};

Found run(const Case& c, const std::vector<In>& rows) {
  Finder finder;
  const auto op = make_session(c.stage, kInputs, {}, finder);
  feed(*op, kInputs.size(), rows);
  op->finish();
  CHECK(op->stats().late == 0);
  return finder.found;
}

Found naive(const Case& c) {
  struct Open {
    int64_t start, end, n;
  };
  Found found;
  std::map<std::string, Open> open;
  const auto give = [&](const std::string& key, const char* state) {
    const auto node = open.extract(key);
    const Open& o = node.mapped();
    found.emplace_back(key, o.start, o.end, o.n, state);
  };
  int64_t now = 0;
  for (const In& in : c.rows) {
    const int64_t ts = seconds(in.ts);
    now = std::max(now, ts);
    const std::string& key = in.values[0];
    if (key.empty()) continue;
    if (open.count(key) > 0) {
      const Open& o = open[key];
      if (ts - o.end > c.stage.idle_ns ||
          (c.stage.max_ns != INT64_MAX && ts - o.start > c.stage.max_ns) ||
          (c.stage.start_when && in.values[2] == "b")) {
        give(key, "closed");
      }
    }
    auto [at, fresh] = open.try_emplace(key, Open{ts, ts, 0});
    at->second.end = ts;
    ++at->second.n;
    if (c.stage.end_when && in.values[2] == "e") give(key, "closed");
  }
  while (!open.empty()) {
    const auto& [key, o] = *open.begin();
    const bool over = now - o.end > c.stage.idle_ns ||
                      (c.stage.max_ns != INT64_MAX && now - o.start > c.stage.max_ns);
    give(std::string(key), over ? "closed" : "open");
  }
  return found;
}

}  // namespace

TEST_CASE("Sessions are those of a naive grouping of the sorted rows") {
  CHECK(rc::check([] {
    const Case c = draw_case();
    Found ours = run(c, c.rows);
    Found theirs = naive(c);
    std::sort(ours.begin(), ours.end());
    std::sort(theirs.begin(), theirs.end());
    RC_ASSERT(ours == theirs);
  }));
}

TEST_CASE("Rows out of order within the lateness change no byte of the answer") {
  CHECK(rc::check([] {
    const Case c = draw_case();
    Shown sorted, shuffled;
    for (const auto& [rows, shown] :
         {std::pair{&c.rows, &sorted}, std::pair{&c.shuffled, &shuffled}}) {
      const auto op = make_session(c.stage, kInputs, {}, *shown);
      feed(*op, kInputs.size(), *rows);
      op->finish();
    }
    RC_ASSERT(sorted.rows == shuffled.rows);
  }));
}

}  // namespace nines::query::driving
