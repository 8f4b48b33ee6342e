// Access logs: the common and the combined format of nginx and Apache.
//
//   host ident user [21/Nov/2026:01:35:51 +0100] "GET /a?b HTTP/1.1" 200 1234 "referer" "agent"
//   0.123
//
// `path` is the request target as sent, query string included. Text keeps its escapes (\" of
// Apache, \x22 of nginx). `message` is the request line. "-" is null.
// duration_ms: the first figure behind the quoted strings, or `rt=`/`request_time=`, quoted or
// not; times of upstreams behind it are ignored. With a point it is seconds (nginx $request_time),
// without one microseconds (Apache %D); an integer just before a figure with a point is the
// request length of ingress-nginx and skipped; a trailing "12ms" (Traefik) is itself.
#include "log/access.hpp"
#include "log/number.hpp"
#include "log/parsers.hpp"
#include "log/scan.hpp"
#include "log/time_scan.hpp"

namespace nines::log {
namespace {

enum Field : int {
  kTs,
  kMessage,
  kRemoteAddr,
  kUser,
  kMethod,
  kPath,
  kProtocol,
  kStatus,
  kBytes,
  kReferer,
  kUserAgent,
  kDuration,
  kRaw,
};
// In the order of ids: parse_all lists them so.
constexpr FieldName kNames[] = {
    {"ts", kTs},
    {"message", kMessage},
    {"remote_addr", kRemoteAddr},
    {"user", kUser},
    {"method", kMethod},
    {"path", kPath},
    {"protocol", kProtocol},
    {"status", kStatus},
    {"bytes", kBytes},
    {"referer", kReferer},
    {"user_agent", kUserAgent},
    {"duration_ms", kDuration},
    {"remote_user", kUser},
    {"request", kMessage},
    {"raw", kRaw},
};
constexpr std::span<const FieldName> kListed(kNames, kDuration + 1);

// Digits with at most one point to milliseconds, exactly. Null when it is something else.
Value duration_of(std::string_view text) noexcept {
  int64_t mantissa = 0;
  int fraction = -1;
  if (text.empty() || text.size() > 18 || !is_digit(text.front())) return Value::null();
  for (const char c : text) {
    if (is_digit(c)) {
      mantissa = mantissa * 10 + (c - '0');
      if (fraction >= 0) ++fraction;
    } else if (c == '.' && fraction < 0) {
      fraction = 0;
    } else {
      return Value::null();
    }
  }
  if (fraction < 0) return Value::of_decimal(mantissa, mantissa == 0 ? 0 : -3);
  int exponent = 3 - fraction;
  for (; exponent > 0 && mantissa < INT64_MAX / 10; --exponent) mantissa *= 10;
  return Value::of_decimal(mantissa, mantissa == 0 ? 0 : exponent);
}

bool has_point(std::string_view text) noexcept { return text.find('.') != std::string_view::npos; }

// The next blank-separated token behind the request, quotes removed; false at the end.
bool next_token(const char*& p, const char* end, std::string_view& token) noexcept {
  while (p != end && (*p == ' ' || *p == ',')) ++p;
  if (p == end) return false;
  if (*p == '"') {
    const char* close = find_byte(p + 1, end, '"');
    token = between(p + 1, close);
    p = close == end ? end : close + 1;
    return true;
  }
  const char* stop = p;
  while (stop != end && *stop != ' ' && *stop != ',') ++stop;
  token = between(p, stop);
  p = stop;
  return true;
}

// The value of `key="1.0"` or key=1.0; empty when the token has another key.
bool strip_key(std::string_view& token) noexcept {
  const size_t equals = token.find('=');
  if (equals == std::string_view::npos) return true;
  const std::string_view key = token.substr(0, equals);
  if (key != "rt" && key != "request_time") return false;
  token.remove_prefix(equals + 1);
  if (!token.empty() && token.front() == '"') token.remove_prefix(1);
  if (!token.empty() && token.back() == '"') token.remove_suffix(1);
  return true;
}

Value trailing_duration(const char* p, const char* end) noexcept {
  std::string_view token;
  if (end - p > 2 && end[-1] == 's' && end[-2] == 'm') {
    const char* start = end;
    while (start != p && start[-1] != ' ') --start;
    const Value ms = number_value(between(start, end - 2));
    if (ms.kind == ValueKind::number && is_digit(*start)) return ms;
  }
  Value integer;
  while (next_token(p, end, token)) {
    const bool keyed = token.find('=') != std::string_view::npos;
    if (!strip_key(token)) continue;
    const Value duration = duration_of(token);
    if (!integer.is_null()) {
      // A length, then the time; otherwise the integer was the time.
      return !duration.is_null() && has_point(token) ? duration : integer;
    }
    if (duration.is_null()) continue;
    if (keyed || has_point(token)) return duration;
    integer = duration;
  }
  return integer;
}

class CombinedParser final : public LineParser {
 public:
  CombinedParser(Wanted wanted, const TimeContext& time)
      : map_(wanted, kNames), time_(time), all_(&make_combined, kListed) {
    wants_head_ = map_.wants(kRemoteAddr) || map_.wants(kUser);
    wants_request_ = map_.wants(kMethod) || map_.wants(kPath) || map_.wants(kProtocol);
    wants_quoted_ = map_.wants(kReferer) || map_.wants(kUserAgent);
  }

  ParseOutcome parse(std::string_view line, ParsedRecord& out) noexcept override {
    map_.clear(out.fields);
    out.has_ts = false;
    map_.set(out.fields, kRaw, Value::of_text(line));
    line = trim_right(line);
    const ParseOutcome outcome = line.empty() ? ParseOutcome::empty : parse_line(line, out);
    map_.finish(out.fields);
    return outcome;
  }

  ParseOutcome parse_all(std::string_view line, WallTime& ts, bool& has_ts,
                         std::vector<NamedValue>& out) override {
    return all_.parse(line, time_, ts, has_ts, out);
  }
  void set_reference(WallTime now) noexcept override { time_.reference = now; }

 private:
  ParseOutcome parse_line(std::string_view line, ParsedRecord& out) noexcept {
    const char* const begin = line.data();
    const char* const end = begin + line.size();
    const char* open = nullptr;
    const char* request = nullptr;
    if (!find_time(begin, end, open, request)) return ParseOutcome::no_match;
    const char* close = closing_quote(request, end);
    const char* status = close + 2;
    if (end - close < 5 || close[1] != ' ' || !is_digit(status[0]) || !is_digit(status[1]) ||
        !is_digit(status[2]) || (end - status > 3 && status[3] != ' ')) {
      return ParseOutcome::no_match;
    }
    std::span<Value> fields = out.fields;
    out.has_ts = time_.wanted && request - open == 30 && clf_.parse(open + 1, out.ts);
    if (map_.wants(kTs) && out.has_ts) map_.set(fields, kTs, Value::of_time(out.ts.ns));
    if (map_.wants(kStatus)) {
      const int code = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
      map_.set(fields, kStatus, Value::of_int(code));
    }
    if (wants_head_) head(begin, open, fields);
    if (map_.wants(kMessage)) map_.set(fields, kMessage, text_or_null(between(request, close)));
    if (wants_request_) split_request(request, close, fields);
    if (map_.wants(kBytes) || wants_quoted_ || map_.wants(kDuration)) tail(status + 3, end, fields);
    return out.has_ts || !time_.wanted ? ParseOutcome::ok : ParseOutcome::bad_time;
  }

  // The '[' of `[time] "`; `request` is behind the opening quote. User names may hold brackets.
  // Both looks are bounded, so that hostile lines cost no more than long ones.
  static constexpr ptrdiff_t kMaxHead = 1024;
  static constexpr ptrdiff_t kMaxTime = 64;
  static bool find_time(const char* begin, const char* end, const char*& open,
                        const char*& request) noexcept {
    const char* const limit = end - begin > kMaxHead ? begin + kMaxHead : end;
    for (open = find_byte(begin, limit, '['); open != limit;
         open = find_byte(open + 1, limit, '[')) {
      if (end - open > 30 && open[27] == ']' && open[28] == ' ' && open[29] == '"') {
        request = open + 30;
        return true;
      }
    }
    // A damaged time stamp is still one.
    for (open = find_byte(begin, limit, '['); open != limit;
         open = find_byte(open + 1, limit, '[')) {
      const char* close = find_byte(open, end - open > kMaxTime ? open + kMaxTime : end, ']');
      if (end - close > 3 && *close == ']' && close[1] == ' ' && close[2] == '"') {
        request = close + 3;
        return true;
      }
    }
    return false;
  }

  void head(const char* begin, const char* open, std::span<Value> fields) const noexcept {
    const char* space = find_byte(begin, open, ' ');
    map_.set(fields, kRemoteAddr, text_or_null(between(begin, space)));
    if (!map_.wants(kUser) || space == open) return;
    const char* ident_end = find_byte(space + 1, open, ' ');
    if (ident_end == open) return;
    map_.set(fields, kUser, text_or_null(trim_right(between(ident_end + 1, open))));
  }

  void split_request(const char* p, const char* close, std::span<Value> fields) const noexcept {
    const RequestLine request = split_request_line(p, close);
    map_.set(fields, kMethod, request.method);
    map_.set(fields, kPath, request.path);
    map_.set(fields, kProtocol, request.protocol);
  }

  void tail(const char* p, const char* end, std::span<Value> fields) const noexcept {
    if (p == end) return;
    ++p;  // the blank behind the status
    const char* bytes = p;
    while (p != end && *p != ' ') ++p;
    if (map_.wants(kBytes)) map_.set(fields, kBytes, integer_value(between(bytes, p)));
    const bool settled = quick_duration(p, end, fields);
    if (settled && !wants_quoted_) return;
    if (end - p > 1 && p[1] == '"') p = quoted(p + 2, end, kReferer, fields);
    if (end - p > 1 && p[1] == '"') p = quoted(p + 2, end, kUserAgent, fields);
    if (!settled) map_.set(fields, kDuration, trailing_duration(p, end));
  }

  // `... "agent" 0.123` at the very end needs no look at what stands before. True: settled.
  bool quick_duration(const char* p, const char* end, std::span<Value> fields) const noexcept {
    if (!map_.wants(kDuration) || p == end) return true;
    const char* start = end;
    while (start - p > 2 && (is_digit(start[-1]) || start[-1] == '.')) --start;
    if (start == end || start - p <= 2 || start[-1] != ' ' || start[-2] != '"') return false;
    const Value duration = duration_of(between(start, end));
    if (duration.is_null()) return false;
    map_.set(fields, kDuration, duration);
    return true;
  }

  // `p` is behind an opening quote; returns the place behind the closing one.
  const char* quoted(const char* p, const char* end, int id,
                     std::span<Value> fields) const noexcept {
    const char* close = closing_quote(p, end);
    map_.set(fields, id, text_or_null(between(p, close)));
    return close == end ? end : close + 1;
  }

  FieldMap map_;
  TimeContext time_;
  AllFields all_;
  ClfCache clf_;
  bool wants_head_;
  bool wants_request_;
  bool wants_quoted_;
};

}  // namespace

std::unique_ptr<LineParser> make_combined(Wanted wanted, const TimeContext& time) {
  return std::make_unique<CombinedParser>(wanted, time);
}

}  // namespace nines::log
