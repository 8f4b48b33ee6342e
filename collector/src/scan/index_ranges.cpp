#include "scan/index_ranges.hpp"

#include <algorithm>

#include "nines/collector/block_index.hpp"
#include "nines/query/search.hpp"

namespace nines::collector {
namespace {

using Part = FileScan::Part;

// Where a line begins a record may begin; in container logs it does.
bool can_be_left_out(const ScanShape& shape) noexcept {
  if (shape.encoding != Encoding::bytes) return false;
  if (shape.can_be_cut()) return true;
  return shape.format.wrapping() != Wrapping::none && shape.joined_by == JoinRule::By::none;
}

query::RecordShape record_shape(const ScanShape& of, const query::ScanPlan& plan,
                                const ScanOptions& options) {
  using Shape = query::RecordShape;
  Shape out;
  out.format = of.format.format();
  const Wrapping wrapping = of.format.wrapping();
  out.wrapping = wrapping == Wrapping::cri      ? Shape::Wrapping::cri
                 : wrapping == Wrapping::docker ? Shape::Wrapping::docker
                                                : Shape::Wrapping::none;
  out.one_line = of.joined_by == JoinRule::By::none;
  out.max_record_bytes = options.max_record_bytes;
  out.extracts = plan.extracts;
  out.service = of.file.service;
  return out;
}

void add(std::vector<Part>& parts, int64_t begin, int64_t end) {
  if (begin >= end) return;
  if (!parts.empty() && parts.back().end == begin) {
    parts.back().end = end;
  } else {
    parts.push_back({begin, end});
  }
}

}  // namespace

std::string leave_out_by_index(int fd, int64_t size, const ScanShape& shape,
                               const query::ScanPlan& plan, const ScanOptions& options,
                               std::vector<Part>& ranges, ScanStats& skipped) {
  // Neighbours are wanted whatever they hold.
  if (options.index == nullptr || plan.context || !can_be_left_out(shape)) return {};
  BlockIndex::Question question;
  std::vector<query::LiteralSet> literals;
  if (plan.where) {
    const query::RecordShape of = record_shape(shape, plan, options);
    literals = query::required_literals(*plan.where, of);
    question.levels = query::possible_levels(*plan.where, of);
  }
  question.literals = literals;
  question.since = plan.since;
  question.until = plan.until;
  question.reading = reading_of(shape.format.format(), shape.format.wrapping(), shape.joined_by,
                                shape.selector.multiline, options.utc_offset_s);
  question.now = options.now;
  question.wrapped = shape.format.wrapping() != Wrapping::none;
  if (shape.joined_by != JoinRule::By::none) {
    question.reach = static_cast<int64_t>(options.max_record_bytes);
  }
  auto answer = options.index->ask(fd, question);
  if (!answer) return {};
  answer->worth.push_back({answer->indexed_end, size});
  std::vector<Part> left;
  for (const Part& range : ranges) {
    int64_t kept = 0;
    for (const BlockIndex::Range& worth : answer->worth) {
      const Part part{std::max(range.begin, worth.begin), std::min(range.end, worth.end)};
      kept += std::max<int64_t>(0, part.end - part.begin);
      add(left, part.begin, part.end);
    }
    skipped.bytes_skipped += static_cast<uint64_t>(range.end - range.begin - kept);
  }
  ranges = std::move(left);
  return std::to_string(answer->blocks_worth) + " of " + std::to_string(answer->blocks) +
         " blocks by index";
}

}  // namespace nines::collector
