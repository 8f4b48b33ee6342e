#include "../../../sync/src/sql/memory.hpp"

#include <sqlite3.h>

#include <catch2/catch.hpp>

#include "nines/sql/residual.hpp"
#include "sql_table.hpp"

using namespace nines;
using namespace nines::testing;

namespace {

MemoryTable wide(int rows) {
  MemoryTable t({"n", "pad"});
  t.batch = 100;
  for (int i = 0; i < rows; ++i) {
    t.add({integer((i * 7919LL) % rows), text(std::string(100, static_cast<char>('a' + i % 26)))});
  }
  return t;
}

Status run(const char* statement, MemoryTable& t, size_t max_bytes, size_t& peak) {
  sql::Limits limits;
  limits.max_bytes = max_bytes;
  auto prepared = sql::Residual::prepare(statement, {{"t", &t}}, limits);
  if (!prepared.ok()) return prepared.error();
  TextSink sink;
  Status done = (*prepared)->run(sink);
  peak = (*prepared)->usage().peak_bytes;
  return done;
}

}  // namespace

TEST_CASE("A statement that needs more memory than it may fails alone, and says what to do") {
  REQUIRE(sql::meter_sqlite_heap());
  MemoryTable t = wide(20'000);
  sqlite3* other = nullptr;
  REQUIRE(sqlite3_open(":memory:", &other) == SQLITE_OK);
  for (const char* statement :
       {"SELECT pad FROM t ORDER BY n", "SELECT n, count(*) FROM t GROUP BY n, pad",
        "SELECT DISTINCT n, pad FROM t", "SELECT n, lag(pad) OVER (ORDER BY n) FROM t",
        "SELECT group_concat(pad) FROM t",
        "WITH c AS MATERIALIZED (SELECT * FROM t) "
        "SELECT count(*) FROM c x JOIN c y ON x.n = y.n",
        "SELECT topk(n, 100000) FROM t"}) {
    INFO(statement);
    size_t peak = 0;
    const Status done = run(statement, t, 1'000'000, peak);
    REQUIRE(!done.ok());
    CHECK(done.error().code == Errc::exhausted);
    CHECK(done.error().message.find("max_memory") != std::string::npos);
    CHECK(peak <= 1'000'000);
    CHECK(run(statement, t, size_t{64} << 20, peak).ok());
    CHECK(sqlite3_exec(other, "CREATE TABLE IF NOT EXISTS x AS SELECT randomblob(2000000)", nullptr,
                       nullptr, nullptr) == SQLITE_OK);
  }
  sqlite3_close(other);
}

TEST_CASE("Memory of a streaming statement does not grow with its rows") {
  size_t few = 0, many = 0;
  MemoryTable small = wide(1'000);
  MemoryTable large = wide(30'000);
  REQUIRE(run("SELECT sum(n), max(pad) FROM t", small, 8'000'000, few).ok());
  REQUIRE(run("SELECT sum(n), max(pad) FROM t", large, 8'000'000, many).ok());
  CHECK(many <= few + 1000);
}

TEST_CASE("Budgets take, give back and refuse") {
  sql::Budget budget(100);
  CHECK(budget.take(60));
  CHECK_FALSE(budget.take(41));
  CHECK(budget.refused());
  CHECK(budget.take(40));
  CHECK_FALSE(budget.take(SIZE_MAX));
  budget.give(1000);
  CHECK(budget.used() == 0);
  CHECK(budget.peak() == 100);
  sql::Held held(budget);
  CHECK(held.set(70));
  CHECK_FALSE(held.set(101));
  CHECK(held.bytes() == 70);
  CHECK(held.set(10));
  CHECK(budget.used() == 10);
  CHECK(budget.has_room(40, 50));
  CHECK_FALSE(budget.has_room(41, 50));
}
