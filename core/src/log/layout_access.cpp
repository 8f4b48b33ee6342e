// What the dialects of access logs share, and nginx' log_format.
#include <algorithm>

#include "log/layout_dialects.hpp"
#include "log/scan.hpp"
#include "log/time_scan.hpp"

namespace nines::log {
namespace {

// A variable whose value is more than text.
struct Variable {
  std::string_view name;
  std::string_view claim;  // the well-known name, unless a variable of lower rank is there too
  int rank;
  Take take;
  Conv conv;
  Conv claim_conv;  // what it means under that name
};

constexpr Variable text_as(std::string_view name, std::string_view claim, int rank = 0) {
  return {name, claim, rank, Take::until, Conv::dash_text, Conv::dash_text};
}
constexpr Variable number(std::string_view name, std::string_view claim = {}, int rank = 0) {
  return {name, claim, rank, Take::number, Conv::number, Conv::number};
}
constexpr Variable upstream_time(std::string_view name, std::string_view claim) {
  return {name, claim, 0, Take::until, Conv::dash_text, Conv::seconds_sum};
}

constexpr Variable kVariables[] = {
    text_as("remote_addr", "remote_addr"),
    text_as("remote_user", "user"),
    {"msec", "ts", 0, Take::number, Conv::number, Conv::time},
    {"time_iso8601", "ts", 1, Take::until, Conv::dash_text, Conv::time},
    {"time_local", "ts", 2, Take::clf, Conv::dash_text, Conv::time},
    {"request", "message", 0, Take::until, Conv::request, Conv::request},
    text_as("request_method", "method"),
    text_as("request_uri", "path"),
    text_as("uri", "path", 1),
    text_as("document_uri", "path", 2),
    text_as("server_protocol", "protocol"),
    text_as("http_referer", "referer"),
    text_as("http_user_agent", "user_agent"),
    text_as("request_id", "request_id"),
    text_as("req_id", "request_id", 1),  // ingress-nginx
    text_as("http_x_request_id", "request_id", 2),
    number("status", "status"),
    number("body_bytes_sent", "bytes"),
    number("bytes_sent", "bytes", 1),
    number("bytes_received"),
    number("request_length"),
    number("connection"),
    number("connection_requests"),
    number("connections_active"),
    number("pid"),
    number("remote_port"),
    number("server_port"),
    number("gzip_ratio"),
    {"request_time", "duration_ms", 0, Take::number, Conv::number, Conv::seconds},
    {"session_time", "duration_ms", 1, Take::number, Conv::number, Conv::seconds},
    {"connection_time", "connection_ms", 0, Take::number, Conv::number, Conv::seconds},
    upstream_time("upstream_response_time", "upstream_duration_ms"),
    upstream_time("upstream_session_time", "upstream_duration_ms"),
    upstream_time("upstream_connect_time", "upstream_connect_ms"),
    upstream_time("upstream_header_time", "upstream_header_ms"),
    upstream_time("upstream_first_byte_time", "upstream_first_byte_ms"),
    upstream_time("upstream_queue_time", "upstream_queue_ms"),
    {"upstream_status", {}, 0, Take::until, Conv::list_number, Conv::text},
    {"upstream_response_length", {}, 0, Take::until, Conv::list_number, Conv::text},
    {"upstream_bytes_received", {}, 0, Take::until, Conv::list_number, Conv::text},
    {"upstream_bytes_sent", {}, 0, Take::until, Conv::list_number, Conv::text},
};

bool is_name_char(char c) noexcept { return is_alnum(c) || c == '_'; }

Step nginx_step(std::string_view name) {
  Step step{.name = std::string(name), .alias = {}, .conv = Conv::dash_text};
  for (const Variable& v : kVariables) {
    if (v.name != name) continue;
    step.take = v.take;
    step.conv = v.conv;
    step.claim = v.claim;
    step.claim_rank = v.rank;
    step.claim_conv = v.claim_conv;
  }
  step.list = name.starts_with("upstream_");
  if (name == "request_uri" || name == "uri" || name == "document_uri") step.lead = '/';
  if (name == "request") step.alias = "request";
  return step;
}

// The text of a format without the quotes and the directive around it; columns_[i] is where
// character i stands in what the user wrote.
struct Unquoted {
  std::string text;
  std::vector<size_t> columns;
  bool escapes = true;

  void add(char c, size_t at) {
    text += c;
    columns.push_back(at + 1);
  }
  size_t column(size_t i) const noexcept { return i < columns.size() ? columns[i] : i + 1; }
};

size_t skip_blanks(std::string_view text, size_t i) noexcept {
  while (i < text.size() && is_blank(text[i])) ++i;
  return i;
}

// escape=default|json|none at `i`.
Result<size_t> read_escape(std::string_view text, size_t i, Unquoted& out) {
  constexpr std::string_view kKey = "escape=";
  if (!text.substr(i).starts_with(kKey)) return i;
  const size_t begin = i + kKey.size();
  const size_t end = std::min(text.find_first_of(" \t\r\n'\"", begin), text.size());
  const std::string_view mode = text.substr(begin, end - begin);
  if (mode != "default" && mode != "json" && mode != "none") {
    return pattern_error(begin + 1, "unknown escape \"" + std::string(mode) + "\"",
                         "use default, json or none");
  }
  out.escapes = mode != "none";
  return skip_blanks(text, end);
}

Result<size_t> read_quoted(std::string_view text, size_t i, Unquoted& out) {
  const char quote = text[i];
  const size_t open = i;
  for (++i; i < text.size() && text[i] != quote; ++i) {
    // nginx knows \" \' \\ and \t \r \n; any other backslash is itself.
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == quote || text[i + 1] == '\\')) {
      ++i;
    }
    out.add(text[i], i);
  }
  if (i == text.size()) {
    return pattern_error(open + 1, std::string("the quote ") + quote + " is never closed",
                         "close it behind the last character of the format");
  }
  return i + 1;
}

Result<Unquoted> unquote_nginx(std::string_view text) {
  Unquoted out;
  size_t i = skip_blanks(text, 0);
  constexpr std::string_view kDirective = "log_format";
  const bool directive = text.substr(i).starts_with(kDirective) &&
                         i + kDirective.size() < text.size() &&
                         is_blank(text[i + kDirective.size()]);
  if (directive) {
    i = skip_blanks(text, i + kDirective.size());
    i = std::min(text.find_first_of(" \t\r\n'", i), text.size());  // its name
    i = skip_blanks(text, i);
  }
  NINES_TRY(i, read_escape(text, i, out));
  if (!directive && (i >= text.size() || text[i] != '\'')) {
    for (; i < text.size(); ++i) out.add(text[i], i);
    return out;
  }
  for (i = skip_blanks(text, i); i < text.size() && text[i] != ';'; i = skip_blanks(text, i)) {
    if (text[i] == '\'' || text[i] == '"') {
      NINES_TRY(i, read_quoted(text, i, out));
    } else {
      for (; i < text.size() && !is_blank(text[i]) && text[i] != ';'; ++i) out.add(text[i], i);
    }
  }
  return out;
}

// "$name" or "${name}" at `i`; moves `i` behind it.
Result<std::string_view> read_variable(const Unquoted& format, size_t& i) {
  const std::string_view text = format.text;
  const size_t dollar = i;
  const bool braces = text.substr(i + 1).starts_with('{');
  const size_t begin = i + 1 + (braces ? 1 : 0);
  size_t end = begin;
  while (end < text.size() && is_name_char(text[end])) ++end;
  if (end == begin) {
    return pattern_error(format.column(dollar), "a $ without a variable name",
                         "write the name of an nginx variable behind it");
  }
  if (braces && (end == text.size() || text[end] != '}')) {
    return pattern_error(format.column(dollar), "${ without }", "close the brace");
  }
  i = end + (braces ? 1 : 0);
  return text.substr(begin, end - begin);
}

// $uri$is_args$args is what the client sent: one path.
bool skip_query(std::string_view text, size_t& i) noexcept {
  for (const std::string_view tail : {"$is_args$args", "$is_args$query_string"}) {
    if (text.substr(i).starts_with(tail)) {
      i += tail.size();
      return true;
    }
  }
  return false;
}

}  // namespace

std::string header_name(std::string_view header) {
  std::string name;
  for (const char c : header) {
    name += c == '-' ? '_' : c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return name;
}

Step request_header(std::string_view header) { return nginx_step("http_" + header_name(header)); }

Result<Programs> compile_nginx(std::string_view text) {
  NINES_TRY(const Unquoted format, unquote_nginx(text));
  ProgramBuilder builder(false);
  for (size_t i = 0; i < format.text.size();) {
    if (format.text[i] != '$') {
      builder.literal(std::string_view(format.text).substr(i++, 1));
      continue;
    }
    const size_t column = format.column(i);
    NINES_TRY(const std::string_view name, read_variable(format, i));
    Step step = nginx_step(name);
    step.escapes = format.escapes;
    if (step.lead == '/' && skip_query(format.text, i)) {
      step.name = "request_uri";
      step.claim_rank = 0;
    }
    builder.field(std::move(step), column);
  }
  NINES_TRY(Program program, builder.finish());
  return Programs{std::move(program)};
}

}  // namespace nines::log
