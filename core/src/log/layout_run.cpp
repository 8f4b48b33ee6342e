// A program runs once over the line from left to right without ever going back, so that a line
// costs no more than its length whatever stands in it. All literals are checked, wanted or not:
// whether a line matches does not depend on what someone asks of it.
#include "log/layout_run.hpp"

#include <algorithm>

#include "log/access.hpp"
#include "log/layout_step.hpp"
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
  void set_reference(WallTime now) noexcept override {
    if (now != time_.reference) prefix_.forget();
    time_.reference = now;
  }

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
