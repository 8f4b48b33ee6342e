#include "nines/collector/row_reader.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "nines/collector/framing.hpp"
#include "nines/collector/pipeline.hpp"
#include "scan/context.hpp"
#include "scan/rows.hpp"
#include "scan/service_name.hpp"
#include "scan/shape.hpp"

namespace nines::collector {
namespace {

constexpr int kPlaceBits = 43;  // as in scans

}  // namespace

struct RowReader::StreamState final : LogStream::User {
  explicit StreamState(size_t max_record_bytes) : shape(max_record_bytes) {}
  ScanShape shape;
  ScanOptions options;  // `now` of when its format was found
  std::unique_ptr<RowMaker> rows;
  FrameScratch scratch;
  ScanStats before;  // of what its former row makers looked at, and its bytes
  std::optional<ContextWindow> context;
  std::optional<WallTime> next;

  ScanStats stats() const {
    ScanStats sum = before;
    if (rows) sum.add(rows->stats());
    return sum;
  }
};

RowReader::RowReader(query::SourceRef source, query::ScanPlan plan, ScanOptions options,
                     const Clock& clock, query::RowSink& out)
    : source_(std::move(source)),
      plan_(std::move(plan)),
      options_(std::move(options)),
      clock_(clock),
      out_(out) {}
RowReader::~RowReader() = default;

std::optional<WallTime> RowReader::next_time(const LogStream& stream) {
  const auto* state = static_cast<const StreamState*>(stream.user.get());
  return state != nullptr ? state->next : std::nullopt;
}

ScanStats RowReader::stats() const {
  ScanStats sum = closed_;
  for (const StreamState* state : open_) sum.add(state->stats());
  return sum;
}

void RowReader::opened(LogStream& stream) {
  auto state = std::make_unique<StreamState>(options_.max_record_bytes);
  ScanShape& shape = state->shape;
  shape.file.path = stream.path;
  shape.file.index = next_index_++;
  shape.file.service = source_.service.empty() ? service_of(stream.path) : source_.service;
  shape.selector.format = source_.format.empty() ? "auto" : source_.format;
  shape.selector.pattern = source_.pattern;
  if (const auto names = parse_container_path(stream.path)) {
    shape.ns = names->ns;
    shape.pod = names->pod;
    shape.container = names->container;
  }
  shape.format.restore(stream, shape.selector);
  stream.holds = shape.format.framer().holds();
  open_.push_back(state.get());
  stream.user = std::move(state);
}

void RowReader::closed(LogStream& stream) {
  if (const auto* state = static_cast<const StreamState*>(stream.user.get())) {
    closed_.add(state->stats());
    std::erase(open_, state);
  }
  stream.user.reset();
}

// False: its records can't be read.
bool RowReader::prepare(StreamState& state) {
  if (state.rows) return true;
  state.options = options_;
  state.options.now = clock_.wall();
  auto made = RowMaker::create(state.shape, plan_, state.options);
  if (!made.ok()) {
    if (!error_) {
      error_ = made.error();
      error_->message = state.shape.file.path + ": " + error_->message;
    }
    return false;
  }
  state.rows = std::move(*made);
  if (plan_.context && !state.context) {
    state.context.emplace(*plan_.context, [this, &state](const FramedRecord& record, int64_t group,
                                                         int64_t offset) {
      const int64_t file = static_cast<int64_t>(state.shape.file.index) << kPlaceBits;
      state.rows->read(record);
      state.rows->set_context(Value::of_int(file + group), Value::of_int(offset));
      return out_.take(state.rows->row());
    });
  }
  return true;
}

Taken RowReader::consume(LogStream& stream, std::string_view data, Reading how) {
  auto& state = static_cast<StreamState&>(*stream.user);
  FileFormat& format = state.shape.format;
  state.next.reset();
  if (refused_) return {data.size(), Taken::Rest::none, false};
  if (format.wants_detection() && format.detect(stream, data, how, state.shape.selector)) {
    if (state.rows) state.before.add(state.rows->stats());
    state.rows.reset();
  }
  if (!format.known()) return {};
  if (!prepare(state)) return {data.size(), Taken::Rest::none, false};
  FrameInput in = format.input(stream, data, how, state.scratch);
  in.limit = limit_;
  in.rule = state.shape.rule(state.rows->parser());
  const FrameOutput framed = format.framer().frame(
      in, [&](const FramedRecord& record) { return take(state, record); });
  if (framed.next_ts.ns != 0) state.next = framed.next_ts;
  if (format.changed() || stream.extra.empty()) stream.extra = format.save(stream);
  stream.holds = format.framer().holds();
  state.before.bytes_scanned += framed.taken.bytes;
  return framed.taken;
}

FrameStep RowReader::take(StreamState& state, const FramedRecord& record) {
  RowMaker& rows = *state.rows;
  const ScanStats before = rows.stats();
  const RowMaker::Verdict verdict = rows.judge(record);
  if (verdict == RowMaker::Verdict::none) return FrameStep::next;
  const auto time = rows.time();
  const bool can_wait = state.shape.format.wrapping() == Wrapping::none;
  if (time && *time > limit_ && can_wait) {
    rows.stats() = before;
    state.next = time;
    return FrameStep::stop_before;
  }
  if (rows.stats().malformed != before.malformed) {
    state.shape.format.count_match(false);
  } else if (verdict != RowMaker::Verdict::outside) {
    state.shape.format.count_match(true);
  }
  if (time && (!newest_ || *newest_ < *time)) newest_ = time;
  give(state, record, verdict == RowMaker::Verdict::yes, verdict == RowMaker::Verdict::outside);
  return FrameStep::next;
}

void RowReader::give(StreamState& state, const FramedRecord& record, bool hit, bool outside) {
  if (refused_ || outside) return;
  if (state.context) {
    refused_ = !state.context->add(record, hit, state.rows->time());
  } else if (hit) {
    refused_ = !out_.take(state.rows->row());
  }
}

}  // namespace nines::collector
