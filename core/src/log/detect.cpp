// Which format a file has, from sample lines. Each line votes for the strictest format that it
// surely is; the most votes win, so that a few damaged lines or stack traces change nothing.
#include <array>
#include <optional>

#include "log/logfmt.hpp"
#include "log/parsers.hpp"
#include "log/scan.hpp"
#include "log/syslog_header.hpp"
#include "nines/log/cri.hpp"

namespace nines::log {
namespace {

// Year-less time stamps only have to look like one.
constexpr TimeContext kAnyTime{0, {4'102'444'800 * kNsPerSecond}};

// In order of strictness; equal votes go to the first.
constexpr FormatKind kKinds[] = {FormatKind::json, FormatKind::combined, FormatKind::syslog,
                                 FormatKind::logfmt, FormatKind::plain};
constexpr std::string_view kWhat[] = {"are JSON objects", "are access log lines",
                                      "have a syslog header", "are key=value pairs",
                                      "begin with a time stamp"};

bool is_logfmt(std::string_view line) noexcept {
  const char* p = line.data();
  const char* const end = p + line.size();
  LogfmtPair pair;
  size_t pairs = 0;
  for (bool first = true; p != end; first = false) {
    if (!next_logfmt_pair(p, end, pair) || (first && !pair.has_value)) return false;
    pairs += pair.has_value;
  }
  return pairs >= 2;
}

// Stricter than the parser: "2026-11-21T01:35:51Z INFO main: up" is plain text.
bool is_syslog(std::string_view line) noexcept {
  SyslogLine parts;
  if (!split_syslog(line, kAnyTime, parts)) return false;
  if (parts.rfc5424 || parts.priority >= 0) return true;
  if (!parts.iso_time) return !parts.host.empty();
  Level level{};
  return !parts.host.empty() && !parts.app.empty() && line[10] == 'T' &&
         !parse_level(parts.host, level) &&
         parts.host.find_first_of("[]|\"") == std::string_view::npos;
}

class Voter {
 public:
  Voter()
      : json_(make_json({}, kAnyTime)),
        combined_(make_combined({}, kAnyTime)),
        plain_(make_plain({}, kAnyTime)) {}

  std::optional<size_t> vote(std::string_view line) {
    ParsedRecord record;
    // An object that JSON's own rules refuse further in is no object.
    WallTime ts;
    bool has_ts = false;
    line = trim_left(trim_right(line));
    if (line.front() == '{') {
      const ParseOutcome all = json_->parse_all(line, ts, has_ts, all_);
      if (all != ParseOutcome::no_match) return 0;
    }
    if (combined_->parse(line, record) != ParseOutcome::no_match) return 1;
    if (is_syslog(line)) return 2;
    if (is_logfmt(line)) return 3;
    if (plain_->parse(line, record) == ParseOutcome::ok) return 4;
    return std::nullopt;
  }

 private:
  std::unique_ptr<LineParser> json_, combined_, plain_;
  std::vector<LineParser::NamedValue> all_;
};

bool is_cri(std::span<const std::string_view> lines) {
  int cri = 0;
  int sampled = 0;
  CriLine piece;
  for (const std::string_view line : lines) {
    if (trim_left(line).empty()) continue;
    ++sampled;
    cri += parse_cri(line, piece);
  }
  return cri > 0 && cri * 2 >= sampled;
}

std::string explain(const Detection& found, size_t best) {
  const std::string of = " of " + std::to_string(found.sampled) + " sampled lines ";
  std::string text(format_name(found.format.kind));
  text += ": ";
  if (found.sampled == 0) {
    text += "no lines to judge by";
  } else if (found.matched == 0) {
    text += "none" + of + "has a known shape or a time stamp";
  } else {
    text += std::to_string(found.matched) + of + std::string(kWhat[best]);
  }
  if (found.cri) text += ", inside the container runtime's (CRI) envelope";
  return text;
}

}  // namespace

Detection detect_format(std::span<const std::string_view> lines) {
  Detection found;
  found.cri = is_cri(lines);
  Voter voter;
  std::array<int, std::size(kKinds)> votes{};
  CriLine piece;
  for (std::string_view line : lines) {
    if (found.cri && parse_cri(line, piece)) {
      if (piece.partial) continue;  // a piece of a line shows no format
      line = piece.content;
    }
    if (trim_left(line).empty()) continue;
    ++found.sampled;
    if (const auto vote = voter.vote(line)) ++votes[*vote];
  }
  size_t best = std::size(kKinds) - 1;
  for (size_t i = std::size(kKinds); i-- > 0;) {
    if (votes[i] > 0 && votes[i] >= votes[best]) best = i;
  }
  found.format.kind = kKinds[best];
  found.matched = votes[best];
  found.explanation = explain(found, best);
  return found;
}

}  // namespace nines::log
