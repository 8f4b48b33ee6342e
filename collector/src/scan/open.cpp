#include "scan/open.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "scan/content.hpp"
#include "scan/field_names.hpp"
#include "scan/index_ranges.hpp"
#include "scan/part.hpp"
#include "scan/time_range.hpp"

namespace nines::collector {
namespace {

constexpr size_t kHeadBytes = 256 * 1024;
constexpr size_t kStreamHeadBytes = 64 * 1024;  // of what may come slowly

std::string user_name(uid_t uid) {
  passwd entry{};
  passwd* found = nullptr;
  char buffer[1024];
  const bool known = ::getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0;
  return known && found != nullptr ? found->pw_name : std::to_string(uid);
}

std::string group_name(gid_t gid) {
  group entry{};
  group* found = nullptr;
  char buffer[4096];
  const bool known = ::getgrgid_r(gid, &entry, buffer, sizeof buffer, &found) == 0;
  return known && found != nullptr ? found->gr_name : std::to_string(gid);
}

// Who may read a file that we may not.
Error cannot_open(const std::string& path, int error) {
  Error out{error == ENOENT || error == ENOTDIR ? Errc::not_found : Errc::io,
            path + ": " + std::strerror(error), error};
  struct stat info {};
  if (error != EACCES || ::stat(path.c_str(), &info) != 0) return out;
  const bool group_reads = (info.st_mode & S_IRGRP) != 0;
  out.message += "; it may be read by " + user_name(info.st_uid);
  if (group_reads) {
    out.message += " and group " + group_name(info.st_gid) + " (add this user to it)";
  }
  return out;
}

// Of a file that is too short to tell: a packed one of which the beginning is all that is there.
Packing packing_by_name(std::string_view path) noexcept {
  if (path.ends_with(".gz")) return Packing::gzip;
  return path.ends_with(".zst") ? Packing::zstd : Packing::none;
}

// Notes the first row that has a time.
class FirstTime final : public query::RowSink {
 public:
  bool take(const query::Row& row) override {
    if (row.has_ts) found = TimedPlace{row.place.at, row.ts};
    return !found;
  }
  std::optional<TimedPlace> found;
};

// A time stamp without a zone may be off by as much from the time at which it was written.
constexpr int64_t kZonesNs = int64_t{26} * 3600 * kNsPerSecond;

}  // namespace

Result<std::unique_ptr<FileScan>> FileScan::open(const ScanFile& file,
                                                 const query::SourceRef& source,
                                                 const query::ScanPlan& plan,
                                                 const ScanOptions& options) {
  if (file.content) return open_content(file, plan, options);
  auto opened = std::make_unique<OpenFile>(file, plan, options);
  NINES_CHECK(opened->open_descriptor());
  NINES_CHECK(opened->look(source));
  return std::unique_ptr<FileScan>(std::move(opened));
}

Status OpenFile::open_descriptor() {
  const std::string& path = shape_.file.path;
  if (path == "-") {
    fd_ = UniqueFd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  } else {
    // Not open_for_reading(): from a FIFO is read as its writers write.
    fd_ = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  }
  if (!fd_.valid()) return cannot_open(path, errno);
  struct stat info {};
  const auto found = stat_fd(fd_.get());
  if (!found || ::fstat(fd_.get(), &info) != 0) return cannot_open(path, errno);
  stat_ = *found;
  if (S_ISDIR(info.st_mode)) return cannot_open(path, EISDIR);
  const bool from_front = path != "-" || ::lseek(fd_.get(), 0, SEEK_CUR) == 0;
  stream_ = !stat_.regular || !from_front;
  if (!stream_) packing_ = packing_of(fd_.get());
  if (packing_ == Packing::unknown) packing_ = packing_by_name(path);
  // Files of /proc and the like say 0 and have content.
  if (stat_.size == 0 && packing_ == Packing::none) stream_ = true;
  if (is_plain()) size_ = stat_.size;
  return Ok{};
}

Status OpenFile::read_head() {
  const std::string& path = shape_.file.path;
  if (stream_) {
    if (!read_stream_head(fd_.get(), kStreamHeadBytes, options_.stop, head_, head_is_all_)) {
      return cannot_open(path, errno);
    }
    return Ok{};
  }
  const auto bytes = packing_ == Packing::none ? plain_bytes(fd_.get(), size_, false)
                                               : packed_bytes(fd_.get(), packing_, false);
  head_.resize(kHeadBytes);
  const int64_t got = bytes->read(head_.data(), head_.size(), 0);
  if (got < 0) return cannot_open(path, errno);
  head_is_all_ = got < static_cast<int64_t>(kHeadBytes);
  head_.resize(static_cast<size_t>(got));
  return Ok{};
}

Status OpenFile::look(const query::SourceRef& source) {
  NINES_CHECK(read_head());
  NINES_CHECK(look_at_head(head_, head_is_all_, source, shape_));
  // What is wrong with the plan shows here and not in the middle of the scan.
  auto rows = RowMaker::create(shape_, plan_, options_);
  if (!rows.ok()) return rows.error();
  const auto size = static_cast<int64_t>(head_.size());
  if (const auto first = first_record(memory_bytes(head_), {0, size}, options_)) {
    first_time_ = first->ts;
  }
  if (!stream_) head_ = std::string();
  find_ranges();
  finder_ = find_by_literals(shape_, plan_, options_);
  explain(**rows);
  if (is_plain()) {
    const std::string by_index =
        leave_out_by_index(fd_.get(), size_, shape_, plan_, options_, ranges_, skipped_);
    if (!by_index.empty()) explanation_ += "; " + by_index;
  }
  return Ok{};
}

std::optional<TimedPlace> OpenFile::first_record(std::unique_ptr<ScanBytes> bytes, const Part& part,
                                                 const ScanOptions& options) const {
  query::ScanPlan plan;
  plan.needs_time = true;
  auto rows = RowMaker::create(shape_, plan, options);
  if (!rows.ok()) return std::nullopt;
  PartReader reader(shape_, plan, std::nullopt, std::move(*rows), std::move(bytes), options, part,
                    -1);
  FirstTime first;
  while (reader.step(first) == PartScan::Step::more) {
  }
  return first.found;
}

void OpenFile::find_ranges() {
  const TimeRange range{plan_.since, plan_.until, options_.disorder_ns};
  Part whole{0, size_ >= 0 ? size_ : INT64_MAX};
  if (!range.is_set() || stream_) {
    ranges_ = {whole};
    return;
  }
  if (is_plain() && shape_.can_be_cut()) {
    constexpr int64_t kProbed = int64_t{1} << 20;
    ScanOptions options = options_;
    options.block_bytes = 4096;
    const auto fine = static_cast<int64_t>(options_.block_bytes / 4 + 1);
    whole = find_stretch(size_, range, fine, [&](int64_t offset) {
      return first_record(plain_bytes(fd_.get(), size_, false),
                          {offset, std::min(size_, offset + kProbed)}, options);
    });
  } else if (is_outside(range)) {
    whole = {};
  }
  if (whole.begin < whole.end) ranges_ = {whole};
  if (is_plain()) {
    skipped_.bytes_skipped = static_cast<uint64_t>(size_ - (whole.end - whole.begin));
  } else if (ranges_.empty()) {
    const int64_t unpacked = unpacked_size_hint(fd_.get(), packing_, stat_.size);
    skipped_.bytes_skipped = static_cast<uint64_t>(std::max(unpacked, stat_.size));
  }
}

// Of a file that can only be read from its front: by its first record, and by when it was written
// last (compressing keeps that time).
bool OpenFile::is_outside(TimeRange range) const noexcept {
  if (first_time_ && range.all_behind_are_late(*first_time_)) return true;
  range.disorder_ns = std::max(range.disorder_ns, kZonesNs);
  return range.all_before_are_early({stat_.mtime_ns});
}

std::vector<FileScan::Part> OpenFile::parts() const {
  // Groups of CONTEXT may be chained over any distance.
  if (!is_plain() || !shape_.can_be_cut() || plan_.context) return ranges_;
  const auto piece = static_cast<int64_t>(std::max<size_t>(options_.part_bytes, 1));
  std::vector<Part> out;
  for (const Part& range : ranges_) {
    for (int64_t at = range.begin; at < range.end; at += piece) {
      out.push_back({at, std::min(range.end, at + piece)});
    }
  }
  return out;
}

void OpenFile::explain(const RowMaker& rows) {
  std::string& out = explanation_;
  out = shape_.format.name() + ", ";
  if (shape_.plain_lines()) {
    out += "one record a line";
  } else if (shape_.can_be_cut()) {
    out += "records of several lines";
  } else {
    out += "read in one piece";
  }
  if (packing_ == Packing::gzip) out += ", gzip";
  if (packing_ == Packing::zstd) out += ", zstd";
  if (!rows.reads_time()) out += ", time not read";
  if (finder_) out += "; " + finder_->explanation();
}

std::vector<std::string> OpenFile::field_names() const {
  if (stream_) return sample_names(shape_, options_, memory_bytes(head_));
  return sample_names(shape_, options_,
                      packing_ == Packing::none ? plain_bytes(fd_.get(), size_, false)
                                                : packed_bytes(fd_.get(), packing_, false));
}

Result<std::unique_ptr<FileScan::PartScan>> OpenFile::scan(const Part& part) const {
  auto rows = RowMaker::create(shape_, plan_, options_);
  if (!rows.ok()) return rows.error();
  std::unique_ptr<ScanBytes> bytes;
  if (stream_) {
    bool first = false;
    std::call_once(taken_, [&] { first = true; });
    if (!first) {
      return Error{Errc::unsupported, shape_.file.path + ": a stream can be read only once"};
    }
    bytes = stream_bytes(fd_.get(), head_);
  } else if (packing_ == Packing::none) {
    bytes = plain_bytes(fd_.get(), size_, options_.drop_cache);
  } else {
    bytes = packed_bytes(fd_.get(), packing_, options_.drop_cache);
  }
  return std::unique_ptr<PartScan>(std::make_unique<PartReader>(
      shape_, plan_, finder_, std::move(*rows), std::move(bytes), options_, part, size_));
}

}  // namespace nines::collector
