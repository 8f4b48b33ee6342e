// Spellings of log levels. Called once a line on the hot path: up to eight letters are folded into
// one integer, so that a look-up is a handful of integer comparisons.
#include "nines/log/value.hpp"

namespace nines {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

constexpr uint64_t pack(std::string_view word) {
  uint64_t packed = 0;
  for (const char c : word) packed = packed << 8 | static_cast<unsigned char>(lower(c));
  return packed;
}

bool equals(std::string_view text, std::string_view word) {
  if (text.size() != word.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (lower(text[i]) != word[i]) return false;
  }
  return true;
}

bool parse_long_word(std::string_view text, Level& out) {
  if (equals(text, "information") || equals(text, "informational")) {
    out = Level::info;
    return true;
  }
  if (equals(text, "emergency")) {
    out = Level::fatal;
    return true;
  }
  return false;
}

// Two-digit numbers are pino's and bunyan's, one digit is a syslog severity.
bool parse_packed(uint64_t packed, Level& out) {
  switch (packed) {
    case pack("trace"):
    case pack("trc"):
    case pack("t"):
    case pack("verbose"):
    case pack("vrb"):
    case pack("v"):
    case pack("finest"):
    case pack("finer"):
    case pack("silly"):
    case pack("10"): out = Level::trace; return true;
    case pack("debug"):
    case pack("dbg"):
    case pack("debg"):
    case pack("d"):
    case pack("fine"):
    case pack("config"):
    case pack("debug1"):
    case pack("debug2"):
    case pack("debug3"):
    case pack("debug4"):
    case pack("debug5"):
    case pack("20"):
    case pack("7"): out = Level::debug; return true;
    case pack("info"):
    case pack("inf"):
    case pack("i"):
    case pack("notice"):
    case pack("note"):
    case pack("log"):
    case pack("30"):
    case pack("5"):
    case pack("6"): out = Level::info; return true;
    case pack("warn"):
    case pack("warning"):
    case pack("wrn"):
    case pack("w"):
    case pack("40"):
    case pack("4"): out = Level::warn; return true;
    case pack("error"):
    case pack("err"):
    case pack("eror"):
    case pack("e"):
    case pack("severe"):
    case pack("50"):
    case pack("3"): out = Level::error; return true;
    case pack("fatal"):
    case pack("ftl"):
    case pack("f"):
    case pack("critical"):
    case pack("crit"):
    case pack("crt"):
    case pack("c"):
    case pack("panic"):
    case pack("dpanic"):
    case pack("alert"):
    case pack("emerg"):
    case pack("60"):
    case pack("0"):
    case pack("1"):
    case pack("2"): out = Level::fatal; return true;
    default: return false;
  }
}

}  // namespace

std::string_view level_name(Level level) noexcept {
  switch (level) {
    case Level::trace: return "TRACE";
    case Level::debug: return "DEBUG";
    case Level::info: return "INFO";
    case Level::warn: return "WARN";
    case Level::error: return "ERROR";
    case Level::fatal: return "FATAL";
  }
  return "";
}

// Who adds a spelling adds it to query/prefilter_levels.cpp as well.
bool parse_level(std::string_view text, Level& out) noexcept {
  if (text.size() > 8) return parse_long_word(text, out);
  // A leading NUL would vanish in the packed form.
  if (text.empty() || text.front() == '\0') return false;
  return parse_packed(pack(text), out);
}

}  // namespace nines
