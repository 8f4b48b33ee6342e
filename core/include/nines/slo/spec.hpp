// What an SLO is, after configuration has been read and checked. Plain data, immutable once the
// engine has it. Formulas and defaults: Google SRE Workbook ch. 5; OpenSLO v1.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/decimal.hpp"
#include "nines/slo/calendar.hpp"
#include "nines/slo/composite.hpp"
#include "nines/slo/exclusions.hpp"
#include "nines/slo/forecast.hpp"
#include "nines/slo/gate.hpp"

namespace nines::slo {

enum class SliKind : uint8_t {
  ratio,      // good/total, bad/total: two predicates
  threshold,  // a value compared with the objective's threshold
};
enum class CompareOp : uint8_t { lt, lte, gt, gte };
enum class OnMissing : uint8_t { skip, bad };

enum class InputKind : uint8_t { files, journal, syslog, standard_input, kmsg, scrape, vitals };
enum class Excess : uint8_t { wait, drop };

// Which records feed an SLI: a named source of nines.yaml or an inline one. Two SLOs with equal
// selectors share files and parsers.
struct SourceSelector {
  std::string name;  // of a source in nines.yaml; empty: inline
  InputKind input = InputKind::files;
  std::vector<std::string> paths;    // globs
  std::vector<std::string> exclude;  // globs
  std::string format = "auto";       // a name that log::format_from_name() knows, or auto
  std::string pattern;               // for formats that take one
  std::string multiline = "auto";  // auto, none, or an RE2 that the first line of a record matches
  std::string k8s_namespace, k8s_pod, k8s_container;  // globs on names; any set = container logs
  std::vector<std::string> k8s_labels;                // KEY=VALUE, all must hold
  int32_t utc_offset_s = 0;
  // Files that were there before Nines first looked: where reading starts.
  std::string start = "beginning";  // beginning, end, or RFC 3339: earlier records do not count
  int64_t ignore_older_s = 0;       // files not written for longer are left alone; 0: none
  bool newest_first = false;        // after a long stop: the live file before its older generations
  // Reading faster than this waits, or drops what is beyond (counted). 0: no limit.
  int64_t max_lines_per_s = 0, max_bytes_per_s = 0;
  Excess excess = Excess::wait;
  std::vector<std::string> units;   // journal: systemd units; empty: all
  std::vector<std::string> listen;  // syslog: udp://HOST:PORT, tcp://HOST:PORT, unix:///PATH
  std::string url;                  // scrape
  std::string token_file;           // scrape: bearer token
  int64_t scrape_every_s = 15, vitals_every_s = 10;
  friend bool operator==(const SourceSelector&, const SourceSelector&) = default;
};

// One stream of events counted from one source.
struct MetricSpec {
  SourceSelector source;
  std::string where;  // expression; empty = every record
  friend bool operator==(const MetricSpec&, const MetricSpec&) = default;
};

// A threshold over the time between two records that share a key (join.hpp).
enum class OnTimeout : uint8_t { bad, skip };
struct JoinSpec {
  std::string start_key, end_key;  // expressions
  int64_t timeout_s = 60;
  int64_t grace_s = 30;  // how much later than it says a record may be read
  int64_t max_pending = 10'000;
  OnTimeout on_timeout = OnTimeout::bad;
  bool unique_keys = false;  // promised: no key is logged twice
  friend bool operator==(const JoinSpec&, const JoinSpec&) = default;
};

// The SLO counts the whole and, beside it, each value of `by` as a row NAME{value} (row_of). The
// first `max` values get a row, all others (and records without one) share NAME{other}, so that the
// rows always add up to the whole.
struct GroupSpec {
  std::string by;  // expression
  int64_t max = 20;
  bool alerts = false;  // rows alert too
  friend bool operator==(const GroupSpec&, const GroupSpec&) = default;
};

// What an indicator wants of the time slices it is counted in (SlicePolicy).
enum class OnEmpty : uint8_t { good, bad, skip };
struct SliceWish {
  int64_t floor = 0, floor_per_s = 60;  // fewer events than that make a slice bad
  int64_t heartbeat_s = 0;              // at least one event so often; 0: no heartbeat
  std::optional<OnEmpty> on_empty;
  friend bool operator==(const SliceWish&, const SliceWish&) = default;
};

struct IndicatorSpec {
  std::string name;
  SliKind kind = SliKind::ratio;
  // ratio: `total` and one of good / bad. From the same source, a good (bad) event counts only if
  // it satisfies total's where too; from different sources both are counted independently.
  // threshold: `total` selects the records, `value` is measured.
  MetricSpec total;
  MetricSpec part;  // good or bad events
  bool part_is_bad = false;
  std::string value;  // threshold: expression giving a number in `unit`
  std::string count;  // ratio: expression giving how many events a record stands for; empty: one
  std::string unit;   // "ms", "s"...: for display only
  OnMissing on_missing = OnMissing::skip;
  // ratio: both parts are counted independently though they come from one source.
  bool independent = false;
  // threshold: instead of `value`, the time from a record of `total` to one of `part`, in `unit`.
  std::optional<JoinSpec> join;
  std::optional<GroupSpec> group;
  std::optional<SliceWish> slices;  // applied to SloSpec::slices when an SLO is read
};

enum class RuleKind : uint8_t {
  burn,    // multi-window burn rate: burn > factor over both windows
  budget,  // consumed > factor over the SLO window that ends now, and over that of for_s ago
  // early warning: SLI < factor over the window that ends now, and over that of for_s ago
  threshold,
};

struct AlertRule {
  std::string name;                 // fast, medium, slow, drift; half_used...
  std::string severity;             // page, ticket; of other rules also critical, warning
  int64_t long_s = 0, short_s = 0;  // budget: both are the SLO window; threshold: equal
  Decimal factor;                   // budget: the share of the budget, 0.5 for half of it
  RuleKind kind = RuleKind::burn;
  int64_t for_s = 0;  // not burn: how long it has been so, a multiple of 10 s up to 2 h
};
// 0 is the most urgent: critical, page, ticket, warning.
int severity_rank(std::string_view severity) noexcept;
// How soon somebody must look, 0..3, from the severity of the rule and the tier of the service:
//   P0  page at once                      |                | tier 1 | tier 2 | tier 3 |
//   P1  within 15 minutes                 | critical, page |   P0   |   P1   |   P1   |
//   P2  within an hour                    | ticket         |   P2   |   P2   |   P3   |
//   P3  ticket for the next business day  | warning        |   P3   |   P3   |   P3   |
int priority_of(std::string_view severity, int tier) noexcept;

struct AlertPolicy {
  std::vector<AlertRule> rules;
  int64_t min_bad = 2;  // low-traffic guard on the long window ...
  // ... P(X >= bad | total, 1 - target) < this chance for a tenth of the SLO window (3 d of
  // 30 d), and for a shorter long window its share of it: a year has ten thousand hours to look at,
  // and a service at half its budget would page monthly if each were taken by itself.
  Decimal significance{1, -2};
  Decimal resolve_ratio{9, -1};  // leave at this share of the factor on the short window
  int resolve_evaluations = 2;
  int64_t cooldown_s = 15 * 60;
  bool high_value = false;  // the low-traffic guard does not hold: each event is worth a look
};
// The Workbook's pairs scaled to the window: 2 % over W/720 (1h of 30d), 5 % over W/120 (6h),
// 10 % over W/30 (24h), 10 % over W/10 (3d); short = long/12, both at least one slot of 10 s. For
// 30 d: 14.4, 6, 3, 1. Pairs whose factor can never be reached at this target are left out.
AlertPolicy default_policy(int64_t window_s, Decimal target);

struct DataPolicy {
  int64_t late_horizon_s = 600;    // older events reach only the coarse tiers
  int64_t max_future_skew_s = 60;  // beyond: counted at ingest time, `skewed`
  Decimal min_coverage{9, -1};
  int64_t stale_after_s = 120;
};

// What one bad event costs (OpenSLO).
enum class Budgeting : uint8_t {
  occurrences,       // bad events of all events
  timeslices,        // bad slices of time of all slices
  ratio_timeslices,  // the mean of the slices' shares of bad events
};
std::string_view budgeting_name(Budgeting) noexcept;  // Occurrences Timeslices RatioTimeslices

// How a slice of time is judged, by all events that were counted in it, however late they came:
//   excluded in part     not at all (exclusions.hpp)
//   total < floor        bad; not at all while its logs are not covered as DataPolicy asks
//   no event             on_empty; not at all while not covered
//   timeslices           good when good / total >= target
//   ratio_timeslices     bad by bad / total, kept as a multiple of 2^-31, rounded to the nearest
struct SlicePolicy {
  int64_t slice_s = 60;    // 1 min to 12 h, whole minutes
  Decimal target{95, -2};  // timeslices; within (0, 1]
  int64_t floor = 0;       // throughput: fewer events are a bad slice
  OnEmpty on_empty = OnEmpty::good;
};

struct SloSpec {
  std::string name;  // unique
  std::string service;
  std::string description;
  int tier = 3;  // 1 critical, 2 important, 3 standard
  std::string owner;
  Decimal target;  // (0, 1)
  int64_t window_s = 30 * 86400;
  IndicatorSpec indicator;
  CompareOp op = CompareOp::lte;  // threshold: good when value op threshold
  Decimal threshold;
  AlertPolicy alerts;
  DataPolicy data;
  GatePolicy gate;
  bool draft = false;  // made by zero configuration
  std::string origin;  // file:line it was read from, for messages
  Budgeting budgeting = Budgeting::occurrences;
  SlicePolicy slices;
  // A window of the calendar; null: rolling. window_s is then what a period usually is (1M: 30 d).
  std::shared_ptr<const Calendar> calendar;
  std::vector<ExclusionSpec> exclusions;
  Decimal reserve{0, 0};  // share of the budget set aside for exclusions with that effect
  ForecastPolicy forecast;
  // Set: the SLO counts nothing itself, is judged by its parts and has neither target nor rules.
  CompositeSpec composite;
  std::string part_of;  // the composite that this SLO is a part of, if any

  std::string group_of, group;  // of a row: the name of its SLO, and the value

  // Changes when (and only when) what is counted changes: a new generation of counts. Target,
  // window and alerts are applied at read time and keep history.
  std::string generation() const;
};

inline constexpr std::string_view kOtherGroup = "other";
// The SLO that counts one group of `whole`, which has indicator.group.
SloSpec row_of(const SloSpec& whole, std::string_view group);
// Places in the engine that `spec` may come to need: its own and those of its rows.
int64_t places_of(const SloSpec& spec);

}  // namespace nines::slo
