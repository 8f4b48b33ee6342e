// The asking side of a distributed query: every node that a source is meant at runs its part of the
// plan (nines/query/plan_codec.hpp), and what they give is merged here.
//
// The law: the answer is that of one query over the files of all nodes, in the order of the nodes.
// What of a node is missing is told, by name and reason, and such an answer is never complete.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nines/query/plan.hpp"
#include "nines/query/row.hpp"
#include "nines/stream/byte_stream.hpp"
#include "query/answer.hpp"
#include "query/environment.hpp"

namespace nines::agent::query {

// One node that can be asked. `open` is called on a thread of its own, and once more when the first
// connection came to nothing.
struct NodeLink {
  std::string node;
  std::function<Result<std::unique_ptr<stream::ByteStream>>(Instant deadline)> open;
  bool nameless = false;  // who is there is not known (`node` is an address): every glob means it
};

struct NodesOptions {
  // Rows of plain listings come node after node, as if they had been read from one; otherwise as
  // they arrive. Whatever the order matters to (ties, CONTEXT, SQL around it) is always in order.
  bool in_order = false;
  int64_t open_ns = 10 * kNsPerSecond;    // for a connection
  int64_t silence_ns = 5 * kNsPerSecond;  // a node that says nothing for so long is asked again
  int64_t progress_ns = 500 * kNsPerMs;   // how often nodes say how far they are
  size_t at_once = 64;                    // nodes that are asked at the same time; others wait
};

// What each node is doing, for who watches. Thread-safe.
class NodeBoard {
 public:
  enum class State : uint8_t { waiting, connecting, working, done, failed };
  struct Line {
    std::string node;
    State state = State::waiting;
    uint64_t bytes_done = 0, bytes_total = 0, rows = 0;
  };
  void set(size_t i, const Line& line);
  std::vector<Line> lines() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Line> lines_;
};

struct Nodes {
  // The nodes that a source is meant at, in their order; none: it is read here.
  std::function<Result<std::vector<NodeLink>>(const nines::query::SourceRef&)> links;
  NodesOptions options;
  NodeBoard* board = nullptr;  // may be null
};

// Nodes that merge rows by time are all asked at the same time; there are no more than these.
inline constexpr size_t kMostByTime = 256;

// On one thread (with one for each node that is being asked), a piece at a time.
class NodesRun {
 public:
  // All references outlive it. A table of SQLite is the block that works out its columns.
  static Result<std::unique_ptr<NodesRun>> start(const nines::query::Block& block,
                                                 std::vector<NodeLink> links,
                                                 const Environment& environment,
                                                 nines::query::RowSink& out, Answer& answer);
  ~NodesRun();  // what still runs is cancelled at the nodes
  // Waits for some rows and pushes them. False: everything has been pushed.
  bool step();
  // After the last step: errors when no node gave anything, or the rows made an answer impossible.
  Status status() const;

 private:
  struct Impl;
  explicit NodesRun(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The links that a source of this environment is meant at; none: it is read here. Errors: the
// statement names nodes, and there are none of that name.
Result<std::vector<NodeLink>> links_of(const nines::query::SourceRef& source,
                                       const Environment& environment);

// Those of `links` that `names` (globs; "all" and "*" are all; none: all) choose. Errors: not_found
// for a name that fits none.
Result<std::vector<NodeLink>> choose_nodes(const std::vector<NodeLink>& links,
                                           const std::vector<std::string>& names);

}  // namespace nines::agent::query
