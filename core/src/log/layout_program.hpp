// What the front-ends of layouts make of a pattern: a literal, then steps of one field and the
// literal behind it. A program does not depend on which fields are wanted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"

namespace nines::log {

// How far a value goes.
enum class Take : uint8_t {
  until,   // to the literal behind it; to the end where there is none
  last,    // to the last place of that literal in the first line of the record
  number,  // digits, points and a sign; or a lone '-'
  fixed,   // `width` characters
  clf,     // the 26 characters of "21/Nov/2026:01:35:51 +0000", else as until
  time,    // as far as the time stamp goes
  rest,    // to the end of the record, which may have several lines
};

// What a value means.
enum class Conv : uint8_t {
  text,         // null when empty
  dash_text,    // null when empty or "-"
  whole_text,   // never null: messages
  number,       // null for "-"; text when it is no number
  list_number,  // the same, but "502, 200" (nginx upstreams) stays text
  seconds,      // to milliseconds
  micros,       // to milliseconds
  nanos,        // to milliseconds
  seconds_sum,  // "0.1, 0.2 : 0.3": the sum, to milliseconds
  level,
  redis_level,  // . - * #
  time,         // the time stamp of the record
  request,      // "GET /a HTTP/1.1": message, method, path, protocol
  address,      // "10.0.0.1:80": the address, and its remote_port
  pg_message,   // a message that may begin with "duration: 12.3 ms"
  pg_severity,  // LOG, ERROR, ...: level; DETAIL, HINT, ... belong to the record before
};

// How a time stamp looks.
struct TimeShape {
  enum class Kind : uint8_t { any, format, time_of_day } kind = Kind::any;
  std::string format;  // strptime-like, unless any
  // A format that ends with the seconds, or with this and their fraction: the second can be kept.
  bool ends_with_second = false;
  char fraction = '\0';
  bool utc = false;        // without a zone it is UTC whatever the source says
  bool zone_word = false;  // " CET" may follow
};

struct Step {
  std::string name;   // empty: never listed
  std::string alias;  // a second name for the same value
  std::string literal = {};
  Take take = Take::until;
  Conv conv = Conv::text;
  bool pad_left = false;      // blanks may stand before the value
  bool trim = false;          // and behind it
  bool escapes = false;       // a literal that begins with '"' is none behind a backslash
  bool list = false;          // ", " and " : " belong to the value
  bool firm = false;          // the first character of the literal must begin it
  bool strict = false;        // a level that is none is no match, nor is a name with blanks
  bool maybe_empty = false;   // exactly one blank stands before it
  bool keep_literal = false;  // the literal belongs to the next value
  char lead = '\0';           // every value begins with it
  char needs = '\0';          // a strict name holds it
  uint16_t width = 0;
  TimeShape time = {};
  // A well-known name this field takes when no other claims it with a lower rank.
  std::string claim = {};
  int claim_rank = 0;
  Conv claim_conv = Conv::text;
  size_t column = 0;  // in the pattern, from 1
};

struct Program {
  std::string head;   // the literal before the first field
  bool soft = false;  // a blank in a literal stands for any number of them
  std::vector<Step> steps;
};

class ProgramBuilder {
 public:
  explicit ProgramBuilder(bool soft) { program_.soft = soft; }
  void literal(std::string_view text);
  // `column` of the field in the pattern, from 1.
  Step& field(Step step, size_t column);
  Step* last() noexcept { return program_.steps.empty() ? nullptr : &program_.steps.back(); }
  const std::string& literal_behind() const noexcept {
    return program_.steps.empty() ? program_.head : program_.steps.back().literal;
  }
  // Fails where a field could not be told from the next one.
  Result<Program> finish();

 private:
  void settle_claims();
  Status check_bounds();
  void drop_end();

  Program program_;
};

// "WHAT at column N: WAY OUT".
inline Error pattern_error(size_t column, const std::string& what, const std::string& way_out) {
  return {Errc::invalid_argument, what + " at column " + std::to_string(column) + ": " + way_out};
}

}  // namespace nines::log
