// Rows of a standing query on their way to a webhook, in batches.
//
//   POST {"query":"...","node":"...","rows":[{...},...],"lost":0}
//   Idempotency-Key: what the sender is called, "/" and the number of the batch
//
// At most one request a second. 2xx: told; 408, 429, other than 4xx, and no answer: the same
// batch again, after a wait that doubles up to a minute (Retry-After is kept); any other 4xx: the
// receiver will never take it. Rows beyond the declared size of the queue, and those never taken,
// are lost: `lost` counts them since the start.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "http/client.hpp"
#include "nines/base/result.hpp"
#include "nines/base/time.hpp"

namespace nines::agent::query {

struct PostLimits {
  size_t batch_rows = 500;
  size_t batch_bytes = 256 * 1024;
  size_t queue_bytes = 4 * 1024 * 1024;
  int64_t every_ms = 1000;
  int64_t max_wait_ms = 60'000;
  int64_t max_retry_after_ms = 3'600'000;
};

struct PostStats {
  uint64_t sent = 0, lost = 0;  // rows
  uint64_t requests = 0, failures = 0;
  size_t pending = 0;  // rows
};

// What is sent when: no sockets, no threads; time comes in.
class RowPosts {
 public:
  explicit RowPosts(PostLimits limits) : limits_(limits) {}

  void add(std::string row_json);  // an object
  // Rows of the batch to send now, joined by commas; nullptr: nothing to do, or not yet. Valid
  // until answered() or failed(), one of which must come.
  const std::string* begin(Instant now);
  // When begin() will have something to give; nothing: no row waits.
  std::optional<Instant> due() const;
  void answered(int status, std::optional<int64_t> retry_after_ms, Instant now);
  void failed(Instant now);
  uint64_t batch_number() const noexcept { return batch_number_; }
  PostStats stats() const noexcept;

 private:
  void again(std::optional<int64_t> at_least_ms, Instant now);
  void next(Instant now);

  PostLimits limits_;
  std::deque<std::string> rows_;
  size_t bytes_ = 0;
  std::string batch_;  // empty: none is begun
  size_t batch_size_ = 0;
  uint64_t batch_number_ = 0;
  int tries_ = 0;
  Instant not_before_{INT64_MIN};
  PostStats stats_;
};

// Sends them on a thread of its own.
class RowPoster {
 public:
  struct Options {
    std::string url, query, node, name;  // name: of the sender, in its keys
    std::vector<std::pair<std::string, std::string>> headers;
    std::string ca_file;
    bool verify_peer = true;
    int64_t timeout_ms = 5000;
    PostLimits limits;
    // Called on that thread when a request failed and the one before it had not; may be empty.
    std::function<void(const std::string& why)> trouble;
  };
  // Errors: it is no URL.
  static Result<std::unique_ptr<RowPoster>> start(Options options, const Clock& clock);
  ~RowPoster();  // what waits is lost

  void add(std::string row_json);
  // Sends what waits, for at most about `grace_ms`; the rest counts as lost.
  PostStats finish(int64_t grace_ms);
  PostStats stats();

 private:
  RowPoster(Options options, const Clock& clock);
  void run();
  void send(std::unique_lock<std::mutex>& lock, const std::string& rows);

  const Options options_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  RowPosts posts_;
  bool over_ = false, failing_ = false;
  Instant until_{INT64_MAX};  // over_: no request begins behind it
  std::thread thread_;
};

}  // namespace nines::agent::query
