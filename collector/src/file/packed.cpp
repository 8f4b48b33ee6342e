// Compressed generations. A compressed file is the file whose content it holds: it is told by the
// decompressed head, and by the decompressed bytes before the position.
#include <algorithm>

#include "file/tailer_impl.hpp"

namespace nines::collector {
namespace {

constexpr int64_t kSettleNs = 5 * kNsPerSecond;
constexpr int64_t kSameTimeNs = 2 * kNsPerSecond;

bool ended_badly(Decoder::End end) {
  return end == Decoder::End::damaged || end == Decoder::End::refused;
}

}  // namespace

// The file was opened: what is it? One that is called .gz and is none is read as it is.
bool TailerImpl::prepare(Entry& e) {
  Packed& packed = *e.packed;
  packed.kind = packing_of(e.fd.get());
  if (packed.kind == Packing::none) {
    e.packed.reset();
    return true;
  }
  if (packed.kind == Packing::unknown) {  // hardly begun
    registry_.close(e);
    return false;
  }
  packed.decoder = Decoder::create(packed.kind);
  const auto st = stat_fd(e.fd.get());
  const int64_t hint = st ? unpacked_size_hint(e.fd.get(), packed.kind, st->size) : -1;
  if (e.phase != Phase::done) e.size = std::max(e.offset, hint);
  return true;
}

bool TailerImpl::room_to_decode(const Entry& e) const {
  if (!e.packed || e.packed->decoder) return true;
  size_t used = 0;
  for (const Entry* other : registry_.open()) {
    if (other->packed && other->packed->decoder && other->waiting()) {
      used += other->packed->decoder->memory_bytes();
    }
  }
  return used < options_.max_decoder_bytes;
}

// Decoders that nobody waits for go first; what they knew is decoded again.
void TailerImpl::make_room_to_decode(const Entry& e) {
  if (e.packed->decoder) return;
  std::vector<Entry*> holders;  // most recently used first
  size_t used = 0;
  for (Entry* other : registry_.open()) {
    if (!other->packed || !other->packed->decoder) continue;
    holders.push_back(other);
    used += other->packed->decoder->memory_bytes();
  }
  for (const bool idle_only : {true, false}) {
    for (size_t i = holders.size(); i-- > 0 && used >= options_.max_decoder_bytes;) {
      if (!holders[i]->fd.valid() || (idle_only && holders[i]->waiting())) continue;
      used -= holders[i]->packed->decoder->memory_bytes();
      registry_.close(*holders[i]);
    }
  }
}

// probe_ holds the opened compressed file and its decoder.
TailerImpl::Match TailerImpl::match_packed(const Entry& e, const FileStat& st) {
  const Source source = probe_.source();
  if (!same_head(source, e.id)) return Match::no;
  const int64_t hint = unpacked_size_hint(probe_.fd.get(), probe_.packed->kind, st.size);
  const bool same_time = std::abs(st.mtime_ns - e.mtime_ns) <= kSameTimeNs;
  if (hint == (e.offset & 0xffffffff) && same_time && e.phase == Phase::done) return Match::exact;
  if (same_tail(source, e)) return Match::reaches;
  const Decoder& decoder = *probe_.packed->decoder;
  if (decoder.produced() >= e.offset) return Match::no;  // another with the same head
  if (decoder.end() == Decoder::End::starved) {
    // Perhaps still being written; unless nobody has for a while.
    const int64_t age_ns = clock_.wall().ns - st.mtime_ns;
    return age_ns > options_.quiet_close_ms * kNsPerMs ? Match::before : Match::no;
  }
  return Match::before;
}

// Decodes all of it once, to compare it with what may be its original.
void TailerImpl::examine(Entry& e) {
  Packed& packed = *e.packed;
  if (packed.examined == packed.stored) return;
  const Source source = e.source();
  int64_t& whole = packed.whole;
  for (whole = 0;;) {
    const int64_t got = source.read(buffer_.get(), options_.buffer_bytes, whole);
    if (got <= 0) break;
    whole += got;
    if (static_cast<size_t>(got) < options_.buffer_bytes) break;
  }
  packed.end = packed.decoder->end();
  packed.end_hash = hash_of_end(source, whole).value_or(0);
  packed.examined = packed.stored;
}

bool TailerImpl::settled(const Entry& e) const {
  return clock_.mono().ns - e.grown.ns >= kSettleNs || clock_.wall().ns - e.mtime_ns >= kSettleNs;
}

// A compressed file is not read while a file is there of which it is (or becomes) the copy: the
// plain one is read, and when that is gone its entry goes on in here.
bool TailerImpl::packed_suspect(Entry& s, const std::vector<Entry*>& originals) {
  make_room_to_decode(s);
  if (!ensure_open(s)) return true;
  if (!s.packed) return false;  // not compressed at all
  if (const auto st = stat_fd(s.fd.get())) note_stat(s, *st);
  if (s.replaced) {  // written anew while we looked
    s.replaced = false;
    s.id.head_bytes = 0;
    registry_.close(s);
    return true;
  }
  (void)refresh_head(s.source(), s);
  const bool bad = ended_badly(s.packed->decoder->end());
  if (bad) tell_damaged(s);
  if (s.id.head_bytes == 0) {
    if (s.packed->decoder->end() != Decoder::End::complete) {
      registry_.close(s);  // nothing can be said of it yet, or ever
      return true;
    }
    return false;
  }
  std::vector<Entry*> alike;
  for (Entry* original : originals) {
    if (!ensure_open(*original)) {
      if (scan_due_) return true;  // it has just gone: the next scan sees where to
      continue;
    }
    if (same_head(original->source(), s.id)) {
      alike.push_back(original);
    } else if (!is_intact(*original)) {
      return true;
    }
  }
  if (alike.empty()) return false;
  if (!settled(s)) {
    next_settle_ = std::min(next_settle_, Instant{s.grown.ns + kSettleNs});
    return true;
  }
  examine(s);
  const Packed& packed = *s.packed;
  if (packed.end == Decoder::End::starved) return true;
  return std::any_of(alike.begin(), alike.end(), [&](Entry* original) {
    if (!original->packed) {
      const bool ends = ends_within(packed.whole, packed.end_hash, original->source());
      return ends || !is_intact(*original);
    }
    return original->packed->examined >= 0 ? original->packed->end_hash == packed.end_hash
                                           : original->size == packed.whole;
  });
}

// A file that vanished before its compressed form was complete.
bool TailerImpl::continues_gone(const std::vector<Entry*>& originals, const Entry& suspect) {
  const std::string place = suspect.place();
  for (Entry* gone : originals) {
    if (gone->phase != Phase::lost || !gone->gone || gone->id.head_bytes == 0) continue;
    const auto st = stat_of(*gone, place);
    const Match match = st ? match_copy(*gone, place, *st) : Match::no;
    if (match == Match::no) continue;
    rebind(*gone, place, *st, match);  // forgets the suspect
    return true;
  }
  return false;
}

// At the end of what can be decoded of it.
void TailerImpl::settle_packed(Entry& e) {
  if (e.phase != Phase::live || !e.packed || !e.packed->decoder) return;
  const Decoder::End end = e.packed->decoder->end();
  if (end == Decoder::End::complete || ended_badly(end)) {
    (void)finish(e);
  } else {
    next_quiet_ =
        std::min(next_quiet_, Instant{clock_.mono().ns + options_.quiet_close_ms * kNsPerMs});
  }
}

void TailerImpl::tell_damaged(Entry& e) {
  if (e.packed->told) return;
  e.packed->told = true;
  ++stats_.compressed_damaged;
  damaged_ = e.place();
}

}  // namespace nines::collector
