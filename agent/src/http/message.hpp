// What a route sees of a request and gives back. No Asio here: handlers are plain functions.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nines::agent::http {

// "false" with an answer that lacks something, which its body tells.
inline constexpr const char* kCompleteHeader = "Nines-Complete";

struct HttpRequest {
  std::string method;  // GET or HEAD when a handler sees it; POST too for an AsyncHandler
  std::string path;    // decoded, without the query
  std::string query;   // as sent, without '?'
  std::string authorization, body;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

using Handler = std::function<HttpResponse(const HttpRequest&)>;
// May answer later, once, on the thread of the server.
using Reply = std::function<void(HttpResponse)>;
using AsyncHandler = std::function<void(const HttpRequest&, Reply)>;

// {"error":{"status":404,"message":"..."}}
HttpResponse json_error(int status, std::string_view message);
const char* reason_phrase(int status);
// %XX decoded; false when an escape is broken or decodes to NUL.
bool percent_decode(std::string_view in, std::string& out);
// For a part of a path or a query: all but what RFC 3986 calls unreserved as %XX.
std::string percent_encode(std::string_view text);

}  // namespace nines::agent::http
