// Bytes to records, for every framing, encoding and wrapping: the first byte selects them, the
// second seeds where the rest is split and where reading starts anew from what was saved. Pieces
// must make no difference to the records.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "framing_driver.hpp"

namespace {

using namespace nines;
using namespace nines::collector;
using collector::testing::FramingDriver;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

struct Mode {
  const char *format, *multiline, *pattern;
  std::string_view sample;  // shows encoding and wrapping
};

constexpr std::string_view kPlain = "2026-09-21 14:13:20 INFO one\n";
constexpr std::string_view kJson = "{\"ts\":\"2026-09-21T14:13:20Z\"}\n";
constexpr std::string_view kCri = "2026-09-21T14:13:20.1Z stdout F x\n";
constexpr std::string_view kDocker =
    "{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2026-09-21T14:13:20.1Z\"}\n";
constexpr std::string_view kLittle(
    "\xFF\xFE"
    "a\0b\0c\0\n\0",
    10);
constexpr std::string_view kBig("\xFE\xFF\0a\0b\0c\0\n", 10);
constexpr const char* kAnything = "(?P<message>.*)";

constexpr Mode kModes[] = {
    {"plain", "auto", "", kPlain},      {"plain", "none", "", kPlain},
    {"plain", "^\\d", "", kPlain},      {"regex", "auto", kAnything, kPlain},
    {"json", "auto", "", kJson},        {"plain", "auto", "", kCri},
    {"regex", "auto", kAnything, kCri}, {"json", "auto", "", kCri},
    {"plain", "auto", "", kDocker},     {"json", "auto", "", kDocker},
    {"plain", "auto", "", kLittle},     {"json", "auto", "", kLittle},
    {"plain", "auto", "", kBig},
};

FramingDriver reader(const Mode& mode, size_t buffer) {
  FramingDriver d;
  d.selector.format = mode.format;
  d.selector.multiline = mode.multiline;
  d.selector.pattern = mode.pattern;
  d.buffer = buffer;
  d.grow(mode.sample, Reading::last);
  d.got.clear();
  return d;
}

void show(const char* what, const FramingDriver& driver) {
  std::fprintf(stderr, "%s:\n", what);
  for (const auto& record : driver.got) {
    std::fprintf(stderr, "  %lld%s %s[%s]\n", static_cast<long long>(record.line),
                 record.truncated ? " truncated" : "", record.error.c_str(), record.raw.c_str());
  }
}

// The last line ends with a line end in the encoding of the sample.
bool is_ended(const Mode& mode, std::string_view all) {
  if (mode.sample.data() == kLittle.data()) {
    return all.size() % 2 == 0 && all.ends_with(kLittle.substr(kLittle.size() - 2));
  }
  if (mode.sample.data() == kBig.data()) {
    return all.size() % 2 == 0 && all.ends_with(kBig.substr(kBig.size() - 2));
  }
  return all.back() == '\n';
}

void in_pieces(const Mode& mode, std::string_view text, uint32_t seed, size_t buffer) {
  const std::string all = std::string(mode.sample) + std::string(text);
  FramingDriver whole = reader(mode, buffer), parts = reader(mode, buffer);
  whole.grow(all, Reading::last);
  for (size_t n = mode.sample.size(); n < all.size();) {
    seed = seed * 1664525u + 1013904223u;
    n = std::min(all.size(), n + 1 + (seed >> 16) % 48);
    parts.grow(std::string_view(all).substr(0, n));
    if (seed >> 30 == 0) parts.restart();
  }
  parts.grow(all, Reading::last);
  require(whole.failure.empty() && parts.failure.empty(), "the contract of consume()");
  // A record that fills a small buffer is cut where the buffer happened to begin, and a last line
  // that just fills it may have gone on.
  const bool small =
      buffer < 4096 && (std::string_view(mode.format) != "json" || !is_ended(mode, all));
  if (!small && whole.got != parts.got) {
    show("at once", whole);
    show("in pieces", parts);
    require(false, "pieces make no difference");
  }
  int64_t at = -1;
  for (const auto& record : whole.got) {
    require(record.raw.size() <= whole.max_record, "a record has its bound");
    if (mode.sample.data() == kPlain.data()) require(record.line > at, "records are in order");
    at = record.line;
  }
}

void messages(Framing framing, const char* format, std::string_view text) {
  FramingDriver d;
  d.framing = framing;
  d.selector.format = format;
  const Taken half = d.deliver(text.substr(0, text.size() / 2), Reading::more);
  require(half.bytes <= text.size() / 2, "no more is taken than there is");
  d.restart();
  require(d.deliver(text, Reading::full).bytes > 0 || text.empty(), "a full buffer is taken from");
  d.deliver(text, Reading::last);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view text(static_cast<const char*>(static_cast<const void*>(data)) + 2,
                              size - 2);
  const size_t which = data[0] % (std::size(kModes) + 3);
  if (which < std::size(kModes)) {
    in_pieces(kModes[which], text, data[1], (data[1] & 1) != 0 ? 64 : 256 * 1024);
  } else if (which == std::size(kModes)) {
    messages(Framing::datagrams, "syslog", text);
  } else if (which == std::size(kModes) + 1) {
    messages(Framing::journal_entries, "auto", text);
  } else {  // a saved state is garbage
    FramingDriver d;
    d.open(0, std::string(text));
    d.deliver("2026-09-21T14:13:20.1Z stdout F x\n", Reading::more);
    d.restart();
    d.deliver("y\n", Reading::last);
  }
  return 0;
}
