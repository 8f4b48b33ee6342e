#include "nines/collector/record_reader.hpp"

#include <utility>

#include "nines/collector/framing.hpp"
#include "nines/collector/pipeline.hpp"
#include "pipeline/file_format.hpp"

namespace nines::collector {

struct RecordReader::FileState final : LogStream::User {
  explicit FileState(size_t max_record_bytes) : format(max_record_bytes) {}
  FileFormat format;
  std::unique_ptr<log::LineParser> parser;
  std::vector<log::LineParser::NamedValue> fields;
  FrameScratch scratch;
  std::string ns, pod, container;
};

RecordReader::RecordReader(slo::SourceSelector selector, size_t max_record_bytes,
                           const Clock& clock, OnRecord on_record)
    : selector_(std::move(selector)),
      max_record_bytes_(max_record_bytes),
      clock_(clock),
      on_record_(std::move(on_record)) {
  if (selector_.multiline == "auto" || selector_.multiline == "none") return;
  auto pattern = log::StartPattern::compile(selector_.multiline);
  NINES_ASSERT(pattern.ok());  // a user's pattern is checked before reading starts
  pattern_ = std::move(*pattern);
}
RecordReader::~RecordReader() = default;

void RecordReader::on_format(std::function<void(const LogStream&, const std::string&)> callback) {
  on_format_ = std::move(callback);
}

void RecordReader::opened(LogStream& file) {
  auto state = std::make_unique<FileState>(max_record_bytes_);
  state->format.restore(file, selector_);
  file.holds = state->format.framer().holds();
  if (const auto names = parse_container_path(file.path)) {
    state->ns = names->ns;
    state->pod = names->pod;
    state->container = names->container;
  }
  file.user = std::move(state);
}

void RecordReader::closed(LogStream& file) { file.user.reset(); }

log::LineParser& RecordReader::parser_for(FileState& state) {
  if (!state.parser) {
    log::TimeContext time;
    time.utc_offset_s = selector_.utc_offset_s;
    time.reference = clock_.wall();
    auto made = log::make_parser(state.format.format(), {}, time);
    NINES_ASSERT(made.ok());  // a user's pattern is checked before reading starts
    state.parser = std::move(*made);
  }
  return *state.parser;
}

Taken RecordReader::consume(LogStream& file, std::string_view data, Reading how) {
  auto& state = static_cast<FileState&>(*file.user);
  if (state.format.wants_detection() && state.format.detect(file, data, how, selector_)) {
    state.parser.reset();
    if (on_format_) on_format_(file, state.format.explanation());
  }
  if (!state.format.known()) return {};
  log::LineParser& parser = parser_for(state);
  FrameInput in = state.format.input(file, data, how, state.scratch);
  in.rule = state.format.join_rule(selector_, parser, pattern_.get());
  const FrameOutput framed = state.format.framer().frame(in, [&](const FramedRecord& record) {
    read(file, state, record);
    return FrameStep::next;
  });
  if (state.format.changed() || file.extra.empty()) file.extra = state.format.save(file);
  file.holds = state.format.framer().holds();
  return framed.taken;
}

void RecordReader::read(LogStream& file, FileState& state, const FramedRecord& framed) {
  ReadRecord out;
  out.file = &file;
  out.line = framed.at;
  out.raw = framed.content;
  out.truncated = framed.truncated;
  out.ns = state.ns;
  out.pod = state.pod;
  out.container = state.container;
  log::ParseOutcome outcome = log::ParseOutcome::no_match;
  const auto parse = [&](std::string_view text) {
    state.fields.clear();
    outcome = state.parser->parse_all(text, out.ts, out.has_ts, state.fields);
  };
  state.fields.clear();
  if (!framed.not_wrapped) {
    parse(framed.content);
    if (outcome == log::ParseOutcome::no_match && framed.lines > 1) {
      parse(framed.content.substr(0, framed.first_line));
    }
  }
  if (outcome == log::ParseOutcome::empty) return;
  state.format.count_match(outcome != log::ParseOutcome::no_match);
  if (!out.has_ts && framed.has_runtime_ts) {
    out.ts = framed.runtime_ts;
    out.has_ts = true;
  }
  out.error = framed.not_wrapped                                                 ? "not_cri"
              : outcome == log::ParseOutcome::no_match                           ? "no_match"
              : outcome == log::ParseOutcome::bad_time && !framed.has_runtime_ts ? "bad_time"
                                                                                 : "";
  out.fields = &state.fields;
  on_record_(out);
}

}  // namespace nines::collector
