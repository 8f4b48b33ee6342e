// Layouts of access logs: nginx, Apache, Envoy, Traefik, HAProxy.
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
// "name=value name=value" of everything the line holds.
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

constexpr std::string_view kMain =
    R"($remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent )"
    R"("$http_referer" "$http_user_agent" "$http_x_forwarded_for")";
constexpr std::string_view kMainLine =
    R"(203.0.113.7 - alice [21/Nov/2026:01:35:51 +0100] "GET /a?b=1 HTTP/1.1" 200 1234 )"
    R"x("https://x/" "Mozilla/5.0 (X11; \x22q\x22)" "-")x";

TEST_CASE("nginx' own main format gives the well-known names") {
  CHECK(everything(layout("nginx", kMain), kMainLine) ==
        "ts=2026-11-21T00:35:51Z message='GET /a?b=1 HTTP/1.1' remote_addr='203.0.113.7' "
        "user='alice' method='GET' path='/a?b=1' protocol='HTTP/1.1' status=200 bytes=1234 "
        "referer='https://x/' user_agent='Mozilla/5.0 (X11; \\x22q\\x22)'");
}

TEST_CASE("nginx' variables keep a second name where it means the same") {
  CHECK(one(layout("nginx", kMain),
            {"remote_user", "http_user_agent", "request", "time_local", "user"}, kMainLine) ==
        "ok 2026-11-21T00:35:51Z 'alice' 'Mozilla/5.0 (X11; \\x22q\\x22)' 'GET /a?b=1 HTTP/1.1' "
        "null 'alice'");
}

TEST_CASE("the directive of nginx.conf, quoted parts and the bare format are one") {
  const std::string bare = R"($remote_addr [$time_iso8601] "$request" $status $request_time)";
  const std::string line = R"(::1 [2026-11-21T01:35:51+00:00] "POST /x HTTP/2.0" 502 0.250)";
  for (const std::string& pattern : std::vector<std::string>{
           bare, "'" + bare + "'",
           "log_format main '$remote_addr [$time_iso8601] '\n    '\"$request\" $status '\n  "
           "'$request_time';",
           "log_format  main  escape=default  '$remote_addr [$time_iso8601] \"$request\" ' "
           "'${status} ${request_time}';"}) {
    CAPTURE(pattern);
    CHECK(one(layout("nginx", pattern), {"remote_addr", "method", "status", "duration_ms"}, line) ==
          "ok 2026-11-21T01:35:51Z '::1' 'POST' 502 250");
  }
}

TEST_CASE("nginx' times are exact milliseconds, of several upstreams their sum") {
  const FormatSpec format = layout(
      "nginx", R"([$time_local] $status rt=$request_time uct="$upstream_connect_time" )"
               R"(urt="$upstream_response_time" $upstream_status $upstream_addr $request_id)");
  const std::vector<std::string> wanted = {"duration_ms",          "upstream_connect_ms",
                                           "upstream_duration_ms", "upstream_status",
                                           "upstream_addr",        "request_id"};
  CHECK(
      one(format, wanted,
          R"([21/Nov/2026:01:35:51 +0000] 200 rt=0.003 uct="0.000" urt="0.002" 200 10.0.0.1:80 ab)") ==
      "ok 2026-11-21T01:35:51Z 3 0 2 200 '10.0.0.1:80' 'ab'");
  CHECK(
      one(format, wanted,
          R"([21/Nov/2026:01:35:51 +0000] 200 rt=1.5 uct="-" urt="0.100, - : 1.250" 502, 504 : 200 )"
          R"(10.0.0.1:80, 10.0.0.2:80 : unix:/x ab)") ==
      "ok 2026-11-21T01:35:51Z 1500 null 1350 '502, 504 : 200' "
      "'10.0.0.1:80, 10.0.0.2:80 : unix:/x' 'ab'");
}

TEST_CASE("ingress-nginx' format is read with unquoted lists of upstreams") {
  const FormatSpec format = layout(
      "nginx",
      R"($remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" )"
      R"("$http_user_agent" $request_length $request_time [$proxy_upstream_name] )"
      R"([$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length )"
      R"($upstream_response_time $upstream_status $req_id)");
  CHECK(everything(
            format,
            R"(10.244.0.1 - - [21/Nov/2026:01:35:51 +0000] "GET /health HTTP/1.1" 200 17 "-" )"
            R"("kube-probe/1.31" 88 0.004 [default-web-80] [] 10.244.0.7:8080, 10.244.0.8:8080 )"
            R"(0, 17 0.001, 0.003 502, 200 0f3c)") ==
        "ts=2026-11-21T01:35:51Z message='GET /health HTTP/1.1' remote_addr='10.244.0.1' "
        "method='GET' path='/health' protocol='HTTP/1.1' status=200 bytes=17 "
        "user_agent='kube-probe/1.31' request_length=88 duration_ms=4 "
        "proxy_upstream_name='default-web-80' upstream_addr='10.244.0.7:8080, 10.244.0.8:8080' "
        "upstream_response_length='0, 17' upstream_duration_ms=4 upstream_status='502, 200' "
        "request_id='0f3c'");
}

TEST_CASE("a URL put together from nginx variables falls apart at its slash") {
  CHECK(one(layout("nginx", "$msec $request_method $scheme://$host$request_uri $status"),
            {"method", "scheme", "host", "path", "status"},
            "1795224951.262 GET https://shop.example.com/a?b=c 404") ==
        "ok 2026-11-21T01:35:51.262Z 'GET' 'https' 'shop.example.com' '/a?b=c' 404");
  CHECK(one(layout("nginx", "$msec $host$uri$is_args$args $status"), {"host", "path", "status"},
            "1795224951.262 h /a?b=c 404") == "ok 2026-11-21T01:35:51.262Z 'h ' '/a?b=c' 404");
}

TEST_CASE("a format of nginx that writes JSON is read with its escapes") {
  const FormatSpec format = layout(
      "nginx",
      R"(log_format j escape=json '{"t":"$time_iso8601","ua":"$http_user_agent","s":$status}';)");
  CHECK(one(format, {"user_agent", "status"},
            R"({"t":"2026-11-21T01:35:51+00:00","ua":"a \"b\" \\","s":200})") ==
        R"(ok 2026-11-21T01:35:51Z 'a \"b\" \\' 200)");
  CHECK(one(format, {"user_agent", "status"},
            R"({"t":"2026-11-21T01:35:51+00:00","ua":"","s":200})") ==
        "ok 2026-11-21T01:35:51Z null 200");
}

TEST_CASE("with escape=none a quote ends a value only before the next literal") {
  const FormatSpec format =
      layout("nginx", R"(log_format n escape=none '$msec "$http_user_agent" $status';)");
  CHECK(one(format, {"user_agent", "status"}, R"(1795224951.262 "a "b", c\" 200)") ==
        R"(ok 2026-11-21T01:35:51.262Z 'a "b", c\' 200)");
}

TEST_CASE("lines that are not of the layout do not match, whatever is wanted of them") {
  const FormatSpec format = layout("nginx", kMain);
  for (
      const char* line :
      {"plain text", "203.0.113.7 - alice [21/Nov/2026:01:35:51 +0100] \"GET / HTTP/1.1\" 200 12",
       R"(203.0.113.7 - - [21/Nov/2026:01:35:51 +0100] "GET / HTTP/1.1" abc 12 "-" "-" "-")",
       R"(203.0.113.7 - - [21/Nov/2026:01:35:51 +0100] "GET / HTTP/1.1" 200 12 "-" "-" "-" more)"}) {
    CAPTURE(line);
    CHECK(one(format, {}, line) == "no_match");
    CHECK(one(format, {"status"}, line) == "no_match null");
  }
  CHECK(one(format, {"status"}, "  ") == "empty null");
  CHECK(one(format, {"status", "raw"},
            R"(h - - [21/Nov/2026:01:35:99 +0100] "GET / HTTP/1.1" 200 12 "-" "-" "-")") ==
        R"(bad_time 200 'h - - [21/Nov/2026:01:35:99 +0100] "GET / HTTP/1.1" 200 12 "-" "-" "-"')");
}

TEST_CASE("a bad nginx format says where and what to do") {
  CHECK(refusal("nginx", "$status$request_time") ==
        "log layout \"nginx:$status$request_time\": two fields without a literal between them at "
        "column 8: put a space or another character between them");
  CHECK(refusal("nginx", "log_format m '$status' '$host';").find("column 25") != std::string::npos);
  CHECK(refusal("nginx", "$status $ x").find("a $ without a variable name at column 9") !=
        std::string::npos);
  CHECK(refusal("nginx", "'$status").find("never closed at column 1") != std::string::npos);
  CHECK(refusal("nginx", "${status").find("at column 1") != std::string::npos);
  CHECK(refusal("nginx", "escape=xml $status").find("unknown escape \"xml\" at column 8") !=
        std::string::npos);
  CHECK(refusal("nginx", "nothing").find("has no field") != std::string::npos);
}

TEST_CASE("Apache's nicknames and directives give the well-known names") {
  const std::string line =
      R"(10.0.0.1 - bob [21/Nov/2026:01:35:51 +0000] "GET /i.html HTTP/1.0" 404 - "-" "a \"b\"")";
  for (const char* pattern :
       {"combined",
        R"(LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-agent}i\"" combined)",
        R"(%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\")"}) {
    CAPTURE(pattern);
    CHECK(everything(layout("apache", pattern), line) ==
          "ts=2026-11-21T01:35:51Z message='GET /i.html HTTP/1.0' remote_addr='10.0.0.1' "
          "user='bob' method='GET' path='/i.html' protocol='HTTP/1.0' status=404 "
          "user_agent='a \\\"b\\\"'");
  }
}

TEST_CASE("Apache's durations become milliseconds, the finest one wins") {
  const std::string time = "[21/Nov/2026:01:35:51 +0000] ";
  CHECK(one(layout("apache", "%t %D"), {"duration_ms"}, time + "1234567") ==
        "ok 2026-11-21T01:35:51Z 1234.567");
  CHECK(one(layout("apache", "%t %T/%D"), {"duration_ms", "duration_s"}, time + "1/1234567") ==
        "ok 2026-11-21T01:35:51Z 1234.567 1");
  CHECK(one(layout("apache", "%t %T"), {"duration_ms"}, time + "2") ==
        "ok 2026-11-21T01:35:51Z 2000");
  CHECK(one(layout("apache", "%t %{ms}T"), {"duration_ms"}, time + "17") ==
        "ok 2026-11-21T01:35:51Z 17");
  CHECK(one(layout("apache", "%t %{us}T %^FB"), {"duration_ms", "first_byte_ms"},
            time + "1500 700") == "ok 2026-11-21T01:35:51Z 1.5 0.7");
}

TEST_CASE("Apache's times of every form are read") {
  for (const char* c : {"%{%Y-%m-%d %H:%M:%S}t.%{msec_frac}t %s|2026-11-21 01:35:51.262 200",
                        "%{%d/%b/%Y %T}t.%{usec_frac}t %z %s|21/Nov/2026 01:35:51.262000 z 200",
                        "%{msec}t %s|1795224951262 200"}) {
    const std::string_view both(c);
    if (both.find("%z") != std::string_view::npos) continue;
    const size_t bar = both.find('|');
    CAPTURE(c);
    CHECK(one(layout("apache", both.substr(0, bar)), {"status"}, both.substr(bar + 1)) ==
          "ok 2026-11-21T01:35:51.262Z 200");
  }
}

TEST_CASE("Apache's headers, cookies and notes are named like nginx' variables") {
  CHECK(everything(
            layout("apache", R"(%v:%p %h %t "%m %U%q %H" %s %O %I "%{X-Forwarded-For}i" )"
                             R"("%{X-Request-Id}i" "%{Set-Cookie}o" "%{sid}C" %{NAME}e %X %k)"),
            R"(www.example.com:443 10.0.0.1 [21/Nov/2026:01:35:51 +0000] "GET /a?b HTTP/1.1" 200 )"
            R"(512 88 "1.2.3.4, 5.6.7.8" "r-1" "a=b" "s" prod + 3)") ==
        "ts=2026-11-21T01:35:51Z server_name='www.example.com' port=443 remote_addr='10.0.0.1' "
        "method='GET' path='/a?b' protocol='HTTP/1.1' status=200 bytes=512 bytes_received=88 "
        "http_x_forwarded_for='1.2.3.4, 5.6.7.8' request_id='r-1' sent_http_set_cookie='a=b' "
        "cookie_sid='s' env_name='prod' connection_status='+' keepalive_requests=3");
}

TEST_CASE("a bad Apache format says where and what to do") {
  CHECK(refusal("apache", "%h %Z").find("unknown directive %Z at column 4") != std::string::npos);
  CHECK(refusal("apache", "%h %{x}Z").find("unknown directive %{x}Z at column 4") !=
        std::string::npos);
  CHECK(refusal("apache", "%h%u").find("at column 3: put a space") != std::string::npos);
  CHECK(refusal("apache", "%h %{x").find("%{ without } at column 5") != std::string::npos);
  CHECK(refusal("apache", "%{%Q}t").find("unknown conversion") != std::string::npos);
  CHECK(refusal("apache", "%h %").find("at column 4") != std::string::npos);
}

TEST_CASE("Envoy's default format and Istio's are one layout") {
  const FormatSpec envoy = layout("envoy");
  CHECK(
      everything(
          envoy,
          R"([2026-11-21T01:35:51.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" )"
          R"("nsq2http" "cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80")") ==
      "ts=2026-11-21T01:35:51.310Z method='POST' path='/api/v1/locations' protocol='HTTP/2' "
      "status=204 bytes_received=154 bytes=0 duration_ms=226 upstream_duration_ms=100 "
      "http_x_forwarded_for='10.0.35.28' user_agent='nsq2http' "
      "request_id='cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2' host='locations' "
      "upstream_addr='tcp://10.0.2.1:80'");
  CHECK(
      one(envoy,
          {"status", "response_flags", "response_code_details", "duration_ms",
           "upstream_duration_ms", "request_id", "upstream_cluster", "remote_addr", "remote_port"},
          R"([2020-11-25T21:26:18.409Z] "GET /status/418 HTTP/1.1" 503 UF via_upstream - "-" 0 135 4 - )"
          R"("-" "curl/7.73.0-DEV" "84961386-6d84-929d-98bd-c5aee93b5c88" "httpbin:8000" )"
          R"("127.0.0.1:80" inbound|8000|| 127.0.0.1:41854 10.44.1.27:80 10.44.1.23:37652 )"
          R"(outbound_.8000_._.httpbin.foo.svc.cluster.local default)") ==
      "ok 2020-11-25T21:26:18.409Z 503 'UF' 'via_upstream' 4 null "
      "'84961386-6d84-929d-98bd-c5aee93b5c88' 'inbound|8000||' '10.44.1.23' 37652");
}

TEST_CASE("Envoy formats of one's own are compiled from their operators") {
  const FormatSpec format = layout(
      "envoy",
      R"([%START_TIME(%Y/%m/%dT%H:%M:%S.%3f%z)%] %REQ(X-FOO?X-BAR):10% %RESP(SERVER)% %RESPONSE_CODE% )"
      R"(%DURATION% 100%% %DYNAMIC_METADATA(a:b)%\n)");
  CHECK(one(format, {"http_x_bar", "sent_http_server", "status", "duration_ms"},
            "[2026/11/21T01:35:51.262+0000] bar envoy 200 7 100% x") ==
        "ok 2026-11-21T01:35:51.262Z 'bar' 'envoy' 200 7");
  CHECK(refusal("envoy", "%DURATION").find("without its closing % at column 1") !=
        std::string::npos);
  CHECK(refusal("envoy", "%DURATION%%RESPONSE_CODE%").find("column 11") != std::string::npos);
  CHECK(refusal("envoy", "a %nope%").find("column 3") != std::string::npos);
  CHECK(refusal("envoy", "%REQ(x").find("( without ) at column 5") != std::string::npos);
}

TEST_CASE("Traefik's access log gives the router, the server and the milliseconds") {
  CHECK(
      everything(
          layout("traefik"),
          R"(192.0.2.1 - - [21/Nov/2026:01:35:51 +0000] "GET /whoami HTTP/2.0" 200 414 "-" "-" 12 )"
          R"("whoami@docker" "http://172.18.0.3:80" 17ms)") ==
      "ts=2026-11-21T01:35:51Z message='GET /whoami HTTP/2.0' remote_addr='192.0.2.1' "
      "method='GET' path='/whoami' protocol='HTTP/2.0' status=200 bytes=414 request_count=12 "
      "router='whoami@docker' upstream_url='http://172.18.0.3:80' duration_ms=17");
  CHECK(
      one(layout("traefik"), {"status", "duration_ms", "router"},
          R"(192.0.2.1 - - [21/Nov/2026:01:35:51 +0000] "GET / HTTP/1.1" 404 19 "-" "-" 1 "-" "-" 0ms)") ==
      "ok 2026-11-21T01:35:51Z 404 0 null");
}

TEST_CASE("HAProxy's HTTP log gives the timers, the duration and the state at the end") {
  const FormatSpec haproxy = layout("haproxy");
  const std::string payload =
      R"(10.0.1.2:33317 [21/Nov/2026:01:35:51.655] http-in~ static/srv1 10/0/30/69/109 200 2750 - - ---- )"
      R"(1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1")";
  const std::string want =
      "ok 2026-11-21T01:35:51.655Z '10.0.1.2' 33317 'http-in~' 'static' 'srv1' 10 0 30 69 109 200 "
      "2750 '----' '{1wt.eu} {}' '/index.html'";
  for (const std::string prefix :
       {"", "haproxy[14389]: ", "Nov 21 01:35:51 lb1 haproxy[14389]: "}) {
    CAPTURE(prefix);
    CHECK(one(haproxy,
              {"remote_addr", "remote_port", "frontend", "backend", "server", "request_ms",
               "queue_ms", "connect_ms", "response_ms", "duration_ms", "status", "bytes",
               "termination_state", "captures", "path"},
              prefix + payload) == want);
  }
}

TEST_CASE("HAProxy's aborted requests, growing transfers and missing captures are read") {
  const FormatSpec haproxy = layout("haproxy");
  const std::vector<std::string> wanted = {"status", "duration_ms", "connect_ms",
                                           "path",   "message",     "captures"};
  CHECK(
      one(haproxy, wanted,
          R"(127.0.0.1:39759 [09/Dec/2013:12:59:46.633] loadbalancer default/<NOSRV> -1/-1/-1/-1/8815 )"
          R"(503 1903 - - SCDN 0/0/0/0/0 0/0 "<BADREQ>")") ==
      "ok 2013-12-09T12:59:46.633Z 503 8815 -1 null '<BADREQ>' null");
  CHECK(one(haproxy, wanted,
            R"([::1]:39759 [09/Dec/2013:12:59:46.633] fe be/s1 1/2/3/4/+50 200 +1903 - - ---- )"
            R"(0/0/0/0/+2 0/0 "GET /a HTTP/1.1")") ==
        "ok 2013-12-09T12:59:46.633Z 200 50 3 '/a' 'GET /a HTTP/1.1' null");
}

TEST_CASE("HAProxy's TCP log has no status") {
  CHECK(
      one(layout("haproxy"),
          {"remote_addr", "backend", "server", "queue_ms", "connect_ms", "duration_ms", "bytes",
           "termination_state", "status"},
          "10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0") ==
      "ok 2009-02-06T12:12:51.443Z '10.0.1.2' 'bck' 'srv1' 0 0 5007 212 '--' null");
}

TEST_CASE("HAProxy's messages that are no connection do not match") {
  CHECK(one(layout("haproxy"), {}, "Proxy http-in started.") == "no_match");
  CHECK(one(layout("haproxy"), {},
            "haproxy[1]: Server static/srv1 is DOWN, reason: Layer4 timeout") == "no_match");
}

}  // namespace
}  // namespace nines::log::test
