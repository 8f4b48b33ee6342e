// What SESSION, SEQUENCE and MATCH_RECOGNIZE cost a row, without the scan: nanoseconds of CPU time
// over synthetic rows that come in order.
//   match_bench [ROWS]     (10,000,000)
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "../../../core/src/query/match_operators.hpp"
#include "nines/base/contract.hpp"
#include "nines/query/plan.hpp"

namespace {

using namespace nines;         // NOLINT(google-build-using-namespace)
using namespace nines::query;  // NOLINT(google-build-using-namespace)

double cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

expr::Expression parsed(const char* text) {
  auto expression = expr::Expression::parse(text);
  NINES_ASSERT(expression.ok());
  return *expression;
}

class Counter final : public RowSink {
 public:
  bool take(const Row&) override {
    ++rows;
    return true;
  }
  uint64_t rows = 0;
};

// Requests of 3 to 8 rows that overlap: id, service, level, message. 333 rows a second of log
// time, as in query_data sess.
class Rows {
 public:
  // `wanted`: which columns() the rows have, in this order.
  Rows(uint64_t count, const std::vector<std::string>& wanted) : left_(count) {
    const std::vector<std::string> all = columns();
    for (const std::string& name : wanted) {
      const auto at = std::find(all.begin(), all.end(), name);
      NINES_ASSERT(at != all.end());
      places_.push_back(static_cast<size_t>(at - all.begin()));
    }
    given_.resize(places_.size());
  }

  bool next(Row& row) {
    if (left_ == 0) return false;
    --left_;
    ++number_;
    seed_ = seed_ * 6364136223846793005 + 1442695040888963407;
    Request& request = requests_[(seed_ >> 33) % requests_.size()];
    if (request.step == request.steps) {
      request.step = 0;
      request.steps = 3 + static_cast<int>((seed_ >> 20) % 6);
      const int bytes = std::snprintf(request.id, sizeof request.id, "req-%012llx",
                                      static_cast<unsigned long long>(++requests_made_));
      request.bytes = static_cast<size_t>(bytes);
      // The first and last rows of some requests are those that a sequence asks for.
      request.pays = (seed_ >> 40) % 4 == 0;
    }
    ++request.step;
    static const char* const kServices[] = {"cart", "orders", "payment", "users", "search"};
    const char* message = "processing item of the request";
    if (request.pays && request.step == 1) message = "payment authorized";
    if (request.pays && request.step == request.steps) message = "invoice created";
    values_[0] = Value::of_text({request.id, request.bytes});
    values_[1] = Value::of_text(kServices[(seed_ >> 45) % 5]);
    values_[2] = Value::of_level((seed_ >> 50) % 100 == 0 ? Level::error : Level::info, {});
    values_[3] = Value::of_text(message);
    for (size_t i = 0; i < places_.size(); ++i) given_[i] = values_[places_[i]];
    row.values = given_;
    row.has_ts = true;
    row.ts.ns = 1'700'000'000'000'000'000 + number_ * 3'000'000;
    row.place.at = number_ * 200;
    return true;
  }

  static std::vector<std::string> columns() {
    return {"request_id", "service", "level", "message"};
  }

 private:
  struct Request {
    char id[24] = {};
    size_t bytes = 0;
    int step = 0, steps = 0;
    bool pays = false;
  };
  uint64_t left_;
  uint64_t seed_ = 42;
  int64_t number_ = 0;
  uint64_t requests_made_ = 0;
  std::vector<Request> requests_ = std::vector<Request>(600);
  Value values_[4];
  std::vector<size_t> places_;
  std::vector<Value> given_;
};

// The cost of making the rows is taken off.
double measure(const char* what, uint64_t count, double bare_s, Operator* op, const Counter& out,
               const std::vector<std::string>& inputs = Rows::columns()) {
  Rows rows(count, inputs);
  Row row;
  const double start = cpu_s();
  uint64_t texts = 0;
  while (rows.next(row)) {
    texts += row.values.empty() ? 1 : row.values[0].text.size();
    if (op != nullptr) op->take(row);
  }
  if (op != nullptr) op->finish();
  const double used = cpu_s() - start;
  NINES_ASSERT(texts > 0);
  if (op != nullptr) {
    const double ns = (used - bare_s) * 1e9 / static_cast<double>(count);
    std::printf("%-36s %6.1f ns a row, %5.1f M/s, %8.0f kB, %llu rows out, %llu evicted\n", what,
                ns, 1e3 / ns, static_cast<double>(op->stats().peak_bytes) / 1e3,
                static_cast<unsigned long long>(out.rows),
                static_cast<unsigned long long>(op->stats().evicted));
  }
  return used;
}

void sessions(uint64_t count, double bare_s) {
  const auto inputs = Rows::columns();
  SessionStage stage;
  stage.keys = {{"request_id", parsed("request_id")}};
  for (const int kind : {0, 1, 2}) {
    stage.with_services = kind > 0;
    if (kind == 2) stage.max_ns = int64_t{600} * kNsPerSecond;
    static const char* const kNames[] = {"SESSION IDLE 30s", "SESSION IDLE 30s, services",
                                         "SESSION IDLE 30s MAX 10m, services"};
    Counter out;
    const auto op = make_session(stage, inputs, {}, out);
    measure(kNames[kind], count, bare_s, op.get(), out);
  }
}

PatternExpression step(const char* name, const char* condition) {
  return {name, parsed(condition), {}};
}

// The payments that no invoice followed within 5 s, and those that one followed.
void sequences(uint64_t count, double bare_s) {
  const auto inputs = Rows::columns();
  MatchStage stage;
  stage.sequence = true;
  stage.keys = {{"request_id", parsed("request_id")}};
  stage.within_ns = int64_t{5} * kNsPerSecond;
  stage.define = {step("a", "message = 'payment authorized'"),
                  step("b", "message = 'invoice created'"), step("f", "level = 'ERROR'")};
  PatternNode a, b, f;
  a.kind = b.kind = PatternNode::Kind::variable;
  f.kind = PatternNode::Kind::absent;
  a.name = "a";
  b.name = "b";
  f.name = "f";
  stage.pattern.kind = PatternNode::Kind::sequence;
  for (const bool with_absent : {false, true}) {
    stage.pattern.kids = {a, b};
    if (with_absent) stage.pattern.kids = {a, f, b};
    Counter out;
    const auto op = make_match(stage, inputs, {}, out);
    measure(with_absent ? "SEQUENCE WITHIN 5s (a, NOT f, b)" : "SEQUENCE WITHIN 5s (a, b)", count,
            bare_s, op.get(), out);
  }
}

// MATCH_RECOGNIZE by the shape of its pattern. 600 partitions are open at a time.
struct Shape {
  const char* name;
  const char* rest;  // of the clause
};
constexpr Shape kShapes[] = {
    {"A B", "PATTERN (A B) WITHIN '5s' DEFINE A AS service = 'cart', B AS service = 'orders'"},
    {"A+ B", "PATTERN (A+ B) WITHIN '5s' DEFINE A AS service = 'cart', B AS service = 'orders'"},
    {"A B* C",
     "PATTERN (A B* C) WITHIN '5s' DEFINE A AS message = 'payment authorized', "
     "C AS message = 'invoice created'"},
    {"A B*? C",
     "PATTERN (A B*? C) WITHIN '5s' DEFINE A AS message = 'payment authorized', "
     "C AS message = 'invoice created'"},
    {"(A | B) C{2,3}",
     "PATTERN ((A | B) C{2,3}) WITHIN '5s' DEFINE A AS service = 'cart', B AS service = 'users', "
     "C AS level < WARN"},
    {"PERMUTE(A, B, C)",
     "PATTERN (PERMUTE(A, B, C)) WITHIN '5s' DEFINE A AS service = 'cart', "
     "B AS service = 'orders', C AS service = 'payment'"},
    {"^ A B", "PATTERN (^ A B) WITHIN '5s' DEFINE A AS level < WARN, B AS service = 'orders'"},
    {"A B+, B like PREV", "PATTERN (A B+) WITHIN '5s' DEFINE B AS service = PREV(service)"},
    {"A B+, measures and TO NEXT ROW",
     "MEASURES A.service AS first, LAST(B.service) AS last, count(B.service) AS n "
     "AFTER MATCH SKIP TO NEXT ROW PATTERN (A B+) WITHIN '5s' DEFINE A AS service = 'cart', "
     "B AS service <> 'cart'"},
};

void patterns(uint64_t count) {
  for (const Shape& shape : kShapes) {
    std::string sql =
        "SELECT * FROM logs('*') MATCH_RECOGNIZE (PARTITION BY request_id ORDER BY ts ";
    if (std::string_view(shape.rest).starts_with("PATTERN")) {
      sql += "MEASURES CLASSIFIER() AS last ";
    }
    const auto statement = parse_statement(sql + shape.rest + ")", {});
    if (!statement.ok()) std::fprintf(stderr, "%s\n", statement.error().message.c_str());
    NINES_ASSERT(statement.ok());
    const auto& block = std::get<Block>(statement->inputs.at(0).what);
    const auto& stage = std::get<MatchStage>(block.stages.at(0));
    const std::vector<std::string> inputs = columns_of(block.scan);
    const Counter nothing;
    const double bare_s = measure("", count, 0, nullptr, nothing, inputs);
    Counter out;
    const auto op = make_match(stage, inputs, {}, out);
    measure(shape.name, count, bare_s, op.get(), out, inputs);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const uint64_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000'000;
  const Counter nothing;
  const double bare_s = measure("", count, 0, nullptr, nothing);
  std::printf("%-36s %6.1f ns a row\n", "making the rows",
              bare_s * 1e9 / static_cast<double>(count));
  sessions(count, bare_s);
  sequences(count, bare_s);
  patterns(count);
  return 0;
}
