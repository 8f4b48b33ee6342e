// What container runtimes make of a line: pieces with a time and the stream they were written to.
// CRI and Docker split lines of more than 16 KiB; the pieces of one line are joined per stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "nines/base/time.hpp"

namespace nines::log {

enum class OutputStream : uint8_t { out, err };
inline constexpr size_t kOutputStreams = 2;

struct Piece {
  WallTime ts{};
  OutputStream stream = OutputStream::out;
  bool partial = false;  // the line goes on in the next piece of this stream
  std::string_view content;
};

// Joins the pieces of one container's log. Bounded: a line beyond max_bytes is cut there and says
// so. Its state is saved with the file position, so that a restart in the middle of a line loses
// nothing. Not thread-safe.
class PieceJoiner {
 public:
  explicit PieceJoiner(size_t max_bytes) : max_bytes_(max_bytes) {}
  struct Line {
    WallTime ts{};    // of the first piece
    int64_t at = -1;  // where the first piece begins; -1: not known (saved by an older version)
    OutputStream stream = OutputStream::out;
    bool truncated = false;
    bool copied = false;       // `content` is ours
    std::string_view content;  // of the piece itself, or valid until the next call
  };
  // False: more pieces are to come.
  bool push(const Piece& piece, int64_t at, Line& out);
  // The open pieces of `stream`, whose rest will never come. False: none are open.
  bool flush(OutputStream stream, Line& out);

  bool has_pending() const noexcept { return open_[0].active || open_[1].active; }
  // Serialised open pieces (empty when none), and back. restore() refuses garbage by returning
  // false.
  std::string save() const;
  bool restore(std::string_view saved);

 private:
  struct Open {
    std::string content;
    WallTime ts{};
    int64_t at = -1;
    bool truncated = false;
    bool active = false;
  };
  Open& open(OutputStream stream) { return open_[static_cast<size_t>(stream)]; }
  Line line_of(const Open& open, OutputStream stream) const;

  Open open_[kOutputStreams];
  size_t max_bytes_;
};

}  // namespace nines::log
