// logfmt: key=value pairs parted by blanks, values quoted where they hold blanks. A key alone is
// true. Values are text (expressions coerce). The first token must be a pair, or the line is not
// logfmt. The first of duplicate keys wins; names and aliases as in JSON, without nesting.
#include "log/logfmt.hpp"

#include <deque>

#include "log/json_scan.hpp"
#include "log/parsers.hpp"

namespace nines::log {
namespace {

constexpr std::string_view kKnown[] = {"ts", "level", "message", "request_id", "service"};
constexpr size_t kMaxListed = 256;

class LogfmtParser final : public LineParser {
 public:
  LogfmtParser(Wanted wanted, const TimeContext& time)
      : tree_(wanted, false, time.wanted),
        collector_(tree_),
        scratch_(kScratchBytes),
        time_(time),
        wanted_count_(wanted.size()) {}

  ParseOutcome parse(std::string_view line, ParsedRecord& out) noexcept override {
    out.has_ts = false;
    scratch_.reset();
    collector_.reset();
    const std::string_view body = trim_left(trim_right(line));
    ParseOutcome outcome = ParseOutcome::empty;
    if (!body.empty()) outcome = scan(body) ? ParseOutcome::ok : ParseOutcome::no_match;
    const bool matched = outcome == ParseOutcome::ok;
    if (matched && time_.wanted) {
      out.has_ts = read_time(out.ts);
      if (!out.has_ts) outcome = ParseOutcome::bad_time;
    }
    for (size_t i = 0; i < wanted_count_; ++i) {
      const size_t group = tree_.group_of(i);
      if (tree_.groups()[group] == GroupKind::raw) {
        out.fields[i] = Value::of_text(line);
      } else {
        out.fields[i] = matched ? value_of(group, out) : Value::null();
      }
    }
    return outcome;
  }

  ParseOutcome parse_all(std::string_view line, WallTime& ts, bool& has_ts,
                         std::vector<NamedValue>& out) override {
    out.clear();
    texts_.clear();
    has_ts = false;
    if (!known_) {
      const std::vector<std::string> names(std::begin(kKnown), std::end(kKnown));
      known_ = make_logfmt(names, time_);
    }
    known_->set_reference(time_.reference);
    Value values[std::size(kKnown)];
    ParsedRecord record{{}, false, values};
    const ParseOutcome outcome = known_->parse(line, record);
    if (outcome == ParseOutcome::no_match || outcome == ParseOutcome::empty) return outcome;
    ts = record.ts;
    has_ts = record.has_ts;
    for (size_t i = 0; i < std::size(kKnown); ++i) {
      if (!values[i].is_null()) out.push_back({kKnown[i], values[i]});
    }
    const bool sound = list(trim_left(trim_right(line)), out);
    return sound ? outcome : ParseOutcome::no_match;
  }
  void set_reference(WallTime now) noexcept override { time_.reference = now; }

 private:
  bool scan(std::string_view body) noexcept {
    const char* p = body.data();
    const char* const end = p + body.size();
    LogfmtPair pair;
    for (bool first = true; p != end; first = false) {
      if (!next_logfmt_pair(p, end, pair) || (first && !pair.has_value)) return false;
      if (const KeyTree::Key* key = tree_.root().find(pair.key)) {
        // A key alone has no text of its own: told by its place, behind the key.
        collector_.offer(*key, pair.has_value ? pair.value : kFlag);
        if (collector_.complete()) return true;
      }
    }
    return true;
  }

  bool read_time(WallTime& ts) noexcept {
    const RawValue* raw = collector_.get(tree_.time_group());
    if (raw == nullptr || raw->escaped) return false;
    const auto t = cache_.parse(raw->text, time_);
    if (t) ts = *t;
    return t.has_value();
  }

  Value value_of(size_t group, const ParsedRecord& record) noexcept {
    const GroupKind kind = tree_.groups()[group];
    if (kind == GroupKind::time) {
      return record.has_ts ? Value::of_time(record.ts.ns) : Value::null();
    }
    const RawValue* raw = collector_.get(group);
    if (raw == nullptr) return Value::null();
    if (raw->text.data() == kFlag.text.data()) return Value::of_bool(true);
    Value value = Value::of_text(raw->text);
    if (raw->escaped) {
      value.text = scratch_.commit(unescape_json(raw->text, scratch_.begin(), scratch_.room()));
    }
    Level level{};
    if (kind == GroupKind::level && parse_level(value.text, level)) {
      return Value::of_level(level, value.text);
    }
    return value;
  }

  bool list(std::string_view body, std::vector<NamedValue>& out) {
    const char* p = body.data();
    const char* const end = p + body.size();
    LogfmtPair pair;
    while (p != end) {
      if (!next_logfmt_pair(p, end, pair)) return false;
      bool seen = out.size() >= kMaxListed || group_kind(pair.key) != GroupKind::plain;
      for (const NamedValue& entry : out) seen = seen || entry.name == pair.key;
      if (seen) continue;
      Value value = pair.has_value ? Value::of_text(pair.value.text) : Value::of_bool(true);
      if (pair.has_value && pair.value.escaped) {
        std::string& text = texts_.emplace_back(pair.value.text.size(), '\0');
        text.resize(unescape_json(pair.value.text, text.data(), text.size()));
        value.text = text;
      }
      out.push_back({pair.key, value});
    }
    return true;
  }

  static constexpr RawValue kFlag{RawValue::Kind::literal, false, "true"};

  KeyTree tree_;
  Collector collector_;
  Scratch scratch_;
  TimeCache cache_;
  TimeContext time_;
  size_t wanted_count_;
  std::deque<std::string> texts_;
  std::unique_ptr<LineParser> known_;
};

}  // namespace

bool next_logfmt_pair(const char*& p, const char* end, LogfmtPair& out) noexcept {
  const char* key = p;
  while (p != end && *p != '=' && !is_blank(*p) && *p != '"') ++p;
  if (p == key || (p != end && *p == '"')) return false;
  out.key = between(key, p);
  out.has_value = p != end && *p == '=';
  out.value = {};
  if (out.has_value) {
    ++p;
    if (p != end && *p == '"') {
      out.value.kind = RawValue::Kind::string;
      const char* close = string_end(p + 1, end, out.value.escaped);
      if (close == nullptr) return false;
      out.value.text = between(p + 1, close);
      p = close + 1;
      if (p != end && !is_blank(*p)) return false;
    } else {
      const char* begin = p;
      while (p != end && !is_blank(*p)) ++p;
      out.value.text = between(begin, p);
    }
  }
  p = skip_blanks(p, end);
  return true;
}

std::unique_ptr<LineParser> make_logfmt(Wanted wanted, const TimeContext& time) {
  return std::make_unique<LogfmtParser>(wanted, time);
}

}  // namespace nines::log
