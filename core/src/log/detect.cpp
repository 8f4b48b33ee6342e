// Which format a file has, from sample lines. Each line votes for the strictest general format that
// it surely is, and for every layout it has; the most votes win, so that a few damaged lines or
// stack traces change nothing. A layout wins where it reads nearly all that the best general format
// reads: what it misses would be lost, what it knows more is a gain. CSV and journal export are
// told by their marks: a header line first, a journal's own time stamps.
#include <algorithm>
#include <array>
#include <optional>

#include "log/csv_line.hpp"
#include "log/layout.hpp"
#include "log/logfmt.hpp"
#include "log/parsers.hpp"
#include "log/scan.hpp"
#include "log/syslog_header.hpp"
#include "nines/log/cri.hpp"
#include "nines/log/docker.hpp"

namespace nines::log {
namespace {

// Year-less time stamps only have to look like one.
constexpr TimeContext kAnyTime{0, {4'102'444'800 * kNsPerSecond}};

// In order of strictness; equal votes go to the first.
constexpr FormatKind kKinds[] = {FormatKind::json, FormatKind::combined, FormatKind::syslog,
                                 FormatKind::logfmt, FormatKind::plain};
constexpr size_t kGeneral = std::size(kKinds);
constexpr std::string_view kWhat[] = {"are JSON objects", "are access log lines",
                                      "have a syslog header", "are key=value pairs",
                                      "begin with a time stamp"};
constexpr std::string_view kWhatCsv = "have the columns that the first line names";
constexpr std::string_view kWhatJournal = "are fields of the journal export format";
// A layout, a table or a journal wins with so many of ten votes of the best general format.
constexpr int kEnoughOfTen = 9;

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

bool is_journal_field(std::string_view line) noexcept {
  const size_t equals = line.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals > 64) return false;
  return std::all_of(line.begin(), line.begin() + static_cast<ptrdiff_t>(equals), [](char c) {
    return (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9');
  });
}

// What one line is.
struct Vote {
  static constexpr size_t kNone = SIZE_MAX;
  size_t general = kNone;  // index into kKinds
  uint64_t layouts = 0;    // bit by index into builtin_layouts()
  bool csv = false;
  bool journal = false;
};

class Voter {
 public:
  Voter()
      : json_(make_json({}, kAnyTime)),
        combined_(make_combined({}, kAnyTime)),
        plain_(make_plain({}, kAnyTime)) {
    const auto layouts = builtin_layouts();
    for (size_t i = 0; i < layouts.size() && i < 64; ++i) {
      if (!layouts[i].distinctive) continue;
      auto parser =
          make_layout({FormatKind::layout, std::string(layouts[i].name), {}}, {}, kAnyTime);
      if (parser.ok()) layouts_.emplace_back(i, std::move(*parser));
    }
  }

  void vote(std::string_view line) {
    Vote vote;
    if (votes_.empty()) table_ = csv_header(line);
    if (table_) {
      const char delimiter = table_->pattern[0];
      if (votes_.empty()) columns_ = csv_columns(line, delimiter);
      vote.csv = csv_columns(line, delimiter) == columns_;
    }
    line = trim_left(trim_right(line));
    vote.general = general(line);
    ParsedRecord record;
    for (const auto& [index, parser] : layouts_) {
      const ParseOutcome outcome = parser->parse(line, record);
      if (outcome == ParseOutcome::ok || outcome == ParseOutcome::bad_time) {
        vote.layouts |= uint64_t{1} << index;
      }
    }
    vote.journal = is_journal_field(line);
    marked_ = marked_ || line.starts_with("__REALTIME_TIMESTAMP=");
    votes_.push_back(vote);
  }

  const std::vector<Vote>& votes() const noexcept { return votes_; }
  const std::optional<FormatSpec>& table() const noexcept { return table_; }
  bool journal_marked() const noexcept { return marked_; }

 private:
  size_t general(std::string_view line) {
    ParsedRecord record;
    // An object that JSON's own rules refuse further in is no object.
    WallTime ts;
    bool has_ts = false;
    if (line.front() == '{') {
      const ParseOutcome all = json_->parse_all(line, ts, has_ts, all_);
      if (all != ParseOutcome::no_match) return 0;
    }
    if (combined_->parse(line, record) != ParseOutcome::no_match) return 1;
    if (is_syslog(line)) return 2;
    if (is_logfmt(line)) return 3;
    if (plain_->parse(line, record) == ParseOutcome::ok) return 4;
    return Vote::kNone;
  }

  std::unique_ptr<LineParser> json_, combined_, plain_;
  std::vector<std::pair<size_t, std::unique_ptr<LineParser>>> layouts_;
  std::vector<LineParser::NamedValue> all_;
  std::vector<Vote> votes_;
  std::optional<FormatSpec> table_;  // what the first line names
  size_t columns_ = 0;
  bool marked_ = false;
};

// What won, and which lines it reads.
struct Winner {
  FormatSpec format;
  std::string_view what;
  bool (*reads)(const Vote&, size_t index) = nullptr;
  size_t index = 0;
};

template <class Reads>
int count(const std::vector<Vote>& votes, Reads reads) {
  return static_cast<int>(std::count_if(votes.begin(), votes.end(), reads));
}

Winner best_general(const std::vector<Vote>& votes, int& most) {
  size_t best = kGeneral - 1;
  most = 0;
  for (size_t i = kGeneral; i-- > 0;) {
    const int n = count(votes, [i](const Vote& v) { return v.general == i; });
    if (n == 0 || n < most) continue;
    most = n;
    best = i;
  }
  return {{kKinds[best], {}, {}},
          kWhat[best],
          [](const Vote& v, size_t index) { return v.general == index; },
          best};
}

bool best_layout(const std::vector<Vote>& votes, int rivals, Winner& out) {
  const auto layouts = builtin_layouts();
  int most = 0;
  for (size_t i = 0; i < layouts.size() && i < 64; ++i) {
    const int n = count(votes, [i](const Vote& v) { return (v.layouts >> i & 1) != 0; });
    if (n <= most) continue;
    most = n;
    out = {{FormatKind::layout, std::string(layouts[i].name), {}},
           layouts[i].what,
           [](const Vote& v, size_t index) { return (v.layouts >> index & 1) != 0; },
           i};
  }
  return most > 0 && most * 10 >= rivals * kEnoughOfTen;
}

Winner choose(const Voter& voter) {
  const std::vector<Vote>& votes = voter.votes();
  int most = 0;
  Winner winner = best_general(votes, most);
  const auto enough = [&](int n) {
    return n * 2 > static_cast<int>(votes.size()) && n * 10 >= most * kEnoughOfTen;
  };
  const int fields = count(votes, [](const Vote& v) { return v.journal; });
  if (voter.journal_marked() && enough(fields)) {
    return {{FormatKind::journal, {}, {}},
            kWhatJournal,
            [](const Vote& v, size_t) { return v.journal; },
            0};
  }
  const int rows = count(votes, [](const Vote& v) { return v.csv; });
  if (voter.table() && rows >= 2 && enough(rows)) {
    return {*voter.table(), kWhatCsv, [](const Vote& v, size_t) { return v.csv; }, 0};
  }
  Winner layout;
  return best_layout(votes, most, layout) ? layout : winner;
}

// "; 2 begin with a time stamp only (plain)": what the lines are that the winner does not read.
std::string runners_up(const std::vector<Vote>& votes, const Winner& winner) {
  std::string text;
  for (size_t i = 0; i < kGeneral; ++i) {
    const int n = count(
        votes, [&](const Vote& v) { return v.general == i && !winner.reads(v, winner.index); });
    if (n == 0) continue;
    text += "; " + std::to_string(n) + " " + std::string(kWhat[i]);
    if (kKinds[i] == FormatKind::plain) text += " only";
    text += " (" + std::string(format_name(kKinds[i])) + ")";
  }
  return text;
}

std::string explain(const Detection& found, const std::vector<Vote>& votes, const Winner& winner) {
  const std::string of = " of " + std::to_string(found.sampled) + " sampled lines ";
  std::string text = format_name(found.format) + ": ";
  if (found.sampled == 0) {
    text += "no lines to judge by";
  } else if (found.matched == 0) {
    text += "none" + of + "has a known shape or a time stamp";
  } else {
    text += std::to_string(found.matched) + of + std::string(winner.what);
    text += runners_up(votes, winner);
  }
  if (found.cri) text += ", inside the container runtime's (CRI) envelope";
  if (found.docker) text += ", inside docker's json-file envelope";
  return text;
}

template <class Parses>
bool mostly(std::span<const std::string_view> lines, Parses parses) {
  int wrapped = 0;
  int sampled = 0;
  for (const std::string_view line : lines) {
    if (trim_left(line).empty()) continue;
    ++sampled;
    wrapped += parses(line);
  }
  return wrapped > 0 && wrapped * 2 >= sampled;
}

// The line without its envelope; nothing when it is only a piece of one, which shows no format.
std::optional<std::string_view> unwrap(const Detection& found, std::string_view line,
                                       std::string& scratch) {
  CriLine cri;
  DockerLine docker;
  if (found.cri && parse_cri(line, cri)) {
    if (cri.partial) return std::nullopt;
    return cri.content;
  }
  if (found.docker && parse_docker(line, docker)) {
    if (docker.partial) return std::nullopt;
    return docker_content(docker, scratch);
  }
  return line;
}

}  // namespace

Detection detect_format(std::span<const std::string_view> lines) {
  Detection found;
  CriLine cri;
  DockerLine docker;
  found.cri = mostly(lines, [&](std::string_view line) { return parse_cri(line, cri); });
  found.docker = !found.cri &&
                 mostly(lines, [&](std::string_view line) { return parse_docker(line, docker); });
  Voter voter;
  std::string scratch;
  for (const std::string_view line : lines) {
    const auto content = unwrap(found, line, scratch);
    if (content && !trim_left(*content).empty()) voter.vote(*content);
  }
  const std::vector<Vote>& votes = voter.votes();
  const Winner winner = choose(voter);
  found.format = winner.format;
  found.sampled = static_cast<int>(votes.size());
  found.matched = count(votes, [&](const Vote& v) { return winner.reads(v, winner.index); });
  found.explanation = explain(found, votes, winner);
  return found;
}

}  // namespace nines::log
