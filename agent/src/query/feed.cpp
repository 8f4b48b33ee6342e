#include "query/feed.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "nines/collector/link_rule.hpp"
#include "query/remote.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;
using collector::FileScan;
using collector::ScanFile;

class SerialFeed final : public Feed {
 public:
  explicit SerialFeed(PartQueue& parts) : parts_(parts) {}

  bool step(nq::RowSink& out) override {
    if (!scan_ && !open_next()) return false;
    if (scan_->step(out) == FileScan::PartScan::Step::end) {
      parts_.add(*scan_);
      scan_.reset();
    }
    return true;
  }

 private:
  bool open_next() {
    while (!scan_) {
      unit_ = parts_.next();
      if (!unit_) return false;
      auto scan = unit_->file->scan(unit_->part);
      if (scan.ok()) {
        scan_ = std::move(*scan);
      } else {
        parts_.tell(scan.error().message);
      }
    }
    return true;
  }

  PartQueue& parts_;
  std::optional<PartQueue::Unit> unit_;
  std::unique_ptr<FileScan::PartScan> scan_;
};

// Notes whether a sink downstream wants no more.
class Gate final : public nq::RowSink {
 public:
  explicit Gate(nq::RowSink& out) : out_(out) {}
  bool take(const nq::Row& row) override { return open_ = open_ && out_.take(row); }
  bool open() const noexcept { return open_; }

 private:
  nq::RowSink& out_;
  bool open_ = true;
};

// One file among those that are merged.
class Lane {
 public:
  Lane(const nq::SourceRef& source, const ScanFile& file, size_t columns)
      : source_(source), file_(file), batch_(columns) {}

  WallTime first{INT64_MIN};  // of its first record; unknown: read from the start

  Status look(const nq::ScanPlan& plan, const collector::ScanOptions& options) {
    NINES_CHECK(open(plan, options));
    if (const auto time = scan_->first_time()) first = *time;
    now = first;  // rows are put in order by it: how the files are grouped changes nothing
    return Ok{};
  }
  void close() { scan_.reset(); }

  // False: it has no more rows.
  bool fill(const nq::ScanPlan& plan, const collector::ScanOptions& options, Answer& answer,
            Progress* progress) {
    while (at_ == batch_.size()) {
      if (ended_) return false;
      batch_.clear();
      at_ = 0;
      if (const Status done = read(plan, options, answer, progress); !done.ok()) {
        answer.incomplete(done.error().message);
        ended_ = true;
      }
    }
    const nq::Row row = batch_[at_];
    if (row.has_ts) now = std::max(now, row.ts);
    return true;
  }
  nq::Row row() const { return batch_[at_]; }
  void advance() { ++at_; }

  // Of the row that stands first; of one without time, or out of order: that of those before.
  WallTime now{INT64_MIN};

 private:
  Status open(const nq::ScanPlan& plan, const collector::ScanOptions& options) {
    if (scan_) return Ok{};
    NINES_TRY(scan_, FileScan::open(file_, source_, plan, options));
    parts_ = scan_->parts();
    return Ok{};
  }

  Status read(const nq::ScanPlan& plan, const collector::ScanOptions& options, Answer& answer,
              Progress* progress) {
    NINES_CHECK(open(plan, options));
    if (!part_ && next_ == parts_.size()) {
      answer.scan.add(scan_->skipped());
      scan_.reset();
      ended_ = true;
      return Ok{};
    }
    if (!part_) {
      NINES_TRY(part_, scan_->scan(parts_[next_]));
      ++next_;
    }
    if (part_->step(batch_) == FileScan::PartScan::Step::end) {
      answer.scan.add(part_->stats());
      if (progress != nullptr) progress->bytes_done.fetch_add(part_->done_bytes());
      const Error* error = part_->error();
      if (error != nullptr) answer.incomplete(error->message);
      part_.reset();
    }
    return Ok{};
  }

  nq::SourceRef source_;
  ScanFile file_;
  std::unique_ptr<FileScan> scan_;
  std::vector<FileScan::Part> parts_;
  size_t next_ = 0;
  std::unique_ptr<FileScan::PartScan> part_;
  nq::RowBatch batch_;
  size_t at_ = 0;
  bool ended_ = false;
};

class MergedFeed final : public Feed {
 public:
  MergedFeed(const nq::ScanPlan& plan, const Environment& environment,
             const std::vector<FileGroup>& groups, Answer& answer)
      : plan_(plan),
        options_(scan_options(environment)),
        answer_(answer),
        progress_(environment.progress) {
    const size_t columns = nq::columns_of(plan).size();
    for (const FileGroup& group : groups) {
      for (const ScanFile& file : group.files) add(group.source, file, columns);
    }
    std::stable_sort(waiting_.begin(), waiting_.end(),
                     [](const auto& a, const auto& b) { return a->first > b->first; });
  }

  bool step(nq::RowSink& out) override {
    Gate gate(out);
    for (size_t i = 0; i < kRowsAStep; ++i) {
      start_due();
      if (active_.empty()) return !waiting_.empty();
      const auto lane = active_.begin();
      if (!gate.take((*lane)->row())) {
        answer_.scan.partly = true;
        return false;
      }
      (*lane)->advance();
      settle();
    }
    return true;
  }
  WallTime order() const override { return active_.front()->now; }

 private:
  static constexpr size_t kRowsAStep = 4096;
  // Files that are open from the start; beyond, each is opened again when its time has come.
  static constexpr size_t kMostOpen = 256;

  void add(const nq::SourceRef& source, const ScanFile& file, size_t columns) {
    auto lane = std::make_unique<Lane>(source, file, columns);
    if (const Status done = lane->look(plan_, options_); !done.ok()) {
      answer_.incomplete(done.error().message);
      return;
    }
    ++answer_.files;
    if (waiting_.size() >= kMostOpen) lane->close();
    waiting_.push_back(std::move(lane));
  }

  // Those whose first record may be the next one.
  void start_due() {
    while (!waiting_.empty() &&
           (active_.empty() || waiting_.back()->first <= active_.front()->now)) {
      auto lane = std::move(waiting_.back());
      waiting_.pop_back();
      if (!lane->fill(plan_, options_, answer_, progress_)) continue;
      active_.push_back(std::move(lane));
      std::rotate(active_.begin(), active_.end() - 1, active_.end());
      sink_front();
    }
  }

  void settle() {
    if (active_.front()->fill(plan_, options_, answer_, progress_)) {
      sink_front();
    } else {
      active_.erase(active_.begin());
    }
  }

  // The first lane has another row: where does it belong now? Most often it stays.
  void sink_front() {
    for (size_t i = 0; i + 1 < active_.size() && before(*active_[i + 1], *active_[i]); ++i) {
      std::swap(active_[i], active_[i + 1]);
    }
  }
  static bool before(const Lane& a, const Lane& b) {
    return std::pair(a.now, a.row().place) < std::pair(b.now, b.row().place);
  }

  const nq::ScanPlan& plan_;
  collector::ScanOptions options_;
  Answer& answer_;
  Progress* progress_;
  std::vector<std::unique_ptr<Lane>> waiting_;  // the next one last
  std::vector<std::unique_ptr<Lane>> active_;   // in the order of their first rows
};

}  // namespace

collector::ScanOptions scan_options(const Environment& environment) {
  collector::ScanOptions options;
  options.now = environment.clock.wall();
  options.node = environment.node;
  options.index = environment.index;
  options.drop_cache = environment.drop_cache;
  options.stop = environment.stop;
  return options;
}

namespace {

Result<std::vector<FileGroup>> find_remote(const nq::SourceRef& source,
                                           const Environment& environment) {
  std::string known;
  for (const RemoteConfig& remote : environment.remotes) {
    if (remote.name != source.names[0]) {
      known += (known.empty() ? "" : ", ") + remote.name;
      continue;
    }
    ScanFile file;
    file.path = "remote:" + remote.name;
    file.content = make_remote(remote, source.pattern, environment.clock,
                               [&environment] { return environment.stopped(); });
    std::vector<FileGroup> groups;
    groups.push_back({source, {std::move(file)}});
    return groups;
  }
  return Error{Errc::not_found, "no entry of remotes: in nines.yaml is called '" + source.names[0] +
                                    "'; there " + (known.empty() ? "is none" : "are " + known)};
}

}  // namespace

Result<std::vector<FileGroup>> find_sources(const nq::SourceRef& source,
                                            const Environment& environment) {
  if (source.kind == nq::SourceRef::Kind::remote) return find_remote(source, environment);
  std::vector<nq::SourceRef> references{source};
  if (source.kind != nq::SourceRef::Kind::files) {
    NINES_TRY(references, environment.resolve(source));
  }
  std::vector<FileGroup> groups;
  uint32_t next = environment.first_file;
  for (nq::SourceRef& reference : references) {
    NINES_TRY(auto files, collector::find_files(reference, next));
    // Sources of the configuration are read for others.
    const bool configured =
        source.kind != nq::SourceRef::Kind::files && reference.kind == nq::SourceRef::Kind::files;
    if (configured) collector::drop_strays(reference.names, files);
    next += static_cast<uint32_t>(files.size());
    groups.push_back({std::move(reference), std::move(files)});
  }
  return groups;
}

int64_t stored_bytes(const std::vector<FileGroup>& groups) {
  int64_t sum = 0;
  for (const FileGroup& group : groups) {
    for (const ScanFile& file : group.files) {
      struct stat status {};
      if (::stat(file.path.c_str(), &status) == 0) sum += status.st_size;
    }
  }
  return sum;
}

PartQueue::PartQueue(const nq::ScanPlan& plan, const Environment& environment,
                     std::vector<FileGroup> groups, Answer& answer)
    : plan_(plan),
      environment_(environment),
      groups_(std::move(groups)),
      answer_(answer),
      options_(scan_options(environment)) {}

bool PartQueue::open_next() {
  while (group_ < groups_.size()) {
    const FileGroup& group = groups_[group_];
    if (file_ == group.files.size()) {
      ++group_;
      file_ = 0;
      continue;
    }
    auto opened = FileScan::open(group.files[file_++], group.source, plan_, options_);
    if (!opened.ok()) {
      answer_.incomplete(opened.error().message);
      continue;
    }
    ++answer_.files;
    answer_.scan.add((*opened)->skipped());
    parts_ = (*opened)->parts();
    part_ = 0;
    open_ = std::move(*opened);
    return true;
  }
  return false;
}

std::optional<PartQueue::Unit> PartQueue::next() {
  const std::lock_guard lock(mutex_);
  while (!open_ || part_ == parts_.size()) {
    open_.reset();
    if (environment_.stopped() || !open_next()) return std::nullopt;
  }
  return Unit{number_++, open_, parts_[part_++]};
}

void PartQueue::add(const FileScan::PartScan& part) {
  const std::lock_guard lock(mutex_);
  answer_.scan.add(part.stats());
  if (environment_.progress != nullptr) {
    environment_.progress->bytes_done.fetch_add(part.done_bytes());
  }
  if (part.error() != nullptr) answer_.incomplete(part.error()->message);
}

void PartQueue::tell(std::string why) {
  const std::lock_guard lock(mutex_);
  answer_.incomplete(std::move(why));
}

std::unique_ptr<Feed> make_serial_feed(PartQueue& parts) {
  return std::make_unique<SerialFeed>(parts);
}

std::unique_ptr<Feed> make_merged_feed(const nq::ScanPlan& plan, const Environment& environment,
                                       const std::vector<FileGroup>& groups, Answer& answer) {
  return std::make_unique<MergedFeed>(plan, environment, groups, answer);
}

}  // namespace nines::agent::query
