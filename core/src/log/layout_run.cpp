// A program runs once over the line from left to right without ever going back, so that a line
// costs no more than its length whatever stands in it. All literals are checked, wanted or not:
// whether a line matches does not depend on what someone asks of it.
#include "log/layout_run.hpp"

#include <algorithm>

#include "log/access.hpp"
#include "log/layout_time.hpp"
#include "log/layout_values.hpp"
#include "log/scan.hpp"

namespace nines::log {
namespace {

// The names a value gives besides its own.
std::span<const std::string_view> derived_names(Conv conv) noexcept {
  static constexpr std::string_view kRequest[] = {"method", "path", "protocol"};
  static constexpr std::string_view kAddress[] = {"remote_port"};
  static constexpr std::string_view kPgMessage[] = {"duration_ms"};
  static constexpr std::string_view kPgSeverity[] = {"severity"};
  switch (conv) {
    case Conv::request: return kRequest;
    case Conv::address: return kAddress;
    case Conv::pg_message: return kPgMessage;
    case Conv::pg_severity: return kPgSeverity;
    default: return {};
  }
}
constexpr size_t kMaxDerived = 3;

enum Flag : uint16_t {
  kPadLeft = 1,
  kTrim = 2,
  kEscapes = 4,
  kList = 8,
  kFirm = 16,
  kStrict = 32,
  kSoft = 64,
  kExactTail = 128,  // of the literal
  kKeepLiteral = 256,
  kActive = 512,  // someone wants the value
  kStore = 1024,  // store() has to be called for it, whatever the op
};

// How a step is run. All but `general` have literals of at most eight bytes and no flag that asks
// for more than `escapes`.
enum class Op : uint8_t { general, until, number, clf };

// One step bound to the wanted fields; in the order of use on the hot path.
struct BoundStep {
  // The first eight bytes of the literal and which of them count.
  uint64_t word;
  uint64_t mask;
  char wide_first[16];  // its first character, as vectors want it
  const char* literal;
  uint32_t literal_size;
  char first;  // of the literal
  Op op;
  Take take;
  Conv conv;
  uint16_t flags;
  int16_t slot = -1;     // -1: not wanted
  int16_t derived = -1;  // index of the first derived slot, -1: none is wanted
  uint16_t width;
  const Step* step;
};

struct Bound {
  const Program* program;
  std::vector<BoundStep> steps;
  size_t strict_steps = 0;  // leads(): so many first steps show that a record begins
  bool one_line = true;
  std::vector<std::pair<size_t, size_t>> copies;  // slots of values that were asked for twice
};

// The places of one program's names among the wanted fields. The first field of a name is the one.
struct Slots {
  Wanted wanted;
  std::vector<std::pair<size_t, size_t>>& copies;
  std::vector<std::string_view> seen;

  // The first slot that asks for one of `names`; further ones become copies of it.
  int16_t take(std::initializer_list<std::string_view> names) {
    int16_t slot = -1;
    for (const std::string_view name : names) {
      if (name.empty() || std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
      seen.push_back(name);
      for (size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i] != name) continue;
        if (slot < 0) {
          slot = static_cast<int16_t>(i);
        } else {
          copies.emplace_back(static_cast<size_t>(slot), i);
        }
      }
    }
    return slot;
  }
};

bool is_space(char c) noexcept { return c == ' ' || c == '\t'; }

// `p` is moved behind the literal. In soft mode a blank stands for one or more; those at the end
// of a line may be missing.
bool match_soft(const char*& p, const char* end, const char* literal, size_t size,
                bool exact_tail) noexcept {
  const char* at = p;
  for (size_t i = 0; i < size; ++i) {
    if (!is_space(literal[i])) {
      if (at == end || *at != literal[i]) return false;
      ++at;
      continue;
    }
    while (i + 1 < size && is_space(literal[i + 1])) ++i;
    if (at != end && !is_space(*at)) return false;
    if (exact_tail && i + 1 == size) {
      at += at != end;
    } else {
      while (at != end && is_space(*at)) ++at;
    }
  }
  p = at;
  return true;
}

// For literals of at most eight bytes, soft ones excepted.
inline bool match_short(const BoundStep& s, const char* p, const char* end) noexcept {
  if (end - p >= 8) return ((load8(p) ^ s.word) & s.mask) == 0;
  if (static_cast<size_t>(end - p) < s.literal_size) return false;
  for (uint32_t i = 0; i < s.literal_size; ++i) {
    if (p[i] != s.literal[i]) return false;
  }
  return true;
}

bool match_literal(const BoundStep& s, const char*& p, const char* end) noexcept {
  if ((s.flags & kSoft) != 0) {
    return match_soft(p, end, s.literal, s.literal_size, (s.flags & kExactTail) != 0);
  }
  if (static_cast<size_t>(end - p) < s.literal_size) return false;
  for (uint32_t i = 0; i < s.literal_size; ++i) {
    if (p[i] != s.literal[i]) return false;
  }
  p += s.literal_size;
  return true;
}

// Values are short: a call of memchr costs more than a few looks at sixteen bytes.
inline const char* find_first(const BoundStep& s, const char* p, const char* end) noexcept {
#ifdef NINES_BYTES16
  const Bytes16 first = Bytes16::load(s.wide_first);
  constexpr ptrdiff_t kNear = 128;
  for (ptrdiff_t left = std::min(end - p, kNear) - 16; left >= 0; left -= 16, p += 16) {
    const unsigned at = Bytes16::load(p).eq(first).first();
    if (at < 16) return p + at;
  }
#endif
  return find_byte(p, end, s.first);
}

bool escaped(const char* begin, const char* quote) noexcept {
  const char* slash = quote;
  while (slash != begin && slash[-1] == '\\') --slash;
  return (quote - slash) % 2 != 0;
}

// "a, b" and "a : b" are one value of nginx' upstream variables.
bool goes_on(const char* begin, const char* blank, const char* end) noexcept {
  return (blank != begin && (blank[-1] == ',' || blank[-1] == ':')) ||
         (end - blank > 2 && blank[1] == ':' && blank[2] == ' ');
}

// What nearly all steps of access logs are; nullptr: not found. Returns where the value ends.
inline const char* quick_until(const BoundStep& s, const char* p, const char* end) noexcept {
  for (const char* hit = p;; ++hit) {
    hit = find_first(s, hit, end);
    if (hit == end) return nullptr;
    if (!match_short(s, hit, end)) continue;
    if ((s.flags & kEscapes) != 0 && hit != p && hit[-1] == '\\' && escaped(p, hit)) continue;
    return hit;
  }
}

bool take_until(const BoundStep& s, const char*& p, const char* end, const char*& stop) noexcept {
  if (s.literal_size == 0) {
    stop = p = end;
    return true;
  }
  const bool blank = (s.flags & kSoft) != 0 && is_space(s.first);
  for (const char* hit = p;; ++hit) {
    hit = find_first(s, hit, end);
    // A soft literal of blanks matches the end of the line.
    if (hit == end && !blank) return false;
    const bool part = ((s.flags & kEscapes) != 0 && escaped(p, hit)) ||
                      ((s.flags & kList) != 0 && hit != end && goes_on(p, hit, end));
    if (!part) {
      const char* next = hit;
      if (match_literal(s, next, end)) {
        stop = hit;
        p = (s.flags & kKeepLiteral) != 0 ? hit : next;
        return true;
      }
      if ((s.flags & kFirm) != 0) return false;
    }
    if (hit == end) return false;
    // The rest of a run of blanks would fail the same way, at the same cost.
    while (blank && hit + 1 != end && is_space(hit[1])) ++hit;
  }
}

// The last place of the literal in the first line: `%m (%c)`.
bool take_last(const BoundStep& s, const char*& p, const char* end, const char*& stop) noexcept {
  const char* const eol = find_byte(p, end, '\n');
  const bool blank = (s.flags & kSoft) != 0 && is_space(s.literal[0]);
  for (const char* at = eol; at != p;) {
    --at;
    const char* next = at;
    if (*at != s.literal[0] || (blank && at != p && is_space(at[-1]))) continue;
    if (match_literal(s, next, eol)) {
      stop = at;
      p = next;
      return true;
    }
  }
  return false;
}

const char* behind_number(const char* p, const char* end) noexcept {
  if (p != end && (*p == '-' || *p == '+')) ++p;
  while (p != end && (is_digit(*p) || *p == '.')) ++p;
  return p;
}

// What the first steps need besides the line; leads() has no cache to change.
struct Times {
  PrefixTimes* cache;
  const TimeContext& context;
};

bool take_time(const BoundStep& s, const char*& p, const char* end, const char*& stop,
               const Times& times, WallTime& ts) noexcept {
  const std::string_view text = between(p, end);
  const TimeShape& shape = s.step->time;
  const auto t = times.cache != nullptr ? times.cache->parse(text, shape, times.context)
                                        : PrefixTimes::parse_uncached(text, shape, times.context);
  if (!t) return false;
  ts = t->ts;
  stop = p = p + t->length;
  return match_literal(s, p, end);
}

// Finds the value [begin, stop) that begins at `p`, and moves `p` behind the literal that ends it.
bool advance(const BoundStep& s, const char*& p, const char* end, const char*& stop,
             const Times& times, WallTime& ts) noexcept {
  switch (s.take) {
    case Take::until: return take_until(s, p, end, stop);
    case Take::number: stop = p = behind_number(p, end); return match_literal(s, p, end);
    case Take::fixed:
      if (end - p < s.width) return false;
      stop = p = p + s.width;
      return match_literal(s, p, end);
    case Take::clf:
      if (end - p > 26 && s.literal_size != 0 && p[26] == s.literal[0]) {
        stop = p + 26;
        const char* next = stop;
        if (match_literal(s, next, end)) {
          p = next;
          return true;
        }
      }
      return take_until(s, p, end, stop);
    case Take::time: return take_time(s, p, end, stop, times, ts);
    case Take::last: return take_last(s, p, end, stop);
    case Take::rest: stop = p = end; return true;
  }
  return false;
}

// Nearly all numbers: at most 17 digits with a point among them, read while their end is looked
// for.
inline const char* quick_number(const BoundStep& s, const char* p, const char* end,
                                Value& value) noexcept {
  const char* const begin = p;
  const char* point = nullptr;
  int64_t mantissa = 0;
  for (; p != end; ++p) {
    if (is_digit(*p)) {
      mantissa = mantissa * 10 + (*p - '0');
    } else if (*p == '.' && point == nullptr && p != begin) {
      point = p;
    } else {
      break;
    }
    if (p - begin > 17) return nullptr;
  }
  if (p == begin || point == p - 1 || !match_short(s, p, end)) return nullptr;
  const int fraction = point != nullptr ? static_cast<int>(p - point - 1) : 0;
  value = normal_decimal(mantissa, power_of(s.conv) - fraction);
  return p;
}

// Stores what it can itself; see kStore for the rest.
inline const char* quick_number_step(const BoundStep& s, const char* p, const char* end,
                                     std::span<Value> fields) noexcept {
  if (s.slot >= 0 && (s.flags & kStore) == 0) {
    Value& field = fields[static_cast<size_t>(s.slot)];
    if (const char* const stop = quick_number(s, p, end, field)) return stop;
  }
  const char* const stop = behind_number(p, end);
  if (!match_short(s, stop, end)) return nullptr;
  if (s.slot >= 0 && (s.flags & kStore) == 0) {
    fields[static_cast<size_t>(s.slot)] = layout_value(s.conv, between(p, stop));
  }
  return stop;
}

inline const char* quick_clf(const BoundStep& s, const char* p, const char* end) noexcept {
  if (end - p > 26 && match_short(s, p + 26, end)) return p + 26;
  return quick_until(s, p, end);
}

void skip_padding(const BoundStep& s, const char*& p, const char* end) noexcept {
  if ((s.flags & kPadLeft) == 0) return;
  while (p != end && is_space(*p)) ++p;
}

// The header of a record is one line; only a message has more. It may begin with the second line.
bool begins_message(const char* line, const char*& p, const char* end) noexcept {
  const char* eol = find_byte(line, p, '\n');
  if (eol == p && p != end && *p == '\n') ++p;
  return eol == p || eol + 1 == p;
}

std::string_view value_text(const BoundStep& s, const char* begin, const char* stop) noexcept {
  std::string_view text = between(begin, stop);
  if ((s.flags & kTrim) != 0) text = trim_right(text);
  return text;
}

bool plausible(const BoundStep& s, std::string_view text) noexcept {
  if ((s.flags & kStrict) == 0) return true;
  return s.conv == Conv::pg_severity ? is_pg_severity(text) : !level_value(s.conv, text).is_null();
}

class LayoutParser final : public LineParser {
 public:
  LayoutParser(std::shared_ptr<const std::vector<Program>> programs, Wanted wanted,
               const TimeContext& time)
      : programs_(std::move(programs)), time_(time), wanted_(wanted.size()) {
    for (const Program& program : *programs_) bind(program, wanted);
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i] == "raw") raw_.push_back(i);
    }
  }

  ParseOutcome parse(std::string_view line, ParsedRecord& out) noexcept override {
    out.has_ts = false;
    const std::string_view body = trim_right(line);
    ParseOutcome outcome = ParseOutcome::empty;
    clear(out.fields);
    if (!body.empty()) {
      outcome = ParseOutcome::no_match;
      for (const Bound& bound : bounds_) {
        if (run(bound, body, out)) {
          outcome = out.has_ts ? ParseOutcome::ok : ParseOutcome::bad_time;
          for (const auto& [from, to] : bound.copies) out.fields[to] = out.fields[from];
          break;
        }
        out.has_ts = false;
        clear(out.fields);
      }
    }
    for (const size_t slot : raw_) out.fields[slot] = Value::of_text(line);
    return outcome;
  }

  ParseOutcome parse_all(std::string_view line, WallTime& ts, bool& has_ts,
                         std::vector<NamedValue>& out) override {
    if (!all_) list_names();
    all_->set_reference(time_.reference);
    std::vector<Value> values(names_.size());
    ParsedRecord record{{}, false, values};
    const ParseOutcome outcome = all_->parse(line, record);
    ts = record.ts;
    has_ts = record.has_ts;
    out.clear();
    for (size_t i = 0; i < names_.size(); ++i) {
      if (!values[i].is_null()) out.push_back({names_[i], values[i]});
    }
    return outcome;
  }
  void set_reference(WallTime now) noexcept override { time_.reference = now; }

  bool leads(std::string_view line) const noexcept override {
    for (const Bound& bound : bounds_) {
      if (bound.one_line || bound.strict_steps == 0 || begins(bound, line)) return true;
    }
    return false;
  }

 private:
  void clear(std::span<Value> fields) const noexcept {
    for (size_t i = 0; i < wanted_; ++i) fields[i] = Value{};
  }

  bool run(const Bound& bound, std::string_view line, ParsedRecord& out) noexcept {
    const char* p = line.data();
    const char* const end = p + line.size();
    const Program& program = *bound.program;
    if (!match_head(program, p, end)) return false;
    const Times times{&prefix_, time_};
    WallTime ts;
    for (const BoundStep& s : bound.steps) {
      const char* quick = p;
      switch (s.op) {
        case Op::general: break;
        case Op::until: quick = quick_until(s, p, end); break;
        case Op::number: quick = quick_number_step(s, p, end, out.fields); break;
        case Op::clf: quick = quick_clf(s, p, end); break;
      }
      if (s.op != Op::general) {
        if (quick == nullptr) return false;
        if ((s.flags & kStore) != 0) store(s, between(p, quick), ts, out);
        p = quick + s.literal_size;
        continue;
      }
      skip_padding(s, p, end);
      if (s.take == Take::rest && !begins_message(line.data(), p, end)) return false;
      const char* const begin = p;
      const char* stop = p;
      if (!advance(s, p, end, stop, times, ts)) return false;
      if ((s.flags & (kActive | kStrict)) == 0) continue;
      const std::string_view text = value_text(s, begin, stop);
      if (!plausible(s, text)) return false;
      if ((s.flags & kActive) != 0) store(s, text, ts, out);
    }
    return p == end;
  }

  static bool match_head(const Program& program, const char*& p, const char* end) noexcept {
    const std::string& head = program.head;
    if (head.empty()) return true;
    if (program.soft) return match_soft(p, end, head.data(), head.size(), false);
    if (!between(p, end).starts_with(head)) return false;
    p += head.size();
    return true;
  }

  bool begins(const Bound& bound, std::string_view line) const noexcept {
    const char* p = line.data();
    const char* const end = p + line.size();
    if (p == end || !match_head(*bound.program, p, end)) return false;
    const Times times{nullptr, time_};
    WallTime ts;
    for (size_t i = 0; i < bound.strict_steps; ++i) {
      const BoundStep& s = bound.steps[i];
      skip_padding(s, p, end);
      const char* const begin = p;
      const char* stop = p;
      if (!advance(s, p, end, stop, times, ts)) return false;
      const std::string_view text = value_text(s, begin, stop);
      if (!plausible(s, text)) return false;
      if (s.conv == Conv::pg_severity && is_pg_detail(text)) return false;
    }
    return true;
  }

  void store(const BoundStep& s, std::string_view text, WallTime ts, ParsedRecord& out) noexcept {
    Value value;
    switch (s.conv) {
      case Conv::time: return store_time(s, text, ts, out);
      case Conv::request: value = text_or_null(text); break;
      case Conv::address: value = address_value(text); break;
      default: value = layout_value(s.conv, text); break;
    }
    if (s.slot >= 0) out.fields[static_cast<size_t>(s.slot)] = value;
    if (s.derived >= 0) store_derived(s, text, out.fields);
  }

  void store_time(const BoundStep& s, std::string_view text, WallTime ts,
                  ParsedRecord& out) noexcept {
    if (s.take == Take::time) {
      out.ts = ts;
      out.has_ts = true;
    } else if (s.take == Take::clf) {
      out.has_ts = text.size() == ClfCache::kLength && clf_.parse(text.data(), out.ts);
    } else if (const auto t = prefix_.parse_whole(text, s.step->time, time_)) {
      out.ts = *t;
      out.has_ts = true;
    }
    if (s.slot >= 0 && out.has_ts) {
      out.fields[static_cast<size_t>(s.slot)] = Value::of_time(out.ts.ns);
    }
  }

  void store_derived(const BoundStep& s, std::string_view text,
                     std::span<Value> fields) const noexcept {
    Value values[kMaxDerived];
    switch (s.conv) {
      case Conv::request: {
        const RequestLine request = split_request_line(text.data(), text.data() + text.size());
        values[0] = request.method;
        values[1] = request.path;
        values[2] = request.protocol;
        break;
      }
      case Conv::address: values[0] = port_value(text); break;
      case Conv::pg_message: values[0] = pg_duration(text); break;
      case Conv::pg_severity: values[0] = Value::of_text(text); break;
      default: break;
    }
    for (size_t i = 0; i < derived_names(s.conv).size(); ++i) {
      const int slot = derived_[static_cast<size_t>(s.derived) + i];
      if (slot >= 0) fields[static_cast<size_t>(slot)] = values[i];
    }
  }

  static uint16_t flags_of(const Program& program, size_t index) {
    const Step& step = program.steps[index];
    const bool exact = index + 1 < program.steps.size() && program.steps[index + 1].maybe_empty;
    const bool quote = !step.literal.empty() && step.literal[0] == '"';
    unsigned flags = 0;
    const auto set = [&](bool on, Flag flag) { flags |= on ? unsigned{flag} : 0u; };
    set(step.pad_left, kPadLeft);
    set(step.trim, kTrim);
    set(step.escapes && quote, kEscapes);
    set(step.list, kList);
    set(step.firm, kFirm);
    set(step.strict, kStrict);
    set(program.soft, kSoft);
    set(exact, kExactTail);
    set(step.keep_literal, kKeepLiteral);
    return static_cast<uint16_t>(flags);
  }

  static void choose_op(BoundStep& s) {
    const size_t least = s.take == Take::number ? 0 : 1;
    const bool bounded = s.literal_size >= least && s.literal_size <= sizeof s.word;
    constexpr unsigned kFine = kEscapes | kActive | kStore;
    if (bounded && (s.flags & ~kFine) == 0) {
      s.op = s.take == Take::until    ? Op::until
             : s.take == Take::number ? Op::number
             : s.take == Take::clf    ? Op::clf
                                      : Op::general;
    }
    const bool stores_itself = s.op == Op::number && s.conv != Conv::time;
    if ((s.flags & kActive) != 0 && !stores_itself) s.flags |= kStore;
    if (s.literal_size == 0 || s.literal_size > sizeof s.word) return;
    std::memcpy(&s.word, s.literal, s.literal_size);
    std::memset(&s.mask, 0xff, s.literal_size);
  }

  void bind(const Program& program, Wanted wanted) {
    Bound bound{&program, {}, 0, true, {}};
    bool has_time = false;
    Slots slots{wanted, bound.copies, {}};
    for (size_t i = 0; i < program.steps.size(); ++i) {
      const Step& step = program.steps[i];
      BoundStep s{};
      s.literal = step.literal.data();
      s.literal_size = static_cast<uint32_t>(step.literal.size());
      s.first = step.literal.empty() ? '\0' : step.literal[0];
      std::memset(s.wide_first, s.first, sizeof s.wide_first);
      s.take = step.take;
      s.conv = step.conv;
      s.flags = flags_of(program, i);
      s.width = step.width;
      s.step = &step;
      s.slot = slots.take({step.name, step.alias});
      bind_derived(s, slots);
      const bool is_time = step.conv == Conv::time && !has_time;
      has_time = has_time || is_time;
      if (is_time || s.slot >= 0 || s.derived >= 0) s.flags |= kActive;
      if (step.conv == Conv::time && !is_time) s.flags &= static_cast<uint16_t>(~kActive);
      choose_op(s);
      bound.one_line = bound.one_line && step.take != Take::rest && step.take != Take::last;
      bound.steps.push_back(s);
    }
    bound.strict_steps = strict_beginning(bound);
    bounds_.push_back(std::move(bound));
  }

  // So many first steps as show a beginning: up to a time stamp, or to a level where there is one
  // early.
  static size_t strict_beginning(const Bound& bound) {
    constexpr size_t kEarly = 4;
    size_t strict = 0;
    for (size_t i = 0; i < bound.steps.size() && i < kEarly; ++i) {
      const BoundStep& s = bound.steps[i];
      if (s.take == Take::time || (s.flags & kStrict) != 0) strict = i + 1;
    }
    // PostgreSQL's severity tells a record from the details behind it.
    for (size_t i = 0; i < bound.steps.size(); ++i) {
      if (bound.steps[i].conv == Conv::pg_severity) strict = i + 1;
    }
    return strict;
  }

  void bind_derived(BoundStep& s, Slots& slots) {
    const auto names = derived_names(s.conv);
    const size_t first = derived_.size();
    bool any = false;
    for (const std::string_view name : names) {
      const int16_t slot = slots.take({name});
      derived_.push_back(slot);
      any = any || slot >= 0;
    }
    if (any) s.derived = static_cast<int16_t>(first);
  }

  void list_names() {
    names_ = {"ts", "level", "message"};
    const auto add = [&](std::string_view name) {
      if (!name.empty() && std::find(names_.begin(), names_.end(), name) == names_.end()) {
        names_.emplace_back(name);
      }
    };
    for (const Program& program : *programs_) {
      for (const Step& step : program.steps) {
        add(step.name);
        for (const std::string_view name : derived_names(step.conv)) add(name);
      }
    }
    all_ = std::make_unique<LayoutParser>(programs_, names_, time_);
  }

  std::shared_ptr<const std::vector<Program>> programs_;
  TimeContext time_;
  size_t wanted_;
  std::vector<Bound> bounds_;
  std::vector<int16_t> derived_;  // slots, in groups of one step
  std::vector<size_t> raw_;
  PrefixTimes prefix_;
  ClfCache clf_;
  std::vector<std::string> names_;  // for parse_all()
  std::unique_ptr<LayoutParser> all_;
};

}  // namespace

std::unique_ptr<LineParser> run_programs(std::shared_ptr<const std::vector<Program>> programs,
                                         Wanted wanted, const TimeContext& time) {
  return std::make_unique<LayoutParser>(std::move(programs), wanted, time);
}

}  // namespace nines::log
