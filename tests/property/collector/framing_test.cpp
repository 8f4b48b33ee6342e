// What is read in which pieces, through which buffer, and with how many restarts in between makes
// no difference to the records.
#include "nines/collector/framing.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "framing_driver.hpp"

using namespace nines;
using namespace nines::collector;
using collector::testing::FramingDriver;
using collector::testing::GotRecord;

namespace {

constexpr const char* kTs = "2026-09-21 14:13:20 ";

// Lines that mean something to one stage or another.
std::string some_line() {
  const std::vector<std::string> lines{
      std::string(kTs) + "INFO one",
      std::string(kTs) + "ERROR two",
      "java.lang.IllegalStateException: x",
      "\tat com.example.A.b(A.java:1)",
      "Caused by: java.io.IOException",
      "Traceback (most recent call last):",
      "  File \"a.py\", line 1, in f",
      "KeyError: 'a'",
      "During handling of the above exception, another exception occurred:",
      "panic: boom",
      "goroutine 1 [running]:",
      "main.main()",
      "\t/srv/main.go:10 +0x20",
      "exit status 2",
      "",
      "  ",
      "plain words",
      "{\"ts\":\"2026-09-21T14:13:20Z\",\"a\":1}",
      std::string(3, '\0') + "after NULs",
      "with\rCR",
      "caf\xC3\xA9 \xE2\x82\xAC\xF0\x9F\x98\x80",
      "bad \xff\xfe utf-8",
      std::string(40, 'y'),
  };
  return *rc::gen::elementOf(lines);
}

std::string some_text() {
  std::string out;
  const int n = *rc::gen::inRange(0, 30);
  for (int i = 0; i < n; ++i) out += some_line() + (*rc::gen::inRange(0, 6) == 0 ? "\r\n" : "\n");
  if (*rc::gen::arbitrary<bool>()) out += some_line();
  return out;
}

std::string in_container(const std::string& text) {
  std::string out = "2026-09-21T14:13:20.1Z stdout F begin\n";
  std::string_view rest = text;
  while (!rest.empty()) {
    const size_t stop = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, stop);
    rest.remove_prefix(std::min(stop + 1, rest.size()));
    const std::string head = std::string("2026-09-21T14:13:20.2Z ") +
                             (*rc::gen::arbitrary<bool>() ? "stderr " : "stdout ");
    while (line.size() > 3 && *rc::gen::inRange(0, 4) == 0) {
      out += head + "P " + std::string(line.substr(0, 3)) + "\n";
      line.remove_prefix(3);
    }
    out += head + "F " + std::string(line) + "\n";
  }
  return out;
}

std::string in_utf16(const std::string& text) {
  std::string out = "\xFF\xFE";
  for (const char c : text) {
    out += c;
    out += '\0';
  }
  return out;
}

FramingDriver reader(const std::string& format, size_t buffer) {
  FramingDriver d;
  d.selector.format = format;
  if (format == "regex") d.selector.pattern = "(?P<message>.*)";  // says nothing of where to begin
  d.buffer = buffer;
  return d;
}

std::vector<GotRecord> at_once(const std::string& format, const std::string& text, size_t buffer) {
  FramingDriver d = reader(format, buffer);
  d.grow(text, Reading::last);
  RC_ASSERT(d.failure.empty());
  return d.got;
}

std::vector<GotRecord> in_pieces(const std::string& format, const std::string& text,
                                 size_t buffer) {
  FramingDriver d = reader(format, buffer);
  size_t n = 0;
  while (n < text.size()) {
    n += static_cast<size_t>(*rc::gen::inRange(1, 80));
    d.grow(std::string_view(text).substr(0, n));
    if (*rc::gen::inRange(0, 3) == 0) d.restart();
  }
  d.grow(text, Reading::last);
  RC_ASSERT(d.failure.empty());
  return d.got;
}

void same_in_pieces(const std::string& format, const std::string& text, size_t buffer) {
  RC_ASSERT(in_pieces(format, text, buffer) == at_once(format, text, buffer));
}

}  // namespace

TEST_CASE("Pieces and restarts make no difference to records of plain text", "[collector]") {
  CHECK(rc::check("time stamps", [] { same_in_pieces("plain", some_text(), 1 << 18); }));
  CHECK(rc::check("traces", [] { same_in_pieces("regex", some_text(), 1 << 18); }));
  CHECK(rc::check("utf16", [] { same_in_pieces("plain", in_utf16(some_text()), 1 << 18); }));
}

TEST_CASE("Pieces and restarts make no difference to records of containers", "[collector]") {
  CHECK(rc::check("time stamps",
                  [] { same_in_pieces("plain", in_container(some_text()), 1 << 18); }));
  CHECK(rc::check("traces", [] { same_in_pieces("regex", in_container(some_text()), 1 << 18); }));
  CHECK(rc::check("lines", [] { same_in_pieces("json", in_container(some_text()), 1 << 18); }));
}

TEST_CASE("Pieces and restarts make no difference to lines longer than the buffer", "[collector]") {
  CHECK(rc::check("lines", [] { same_in_pieces("json", some_text() + "\n", 24); }));
}

TEST_CASE("A small buffer loses no line and counts none twice", "[collector]") {
  CHECK(rc::check("records", [] {
    const std::string text = some_text();
    const auto got = in_pieces("plain", text, 48);
    int64_t at = -1;
    for (const GotRecord& record : got) {
      RC_ASSERT(record.line > at);
      at = record.line;
    }
  }));
}
