// From bytes to records: encodings, line ends, limits, container pieces, records of several lines.
#include "nines/collector/framing.hpp"

#include <catch2/catch.hpp>

#include "framing_driver.hpp"

using namespace nines;
using namespace nines::collector;
using collector::testing::FramingDriver;
using Raws = std::vector<std::string>;
using namespace std::string_literals;

namespace {

FramingDriver driver(const std::string& format, const std::string& multiline = "auto") {
  FramingDriver d;
  d.selector.format = format;
  d.selector.multiline = multiline;
  return d;
}

Raws records(FramingDriver d, const std::string& text) {
  d.grow(text, Reading::last);
  CHECK(d.failure.empty());
  return d.raws();
}

std::string utf16(const std::u16string& text, bool big_endian) {
  std::string out;
  for (const char16_t unit : text) {
    const char bytes[2] = {static_cast<char>(unit & 0xff), static_cast<char>(unit >> 8)};
    out += bytes[big_endian ? 1 : 0];
    out += bytes[big_endian ? 0 : 1];
  }
  return out;
}

constexpr const char* kTs = "2026-09-21 14:13:20 ";
std::string stamped(const std::string& rest) { return kTs + rest + "\n"; }
std::string cri(const std::string& stream, const std::string& tag, const std::string& text) {
  return "2026-09-21T14:13:20.123456789Z " + stream + " " + tag + " " + text + "\n";
}

std::string docker(const std::string& stream, const std::string& text) {
  return "{\"log\":\"" + text + "\",\"stream\":\"" + stream +
         "\",\"time\":\"2026-09-21T14:13:20.123456789Z\"}\n";
}

}  // namespace

TEST_CASE("Line ends are LF or CRLF, and a lone CR belongs to the line", "[collector]") {
  CHECK(records(driver("plain", "none"), "line 1\r\nline \r2\nline 3") ==
        Raws{"line 1", "line \r2", "line 3"});
  CHECK(records(driver("plain", "none"), "\n\none\n\r\n\n\ntwo\n") == Raws{"one", "two"});
}

TEST_CASE("A byte order mark at the start of a stream is no part of its first line",
          "[collector]") {
  CHECK(records(driver("plain", "none"), "\xEF\xBB\xBFone\n\xEF\xBB\xBFtwo\n") ==
        Raws{"one", "\xEF\xBB\xBFtwo"});
}

TEST_CASE("NULs that a power cut left before a line are removed and embedded ones stay",
          "[collector]") {
  CHECK(records(driver("plain", "none"), "one\n" + std::string(5000, '\0') + "two\nal\0ma\n"s) ==
        Raws{"one", "two", "al\0ma"s});
}

TEST_CASE("UTF-16 is read in both byte orders, with and without its mark", "[collector]") {
  const std::u16string text = u"first \u00e4\u20ac\r\nsecond \U0001F600 \u0A0A\u0D0A\n\nthird";
  const Raws expected{"first \xC3\xA4\xE2\x82\xAC",
                      "second \xF0\x9F\x98\x80 \xE0\xA8\x8A\xE0\xB4\x8A", "third"};
  for (const bool big : {false, true}) {
    CHECK(records(driver("plain", "none"), utf16(u"\uFEFF" + text, big)) == expected);
    CHECK(records(driver("plain", "none"), utf16(text, big)) == expected);
  }
  const std::u16string lone = {u'a', 0xD800, u'b', u'\n'};
  CHECK(records(driver("plain", "none"), utf16(u"\uFEFF" + lone, false)) == Raws{"a\xEF\xBF\xBD"
                                                                                 "b"});
}

TEST_CASE("The encoding is kept with the position", "[collector]") {
  const std::string text = utf16(u"\uFEFFone\ntwo\n", false);
  FramingDriver d = driver("plain", "none");
  d.grow(text.substr(0, 2 + 8));
  d.restart();
  CHECK(d.stream().encoding == Encoding::utf16le);
  d.grow(text, Reading::last);
  CHECK(d.raws() == Raws{"one", "two"});
}

TEST_CASE("A line longer than the limit is cut between characters and says so", "[collector]") {
  FramingDriver d = driver("plain", "none");
  d.max_record = 10;
  d.grow("short\nthis is too long\nexactly 10\nexactly 1\xE2\x82\xAC!\nlast short\n");
  CHECK(d.raws() == Raws{"short", "this is to", "exactly 10", "exactly 1", "last short"});
  CHECK(d.got[1].truncated);
  CHECK_FALSE(d.got[2].truncated);
  CHECK(d.got[3].truncated);
  CHECK(d.got[3].line == 34);
}

TEST_CASE("A line longer than the buffer is one record and its rest is passed over",
          "[collector]") {
  for (const std::string mode : {"none", "auto"}) {
    FramingDriver d = driver("plain", mode);
    d.buffer = 16;
    d.grow(kTs + std::string(100, 'x') + "\xE2\x82\xAC\n" + kTs + "b\n", Reading::last);
    CHECK(d.failure.empty());
    REQUIRE(d.got.size() == 2);
    CHECK(d.got[0].raw == std::string(kTs).substr(0, 16));
    CHECK(d.got[0].truncated);
    CHECK(d.got[1].line == 124);
  }
  FramingDriver d = driver("plain", "none");
  d.buffer = 16;
  d.grow("fifteen bytes..\xE2\x82\xAC.....\nnext\n", Reading::last);
  CHECK(d.raws() == Raws{"fifteen bytes..", "next"});
}

TEST_CASE("A datagram is one record whatever is in it", "[collector]") {
  FramingDriver d = driver("syslog");
  d.framing = Framing::datagrams;
  d.deliver("<13>Sep 21 14:13:20 host app: one\n");
  d.deliver("<13>Sep 21 14:13:20 host app: two\n  more of it\r\n");
  d.deliver("");
  CHECK(d.raws() == Raws{"<13>Sep 21 14:13:20 host app: one",
                         "<13>Sep 21 14:13:20 host app: two\n  more of it"});
  d.max_record = 8;
  d.restart();
  CHECK(d.deliver("<13>Sep 21 14:13:20 h a: b").bytes == 26);
  CHECK(d.got.back().truncated);
}

TEST_CASE("Pieces of a container's lines are joined per stream", "[collector]") {
  const std::string text = cri("stdout", "P", "1a. some ") + cri("stderr", "P", "1b. some ") +
                           cri("stdout", "P", "multiline ") + cri("stderr", "P", "multiline ") +
                           cri("stdout", "F", "log") + cri("stderr", "F", "log") + "garbage\n" +
                           cri("stdout", "F", "");
  FramingDriver d = driver("plain", "none");
  d.grow(text);
  CHECK(d.raws() == Raws{"1a. some multiline log", "1b. some multiline log", "garbage"});
  CHECK(d.got[0].line == 0);
  CHECK(d.got[1].line == static_cast<int64_t>(cri("stdout", "P", "1a. some ").size()));
  CHECK(d.got[2].error == "not_cri");
}

TEST_CASE("Docker's lines are unwrapped and their pieces joined per stream", "[collector]") {
  const std::string text = docker("stdout", "1a. \\u20ac ") + docker("stderr", "1b. ") +
                           docker("stdout", "\\\"quoted\\\"\\n") + docker("stderr", "end\\r\\n") +
                           "garbage\n" + docker("stdout", "plain\\n");
  FramingDriver d = driver("plain", "none");
  d.grow(text.substr(0, text.size() / 2));
  d.restart();
  d.grow(text);
  CHECK(d.raws() == Raws{"1a. \xE2\x82\xAC \"quoted\"", "1b. end", "garbage", "plain"});
  CHECK(d.got[2].error == "not_cri");
}

TEST_CASE("Lines in Docker's wrapping are joined into records per stream", "[collector]") {
  FramingDriver d = driver("plain");
  d.grow(docker("stdout", kTs + "o\\u006ee\\n"s) + docker("stderr", kTs + "err\\n"s) +
         docker("stdout", "\\tat a.B(C.java:1)\\n") + docker("stderr", "  more\\n") +
         docker("stdout", kTs + "two\\n"s));
  CHECK(d.raws() == Raws{kTs + "one\n\tat a.B(C.java:1)"s});
  d.restart();
  d.deliver("", Reading::last);
  CHECK(d.raws() == Raws{kTs + "one\n\tat a.B(C.java:1)"s, kTs + "err\n  more"s, kTs + "two"s});
}

TEST_CASE("A piece whose rest never comes is a record when the log ends", "[collector]") {
  FramingDriver d = driver("plain", "none");
  const std::string text = cri("stdout", "F", "one") + cri("stdout", "P", "half a");
  d.grow(text);
  d.grow(text, Reading::quiet);
  CHECK(d.raws() == Raws{"one"});
  d.restart();
  d.grow(text, Reading::last);
  CHECK(d.raws() == Raws{"one", "half a"});
  d.grow(text, Reading::last);
  CHECK(d.got.size() == 2);
}

TEST_CASE("A line without time stamp goes on with the record before it", "[collector]") {
  const std::string trace =
      stamped("ERROR failed") +
      "java.lang.X: y\n\tat a.B(C.java:1)\n\nCaused by: z\n  indented\nunindented\n\n";
  const std::string text = trace + "\n" + stamped("INFO next");
  const Raws expected{trace.substr(0, trace.size() - 2), stamped("INFO next").substr(0, 29)};
  CHECK(records(driver("plain"), text) == expected);
  std::string crlf;
  for (const char c : text) crlf += c == '\n' ? "\r\n"s : std::string(1, c);
  CHECK(records(driver("plain"), crlf) == expected);
}

TEST_CASE("A record that may go on waits for the next line, silence or the end", "[collector]") {
  for (const bool quiet : {true, false}) {
    FramingDriver d = driver("plain");
    std::string text = stamped("one");
    d.grow(text);
    CHECK(d.got.empty());
    CHECK(d.last.rest == Taken::Rest::held);
    text += "  goes on\n" + stamped("two");
    d.grow(text);
    CHECK(d.raws() == Raws{kTs + "one\n  goes on"s});
    d.grow(text, quiet ? Reading::quiet : Reading::last);
    CHECK(d.raws().back() == kTs + "two"s);
    CHECK(d.last.rest == Taken::Rest::none);
    // What comes too late is part of no other record.
    text += "  too late\n\n  and more\n" + stamped("three");
    d.restart();
    d.grow(text, Reading::last);
    CHECK(d.raws() == Raws{kTs + "one\n  goes on"s, kTs + "two"s, kTs + "three"s});
  }
}

TEST_CASE("Silence takes whole lines only", "[collector]") {
  FramingDriver d = driver("plain");
  const std::string text = stamped("one") + kTs + "unfin";
  d.grow(text);
  d.grow(text, Reading::quiet);
  CHECK(d.raws() == Raws{kTs + "one"s});
  d.grow(text + "ished\n", Reading::last);
  CHECK(d.raws() == Raws{kTs + "one"s, kTs + "unfinished"s});
}

TEST_CASE("A record of too many lines or bytes is cut, and the rest is no other record",
          "[collector]") {
  std::string lines = stamped("one"), bytes = stamped("one");
  for (int i = 0; i < 1500; ++i) lines += " x\n";
  for (int i = 0; i < 70; ++i) bytes += " " + std::string(1022, 'x') + "\n";
  for (const std::string& text : {lines, bytes}) {
    FramingDriver d = driver("plain");
    d.grow(text + stamped("two"), Reading::last);
    REQUIRE(d.got.size() == 2);
    CHECK(d.got[0].truncated);
    CHECK(d.got[0].raw.size() <= 64 * 1024);
    CHECK(std::count(d.got[0].raw.begin(), d.got[0].raw.end(), '\n') <= 999);
    CHECK(d.got[1].raw == kTs + "two"s);
    CHECK_FALSE(d.got[1].truncated);
  }
}

TEST_CASE("A record that fills the buffer is cut there", "[collector]") {
  FramingDriver d = driver("plain");
  d.buffer = 64;
  d.grow(stamped("one") + " second line\n third line goes beyond\n fourth\n" + stamped("two"),
         Reading::last);
  CHECK(d.failure.empty());
  REQUIRE(d.got.size() == 2);
  CHECK(d.got[0].raw == kTs + "one\n second line\n third line goes beyond"s);
  CHECK(d.got[0].truncated);
  CHECK(d.got[1].raw == kTs + "two"s);
}

TEST_CASE("stdout and stderr of a container join their lines separately", "[collector]") {
  const std::string text = cri("stdout", "F", kTs + "out one"s) +
                           cri("stderr", "F", kTs + "err one"s) + cri("stdout", "F", "  out more") +
                           cri("stderr", "P", "  err ") + cri("stderr", "F", "more") +
                           cri("stdout", "F", kTs + "out two"s);
  FramingDriver d = driver("plain");
  d.grow(text);
  CHECK(d.raws() == Raws{kTs + "out one\n  out more"s});
  CHECK(d.last.rest == Taken::Rest::held);
  CHECK(d.last.bytes == text.size());
  CHECK(d.stream().holds);
  d.restart();
  CHECK(d.stream().holds);
  d.grow(text, Reading::quiet);
  CHECK(d.raws() ==
        Raws{kTs + "out one\n  out more"s, kTs + "err one\n  err more"s, kTs + "out two"s});
  CHECK(d.got[1].line == static_cast<int64_t>(cri("stdout", "F", kTs + "out one"s).size()));
  CHECK_FALSE(d.stream().holds);
}

TEST_CASE("Without time stamps, traces are joined and other lines are records", "[collector]") {
  const std::string text =
      "starting\nlistening\nTraceback (most recent call last):\n  File \"a.py\", line 1\n"
      "    x()\nKeyError: 'a'\nlistening again\n  indented\n";
  FramingDriver d;
  d.grow(text, Reading::last);
  CHECK(d.raws() == Raws{"starting", "listening",
                         "Traceback (most recent call last):\n  File \"a.py\", line 1\n"
                         "    x()\nKeyError: 'a'",
                         "listening again", "  indented"});
}

TEST_CASE("The user's pattern says where records begin, in any format", "[collector]") {
  CHECK(records(driver("plain", "^-- "), "-- a\n" + stamped("x") + "\n-- b\n") ==
        Raws{"-- a\n" + stamped("x").substr(0, 21), "-- b"});
  FramingDriver d = driver("json", R"(^\{)");
  const std::string object = "{\n  \"ts\": \"2026-09-21T14:13:20Z\",\n  \"a\": 1\n}";
  d.grow(object + "\n" + object + "\n", Reading::last);
  CHECK(d.raws() == Raws{object, object});
  CHECK(d.got[0].error.empty());
}

TEST_CASE("Formats of one line a record do not wait", "[collector]") {
  FramingDriver d = driver("json");
  d.grow("{\"a\":1}\n");
  CHECK(d.got.size() == 1);
  CHECK(d.last.rest == Taken::Rest::none);
}

TEST_CASE("Time stamps here and there do not swallow the lines between them", "[collector]") {
  FramingDriver d;
  d.grow(stamped("one") + "a\nb\nc\nd\n", Reading::last);
  CHECK(d.raws() == Raws{kTs + "one"s, "a", "b", "c", "d"});
  FramingDriver joined;
  joined.grow(stamped("one") + "a\n" + stamped("two") + "\tat a.B(C.java:1)\n  c\n  d\n",
              Reading::last);
  CHECK(joined.got.size() == 2);
}

TEST_CASE("States saved by older versions are still read", "[collector]") {
  FramingDriver d;
  d.open(100, "j-");
  d.deliver("{\"a\":1}\n");
  CHECK(d.raws() == Raws{"{\"a\":1}"});
  FramingDriver cri_json;
  cri_json.open(100, "jC");
  cri_json.deliver(cri("stdout", "F", "{\"a\":1}"));
  CHECK(cri_json.raws() == Raws{"{\"a\":1}"});
  FramingDriver plain;
  plain.open(100, "p-");
  plain.deliver(stamped("one") + "  more\n" + stamped("two"), Reading::last);
  CHECK(plain.raws() == Raws{kTs + "one\n  more"s, kTs + "two"s});
  for (const char* garbage : {"x-", "2", "2jC", "lost", "p"}) {
    FramingDriver again;
    again.open(0, garbage);
    again.deliver("{\"a\":1}\n", Reading::last);
    CHECK(again.raws() == Raws{"{\"a\":1}"});
  }
}

TEST_CASE("An entry of the journal is a record, and waits until it is whole", "[collector]") {
  const std::string one = "__REALTIME_TIMESTAMP=1790000000000000\nMESSAGE=a\nPRIORITY=3\n\n";
  const std::string two =
      "__REALTIME_TIMESTAMP=1790000001000000\nMESSAGE\n\x03\0\0\0\0\0\0\0b\nc\n\n"s;
  FramingDriver d;
  d.framing = Framing::journal_entries;
  CHECK(d.deliver(one + two.substr(0, two.size() / 2)).bytes == one.size());
  d.restart();
  CHECK(d.deliver(two).bytes == two.size());
  REQUIRE(d.got.size() == 2);
  CHECK(d.got[0].error.empty());
  CHECK(d.got[1].error.empty());
  CHECK(d.got[1].line == static_cast<int64_t>(one.size()));
  CHECK(d.deliver(one.substr(0, 20), Reading::full).bytes == 20);
  CHECK(d.got.back().truncated);
}

TEST_CASE("Lines within a quoted value of CSV belong to its record", "[collector]") {
  FramingDriver d = driver("csv");
  d.selector.pattern = ",ts,status,note";
  d.grow("2026-09-21T14:13:20Z,200,ok\n2026-09-21T14:13:21Z,500,\"first\n\nlast\"\n");
  CHECK(d.raws() ==
        Raws{"2026-09-21T14:13:20Z,200,ok", "2026-09-21T14:13:21Z,500,\"first\n\nlast\""});
  CHECK(d.last.rest == Taken::Rest::none);
}
