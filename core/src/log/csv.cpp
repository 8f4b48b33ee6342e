// Values in columns (RFC 4180) that a header line names: ",ts,status,path" in FormatSpec.pattern is
// the delimiter and that line. Only the cells of wanted columns are looked at; the others are
// counted, since a line with another number of columns is no record of this file.
//
// A cell is quoted when it begins with a quote; quotes within are doubled; delimiters and line ends
// within belong to it. An empty cell without quotes is null. Cells without quotes that are numbers
// are numbers, except those with leading zeros (they are names: "007"). Columns go by their exact
// name before the same name in other case, and known fields by their aliases in order. Where one
// column is the date and another the time of day, `ts` is both. The first of equal names wins.
#include <algorithm>
#include <cstring>

#include "log/csv_line.hpp"
#include "log/key_tree.hpp"
#include "log/key_values.hpp"
#include "log/number.hpp"
#include "log/parsers.hpp"

namespace nines::log {
namespace {

constexpr std::string_view kKnown[] = {"ts", "level", "message", "request_id", "service"};
constexpr std::string_view kBom = "\xEF\xBB\xBF";

std::string_view without_bom(std::string_view line) noexcept {
  return line.starts_with(kBom) ? line.substr(kBom.size()) : line;
}

std::string_view without_line_end(std::string_view line) noexcept {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  return line;
}

bool same_word(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

// Doubled quotes to single ones; what does not fit is cut.
size_t undouble(std::string_view text, char* out, size_t room) noexcept {
  size_t n = 0;
  for (size_t i = 0; i < text.size() && n < room; ++i) {
    out[n++] = text[i];
    if (text[i] == '"') ++i;
  }
  return n;
}

class CsvParser final : public LineParser {
 public:
  CsvParser(const FormatSpec& format, std::vector<std::string> names, Wanted wanted,
            const TimeContext& time)
      : format_(format),
        delimiter_(format.pattern.front()),
        header_(without_bom(without_line_end(std::string_view(format_.pattern).substr(1)))),
        names_(std::move(names)),
        cell_of_(names_.size(), kNone),
        scratch_(kScratchBytes),
        time_(time) {
    for (const std::string& field : wanted) wanted_.push_back(slot_of(field));
    time_cell_ = cell(column_of("ts"));
    find_split_time();
    cells_.resize(cell_count_);
  }

  ParseOutcome parse(std::string_view line, ParsedRecord& out) noexcept override {
    out.has_ts = false;
    scratch_.reset();
    const ParseOutcome outcome = parse_line(line, out);
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
    if (!lister_) make_lister();
    lister_->set_reference(time_.reference);
    std::vector<Value> values(listed_.size());
    ParsedRecord record{{}, false, values};
    const ParseOutcome outcome = lister_->parse(line, record);
    ts = record.ts;
    has_ts = record.has_ts;
    out.clear();
    for (size_t i = 0; i < values.size(); ++i) {
      if (!values[i].is_null()) out.push_back({listed_[i], values[i]});
    }
    return outcome;
  }
  void set_reference(WallTime now) noexcept override { time_.reference = now; }

  bool open(std::string_view record) const noexcept override {
    if (record.find('"') == std::string_view::npos) return false;
    CsvCell cell;
    CsvStep step = CsvStep::more;
    for (size_t n = 0; step == CsvStep::more && n < names_.size(); ++n) {
      step = next_csv_cell(record, delimiter_, cell);
    }
    return step == CsvStep::open;
  }

 private:
  static constexpr size_t kNone = SIZE_MAX;
  struct Slot {
    GroupKind kind = GroupKind::plain;
    size_t cell = kNone;
  };

  size_t column_of(std::string_view field) const noexcept {
    const std::string_view own[] = {field};
    const auto aliases = aliases_of(field);
    const std::span<const std::string_view> spellings =
        aliases.empty() ? std::span<const std::string_view>(own) : aliases;
    for (const bool exact : {true, false}) {
      for (const std::string_view spelling : spellings) {
        for (size_t i = 0; i < names_.size(); ++i) {
          if (exact ? names_[i] == spelling : same_word(names_[i], spelling)) return i;
        }
      }
    }
    return kNone;
  }
  // Where the cells of that column are kept, from now on.
  size_t cell(size_t column) noexcept {
    if (column == kNone) return kNone;
    if (cell_of_[column] == kNone) cell_of_[column] = cell_count_++;
    return cell_of_[column];
  }
  Slot slot_of(const std::string& field) {
    const GroupKind kind = group_kind(field);
    if (kind == GroupKind::raw || kind == GroupKind::time) return {kind, kNone};
    return {kind, cell(column_of(field))};
  }
  void find_split_time() {
    size_t date = kNone;
    size_t clock = kNone;
    for (size_t i = names_.size(); i-- > 0;) {
      if (same_word(names_[i], "date")) date = i;
      if (same_word(names_[i], "time")) clock = i;
    }
    const size_t ts = column_of("ts");
    if (date == kNone || clock == kNone || (ts != date && ts != clock)) return;
    date_cell_ = cell(date);
    clock_cell_ = cell(clock);
  }

  ParseOutcome parse_line(std::string_view line, ParsedRecord& out) noexcept {
    line = without_bom(without_line_end(line));
    if (trim_left(line).empty() || line == header_) return ParseOutcome::empty;
    if (!split(line)) return ParseOutcome::no_match;
    out.has_ts = read_time(out.ts);
    return out.has_ts ? ParseOutcome::ok : ParseOutcome::bad_time;
  }

  bool split(std::string_view line) noexcept {
    CsvCell cell;
    for (size_t column = 0; column < names_.size(); ++column) {
      const CsvStep step = next_csv_cell(line, delimiter_, cell);
      if (cell_of_[column] != kNone) cells_[cell_of_[column]] = cell;
      if (step == CsvStep::more && column + 1 < names_.size()) continue;
      return step == CsvStep::last && column + 1 == names_.size();
    }
    return false;
  }

  bool read_time(WallTime& ts) noexcept {
    std::optional<WallTime> t;
    if (date_cell_ != kNone) {
      const std::string_view date = cells_[date_cell_].text;
      const std::string_view clock = cells_[clock_cell_].text;
      char both[64];
      if (!date.empty() && date.size() + clock.size() < sizeof both) {
        std::memcpy(both, date.data(), date.size());
        both[date.size()] = ' ';
        std::copy(clock.begin(), clock.end(), both + date.size() + 1);
        t = cache_.parse({both, date.size() + 1 + clock.size()}, time_);
      }
    }
    if (!t && time_cell_ != kNone) t = cache_.parse(cells_[time_cell_].text, time_);
    if (t) ts = *t;
    return t.has_value();
  }

  Value value_of(const Slot& slot, const ParsedRecord& record) noexcept {
    if (slot.kind == GroupKind::time) {
      return record.has_ts ? Value::of_time(record.ts.ns) : Value::null();
    }
    if (slot.cell == kNone) return Value::null();
    const CsvCell& cell = cells_[slot.cell];
    if (cell.text.empty() && !cell.quoted) return Value::null();
    std::string_view text = cell.text;
    if (cell.doubled) text = scratch_.commit(undouble(text, scratch_.begin(), scratch_.room()));
    Level level{};
    if (slot.kind == GroupKind::level && parse_level(text, level)) {
      return Value::of_level(level, text);
    }
    return cell.quoted ? Value::of_text(text) : plain_value(text);
  }

  static Value plain_value(std::string_view text) noexcept {
    const size_t first = text.front() == '-' ? 1 : 0;
    const bool named = text.size() > first + 1 && text[first] == '0' && is_digit(text[first + 1]);
    return named ? Value::of_text(text) : number_value(text);
  }

  void make_lister() {
    for (const std::string_view known : kKnown) listed_.emplace_back(known);
    for (const std::string& name : names_) {
      const bool seen = std::find(listed_.begin(), listed_.end(), name) != listed_.end();
      if (!seen && !name.empty() && group_kind(name) == GroupKind::plain) listed_.push_back(name);
    }
    lister_ = std::make_unique<CsvParser>(format_, names_, listed_, time_);
  }

  FormatSpec format_;
  char delimiter_;
  std::string header_;
  std::vector<std::string> names_;
  std::vector<size_t> cell_of_;  // by column; kNone: nobody wants it
  size_t cell_count_ = 0;
  std::vector<CsvCell> cells_;
  std::vector<Slot> wanted_;
  size_t time_cell_ = kNone, date_cell_ = kNone, clock_cell_ = kNone;
  Scratch scratch_;
  TimeCache cache_;
  TimeContext time_;
  std::vector<std::string> listed_;
  std::unique_ptr<CsvParser> lister_;
};

std::string_view trimmed(std::string_view text) noexcept { return trim_left(trim_right(text)); }

// A column's name: letters, digits and what goes with them. Log text has other things as well.
bool is_column_name(std::string_view name) noexcept {
  bool letters = false;
  for (const char c : name) {
    const bool other_script = static_cast<unsigned char>(c) >= 0x80;
    letters = letters || is_alpha(c) || other_script;
    if (!is_alnum(c) && !other_script &&
        std::string_view("_-. @#%/()$:").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return letters && name.size() <= 64 && std::count(name.begin(), name.end(), ' ') <= 3;
}

}  // namespace

CsvStep next_csv_cell(std::string_view& rest, char delimiter, CsvCell& out) noexcept {
  out = CsvCell{};
  const char* p = rest.data();
  const char* const end = p + rest.size();
  const char* stop = p;
  if (p != end && *p == '"') {
    out.quoted = true;
    const char* const begin = ++p;
    for (;; p += 2, out.doubled = true) {
      p = find_byte(p, end, '"');
      if (p == end) return CsvStep::open;
      if (end - p < 2 || p[1] != '"') break;
    }
    out.text = between(begin, p);
    stop = p + 1;
    if (stop != end && *stop != delimiter) return CsvStep::broken;
  } else {
    stop = find_byte(p, end, delimiter);
    out.text = between(p, stop);
  }
  if (stop == end) {
    rest = {};
    return CsvStep::last;
  }
  rest = between(stop + 1, end);
  return CsvStep::more;
}

size_t csv_columns(std::string_view line, char delimiter) noexcept {
  CsvCell cell;
  line = without_bom(without_line_end(line));
  for (size_t n = 1; n <= kMaxCsvColumns; ++n) {
    const CsvStep step = next_csv_cell(line, delimiter, cell);
    if (step != CsvStep::more) return step == CsvStep::last ? n : 0;
  }
  return 0;
}

bool csv_names(std::string_view header, char delimiter, std::vector<std::string>& out) {
  out.clear();
  header = without_bom(without_line_end(header));
  for (CsvStep step = CsvStep::more; step == CsvStep::more;) {
    CsvCell cell;
    step = next_csv_cell(header, delimiter, cell);
    if (step == CsvStep::open || step == CsvStep::broken || out.size() == kMaxCsvColumns) {
      return false;
    }
    std::string name(trimmed(cell.text));
    if (cell.doubled) name.resize(undouble(std::string(name), name.data(), name.size()));
    out.push_back(std::move(name));
  }
  return true;
}

char csv_delimiter(std::string_view header) {
  std::vector<std::string> names;
  char best = '\0';
  size_t most = 2;
  for (const char delimiter : {'\t', ',', ';', '|'}) {
    if (!csv_names(header, delimiter, names) || names.size() <= most) continue;
    std::vector<std::string> sorted = names;
    std::sort(sorted.begin(), sorted.end());
    const bool distinct = std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
    if (!distinct || !std::all_of(names.begin(), names.end(), is_column_name)) continue;
    best = delimiter;
    most = names.size();
  }
  return best;
}

std::optional<FormatSpec> csv_header(std::string_view line) {
  line = without_bom(without_line_end(line));
  const char delimiter = csv_delimiter(line);
  if (delimiter == '\0') return std::nullopt;
  return FormatSpec{FormatKind::csv, std::string(1, delimiter).append(line), {}};
}

Result<std::unique_ptr<LineParser>> make_csv(const FormatSpec& format, Wanted wanted,
                                             const TimeContext& time) {
  const std::string_view pattern = format.pattern;
  if (pattern.empty() || kCsvDelimiters.find(pattern.front()) == std::string_view::npos) {
    return Error{Errc::invalid_argument,
                 "csv needs its delimiter (comma, semicolon, tab or bar) and the header line "
                 "behind it, such as \",ts,level,message\"; this is \"" +
                     std::string(pattern.substr(0, 80)) + "\""};
  }
  std::vector<std::string> names;
  if (!csv_names(pattern.substr(1), pattern.front(), names) || names.size() < 2) {
    return Error{Errc::invalid_argument, "csv: \"" + std::string(pattern.substr(1, 80)) +
                                             "\" does not name two columns or more"};
  }
  return std::unique_ptr<LineParser>(
      std::make_unique<CsvParser>(format, std::move(names), wanted, time));
}

}  // namespace nines::log
