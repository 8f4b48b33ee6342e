// What a query is run with: where its sources are, how long and how large it may become.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/scan.hpp"
#include "nines/query/plan.hpp"

namespace nines::agent::query {

// Counters that others may look at while the query runs.
struct Progress {
  std::atomic<int64_t> bytes_done{0}, bytes_total{0};
  std::atomic<uint64_t> rows{0};
};

struct Nodes;  // query/nodes.hpp

struct Environment {
  const Clock& clock;
  // logs(...): the files that are meant, one reference for each way of reading.
  std::function<Result<std::vector<nines::query::SourceRef>>(const nines::query::SourceRef&)>
      resolve;
  std::string node;
  unsigned threads = 1;
  size_t max_bytes = 64 * 1024 * 1024;
  Instant deadline{INT64_MAX};
  const std::atomic<bool>* stop = nullptr;  // may be null
  const collector::BlockIndex* index = nullptr;
  Progress* progress = nullptr;
  std::function<void()> thread_started;  // in each thread that is made: its priority
  bool drop_cache = false;
  std::span<const RemoteConfig> remotes{};  // what remote('NAME') may name
  uint32_t first_file = 0;                  // Place::file of the first file
  const Nodes* nodes = nullptr;             // who else may be asked; null: nobody
  // Answers questions of incidents; null: nobody watches here. Blocks for some seconds at most.
  std::function<Result<std::string>(std::string_view question)> evidence{};
  const std::atomic<bool>* left =
      nullptr;  // set when nobody wants the answer any more; may be null

  bool stopped() const noexcept {
    const auto is_set = [](const std::atomic<bool>* flag) {
      return flag != nullptr && flag->load(std::memory_order_relaxed);
    };
    return is_set(stop) || is_set(left) || clock.mono() >= deadline;
  }
};

}  // namespace nines::agent::query
