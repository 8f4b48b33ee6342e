// Apache mod_log_config.
#include <algorithm>

#include "log/layout_dialects.hpp"
#include "log/scan.hpp"
#include "log/strptime.hpp"
#include "log/time_scan.hpp"

namespace nines::log {
namespace {

struct Nickname {
  std::string_view name, format;
};
constexpr Nickname kNicknames[] = {
    {"common", R"(%h %l %u %t "%r" %>s %b)"},
    {"combined", R"(%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i")"},
    {"combinedio", R"(%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-agent}i" %I %O)"},
    {"vhost_combined", R"(%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-agent}i")"},
    {"vhost_common", R"(%v %h %l %u %t "%r" %>s %b)"},
    {"referer", "%{Referer}i -> %U"},
    {"agent", "%{User-agent}i"},
};

struct Directive {
  std::string_view letter;
  std::string_view name;
  std::string_view claim;
  int rank;
  Take take;
  Conv conv;
  Conv claim_conv;
};
constexpr Directive text_of(std::string_view letter, std::string_view name,
                            std::string_view claim = {}, int rank = 0) {
  return {letter, name, claim, rank, Take::until, Conv::dash_text, Conv::dash_text};
}
constexpr Directive number_of(std::string_view letter, std::string_view name,
                              std::string_view claim = {}, int rank = 0,
                              Conv claim_conv = Conv::number) {
  return {letter, name, claim, rank, Take::number, Conv::number, claim_conv};
}
constexpr Directive kDirectives[] = {
    text_of("a", "client_addr", "remote_addr", 1),
    text_of("A", "local_addr"),
    text_of("f", "filename"),
    text_of("h", "remote_host", "remote_addr", 0),
    text_of("H", "protocol", "protocol"),
    text_of("l", "ident"),
    text_of("L", "log_id"),
    text_of("m", "method", "method"),
    text_of("q", "query"),
    text_of("R", "handler"),
    text_of("u", "user", "user"),
    text_of("U", "path", "path"),
    text_of("v", "server_name"),
    text_of("V", "server_name"),
    text_of("X", "connection_status"),
    {"r", "message", "message", 0, Take::until, Conv::request, Conv::request},
    number_of("s", "status", "status"),
    number_of("b", "body_bytes", "bytes", 0),
    number_of("B", "body_bytes", "bytes", 0),
    number_of("O", "bytes_sent", "bytes", 1),
    number_of("I", "bytes_received"),
    number_of("S", "bytes_total"),
    number_of("k", "keepalive_requests"),
    number_of("p", "port"),
    number_of("P", "pid"),
    number_of("D", "duration_us", "duration_ms", 0, Conv::micros),
    number_of("T", "duration_s", "duration_ms", 3, Conv::seconds),
    number_of("^FB", "first_byte_us", "first_byte_ms", 0, Conv::micros),
};

struct Token {
  std::string_view argument;  // of %{...}
  std::string_view letter;
  size_t column;
};

// A percent directive at `i`: modifiers (%!200,304 %<s %>s), an argument, the letter.
Result<Token> read_token(std::string_view text, size_t& i) {
  Token token{{}, {}, i + 1};
  size_t p = i + 1;
  const auto modifiers = [&] {
    while (p < text.size() && (text[p] == '!' || text[p] == ',' || text[p] == '<' ||
                               text[p] == '>' || is_digit(text[p]))) {
      ++p;
    }
  };
  modifiers();
  if (p < text.size() && text[p] == '{') {
    const size_t close = text.find('}', p);
    if (close == std::string_view::npos) {
      return pattern_error(p + 1, "%{ without }", "close the brace");
    }
    token.argument = text.substr(p + 1, close - p - 1);
    p = close + 1;
    modifiers();
  }
  size_t length = 1;
  if (text.substr(p).starts_with("^")) length = 3;
  if (p + length > text.size()) {
    return pattern_error(i + 1, "a directive without its letter", "write %% for a percent sign");
  }
  token.letter = text.substr(p, length);
  i = p + length;
  return token;
}

Step step_of(const Directive& d) {
  Step step{.name = std::string(d.name), .alias = {}, .take = d.take, .conv = d.conv};
  step.claim = d.claim;
  step.claim_rank = d.rank;
  step.claim_conv = d.claim_conv;
  if (d.letter == "r") step.alias = "request";
  if (d.letter == "U") step.lead = '/';
  if (d.letter == "q") step.lead = '?';
  return step;
}

Step time_step(Take take, std::string_view name, int rank) {
  Step step{.name = std::string(name), .alias = {}, .take = take, .conv = Conv::dash_text};
  step.claim = "ts";
  step.claim_rank = rank;
  step.claim_conv = Conv::time;
  return step;
}

Step named(std::string name, Take take = Take::until, Conv conv = Conv::dash_text) {
  return Step{.name = std::move(name), .alias = {}, .take = take, .conv = conv};
}

// Without an argument %t brings its own brackets. The others: %{sec}t, %{msec_frac}t, strftime.
Status add_time(const Token& token, ProgramBuilder& builder) {
  std::string_view form = token.argument;
  if (form.empty()) {
    builder.literal("[");
    builder.field(time_step(Take::clf, "time", 2), token.column);
    builder.literal("]");
    return Ok{};
  }
  for (const std::string_view prefix : {"begin:", "end:"}) {
    if (form.starts_with(prefix)) form.remove_prefix(prefix.size());
  }
  if (form == "sec" || form == "msec" || form == "usec") {
    builder.field(time_step(Take::number, "epoch", form == "sec" ? 1 : 0), token.column);
    return Ok{};
  }
  if (form == "msec_frac" || form == "usec_frac") {
    // A fraction behind the seconds belongs to that time.
    Step* before = builder.last();
    if (before != nullptr && before->take == Take::time && before->literal.size() <= 1) {
      before->time.format += before->literal + "%f";
      before->time.kind = TimeShape::Kind::format;
      before->literal.clear();
    } else {
      builder.field(named(std::string(form), Take::number, Conv::number), token.column);
    }
    return Ok{};
  }
  if (auto known = check_time_format(form); !known.ok()) {
    return pattern_error(token.column, known.error().message, "use one of these");
  }
  Step step = time_step(Take::time, "time", 1);
  step.claim_rank = 1;
  step.conv = Conv::time;
  step.time.kind = TimeShape::Kind::format;
  step.time.format = std::string(form);
  builder.field(std::move(step), token.column);
  return Ok{};
}

Status add_with_argument(const Token& token, ProgramBuilder& builder) {
  const std::string argument = header_name(token.argument);
  switch (token.letter[0]) {
    case 'i': builder.field(request_header(token.argument), token.column); break;
    case 'o': builder.field(named("sent_http_" + argument), token.column); break;
    case 'C': builder.field(named("cookie_" + argument), token.column); break;
    case 'e': builder.field(named("env_" + argument), token.column); break;
    case 'n': builder.field(named("note_" + argument), token.column); break;
    case 'x': builder.field(named(argument), token.column); break;
    case 'c': builder.field(named("tls_" + argument), token.column); break;
    case 'a': builder.field(named("peer_addr"), token.column); break;
    case 'p':
      builder.field(named(argument + "_port", Take::number, Conv::number), token.column);
      break;
    case 'P': builder.field(named(argument), token.column); break;
    case 'T': {
      const bool us = argument == "us";
      const bool ms = argument == "ms";
      Step step = named("duration_" + argument, Take::number, Conv::number);
      step.claim = "duration_ms";
      step.claim_rank = us ? 1 : ms ? 2 : 3;
      step.claim_conv = us ? Conv::micros : ms ? Conv::number : Conv::seconds;
      builder.field(std::move(step), token.column);
      break;
    }
    default:
      return pattern_error(
          token.column,
          "unknown directive %{" + std::string(token.argument) + "}" + std::string(token.letter),
          "known with an argument are a C c e i n o p P t T x ^ti ^to");
  }
  return Ok{};
}

Status add_token(const Token& token, ProgramBuilder& builder) {
  if (token.letter == "t") return add_time(token, builder);
  if (token.letter == "^ti" || token.letter == "^to") {
    builder.field(named("trailer_" + header_name(token.argument)), token.column);
    return Ok{};
  }
  if (!token.argument.empty()) return add_with_argument(token, builder);
  for (const Directive& d : kDirectives) {
    if (d.letter != token.letter) continue;
    builder.field(step_of(d), token.column);
    return Ok{};
  }
  return pattern_error(token.column, "unknown directive %" + std::string(token.letter),
                       "known are a A b B D f h H I k l L m O p P q r R s S t T u U v V X ^FB");
}

// `LogFormat "..." nickname` to what stands in the quotes, and the column it begins at.
std::string_view inside_directive(std::string_view text, size_t& offset) {
  offset = 0;
  while (offset < text.size() && is_blank(text[offset])) ++offset;
  std::string_view rest = text.substr(offset);
  bool directive = false;
  for (const std::string_view word : {"LogFormat", "CustomLog"}) {
    directive = directive || (rest.starts_with(word) && rest.size() > word.size() &&
                              is_blank(rest[word.size()]));
  }
  if (!directive) return rest;
  const size_t open = rest.find('"');
  if (open == std::string_view::npos) return rest;
  size_t close = open + 1;
  while (close < rest.size() && rest[close] != '"') close += rest[close] == '\\' ? 2u : 1u;
  offset += open + 1;
  return rest.substr(open + 1, std::min(close, rest.size()) - open - 1);
}

}  // namespace

Result<Programs> compile_apache(std::string_view text) {
  size_t offset = 0;
  std::string_view format = inside_directive(text, offset);
  for (const Nickname& nickname : kNicknames) {
    if (nickname.name == trim_right(format)) format = nickname.format;
  }
  ProgramBuilder builder(false);
  for (size_t i = 0; i < format.size();) {
    if (format[i] == '\\' && i + 1 < format.size()) {
      const char c = format[i + 1];
      builder.literal(c == 't' ? "\t" : c == 'n' ? "\n" : format.substr(i + 1, 1));
      i += 2;
    } else if (format[i] != '%') {
      builder.literal(format.substr(i++, 1));
    } else if (format.substr(i, 2) == "%%") {
      builder.literal("%");
      i += 2;
    } else if (format.substr(i).starts_with("%U%q")) {
      builder.field(
          step_of({"U", "path", "path", 0, Take::until, Conv::dash_text, Conv::dash_text}),
          i + 1 + offset);
      i += 4;
    } else {
      NINES_TRY(Token token, read_token(format, i));
      token.column += offset;
      NINES_CHECK(add_token(token, builder));
    }
    if (Step* step = builder.last()) step->escapes = true;
  }
  NINES_TRY(Program program, builder.finish());
  return Programs{std::move(program)};
}

}  // namespace nines::log
