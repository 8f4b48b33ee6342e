// log_line_prefix of PostgreSQL. Behind it the server writes "LOG:  message".
#include "log/layout_dialects.hpp"
#include "log/time_scan.hpp"

namespace nines::log {
namespace {

struct Escape {
  std::string_view field;
  char letter;
  Take take;
  Conv conv;
  bool maybe_empty;
};
constexpr Escape kEscapes[] = {
    {"application", 'a', Take::until, Conv::text, true},
    {"user", 'u', Take::until, Conv::text, true},
    {"database", 'd', Take::until, Conv::text, true},
    {"remote_addr", 'r', Take::until, Conv::text, true},
    {"remote_addr", 'h', Take::until, Conv::text, true},
    {"local_addr", 'L', Take::until, Conv::text, true},
    {"backend_type", 'b', Take::until, Conv::text, true},
    {"pid", 'p', Take::number, Conv::number, false},
    {"leader_pid", 'P', Take::number, Conv::number, true},
    {"ts", 't', Take::time, Conv::time, false},
    {"ts", 'm', Take::time, Conv::time, false},
    {"ts", 'n', Take::number, Conv::time, false},
    {"command", 'i', Take::until, Conv::text, true},
    {"sqlstate", 'e', Take::until, Conv::text, true},
    {"session_id", 'c', Take::until, Conv::text, true},
    {"lineno", 'l', Take::number, Conv::number, false},
    {"session_start", 's', Take::until, Conv::text, true},
    {"virtual_xid", 'v', Take::until, Conv::text, true},
    {"xid", 'x', Take::number, Conv::number, true},
    {"query_id", 'Q', Take::number, Conv::number, true},
};

class PostgresCompiler {
 public:
  explicit PostgresCompiler(std::string_view prefix) : prefix_(prefix) {}

  // `session`: what stands behind %q is there only for client sessions.
  Result<Program> compile(bool session) {
    ProgramBuilder builder(true);
    for (size_t i = 0; i < prefix_.size();) {
      if (prefix_[i] != '%') {
        builder.literal(prefix_.substr(i++, 1));
        continue;
      }
      const size_t column = i + 1;
      bool padded = false;
      for (++i; i < prefix_.size() && (is_digit(prefix_[i]) || prefix_[i] == '-'); ++i) {
        padded = true;
      }
      if (i == prefix_.size()) {
        return pattern_error(column, "a % without its letter", "write %% for a percent sign");
      }
      const char letter = prefix_[i++];
      if (letter == '%') {
        builder.literal("%");
      } else if (letter == 'q') {
        has_sessions_ = true;
        if (!session) break;
      } else {
        NINES_CHECK(add(letter, padded, column, builder));
      }
    }
    Step severity{.name = "level", .alias = {}, .literal = ":  ", .conv = Conv::pg_severity};
    severity.strict = true;
    severity.firm = true;
    severity.pad_left = true;
    builder.field(std::move(severity), prefix_.size() + 1);
    builder.field({.name = "message", .alias = {}, .take = Take::rest, .conv = Conv::pg_message},
                  prefix_.size() + 1);
    return builder.finish();
  }
  bool has_sessions() const noexcept { return has_sessions_; }

 private:
  static Status add(char letter, bool padded, size_t column, ProgramBuilder& builder) {
    for (const Escape& escape : kEscapes) {
      if (escape.letter != letter) continue;
      Step step{
          .name = std::string(escape.field), .alias = {}, .take = escape.take, .conv = escape.conv};
      step.maybe_empty = escape.maybe_empty;
      step.pad_left = padded;
      step.trim = padded;
      step.time.zone_word = true;
      builder.field(std::move(step), column);
      return Ok{};
    }
    return pattern_error(
        column, std::string("unknown escape %") + letter,
        "known are %a %u %d %r %h %L %b %p %P %t %m %n %i %e %c %l %s %v %x %Q %q");
  }

  std::string_view prefix_;
  bool has_sessions_ = false;
};

}  // namespace

Result<Programs> compile_postgres(std::string_view text) {
  PostgresCompiler compiler(text);
  NINES_TRY(Program whole, compiler.compile(true));
  Programs programs;
  programs.push_back(std::move(whole));
  if (compiler.has_sessions()) {
    NINES_TRY(Program short_one, compiler.compile(false));
    programs.push_back(std::move(short_one));
  }
  return programs;
}

}  // namespace nines::log
