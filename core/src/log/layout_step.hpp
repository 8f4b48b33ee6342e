// One step of a layout on the hot path: how far its value goes and whether its literal is there.
// Internal to the engine (layout_run.cpp), which wants all of it inline.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>

#include "log/access.hpp"
#include "log/layout_program.hpp"
#include "log/layout_time.hpp"
#include "log/layout_values.hpp"
#include "log/scan.hpp"

namespace nines::log {

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

inline bool is_space(char c) noexcept { return c == ' ' || c == '\t'; }

// `p` is moved behind the literal. In soft mode a blank stands for one or more; those at the end
// of a line may be missing.
inline bool match_soft(const char*& p, const char* end, const char* literal, size_t size,
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

inline bool match_literal(const BoundStep& s, const char*& p, const char* end) noexcept {
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

inline bool escaped(const char* begin, const char* quote) noexcept {
  const char* slash = quote;
  while (slash != begin && slash[-1] == '\\') --slash;
  return (quote - slash) % 2 != 0;
}

// "a, b" and "a : b" are one value of nginx' upstream variables.
inline bool goes_on(const char* begin, const char* blank, const char* end) noexcept {
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

inline bool take_until(const BoundStep& s, const char*& p, const char* end,
                       const char*& stop) noexcept {
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
inline bool take_last(const BoundStep& s, const char*& p, const char* end,
                      const char*& stop) noexcept {
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

inline const char* behind_number(const char* p, const char* end) noexcept {
  if (p != end && (*p == '-' || *p == '+')) ++p;
  while (p != end && (is_digit(*p) || *p == '.')) ++p;
  return p;
}

// What the first steps need besides the line; leads() has no cache to change.
struct Times {
  PrefixTimes* cache;
  const TimeContext& context;
};

inline bool take_time(const BoundStep& s, const char*& p, const char* end, const char*& stop,
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
inline bool advance(const BoundStep& s, const char*& p, const char* end, const char*& stop,
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

inline void skip_padding(const BoundStep& s, const char*& p, const char* end) noexcept {
  if ((s.flags & kPadLeft) == 0) return;
  while (p != end && is_space(*p)) ++p;
}

// The header of a record is one line; only a message has more. It may begin with the second line.
inline bool begins_message(const char* line, const char*& p, const char* end) noexcept {
  const char* eol = find_byte(line, p, '\n');
  if (eol == p && p != end && *p == '\n') ++p;
  return eol == p || eol + 1 == p;
}

inline std::string_view value_text(const BoundStep& s, const char* begin,
                                   const char* stop) noexcept {
  std::string_view text = between(begin, stop);
  if ((s.flags & kTrim) != 0) text = trim_right(text);
  return text;
}

inline bool plausible(const BoundStep& s, std::string_view text) noexcept {
  if ((s.flags & kStrict) == 0) return true;
  if (s.conv == Conv::text) {
    const char needs = s.step->needs;
    return !text.empty() && text.find_first_of(" \t") == std::string_view::npos &&
           (needs == '\0' || text.find(needs) != std::string_view::npos);
  }
  return s.conv == Conv::pg_severity ? is_pg_severity(text) : !level_value(s.conv, text).is_null();
}

}  // namespace nines::log
