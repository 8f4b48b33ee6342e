#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config_support.hpp"
#include "manual_clock.hpp"
#include "query/bookmark.hpp"
#include "query/standing_queries.hpp"
#include "query/standing_query.hpp"

using namespace nines;
using namespace nines::agent;
namespace aq = nines::agent::query;
namespace nq = nines::query;

namespace {

std::string line(int n, const std::string& fields = "") {
  char stamp[64];
  std::snprintf(stamp, sizeof stamp, R"({"ts":"2026-03-01T00:%02d:%02dZ","n":%d)", n / 60, n % 60,
                n);
  return stamp + fields + "}\n";
}

std::string message(int n, const std::string& id, const std::string& text) {
  return line(n, R"(,"request_id":")" + id + R"(","message":")" + text + "\"");
}

// One log, one query, and what a store would keep of it.
class Scene {
 public:
  explicit Scene(const std::string& sql) {
    config_.name = "q";
    config_.sql = sql;
    config_.from_end = false;
    log = folder_.write("a.log", "");
    SourceConfig source;
    source.name = "a";
    source.selector.paths = {folder_.path() + "/a.log"};
    node_.sources = {source};
  }

  void append(const std::string& text) const { std::ofstream(log, std::ios::app) << text; }

  aq::StandingRun run() {
    if (!query_) {
      aq::Bookmark bookmark;
      auto kept = aq::Bookmark::decode(documents);
      if (kept.contains("q")) bookmark = std::move(kept["q"]);
      query_ = std::make_unique<aq::StandingQuery>(config_, node_, clock, std::move(bookmark),
                                                   aq::RunControl{});
    }
    clock.advance_s(60);
    aq::StandingRun run = query_->run();
    for (const std::string& problem : run.problems) FAIL(problem);
    if (!run.documents.empty()) documents = run.documents;
    return run;
  }
  std::string rows() { return run().rows; }
  void restart() { query_.reset(); }
  StandingQueryConfig& config() { return config_; }

  std::string log;
  std::vector<store::Document> documents;
  nines::test::ManualClock clock{WallTime::from_s(1'772'323'200)};

 private:
  agent::test::ConfigFolder folder_;
  StandingQueryConfig config_;
  NodeConfig node_;
  std::unique_ptr<aq::StandingQuery> query_;
};

Status check(const std::string& sql) {
  const auto statement = nq::parse_statement(sql, {{}, true});
  if (!statement.ok()) FAIL(statement.error().message);
  return aq::StandingQuery::check(*statement);
}

}  // namespace

TEST_CASE("a run looks at what was written since the run before, and at nothing else", "[query]") {
  Scene scene("SELECT n FROM logs('a') WHERE n % 2 = 1");
  scene.append(line(1) + line(2) + line(3));
  const aq::StandingRun first = scene.run();
  CHECK(first.rows == R"([{"n":1},{"n":3}])");
  CHECK(first.count == 2);
  CHECK(first.records == 3);
  CHECK(first.lag_bytes == 0);
  const aq::StandingRun nothing = scene.run();
  CHECK(nothing.rows == "[]");
  CHECK(nothing.records == 0);
  CHECK(nothing.documents.empty());  // not worth a write
  scene.append(line(5));
  CHECK(scene.rows() == R"([{"n":5}])");
}

TEST_CASE("a restart goes on at the last place that was kept", "[query]") {
  Scene scene("SELECT n FROM logs('a')");
  scene.append(line(1));
  CHECK(scene.rows() == R"([{"n":1}])");
  scene.append(line(2));
  const auto kept = scene.documents;
  CHECK(scene.rows() == R"([{"n":2}])");
  scene.restart();
  scene.append(line(3));
  CHECK(scene.rows() == R"([{"n":3}])");
  scene.restart();
  scene.documents = kept;  // the others were never written
  CHECK(scene.rows() == R"([{"n":2},{"n":3}])");
}

TEST_CASE("what is in files before the query was is passed over, if it is to start at the end",
          "[query]") {
  Scene scene("SELECT n FROM logs('a')");
  scene.config().from_end = true;
  scene.append(line(1) + line(2));
  CHECK(scene.rows() == "[]");
  scene.restart();
  scene.append(line(3));
  CHECK(scene.rows() == R"([{"n":3}])");
}

TEST_CASE("groups, order and limits are of one run", "[query]") {
  Scene scene("SELECT u, count(*) AS c FROM logs('a') GROUP BY u HAVING c >= 2 ORDER BY u LIMIT 1");
  const auto user = [](int n, const std::string& u) { return line(n, R"(,"u":")" + u + "\""); };
  scene.append(user(1, "b") + user(2, "b") + user(3, "a") + user(4, "c") + user(5, "c"));
  CHECK(scene.rows() == R"([{"u":"b","c":2}])");
  scene.append(user(6, "a"));
  CHECK(scene.rows() == "[]");
  scene.append(user(7, "a") + user(8, "a"));
  CHECK(scene.rows() == R"([{"u":"a","c":2}])");
}

TEST_CASE("a limit without order takes the first rows of each run and reads all of it", "[query]") {
  Scene scene("SELECT n FROM logs('a') LIMIT 1");
  scene.append(line(1) + line(2));
  CHECK(scene.rows() == R"([{"n":1}])");
  scene.append(line(3) + line(4));
  CHECK(scene.rows() == R"([{"n":3}])");
}

TEST_CASE("a message holds so many rows and bytes, and says how many more there were", "[query]") {
  Scene scene("SELECT n FROM logs('a')");
  scene.config().limit = 2;
  scene.append(line(1) + line(2) + line(3) + line(4));
  const aq::StandingRun run = scene.run();
  CHECK(run.rows == R"([{"n":1},{"n":2}])");
  CHECK(run.count == 4);
  CHECK(run.omitted == 2);

  Scene large("SELECT raw FROM logs('a')");
  large.append(line(1, R"(,"x":")" + std::string(40'000, 'x') + "\"") + line(2));
  const aq::StandingRun second = large.run();
  CHECK(second.omitted == 1);
  CHECK(second.rows.size() < aq::StandingQuery::kMaxRowsBytes);
}

TEST_CASE("a match may begin in one run and end in another", "[query]") {
  Scene scene(
      "SELECT request_id FROM logs('a') SEQUENCE BY request_id WITHIN '5m' "
      "(a: message = 'paid', b: message = 'invoiced')");
  scene.append(message(1, "r1", "paid") + message(2, "r2", "paid"));
  CHECK(scene.rows() == "[]");
  scene.append(message(3, "r1", "invoiced"));
  CHECK(scene.rows() == "[]");  // a record may be late
  CHECK(scene.rows() == R"([{"request_id":"r1"}])");
  CHECK(scene.rows() == "[]");
}

TEST_CASE("a session that is over is told although nobody logs anything more", "[query]") {
  Scene scene("SELECT request_id, n FROM logs('a') SESSION BY request_id IDLE '90s'");
  scene.append(message(1, "r1", "x") + message(2, "r1", "y"));
  CHECK(scene.rows() == "[]");
  CHECK(scene.rows() == "[]");  // 60 s later
  CHECK(scene.rows() == R"([{"request_id":"r1","n":2}])");
  CHECK(scene.rows() == "[]");
}

TEST_CASE("what cannot stand in a configuration is refused with what can", "[query]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"EXPLAIN SELECT n FROM logs('a')", "EXPLAIN"},
      {"WITH x AS (SELECT n FROM logs('a')) SELECT n FROM x", "joins"},
      {"SELECT n, row_number() OVER (ORDER BY n) FROM logs('a')", "cannot have"},
      {"SELECT n FROM remote('central')", "a remote"},
      {"SELECT n FROM files('-')", "standard input"},
      {"SELECT bucket(ts, '1m') AS b, count(*) AS n, anomaly(n) OVER (BUCKETS '1m' BASELINE '1h') "
       "FROM logs('a') GROUP BY b",
       "anomaly()"},
      {"SELECT request_id FROM logs('a') SESSION BY request_id LIMIT 3", "LIMIT of sessions"},
      {"SELECT count(*) FROM logs('a') SESSION BY request_id", "aggregates over sessions"},
  };
  for (const auto& [sql, words] : cases) {
    INFO(sql);
    const Status refused = check(sql);
    REQUIRE_FALSE(refused.ok());
    INFO(refused.error().message);
    CHECK(refused.error().message.find(words) != std::string::npos);
  }
  for (const char* sql :
       {"SELECT count(*) FROM logs('a')", "SELECT DISTINCT u FROM files('/x/*.log') ORDER BY u",
        "SELECT n FROM logs('a') WHERE level >= ERROR CONTEXT 2 BEFORE 2 AFTER",
        "SELECT * FROM logs('a') SESSION BY request_id"}) {
    INFO(sql);
    CHECK(check(sql).ok());
  }
}

TEST_CASE("a bookmark comes back as it was, in as many documents as it needs", "[query]") {
  aq::Bookmark bookmark;
  CHECK(bookmark.fresh());
  std::vector<slo::Position> many;
  for (int i = 0; i < 1000; ++i) {
    many.push_back({"key " + std::to_string(i), std::string(100, '\0') + ":" + std::to_string(i)});
  }
  CHECK(bookmark.apply({{"/var/log/a\n", many}, {"/var/log/b\n", {{"k", "v"}}}}));
  CHECK_FALSE(bookmark.apply({{"/var/log/b\n", {{"k", "v"}}}}));
  bookmark.set_run_at(WallTime::from_s(5));
  auto documents = bookmark.documents("q");
  CHECK(documents.size() > 1);
  for (const auto& document : documents) CHECK(document.body.size() <= 64 * 1024);
  documents.push_back({aq::kBookmarkKind, "gone/000", "not a bookmark"});
  auto back = aq::Bookmark::decode(documents);
  REQUIRE(back.size() == 1);
  CHECK(back["q"].run_at() == WallTime::from_s(5));
  const auto positions = back["q"].positions();
  REQUIRE(positions.size() == 2);
  CHECK(positions[0].positions.size() == 1000);
  CHECK(back["q"].documents("q") == bookmark.documents("q"));
  const auto forgotten = aq::Bookmark::forget_others(documents, {"q"});
  REQUIRE(forgotten.size() == 1);
  CHECK(forgotten[0] == store::Document{aq::kBookmarkKind, "gone/000", ""});

  // What is needed no more goes, the documents too.
  back["q"].retain({"/var/log/b\n"});
  const auto less = back["q"].documents("q");
  REQUIRE(less.size() == documents.size() - 1);
  CHECK_FALSE(less[0].body.empty());
  for (size_t i = 1; i < less.size(); ++i) CHECK(less[i].body.empty());
  documents.erase(documents.begin());
  CHECK(aq::Bookmark::decode(documents).empty());  // a piece is missing
}

namespace {

class SteadyClock final : public Clock {
 public:
  Instant mono() const noexcept override {
    return {std::chrono::steady_clock::now().time_since_epoch().count()};
  }
  WallTime wall() const noexcept override { return WallTime::from_s(1'772'323'200); }
};

// Answers commits by a script, good ones afterwards.
class Keeper {
 public:
  explicit Keeper(std::vector<Status> script) : script_(std::move(script)) {}

  aq::StandingQueries::Commit commit() {
    return [this](std::shared_ptr<store::StateStore::Record> record, auto done) {
      Status status = Ok{};
      {
        const std::lock_guard lock(mutex_);
        if (records.size() < script_.size()) status = script_[records.size()];
        records.push_back(*record);
      }
      changed_.notify_all();
      done(status);
    };
  }
  void wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(
        changed_.wait_for(lock, std::chrono::seconds(30), [&] { return records.size() >= count; }));
  }

  std::vector<store::StateStore::Record> records;

 private:
  std::vector<Status> script_;
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace

TEST_CASE("rows that could not be written are written later, and nothing runs before", "[query]") {
  const agent::test::ConfigFolder folder;
  const std::string log = folder.write("a.log", line(1) + line(2));
  NodeConfig node;
  StandingQueryConfig config;
  config.name = "q";
  config.sql = "SELECT n FROM files('" + log + "')";
  config.every_s = 3600;
  config.from_end = false;
  config.notify = {"ops"};
  node.queries = {config};
  const SteadyClock clock;
  const Error full{Errc::exhausted, "the disk is full"};
  Keeper keeper({full, full});
  std::vector<QueryStatus> statuses;
  {
    aq::StandingQueries queries(node, clock, {{aq::kBookmarkKind, "gone/000", "x"}},
                                keeper.commit(), kNsPerMs);
    queries.start();
    keeper.wait_for(4);  // twice what is to be forgotten, then that, then the rows
    statuses = queries.statuses();
  }
  CHECK(keeper.records[2].documents ==
        std::vector<store::Document>{{aq::kBookmarkKind, "gone/000", ""}});
  const auto& told = keeper.records[3];
  REQUIRE(told.events.size() == 1);
  CHECK(told.events[0].rows == R"([{"n":1},{"n":2}])");
  CHECK(told.events[0].rule == "q");
  CHECK(told.events[0].notify == std::vector<std::string>{"ops"});
  CHECK(told.documents.size() == 1);
  REQUIRE(statuses.size() == 1);
  CHECK(statuses[0].runs == 1);
  CHECK(statuses[0].rows == 2);
  CHECK(statuses[0].not_kept == 2);
}
