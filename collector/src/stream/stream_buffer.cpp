#include "stream/stream_buffer.hpp"

#include <algorithm>
#include <cstring>

#include "nines/base/contract.hpp"
#include "nines/collector/lines.hpp"
#include "nines/log/journal_export.hpp"

namespace nines::collector {
namespace {

constexpr size_t kCompactBelow = 64;  // a room smaller than this is not worth a read()

}  // namespace

StreamBuffer::StreamBuffer(RecordConsumer& consumer, const Clock& clock, size_t capacity,
                           int64_t hold_ms)
    : consumer_(consumer),
      clock_(clock),
      capacity_(capacity),
      hold_ms_(hold_ms),
      buffer_(new char[capacity]) {}

StreamBuffer::~StreamBuffer() {
  if (opened_) consumer_.closed(stream_);
}

void StreamBuffer::open() {
  NINES_ASSERT(!opened_);
  opened_ = true;
  consumer_.opened(stream_);
  if (stream_.holds) due_ = {clock_.mono().ns + hold_ms_ * kNsPerMs};
}

StreamBuffer::Room StreamBuffer::room() noexcept {
  if (begin_ > 0 && capacity_ - end_ < kCompactBelow) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

void StreamBuffer::filled(size_t bytes) noexcept {
  end_ += bytes;
  due_ = {INT64_MAX};
  note_size();
}

void StreamBuffer::note_size() noexcept {
  stream_.size = stream_.offset + static_cast<int64_t>(end_ - begin_);
}

void StreamBuffer::advance(size_t bytes) noexcept {
  begin_ += bytes;
  stream_.offset += static_cast<int64_t>(bytes);
  if (begin_ == end_) begin_ = end_ = 0;
  note_size();
}

void StreamBuffer::pass_over_rest() noexcept {
  if (!passing_over_) return;
  if (stream_.framing == Framing::journal_entries) {
    advance(skip_.pass(data()));
    passing_over_ = !skip_.done();
    return;
  }
  const size_t next = next_line(data(), stream_.encoding, stream_.offset);
  passing_over_ = next == std::string_view::npos;
  advance(std::min(next, data().size()));
}

// The last entry of `taken` was cut.
void StreamBuffer::begin_skip(std::string_view taken) noexcept {
  while (const size_t whole = log::journal_entry_length(taken)) taken.remove_prefix(whole);
  skip_.begin();
  (void)skip_.pass(taken);
}

void StreamBuffer::pass_over_entry() noexcept {
  NINES_ASSERT(stream_.framing == Framing::journal_entries);
  skip_.begin();
  passing_over_ = true;
}

StreamBuffer::Handed StreamBuffer::hand_over(Reading how) {
  pass_over_rest();
  Handed out;
  if (unread() == 0 && how == Reading::more) return out;
  if (how == Reading::more && full()) how = Reading::full;
  const std::string_view all = data();
  const Taken taken = consumer_.consume(stream_, all, how);
  NINES_ASSERT(taken.bytes <= all.size());
  out.taken = all.substr(0, taken.bytes);
  out.declined = taken.rest == Taken::Rest::declined;
  passing_over_ = taken.mid_line;
  if (passing_over_ && stream_.framing == Framing::journal_entries) begin_skip(out.taken);
  const bool held = taken.rest == Taken::Rest::held || stream_.holds;
  due_ = held ? Instant{clock_.mono().ns + hold_ms_ * kNsPerMs} : Instant{INT64_MAX};
  advance(taken.bytes);
  return out;
}

StreamBuffer::Handed StreamBuffer::finish() {
  Handed out = hand_over(Reading::last);
  if (!out.declined && opened_) {
    opened_ = false;
    consumer_.closed(stream_);
  }
  return out;
}

void StreamBuffer::clear() noexcept {
  begin_ = end_ = 0;
  passing_over_ = false;
  due_ = {INT64_MAX};
  note_size();
}

}  // namespace nines::collector
