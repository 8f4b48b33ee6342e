#include "nines/incident/narrative.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "story_fixture.hpp"

using namespace nines;
using namespace nines::incident;
using namespace nines::incident::testing;

namespace {

NarrativeFacts busy_day() {
  const CheckoutStory story;
  NarrativeFacts f;
  f.now = at(300);
  f.services = {"checkout", "mail", "web", "db"};
  f.slos = {{"checkout-availability", "checkout", "99.9", "30d", 99.82, 7.25, 14.4, 6.5},
            {"mail-availability", "mail", "99", "30d", 99.9, 91.04, 0.1, {}},
            {"web-latency", "web", "95", "7d", 97.0, 61.4, 0.4, {}},
            {"db", "db", "99.95", "30d", {}, {}, {}, {}}};
  f.incidents = {story.early};
  f.changes = {deploy("checkout", -420, "1.4.2"), deploy("mail", -7200, "2.0")};
  return f;
}

const std::vector<std::string> kKnown = {"checkout", "mail", "web",
                                         "db",       "pi-1", "checkout-availability"};

void check_traceable(const Narrative& n) {
  for (const Sentence& s : n.sentences) {
    CAPTURE(s.text);
    std::vector<std::string> told;
    for (const std::string& key : s.facts) {
      REQUIRE(n.value(key) != nullptr);
      CHECK(s.text.find(*n.value(key)) != std::string::npos);
      for (auto& number : numbers_in(*n.value(key))) told.push_back(std::move(number));
    }
    for (const std::string& number : numbers_in(s.text)) {
      CAPTURE(number);
      CHECK(std::find(told.begin(), told.end(), number) != told.end());
    }
    CHECK_FALSE(s.facts.empty());
  }
}

}  // namespace

TEST_CASE("Every number in every sentence occurs among the facts that the sentence names") {
  const NarrativeFacts f = busy_day();
  const Narrative n = narrate(f);
  CHECK(n.sentences.size() >= 8);
  check_traceable(n);
  const CheckoutStory story;
  check_traceable(narrate(story.incident(800), at(800)));
  check_traceable(narrate(story.incident(4000), at(4000)));
  NarrativeFacts quiet;
  quiet.now = at(0);
  check_traceable(narrate(quiet));
}

TEST_CASE("A status reads as plain language") {
  NarrativeFacts f = busy_day();
  f.incidents.clear();
  CHECK(narrate(f).text() ==
        "4 services are watched; no incident is open. "
        "SLO checkout-availability of checkout has 7.3 % of its error budget left and burns it at "
        "14.4 times the rate that would just use it up (target 99.9 % over 30d). "
        "If that goes on, it is used up in 6.5 h. "
        "2 other SLOs are within budget; the least is left to web-latency: 61.4 %. "
        "There is no data yet for 1 SLO. "
        "In the last 24 h there were 2 deploys, the last one of checkout 12 min ago by pipeline.");
}

TEST_CASE("A rewritten text with the same facts is accepted") {
  const Narrative n = narrate(busy_day());
  const auto verdict = accepts_rewrite(
      "Right now checkout is in trouble: its budget is down to 7.3%, burning 14.4 times too fast. "
      "The deploy 12 min ago is close in time. Web and mail look fine.",
      narrate(busy_day()), {"checkout", "pi-1", "db"});
  CAPTURE(verdict.reason);
  CHECK(verdict.accepted);
  CHECK(accepts_rewrite(n.text(), n, kKnown).accepted);
}

TEST_CASE("A rewritten text with a number, id, service or name of its own is refused") {
  const Narrative n = narrate(busy_day());
  const auto refused = [&](const char* text) { return !accepts_rewrite(text, n, kKnown).accepted; };
  CHECK(refused("The budget is down to 8 %."));
  CHECK(refused("The budget is down to 7.30 %."));
  CHECK(refused("About thirteen... no, three hundred users suffer."));
  CHECK(refused("See INC-2026-0301-000 for details."));
  CHECK(refused("The database pi-1 is full."));
  CHECK(refused("The payments service is down."));
  CHECK(refused("cart-api is down."));
  CHECK(refused("See https://example.org/runbook now."));
  CHECK(refused("It will take 6 to 7 hours."));
  CHECK(refused(""));
  CHECK(refused(std::string(9000, 'a').c_str()));
  CHECK_FALSE(refused("The checkout service is in trouble."));
}

TEST_CASE("Numbers of a text are found without what stands around them") {
  CHECK(numbers_in("It has 61.4% left, (3) of 10; P1 since 12:30, 30d.") ==
        std::vector<std::string>{"61.4", "3", "10", "12:30"});
}
