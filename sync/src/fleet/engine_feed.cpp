#include "nines/fleet/engine_feed.hpp"

#include <algorithm>

namespace nines::fleet {
namespace {

constexpr int64_t kMinuteS = 60, kHourS = 3600, kDayS = 86400;
constexpr int64_t kAgainS = 15 * kMinuteS;   // looked at each time
constexpr int64_t kReviewS = 10 * kMinuteS;  // between looks at more than that

// Whole slots before that time.
int64_t closed(WallTime t, Tier tier) {
  const int64_t width = slot_seconds(tier), s = t.seconds();
  return s >= 0 ? s / width : -((-s + width - 1) / width);
}

}  // namespace

EngineFeed::EngineFeed(const slo::SloEngine& engine, FleetState& state)
    : engine_(engine), state_(state) {}

Status EngineFeed::begin(WallTime watermark, WallTime now) {
  std::vector<SeriesMeta> metas;
  int64_t longest_s = kDayS;
  size_t left_out = 0;
  series_.clear();
  for (uint32_t i = 0; i < engine_.size(); ++i) {
    if (!engine_.has(i)) continue;
    const slo::SloSpec& spec = engine_.spec(i);
    if (!spec.composite.parts.empty() || !spec.group_of.empty()) continue;
    if (metas.size() == state_.limits().max_series) {
      ++left_out;
      continue;
    }
    metas.push_back(
        {{}, spec.name, spec.generation(), spec.service, spec.target.to_string(), spec.window_s});
    series_.emplace_back(i, 0);
    longest_s = std::max(longest_s, spec.window_s);
  }
  NINES_TRY(const auto ids, state_.set_series(metas, now));
  for (size_t i = 0; i < ids.size(); ++i) series_[i].second = ids[i];
  const int64_t minutes = closed(watermark, Tier::minute), hours = closed(watermark, Tier::hour);
  const int64_t kept_s = std::min(longest_s + kDayS, state_.limits().hours_kept_s);
  tell(Tier::hour, hours - kept_s / kHourS, hours);
  tell(Tier::minute, minutes - state_.limits().minutes_kept_s / kMinuteS, minutes);
  told_ = watermark;
  next_review_s_ = watermark.seconds() + kReviewS;
  if (left_out == 0) return Ok{};
  return Error{Errc::exhausted, std::to_string(left_out) +
                                    " SLO(s) are not told to peers: at most " +
                                    std::to_string(state_.limits().max_series) + " of a node are"};
}

size_t EngineFeed::tell(Tier tier, int64_t from_slot, int64_t to_slot) {
  const int64_t width = slot_seconds(tier);
  size_t cells = 0;
  for (const auto& [index, id] : series_) {
    if (!engine_.has(index)) continue;
    for (int64_t slot = from_slot; slot < to_slot; ++slot) {
      const auto counts = engine_.events(index, WallTime::from_s((slot + 1) * width), width);
      // Of a time that the engine knows only by the hour, or not at all, there is no such minute.
      if (counts.end.seconds() - counts.start.seconds() != width) continue;
      if (counts.total() == 0 && counts.covered_s == 0) continue;
      cells += state_.publish(id, tier, slot, {counts.good, counts.bad, counts.covered_s});
    }
  }
  return cells;
}

size_t EngineFeed::advance(WallTime watermark) {
  const int64_t s = watermark.seconds();
  const bool review = s >= next_review_s_ || watermark < told_;
  const int64_t since_s = std::min(told_.seconds(), s) - (review ? kDayS : kAgainS);
  const int64_t minutes_s =
      std::max(since_s, s - (review ? state_.limits().minutes_kept_s : kDayS));
  if (review) next_review_s_ = s + kReviewS;
  const WallTime from{std::min(told_, watermark)};
  told_ = watermark;
  size_t cells = tell(Tier::minute, closed(WallTime::from_s(minutes_s), Tier::minute),
                      closed(watermark, Tier::minute));
  const int64_t hours = closed(watermark, Tier::hour);
  const int64_t first =
      review ? closed(WallTime::from_s(since_s), Tier::hour) : closed(from, Tier::hour);
  if (first < hours) cells += tell(Tier::hour, first, hours);
  return cells;
}

FleetEvent fleet_event(const slo::AlertEvent& event, bool isolated) {
  FleetEvent out;
  out.boot = event.boot;
  out.sequence = event.sequence;
  out.kind = event.kind == slo::AlertEvent::Kind::fired ? FleetEvent::Kind::fired
                                                        : FleetEvent::Kind::resolved;
  out.sent_isolated = isolated;
  out.priority = event.priority;
  out.at = event.at;
  out.since = event.since;
  out.slo = event.slo;
  out.service = event.service;
  out.rule = event.rule;
  out.severity = event.severity;
  out.summary = event.summary;
  return out;
}

}  // namespace nines::fleet
