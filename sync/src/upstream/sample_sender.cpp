#include "nines/upstream/sample_sender.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "nines/base/contract.hpp"
#include "otlp_codec.hpp"
#include "remote_write_codec.hpp"

namespace nines::upstream {
namespace {

constexpr int64_t kBacklogSteps = 10;  // more than this: worth asking whether order matters
constexpr int64_t kProbeBackSteps = 5;
constexpr int64_t kSkewS = 60;
constexpr int64_t kSlowMs = 60'000;
constexpr int kRepeats = 5;  // of a 500 before the request itself is doubted
constexpr size_t kMaxRecentBytes = size_t{1} << 20U;
constexpr size_t kMaxRefusals = 64;
constexpr size_t kMostSteps = 60;

// Prometheus 2.42: 400 "out of order sample", "out of bounds"; with a window for what is out of
// order, 500 "too old sample". Mimir: 400 "err-mimir-sample-timestamp-too-old".
bool speaks_of_age(const std::string& reason) {
  constexpr std::array<std::string_view, 4> kWords = {"out of bounds", "out of order", "too old",
                                                      "too-old"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return reason.find(word) != std::string::npos; });
}

std::string clipped(const std::string& text) {
  std::string out = text.substr(0, 300);
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  return out;
}

std::string name_of(const TimeSeries& series) {
  std::string name, labels;
  for (const Label& label : series.labels) {
    if (label.name == "__name__") {
      name = label.value;
    } else {
      labels += (labels.empty() ? "" : ",") + label.name + "=\"" + label.value + "\"";
    }
  }
  return name + "{" + labels + "}";
}

std::string range_text(const TimeRange& range) {
  return format_rfc3339(WallTime::from_s(range.from_s)) + " to " +
         format_rfc3339(WallTime::from_s(range.to_s));
}

size_t samples_in(std::span<const TimeSeries> series) {
  size_t sum = 0;
  for (const TimeSeries& s : series) sum += s.samples.size();
  return sum;
}

}  // namespace

SampleSender::SampleSender(SampleSenderOptions options, Source source, Canary canary, uint64_t seed)
    : options_(options),
      source_(std::move(source)),
      canary_(std::move(canary)),
      backoff_(options.retry, seed),
      max_samples_(options.max_samples) {
  if (options.dialect == Dialect::otlp) out_of_order_ = true;
}

bool SampleSender::restore(std::string_view progress) {
  const auto colon = progress.find(':');
  if (colon == std::string_view::npos) return false;
  const auto until = TimeRanges::parse(progress.substr(0, colon));
  auto untold = TimeRanges::parse(progress.substr(colon + 1));
  if (!until || until->empty() || !untold) return false;
  began_s_ = until->oldest()->from_s;
  known_until_s_ = until->newest()->to_s;
  untold_ = std::move(*untold);
  doubtful_.add({std::max(began_s_, known_until_s_ - options_.rewind_s), known_until_s_});
  for (const TimeRange& range : untold_.ranges()) doubtful_.remove(range);
  return true;
}

void SampleSender::known_until(WallTime now) {
  const int64_t until_s = (now.seconds() / options_.step_s + 1) * options_.step_s;
  if (until_s <= known_until_s_) return;
  if (known_until_s_ == 0) began_s_ = known_until_s_ = until_s - options_.step_s;
  untold_.add({known_until_s_, until_s});
  known_until_s_ = until_s;
}

// --- what to send
// ---------------------------------------------------------------------------------

std::optional<Request> SampleSender::begin(WallTime wall, Instant now) {
  if (flight_ || now < not_before_) return std::nullopt;
  wall_s_ = wall.seconds();
  // The first words on a connection, and after our clock was set, carry no sample: one sample in
  // its future would spoil the receiver for every node.
  const int64_t offset_ns = wall.ns - now.ns;
  const int64_t moved_s = (offset_ns - clock_offset_ns_.value_or(offset_ns)) / kNsPerSecond;
  ask_clock_ = !clock_offset_ns_ || moved_s > kSkewS / 2 || moved_s < -kSkewS / 2;
  forget_the_future();
  give_up_what_is_too_old_for_us();
  flight_ = next_flight();
  if (!flight_) return std::nullopt;
  ++stats_.requests;
  Request request;
  if (options_.dialect == Dialect::otlp) {
    request.headers = {{"Content-Encoding", "gzip"}, {"Content-Type", "application/json"}};
  } else {
    request.headers = {{"Content-Encoding", "snappy"},
                       {"Content-Type", "application/x-protobuf"},
                       {"X-Prometheus-Remote-Write-Version", "0.1.0"}};
  }
  request.body = flight_->body;
  return request;
}

std::optional<Instant> SampleSender::due() const {
  if (flight_) return std::nullopt;
  if (untold_.empty() && rewinds_.empty() && doubtful_.empty() && !doubted_) return std::nullopt;
  return not_before_;
}

// What was known of it came from a clock that has been set back.
void SampleSender::forget_the_future() {
  const int64_t newest_s = (wall_s_ / options_.step_s + 1) * options_.step_s;
  if (known_until_s_ <= newest_s) return;
  untold_.remove({newest_s, known_until_s_});
  known_until_s_ = newest_s;
  std::erase_if(pieces_, [&](const Piece& piece) { return piece.range.to_s > newest_s; });
}

void SampleSender::give_up_what_is_too_old_for_us() {
  const int64_t oldest_s = (wall_s_ - options_.max_age_s) / options_.step_s * options_.step_s;
  const TimeRange gone{0, oldest_s};
  const int64_t before_s = untold_.length_s();
  untold_.remove(gone);
  stats_.seconds_given_up += static_cast<uint64_t>(before_s - untold_.length_s());
}

std::optional<SampleSender::Flight> SampleSender::next_flight() {
  if (untold_.empty() && rewinds_.empty() && doubtful_.empty()) return std::nullopt;
  if (skewed_ ||
      ask_clock_) {  // an answer brings the receiver's time; a sample could spoil its future
    return flight_of(Kind::canary, {});
  }
  if (!rewinds_.empty()) {
    Flight again;
    again.kind = Kind::rewind;
    again.body = rewinds_.front().body;
    return again;
  }
  if (auto doubtful = next_doubtful()) return doubtful;
  if (doubted_) return canary_flight(Kind::canary, known_until_s_ - options_.step_s);
  if (auto probe = next_probe()) return probe;
  return next_samples();
}

// Oldest first and one at a time: a receiver that keeps order takes none after a newer one.
std::optional<SampleSender::Flight> SampleSender::next_doubtful() {
  while (!doubtful_.empty()) {
    TimeRange range = *doubtful_.oldest();
    range.to_s = std::min(range.to_s, range.from_s + options_.step_s);
    const auto& all = series_of(range);
    if (samples_in(all) != 0) {
      Flight flight = flight_of(Kind::doubtful, all);
      flight.piece.range = range;
      return flight;
    }
    doubtful_.remove(range);
  }
  return std::nullopt;
}

std::optional<SampleSender::Flight> SampleSender::next_probe() const {
  if (out_of_order_ || !pieces_.empty() || untold_.length_s() <= kBacklogSteps * options_.step_s)
    return std::nullopt;
  const int64_t newest_s = known_until_s_ - options_.step_s;
  return canary_flight(Kind::probe,
                       probed_newest_ ? newest_s - kProbeBackSteps * options_.step_s : newest_s);
}

SampleSender::Flight SampleSender::canary_flight(Kind kind, int64_t at_s) const {
  const TimeSeries series = canary_(at_s);
  return flight_of(kind, {&series, 1});
}

SampleSender::Flight SampleSender::flight_of(Kind kind, std::span<const TimeSeries> series) const {
  Flight flight;
  flight.kind = kind;
  flight.samples = samples_in(series);
  flight.body = options_.dialect == Dialect::otlp ? gzip(encode_otlp(series))
                                                  : snappy_block(encode_write_request(series));
  return flight;
}

std::optional<SampleSender::Flight> SampleSender::next_samples() {
  while (!pieces_.empty() || cut_from_untold()) {
    const Piece piece = pieces_.back();
    const auto& all = series_of(piece.range);
    if (all.size() != cut_series_) {  // an SLO came or went: numbers of series mean others now
      pieces_.clear();
      continue;
    }
    pieces_.pop_back();
    const std::span<const TimeSeries> chosen(all.data() + piece.first, piece.last - piece.first);
    if (samples_in(chosen) == 0) {
      told(piece);
      continue;
    }
    Flight flight = flight_of(Kind::samples, chosen);
    flight.piece = piece;
    return flight;
  }
  return std::nullopt;
}

// The next stretch of time becomes pieces of at most max_series; false: all is told.
bool SampleSender::cut_from_untold() {
  if (untold_.empty()) return false;
  canary_lives_ = false;
  old_ = {};
  TimeRange range = *untold_.newest();
  const bool live = out_of_order_.value_or(false) && range.to_s == known_until_s_;
  if (live) {
    range.from_s = range.to_s - options_.step_s;
  } else {
    range = *untold_.oldest();
    const size_t fit = series_ == 0 ? 1 : max_samples_ / series_;
    const size_t steps = std::clamp<size_t>(fit, 1, kMostSteps);
    range.to_s = std::min(range.to_s, range.from_s + static_cast<int64_t>(steps) * options_.step_s);
  }
  const size_t n = series_of(range).size();
  cut_series_ = n;
  if (n != 0) series_ = n;
  const size_t groups = std::max<size_t>(1, (n + options_.max_series - 1) / options_.max_series);
  for (size_t g = groups; g-- > 0;) {
    const size_t first = g * options_.max_series;
    pieces_.push_back({range, first, std::min(n, first + options_.max_series)});
  }
  return true;
}

const std::vector<TimeSeries>& SampleSender::series_of(TimeRange range) {
  if (made_range_ != range || made_.empty()) {  // else the same values as when it was told before
    made_ = source_(range.from_s, range.to_s);
    made_range_ = range;
  }
  return made_;
}

// --- what came back
// -------------------------------------------------------------------------------

SampleSender::Meaning SampleSender::meaning_of(const Answer& answer) const {
  const int status = answer.status;
  if (status / 100 == 2) return Meaning::taken;
  if ((status == 400 || status == 422 || status == 500) && speaks_of_age(answer.reason)) {
    return Meaning::too_old;
  }
  if (status == 413) return Meaning::too_large;
  if (status == 400 || status == 422) return Meaning::refused;
  if (status == 500 && same_failure_ + 1 >= kRepeats) return Meaning::refused;
  if (status == 0 || status == 408 || status == 429 || status / 100 == 5) return Meaning::again;
  return Meaning::slowly;
}

void SampleSender::answered(const Answer& answer, WallTime wall, Instant now) {
  NINES_ASSERT(flight_);
  Flight flight = std::move(*flight_);
  flight_.reset();
  const Meaning meaning = meaning_of(answer);
  if (meaning == Meaning::taken) {
    backoff_.succeeded();
    same_failure_ = 0;
    not_before_ = {INT64_MIN};
    stats_.trouble.clear();
    stats_.bytes_sent += flight.body.size();
  }
  if (answer.status != 0) look_at_clock(answer, wall, now);
  const bool down = answer.status == 0 || answer.status / 100 == 5;
  if (down && meaning == Meaning::again && !outage_) {
    outage_ = true;
    if (options_.dialect == Dialect::remote_write)
      out_of_order_.reset();  // another may answer next
    clock_offset_ns_.reset();
    probed_newest_ = false;
    while (!recent_.empty() && recent_.front().at.ns < now.ns - options_.rewind_s * kNsPerSecond) {
      recent_.pop_front();
    }
    rewinds_ = std::exchange(recent_, {});
    recent_bytes_ = 0;
  }
  switch (flight.kind) {
    case Kind::samples: return answered_samples(std::move(flight), answer, meaning, now);
    case Kind::canary: return answered_canary(answer, meaning, now);
    case Kind::probe: return answered_probe(answer, meaning, now);
    case Kind::rewind:
    case Kind::doubtful: break;
  }
  if (meaning == Meaning::again || meaning == Meaning::slowly) return retry(answer, meaning, now);
  if (meaning == Meaning::taken) ++stats_.rewound;
  if (flight.kind == Kind::doubtful) {
    doubtful_.remove(flight.piece.range);  // refused: the receiver has it
  } else if (!rewinds_.empty()) {
    rewinds_.pop_front();
  }
}

void SampleSender::look_at_clock(const Answer& answer, WallTime wall, Instant now) {
  clock_offset_ns_ = wall.ns - now.ns;
  if (!answer.date) return;  // it does not tell: nothing to compare with
  const int64_t apart_s = answer.date->seconds() - wall.seconds();
  skewed_ = apart_s > kSkewS || apart_s < -kSkewS;
  if (!skewed_) return;
  stats_.trouble = "the receiver's clock is " + std::to_string(apart_s > 0 ? apart_s : -apart_s) +
                   (apart_s > 0 ? " s ahead of" : " s behind") +
                   " this node's: samples wait until they agree";
}

void SampleSender::answered_samples(Flight flight, const Answer& answer, Meaning meaning,
                                    Instant now) {
  const Piece piece = flight.piece;
  switch (meaning) {
    case Meaning::taken: return taken(std::move(flight), answer, now);
    case Meaning::too_old: return too_old(piece, answer);
    case Meaning::too_large:
      max_samples_ = std::max<size_t>(1, max_samples_ / 2);
      return cut(piece, answer);
    case Meaning::refused:
      same_failure_ = 0;
      if (canary_lives_) return cut(piece, answer);
      doubted_ = Doubted{std::move(flight), answer};
      return;
    case Meaning::again:
    case Meaning::slowly: break;
  }
  pieces_.push_back(piece);
  retry(answer, meaning, now);
}

void SampleSender::taken(Flight flight, const Answer& answer, Instant now) {
  outage_ = false;
  stats_.samples_sent += flight.samples;
  if (options_.dialect == Dialect::otlp) count_rejected(answer);
  if (flight.piece.range == old_.range) old_.taken = true;
  if (pieces_.empty()) tell_given_up();
  recent_bytes_ += flight.body.size();
  recent_.push_back({now, std::move(flight.body)});
  while (!recent_.empty() && (recent_bytes_ > kMaxRecentBytes ||
                              recent_.front().at.ns < now.ns - options_.rewind_s * kNsPerSecond)) {
    recent_bytes_ -= recent_.front().body.size();
    recent_.pop_front();
  }
  told(flight.piece);
}

// The receiver took the rest and does not want these again (OTLP 1.x, "Partial Success").
void SampleSender::count_rejected(const Answer& answer) {
  const auto rejected = otlp_rejected(answer.reason);
  if (!rejected) return;
  stats_.samples_sent -= std::min(stats_.samples_sent, rejected->points);
  stats_.samples_refused += rejected->points;
  refuse({std::to_string(rejected->points) + " samples of a request", clipped(rejected->message),
          "", answer.status, WallTime::from_s(wall_s_)});
}

// Nothing of this stretch of time waits any more: it is told, or will never be.
void SampleSender::told(const Piece& piece) {
  const bool rest = std::any_of(pieces_.begin(), pieces_.end(), [&](const Piece& other) {
    return other.range.from_s < piece.range.to_s && piece.range.from_s < other.range.to_s;
  });
  if (!rest) untold_.remove(piece.range);
}

void SampleSender::answered_canary(const Answer& answer, Meaning meaning, Instant now) {
  if (!doubted_) {  // it was asked for its clock
    if (skewed_) not_before_ = {now.ns + kSlowMs * kNsPerMs};
    if (meaning == Meaning::again || meaning == Meaning::slowly) retry(answer, meaning, now);
    return;
  }
  auto [flight, first] = std::move(*doubted_);
  doubted_.reset();
  if (meaning == Meaning::taken) {
    canary_lives_ = true;
    return cut(flight.piece, first);
  }
  pieces_.push_back(flight.piece);
  retry(meaning == Meaning::again ? answer : first,
        meaning == Meaning::again ? Meaning::again : Meaning::slowly, now);
}

void SampleSender::answered_probe(const Answer& answer, Meaning meaning, Instant now) {
  if (meaning == Meaning::again || meaning == Meaning::slowly) return retry(answer, meaning, now);
  outage_ = false;
  if (meaning == Meaning::taken && !probed_newest_) {
    probed_newest_ = true;
    return;
  }
  out_of_order_ = meaning == Meaning::taken;
  probed_newest_ = false;
}

// In halves, by time as long as there is more than a step, the newer first; then by series.
void SampleSender::cut(const Piece& piece, const Answer& answer) {
  const int64_t steps = piece.range.length_s() / options_.step_s;
  if (steps > 1) {
    const int64_t middle_s = piece.range.from_s + steps / 2 * options_.step_s;
    pieces_.push_back({{piece.range.from_s, middle_s}, piece.first, piece.last});
    pieces_.push_back({{middle_s, piece.range.to_s}, piece.first, piece.last});
    return;
  }
  const size_t n = piece.last - piece.first;
  if (n > 1) {
    pieces_.push_back({piece.range, piece.first + n / 2, piece.last});
    pieces_.push_back({piece.range, piece.first, piece.first + n / 2});
    return;
  }
  bury(piece, answer);
}

void SampleSender::too_old(const Piece& piece, const Answer& answer) {
  if (piece.range.length_s() > options_.step_s) return cut(piece, answer);
  if (old_.range != piece.range) old_ = {piece.range, 0, false};
  const size_t n = piece.last - piece.first;
  const size_t all = series_of(piece.range).size();
  if (n == all && n > 1) return cut(piece, answer);  // is it all of them?
  if (!old_.taken && ++old_.refused < 2 && n < all) {
    pieces_.insert(pieces_.begin(), piece);  // decided when the others have been asked
    return;
  }
  if (!old_.taken) return give_up_before(piece.range.to_s, answer);
  cut(piece, answer);
}

void SampleSender::give_up_before(int64_t at_s, const Answer& answer) {
  const TimeRange gone{0, at_s};
  const int64_t before_s = untold_.length_s();
  const int64_t oldest_s = untold_.empty() ? at_s : untold_.oldest()->from_s;
  std::erase_if(pieces_, [&](const Piece& piece) { return piece.range.from_s < at_s; });
  untold_.remove(gone);
  stats_.seconds_given_up += static_cast<uint64_t>(before_s - untold_.length_s());
  if (!given_up_) given_up_ = GivenUp{{oldest_s, at_s}, clipped(answer.reason), answer.status};
  given_up_->range.to_s = at_s;
}

// Once something is young enough: one refusal for all that was not.
void SampleSender::tell_given_up() {
  if (!given_up_) return;
  refuse({"samples of " + range_text(given_up_->range), given_up_->reason,
          "set storage.tsdb.out_of_order_time_window of Prometheus to the longest outage that is "
          "to be filled in",
          given_up_->status, WallTime::from_s(wall_s_)});
  given_up_.reset();
}

void SampleSender::bury(const Piece& piece, const Answer& answer) {
  const auto& all = series_of(piece.range);
  if (answer.reason.find("duplicate sample") != std::string::npos) {
    ++stats_.duplicates;  // it has a sample of that time: what it was told first stands
  } else if (piece.first < all.size()) {
    stats_.samples_refused += all[piece.first].samples.size();
    refuse({name_of(all[piece.first]) + " of " + range_text(piece.range), clipped(answer.reason),
            "", answer.status, WallTime::from_s(wall_s_)});
  }
  told(piece);
}

void SampleSender::refuse(Refusal refusal) {
  if (refusals_.size() < kMaxRefusals) refusals_.push_back(std::move(refusal));
}

void SampleSender::retry(const Answer& answer, Meaning meaning, Instant now) {
  ++stats_.failures;
  if (answer.status / 100 == 5) ++same_failure_;
  stats_.trouble =
      (answer.status == 0 ? "" : std::to_string(answer.status) + ": ") + clipped(answer.reason);
  if (meaning == Meaning::slowly) {
    const int64_t least_ms = std::max(kSlowMs, answer.retry_after_ms.value_or(0));
    not_before_ = backoff_.next(now, least_ms);
  } else {
    not_before_ = backoff_.next(now, answer.retry_after_ms);
  }
}

// --- what it tells of itself
// ----------------------------------------------------------------------

std::string SampleSender::progress() const {
  if (known_until_s_ == 0) return {};
  TimeRanges known;
  known.add({began_s_, known_until_s_});
  return known.text() + ":" + untold_.text();
}

std::vector<Refusal> SampleSender::take_refusals() { return std::exchange(refusals_, {}); }

SampleSenderStats SampleSender::stats() const {
  SampleSenderStats out = stats_;
  out.behind_s = untold_.length_s();
  out.out_of_order = out_of_order_.value_or(false);
  out.skewed = skewed_;
  return out;
}

}  // namespace nines::upstream
