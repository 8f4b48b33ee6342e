// What a route sees of a request and gives back. No Asio here: handlers are plain functions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nines::agent::http {

// "false" with an answer that lacks something, which its body tells.
inline constexpr const char* kCompleteHeader = "Nines-Complete";

struct HttpRequest {
  std::string method;  // GET or HEAD when a handler sees it; an AsyncHandler sees the others, too
  std::string path;    // decoded, without the query
  std::string query;   // as sent, without '?'
  std::string authorization, body;
  std::string address{};  // of the client, without its port
  // Header fields as they were sent; empty when absent.
  std::string accept{}, accept_encoding{}, if_none_match{}, origin{}, last_event_id{}, host{};
};

// An answer without an end: the connection is its client's until one of the two closes it. On the
// thread of the server.
class Stream {
 public:
  virtual ~Stream() = default;
  // What is to be sent now; empty: nothing yet. nullopt: the stream is over.
  virtual std::optional<std::string> next() = 0;
  // `wake` is called when there may be more. Null: nobody waits any more.
  virtual void on_more(std::function<void()> wake) = 0;
  // Said after a silence, which is how a client that is gone is noticed.
  virtual std::string still_here() { return ": ping\n\n"; }
  virtual int64_t silence_ms(int64_t usual) const { return usual; }
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<Stream> stream{};  // in place of the body

  const std::string* header(std::string_view name) const noexcept;
};

using Handler = std::function<HttpResponse(const HttpRequest&)>;
// May answer later, once, on the thread of the server.
using Reply = std::function<void(HttpResponse)>;
using AsyncHandler = std::function<void(const HttpRequest&, Reply)>;

// RFC 9457: {"type":"about:blank","title":"Not Found","status":404,"detail":"..."}
HttpResponse problem(int status, std::string_view detail);
const char* reason_phrase(int status);
// %XX decoded; false when an escape is broken or decodes to NUL.
bool percent_decode(std::string_view in, std::string& out);
// For a part of a path or a query: all but what RFC 3986 calls unreserved as %XX.
std::string percent_encode(std::string_view text);

}  // namespace nines::agent::http
