// Generations of one log: what a rotation leaves beside the live file. Decides by content which
// file is a copy of which, so that every byte is read once however it was moved, copied or
// truncated.
#include <algorithm>

#include "file/rotation_name.hpp"
#include "file/tailer_impl.hpp"

namespace nines::collector {
namespace {

// Paths of the logs of which a file could be a generation, by what rotations are usually called.
std::vector<std::string> logs_of(const std::string& path) {
  const std::string_view name = name_of(path);
  std::vector<std::string> out;
  for (const std::string& base : possible_bases(name)) {
    if (is_rotated_name(base, name)) out.push_back(join(directory_of(path), base));
  }
  return out;
}

}  // namespace

// Names in the directory of `path` that may hold other generations of it. With Nomination::none
// also `path` itself.
std::vector<std::string> TailerImpl::beside(Scan& scan, const std::string& path, Nomination least) {
  const std::string_view base = name_of(path);
  const std::string_view stem = rotation_stem(base);
  const std::string directory(directory_of(path));
  const auto& items = scan.dirs.list(directory).items;
  auto it =
      std::lower_bound(items.begin(), items.end(), stem,
                       [](const auto& item, std::string_view key) { return item.name < key; });
  std::vector<std::string> out;
  for (; it != items.end() && it->name.starts_with(stem); ++it) {
    if (it->kind == DirCache::Kind::directory || is_unreadable_name(it->name)) continue;
    if (nomination(base, it->name) >= least) out.push_back(join(directory, it->name));
  }
  return out;
}

// Beside the live file's name and, if that is a link, beside what it leads to: there it is rotated.
std::vector<std::string> TailerImpl::generations_of(Scan& scan, const Entry& e, Nomination least) {
  std::vector<std::string> out = beside(scan, e.path, least);
  if (e.real.empty()) return out;
  const std::vector<std::string> more = beside(scan, e.real, least);
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

// The bytes at this inode are no longer what we read (copytruncate, truncation, a reused inode):
// the entry goes on in the copy if there is one, the inode is taken in anew.
void TailerImpl::heal_replaced(Scan& scan) {
  for (size_t i = 0; i < scan.replaced.size(); ++i) look_at_copies(scan, *scan.replaced[i]);
  for (Entry* entry : scan.replaced) {
    if (entry->where.empty() && entry->id.head_bytes > 0) ++stats_.truncations;
    adopt_heir(*entry);
    entry->replaced = entry->seen = false;
  }
  for (Entry* entry : scan.replaced) {
    if (!find_copy(scan, *entry, true)) retire(*entry);
  }
}

// A file that is found truncated has been copied before, but perhaps after this scan listed its
// directory, or looked at the older copy that was overwritten.
void TailerImpl::look_at_copies(Scan& scan, const Entry& entry) {
  if (entry.id.head_bytes == 0) return;
  scan.dirs.forget(std::string(directory_of(entry.path)));
  if (!entry.real.empty()) scan.dirs.forget(std::string(directory_of(entry.real)));
  for (const std::string& path : generations_of(scan, entry, Nomination::weak)) {
    const auto st = stat_of(entry, path);
    Entry* copy = st ? registry_.find(st->dev, st->ino) : nullptr;
    if (copy == nullptr || copy == &entry || copy->phase == Phase::suspect) continue;
    if (copy->packed && !copy->gone) continue;
    const auto known = std::find(scan.replaced.begin(), scan.replaced.end(), copy);
    if (known != scan.replaced.end()) continue;
    if (copy->gone) copy->where = path == copy->path ? std::string() : path;  // its inode is used
    if (!ensure_open(*copy)) continue;
    if (!copy->replaced && same_content(copy->source(), *copy)) continue;
    copy->replaced = true;
    scan.replaced.push_back(copy);
  }
}

// Files under a matching path are taken in by adopt_candidates(); others would be missed.
void TailerImpl::adopt_heir(Entry& entry) {
  const auto st = stat_fd(entry.fd.get());
  const bool keeps_name = !entry.seen && st && st->links > 0;
  registry_.close(entry);
  registry_.bind(entry, 0, 0);
  mark_changed(entry);  // that it is no longer this inode
  if (keeps_name) adopt_rotated(entry, entry.where, *st);
}

// First one that reaches our position; else one that ends before it: all of it was consumed.
bool TailerImpl::find_copy(Scan& scan, Entry& entry, bool packed_too) {
  if (entry.id.head_bytes == 0) return false;
  std::vector<std::string> names = generations_of(scan, entry, Nomination::none);
  if (!entry.where.empty() && directory_of(entry.where) != directory_of(entry.path)) {
    const auto more = beside(scan, entry.where, Nomination::none);
    names.insert(names.end(), more.begin(), more.end());
  }
  const auto take = [&](const std::string& path, bool shorter) {
    const auto st = stat_of(entry, path);
    const Match match = st ? match_copy(entry, path, *st) : Match::no;
    if (match == Match::no || (match == Match::before) != shorter) return match;
    rebind(entry, path, *st, match);
    scan.turned.insert(&entry);
    if (scan.candidates.contains(path)) entry.seen = true;
    return match;
  };
  const std::string* shorter = nullptr;
  for (const std::string& path : names) {
    if (!packed_too && is_packed_name(path)) continue;
    const Match match = take(path, false);
    if (match == Match::reaches || match == Match::exact) return true;
    if (match == Match::before && shorter == nullptr) shorter = &path;
  }
  return shorter != nullptr && take(*shorter, true) == Match::before;
}

// A copy was written after we last saw the original in its place; that keeps old archives which
// begin alike (a fixed banner) out. But for what was logged between copying and truncating: then
// the original was the last to be written.
TailerImpl::Match TailerImpl::match_copy(const Entry& entry, const std::string& path,
                                         const FileStat& st) {
  constexpr int64_t kCopyToTruncateNs = 2 * kNsPerSecond;
  if (!st.regular || st.mtime_ns < entry.path_time_ns - kCopyToTruncateNs) return Match::no;
  const Entry* tracked = registry_.find(st.dev, st.ino);
  if (tracked != nullptr && tracked->phase != Phase::suspect) return Match::no;
  probe_ = {open_of(entry, path), nullptr};
  if (!probe_.fd.valid()) return Match::no;
  const Packing packing = packing_of(probe_.fd.get());
  if (packing == Packing::gzip || packing == Packing::zstd) {
    probe_.packed = std::make_unique<Packed>();
    probe_.packed->kind = packing;
    probe_.packed->stored = st.size;
    probe_.packed->decoder = Decoder::create(packing);
    return match_packed(entry, st);
  }
  const bool consumed = st.size < entry.offset;
  const bool in_place = path == entry.path || path == entry.real;
  if (in_place && (consumed || entry.offset < kTailBytes)) return Match::no;
  if (st.size < entry.id.head_bytes) return Match::no;
  // The NULs in front of what a writer without O_APPEND goes on with tell nothing of what follows.
  const bool told = entry.id.head_hash != hash64(std::string(entry.id.head_bytes, '\0'));
  if (consumed) return told && same_head(probe_.source(), entry.id) ? Match::before : Match::no;
  return same_content(probe_.source(), entry) ? Match::reaches : Match::no;
}

void TailerImpl::rebind(Entry& entry, const std::string& path, const FileStat& st, Match match) {
  if (Entry* suspect = registry_.find(st.dev, st.ino)) forget(*suspect);
  registry_.close(entry);
  registry_.bind(entry, st.dev, st.ino);
  entry.vouched = true;  // as the probe
  registry_.set_path(path, entry);
  entry.where = path == entry.path ? std::string() : path;
  entry.rotated = path != entry.path;
  entry.gone = entry.replaced = false;
  entry.packed = std::move(probe_.packed);
  entry.phase = Phase::lost;
  resume_from_probe(entry, st, match);
  ++stats_.copies_recognised;
  mark_changed(entry);
}

void TailerImpl::resume_from_probe(Entry& entry, const FileStat& st, Match match) {
  const Source source = {probe_.fd.get(), entry.packed ? entry.packed->decoder.get() : nullptr};
  if (match == Match::before) {
    entry.offset = entry.packed ? entry.packed->decoder->produced() : st.size;
    (void)refresh_tail(source, entry);
  }
  note_stat(entry, st);
  entry.own_size = entry.packed ? entry.offset : st.size;
  if (entry.packed) entry.size = entry.offset;
  entry.grown = clock_.mono();
  if (match == Match::exact) {  // a closed book: all of it was read when it was not compressed
    entry.phase = Phase::done;
    entry.packed->decoder.reset();
    probe_.fd.reset();
    return;
  }
  entry.phase = Phase::live;
  registry_.use(entry, std::move(probe_.fd));
  announce(entry);
  queue(entry);
}

// By path: the youngest file that was ever seen there, unless it is there still and unchanged. Only
// then can younger generations have come and gone since.
std::map<std::string_view, const Entry*> TailerImpl::restless_paths(const Scan& scan) const {
  std::map<std::string_view, const Entry*> out;
  for (const auto& entry : registry_.all()) {
    if (entry->matched.empty() || entry->phase == Phase::suspect) continue;
    const Entry*& youngest = out[entry->path];
    if (youngest == nullptr || youngest->path_time_ns <= entry->path_time_ns)
      youngest = entry.get();
  }
  for (const auto& entry : registry_.all()) {
    const bool in_place = entry->seen && entry->where.empty();
    if (in_place && !scan.turned.contains(entry.get())) out.erase(entry->path);
  }
  return out;
}

// Paths of which a generation was found, by its inode or content, under a name like app-2.log.
void TailerImpl::note_numbering(Scan& scan) {
  for (const auto& e : registry_.all()) {
    if (e->where.empty() && !(e->fd.valid() && e->rotated)) continue;
    if (e->phase == Phase::suspect || e->phase == Phase::lost || numbering_.contains(e->path))
      continue;
    bool found = nomination(name_of(e->path), name_of(e->where)) == Nomination::weak;
    // Deleted while we hold it: perhaps it was compressed under such a name.
    if (!found && e->where == e->path && e->id.head_bytes > 0) {
      for (const std::string& name : beside(scan, e->path, Nomination::weak)) {
        if (nomination(name_of(e->path), name_of(name)) != Nomination::weak) continue;
        const auto st = stat_of(*e, name);
        found = st && match_copy(*e, name, *st) != Match::no;
        if (found) break;
      }
    }
    if (found && numbering_.size() < options_.max_files) numbering_.insert(e->path);
  }
}

// Between the generation that was found and the live file: not written since that was born, as the
// log of another app would be.
bool TailerImpl::is_weak_generation(const Scan& scan, const std::string& path,
                                    const FileStat& st) const {
  constexpr int64_t kLateWritesNs = 2 * kNsPerSecond;
  const auto live = scan.candidates.find(path);
  if (live == scan.candidates.end() || live->second.st.born_ns == 0) return false;
  return st.mtime_ns <= live->second.st.born_ns + kLateWritesNs;
}

// Unknown files with the name of a rotated generation, born after we last saw a live file in its
// place: they were written and rotated away between two looks.
void TailerImpl::adopt_generations(Scan& scan) {
  note_numbering(scan);
  for (const auto& [path, youngest] : restless_paths(scan)) {
    const bool numbers = numbering_.contains(std::string(path));
    const Nomination least = numbers ? Nomination::weak : Nomination::strong;
    for (const std::string& name : generations_of(scan, *youngest, least)) {
      const auto st = scan.candidates.contains(name) ? std::nullopt : stat_of(*youngest, name);
      if (!st || !st->regular || registry_.find(st->dev, st->ino) != nullptr) continue;
      const int64_t born = st->born_ns != 0 ? st->born_ns : st->mtime_ns;
      if (std::min(born, st->mtime_ns) < youngest->path_time_ns) continue;
      const bool weak = numbers && nomination(name_of(path), name_of(name)) == Nomination::weak;
      if (weak && !is_weak_generation(scan, youngest->path, *st)) continue;
      adopt_rotated(*youngest, name, *st);
    }
  }
  for (const auto& entry : registry_.all()) {
    if (entry->rotated || entry->gone || !entry->where.empty()) {
      scan.generations[entry->path].push_back(entry.get());
    }
  }
}

Entry* TailerImpl::adopt_rotated(const Entry& of, const std::string& place, const FileStat& st) {
  Entry* found = adopt(of.path, place, of.matched, st);
  if (found == nullptr) return nullptr;
  found->rotated = true;
  found->real = of.real;
  found->path_time_ns = of.path_time_ns;
  registry_.set_path(place, *found);
  return found;
}

// A file seen for the first time: generations that are there already are not ours to read. Age
// tells them from later ones, except for those of the very tick in which the live file was last
// written; and the youngest plain one is remembered because it will be compressed next, perhaps by
// something that gives it a new age.
void TailerImpl::ignore_old_generations(Scan& scan, const Entry& entry) {
  std::string youngest;
  FileStat youngest_stat;
  const bool room = registry_.all().size() < options_.max_files / 2;
  for (const std::string& path : generations_of(scan, entry, Nomination::strong)) {
    const auto st = scan.candidates.contains(path) ? std::nullopt : stat_of(entry, path);
    if (!st || !st->regular || registry_.find(st->dev, st->ino) != nullptr) continue;
    const bool packed = is_packed_name(path);
    const int64_t born = st->born_ns != 0 ? st->born_ns : st->mtime_ns;
    if ((packed ? std::min(born, st->mtime_ns) : born) >= entry.path_time_ns) {
      ignore_old(entry, path, *st);
    } else if (!packed && (youngest.empty() || st->mtime_ns > youngest_stat.mtime_ns)) {
      youngest = path;
      youngest_stat = *st;
    }
  }
  if (!youngest.empty() && room) ignore_old(entry, youngest, youngest_stat);
}

void TailerImpl::ignore_old(const Entry& of, const std::string& place, const FileStat& st) {
  const UniqueFd fd = open_of(of, place);
  Entry* old = fd.valid() ? adopt_rotated(of, place, st) : nullptr;
  if (old == nullptr) return;
  old->phase = Phase::done;
  mark_changed(*old);
  if (old->packed) {
    old->packed->old = true;
    return;
  }
  const Source source{fd.get(), nullptr};
  old->offset = st.size;
  (void)(refresh_head(source, *old) && refresh_tail(source, *old));
}

// Files in their place first, so that their copies are seen as copies and not the other way round;
// and plain files before compressed ones.
void TailerImpl::judge_suspects(Scan& scan) {
  const auto rank = [](const Entry& e) { return e.packed ? 2 : e.where.empty() ? 0 : 1; };
  for (const int turn : {0, 1, 2}) {
    for (size_t i = 0; i < registry_.all().size(); ++i) {
      Entry& entry = *registry_.all()[i];
      if (entry.phase != Phase::suspect || rank(entry) != turn) continue;
      if (still_suspect(scan, entry) || was_copy(scan, entry)) {
        const auto st = entry.fd.valid() ? stat_fd(entry.fd.get()) : std::nullopt;
        if (st && st->links == 0) retire(entry);
        continue;
      }
      if (!ensure_open(entry)) continue;
      // Its head from the first look on: a truncation before the first read is then noticed too.
      (void)refresh_head(entry.source(), entry);
      entry.phase = Phase::live;
      if (scan.logs_known) index_logs_of(scan, entry);
      announce(entry);
      mark_changed(entry);
      queue(entry);
    }
  }
  // Those that were opened only to be compared with are not held open.
  for (const auto& e : registry_.all()) {
    if (e->phase == Phase::done && e->fd.valid()) registry_.close(*e);
  }
}

// By log: the entries that are not suspects under every log that a name of theirs may be a
// generation of. A pattern that matches generations by their own names makes each of them a file
// with a path of its own; what belongs together does not depend on how it came to be matched.
void TailerImpl::index_logs(Scan& scan) const {
  scan.logs_known = true;
  for (const auto& e : registry_.all()) {
    if (e->phase != Phase::suspect) index_logs_of(scan, *e);
  }
}

void TailerImpl::index_logs_of(Scan& scan, Entry& e) {
  for (const std::string& log : logs_of(e.path)) scan.logs[log].push_back(&e);
  if (e.where.empty() || e.where == e.path) return;
  for (const std::string& log : logs_of(e.where)) scan.logs[log].push_back(&e);
}

std::vector<Entry*> TailerImpl::originals_of(Scan& scan, const Entry& suspect) const {
  std::vector<Entry*> out;
  const auto add = [&](const std::string& path) {
    if (Entry* live = registry_.at(path)) out.push_back(live);
    if (const auto it = scan.generations.find(path); it != scan.generations.end()) {
      out.insert(out.end(), it->second.begin(), it->second.end());
    }
  };
  if (!suspect.where.empty()) add(suspect.path);
  const std::string& place = suspect.place();
  for (const std::string& base : possible_bases(name_of(place))) {
    add(join(directory_of(place), base));
  }
  const std::vector<std::string> logs = logs_of(place);
  if (!logs.empty() && !scan.logs_known) index_logs(scan);
  for (const std::string& log : logs) {
    if (const auto it = scan.logs.find(log); it != scan.logs.end()) {
      out.insert(out.end(), it->second.begin(), it->second.end());
    }
  }
  std::sort(out.begin(), out.end(),
            [](const Entry* a, const Entry* b) { return a->index < b->index; });
  out.erase(std::unique(out.begin(), out.end()), out.end());
  std::erase_if(out, [&](const Entry* e) { return e == &suspect || e->phase == Phase::suspect; });
  return out;
}

// A suspect is (so far) the beginning of a file that we read elsewhere: a copy, perhaps still being
// made, whose original was not truncated yet. It stays unread as long as that is so; a short
// resemblance that lasts is taken for chance.
bool TailerImpl::still_suspect(Scan& scan, Entry& suspect) {
  std::vector<Entry*> originals = originals_of(scan, suspect);
  if (suspect.packed && continues_gone(originals, suspect)) return true;
  std::erase_if(originals, [](const Entry* e) { return e->phase == Phase::lost; });
  if (suspect.packed) return packed_suspect(suspect, originals);
  if (originals.empty()) return false;
  if (!ensure_open(suspect)) return true;
  const auto st = stat_fd(suspect.fd.get());
  if (!st) return true;
  note_stat(suspect, *st);
  if (st->size == 0) return true;
  const int64_t age_ns = clock_.mono().ns - suspect.grown.ns;
  if (st->size < kTailBytes && age_ns >= options_.quiet_close_ms * kNsPerMs) return false;
  const bool resembles = std::any_of(originals.begin(), originals.end(), [&](Entry* original) {
    if (!ensure_open(*original)) return scan_due_;  // perhaps it has just been moved
    return is_prefix(suspect.source(), st->size, original->source()) || !is_intact(*original);
  });
  if (resembles) return true;
  const auto since = stat_fd(suspect.fd.get());
  return !since || since->size < st->size;  // written anew while we compared
}

// To be asked after a comparison with it came out unequal. False: it was truncated since this scan
// looked at it; the next scan knows of what it was the original.
bool TailerImpl::is_intact(Entry& original) {
  if (original.id.head_bytes == 0 || same_content(original.source(), original)) return true;
  original.replaced = scan_due_ = true;
  return false;
}

// Deleted together with that of which it was the copy.
bool TailerImpl::was_copy(Scan& scan, const Entry& suspect) const {
  const auto st = suspect.fd.valid() ? stat_fd(suspect.fd.get()) : std::nullopt;
  if (!st || st->links > 0) return false;
  const std::vector<Entry*> originals = originals_of(scan, suspect);
  return std::any_of(originals.begin(), originals.end(), [&](const Entry* e) {
    return e->phase == Phase::lost && e->id.head_bytes > 0 && same_head(suspect.source(), e->id) &&
           same_tail(suspect.source(), *e);
  });
}

bool TailerImpl::prefers_newest(const Entry& entry) const {
  return std::any_of(entry.matched.begin(), entry.matched.end(),
                     [&](uint32_t source) { return globs_[source].wanted.newest_first; });
}

// Where that is wanted, younger files come first.
void TailerImpl::order_ready() {
  const bool any = std::any_of(globs_.begin(), globs_.end(),
                               [](const Globs& source) { return source.wanted.newest_first; });
  if (!any) return;
  const auto rank = [&](const Entry* e) { return prefers_newest(*e) ? -e->mtime_ns : INT64_MIN; };
  std::stable_sort(ready_.begin(), ready_.end(),
                   [&](const Entry* a, const Entry* b) { return rank(a) < rank(b); });
}

// The log that a path belongs to, also if a pattern matched a generation by its own name.
std::string TailerImpl::log_of(const std::string& path) {
  std::vector<std::string> logs = logs_of(path);
  if (logs.empty()) return path;
  return std::move(logs.back());
}

// Chains the generations of one log, oldest first, the live file last; or the other way round.
void TailerImpl::order_generations() {
  std::map<std::string, std::vector<Entry*>> logs;
  for (const auto& e : registry_.all()) {
    e->after = nullptr;
    const bool wanted = e->rotated || !e->where.empty() || e->waiting();
    if (wanted && e->phase == Phase::live) logs[log_of(e->path)].push_back(e.get());
  }
  for (auto& [path, chain] : logs) {
    std::stable_sort(chain.begin(), chain.end(), [](const Entry* a, const Entry* b) {
      // In one tick of the clock app.log.2 is older than app.log.1.
      return a->mtime_ns != b->mtime_ns ? a->mtime_ns < b->mtime_ns : a->place() > b->place();
    });
    Entry* live = registry_.at(path);
    if (live != nullptr && live->phase == Phase::live && live->path == path && !live->rotated) {
      std::erase(chain, live);
      chain.push_back(live);
    }
    if (prefers_newest(*chain.back())) std::reverse(chain.begin(), chain.end());
    for (size_t i = 0; i < chain.size(); ++i) {
      chain[i]->after = i == 0 ? nullptr : chain[i - 1];
      chain[i]->awaited = true;
    }
  }
  order_ready();
}

}  // namespace nines::collector
