// How scraped endpoints are asked: over the agent's HTTP(S) client.
#pragma once

#include <memory>

#include "nines/collector/metrics_inputs.hpp"

namespace nines::agent {

// Answers before it returns: for --once, where there is nothing else to do.
collector::Fetch blocking_fetch();

// Asks on a thread of its own, which starts with the first request. Destroying it ends what is
// under way; no answer comes afterwards.
class Fetcher {
 public:
  Fetcher();
  ~Fetcher();
  // Valid as long as the fetcher.
  collector::Fetch fetch();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::agent
