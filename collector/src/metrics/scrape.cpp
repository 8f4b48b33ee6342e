// The scrape input: when to ask, what to make of the answer, and what of it was consumed.
#include <poll.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "metrics/delivery.hpp"
#include "metrics/mailbox.hpp"
#include "metrics/sample_writer.hpp"
#include "metrics/series.hpp"
#include "nines/base/bytes_text.hpp"
#include "nines/collector/metrics_inputs.hpp"
#include "nines/collector/tailer.hpp"

namespace nines::collector {
namespace {

using log::ExpositionReader;
using log::ExpositionSample;
using log::SampleRole;

constexpr const char* kAccept =
    "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
constexpr int64_t kGraceMs = 1000;  // beyond its time-out, for a fetch that forgets to answer
// Given to a consumer that wants to see more before it takes any.
constexpr size_t kChunksTogether = 4;

std::string key_of(const ScrapeOptions& options) {
  const uint64_t hash = SeriesHash().add(options.url).add(options.identity).value();
  return "scrape:" + hex_of(hash);
}

std::string excerpt(std::string_view text) {
  std::string out(text.substr(0, 60));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = ' ';
  }
  return out;
}

// Everything in `text` that could name a metric.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == ':';
    if (word) {
      out.back() += c;
    } else if (!out.back().empty()) {
      out.emplace_back();
    }
  }
  return out;
}

class ScrapeImpl final : public ScrapeInput {
 public:
  ScrapeImpl(ScrapeOptions options, Fetch fetch, RecordConsumer& consumer, const Clock& clock,
             std::shared_ptr<Mailbox> mailbox)
      : options_(std::move(options)),
        fetch_(std::move(fetch)),
        consumer_(consumer),
        clock_(clock),
        mailbox_(std::move(mailbox)),
        table_(options_.max_series),
        writer_(table_, stats_) {
    stream_.path = options_.url;
    stream_.key = key_of(options_);
    stream_.matched = options_.sources;
    next_ = clock_.mono();
  }
  ~ScrapeImpl() override { (void)mailbox_->ask(); }  // no answer is waited for any more

  void restore(const std::vector<slo::Position>& saved);

  void descriptors(std::vector<pollfd>& out) const override {
    if (phase_ == Phase::waiting) out.push_back({mailbox_->fd(), POLLIN, 0});
  }
  Instant due() const noexcept override {
    switch (phase_) {
      case Phase::idle: return next_;
      case Phase::waiting: return mailbox_->waiting() ? Instant{} : give_up_;
      case Phase::handing: return {};
    }
    return {};
  }
  bool read(size_t max_bytes) override;
  bool read_some(LogStream& stream, bool last) override;
  void rescan() override {}
  void list(std::vector<LogStream*>& out) override { out.push_back(&stream_); }
  bool caught_up() const noexcept override;
  void take_positions(std::vector<slo::Position>& out) override;
  void describe(std::vector<InputStats>& out) const override;
  ScrapeStats stats() const noexcept override {
    ScrapeStats out = stats_;
    out.series = table_.size();
    return out;
  }

 private:
  enum class Phase : uint8_t { idle, waiting, handing };

  int64_t timeout_ms() const { return std::min(options_.timeout_ms, options_.every_s * 1000); }
  void step();
  void ask();
  void answered(Result<std::string> answer);
  Status look_over(StartTimes& starts, uint64_t& malformed);
  void failed(const std::string& why);
  void fill();
  bool hand_over(size_t max_bytes);
  void finish();
  void note_size() {
    stream_.size = stream_.offset + static_cast<int64_t>(writer_.pending().size());
  }

  ScrapeOptions options_;
  Fetch fetch_;
  RecordConsumer& consumer_;
  const Clock& clock_;
  std::shared_ptr<Mailbox> mailbox_;
  LogStream stream_;
  SeriesTable table_;
  SeriesTable::Target target_;
  ScrapeStats stats_;
  SampleWriter writer_;

  Phase phase_ = Phase::idle;
  Instant next_{}, asked_{}, give_up_{};
  uint32_t number_ = 0;  // of the scrape
  std::string body_;
  std::optional<ExpositionReader> reader_;  // of body_; none: all of it is in writer_
  StartTimes starts_;
  int64_t took_ms_ = 0;
  bool up_ = false, whole_ = false;
  uint64_t stats_bytes_ = 0;
  uint64_t refused_before_ = 0;

  std::optional<Instant> last_done_;  // handed over, successful or not
  std::string trouble_ = "was not scraped yet";
  bool layout_dirty_ = false, values_dirty_ = false;
  std::optional<uint32_t> layout_check_;  // of the layout as saved
};

void ScrapeImpl::restore(const std::vector<slo::Position>& saved) {
  const std::string *values = nullptr, *layout = nullptr;
  for (const slo::Position& position : saved) {
    if (position.key == stream_.key) values = &position.state;
    if (position.key == stream_.key + ":n") layout = &position.state;
  }
  const auto there = [](const std::string* state) {
    return state != nullptr && !state->empty() && *state != kPositionLost;
  };
  if (there(values) && there(layout)) {
    stream_.resumed = table_.decode(*layout, *values, target_);
    if (!stream_.resumed) ++stats_.states_malformed;
    if (stream_.resumed) layout_check_ = SeriesTable::check_of(*layout);
    layout_dirty_ = table_.size() == options_.max_series;  // some may have found no room
  }
  stream_.extra = target_.extra;
  consumer_.opened(stream_);
}

bool ScrapeImpl::read(size_t max_bytes) {
  step();
  return phase_ == Phase::handing && hand_over(max_bytes);
}

bool ScrapeImpl::read_some(LogStream&, bool) {
  step();
  const int64_t from = stream_.offset;
  const bool more = phase_ == Phase::handing && hand_over(1);
  return more || stream_.offset != from;
}

void ScrapeImpl::step() {
  const Instant now = clock_.mono();
  if (phase_ == Phase::idle && now >= next_) ask();
  if (phase_ != Phase::waiting) return;
  if (auto answer = mailbox_->collect()) {
    answered(std::move(*answer));
  } else if (now >= give_up_) {
    (void)mailbox_->ask();  // should it come yet, it comes too late
    answered(Error{Errc::timeout, "no answer within " + std::to_string(timeout_ms()) + " ms"});
  }
}

void ScrapeImpl::ask() {
  const int64_t every_ns = options_.every_s * kNsPerSecond;
  asked_ = clock_.mono();
  const int64_t missed = (asked_.ns - next_.ns) / every_ns;
  stats_.skipped += static_cast<uint64_t>(missed);
  next_.ns += (missed + 1) * every_ns;
  give_up_ = {asked_.ns + (timeout_ms() + kGraceMs) * kNsPerMs};
  if (target_.watching_since_s == 0) {
    target_.watching_since_s = clock_.wall().seconds();
    layout_dirty_ = true;
  }
  phase_ = Phase::waiting;
  const ScrapeRequest request{options_.url, options_.token_file, kAccept, timeout_ms(),
                              options_.max_body_bytes};
  fetch_(request, [box = mailbox_, question = mailbox_->ask()](Result<std::string> text) {
    box->answer(question, std::move(text));
  });
}

void ScrapeImpl::answered(Result<std::string> answer) {
  phase_ = Phase::handing;
  took_ms_ = (clock_.mono().ns - asked_.ns) / kNsPerMs;
  ++stats_.scrapes;
  ++number_;
  starts_.clear();
  refused_before_ = stats_.series_refused;
  SampleWriter::Scrape scrape;
  scrape.ts = to_ms(clock_.wall());
  scrape.number = number_;
  scrape.from_zero = target_.complete;
  scrape.watching_since = WallTime::from_s(target_.watching_since_s);
  scrape.starts = &starts_;
  writer_.begin(scrape);
  if (!answer.ok()) return failed(answer.error().message);
  body_ = std::move(*answer);
  uint64_t malformed = 0;
  if (const Status fine = look_over(starts_, malformed); !fine.ok()) {
    return failed(fine.error().message);
  }
  up_ = true;
  whole_ = malformed == 0;
  reader_.emplace(body_);
  note_size();
}

// Before anything of the answer counts: is it one, is it whole, and when did its series begin?
Status ScrapeImpl::look_over(StartTimes& starts, uint64_t& malformed) {
  if (body_.size() > options_.max_body_bytes) {
    return Error{Errc::exhausted,
                 "the answer is larger than " + std::to_string(options_.max_body_bytes) + " bytes"};
  }
  ExpositionReader reader(body_);
  if (!reader.complete()) return Error{Errc::corrupt, "the answer is cut off within a line"};
  ExpositionSample sample;
  while (reader.next(sample)) {
    if (sample.role != SampleRole::created || starts.size() >= options_.max_series) continue;
    if (const int64_t ms = start_ms_of(sample); ms != kNoStart) starts[group_key(sample)] = ms;
  }
  const ExpositionReader::Counts& counts = reader.counts();
  stats_.malformed += counts.malformed;
  stats_.native_histograms += counts.native_histograms;
  stats_.exemplars += counts.exemplars;
  malformed = counts.malformed;
  if (counts.samples > 0 || malformed == 0) return Ok{};
  return Error{Errc::corrupt, "the answer is no metrics page: \"" + excerpt(body_) + "\""};
}

void ScrapeImpl::failed(const std::string& why) {
  ++stats_.failures;
  up_ = false;
  reader_.reset();
  body_ = {};
  trouble_ = options_.url + ": " + why + "; nothing is known of it until a scrape succeeds";
  writer_.add_own("up", 0);
  writer_.add_own("scrape_duration_ms", took_ms_);
  note_size();
}

// Makes lines of the next part of the body, about chunk_bytes more.
void ScrapeImpl::fill() {
  const size_t enough = writer_.pending().size() + options_.chunk_bytes;
  ExpositionSample sample;
  while (reader_ && writer_.pending().size() < enough) {
    if (reader_->next(sample)) {
      writer_.add(sample);
      continue;
    }
    stats_.samples += reader_->counts().samples;
    reader_.reset();
    writer_.finish();
    writer_.add_own("up", 1);
    writer_.add_own("scrape_duration_ms", took_ms_);
  }
}

bool ScrapeImpl::hand_over(size_t max_bytes) {
  size_t left = std::max<size_t>(max_bytes, 1);
  while (left > 0) {
    if (reader_ && writer_.pending().size() < options_.chunk_bytes) fill();
    if (writer_.pending().empty()) {
      finish();
      return false;
    }
    const bool enough = writer_.pending().size() >= kChunksTogether * options_.chunk_bytes;
    const Delivered done = deliver(consumer_, stream_, writer_.pending(), !reader_ || enough);
    const SampleWriter::Changes changes = writer_.commit(done.bytes);
    values_dirty_ = values_dirty_ || changes.values;
    layout_dirty_ = layout_dirty_ || changes.layout;
    stats_bytes_ += done.bytes;
    note_size();
    left -= std::min(left, done.bytes);
    if (done.declined) return true;
    if (done.stuck) fill();
  }
  if (!reader_ && writer_.pending().empty()) finish();
  return phase_ == Phase::handing;
}

void ScrapeImpl::finish() {
  phase_ = Phase::idle;
  body_ = {};
  starts_ = {};
  last_done_ = clock_.mono();
  if (!up_) return;
  const uint64_t refused = stats_.series_refused - refused_before_;
  trouble_.clear();
  if (!whole_) {
    trouble_ = options_.url + ": some lines of its page could not be read and were passed over";
  }
  if (refused > 0) {
    trouble_ = options_.url + ": " + std::to_string(refused) + " series beyond " +
               std::to_string(options_.max_series) + " have no delta and cannot be counted";
  }
  const bool complete = whole_ && refused == 0;
  values_dirty_ = values_dirty_ || complete != target_.complete;
  target_.complete = complete;
  // Room is made for those that are there at the expense of those that are not.
  const auto keep = static_cast<uint32_t>(options_.forget_s / options_.every_s);
  const uint32_t oldest = refused > 0 ? number_ : number_ - std::min(number_, keep);
  const size_t forgotten = table_.forget_before(oldest);
  stats_.series_forgotten += forgotten;
  layout_dirty_ = layout_dirty_ || forgotten > 0;
}

bool ScrapeImpl::caught_up() const noexcept {
  if (phase_ == Phase::handing || !last_done_) return false;
  const int64_t overdue_ns = 2 * options_.every_s * kNsPerSecond + timeout_ms() * kNsPerMs;
  return clock_.mono().ns - last_done_->ns <= overdue_ns;
}

void ScrapeImpl::take_positions(std::vector<slo::Position>& out) {
  if (stream_.extra != target_.extra) {
    target_.extra = stream_.extra;
    layout_dirty_ = true;
  }
  if (layout_dirty_) {
    std::string layout = table_.encode_layout(target_);
    layout_check_ = SeriesTable::check_of(layout);
    out.push_back({stream_.key + ":n", std::move(layout)});
  }
  if (layout_dirty_ || values_dirty_) {
    out.push_back({stream_.key, table_.encode_values(target_, *layout_check_)});
  }
  layout_dirty_ = values_dirty_ = false;
}

void ScrapeImpl::describe(std::vector<InputStats>& out) const {
  InputStats shown;
  shown.kind = "scrape";
  shown.name = options_.url;
  shown.healthy = up_;
  shown.trouble = trouble_;
  shown.bytes = stats_bytes_;
  shown.received = stats_.scrapes;
  shown.refused = stats_.series_refused;
  shown.restarts = stats_.failures;
  shown.lag_bytes = stream_.size - stream_.offset;
  out.push_back(std::move(shown));
}

}  // namespace

Result<std::unique_ptr<ScrapeInput>> ScrapeInput::create(ScrapeOptions options, Fetch fetch,
                                                         RecordConsumer& consumer,
                                                         const std::vector<slo::Position>& saved,
                                                         const Clock& clock) {
  if (options.url.empty() || options.every_s <= 0 || options.max_series == 0) {
    return Error{Errc::invalid_argument,
                 "scrape: url, every and max_series must be given and positive"};
  }
  NINES_TRY(auto mailbox, Mailbox::create());
  auto input = std::make_unique<ScrapeImpl>(std::move(options), std::move(fetch), consumer, clock,
                                            std::move(mailbox));
  input->restore(saved);
  return std::unique_ptr<ScrapeInput>(std::move(input));
}

bool counts_scrapes(const expr::Expression& where) {
  std::vector<size_t> slots(where.fields().size());
  std::vector<Value> values(where.fields().size());
  size_t metric = values.size();
  for (size_t i = 0; i < slots.size(); ++i) {
    slots[i] = i;
    if (where.fields()[i] == "metric") metric = i;
  }
  if (metric == values.size()) return false;
  expr::Evaluator evaluator(where, slots);
  const auto may_match = [&](std::string_view name) {
    values[metric] = Value::of_text(name);
    return evaluator.test(values) != expr::Truth::no;
  };
  if (!may_match("up") && !may_match("scrape_duration_ms")) return false;
  // No metric is called "0"; the others that it may mean are named in it, or nearly so in a
  // pattern.
  if (may_match("0")) return false;
  for (const std::string& name : words_of(where.to_string())) {
    if (name != "up" && name != "scrape_duration_ms" && may_match(name)) return false;
  }
  return true;
}

}  // namespace nines::collector
