// Nodes of a distributed query in one process: each answers on threads of its own over pipes in
// memory, from files of its own.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "query/execute.hpp"
#include "query/node_serve.hpp"
#include "query/nodes.hpp"
#include "query/pipe_stream.hpp"

namespace nines::test {

// Time goes on, the date stands still.
class RunningClock final : public Clock {
 public:
  explicit RunningClock(WallTime wall) : wall_(wall) {}
  Instant mono() const noexcept override {
    return {std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count()};
  }
  WallTime wall() const noexcept override { return wall_; }

 private:
  WallTime wall_;
};

// logs(...) means these files, whatever its name.
inline query::SourceRef files_as(const query::SourceRef& wanted, std::vector<std::string> files,
                                 const std::string& format) {
  query::SourceRef out = wanted;
  out.kind = query::SourceRef::Kind::files;
  out.names = std::move(files);
  if (out.format == "auto") out.format = format;
  return out;
}

inline agent::query::Environment environment_over(const Clock& clock,
                                                  std::vector<std::string> files,
                                                  std::string format, unsigned threads = 1) {
  agent::query::Environment e{clock,       {},      "node",  threads, size_t{64} << 20,
                              {INT64_MAX}, nullptr, nullptr, nullptr, {},
                              false};
  e.resolve = [files = std::move(files), format = std::move(format)](
                  const query::SourceRef& source) -> Result<std::vector<query::SourceRef>> {
    return std::vector<query::SourceRef>{files_as(source, files, format)};
  };
  return e;
}

class NodeWorld {
 public:
  using Serve = std::function<void(stream::ByteStream&)>;

  explicit NodeWorld(const Clock& clock, size_t capacity = size_t{64} * 1024)
      : clock_(clock), capacity_(capacity) {}
  ~NodeWorld() { join(); }
  NodeWorld(const NodeWorld&) = delete;
  NodeWorld& operator=(const NodeWorld&) = delete;

  // A node that answers each connection with `serve`.
  agent::query::NodeLink link(const std::string& name, Serve serve) {
    return {name, [this, name, serve = std::move(serve)](Instant) {
              auto [here, there] = agent::query::make_pipe(clock_, name, capacity_);
              const std::lock_guard lock(mutex_);
              ++connections_;
              threads_.emplace_back([serve, end = std::move(there)] { serve(*end); });
              return Result<std::unique_ptr<stream::ByteStream>>(std::move(here));
            }};
  }
  // One that answers as nodes do.
  agent::query::NodeLink node(const std::string& name, agent::query::Environment environment) {
    return link(name, [environment = std::move(environment)](stream::ByteStream& stream) {
      (void)agent::query::serve_node_query(stream, environment, {true});
    });
  }
  void join() {
    std::vector<std::thread> threads;
    {
      const std::lock_guard lock(mutex_);
      threads.swap(threads_);
    }
    for (std::thread& thread : threads) thread.join();
  }
  size_t connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
  }

 private:
  const Clock& clock_;
  size_t capacity_;
  mutable std::mutex mutex_;
  std::vector<std::thread> threads_;
  size_t connections_ = 0;
};

}  // namespace nines::test
