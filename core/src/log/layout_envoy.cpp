// Envoy access log format strings: %OPERATOR%, %OPERATOR(argument)%, %OPERATOR(argument):length%.
#include <algorithm>

#include "log/layout_dialects.hpp"
#include "log/strptime.hpp"
#include "log/time_scan.hpp"

namespace nines::log {
namespace {

struct Operator {
  std::string_view name;
  std::string_view field;
  Take take;
  Conv conv;
};
constexpr Operator kOperators[] = {
    {"PROTOCOL", "protocol", Take::until, Conv::dash_text},
    {"RESPONSE_CODE", "status", Take::number, Conv::number},
    {"RESPONSE_FLAGS", "response_flags", Take::until, Conv::dash_text},
    {"BYTES_RECEIVED", "bytes_received", Take::number, Conv::number},
    {"BYTES_SENT", "bytes", Take::number, Conv::number},
    {"DURATION", "duration_ms", Take::number, Conv::number},
    {"REQUEST_DURATION", "request_ms", Take::number, Conv::number},
    {"REQUEST_TX_DURATION", "request_tx_ms", Take::number, Conv::number},
    {"RESPONSE_DURATION", "response_ms", Take::number, Conv::number},
    {"RESPONSE_TX_DURATION", "response_tx_ms", Take::number, Conv::number},
    {"UPSTREAM_HOST", "upstream_addr", Take::until, Conv::dash_text},
    {"DOWNSTREAM_REMOTE_ADDRESS", "remote_addr", Take::until, Conv::address},
    {"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "remote_addr", Take::until, Conv::dash_text},
    {"DOWNSTREAM_REMOTE_PORT", "remote_port", Take::number, Conv::number},
};

struct Header {
  std::string_view name, field;
};
constexpr Header kHeaders[] = {{":METHOD", "method"},
                               {":PATH", "path"},
                               {"X-ENVOY-ORIGINAL-PATH", "path"},
                               {":AUTHORITY", "host"},
                               {":SCHEME", "scheme"}};

std::string upper(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
  return out;
}

// X?Y: the header X, else Y. The last one is what it is usually called by.
std::string_view main_header(std::string_view argument) noexcept {
  const size_t mark = argument.rfind('?');
  return mark == std::string_view::npos ? argument : argument.substr(mark + 1);
}

Step header_step(std::string_view argument, std::string_view prefix) {
  const std::string_view header = main_header(argument);
  if (prefix == "http_") {
    for (const Header& known : kHeaders) {
      if (known.name != upper(header)) continue;
      Step step{.name = std::string(known.field), .alias = {}, .conv = Conv::dash_text};
      if (step.name == "path") step.lead = '/';
      return step;
    }
    return request_header(header);
  }
  if (upper(header) == "X-ENVOY-UPSTREAM-SERVICE-TIME") {
    return Step{
        .name = "upstream_duration_ms", .alias = {}, .take = Take::number, .conv = Conv::number};
  }
  return Step{
      .name = std::string(prefix) + header_name(header), .alias = {}, .conv = Conv::dash_text};
}

// Fractions: %3f, %6f, %f; also %Ez.
std::string strptime_of(std::string_view format) {
  std::string out;
  for (size_t i = 0; i < format.size(); ++i) {
    out += format[i];
    if (format[i] != '%' || i + 1 == format.size()) continue;
    size_t p = i + 1;
    while (p < format.size() && (is_digit(format[p]) || format[p] == 'E')) ++p;
    if (p < format.size() && p > i + 1) i = p - 1;
    out += format[++i];
  }
  return out;
}

Result<Step> start_time(std::string_view argument, size_t column) {
  Step step{.name = "ts", .alias = {}, .take = Take::time, .conv = Conv::time};
  if (argument.empty()) return step;
  std::string format = strptime_of(argument);
  if (auto known = check_time_format(format); !known.ok()) {
    return pattern_error(column, known.error().message, "use one of these");
  }
  step.time = shape_of_format(std::move(format));
  return step;
}

Result<Step> operator_step(std::string_view name, std::string_view argument, size_t column) {
  if (name == "START_TIME") return start_time(argument, column);
  if (name == "REQ") return header_step(argument, "http_");
  if (name == "RESP") return header_step(argument, "sent_http_");
  if (name == "TRAILER") return header_step(argument, "trailer_");
  for (const Operator& known : kOperators) {
    if (known.name == name) {
      return Step{
          .name = std::string(known.field), .alias = {}, .take = known.take, .conv = known.conv};
    }
  }
  std::string field = header_name(name);
  for (const char c : argument) field += is_alnum(c) ? static_cast<char>(c | 0x20) : '_';
  return Step{.name = std::move(field), .alias = {}, .conv = Conv::dash_text};
}

bool is_operator_name(std::string_view name) noexcept {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
  });
}

// An operator at `i`; moves behind it.
Result<Step> read_operator(std::string_view text, size_t& i) {
  const size_t column = i + 1;
  size_t p = i + 1;
  while (p < text.size() && (is_alnum(text[p]) || text[p] == '_')) ++p;
  const std::string_view name = text.substr(i + 1, p - i - 1);
  if (!is_operator_name(name)) {
    return pattern_error(column, "a % that begins no operator",
                         "write %OPERATOR%, and %% for a percent sign");
  }
  std::string_view argument;
  if (p < text.size() && text[p] == '(') {
    const size_t close = text.find(')', p);
    if (close == std::string_view::npos) {
      return pattern_error(p + 1, "( without )", "close the parenthesis");
    }
    argument = text.substr(p + 1, close - p - 1);
    p = close + 1;
  }
  if (p < text.size() && text[p] == ':') {
    for (++p; p < text.size() && is_digit(text[p]);) ++p;
  }
  if (p == text.size() || text[p] != '%') {
    return pattern_error(column, "%" + std::string(name) + " without its closing %",
                         "write %" + std::string(name) + "%");
  }
  i = p + 1;
  return operator_step(name, argument, column);
}

}  // namespace

Result<Programs> compile_envoy(std::string_view text) {
  ProgramBuilder builder(false);
  for (size_t i = 0; i < text.size();) {
    if (text.substr(i, 2) == "%%") {
      builder.literal("%");
      i += 2;
    } else if (text.substr(i, 2) == "\\n") {
      builder.literal("\n");
      i += 2;
    } else if (text[i] != '%') {
      builder.literal(text.substr(i++, 1));
    } else {
      const size_t column = i + 1;
      NINES_TRY(Step step, read_operator(text, i));
      builder.field(std::move(step), column);
    }
  }
  NINES_TRY(Program program, builder.finish());
  return Programs{std::move(program)};
}

}  // namespace nines::log
