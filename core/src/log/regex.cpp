// User regular expressions with named groups. RE2 is several times faster with up to four captures
// (its one-pass engine), so groups that nobody wants are rewritten to non-capturing ones.
//
// Groups `ts` (or `time`) and `level` are special, the others are text. RE2's automata live within
// max_mem and are built while it runs: after that warm-up a line allocates nothing.
#include <re2/re2.h>

#include <algorithm>

#include "log/key_values.hpp"
#include "log/parsers.hpp"
#include "log/strptime.hpp"

namespace nines::log {
namespace {

constexpr int64_t kMaxMem = 512 * 1024;
constexpr size_t kMaxPattern = 16 * 1024;

// Walks a pattern group by group; escapes, \Q..\E and [classes] are passed over.
class PatternScanner {
 public:
  explicit PatternScanner(std::string_view pattern) : pattern_(pattern) {}

  // Moves to the next capturing group. `begin` is at its '(', `body` behind its "(?P<name>".
  bool next(size_t& begin, size_t& body, std::string_view& name) noexcept {
    while (pos_ < pattern_.size()) {
      const char c = pattern_[pos_];
      if (c == '\\') {
        skip_escape();
      } else if (c == '[') {
        skip_class();
      } else if (c == '(' && is_group(body, name)) {
        begin = pos_;
        pos_ = body;
        return true;
      } else {
        ++pos_;
      }
    }
    return false;
  }

 private:
  void skip_escape() noexcept {
    if (pattern_.substr(pos_, 2) == "\\Q") {
      const size_t stop = pattern_.find("\\E", pos_);
      pos_ = stop == std::string_view::npos ? pattern_.size() : stop + 2;
    } else {
      pos_ += 2;
    }
  }
  void skip_class() noexcept {
    size_t i = pos_ + 1;
    if (i < pattern_.size() && pattern_[i] == '^') ++i;
    if (i < pattern_.size() && pattern_[i] == ']') ++i;  // "[]a]": the first one is a member
    while (i < pattern_.size() && pattern_[i] != ']') {
      if (pattern_[i] == '\\') {
        ++i;
      } else if (pattern_.substr(i, 2) == "[:") {
        const size_t stop = pattern_.find(":]", i + 2);
        if (stop != std::string_view::npos) i = stop + 1;
      }
      ++i;
    }
    pos_ = i + 1;
  }
  bool is_group(size_t& body, std::string_view& name) const noexcept {
    const std::string_view rest = pattern_.substr(pos_);
    name = {};
    body = pos_ + 1;
    if (!rest.starts_with("(?")) return true;
    const size_t open = rest.starts_with("(?P<") ? 4 : rest.starts_with("(?<") ? 3 : 0;
    if (open == 0) return false;
    const size_t close = rest.find('>');
    if (close == std::string_view::npos) return false;
    name = rest.substr(open, close - open);
    body = pos_ + close + 1;
    return true;
  }

  std::string_view pattern_;
  size_t pos_ = 0;
};

// The pattern with only the groups `keep` accepts still capturing; their names in order.
template <class Keep>
std::string capture_only(std::string_view pattern, Keep keep, std::vector<std::string>& names) {
  std::string out;
  PatternScanner scanner(pattern);
  size_t copied = 0;
  size_t begin = 0;
  size_t body = 0;
  std::string_view name;
  while (scanner.next(begin, body, name)) {
    out.append(pattern.substr(copied, begin - copied));
    copied = body;
    if (!name.empty() && keep(name)) {
      names.emplace_back(name);
      out.append("(?P<").append(name).append(">");
    } else {
      out.append("(?:");
    }
  }
  out.append(pattern.substr(copied));
  return out;
}

RE2::Options options() {
  RE2::Options o;
  o.set_max_mem(kMaxMem);
  o.set_log_errors(false);
  o.set_encoding(RE2::Options::EncodingLatin1);  // bytes: invalid UTF-8 must not fail to match
  return o;
}

bool is_time(std::string_view name) noexcept { return name == "ts" || name == "time"; }

class RegexParser final : public LineParser {
 public:
  RegexParser(const FormatSpec& format, Wanted wanted, const TimeContext& time)
      : format_(format), wanted_(wanted.begin(), wanted.end()), time_(time) {
    const std::string pattern = capture_only(
        format.pattern,
        [&](std::string_view name) {
          return is_time(name) || std::find(wanted_.begin(), wanted_.end(), name) != wanted_.end();
        },
        names_);
    re_ = std::make_unique<RE2>(pattern, options());
    groups_.resize(names_.size() + 1);
    for (const std::string& field : wanted_) slots_.push_back(group_of(field));
    time_group_ = group_of("ts") > 0 ? group_of("ts") : group_of("time");
    look_at_beginning();
  }
  bool ok() const noexcept { return re_->ok(); }

  ParseOutcome parse(std::string_view line, ParsedRecord& out) noexcept override {
    out.has_ts = false;
    const std::string_view body = trim_right(line);
    const re2::StringPiece input(body.data(), body.size());
    ParseOutcome outcome = ParseOutcome::empty;
    bool matched = false;
    if (!trim_left(body).empty()) {
      matched = re_->Match(input, 0, body.size(), RE2::UNANCHORED, groups_.data(),
                           static_cast<int>(groups_.size()));
      outcome = matched ? ParseOutcome::ok : ParseOutcome::no_match;
    }
    if (matched) {
      out.has_ts = read_time(out.ts);
      if (!out.has_ts) outcome = ParseOutcome::bad_time;
    }
    for (size_t i = 0; i < wanted_.size(); ++i) {
      Value& field = out.fields[i];
      field = Value{};
      if (wanted_[i] == "raw" && slots_[i] == 0) {
        field = Value::of_text(line);
      } else if (matched && wanted_[i] == "ts") {
        if (out.has_ts) field = Value::of_time(out.ts.ns);
      } else if (matched && slots_[i] > 0) {
        field = group_value(slots_[i], wanted_[i] == "level");
      }
    }
    return outcome;
  }

  ParseOutcome parse_all(std::string_view line, WallTime& ts, bool& has_ts,
                         std::vector<NamedValue>& out) override {
    if (!all_) list_groups();
    all_->set_reference(time_.reference);
    std::vector<Value> values(all_names_.size());
    ParsedRecord record{{}, false, values};
    const ParseOutcome outcome = all_->parse(line, record);
    ts = record.ts;
    has_ts = record.has_ts;
    out.clear();
    for (size_t i = 0; i < values.size(); ++i) {
      if (!values[i].is_null()) out.push_back({all_names_[i], values[i]});
    }
    return outcome;
  }
  void set_reference(WallTime now) noexcept override { time_.reference = now; }
  bool leads(std::string_view line) const noexcept override {
    if (!time_first_) return true;
    if (time_in_brackets_) {
      if (line.empty() || line.front() != '[') return false;
      line.remove_prefix(1);
    }
    if (line.empty() || is_blank(line.front())) return false;
    return format_.time_format.empty()
               ? parse_any_time(line, time_).has_value()
               : parse_time_prefix(line, format_.time_format, time_).has_value();
  }

 private:
  // Whether every match begins with the time stamp, perhaps in brackets.
  void look_at_beginning() noexcept {
    std::string_view rest = format_.pattern;
    if (!rest.starts_with('^')) return;
    rest.remove_prefix(1);
    time_in_brackets_ = rest.starts_with("\\[");
    if (time_in_brackets_) rest.remove_prefix(2);
    for (const std::string_view group : {"(?P<ts>", "(?P<time>", "(?<ts>", "(?<time>"}) {
      time_first_ = time_first_ || rest.starts_with(group);
    }
  }

  size_t group_of(std::string_view name) const noexcept {
    for (size_t i = 0; i < names_.size(); ++i) {
      if (names_[i] == name) return i + 1;
    }
    return 0;
  }

  Value group_value(size_t group, bool is_level) const noexcept {
    const re2::StringPiece& piece = groups_[group];
    if (piece.data() == nullptr) return Value::null();
    const std::string_view text(piece.data(), piece.size());
    Level level{};
    if (is_level && parse_level(text, level)) return Value::of_level(level, text);
    return Value::of_text(text);
  }

  bool read_time(WallTime& ts) noexcept {
    if (time_group_ == 0 || groups_[time_group_].data() == nullptr) return false;
    const re2::StringPiece& piece = groups_[time_group_];
    const std::string_view text(piece.data(), piece.size());
    const auto t = format_.time_format.empty()
                       ? cache_.parse(text, time_)
                       : parse_time_format(text, format_.time_format, time_);
    if (t) ts = *t;
    return t.has_value();
  }

  void list_groups() {
    all_names_ = {"ts", "level", "message"};
    std::vector<std::string> names;
    capture_only(
        format_.pattern, [](std::string_view) { return true; }, names);
    for (const std::string& name : names) {
      if (std::find(all_names_.begin(), all_names_.end(), name) == all_names_.end()) {
        all_names_.push_back(name);
      }
    }
    all_ = std::make_unique<RegexParser>(format_, all_names_, time_);
  }

  FormatSpec format_;
  std::vector<std::string> wanted_;
  TimeContext time_;
  TimeCache cache_;
  std::unique_ptr<RE2> re_;
  std::vector<std::string> names_;  // of the capturing groups, in order
  std::vector<re2::StringPiece> groups_;
  std::vector<size_t> slots_;  // group of each wanted field; 0: none
  size_t time_group_ = 0;
  bool time_first_ = false;
  bool time_in_brackets_ = false;
  std::vector<std::string> all_names_;
  std::unique_ptr<LineParser> all_;
};

}  // namespace

Result<std::unique_ptr<LineParser>> make_regex(const FormatSpec& format, Wanted wanted,
                                               const TimeContext& time) {
  const auto bad = [&](const std::string& why) {
    return Error{Errc::invalid_argument,
                 "log format regex \"" + format.pattern.substr(0, 200) + "\": " + why};
  };
  if (format.pattern.empty()) return bad("is empty; give `pattern` with (?P<name>...) groups");
  if (format.pattern.size() > kMaxPattern) return bad("is longer than 16 KiB");
  NINES_CHECK(check_time_format(format.time_format));
  std::vector<std::string> names;
  const std::string all = capture_only(
      format.pattern, [](std::string_view) { return true; }, names);
  const RE2 check(all, options());
  if (!check.ok()) return bad(check.error());
  if (names.empty()) return bad("has no named group; name fields as in (?P<status>\\d+)");
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) return bad("has two groups named \"" + *twice + "\"");
  auto parser = std::make_unique<RegexParser>(format, wanted, time);
  if (!parser->ok()) return bad("needs more than 512 KiB of automaton; simplify it");
  return std::unique_ptr<LineParser>(std::move(parser));
}

}  // namespace nines::log
