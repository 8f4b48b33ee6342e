// What pages carry about the state of things: budgets, suspects, lines; in each channel's words.
#include "knowledge/page_context.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "app/page_facts.hpp"
#include "manual_clock.hpp"
#include "notify/channel.hpp"
#include "notify_support.hpp"

using namespace nines;
using namespace nines::agent;
using namespace nines::agent::notify;
using namespace nines::agent::test;
using knowledge::PageContext;
using nlohmann::json;
using Kind = NotifierConfig::Kind;

namespace {

PageContext context() {
  PageContext out;
  out.budgets.push_back({"web", "30d", 0.614, 41.5, 12.25, 3.5});
  out.suspects = {"pay: logs \"no answer\" 40 times"};
  out.lines = {"2026-03-01T21:58:00Z pay: no answer, token=verysecretpart"};
  return out;
}

Message page(PageContext what = context()) {
  slo::AlertEvent event = alert_event(1, true);
  knowledge::attach(event, std::move(what));
  return event_message(identity(), std::move(event));
}

NotifierConfig of(Kind kind) {
  NotifierConfig config;
  config.name = "n";
  config.kind = kind;
  config.url = kind == Kind::email ? "smtp://mail.example.org:25" : "https://h/x";
  config.from = "nines@example.org";
  config.to = {"a@example.org"};
  return config;
}

// The text that the channel shows people.
std::string shown(Kind kind, const Message& message) {
  auto made = make_channel(of(kind), identity())->exchange(message, {"s3cret", {}, {}});
  REQUIRE(made.ok());
  if (kind == Kind::email) return std::get<Mail>(*made).mail.body;
  const json body = json::parse(std::get<http::ClientRequest>(*made).body);
  switch (kind) {
    case Kind::slack: return body["blocks"][0]["text"]["text"];
    case Kind::ntfy: return body["message"];
    case Kind::pagerduty: return body["payload"]["custom_details"].dump();
    case Kind::opsgenie: return body["details"].dump();
    default: return body["context"].dump();
  }
}

constexpr Kind kTexts[] = {Kind::email,     Kind::slack,    Kind::ntfy,
                           Kind::pagerduty, Kind::opsgenie, Kind::webhook};

}  // namespace

TEST_CASE("Every channel shows budget, suspects and redacted lines", "[page-context]") {
  for (const Kind kind : kTexts) {
    INFO(static_cast<int>(kind));
    const std::string text = shown(kind, page());
    if (kind == Kind::webhook) {
      const json said = json::parse(text);
      CHECK(said["budgets"][0]["slo"] == "web");
      CHECK(said["budgets"][0]["left"] == 0.614);
      CHECK(said["budgets"][0]["burn_rate_1h"] == 12.25);
    } else {
      CHECK(text.find(
                "web: 61.4 % left of 30d, burns 12.25x over 1h, 41.5x over 5m, gone in 3.5 h") !=
            std::string::npos);
    }
    CHECK(text.find("40 times") != std::string::npos);
    CHECK(text.find("pay: no answer, token=***") != std::string::npos);
    CHECK(text.find("verysecretpart") == std::string::npos);
  }
}

TEST_CASE("An event about which nothing is known is told as before", "[page-context]") {
  const Message bare = page({});
  CHECK(bare.json == told(1).json);
  CHECK(bare.event.details.empty());
}

TEST_CASE("However long the parts are, a page keeps the sizes of its channel", "[page-context]") {
  PageContext big;
  for (int i = 0; i < 50; ++i) {
    big.budgets.push_back({std::string(5000, 'b') + "<&>", "30d", -0.5, 1e300, 1e300, {}});
    big.suspects.push_back(std::string(5000, '<') + "\n");
    big.lines.push_back("GET /?a=1&b=2 \x1b[31m" + std::string(5000, '&'));
  }
  const Message message = page(big);
  CHECK(message.json.size() <= 8 * 1024);
  CHECK(shown(Kind::ntfy, message).size() <= 4096);
  const std::string slack = shown(Kind::slack, message);
  CHECK(slack.size() <= 3000);
  for (size_t at = slack.find('&'); at != std::string::npos; at = slack.find('&', at + 1)) {
    const std::string_view rest = std::string_view(slack).substr(at);
    CHECK((rest.starts_with("&amp;") || rest.starts_with("&lt;") || rest.starts_with("&gt;")));
  }
  size_t details = 0;
  const json said = json::parse(shown(Kind::opsgenie, message));
  for (const auto& [key, value] : said.items()) {
    details += key.size() + value.get<std::string>().size();
  }
  CHECK(details <= 8'000);
  CHECK(shown(Kind::email, message).find('\x1b') == std::string::npos);
}

namespace {

struct Asked {
  explicit Asked(bool shows = true) : show_lines(shows) {}

  bool show_lines;
  net::asio::io_context io;
  nines::test::ManualClock clock{WallTime::from_s(1772402400)};
  slo::SloEngine engine;
  nines::incident::IncidentBook book{{"home", "n1", 1}};
  std::vector<PageFacts::Parts::Lines> open;  // questions that are not answered yet
  PageFacts facts{{io, clock, engine, [this] { return &book; },
                   [this](std::vector<std::string>, WallTime, size_t,
                          PageFacts::Parts::Lines done) { open.push_back(std::move(done)); },
                   show_lines}};
  std::vector<PageFacts::Events> told;

  void prepare(uint64_t sequence) {
    facts.prepare({alert_event(sequence, true)},
                  [this](PageFacts::Events events) { told.push_back(std::move(events)); });
  }
};

}  // namespace

TEST_CASE("Who else tells of an event waits for the same question", "[page-context]") {
  Asked asked;
  asked.prepare(1);
  asked.prepare(1);
  REQUIRE(asked.open.size() == 1);
  CHECK(asked.told.empty());
  asked.open[0]({"2026 shop: broken"});
  REQUIRE(asked.told.size() == 2);
  for (const auto& events : asked.told) {
    const std::string* const said = events[0].detail(knowledge::kContextJson);
    REQUIRE(said != nullptr);
    CHECK(json::parse(*said)["lines"][0] == "2026 shop: broken");
  }
}

TEST_CASE("A page waits a moment for lines, and goes without", "[page-context]") {
  Asked asked;
  asked.prepare(1);
  CHECK(asked.told.empty());
  asked.io.run();  // until the patience ends: nothing else is under way
  REQUIRE(asked.told.size() == 1);
  CHECK(asked.told[0][0].detail(knowledge::kContextJson) == nullptr);
  CHECK(asked.facts.metrics().find("nines_page_context_late_total 1") != std::string::npos);
}

TEST_CASE("Questions beyond the limit are not asked, and counted", "[page-context]") {
  Asked asked;
  for (uint64_t i = 1; i <= PageFacts::kMostAsked + 1; ++i) asked.prepare(i);
  CHECK(asked.open.size() == PageFacts::kMostAsked);
  CHECK(asked.told.size() == 1);
  CHECK(asked.facts.metrics().find("nines_page_context_busy_total 1") != std::string::npos);
}

TEST_CASE("Where lines are not shown none is asked for, and nothing that quotes some is told",
          "[page-context]") {
  const bool shows = GENERATE(true, false);
  Asked asked(shows);
  const WallTime now = asked.clock.wall();
  REQUIRE(asked.book.declare("shop", 1, "the shop is down", "kim", now).ok());
  const std::string id = asked.book.list({}, now).at(0).id;
  const std::string sentence = "pay; logs the error \"no answer for Anna\" in 40 of 50 requests";
  const auto add = [&](nines::incident::EventKind kind, const std::string& text, auto details) {
    REQUIRE(asked.book.add(id, kind, {}, text, std::move(details), now).ok());
  };
  using Details = nines::incident::Details;
  add(nines::incident::EventKind::suspects, sentence, Details{{"rank", "1"}, {"service", "pay"}});
  add(nines::incident::EventKind::diagnostics, "lines of the suspects",
      Details{{"part", "examples"}, {"page", "1"}, {"1", "pay now logs no answer for Anna"}});
  slo::AlertEvent event = alert_event(1, true);
  event.details = {{"incident", id}, {"suspect", sentence}};
  asked.facts.prepare({event}, [&](PageFacts::Events events) { asked.told = {events}; });
  CHECK(asked.open.size() == (shows ? 1 : 0));
  for (const auto& done : asked.open) done({});
  REQUIRE(asked.told.size() == 1);
  const slo::AlertEvent& told = asked.told[0][0];
  REQUIRE(told.detail(knowledge::kContextJson) != nullptr);
  const json said = json::parse(*told.detail(knowledge::kContextJson));
  if (shows) {
    CHECK(*told.detail("suspect") == sentence);
    CHECK(said["suspects"] == json({sentence}));
    CHECK(said["lines"] == json({"pay now logs no answer for Anna"}));
    return;
  }
  const std::string kept = "pay; logs the error \"***\" in 40 of 50 requests";
  CHECK(*told.detail("suspect") == kept);
  CHECK(said["suspects"] == json({kept}));
  CHECK(said["lines"].empty());
  for (const auto& [name, text] : told.details) CHECK(text.find("Anna") == std::string::npos);
}
