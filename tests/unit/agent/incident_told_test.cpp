// What becomes events of an incident: within what an event holds, nothing left out in silence.
#include <catch2/catch.hpp>

#include "incident/told.hpp"

namespace nines::agent::incident {
namespace {

size_t encoded(const Told& told, size_t names) {
  core::IncidentEvent event;
  event.node = std::string(std::min<size_t>(96, names / 2), 'n');
  event.key = std::string(names - event.node.size(), 'k');
  event.at = event.opened = event.after = WallTime::from_s(1'790'000'000);
  event.boot = event.sequence = 4'000'000'000;
  event.kind = told.kind;
  event.text = told.text;
  event.details = told.details;
  return core::encode_event(event).size();
}

}  // namespace

TEST_CASE("Lines take as many pages as they need, each within an event", "[incident]") {
  const std::vector<std::string> lines(7, std::string(180, 'x'));
  const auto told = pages("log", "the lines around it", lines);
  REQUIRE(told.size() == 3);
  size_t shown = 0;
  for (size_t i = 0; i < told.size(); ++i) {
    CHECK(told[i].details[0] == std::pair<std::string, std::string>{"part", "log"});
    CHECK(told[i].details[1].second == std::to_string(i + 1) + "/3");
    CHECK(told[i].details.size() <= core::kMaxEventDetails);
    CHECK(encoded(told[i], 96 + 128 + 24) <= core::kMaxEventBytes);
    shown += told[i].details.size() - 2;
  }
  CHECK(shown == 7);
  CHECK(told[1].details[2].first == "4");  // lines are numbered through all pages
}

TEST_CASE("What does not fit is counted, not dropped in silence", "[incident]") {
  const auto told = pages("templates", "more", std::vector<std::string>(40, "a line"), 5);
  REQUIRE(told.size() == kMostPages);
  size_t shown = 0;
  for (const Told& page : told) {
    for (const auto& [key, value] : page.details) shown += value == "a line" ? 1U : 0U;
  }
  const auto& last = told.back().details;
  CHECK(last[2] == std::pair<std::string, std::string>{"left_out", std::to_string(40 - shown + 5)});
  const auto one = pages("log", "x", {std::string(1'000, 'y')});
  CHECK(one[0].details.back().second.find("bytes more)") != std::string::npos);
  CHECK(pages("node", "nothing is known", {}).size() == 1);
}

TEST_CASE("Where names are long examples go first, then the end of the text, which says so",
          "[incident]") {
  const auto made = [](size_t names) {
    Told told{core::EventKind::suspects,
              std::string(300, 'e') + "; " + std::string(200, 's'),
              {{"rank", "1"},
               {"wrong_if", std::string(180, 'w')},
               {"example", std::string(140, 'x')},
               {"pod", "pay-1"}}};
    make_fit(told, names);
    CHECK(encoded(told, names) <= core::kMaxEventBytes);
    return told;
  };
  CHECK(made(20).details.size() == 4);
  const Told tight = made(240);
  CHECK(tight.details.back().first == "wrong_if");
  CHECK(tight.text.size() >= 300);
}

TEST_CASE("A text is shortened at the end of a sentence and says that it is", "[incident]") {
  CHECK(shortened("a; b", 10) == "a; b");
  CHECK(shortened("first part; second part", 18) == "first part; ...");
  CHECK(shortened("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 9) == "\xc3\xa4\xc3\xa4 ...");
}

}  // namespace nines::agent::incident
