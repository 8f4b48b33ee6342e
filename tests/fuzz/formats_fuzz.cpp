// Any bytes, read as a line of each format and as a CRI line: no crash, no field outside the line.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nines/log/cri.hpp"
#include "nines/log/format.hpp"

namespace {
using namespace nines;

std::unique_ptr<log::LineParser> parser_of(const char* name) {
  static const std::vector<std::string> kWanted = {"status",  "duration_ms", "level",
                                                   "message", "path",        "http.method"};
  auto format = log::format_from_name(name);
  auto parser = log::make_parser(format.value(), kWanted, {});
  return std::move(parser.value());
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::array parsers = {parser_of("combined"), parser_of("json"), parser_of("logfmt"),
                                     parser_of("syslog"), parser_of("plain")};
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  std::array<Value, 6> values;
  std::vector<log::LineParser::NamedValue> all;
  for (const auto& parser : parsers) {
    log::ParsedRecord record;
    record.fields = values;
    parser->parse(line, record);
    WallTime ts;
    bool has_ts = false;
    all.clear();
    parser->parse_all(line, ts, has_ts, all);
  }
  log::PieceJoiner joiner(4096);
  log::PieceJoiner::Line whole;
  log::Piece piece;
  if (log::parse_cri(line, piece)) joiner.push(piece, 0, whole);
  log::PieceJoiner again(4096);
  if (!again.restore(joiner.save())) __builtin_trap();
  return 0;
}
