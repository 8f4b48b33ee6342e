#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "log_oracle.hpp"
#include "nines/log/timestamp.hpp"

using namespace nines;
using namespace nines::log;

namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

TEST_CASE("CSV gives back the cells that were written", "[log]") {
  CHECK(rc::check("cells", [] {
    const char delimiter = *rc::gen::element(',', ';', '\t', '|');
    const auto cells = *rc::gen::container<std::vector<std::string>>(
        5, rc::gen::container<std::string>(rc::gen::element('a', '"', ',', ';', '\n', ' ', '|')));
    std::string pattern(1, delimiter);
    std::string line;
    std::vector<std::string> wanted;
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) (pattern += delimiter, line += delimiter);
      wanted.push_back("c" + std::to_string(i));
      pattern += wanted.back();
      line += quoted(cells[i]);
    }
    const FormatSpec format{FormatKind::csv, pattern, {}};
    auto parser = make_parser(format, wanted, log::test::kOracleContext);
    std::vector<Value> values(wanted.size());
    ParsedRecord record{{}, false, values};
    RC_ASSERT((*parser)->parse(line, record) == ParseOutcome::bad_time);
    for (size_t i = 0; i < cells.size(); ++i) RC_ASSERT(values[i].text == cells[i]);
    RC_ASSERT(!(*parser)->open(line));
    RC_ASSERT(log::test::disagreement(format, line) == "");
    // Without the last closing quote it is open, unless that was half of a doubled one.
    RC_ASSERT((*parser)->open(line.substr(0, line.size() - 1)) || cells[4].ends_with('"'));
  }));
}

TEST_CASE("CSV parse() agrees with parse_all() on damaged lines", "[log]") {
  CHECK(rc::check("agreement", [] {
    const auto text = *rc::gen::container<std::string>(
        rc::gen::element('a', '1', '"', ',', '-', '.', '\n', '0', '\r'));
    RC_ASSERT(log::test::disagreement(log::test::csv_sample_format(), "1763688951," + text) == "");
  }));
}

TEST_CASE("Day-first, Java and packed times survive being written and read", "[log]") {
  CHECK(rc::check("shapes", [] {
    const WallTime t{*rc::gen::inRange<int64_t>(86'400, 7'289'654'400) * kNsPerSecond};
    const CivilDate d = civil_from_days(t.seconds() / 86'400);
    const int s = static_cast<int>(t.seconds() % 86'400);
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const char* month = kMonths[d.month - 1];
    const int year = static_cast<int>(d.year);
    char text[96];
    const auto read = [&] {
      const auto parsed = parse_any_time(text, TimeContext{});
      return parsed && parsed->ts == t && parsed->length == std::string_view(text).size();
    };
    std::snprintf(text, sizeof text, "%02d.%02d.%04d %02d:%02d:%02d", d.day, d.month, year,
                  s / 3600, s / 60 % 60, s % 60);
    RC_ASSERT(read());
    std::snprintf(text, sizeof text, "%02d-%s-%04d %02d:%02d:%02d UTC", d.day, month, year,
                  s / 3600, s / 60 % 60, s % 60);
    RC_ASSERT(read());
    std::snprintf(text, sizeof text, "%s %d, %04d %d:%02d:%02d %s", month, d.day, year,
                  (s / 3600 + 11) % 12 + 1, s / 60 % 60, s % 60, s < 43'200 ? "AM" : "PM");
    RC_ASSERT(read());
    std::snprintf(text, sizeof text, "%04d%02d%02d%02d%02d%02d", year, d.month, d.day, s / 3600,
                  s / 60 % 60, s % 60);
    RC_ASSERT(read());
  }));
}
