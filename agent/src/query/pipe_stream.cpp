#include "query/pipe_stream.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>

namespace nines::agent::query {
namespace {

// Clocks of tests stand still: nobody waits longer than this without looking again.
constexpr auto kLookAgain = std::chrono::milliseconds(20);

// What goes in one direction.
struct Way {
  std::string bytes;
  size_t at = 0;
  uint64_t passed = 0;
  size_t waiting() const { return bytes.size() - at; }
};

struct Both {
  explicit Both(const Clock& c, size_t most) : clock(c), capacity(most) {}
  const Clock& clock;
  size_t capacity;
  std::mutex mutex;
  std::condition_variable changed;
  Way ways[2];
  bool closed[2] = {false, false};
};

class PipeEnd final : public stream::ByteStream {
 public:
  PipeEnd(std::shared_ptr<Both> both, int side, std::string where)
      : both_(std::move(both)), side_(side), where_(std::move(where)) {}
  ~PipeEnd() override { close_now(); }

  Result<size_t> read(std::span<char> into, Instant deadline) override {
    std::unique_lock lock(both_->mutex);
    Way& way = both_->ways[1 - side_];
    NINES_CHECK(
        wait(lock, deadline, [&] { return way.waiting() > 0 || both_->closed[1 - side_]; }));
    const size_t n = std::min(into.size(), way.waiting());
    std::memcpy(into.data(), way.bytes.data() + way.at, n);
    way.at += n;
    way.passed += n;
    if (way.waiting() == 0) {
      way.bytes.clear();
      way.at = 0;
    }
    both_->changed.notify_all();
    return n;
  }

  Status write(std::string_view bytes, Instant deadline) override {
    std::unique_lock lock(both_->mutex);
    Way& way = both_->ways[side_];
    while (!bytes.empty()) {
      NINES_CHECK(wait(lock, deadline, [&] {
        return way.waiting() < both_->capacity || both_->closed[1 - side_];
      }));
      if (both_->closed[1 - side_]) {
        return Error{Errc::unavailable, where_ + ": the other end was closed"};
      }
      const size_t n = std::min(bytes.size(), both_->capacity - way.waiting());
      way.bytes.erase(0, way.at);
      way.at = 0;
      way.bytes.append(bytes.substr(0, n));
      bytes.remove_prefix(n);
      both_->changed.notify_all();
    }
    return Ok{};
  }

  void close() override { close_now(); }
  Traffic traffic() const override {
    const std::lock_guard lock(both_->mutex);
    const auto of = [](const Way& way) { return way.passed + way.waiting(); };
    return {of(both_->ways[1 - side_]), of(both_->ways[side_])};
  }
  std::string where() const override { return where_; }

 private:
  void close_now() {
    const std::lock_guard lock(both_->mutex);
    both_->closed[side_] = true;
    both_->changed.notify_all();
  }
  template <class F>
  Status wait(std::unique_lock<std::mutex>& lock, Instant deadline, const F& ready) {
    while (true) {
      if (both_->closed[side_]) return Error{Errc::cancelled, where_ + ": closed"};
      if (ready()) return Ok{};
      if (both_->clock.mono() >= deadline) return Error{Errc::timeout, where_ + ": timed out"};
      both_->changed.wait_for(lock, kLookAgain);
    }
  }

  std::shared_ptr<Both> both_;
  int side_;
  std::string where_;
};

}  // namespace

std::pair<std::unique_ptr<stream::ByteStream>, std::unique_ptr<stream::ByteStream>> make_pipe(
    const Clock& clock, std::string where, size_t capacity) {
  auto both = std::make_shared<Both>(clock, capacity);
  return {std::make_unique<PipeEnd>(both, 0, where),
          std::make_unique<PipeEnd>(both, 1, std::move(where))};
}

}  // namespace nines::agent::query
