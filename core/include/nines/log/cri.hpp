// CRI container log lines: "2026-11-21T01:35:51.262484239Z stdout F message". Runtimes split long
// lines into P(artial) pieces of 16 KiB that end with an F(ull) one, per stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "nines/base/time.hpp"

namespace nines::log {

enum class CriStream : uint8_t { out, err };

struct CriLine {
  WallTime ts{};
  CriStream stream = CriStream::out;
  bool partial = false;
  std::string_view content;
};
// False: not a CRI line. A missing P/F tag counts as F.
bool parse_cri(std::string_view line, CriLine& out) noexcept;

// Joins the pieces of one container's log. Bounded: a record beyond max_bytes is cut there and
// says so. State is two strings (one a stream), saved with the file position so that a restart
// in the middle of a record loses nothing. Not thread-safe.
class CriJoiner {
 public:
  explicit CriJoiner(size_t max_bytes) : max_bytes_(max_bytes) {}
  enum class Outcome : uint8_t { record, pending, not_cri };
  struct Record {
    WallTime ts{};  // of the first piece
    CriStream stream = CriStream::out;
    std::string_view content;  // valid until the next call
    bool truncated = false;
  };
  Outcome push(std::string_view line, Record& out);
  bool has_pending() const noexcept;
  // Serialised open pieces (empty when none), and back. restore() refuses garbage by returning
  // false.
  std::string save() const;
  bool restore(std::string_view saved);

 private:
  struct Open {
    std::string content;
    WallTime ts{};
    bool truncated = false;
    bool active = false;
    bool drained = false;  // content was handed out; clear at the next push
  };
  Open open_[2];
  size_t max_bytes_;
};

}  // namespace nines::log
