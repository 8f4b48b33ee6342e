// The parts of the client that need no socket.
#include <array>
#include <charconv>
#include <string_view>

#include "http/client.hpp"
#include "nines/base/time.hpp"

namespace nines::agent::http {
namespace {

Error bad_url(const std::string& text, const std::string& why) {
  return {Errc::invalid_argument, "'" + text + "' is not a usable URL: " + why};
}

bool is_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port < 65536;
}

std::optional<int> digits(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 IMF-fixdate) as unix seconds.
std::optional<int64_t> parse_http_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kMonths = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  const auto day = digits(text.substr(5, 2)), year = digits(text.substr(12, 4));
  const auto hour = digits(text.substr(17, 2)), minute = digits(text.substr(20, 2)),
             second = digits(text.substr(23, 2));
  if (!day || !year || !hour || !minute || !second) return std::nullopt;
  for (size_t month = 0; month < kMonths.size(); ++month) {
    if (kMonths[month] != text.substr(8, 3)) continue;
    return days_from_civil(*year, static_cast<int>(month) + 1, *day) * 86400 + *hour * 3600 +
           *minute * 60 + *second;
  }
  return std::nullopt;
}

}  // namespace

std::string Url::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? "443" : "80") ? name : name + ":" + port;
}

Result<Url> parse_url(const std::string& text) {
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("https://"))
    url.tls = true;
  else if (!rest.starts_with("http://"))
    return bad_url(text, "it must start with http:// or https://");
  rest.remove_prefix(url.tls ? 8 : 7);
  for (const char c : rest) {
    // A blank or line break would end up in the request line.
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F)
      return bad_url(text, "it has a blank or control character");
  }
  if (rest.find('#') != std::string_view::npos) return bad_url(text, "a #fragment is never sent");
  const size_t slash = rest.find_first_of("/?");
  std::string_view authority = rest.substr(0, slash);
  url.target = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  if (url.target.front() == '?') url.target.insert(0, "/");
  if (authority.find('@') != std::string_view::npos) {
    return bad_url(text, "credentials do not belong into it; use a bearer token");
  }
  const size_t host_end = authority.starts_with('[') ? authority.find(']') : authority.rfind(':');
  if (authority.starts_with('[')) {
    if (host_end == std::string_view::npos) return bad_url(text, "']' is missing");
    url.host = authority.substr(1, host_end - 1);
    authority.remove_prefix(host_end + 1);
  } else {
    url.host = authority.substr(0, host_end);
    authority.remove_prefix(host_end == std::string_view::npos ? authority.size() : host_end);
  }
  url.port = url.tls ? "443" : "80";
  if (!authority.empty()) url.port = authority.substr(1);
  if (url.host.empty()) return bad_url(text, "the host is missing");
  if ((!authority.empty() && authority.front() != ':') || !is_port(url.port)) {
    return bad_url(text, "the port must be a number from 1 to 65535");
  }
  return url;
}

std::optional<int64_t> retry_after_ms(const ClientResponse& response) {
  if (const auto seconds = digits(response.retry_after)) {
    if (*seconds < 0) return std::nullopt;
    return int64_t{*seconds} * 1000;
  }
  const auto until = parse_http_date(response.retry_after), sent = parse_http_date(response.date);
  if (!until || !sent) return std::nullopt;
  return *until > *sent ? (*until - *sent) * 1000 : 0;
}

std::optional<WallTime> date_of(const ClientResponse& response) {
  const auto sent = parse_http_date(response.date);
  if (!sent) return std::nullopt;
  return WallTime::from_s(*sent);
}

}  // namespace nines::agent::http
