#include "http/event_hub.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "app/announcer.hpp"
#include "http/events_api.hpp"
#include "http_fixture.hpp"
#include "snapshot_fixture.hpp"

using namespace nines;
using namespace nines::agent;
using nlohmann::json;
using test::RawClient;
using test::RunningServer;

namespace {

std::string all(http::Stream& stream) {
  std::string out;
  for (auto piece = stream.next(); piece && !piece->empty(); piece = stream.next()) out += *piece;
  return out;
}

std::string event(const char* id, const char* type, const char* data) {
  return std::string("id: ") + id + "\nevent: " + type + "\ndata: " + data + "\n\n";
}

// The data of the events of a type, in their order.
std::vector<json> of_type(const std::string& text, const std::string& type) {
  std::vector<json> out;
  const std::string head = "event: " + type + "\ndata: ";
  for (size_t at = text.find(head); at != std::string::npos; at = text.find(head, at + 1)) {
    const size_t begin = at + head.size();
    out.push_back(json::parse(text.substr(begin, text.find('\n', begin) - begin)));
  }
  return out;
}

}  // namespace

TEST_CASE("Who listens hears hello, and then what happens, in its order", "[http]") {
  http::EventHub hub(7);
  hub.publish("slo", "{\"before\":1}");
  const auto stream = hub.listen("", "{\"node\":\"a\"}");
  REQUIRE(stream);
  CHECK(all(*stream) == "retry: 3000\nevent: hello\ndata: {\"node\":\"a\",\"resumed\":false}\n\n");
  int woken = 0;
  stream->on_more([&] { ++woken; });
  hub.publish("slo", "{}");
  hub.publish("alert", "{}");
  hub.tick("{\"now\":1}");
  CHECK(woken == 3);
  CHECK(all(*stream) == event("7.2", "slo", "{}") + event("7.3", "alert", "{}") +
                            "event: tick\ndata: {\"now\":1}\n\n");
  CHECK(stream->next() == "");
}

TEST_CASE("Who comes back hears what he missed; of another life nothing", "[http]") {
  http::EventHub hub(7);
  for (const char* data : {"1", "2", "3"}) hub.publish("slo", data);
  const std::string hello = "retry: 3000\nevent: hello\ndata: {\"resumed\":true}\n\n";
  CHECK(all(*hub.listen("7.1", "{}")) ==
        hello + event("7.2", "slo", "2") + event("7.3", "slo", "3"));
  CHECK(all(*hub.listen("7.3", "{}")) == hello);
  for (const char* id : {"6.1", "7.4", "7.", "7", ".1", "x", "7.1x", "18446744073709551616.1"}) {
    CAPTURE(id);
    CHECK(all(*hub.listen(id, "{}")).find("\"resumed\":false") != std::string::npos);
  }
}

TEST_CASE("The ring is bounded by events and bytes, and who is too slow is let go", "[http]") {
  http::EventHub hub(1, {4, 1000, 300, 2});
  const auto slow = hub.listen("", "{}");
  all(*slow);
  for (int i = 0; i < 5; ++i) hub.publish("slo", "{}");
  CHECK_FALSE(slow->next().has_value());
  CHECK(hub.stats().dropped == 1);
  CHECK(all(*hub.listen("1.1", "{}")).find("\"resumed\":true") != std::string::npos);
  CHECK(all(*hub.listen("1.0", "{}")).find("\"resumed\":false") != std::string::npos);
  hub.publish("slo", std::string(301, 'x'));
  CHECK(hub.stats().too_large == 1);
  for (int i = 0; i < 9; ++i) hub.publish("slo", std::string(300, 'x'));
  CHECK(hub.stats().bytes <= 1000);
}

TEST_CASE("Only so many may listen; who leaves makes room", "[http]") {
  http::EventHub hub(1, {4, 1000, 300, 2});
  auto a = hub.listen("", "{}");
  const auto b = hub.listen("", "{}");
  CHECK(hub.listen("", "{}") == nullptr);
  CHECK(hub.stats().refused == 1);
  a.reset();
  CHECK(hub.listen("", "{}") != nullptr);
}

TEST_CASE("Events reach a client over HTTP, with heartbeats between them", "[http]") {
  http::EventHub hub(3);
  http::ServerOptions options;
  options.heartbeat_ms = 20;
  RunningServer server(options, http::make_events_api(
                                    hub, [] { return "{\"node\":\"a\"}"; },
                                    [&](const http::HttpRequest&, http::Reply reply) {
                                      hub.publish("slo", "{\"slo\":\"x\"}");
                                      reply({});
                                    }));
  RawClient listener(server.port());
  REQUIRE(listener.send("GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n"));
  const std::string head = listener.read_until("\"resumed\":false}\n\n");
  CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(head.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CHECK(head.find("Content-Length") == std::string::npos);
  CHECK(listener.read_until(": ping\n\n").find(": ping") != std::string::npos);
  RawClient other(server.port());
  REQUIRE(other.send("GET /publish HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  other.read_to_close();
  CHECK(listener.read_until("{\"slo\":\"x\"}\n\n").find("id: 3.1\nevent: slo\n") !=
        std::string::npos);
}

TEST_CASE("A client that goes frees its place", "[http]") {
  http::EventHub hub(3, {4, 1000, 300, 1});
  RunningServer server({}, http::make_events_api(
                               hub, [] { return "{}"; }, nullptr));
  {
    RawClient listener(server.port());
    REQUIRE(listener.send("GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n"));
    listener.read_until("\"resumed\":false}\n\n");
    CHECK(server.stats().connections == 1);
  }
  CHECK(server.stats_when([](const http::ServerStats& s) { return s.connections == 0; })
            .connections == 0);
}

TEST_CASE("The announcer tells what changed, and nothing else", "[http]") {
  http::EventHub hub(1);
  Announcer announcer(hub);
  const auto stream = hub.listen("", "{}");
  std::vector<slo::SloStatus> slos = {test::burning_slo()};
  std::vector<OpenIncident> incidents;
  std::vector<std::pair<std::string, std::string>> nodes = {{"a", "alive"}, {"b", "alive"}};
  Announcer::Remedies remedies;
  WallTime now = test::at(test::kNow);
  const auto look = [&] {
    now.ns += kNsPerSecond;
    announcer.look({slos, incidents, nodes, remedies, now, now});
    return all(*stream);
  };
  CHECK(of_type(look(), "tick").size() == 1);
  CHECK(look() == "");  // nothing changed, and the next tick is not due

  slos[0].state = slo::State::violated;
  const auto told = of_type(look(), "slo");
  REQUIRE(told.size() == 1);
  CHECK(told[0]["slo"] == "api-availability");
  CHECK(told[0]["state"] == "VIOLATED");
  CHECK(told[0]["was"]["state"] == "DEGRADING");
  CHECK(told[0]["alerts"] == json::array({"fast"}));

  incidents.push_back({"INC-1", "open", "it burns", "api", "", 1, now});
  CHECK(of_type(look(), "incident")[0]["change"] == "opened");
  incidents[0].suspect = "pay";
  const auto changed = of_type(look(), "incident");
  CHECK(changed[0]["change"] == "changed");
  CHECK(changed[0]["suspect"] == "pay");
  incidents.clear();
  CHECK(of_type(look(), "incident")[0]["state"] == "resolved");

  nodes[1].second = "silent";
  CHECK(of_type(look(), "fleet")[0] ==
        json({{"node", "b"}, {"state", "silent"}, {"was", "alive"}}));
  remedies.waiting = 1;
  CHECK(of_type(look(), "remedy")[0]["waiting"] == 1);
  slos.clear();
  const auto gone = of_type(look(), "slo");
  CHECK(gone[0]["gone"] == true);
}
