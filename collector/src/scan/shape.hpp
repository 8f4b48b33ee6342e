// What opening a file for a query found out: how it is read, and where its records begin.
// Immutable: shared by the scans of all its parts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "nines/collector/scan.hpp"
#include "nines/log/format.hpp"
#include "nines/log/multiline.hpp"
#include "nines/slo/spec.hpp"
#include "pipeline/file_format.hpp"

namespace nines::collector {

struct ScanShape {
  explicit ScanShape(size_t max_record_bytes) : format(max_record_bytes) {}
  ScanShape(const ScanShape&) = delete;
  ScanShape& operator=(const ScanShape&) = delete;

  ScanFile file;
  slo::SourceSelector selector;
  FileFormat format;  // its framer is only copied
  Encoding encoding = Encoding::bytes;
  std::unique_ptr<log::StartPattern> pattern;
  std::string ns, pod, container;  // by its path
  JoinRule::By joined_by = JoinRule::By::none;

  // One line is one record, and it stands in the file as it is.
  bool plain_lines() const noexcept {
    return joined_by == JoinRule::By::none && format.wrapping() == Wrapping::none &&
           encoding == Encoding::bytes && format.format().kind != log::FormatKind::journal;
  }
  // A line tells by itself whether a record begins with it, so that reading may begin at any.
  bool can_be_cut() const noexcept {
    const bool by_line = joined_by == JoinRule::By::none || joined_by == JoinRule::By::format ||
                         joined_by == JoinRule::By::pattern;
    return by_line && format.wrapping() == Wrapping::none && encoding == Encoding::bytes &&
           format.format().kind != log::FormatKind::journal;
  }
  // REQUIRES a parser of this shape's format, which outlives the rule.
  JoinRule rule(const log::LineParser& parser) const noexcept {
    return format.join_rule(selector, parser, pattern.get());
  }
};

// Looks at the first bytes of the content. `whole`: they are all of it.
Status look_at_head(std::string_view head, bool whole, const query::SourceRef& source,
                    ScanShape& shape);

}  // namespace nines::collector
