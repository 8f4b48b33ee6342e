// Framing: from a block of bytes to records. Splits lines, removes '\r', unwraps CRI lines and
// joins their pieces. One implementation for counting, tailing and (later) queries. Allocates
// nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "nines/log/cri.hpp"

namespace nines::collector {

struct FramedRecord {
  std::string_view content;  // valid until the callback returns
  size_t at = 0;             // byte offset of its (last) line within the block
  WallTime cri_ts{};
  bool has_cri_ts = false;
  bool truncated = false;  // cut at a declared limit
  bool not_cri = false;    // a line without CRI wrapping in a CRI file: malformed
};

enum class FrameStep : uint8_t {
  next,         // consumed, go on
  stop_before,  // leave this record unread (only possible where it needed no joining)
};

struct FrameOptions {
  bool last = false;                 // an unterminated last line is complete
  log::CriJoiner* joiner = nullptr;  // set: the file is a CRI log
  // CRI only: a line stamped later than this is left unread (replay in time order).
  WallTime limit{INT64_MAX};
  WallTime* next_ts = nullptr;  // where to put the stamp of the line left unread
  // The block is one line longer than the reader's buffer: deliver it, marked as truncated.
  bool cut = false;
};

inline std::string_view without_cr(std::string_view line) noexcept {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

// Returns the bytes consumed. `on_record(const FramedRecord&) -> FrameStep`.
template <class OnRecord>
size_t frame(std::string_view data, const FrameOptions& options, OnRecord&& on_record) {
  const char* const begin = data.data();
  const char* const end = begin + data.size();
  const char* p = begin;
  while (p != end) {
    const auto* nl = static_cast<const char*>(std::memchr(p, '\n', static_cast<size_t>(end - p)));
    if (nl == nullptr && !options.last && !options.cut) break;
    const char* const line_end = nl != nullptr ? nl : end;
    const char* const next = nl != nullptr ? nl + 1 : end;
    FramedRecord record;
    record.content = without_cr({p, static_cast<size_t>(line_end - p)});
    record.at = static_cast<size_t>(p - begin);
    record.truncated = nl == nullptr && options.cut;
    if (options.joiner != nullptr && !record.content.empty()) {
      if (options.limit.ns != INT64_MAX) {
        log::CriLine line;
        if (log::parse_cri(record.content, line) && line.ts > options.limit) {
          if (options.next_ts != nullptr) *options.next_ts = line.ts;
          break;
        }
      }
      log::CriJoiner::Record joined;
      const auto outcome = options.joiner->push(record.content, joined);
      if (outcome == log::CriJoiner::Outcome::pending) {
        p = next;
        continue;
      }
      record.not_cri = outcome == log::CriJoiner::Outcome::not_cri;
      if (!record.not_cri) {
        record.content = joined.content;
        record.cri_ts = joined.ts;
        record.has_cri_ts = true;
        record.truncated = record.truncated || joined.truncated;
      }
    }
    if (on_record(record) == FrameStep::stop_before) break;
    p = next;
  }
  return static_cast<size_t>(p - begin);
}

}  // namespace nines::collector
