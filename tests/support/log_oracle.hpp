// Checks of log parsers that hold for every line whatever it is; unit, property and fuzz tests
// share them.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "nines/log/format.hpp"

namespace nines::log::test {

inline constexpr TimeContext kOracleContext{0, {1'795'262'400 * kNsPerSecond}};
inline constexpr FormatKind kTextKinds[] = {FormatKind::combined, FormatKind::json,
                                            FormatKind::logfmt, FormatKind::syslog,
                                            FormatKind::plain};

inline const std::vector<std::string>& sample_lines() {
  static const std::vector<std::string> kLines = {
      R"x(203.0.113.7 - alice [21/Nov/2026:01:35:51 +0000] "GET /a?id=7 HTTP/1.1" 200 1234 "https://x/" "Mozilla/5.0 (X11)" 0.123)x",
      R"(::1 - - [21/Nov/2026:01:35:51 +0000] "\x16\x03\"" 400 - "-" "-" rt=0.5 urt="0.1, 0.2")",
      R"(h - - [21/Nov/2026:01:35:51 +0000] "GET / HTTP/1.0" 304 0)",
      R"({"ts":"2026-11-21T01:35:51.5Z","level":"warn","msg":"a\n\u00e9\ud83d\ude00","n":-1.50e3,"o":{"p":[1,{"q":"]"}],"r":{}},"t":true,"z":null})",
      R"({"time":1763688951262,"severity":"ERROR","a.b":1,"a":{"b":2,"c":"\\\""},"big":12345678901234567890})",
      R"(ts=2026-11-21T01:35:51Z level=info msg="a \"b\" c" flag n=1 empty= path=/x?a=b)",
      "<34>Oct 11 22:14:15 mymachine su[77]: 'su root' failed",
      "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: check pass; user unknown",
      R"(<165>1 2003-10-11T22:14:15.003Z host evntslog - ID47 [a@1 iut="3" b="x\"]\\"][c d="e"] An event)",
      "2015-07-29 17:41:44,747 - WARN  [Peer:774] - time out: 3200",
      "[Sun Dec 04 04:47:44 2005] [error] mod_jk child in error state 6",
      "I1121 01:35:51.262484   12345 file.go:12] started",
      "20171223-22:15:29:606|Step_LSC|30002312|onExtend:1514038530000 14 0 4",
      "2026-11-21T01:35:51.262484239Z stdout P {\"half\":",
  };
  return kLines;
}

// Layouts of every dialect, each with a line of its own.
struct LayoutSample {
  std::string_view pattern, line;
};
inline constexpr LayoutSample kLayoutSamples[] = {
    {"traefik",
     R"(192.0.2.1 - - [21/Nov/2026:01:35:51 +0000] "GET /w HTTP/2.0" 200 414 "-" "-" 12 "w@docker" "http://172.18.0.3:80" 17ms)"},
    {"envoy",
     R"([2026-11-21T01:35:51.310Z] "POST /api HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "ua" "cc21d9b0" "locations" "tcp://10.0.2.1:80")"},
    {"haproxy",
     R"(lb1 haproxy[14389]: 10.0.1.2:33317 [21/Nov/2026:01:35:51.655] http-in~ static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1")"},
    {"klog", R"(E1121 01:35:51.262484 1 reflector.go:150] "Failed" err="x")"},
    {"redis", "1234:M 21 Nov 2026 01:35:51.262 * Ready to accept connections tcp"},
    {"rabbitmq", "2022-02-16 18:59:41.066793+00:00 [debug] <0.459.0> Plugins discovery: x"},
    {"postgres",
     "2026-11-21 01:35:51.262 CET [12345] LOG:  duration: 12.345 ms  statement: SELECT 1"},
    {"spring",
     "2026-11-21T12:22:37.451Z  INFO 7 --- [myapp] [           main] o.s.App       : Starting [x]"},
    {"log4j", "01:35:51.262 [main] ERROR com.example.App - boom\njava.lang.Error: x\n\tat a.B"},
    {"python", "2026-11-21 01:35:51,262 - shop.cart - ERROR - no - stock"},
    {"k3s", R"(time="2026-11-21T01:35:51Z" level=info msg="Starting k3s v1.31")"},
    {R"(nginx:$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_user_agent" rt=$request_time urt="$upstream_response_time" $upstream_status $msec)",
     R"(::1 - - [21/Nov/2026:01:35:51 +0000] "GET /a\x22 HTTP/1.1" 502 12 "a" rt=0.250 urt="0.1, 0.15 : -" 502, 502 1795224951.262)"},
    {"nginx:$time_iso8601 $scheme://$host$uri$is_args$args $upstream_addr $status",
     "2026-11-21T01:35:51+00:00 http://h/a?b 10.0.0.1:80, 10.0.0.2:80 200"},
    {R"(apache:%h %l %u %{%Y-%m-%d %H:%M:%S}t.%{msec_frac}t "%r" %>s %b "%{User-Agent}i" %T/%D)",
     R"(h - - 2026-11-21 01:35:51.262 "GET /\" HTTP/1.0" 200 - "x\\" 1/1234567)"},
    {"log4j:%d{dd.MM.yyyy HH:mm:ss,SSS} %-5p [%t] %c{1} %x - %m (%F:%L)%n",
     "21.11.2026 01:35:51,262 WARN  [a b] App  - go - on (App.java:7)"},
    {"python:%(asctime)s.%(msecs)03d %(levelname)-8s %(name)s:%(lineno)d %(message)s",
     "2026-11-21 01:35:51.262 WARNING  shop.cart:12 no stock: 7"},
    {"postgres:%t [%p]: [%l-1] user=%u,db=%d %q%a ",
     "2026-11-21 01:35:51 +03 [31]: [2-1] user=,db=shop psql FATAL:  no"},
};

inline bool same_value(const Value& a, const Value& b) {
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case ValueKind::null: return true;
    case ValueKind::number: return a.mantissa == b.mantissa && a.exponent == b.exponent;
    case ValueKind::real: return std::memcmp(&a.real, &b.real, sizeof a.real) == 0;
    case ValueKind::level: return a.level == b.level && a.text == b.text;
    case ValueKind::text: return a.text == b.text;
    default: return a.mantissa == b.mantissa;
  }
}

// parse() must find what parse_all() lists, asked for all at once or one by one. Empty when it
// does.
inline std::string disagreement(const FormatSpec& format, std::string_view line) {
  auto lister = make_parser(format, {}, kOracleContext);
  std::vector<LineParser::NamedValue> all;
  WallTime ts;
  bool has_ts = false;
  const ParseOutcome listed = (*lister)->parse_all(line, ts, has_ts, all);
  if (listed == ParseOutcome::no_match || listed == ParseOutcome::empty) return {};
  std::vector<std::string> names;
  for (const auto& entry : all) names.emplace_back(entry.name);
  const auto check = [&](std::span<const std::string> wanted, size_t first) -> std::string {
    auto parser = make_parser(format, wanted, kOracleContext);
    std::vector<Value> values(wanted.size(), Value::of_text("unset"));
    ParsedRecord record{{}, false, values};
    const ParseOutcome outcome = (*parser)->parse(line, record);
    if (outcome != listed || record.has_ts != has_ts || (has_ts && record.ts != ts)) {
      return format_name(format) + ": outcome or time differs";
    }
    for (size_t i = 0; i < wanted.size(); ++i) {
      // Beyond that many ways to split a name into nested ones it is looked for in some only.
      if (std::count(wanted[i].begin(), wanted[i].end(), '.') > 6) continue;
      if (!same_value(values[i], all[first + i].value)) {
        return format_name(format) + ": field " + wanted[i] + " differs";
      }
    }
    return {};
  };
  std::string found = check(names, 0);
  for (size_t i = 0; i < names.size() && i < 16 && found.empty(); ++i) {
    found = check(std::span<const std::string>(names).subspan(i, 1), i);
  }
  return found;
}
inline std::string disagreement(FormatKind kind, std::string_view line) {
  return disagreement(FormatSpec{kind, {}, {}}, line);
}

}  // namespace nines::log::test
