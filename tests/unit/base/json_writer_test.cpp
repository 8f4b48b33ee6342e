#include "nines/base/json_writer.hpp"

#include <catch2/catch.hpp>
#include <limits>

using nines::Decimal;
using nines::JsonWriter;
using nines::WallTime;

namespace {
std::string quoted(std::string_view text) {
  std::string out;
  nines::append_json_string(out, text);
  return out;
}
std::string number(double value) {
  std::string out;
  nines::append_json_double(out, value);
  return out;
}
}  // namespace

TEST_CASE("JsonWriter writes nested objects and arrays with commas where they belong", "[base]") {
  std::string out;
  JsonWriter json(out);
  json.begin_object()
      .member("a", 1)
      .key("b")
      .begin_array()
      .value(true)
      .null()
      .value("x")
      .end_array();
  json.key("c").begin_object().end_object().member("d", int64_t{-9007199254740993}).end_object();
  CHECK(out == R"({"a":1,"b":[true,null,"x"],"c":{},"d":-9007199254740993})");
}

TEST_CASE("JsonWriter indents when asked, and leaves empty brackets together", "[base]") {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_array()
      .begin_object()
      .member("a", false)
      .end_object()
      .begin_array()
      .end_array()
      .end_array();
  CHECK(out == "[\n  {\n    \"a\": false\n  },\n  []\n]");
}

TEST_CASE("JsonWriter escapes quotes, backslashes and control characters", "[base]") {
  CHECK(quoted("a\"b\\c\n\r\t") == R"("a\"b\\c\n\r\t")");
  CHECK(quoted(std::string_view("\0\x1b[31m\x7f", 7)) == R"("\u0000\u001b[31m\u007f")");
  CHECK(quoted("\xC2\x9B[2J \xC2\x80\xC2\x9F\xC2\xA0") == "\"\\u009b[2J \\u0080\\u009f\xC2\xA0\"");
  CHECK(quoted("</script> \xC3\xA9") == "\"</script> \xC3\xA9\"");
}

TEST_CASE("JsonWriter replaces invalid UTF-8, so that hostile bytes cannot break a document",
          "[base]") {
  const std::string bad = "\xEF\xBF\xBD";
  CHECK(quoted("a\xFFz") == "\"a" + bad + "z\"");
  CHECK(quoted("\xC0\xAF") == "\"" + bad + bad + "\"");                      // overlong
  CHECK(quoted("\xED\xA0\x80") == "\"" + bad + bad + bad + "\"");            // surrogate
  CHECK(quoted("\xF4\x90\x80\x80") == "\"" + bad + bad + bad + bad + "\"");  // > U+10FFFF
  CHECK(quoted("x\xE2\x82") == "\"x" + bad + bad + "\"");                    // cut at the end
  CHECK(quoted("\xF0\x9F\x98\x80\xE2\x82\xAC") == "\"\xF0\x9F\x98\x80\xE2\x82\xAC\"");
}

TEST_CASE("JsonWriter prints the shortest double that reads back equal", "[base]") {
  CHECK(number(0.1) == "0.1");
  CHECK(number(1.0 / 3) == "0.3333333333333333");
  CHECK(number(1) == "1");
  CHECK(number(-0.0) == "0");
  CHECK(number(99.95) == "99.95");
  CHECK(number(5e-324) == "5e-324");
  CHECK(number(std::numeric_limits<double>::max()) == "1.7976931348623157e+308");
}

TEST_CASE("JsonWriter writes null for what is undefined", "[base]") {
  CHECK(number(std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(number(-std::numeric_limits<double>::infinity()) == "null");
  std::string out;
  JsonWriter json(out);
  json.begin_array()
      .value(std::optional<double>{})
      .value(WallTime{})
      .value(std::optional<double>{2.5});
  json.value(WallTime::from_s(1767225600)).value(Decimal{999, -3}).end_array();
  CHECK(out == R"([null,null,2.5,"2026-01-01T00:00:00Z",0.999])");
}
