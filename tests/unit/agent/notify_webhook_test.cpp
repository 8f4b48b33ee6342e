// A webhook against a local receiver on a real socket that misbehaves by script. Both live on one
// io_context and one thread, so that the order of things is the same in every run.
#include <catch2/catch.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "config_support.hpp"
#include "net/asio.hpp"
#include "notify/channel.hpp"
#include "notify/teller.hpp"

using namespace nines;
using namespace nines::agent;
using namespace nines::agent::notify;
using nlohmann::json;

namespace {

namespace asio = boost::asio;
using net::ErrorCode;
using net::tcp;

class SteadyClock : public Clock {
 public:
  Instant mono() const noexcept override {
    return {std::chrono::steady_clock::now().time_since_epoch().count()};
  }
  WallTime wall() const noexcept override { return {}; }
};

slo::AlertEvent event(uint64_t sequence) {
  slo::AlertEvent e;
  e.kind = sequence % 2 ? slo::AlertEvent::Kind::fired : slo::AlertEvent::Kind::resolved;
  e.slo = "api-availability";
  e.service = "api";
  e.rule = "fast";
  e.severity = "page";
  e.priority = 1;
  e.at = WallTime::from_s(1772402400 + static_cast<int64_t>(sequence));
  e.since = WallTime::from_s(1772402400);
  e.summary = "60 bad of \"2000\"";
  e.sequence = sequence;
  return e;
}

// Answers the n-th request by the n-th line of the script, 200 afterwards. "" closes without an
// answer, "hang" keeps silent.
struct Receiver {
  Receiver(asio::io_context& context, std::vector<std::string> lines)
      : io(context),
        acceptor(context, {asio::ip::address_v4::loopback(), 0}),
        script(std::move(lines)) {
    accept();
  }
  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) + "/hook";
  }

  struct Connection {
    explicit Connection(tcp::socket s) : socket(std::move(s)) {}
    tcp::socket socket;
    std::string text;
    std::array<char, 2048> buffer;
  };
  void accept() {
    acceptor.async_accept([this](ErrorCode error, tcp::socket socket) {
      if (error) return;
      read(std::make_shared<Connection>(std::move(socket)));
      accept();
    });
  }
  void read(std::shared_ptr<Connection> c) {
    c->socket.async_read_some(asio::buffer(c->buffer), [this, c](ErrorCode error, size_t n) {
      c->text.append(c->buffer.data(), n);
      if (complete(c->text))
        answer(c);
      else if (!error)
        read(c);
    });
  }
  static bool complete(const std::string& text) {
    const size_t head = text.find("\r\n\r\n"), length = text.find("Content-Length: ");
    if (head == std::string::npos || length == std::string::npos) return false;
    return text.size() >= head + 4 + std::stoul(text.substr(length + 16));
  }
  void answer(std::shared_ptr<Connection> c) {
    const size_t n = requests.size();
    requests.push_back(c->text);
    if (on_request) on_request();
    const std::string line = n < script.size() ? script[n] : "200 OK";
    if (line == "hang") {
      hanging.push_back(c);
    } else if (!line.empty()) {
      const std::string text = "HTTP/1.1 " + line + "\r\nContent-Length: 0\r\n\r\n";
      ErrorCode ignored;
      asio::write(c->socket, asio::buffer(text), ignored);
    }
  }
  json body(size_t i) const {
    return json::parse(requests[i].substr(requests[i].find("\r\n\r\n") + 4));
  }

  asio::io_context& io;
  tcp::acceptor acceptor;
  std::vector<std::string> script;
  std::vector<std::string> requests;
  std::function<void()> on_request;
  std::vector<std::shared_ptr<Connection>> hanging;
};

// Everything around one webhook; runs until the cursor reaches the last event.
struct Scene {
  explicit Scene(std::vector<std::string> script, uint64_t events)
      : receiver(io, std::move(script)), last(events) {
    config.name = "test";
    config.url = receiver.url();
    config.secret.text = "secret";
    config.timeout_ms = 20'000;
    source.events_after = [this](uint64_t after, size_t max, EventSource::Reply reply) {
      std::vector<slo::AlertEvent> out;
      for (uint64_t i = after + 1; i <= last && out.size() < max; ++i) out.push_back(event(i));
      reply(std::move(out));
    };
    source.bury = [this](DeadLetter letter) { dead.push_back(std::move(letter)); };
    source.advance = [this](uint64_t to) {
      cursors.push_back(to);
      told_at_cursor.push_back(receiver.requests.size());
    };
  }
  void run() {
    const RetryPolicy quick{2, 4, 1, 3600'000};
    Teller webhook(io, clock,
                   {"", {{config, 0}}, {"node-1", "0.1.0", 3}, source, {}, 0, 42, {}, quick});
    const auto guard = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (cursors.empty() || cursors.back() < last) {
      REQUIRE(std::chrono::steady_clock::now() < guard);
      io.run_one_for(std::chrono::seconds(1));
    }
    stats = webhook.shown()[0].stats;
  }

  asio::io_context io{1};
  SteadyClock clock;
  Receiver receiver;
  uint64_t last;
  NotifierConfig config;
  EventSource source;
  std::vector<uint64_t> cursors;
  std::vector<size_t> told_at_cursor;
  StepStats stats;
  std::vector<DeadLetter> dead;
};

}  // namespace

TEST_CASE("A webhook tells every event in order with its idempotency key", "[notify]") {
  Scene scene({}, 3);
  scene.run();
  REQUIRE(scene.receiver.requests.size() == 3);
  CHECK(scene.cursors == std::vector<uint64_t>{1, 2, 3});
  CHECK(scene.stats.sent == 3);
  const std::string& first = scene.receiver.requests[0];
  CHECK(first.starts_with("POST /hook HTTP/1.1\r\n"));
  CHECK(first.find("Idempotency-Key: node-1/3/alert/1\r\n") != std::string::npos);
  CHECK(first.find("Authorization: Bearer secret\r\n") != std::string::npos);
  CHECK(first.find("Content-Type: application/json\r\n") != std::string::npos);
  const json body = scene.receiver.body(0);
  CHECK(body["kind"] == "fired");
  CHECK(scene.receiver.body(1)["kind"] == "resolved");
  CHECK(body ==
        json::parse(R"({"version":1,"agent":"0.1.0","node":"node-1","boot":3,"stream":"alert",
      "sequence":1,"kind":"fired","slo":"api-availability","service":"api","rule":"fast","severity":"page","priority":"P1",
      "since":"2026-03-01T22:00:00Z","at":"2026-03-01T22:00:01Z","summary":"60 bad of \"2000\""})"));
}

TEST_CASE("A failing receiver is asked again with the same event until it takes it", "[notify]") {
  Scene scene(
      {"500 Oops", "429 Slow\r\nRetry-After: 0", "", "302 Portal\r\nLocation: /login", "408 Late"},
      2);
  scene.run();
  REQUIRE(scene.receiver.requests.size() == 7);
  for (size_t i = 0; i < 6; ++i) CHECK(scene.receiver.body(i)["sequence"] == 1);
  CHECK(scene.receiver.body(6)["sequence"] == 2);
  CHECK(scene.told_at_cursor == std::vector<size_t>{6, 7});  // never before a 2xx
  CHECK(scene.stats.failures == 5);
  CHECK(scene.stats.dead == 0);
}

TEST_CASE("A receiver that hangs is given up after the time-out and asked again", "[notify]") {
  Scene scene({"hang"}, 1);
  scene.config.timeout_ms = 50;
  scene.run();
  CHECK(scene.receiver.requests.size() == 2);
  CHECK(scene.stats.sent == 1);
  CHECK(scene.stats.failures == 1);
}

TEST_CASE("An event refused for good is counted dead and does not block the next", "[notify]") {
  Scene scene({"410 Gone"}, 2);
  scene.run();
  REQUIRE(scene.dead.size() == 1);
  CHECK(scene.dead[0].notifier == "test");
  CHECK(scene.dead[0].key == "node-1/3/alert/1");
  CHECK(scene.dead[0].status == 410);
  CHECK(scene.dead[0].why == "answer 410");
  CHECK(json::parse(scene.dead[0].json)["sequence"] == 1);
  CHECK(scene.receiver.requests.size() == 2);
  CHECK(scene.stats.dead == 1);
  CHECK(scene.stats.sent == 1);
}

TEST_CASE("A credential in a file is read again for every attempt, and one that is missing is said",
          "[notify]") {
  const test::ConfigFolder folder;
  Scene scene({"500 Oops"}, 1);
  scene.config.secret = {{}, folder.write("token", "first\n"), {}};
  scene.receiver.on_request = [&] { folder.write("token", "second\n"); };
  scene.run();
  REQUIRE(scene.receiver.requests.size() == 2);
  CHECK(scene.receiver.requests[0].find("Bearer first\r\n") != std::string::npos);
  CHECK(scene.receiver.requests[1].find("Bearer second\r\n") != std::string::npos);
  CHECK(read_secret({{}, folder.path() + "/none", {}}).error().message.find("none") !=
        std::string::npos);
  CHECK_FALSE(read_secret({{}, folder.write("two", "a\nb\n"), {}}).ok());
  CHECK_FALSE(read_secret({{}, {}, "NINES_TEST_NO_SUCH_VARIABLE"}).ok());
}

TEST_CASE("A document is delivered through a webhook with its own key", "[notify]") {
  Scene scene({}, 0);
  scene.cursors.push_back(0);
  std::optional<bool> done;
  Message document = document_message("query/7", "rows of a query", R"({"rows":[1]})");
  document.done = [&](bool delivered) { done = delivered; };
  Teller teller(scene.io, scene.clock,
                {"", {{scene.config, 0}}, {"n", "v", 1}, scene.source, {}, 0, 1, {}, {}});
  CHECK_FALSE(teller.post("other", document));
  REQUIRE(teller.post("test", document));
  while (!done) scene.io.run_one_for(std::chrono::seconds(1));
  CHECK(done == true);
  REQUIRE(scene.receiver.requests.size() == 1);
  CHECK(scene.receiver.requests[0].find("Idempotency-Key: query/7\r\n") != std::string::npos);
  CHECK(scene.receiver.body(0) == json::parse(R"({"rows":[1]})"));
}

TEST_CASE("More events than the queue holds are all told, once each", "[notify]") {
  const uint64_t events = 2 * Chain::kMaxQueue + 5;
  Scene scene({}, events);
  scene.run();
  std::set<uint64_t> told;
  for (size_t i = 0; i < scene.receiver.requests.size(); ++i)
    told.insert(scene.receiver.body(i)["sequence"].get<uint64_t>());
  CHECK(scene.receiver.requests.size() == events);
  CHECK(told.size() == events);
}

TEST_CASE("An event told again after a restart keeps the key of the life it happened in",
          "[notify]") {
  slo::AlertEvent old = event(7);
  old.boot = 2;
  const Identity now{"node-1", "0.1.0", 9};
  CHECK(idempotency_key(now, old) == "node-1/2/alert/7");
  CHECK(json::parse(payload_json(now, old))["boot"] == 2);
  CHECK(idempotency_key(now, event(8)) == "node-1/9/alert/8");
}

TEST_CASE("Rows of a standing query go to the webhooks that it names, in the order of all events",
          "[notify]") {
  Scene scene({}, 200);
  scene.source.events_after = [&scene](uint64_t after, size_t max, EventSource::Reply reply) {
    std::vector<slo::AlertEvent> out;
    for (uint64_t i = after + 1; i <= scene.last && out.size() < max; ++i) {
      slo::AlertEvent e = event(i);
      if (i % 100 != 0) {  // more than one fetch of what others are told
        e.kind = slo::AlertEvent::Kind::rows;
        e.rule = "failures";
        e.notify = {i == 50 ? "test" : "another"};
        e.rows = R"([{"user":"eve","n":5}])";
        e.omitted = 2;
      }
      out.push_back(std::move(e));
    }
    reply(std::move(out));
  };
  scene.run();
  REQUIRE(scene.receiver.requests.size() == 3);
  const json rows = scene.receiver.body(0);
  CHECK(rows["sequence"] == 50);
  CHECK(rows["kind"] == "rows");
  CHECK(rows["query"] == "failures");
  CHECK(rows["rows"] == json::parse(R"([{"user":"eve","n":5}])"));
  CHECK(rows["omitted"] == 2);
  CHECK_FALSE(rows.contains("slo"));
  CHECK(scene.receiver.body(1)["sequence"] == 100);
  CHECK(scene.receiver.body(2)["sequence"] == 200);
  CHECK(scene.stats.sent == 3);
  CHECK(scene.stats.pending == 0);
}
