#include "pipeline/file_format.hpp"

#include <vector>

#include "nines/collector/framing.hpp"

namespace nines::collector {
namespace {

constexpr size_t kSampleLines = 200;
constexpr std::string_view kLetters = "cjlspr";  // in the order of log::FormatKind

}  // namespace

void FileFormat::set(const log::FormatSpec& format, bool cri) {
  format_ = format;
  known_ = true;
  misses_ = 0;
  if (cri && !joiner_) joiner_ = std::make_unique<log::CriJoiner>(max_record_bytes_);
  if (!cri) joiner_.reset();
}

bool FileFormat::detect(std::string_view block, bool last, const slo::SourceSelector& selector) {
  std::vector<std::string_view> lines;
  frame(block, {.last = last}, [&](const FramedRecord& record) {
    lines.push_back(record.content);
    return lines.size() < kSampleLines ? FrameStep::next : FrameStep::stop_before;
  });
  if (lines.empty()) return false;
  log::Detection found = log::detect_format(lines);
  misses_ = 0;
  if (selector.format != "auto") {
    if (known_) return false;
    if (auto fixed = log::format_from_name(selector.format); fixed.ok()) {
      found.format = *fixed;
      found.format.pattern = selector.pattern;
      found.matched = found.sampled;
      found.explanation = "given by the configuration";
    }
  }
  if (known_ && (2 * found.matched <= found.sampled || found.cri != cri())) return false;
  matched_ = found.matched > 0;
  explanation_ = std::move(found.explanation);
  set(found.format, found.cri);
  return true;
}

std::string FileFormat::save() const {
  if (!known_) return {};
  std::string out(1, kLetters[static_cast<size_t>(format_.kind)]);
  out += cri() ? 'C' : '-';
  if (joiner_ && joiner_->has_pending()) out += joiner_->save();
  return out;
}

void FileFormat::restore(std::string_view saved, const slo::SourceSelector& selector) {
  if (saved.size() < 2) return;
  const size_t kind = kLetters.find(saved[0]);
  if (kind == std::string_view::npos) return;
  log::FormatSpec format;
  format.kind = static_cast<log::FormatKind>(kind);
  if (format.kind == log::FormatKind::regex) {
    if (selector.format != "regex") return;
    format.pattern = selector.pattern;
  }
  matched_ = true;
  set(format, saved[1] == 'C');
  if (joiner_ && saved.size() > 2 && !joiner_->restore(saved.substr(2))) {
    joiner_ = std::make_unique<log::CriJoiner>(max_record_bytes_);
  }
}

}  // namespace nines::collector
