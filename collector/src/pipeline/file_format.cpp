#include "pipeline/file_format.hpp"

#include <memory>
#include <vector>

#include "nines/collector/lines.hpp"

namespace nines::collector {
namespace {

constexpr size_t kSampleLines = 200;
constexpr size_t kMaxSampleBytes = 1 << 20;
constexpr size_t kTellingStart = 8;                 // bytes that show an encoding
constexpr std::string_view kLetters = "cjlsprLvJ";  // in the order of log::FormatKind
constexpr std::string_view kWrappings = "-CD";      // in the order of Wrapping
constexpr std::string_view kEncodings = "blB";      // in the order of Encoding
constexpr char kVersion2 = '2';

// A line that begins no record wherever records begin with a time stamp.
constexpr std::string_view kIndented = "    indented";

// Access logs have one line a record, whatever a line looks like.
bool is_access_log(const log::FormatSpec& format) noexcept {
  for (const std::string_view dialect : {"nginx:", "apache:", "envoy:"}) {
    if (format.kind == log::FormatKind::layout && format.pattern.starts_with(dialect)) return true;
  }
  return false;
}

// A table given without its columns has them in its first line. Without one it is plain text.
void learn_header(log::FormatSpec& format, std::string_view first, int64_t offset) {
  if (!log::wants_header(format)) return;
  if (offset == 0) format.pattern += first;
  if (!log::make_parser(format, {}, {}).ok()) format = {};
}

}  // namespace

// The first lines, unwrapped or not. Texts are copied only where they were changed.
struct FileFormat::Sample {
  std::vector<std::string_view> lines;
  std::vector<std::string> changed;

  Sample(const LogStream& stream, std::string_view block, Reading how) {
    if (stream.framing == Framing::datagrams) {
      if (!block.empty()) lines.push_back(block);
      return;
    }
    std::string scratch;
    LineReader reader(block, stream.offset, {stream.encoding, how, SIZE_MAX}, scratch);
    Line line;
    size_t bytes = 0;
    if (stream.encoding != Encoding::bytes) changed.reserve(kSampleLines);  // views stay valid
    while (lines.size() < kSampleLines && bytes < kMaxSampleBytes && reader.next(line)) {
      bytes += line.text.size();
      if (stream.encoding != Encoding::bytes) line.text = changed.emplace_back(line.text);
      lines.push_back(line.text);
    }
  }
};

bool FileFormat::detect(LogStream& stream, std::string_view block, Reading how,
                        const slo::SourceSelector& selector) {
  if (stream.framing == Framing::journal_entries) {
    if (known_) return false;
    format_.kind = log::FormatKind::journal;
    known_ = matched_ = true;
    explanation_ = "entries of the journal";
    return true;
  }
  if (!known_ && stream.framing == Framing::lines) {
    // NULs may be halves of characters: more must be seen to tell.
    const bool unclear = block.size() < kTellingStart && block.find('\0') != block.npos;
    if (unclear && how == Reading::more) return false;
    stream.encoding = guess_encoding(block, stream.offset);
  }
  const Sample sample(stream, block, how);
  if (sample.lines.empty()) return false;
  if (unjudged_) {
    judge_leads(sample);
    unjudged_ = false;
    return false;
  }
  log::Detection found = log::detect_format(sample.lines);
  const Wrapping wrapping = stream.framing != Framing::lines ? Wrapping::none
                            : found.cri                      ? Wrapping::cri
                            : found.docker                   ? Wrapping::docker
                                                             : Wrapping::none;
  misses_ = 0;
  if (selector.format != "auto") {
    if (known_) return false;
    if (auto fixed = log::format_from_name(selector.format, selector.pattern); fixed.ok()) {
      found.format = std::move(*fixed);
      learn_header(found.format, sample.lines.front(), stream.offset);
      found.matched = found.sampled;
      found.explanation = "given by the configuration";
    }
  }
  if (known_ && (2 * found.matched <= found.sampled || wrapping != wrapping_)) return false;
  matched_ = found.matched > 0;
  explanation_ = std::move(found.explanation);
  format_ = std::move(found.format);
  wrapping_ = wrapping;
  known_ = true;
  judge_leads(sample);
  if (selector.format != "auto") leads_ = true;
  return true;
}

// Most lines of a log of stack traces go on with another. Where unindented lines without time stamp
// outnumber those with one, the time stamps are no sign of where records begin.
void FileFormat::judge_leads(const Sample& sample) {
  leads_ = false;
  if (!matched_) return;
  const auto parser = log::make_parser(format_, {}, {});
  if (!parser.ok() || (*parser)->leads(kIndented)) return;
  size_t leading = 0, loose = 0;
  log::TraceMachine trace;
  std::string scratch;
  for (std::string_view line : sample.lines) {
    log::Piece piece;
    bool copied = false;
    if (wrapping_ != Wrapping::none) {
      if (!unwrap(wrapping_, line, scratch, piece, copied)) continue;
      line = piece.content;
    }
    const bool in_trace = trace.follows(line);
    if (is_blank(line) || in_trace) continue;
    if ((*parser)->leads(line)) {
      ++leading;
    } else if (line.front() != ' ' && line.front() != '\t') {
      ++loose;
    }
  }
  leads_ = leading > 0 && leading >= loose;
}

JoinRule FileFormat::join_rule(const slo::SourceSelector& selector, const log::LineParser& parser,
                               const log::StartPattern* pattern) const noexcept {
  using By = JoinRule::By;
  JoinRule rule;
  rule.parser = &parser;
  rule.pattern = pattern;
  const bool free_text =
      format_.kind == log::FormatKind::plain || format_.kind == log::FormatKind::regex;
  if (format_.kind == log::FormatKind::journal || selector.multiline == "none" ||
      (pattern == nullptr && is_access_log(format_))) {
    rule.by = By::none;
  } else if (pattern != nullptr) {
    rule.by = By::pattern;
  } else if (leads_ && !parser.leads(kIndented)) {
    rule.by = By::format;
  } else if (format_.kind == log::FormatKind::csv) {
    rule.by = By::quotes;
  } else if (free_text) {
    rule.by = By::traces;
  }
  return rule;
}

FrameInput FileFormat::input(const LogStream& stream, std::string_view data, Reading how,
                             FrameScratch& scratch) const noexcept {
  FrameInput in;
  in.data = data;
  in.offset = stream.offset;
  in.how = how;
  // A file may hold exported entries of the journal too.
  const bool entries = format_.kind == log::FormatKind::journal && wrapping_ == Wrapping::none;
  in.framing =
      entries && stream.framing == Framing::lines ? Framing::journal_entries : stream.framing;
  in.encoding = stream.encoding;
  in.wrapping = wrapping_;
  in.scratch = &scratch;
  return in;
}

std::string FileFormat::name() const {
  std::string format = log::format_name(format_);
  switch (wrapping_) {
    case Wrapping::none: break;
    case Wrapping::cri: return "cri+" + format;
    case Wrapping::docker: return "docker+" + format;
  }
  return format;
}

// Saved form: '2', letters for format, wrapping and encoding, flags, pattern and time format, then
// the framer's, then a checksum. Before: a letter, 'C' or '-', the open pieces.
std::string FileFormat::save(const LogStream& stream) {
  framer_.saved();
  if (!known_) return {};
  std::string out(1, kVersion2);
  out += kLetters[static_cast<size_t>(format_.kind)];
  out += kWrappings[static_cast<size_t>(wrapping_)];
  out += kEncodings[static_cast<size_t>(stream.encoding)];
  log::put_le(out, (matched_ ? 1u : 0u) | (leads_ ? 2u : 0u), 1);
  // What the configuration gives is taken from there.
  const bool own = format_.kind != log::FormatKind::regex;
  log::put_text(out, own ? format_.pattern : std::string());
  framer_.save(out);
  log::put_le(out, log::fnv1a(out), 4);
  return out;
}

void FileFormat::restore(LogStream& stream, const slo::SourceSelector& selector) {
  const std::string& saved = stream.extra;
  const bool good = !saved.empty() && (saved[0] == kVersion2 ? restore_v2(stream, saved, selector)
                                                             : restore_v1(saved, selector));
  if (!good) *this = FileFormat(max_record_bytes_);
  if (stream.offset > 0 && (!good || saved[0] != kVersion2)) framer_.begin_inside();
  framer_.saved();
}

bool FileFormat::restore_v1(std::string_view saved, const slo::SourceSelector& selector) {
  if (saved.size() < 2) return false;
  const size_t kind = kLetters.find(saved[0]);
  if (kind > static_cast<size_t>(log::FormatKind::regex)) return false;
  format_.kind = static_cast<log::FormatKind>(kind);
  if (format_.kind == log::FormatKind::regex) {
    if (selector.format != "regex") return false;
    format_.pattern = selector.pattern;
  }
  wrapping_ = saved[1] == 'C' ? Wrapping::cri : Wrapping::none;
  known_ = matched_ = unjudged_ = true;
  framer_.restore_pieces(saved.substr(2));  // damaged: as if nothing were open
  return true;
}

bool FileFormat::restore_v2(LogStream& stream, std::string_view saved,
                            const slo::SourceSelector& selector) {
  log::SavedReader in(saved);
  in.bytes(1);
  const std::string_view letters = in.bytes(3);
  const uint64_t flags = in.number(1);
  const std::string_view pattern = in.text();
  if (!in.good() || !framer_.restore(in)) return false;
  const size_t kind = kLetters.find(letters[0]);
  const size_t wrapping = kWrappings.find(letters[1]);
  const size_t encoding = kEncodings.find(letters[2]);
  if (kind == kLetters.npos || wrapping == kWrappings.npos || encoding == kEncodings.npos) {
    return false;
  }
  format_.kind = static_cast<log::FormatKind>(kind);
  format_.pattern = pattern;
  wrapping_ = static_cast<Wrapping>(wrapping);
  stream.encoding = static_cast<Encoding>(encoding);
  matched_ = (flags & 1) != 0;
  leads_ = (flags & 2) != 0;
  known_ = fits_configuration(selector);
  return true;
}

// Not so when the configuration has changed: then the format is looked for anew, and what is open
// stays.
bool FileFormat::fits_configuration(const slo::SourceSelector& selector) {
  if (selector.format == "auto") return format_.kind != log::FormatKind::regex;
  auto fixed = log::format_from_name(selector.format, selector.pattern);
  if (!fixed.ok() || fixed->kind != format_.kind) return false;
  if (format_.kind != log::FormatKind::csv) format_ = std::move(*fixed);
  return true;
}

}  // namespace nines::collector
