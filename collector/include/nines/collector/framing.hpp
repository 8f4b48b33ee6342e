// Framing: everything between the bytes of a stream and one record. One implementation for
// counting, tailing and (later) queries.
//
//   bytes -> lines (LineReader) -> unwrapped pieces of a container's log -> whole lines
//         -> joined records (JoinRule)
//
// Where a record may go on in the next line it is held back until that line, or silence, or the
// end tells. In plain files the lines held back stay unread; in container logs, where two streams
// are interleaved, they are kept here and saved with the position. What is read in which pieces,
// and restarts in between, make no difference to the records.
//
// In plain files nothing is copied or allocated unless lines have to be changed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "nines/base/utf.hpp"
#include "nines/collector/joining.hpp"
#include "nines/collector/lines.hpp"
#include "nines/collector/stream.hpp"
#include "nines/log/journal_export.hpp"
#include "nines/log/multiline.hpp"
#include "nines/log/pieces.hpp"

namespace nines::collector {

enum class Wrapping : uint8_t { none, cri, docker };

struct FramedRecord {
  std::string_view content;  // valid until the callback returns
  int64_t at = 0;            // byte offset of its first line within the stream
  size_t first_line = 0;     // length of the first line of `content`
  uint32_t lines = 1;        // those that are not blank
  log::OutputStream stream = log::OutputStream::out;
  WallTime runtime_ts{};  // of the first line, by the container runtime
  bool has_runtime_ts = false;
  bool truncated = false;    // cut at a declared limit
  bool not_wrapped = false;  // a line without wrapping in a container's log: malformed
};

enum class FrameStep : uint8_t {
  next,         // consumed, go on
  stop_before,  // leave this record unread (not possible in container logs: see FrameInput::limit)
};

// Holds what had to be changed; for one call, so all streams of a thread can share it.
struct FrameScratch {
  std::string line, unwrapped;
};

struct FrameInput {
  std::string_view data;
  int64_t offset = 0;  // of data[0] within the stream
  Reading how = Reading::more;
  Framing framing = Framing::lines;
  Encoding encoding = Encoding::bytes;
  Wrapping wrapping = Wrapping::none;
  JoinRule rule;
  WallTime limit{INT64_MAX};  // container logs: a line stamped later is left unread
  FrameScratch* scratch = nullptr;
};

struct FrameOutput {
  Taken taken;
  WallTime next_ts{};  // of the line that was left unread at the limit; 0: none
  // Not empty, and part of no record that was handed over: they go on with one that had been cut,
  // or taken because nothing came for a while.
  uint64_t passed_over = 0;
  uint64_t nul_bytes = 0;  // removed
  uint64_t replaced = 0;   // characters of UTF-16 that mean nothing
};

// The state of one stream between two blocks.
class Framer {
 public:
  explicit Framer(size_t max_record_bytes)
      : max_record_bytes_(max_record_bytes), pieces_(max_record_bytes) {}

  // `on_record(const FramedRecord&) -> FrameStep`.
  template <class OnRecord>
  FrameOutput frame(const FrameInput& in, OnRecord&& on_record);

  size_t max_record_bytes() const noexcept { return max_record_bytes_; }
  // The traces between the lines of a format of one line a record; for whoever parses.
  log::TraceMachine& trace(log::OutputStream stream) { return side(stream).trace; }
  // Reading began in the middle of the stream: its first lines may go on with one passed over.
  void begin_inside() { sides_[0].begun = sides_[1].begun = true; }
  // A record is kept here: it wants Reading::quiet or last even when no more bytes come.
  bool holds() const noexcept { return sides_[0].open.active() || sides_[1].open.active(); }

  // Whether save() may give something else than after the last call of saved().
  bool changed() const noexcept { return busy() || was_busy_ || brief() != saved_brief_; }
  void saved() noexcept {
    was_busy_ = busy();
    saved_brief_ = brief();
  }
  void save(std::string& out) const;
  bool restore(log::SavedReader& in);
  bool restore_pieces(std::string_view saved) { return pieces_.restore(saved); }

 private:
  // What belongs to one output stream of a container; everything else uses the first.
  struct Side {
    OpenRecord open;
    log::TraceMachine trace;
    bool begun = false;  // a record was handed over: lines that go on with it are passed over
  };
  Side& side(log::OutputStream stream) { return sides_[static_cast<size_t>(stream)]; }
  // Whether `line` goes on with the record before it, whether that is still here or not.
  static bool goes_on_with(Side& side, const JoinRule& rule, std::string_view line) {
    if (rule.by == JoinRule::By::quotes) return side.open.active();
    return rule.goes_on(line, side.trace);
  }
  static bool passes_over(const Side& side, const JoinRule& rule, bool goes_on) noexcept {
    return goes_on && side.begun && rule.by != JoinRule::By::quotes;
  }
  bool busy() const noexcept { return holds() || pieces_.has_pending(); }
  uint32_t brief() const noexcept;

  template <class OnRecord>
  void datagram(const FrameInput& in, FrameOutput& out, OnRecord& on_record);
  template <class OnRecord>
  void journal_entries(const FrameInput& in, FrameOutput& out, OnRecord& on_record);
  template <class OnRecord>
  void single_lines(const FrameInput& in, LineReader& lines, FrameOutput& out, OnRecord& on_record);
  template <class OnRecord>
  void joined_lines(const FrameInput& in, LineReader& lines, FrameOutput& out, OnRecord& on_record);
  template <class OnRecord>
  void joined_end(const FrameInput& in, LineReader& lines, size_t end, FrameOutput& out,
                  OnRecord& on_record);
  template <class OnRecord>
  void container_lines(const FrameInput& in, LineReader& lines, FrameOutput& out,
                       OnRecord& on_record);
  template <class OnRecord>
  void container_line(const FrameInput& in, const log::PieceJoiner::Line& line, FrameOutput& out,
                      OnRecord& on_record);
  template <class OnRecord>
  void container_end(const FrameInput& in, FrameOutput& out, OnRecord& on_record);
  template <class OnRecord>
  bool hand_over(log::OutputStream stream, bool runtime_ts, FrameOutput& out, OnRecord& on_record);

  static void count(const Line& line, FrameOutput& out) {
    if (!line.changed) return;
    out.nul_bytes += line.nuls;
    out.replaced += line.replaced;
  }

  size_t max_record_bytes_;
  log::PieceJoiner pieces_;
  Side sides_[log::kOutputStreams];
  uint32_t saved_brief_ = 0;
  bool was_busy_ = false;
};

// Removes the wrapping. False: the line has none. `copied`: the content is in `scratch`.
bool unwrap(Wrapping wrapping, std::string_view line, std::string& scratch, log::Piece& out,
            bool& copied);

template <class OnRecord>
FrameOutput Framer::frame(const FrameInput& in, OnRecord&& on_record) {
  FrameOutput out;
  if (in.framing == Framing::datagrams) {
    datagram(in, out, on_record);
  } else if (in.framing == Framing::journal_entries) {
    journal_entries(in, out, on_record);
  } else {
    LineReader lines(in.data, in.offset, {in.encoding, in.how, max_record_bytes_},
                     in.scratch->line);
    if (in.wrapping != Wrapping::none) {
      container_lines(in, lines, out, on_record);
    } else if (in.rule.by == JoinRule::By::none) {
      single_lines(in, lines, out, on_record);
    } else {
      joined_lines(in, lines, out, on_record);
    }
    out.taken.mid_line =
        out.taken.bytes > 0 && out.taken.bytes == in.data.size() && !lines.terminated();
  }
  return out;
}

template <class OnRecord>
void Framer::datagram(const FrameInput& in, FrameOutput& out, OnRecord& on_record) {
  if (in.data.empty()) return;
  std::string_view text = in.data;
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == '\0')) {
    text.remove_suffix(1);
  }
  FramedRecord record;
  record.content = cut_utf8(text, max_record_bytes_);
  record.first_line = std::min(record.content.find('\n'), record.content.size());
  record.at = in.offset;
  record.truncated = record.content.size() < text.size();
  if (on_record(std::as_const(record)) == FrameStep::stop_before) {
    out.taken.rest = Taken::Rest::declined;
  } else {
    out.taken.bytes = in.data.size();
  }
}

template <class OnRecord>
void Framer::journal_entries(const FrameInput& in, FrameOutput& out, OnRecord& on_record) {
  size_t& taken = out.taken.bytes;
  while (taken < in.data.size()) {
    const std::string_view left = in.data.substr(taken);
    size_t length = log::journal_entry_length(left);
    FramedRecord record;
    if (length == 0) {
      record.truncated = in.how == Reading::full && taken == 0;
      if (in.how != Reading::last && !record.truncated) return;
      length = left.size();
      out.taken.mid_line = record.truncated;
    }
    record.content = left.substr(0, length);
    record.first_line = std::min(record.content.find('\n'), record.content.size());
    record.at = in.offset + static_cast<int64_t>(taken);
    if (on_record(std::as_const(record)) == FrameStep::stop_before) {
      out.taken.rest = Taken::Rest::declined;
      return;
    }
    taken += length;
  }
}

template <class OnRecord>
void Framer::single_lines(const FrameInput& in, LineReader& lines, FrameOutput& out,
                          OnRecord& on_record) {
  Line line;
  FramedRecord record;
  size_t taken = 0;
  while (lines.next(line)) {
    record.content = line.text;
    record.first_line = line.text.size();
    record.at = in.offset + static_cast<int64_t>(line.begin);
    record.truncated = line.truncated;
    if (on_record(std::as_const(record)) == FrameStep::stop_before) {
      out.taken.rest = Taken::Rest::declined;
      break;
    }
    taken = line.end;
    count(line, out);
  }
  out.taken.bytes = taken;
}

// False: it is not wanted now.
template <class OnRecord>
bool Framer::hand_over(log::OutputStream stream, bool runtime_ts, FrameOutput& out,
                       OnRecord& on_record) {
  Side& from = side(stream);
  FramedRecord record;
  record.content = from.open.content();
  record.first_line = from.open.first_line();
  record.at = from.open.at;
  record.lines = from.open.text_lines();
  record.stream = stream;
  record.runtime_ts = from.open.ts;
  record.has_runtime_ts = runtime_ts;
  record.truncated = from.open.truncated;
  const bool wanted = on_record(std::as_const(record)) == FrameStep::next;
  if (wanted) {
    from.begun = true;
    out.nul_bytes += from.open.nuls;
    out.replaced += from.open.replaced;
  } else {
    from.trace.reset();
    out.taken.rest = Taken::Rest::declined;
  }
  from.open.close();
  return wanted;
}

template <class OnRecord>
void Framer::joined_lines(const FrameInput& in, LineReader& lines, FrameOutput& out,
                          OnRecord& on_record) {
  constexpr auto kSide = log::OutputStream::out;
  Side& here = side(kSide);
  size_t end = 0;  // of the open record
  Line line;
  while (lines.next(line)) {
    const bool goes_on = goes_on_with(here, in.rule, line.text);
    if (goes_on && here.open.active() && here.open.fits(line.text, in.rule)) {
      here.open.add(line.text);
      here.open.nuls += line.nuls;
      here.open.replaced += line.replaced;
      here.open.truncated = here.open.truncated || line.truncated;
      end = line.end;
      if (!in.rule.complete(here.open.content())) continue;
      if (!hand_over(kSide, false, out, on_record)) return;
      out.taken.bytes = end;
      continue;
    }
    if (here.open.active()) {
      here.open.truncated = here.open.truncated || goes_on;
      if (!hand_over(kSide, false, out, on_record)) return;
    }
    const bool blank = is_blank(line.text);
    if (blank || passes_over(here, in.rule, goes_on)) {
      out.passed_over += blank ? 0 : 1;
      out.taken.bytes = line.end;
      count(line, out);
      continue;
    }
    out.taken.bytes = line.begin;
    here.open.begin(line.text, in.encoding == Encoding::bytes);
    here.open.at = in.offset + static_cast<int64_t>(line.begin);
    here.open.nuls = line.nuls;
    here.open.replaced = line.replaced;
    here.open.truncated = line.truncated;
    end = line.end;
    if (!in.rule.complete(here.open.content())) continue;
    if (!hand_over(kSide, false, out, on_record)) return;
    out.taken.bytes = end;
  }
  if (here.open.active()) joined_end(in, lines, end, out, on_record);
}

// The last record of the block: does it go on?
template <class OnRecord>
void Framer::joined_end(const FrameInput& in, LineReader& lines, size_t end, FrameOutput& out,
                        OnRecord& on_record) {
  constexpr auto kSide = log::OutputStream::out;
  Side& here = side(kSide);
  const bool over = in.how == Reading::last || in.how == Reading::quiet;
  const bool must = in.how == Reading::full && out.taken.bytes == 0;
  if (!over && !must) {
    here.open.close();
    here.trace.reset();  // as it was before its first line, which no trace goes on with
    out.taken.rest = Taken::Rest::held;
    return;
  }
  if (must) {
    const std::string_view next = lines.peek();
    log::TraceMachine trace = here.trace;
    here.open.truncated = here.open.truncated || next.empty() ||
                          in.rule.by == JoinRule::By::quotes || in.rule.goes_on(next, trace);
  }
  if (hand_over(kSide, false, out, on_record)) out.taken.bytes = end;
}

template <class OnRecord>
void Framer::container_lines(const FrameInput& in, LineReader& lines, FrameOutput& out,
                             OnRecord& on_record) {
  Line line;
  while (lines.next(line)) {
    log::Piece piece;
    bool copied = in.encoding != Encoding::bytes;
    const int64_t at = in.offset + static_cast<int64_t>(line.begin);
    if (line.text.empty()) {
      // nothing
    } else if (!unwrap(in.wrapping, line.text, in.scratch->unwrapped, piece, copied)) {
      FramedRecord record;
      record.content = line.text;
      record.first_line = line.text.size();
      record.at = at;
      record.not_wrapped = true;
      on_record(std::as_const(record));
    } else if (piece.ts > in.limit) {
      // What is complete must not wait for the line that completes it.
      Side& from = side(piece.stream);
      log::TraceMachine trace = from.trace;
      if (from.open.active() && in.rule.by != JoinRule::By::quotes &&
          !in.rule.goes_on(piece.content, trace)) {
        hand_over(piece.stream, true, out, on_record);
      }
      out.next_ts = piece.ts;
      out.taken.rest = Taken::Rest::declined;
      break;
    } else {
      log::PieceJoiner::Line whole;
      if (pieces_.push(piece, at, whole)) {
        whole.copied = whole.copied || copied;
        if (whole.at < 0) whole.at = at;
        whole.truncated = whole.truncated || line.truncated;
        container_line(in, whole, out, on_record);
      }
    }
    out.taken.bytes = line.end;
    count(line, out);
  }
  container_end(in, out, on_record);
}

template <class OnRecord>
void Framer::container_line(const FrameInput& in, const log::PieceJoiner::Line& line,
                            FrameOutput& out, OnRecord& on_record) {
  Side& from = side(line.stream);
  if (in.rule.by == JoinRule::By::none) {
    if (from.open.active()) hand_over(line.stream, true, out, on_record);  // the rule has changed
    FramedRecord record;
    record.content = line.content;
    record.first_line = line.content.size();
    record.at = line.at;
    record.stream = line.stream;
    record.runtime_ts = line.ts;
    record.has_runtime_ts = true;
    record.truncated = line.truncated;
    on_record(std::as_const(record));
    return;
  }
  const bool goes_on = goes_on_with(from, in.rule, line.content);
  if (goes_on && from.open.active() && from.open.fits(line.content, in.rule)) {
    from.open.add(line.content);
    from.open.truncated = from.open.truncated || line.truncated;
    if (in.rule.complete(from.open.content())) hand_over(line.stream, true, out, on_record);
    return;
  }
  if (from.open.active()) {
    from.open.truncated = from.open.truncated || goes_on;
    hand_over(line.stream, true, out, on_record);
  }
  const bool blank = is_blank(line.content);
  if (blank || passes_over(from, in.rule, goes_on)) {
    out.passed_over += blank ? 0 : 1;
    return;
  }
  from.open.begin(line.content, !line.copied);
  from.open.at = line.at;
  from.open.ts = line.ts;
  from.open.truncated = line.truncated;
  if (in.rule.complete(from.open.content())) hand_over(line.stream, true, out, on_record);
}

template <class OnRecord>
void Framer::container_end(const FrameInput& in, FrameOutput& out, OnRecord& on_record) {
  const auto both = [this](auto&& visit) {
    const bool swapped = sides_[1].open.at < sides_[0].open.at;
    for (const bool second : {swapped, !swapped}) {
      visit(second ? log::OutputStream::err : log::OutputStream::out);
    }
  };
  const bool ends = out.taken.rest != Taken::Rest::declined && out.taken.bytes == in.data.size();
  if (in.how == Reading::last && ends) {
    both([&](log::OutputStream stream) {
      log::PieceJoiner::Line line;
      if (!pieces_.flush(stream, line)) return;
      if (line.at < 0) line.at = in.offset;
      container_line(in, line, out, on_record);
    });
  }
  if ((in.how == Reading::last && ends) || in.how == Reading::quiet) {
    both([&](log::OutputStream stream) {
      if (side(stream).open.active()) hand_over(stream, true, out, on_record);
    });
  }
  for (Side& each : sides_) each.open.keep();
  if (holds() && out.taken.rest == Taken::Rest::none) out.taken.rest = Taken::Rest::held;
}

}  // namespace nines::collector
