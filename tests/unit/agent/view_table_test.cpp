#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "snapshot_fixture.hpp"
#include "view/explain.hpp"
#include "view/status_table.hpp"
#include "view/text.hpp"

using namespace nines;
using namespace nines::agent;

namespace {

// Compares with tests/unit/agent/golden/<name>; NINES_BLESS=1 writes it anew (and says so).
void check_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(NINES_SOURCE_DIR) + "/tests/unit/agent/golden/" + name;
  if (std::getenv("NINES_BLESS") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    std::cerr << "BLESSED: " << path << "\n";
    return;
  }
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  std::ostringstream wanted;
  wanted << file.rdbuf();
  CHECK(text == wanted.str());
}

size_t longest_line(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  size_t longest = 0;
  while (std::getline(lines, line)) longest = std::max(longest, view::display_width(line));
  return longest;
}

}  // namespace

TEST_CASE("The status table reads well on a wide and on a narrow terminal", "[view]") {
  check_golden("status_200.txt", view::status_table(test::snapshot(), {200, false, true}));
  check_golden("status_80_ascii.txt", view::status_table(test::snapshot(), {80, false, false}));
  check_golden("sources_80.txt", view::sources_table(test::snapshot(), {80, false, true}));
}

TEST_CASE("The tables fit every width from 56 columns up", "[view]") {
  Snapshot snapshot = test::snapshot();
  snapshot.slos[0].slo = std::string(120, 'n');
  snapshot.sources[0].name = std::string(120, 's');
  snapshot.slos[1].draft = false;  // without the footnote
  for (size_t width = 56; width <= 220; ++width) {
    CAPTURE(width);
    CHECK(longest_line(view::status_table(snapshot, {width, false, true})) <= width);
    CHECK(longest_line(view::sources_table(snapshot, {width, false, true})) <= width);
  }
}

TEST_CASE("Colour adds escapes and nothing else; hostile names bring none of their own", "[view]") {
  const std::string plain = view::status_table(test::snapshot(), {200, false, true});
  CHECK(plain.find('\x1b') == std::string::npos);
  std::string stripped;
  const std::string colored = view::status_table(test::snapshot(), {200, true, true});
  for (size_t i = 0; i < colored.size(); ++i) {
    if (colored[i] == '\x1b')
      i = colored.find('m', i);
    else
      stripped += colored[i];
  }
  CHECK(colored.size() > plain.size());
  // A line may end with a painted blank only where the plain one was trimmed.
  std::istringstream a(plain), b(stripped);
  std::string left, right;
  while (std::getline(a, left)) {
    REQUIRE(std::getline(b, right));
    right.erase(right.find_last_not_of(' ') + 1);
    CHECK(left == right);
  }
}

TEST_CASE("Empty tables say so", "[view]") {
  CHECK(view::status_table({}, {}) == "no SLO is watched\n");
  CHECK(view::sources_table({}, {}) == "no source is read\n");
}

TEST_CASE("Explain shows every number with its arithmetic", "[view]") {
  check_golden("explain_burning.txt", view::explain_text(test::burning_slo()));
  check_golden("explain_no_data.txt", view::explain_text(test::idle_slo()));
  check_golden("explain_violated.txt", view::explain_text(test::violated_slo()));
  check_golden("explain_composite.txt", view::explain_text(test::composite_slo()));
}

TEST_CASE("Explain tells what holds a rule back", "[view]") {
  slo::SloStatus s = test::burning_slo();
  s.rules[0].firing = false;
  s.rules[0].guarded = true;
  s.rules[0].probability = 0.25;
  s.rules[1].firing = true;
  s.rules[1].since = test::at(test::kNow);
  s.rules[0].inhibited = s.rules[1].frozen = true;
  const std::string text = view::explain_text(s);
  CHECK(text.find("not firing; held back by the low-traffic guard") != std::string::npos);
  CHECK(text.find("meets its target: 0.25") != std::string::npos);
  CHECK(text.find("frozen: without data") != std::string::npos);
  CHECK(text.find("held back: another rule") != std::string::npos);
}

TEST_CASE("Numbers for people never round a failure away", "[view]") {
  CHECK(view::percent(1.0) == "100 %");
  CHECK(view::percent(0.99999999) == "99.999999 %");
  CHECK(view::percent(0.9994) == "99.94 %");
  CHECK(view::percent(-0.5) == "-50 %");
  CHECK(view::percent(std::nullopt) == "-");
  CHECK(view::short_number(15.23456) == "15.23");
  CHECK(view::short_number(123456.7) == "123457");
  CHECK(view::short_number(1.5e-20) == "1.5e-20");
  CHECK(view::exact_percent(*Decimal::parse("0.99999")) == "99.999%");
  CHECK(view::human_bytes(1536) == "1.5 KiB");
  CHECK(view::fit("abcdef", 4) == "abc~");
  CHECK(view::fit("\u00e4\u00f6\u00fc\u00df", 3) == "\u00e4\u00f6~");
  CHECK(view::printable("a\x1b[1m\xC2\x9B"
                        "b") == "a?[1m?b");
}
