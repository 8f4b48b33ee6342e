#include "log_test_support.hpp"

using namespace nines;
using namespace nines::log;
using nines::log::test::Lines;

TEST_CASE("logfmt gives pairs, quoted values and flags", "[log]") {
  Lines lines(FormatKind::logfmt,
              {"level", "message", "status", "path", "fast", "empty", "request_id", "service"});
  CHECK(
      lines(
          R"(time=2026-11-21T01:35:51Z lvl=warn msg="a \"b\" c" status=200 path=/x?a=b fast empty= req_id=r app=s)") ==
      "ok 2026-11-21T01:35:51Z WARN 'a \"b\" c' '200' '/x?a=b' true '' 'r' 's'");
  CHECK(lines("level=info level=error ts=1763688951") ==
        "ok 2025-11-21T01:35:51Z INFO null null null null null null null");
  CHECK(lines("a=1") == "bad_time null null null null null null null null");
  CHECK(lines(" ") == "empty null null null null null null null null");
}

TEST_CASE("logfmt refuses what is not pairs", "[log]") {
  Lines lines(FormatKind::logfmt, {"a"});
  for (const char* bad :
       {"hello world", "flag a=1", "a=\"open", "=1", "a=1 =2", "a=\"x\"y", "\"a\"=1"}) {
    CAPTURE(bad);
    CHECK(lines(bad) == "no_match null");
  }
}

TEST_CASE("syslog reads RFC 3164 with and without priority, host and pid", "[log]") {
  Lines lines(FormatKind::syslog,
              {"facility", "severity", "level", "host", "app", "service", "pid", "message"});
  CHECK(
      lines("<34>Oct 11 22:14:15 mymachine su[77]: 'su root' failed") ==
      "ok 2026-10-11T22:14:15Z 'auth' 'crit' FATAL 'mymachine' 'su' 'su' '77' ''su root' failed'");
  CHECK(lines("Jun 14 15:16:01 combo sshd(pam_unix)[19939]: check pass; user unknown") ==
        "ok 2026-06-14T15:16:01Z null null null 'combo' 'sshd(pam_unix)' 'sshd(pam_unix)' '19939' "
        "'check pass; user unknown'");
  CHECK(lines("Jun 14 15:16:01 combo kernel: up") ==
        "ok 2026-06-14T15:16:01Z null null null 'combo' 'kernel' 'kernel' null 'up'");
  CHECK(lines("Jun 14 15:16:01 combo last message repeated 2 times") ==
        "ok 2026-06-14T15:16:01Z null null null 'combo' null null null 'last message repeated 2 "
        "times'");
  CHECK(lines("Jun 14 15:16:01 cron[1]: no host") ==
        "ok 2026-06-14T15:16:01Z null null null null 'cron' 'cron' '1' 'no host'");
  CHECK(lines("2026-11-21T01:35:51.262484+01:00 node1 app[5]: x") ==
        "ok 2026-11-21T00:35:51.262484Z null null null 'node1' 'app' 'app' '5' 'x'");
  CHECK(lines("<15>openvpn[2499]: PTHINFO") ==
        "bad_time 'user' 'debug' DEBUG null 'openvpn' 'openvpn' '2499' 'PTHINFO'");
  CHECK(lines("<189>Nov 21 2026 01:35:51: %ASA-6-302013: Built") ==
        "ok 2026-11-21T01:35:51Z 'local7' 'notice' INFO null '%ASA-6-302013' '%ASA-6-302013' null "
        "'Built'");
  for (const char* bad : {"<192>Oct 11 22:14:15 h a: m", "<x>y", "<>", "<1", "hello world"}) {
    CAPTURE(bad);
    CHECK(lines(bad) == "no_match null null null null null null null null");
  }
}

TEST_CASE("syslog reads RFC 5424 with structured data", "[log]") {
  Lines lines(FormatKind::syslog, {"level", "host", "app", "pid", "msgid",
                                   "sd.exampleSDID@32473.iut", "sd.x.q", "message"});
  CHECK(
      lines(R"(<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 )"
            R"([exampleSDID@32473 iut="3" eventSource="App"][x q="a\"]\\\]\n"] An event)") ==
      R"(ok 2003-10-11T22:14:15.003Z INFO 'mymachine.example.com' 'evntslog' null 'ID47' '3' 'a"]\]\n' 'An event')");
  CHECK(lines("<34>1 2003-10-11T22:14:15.003Z h su - ID47 - \xEF\xBB\xBF'su root' failed") ==
        "ok 2003-10-11T22:14:15.003Z FATAL 'h' 'su' null 'ID47' null null ''su root' failed'");
  CHECK(lines("<34>1 - h su 9 - -") == "bad_time FATAL 'h' 'su' '9' null null null ''");
  CHECK(lines("1 2003-10-11T22:14:15.003Z h su 9 - - m") ==
        "ok 2003-10-11T22:14:15.003Z null 'h' 'su' '9' null null null 'm'");
}

TEST_CASE("plain text finds time stamp, level and message", "[log]") {
  Lines lines(FormatKind::plain, {"level", "message"});
  struct Case {
    const char* line;
    const char* expected;
  };
  static constexpr Case kCases[] = {
      {"2015-07-29 17:41:44,747 - WARN  [Peer] - time out",
       "ok 2015-07-29T17:41:44.747Z WARN '[Peer] - time out'"},
      {"2015-10-18 18:01:47,978 INFO [main] o.a: x",
       "ok 2015-10-18T18:01:47.978Z INFO '[main] o.a: x'"},
      {"[Sun Dec 04 04:47:44 2005] [error] mod_jk", "ok 2005-12-04T04:47:44Z ERROR 'mod_jk'"},
      {"081109 203615 148 INFO dfs.DataNode: x",
       "ok 2008-11-09T20:36:15Z INFO '148 INFO dfs.DataNode: x'"},
      {"E1121 01:35:51.262484   12345 f.go:12] bad",
       "ok 2026-11-21T01:35:51.262484Z ERROR '12345 f.go:12] bad'"},
      {"[ERROR] 2026-11-21 01:35:51 boom", "ok 2026-11-21T01:35:51Z ERROR 'boom'"},
      {"2026-11-21T01:35:51Z error: boom", "ok 2026-11-21T01:35:51Z ERROR 'boom'"},
      {"2026-11-21 01:35:51 - app - ERROR - boom",
       "ok 2026-11-21T01:35:51Z ERROR 'app - ERROR - boom'"},
      {"2026-11-21 01:35:51 connection error: reset",
       "ok 2026-11-21T01:35:51Z null 'connection error: reset'"},
      {"- 1117838570 2005.06.03 R02 2005-06-03-15.42.50.675872 R02 RAS KERNEL FATAL x",
       "ok 2005-06-03T22:42:50Z FATAL '2005.06.03 R02 2005-06-03-15.42.50.675872 R02 RAS KERNEL "
       "FATAL x'"},
      {"20171223-22:15:29:606|Step_LSC|30002312|onExtend",
       "ok 2017-12-23T22:15:29.606Z null 'Step_LSC|30002312|onExtend'"},
      {"    at java.lang.Thread.run(Thread.java:1)",
       "bad_time null '    at java.lang.Thread.run(Thread.java:1)'"},
      {"ERROR: no time", "bad_time ERROR 'no time'"},
      {"2026-11-21 01:35:51", "ok 2026-11-21T01:35:51Z null ''"},
      {"  ", "empty null null"},
  };
  for (const Case& c : kCases) {
    CAPTURE(c.line);
    CHECK(lines(c.line) == c.expected);
  }
}

TEST_CASE("regex captures wanted groups of any pattern", "[log]") {
  FormatSpec format{
      FormatKind::regex,
      R"(^(?P<host>\S+) (\(x\)) \[(?<ts>[^\]]*)\] (?P<lvl>(?i:a|b)) [\](?P<no>]* \Q(?P<q>\E(?P<level>\w+)(?P<opt> \d+)?$)",
      {}};
  Lines lines(format, {"host", "level", "opt", "nope", "raw"});
  CHECK(lines("h (x) [2026-11-21 01:35:51] A ](] (?P<q>warn 12") ==
        "ok 2026-11-21T01:35:51Z 'h' WARN ' 12' null 'h (x) [2026-11-21 01:35:51] A ](] (?P<q>warn "
        "12'");
  CHECK(lines("h (x) [zzz] A  (?P<q>warn") ==
        "bad_time 'h' WARN null null 'h (x) [zzz] A  (?P<q>warn'");
  CHECK(lines("other").substr(0, 8) == "no_match");
  std::vector<LineParser::NamedValue> all;
  WallTime ts;
  bool has_ts = false;
  REQUIRE(lines.parser->parse_all("h (x) [2026-11-21 01:35:51] B  (?P<q>warn", ts, has_ts, all) ==
          ParseOutcome::ok);
  std::string names;
  for (const auto& entry : all)
    names += std::string(entry.name) + "=" + test::show(entry.value) + " ";
  CHECK(names == "ts=2026-11-21T01:35:51Z level=WARN host='h' lvl='B' ");
}

TEST_CASE("regex takes strptime-like time formats", "[log]") {
  const auto with = [](const std::string& time_format, const std::string& text) {
    Lines lines(FormatSpec{FormatKind::regex, "^(?P<time>.*)$", time_format}, {});
    return lines(text);
  };
  CHECK(with("%d.%m.%Y %H:%M:%S.%f", "21.11.2026 01:35:51.26") == "ok 2026-11-21T01:35:51.260Z");
  CHECK(with("%b %e %T", "Nov  5 01:35:51") == "ok 2026-11-05T01:35:51Z");
  CHECK(with("%m/%d/%y %I:%M:%S %p %z", "11/21/26 01:35:51 PM +0100") == "ok 2026-11-21T12:35:51Z");
  CHECK(with("%A, %d-%b-%Y %R %Z", "Saturday, 21-Nov-2026 01:35 GMT") == "ok 2026-11-21T01:35:00Z");
  CHECK(with("%s", "1763688951") == "ok 2025-11-21T01:35:51Z");
  CHECK(with("%s.%f", "1763688951.5") == "ok 2025-11-21T01:35:51.500Z");
  CHECK(with("%Y %j", "2026 032") == "ok 2026-02-01T00:00:00Z");
  CHECK(with("%D%n%T%t%%", "11/21/26\t01:35:51 %") == "ok 2026-11-21T01:35:51Z");
  CHECK(with("%h %d, %y %H:%M:%S,%L", "nov 21, 70 01:35:51,262") == "ok 1970-11-21T01:35:51.262Z");
  CHECK(with("%F %T %Z", "2026-11-21 01:35:51 IST") == "ok 2026-11-21T01:35:51Z");
  CHECK(with("%F %T %Z", "2026-11-21 01:35:51 XYZ") == "bad_time");
  CHECK(with("%F %T%%", "2026-11-21 01:35:51") == "bad_time");
  CHECK(with("%F", "2026-02-30") == "bad_time");
  CHECK(with("%F", "2026-02-03x") == "bad_time");
  CHECK(with("%F", "1754-02-03") == "bad_time");
}

TEST_CASE("Bad regex formats say what is wrong", "[log]") {
  const auto error = [](const std::string& pattern, const std::string& time_format) {
    auto parser = make_parser({FormatKind::regex, pattern, time_format}, {}, test::kContext);
    return parser.ok() ? std::string("ok") : parser.error().message;
  };
  CHECK_THAT(error("(?P<a>x", ""), Catch::Contains("(?P<a>x") && Catch::Contains("missing"));
  CHECK_THAT(error("", ""), Catch::Contains("empty"));
  CHECK_THAT(error("(x)", ""), Catch::Contains("no named group"));
  CHECK_THAT(error("(?P<a>(?:x{500}){500})", ""), Catch::Contains("(?P<a>"));
  CHECK_THAT(error("(?P<a>x)", "%Q"), Catch::Contains("%Q"));
  CHECK_THAT(error("(?P<a>x)(?P<a>y)", ""), Catch::Contains("two groups named \"a\""));
}

TEST_CASE("Format names are words of users and errors list them", "[log]") {
  for (const char* name : {"nginx", "apache", "common", "combined"}) {
    CHECK(format_from_name(name)->kind == FormatKind::combined);
  }
  for (const FormatKind kind : {FormatKind::combined, FormatKind::json, FormatKind::logfmt,
                                FormatKind::syslog, FormatKind::plain, FormatKind::regex}) {
    CHECK(format_from_name(format_name(kind))->kind == kind);
  }
  const auto bad = format_from_name("jason");
  REQUIRE_FALSE(bad.ok());
  CHECK_THAT(bad.error().message,
             Catch::Contains("jason") && Catch::Contains("json") && Catch::Contains("nginx"));
}
