// Layouts of application logs: log4j, logback, Spring, Python, klog, Redis, RabbitMQ, PostgreSQL.
#include "log_test_support.hpp"

namespace nines::log::test {
namespace {

FormatSpec layout(std::string_view name, std::string_view pattern = {}) {
  auto format = format_from_name(name, pattern);
  if (!format.ok()) FAIL(format.error().message);
  return *format;
}
std::string refusal(std::string_view name, std::string_view pattern) {
  const auto format = format_from_name(name, pattern);
  return format.ok() ? "accepted" : format.error().message;
}
std::string one(const FormatSpec& format, std::vector<std::string> wanted, std::string_view line) {
  return Lines(format, std::move(wanted))(line);
}
std::string everything(const FormatSpec& format, std::string_view line) {
  Lines lines(format, {});
  std::vector<LineParser::NamedValue> all;
  WallTime ts;
  bool has_ts = false;
  lines.parser->parse_all(line, ts, has_ts, all);
  std::string text;
  for (const auto& [name, value] : all) {
    text += (text.empty() ? "" : " ") + std::string(name) + "=" + show(value);
  }
  return text;
}
bool leads(const FormatSpec& format, std::string_view line) {
  return Lines(format, {}).parser->leads(line);
}

TEST_CASE("a PatternLayout gives time, level, thread, logger and the message") {
  const FormatSpec format =
      layout("log4j", "%d{yyyy-MM-dd HH:mm:ss.SSS} [%thread] %-5level %logger{36} - %msg%n");
  CHECK(everything(
            format,
            "2026-11-21 01:35:51.262 [http-nio-8080-exec-1] WARN  c.e.shop.Cart - no stock - 7") ==
        "ts=2026-11-21T01:35:51.262Z level=WARN message='no stock - 7' "
        "thread='http-nio-8080-exec-1' logger='c.e.shop.Cart'");
}

TEST_CASE("a record of several lines is one message, its stack trace with it") {
  const FormatSpec format = layout("log4j", "%d %-5p [%t] %c: %m%n%xEx");
  CHECK(one(format, {"level", "logger", "message"},
            "2026-11-21 01:35:51,262 ERROR [main] com.example.App: failed\n"
            "java.lang.IllegalStateException: x\n\tat com.example.App.main(App.java:7)") ==
        "ok 2026-11-21T01:35:51.262Z ERROR 'com.example.App' 'failed\n"
        "java.lang.IllegalStateException: x\n\tat com.example.App.main(App.java:7)'");
  // The fields in front of a message are in the first line.
  CHECK(one(format, {"level"}, "2026-11-21 01:35:51,262 ERROR main\n [x] y: z") == "no_match null");
}

TEST_CASE("the names of Java's date formats are known") {
  const auto time_of = [](std::string_view date, std::string_view line) {
    return one(layout("log4j", "%d{" + std::string(date) + "} %m"), {"message"},
               std::string(line) + " m");
  };
  for (const char* c :
       {"ISO8601|2026-11-21 01:35:51,262", "ISO8601|2026-11-21T01:35:51,262",
        "DATE|21 Nov 2026 01:35:51,262", "ABSOLUTE|01:35:51,262", "COMPACT|20261121013551262",
        "UNIX_MILLIS|1795224951262", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX|2026-11-21T02:35:51.262+01:00",
        "dd/MM/yy HH:mm:ss.SSS|21/11/26 01:35:51.262", "HH:mm:ss.SSS|01:35:51.262",
        "dd.MM.yyyy HH:mm:ss.SSS|21.11.2026 01:35:51.262",
        "EEE MMM dd HH:mm:ss.SSS yyyy|Sat Nov 21 01:35:51.262 2026",
        "yyyy-MM-dd hh:mm:ss.SSS a|2026-11-21 01:35:51.262 AM",
        "yyyy-DDD HH:mm:ss.SSS z|2026-325 02:35:51.262 CET",
        "yyyy-MM-dd HH 'o''clock' mm:ss.SSS x|2026-11-21 02 o'clock 35:51.262 +01",
        "dd.MM.yyyy''HH:mm:ss.SSS|21.11.2026'01:35:51.262"}) {
    const std::string_view both(c);
    const size_t bar = both.find('|');
    CAPTURE(c);
    CHECK(time_of(both.substr(0, bar), both.substr(bar + 1)) == "ok 2026-11-21T01:35:51.262Z 'm'");
  }
}

TEST_CASE("a time of day is the last one before the reference, or an hour behind it") {
  const FormatSpec format = layout("log4j", "%d{HH:mm:ss} %m");
  CHECK(one(format, {}, "11:59:59 m") == "ok 2026-11-21T11:59:59Z");
  CHECK(one(format, {}, "12:30:00 m") == "ok 2026-11-21T12:30:00Z");
  CHECK(one(format, {}, "13:30:00 m") == "ok 2026-11-20T13:30:00Z");
  TimeContext east = kContext;
  east.utc_offset_s = 7200;
  CHECK(Lines(format, {}, east)("13:30:00 m") == "ok 2026-11-21T11:30:00Z");
  CHECK(Lines(format, {}, east)("01:30:00 m") == "ok 2026-11-20T23:30:00Z");
}

TEST_CASE("times that share their second with the line before are the same as without it") {
  const FormatSpec klog = layout("klog");
  Lines kept(klog, {"message"});
  for (const char* time :
       {"1121 01:35:51.262484", "1121 01:35:51.9", "1121 01:35:51.000000001", "1121 01:35:52.5",
        "1121 01:35:5.5", "1121 01:35:51.", "1121 01:35:51", "1121 01:35:51.262",
        "1120 01:35:51.262", "20261121 01:35:51.262", "20261121 01:35:51.3", "1121 01:35:51.4"}) {
    CAPTURE(time);
    const std::string line = "I" + std::string(time) + " 1 a.go:1] m";
    CHECK(kept(line) == one(klog, {"message"}, line));
  }
  const FormatSpec seconds = layout("log4j", "%d{HH:mm:ss}%m");
  Lines times(seconds, {"message"});
  CHECK(times("01:35:5 m") == "ok 2026-11-21T01:35:05Z ' m'");
  CHECK(times("01:35:51 m") == "ok 2026-11-21T01:35:51Z ' m'");
  CHECK(times("01:35:51 n") == "ok 2026-11-21T01:35:51Z ' n'");
  CHECK(times("01:35:512") == "ok 2026-11-21T01:35:51Z '2'");
  times.parser->set_reference({kReference.ns + 86'400 * kNsPerSecond});
  CHECK(times("01:35:51 m") == "ok 2026-11-22T01:35:51Z ' m'");
}

TEST_CASE("a zone in the pattern counts before the source's") {
  TimeContext east = kContext;
  east.utc_offset_s = 7200;
  for (const char* pattern :
       {"%d{yyyy-MM-dd HH:mm:ss}{UTC} %m", "%d{\"yyyy-MM-dd HH:mm:ss\", UTC} %m",
        "%d{yyyy-MM-dd HH:mm:ss, UTC} %m"}) {
    CAPTURE(pattern);
    CHECK(Lines(layout("log4j", pattern), {}, east)("2026-11-21 01:35:51 m") ==
          "ok 2026-11-21T01:35:51Z");
  }
  CHECK(Lines(layout("log4j", "%d{yyyy-MM-dd HH:mm:ss} %m"), {}, east)("2026-11-21 01:35:51 m") ==
        "ok 2026-11-20T23:35:51Z");
}

TEST_CASE("colours and other groups of a PatternLayout are looked through") {
  for (const char* pattern :
       {"%d %highlight(%-5p) %cyan(%c{1}): %m%n",
        "%d %highlight{%-5p}{FATAL=red} %style{%c{1}}{cyan}: %m%n",
        "%clr(%d){faint} %clr(%5p) %clr(%-20.20c{1}){cyan}%clr(:){faint} %m%n%wEx",
        "%d %-5p %c: %replace(%m){'a','b'}%n%nopex", "%d %p %c: %enc{%m}{CRLF}%n"}) {
    CAPTURE(pattern);
    CHECK(one(layout("log4j", pattern), {"level", "logger", "message"},
              "2026-11-21 01:35:51,262  INFO App: up (now)") ==
          "ok 2026-11-21T01:35:51.262Z INFO 'App' 'up (now)'");
  }
}

TEST_CASE("diagnostic contexts may be empty") {
  const FormatSpec format = layout("log4j", "%d %p [%X{requestId}] %c %x - %m%n");
  const std::vector<std::string> wanted = {"level", "request_id", "logger", "ndc", "message"};
  CHECK(one(format, wanted, "2026-11-21 01:35:51,262 INFO [r-1] a.B outer inner - go") ==
        "ok 2026-11-21T01:35:51.262Z INFO 'r-1' 'a.B' 'outer inner' 'go'");
  CHECK(one(format, wanted, "2026-11-21 01:35:51,262 INFO [] a.B  - go - on") ==
        "ok 2026-11-21T01:35:51.262Z INFO null 'a.B' null 'go - on'");
}

TEST_CASE("fields behind the message are found from the end of its line") {
  CHECK(one(layout("log4j", "[%d] %p %m (%c)%n"), {"level", "logger", "message"},
            "[2026-11-21 01:35:51,262] INFO [Log partition=a-0] Loaded (2) (kafka.log.Log)") ==
        "ok 2026-11-21T01:35:51.262Z INFO 'kafka.log.Log' '[Log partition=a-0] Loaded (2)'");
  CHECK(one(layout("log4j"), {"level", "logger", "message"},
            "[2026-11-21 01:35:51,262] INFO started (kafka.server.KafkaServer)") ==
        "ok 2026-11-21T01:35:51.262Z INFO 'kafka.server.KafkaServer' 'started'");
}

TEST_CASE("a message may begin on the line behind its header") {
  const FormatSpec format = layout("log4j", "%d %p %c%n%m%n");
  CHECK(one(format, {"logger", "message"}, "2026-11-21 01:35:51,262 INFO a.B\nfirst\nsecond") ==
        "ok 2026-11-21T01:35:51.262Z 'a.B' 'first\nsecond'");
  CHECK(leads(format, "2026-11-21 01:35:51,262 INFO a.B"));
}

TEST_CASE("where a PatternLayout was called from is named") {
  CHECK(everything(layout("log4j", "%d{ISO8601} %-5p %r [%t] %C.%M(%F:%L) - %m%n"),
                   "2026-11-21 01:35:51,262 DEBUG 17 [main] Foo.bar(Foo.java:12) - x") ==
        "ts=2026-11-21T01:35:51.262Z level=DEBUG message='x' uptime_ms=17 thread='main' "
        "class='Foo' function='bar' file='Foo.java' lineno=12");
}

TEST_CASE("log4j's default layouts are known without a pattern") {
  const FormatSpec format = layout("log4j");
  const std::vector<std::string> wanted = {"level", "thread", "logger", "message"};
  CHECK(one(format, wanted, "01:35:51.262 [main] ERROR com.example.App - boom") ==
        "ok 2026-11-21T01:35:51.262Z ERROR 'main' 'com.example.App' 'boom'");
  CHECK(one(format, wanted, "01:35:51.262 [main] INFO  com.example.App -- up") ==
        "ok 2026-11-21T01:35:51.262Z INFO 'main' 'com.example.App' 'up'");
  CHECK(one(format, wanted, "2026-11-21 01:35:51,262 [main] INFO  com.example.App  - up") ==
        "ok 2026-11-21T01:35:51.262Z INFO 'main' 'com.example.App' 'up'");
  CHECK(one(format, wanted, "2026-11-21 01:35:51,262 INFO  [main] com.example.App: up") ==
        "ok 2026-11-21T01:35:51.262Z INFO 'main' 'com.example.App' 'up'");
  CHECK(one(format, wanted,
            "2026-11-21 01:35:51,262 INFO org.apache.hadoop.hdfs.server.namenode.NameNode: up") ==
        "ok 2026-11-21T01:35:51.262Z INFO null 'org.apache.hadoop.hdfs.server.namenode.NameNode' "
        "'up'");
  // Any text could begin like that: only a logger with a dot is one.
  CHECK(one(format, wanted, "2026-11-21 01:35:51,262 INFO server: listening") ==
        "no_match null null null null");
  CHECK(one(format, wanted, "2026-11-21 01:35:51,262 hello [x] there a - b") ==
        "no_match null null null null");
}

TEST_CASE("a bad PatternLayout says where and what to do") {
  CHECK(refusal("log4j", "%d %q").find("unknown conversion %q at column 4") != std::string::npos);
  CHECK(refusal("log4j", "%p%c %m").find("at column 3: put a space") != std::string::npos);
  CHECK(refusal("log4j", "%d{bbb} %m").find("date pattern letter \"b\" is not known at column 4") !=
        std::string::npos);
  CHECK(refusal("log4j", "%highlight(%p %m").find("a group without its )") != std::string::npos);
}

TEST_CASE("Spring Boot's console layout is known, with and without an application name") {
  const FormatSpec spring = layout("spring");
  CHECK(everything(spring,
                   "2026-11-21T12:22:37.451Z  INFO 128443 --- [myapp] [           main] "
                   "o.s.b.d.f.logexample.MyApplication       : Starting MyApplication [x] [y]") ==
        "ts=2026-11-21T12:22:37.451Z level=INFO message='Starting MyApplication [x] [y]' "
        "pid=128443 service='myapp' thread='main' logger='o.s.b.d.f.logexample.MyApplication'");
  CHECK(one(spring, {"level", "service", "thread", "logger", "message"},
            "2014-03-05 10:57:51.253  WARN 45469 --- [ost-startStop-1] "
            "o.a.c.c.C.[Tomcat].[localhost].[/]"
            "       : Initializing [a] [b] c") ==
        "ok 2014-03-05T10:57:51.253Z WARN null 'ost-startStop-1' "
        "'o.a.c.c.C.[Tomcat].[localhost].[/]' "
        "'Initializing [a] [b] c'");
}

TEST_CASE("the three styles of Python's formats are one") {
  for (const char* pattern : {"%(asctime)s %(levelname)-8s [%(name)s:%(lineno)d] %(message)s",
                              "{asctime} {levelname:<8} [{name}:{lineno:d}] {message}",
                              "$asctime ${levelname} [${name}:$lineno] $message"}) {
    CAPTURE(pattern);
    CHECK(everything(layout("python", pattern),
                     "2026-11-21 01:35:51,262 WARNING  [shop.cart:12] no stock: 7") ==
          "ts=2026-11-21T01:35:51.262Z level=WARN message='no stock: 7' logger='shop.cart' "
          "lineno=12");
  }
}

TEST_CASE("milliseconds that Python writes on their own belong to the time") {
  CHECK(one(layout("python", "[%(asctime)s.%(msecs)03d] %(levelname)s %(message)s"), {"level"},
            "[2026-11-21 01:35:51.262] ERROR x") == "ok 2026-11-21T01:35:51.262Z ERROR");
}

TEST_CASE("loguru's format is read") {
  CHECK(everything(layout("python",
                          "{time:YYYY-MM-DD HH:mm:ss.SSS} | {level: <8} | "
                          "{name}:{function}:{line} - {message}"),
                   "2026-11-21 01:35:51.262 | SUCCESS  | app:main:7 - done") ==
        "ts=2026-11-21T01:35:51.262Z level='SUCCESS' message='done' logger='app' "
        "function='main' lineno=7");
}

TEST_CASE("Python's defaults are known without a pattern") {
  const FormatSpec python = layout("python");
  const std::vector<std::string> wanted = {"level", "logger", "message"};
  CHECK(one(python, wanted, "2026-11-21 01:35:51,262 - shop.cart - ERROR - no - stock") ==
        "ok 2026-11-21T01:35:51.262Z ERROR 'shop.cart' 'no - stock'");
  CHECK(one(python, wanted, "WARNING:root:low: 7") == "bad_time WARN 'root' 'low: 7'");
  CHECK(one(python, wanted, "INFO:     127.0.0.1:5000 - \"GET / HTTP/1.1\" 200 OK") ==
        "no_match null null null");
  CHECK(one(python, wanted, "Traceback (most recent call last):") == "no_match null null null");
  CHECK(leads(python, "2026-11-21 01:35:51,262 - a - INFO - b"));
  CHECK(leads(python, "WARNING:root:low"));
  CHECK_FALSE(leads(python, "Traceback (most recent call last):"));
  CHECK_FALSE(leads(python, "  File \"x.py\", line 1, in <module>"));
  CHECK_FALSE(leads(python, "ValueError: x: y"));
}

TEST_CASE("a bad Python format says where and what to do") {
  CHECK(refusal("python", "%(asctime)s %(name").find("at column 13") != std::string::npos);
  CHECK(refusal("python", "%(levelname)s%(message)s").find("at column 14: put a space") !=
        std::string::npos);
  CHECK(refusal("python", "{asctime} {name").find("{ without } at column 11") != std::string::npos);
  CHECK(refusal("python", "plain").find("has no field") != std::string::npos);
}

TEST_CASE("klog's header has no year and its level is a letter") {
  const FormatSpec klog = layout("klog");
  CHECK(everything(klog, "W1121 01:35:51.262484   12345 file.go:12] started [a] x:1]") ==
        "ts=2026-11-21T01:35:51.262484Z level=WARN message='started [a] x:1]' thread_id=12345 "
        "file='file.go' lineno=12");
  CHECK(one(klog, {"level", "file", "message"},
            "E1231 23:59:59.000001 1 reflector.go:150] \"Failed\" err=\"x\"") ==
        "ok 2025-12-31T23:59:59.000001Z ERROR 'reflector.go' '\"Failed\" err=\"x\"'");
  CHECK(one(klog, {"level"}, "I20261121 01:35:51.262484 7 main.cc:1] glog") ==
        "ok 2026-11-21T01:35:51.262484Z INFO");
  CHECK(one(klog, {}, "X1121 01:35:51.262484 1 file.go:12] x") == "no_match");
  CHECK_FALSE(leads(klog, "goroutine 1 [running]:"));
  CHECK(leads(klog, "I1121 01:35:51.262484 1 file.go:12] x"));
}

TEST_CASE("K3s mixes logfmt with klog, and each line is read as what it is") {
  const FormatSpec k3s = layout("k3s");
  CHECK(one(k3s, {"level", "message"},
            R"(time="2026-11-21T01:35:51Z" level=info msg="Starting k3s v1.31")") ==
        "ok 2026-11-21T01:35:51Z INFO 'Starting k3s v1.31'");
  CHECK(one(k3s, {"level", "message"}, "E1121 01:35:51.262484 1 a.go:1] x") ==
        "ok 2026-11-21T01:35:51.262484Z ERROR 'x'");
  CHECK(layout("containerd").kind == FormatKind::logfmt);
  CHECK(leads(k3s, "time=\"2026-11-21T01:35:51Z\" level=info"));
  CHECK_FALSE(leads(k3s, "\tat somewhere"));
}

TEST_CASE("Redis' marks are levels") {
  const FormatSpec redis = layout("redis");
  CHECK(everything(redis, "1234:M 21 Nov 2026 01:35:51.262 * Ready to accept connections tcp") ==
        "ts=2026-11-21T01:35:51.262Z level=INFO message='Ready to accept connections tcp' "
        "pid=1234 role='M'");
  CHECK(one(redis, {"level", "role"}, "7:C 21 Nov 2026 01:35:51.262 # oO0OoO0OoO0Oo Redis") ==
        "ok 2026-11-21T01:35:51.262Z WARN 'C'");
  CHECK(one(redis, {"level", "role"}, "7:S 21 Nov 01:35:51.262 - Accepted") ==
        "ok 2026-11-21T01:35:51.262Z DEBUG 'S'");
  CHECK(one(redis, {"level", "pid"}, "[7] 21 Nov 01:35:51.262 . 0 clients") ==
        "ok 2026-11-21T01:35:51.262Z DEBUG 7");
  CHECK(one(redis, {}, "7:M 21 Nov 2026 01:35:51.262 ? x") == "no_match");
}

TEST_CASE("RabbitMQ's log is read in both its forms") {
  const FormatSpec rabbit = layout("rabbitmq");
  CHECK(everything(rabbit,
                   "2022-02-16 18:59:41.066793+00:00 [debug] <0.459.0> Plugins discovery: x") ==
        "ts=2022-02-16T18:59:41.066793Z level=DEBUG message='Plugins discovery: x' pid='0.459.0'");
  CHECK(one(rabbit, {"level", "message"}, "2021-03-03 10:22:30.377860+01:00 [info] <0.229.0>") ==
        "ok 2021-03-03T09:22:30.377860Z INFO ''");
  CHECK(one(rabbit, {"level", "message"}, "2021-03-03 10:22:30.377 [dbug] <0.229.0> == done ==") ==
        "ok 2021-03-03T10:22:30.377Z DEBUG '== done =='");
  CHECK(one(rabbit, {"level", "message"},
            "=ERROR REPORT==== 8-Mar-2018::14:09:27 ===\nclosing AMQP connection <0.2.0>\nx") ==
        "ok 2018-03-08T14:09:27Z ERROR 'closing AMQP connection <0.2.0>\nx'");
  CHECK_FALSE(leads(rabbit, "closing AMQP connection <0.2.0>"));
  CHECK(leads(rabbit, "=ERROR REPORT==== 8-Mar-2018::14:09:27 ==="));
}

TEST_CASE("PostgreSQL's severities, zone and durations are read") {
  const FormatSpec postgres = layout("postgres");
  CHECK(everything(
            postgres,
            "2026-11-21 01:35:51.262 CET [12345] LOG:  duration: 12.345 ms  statement: SELECT 1") ==
        "ts=2026-11-21T00:35:51.262Z level=INFO "
        "message='duration: 12.345 ms  statement: SELECT 1' pid=12345 severity='LOG' "
        "duration_ms=12.345");
  CHECK(one(postgres, {"level", "severity", "duration_ms", "message"},
            "2026-11-21 01:35:51.262 UTC [1] ERROR:  relation \"x\" does not exist at character "
            "15") ==
        "ok 2026-11-21T01:35:51.262Z ERROR 'ERROR' null "
        "'relation \"x\" does not exist at character 15'");
  CHECK(one(postgres, {"level", "severity"},
            "2026-11-21 01:35:51.262 -03 [1] WARNING:  there is no transaction in progress") ==
        "ok 2026-11-21T04:35:51.262Z WARN 'WARNING'");
  CHECK(one(postgres, {"level", "severity"}, "2026-11-21 01:35:51.262 UTC [1] PANIC:  x") ==
        "ok 2026-11-21T01:35:51.262Z FATAL 'PANIC'");
  CHECK(one(postgres, {"level", "user", "database"},
            "2026-11-21 01:35:51.262 UTC [1] app@shop FATAL:  terminating connection") ==
        "ok 2026-11-21T01:35:51.262Z FATAL 'app' 'shop'");
  CHECK(one(postgres, {}, "2026-11-21 01:35:51.262 UTC [1] hello:  x") == "no_match");
}

TEST_CASE("PostgreSQL's zone is one word, known or not, and what stands behind it is none") {
  const FormatSpec user_next = layout("postgres", "%t %u ");
  for (const auto& [at, moment] : std::vector<std::pair<std::string, std::string>>{
           {"2026-11-21 01:35:51 CET", "2026-11-21T00:35:51Z"},
           {"2026-11-21 01:35:51 UTC", "2026-11-21T01:35:51Z"},
           {"2026-11-21 01:35:51 +03", "2026-11-20T22:35:51Z"},
           {"2026-11-21 01:35:51 -0330", "2026-11-21T05:05:51Z"},
           {"2026-11-21 01:35:51 BST", "2026-11-21T01:35:51Z"},     // of several meanings
           {"2026-11-21 01:35:51 AMT", "2026-11-21T01:35:51Z"}}) {  // the source's zone holds
    CAPTURE(at);
    CHECK(one(user_next, {"user"}, at + " EST LOG:  x") == "ok " + moment + " 'EST'");
  }
  CHECK(one(layout("postgres", "%m,%p "), {"pid"}, "2026-11-21 01:35:51.262 +03,7 LOG:  x") ==
        "ok 2026-11-20T22:35:51.262Z 7");
}

TEST_CASE("PostgreSQL's details belong to the record before them") {
  const FormatSpec postgres = layout("postgres");
  CHECK(leads(postgres, "2026-11-21 01:35:51.262 UTC [1] ERROR:  x"));
  CHECK_FALSE(leads(postgres, "2026-11-21 01:35:51.262 UTC [1] DETAIL:  y"));
  CHECK_FALSE(leads(postgres, "2026-11-21 01:35:51.262 UTC [1] STATEMENT:  SELECT 1"));
  CHECK_FALSE(leads(postgres, "\tFROM t"));
  CHECK(one(postgres, {"level", "severity"}, "2026-11-21 01:35:51.262 UTC [1] DETAIL:  y") ==
        "ok 2026-11-21T01:35:51.262Z null 'DETAIL'");
}

TEST_CASE("PostgreSQL prefixes of one's own are compiled") {
  const FormatSpec format = layout("postgres", "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ");
  CHECK(everything(format,
                   "2026-11-21 01:35:51 UTC [31]: [2-1] user=app,db=shop,app=psql,client=10.0.0.1 "
                   "FATAL:  password authentication failed") ==
        "ts=2026-11-21T01:35:51Z level=FATAL message='password authentication failed' pid=31 "
        "lineno=2 user='app' database='shop' application='psql' remote_addr='10.0.0.1' "
        "severity='FATAL'");
  CHECK(one(format, {"user", "severity"},
            "2026-11-21 01:35:51 UTC [31]: [2-1] user=,db=,app=,client= LOG:  checkpoint") ==
        "ok 2026-11-21T01:35:51Z null 'LOG'");
  CHECK(refusal("postgres", "%m %w").find("unknown escape %w at column 4") != std::string::npos);
}

TEST_CASE("every name of a format is told back") {
  for (const char* name : {"traefik", "envoy", "haproxy", "klog", "redis", "rabbitmq", "postgres",
                           "spring", "log4j", "python", "k3s"}) {
    CHECK(format_name(layout(name)) == name);
  }
  CHECK(format_name(layout("nginx", "$status")) == "nginx");
  CHECK(format_name(layout("apache", "%s")) == "apache");
  CHECK(format_name(layout("nginx")) == "combined");
  CHECK(format_from_name("csv", "ts,status")->pattern == ",ts,status");
  CHECK(format_name(*format_from_name("tsv", "ts\tstatus")) == "tsv");
  CHECK(refusal("json", "x").find("takes no pattern") != std::string::npos);
  CHECK(refusal("jason", "").find("redis") != std::string::npos);
}

}  // namespace
}  // namespace nines::log::test
