// Generations of one log: what a rotation leaves beside the live file. Decides by content which
// file is a copy of which, so that every byte is read once however it was moved, copied or
// truncated.
#include <algorithm>

#include "file/rotation_name.hpp"
#include "file/tailer_impl.hpp"

namespace nines::collector {

// Names in the directory of `path` that may hold other generations of it; any_suffix: also names
// that only content can confirm (app.log.bak), and `path` itself.
std::vector<std::string> TailerImpl::beside(Scan& scan, const std::string& path, bool any_suffix) {
  const std::string_view base = name_of(path);
  const std::string_view stem = rotation_stem(base);
  const std::string directory(directory_of(path));
  const auto& items = scan.dirs.list(directory).items;
  auto it =
      std::lower_bound(items.begin(), items.end(), stem,
                       [](const auto& item, std::string_view key) { return item.name < key; });
  std::vector<std::string> out;
  for (; it != items.end() && it->name.starts_with(stem); ++it) {
    if (it->kind == DirCache::Kind::directory || is_compressed_name(it->name)) continue;
    if (any_suffix || is_rotated_name(base, it->name)) out.push_back(join(directory, it->name));
  }
  return out;
}

// Beside the live file's name and, if that is a link, beside what it leads to: there it is rotated.
std::vector<std::string> TailerImpl::generations_of(Scan& scan, const Entry& e, bool any_suffix) {
  std::vector<std::string> out = beside(scan, e.path, any_suffix);
  if (e.real.empty()) return out;
  const std::vector<std::string> more = beside(scan, e.real, any_suffix);
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

// The bytes at this inode are no longer what we read (copytruncate, truncation, a reused inode):
// the entry goes on in the copy if there is one, the inode is taken in anew.
void TailerImpl::heal_replaced(Scan& scan) {
  for (Entry* entry : scan.replaced) {
    if (entry->where.empty() && entry->id.head_bytes > 0) ++stats_.truncations;
    adopt_heir(*entry);
    entry->replaced = entry->seen = false;
  }
  for (Entry* entry : scan.replaced) {
    if (!find_copy(scan, *entry)) retire(*entry);
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

bool TailerImpl::find_copy(Scan& scan, Entry& entry) {
  if (entry.id.head_bytes == 0) return false;
  std::vector<std::string> names = generations_of(scan, entry, true);
  if (!entry.where.empty() && directory_of(entry.where) != directory_of(entry.path)) {
    const auto more = beside(scan, entry.where, true);
    names.insert(names.end(), more.begin(), more.end());
  }
  // First one that reaches our position; else one that ends before it: all of it was consumed.
  for (const bool consumed : {false, true}) {
    for (const std::string& path : names) {
      const auto st = stat_path(path);
      if (!st || !is_copy(entry, path, *st, consumed)) continue;
      rebind(entry, path, *st, consumed);
      scan.turned.insert(&entry);
      if (scan.candidates.contains(path)) entry.seen = true;
      return true;
    }
  }
  return false;
}

// A copy was written after we last saw the original in its place; that keeps old archives which
// begin alike (a fixed banner) out. But for what was logged between copying and truncating: then
// the original was the last to be written.
bool TailerImpl::is_copy(const Entry& entry, const std::string& path, const FileStat& st,
                         bool consumed) const {
  constexpr int64_t kCopyToTruncateNs = 2 * kNsPerSecond;
  if (!st.regular || st.mtime_ns < entry.path_time_ns - kCopyToTruncateNs) return false;
  if ((st.size < entry.offset) != consumed) return false;
  const bool in_place = path == entry.path || path == entry.real;
  if (in_place && (consumed || entry.offset < kTailBytes)) return false;
  const Entry* tracked = registry_.find(st.dev, st.ino);
  if (tracked != nullptr && tracked->phase != Phase::suspect) return false;
  if (st.size < entry.id.head_bytes) return false;
  const UniqueFd fd = open_for_reading(path);
  if (!fd.valid()) return false;
  if (!consumed) return same_content(fd.get(), entry);
  Entry head_only;
  head_only.id = entry.id;
  return same_content(fd.get(), head_only);
}

void TailerImpl::rebind(Entry& entry, const std::string& path, const FileStat& st, bool consumed) {
  if (Entry* suspect = registry_.find(st.dev, st.ino)) forget(*suspect);
  registry_.close(entry);
  registry_.bind(entry, st.dev, st.ino);
  registry_.set_path(path, entry);
  entry.where = path == entry.path ? std::string() : path;
  entry.rotated = path != entry.path;
  entry.gone = false;
  entry.phase = Phase::live;
  note_stat(entry, st);
  entry.own_size = st.size;
  entry.grown = clock_.mono();
  ++stats_.copies_recognised;
  if (consumed) {
    entry.offset = st.size;
    UniqueFd fd = open_for_reading(path);
    if (fd.valid() && refresh_tail(fd.get(), entry)) registry_.use(entry, std::move(fd));
  }
  (void)ensure_open(entry);
  announce(entry);
  mark_changed(entry);
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

// Unknown files with the name of a rotated generation, born after we last saw a live file in its
// place: they were written and rotated away between two looks.
void TailerImpl::adopt_generations(Scan& scan) {
  for (const auto& [path, youngest] : restless_paths(scan)) {
    for (const std::string& name : generations_of(scan, *youngest, false)) {
      const auto st = scan.candidates.contains(name) ? std::nullopt : stat_path(name);
      if (!st || !st->regular || registry_.find(st->dev, st->ino) != nullptr) continue;
      const int64_t born = st->born_ns != 0 ? st->born_ns : st->mtime_ns;
      if (std::min(born, st->mtime_ns) < youngest->path_time_ns) continue;
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
  Entry* found = adopt(of.path, of.matched, st);
  if (found == nullptr) return nullptr;
  found->where = place;
  found->rotated = true;
  found->real = of.real;
  found->path_time_ns = of.path_time_ns;
  registry_.set_path(place, *found);
  return found;
}

// A file seen for the first time: generations that are there already are not ours to read. Age
// tells them from later ones, except for those of the very tick in which the live file was last
// written.
void TailerImpl::ignore_old_generations(Scan& scan, const Entry& entry) {
  for (const std::string& path : generations_of(scan, entry, false)) {
    const auto st = scan.candidates.contains(path) ? std::nullopt : stat_path(path);
    if (!st || !st->regular || registry_.find(st->dev, st->ino) != nullptr) continue;
    const int64_t born = st->born_ns != 0 ? st->born_ns : st->mtime_ns;
    if (born < entry.path_time_ns) continue;
    const UniqueFd fd = open_for_reading(path);
    Entry* old = fd.valid() ? adopt_rotated(entry, path, *st) : nullptr;
    if (old == nullptr) continue;
    old->phase = Phase::done;
    old->offset = st->size;
    (void)(refresh_head(fd.get(), st->size, *old) && refresh_tail(fd.get(), *old));
    mark_changed(*old);
  }
}

// Files in their place first, so that their copies are seen as copies and not the other way round.
void TailerImpl::judge_suspects(Scan& scan) {
  for (const bool in_place : {true, false}) {
    for (size_t i = 0; i < registry_.all().size(); ++i) {
      Entry& entry = *registry_.all()[i];
      if (entry.phase != Phase::suspect || entry.where.empty() != in_place) continue;
      if (still_suspect(scan, entry) || !ensure_open(entry)) continue;
      // Its head from the first look on: a truncation before the first read is then noticed too.
      (void)refresh_head(entry.fd.get(), kHeadBytes, entry);
      entry.phase = Phase::live;
      announce(entry);
      mark_changed(entry);
      queue(entry);
    }
  }
}

// A suspect is (so far) the beginning of a file that we read elsewhere: a copy, perhaps still being
// made, whose original was not truncated yet. It stays unread as long as that is so; a short
// resemblance that lasts is taken for chance.
bool TailerImpl::still_suspect(Scan& scan, Entry& suspect) {
  std::vector<Entry*> originals;
  const auto add = [&](const std::string& path) {
    if (Entry* live = registry_.at(path)) originals.push_back(live);
    if (const auto it = scan.generations.find(path); it != scan.generations.end()) {
      originals.insert(originals.end(), it->second.begin(), it->second.end());
    }
  };
  if (!suspect.where.empty()) add(suspect.path);
  const std::string& place = suspect.place();
  for (const std::string& base : possible_bases(name_of(place))) {
    add(join(directory_of(place), base));
  }
  std::erase_if(originals, [&](const Entry* e) {
    return e == &suspect || e->phase == Phase::suspect || e->phase == Phase::lost;
  });
  if (originals.empty()) return false;
  if (!ensure_open(suspect)) return true;
  const auto st = stat_fd(suspect.fd.get());
  if (!st) return true;
  note_stat(suspect, *st);
  if (st->size == 0) return true;
  const int64_t age_ns = clock_.mono().ns - suspect.grown.ns;
  if (st->size < kTailBytes && age_ns >= options_.quiet_close_ms * kNsPerMs) return false;
  return std::any_of(originals.begin(), originals.end(), [&](Entry* original) {
    if (!ensure_open(*original)) return false;
    const auto other = stat_fd(original->fd.get());
    return other && is_prefix(suspect.fd.get(), st->size, original->fd.get(), other->size);
  });
}

// Chains the generations of one path, oldest first, the live file last.
void TailerImpl::order_generations(Scan& scan) {
  for (auto& [path, unsorted] : scan.generations) {
    std::vector<Entry*> chain;
    for (Entry* entry : unsorted) {
      if (entry->phase == Phase::live) chain.push_back(entry);
    }
    std::stable_sort(chain.begin(), chain.end(), [](const Entry* a, const Entry* b) {
      // In one tick of the clock app.log.2 is older than app.log.1.
      return a->mtime_ns != b->mtime_ns ? a->mtime_ns < b->mtime_ns : a->place() > b->place();
    });
    Entry* live = registry_.at(path);
    if (live != nullptr && live->phase == Phase::live && live->path == path && !live->rotated) {
      std::erase(chain, live);
      chain.push_back(live);
    }
    for (size_t i = 0; i < chain.size(); ++i) {
      chain[i]->after = i == 0 ? nullptr : chain[i - 1];
      chain[i]->awaited = true;
    }
  }
}

}  // namespace nines::collector
