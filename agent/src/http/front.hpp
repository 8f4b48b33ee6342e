// The front of the server, before every route: how often a client may ask, what there is (404, 405,
// parameters, by the OpenAPI document), other origins, the files of the page; and behind every
// answer: ETag and 304, gzip, the headers that keep browsers strict.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "http/embedded.hpp"
#include "http/message.hpp"
#include "http/rate_limit.hpp"
#include "nines/base/result.hpp"

namespace nines::agent::http {

struct FrontOptions {
  std::vector<std::string> cors_origins;  // "https://grafana.example.org", or "*"; empty: none
  // Names in Host, beside those that can only be this node (may_be_here). Unset: whatever it says.
  std::optional<std::vector<std::string>> hosts;
  RateLimits rate;
  std::function<Instant()> now;
  std::span<const EmbeddedFile> page = embedded_page();
  std::string_view openapi = embedded_openapi();  // outlives the front
};

struct FrontStats {
  uint64_t requests = 0;
  uint64_t rate_limited = 0;  // answered with 429
  uint64_t forgotten = 0;     // addresses beyond those that are remembered
  uint64_t not_modified = 0;  // answered with 304
  uint64_t compressed = 0;    // answers
  uint64_t bytes_saved = 0;   // by that
  uint64_t refused = 0;       // no such path, method or parameter
};

class Front {
 public:
  static Result<std::unique_ptr<Front>> create(FrontOptions options);
  ~Front();
  // `next` answers what may go on. The Front outlives the handler; both on one thread.
  AsyncHandler before(AsyncHandler next);
  FrontStats stats() const;

 private:
  struct Impl;
  explicit Front(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::agent::http
