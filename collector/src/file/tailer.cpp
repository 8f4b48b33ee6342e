// The public side: waiting, turning events into work, fair reading, positions.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "file/tailer_impl.hpp"

namespace nines::collector {
namespace {

// Keys of positions that say that a source was looked at before.
constexpr std::string_view kLookedKey = "looked:";

std::string mark_of(const GlobSpec& globs) {
  std::string text;
  for (const auto* patterns : {&globs.include, &globs.exclude}) {
    for (const std::string& pattern : *patterns) text.append(pattern).push_back('\0');
    text.push_back('\1');
  }
  return std::string(kLookedKey) + std::to_string(hash64(text));
}

}  // namespace

Result<std::unique_ptr<Tailer>> Tailer::create(TailerOptions options, RecordConsumer& consumer,
                                               std::vector<slo::Position> saved,
                                               const Clock& clock) {
  if (options.buffer_bytes == 0 || options.max_files == 0 || options.max_open < 4) {
    return Error{Errc::invalid_argument,
                 "tailer: buffer_bytes and max_files must be positive, max_open at least 4", 0};
  }
  auto tailer = std::make_unique<TailerImpl>(options, consumer, clock);
  NINES_CHECK(tailer->open_wake());
  tailer->restore(std::move(saved));
  return std::unique_ptr<Tailer>(std::move(tailer));
}

TailerImpl::TailerImpl(TailerOptions options, RecordConsumer& consumer, const Clock& clock)
    : options_(options),
      consumer_(consumer),
      clock_(clock),
      registry_(options.max_files, options.max_open),
      watcher_(options.use_inotify, options.max_watches),
      buffer_(new char[kTailBytes + options.buffer_bytes]) {
  handler_.modified = [this](const std::string& path) {
    Entry* entry = registry_.at(path);
    if (entry == nullptr) return;
    entry->heard = true;
    if (entry->phase == Phase::live) {
      queue(*entry);
    } else {
      scan_due_ = true;
    }
    entry->checks_left = 2;
  };
  handler_.structure = [this](const std::string& path, bool directory) {
    scan_due_ = scan_due_ || interesting(path, directory);
  };
  handler_.lost = [this] { scan_due_ = true; };
}

Status TailerImpl::open_wake() {
  wake_fd_.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (wake_fd_.valid()) return Ok{};
  return Error{Errc::io, "tailer: eventfd failed (out of descriptors? see ulimit -n)", errno};
}

void TailerImpl::restore(std::vector<slo::Position> saved) {
  for (slo::Position& position : saved) {
    auto entry = std::make_unique<Entry>();
    entry->key = std::move(position.key);
    if (position.state.empty()) continue;
    if (entry->key.starts_with(kLookedKey)) {
      looked_.insert(std::move(entry->key));
      continue;
    }
    if (position.state == kPositionLost) {
      lost_.insert(entry->key.substr(0, entry->key.find(':', entry->key.find(':') + 1)));
      continue;
    }
    if (!decode_state(position.state, *entry)) {
      ++stats_.states_malformed;
      continue;
    }
    entry->saved = true;
    entry->grown = clock_.mono();
    entry->checks_left = 2;
    entry->size = -1;
    if (options_.reread && entry->packed && entry->packed->old) {  // nobody has read it
      entry->packed->old = false;
      entry->phase = Phase::lost;
      entry->limit = INT64_MAX - 1;
      entry->whole_at_limit = true;
    }
    if (!registry_.restore(std::move(entry))) ++stats_.files_refused;
  }
}

// A known file was found again: to be read once more, up to where it was read.
void TailerImpl::rewind(Entry& e) {
  if (e.limit != INT64_MAX) return;
  e.limit = e.offset;
  e.whole_at_limit = e.extra.empty();
  e.offset = 0;
  e.extra.clear();
  e.skip_line = e.hole = false;
  e.id.tail_hash = hash64({});
}

void TailerImpl::add_source(uint32_t source, FileSource files) {
  if (globs_.size() <= source) globs_.resize(source + 1);
  Globs& globs = globs_[source];
  const auto parse = [](const std::vector<std::string>& patterns, std::vector<Glob>& out) {
    for (const std::string& pattern : patterns) {
      for (Glob& glob : Glob::parse(pattern)) out.push_back(std::move(glob));
    }
  };
  parse(files.globs.include, globs.include);
  parse(files.globs.exclude, globs.exclude);
  if (link_roots_) globs.roots.emplace(files.globs.include, *link_roots_);
  globs.bytes = TokenBucket(files.max_bytes_per_s);
  globs.lines = TokenBucket(files.max_lines_per_s);
  globs.mark = mark_of(files.globs);
  globs.looked = looked_.contains(globs.mark);
  globs.wanted = std::move(files);
  scan_due_ = true;
  next_scan_allowed_ = {};
}

bool TailerImpl::interesting(const std::string& path, bool directory) const {
  if (directory || registry_.at(path) != nullptr) return true;
  return std::any_of(globs_.begin(), globs_.end(),
                     [&](const Globs& globs) { return matches(globs, path); });
}

void TailerImpl::wake() noexcept {
  const uint64_t one = 1;
  (void)!::write(wake_fd_.get(), &one, sizeof one);
}

bool TailerImpl::scan_now() const {
  const Instant now = clock_.mono();
  if (scan_forced_ || now >= next_settle_) return true;
  if (scan_due_ && now >= next_scan_allowed_) return true;
  return now.ns - last_scan_.ns >= scan_every_ns();
}

Instant TailerImpl::due() const noexcept {
  if (!ready_.empty() || !declined_.empty() || scan_now()) return {};
  int64_t until = std::min(last_scan_.ns + scan_every_ns(), next_quiet_.ns);
  until = std::min(
      {until, next_held_.ns, next_throttle_.ns, next_poll_.ns, next_settle_.ns, next_waiting_.ns});
  if (scan_due_) until = std::min(until, next_scan_allowed_.ns);
  return {until};
}

void TailerImpl::descriptors(std::vector<pollfd>& out) const {
  if (watcher_.fd() >= 0) out.push_back({watcher_.fd(), POLLIN, 0});
}

void TailerImpl::wait(int timeout_ms) {
  std::array<pollfd, 2> fds{pollfd{wake_fd_.get(), POLLIN, 0}, pollfd{watcher_.fd(), POLLIN, 0}};
  const int64_t left_ns = std::max<int64_t>(0, due().ns - clock_.mono().ns);
  const auto left_ms = static_cast<int>(std::min<int64_t>((left_ns + kNsPerMs - 1) / kNsPerMs,
                                                          timeout_ms < 0 ? INT32_MAX : timeout_ms));
  const int limit = timeout_ms == 0 ? 0 : left_ms;
  const int n = ::poll(fds.data(), watcher_.fd() >= 0 ? 2 : 1, limit);
  if (limit != 0) ++stats_.wakeups;
  if (n > 0 && fds[0].revents == 0 && timeout_ms != 0) pause_for_more();
  uint64_t count = 0;
  (void)!::read(wake_fd_.get(), &count, sizeof count);
}

// Writers come in bursts: one wake-up for many lines. wake() ends the pause.
void TailerImpl::pause_for_more() {
  const int64_t since_ms = (clock_.mono().ns - last_wake_.ns) / kNsPerMs;
  if (since_ms < options_.coalesce_ms) {
    pollfd only_wake{wake_fd_.get(), POLLIN, 0};
    (void)::poll(&only_wake, 1, static_cast<int>(options_.coalesce_ms - since_ms));
    ++stats_.wakeups;
  }
  last_wake_ = clock_.mono();
}

void TailerImpl::take_events() {
  const bool was_forced = scan_forced_;
  (void)watcher_.drain(handler_);
  stats_.overflows = watcher_.overflows();
  scan_forced_ = scan_forced_ || was_forced;
}

bool TailerImpl::poll(int timeout_ms, size_t max_bytes) {
  wait(ready_.empty() && !scan_now() ? timeout_ms : 0);
  return read(max_bytes);
}

void TailerImpl::requeue(std::vector<Entry*>& declined) {
  for (Entry* entry : declined) {
    entry->declined = entry->parked = false;
    queue(*entry);
  }
  declined.clear();
}

// Its consumer waits for something that no file tells of.
void TailerImpl::park(Entry& e) {
  constexpr int64_t kAskAgainMs = 250;
  e.parked = e.declined = true;
  waiting_.push_back(&e);
  const Instant again{clock_.mono().ns + kAskAgainMs * kNsPerMs};
  next_waiting_ = std::min(next_waiting_, again);
}

bool TailerImpl::read(size_t max_bytes) {
  registry_.bury();
  requeue(declined_);
  if (clock_.mono() >= next_waiting_) {
    next_waiting_ = {INT64_MAX};
    requeue(waiting_);
  }
  take_events();
  if (clock_.mono() >= next_throttle_) release_throttled();
  if (clock_.mono() >= next_poll_) poll_unwatched();
  if (scan_now()) {
    scan();
  } else if (clock_.mono() >= next_quiet_) {
    close_quiet();
  }
  if (clock_.mono() >= next_held_) take_held();
  pacing_ = true;
  size_t left = max_bytes, passed = 0;
  while (left > 0 && passed < ready_.size()) {
    Entry& e = *ready_.front();
    ready_.pop_front();
    if (e.after != nullptr && e.after->parked) {
      e.queued = false;
      park(e);
      continue;
    }
    if (blocked(e)) {
      ready_.push_back(&e);
      ++passed;
      continue;
    }
    e.queued = false;
    passed = 0;
    if (over_rate(e)) {
      throttle(e);
      continue;
    }
    size_t bytes = 0;
    const Step step = read_piece(e, Reading::more, bytes);
    left -= std::min(left, bytes);
    if (step == Step::progress) queue(e);
    if (step == Step::declined) {
      e.declined = true;
      declined_.push_back(&e);
    }
    if (step == Step::waiting) park(e);
    if (step == Step::end && e.packed) settle_packed(e);
    if (scan_forced_) scan();
  }
  pacing_ = false;
  return !ready_.empty() || !declined_.empty();
}

// Older generations first; and not more decoders at once than there is memory for.
bool TailerImpl::blocked(const Entry& e) const {
  return (e.after != nullptr && e.after->waiting()) || !room_to_decode(e);
}

void TailerImpl::rescan() {
  registry_.bury();
  take_events();
  scan();
}

std::vector<LogStream*> TailerImpl::files() {
  std::vector<LogStream*> out;
  list(out);
  return out;
}

// Whoever reads one after another to the end gets the generations of a log in their order too.
void TailerImpl::list(std::vector<LogStream*>& out) {
  std::vector<bool> listed(registry_.all().size());
  std::vector<Entry*> chain;
  for (const auto& entry : registry_.all()) {
    for (Entry* e = entry.get(); e != nullptr && !listed[e->index]; e = e->after) {
      listed[e->index] = true;
      chain.push_back(e);
    }
    for (; !chain.empty(); chain.pop_back()) {
      if (chain.back()->phase == Phase::live) out.push_back(chain.back());
    }
  }
}

bool TailerImpl::read_some(LogStream& file, bool last) {
  pacing_ = false;
  Entry& e = static_cast<Entry&>(file);  // every LogStream is ours
  while (true) {
    const int64_t from = e.offset;
    const bool narrow = e.taken > 0;  // a small piece was read, perhaps smaller than the record
    size_t bytes = 0;
    const Step step = read_piece(e, last ? Reading::last : Reading::more, bytes);
    if (step == Step::progress && e.offset == from && narrow) continue;
    if (step == Step::progress && e.offset == from) return false;
    if (step != Step::end && step != Step::stopped) return true;
    if (step == Step::end) {
      if (e.queued) {
        e.queued = false;
        std::erase(ready_, &e);
      }
      return false;
    }
    if (!scan_forced_) return false;
    scan();  // it was replaced: goes on in a copy, or not at all
  }
}

bool TailerImpl::caught_up() const noexcept {
  return ready_.empty() && declined_.empty() && waiting_.empty() && throttled_.empty() &&
         !scan_due_ && !scan_forced_;
}

void TailerImpl::take_positions(std::vector<slo::Position>& out) {
  for (const std::string& key : forgotten_) out.push_back({key, {}});
  forgotten_.clear();
  for (const std::string& mark : marks_) out.push_back({mark, "1"});
  marks_.clear();
  for (Entry* entry : changed_) {
    entry->changed = false;
    entry->saved = true;
    out.push_back({entry->key, encode_state(*entry)});
  }
  changed_.clear();
}

void TailerImpl::describe(std::vector<InputStats>& out) const {
  InputStats shown;
  shown.kind = shown.name = "file";
  shown.bytes = stats_.bytes_read;
  shown.lag_bytes = stats().lag_bytes;
  shown.refused = links_refused_total_;
  if (watcher_.blind() && options_.use_inotify) {
    shown.trouble =
        "files are polled: no inotify instance is to be had; raise "
        "fs.inotify.max_user_instances";
  } else if (watcher_.incomplete() && options_.use_inotify) {
    shown.trouble = std::to_string(watcher_.unwatched().size()) +
                    " directories are polled: inotify watches are exhausted; raise "
                    "fs.inotify.max_user_watches";
  } else if (links_refused_ > 0) {
    shown.trouble = refused_link_;
  } else if (!damaged_.empty()) {
    shown.trouble = "damaged compressed file (read as far as it goes): " + damaged_;
  }
  out.push_back(std::move(shown));
}

Tailer::Stats TailerImpl::stats() const noexcept {
  Stats out = stats_;
  out.files_open = registry_.open_count();
  for (const auto& entry : registry_.all()) {
    if (entry->phase == Phase::lost) continue;
    ++out.files_known;
    out.lag_bytes += std::max<int64_t>(0, entry->size - entry->offset);
  }
  return out;
}

}  // namespace nines::collector
