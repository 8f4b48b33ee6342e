#include "scan/part.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace nines::collector {
namespace {

// ctx_group: the place of its first hit, as one number. Files are smaller than 8 TiB.
constexpr int kPlaceBits = 43;

bool is_blank_line(std::string_view line) noexcept {
  return line.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// A part in the middle is read from one byte earlier: a line end there says that a line begins.
int64_t reads_from(const FileScan::Part& part) noexcept {
  return std::max<int64_t>(0, part.begin - 1);
}

}  // namespace

std::optional<query::LineFinder> find_by_literals(const ScanShape& of, const query::ScanPlan& plan,
                                                  const ScanOptions& options) {
  if (!plan.where || (plan.context && (plan.since || plan.until))) return std::nullopt;
  if (of.file.content) return std::nullopt;  // its raw text is not what its lines hold
  const Wrapping wrapping = of.format.wrapping();
  const bool joined = of.joined_by != JoinRule::By::none;
  if (of.encoding != Encoding::bytes || (wrapping != Wrapping::none && joined) ||
      of.format.format().kind == log::FormatKind::journal) {
    return std::nullopt;
  }
  using Shape = query::RecordShape;
  Shape shape;
  shape.format = of.format.format();
  shape.wrapping = wrapping == Wrapping::cri      ? Shape::Wrapping::cri
                   : wrapping == Wrapping::docker ? Shape::Wrapping::docker
                                                  : Shape::Wrapping::none;
  shape.one_line = !joined;
  shape.max_record_bytes = options.max_record_bytes;
  shape.extracts = plan.extracts;
  shape.service = of.file.service;
  query::LineFinder finder(&*plan.where, shape);
  if (finder.finds() == query::LineFinder::Finds::all) return std::nullopt;
  return finder;
}

PartReader::PartReader(const ScanShape& shape, const query::ScanPlan& plan,
                       const std::optional<query::LineFinder>& finder,
                       std::unique_ptr<RowMaker> rows, std::unique_ptr<ScanBytes> bytes,
                       const ScanOptions& options, FileScan::Part part, int64_t size)
    : shape_(shape),
      plan_(plan),
      rows_(std::move(rows)),
      blocks_(std::move(bytes), {options.block_bytes, options.max_record_bytes, shape.encoding},
              reads_from(part), part.end),
      part_(part),
      size_(size),
      framer_(options.max_record_bytes),
      rule_(shape.rule(rows_->parser())),
      finder_(finder) {
  stream_.path = shape.file.path;
  stream_.encoding = shape.encoding;
  if (part.begin > 0) {
    blocks_.skip_line();
    framer_.begin_inside();
  }
  exact_ = finder_ && finder_->finds() == query::LineFinder::Finds::exact;
  if (!plan.context) return;
  judges_neighbours_ = plan.context->within_ns.has_value();
  context_.emplace(*plan.context, [this](const FramedRecord& record, int64_t group,
                                         int64_t offset) { return show(record, group, offset); });
}

int64_t PartReader::done_bytes() const {
  return std::clamp<int64_t>(blocks_.offset() - part_.begin, 0, part_.end - part_.begin);
}

FileScan::PartScan::Step PartReader::step(query::RowSink& out) {
  if (over_) return Step::end;
  out_ = &out;
  switch (blocks_.fill()) {
    case BlockReader::Fill::nothing_yet: return Step::more;
    case BlockReader::Fill::failed:
      error_ =
          Error{Errc::io, shape_.file.path + ": cannot be read: " + std::strerror(errno), errno};
      over_ = true;
      break;
    case BlockReader::Fill::more:
      if (shape_.plain_lines()) {
        lines(out);
      } else {
        records(out);
      }
      over_ = over_ || blocks_.ended();
      break;
  }
  ScanStats& stats = rows_->stats();
  // What was read of the neighbours to find the ends is theirs.
  stats.bytes_scanned = static_cast<uint64_t>(
      std::clamp<int64_t>(blocks_.read_to() - part_.begin, 0, part_.end - part_.begin));
  stats.bytes_stored = static_cast<uint64_t>(blocks_.bytes().stored_bytes());
  if (over_) {
    if (context_ && !refused_) (void)context_->finish();
    close();
  }
  return over_ ? Step::end : Step::more;
}

void PartReader::close() {
  ScanStats& stats = rows_->stats();
  // Of several parts behind the new end, the one that met it says so.
  const bool met = part_.begin == 0 || blocks_.read_to() > reads_from(part_);
  if (blocks_.ended() && size_ >= 0 && blocks_.read_to() < size_ && met) ++stats.shrunk;
  if (const std::string_view damage = blocks_.bytes().damage();
      blocks_.ended() && !damage.empty()) {
    ++stats.damaged;
    error_ = Error{Errc::corrupt, shape_.file.path + ": " + std::string(damage) + "; its first " +
                                      std::to_string(blocks_.read_to()) + " bytes were read"};
  }
  if (const Error* problem = blocks_.bytes().problem(); problem && !error_) error_ = *problem;
}

FrameStep PartReader::take(const FramedRecord& record, query::RowSink& out, bool known) {
  if (record.at >= part_.end) {
    over_ = true;
    return FrameStep::stop_before;
  }
  const RowMaker::Verdict verdict = rows_->judge(record, known);
  const bool hit = verdict == RowMaker::Verdict::yes;
  bool wanted = true;
  if (!context_) {
    wanted = !hit || out.take(rows_->row());
  } else if (hit || verdict == RowMaker::Verdict::no) {
    wanted = context_->add(record, hit, rows_->time());
  }
  if (!wanted) refuse();
  return wanted ? FrameStep::next : FrameStep::stop_before;
}

void PartReader::refuse() noexcept { over_ = refused_ = rows_->stats().partly = true; }

bool PartReader::show(const FramedRecord& record, int64_t group, int64_t offset) {
  rows_->read(record);
  const int64_t file = static_cast<int64_t>(shape_.file.index) << kPlaceBits;
  rows_->set_context(Value::of_int(file + group), Value::of_int(offset));
  return out_->take(rows_->row());
}

// ---- one line, one record ----

void PartReader::lines(query::RowSink& out) {
  const std::string_view data = blocks_.data();
  const size_t whole = own_lines(data);
  if (!may_find_lines(data, whole)) return read_lines(out);
  find_lines(data.substr(0, whole), out);
  const int64_t reached = blocks_.offset() + static_cast<int64_t>(whole);
  blocks_.take(whole);
  over_ = over_ || reached >= part_.end;
}

// Whole lines that begin within this part.
size_t PartReader::own_lines(std::string_view data) const noexcept {
  size_t whole = data.size();
  if (blocks_.reading() != Reading::last) {
    const void* last = whole == 0 ? nullptr : ::memrchr(data.data(), '\n', whole);
    whole =
        last == nullptr ? 0 : static_cast<size_t>(static_cast<const char*>(last) - data.data()) + 1;
  }
  const int64_t room = part_.end - blocks_.offset();
  if (room >= static_cast<int64_t>(whole)) return whole;
  if (room <= 0) return 0;
  const size_t behind = data.find('\n', static_cast<size_t>(room) - 1);
  return behind >= whole ? whole : behind + 1;
}

// Not where lines are more than their bytes: a byte order mark. NULs before a line, which are no
// part of it, the finder knows.
bool PartReader::may_find_lines(std::string_view data, size_t whole) const noexcept {
  if (!finder_ || whole == 0) return false;
  return blocks_.offset() != 0 || data[0] != '\xEF';
}

void PartReader::read_lines(query::RowSink& out) {
  const std::string_view data = blocks_.data();
  size_t taken = 0;
  while (!over_ && taken < data.size()) {
    const void* nl = std::memchr(data.data() + taken, '\n', data.size() - taken);
    if (nl == nullptr) break;
    const size_t end = static_cast<size_t>(static_cast<const char*>(nl) - data.data()) + 1;
    take(frame_line(data, taken, end), out);
    taken = end;
  }
  const Reading how = blocks_.reading();
  const bool cut = how == Reading::full && taken == 0;
  if (!over_ && taken < data.size() && (how == Reading::last || cut)) {
    const int64_t at = blocks_.offset() + static_cast<int64_t>(taken);
    take(frame_odd_line(data.substr(taken), at, how), out);
    blocks_.take(data.size());
    if (cut) blocks_.skip_line();
    return;
  }
  blocks_.take(taken);
}

// Most lines are what stands between two line ends.
const FramedRecord& PartReader::frame_line(std::string_view block, size_t begin, size_t end) {
  const int64_t at = blocks_.offset() + static_cast<int64_t>(begin);
  const char* const text = block.data() + begin;
  size_t size = end - begin;
  const bool ended = text[size - 1] == '\n';
  size -= ended ? 1 : 0;
  if (size > 0 && text[size - 1] == '\r') --size;
  if (!ended || size > framer_.max_record_bytes() || at == 0 || *text == '\0') {
    return frame_odd_line(block.substr(begin, end - begin), at, Reading::last);
  }
  record_.content = {text, size};
  record_.first_line = size;
  record_.at = blocks_.origin(at);
  record_.truncated = false;
  return record_;
}

// One that begins at `at` of the file, with or without its end.
const FramedRecord& PartReader::frame_odd_line(std::string_view text, int64_t at, Reading how) {
  LineReader reader(text, at, {shape_.encoding, how, framer_.max_record_bytes()}, scratch_.line);
  Line line;
  record_.content = reader.next(line) ? line.text : std::string_view();
  record_.first_line = record_.content.size();
  record_.at = blocks_.origin(at);
  record_.truncated = line.truncated;
  return record_;
}

// Only the lines that may satisfy WHERE are looked at, and those around them.
void PartReader::find_lines(std::string_view block, query::RowSink& out) {
  query::LineFinder::Line found;
  size_t at = 0;
  fed_ = 0;
  rows_->stats().partly = true;
  while (!over_ && finder_->next(block, at, found)) {
    at = found.end;
    if (!context_) {
      take(frame_line(block, found.begin, found.end), out, exact_);
      continue;
    }
    const FramedRecord record = frame_line(block, found.begin, found.end);
    if (rows_->judge(record, exact_) != RowMaker::Verdict::yes) continue;
    const auto time = rows_->time();
    if (!feed_until(block, found.begin) || !context_->add(record, true, time)) {
      refuse();
    }
    fed_ = found.end;
  }
  if (!over_ && context_ && !feed_until(block, block.size())) refuse();
}

// Gives the window what it needs of the lines between what it has seen and `to`: those that may
// belong to the last hit, and those that may belong to the next.
bool PartReader::feed_until(std::string_view block, size_t to) {
  const auto line_end = [&](size_t begin) {
    const size_t nl = block.find('\n', begin);
    return nl == std::string_view::npos ? block.size() : nl + 1;
  };
  while (fed_ < to && context_->wants_more()) {
    const size_t end = line_end(fed_);
    if (!feed(block, fed_, end)) return false;
    fed_ = end;
  }
  size_t from = to;
  for (uint32_t n = 0; from > fed_ && n < plan_.context->before;) {
    const void* nl =
        from - fed_ < 2 ? nullptr : ::memrchr(block.data() + fed_, '\n', from - fed_ - 1);
    const size_t begin =
        nl == nullptr ? fed_ : static_cast<size_t>(static_cast<const char*>(nl) - block.data()) + 1;
    n += is_blank_line(block.substr(begin, from - begin)) ? 0 : 1;
    from = begin;
  }
  if (!is_blank_line(block.substr(fed_, from - fed_)) && !context_->gap()) return false;
  while (from < to) {
    const size_t end = line_end(from);
    if (!feed(block, from, end)) return false;
    from = end;
  }
  fed_ = to;
  return true;
}

bool PartReader::feed(std::string_view block, size_t begin, size_t end) {
  const FramedRecord& record = frame_line(block, begin, end);
  if (is_blank_line(record.content)) return true;
  if (!judges_neighbours_) return context_->add(record, false, std::nullopt);
  rows_->read(record);
  return context_->add(record, false, rows_->time());
}

// ---- records of several lines, or wrapped ----

void PartReader::records(query::RowSink& out) {
  const std::string_view data = blocks_.data();
  stream_.offset = blocks_.offset();
  FrameInput in = shape_.format.input(stream_, data, blocks_.reading(), scratch_);
  in.rule = rule_;
  find_candidates(data);
  const FrameOutput framed = framer_.frame(in, [&](const FramedRecord& found) {
    if (over_) return FrameStep::stop_before;
    FramedRecord record = found;
    record.at = blocks_.origin(record.at);
    if (filters_ && record.at < part_.end && !is_candidate(record)) {
      return FrameStep::next;
    }
    return take(record, out);
  });
  blocks_.take(framed.taken.bytes);
  if (framed.taken.mid_line && !blocks_.ended()) blocks_.skip_line();
}

// Where the lines are, of this block, of which some record for which WHERE may be true has one.
void PartReader::find_candidates(std::string_view data) {
  filters_ = false;
  candidates_.clear();
  if (!finder_ || context_ || std::memchr(data.data(), '\0', data.size()) != nullptr) return;
  const size_t last = data.rfind('\n');
  const size_t whole = blocks_.reading() == Reading::last ? data.size()
                       : last == std::string_view::npos   ? 0
                                                          : last + 1;
  // What is not searched because its end is not here yet is not handed over yet either, unless the
  // buffer holds no more.
  if (whole == 0 || blocks_.reading() == Reading::full) return;
  query::LineFinder::Line found;
  for (size_t at = 0; finder_->next(data.substr(0, whole), at, found); at = found.end) {
    candidates_.push_back(blocks_.offset() + static_cast<int64_t>(found.begin));
  }
  filters_ = rows_->stats().partly = true;
}

bool PartReader::is_candidate(const FramedRecord& record) const noexcept {
  if (record.at < blocks_.offset()) return true;  // begun before this block
  const auto from = std::lower_bound(candidates_.begin(), candidates_.end(), record.at);
  if (from == candidates_.end()) return false;
  if (shape_.format.wrapping() != Wrapping::none) return *from == record.at;
  // A carriage return for each of its lines is not in its content.
  const auto size = static_cast<int64_t>(record.content.size() + rule_.max_lines);
  return *from <= record.at + size;
}

}  // namespace nines::collector
