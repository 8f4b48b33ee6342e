#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "query/row_posts.hpp"
#include "query/standing.hpp"

using namespace nines;
namespace aq = nines::agent::query;
namespace nq = nines::query;

namespace {

constexpr int64_t kSecond = kNsPerSecond;

class Rows final : public nq::RowSink {
 public:
  bool take(const nq::Row& row) override {
    std::string text;
    for (const Value& v : row.values) {
      text += (text.empty() ? "" : " ") +
              std::to_string(v.kind == ValueKind::time ? v.time_ns / kSecond : v.mantissa);
    }
    seen.push_back(text);
    return true;
  }
  std::vector<std::string> seen;
};

nq::Statement parse(const std::string& sql) {
  auto statement = nq::parse_statement(sql, {{}, true});
  REQUIRE(statement.ok());
  return std::move(*statement);
}

void give(aq::StandingBlock& block, int64_t second) {
  const Value values[] = {Value::of_time(second * kSecond)};
  nq::Row row;
  row.values = values;
  row.ts = {second * kSecond};
  row.has_ts = true;
  REQUIRE(block.input().take(row));
}

Instant at(int64_t ms) { return {ms * kNsPerMs}; }

}  // namespace

TEST_CASE("a bucket is given once, when nothing within the lateness can change it", "[query]") {
  const auto statement = parse(
      "SELECT bucket(ts, '10s') AS b, count(*) AS n FROM files('x') GROUP BY b "
      "WITH (lateness='2s')");
  Rows rows;
  const auto block = aq::StandingBlock::make(statement, {}, rows);
  REQUIRE(block.ok());
  give(**block, 1);
  give(**block, 9);
  give(**block, 11);
  (*block)->tick({11 * kSecond});
  CHECK(rows.seen.empty());
  give(**block, 8);
  (*block)->tick({12 * kSecond});
  CHECK(rows.seen == std::vector<std::string>{"0 3"});
  give(**block, 7);
  (*block)->tick({22 * kSecond});
  CHECK(rows.seen == std::vector<std::string>{"0 3", "10 1"});
  CHECK((*block)->stats().late == 1);
  CHECK((*block)->stats().rows_out == 2);
}

TEST_CASE("what needs the whole input cannot stand, and the message says what can", "[query]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"SELECT count(*) FROM files('x')", "bucket(ts, '1m')"},
      {"SELECT n FROM files('x') ORDER BY n", "leave it out"},
      {"SELECT bucket(ts,'1m') b, count(*) FROM files('x') GROUP BY b LIMIT 1", "HAVING"},
  };
  for (const auto& [sql, words] : cases) {
    INFO(sql);
    const auto statement = parse(sql);
    const auto block = aq::standing_block(statement);
    REQUIRE_FALSE(block.ok());
    CHECK(block.error().code == Errc::unsupported);
    CHECK(block.error().message.find(words) != std::string::npos);
  }
}

TEST_CASE("rows are posted at most once a second, and again with the same batch", "[query]") {
  aq::RowPosts posts({});
  CHECK_FALSE(posts.due());
  posts.add("1");
  posts.add("2");
  REQUIRE(posts.begin(at(0)) != nullptr);
  CHECK(*posts.begin(at(0)) == "1,2");
  posts.failed(at(0));
  posts.add("3");
  CHECK(posts.begin(at(1999)) == nullptr);
  REQUIRE(posts.begin(at(2000)) != nullptr);
  CHECK(*posts.begin(at(2000)) == "1,2");
  CHECK(posts.batch_number() == 1);
  posts.answered(503, 10'000, at(2000));
  CHECK(posts.begin(at(11'999)) == nullptr);
  REQUIRE(posts.begin(at(12'000)) != nullptr);
  posts.answered(204, {}, at(12'000));
  CHECK(posts.begin(at(12'999)) == nullptr);
  REQUIRE(posts.begin(at(13'000)) != nullptr);
  CHECK(*posts.begin(at(13'000)) == "3");
  CHECK(posts.batch_number() == 2);
  posts.answered(400, {}, at(13'000));
  CHECK(posts.stats().sent == 2);
  CHECK(posts.stats().lost == 1);
  CHECK(posts.stats().failures == 3);
}

TEST_CASE("rows beyond the declared size of the queue are lost and counted", "[query]") {
  aq::PostLimits limits;
  limits.queue_bytes = 5;
  aq::RowPosts posts(limits);
  posts.add("123");
  posts.add("456");
  posts.add("78");
  CHECK(posts.stats().lost == 1);
  CHECK(posts.stats().pending == 2);
}
