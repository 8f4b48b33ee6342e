#include "query/node_gather.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include "query/threads.hpp"

namespace nines::agent::query {
namespace {

constexpr size_t kMostAtOnce = 16;

Result<std::string> ask_one(const NodeLink& link, std::string_view question, size_t max_bytes,
                            Instant deadline) {
  NINES_TRY(const auto stream, link.open(deadline));
  FrameStream frames(*stream, stream::kMaxBody);
  NINES_CHECK(frames.write(NodeMessage::evidence, question, deadline));
  std::string out;
  for (uint64_t piece = 0;; ++piece) {
    NINES_TRY(const auto frame, frames.read(deadline));
    if (frame.type == static_cast<uint8_t>(NodeMessage::error)) return decode_error(frame.body);
    if (frame.type == static_cast<uint8_t>(NodeMessage::end)) return out;
    if (frame.type != static_cast<uint8_t>(NodeMessage::state)) {
      return Error{Errc::corrupt, "an answer of another kind"};
    }
    NINES_TRY(const std::string_view body, decode_piece(piece, frame.body));
    if (out.size() + body.size() > max_bytes) {
      return Error{Errc::exhausted,
                   "more than the " + std::to_string(max_bytes) + " bytes asked for"};
    }
    out += body;
  }
}

}  // namespace

std::vector<NodeAnswer> gather(const std::vector<NodeLink>& links, std::string_view question,
                               size_t max_bytes, Instant deadline) {
  std::vector<NodeAnswer> answers;
  for (const NodeLink& link : links) {
    answers.push_back({link.node, Error{Errc::timeout, "not asked in time"}});
  }
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  const auto work = [&] {
    for (size_t at = next++; at < links.size(); at = next++) {
      answers[at].body = ask_one(links[at], question, max_bytes, deadline);
    }
  };
  add_threads(threads, std::min(kMostAtOnce, links.size()), work);
  if (threads.empty()) work();
  for (std::thread& thread : threads) thread.join();
  return answers;
}

}  // namespace nines::agent::query
