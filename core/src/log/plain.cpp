// Plain text: a time stamp near the start, a level word near it, the rest is the message.
//
//   2015-07-29 17:41:44,747 - WARN  [QuorumPeer] - Send worker leaving      (Zookeeper)
//   [Sun Dec 04 04:47:44 2005] [error] mod_jk child in error state 6         (Apache)
//   I1121 01:35:51.262484   12345 file.go:12] started                        (klog)
//
// The time stamp begins one of the first tokens. A level is a whole word among the next few: in
// capitals, in brackets or bars, or the very first word. `message` is what follows the time stamp
// and a level directly behind it. A line without time stamp is bad_time and all message.
#include "log/parsers.hpp"
#include "log/scan.hpp"
#include "log/time_scan.hpp"

namespace nines::log {
namespace {

enum Field : int { kTs, kLevel, kMessage, kRaw };
constexpr FieldName kNames[] = {
    {"ts", kTs}, {"level", kLevel}, {"message", kMessage}, {"raw", kRaw}};
constexpr std::span<const FieldName> kListed(kNames, kMessage + 1);

constexpr size_t kTimeStarts = 4;     // tokens at which a time stamp may begin,
constexpr size_t kTimeWindow = 64;    // within so many bytes
constexpr size_t kLevelTokens = 8;    // tokens looked at for a level,
constexpr size_t kLevelWindow = 128;  // within so many bytes

bool is_separator(char c) noexcept {
  return c == ' ' || c == '\t' || c == '-' || c == ':' || c == '|';
}
bool opens(char c) noexcept { return c == '[' || c == '|' || c == '<' || c == '('; }
bool closes(char c) noexcept { return c == ']' || c == '|' || c == '>' || c == ')'; }

struct LevelWord {
  Level level{};
  std::string_view word;
};

bool all_capitals(std::string_view word) noexcept {
  for (const char c : word) {
    if (c < 'A' || c > 'Z') return false;
  }
  return true;
}

// A word that names a level here: what stands around it decides how much is asked of it.
bool names_level(std::string_view text, size_t begin, size_t end, bool first,
                 LevelWord& out) noexcept {
  const std::string_view word = text.substr(begin, end - begin);
  const char before = begin == 0 ? ' ' : text[begin - 1];
  const char behind = end == text.size() ? ' ' : text[end];
  const bool enclosed = (opens(before) || before == ':') && closes(behind);
  const bool free = is_separator(before) || opens(before);
  if (word.size() > 13 || !(enclosed || (free && (is_separator(behind) || closes(behind)))))
    return false;
  const bool plausible = enclosed || (word.size() > 1 && (first || all_capitals(word)));
  out.word = word;
  return plausible && parse_level(word, out.level);
}

// The first level among the leading tokens of `text`.
bool find_level(std::string_view text, LevelWord& out) noexcept {
  text = text.substr(0, kLevelWindow);
  size_t tokens = 0;
  bool first = true;
  for (size_t i = 0; i < text.size() && tokens < kLevelTokens;) {
    if (text[i] == ' ') {
      tokens += i > 0 && text[i - 1] != ' ';
      ++i;
    } else if (!is_alpha(text[i])) {
      ++i;
    } else {
      const size_t begin = i;
      while (i < text.size() && is_alpha(text[i])) ++i;
      if (names_level(text, begin, i, first, out)) return true;
      first = false;
    }
  }
  return false;
}

class PlainParser final : public LineParser {
 public:
  PlainParser(Wanted wanted, const TimeContext& time)
      : map_(wanted, kNames), time_(time), all_(&make_plain, kListed) {}

  ParseOutcome parse(std::string_view line, ParsedRecord& out) noexcept override {
    map_.clear(out.fields);
    out.has_ts = false;
    map_.set(out.fields, kRaw, Value::of_text(line));
    line = trim_right(line);
    const ParseOutcome outcome =
        trim_left(line).empty() ? ParseOutcome::empty : parse_line(line, out);
    map_.finish(out.fields);
    return outcome;
  }
  ParseOutcome parse_all(std::string_view line, WallTime& ts, bool& has_ts,
                         std::vector<NamedValue>& out) override {
    return all_.parse(line, time_, ts, has_ts, out);
  }
  void set_reference(WallTime now) noexcept override { time_.reference = now; }
  // Indented lines go on with a record; the others need a time stamp.
  bool leads(std::string_view line) const noexcept override {
    if (line.empty() || is_blank(line.front())) return false;
    size_t begin = 0;
    size_t end = 0;
    WallTime ts;
    return find_time(line, begin, end, ts);
  }

 private:
  ParseOutcome parse_line(std::string_view line, ParsedRecord& out) noexcept {
    size_t begin = 0;
    size_t end = 0;
    out.has_ts = find_time(line, begin, end, out.ts);
    if (out.has_ts) map_.set(out.fields, kTs, Value::of_time(out.ts.ns));
    if (map_.wants(kLevel) || map_.wants(kMessage)) {
      split_rest(line, line.substr(0, begin), line.substr(end), out.fields);
    }
    return out.has_ts ? ParseOutcome::ok : ParseOutcome::bad_time;
  }

  bool find_time(std::string_view line, size_t& begin, size_t& end, WallTime& ts) const noexcept {
    const size_t window = line.size() < kTimeWindow ? line.size() : kTimeWindow;
    size_t starts = 0;
    for (size_t i = 0; i < window && starts < kTimeStarts; ++i) {
      const bool at_token =
          i == 0 || line[i - 1] == ' ' || line[i - 1] == '|' || line[i - 1] == '[';
      if (!at_token || !(is_alnum(line[i]) || line[i] == '[')) continue;
      ++starts;
      const auto time = parse_any_time(line.substr(i), time_);
      if (!time) continue;
      ts = time->ts;
      begin = i;
      end = i + time->length;
      return true;
    }
    return false;
  }

  void split_rest(std::string_view line, std::string_view head, std::string_view rest,
                  std::span<Value> fields) const noexcept {
    const bool glog = head.empty() && line.size() > 1 && is_alpha(line[0]) && is_digit(line[1]) &&
                      rest.size() < line.size();
    LevelWord level;
    bool found = false;
    if (glog) {
      level.word = line.substr(0, 1);
      found = parse_level(level.word, level.level);
    }
    found = found || (!head.empty() && find_level(head, level));
    const bool before = found;
    // Without a time stamp the indent of a stack trace stays.
    const bool timed = rest.size() < line.size();
    while (timed && !rest.empty() && (is_separator(rest.front()) || rest.front() == ']'))
      rest.remove_prefix(1);
    found = found || find_level(rest, level);
    if (found) map_.set(fields, kLevel, Value::of_level(level.level, level.word));
    if (found && !before) rest = behind_level(rest, level.word);
    map_.set(fields, kMessage, Value::of_text(rest));
  }

  // A level at the very start of the rest is no part of the message.
  static std::string_view behind_level(std::string_view rest, std::string_view word) noexcept {
    size_t at = static_cast<size_t>(word.data() - rest.data());
    if (at > 1 || (at == 1 && !opens(rest[0]))) return rest;
    rest.remove_prefix(at + word.size());
    if (at == 1 && !rest.empty() && closes(rest.front())) rest.remove_prefix(1);
    while (!rest.empty() && is_separator(rest.front())) rest.remove_prefix(1);
    return rest;
  }

  FieldMap map_;
  TimeContext time_;
  AllFields all_;
};

}  // namespace

std::unique_ptr<LineParser> make_plain(Wanted wanted, const TimeContext& time) {
  return std::make_unique<PlainParser>(wanted, time);
}

}  // namespace nines::log
