// Reading one file: a piece into the pooled buffer, checked against what is remembered, given to
// the consumer. A position only moves here, and only by what the consumer took.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "file/tailer_impl.hpp"
#include "nines/collector/lines.hpp"

namespace nines::collector {

void TailerImpl::queue(Entry& e) {
  if (e.queued || e.parked || e.throttled) return;
  e.queued = true;
  ready_.push_back(&e);
}

void TailerImpl::announce(Entry& e) {
  if (e.announced) return;
  e.announced = true;
  consumer_.opened(e);
  e.held = e.holds;
  if (e.held) hold(e);
}

void TailerImpl::mark_changed(Entry& e) {
  if (e.changed) return;
  e.changed = true;
  changed_.push_back(&e);
}

bool TailerImpl::ensure_open(Entry& e) {
  if (e.fd.valid()) {
    registry_.touch(e);
    return true;
  }
  UniqueFd fd = open_of(e, e.place());
  if (!fd.valid()) {
    scan_due_ = scan_due_ || errno == ENOENT;
    ++stats_.read_errors;
    e.checks_left = 2;  // the next scan tries again
    return false;
  }
  const auto st = stat_fd(fd.get());
  if (!st || st->dev != e.id.dev || st->ino != e.id.ino || !st->regular) {
    scan_due_ = true;
    return false;
  }
  e.vouched = true;
  registry_.use(e, std::move(fd));
  if (e.packed && !prepare(e)) return false;
  // A file that was empty when last held open tells nothing: its inode may be another's by now.
  const bool nameless = e.id.head_bytes == 0 && st->size > 0 && e.phase != Phase::suspect;
  if ((nameless && !e.packed) || !same_content(e.source(), e)) e.replaced = scan_forced_ = true;
  return true;
}

// A consumer that reads in time order takes little at a time: what it left is not read twice. Nor
// is read what the rate of the source does not allow yet, but for a line that is longer.
size_t TailerImpl::piece_bytes(const Entry& e) {
  constexpr size_t kLeast = 16 * 1024;
  size_t out = options_.buffer_bytes;
  if (e.taken > 0) out = std::min(out, kLeast + 2 * static_cast<size_t>(e.taken));
  if (!pacing_ || e.wide) return out;
  const int64_t allowed = std::max<int64_t>(bytes_allowed(e), kLeast / 4);
  return static_cast<size_t>(std::min(static_cast<int64_t>(out), allowed));
}

TailerImpl::Step TailerImpl::read_piece(Entry& e, Reading how, size_t& read_bytes) {
  if (e.phase != Phase::live) return Step::stopped;
  if (e.packed) make_room_to_decode(e);
  if (!ensure_open(e) || e.replaced) return Step::stopped;
  const auto st = stat_fd(e.fd.get());
  if (!st) return Step::stopped;
  const int64_t before = e.tail_bytes();
  buffer_offset_ = e.offset - before;
  const size_t want = piece_bytes(e) + static_cast<size_t>(before);
  const int64_t got = e.source().read(buffer_.get(), want, buffer_offset_);
  if (got < 0) {
    ++stats_.read_errors;
    return Step::stopped;
  }
  const std::string_view tail(buffer_.get(), static_cast<size_t>(std::min(got, before)));
  const bool long_enough = e.packed || st->size >= e.offset;
  const bool intact =
      long_enough && got >= before && (before == 0 || hash64(tail) == e.id.tail_hash);
  const bool check_head = e.id.head_bytes < kHeadBytes || e.offset < kTailBytes;
  if (!intact || (check_head && !check_head_of_piece(e, static_cast<size_t>(got))) ||
      (got > before && !is_of_one_piece(e))) {
    e.replaced = scan_forced_ = true;
    return Step::stopped;
  }
  note_stat(e, *st);
  if (e.replaced) return Step::stopped;
  read_bytes = static_cast<size_t>(got - before);
  stats_.bytes_read += read_bytes;
  std::string_view data(buffer_.get() + before, read_bytes);
  const int64_t reached = e.offset + static_cast<int64_t>(data.size());
  if (e.packed) e.size = std::max(e.size, reached);
  e.own_size = e.packed ? reached : st->size;
  bool at_end = e.packed ? static_cast<size_t>(got) < want : reached >= st->size;
  if (const int64_t room = e.limit - e.offset; static_cast<int64_t>(data.size()) >= room) {
    data = data.substr(0, static_cast<size_t>(room));
    at_end = true;
    if (!e.whole_at_limit) how = Reading::more;
  }
  data = skip_consumed(e, data);
  if (data.empty()) {
    if (!at_end && read_bytes > 0) return Step::progress;
    if (how == Reading::more || (!e.held && (how == Reading::quiet || e.extra.empty())))
      return Step::end;
  }
  if (pacing_ && !e.wide && !data.empty()) {
    const std::string_view allowed = within_rate(e, data);
    at_end = at_end && allowed.size() == data.size();
    data = allowed;
  }
  return deliver(e, data, at_end ? how : Reading::more, at_end);
}

// By what was read just now, if that is enough, not by what may have come in its place since.
bool TailerImpl::check_head_of_piece(Entry& e, size_t bytes) {
  const bool enough = buffer_offset_ == 0 && bytes >= e.id.head_bytes;
  return enough ? refresh_head({buffer_.get(), bytes}, e) : refresh_head(e.source(), e);
}

// The kernel copies a piece page by page and asks for the size anew in between: of a file that is
// truncated and written again meanwhile, one read gives old bytes followed by new ones. If what
// came first is still there afterwards, all of it was.
bool TailerImpl::is_of_one_piece(const Entry& e) {
  if (e.packed) return true;
  return e.offset > 0 ? same_tail(e.source(), e) : same_head(e.source(), e.id);
}

// Passes over the hole of NULs that a writer without O_APPEND leaves at the start after a
// truncation, and over the rest of a line of which the beginning was consumed.
std::string_view TailerImpl::skip_consumed(Entry& e, std::string_view data) {
  const bool in_hole = e.offset == 0 || e.hole;
  if (in_hole && !data.empty()) {
    const size_t text = std::min(data.find_first_not_of('\0'), data.size());
    e.hole = text == data.size();
    stats_.hole_bytes += text;
    if (text > 0) advance(e, text);
    data.remove_prefix(text);
  }
  if (e.skip_line && !data.empty()) {
    const size_t next = next_line(data, e.encoding, e.offset);
    const size_t rest = std::min(next, data.size());
    e.skip_line = next == std::string_view::npos;
    advance(e, rest);
    data.remove_prefix(rest);
  }
  return data;
}

// Gives `data` to the consumer, whose answer alone moves the position.
TailerImpl::Step TailerImpl::deliver(Entry& e, std::string_view data, Reading how, bool at_end) {
  const bool full = data.size() == options_.buffer_bytes;
  if (how == Reading::more && full) how = Reading::full;
  const Taken taken = consumer_.consume(e, data, how);
  NINES_ASSERT(taken.bytes <= data.size() &&
               (how != Reading::full || taken.bytes > 0 || taken.rest == Taken::Rest::declined ||
                taken.rest == Taken::Rest::waiting));
  e.held = taken.rest == Taken::Rest::held;
  if (e.held) hold(e);
  if (taken.mid_line) {
    e.skip_line = true;
    if (how == Reading::full) ++stats_.lines_cut;
  }
  e.wide = taken.bytes == 0 && !at_end;  // of a piece too small for one line the next is larger
  if (pacing_) charge(e, data.substr(0, taken.bytes));
  if (taken.bytes > 0) advance(e, taken.bytes);
  if (how == Reading::quiet || how == Reading::last) mark_changed(e);  // `extra` may be another now
  if (taken.rest == Taken::Rest::declined) {
    e.taken = static_cast<uint32_t>(taken.bytes);
    return Step::declined;
  }
  if (taken.rest == Taken::Rest::waiting) return Step::waiting;
  e.taken = 0;
  return at_end ? Step::end : Step::progress;
}

// Nothing may come after a record that could have gone on: it is taken when it has been quiet. What
// is held is in the file behind the position, or in `extra`, which is saved with it.
void TailerImpl::hold(Entry& e) {
  if (std::find(held_.begin(), held_.end(), &e) == held_.end()) held_.push_back(&e);
  next_held_ = std::min(next_held_, Instant{clock_.mono().ns + options_.hold_ms * kNsPerMs});
}

// The file is gone or finished: no more of the record will come.
void TailerImpl::let_go_of_held(Entry& e) {
  const bool any = e.held || !e.extra.empty();
  e.held = false;
  if (!any || e.matched.empty()) return;
  announce(e);
  (void)consumer_.consume(e, {}, Reading::last);
  mark_changed(e);
}

void TailerImpl::take_held() {
  const int64_t now = clock_.mono().ns;
  next_held_ = {INT64_MAX};
  std::vector<Entry*> waiting;
  waiting.swap(held_);
  for (Entry* e : waiting) {
    if (!e->held || e->phase != Phase::live) continue;
    const int64_t due = e->grown.ns + options_.hold_ms * kNsPerMs;
    if (e->waiting() || now < due) {
      held_.push_back(e);
      next_held_ = std::min(next_held_, Instant{std::max(due, now + kNsPerMs)});
      continue;
    }
    size_t bytes = 0;
    const Step step = read_piece(*e, Reading::quiet, bytes);
    if (step == Step::progress) queue(*e);
    if (step == Step::declined) {
      e->declined = true;
      declined_.push_back(e);
    }
  }
}

// Needs the bytes up to the new position in the buffer.
void TailerImpl::advance(Entry& e, size_t bytes) {
  e.offset += static_cast<int64_t>(bytes);
  const int64_t tail = e.tail_bytes();
  e.id.tail_hash =
      hash64({buffer_.get() + (e.offset - tail - buffer_offset_), static_cast<size_t>(tail)});
  mark_changed(e);
}

// Rotated or deleted files that have been quiet long enough: consume what is left, close.
void TailerImpl::close_quiet() {
  const int64_t now = clock_.mono().ns;
  int64_t next = now + options_.rescan_ms * kNsPerMs;
  for (size_t i = 0; i < registry_.all().size(); ++i) {
    Entry& e = *registry_.all()[i];
    if ((!e.rotated && !e.packed) || e.phase != Phase::live) continue;
    if (e.fd.valid()) {
      const auto st = stat_fd(e.fd.get());
      const int64_t known = e.packed ? e.packed->stored : e.size;
      if (st && (st->size != known || st->mtime_ns != e.mtime_ns)) {
        note_stat(e, *st);
        queue(e);
      }
    }
    if (e.waiting()) continue;
    const int64_t due = e.grown.ns + options_.quiet_close_ms * kNsPerMs;
    if (now < due) {
      next = std::min(next, due);
    } else {
      (void)finish(e);
    }
  }
  next_quiet_ = {next};
}

bool TailerImpl::finish(Entry& e) {
  Step step = Step::progress;
  while (step == Step::progress) {
    size_t bytes = 0;
    step = read_piece(e, Reading::last, bytes);
  }
  if (step != Step::end) return false;
  const auto st = stat_fd(e.fd.get());
  if (e.packed) {
    if (e.packed->decoder->end() != Decoder::End::complete) tell_damaged(e);
    e.size = e.offset;
  }
  registry_.close(e);
  e.phase = Phase::done;
  e.held = false;
  mark_changed(e);
  if (e.announced) {
    e.announced = false;
    consumer_.closed(e);
    e.user.reset();
  }
  // Deleted: perhaps compressed, and its position is to go on in that.
  if (!st || st->links == 0) scan_due_ = true;
  return true;
}

// Nowhere to be found. Its position is kept for a while: the file may come back (a mount), and its
// age tells which generations beside its path are younger.
void TailerImpl::retire(Entry& e) {
  if (e.gone) return;
  const bool was_read = e.phase == Phase::live || e.phase == Phase::lost;  // a suspect is a copy
  if (was_read && e.own_size > e.offset) {
    stats_.bytes_lost += static_cast<uint64_t>(e.own_size - e.offset);
  }
  if (was_read) let_go_of_held(e);
  registry_.close(e);
  e.phase = Phase::lost;
  e.gone = true;
  e.grown = clock_.mono();
  e.where.clear();
  e.size = e.own_size = e.offset;
  if (!e.announced) return;
  e.announced = false;
  consumer_.closed(e);
  e.user.reset();
}

void TailerImpl::forget(Entry& e) {
  if (e.queued) std::erase(ready_, &e);
  std::erase(declined_, &e);
  std::erase(waiting_, &e);
  std::erase(held_, &e);
  std::erase(polled_files_, &e);
  std::erase(throttled_, &e);
  if (e.changed) std::erase(changed_, &e);
  if (e.saved) forgotten_.push_back(e.key);
  registry_.erase(e);
}

}  // namespace nines::collector
