// What each kind of notifier sends, and what it takes an answer for.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "notify/channel.hpp"
#include "notify_support.hpp"

using namespace nines;
using namespace nines::agent;
using namespace nines::agent::notify;
using namespace nines::agent::test;
using nlohmann::json;
using Kind = NotifierConfig::Kind;

namespace {

NotifierConfig of(Kind kind) {
  NotifierConfig config;
  config.name = "n";
  config.kind = kind;
  if (kind == Kind::webhook) config.url = "https://h/x";
  if (kind == Kind::ntfy) config.url = "https://ntfy.sh/pages";
  if (kind == Kind::email) {
    config.url = "smtp://mail.example.org:25";
    config.from = "nines@example.org";
    config.to = {"a@example.org", "b@example.org"};
  }
  return config;
}

http::ClientRequest request(const NotifierConfig& config, const Message& message,
                            std::string_view receipt = {}) {
  auto made = make_channel(config, identity())->exchange(message, {"s3cret", receipt, {}});
  REQUIRE(made.ok());
  return std::get<http::ClientRequest>(*made);
}

Verdict judged(Kind kind, int status, const std::string& text, const Message& message = told(1),
               std::string_view receipt = {}) {
  return make_channel(of(kind), identity())->judge(message, receipt, {status, text, {}, "down"});
}

// Far beyond every limit, and with characters of several bytes.
Message long_message(bool fired) {
  slo::AlertEvent e = alert_event(1, fired);
  for (std::string* text : {&e.slo, &e.service, &e.rule, &e.summary}) {
    for (int i = 0; i < 40'000; ++i) *text += "\xC3\xA4";
  }
  return event_message(identity(), e);
}

std::string header(const http::ClientRequest& r, const std::string& name) {
  for (const auto& [key, value] : r.headers) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace

TEST_CASE("A webhook is posted what it always was, byte for byte", "[notify]") {
  const auto r = request(of(Kind::webhook), told(7));
  CHECK(r.method == "POST");
  CHECK(r.url == "https://h/x");
  CHECK(r.body ==
        R"({"version":1,"agent":"0.1.0","node":"node-1","boot":3,"stream":"alert","sequence":7,)"
        R"("kind":"fired","slo":"web","service":"shop","rule":"fast","severity":"page",)"
        R"("priority":"P1","since":"2026-03-01T22:00:00Z","at":"2026-03-01T22:00:07Z",)"
        R"("summary":"60 of 2000 events bad"})");
  CHECK(header(r, "Idempotency-Key") == "node-1/3/alert/7");
  CHECK(header(r, "Authorization") == "Bearer s3cret");
  CHECK(header(r, "Content-Type") == "application/json");
}

TEST_CASE("What HTTP answers mean is the same everywhere, but for refused credentials",
          "[notify]") {
  for (const Kind kind :
       {Kind::webhook, Kind::pagerduty, Kind::opsgenie, Kind::slack, Kind::ntfy}) {
    CAPTURE(static_cast<int>(kind));
    for (const int status : {0, 100, 301, 302, 408, 429, 500, 502, 503, 504, 599}) {
      CAPTURE(status);
      CHECK(judged(kind, status, "").outcome == Outcome::retry);
    }
    for (const int status : {400, 404, 410, 413, 422}) {
      CAPTURE(status);
      CHECK(judged(kind, status, "").outcome == Outcome::dead);
    }
    const Outcome login = kind == Kind::webhook ? Outcome::dead : Outcome::refused;
    CHECK(judged(kind, 401, "").outcome == login);
    CHECK(judged(kind, 403, "").outcome == login);
    // A captive portal says 200 and HTML.
    const Outcome portal = kind == Kind::webhook ? Outcome::delivered : Outcome::retry;
    CHECK(judged(kind, 200, "<html>").outcome == portal);
  }
  CHECK(judged(Kind::webhook, 204, "").outcome == Outcome::delivered);
  CHECK(judged(Kind::webhook, 0, "").why == "down");
}

TEST_CASE("PagerDuty is triggered and resolved under one dedup_key", "[notify]") {
  NotifierConfig config = of(Kind::pagerduty);
  config.link = "https://n/";
  const auto r = request(config, told(1));
  CHECK(r.url == "https://events.pagerduty.com/v2/enqueue");
  const json trigger = json::parse(r.body);
  CHECK(trigger["routing_key"] == "s3cret");
  CHECK(trigger["event_action"] == "trigger");
  CHECK(trigger["dedup_key"] == "nines/node-1/shop/web/fast");
  CHECK(trigger["payload"]["summary"] == "P1 page web (fast): 60 of 2000 events bad");
  CHECK(trigger["payload"]["severity"] == "error");
  CHECK(trigger["payload"]["timestamp"] == "2026-03-01T22:00:01Z");
  CHECK(trigger["payload"]["custom_details"]["key"] == "node-1/3/alert/1");
  CHECK(trigger["links"][0]["href"] == "https://n/");
  const json resolve = json::parse(request(config, told(2, false)).body);
  CHECK(resolve == json{{"routing_key", "s3cret"},
                        {"event_action", "resolve"},
                        {"dedup_key", "nines/node-1/shop/web/fast"}});
  config.scope = "cluster";
  CHECK(json::parse(request(config, told(1)).body)["dedup_key"] == "nines/cluster/shop/web/fast");
  CHECK(judged(Kind::pagerduty, 202, R"({"status":"success"})").outcome == Outcome::delivered);
  CHECK(judged(Kind::pagerduty, 200, R"({"status":"success"})").outcome == Outcome::retry);
  const Verdict bad =
      judged(Kind::pagerduty, 400, R"({"message":"Event object is invalid","errors":["x"]})");
  CHECK(bad.why == R"(answer 400: Event object is invalid ["x"])");
}

TEST_CASE("What two nodes say of a third that is silent is one incident", "[notify]") {
  const auto key_from = [](const std::string& node, Kind kind, const char* field) {
    slo::AlertEvent event;
    event.slo = "node-pi-3";
    event.service = "fleet";
    event.rule = "node-silent";
    event.sequence = 1;
    const notify::Identity from{node, "1", 3, "home"};
    const auto channel = notify::make_channel(of(kind), from);
    const auto made = channel->exchange(notify::event_message(from, event), {"s3cret", {}, {}});
    REQUIRE(made.ok());
    return json::parse(std::get<http::ClientRequest>(*made).body)[field].get<std::string>();
  };
  CHECK(key_from("a", Kind::pagerduty, "dedup_key") == "nines/home/fleet/node-pi-3/node-silent");
  CHECK(key_from("b", Kind::pagerduty, "dedup_key") == key_from("a", Kind::pagerduty, "dedup_key"));
  CHECK(key_from("b", Kind::opsgenie, "alias") == key_from("a", Kind::opsgenie, "alias"));
}

TEST_CASE("Limits of sizes hold whatever the names are, and keys stay different", "[notify]") {
  for (const bool fired : {true, false}) {
    const Message big = long_message(fired);
    const auto pd = request(of(Kind::pagerduty), big);
    CHECK(pd.body.size() <= 512'000);
    CHECK(json::parse(pd.body)["dedup_key"].get<std::string>().size() <= 255);
    if (fired) {
      CHECK(json::parse(pd.body)["payload"]["summary"].get<std::string>().size() <= 1024);
      const json og = json::parse(request(of(Kind::opsgenie), big).body);
      CHECK(og["message"].get<std::string>().size() <= 130);
      CHECK(og["alias"].get<std::string>().size() <= 512);
      CHECK(og["description"].get<std::string>().size() <= 15'000);
      CHECK(og["entity"].get<std::string>().size() <= 512);
      size_t details = 0;
      for (const auto& [key, value] : og["details"].items()) {
        details += key.size() + value.get<std::string>().size();
      }
      CHECK(details <= 8'000);
    }
    const json slack = json::parse(request(of(Kind::slack), big).body);
    CHECK(slack["blocks"][0]["text"]["text"].get<std::string>().size() <= 3000);
    CHECK(json::parse(request(of(Kind::ntfy), big).body)["message"].get<std::string>().size() <=
          4096);
  }
  Message other = long_message(true);
  other.event.rule += "x";
  CHECK(incident_of(long_message(true), "s", 255) != incident_of(other, "s", 255));
  CHECK(incident_of(other, "s", 255).size() <= 255);
}

TEST_CASE("Opsgenie is asked what became of a request", "[notify]") {
  const auto create = request(of(Kind::opsgenie), told(1));
  CHECK(create.url == "https://api.opsgenie.com/v2/alerts");
  CHECK(header(create, "Authorization") == "GenieKey s3cret");
  CHECK(json::parse(create.body)["priority"] == "P2");
  const auto close = request(of(Kind::opsgenie), told(2, false));
  CHECK(close.url ==
        "https://api.opsgenie.com/v2/alerts/nines%2Fnode-1%2Fshop%2Fweb%2Ffast/close"
        "?identifierType=alias");
  const Verdict accepted = judged(Kind::opsgenie, 202, R"({"requestId":"r/1"})");
  CHECK(accepted.outcome == Outcome::pending);
  CHECK(accepted.receipt == "r/1");
  const auto ask = request(of(Kind::opsgenie), told(1), "r/1");
  CHECK(ask.method == "GET");
  CHECK(ask.url == "https://api.opsgenie.com/v2/alerts/requests/r%2F1");
  const auto result = [](int status, const std::string& text, bool fired = true) {
    return judged(Kind::opsgenie, status, text, told(1, fired), "r").outcome;
  };
  CHECK(result(404, "{}") == Outcome::pending);
  CHECK(result(200, R"({"data":{"isSuccess":true}})") == Outcome::delivered);
  CHECK(result(200, R"({"data":{"isSuccess":false,"status":"no"}})") == Outcome::dead);
  CHECK(result(200, R"({"data":{"isSuccess":false,"status":"Alert does not exist"}})", false) ==
        Outcome::delivered);
  for (const char* odd : {"", "{}", "[]", R"({"data":1})", R"({"data":{}})"}) {
    CAPTURE(odd);
    CHECK(result(200, odd) == Outcome::retry);
  }
  CHECK(result(500, "") == Outcome::retry);
}

TEST_CASE("Slack is posted escaped text to a URL that is the secret itself", "[notify]") {
  slo::AlertEvent e = alert_event(1, true, "a<b>&c");
  const auto made =
      make_channel(of(Kind::slack), identity())
          ->exchange(event_message(identity(), e), {"https://hooks.slack.com/services/x", {}, {}});
  const auto& r = std::get<http::ClientRequest>(*made);
  CHECK(r.url == "https://hooks.slack.com/services/x");
  CHECK(json::parse(r.body)["text"] == "P1 page a&lt;b&gt;&amp;c (fast)");
  CHECK(judged(Kind::slack, 200, "ok").outcome == Outcome::delivered);
  CHECK(judged(Kind::slack, 404, "no_service").why == "answer 404: no_service");
  CHECK(make_channel(of(Kind::slack), identity())->gap_ms() == 1000);
}

TEST_CASE("ntfy gets a topic, a priority that rings for pages only, and a click", "[notify]") {
  NotifierConfig config = of(Kind::ntfy);
  config.link = "https://n/";
  const auto r = request(config, told(1));
  CHECK(r.url == "https://ntfy.sh/");
  const json body = json::parse(r.body);
  CHECK(body["topic"] == "pages");
  CHECK(body["priority"] == 4);
  CHECK(body["click"] == "https://n/");
  CHECK(body["tags"] == json{"rotating_light", "page"});
  CHECK(json::parse(request(config, told(2, false)).body)["priority"] == 3);
  CHECK(json::parse(request(config, told(3, true, "x", "ticket")).body)["priority"] == 3);
  CHECK(judged(Kind::ntfy, 200, R"({"id":"x"})").outcome == Outcome::delivered);
}

TEST_CASE("A mail of a resolution belongs to that of the fire, and a repeat has the same identity",
          "[notify]") {
  const auto mail = [](const Message& message) {
    auto made = make_channel(of(Kind::email), identity())
                    ->exchange(message, {"pw", {}, WallTime::from_s(1772402400)});
    return std::get<Mail>(*made);
  };
  const auto line = [](const Mail& m, const std::string& name) {
    const size_t at = m.mail.headers.find(name + ": ");
    REQUIRE(at != std::string::npos);
    const size_t from = at + name.size() + 2;
    return m.mail.headers.substr(from, m.mail.headers.find("\r\n", from) - from);
  };
  const Mail fire = mail(told(1)), end = mail(told(2, false));
  CHECK(line(fire, "Message-ID") == line(mail(told(1)), "Message-ID"));
  CHECK(line(fire, "Message-ID") != line(end, "Message-ID"));
  CHECK(line(end, "References") == line(fire, "Message-ID"));
  CHECK(line(end, "In-Reply-To") == line(fire, "Message-ID"));
  CHECK(line(fire, "Date") == "Sun, 01 Mar 2026 22:00:00 +0000");
  CHECK(line(fire, "Subject") == "[node-1] P1 page web (fast)");
  CHECK(fire.server.host == "mail.example.org");
  CHECK(fire.server.port == "25");
  CHECK(fire.server.tls == SmtpServer::Tls::starttls);
  const auto outcome = [](int status) { return judged(Kind::email, status, "").outcome; };
  CHECK(outcome(250) == Outcome::delivered);
  CHECK(outcome(0) == Outcome::retry);
  CHECK(outcome(421) == Outcome::retry);
  CHECK(outcome(450) == Outcome::retry);
  CHECK(outcome(550) == Outcome::dead);
  CHECK(outcome(535) == Outcome::refused);
}

TEST_CASE("No header of a mail can be made by a name in an event", "[notify]") {
  slo::AlertEvent e = alert_event(1, true, "web\r\nBcc: evil@example.org\r\n\r\nbody");
  e.rule = "r\nX: y";
  auto made = make_channel(of(Kind::email), identity())->exchange(event_message(identity(), e), {});
  const std::string& headers = std::get<Mail>(*made).mail.headers;
  CHECK(headers.find("\nBcc:") == std::string::npos);
  CHECK(headers.find("\nX: y") == std::string::npos);
  CHECK(headers.find("\r\n\r\n") == std::string::npos);
}

TEST_CASE("A program gets the event as input, a few variables, and says told by exit code 0",
          "[notify]") {
  NotifierConfig config = of(Kind::exec);
  config.program = "/usr/bin/siren";
  config.arguments = {"--loud", "$(reboot)"};
  auto made = make_channel(config, identity())->exchange(told(1), {});
  const auto& program = std::get<Program>(*made);
  CHECK(program.path == "/usr/bin/siren");
  CHECK(program.arguments == config.arguments);
  CHECK(json::parse(program.input)["sequence"] == 1);
  for (const std::string& variable : program.environment) {
    CHECK((variable.starts_with("NINES_") || variable.starts_with("PATH=")));
  }
  CHECK(judged(Kind::exec, kExited, "").outcome == Outcome::delivered);
  CHECK(judged(Kind::exec, kExited + 3, "no modem").why == "exit code 3: no modem");
  CHECK(judged(Kind::exec, 0, "").outcome == Outcome::retry);
}

TEST_CASE("MQTT gets what webhooks get with the key in it, and only an acknowledgement is delivery",
          "[notify]") {
  NotifierConfig config = of(Kind::mqtt);
  config.url = "mqtts://iot.example.org";
  config.topic = "shop/pages";
  config.user = "edge";
  const auto channel = make_channel(config, identity());
  const auto publication =
      std::get<Publication>(*channel->exchange(told(7), {"s3cret", {}, {}}));
  CHECK(publication.topic == "shop/pages");
  CHECK((publication.user == "edge" && publication.password == "s3cret"));
  CHECK(publication.client_id == "nines-nines-node-1-n");
  const json payload = json::parse(publication.payload);
  CHECK(payload["id"] == "node-1/3/alert/7");
  json as_posted = json::parse(told(7).json);
  as_posted["id"] = payload["id"];
  CHECK(payload == as_posted);
  CHECK(judged(Kind::mqtt, MqttAnswer::kAcknowledged, "").outcome == Outcome::delivered);
  CHECK(judged(Kind::mqtt, MqttAnswer::kRefusedLogin, "wrong").outcome == Outcome::refused);
  CHECK(judged(Kind::mqtt, MqttAnswer::kTooLarge, "").outcome == Outcome::dead);
  CHECK(judged(Kind::mqtt, 0, "").outcome == Outcome::retry);
  CHECK(judged(Kind::mqtt, 0, "").why == "down");
}

TEST_CASE("Documents go through every kind", "[notify]") {
  const Message document = document_message("query/1", "3 rows", R"({"rows":[1,2,3]})");
  CHECK(request(of(Kind::webhook), document).body == document.json);
  CHECK(json::parse(request(of(Kind::pagerduty), document).body)["payload"]["severity"] == "info");
  CHECK(json::parse(request(of(Kind::opsgenie), document).body)["priority"] == "P5");
  CHECK(json::parse(request(of(Kind::slack), document).body)["text"] == "3 rows");
  CHECK(json::parse(request(of(Kind::ntfy), document).body)["title"] == "3 rows");
  const auto published = make_channel(of(Kind::mqtt), identity())->exchange(document, {});
  CHECK(std::get<Publication>(*published).payload == R"({"id":"query/1","rows":[1,2,3]})");
}
