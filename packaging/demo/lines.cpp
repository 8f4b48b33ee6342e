#include "lines.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace nines::demo {

namespace {
constexpr std::array<std::string_view, 16> kMethods = {
    "GET", "GET", "GET",  "GET",  "GET",  "GET",  "GET", "GET",
    "GET", "GET", "POST", "POST", "POST", "HEAD", "PUT", "DELETE"};
constexpr std::array<std::string_view, 12> kRoutes = {
    "/",        "/api/v1/orders/", "/api/v1/items/",    "/static/app.js",
    "/cart",    "/healthz",        "/api/v1/search?q=", "/login",
    "/images/", "/checkout/",      "/api/v1/me",        "/favicon.ico"};
constexpr std::array<std::string_view, 6> kAgents = {
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 "
    "Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.4 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:125.0) Gecko/20100101 Firefox/125.0",
    "curl/7.88.1",
    "kube-probe/1.29",
    "Go-http-client/2.0"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr size_t kCriPiece = 16'384;  // what container runtimes split at

std::string_view method(const Request& r) { return kMethods[r.method % kMethods.size()]; }

void number(int64_t value, std::string& out) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, end);
}

void padded(int64_t value, int digits, std::string& out) {
  char text[20];
  for (int i = digits - 1; i >= 0; --i) {
    text[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  out.append(text, static_cast<size_t>(digits));
}

// A whole number of 10^-digits units as a decimal fraction.
void decimal(int64_t value, int digits, std::string& out) {
  int64_t unit = 1;
  for (int i = 0; i < digits; ++i) unit *= 10;
  number(value / unit, out);
  out += '.';
  padded(value % unit, digits, out);
}

void hex(uint64_t value, std::string& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  char text[16];
  for (int i = 15; i >= 0; --i, value >>= 4) text[i] = kDigits[value & 15];
  out.append(text, sizeof text);
}

void path(const Request& r, std::string& out) {
  const auto route = kRoutes[r.route % kRoutes.size()];
  out += route;
  if (route.size() > 1 && (route.back() == '/' || route.back() == '=')) number(r.item, out);
}

std::string_view level(const Request& r) {
  return r.status >= 500 ? "error" : r.status >= 400 ? "warn" : "info";
}

void client(const Request& r, std::string& out) {
  out += r.client & 1 ? "203.0.113." : "10.42.0.";
  number(r.client >> 4, out);
}

struct Civil {
  int64_t year;
  int month, day, hour, minute, second;
};
Civil civil(int64_t unix_s) {
  const int64_t days = unix_s / 86400, rest = unix_s % 86400;
  const int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
  const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
  const int month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  return {yoe + era * 400 + (month <= 2),
          month,
          static_cast<int>(doy - (153 * mp + 2) / 5 + 1),
          static_cast<int>(rest / 3600),
          static_cast<int>(rest / 60 % 60),
          static_cast<int>(rest % 60)};
}
}  // namespace

bool line_format_from_name(std::string_view name, LineFormat& out) {
  constexpr std::array<std::pair<std::string_view, LineFormat>, 6> kNames = {{
      {"nginx", LineFormat::nginx},
      {"json", LineFormat::json},
      {"cri", LineFormat::cri},
      {"logfmt", LineFormat::logfmt},
      {"syslog", LineFormat::syslog},
      {"syslog5424", LineFormat::syslog5424},
  }};
  for (const auto& [text, format] : kNames) {
    if (text == name) {
      out = format;
      return true;
    }
  }
  return false;
}

void LineWriter::refresh(int64_t ts_ns) {
  const int64_t second = ts_ns / kNsPerSecond;
  if (second == second_) return;
  second_ = second;
  const Civil c = civil(second);
  const auto month = kMonths[static_cast<size_t>(c.month - 1)];
  char text[64];
  const int year = static_cast<int>(c.year);
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", year, c.month, c.day, c.hour,
                c.minute, c.second);
  iso_ = text;
  std::snprintf(text, sizeof text, "%02d/%s/%04d:%02d:%02d:%02d +0000", c.day, month.data(), year,
                c.hour, c.minute, c.second);
  clf_ = text;
  std::snprintf(text, sizeof text, "%s %2d %02d:%02d:%02d", month.data(), c.day, c.hour, c.minute,
                c.second);
  bsd_ = text;
}

void LineWriter::append_iso(int64_t ts_ns, int digits, std::string& out) const {
  out += iso_;
  out += '.';
  int64_t fraction = ts_ns % kNsPerSecond;
  for (int i = digits; i < 9; ++i) fraction /= 10;
  padded(fraction, digits, out);
  out += 'Z';
}

void LineWriter::append(const Request& request, std::string& out) {
  refresh(request.ts_ns);
  switch (format_) {
    case LineFormat::nginx: return nginx(request, out);
    case LineFormat::json: return json(request, out);
    case LineFormat::cri: return cri(request, out);
    case LineFormat::logfmt: return logfmt(request, out);
    case LineFormat::syslog: return syslog(request, out);
    case LineFormat::syslog5424: return syslog5424(request, out);
  }
}

void LineWriter::append_malformed(const Request& request, std::string& out) const {
  // Half a record, as a full disk or a crash leaves it.
  out += format_ == LineFormat::json ? "{\"time\":\"20" : "-- MARK -- ";
  hex(request.id, out);
  out += '\n';
}

void LineWriter::nginx(const Request& r, std::string& out) const {
  client(r, out);
  out += " - - [";
  out += clf_;
  out += "] \"";
  out += method(r);
  out += ' ';
  path(r, out);
  out += " HTTP/1.1\" ";
  number(r.status, out);
  out += ' ';
  number(r.bytes, out);
  out += r.item & 1 ? " \"-\" \"" : " \"https://shop.example/\" \"";
  out += kAgents[r.agent % kAgents.size()];
  out += "\" ";
  decimal(r.duration_us / 1000, 3, out);
  out += '\n';
}

void LineWriter::append_message(const Request& r, std::string& out) const {
  out += r.status >= 500 ? "request failed: upstream timed out" : "request done";
}

void LineWriter::json(const Request& r, std::string& out) const {
  out += R"({"time":")";
  append_iso(r.ts_ns, 3, out);
  out += R"(","level":")";
  out += level(r);
  out += R"(","service":")";
  out += service_;
  out += R"(","msg":")";
  append_message(r, out);
  out += R"(","http":{"method":")";
  out += method(r);
  out += R"(","route":")";
  path(r, out);
  out += R"("},"status":)";
  number(r.status, out);
  out += R"(,"duration_ms":)";
  decimal(r.duration_us, 3, out);
  out += R"(,"bytes":)";
  number(r.bytes, out);
  out += R"(,"user":"u\u002d)";
  number(r.client, out);
  out += R"(","request_id":")";
  hex(r.id, out);
  out += "\"}\n";
}

void LineWriter::cri(const Request& r, std::string& out) {
  scratch_.clear();
  json(r, scratch_);
  scratch_.pop_back();
  // One in a thousand failures carries a stack trace that the runtime has to split.
  if (r.status >= 500 && r.id % 50 == 0) {
    scratch_.pop_back();
    scratch_ += R"(,"stack":")";
    for (int i = 0; i < 900; ++i) scratch_ += R"(at shop.Orders.place(Orders.java:42)\n)";
    scratch_ += "\"}";
  }
  std::string_view rest = scratch_;
  while (true) {
    const auto piece = rest.substr(0, kCriPiece);
    rest.remove_prefix(piece.size());
    append_iso(r.ts_ns, 9, out);
    out += r.status >= 500 ? " stderr " : " stdout ";
    out += rest.empty() ? "F " : "P ";
    out += piece;
    out += '\n';
    if (rest.empty()) return;
  }
}

void LineWriter::logfmt(const Request& r, std::string& out) const {
  out += "time=";
  append_iso(r.ts_ns, 3, out);
  out += " level=";
  out += level(r);
  out += " msg=\"";
  append_message(r, out);
  out += "\" method=";
  out += method(r);
  out += " path=\"";
  path(r, out);
  out += "\" status=";
  number(r.status, out);
  out += " duration_ms=";
  decimal(r.duration_us, 3, out);
  out += " request_id=";
  hex(r.id, out);
  out += '\n';
}

void LineWriter::syslog(const Request& r, std::string& out) const {
  out += bsd_;
  out += " pi ";
  out += service_;
  out += '[';
  number(400 + r.client, out);
  out += "]: ";
  out += level(r);
  out += ": ";
  append_message(r, out);
  out += " id=";
  hex(r.id, out);
  out += '\n';
}

void LineWriter::syslog5424(const Request& r, std::string& out) const {
  out += r.status >= 500 ? "<131>1 " : r.status >= 400 ? "<132>1 " : "<134>1 ";
  append_iso(r.ts_ns, 6, out);
  out += " pi ";
  out += service_;
  out += " 412 REQ [http@32473 status=\"";
  number(r.status, out);
  out += "\"] ";
  append_message(r, out);
  out += '\n';
}

}  // namespace nines::demo
