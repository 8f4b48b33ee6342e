// Inputs that ask instead of listening: a Prometheus style endpoint, and the node's vitals. Both
// make JSON lines of what they measure, so that the one expression language and the one way of
// counting serve them too.
//
// Scrape. Each sample is one record, stamped with the time its answer arrived:
//
//   {"ts":"...","metric":"http_requests_total","code":"200","value":1027,"delta":3}
//
//   value   as exposed; null for NaN and infinities. sample_ts: the exposition's own stamp, if any
//   delta   counters, and _bucket/_count/_sum of histograms, _count/_sum of summaries: exactly how
//           much it grew since the scrape before (slo::CounterSeries: resets, start times). Absent
//           where it is not known: gauges, values that are no count. An untyped name that ends in
//           _total is a counter. Fractions are kept to millionths, cut downwards; since the value
//           is cut and not the difference, the deltas of a series always sum to its growth. An SLI
//           that counts seconds takes `count: delta * 1000000`, for events are whole.
//   le      buckets only, a number; +Inf is 1e30. `delta` of a bucket is NOT cumulative: events
//           that fell between the bound below and this one. (`value` stays as exposed.)
//   labels  as they are; those named like a field above or one known everywhere (source, node,
//   line,
//           raw, ingest_ts) become label_ts, label_node, ...
//
// The latency SLI "99 % of requests within 300 ms", 0.3 being a bound of the histogram:
//
//   total: {where: "metric = 'http_request_duration_seconds_bucket'"},               count: delta
//   good:  {where: "metric = 'http_request_duration_seconds_bucket' AND le <= 0.3"}, count: delta
//
// A threshold between two bounds counts as good only what is surely below it.
//
// A series that appears on a target that was scraped before began at 0 since; all of its value
// counts. What the first scrape of a target finds is the past and counts only where a start time
// says otherwise. A drop, or a later start time, is a reset: all of the new value counts; buckets,
// count and sum of one histogram are reset together. Nothing is extrapolated.
//
// Beside them, for each scrape: `up` (value 1, or 0 when there was no usable answer) and
// `scrape_duration_ms`. caught_up() says that what is known was handed over, and that scrapes are
// made in time. After a failed scrape `healthy` is false until one succeeds: nothing is known of
// the target and its source must not be covered, save for SLIs that count `up` itself
// (counts_scrapes()), to whom a failed scrape is an event and no gap.
//
// Positions: "scrape:<hash of url and identity>" (values, about 3 bytes a series, written when one
// changed) and "scrape:<...>:n" (which series, 9 to 14 bytes each, written when one appeared or
// began anew). Series are known by 64 bits of hash: among 10,000 two collide once in 3.7e11
// targets; two series of one scrape that do are taken for a duplicate line: the second has no delta
// and is counted.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/input.hpp"
#include "nines/expr/expression.hpp"

namespace nines::collector {

struct ScrapeRequest {
  std::string url, token_file, accept;
  int64_t timeout_ms = 0;
  size_t max_body_bytes = 0;
};
// Called on the reading thread; must not block. `done` is called once, on any thread, also after
// the input is gone (its answer is then dropped).
using Fetch = std::function<void(const ScrapeRequest&, std::function<void(Result<std::string>)>)>;

struct ScrapeOptions {
  std::string url, token_file;
  std::string identity;           // tells inputs of one url apart that are not one (service, every)
  std::vector<uint32_t> sources;  // LogStream::matched
  int64_t every_s = 15;
  int64_t timeout_ms = 10'000;              // but never longer than every_s
  size_t max_body_bytes = 4 * 1024 * 1024;  // a larger answer is a failed scrape
  size_t max_series = 10'000;               // with a delta; beyond: no delta, series_refused
  int64_t forget_s = 86'400;                // a series absent for so long is forgotten
  size_t chunk_bytes = 64 * 1024;           // handed to the consumer at once
};

struct ScrapeStats {
  uint64_t scrapes = 0, failures = 0, skipped /* the one before was not done */ = 0;
  uint64_t samples = 0, malformed = 0, native_histograms = 0, exemplars = 0;
  uint64_t series = 0, series_refused = 0, series_duplicate = 0, series_forgotten = 0;
  uint64_t resets = 0;            // of counters, or of whole histograms
  uint64_t states_malformed = 0;  // saved positions that could not be read
};

class ScrapeInput : public Input {
 public:
  // `saved`: all positions there are; those of other inputs are passed over. consumer and clock
  // must outlive the input.
  static Result<std::unique_ptr<ScrapeInput>> create(ScrapeOptions options, Fetch fetch,
                                                     RecordConsumer& consumer,
                                                     const std::vector<slo::Position>& saved,
                                                     const Clock& clock);
  virtual ScrapeStats stats() const noexcept = 0;
};

// Whether an SLI with this `where` counts scrapes themselves (`metric = 'up' AND value = 1`): for
// it a failed scrape is an event and no gap.
bool counts_scrapes(const expr::Expression& where);

struct VitalsOptions {
  std::string identity;  // tells several inputs apart
  std::vector<uint32_t> sources;
  int64_t every_s = 10;
  std::string proc = "/proc", sys = "/sys";
  std::string state_dir;  // its file system is measured as `state`; empty: none
};

class VitalsInput : public Input {
 public:
  static Result<std::unique_ptr<VitalsInput>> create(VitalsOptions options,
                                                     RecordConsumer& consumer,
                                                     const std::vector<slo::Position>& saved,
                                                     const Clock& clock);
};

}  // namespace nines::collector
