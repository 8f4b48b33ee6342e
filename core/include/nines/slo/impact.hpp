// What a change did to an SLO, from exact counts: the watch after a release, and before/after with
// difference in differences against services that were left alone. Probabilities and intervals
// are for judgement by people and for the watch; no budget depends on them. Events are counted,
// also for SLOs whose budget counts slices of time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/slo/changes.hpp"
#include "nines/slo/engine.hpp"

namespace nines::slo {

enum class WatchVerdict : uint8_t { watching, ok, worse, too_little_traffic };
std::string_view watch_verdict_name(WatchVerdict) noexcept;  // WATCHING OK WORSE TOO_LITTLE_TRAFFIC

struct WatchPolicy {
  int64_t watch_s = 2 * 3600;     // the sources ask for two hours at least
  int64_t min_events = 50;        // of a window that is worth a comparison
  int64_t min_bad = 2;            // one bad event alone makes no release WORSE
  double significance = 0.01;     // at the end of the watch
  double while_watching = 0.001;  // before: it is asked every few seconds, which makes chance finds
};

// One comparison: is the share of bad events in `after` higher than in `before`?
struct Comparison {
  WindowCounts before, after;
  // P(at least so many of all bad events fall into `after`) if both had the same share: binomial,
  // given the sum of bad events. 1 when a window has no events.
  double probability = 1;
  bool enough = false;  // `before` has min_events
};
Comparison compare_windows(const WindowCounts& before, const WindowCounts& after,
                           int64_t min_events) noexcept;

// The watch of one SLO after one release.
//   after       [released, end), end = the first of now, released + watch_s, the next release
//   before      as long, ending at the release
//   day_before  as long and at the same time of the day before
// WORSE: at least min_bad bad events, more than the target allows, and significantly more than in
// each of the two that has enough events (at least one has). TOO_LITTLE_TRAFFIC: at the end fewer
// than min_events after it or in both of the others. Else OK at the end, and WATCHING before.
struct ReleaseWatch {
  uint64_t change = 0;
  std::string service, slo;
  WallTime released{}, ends{};
  bool done = false;
  WatchVerdict verdict = WatchVerdict::watching;
  Comparison just_before, day_before;  // both with the same `after`
  std::string text;                    // one sentence with the counts
};
// `ends`: when the watch is over (released + watch_s or an earlier next release).
ReleaseWatch watch_release(const SloEngine& engine, uint32_t slo, const Change& release,
                           WallTime ends, WallTime now, const WatchPolicy& policy = {});

// --- before/after ---------------------------------------------------------------------------
struct ImpactRow {
  std::string slo, service;
  WindowCounts before, after;
  std::optional<double> before_share, after_share;  // of bad events
};
struct ShareInterval {
  double low = 0, high = 0;
};
struct Impact {
  ImpactRow treated;
  std::vector<ImpactRow> controls;
  WindowCounts control_before, control_after;  // summed, never averaged
  // (after - before) of the treated minus (after - before) of the controls, in shares of bad
  // events, with its 95 % interval; the plain difference when there is no control.
  std::optional<double> difference, plain_difference;
  ShareInterval interval;
  bool adjusted = false;     // controls took part
  bool significant = false;  // the interval does not hold 0
  std::vector<std::string> doubts;
};
// Controls: SLOs of the same kind, of services that no deploy or migration of `changes` names
// within the windows. window_s each side, less where the present or the past ends it.
std::vector<Impact> impact_of(const SloEngine& engine, const Change& change,
                              const std::vector<Change>& changes, WallTime now, int64_t window_s);

}  // namespace nines::slo
