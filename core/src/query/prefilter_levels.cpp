// Levels are spelled in many ways: all of those that parse_level() knows, as JSON and logfmt hold
// them. Other formats know a level by its place in the line, which no literal tells.
#include <initializer_list>
#include <string_view>

#include "nines/log/value.hpp"
#include "query/prefilter.hpp"

namespace nines::query {
namespace {

struct Spellings {
  Level level;
  std::initializer_list<std::string_view> words;
  std::initializer_list<std::string_view> numbers;  // of pino and bunyan, of syslog
};
// In step with parse_level().
const Spellings kSpellings[] = {
    {Level::trace,
     {"trace", "trc", "t", "verbose", "vrb", "v", "finest", "finer", "silly"},
     {"10"}},
    {Level::debug,
     {"debug", "dbg", "debg", "d", "fine", "config", "debug1", "debug2", "debug3", "debug4",
      "debug5"},
     {"20", "7"}},
    {Level::info,
     {"info", "inf", "i", "notice", "note", "log", "information", "informational"},
     {"30", "5", "6"}},
    {Level::warn, {"warn", "warning", "wrn", "w"}, {"40", "4"}},
    {Level::error, {"error", "err", "eror", "e", "severe"}, {"50", "3"}},
    {Level::fatal,
     {"fatal", "ftl", "f", "critical", "crit", "crt", "c", "panic", "dpanic", "alert", "emerg",
      "emergency"},
     {"60", "0", "1", "2"}},
};
// How the names of the field end (key_tree.cpp).
constexpr std::string_view kKeys[] = {"level", "severity", "lvl", "levelname"};

void json_levels(unsigned levels, std::vector<std::string>& out) {
  for (const Spellings& s : kSpellings) {
    if ((levels >> static_cast<unsigned>(s.level) & 1) == 0) continue;
    for (const std::string_view word : s.words) out.push_back("\"" + std::string(word) + "\"");
    for (const std::string_view n : s.numbers) {
      out.push_back("\"" + std::string(n) + "\"");
      // A bare number: four or five bytes that are rare together tell enough, and are searched for
      // several times as fast as whole names.
      for (const std::string_view key : kKeys) {
        out.push_back(std::string(1, key.back()) + "\":" + n.front());
        out.push_back(std::string(1, key.back()) + "\": " + n.front());
      }
    }
  }
  // Unusual blanks around a colon, behind which a number may stand; escapes.
  for (const char* blanks : {"\" :", "\"  ", "\"\t", "\"\r", "\" \t", "\" \r", "\":\t", "\":\r",
                             "\":  ", "\": \t", "\": \r", "\\u"}) {
    out.emplace_back(blanks);
  }
}

void logfmt_levels(unsigned levels, std::vector<std::string>& out) {
  for (const Spellings& s : kSpellings) {
    if ((levels >> static_cast<unsigned>(s.level) & 1) == 0) continue;
    for (const auto& spellings : {s.words, s.numbers}) {
      for (const std::string_view word : spellings) {
        for (const std::string_view key : kKeys) {
          // Longer words begin with a shorter one more often than not; see covered().
          out.push_back(std::string(key) + "=" + std::string(word));
          out.push_back(std::string(key) + "=\"" + std::string(word));
        }
      }
    }
  }
  out.emplace_back("\\u");
}

}  // namespace

bool level_literals(unsigned levels, log::FormatKind format, LiteralSet& out) {
  out.any_of.clear();
  out.ignore_case = true;
  if (format == log::FormatKind::json) {
    json_levels(levels, out.any_of);
  } else if (format == log::FormatKind::logfmt) {
    logfmt_levels(levels, out.any_of);
  } else {
    return false;
  }
  return true;
}

}  // namespace nines::query
