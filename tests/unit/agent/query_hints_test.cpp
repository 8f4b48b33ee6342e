// What is said of fields that a statement names and no record has.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "node_world.hpp"
#include "query/execute.hpp"
#include "tail_fixture.hpp"

using namespace nines;
using namespace nines::test;
using collector::testing::append;
using collector::testing::TempDir;
namespace aq = nines::agent::query;

namespace {

constexpr WallTime kNow{1'772'400'000'000'000'000};
using Hints = std::vector<std::string>;

class Counting final : public aq::AnswerSink {
 public:
  void begin(const std::vector<std::string>&) override {}
  bool take(const nines::query::Row&) override { return true; }
};

class Log {
 public:
  explicit Log(const std::string& text) : path_(folder_.path() + "/shop.json") {
    append(path_, text);
  }
  aq::Answer ask(const std::string& sql, unsigned threads = 1, bool native = true) {
    const auto statement = nines::query::parse_statement(sql, {kNow, native});
    INFO(sql);
    REQUIRE(statement.ok());
    Counting out;
    aq::Answer answer;
    REQUIRE(aq::run_statement(*statement, environment_over(clock_, {path_}, "json", threads), out,
                              answer)
                .ok());
    return answer;
  }

 private:
  TempDir folder_;
  std::string path_;
  RunningClock clock_{kNow};
};

std::string records(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += R"({"ts":"2026-03-01T00:00:00Z","level":"info","status":)" + std::to_string(i % 600) +
            R"(,"http":{"method":"GET"},"message":"request )" + std::to_string(i) + "\"}\n";
  }
  return text;
}

}  // namespace

TEST_CASE("A field that occurs in no record is told, with the nearest name that does", "[query]") {
  Log log(records(100));
  for (const unsigned threads : {1u, 3u}) {
    for (const bool native : {true, false}) {
      const aq::Answer answer = log.ask("SELECT statsu WHERE statsu >= 500", threads, native);
      CHECK(answer.hints == Hints{"field 'statsu' occurs in no record; did you mean 'status'?"});
      CHECK(answer.complete);
    }
  }
  CHECK(log.ask("SELECT method, count(*) GROUP BY method").hints ==
        Hints{"field 'method' occurs in no record; did you mean 'http.method'?"});
  CHECK(log.ask("SELECT count(*) WHERE warehouse IS NULL").hints ==
        Hints{"field 'warehouse' occurs in no record"});
}

TEST_CASE("Nothing is told of fields that some record has, or that are not the log's", "[query]") {
  Log log(records(1000) + R"({"ts":"2026-03-01T00:00:00Z","rare":1,"nothing":null})" + "\n");
  for (const char* const sql :
       {"SELECT *", "SELECT rare", "SELECT status, \"http.method\" WHERE status > 1000",
        "SELECT line, source, node, service, raw, ts", "SELECT n EXTRACT message PATTERN 'x<n>'",
        "SELECT raw WHERE message ~ 'request 7' CONTEXT 1", "SELECT count(*) AS many",
        "SELECT a.status FROM logs('*') a JOIN logs('*') b ON a.rare = b.rare",
        "SELECT status, n, services, timeline SESSION BY status",
        "SELECT count(*) SEQUENCE BY status WITHIN '5s' (a: rare = 1, b: status > 5)"}) {
    INFO(sql);
    CHECK(log.ask(sql).hints == Hints{});
  }
}

TEST_CASE("Where only some records were looked at, no more is claimed", "[query]") {
  Log log(records(1000) + R"({"ts":"2026-03-01T00:00:00Z","rare":1})" + "\n");
  CHECK(log.ask("SELECT warehouse WHERE message ~ 'request 77'").hints == Hints{});
  CHECK(log.ask("SELECT statsu LIMIT 3").hints ==
        Hints{"field 'statsu' occurs in no record that was looked at; did you mean 'status'?"});
  // No line holds the word, so nothing was judged; the first records tell.
  CHECK(log.ask("SELECT raw WHERE massage = 'unheard of'").hints ==
        Hints{"field 'massage' occurs in no record that was looked at; did you mean 'message'?"});
  // A name that records have which were not looked at.
  CHECK(log.ask("SELECT status WHERE rare = 1").hints == Hints{});
}

TEST_CASE("Nothing is told of an empty log", "[query]") {
  CHECK(Log("").ask("SELECT statsu WHERE statsu > 5").hints.empty());
}

TEST_CASE("Names out of a log reach no terminal as they are", "[query]") {
  Log log(R"({"st\u001batus":1,"st)"
          "\x1b"
          R"(tus":2})"
          "\n");
  const aq::Answer answer = log.ask("SELECT status");
  REQUIRE(answer.hints.size() == 1);
  CHECK(answer.hints[0].find('\x1b') == std::string::npos);
}

TEST_CASE("Hints stand among the notes of tables and JSON, and leave an answer complete",
          "[query]") {
  aq::Answer answer;
  answer.hint("did you mean that?");
  answer.hint("did you mean that?");
  const auto tree = nlohmann::json::parse(aq::answer_json(answer));
  CHECK(tree["notes"] == nlohmann::json({"did you mean that?"}));
  CHECK(tree["complete"] == true);
  CHECK(aq::answer_text(answer).ends_with("\n  did you mean that?\n"));
  aq::Answer whole;
  whole.add_input(answer);
  CHECK(whole.hints == answer.hints);
}
