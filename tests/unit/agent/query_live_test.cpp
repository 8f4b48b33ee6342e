// Answers that are read while they are made: by a thread of this process, and over HTTP.
#include <catch2/catch.hpp>
#include <condition_variable>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>

#include "http/query_api.hpp"
#include "http_fixture.hpp"
#include "node_world.hpp"
#include "query/service.hpp"
#include "tail_fixture.hpp"

using namespace nines;
using namespace nines::test;
using agent::test::RawClient;
using agent::test::RunningServer;
using collector::testing::append;
using collector::testing::TempDir;
namespace aq = nines::agent::query;
namespace http = nines::agent::http;
using nlohmann::json;

namespace {

constexpr size_t kRows = 20'000;
constexpr size_t kMostWaiting = 4 * 1024;
constexpr size_t kPiece = 80 * 1024;  // more than a writer gives at once
const std::string kAll = "SELECT n FROM logs('app')";

struct World {
  World()
      : service(std::make_unique<aq::QueryService>(config_of(folder), aq::ServiceLimits(), clock,
                                                   nullptr)) {}

  static agent::NodeConfig config_of(const TempDir& folder) {
    std::string lines;
    for (size_t i = 0; i < kRows; ++i) {
      lines += R"({"ts":"2026-03-01T00:00:00Z","n":)" + std::to_string(i) + "}\n";
    }
    append(folder / "app.json", lines);
    agent::NodeConfig config;
    config.node = "a";
    agent::SourceConfig source;
    source.name = source.service = "app";
    source.selector.paths = {folder / "app.json"};
    source.selector.format = "json";
    config.sources.push_back(source);
    return config;
  }

  std::future<Result<aq::Answered>> begin(std::shared_ptr<aq::LiveAnswer> live,
                                          int64_t deadline_ns = 60 * kNsPerSecond) {
    aq::Wish wish;
    wish.sql = kAll;
    wish.writer.format = aq::Format::ndjson;
    wish.deadline_ns = deadline_ns;
    wish.live = std::move(live);
    auto promise = std::make_shared<std::promise<Result<aq::Answered>>>();
    auto future = promise->get_future();
    service->ask(std::move(wish),
                 [promise](Result<aq::Answered> done) { promise->set_value(std::move(done)); });
    return future;
  }

  RunningClock clock{WallTime::from_s(1'772'400'000)};
  TempDir folder;
  std::unique_ptr<aq::QueryService> service;
};

// Waits for the query to have something to say.
class Doorbell {
 public:
  std::function<void()> ring() {
    return [this] {
      {
        const std::lock_guard lock(mutex_);
        rung_ = true;
      }
      changed_.notify_one();
    };
  }
  void wait() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(20), [this] { return rung_; }));
    rung_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool rung_ = false;
};

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(json::parse(line));
  return out;
}

std::string post(const std::string& body) {
  return "POST /api/query HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer t\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

// The agent's route over a real service and real sockets.
struct Served : World {
  Served()
      : server({}, http::make_query_api(
                       {"t",
                        [this](aq::Wish wish, auto done) {
                          service->ask(std::move(wish), [this, done](Result<aq::Answered> answer) {
                            auto kept = std::make_shared<Result<aq::Answered>>(std::move(answer));
                            boost::asio::post(server.io(), [done, kept] { done(*kept); });
                          });
                        },
                        [this](const aq::Wish& wish) { return service->check(wish); },
                        [this](std::function<void()> wake) {
                          last = std::make_shared<aq::LiveAnswer>(
                              clock, kMostWaiting,
                              [this, wake] { boost::asio::post(server.io(), wake); });
                          return last;
                        }},
                       [](const http::HttpRequest&, const http::Reply& reply) {
                         reply(http::problem(404, "not here"));
                       })) {}
  ~Served() { service.reset(); }  // while what it answers has a loop to go to
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  std::shared_ptr<aq::LiveAnswer> last;  // to be looked at while the server answers nothing
  RunningServer server;
};

}  // namespace

TEST_CASE("Rows of a live answer come while it is made, and what waits is bounded", "[query]") {
  World world;
  Doorbell bell;
  const auto live = std::make_shared<aq::LiveAnswer>(world.clock, kMostWaiting, bell.ring());
  auto done = world.begin(live);
  std::string all;
  size_t pieces = 0, most = 0;
  for (auto state = aq::LiveAnswer::State::waiting; state != aq::LiveAnswer::State::ended;) {
    bell.wait();
    const auto piece = live->take();
    state = piece.state;
    pieces += !piece.bytes.empty();
    most = std::max(most, piece.bytes.size());
    all += piece.bytes;
    CHECK_FALSE(piece.error);
  }
  REQUIRE(done.get().ok());
  const auto lines = lines_of(all);
  REQUIRE(lines.size() == kRows + 1);
  CHECK(lines.front()["n"] == 0);
  CHECK(lines[kRows - 1]["n"] == kRows - 1);
  CHECK(lines.back()["_answer"]["rows"] == kRows);
  CHECK(lines.back()["_answer"]["complete"] == true);
  CHECK(pieces > 2);
  CHECK(most <= kMostWaiting + kPiece);
  CHECK(live->rows() == kRows);
  CHECK(live->bytes_done() == live->bytes_total());
}

TEST_CASE("A query whose reader leaves ends, and the next one runs", "[query]") {
  World world;
  Doorbell bell;
  const auto live = std::make_shared<aq::LiveAnswer>(world.clock, kMostWaiting, bell.ring());
  auto done = world.begin(live);
  bell.wait();  // it has begun, and nobody takes its rows
  CHECK(done.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
  live->leave();
  const auto ended = done.get();
  REQUIRE_FALSE(ended.ok());
  CHECK(ended.error().code == Errc::cancelled);
  CHECK(live->take().bytes.empty());
  const auto next = std::make_shared<aq::LiveAnswer>(world.clock, 64 * kPiece, [] {});
  CHECK(world.begin(next).get().ok());
}

TEST_CASE("A service that ends waits for nobody who reads", "[query]") {
  World world;
  Doorbell bell;
  const auto live = std::make_shared<aq::LiveAnswer>(world.clock, kMostWaiting, bell.ring());
  auto running = world.begin(live, INT64_MAX / 2), waiting = world.begin(live);
  bell.wait();
  world.service.reset();
  CHECK_FALSE(running.get().ok());
  CHECK_FALSE(waiting.get().ok());
  CHECK(live->take().state == aq::LiveAnswer::State::ended);
}

TEST_CASE("One who does not read holds a query no longer than its deadline", "[query]") {
  World world;
  const auto live = std::make_shared<aq::LiveAnswer>(world.clock, kMostWaiting, [] {});
  const auto ended = world.begin(live, 200 * kNsPerMs).get();
  REQUIRE(ended.ok());
  CHECK_FALSE(ended->complete);
  const auto piece = live->take();
  CHECK(piece.bytes.size() <= kMostWaiting + 2 * kPiece);
  const auto lines = lines_of(piece.bytes);
  REQUIRE(lines.size() > 1);
  CHECK(lines.size() < kRows);
  CHECK(lines.back()["_answer"]["complete"] == false);
}

TEST_CASE("An answer that is cut says so in its own format", "[query]") {
  const RunningClock clock(WallTime::from_s(1'772'400'000));
  const TempDir folder;
  aq::ServiceLimits limits;
  limits.max_answer_bytes = 50 * 1024;
  aq::QueryService service(World::config_of(folder), limits, clock, nullptr);
  const auto ask = [&](aq::Format format) {
    aq::Wish wish;
    wish.sql = kAll;
    wish.writer.format = format;
    std::promise<Result<aq::Answered>> promise;
    service.ask(std::move(wish),
                [&](Result<aq::Answered> done) { promise.set_value(std::move(done)); });
    auto answered = promise.get_future().get();
    REQUIRE(answered.ok());
    CHECK_FALSE(answered->complete);
    return answered->text;
  };
  const json whole = json::parse(ask(aq::Format::json));
  CHECK(whole["complete"] == false);
  CHECK(whole["data"].size() > 100);
  CHECK(whole["data"].size() < kRows);
  CHECK(whole["notes"][0].get<std::string>().find("larger than 51200 bytes") != std::string::npos);
  CHECK(lines_of(ask(aq::Format::ndjson)).back()["_answer"]["complete"] == false);
  CHECK(ask(aq::Format::table).find("larger than 51200 bytes") != std::string::npos);
}

TEST_CASE("POST /api/query streams rows, progress and the end; a client that goes ends it",
          "[query][http]") {
  Served world;
  {
    RawClient client(world.server.port());
    client.send(post(json{{"sql", kAll}, {"output", "ndjson"}, {"stream", true}}.dump()));
    const std::string answer = client.read_to_close();
    CHECK(answer.find("HTTP/1.1 200 ") == 0);
    CHECK(answer.find("Content-Type: application/x-ndjson") != std::string::npos);
    const auto lines = lines_of(answer.substr(answer.find("\r\n\r\n") + 4));
    size_t rows = 0, progress = 0;
    for (const json& line : lines) {
      rows += line.contains("n");
      progress += line.contains("_progress");
    }
    CHECK(rows == kRows);
    CHECK(progress > 0);
    CHECK(lines.back()["_answer"]["complete"] == true);
  }
  {
    RawClient client(world.server.port());
    client.send(post(json{{"sql", kAll}, {"output", "ndjson"}, {"stream", true}}.dump()));
    client.read_until("\r\n\r\n");
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!world.last->left() && std::chrono::steady_clock::now() < deadline) {
    world.server.stats();  // a turn of the server
  }
  CHECK(world.last->left());
  RawClient next(world.server.port());
  next.send(post(json{{"sql", "EXPLAIN " + kAll}, {"output", "ndjson"}, {"stream", true}}.dump()));
  const std::string explained = next.read_to_close();
  CHECK(lines_of(explained.substr(explained.find("\r\n\r\n") + 4)).back().contains("_plan"));
}

TEST_CASE("A query that cannot run is refused before anything is streamed", "[query][http]") {
  Served world;
  const auto status_of = [&](const json& body) {
    RawClient client(world.server.port());
    client.send(post(body.dump()));
    return client.read_until("}").substr(9, 3);
  };
  const auto streamed = [](const char* sql) {
    return json{{"sql", sql}, {"output", "ndjson"}, {"stream", true}};
  };
  CHECK(status_of(streamed("SELECT n FRM logs('app')")) == "400");
  CHECK(status_of(streamed("SELECT n FROM files('/etc/passwd')")) == "400");
  CHECK(status_of(streamed("@nothing")) == "404");
  CHECK(status_of({{"sql", kAll}, {"output", "csv"}, {"stream", true}}) == "400");
  RawClient client(world.server.port());  // seen when its source is looked for
  client.send(post(streamed("SELECT n FROM logs('nowhere')").dump()));
  const std::string answer = client.read_to_close();
  const json last = lines_of(answer.substr(answer.find("\r\n\r\n") + 4)).back();
  CHECK(last["_problem"]["status"] == 404);
  CHECK(last["_problem"]["detail"].get<std::string>().find("nowhere") != std::string::npos);
}
