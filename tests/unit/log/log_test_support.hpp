// Shorthand of the format tests: a parser, one line, its fields by name.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/decimal.hpp"
#include "nines/log/format.hpp"

namespace nines::log::test {

// 2026-11-21T12:00:00Z
inline constexpr WallTime kReference{1'795'262'400 * kNsPerSecond};
inline constexpr TimeContext kContext{0, kReference};

inline std::string show(const Value& v) {
  switch (v.kind) {
    case ValueKind::null: return "null";
    case ValueKind::boolean: return v.mantissa != 0 ? "true" : "false";
    case ValueKind::number: return Decimal{v.mantissa, v.exponent}.to_string();
    case ValueKind::real: return "real " + std::to_string(v.real);
    case ValueKind::text: return "'" + std::string(v.text) + "'";
    case ValueKind::time: return format_rfc3339({v.time_ns});
    case ValueKind::level: return std::string(level_name(v.level));
  }
  return "?";
}

class Lines {
 public:
  Lines(FormatSpec format, std::vector<std::string> wanted, TimeContext time = kContext)
      : values(wanted.size()) {
    auto made = make_parser(format, wanted, time);
    REQUIRE(made.ok());
    parser = std::move(*made);
  }
  Lines(FormatKind kind, std::vector<std::string> wanted, TimeContext time = kContext)
      : Lines(FormatSpec{kind, {}, {}}, std::move(wanted), time) {}

  ParseOutcome parse(std::string_view line) {
    record = ParsedRecord{{}, false, values};
    return parser->parse(line, record);
  }
  // "outcome ts a b c"
  std::string operator()(std::string_view line) {
    line_ = line;  // the values point into it
    static constexpr const char* kOutcomes[] = {"ok", "no_match", "bad_time", "empty"};
    std::string text = kOutcomes[static_cast<int>(parse(line_))];
    if (record.has_ts) text += " " + format_rfc3339(record.ts);
    for (const Value& v : values) text += " " + show(v);
    return text;
  }

  std::unique_ptr<LineParser> parser;
  std::vector<Value> values;
  ParsedRecord record;

 private:
  std::string line_;
};

// Lines of a file of real logs, empty when it is not there (which is said loudly).
inline std::vector<std::string> real_log(const std::string& name) {
  const char* set = std::getenv("NINES_DATA_DIR");
  const std::string root = set != nullptr ? set : std::string(NINES_SOURCE_DIR) + "/../shared/data";
  for (const std::string& base : {root, std::string(NINES_SOURCE_DIR) + "/../../shared/data"}) {
    std::ifstream in(base + "/loghub/" + name + "/" + name + "_2k.log");
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      lines.push_back(line);
    }
    if (!lines.empty()) return lines;
  }
  std::cerr << "WARN: real logs of " << name << " are not at " << root
            << "/loghub (set NINES_DATA_DIR): nothing was checked against them\n";
  return {};
}

}  // namespace nines::log::test
