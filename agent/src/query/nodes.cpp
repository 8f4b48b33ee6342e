#include "query/nodes.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <chrono>
#include <queue>
#include <thread>
#include <utility>

#include "nines/query/pipeline.hpp"
#include "query/node_ask.hpp"
#include "query/threads.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;
using State = AskedNode::State;

constexpr auto kLookAgain = std::chrono::milliseconds(20);

// Whether the sink downstream still wants rows.
class Gate final : public nq::RowSink {
 public:
  explicit Gate(nq::RowSink& out) : out_(out) {}
  bool take(const nq::Row& row) override { return open_ = open_ && out_.take(row); }
  bool open() const noexcept { return open_; }

 private:
  nq::RowSink& out_;
  bool open_ = true;
};

// Rows of one node on their way into the merge by time.
struct TimeLane {
  std::deque<nq::DecodedRows> rows;
  size_t at = 0;
  bool ready = false;  // its next row is in the queue
};
struct Next {
  WallTime order;
  nq::Place place;
  size_t node = 0;
  friend bool operator>(const Next& a, const Next& b) {
    return std::tie(a.order, a.node, a.place) > std::tie(b.order, b.node, b.place);
  }
};

std::string counted(uint64_t rows) {
  return rows == 1 ? "its first row is" : "its first " + std::to_string(rows) + " rows are";
}

}  // namespace

void NodeBoard::set(size_t i, const Line& line) {
  const std::lock_guard lock(mutex_);
  if (lines_.size() <= i) lines_.resize(i + 1);
  lines_[i] = line;
}

std::vector<NodeBoard::Line> NodeBoard::lines() const {
  const std::lock_guard lock(mutex_);
  return lines_;
}

struct NodesRun::Impl {
  Impl(const nq::Block& block, std::vector<NodeLink> links, const Environment& where,
       nq::RowSink& out, Answer& told)
      : environment(where), answer(told), asking(where, nq::plan_for_nodes(block)) {
    asking.plan.max_bytes = environment.max_bytes;
    rest = nq::rest_of(block, asking.plan);
    nq::Limits limits;
    limits.max_bytes = environment.max_bytes;
    pipeline = nq::QueryPipeline::make(rest.stages, rest.inputs, limits, out);
    gate.emplace(pipeline->input());
    in_order = asking.options.in_order || !rest.stages.empty() || block.scan.context;
    asking.nodes.resize(links.size());
    for (size_t i = 0; i < links.size(); ++i) {
      asking.nodes[i].link = std::move(links[i]);
      asking.tell_board(i);
    }
    lanes.resize(links.size());
    taken.resize(links.size());
  }
  ~Impl() { stop(); }

  void start_threads() {
    const bool by_time = asking.plan.gives == nq::NodePlan::Gives::rows_by_time;
    const size_t most = by_time ? kMostByTime : std::max<size_t>(1, asking.options.at_once);
    add_threads(threads, std::min(most, asking.nodes.size()), [this] {
      if (environment.thread_started) environment.thread_started();
      ask_nodes(asking);
    });
  }

  void stop() {
    {
      const std::lock_guard lock(asking.mutex);
      asking.stopping = true;
      for (AskedNode& node : asking.nodes) {
        if (node.open != nullptr) node.open->close();
      }
    }
    asking.changed.notify_all();
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }

  // Until `ready`; false: the query is to end.
  template <class F>
  bool wait(std::unique_lock<std::mutex>& lock, const F& ready) {
    while (!ready()) {
      if (environment.stopped()) return false;
      asking.changed.wait_for(lock, kLookAgain);
    }
    return true;
  }

  bool step() {
    if (finished) return false;
    bool more = gate->open() && (!environment.stopped() || out_of_time());
    if (more) {
      switch (asking.plan.gives) {
        case nq::NodePlan::Gives::state: more = step_state(); break;
        case nq::NodePlan::Gives::rows: more = in_order ? step_in_order() : step_any(); break;
        case nq::NodePlan::Gives::rows_by_time: more = step_by_time(); break;
      }
    }
    if (more && gate->open()) return true;
    finish();
    return false;
  }

  bool out_of_time() const { return environment.clock.mono() >= environment.deadline; }

  // The state of the next node, once it is there.
  bool step_state() {
    std::unique_lock lock(asking.mutex);
    if (asking.turn == asking.nodes.size()) return false;
    AskedNode& node = asking.nodes[asking.turn];
    if (!wait(lock, [&] { return node.over(); })) {
      ++asking.turn;  // those behind it may have given theirs
      return out_of_time();
    }
    if (node.state == State::done) {
      lock.unlock();
      const Status merged = pipeline->merge_saved(node.saved);
      lock.lock();
      node.used = merged.ok();
      if (!merged.ok()) {
        node.state = State::failed;
        node.why = merged.error().message;
      }
    }
    release(node);
    ++asking.turn;
    lock.unlock();
    asking.changed.notify_all();
    return true;
  }

  void release(AskedNode& node) {
    asking.held_bytes -= node.held_bytes;
    node.held_bytes = 0;
    node.saved = {};
  }

  nq::DecodedRows pop(AskedNode& node) {
    nq::DecodedRows rows = std::move(node.rows.front());
    node.rows.pop_front();
    node.used = true;
    const size_t bytes = std::min(node.held_bytes, rows.memory_bytes());
    node.held_bytes -= bytes;
    asking.held_bytes -= bytes;
    return rows;
  }

  void push(size_t i, const nq::DecodedRows& rows) {
    for (size_t r = 0; r < rows.size() && gate->open(); ++r) {
      ++taken[i];
      gate->take(rows[r].row);
    }
  }

  bool step_in_order() {
    std::unique_lock lock(asking.mutex);
    if (asking.turn == asking.nodes.size()) return false;
    AskedNode& node = asking.nodes[asking.turn];
    if (!wait(lock, [&] { return node.over() || !node.rows.empty(); })) return false;
    if (node.rows.empty()) {
      ++asking.turn;
      return true;
    }
    const auto rows = pop(node);
    lock.unlock();
    asking.changed.notify_all();
    push(asking.turn, rows);
    return true;
  }

  bool step_any() {
    std::unique_lock lock(asking.mutex);
    size_t found = 0;
    bool over = false;
    const auto look = [&] {
      over = true;
      for (found = 0; found < asking.nodes.size(); ++found) {
        if (!asking.nodes[found].rows.empty()) return true;
        over = over && asking.nodes[found].over();
      }
      return over;
    };
    if (!wait(lock, look)) return false;
    if (over && found == asking.nodes.size()) return false;
    const auto rows = pop(asking.nodes[found]);
    lock.unlock();
    asking.changed.notify_all();
    push(found, rows);
    return true;
  }

  // Sees to it that every node that is not over has its next row in the queue.
  bool fill_lanes() {
    for (size_t i = 0; i < lanes.size(); ++i) {
      TimeLane& lane = lanes[i];
      if (lane.ready) continue;
      if (!lane.rows.empty() && lane.at == lane.rows.front().size()) {
        lane.rows.pop_front();
        lane.at = 0;
      }
      if (lane.rows.empty()) {
        std::unique_lock lock(asking.mutex);
        AskedNode& node = asking.nodes[i];
        if (!wait(lock, [&] { return node.over() || !node.rows.empty(); })) return false;
        if (node.rows.empty()) continue;
        lane.rows.push_back(pop(node));
        lock.unlock();
        asking.changed.notify_all();
      }
      const auto row = lane.rows.front()[lane.at];
      queue.push({row.order, row.row.place, i});
      lane.ready = true;
    }
    return true;
  }

  bool step_by_time() {
    if (!fill_lanes() || queue.empty()) return false;
    constexpr size_t kRowsAStep = 4096;
    for (size_t n = 0; n < kRowsAStep && !queue.empty() && gate->open(); ++n) {
      const size_t i = queue.top().node;
      queue.pop();
      TimeLane& lane = lanes[i];
      ++taken[i];
      gate->take(lane.rows.front()[lane.at].row);
      ++lane.at;
      lane.ready = false;
      if (lane.at == lane.rows.front().size()) break;  // more of this node must come first
      const auto row = lane.rows.front()[lane.at];
      queue.push({row.order, row.row.place, i});
      lane.ready = true;
    }
    return true;
  }

  void finish() {
    finished = true;
    // What nobody wants any more when there is enough is not missing.
    const bool enough = !gate->open();
    const bool late = out_of_time();
    std::vector<bool> was_over;
    {
      const std::lock_guard lock(asking.mutex);
      for (const AskedNode& node : asking.nodes) was_over.push_back(node.over());
    }
    stop();
    pipeline->finish();
    answer.add(pipeline->stats());
    for (size_t i = 0; i < asking.nodes.size(); ++i) {
      const AskedNode& node = asking.nodes[i];
      answer.network_in += node.traffic.bytes_in;
      answer.network_out += node.traffic.bytes_out;
      if (node.state == State::done) add_end(node);
      const bool unasked =
          in_order && asking.plan.gives == nq::NodePlan::Gives::rows && i > asking.turn;
      if (was_over[i] ? gave_all(node) || (enough && unasked) : enough) {
        answer.nodes_ok.push_back(node.link.node);
      } else {
        tell_missing(i, !was_over[i] || node.state == State::done, late);
      }
    }
  }

  bool gave_all(const AskedNode& node) const {
    const bool taken_over =
        asking.plan.gives == nq::NodePlan::Gives::state ? node.used : node.rows.empty();
    return node.state == State::done && (taken_over || !gate->open());
  }

  void add_end(const AskedNode& node) {
    answer.files += node.end.files;
    answer.scan.add(node.end.scan);
    for (const std::string& note : node.end.notes) note_of(node.link.node, note);
    answer.complete = answer.complete && node.end.complete;
  }

  void tell_missing(size_t i, bool stopped, bool late) {
    const AskedNode& node = asking.nodes[i];
    const std::string& name = node.link.node;
    answer.nodes_failed.push_back(name);
    const std::string why = !stopped ? node.why
                            : late   ? "it was not done at the deadline"
                                     : "cancelled before it was done";
    if (first_why.empty()) first_why = why;
    answer.incomplete(
        name + ": " + why + "; " +
        (taken[i] > 0 ? counted(taken[i]) + " in the answer" : "nothing of it is in the answer"));
  }

  void note_of(const std::string& name, const std::string& note) {
    const bool complete = answer.complete;
    answer.incomplete(name + ": " + note);
    answer.complete = complete;
  }

  // Nothing at all has come, and nobody stopped it.
  Status status() const {
    NINES_CHECK(pipeline->status());
    const bool none = std::none_of(asking.nodes.begin(), asking.nodes.end(),
                                   [](const auto& n) { return n.used || n.state == State::done; });
    if (!none || environment.stopped() || first_why.empty()) return Ok{};
    std::string why = "no node gave an answer";
    for (const std::string& note : answer.notes) why += "\n  " + note;
    return Error{Errc::unavailable, why};
  }

  const Environment& environment;
  Answer& answer;
  Asking asking;
  nq::RestOfPlan rest;
  std::unique_ptr<nq::QueryPipeline> pipeline;
  std::optional<Gate> gate;
  bool in_order = false, finished = false;
  std::vector<TimeLane> lanes;
  std::priority_queue<Next, std::vector<Next>, std::greater<>> queue;
  std::vector<uint64_t> taken;  // rows of each node that went into the answer
  std::string first_why;
  std::vector<std::thread> threads;
};

NodesRun::NodesRun(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
NodesRun::~NodesRun() = default;
bool NodesRun::step() { return impl_->step(); }
Status NodesRun::status() const { return impl_->status(); }

Result<std::unique_ptr<NodesRun>> NodesRun::start(const nq::Block& block,
                                                  std::vector<NodeLink> links,
                                                  const Environment& environment, nq::RowSink& out,
                                                  Answer& answer) {
  if (links.size() > nq::kMostNodes) {
    return Error{Errc::exhausted, std::to_string(links.size()) + " nodes; a query asks at most " +
                                      std::to_string(nq::kMostNodes)};
  }
  auto impl = std::make_unique<Impl>(block, std::move(links), environment, out, answer);
  const bool by_time = impl->asking.plan.gives == nq::NodePlan::Gives::rows_by_time;
  if (by_time && impl->asking.nodes.size() > kMostByTime) {
    return Error{Errc::exhausted, std::to_string(impl->asking.nodes.size()) +
                                      " nodes; sessions and sequences are told over at most " +
                                      std::to_string(kMostByTime) +
                                      ": name fewer with AT NODES ('NAME', ...)"};
  }
  NINES_TRY(const std::string plan,
            nq::encode_plan(impl->asking.plan));  // fits, or nobody is asked
  impl->start_threads();
  // Merging rows by time waits for each node.
  const size_t needed =
      by_time ? impl->asking.nodes.size() : std::min<size_t>(1, impl->asking.nodes.size());
  if (impl->threads.size() < needed) {
    return Error{Errc::io,
                 "the system gives this program no thread to ask nodes with; look at its "
                 "limits (TasksMax=, pids.max, ulimit -u)"};
  }
  return std::unique_ptr<NodesRun>(new NodesRun(std::move(impl)));
}

Result<std::vector<NodeLink>> links_of(const nq::SourceRef& source,
                                       const Environment& environment) {
  if (source.kind == nq::SourceRef::Kind::remote) return std::vector<NodeLink>();
  if (environment.nodes != nullptr) return environment.nodes->links(source);
  if (source.nodes.empty()) return std::vector<NodeLink>();
  return Error{Errc::unsupported,
               "AT NODES asks other nodes, and none are known here: give --ssh HOST, or peers: in "
               "nines.yaml"};
}

Result<std::vector<NodeLink>> choose_nodes(const std::vector<NodeLink>& links,
                                           const std::vector<std::string>& names) {
  std::vector<bool> chosen(links.size(), names.empty());
  for (const std::string& name : names) {
    const std::string glob = name == "all" ? "*" : name;
    const bool some = glob.find_first_of("*?[") != std::string::npos;
    bool any = false;
    for (size_t i = 0; i < links.size(); ++i) {
      const bool may_be = some && links[i].nameless;
      if (!may_be && ::fnmatch(glob.c_str(), links[i].node.c_str(), 0) != 0) continue;
      chosen[i] = any = true;
    }
    if (any) continue;
    std::string known;
    for (const NodeLink& link : links) known += (known.empty() ? "" : ", ") + link.node;
    return Error{Errc::not_found, "no node is called '" + name + "'; there " +
                                      (known.empty() ? "is none" : "are " + known)};
  }
  std::vector<NodeLink> out;
  for (size_t i = 0; i < links.size(); ++i) {
    if (chosen[i]) out.push_back(links[i]);
  }
  return out;
}

}  // namespace nines::agent::query
