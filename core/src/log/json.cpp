// JSON lines: one object a line. A depth-aware key scanner finds the wanted keys and steps over the
// rest; nothing is built. What it does not step on it does not check, except that the line ends
// with the object's brace: a cut line is no_match even when everything wanted was before the cut.
//
// The first of duplicate keys wins. Arrays and objects as values are their text. Nested fields are
// a.b; a literal key "a.b" is the same field. Known fields take the exact name before an alias,
// and an alias before those behind it in key_tree.cpp.
#include <algorithm>
#include <deque>

#include "log/json_quick.hpp"
#include "log/json_scan.hpp"
#include "log/key_order.hpp"
#include "log/number.hpp"
#include "log/parsers.hpp"

namespace nines::log {
namespace {

// Objects deeper than this are listed as text by parse_all().
constexpr int kMaxListedDepth = 32;
// Fields that parse_all() lists of one line; the rest of a monster stays in `raw`.
constexpr size_t kMaxListed = 256;

Value literal_value(std::string_view text) noexcept {
  const char c = text.front();
  if (is_digit(c) || c == '-') return number_value(text);
  if (text == "true") return Value::of_bool(true);
  if (text == "false") return Value::of_bool(false);
  if (text == "null") return Value::null();
  return Value::of_text(text);
}

class JsonParser final : public LineParser {
 public:
  JsonParser(Wanted wanted, const TimeContext& time)
      : tree_(wanted, true, time.wanted),
        order_(tree_),
        quick_(tree_),
        collector_(tree_),
        scratch_(kScratchBytes),
        time_(time) {
    for (size_t i = 0; i < wanted.size(); ++i) {
      const size_t group = tree_.group_of(i);
      fields_.push_back({group, tree_.groups()[group]});
    }
  }

  ParseOutcome parse(std::string_view line, ParsedRecord& out) noexcept override {
    const std::string_view whole = line;
    out.has_ts = false;
    scratch_.reset();
    collector_.reset();
    line = trim_left(trim_right(line));
    ParseOutcome outcome = ParseOutcome::empty;
    if (!line.empty()) outcome = read(line) ? ParseOutcome::ok : ParseOutcome::no_match;
    if (outcome == ParseOutcome::ok && time_.wanted) {
      out.has_ts = read_time(out.ts);
      if (!out.has_ts) outcome = ParseOutcome::bad_time;
    }
    const bool matched = outcome == ParseOutcome::ok || outcome == ParseOutcome::bad_time;
    Value* field = out.fields.data();
    for (const Field& wanted : fields_) {
      if (wanted.kind == GroupKind::raw) {
        *field = Value::of_text(whole);
      } else if (matched) {
        give(wanted, whole.data(), out, *field);
      } else {
        *field = Value::null();
      }
      ++field;
    }
    return outcome;
  }

  ParseOutcome parse_all(std::string_view line, WallTime& ts, bool& has_ts,
                         std::vector<NamedValue>& out) override;
  void set_reference(WallTime now) noexcept override { time_.reference = now; }

 private:
  enum class Step : uint8_t { closed, complete, broken };
  struct Field {
    size_t group;
    GroupKind kind;
  };

  // Which way is taken makes no difference: a line that breaks before the last wanted key is good
  // where its keys are certain all the same.
  bool read(std::string_view line) noexcept {
    if (line.size() < 2 || line.front() != '{' || line.back() != '}') return false;
    if (order_.promising()) {
      if (order_.read(line, collector_)) return true;
      collector_.reset();
    }
    const bool tried = quick_.promising();
    if (tried && quick_.find(line, collector_)) return true;
    if (tried) collector_.reset();
    if (scan(line)) return true;
    if (tried || !quick_.usable()) return false;
    collector_.reset();
    return quick_.find(line, collector_);
  }

  bool scan(std::string_view line) noexcept {
    const char* p = line.data() + 1;
    const char* const end = line.data() + line.size();
    switch (scan_object(p, end, tree_.root())) {
      case Step::complete: return true;
      case Step::closed: return p == end;
      default: return false;
    }
  }

  // `p` is behind '{' and moves behind '}'. Recursion is bounded by the dots of the wanted names.
  Step scan_object(const char*& p, const char* end, const KeyTree::Node& node) noexcept {
    p = skip_blanks(p, end);
    if (p != end && *p == '}') {
      ++p;
      return Step::closed;
    }
    for (;;) {
      if (p == end || *p != '"') return Step::broken;
      bool escaped = false;
      const char* close = string_end(p + 1, end, escaped);
      if (close == nullptr) return Step::broken;
      const std::string_view name = between(p + 1, close);
      p = skip_blanks(close + 1, end);
      if (p == end || *p != ':') return Step::broken;
      p = skip_blanks(p + 1, end);
      const KeyTree::Key* key = escaped ? find_escaped(node, name) : node.find(name);
      if (const Step step = scan_member(p, end, key); step != Step::closed) return step;
      p = skip_blanks(p, end);
      if (p == end) return Step::broken;
      if (*p == '}') {
        ++p;
        return Step::closed;
      }
      if (*p != ',') return Step::broken;
      p = skip_blanks(p + 1, end);
    }
  }

  Step scan_member(const char*& p, const char* end, const KeyTree::Key* key) noexcept {
    RawValue value;
    if (key != nullptr && key->child >= 0 && p != end && *p == '{') {
      const char* begin = p++;
      const Step step = scan_object(p, end, tree_.node(key->child));
      if (step != Step::closed) return step;
      value = {RawValue::Kind::container, false, between(begin, p)};
    } else {
      p = scan_value(p, end, value);
      if (p == nullptr) return Step::broken;
    }
    if (key == nullptr) return Step::closed;
    collector_.offer(*key, value);
    return collector_.complete() ? Step::complete : Step::closed;
  }

  static const KeyTree::Key* find_escaped(const KeyTree::Node& node,
                                          std::string_view name) noexcept {
    char plain[kMaxNameBytes + 4];  // what is longer than a name fills it beyond that length
    const size_t size = unescape_json(name, plain, sizeof plain);
    return size > kMaxNameBytes ? nullptr : node.find({plain, size});
  }

  bool read_time(WallTime& ts) noexcept {
    const RawValue* raw = collector_.get(tree_.time_group());
    if (raw == nullptr || raw->kind == RawValue::Kind::container) return false;
    std::string_view text = raw->text;
    char plain[64];
    if (raw->escaped)
      text = {plain, unescape_json(text, plain, sizeof plain)};  // "2026\/11\/21 ..."
    const auto t =
        raw->kind == RawValue::Kind::string ? cache_.parse(text, time_) : parse_epoch(text);
    if (t) ts = *t;
    return t.has_value();
  }

  // Into `to` member by member: a copy of what was just written in smaller pieces would wait for
  // them. `begin`: of the line.
  void give(const Field& field, const char* begin, const ParsedRecord& record, Value& to) noexcept {
    if (field.kind == GroupKind::time) {
      to = record.has_ts ? Value::of_time(record.ts.ns) : Value::null();
      return;
    }
    const RawValue* raw = collector_.get(field.group);
    if (raw == nullptr) {
      to = Value::null();
      return;
    }
    if (int32_t whole = 0; raw->kind == RawValue::Kind::literal) {
      to = few_digits(raw->text, begin, whole) ? Value::of_int(whole) : literal_value(raw->text);
    } else {
      to = Value::of_text(raw->text);
    }
    if (raw->escaped) {
      to.text = scratch_.commit(unescape_json(raw->text, scratch_.begin(), scratch_.room()));
    }
    if (field.kind == GroupKind::level) to = as_level(to, raw->text);
  }

  static Value as_level(Value value, std::string_view raw) noexcept {
    Level level{};
    const bool may_be = value.kind == ValueKind::text || value.kind == ValueKind::number;
    const std::string_view text = value.kind == ValueKind::text ? value.text : raw;
    return may_be && parse_level(text, level) ? Value::of_level(level, text) : value;
  }

  Step list_object(const char*& p, const char* end, const std::string& prefix, int depth,
                   std::vector<NamedValue>& out);
  void list_value(const std::string& path, const RawValue& raw, std::vector<NamedValue>& out);

  KeyTree tree_;
  KeyOrder order_;   // sees tree_
  QuickKeys quick_;  // sees tree_
  Collector collector_;
  Scratch scratch_;
  TimeCache cache_;
  TimeContext time_;
  std::vector<Field> fields_;  // one per wanted field
  // parse_all() only.
  std::deque<std::string> texts_;
  std::vector<std::string> objects_;  // paths whose first value was an object
  std::unique_ptr<LineParser> known_;
};

constexpr std::string_view kKnown[] = {"ts", "level", "message", "request_id", "service"};

bool listed(const std::vector<LineParser::NamedValue>& out, std::string_view name) noexcept {
  for (const auto& entry : out) {
    if (entry.name == name) return true;
  }
  return false;
}

void JsonParser::list_value(const std::string& path, const RawValue& raw,
                            std::vector<NamedValue>& out) {
  // Known fields were listed before, unless what has their name is not what they are.
  if (out.size() >= kMaxListed || path.size() > kMaxNameBytes) return;
  if (group_kind(path) != GroupKind::plain || listed(out, path)) return;
  if (std::find(objects_.begin(), objects_.end(), path) != objects_.end()) return;
  Value value = Value::of_text(raw.text);
  if (raw.kind == RawValue::Kind::literal) value = literal_value(raw.text);
  if (raw.escaped) {
    std::string& text = texts_.emplace_back(raw.text.size(), '\0');
    text.resize(unescape_json(raw.text, text.data(), text.size()));
    value.text = text;
  }
  out.push_back({texts_.emplace_back(path), value});
}

JsonParser::Step JsonParser::list_object(const char*& p, const char* end, const std::string& prefix,
                                         int depth, std::vector<NamedValue>& out) {
  p = skip_blanks(p, end);
  if (p != end && *p == '}') {
    ++p;
    return Step::closed;
  }
  for (;;) {
    RawValue name;
    if (p == end || *p != '"') return Step::broken;
    p = scan_value(p, end, name);
    if (p == nullptr) return Step::broken;
    p = skip_blanks(p, end);
    if (p == end || *p != ':') return Step::broken;
    p = skip_blanks(p + 1, end);
    std::string path(name.text);
    path.resize(name.escaped ? unescape_json(name.text, path.data(), path.size()) : path.size());
    path.insert(0, prefix);
    RawValue value;
    const char* const begin = p;
    p = scan_value(p, end, value);
    if (p == nullptr) return Step::broken;
    const bool object = *begin == '{' && *skip_blanks(begin + 1, end) != '}';
    if (object && depth < kMaxListedDepth && path.size() <= kMaxNameBytes) {
      if (objects_.size() < kMaxListed && !listed(out, path)) objects_.push_back(path);
      const char* inner = begin + 1;
      const Step step = list_object(inner, end, path + ".", depth + 1, out);
      // Stepping in and stepping over must agree, or it is no JSON ({"a":x"}"}).
      if (step != Step::closed || inner != p) return Step::broken;
    } else {
      list_value(path, value, out);
    }
    p = skip_blanks(p, end);
    if (p == end || (*p != ',' && *p != '}')) return Step::broken;
    if (*p++ == '}') return Step::closed;
    p = skip_blanks(p, end);
  }
}

ParseOutcome JsonParser::parse_all(std::string_view line, WallTime& ts, bool& has_ts,
                                   std::vector<NamedValue>& out) {
  out.clear();
  texts_.clear();
  objects_.clear();
  has_ts = false;
  const std::vector<std::string> names(std::begin(kKnown), std::end(kKnown));
  if (!known_) known_ = make_json(names, time_);
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
  const std::string_view body = trim_left(trim_right(line));
  const char* p = body.data() + 1;
  const char* const end = body.data() + body.size();
  const bool closed = list_object(p, end, "", 0, out) == Step::closed && p == end;
  return closed ? outcome : ParseOutcome::no_match;
}

}  // namespace

std::unique_ptr<LineParser> make_json(Wanted wanted, const TimeContext& time) {
  return std::make_unique<JsonParser>(wanted, time);
}

}  // namespace nines::log
