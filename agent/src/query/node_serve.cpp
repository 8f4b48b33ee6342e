#include "query/node_serve.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "cli/commands.hpp"
#include "nines/query/plan_codec.hpp"
#include "nines/query/row_codec.hpp"
#include "query/block_run.hpp"
#include "query/feed.hpp"
#include "query/node_messages.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;

constexpr int64_t kFirstFrame = 10 * kNsPerSecond;  // from the connection to the plan
constexpr int64_t kTick = 100 * kNsPerMs;
constexpr int64_t kMostPatience = 3600 * kNsPerSecond;
constexpr size_t kRowsBytes = nq::kMostRowsBytes - 64;  // a frame of rows, unless it is one
constexpr size_t kStateBytes = size_t{256} * 1024;      // a frame of a state
// Around the text of a value, and the head of a row.
constexpr size_t kValueBytes = 24;
constexpr size_t kHeadBytes = 32;  // of a frame of rows

Instant after(Instant now, int64_t ns) {
  return {ns > INT64_MAX - now.ns ? INT64_MAX : now.ns + ns};
}

size_t most_bytes(const nq::Row& row) {
  size_t bytes = kValueBytes * (2 + row.values.size());
  for (const Value& value : row.values) bytes += value.text.size();
  return bytes;
}

// Sends what a query gives; whoever writes waits while the other side does not read.
class Sender {
 public:
  Sender(FrameStream& frames, const Clock& clock, int64_t patience_ns)
      : frames_(frames), clock_(clock), patience_ns_(std::min(patience_ns, kMostPatience)) {}

  Status send(NodeMessage type, std::string_view body) {
    return frames_.write(type, body, after(clock_.mono(), patience_ns_));
  }
  // Of the answer: numbered, so that none can be missing. One thread at a time.
  Status send_piece(NodeMessage type, std::string_view piece) {
    return send(type, encode_piece(pieces_++, piece));
  }

 private:
  FrameStream& frames_;
  const Clock& clock_;
  int64_t patience_ns_;
  uint64_t pieces_ = 0;
};

// Rows in frames. Any thread may flush.
class RowsOut final : public nq::RowSink, public OrderedSink {
 public:
  RowsOut(Sender& sender, std::vector<bool> travels)
      : sender_(sender), encoder_(std::move(travels)) {}

  bool take(const nq::Row& row) override {
    if (row.has_ts) last_ = row.ts;  // one thread at a time
    return take(row, last_);
  }
  bool take(const nq::Row& row, WallTime order) override {
    const std::lock_guard lock(mutex_);
    if (!status_.ok()) return false;
    const size_t bytes = most_bytes(row);
    if (bytes + kHeadBytes > stream::kMaxBody) {
      status_ = Error{Errc::exhausted, "a row of " + std::to_string(bytes) +
                                           " bytes is too large to be sent; select fewer columns"};
      return false;
    }
    if (encoder_.bytes() + bytes > kRowsBytes) send();
    if (!status_.ok()) return false;
    encoder_.add(row, order);
    ++rows_;
    return true;
  }

  Status flush() {
    const std::lock_guard lock(mutex_);
    send();
    return status_;
  }
  // What waits goes out, unless somebody is at it.
  void flush_if_idle() {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock.owns_lock()) send();
  }
  uint64_t rows() const { return rows_.load(); }

 private:
  void send() {
    if (!status_.ok() || encoder_.rows() == 0) return;
    status_ = sender_.send_piece(NodeMessage::rows, encoder_.take());
  }

  Sender& sender_;
  WallTime last_{};
  std::mutex mutex_;
  nq::RowEncoder encoder_;
  Status status_ = Ok{};
  std::atomic<uint64_t> rows_{0};
};

// Listens to the other side while the query runs: anything from there ends it. Sends progress, and
// rows that have waited.
class Companion {
 public:
  Companion(FrameStream& frames, Sender& sender, RowsOut& rows, const Environment& outer,
            Progress& progress, int64_t progress_ns)
      : frames_(frames),
        sender_(sender),
        rows_(rows),
        outer_(outer),
        progress_(progress),
        progress_ns_(std::max(progress_ns, kTick)),
        listener_([this] { listen(); }),
        teller_([this] { tell(); }) {}
  // The other side closes once it has everything; until then nobody else does.
  ~Companion() { join(); }
  Companion(const Companion&) = delete;
  Companion& operator=(const Companion&) = delete;

  const std::atomic<bool>& stop() const { return stop_; }
  bool is_left() const { return left_; }
  // Behind the last frame of the answer: waits until the other side has closed, or has said that
  // another query may follow (true).
  bool is_done() {
    join();
    return done_;
  }
  void expect_end() { ending_ = true; }

 private:
  void join() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_all();
    if (teller_.joinable()) teller_.join();
    if (listener_.joinable()) listener_.join();
  }

  void listen() {
    while (true) {
      const auto frame = frames_.read(after(outer_.clock.mono(), kTick));
      const bool timed_out = !frame.ok() && frame.error().code == Errc::timeout;
      if (frame.ok() && frame->type == static_cast<uint8_t>(NodeMessage::done) && ending_ &&
          frames_.is_clear()) {
        done_ = true;
        return;
      }
      if (!timed_out) break;
      const std::lock_guard lock(mutex_);
      if (over_) return;
      if (outer_.stopped()) stop_ = true;
    }
    left_ = true;
    stop_ = true;
  }

  void tell() {
    std::unique_lock lock(mutex_);
    Instant due = after(outer_.clock.mono(), progress_ns_);
    while (!ended_.wait_for(lock, std::chrono::nanoseconds(kTick), [this] { return over_; })) {
      if (left_) return;
      rows_.flush_if_idle();
      if (outer_.clock.mono() < due) continue;
      due = after(outer_.clock.mono(), progress_ns_);
      const NodeProgress progress{static_cast<uint64_t>(progress_.bytes_done.load()),
                                  static_cast<uint64_t>(progress_.bytes_total.load()),
                                  rows_.rows()};
      lock.unlock();
      const bool told = sender_.send(NodeMessage::progress, encode(progress)).ok();
      lock.lock();
      if (!told) {
        stop_ = true;
        return;
      }
    }
  }

  FrameStream& frames_;
  Sender& sender_;
  RowsOut& rows_;
  const Environment& outer_;
  Progress& progress_;
  int64_t progress_ns_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::atomic<bool> stop_{false}, left_{false};
  std::atomic<bool> ending_{false}, done_{false};  // the end is sent, and answered
  std::thread listener_, teller_;
};

class Serving {
 public:
  Serving(stream::ByteStream& stream, const Environment& environment, const NodeRights& rights)
      : stream_(stream), frames_(stream, nq::kMaxPlanBytes), outer_(environment), rights_(rights) {}

  Status run() {
    const auto first = frames_.read(after(outer_.clock.mono(), kFirstFrame));
    if (!first.ok()) return refuse(first.error());
    if (first->type == static_cast<uint8_t>(NodeMessage::evidence)) {
      const Status told = tell_evidence(first->body);
      return told.ok() ? told : refuse(told.error());
    }
    auto plan = read_plan(*first);
    if (!plan.ok()) return refuse(plan.error());
    const Status done = answer(*plan);
    if (done_) stream_.done();
    return done.ok() ? done : refuse(done.error());
  }

 private:
  Status tell_evidence(std::string_view question) {
    if (!outer_.evidence) return Error{Errc::unsupported, "nothing is watched for incidents here"};
    NINES_TRY(const std::string answer, outer_.evidence(question));
    Sender sender(frames_, outer_.clock, kFirstFrame);
    const std::string_view all = answer;
    for (size_t at = 0; at < all.size(); at += kStateBytes) {
      NINES_CHECK(sender.send_piece(NodeMessage::state, all.substr(at, kStateBytes)));
    }
    return sender.send(NodeMessage::end, {});
  }

  Result<nq::NodePlan> read_plan(const stream::Frame& frame) {
    if (frame.type != static_cast<uint8_t>(NodeMessage::query)) {
      return Error{Errc::corrupt, "a connection must begin with a query"};
    }
    NINES_TRY(auto plan, nq::decode_plan(frame.body));
    if (plan.block.source.kind == nq::SourceRef::Kind::files && !rights_.files) {
      return Error{Errc::unsupported,
                   "an agent is asked for logs('NAME'), the sources of its nines.yaml; files(...) "
                   "of other nodes are read with --ssh"};
    }
    const auto& names = plan.block.source.names;
    if (std::find(names.begin(), names.end(), "-") != names.end()) {
      return Error{Errc::unsupported, "other nodes have no standard input to read"};
    }
    return plan;
  }

  // As far as somebody listens.
  Status refuse(const Error& error) {
    const bool gone = error.code == Errc::cancelled;
    if (!gone) {
      (void)frames_.write(NodeMessage::error, encode_error(error),
                          after(outer_.clock.mono(), kFirstFrame));
    }
    return error;
  }

  Status accept(nq::NodePlan& plan, const std::vector<FileGroup>& groups, Environment& inner) {
    NodeAccepted accepted;
    accepted.node = outer_.node;
    accepted.version = kVersion;
    size_t files = 0;
    for (const FileGroup& group : groups) files += group.files.size();
    if (files >= nq::kFilesANode) {
      return Error{Errc::exhausted, std::to_string(files) + " files are more than a query takes"};
    }
    accepted.files = static_cast<uint32_t>(files);
    accepted.bytes_total = static_cast<uint64_t>(stored_bytes(groups));
    inner.progress->bytes_total = static_cast<int64_t>(accepted.bytes_total);
    const int64_t patience = std::min(plan.patience_ns, kMostPatience);
    NINES_CHECK(frames_.write(NodeMessage::accepted, encode(accepted),
                              after(outer_.clock.mono(), patience)));
    inner.first_file = plan.first_file;
    if (!plan.waits_for_number) return Ok{};
    NINES_TRY(const auto frame,
              frames_.read(std::min(after(outer_.clock.mono(), patience), inner.deadline)));
    if (frame.type != static_cast<uint8_t>(NodeMessage::number)) {
      return Error{Errc::corrupt, "the number of the first file was expected"};
    }
    NINES_TRY(inner.first_file, decode_number(frame.body));
    return Ok{};
  }

  Status answer(nq::NodePlan& plan) {
    Progress progress;
    Environment inner = outer_;
    inner.nodes = nullptr;
    inner.progress = &progress;
    inner.max_bytes = static_cast<size_t>(std::min<uint64_t>(inner.max_bytes, plan.max_bytes));
    inner.deadline = std::min(inner.deadline, after(inner.clock.mono(), plan.left_ns));
    inner.first_file = plan.first_file;
    NINES_TRY(const auto groups, find_sources(plan.block.source, inner));
    NINES_CHECK(accept(plan, groups, inner));
    Sender sender(frames_, inner.clock, plan.patience_ns);
    RowsOut rows(sender, plan.travels);
    Environment watched = inner;  // its deadline is seen by the companion, too
    Companion companion(frames_, sender, rows, watched, progress, plan.progress_ns);
    inner.stop = &companion.stop();
    Answer told;
    NINES_CHECK(work(plan, inner, sender, rows, told));
    if (companion.is_left()) return Error{Errc::cancelled, "nobody wants the answer any more"};
    if (inner.clock.mono() >= inner.deadline) {
      told.incomplete("the deadline was reached; what had been read by then is here");
    } else if (companion.stop()) {
      told.incomplete("stopped; what had been read by then is here");
    }
    told.rows = rows.rows();
    companion.expect_end();
    NINES_CHECK(sender.send(NodeMessage::end, encode_end(told)));
    done_ = companion.is_done();
    return Ok{};
  }

  static Status work(const nq::NodePlan& plan, const Environment& inner, Sender& sender,
                     RowsOut& rows, Answer& told) {
    switch (plan.gives) {
      case nq::NodePlan::Gives::rows:
        NINES_CHECK(run_block(plan.block, inner, rows, told));
        return rows.flush();
      case nq::NodePlan::Gives::rows_by_time:
        NINES_CHECK(run_block_by_time(plan.block, inner, rows, told));
        return rows.flush();
      case nq::NodePlan::Gives::state: break;
    }
    std::string state;
    NINES_CHECK(run_block_to_state(plan.block, inner, state, told));
    const std::string_view all = state;
    for (size_t at = 0; at < all.size(); at += kStateBytes) {
      NINES_CHECK(sender.send_piece(NodeMessage::state, all.substr(at, kStateBytes)));
    }
    return Ok{};
  }

  stream::ByteStream& stream_;
  FrameStream frames_;
  const Environment& outer_;
  const NodeRights& rights_;
  bool done_ = false;  // another query may follow on what carries the stream
};

}  // namespace

Status serve_node_query(stream::ByteStream& stream, const Environment& environment,
                        const NodeRights& rights) {
  return Serving(stream, environment, rights).run();
}

}  // namespace nines::agent::query
