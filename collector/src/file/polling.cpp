// What inotify does not tell of: directories beyond the limit of watches, and file systems that are
// written to elsewhere. A poll looks at those directories and the files in them only, and asks for
// a scan when something came, went or was replaced.
#include <algorithm>

#include "file/tailer_impl.hpp"

namespace nines::collector {
namespace {

constexpr int64_t kCostFactor = 100;  // polling may take 1 % of the time

}  // namespace

int64_t TailerImpl::scan_every_ns() const {
  if (!watcher_.blind()) return options_.rescan_ms * kNsPerMs;
  const int64_t poll_ns = std::max(options_.poll_ms * kNsPerMs, kCostFactor * scan_cost_ns_);
  return std::min(poll_ns, options_.rescan_ms * kNsPerMs);
}

// A file grew and no event said so, again and again: its file system does not tell.
void TailerImpl::note_unheard(Scan& scan) {
  constexpr int kEnough = 3;
  if (!scan.unheard.empty()) take_events();  // perhaps it was only under way
  for (const Entry* e : scan.unheard) {
    if (e->heard || e->phase != Phase::live) continue;
    const std::string directory(directory_of(e->real.empty() ? e->place() : e->real));
    if (silences_.size() >= options_.max_files) silences_.clear();
    if (++silences_[directory] == kEnough) watcher_.distrust(directory);
  }
  for (const auto& e : registry_.all()) e->heard = false;
}

void TailerImpl::list_polled() {
  polled_files_.clear();
  const std::set<std::string>& directories = watcher_.unwatched();
  if (directories.empty()) {
    polled_dirs_.clear();
    next_poll_ = {INT64_MAX};
    return;
  }
  std::erase_if(polled_dirs_, [&](const auto& item) { return !directories.contains(item.first); });
  for (const std::string& directory : directories) polled_dirs_.try_emplace(directory, -1);
  for (const auto& e : registry_.all()) {
    if (e->phase != Phase::live && e->phase != Phase::suspect) continue;
    const bool here = directories.contains(std::string(directory_of(e->place())));
    const bool there = !e->real.empty() && directories.contains(std::string(directory_of(e->real)));
    if (here || there) polled_files_.push_back(e.get());
  }
  next_poll_ = std::min(next_poll_, Instant{clock_.mono().ns + options_.poll_ms * kNsPerMs});
}

void TailerImpl::poll_unwatched() {
  const int64_t start = clock_.mono().ns;
  for (auto& [directory, changed] : polled_dirs_) {
    const auto st = stat_path(directory.empty() ? "." : directory);
    const int64_t now = st ? st->mtime_ns : 0;
    if (now != changed) scan_due_ = true;
    // Seen once more: a second change within the tick of the file system's clock leaves no trace.
    changed = changed == -1 || now == changed ? now : -1;
  }
  for (Entry* e : polled_files_) {
    const auto st = stat_path(e->place());
    if (!st || st->dev != e->id.dev || st->ino != e->id.ino) {
      scan_due_ = true;
      continue;
    }
    const int64_t known = e->packed ? e->packed->stored : e->size;
    if (st->size != known || st->mtime_ns != e->mtime_ns) handler_.modified(e->place());
  }
  const int64_t end = clock_.mono().ns;
  next_poll_ = {end +
                std::max({options_.poll_ms * kNsPerMs, kCostFactor * (end - start), kNsPerMs})};
}

}  // namespace nines::collector
