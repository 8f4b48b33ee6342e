// An incident as a person reads it in the night.
#include "view/incident_text.hpp"

#include <catch2/catch.hpp>

#include "nines/incident/incident_book.hpp"

namespace nines::agent::view {
namespace {

namespace core = nines::incident;

WallTime at(int64_t s) { return WallTime::from_s(1'790'000'000 + s); }

core::Incident story() {
  core::IncidentBook book({"c", "n1", 1});
  core::Condition burning;
  burning.key = "burn/checkout";
  burning.kind = core::ConditionKind::burn_rate;
  burning.priority = 0;
  burning.service = "checkout-service";
  burning.node = "n1";
  burning.since = at(-10);
  burning.at = at(0);
  burning.text = "checkout burns its error budget 50.8 times as fast as it may";
  (void)book.observe(burning, at(0));
  const std::string id = book.list({}, at(0)).at(0).id;
  const auto add = [&](core::EventKind kind, const std::string& text, core::Details details) {
    REQUIRE(book.add(id, kind, "", text, std::move(details), at(10)).ok());
  };
  using K = core::EventKind;
  add(K::suspects, "pay; logs the error \"refused\" in 73 of 647 requests, usually in 0 %",
      {{"rank", "2"},
       {"of", "2"},
       {"service", "pay"},
       {"score", "90.00"},
       {"wrong_if", "a service that it calls failed first"},
       {"pod", "pay-1"}});
  add(K::suspects, "deploy of pay (1.4.2) 2m before the onset",
      {{"rank", "1"},
       {"of", "2"},
       {"service", "pay"},
       {"kind", "deploy"},
       {"change", "4"},
       {"wrong_if", "the errors began before the change"}});
  add(K::diagnostics, "failure class bad_deploy (8.50), less likely disk (3.00)",
      {{"part", "class"}, {"class", "bad_deploy"}, {"weight", "8.50"}, {"why-1", "pay: changed"}});
  add(K::diagnostics, "the lines around the first suspect's, in /logs/pay.log",
      {{"part", "log"}, {"page", "1/2"}, {"1", "charging card"}, {"2", "card refused"}});
  add(K::diagnostics, "the lines around the first suspect's",
      {{"part", "log"}, {"page", "2/2"}, {"left_out", "3"}, {"3", "order \x1b[31m failed"}});
  add(K::impact, "checkout: 127 of 2501 events were bad (5.1 %); 96 users met a bad event", {});
  return book.list({}, at(60)).at(0);
}

}  // namespace

TEST_CASE("A change that is suspected first is named in the list", "[incident]") {
  const std::string table = incidents_table({story()}, at(60), 200);
  CHECK(table.find("deploy of pay") != std::string::npos);
}

TEST_CASE("What it costs, who is suspected, what kind it is and what was found stand in this order",
          "[incident]") {
  const std::string text = incident_text(story(), at(60));
  CAPTURE(text);
  const std::vector<std::string> wanted = {
      "Impact, as of",
      "\n  checkout: 127 of 2501 events were bad (5.1 %)\n  96 users met a bad event\n",
      "Suspects, the strongest first; none is confirmed",
      "\n  1. deploy of pay (1.4.2) 2m before the onset\n",
      "wrong if: the errors began before the change",
      "\n  2. pay\n     logs the error",
      "most errors in pod: pay-1",
      "What kind of failure: a bad deploy or change, not confirmed\n"
      "  failure class bad_deploy (8.50), less likely disk (3.00)\n  - pay: changed\n",
      "Diagnostics\n",
      "the lines around the first suspect's, in /logs/pay.log\n      charging card\n      card "
      "refused\n      order  [31m failed\n      (3 more are left out)",
      "History\n"};
  size_t from = 0;
  for (const std::string& one : wanted) {
    const size_t found = text.find(one, from);
    CAPTURE(one);
    CHECK(found != std::string::npos);
    if (found != std::string::npos) from = found;
  }
  CHECK(text.find('\x1b') == std::string::npos);
}

}  // namespace nines::agent::view
