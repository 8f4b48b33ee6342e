// What is said between the one who merges a distributed query and the nodes that answer it: frames
// (nines/stream/frame.hpp) of these types. Every stream carries one query.
//
//   query      ->   the plan (nines/query/plan_codec.hpp)
//   accepted   <-   who answers, how many files, how many bytes to read
//   number     ->   Place::file of its first file, if the plan says that it has to wait for it
//   progress   <-   now and then: who hears nothing for long takes the node for dead
//   rows       <-   nines/query/row_codec.hpp
//   state      <-   a piece of the state of its stages. Both are numbered from 0
//   end        <-   all of it has been sent; what is to be said of it
//   error      <-   it cannot be answered, or not to its end
//   done       ->   behind `end`, where the connection can be kept: another query may follow on it
//
// Or it begins with `evidence` (a question of incidents, incident/node_evidence.hpp), is answered
// by `state` and `end`, and older nodes say in an error that it is no query.
//
// Cancelling is closing the stream: nothing else is ever sent to a node that works.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "nines/base/result.hpp"
#include "nines/stream/byte_stream.hpp"
#include "nines/stream/frame.hpp"
#include "query/answer.hpp"

namespace nines::agent::query {

enum class NodeMessage : uint8_t {
  query = 1,
  accepted = 2,
  number = 3,
  progress = 4,
  rows = 5,
  state = 6,
  end = 7,
  error = 8,
  evidence = 9,
  done = 10,
};

struct NodeAccepted {
  std::string node, version;
  uint32_t files = 0;
  uint64_t bytes_total = 0;
};
struct NodeProgress {
  uint64_t bytes_done = 0, bytes_total = 0, rows = 0;
};

std::string encode(const NodeAccepted& accepted);
std::string encode(const NodeProgress& progress);
std::string encode_number(uint32_t first_file);
// What follows the number of a piece.
std::string encode_piece(uint64_t number, std::string_view piece);
Result<std::string_view> decode_piece(uint64_t expected, std::string_view body);
std::string encode_end(const Answer& answer);
std::string encode_error(const Error& error);
// Corrupt when they are none.
Result<NodeAccepted> decode_accepted(std::string_view body);
Result<NodeProgress> decode_progress(std::string_view body);
Result<uint32_t> decode_number(std::string_view body);
Result<Answer> decode_end(std::string_view body);
Error decode_error(std::string_view body);

// Frames over a stream. One thread reads, any thread writes.
class FrameStream {
 public:
  // Bodies up to `limit` are taken.
  FrameStream(stream::ByteStream& stream, size_t limit) : stream_(stream) {
    decoder_.set_limit(limit);
  }
  // Errors as ByteStream::read; unavailable when the other side has ended it; corrupt.
  Result<stream::Frame> read(Instant deadline);
  Status write(NodeMessage type, std::string_view body, Instant deadline);
  // Nothing was read beyond the last frame.
  bool is_clear() const { return decoder_.buffered() == 0; }

 private:
  stream::ByteStream& stream_;
  stream::FrameDecoder decoder_;
  std::mutex writing_;
};

}  // namespace nines::agent::query
