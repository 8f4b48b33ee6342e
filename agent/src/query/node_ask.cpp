#include "query/node_ask.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace nines::agent::query {
namespace {

namespace nq = nines::query;

constexpr auto kLookAgain = std::chrono::milliseconds(20);
constexpr size_t kLeastRoom = size_t{128} * 1024;
// Of rows that are merged later: a node may have to wait for all those before it.
constexpr int64_t kPatience = 600 * kNsPerSecond;

Instant after(Instant now, int64_t ns) {
  return {ns > INT64_MAX - now.ns ? INT64_MAX : now.ns + ns};
}

// Whether another connection may do better.
bool may_try_again(const Error& error) {
  return error.code == Errc::unavailable || error.code == Errc::timeout ||
         error.code == Errc::corrupt || error.code == Errc::io;
}

// One node, on one connection.
class Conversation {
 public:
  Conversation(Asking& asking, size_t index)
      : asking_(asking), index_(index), node_(asking.nodes[index]) {}

  Status run() {
    tell(NodeBoard::State::connecting);
    const Instant now = clock().mono();
    auto opened = node_.link.open(std::min(deadline(), after(now, asking_.options.open_ns)));
    if (!opened.ok()) return opened.error();
    stream_ = std::move(*opened);
    if (!enter()) return Error{Errc::cancelled, "stopped"};
    Status done = talk();
    leave(done.ok());
    return done;
  }
  // The node itself said that it cannot answer: asking again is of no use.
  bool is_refused() const { return refused_; }

 private:
  const Clock& clock() const { return asking_.environment.clock; }
  Instant deadline() const { return asking_.environment.deadline; }

  void tell(NodeBoard::State state) {
    if (asking_.board == nullptr) return;
    NodeBoard::Line line{node_.link.node, state, node_.progress.bytes_done,
                         node_.progress.bytes_total, node_.progress.rows};
    asking_.board->set(index_, line);
  }

  bool enter() {
    const std::lock_guard lock(asking_.mutex);
    if (asking_.stopping) return false;
    node_.open = stream_.get();
    return true;
  }
  void leave(bool whole) {
    const auto traffic = stream_->traffic();
    {
      const std::lock_guard lock(asking_.mutex);
      node_.open = nullptr;
      node_.traffic.bytes_in += traffic.bytes_in;
      node_.traffic.bytes_out += traffic.bytes_out;
    }
    if (whole && kept_) stream_->done();
    stream_.reset();  // closes, unless it is kept
  }

  // Leaves the node some time to send what it has by then.
  int64_t time_left() const {
    if (deadline().ns == INT64_MAX) return INT64_MAX;
    const int64_t left = std::max<int64_t>(0, deadline().ns - clock().mono().ns);
    return left - std::min(left / 10, kNsPerSecond);
  }

  Status talk() {
    FrameStream frames(*stream_, stream::kMaxBody);
    nq::NodePlan plan = asking_.plan;
    plan.left_ns = time_left();
    plan.patience_ns = kPatience;
    plan.progress_ns = asking_.options.progress_ns;
    first_file_ = static_cast<uint32_t>(index_) * nq::kFilesANode;
    plan.first_file = first_file_;
    NINES_TRY(const std::string bytes, nq::encode_plan(plan));
    NINES_CHECK(frames.write(NodeMessage::query, bytes, heard_by()));
    while (true) {
      auto frame = frames.read(heard_by());
      if (!frame.ok()) return silence(frame.error());
      NINES_TRY(const bool more, take(frames, *frame));
      if (!more) break;
    }
    kept_ = stream_->can_be_kept() && frames.is_clear() &&
            frames.write(NodeMessage::done, {}, heard_by()).ok();
    return Ok{};
  }

  Instant heard_by() const {
    return std::min(deadline(), after(clock().mono(), asking_.options.silence_ns));
  }
  Error silence(const Error& error) const {
    if (error.code != Errc::timeout) return error;
    if (clock().mono() >= deadline()) {
      return Error{Errc::cancelled, "it was not done at the deadline"};
    }
    return Error{Errc::timeout, "it said nothing for " +
                                    std::to_string(asking_.options.silence_ns / kNsPerMs) + " ms"};
  }

  // False: that was the end.
  Result<bool> take(FrameStream& frames, stream::Frame& frame) {
    const auto type = static_cast<NodeMessage>(frame.type);
    if (type == NodeMessage::error) {
      refused_ = true;
      return decode_error(frame.body);
    }
    if (type == NodeMessage::accepted) {
      NINES_CHECK(accept(frames, frame.body));
      return true;
    }
    if (!accepted_) return Error{Errc::corrupt, "it sent something before it accepted the query"};
    switch (type) {
      case NodeMessage::progress: {
        NINES_TRY(const NodeProgress progress, decode_progress(frame.body));
        note(progress);
        return true;
      }
      case NodeMessage::rows:
      case NodeMessage::state: {
        NINES_TRY(const std::string_view piece, decode_piece(pieces_++, frame.body));
        NINES_CHECK(type == NodeMessage::rows ? take_rows(piece) : take_state(piece));
        return true;
      }
      case NodeMessage::end: NINES_CHECK(finish(frame.body)); return false;
      default: return Error{Errc::corrupt, "a message of unknown kind"};
    }
  }

  Status accept(FrameStream& frames, std::string_view body) {
    NINES_TRY(const NodeAccepted accepted, decode_accepted(body));
    if (accepted_) return Error{Errc::corrupt, "it accepted the query twice"};
    accepted_ = true;
    {
      const std::lock_guard lock(asking_.mutex);
      node_.files = std::max(node_.files.value_or(0), accepted.files);
    }
    asking_.changed.notify_all();
    NodeProgress progress;
    progress.bytes_total = accepted.bytes_total;
    note(progress);
    if (!asking_.plan.waits_for_number) return Ok{};
    NINES_TRY(first_file_, number());
    return frames.write(NodeMessage::number, encode_number(first_file_), heard_by());
  }

  // Once all before it have said how many files they have.
  Result<uint32_t> number() {
    std::unique_lock lock(asking_.mutex);
    const auto known = [&] {
      return std::all_of(asking_.nodes.begin(),
                         asking_.nodes.begin() + static_cast<std::ptrdiff_t>(index_),
                         [](const AskedNode& n) { return n.files || n.over(); });
    };
    while (!known() && !asking_.stopping) asking_.changed.wait_for(lock, kLookAgain);
    if (asking_.stopping) return Error{Errc::cancelled, "stopped"};
    uint64_t files = 0;
    for (size_t i = 0; i < index_; ++i) files += asking_.nodes[i].files.value_or(0);
    return static_cast<uint32_t>(std::min<uint64_t>(files, UINT32_MAX - nq::kFilesANode));
  }

  void note(const NodeProgress& progress) {
    Progress* const all = asking_.environment.progress;
    const std::lock_guard lock(asking_.mutex);
    if (all != nullptr) {
      all->bytes_done += static_cast<int64_t>(progress.bytes_done - node_.progress.bytes_done);
      all->bytes_total += static_cast<int64_t>(progress.bytes_total - node_.progress.bytes_total);
    }
    node_.progress = progress;
    tell(NodeBoard::State::working);
  }

  Status take_rows(std::string_view piece) {
    const auto gives = asking_.plan.gives;
    if (gives == nq::NodePlan::Gives::state) return Error{Errc::corrupt, "rows were not asked for"};
    NINES_TRY(auto rows, nq::DecodedRows::decode(piece, asking_.plan.travels.size(), first_file_));
    if (gives == nq::NodePlan::Gives::rows_by_time && !rows.is_ordered(floor_)) {
      return Error{Errc::corrupt, "rows that are not in the order of time"};
    }
    if (rows.size() == 0) return Ok{};
    floor_ = rows[rows.size() - 1].order;
    std::unique_lock lock(asking_.mutex);
    NINES_CHECK(wait_for_room(lock));
    const size_t bytes = rows.memory_bytes();
    node_.held_bytes += bytes;
    asking_.held_bytes += bytes;
    node_.rows.push_back(std::move(rows));
    rows_ += node_.rows.back().size();
    lock.unlock();
    asking_.changed.notify_all();
    return Ok{};
  }

  Status take_state(std::string_view piece) {
    if (asking_.plan.gives != nq::NodePlan::Gives::state) {
      return Error{Errc::corrupt, "a state was not asked for"};
    }
    std::unique_lock lock(asking_.mutex);
    NINES_CHECK(wait_for_room(lock));
    const uint64_t most = uint64_t{2} * asking_.environment.max_bytes + kLeastRoom;
    if (node_.saved.size() + piece.size() > most) {
      refused_ = true;
      return Error{Errc::exhausted, "its groups need more memory than max_memory allows"};
    }
    node_.saved.append(piece);
    node_.held_bytes += piece.size();
    asking_.held_bytes += piece.size();
    return Ok{};
  }

  Status wait_for_room(std::unique_lock<std::mutex>& lock) {
    while (!asking_.stopping && !asking_.has_room(node_, index_)) {
      asking_.changed.wait_for(lock, kLookAgain);
    }
    return asking_.stopping ? Status(Error{Errc::cancelled, "stopped"}) : Status(Ok{});
  }

  Status finish(std::string_view body) {
    NINES_TRY(Answer end, decode_end(body));
    const bool rows_fit = asking_.plan.gives == nq::NodePlan::Gives::state || end.rows == rows_;
    if (!rows_fit) {
      return Error{Errc::corrupt, "what it sent is not what it says that it sent"};
    }
    NodeProgress progress = node_.progress;
    progress.bytes_done = progress.bytes_total;
    note(progress);
    const std::lock_guard lock(asking_.mutex);
    node_.end = std::move(end);
    return Ok{};
  }

  Asking& asking_;
  size_t index_;
  AskedNode& node_;
  std::unique_ptr<stream::ByteStream> stream_;
  uint32_t first_file_ = 0;
  uint64_t rows_ = 0, pieces_ = 0;
  WallTime floor_{INT64_MIN};
  bool accepted_ = false, refused_ = false;
  bool kept_ = false;  // the node knows that another query may follow
};

void forget(Asking& asking, AskedNode& node) {
  asking.held_bytes -= node.held_bytes;
  node.held_bytes = 0;
  node.rows.clear();
  node.saved.clear();
}

void ask_one(Asking& asking, size_t index) {
  AskedNode& node = asking.nodes[index];
  for (int attempt = 0;; ++attempt) {
    Conversation conversation(asking, index);
    const Status done = conversation.run();
    {
      const std::lock_guard lock(asking.mutex);
      const bool again = !done.ok() && attempt == 0 && !asking.stopping && !node.used &&
                         !conversation.is_refused() && may_try_again(done.error());
      if (again) {
        forget(asking, node);
        continue;
      }
      if (!done.ok()) node.why = done.error().message;
      // A part of a state is of no use.
      if (!done.ok() && asking.plan.gives == nq::NodePlan::Gives::state) forget(asking, node);
      node.state = done.ok() ? AskedNode::State::done : AskedNode::State::failed;
      asking.tell_board(index);
    }
    asking.changed.notify_all();
    return;
  }
}

}  // namespace

bool Asking::has_room(const AskedNode& node, size_t index) const {
  const size_t most = environment.max_bytes;
  if (plan.gives == nq::NodePlan::Gives::state) return index == turn || held_bytes < most;
  const size_t asked = std::min(nodes.size(), options.at_once);
  return node.held_bytes < std::max(kLeastRoom, most / 2 / std::max<size_t>(1, asked));
}

void Asking::tell_board(size_t index) {
  if (board == nullptr) return;
  const AskedNode& node = nodes[index];
  const auto state = node.state == AskedNode::State::done     ? NodeBoard::State::done
                     : node.state == AskedNode::State::failed ? NodeBoard::State::failed
                                                              : NodeBoard::State::waiting;
  board->set(index, {node.link.node, state, node.progress.bytes_done, node.progress.bytes_total,
                     node.progress.rows});
}

void ask_nodes(Asking& asking) {
  while (true) {
    size_t index = 0;
    {
      const std::lock_guard lock(asking.mutex);
      if (asking.stopping || asking.next == asking.nodes.size()) return;
      index = asking.next++;
      asking.nodes[index].state = AskedNode::State::asked;
    }
    ask_one(asking, index);
  }
}

}  // namespace nines::agent::query
