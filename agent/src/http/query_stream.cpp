#include "http/query_stream.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "nines/base/json_writer.hpp"

namespace nines::agent::http {
namespace {

using query::LiveAnswer;
using query::NodeBoard;

constexpr int64_t kProgressMs = 250;
constexpr size_t kMostNodes = 64;  // told by name

// Outlives the stream when the query still wakes it.
struct Bell {
  std::function<void()> ring;
};

const char* name_of(LiveAnswer::State state) {
  switch (state) {
    case LiveAnswer::State::waiting: return "waiting";
    case LiveAnswer::State::running: return "running";
    case LiveAnswer::State::ended: return "ended";
  }
  return "";
}

const char* name_of(NodeBoard::State state) {
  switch (state) {
    case NodeBoard::State::waiting: return "waiting";
    case NodeBoard::State::connecting: return "connecting";
    case NodeBoard::State::working: return "working";
    case NodeBoard::State::done: return "done";
    case NodeBoard::State::failed: return "failed";
  }
  return "";
}

void write_nodes(JsonWriter& json, const std::vector<NodeBoard::Line>& nodes) {
  json.key("nodes").begin_array();
  for (size_t i = 0; i < std::min(nodes.size(), kMostNodes); ++i) {
    const NodeBoard::Line& line = nodes[i];
    json.begin_object().member("node", line.node);
    json.member("state", std::string_view(name_of(line.state)));
    json.member("bytes_done", line.bytes_done).member("bytes_total", line.bytes_total);
    json.member("rows", line.rows).end_object();
  }
  json.end_array();
}

std::string progress_line(LiveAnswer::State state, const LiveAnswer& answer) {
  std::string out = "{\"_progress\":";
  JsonWriter json(out);
  json.begin_object().member("state", std::string_view(name_of(state)));
  json.member("bytes_done", answer.bytes_done()).member("bytes_total", answer.bytes_total());
  json.member("rows", answer.rows());
  const auto nodes = answer.nodes();
  if (!nodes.empty()) write_nodes(json, nodes);
  json.end_object();
  return out += "}\n";
}

std::string problem_line(std::string problem) {
  problem.resize(problem.find_last_not_of('\n') + 1);
  return "{\"_problem\":" + problem + "}\n";
}

class QueryStream final : public Stream {
 public:
  QueryStream(std::shared_ptr<LiveAnswer> answer, std::shared_ptr<Bell> bell,
              std::function<std::string(const Error&)> problem_of)
      : answer_(std::move(answer)), bell_(std::move(bell)), problem_of_(std::move(problem_of)) {}
  ~QueryStream() override {
    bell_->ring = nullptr;
    answer_->leave();
  }

  std::optional<std::string> next() override {
    if (state_ == LiveAnswer::State::ended) return std::nullopt;
    LiveAnswer::Piece piece = answer_->take();
    const bool news = std::exchange(state_, piece.state) != piece.state || !piece.bytes.empty();
    if (state_ == LiveAnswer::State::ended) {
      if (piece.error) piece.bytes += problem_line(problem_of_(*piece.error));
      return piece.bytes.empty() ? std::nullopt : std::optional(std::move(piece.bytes));
    }
    // Before the rows: they may hold the last line.
    return news ? progress_line(state_, *answer_) + piece.bytes : std::string();
  }
  void on_more(std::function<void()> wake) override { bell_->ring = std::move(wake); }
  std::string still_here() override { return progress_line(state_, *answer_); }
  int64_t silence_ms(int64_t usual) const override { return std::min(usual, kProgressMs); }

 private:
  std::shared_ptr<LiveAnswer> answer_;
  std::shared_ptr<Bell> bell_;
  std::function<std::string(const Error&)> problem_of_;
  LiveAnswer::State state_ = LiveAnswer::State::waiting;
};

}  // namespace

LiveQuery make_live_query(const MakeLive& make,
                          std::function<std::string(const Error&)> problem_of) {
  auto bell = std::make_shared<Bell>();
  auto answer = make([bell] {
    if (bell->ring) bell->ring();
  });
  auto stream = std::make_shared<QueryStream>(answer, bell, std::move(problem_of));
  return {std::move(answer), std::move(stream)};
}

}  // namespace nines::agent::http
