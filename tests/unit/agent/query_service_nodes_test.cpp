// Agents that answer each other's queries: within their limits, only from their sources, and
// without waiting for each other.
#include <catch2/catch.hpp>
#include <future>
#include <nlohmann/json.hpp>

#include "node_world.hpp"
#include "query/service.hpp"
#include "tail_fixture.hpp"

using namespace nines;
using namespace nines::test;
using collector::testing::append;
using collector::testing::TempDir;
namespace aq = nines::agent::query;
using nlohmann::json;

namespace {

// An agent's queries over one file of so many records.
class Agent {
 public:
  Agent(const Clock& clock, const std::string& name, int records)
      : clock_(clock), service_(config_of(name, records), {}, clock, nullptr), name_(name) {}

  aq::NodeLink link() {
    return {name_, [this](Instant) {
              auto [here, there] = aq::make_pipe(clock_, name_);
              service_.peers()->take(std::move(there));
              return Result<std::unique_ptr<stream::ByteStream>>(std::move(here));
            }};
  }
  std::future<Result<aq::Answered>> begin(const std::string& sql, std::vector<std::string> nodes,
                                          std::vector<aq::NodeLink> links) {
    aq::Wish wish;
    wish.sql = sql;
    wish.writer.format = aq::Format::json;
    wish.nodes = std::move(nodes);
    wish.links = std::move(links);
    auto promise = std::make_shared<std::promise<Result<aq::Answered>>>();
    auto future = promise->get_future();
    service_.ask(std::move(wish),
                 [promise](Result<aq::Answered> done) { promise->set_value(std::move(done)); });
    return future;
  }
  json ask(const std::string& sql, std::vector<std::string> nodes,
           std::vector<aq::NodeLink> links) {
    const auto answered = begin(sql, std::move(nodes), std::move(links)).get();
    if (!answered.ok()) return json{{"error", answered.error().message}};
    return json::parse(answered->text);
  }

 private:
  agent::NodeConfig config_of(const std::string& name, int records) {
    const std::string path = folder_ / "app.json";
    for (int i = 0; i < records; ++i) {
      append(path, R"({"ts":"2026-03-01T00:00:00Z","n":)" + std::to_string(i) + "}\n");
    }
    agent::NodeConfig config;
    config.node = name;
    agent::SourceConfig source;
    source.name = source.service = "app";
    source.selector.paths = {path};
    source.selector.format = "json";
    config.sources.push_back(source);
    return config;
  }

  TempDir folder_;
  const Clock& clock_;
  aq::QueryService service_;
  std::string name_;
};

const std::string kCount = "SELECT count(*) AS n FROM logs('app')";

}  // namespace

TEST_CASE("An agent asks itself and other nodes as one") {
  const RunningClock clock(WallTime::from_s(1'772'400'000));
  Agent a(clock, "a", 3), b(clock, "b", 40), c(clock, "c", 500);
  const std::vector<aq::NodeLink> others = {c.link(), b.link()};
  const json all = a.ask(kCount, {"all"}, others);
  CHECK(all["data"] == json::parse(R"([{"n": 543}])"));
  CHECK(all["nodes_ok"] == json::parse(R"(["a", "b", "c"])"));
  CHECK(all["complete"] == true);
  CHECK(a.ask(kCount, {"b", "c"}, others)["data"][0]["n"] == 540);
  CHECK(a.ask(kCount + " AT NODES ('c')", {"all"}, others)["data"][0]["n"] == 500);
  CHECK(a.ask(kCount, {}, others)["data"][0]["n"] == 3);  // without a wish: this node
  const json rows =
      a.ask("SELECT node, n FROM logs('app') WHERE n = 2 ORDER BY node", {"*"}, others);
  CHECK(rows["data"] ==
        json::parse(R"([{"node":"a","n":2},{"node":"b","n":2},{"node":"c","n":2}])"));
  const std::string unknown = a.ask(kCount, {"d"}, others)["error"];
  CHECK(unknown == "no node is called 'd'; there are a, b, c");
}

TEST_CASE("Agents that ask each other at the same time do not wait for each other") {
  const RunningClock clock(WallTime::from_s(1'772'400'000));
  Agent a(clock, "a", 3), b(clock, "b", 40);
  std::vector<std::future<Result<aq::Answered>>> answers;
  for (int i = 0; i < 3; ++i) {
    answers.push_back(a.begin(kCount, {"all"}, {b.link()}));
    answers.push_back(b.begin(kCount, {"all"}, {a.link()}));
  }
  for (auto& answer : answers) {
    const auto got = answer.get();
    REQUIRE(got.ok());
    CHECK(got->complete);
    CHECK(json::parse(got->text)["data"][0]["n"] == 43);
  }
}

TEST_CASE("An agent that is gone is named, and the others' part is the answer") {
  const RunningClock clock(WallTime::from_s(1'772'400'000));
  Agent a(clock, "a", 3);
  const aq::NodeLink gone{"b", [](Instant) {
                            return Result<std::unique_ptr<stream::ByteStream>>(
                                Error{Errc::unavailable, "connection refused"});
                          }};
  const json got = a.ask(kCount, {"all"}, {gone});
  CHECK(got["data"][0]["n"] == 3);
  CHECK(got["complete"] == false);
  CHECK(got["nodes_failed"] == json::parse(R"(["b"])"));
  CHECK(got["notes"][0] == "b: connection refused; nothing of it is in the answer");
}
