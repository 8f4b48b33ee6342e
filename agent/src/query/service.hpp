// QueryService: the running agent's queries. One thread of low priority runs them one after the
// other, so that a query never disturbs counting (law 3); who asks while too many wait is refused.
// Each has a deadline, a limit of memory and of the size of its answer; what is cut is told.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.hpp"
#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/query/plan.hpp"
#include "query/live_answer.hpp"
#include "query/nodes.hpp"
#include "query/output.hpp"
#include "query/peer_queries.hpp"

namespace nines::collector {
class BlockIndex;
}

namespace nines::agent::query {

struct Wish {
  std::string sql;  // or @NAME of a standing query
  WriterOptions writer;
  int64_t deadline_ns = 10 * kNsPerSecond;  // a WITH (deadline=...) may only shorten it
  // Names or globs of nodes to ask: of sources without AT NODES; empty: this node alone.
  std::vector<std::string> nodes{};
  std::vector<NodeLink> links{};  // the other nodes that can be asked
  // Takes the answer while it is made, in place of Answered::text, and ends the query when its
  // reader leaves; may be null.
  std::shared_ptr<LiveAnswer> live{};
};

struct Answered {
  std::string text;  // as Wish::writer wants it
  bool complete = true;
};

struct ServiceLimits {
  size_t max_waiting = 8;
  size_t max_bytes = 16 * 1024 * 1024;        // of the state of one query
  size_t max_answer_bytes = 8 * 1024 * 1024;  // beyond: no more rows, and incomplete
};

// What logs(...) means on a node with this configuration. Errors name the sources there are.
Result<std::vector<nines::query::SourceRef>> resolve_source(const NodeConfig& config,
                                                            const nines::query::SourceRef& source);

class QueryService {
 public:
  // Called on the service's own thread.
  using Done = std::function<void(Result<Answered>)>;

  QueryService(NodeConfig config, ServiceLimits limits, const Clock& clock,
               const collector::BlockIndex* index);
  ~QueryService();  // cancels what runs and what waits; streams of peers are to be closed before

  // Any thread. `done` comes once; at once (exhausted) when too many wait.
  void ask(Wish wish, Done done);

  // Whether it is a statement that an agent may be asked. Any thread.
  Status check(const std::string& sql) const;
  // Whether ask() would begin with it: why not otherwise, as far as that is seen without reading
  // anything. Any thread.
  Status check(const Wish& wish) const;

  // Queries of other nodes, answered within the same limits on a thread of their own; take() from
  // any thread.
  PeerQueries* peers() noexcept;
  // Who answers questions of incidents (Environment::evidence), on the thread of peers(). Any
  // thread; what it uses outlives this.
  void answer_evidence(std::function<Result<std::string>(std::string_view question)> answer);

  struct Stats {
    uint64_t asked = 0, refused = 0, incomplete = 0, failed = 0;
  };
  Stats stats() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::agent::query
