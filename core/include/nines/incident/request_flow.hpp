// RequestFlow: how requests pass through the lines of services, and where that has changed. Counts,
// for each line of a service (a template), which line of it comes next within the same request,
// which other services speak in between, and how long it takes; compares the last minutes with a
// decayed baseline. What differs first points at code or a service, not only at those that suffer
// from it.
//
// Shares are compared by G2 (Dunning 1993), divided by the overdispersion that the share has shown
// from minute to minute (Pearson's chi2 over its degrees of freedom, as in quasi-binomial models:
// Wedderburn 1974): what wavers in healthy minutes, too, is no evidence. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/incident/template_miner.hpp"

namespace nines::incident {

using ServiceId = uint32_t;

struct FlowLine {
  WallTime at;
  std::string_view request;  // empty: belongs to none, left out
  uint64_t span = 0;         // hash of the part of the request that this call is; 0: not known
  ServiceId service = 0;
  TemplateId line = 0;
  bool error = false;
};

struct FlowLimits {
  int64_t idle_ns = 3 * kNsPerSecond;  // a request is over when nothing was heard of it for so long
  size_t max_lines = 65'536;           // of requests that are not over; then the oldest is
  size_t max_trials = 8'192;           // kinds of lines, beyond: not counted, told in stats()
  size_t max_outcomes = 32'768;
  int64_t guard_minutes = 3;       // the newest are not of the baseline yet
  double half_life_minutes = 360;  // of minutes with traffic
};

struct FlowFinding {
  enum class Kind : uint8_t {
    path,    // another line follows, or none
    silent,  // the service is not heard any more where it was, and whoever called it goes on
    error,   // an error line in more of the requests
    slow,  // the next line of the request takes longer to come: of this service, or of another one
           // (`caller`) that it called or went back to
  };
  Kind kind = Kind::path;
  ServiceId service = 0;                   // that is pointed at
  ServiceId caller = 0;                    // silent: after whose line
  TemplateId line = 0;                     // after which; error: the line itself
  TemplateId next = 0;                     // path, slow: that follows; 0: none did
  double score = 0;                        // about chi2 with one degree of freedom
  uint64_t hits = 0, of = 0;               // now
  double hits_before = 0, of_before = 0;   // decayed
  double seconds = 0, seconds_before = 0;  // slow: geometric means
};

class RequestFlow {
 public:
  explicit RequestFlow(FlowLimits limits = {});
  ~RequestFlow();

  void add(const FlowLine& line);
  // Time has come to `now`; lines before it that come later are counted all the same. `learn`:
  // minutes that end from here on become part of the baseline (not while an incident is open).
  void advance(WallTime now, bool learn = true);
  // The strongest of each kind for each service over the last `minutes` and the one that runs, the
  // strongest first. REQUIRES minutes <= guard_minutes.
  std::vector<FlowFinding> findings(int64_t minutes) const;
  // A template became part of another one.
  void merge(TemplateId from, TemplateId to);

  struct Stats {
    uint64_t requests = 0, lines = 0, cut_short = 0, left_out = 0;
    size_t trials = 0, outcomes = 0, memory_bytes = 0;
  };
  Stats stats() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::incident
