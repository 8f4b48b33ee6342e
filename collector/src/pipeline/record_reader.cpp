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
  std::string ns, pod, container, uid;
  std::optional<int32_t> restart;
};

RecordReader::RecordReader(slo::SourceSelector selector, size_t max_record_bytes,
                           const Clock& clock, OnRecord on_record)
    : selector_(std::move(selector)),
      max_record_bytes_(max_record_bytes),
      clock_(clock),
      on_record_(std::move(on_record)) {}
RecordReader::~RecordReader() = default;

void RecordReader::on_format(std::function<void(const LogStream&, const std::string&)> callback) {
  on_format_ = std::move(callback);
}

void RecordReader::opened(LogStream& file) {
  auto state = std::make_unique<FileState>(max_record_bytes_);
  state->format.restore(file.extra, selector_);
  if (const auto names = parse_container_path(file.path)) {
    state->ns = names->ns;
    state->pod = names->pod;
    state->container = names->container;
    state->uid = names->uid;
    state->restart = names->restart;
  }
  file.user = std::move(state);
}

void RecordReader::closed(LogStream& file) { file.user.reset(); }

Taken RecordReader::consume(LogStream& file, std::string_view data, Reading how) {
  const bool last = how == Reading::last;
  auto& state = static_cast<FileState&>(*file.user);
  const bool cut = how == Reading::full && data.find('\n') == std::string_view::npos;
  if (state.format.wants_detection() && state.format.detect(data, last || cut, selector_)) {
    state.parser.reset();
    if (on_format_) on_format_(file, state.format.explanation());
  }
  if (!state.format.known()) return {};
  if (!state.parser) {
    log::TimeContext time;
    time.utc_offset_s = selector_.utc_offset_s;
    time.reference = clock_.wall();
    auto made = log::make_parser(state.format.format(), {}, time);
    NINES_ASSERT(made.ok());  // a user's pattern is checked before reading starts
    state.parser = std::move(*made);
  }
  FrameOptions options;
  options.last = last;
  options.cut = cut;
  options.joiner = state.format.joiner();
  const size_t used = frame(data, options, [&](const FramedRecord& framed) {
    ReadRecord out;
    out.file = &file;
    out.line = file.offset + static_cast<int64_t>(framed.at);
    out.raw = framed.content;
    out.truncated = framed.truncated;
    out.ns = state.ns;
    out.pod = state.pod;
    out.container = state.container;
    out.pod_uid = state.uid;
    out.restart = state.restart;
    state.fields.clear();
    const log::ParseOutcome outcome =
        framed.not_cri ? log::ParseOutcome::no_match
                       : state.parser->parse_all(framed.content, out.ts, out.has_ts, state.fields);
    if (outcome == log::ParseOutcome::empty) return FrameStep::next;
    state.format.count_match(outcome != log::ParseOutcome::no_match);
    if (!out.has_ts && framed.has_cri_ts) {
      out.ts = framed.cri_ts;
      out.has_ts = true;
    }
    out.error = framed.not_cri                                                 ? "not_cri"
                : outcome == log::ParseOutcome::no_match                       ? "no_match"
                : outcome == log::ParseOutcome::bad_time && !framed.has_cri_ts ? "bad_time"
                                                                               : "";
    out.fields = &state.fields;
    on_record_(out);
    return FrameStep::next;
  });
  file.extra = state.format.save();
  Taken taken;
  taken.bytes = used;
  taken.mid_line = used == data.size() && used > 0 && data.back() != '\n';
  return taken;
}

}  // namespace nines::collector
