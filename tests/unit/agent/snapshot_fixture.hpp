// A Snapshot with one burning, one idle draft and one unread SLO, for the tests of the writers.
#pragma once

#include <limits>

#include "app/snapshot.hpp"

namespace nines::agent::test {

inline WallTime at(int64_t unix_s) { return WallTime::from_s(unix_s); }
inline constexpr int64_t kNow = 1772402400;  // 2026-03-01T22:00:00Z

inline slo::BurnWindow window(int64_t window_s, int64_t good, int64_t bad,
                              std::optional<double> burn) {
  slo::BurnWindow w;
  w.window_s = window_s;
  w.counts = {good, bad, window_s, at(kNow - window_s), at(kNow)};
  w.burn = burn;
  return w;
}

inline slo::RuleState fast_rule() {
  slo::RuleState rule;
  rule.rule = {"fast", "page", 3600, 300, *Decimal::parse("14.4")};
  rule.long_window = window(3600, 1940, 60, 30.0);
  rule.short_window = window(300, 195, 5, 25.0);
  rule.firing = true;
  rule.probability = 1.5e-20;
  rule.since = at(kNow - 120);
  return rule;
}

inline slo::RuleState slow_rule() {
  slo::RuleState rule;
  rule.rule = {"slow", "ticket", 86400, 7200, Decimal{3, 0}};
  rule.long_window = window(86400, 39900, 100, 2.5);
  rule.short_window = window(7200, 3940, 60, 15.0);
  return rule;
}

inline slo::SloStatus burning_slo() {
  slo::SloStatus s;
  s.slo = "api-availability";
  s.service = "api";
  s.tier = 1;
  s.target = *Decimal::parse("0.999");
  s.window_s = 30 * 86400;
  s.window = {999400, 600, 2500000, at(kNow - 30 * 86400), at(kNow)};
  s.good_total = 1500000;
  s.bad_total = 700;
  s.sli = 0.9994;
  s.burn_5m = window(300, 195, 5, 25.0);
  s.burn_1h = window(3600, 1940, 60, 30.0);
  s.burn_24h = window(86400, 39900, 100, 2.5);
  s.composite_burn_rate = 21.125;
  s.error_budget_consumed = 0.6;
  s.error_budget_remaining = 0.4;
  s.risk = slo::Risk::freeze;
  s.state = slo::State::degrading;
  s.release = {slo::Release::freeze, slo::Release::freeze, slo::Release::hold, false, false};
  s.release_reason = "FREEZE: 40 % of the budget is left (at most 50 %); risk FREEZE";
  s.gate.decision = s.gate.without_override = s.release.decision;
  s.gate.reason = s.release_reason;
  s.coverage = 0.9645061728395061;
  s.rules = {fast_rule(), slow_rule()};
  s.p50 = 12.5;
  s.p95 = 80;
  s.p99 = 210.25;
  s.unit = "ms";
  s.timestamp = at(kNow);
  return s;
}

// No event yet: every ratio is undefined, one of them as NaN by accident.
inline slo::SloStatus idle_slo() {
  slo::SloStatus s;
  s.slo = "shop-errors";
  s.service = "shop";
  s.target = *Decimal::parse("0.99");
  s.window_s = 7 * 86400;
  s.draft = true;
  s.release_reason = "CAUTION: 100 % of the budget is left; risk SAFE; no data now";
  s.gate.decision = s.gate.without_override = s.release.decision;
  s.gate.reason = s.release_reason;
  s.window = {0, 0, 0, at(kNow - 7 * 86400), at(kNow)};
  s.sli = std::numeric_limits<double>::quiet_NaN();
  s.burn_5m = window(300, 0, 0, std::nullopt);
  s.burn_1h = window(3600, 0, 0, std::nullopt);
  s.burn_24h = window(86400, 0, 0, std::nullopt);
  s.timestamp = at(kNow);
  return s;
}

inline slo::SloStatus violated_slo() {
  slo::SloStatus s = burning_slo();
  s.slo = "checkout \"latency\"\\p99\n\x1b[31m";
  s.service = "checkout";
  s.window.bad = 1500;
  s.window.good = 998500;
  s.sli = 0.9985;
  s.error_budget_consumed = 1.5;
  s.error_budget_remaining = -0.5;
  s.state = slo::State::violated;
  s.rules = {};
  return s;
}

// Two parts, weights 2 and 0.5; one of them without events.
inline slo::SloStatus composite_slo() {
  slo::SloStatus s = burning_slo();
  s.slo = "journey";
  s.service = "shop";
  s.target = {};
  s.sli.reset();
  s.rules = {};
  s.p50 = s.p95 = s.p99 = std::nullopt;
  s.error_budget_consumed = 0.48;
  s.error_budget_remaining = 0.52;
  s.parts = {{"journey-search",
              {2, 0},
              *Decimal::parse("0.999"),
              {600, 1'000'000},
              slo::State::degrading,
              0.6},
             {"journey-pay", {5, -1}, *Decimal::parse("0.99"), {0, 0}, slo::State::healthy, 0.0}};
  return s;
}

inline Snapshot snapshot() {
  Snapshot s;
  s.node = "node-1";
  s.version = "0.1.0";
  s.now = at(kNow);
  s.started = at(kNow - 5000);
  s.watermark = at(kNow - 3);
  s.ready = true;
  s.slos = {burning_slo(), idle_slo(), violated_slo()};
  SourceStatus source;
  source.name = "/var/log/nginx/access.log";
  source.service = "api";
  source.format = "combined";
  source.files = 2;
  source.records = 1234567;
  source.bytes = 345678901;
  source.malformed = {{"bad_time", 3}, {"no_match", 4}};
  source.first_malformed = "/var/log/nginx/access.log:17: \"GET \xFF";
  source.lag_bytes = 4096;
  s.sources = {source};
  AlertShown alert;
  alert.event = {slo::AlertEvent::Kind::fired,
                 "api-availability",
                 "api",
                 "fast",
                 "page",
                 at(kNow - 120),
                 at(kNow - 120),
                 "60 bad of 2000",
                 7};
  alert.firing = true;
  s.recent_alerts = {alert};
  s.has_store = true;
  s.boot = 3;
  s.resident_bytes = 12 << 20;
  s.cpu_seconds = 1.25;
  return s;
}

}  // namespace nines::agent::test
