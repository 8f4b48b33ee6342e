#include "log_test_support.hpp"
#include "nines/log/journal_export.hpp"

using namespace nines;
using namespace nines::log;
using nines::log::test::Lines;
using namespace std::string_literals;

namespace {

const std::string kEntry =
    "__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1763688951262484\nPRIORITY=3\n"
    "SYSLOG_IDENTIFIER=sshd\n_SYSTEMD_UNIT=ssh.service\n_PID=77\n_HOSTNAME=node1\n"
    "MESSAGE=Failed password a=b\nCODE_LINE=12\n\n";
// A message of two lines and a NUL.
const std::string kBinary =
    "__REALTIME_TIMESTAMP=1763688951262484\n_SOURCE_REALTIME_TIMESTAMP=1763688950000000\n"
    "MESSAGE\n\x05\0\0\0\0\0\0\0a\n\0\nb\n_COMM=x\n\n"s;

}  // namespace

TEST_CASE("Journal entries give known fields from their best source", "[log]") {
  Lines lines(FormatKind::journal, {"level", "message", "service", "unit", "pid", "host",
                                    "code_line", "CODE_LINE", "nope"});
  CHECK(lines(kEntry) ==
        "ok 2025-11-21T01:35:51.262484Z ERROR 'Failed password a=b' 'sshd' 'ssh.service' '77' "
        "'node1' '12' '12' null");
  CHECK(lines(kBinary) ==
        "ok 2025-11-21T01:35:50Z null 'a\n\0\nb' 'x' null null null null null null"s);
  CHECK(lines("MESSAGE=x\n").substr(0, 8) == "bad_time");
  CHECK(lines("__REALTIME_TIMESTAMP=9999999999999999\nMESSAGE=x").substr(0, 8) == "bad_time");
  CHECK(lines("\n").substr(0, 5) == "empty");
  CHECK(lines("hello world\n\n").substr(0, 8) == "no_match");
  CHECK(lines("MESSAGE=a\nMESSAGE=b\n\n").find("'a'") != std::string::npos);
}

TEST_CASE("Journal entries are framed by their empty line, binary fields by their length",
          "[log]") {
  CHECK(journal_entry_length(kEntry + kBinary) == kEntry.size());
  CHECK(journal_entry_length(kBinary + kEntry) == kBinary.size());
  for (size_t n = 0; n < kBinary.size(); ++n) {
    CHECK(journal_entry_length(std::string_view(kBinary).substr(0, n)) == 0);
  }
  CHECK(journal_entry_length("\n" + kEntry) == 1);
}

TEST_CASE("Behind garbage the journal goes on at the next empty line", "[log]") {
  const std::string garbage = "lost half\nNAME\n\xff\xff\xff\xff\xff\xff\xff\xff\n\n";
  CHECK(journal_entry_length(garbage + kEntry) == garbage.size());
  Lines lines(FormatKind::journal, {"message"});
  CHECK(lines(garbage) == "no_match null");
  CHECK(lines("MESSAGE\n\x02\0\0\0\0\0\0\0abc\n\n"s) == "no_match null");
  CHECK(lines("MESSAGE\n\x09\0\0\0\0\0\0\0abc\n\n"s) == "no_match null");
}

TEST_CASE("Journal entries tell their cursor", "[log]") {
  CHECK(journal_cursor(kEntry) == "s=1;i=2");
  CHECK(journal_cursor(kBinary).empty());
  CHECK(journal_cursor("garbage").empty());
}

TEST_CASE("Journal parse_all lists known fields and then the others", "[log]") {
  Lines lines(FormatKind::journal, {});
  std::vector<LineParser::NamedValue> all;
  WallTime ts;
  bool has_ts = false;
  REQUIRE(lines.parser->parse_all(kEntry, ts, has_ts, all) == ParseOutcome::ok);
  std::string names;
  for (const auto& entry : all) names += std::string(entry.name) + " ";
  CHECK(names == "ts level message service unit pid host __CURSOR __REALTIME_TIMESTAMP CODE_LINE ");
}
