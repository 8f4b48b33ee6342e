// One entry of the journal export format as a record.
//
// ts is _SOURCE_REALTIME_TIMESTAMP (when the program logged), else __REALTIME_TIMESTAMP (when the
// journal got it). Known fields take the first source of theirs that the entry has; every other
// field goes by its own name, in lower case as well. A field that an entry has several times (the
// journal allows it) is the first of them. Values are texts of any bytes; expressions coerce.
#include <algorithm>

#include "log/key_tree.hpp"
#include "log/parsers.hpp"
#include "log/scan.hpp"
#include "log/time_scan.hpp"
#include "nines/log/journal_export.hpp"

namespace nines::log {
namespace {

constexpr size_t kMaxName = 64;  // as the journal's own
constexpr size_t kLengthBytes = 8;
constexpr size_t kMaxSources = 4;
constexpr size_t kMaxListed = 256;

constexpr std::string_view kSourceTime = "_SOURCE_REALTIME_TIMESTAMP";
constexpr std::string_view kJournalTime = "__REALTIME_TIMESTAMP";

struct KnownField {
  std::string_view name;
  std::string_view sources[kMaxSources];
};
// Those of parse_all(), in its order, then further names of the same things.
constexpr KnownField kFields[] = {
    {"level", {"PRIORITY"}},
    {"message", {"MESSAGE"}},
    {"service", {"SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "_COMM"}},
    {"unit", {"_SYSTEMD_UNIT", "UNIT", "_SYSTEMD_USER_UNIT", "USER_UNIT"}},
    {"pid", {"_PID", "SYSLOG_PID"}},
    {"host", {"_HOSTNAME"}},
    {"request_id", {"REQUEST_ID", "TRACE_ID", "CORRELATION_ID"}},
    {"app", {"SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "_COMM"}},
    {"hostname", {"_HOSTNAME"}},
};
constexpr size_t kListed = 7;

bool is_field_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > kMaxName || is_digit(name[0])) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_'; });
}

uint64_t little_endian(const char* p) noexcept {
  uint64_t value = 0;
  for (size_t i = kLengthBytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(p[i]);
  return value;
}

enum class Step : uint8_t { field, garbage, end, cut };
struct JournalField {
  std::string_view name;
  std::string_view value;
};

// What begins at `pos`, which moves behind it. `cut`: the data end before it does.
Step next_field(std::string_view data, size_t& pos, JournalField& out) noexcept {
  const size_t stop = data.find('\n', pos);
  if (stop == std::string_view::npos) return Step::cut;
  const std::string_view line = data.substr(pos, stop - pos);
  const size_t behind = stop + 1;
  if (line.empty()) {
    pos = behind;
    return Step::end;
  }
  const size_t equals = line.find('=');
  out.name = line.substr(0, equals);
  if (equals != std::string_view::npos || !is_field_name(line)) {
    pos = behind;
    if (equals == std::string_view::npos || !is_field_name(out.name)) return Step::garbage;
    out.value = line.substr(equals + 1);
    return Step::field;
  }
  if (data.size() - behind < kLengthBytes) return Step::cut;
  const uint64_t length = little_endian(data.data() + behind);
  const size_t body = behind + kLengthBytes;
  if (length > kMaxJournalField) {
    pos = behind;
    return Step::garbage;
  }
  if (data.size() - body < length + 1) return Step::cut;
  out.value = data.substr(body, static_cast<size_t>(length));
  if (data[body + out.value.size()] != '\n') {
    pos = behind;
    return Step::garbage;
  }
  pos = body + out.value.size() + 1;
  return Step::field;
}

// A record may come without the empty line that ends it, and without its last line end.
class EntryReader {
 public:
  explicit EntryReader(std::string_view entry) : entry_(entry) {}
  // False at the end of the entry, or when it is broken.
  bool next(JournalField& out) noexcept {
    if (pos_ >= entry_.size()) return false;
    Step step = next_field(entry_, pos_, out);
    if (step == Step::cut) step = last_line(out);
    if (step == Step::end) return false;
    broken_ = step != Step::field;
    return !broken_;
  }
  bool broken() const noexcept { return broken_; }

 private:
  Step last_line(JournalField& out) noexcept {
    const std::string_view line = entry_.substr(pos_);
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos || line.find('\n') != std::string_view::npos ||
        !is_field_name(line.substr(0, equals))) {
      return Step::cut;
    }
    out = {line.substr(0, equals), line.substr(equals + 1)};
    pos_ = entry_.size();
    return Step::field;
  }

  std::string_view entry_;
  size_t pos_ = 0;
  bool broken_ = false;
};

// Microseconds since 1970.
std::optional<WallTime> micros(std::string_view text) noexcept {
  if (text.empty() || text.size() > 16) return std::nullopt;
  int64_t us = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    us = us * 10 + (c - '0');
  }
  constexpr int64_t kPerSecond = kNsPerSecond / kNsPerUs;
  return checked_time(us / kPerSecond, us % kPerSecond * kNsPerUs);
}

std::string upper_case(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

const KnownField* known_field(std::string_view name) noexcept {
  for (const KnownField& field : kFields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

class JournalParser final : public LineParser {
 public:
  JournalParser(Wanted wanted, const TimeContext& time) : time_(time) {
    source_time_ = key(kSourceTime);
    journal_time_ = key(kJournalTime);
    for (const std::string& name : wanted) wanted_.push_back(slot_of(name));
    tree_ = std::make_unique<KeyTree>(keys_, false);
    values_.resize(keys_.size());
  }

  ParseOutcome parse(std::string_view line, ParsedRecord& out) noexcept override {
    out.has_ts = false;
    std::fill(values_.begin(), values_.end(), std::string_view());
    const ParseOutcome outcome = parse_entry(line, out);
    const bool matched = outcome == ParseOutcome::ok || outcome == ParseOutcome::bad_time;
    for (size_t i = 0; i < wanted_.size(); ++i) {
      if (wanted_[i].kind == GroupKind::raw) {
        out.fields[i] = Value::of_text(line);
      } else {
        out.fields[i] = matched ? value_of(wanted_[i], out) : Value::null();
      }
    }
    return outcome;
  }

  ParseOutcome parse_all(std::string_view line, WallTime& ts, bool& has_ts,
                         std::vector<NamedValue>& out) override {
    out.clear();
    has_ts = false;
    if (!known_) {
      known_names_ = {"ts"};
      for (size_t i = 0; i < kListed; ++i) known_names_.emplace_back(kFields[i].name);
      known_ = make_journal(known_names_, time_);
    }
    std::vector<Value> values(known_names_.size());
    ParsedRecord record{{}, false, values};
    const ParseOutcome outcome = known_->parse(line, record);
    if (outcome == ParseOutcome::no_match || outcome == ParseOutcome::empty) return outcome;
    ts = record.ts;
    has_ts = record.has_ts;
    for (size_t i = 0; i < values.size(); ++i) {
      if (!values[i].is_null()) out.push_back({known_names_[i], values[i]});
    }
    list(line, out);
    return outcome;
  }
  void set_reference(WallTime now) noexcept override { time_.reference = now; }

 private:
  struct Slot {
    GroupKind kind = GroupKind::plain;
    size_t keys[kMaxSources] = {};  // in values_, the best first
    size_t count = 0;
  };

  size_t key(std::string_view name) {
    const auto found = std::find(keys_.begin(), keys_.end(), name);
    if (found != keys_.end()) return static_cast<size_t>(found - keys_.begin());
    keys_.emplace_back(name);
    return keys_.size() - 1;
  }
  Slot slot_of(const std::string& name) {
    Slot slot;
    slot.kind = group_kind(name);
    if (slot.kind == GroupKind::raw || slot.kind == GroupKind::time) return slot;
    if (const KnownField* known = known_field(name)) {
      for (const std::string_view source : known->sources) {
        if (!source.empty()) slot.keys[slot.count++] = key(source);
      }
    } else {
      slot.keys[slot.count++] = key(upper_case(name));
    }
    return slot;
  }

  ParseOutcome parse_entry(std::string_view entry, ParsedRecord& out) noexcept {
    EntryReader reader(entry);
    JournalField field;
    bool any = false;
    for (; reader.next(field); any = true) {
      const KeyTree::Key* found = tree_->root().find(field.name);
      if (found == nullptr) continue;
      std::string_view& value = values_[found->targets.front().group];
      if (value.data() == nullptr) value = field.value;
    }
    if (reader.broken()) return ParseOutcome::no_match;
    if (!any) return ParseOutcome::empty;
    std::optional<WallTime> ts = micros(values_[source_time_]);
    if (!ts) ts = micros(values_[journal_time_]);
    out.has_ts = ts.has_value();
    if (ts) out.ts = *ts;
    return ts ? ParseOutcome::ok : ParseOutcome::bad_time;
  }

  Value value_of(const Slot& slot, const ParsedRecord& record) const noexcept {
    if (slot.kind == GroupKind::time) {
      return record.has_ts ? Value::of_time(record.ts.ns) : Value::null();
    }
    for (size_t i = 0; i < slot.count; ++i) {
      const std::string_view text = values_[slot.keys[i]];
      if (text.data() == nullptr) continue;
      Level level{};
      if (slot.kind == GroupKind::level && parse_level(text, level)) {
        return Value::of_level(level, text);
      }
      return Value::of_text(text);
    }
    return Value::null();
  }

  // Fields that no known one stands for, by their own names.
  static void list(std::string_view entry, std::vector<NamedValue>& out) {
    EntryReader reader(entry);
    JournalField field;
    while (out.size() < kMaxListed && reader.next(field)) {
      bool told = false;
      for (size_t i = 0; i < kListed; ++i) told = told || kFields[i].sources[0] == field.name;
      for (const NamedValue& entry_value : out) told = told || entry_value.name == field.name;
      if (!told) out.push_back({field.name, Value::of_text(field.value)});
    }
  }

  TimeContext time_;
  std::vector<std::string> keys_;  // names of the journal that somebody wants
  std::vector<Slot> wanted_;
  size_t source_time_ = 0, journal_time_ = 0;
  std::unique_ptr<KeyTree> tree_;  // groups are the indices of keys_
  std::vector<std::string_view> values_;
  std::vector<std::string> known_names_;
  std::unique_ptr<LineParser> known_;
};

}  // namespace

size_t journal_entry_length(std::string_view data) noexcept {
  size_t pos = 0;
  JournalField field;
  for (;;) {
    const Step step = next_field(data, pos, field);
    if (step == Step::cut) return 0;
    if (step == Step::end) return pos;
  }
}

std::string_view journal_cursor(std::string_view entry) noexcept {
  EntryReader reader(entry);
  JournalField field;
  while (reader.next(field)) {
    if (field.name == "__CURSOR") return field.value;
  }
  return {};
}

std::unique_ptr<LineParser> make_journal(Wanted wanted, const TimeContext& time) {
  return std::make_unique<JournalParser>(wanted, time);
}

}  // namespace nines::log
