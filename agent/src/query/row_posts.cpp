#include "query/row_posts.hpp"

#include <algorithm>
#include <chrono>

#include "nines/base/json_writer.hpp"

namespace nines::agent::query {

void RowPosts::add(std::string row_json) {
  if (row_json.size() > limits_.queue_bytes - std::min(limits_.queue_bytes, bytes_)) {
    ++stats_.lost;
    return;
  }
  bytes_ += row_json.size();
  rows_.push_back(std::move(row_json));
}

const std::string* RowPosts::begin(Instant now) {
  if (rows_.empty() || now < not_before_) return nullptr;
  if (!batch_.empty()) return &batch_;  // the same again: its key has been seen
  batch_size_ = 0;
  ++batch_number_;
  for (const std::string& row : rows_) {
    const bool full = batch_size_ == limits_.batch_rows ||
                      batch_.size() + row.size() > limits_.batch_bytes;
    if (full && batch_size_ > 0) break;
    if (batch_size_++ > 0) batch_ += ',';
    batch_ += row;
  }
  return &batch_;
}

std::optional<Instant> RowPosts::due() const {
  if (rows_.empty()) return std::nullopt;
  return not_before_;
}

void RowPosts::answered(int status, std::optional<int64_t> retry_after_ms, Instant now) {
  ++stats_.requests;
  if (status >= 200 && status < 300) {
    stats_.sent += batch_size_;
    return next(now);
  }
  if (status >= 400 && status < 500 && status != 408 && status != 429) {
    ++stats_.failures;
    stats_.lost += batch_size_;
    return next(now);
  }
  again(retry_after_ms, now);
}

void RowPosts::failed(Instant now) {
  ++stats_.requests;
  again(std::nullopt, now);
}

void RowPosts::again(std::optional<int64_t> at_least_ms, Instant now) {
  constexpr int kMostDoublings = 20;
  ++stats_.failures;
  const int64_t doubled = limits_.every_ms << std::min(++tries_, kMostDoublings);
  int64_t wait = std::min(doubled, limits_.max_wait_ms);
  if (at_least_ms) wait = std::max(wait, std::min(*at_least_ms, limits_.max_retry_after_ms));
  not_before_ = {now.ns + wait * kNsPerMs};
}

void RowPosts::next(Instant now) {
  for (; batch_size_ > 0; --batch_size_) {
    bytes_ -= rows_.front().size();
    rows_.pop_front();
  }
  batch_.clear();
  tries_ = 0;
  not_before_ = {now.ns + limits_.every_ms * kNsPerMs};
}

PostStats RowPosts::stats() const noexcept {
  PostStats stats = stats_;
  stats.pending = rows_.size();
  return stats;
}

Result<std::unique_ptr<RowPoster>> RowPoster::start(Options options, const Clock& clock) {
  if (const auto url = http::parse_url(options.url); !url.ok()) return url.error();
  return std::unique_ptr<RowPoster>(new RowPoster(std::move(options), clock));
}

RowPoster::RowPoster(Options options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      posts_(options_.limits),
      thread_([this] { run(); }) {}

RowPoster::~RowPoster() { finish(0); }

void RowPoster::add(std::string row_json) {
  {
    const std::lock_guard lock(mutex_);
    posts_.add(std::move(row_json));
  }
  changed_.notify_one();
}

PostStats RowPoster::stats() {
  const std::lock_guard lock(mutex_);
  return posts_.stats();
}

PostStats RowPoster::finish(int64_t grace_ms) {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
    until_ = {clock_.mono().ns + grace_ms * kNsPerMs};
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  PostStats last = posts_.stats();
  last.lost += std::exchange(last.pending, 0);
  return last;
}

void RowPoster::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    const Instant now = clock_.mono();
    const auto due = posts_.due();
    if (over_ && (!due || *due >= until_ || now >= until_)) return;
    if (!due) {
      changed_.wait(lock);
    } else if (now < *due) {
      changed_.wait_for(lock, std::chrono::nanoseconds(due->ns - now.ns));
    } else if (const std::string* rows = posts_.begin(now)) {
      send(lock, *rows);
    }
  }
}

// The batch stays as it is while the lock is not held: only answers change it.
void RowPoster::send(std::unique_lock<std::mutex>& lock, const std::string& rows) {
  http::ClientRequest request;
  request.method = "POST";
  request.url = options_.url;
  request.headers = options_.headers;
  request.headers.emplace_back("Content-Type", "application/json");
  request.headers.emplace_back("Idempotency-Key",
                               options_.name + "/" + std::to_string(posts_.batch_number()));
  request.timeout_ms = options_.timeout_ms;
  if (over_) {
    const int64_t left = (until_.ns - clock_.mono().ns) / kNsPerMs;
    request.timeout_ms = std::clamp<int64_t>(left, 1, request.timeout_ms);
  }
  request.max_response_bytes = 64 * 1024;
  request.ca_file = options_.ca_file;
  request.verify_peer = options_.verify_peer;
  JsonWriter json(request.body);
  json.begin_object();
  json.member("query", options_.query);
  json.member("node", options_.node);
  json.key("rows").raw("[" + rows + "]");
  json.member("lost", posts_.stats().lost);
  json.end_object();
  lock.unlock();
  const auto response = http::fetch(request);
  lock.lock();
  const Instant now = clock_.mono();
  if (response.ok()) {
    posts_.answered(response->status, http::retry_after_ms(*response), now);
  } else {
    posts_.failed(now);
  }
  const bool ok = response.ok() && response->status >= 200 && response->status < 300;
  const bool had_failed = std::exchange(failing_, !ok);
  const bool first = failing_ && !had_failed;
  if (!first || !options_.trouble) return;
  const std::string why = response.ok() ? "it answers " + std::to_string(response->status)
                                        : response.error().message;
  lock.unlock();
  options_.trouble(why);
  lock.lock();
}

}  // namespace nines::agent::query
