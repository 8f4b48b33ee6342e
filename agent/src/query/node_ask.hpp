// What the threads that ask nodes share with the one that merges what they give. All of it is
// guarded by `mutex`.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "nines/query/plan_codec.hpp"
#include "nines/query/row_codec.hpp"
#include "query/node_messages.hpp"
#include "query/nodes.hpp"

namespace nines::agent::query {

// One node, as far as it has been asked.
struct AskedNode {
  enum class State : uint8_t { waiting, asked, done, failed };
  NodeLink link;
  State state = State::waiting;
  stream::ByteStream* open = nullptr;  // to be closed by whoever ends it
  std::deque<nines::query::DecodedRows> rows;
  size_t held_bytes = 0;          // of rows and state
  std::string saved;              // state, so far
  std::optional<uint32_t> files;  // once it has accepted
  bool used = false;              // something of its answer is in the answer
  uint64_t rows_taken = 0;
  std::string why;  // failed
  Answer end;       // done
  stream::ByteStream::Traffic traffic;
  NodeProgress progress;

  bool over() const { return state == State::done || state == State::failed; }
};

struct Asking {
  Asking(const Environment& where, nines::query::NodePlan what)
      : environment(where),
        options(where.nodes->options),
        board(where.nodes->board),
        plan(std::move(what)) {}

  const Environment& environment;
  NodesOptions options;
  NodeBoard* board;
  nines::query::NodePlan plan;

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<AskedNode> nodes;
  size_t next = 0;        // node that nobody asks yet
  size_t turn = 0;        // node whose rows or state come next; those before it are over
  size_t held_bytes = 0;  // of all nodes
  bool stopping = false;

  // What may be held of one node before its thread waits.
  bool has_room(const AskedNode& node, size_t index) const;
  void tell_board(size_t index);
};

// Asks one node after the other until none is left that nobody asks.
void ask_nodes(Asking& asking);

}  // namespace nines::agent::query
