// SampleSender: tells one receiver of metrics the samples of every step (a minute), exactly those
// it has not got, whatever happens between. Speaks Prometheus remote write 1.0 (Prometheus,
// VictoriaMetrics, Mimir...) and OTLP/HTTP (collectors of OpenTelemetry). Sans-I/O: begin() gives a
// request to POST, answered() takes what came back. One at a time.
//
// What is not told yet is a set of times (TimeRanges); the samples are made when they are sent.
//
// Order
//   A receiver that takes samples out of order (OTLP; by remote write it is probed with one series
//   once a connection, when more than ten steps wait): the newest first, then the backlog from its
//   oldest end. Any other: oldest first, since it refuses what is older than what it has.
//
// Answers
//   2xx      told; after an outage what was sent in the last rewind_s before it is sent once more,
//            byte for byte: "stored" is not "on disk" (a power cut of the receiver loses
//            acknowledged samples). What an earlier life told last is told again step by step:
//            whoever has it refuses it.
//   400, 422, and a 500 that comes again
//            The receiver is asked with one sample of our own whether it takes anything at all. No:
//            it or a proxy before it is at fault, nothing is given up and the request is repeated
//            slowly. Yes: the request is cut in halves, by time, then by series, until what is
//            refused stands alone: a dead letter, and the rest is told.
//   "out of bounds", "too old", "out of order"
//            Too old for this receiver: with a whole step everything older than it is given up and
//            said once, with the setting that would take it.
//   413      half as many samples a request from now on
//   401, 403, other 4xx, 3xx
//            repeated slowly: a wrong password or path must not cost a sample
//   429, 5xx, none
//            repeated with full jitter, Retry-After kept
//
// Clocks: Prometheus refuses the present of every node once one sample lies in its future, so no
// sample is sent while the receiver's Date and our clock are more than a minute apart; asked again
// every minute, with an empty request, as before the first words on a connection and after our
// clock was set.
//
// Not thread-safe. Memory: one request and the bodies of the last rewind_s, at most 1 MiB.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/base/backoff.hpp"
#include "nines/base/time.hpp"
#include "nines/upstream/exchange.hpp"
#include "nines/upstream/series.hpp"
#include "nines/upstream/time_ranges.hpp"

namespace nines::upstream {

enum class Dialect : uint8_t { remote_write, otlp };

struct SampleSenderOptions {
  Dialect dialect = Dialect::remote_write;
  int64_t step_s = 60;  // from sample to sample
  RetryPolicy retry{1'000, 120'000, 100, 3600'000};
  int64_t rewind_s = 300;
  int64_t max_age_s = int64_t{31} * 86400;  // older is given up: the receiver keeps no more
  size_t max_samples = 5'000;               // of a request: what the specification's senders use
  size_t max_series = 500;
};

struct SampleSenderStats {
  uint64_t requests = 0, failures = 0;  // failures: asked again later
  uint64_t samples_sent = 0, bytes_sent = 0;
  uint64_t samples_refused = 0;   // dead letters
  uint64_t duplicates = 0;        // the receiver had another value of that time already
  uint64_t seconds_given_up = 0;  // too old for the receiver, or for max_age_s
  uint64_t rewound = 0;           // requests sent once more after an outage
  int64_t behind_s = 0;           // untold
  bool out_of_order = false;      // the receiver takes it, as far as is known
  bool skewed = false;            // held: the clocks disagree
  std::string trouble;            // why nothing is told at the moment; empty: all is well
};

// A sample or a stretch of time that the receiver will never take.
struct Refusal {
  std::string what;    // the series, or a range of times
  std::string reason;  // the receiver's words
  std::string remedy;  // empty: none known
  int status = 0;
  WallTime at{};
};

class SampleSender {
 public:
  // Samples of [from_s, to_s) at every step that is still known, by series in an order that does
  // not change. Each at a multiple of the step that is still known of its time.
  using Source = std::function<std::vector<TimeSeries>(int64_t from_s, int64_t to_s)>;
  // A series of our own that asks the receiver whether it takes a sample of that time.
  using Canary = std::function<TimeSeries(int64_t at_s)>;

  SampleSender(SampleSenderOptions options, Source source, Canary canary, uint64_t seed);
  // What progress() was in an earlier life. Without it the present minute is the first one told.
  // False, and nothing done: it is not such a text.
  bool restore(std::string_view progress);

  // Samples are known up to and including this time.
  void known_until(WallTime now);

  std::optional<Request> begin(WallTime wall, Instant now);
  void answered(const Answer& answer, WallTime wall, Instant now);
  // When begin() may have something; nullopt: after the next known_until() or answered().
  std::optional<Instant> due() const;

  // What a next life has to know, "0-160:20-80" (known: untold): written beside the counts. Empty: nothing yet.
  std::string progress() const;
  std::vector<Refusal> take_refusals();  // since the last call, at most 64
  SampleSenderStats stats() const;

 private:
  enum class Kind : uint8_t { samples, canary, probe, rewind, doubtful };
  // Part of a stretch of time, being told: series [first, last) of it.
  struct Piece {
    TimeRange range;
    size_t first = 0, last = 0;
    friend bool operator==(const Piece&, const Piece&) = default;
  };
  struct Flight {
    Kind kind = Kind::samples;
    Piece piece;
    std::string body;
    size_t samples = 0;
  };
  struct Doubted {
    Flight flight;
    Answer answer;
  };
  enum class Meaning : uint8_t { taken, again, slowly, too_old, too_large, refused };
  struct Sent {
    Instant at{};
    std::string body;
  };
  // A step that was refused as too old: are all its series, or one of them alone?
  struct OldStep {
    TimeRange range;
    int refused = 0;
    bool taken = false;
  };

  // Too old for the receiver, until something is young enough.
  struct GivenUp {
    TimeRange range;
    std::string reason;
    int status = 0;
  };

  Meaning meaning_of(const Answer& answer) const;
  std::optional<Flight> next_flight();
  std::optional<Flight> next_doubtful();
  std::optional<Flight> next_samples();
  std::optional<Flight> next_probe() const;
  bool cut_from_untold();
  Flight flight_of(Kind kind, std::span<const TimeSeries> series) const;
  Flight canary_flight(Kind kind, int64_t at_s) const;
  void forget_the_future();
  void give_up_what_is_too_old_for_us();

  void answered_samples(Flight flight, const Answer& answer, Meaning meaning, Instant now);
  void answered_canary(const Answer& answer, Meaning meaning, Instant now);
  void answered_probe(const Answer& answer, Meaning meaning, Instant now);
  void taken(Flight flight, const Answer& answer, Instant now);
  void count_rejected(const Answer& answer);
  void told(const Piece& piece);
  void cut(const Piece& piece, const Answer& answer);
  void too_old(const Piece& piece, const Answer& answer);
  void give_up_before(int64_t at_s, const Answer& answer);
  void bury(const Piece& piece, const Answer& answer);
  void retry(const Answer& answer, Meaning meaning, Instant now);
  void tell_given_up();
  void look_at_clock(const Answer& answer, WallTime wall, Instant now);
  const std::vector<TimeSeries>& series_of(TimeRange range);
  void refuse(Refusal refusal);

  SampleSenderOptions options_;
  Source source_;
  Canary canary_;
  Backoff backoff_;
  int64_t began_s_ = 0;        // the first time that was ever to be told
  int64_t known_until_s_ = 0;  // steps before this are untold or told; 0: none was known yet
  int64_t wall_s_ = 0;         // of the last begin()
  TimeRanges untold_;
  std::vector<Piece> pieces_;  // of a request that was cut; the last one comes next
  TimeRange made_range_;       // of made_
  std::vector<TimeSeries> made_;
  size_t cut_series_ = 0;  // how many there were when pieces_ was made
  size_t series_ = 0;      // of the last request, to guess the size of the next
  size_t max_samples_;
  std::optional<Flight> flight_;
  std::optional<Doubted> doubted_;  // a refusal, while the canary is asked
  bool canary_lives_ = false;       // since the request that is being cut was begun
  OldStep old_;
  Instant not_before_{INT64_MIN};
  int same_failure_ = 0;  // 5xx in a row for one request
  std::optional<bool> out_of_order_;
  bool probed_newest_ = false;
  std::optional<int64_t> clock_offset_ns_;  // wall - monotonic when the receiver last answered
  bool skewed_ = false, ask_clock_ = false;
  std::optional<GivenUp> given_up_;
  bool outage_ = false;
  TimeRanges doubtful_;  // told at the end of an earlier life; told again, step by step
  std::deque<Sent> recent_, rewinds_;
  size_t recent_bytes_ = 0;
  std::vector<Refusal> refusals_;
  SampleSenderStats stats_;
};

}  // namespace nines::upstream
