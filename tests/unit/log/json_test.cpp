#include "log_test_support.hpp"

using namespace nines;
using namespace nines::log;
using nines::log::test::Lines;

TEST_CASE("JSON gives typed values of the wanted keys", "[log]") {
  Lines lines(FormatKind::json,
              {"ts", "status", "duration_ms", "path", "ok", "none", "list", "missing"});
  CHECK(
      lines(
          R"({"ts":"2026-11-21T01:35:51.5Z","status":503,"duration_ms":12.75,"path":"/a","ok":true,)"
          R"("none":null,"list":[1,{"status":1}, "]"]})") ==
      "ok 2026-11-21T01:35:51.500Z 2026-11-21T01:35:51.500Z 503 12.75 '/a' true null "
      "'[1,{\"status\":1}, \"]\"]' null");
}

TEST_CASE("JSON numbers are exact decimals, reals only beyond 18 digits", "[log]") {
  Lines lines(FormatKind::json, {"n"});
  const auto number = [&](const std::string& text) {
    lines(R"({"n":)" + text + "}");
    return test::show(lines.values[0]);
  };
  CHECK(number("-0.10") == "-0.1");
  CHECK(number("1e3") == "1000");
  CHECK(number("999999999999999999") == "999999999999999999");
  CHECK(number("12345678901234567890") == "real 12345678901234567168.000000");
  CHECK(number("0.1234567890123456789") == "real 0.123457");
  CHECK(number("NaN") == "'NaN'");
  CHECK(number("1.2.3") == "'1.2.3'");
  CHECK(number("-") == "'-'");
  CHECK(number("1e999999") == "'1e999999'");
}

TEST_CASE("JSON nested names find objects within and literal dotted keys", "[log]") {
  Lines lines(FormatKind::json, {"a.b", "a.b.c", "x", "x.y"});
  CHECK(lines(R"({"z":{"a":{"b":9}},"a":{"q":1,"b":{"c":5}},"x":{"y":"2"}})") ==
        R"(bad_time '{"c":5}' 5 '{"y":"2"}' '2')");
  CHECK(lines(R"({"a.b":1,"a.b.c":2,"x.y":3})") == "bad_time 1 2 null 3");
  CHECK(lines(R"({"a":{"b.c":7},"x":[{"y":1}]})") == "bad_time null 7 '[{\"y\":1}]' null");
}

TEST_CASE("JSON strings lose their escapes", "[log]") {
  Lines lines(FormatKind::json, {"s"});
  const auto text = [&](const std::string& s) {
    lines("{\"s\":\"" + s + "\"}");
    return std::string(lines.values[0].text);
  };
  CHECK(text(R"(a\"b\\c\/\n\t\r\b\f)") == "a\"b\\c/\n\t\r\b\f");
  CHECK(text(R"(\u00e9\u20AC)") == "\xC3\xA9\xE2\x82\xAC");
  CHECK(text(R"(\ud83d\ude00!)") == "\xF0\x9F\x98\x80!");
  CHECK(text(R"(\ud83d!)") == "\xEF\xBF\xBD!");
  CHECK(text(R"(\ude00\ud83d\u0041)") ==
        "\xEF\xBF\xBD\xEF\xBF\xBD"
        "A");
  CHECK(text(R"(\u12)") == R"(\u12)");
  CHECK(text(R"(C:\Qt\x)") == R"(C:\Qt\x)");
  CHECK(text(std::string(100, 'x') + R"(\n)" + std::string(100, 'y')) ==
        std::string(100, 'x') + "\n" + std::string(100, 'y'));
}

TEST_CASE("JSON keys with escapes are the keys they spell", "[log]") {
  Lines lines(FormatKind::json, {"stätus"});
  CHECK(lines(R"({"st\u00e4tus":1})") == "bad_time 1");
}

TEST_CASE("JSON keys may be longer than a name as long as what they spell is not", "[log]") {
  std::string escaped;
  for (int i = 0; i < 200; ++i) escaped += "\\u0061";
  Lines lines(FormatKind::json, {std::string(200, 'a')});
  CHECK(lines("{\"" + escaped + "\":1}") == "bad_time 1");
  CHECK(lines("{\"" + escaped + escaped + "\":1}") == "bad_time null");
}

TEST_CASE("JSON strings beyond the scratch buffer are cut between characters", "[log]") {
  Lines lines(FormatKind::json, {"s"});
  std::string body = "\\n";
  for (int i = 0; i < 20'000; ++i) body += "\xC3\xA9";
  lines("{\"s\":\"" + body + "\"}");
  const std::string_view text = lines.values[0].text;
  CHECK(text.size() > 16'000);
  CHECK(text.size() <= 16 * 1024);
  CHECK(text.size() % 2 == 1);
  CHECK(text.back() == '\xA9');
}

TEST_CASE("JSON exact names win over aliases wherever they stand", "[log]") {
  Lines lines(FormatKind::json, {"level", "message", "request_id", "service"});
  CHECK(
      lines(
          R"({"time":"2026-11-21T01:35:51Z","lvl":"warn","severity":"error","msg":"m","trace_id":"t","app":"a"})") ==
      "ok 2026-11-21T01:35:51Z ERROR 'm' 't' 'a'");
  CHECK(
      lines(
          R"({"severity":"error","level":"info","msg":"m","message":"exact","reqId":1,"request_id":2,)"
          R"("ts":1763688951,"time":"2020-01-01T00:00:00Z","app":"a","service":"s"})") ==
      "ok 2025-11-21T01:35:51Z INFO 'exact' 2 's'");
  CHECK(
      lines(
          R"({"log":{"level":"fatal"},"service":{"name":"n"},"t":{"$date":"2026-11-21T01:35:51Z"}})") ==
      "ok 2026-11-21T01:35:51Z FATAL null null 'n'");
  CHECK(lines(R"({"level":30,"time":1763688951262,"msg":"pino"})") ==
        "ok 2025-11-21T01:35:51.262Z INFO 'pino' null null");
  CHECK(lines(R"({"level":"verbose?"})") == "bad_time 'verbose?' null null null");
}

TEST_CASE("JSON times come as text or number in any unit", "[log]") {
  Lines lines(FormatKind::json, {});
  for (const char* time :
       {R"("2025-11-21T01:35:51Z")", "1763688951", "1763688951.0", "1763688951000",
        "1763688951000000", "1763688951000000000", R"("1763688951")", R"("1763688951000")",
        R"("2025-11-21 02:35:51 +0100")", R"("21\/Nov\/2025:01:35:51 +0000")"}) {
    for (const char* key : {"ts", "time", "timestamp", "@timestamp", "t", "datetime", "date",
                            "eventTime", "asctime"}) {
      CAPTURE(key, time);
      CHECK(lines(std::string("{\"") + key + "\":" + time + "}") == "ok 2025-11-21T01:35:51Z");
    }
  }
  for (const char* bad : {R"("1754-01-01T00:00:00Z")", "-1", "null", "true", R"("")",
                          R"("2025-11-21T01:35:51Zx")", R"({"a":1})", "99999999999999999999"}) {
    CAPTURE(bad);
    CHECK(lines(std::string("{\"ts\":") + bad + "}") == "bad_time");
  }
}

TEST_CASE("JSON duplicate keys: the first one wins", "[log]") {
  Lines lines(FormatKind::json, {"a", "b"});
  CHECK(lines(R"({"a":1,"a":2,"b":3})") == "bad_time 1 3");
}

TEST_CASE("JSON lines that are cut or no object do not match", "[log]") {
  Lines lines(FormatKind::json, {"a"});
  for (const char* bad :
       {"{", "}", "{\"a\":1", "{\"a\"}", "{\"a\":}", "{a:1}", "[1]", "\"x\"", "12", "{\"a\":1,}",
        "{\"a\":1 \"b\":2}", "{\"a\":\"x}", "{\"b\":[1,2}", "{\"b\":{\"c\":1}", "{\"a\":1}}",
        "{\"a\":1}{\"a\":2}", "text {\"a\":1}"}) {
    CAPTURE(bad);
    CHECK(lines(bad) == "no_match null");
  }
  CHECK(lines(" { \"a\" : 1 , \"b\" : [ ] } \r") == "bad_time 1");
  CHECK(lines("{}") == "bad_time null");
  // The cut is seen although everything wanted stands before it.
  Lines early(FormatKind::json, {"ts"});
  CHECK(early(R"({"ts":1763688951,"message":"cut)") == "no_match null");
}

TEST_CASE("JSON parse_all lists known fields first and then every leaf", "[log]") {
  Lines lines(FormatKind::json, {});
  std::vector<LineParser::NamedValue> all;
  WallTime ts;
  bool has_ts = false;
  REQUIRE(lines.parser->parse_all(
              R"({"msg":"m\n","a":{"b":[1],"c":{}},"severity":"WARN","time":1763688951,"a":2})", ts,
              has_ts, all) == ParseOutcome::ok);
  std::string text;
  for (const auto& entry : all)
    text += std::string(entry.name) + "=" + test::show(entry.value) + ";";
  CHECK(text ==
        "ts=2025-11-21T01:35:51Z;level=WARN;message='m\n';msg='m\n';a.b='[1]';a.c='{}';severity='"
        "WARN';"
        "time=1763688951;");  // the first "a" is an object
  CHECK(has_ts);
}

TEST_CASE("JSON nesting as deep as the line costs no stack", "[log]") {
  Lines lines(FormatKind::json, {"a.b.c.d", "z"});
  const std::string deep = std::string(500'000, '[') + std::string(500'000, ']');
  CHECK(lines("{\"q\":" + deep + ",\"z\":1}") == "bad_time null 1");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  std::vector<LineParser::NamedValue> all;
  WallTime ts;
  bool has_ts = false;
  CHECK(lines.parser->parse_all(objects + "1" + std::string(100'000, '}'), ts, has_ts, all) ==
        ParseOutcome::bad_time);
}
