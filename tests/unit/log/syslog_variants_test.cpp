// Headers of syslog as devices and daemons write them, beside the two RFCs.
#include "log_test_support.hpp"

using namespace nines;
using namespace nines::log;
using nines::log::test::Lines;

TEST_CASE("syslog reads the headers of many devices", "[log]") {
  Lines lines(FormatKind::syslog, {"host", "app", "pid", "message"});
  struct Case {
    const char* line;
    const char* expected;
  };
  static constexpr Case kCases[] = {
      {"<15>openvpn[2499]: PTHINFO", "bad_time null 'openvpn' '2499' 'PTHINFO'"},
      {"<15> openvpn[2499]: PTHINFO", "bad_time null 'openvpn' '2499' 'PTHINFO'"},
      {"<7>Aug 29 02:00:00.156 ctld snmpd[2499]: x",
       "ok 2026-08-29T02:00:00.156Z 'ctld' 'snmpd' '2499' 'x'"},
      {"<7>Aug 29 02:00:00.15678912345678901234567890123456789012 h a: x",
       "ok 2026-08-29T02:00:00.156789123Z 'h' 'a' null 'x'"},
      {"<7>Aug 29 2019 02:00:00 h a: x", "ok 2019-08-29T02:00:00Z 'h' 'a' null 'x'"},
      {"<7>Aug 29 02:00:00 2019 h a: x", "ok 2019-08-29T02:00:00Z 'h' 'a' null 'x'"},
      {"<7>2006-11-10T10:43:21.156+02:00 bzorp openvpn[2499]: x",
       "ok 2006-11-10T08:43:21.156Z 'bzorp' 'openvpn' '2499' 'x'"},
      {"<189>29: foo: *Apr 29 13:58:40.411: %SYS-5-CONFIG_I: Configured",
       "ok 2026-04-29T13:58:40.411Z 'foo' '%SYS-5-CONFIG_I' null 'Configured'"},
      {"<189>29: *Apr 29 13:58:46.411: %SYS-5-CONFIG_I: Configured",
       "ok 2026-04-29T13:58:46.411Z null '%SYS-5-CONFIG_I' null 'Configured'"},
      {"<189>Apr 29 13:58:46.411 EST: %SYS-5-CONFIG_I: Configured",
       "ok 2026-04-29T18:58:46.411Z null '%SYS-5-CONFIG_I' null 'Configured'"},
      {"<189>.Apr 29 2026 13:58:46: %ASA-6-302013: Built",
       "ok 2026-04-29T13:58:46Z null '%ASA-6-302013' null 'Built'"},
      {"<13>29: kernel: no time at all", "bad_time null '29' null 'kernel: no time at all'"},
      {"<38>Sep 22 10:11:56 Message forwarded from cdaix66: sshd[679960]: Accepted",
       "ok 2026-09-22T10:11:56Z 'cdaix66' 'sshd' '679960' 'Accepted'"},
      {"<34>Oct 11 22:14:15 2001:db8::1 su: x",
       "ok 2026-10-11T22:14:15Z '2001:db8::1' 'su' null 'x'"},
      {"<34>Oct 11 22:14:15 fe80:: su: x", "ok 2026-10-11T22:14:15Z 'fe80::' 'su' null 'x'"},
      {"<34>Oct 11 22:14:15 ::ffff:10.0.0.1 su: x",
       "ok 2026-10-11T22:14:15Z '::ffff:10.0.0.1' 'su' null 'x'"},
      {"Oct 11 22:14:15 h app: \xEF\xBB\xBFx", "ok 2026-10-11T22:14:15Z 'h' 'app' null 'x'"},
      {"Oct  1 22:14:15 h /usr/sbin/cron[12]: x",
       "ok 2026-10-01T22:14:15Z 'h' '/usr/sbin/cron' '12' 'x'"},
      {"Oct  1 22:14:15 h kernel: [12.345] x",
       "ok 2026-10-01T22:14:15Z 'h' 'kernel' null '[12.345] x'"},
      {"<0>1 2003-10-11T22:14:15Z h a - - -", "ok 2003-10-11T22:14:15Z 'h' 'a' null ''"},
      {"<191>1 - - - - - - m", "bad_time null null null 'm'"},
      {"<34>", "bad_time null null null ''"},
  };
  for (const Case& c : kCases) {
    CAPTURE(c.line);
    CHECK(lines(c.line) == c.expected);
  }
}

TEST_CASE("syslog structured data tolerates what devices write", "[log]") {
  Lines lines(FormatKind::syslog, {"sd.id@0.a", "sd.origin.ip", "message"});
  CHECK(lines(R"(<1>1 2003-10-11T22:14:15Z h a - - [ id@0 a="x"][origin ip="::1"] m)") ==
        "ok 2003-10-11T22:14:15Z 'x' '::1' 'm'");
  CHECK(lines(R"(<1>1 2003-10-11T22:14:15Z h a - - [id@0 a="\"\\\]\n"] m)") ==
        R"(ok 2003-10-11T22:14:15Z '"\]\n' null 'm')");
  const std::string id(33, 'i');
  Lines longer(FormatKind::syslog, {"sd." + id + ".a"});
  CHECK(longer("<1>1 2003-10-11T22:14:15Z h a - - [" + id + " a=\"x\"] m") ==
        "ok 2003-10-11T22:14:15Z 'x'");
}
