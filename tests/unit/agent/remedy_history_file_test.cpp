#include <catch2/catch.hpp>
#include <random>

#include "remedy/csv.hpp"
#include "remedy/history_file.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::remedy::Outcome;
using nines::remedy::Verb;

namespace {

const std::string kHeader = "id,signature,action,at,severity,outcome,recover_s\n";
const std::string kRow =
    "CHG-1,burn_rate jobs,unit-restart worker.service,2026-01-01T10:00:00Z,P1,resolved,300\n";

std::string error_of(const std::string& text) {
  const auto file = read_history_csv(text, "h.csv");
  return file.ok() ? "taken" : file.error().message;
}

}  // namespace

TEST_CASE("history of another tool is read from CSV as RFC 4180 has it", "[remedy]") {
  const auto file = read_history_csv(
      "\xEF\xBB\xBFwho,id,at,severity,outcome,hands_on_s,signature,action\r\n"
      "\"Kim, \"\"the\"\" first\",CHG-1,2026-01-01T10:00:00+01:00,P0,failed,,burn_rate jobs,"
      "\"restarted\nthe worker\"\r\n"
      ",CHG-2,2026-01-02T10:00:00Z,P3,failed,600,burn_rate jobs,nothing",
      "h.csv");
  REQUIRE(file.ok());
  REQUIRE(file->records.size() == 2);
  const auto& first = file->records.front();
  CHECK(first.who == "Kim, \"the\" first");
  CHECK(first.action.verb == Verb::unit_restart);
  CHECK(first.at == WallTime::from_s(1'767'258'000));
  CHECK(first.outcome == Outcome::failed);
  CHECK(first.incident == "CHG-1");
  CHECK(first.hands_on_s == -1);
  CHECK(file->records.back().hands_on_s == 600);
  CHECK(file->records.back().severity == 3);
}

TEST_CASE("what is wrong in a CSV is told with its line and column, and nothing is taken",
          "[remedy]") {
  CHECK(error_of(kHeader + kRow) == "taken");
  CHECK(error_of("").starts_with("h.csv:1:1: there is no header"));
  CHECK(error_of("id,signature\n").starts_with("h.csv:1:1: the header line lacks 'action'"));
  CHECK(error_of("id,when\n").starts_with("h.csv:1:4: there is no column 'when'"));
  CHECK(error_of("id,who,id\n").starts_with("h.csv:1:8: column 'id' is there twice"));
  CHECK(error_of(kHeader + kRow + "CHG-2,x\n") == "h.csv:3:1: 2 fields, the header line has 7");
  CHECK(error_of(kHeader + kRow + kRow) == "h.csv:3:1: 'id' CHG-1 is that of record 1");
  CHECK(error_of(kHeader + "a,b,c,yesterday,P1,failed,\n").starts_with("h.csv:2:7: 'at' must be"));
  CHECK(error_of(kHeader + "a,b,c,2026-01-01T10:00:00Z,P5,failed,\n")
            .starts_with("h.csv:2:28: 'severity' must be P0 to P3"));
  CHECK(error_of(kHeader + "a,b,c,2026-01-01T10:00:00Z,P1,resolved,\n")
            .starts_with("h.csv:2:40: 'recover_s' must be"));
  CHECK(error_of(kHeader + "a,b,c,2026-01-01T10:00:00Z,P1,resolved,5 min\n")
            .starts_with("h.csv:2:40: 'recover_s' must be"));
  CHECK(error_of(kHeader + "a,\"b\n\",\"c\" x,") ==
        "h.csv:3:6: after a closing quote there must be a comma");
  CHECK(error_of(kHeader + "a,b \"c\",") ==
        "h.csv:2:5: a quote within a field: quote the whole field");
  CHECK(error_of(kHeader + "a,\"b\n\n") ==
        "h.csv:2:3: the quote that is opened here is never closed");
  CHECK(error_of(kHeader + ",b,c,2026-01-01T10:00:00Z,P1,failed,\n") ==
        "h.csv:2:1: 'id' is needed");
  CHECK(error_of(kHeader + std::string(200, ',')).starts_with("h.csv:2:"));
}

TEST_CASE("a file is the same as CSV and as JSON, and JSON names its record", "[remedy]") {
  const auto csv = read_history_csv(kHeader + kRow, "");
  REQUIRE(csv.ok());
  const auto json = read_history_json(history_json(csv->rows), "");
  REQUIRE(json.ok());
  CHECK(json->records == csv->records);
  const auto number = read_history_json(
      R"({"records": [{"id": "a", "signature": "s", "action": "nothing", "severity": "P2",
          "at": "2026-01-01T10:00:00Z", "outcome": "resolved", "recover_s": 300}]})",
      "");
  REQUIRE(number.ok());
  CHECK(number->records.front().recover_s == 300);
  const auto error = [](const std::string& text) {
    const auto file = read_history_json(text, "h.json");
    return file.ok() ? "taken" : file.error().message;
  };
  CHECK(error(R"({"records": [{"id": "a"}]})") == "h.json: record 1: 'signature' is needed");
  CHECK(error(R"({"records": [{"idd": "a"}]})").find("no member 'idd'") != std::string::npos);
  CHECK(error("[]") == "h.json: it must be {\"records\": [...]}");
}

TEST_CASE("whatever bytes a CSV has, its fields put together are what was read", "[remedy]") {
  std::mt19937 random(7);
  const std::string alphabet = "a,\"\n\r b";
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (size_t n = random() % 24; n > 0; --n) text += alphabet[random() % alphabet.size()];
    CsvReader csv(text);
    size_t fields = 0;
    while (!csv.done()) {
      const auto field = csv.next();
      if (!field.ok()) break;
      CHECK(field->place.line >= 1);
      REQUIRE(++fields <= text.size() + 1);
    }
  }
}
