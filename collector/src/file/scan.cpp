// One scan: list what the globs match, find the known files among it by device and inode, look for
// those that are no longer where they were, check those that changed, take in those that are new.
#include <algorithm>
#include <cerrno>

#include "file/rotation_name.hpp"
#include "file/tailer_impl.hpp"

namespace nines::collector {

bool TailerImpl::matches(const Globs& globs, std::string_view path) const {
  const auto hit = [&](const Glob& glob) { return glob.match(path); };
  return std::any_of(globs.include.begin(), globs.include.end(), hit) &&
         std::none_of(globs.exclude.begin(), globs.exclude.end(), hit);
}

std::vector<uint32_t> TailerImpl::match_all(std::string_view path) const {
  std::vector<uint32_t> out;
  for (size_t i = 0; i < globs_.size(); ++i) {
    if (matches(globs_[i], path)) out.push_back(static_cast<uint32_t>(i));
  }
  return out;
}

void TailerImpl::scan() {
  const Instant start = clock_.mono();
  scan_due_ = scan_forced_ = false;
  next_settle_ = {INT64_MAX};
  ++stats_.rescans;
  stats_.files_refused = 0;
  stats_.compressed_ignored = 0;
  const uint64_t links_before = links_refused_;
  resolve_roots();
  Scan scan;
  collect(scan);
  links_refused_total_ += std::max(links_refused_, links_before) - links_before;
  registry_.clear_paths();
  attach_known(scan);
  follow_displaced(scan);
  verify_changed(scan);
  heal_replaced(scan);
  adopt_generations(scan);
  adopt_candidates(scan);
  judge_suspects(scan);
  order_generations();
  finish_scan();
  note_unheard(scan);
  list_polled();
  stats_.polling = watcher_.blind() || !watcher_.unwatched().empty();
  stats_.watches = watcher_.watches();
  last_scan_ = clock_.mono();
  scan_cost_ns_ = last_scan_.ns - start.ns;
  // Many files make a scan dear: at most about 5 % of the time goes into it.
  next_scan_allowed_ = {last_scan_.ns + 20 * scan_cost_ns_};
}

void TailerImpl::collect(Scan& scan) {
  watcher_.begin(clock_.mono());
  for (uint32_t i = 0; i < globs_.size(); ++i) {
    const Glob::Visitor visitor{[&](const std::string& path) { add_candidate(scan, path, i); },
                                [&](const std::string& directory) { watcher_.want(directory); },
                                [&](const std::string&, int error) {
                                  if (error != ENOENT && error != ENOTDIR) ++stats_.read_errors;
                                }};
    for (const Glob& glob : globs_[i].include) glob.expand(scan.dirs, visitor);
  }
}

void TailerImpl::add_candidate(Scan& scan, const std::string& path, uint32_t glob) {
  if (const auto known = scan.candidates.find(path); known != scan.candidates.end()) {
    std::vector<uint32_t>& matched = known->second.matched;
    const bool more = matched.back() != glob && matches(globs_[glob], path);
    if (more && may_lead(glob, known->second.real)) matched.push_back(glob);
    return;
  }
  if (is_unreadable_name(path)) {
    ++stats_.compressed_ignored;
    return;
  }
  if (!matches(globs_[glob], path)) return;  // excluded
  const auto st = stat_path(path);
  if (!st) {
    if (errno != ENOENT && errno != ENOTDIR) ++stats_.read_errors;
    return;
  }
  if (!st->regular) return;
  std::string real = resolved_if_link(path);
  if (!may_lead(glob, real)) return refuse_link(path, real);
  scan.candidates.emplace(path, Candidate{{glob}, *st, std::move(real)});
}

void TailerImpl::attach_known(Scan& scan) {
  for (const auto& entry : registry_.all()) entry->seen = false;
  for (const auto& [path, candidate] : scan.candidates) {
    Entry* entry = registry_.find(candidate.st.dev, candidate.st.ino);
    if (entry == nullptr) continue;
    const auto own = scan.candidates.find(entry->path);
    const bool in_place = own != scan.candidates.end() && own->second.st.dev == entry->id.dev &&
                          own->second.st.ino == entry->id.ino;
    if (!entry->seen) {
      entry->matched = in_place ? candidate.matched : match_all(entry->path);
      if (entry->matched.empty()) entry->matched = candidate.matched;
    }
    if (in_place) add_matched(*entry, candidate.matched);
    const bool grown = entry->phase == Phase::live && !entry->waiting() && !entry->packed &&
                       candidate.st.size > entry->size && entry->size >= 0;
    if (grown && !entry->heard && !watcher_.blind()) scan.unheard.push_back(entry);
    attach(*entry, path, candidate);
  }
}

// Several names may lead to a file in its place. A rotated one keeps the sources it had: what its
// new name matches besides would count the second half of it.
void TailerImpl::add_matched(Entry& entry, const std::vector<uint32_t>& globs) {
  for (const uint32_t glob : globs) {
    const auto at = std::lower_bound(entry.matched.begin(), entry.matched.end(), glob);
    if (at == entry.matched.end() || *at != glob) entry.matched.insert(at, glob);
  }
}

void TailerImpl::attach(Entry& entry, const std::string& path, const Candidate& candidate) {
  registry_.set_path(path, entry);
  const std::string& real = candidate.real;
  if (!real.empty()) {
    registry_.set_path(real, entry);
    watcher_.want(std::string(directory_of(real)));
  }
  if (path == entry.path) {
    if (entry.real != real && entry.phase != Phase::suspect) mark_changed(entry);
    entry.real = real;
    entry.where.clear();
    entry.rotated = false;
  } else if (!entry.seen) {
    entry.where = path;
  }
  if (entry.seen) return;
  entry.seen = true;
  note_stat(entry, candidate.st);
}

// A change is looked at once more at the next scan: a second change within the same tick of the
// file system's clock leaves no trace in mtime. What was seen to be shorter than what we read of it
// was truncated, however long and like itself it is when we read on.
void TailerImpl::note_stat(Entry& entry, const FileStat& st) {
  int64_t& known = entry.packed ? entry.packed->stored : entry.size;
  const bool differs = st.size != known || st.mtime_ns != entry.mtime_ns;
  const bool followed = entry.phase == Phase::live || entry.phase == Phase::done;
  if (followed && !entry.replaced && st.size < (entry.packed ? known : entry.offset)) {
    entry.replaced = scan_forced_ = true;
  }
  if (st.size != known) {
    entry.grown = clock_.mono();
    if (entry.packed) entry.size = std::max(entry.size, entry.offset + 1);
  }
  if (differs || entry.phase == Phase::lost) entry.checks_left = 2;
  entry.mtime_ns = st.mtime_ns;
  known = st.size;
}

// Files that no matching path leads to, or that moved to another matching path: rotated.
void TailerImpl::follow_displaced(Scan& scan) {
  for (size_t i = 0; i < registry_.all().size(); ++i) {
    Entry& entry = *registry_.all()[i];
    if (!entry.seen) relocate(scan, entry);
    const bool displaced =
        !entry.where.empty() && entry.id.ino != 0 && entry.phase != Phase::suspect;
    if (!displaced || entry.rotated) continue;
    entry.rotated = true;
    entry.grown = clock_.mono();
    ++stats_.rotations;
    mark_changed(entry);
    scan.turned.insert(&entry);
  }
}

void TailerImpl::relocate(Scan& scan, Entry& entry) {
  if (entry.matched.empty()) entry.matched = match_all(entry.path);
  if (entry.matched.empty() && !entry.fd.valid()) return;  // its glob is not (yet) configured
  if (!entry.fd.valid()) return find_elsewhere(scan, entry);
  const auto st = stat_fd(entry.fd.get());
  if (!st) return;
  if (st->links == 0 && entry.phase == Phase::suspect && entry.packed) return retire(entry);
  if (st->links == 0 && entry.phase == Phase::done && st->size <= entry.offset) {
    registry_.close(entry);  // was only looked at
    return find_elsewhere(scan, entry);
  }
  std::string now = path_of_fd(entry.fd.get());
  if (st->links == 0) {
    // Gone, but readable while we hold it; or replaced by a rewritten version of itself.
    // A compressed form waits until we are done with what we hold.
    if (entry.offset >= kTailBytes && find_copy(scan, entry, false)) return;
    now = entry.place();
  }
  if (now.empty()) now = entry.place();
  entry.where = now;
  if (registry_.at(now) == nullptr) registry_.set_path(now, entry);
  note_stat(entry, *st);
}

void TailerImpl::find_elsewhere(Scan& scan, Entry& entry) {
  const auto is_it = [&](const std::string& path) {
    const auto st = stat_of(entry, path);
    if (!st || st->dev != entry.id.dev || st->ino != entry.id.ino || !st->regular) return false;
    entry.where = path;
    registry_.set_path(path, entry);
    note_stat(entry, *st);
    return true;
  };
  if (entry.id.ino != 0) {
    if (!entry.where.empty() && is_it(entry.where)) return;
    if (!entry.real.empty() && is_it(entry.real)) return;
    for (const std::string& path : generations_of(scan, entry, Nomination::none)) {
      if (is_it(path)) return;
    }
  }
  if (!entry.gone && find_copy(scan, entry, true)) return;
  retire(entry);
}

// The only check of content in a scan: files whose size or mtime moved, and restored ones.
void TailerImpl::verify_changed(Scan& scan) {
  for (size_t i = 0; i < registry_.all().size(); ++i) {
    Entry& entry = *registry_.all()[i];
    const bool here = entry.seen || !entry.where.empty();
    if (!here || entry.id.ino == 0 || entry.phase == Phase::suspect) continue;
    if (entry.checks_left == 0 && !entry.replaced) continue;
    if (entry.packed && entry.packed->old) continue;
    if (!ensure_open(entry)) continue;
    if (entry.checks_left > 0) --entry.checks_left;
    const bool other = entry.replaced || !same_content(entry.source(), entry);
    if (other && options_.reread) {
      // What is there now will be read by who follows it; what was read is in a copy, or gone.
      entry.replaced = false;
      if (!find_copy(scan, entry, true)) retire(entry);
      continue;
    }
    if (other) {
      scan.replaced.push_back(&entry);
      continue;
    }
    scan.turned.insert(&entry);
    entry.own_size = entry.size;
    if (options_.reread) rewind(entry);
    if (entry.phase == Phase::lost) {
      entry.phase = Phase::live;
      entry.resumed = true;
      entry.gone = false;
      mark_changed(entry);
    }
    if (entry.phase == Phase::done && entry.size <= entry.offset) {
      registry_.close(entry);
      continue;
    }
    entry.phase = Phase::live;
    announce(entry);
    if (!entry.extra.empty()) {  // perhaps a record held back when we stopped
      entry.held = true;
      hold(entry);
    }
    queue(entry);
  }
}

void TailerImpl::adopt_candidates(Scan& scan) {
  std::vector<const std::pair<const std::string, Candidate>*> fresh;
  for (const auto& item : scan.candidates) {
    if (registry_.find(item.second.st.dev, item.second.st.ino) == nullptr) fresh.push_back(&item);
  }
  // Older files first; at one age the shorter name, which is the live one, so that a copy is seen
  // as a copy of it.
  std::sort(fresh.begin(), fresh.end(), [](const auto* a, const auto* b) {
    return a->first.size() != b->first.size() ? a->first.size() < b->first.size()
                                              : a->second.st.mtime_ns < b->second.st.mtime_ns;
  });
  for (const auto* item : fresh) {
    if (Entry* twin = registry_.find(item->second.st.dev, item->second.st.ino)) {
      add_matched(*twin, item->second.matched);  // a second name of one just taken in
      attach(*twin, item->first, item->second);
      continue;
    }
    Entry* entry = adopt(item->first, item->first, item->second.matched, item->second.st);
    if (entry == nullptr) continue;
    attach(*entry, item->first, item->second);
    entry->path_time_ns = item->second.st.mtime_ns;
    if (!scan.generations.contains(entry->path)) ignore_old_generations(scan, *entry);
  }
}

// New entries are suspects until judge_suspects() has looked at them.
Entry* TailerImpl::adopt(const std::string& path, const std::string& place,
                         const std::vector<uint32_t>& matched, const FileStat& st) {
  if (options_.reread) return nullptr;
  Entry* entry = registry_.create(st.dev, st.ino);
  if (entry == nullptr) {
    ++stats_.files_refused;
    return nullptr;
  }
  entry->path = path;
  if (place != path) entry->where = place;
  entry->matched = matched;
  entry->phase = Phase::suspect;
  entry->grown = clock_.mono();
  entry->mtime_ns = st.mtime_ns;
  if (is_packed_name(place)) {
    entry->packed = std::make_unique<Packed>();
    entry->packed->stored = st.size;
  } else {
    entry->size = st.size;
  }
  if (lost_.erase(entry->key) > 0) {
    ++stats_.positions_lost;
    place_at_end(*entry);
  } else if (passed_over(*entry)) {
    ++stats_.files_passed_over;
    place_at_end(*entry);
  }
  return entry;
}

// No source of it wants what is in there already.
bool TailerImpl::passed_over(const Entry& entry) const {
  return std::all_of(entry.matched.begin(), entry.matched.end(), [&](uint32_t source) {
    const Globs& of = globs_[source];
    if (of.wanted.from_end && !of.looked) return true;
    if (entry.mtime_ns < of.wanted.not_before.ns) return true;
    const int64_t age_s = (clock_.wall().ns - entry.mtime_ns) / kNsPerSecond;
    return of.wanted.ignore_older_s > 0 && age_s > of.wanted.ignore_older_s;
  });
}

void TailerImpl::place_at_end(Entry& entry) {
  mark_changed(entry);
  if (entry.packed) {  // nothing is appended to those: left alone for good
    entry.packed->old = true;
    entry.phase = Phase::done;
    return;
  }
  const UniqueFd fd = open_of(entry, entry.place());
  const auto st = fd.valid() ? stat_fd(fd.get()) : std::nullopt;
  const Source source{fd.get(), nullptr};
  if (!st || !refresh_head(source, entry)) return;
  entry.offset = st->size;
  char last = '\n';
  if (entry.offset > 0) (void)read_at(fd.get(), &last, 1, entry.offset - 1);
  entry.skip_line = last != '\n';  // its beginning is on the other side
  if (!refresh_tail(source, entry)) entry.offset = 0;
}

void TailerImpl::note_first_look() {
  for (Globs& source : globs_) {
    if (source.wanted.from_end && !source.looked && !source.mark.empty()) {
      marks_.push_back(source.mark);
    }
    source.looked = true;
  }
}

// Looks again at what turned quiet, forgets what is gone for good, remembers ages.
void TailerImpl::finish_scan() {
  watcher_.finish();
  note_first_look();
  const int64_t now = clock_.mono().ns;
  std::vector<Entry*> gone;
  for (const auto& owned : registry_.all()) {
    Entry& entry = *owned;
    if (entry.seen && entry.where.empty()) entry.path_time_ns = entry.mtime_ns;
    if (entry.phase != Phase::lost) continue;
    const Entry* heir = registry_.at(entry.path);
    const bool superseded = heir != nullptr && heir != &entry && entry.gone;
    const int64_t keep_ms = superseded ? options_.rescan_ms : options_.forget_ms;
    if (now - entry.grown.ns >= keep_ms * kNsPerMs) gone.push_back(&entry);
  }
  for (Entry* entry : gone) forget(*entry);
  close_quiet();
}

}  // namespace nines::collector
