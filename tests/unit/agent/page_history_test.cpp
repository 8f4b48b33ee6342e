#include "incident/page_history.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::agent::incident;
using nines::oncall::Page;
using nines::oncall::Roster;

namespace {

Roster two_people() {
  Roster roster;
  roster.people.resize(2);
  roster.people[0].id = "anna";
  roster.people[1].id = "ben";
  return roster;
}

std::string wrong(std::string_view text) {
  const auto read = read_page_history(text, two_people());
  return read.ok() ? "fine" : read.error().message;
}

}  // namespace

TEST_CASE("What is written of a page is read back", "[oncall]") {
  const Roster roster = two_people();
  Page page;
  page.at_s = 1'772'539'200;
  page.person = 1;
  page.severity = 0;
  page.service = "checkout";
  page.signature = "error_storm checkout";
  page.acknowledged_s = page.at_s + 60;
  page.over_s = page.at_s + 600;
  page.resolved = true;
  const auto read = read_page_history(page_line(page, "INC-1", roster), roster);
  REQUIRE(read.ok());
  REQUIRE(read->pages.size() == 1);
  const Page& back = read->pages[0];
  CHECK((back.at_s == page.at_s && back.person == 1 && back.severity == 0 && back.resolved));
  CHECK((back.service == "checkout" && back.signature == "error_storm checkout"));
  CHECK((back.acknowledged_s == page.at_s + 60 && back.over_s == page.at_s + 600));
  CHECK_FALSE(back.by_itself);
}

TEST_CASE("The last line of a page counts, and pages are in the order of time", "[oncall]") {
  const std::string first = R"({"at":"2026-03-03T12:00:00Z","person":"anna","incident":"I1"})";
  const std::string later = R"({"at":"2026-03-03T11:00:00Z","person":"ben","incident":"I0"})";
  const std::string again =
      R"({"at":"2026-03-03T12:00:00Z","person":"anna","incident":"I1","resolved":true})";
  const auto read = read_page_history(first + "\n\n" + later + "\n" + again + "\n", two_people());
  REQUIRE(read.ok());
  REQUIRE(read->pages.size() == 2);
  CHECK((read->pages[0].person == 1 && read->pages[1].person == 0 && read->pages[1].resolved));
}

TEST_CASE("A damaged history names its line, one that was cut off at its end is read", "[oncall]") {
  const std::string good = R"({"at":"2026-03-03T12:00:00Z","person":"anna"})";
  CHECK(wrong(good + "\nnonsense\n") == "line 2: this is no JSON object");
  CHECK(wrong(R"({"at":"noon","person":"anna"})"
              "\n") == "line 1: 'at' must be a time like 2026-03-03T12:00:00Z");
  CHECK(wrong(R"({"at":"2026-03-03T12:00:00Z"})"
              "\n") == "line 1: there is no 'person'");
  CHECK(wrong(R"({"at":"2026-03-03T12:00:00Z","person":"anna","severity":"P9"})"
              "\n") == "line 1: 'severity' must be P0 to P3");
  const auto cut = read_page_history(good + "\n" + good.substr(0, 20), two_people());
  REQUIRE(cut.ok());
  CHECK(cut->pages.size() == 1);
}

TEST_CASE("Pages of people who have left are counted, not read", "[oncall]") {
  const auto read = read_page_history(R"({"at":"2026-03-03T12:00:00Z","person":"zoe"})"
                                      "\n",
                                      two_people());
  REQUIRE(read.ok());
  CHECK((read->pages.empty() && read->strangers == 1));
}
