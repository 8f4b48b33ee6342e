// What one statement may hold. SQLite's own limit (sqlite3_hard_heap_limit64) is of the process,
// and the agent keeps its state in another SQLite of the same process: a query that asks for too
// much must not make the store fail. So SQLite's allocator is wrapped once, and what the calling
// thread allocates counts against the budget that it works under; threads without one are not
// limited.
#pragma once

#include <algorithm>
#include <cstddef>

namespace nines::sql {

// Not thread-safe: one statement, one thread at a time.
class Budget {
 public:
  explicit Budget(size_t limit) : limit_(limit) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  // False: it does not fit, and nothing was taken.
  bool take(size_t bytes) noexcept {
    if (bytes > limit_ || used_ > limit_ - bytes) {
      refused_ = true;
      return false;
    }
    used_ += bytes;
    peak_ = std::max(peak_, used_);
    return true;
  }
  // Whether `bytes` more would leave a share of the budget free for others; takes nothing.
  bool has_room(size_t bytes, size_t reserve) const noexcept {
    return used_ <= limit_ && bytes <= limit_ - used_ && reserve <= limit_ - used_ - bytes;
  }
  void give(size_t bytes) noexcept { used_ -= std::min(bytes, used_); }
  size_t limit() const noexcept { return limit_; }
  size_t used() const noexcept { return used_; }
  size_t peak() const noexcept { return peak_; }
  bool refused() const noexcept { return refused_; }

 private:
  size_t limit_;
  size_t used_ = 0;
  size_t peak_ = 0;
  bool refused_ = false;
};

// While it lives, what SQLite allocates in this thread counts against `budget`.
class HeapScope {
 public:
  explicit HeapScope(Budget& budget) noexcept;
  ~HeapScope();
  HeapScope(const HeapScope&) = delete;
  HeapScope& operator=(const HeapScope&) = delete;

 private:
  Budget* before_;
};

// A changing amount held under a budget (rows of a batch, states of an aggregate).
class Held {
 public:
  explicit Held(Budget& budget) noexcept : budget_(budget) {}
  ~Held() { budget_.give(bytes_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  // False: more than the budget has left; what was held before stays held.
  bool set(size_t bytes) noexcept {
    if (bytes > bytes_ && !budget_.take(bytes - bytes_)) return false;
    if (bytes < bytes_) budget_.give(bytes_ - bytes);
    bytes_ = bytes;
    return true;
  }
  size_t bytes() const noexcept { return bytes_; }

 private:
  Budget& budget_;
  size_t bytes_ = 0;
};

// Wraps SQLite's allocator; only possible before the first use of SQLite in the process, so
// everything here that opens a database calls it first. False: something else was earlier; then
// budgets bound rows and aggregates, but not what SQLite itself sorts.
bool meter_sqlite_heap() noexcept;

}  // namespace nines::sql
