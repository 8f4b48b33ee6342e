#include "nines/collector/index_writer.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include "file/entry.hpp"
#include "index/bloom.hpp"
#include "index/byte_budget.hpp"
#include "index/sidecar.hpp"
#include "index/sidecar_store.hpp"
#include "index/tokens.hpp"

namespace nines::collector {
namespace {

constexpr size_t kMaxTokens = 12'288;       // of a block; 16 KiB then hold 10.7 bits of each
constexpr int64_t kWorthBytes = 64 * 1024;  // shorter blocks are not kept
constexpr int64_t kPageBytes = 4096;
constexpr int64_t kDayNs = int64_t{86'400} * kNsPerSecond;
constexpr int64_t kSweepEveryNs = int64_t{6 * 3600} * kNsPerSecond;

// A block being filled.
struct Growing {
  bool active = false;
  BlockEntry block;  // `end`: so far
  TokenSet tokens{kMaxTokens};
  Oddities odd;
  std::string tail;  // the last kEndBytes
};

struct Log {
  std::string path;
  FileIdentity file;  // as last seen
  Growing growing;
  int64_t begun = 0;            // where reading began in this life
  uint64_t fed = 0;             // when, in calls
  std::optional<SidecarId> id;  // of the sidecar that was prepared
  std::string pending;          // blocks that wait
  uint64_t pending_blocks = 0;
};

void keep_tail(std::string& tail, std::string_view bytes) {
  const auto most = static_cast<size_t>(kEndBytes);
  if (bytes.size() >= most) {
    tail.assign(bytes.substr(bytes.size() - most));
    return;
  }
  tail.append(bytes);
  if (tail.size() > most) tail.erase(0, tail.size() - most);
}

}  // namespace

struct IndexWriter::Impl {
  Impl(IndexOptions o, const Clock& c)
      : options(std::move(o)),
        clock(c),
        store(options.directory, options.max_bytes),
        budget(options.daily_bytes, 0, c.mono()),
        next_sweep{c.mono().ns + kSweepEveryNs} {}

  IndexOptions options;
  const Clock& clock;
  SidecarStore store;
  ByteBudget budget;
  Instant next_sweep;
  IndexStats stats;
  std::unordered_map<const LogStream*, Log> logs;
  TokenCollector collector;
  uint64_t calls = 0;
  size_t working = 0, pending = 0;  // bytes

  // What an append costs the device: whole pages, and those of the file system.
  static int64_t cost_of(size_t bytes) {
    return (static_cast<int64_t>(bytes) + kPageBytes - 1) / kPageBytes * kPageBytes + kPageBytes;
  }
  int64_t least_cost() const {
    return cost_of(std::min(options.append_bytes, options.max_pending));
  }

  bool paused();
  void pause(std::string why);
  void begin(Log& log, int64_t offset);
  void note(Log& log, std::string_view bytes, bool mid_line, const RecordMarks& marks);
  void finish(Log& log);
  void drop(Log& log);
  void make_room(const Log& busy);
  Status append(Log& log);
  Status prepare(Log& log, const SidecarId& id);
  void write(Log& log);
  void write_largest();
};

// Once paused, until there is enough for a good piece.
bool IndexWriter::Impl::paused() {
  if (!stats.paused) return false;
  if (budget.has(2 * least_cost(), clock.mono())) stats.paused = false;
  return stats.paused;
}

void IndexWriter::Impl::pause(std::string why) {
  stats.paused = true;
  ++stats.pauses;
  stats.trouble = std::move(why);
  for (auto& [stream, log] : logs) {
    drop(log);
    pending -= log.pending.size();
    log.pending = std::string();
    log.pending_blocks = 0;
  }
}

void IndexWriter::Impl::begin(Log& log, int64_t offset) {
  Growing& g = log.growing;
  g.active = true;
  g.block = BlockEntry();
  g.block.begin = g.block.end = offset;
  g.block.flags = BlockEntry::kKnownRecords;
  g.odd = {};
  g.tail.clear();
}

void IndexWriter::Impl::note(Log& log, std::string_view bytes, bool mid_line,
                             const RecordMarks& marks) {
  Growing& g = log.growing;
  BlockEntry& block = g.block;
  const bool first = block.begin == block.end;
  working -= g.tokens.bytes();
  collector.collect(bytes, g.tokens, g.odd);
  working += g.tokens.bytes();
  keep_tail(g.tail, bytes);
  block.end += static_cast<int64_t>(bytes.size());
  // The rest of such a line is seen by nobody here, but perhaps by a query.
  if (mid_line) block.flags |= BlockEntry::kAny;
  if (!marks.known || (!first && marks.reading != block.reading)) {
    block.flags &= ~static_cast<uint32_t>(BlockEntry::kKnownRecords);
  }
  block.reading = marks.reading;
  block.levels |= marks.levels;
  block.min_ts = std::min(block.min_ts, marks.first.ns);
  block.max_ts = std::max(block.max_ts, marks.last.ns);
}

void IndexWriter::Impl::drop(Log& log) {
  Growing& g = log.growing;
  if (g.active) stats.bytes_passed += static_cast<uint64_t>(g.block.end - g.block.begin);
  g.active = false;
  working -= g.tokens.bytes();
  g.tokens.release();
}

void IndexWriter::Impl::finish(Log& log) {
  Growing& g = log.growing;
  if (!g.active) return;
  BlockEntry& block = g.block;
  if (block.end - block.begin < kWorthBytes) return drop(log);
  block.end_hash = hash64(g.tail);
  if (g.odd.unicode) block.flags |= BlockEntry::kUnicode;
  if (g.odd.slash) block.flags |= BlockEntry::kSlash;
  if (g.odd.pieces) block.flags |= BlockEntry::kPieces;
  if (g.odd.blobs) block.flags |= BlockEntry::kBlobs;
  if (g.tokens.overflowed()) {
    block.flags |= BlockEntry::kSaturated;
    ++stats.saturated;
  } else {
    block.buckets = std::min(kMaxBuckets, buckets_for(g.tokens.size()));
  }
  pending -= log.pending.size();
  append_block(log.pending, block, make_bloom(g.tokens, block.buckets));
  pending += log.pending.size();
  ++log.pending_blocks;
  stats.bytes_indexed += static_cast<uint64_t>(block.end - block.begin);
  g.active = false;
  g.tokens.clear();
  if (log.pending.size() >= options.append_bytes) write(log);
  if (pending > options.max_pending) write_largest();
}

// The block of the log that was fed longest ago is finished as it is.
void IndexWriter::Impl::make_room(const Log& busy) {
  while (working > options.max_working) {
    Log* oldest = nullptr;
    for (auto& [stream, log] : logs) {
      if (&log == &busy || log.growing.tokens.bytes() == 0) continue;
      if (oldest == nullptr || log.fed < oldest->fed) oldest = &log;
    }
    if (oldest == nullptr) return;
    finish(*oldest);
    working -= oldest->growing.tokens.bytes();
    oldest->growing.tokens.release();
  }
}

Status IndexWriter::Impl::prepare(Log& log, const SidecarId& id) {
  if (log.id && !(*log.id == id) && store.move(*log.id, id, log.path).ok()) {
    log.id = id;
    return Ok{};
  }
  NINES_CHECK(store.prepare(id, log.path, log.begun));
  log.id = id;
  return Ok{};
}

// REQUIRES a block, which is longer than a head.
Status IndexWriter::Impl::append(Log& log) {
  if (log.file.ino == 0 || log.file.head_bytes < kHeadBytes) {
    return Error{Errc::not_found, log.path + ": is in no file any more"};
  }
  const SidecarId id{log.file.dev, log.file.ino, log.file.head_hash};
  if (!log.id || !(*log.id == id)) NINES_CHECK(prepare(log, id));
  Status done = store.append(id, log.pending);
  if (!done.ok() && done.error().code == Errc::not_found) {
    // Deleted to make room; what was in it is gone, what is written now begins where it begins.
    NINES_CHECK(store.prepare(id, log.path, 0));
    done = store.append(id, log.pending);
  }
  return done;
}

void IndexWriter::Impl::write(Log& log) {
  if (log.pending.empty()) return;
  if (!budget.take(cost_of(log.pending.size()), clock.mono())) {
    return pause("the day's bytes for the index are used up (index.daily_bytes)");
  }
  if (const Status done = append(log); done.ok()) {
    ++stats.appends;
    stats.bytes_written += log.pending.size();
    stats.blocks += log.pending_blocks;
  } else {
    // A log that was replaced before there was enough of it to be written.
    if (done.error().code != Errc::not_found) stats.trouble = done.error().message;
  }
  pending -= log.pending.size();
  log.pending = std::string();
  log.pending_blocks = 0;
}

void IndexWriter::Impl::write_largest() {
  const auto largest = std::max_element(logs.begin(), logs.end(), [](const auto& a, const auto& b) {
    return a.second.pending.size() < b.second.pending.size();
  });
  if (largest != logs.end()) write(largest->second);
}

Result<std::unique_ptr<IndexWriter>> IndexWriter::create(IndexOptions options, const Clock& clock) {
  auto impl = std::make_unique<Impl>(std::move(options), clock);
  NINES_CHECK(impl->store.open());
  // What an earlier life wrote today counts.
  const int64_t used = impl->store.bytes_since(WallTime{clock.wall().ns - kDayNs});
  impl->budget = ByteBudget(impl->options.daily_bytes, used, clock.mono());
  return std::unique_ptr<IndexWriter>(new IndexWriter(std::move(impl)));
}

IndexWriter::IndexWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
IndexWriter::~IndexWriter() { flush(); }

void IndexWriter::opened(const LogStream& stream) {
  closed(stream);
  Log log;
  log.path = stream.path;
  log.begun = stream.offset;
  impl_->logs.emplace(&stream, std::move(log));
}

void IndexWriter::feed(const LogStream& stream, int64_t offset, std::string_view taken,
                       bool mid_line, const RecordMarks& marks) {
  Impl& impl = *impl_;
  const FileIdentity* const file = stream.identity();
  if (taken.empty() || file == nullptr) return;
  if (impl.clock.mono() >= impl.next_sweep) {
    impl.store.sweep();
    impl.next_sweep = {impl.clock.mono().ns + kSweepEveryNs};
  }
  const auto at = impl.logs.find(&stream);
  if (at == impl.logs.end() || stream.encoding != Encoding::bytes) return;
  if (impl.paused()) {
    impl.stats.bytes_passed += taken.size();
    return;
  }
  Log& log = at->second;
  log.file = *file;
  log.fed = ++impl.calls;
  if (log.growing.active && log.growing.block.end != offset) impl.finish(log);
  if (!log.growing.active) impl.begin(log, offset);
  impl.note(log, taken, mid_line, marks);
  const BlockEntry& block = log.growing.block;
  const bool full = block.end - block.begin >= static_cast<int64_t>(impl.options.block_bytes);
  if (full || mid_line) impl.finish(log);
  impl.make_room(log);
}

void IndexWriter::closed(const LogStream& stream) {
  const auto at = impl_->logs.find(&stream);
  if (at == impl_->logs.end()) return;
  Log& log = at->second;
  if (const FileIdentity* file = stream.identity(); file != nullptr) log.file = *file;
  impl_->finish(log);
  impl_->write(log);
  impl_->drop(log);
  impl_->logs.erase(at);
}

void IndexWriter::flush() {
  for (auto& [stream, log] : impl_->logs) {
    impl_->finish(log);
    impl_->write(log);
  }
}

const IndexStats& IndexWriter::stats() const noexcept {
  impl_->stats.disk_bytes = impl_->store.bytes();
  impl_->stats.evicted = impl_->store.evicted();
  return impl_->stats;
}

Taken IndexingConsumer::consume(LogStream& stream, std::string_view data, Reading how) {
  const int64_t offset = stream.offset;
  const Taken taken = inner_.consume(stream, data, how);
  const bool asks = marks_ && !index_.stats().paused;
  index_.feed(stream, offset, data.substr(0, taken.bytes), taken.mid_line,
              asks ? marks_(stream) : RecordMarks());
  return taken;
}

void IndexingConsumer::opened(LogStream& stream) {
  inner_.opened(stream);
  index_.opened(stream);
}

void IndexingConsumer::closed(LogStream& stream) {
  index_.closed(stream);
  inner_.closed(stream);
}

}  // namespace nines::collector
