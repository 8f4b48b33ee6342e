// The vitals input: a line every few seconds, and the OOM killer's counter kept with the counts: we
// may be the one that it kills.
#include <algorithm>
#include <utility>

#include "metrics/delivery.hpp"
#include "metrics/proc_text.hpp"
#include "metrics/vitals_reader.hpp"
#include "nines/base/crc32c.hpp"
#include "nines/collector/metrics_inputs.hpp"
#include "nines/collector/tailer.hpp"

namespace nines::collector {
namespace {

// CHECK BOOT KILLS EXTRA; CHECK is the CRC-32C of the rest.
std::string encode(const std::optional<VitalsReader::OomMark>& mark, const std::string& extra) {
  const std::string body = (mark ? mark->boot : std::string()) + " " +
                           std::to_string(mark ? mark->kills : 0) + " " + extra;
  return std::to_string(crc32c(body)) + " " + body;
}

bool decode(std::string_view state, VitalsReader::OomMark& mark, std::string& extra) {
  const size_t check = state.find(' ');
  if (check == std::string_view::npos) return false;
  const std::string_view body = state.substr(check + 1);
  if (state.substr(0, check) != std::to_string(crc32c(body))) return false;
  const size_t boot = body.find(' '), kills = body.find(' ', boot + 1);
  if (boot == std::string_view::npos || kills == std::string_view::npos) return false;
  mark.boot = body.substr(0, boot);
  mark.kills = number_of(body.substr(boot + 1, kills - boot - 1)).value_or(0);
  extra = body.substr(kills + 1);
  return true;
}

class VitalsImpl final : public VitalsInput {
 public:
  VitalsImpl(VitalsOptions options, RecordConsumer& consumer, const Clock& clock)
      : every_ns_(options.every_s * kNsPerSecond),
        consumer_(consumer),
        clock_(clock),
        reader_({std::move(options.proc), std::move(options.sys), std::move(options.state_dir)},
                system_fs_probe()),
        next_(clock.mono()) {
    stream_.path = "vitals";
    stream_.key = options.identity.empty() ? "vitals" : "vitals:" + options.identity;
    stream_.matched = std::move(options.sources);
  }

  void restore(const std::vector<slo::Position>& saved) {
    for (const slo::Position& position : saved) {
      if (position.key != stream_.key || position.state == kPositionLost) continue;
      VitalsReader::OomMark mark;
      if (!decode(position.state, mark, stream_.extra)) continue;
      stream_.resumed = true;
      saved_ = position.state;
      committed_ = mark;
      if (!mark.boot.empty()) reader_.set_mark(std::move(mark));
    }
    consumer_.opened(stream_);
  }

  void descriptors(std::vector<pollfd>&) const override {}
  Instant due() const noexcept override { return line_.empty() ? next_ : Instant{}; }
  bool read(size_t) override {
    const Instant now = clock_.mono();
    if (line_.empty()) {
      if (now < next_) return false;
      const int64_t missed = (now.ns - next_.ns) / every_ns_;
      next_.ns += (missed + 1) * every_ns_;
      reader_.sample(now, to_ms(clock_.wall()), line_);
      ++samples_;
    }
    stream_.size = stream_.offset + static_cast<int64_t>(line_.size());
    const Delivered done = deliver(consumer_, stream_, line_, true);
    if (done.declined && done.bytes == 0) return true;
    bytes_ += done.bytes;
    line_.clear();
    committed_ = reader_.mark();
    return false;
  }
  bool read_some(LogStream&, bool) override {
    const int64_t from = stream_.offset;
    return read(1) || stream_.offset != from;
  }
  void rescan() override {}
  void list(std::vector<LogStream*>& out) override { out.push_back(&stream_); }
  bool caught_up() const noexcept override {
    return line_.empty() && clock_.mono().ns - next_.ns < every_ns_;
  }
  void take_positions(std::vector<slo::Position>& out) override {
    std::string state = encode(committed_, stream_.extra);
    if (state == saved_ || samples_ == 0) return;
    saved_ = state;
    out.push_back({stream_.key, std::move(state)});
  }
  void describe(std::vector<InputStats>& out) const override {
    InputStats shown;
    shown.kind = shown.name = "vitals";
    shown.resumable = false;
    shown.bytes = bytes_;
    shown.received = samples_;
    shown.lag_bytes = static_cast<int64_t>(line_.size());
    out.push_back(std::move(shown));
  }

 private:
  int64_t every_ns_;
  RecordConsumer& consumer_;
  const Clock& clock_;
  VitalsReader reader_;
  Instant next_;
  LogStream stream_;
  std::string line_;   // not consumed yet
  std::string saved_;  // position as last told
  std::optional<VitalsReader::OomMark> committed_;
  uint64_t samples_ = 0, bytes_ = 0;
};

}  // namespace

Result<std::unique_ptr<VitalsInput>> VitalsInput::create(VitalsOptions options,
                                                         RecordConsumer& consumer,
                                                         const std::vector<slo::Position>& saved,
                                                         const Clock& clock) {
  if (options.every_s <= 0) {
    return Error{Errc::invalid_argument, "vitals: every must be positive"};
  }
  auto input = std::make_unique<VitalsImpl>(std::move(options), consumer, clock);
  input->restore(saved);
  return std::unique_ptr<VitalsInput>(std::move(input));
}

}  // namespace nines::collector
