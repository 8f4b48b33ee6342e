#include "app/judge.hpp"

#include <algorithm>

#include "app/log.hpp"
#include "nines/collector/metrics_inputs.hpp"
#include "nines/expr/expression.hpp"

namespace nines::agent {
namespace {

constexpr size_t kRecentAlerts = 100;
constexpr size_t kMaxPendingSlots = 100'000;  // while the store refuses: then minutes, not slots
constexpr int64_t kMaxCoverS = 92 * 86400;
constexpr uint32_t kNoRow = UINT32_MAX;
constexpr int64_t kSlotsPerHour = 3600 / slo::kSlotS;
// What the finest slots reach back to; later on they take no coverage of before.
constexpr int64_t kFillSlots = 2 * kSlotsPerHour;

// Coverage older than a tier's reach needs only the next tier's resolution: that bounds the
// deltas of a long history to some 15,000 an SLO. A step ends before the finer reach begins.
int64_t cover_step_slots(int64_t age_s) {
  constexpr int64_t kDay = 86400;
  const int64_t step_s = age_s > 31 * kDay + 3600 ? 3600
                         : age_s > 3 * kDay + 300 ? 300
                         : age_s > 2 * 3600 + 60  ? 60
                                                  : slo::kSlotS;
  return step_s / slo::kSlotS;
}

// To the next multiple of it.
int64_t cover_step(int64_t from, int64_t end) {
  const int64_t step = cover_step_slots((end - from) * slo::kSlotS);
  return std::min(step - (from % step + step) % step, end - from);
}

void coarsen(slo::Batch& batch) {
  constexpr int64_t kSlotsPerMinute = 60 / slo::kSlotS;
  for (slo::SlotDelta& delta : batch.slots) {
    delta.slot -= ((delta.slot % kSlotsPerMinute) + kSlotsPerMinute) % kSlotsPerMinute;
  }
  batch.normalize();
}

// What keeps files from being read is said when it begins, and when it is another thing.
void say_trouble(const std::vector<collector::InputStats>& before,
                 const std::vector<collector::InputStats>& now) {
  for (const collector::InputStats& input : now) {
    if (input.kind != "file" || input.trouble.empty()) continue;
    const bool said =
        std::any_of(before.begin(), before.end(), [&](const collector::InputStats& known) {
          return known.kind == input.kind && known.trouble == input.trouble;
        });
    if (!said) log::warn("files", input.trouble);
  }
}

}  // namespace

Judge::Judge(const NodeConfig& config) : engine_(static_cast<size_t>(config.max_slos)) {}

Result<uint32_t> Judge::add(const slo::SloSpec& spec) {
  NINES_TRY(const uint32_t index, engine_.add(spec));
  if (watched_.size() <= index) watched_.resize(index + 1);
  watched_[index] = {};
  const slo::MetricSpec& total = spec.indicator.total;
  if (const auto where = expr::Expression::parse(total.where); where.ok()) {
    watched_[index].counts_scrapes = collector::counts_scrapes(*where);
  }
  return index;
}

void Judge::set_sources(uint32_t slo, Ingest::Sources sources) { watched_[slo].sources = sources; }

Result<uint32_t> Judge::add_row(const slo::GroupRow& row) {
  rows_.resize(std::max<size_t>(rows_.size(), row.slo - slo::GroupRow::kFirst + 1), kNoRow);
  NINES_TRY(const uint32_t index, add(slo::row_of(engine_.spec(row.whole), row.group)));
  take_place(row, index);
  return index;
}

void Judge::take_place(const slo::GroupRow& row, uint32_t index) {
  Watched& added = watched_[index];
  const Watched& whole = watched_[row.whole];
  added.whole = row.whole;
  added.sources = whole.sources;
  added.covered_until = whole.covered_until;  // what was before is known of the whole only
  added.counts_scrapes = whole.counts_scrapes;
  rows_[row.slo - slo::GroupRow::kFirst] = index;
}

// Gives the deltas of groups the engine's indices.
void Judge::settle_rows(slo::Batch& batch) {
  for (const slo::GroupRow& row : batch.groups) {
    if (row.gone) {
      leave(row);
    } else if (stay(row)) {
      continue;
    } else if (const auto index = add_row(row); index.ok()) {
      Watched& added = watched_[*index];
      if (added.covered_until > kFillSlots) {
        added.filled_from = added.covered_until - kFillSlots;
        cover_as_whole(*index, added.filled_from, added.covered_until);
      }
      new_rows_.push_back(*index);
    }
  }
  batch.groups.clear();
  if (rows_.empty()) return;
  const auto settle = [&](auto& delta) {
    if (delta.slo < slo::GroupRow::kFirst) return false;
    const size_t made_up = delta.slo - slo::GroupRow::kFirst;
    delta.slo = made_up < rows_.size() ? rows_[made_up] : kNoRow;
    return delta.slo == kNoRow;
  };
  std::erase_if(batch.slots, settle);
  std::erase_if(batch.sketches, settle);
}

// From now on it is neither shown nor counted; it goes when all that was counted is kept.
void Judge::leave(const slo::GroupRow& row) {
  const size_t made_up = row.slo - slo::GroupRow::kFirst;
  const uint32_t index = made_up < rows_.size() ? rows_[made_up] : kNoRow;
  if (index == kNoRow) return;  // the engine or the store had no room for it
  rows_[made_up] = kNoRow;
  watched_[index].sources.reset();
  watched_[index].restored_until = watched_[index].covered_until;
  leaving_.insert(index);
}

// A group that comes back before its row has gone.
bool Judge::stay(const slo::GroupRow& row) {
  const std::string name = slo::row_of(engine_.spec(row.whole), row.group).name;
  const auto found = std::find_if(leaving_.begin(), leaving_.end(),
                                  [&](uint32_t index) { return engine_.spec(index).name == name; });
  if (found == leaving_.end()) return false;
  const uint32_t index = *found;
  leaving_.erase(found);
  take_place(row, index);
  cover_as_whole(index, watched_[index].restored_until, watched_[index].covered_until);
  return true;
}

void Judge::let_rows_go() {
  const auto waits = [&](uint32_t index) {
    const auto of_it = [index](const auto& delta) { return delta.slo == index; };
    const slo::Batch& b = pending_.batch;
    return std::any_of(b.slots.begin(), b.slots.end(), of_it) ||
           std::any_of(b.sketches.begin(), b.sketches.end(), of_it);
  };
  std::erase_if(leaving_, [&](uint32_t index) {
    if (waits(index)) return false;
    engine_.remove(index);
    watched_[index] = {};
    return true;
  });
}

void Judge::refuse_row(uint32_t slo) {
  refused_rows_.insert(slo);
  std::replace(rows_.begin(), rows_.end(), slo, kNoRow);
  watched_[slo].sources.reset();
}

void Judge::count_totals(const slo::Batch& batch) {
  for (const slo::SlotDelta& delta : batch.slots) {
    watched_[delta.slo].good_total += delta.good;
    watched_[delta.slo].bad_total += delta.bad;
  }
}

void Judge::restore(const slo::Batch& batch) {
  engine_.apply(batch);
  count_totals(batch);
  for (const slo::SlotDelta& delta : batch.slots) {
    if (delta.covered_s == 0) continue;
    const int64_t next = delta.slot + std::max<int64_t>(1, delta.covered_s / slo::kSlotS);
    Watched& w = watched_[delta.slo];
    w.covered_until = std::max(w.covered_until, next);
    w.restored_until = std::max(w.restored_until, next);
    w.restored = true;
  }
}

void Judge::resume_row(uint32_t slo) {
  const Watched& w = watched_[slo];
  if (w.restored_until == INT64_MIN) return;
  cover_as_whole(slo, w.restored_until, std::min(w.covered_until, w.filled_from));
}

// A row is covered when its SLO is: they are counted from the same lines. Before any count of the
// row that is newer, or it would be late for the finest slots.
void Judge::cover_as_whole(uint32_t row, int64_t from, int64_t end) {
  slo::Batch fill;
  from = std::max(from, end - kMaxCoverS / slo::kSlotS);
  while (from < end) {
    const int64_t in_hour = (from % kSlotsPerHour + kSlotsPerHour) % kSlotsPerHour;
    const int64_t to = std::min(end, from - in_hour + kSlotsPerHour);
    cover_stretch(row, from, to, end, fill);
    from = to;
  }
  engine_.apply(fill);
  pending_.batch.gather(std::move(fill));
}

// At most an hour: one delta when all of it is covered, else by parts.
void Judge::cover_stretch(uint32_t row, int64_t from, int64_t to, int64_t end, slo::Batch& out) {
  const int64_t length_s = (to - from) * slo::kSlotS;
  const WallTime until = WallTime::from_s(to * slo::kSlotS);
  const int64_t covered_s =
      std::min(length_s, engine_.events(watched_[row].whole, until, length_s).covered_s);
  const int64_t step = cover_step(from, end);
  if (covered_s == 0) return;
  if (covered_s == length_s || from + step >= to) {
    out.slots.push_back({row, from, 0, 0, static_cast<uint32_t>(covered_s)});
    return;
  }
  for (; from < to; from += cover_step(from, end)) {
    cover_stretch(row, from, std::min(to, from + cover_step(from, end)), end, out);
  }
}

// A log that was read without a gap tells of every second between its first line and its end,
// also of the quiet ones, and also of those while the agent was down (facts: trap 9).
void Judge::cover(uint32_t slo, WallTime until, slo::Batch& out) {
  Watched& w = watched_[slo];
  if (!w.sources) return;
  const SourceState& total = sources_[w.sources->total];
  const SourceState& part = sources_[w.sources->part];
  const int64_t end = slo::slot_of(until);
  const bool known = w.counts_scrapes || (total.attached && part.attached);
  if (!known) {
    w.covered_until = std::max(w.covered_until, end);  // nobody watches: stays uncovered
    return;
  }
  w.resumed = w.resumed ||
              (total.resumed && part.resumed);  // a file that was rotated meanwhile is soon let go
  if (!w.counts_scrapes && (!total.caught_up || !part.caught_up)) {
    if (total.replays && part.replays) return;         // filled when it is
    w.covered_until = std::max(w.covered_until, end);  // missed for good
    return;
  }
  int64_t from = w.covered_until;
  const bool gap_is_gone = w.restored && !w.resumed;  // the log that could tell of it is gone
  w.restored = false;
  if (from == INT64_MIN || gap_is_gone) {
    const WallTime first = total.counts.first_event;
    from = std::max(from, first.ns != 0 ? slo::slot_of(first) : end);
  }
  from = std::max(from, end - kMaxCoverS / slo::kSlotS);
  while (from < end) {
    const int64_t step = cover_step(from, end);
    slo::SlotDelta delta;
    delta.slo = slo;
    delta.slot = from;
    delta.covered_s = static_cast<uint32_t>(step * slo::kSlotS);
    out.slots.push_back(delta);
    from += step;
  }
  w.covered_until = std::max(w.covered_until, end);
}

void Judge::take(HandOver&& hand_over, WallTime until) {
  sources_ = std::move(hand_over.sources);
  joins_ = std::move(hand_over.joins);
  groups_ = std::move(hand_over.groups);
  tailer_ = hand_over.tailer;
  tailer_.wakeups = hand_over.wakeups;
  index_ = std::move(hand_over.index);
  say_trouble(inputs_, hand_over.inputs);
  inputs_ = std::move(hand_over.inputs);
  governor_ = std::move(hand_over.governor);
  settle_rows(hand_over.batch);
  if (until != kNoCoverage) {
    for (uint32_t slo = 0; slo < watched_.size(); ++slo) cover(slo, until, hand_over.batch);
  }
  hand_over.batch.normalize();
  engine_.apply(hand_over.batch);
  count_totals(hand_over.batch);
  pending_.batch.gather(std::move(hand_over.batch));
  if (pending_.batch.slots.size() > kMaxPendingSlots) coarsen(pending_.batch);
}

std::vector<slo::AlertEvent> Judge::evaluate(WallTime watermark, WallTime now) {
  std::vector<slo::AlertEvent> transitions;
  engine_.evaluate(watermark, now, transitions);
  watermark_ = watermark;
  for (const slo::AlertEvent& event : transitions) {
    pending_.events.push_back(event);
    show(event);
  }
  return transitions;
}

void Judge::belongs(std::string_view slo, const std::string& incident) {
  for (slo::AlertEvent& event : pending_.events) {
    if (event.sequence != 0 || event.slo != slo || event.detail("incident") != nullptr) continue;
    event.details.emplace_back("incident", incident);
    for (slo::AlertEvent& shown : recent_) {
      const bool same = shown.slo == event.slo && shown.rule == event.rule &&
                        shown.kind == event.kind && shown.at == event.at;
      if (same && shown.detail("incident") == nullptr) {
        shown.details.emplace_back("incident", incident);
      }
    }
  }
}

void Judge::address(std::string_view slo, const std::vector<std::string>& names) {
  for (slo::AlertEvent& event : pending_.events) {
    if (event.sequence == 0 && event.slo == slo && event.notify.empty()) event.notify = names;
  }
}

void Judge::show(const slo::AlertEvent& event) {
  recent_.push_front(event);
  if (recent_.size() > kRecentAlerts) recent_.pop_back();
}

std::optional<WallTime> Judge::known_until() const noexcept {
  int64_t slot = INT64_MIN;
  for (const Watched& w : watched_) slot = std::max(slot, w.covered_until);
  if (slot == INT64_MIN) return std::nullopt;
  return WallTime{slot * slo::kSlotS * kNsPerSecond};
}

store::StateStore::Commit Judge::take_commit(WallTime now) {
  store::StateStore::Commit commit = std::move(pending_);
  pending_ = {};
  if (!refused_rows_.empty()) {
    const auto refused = [&](const auto& delta) { return refused_rows_.contains(delta.slo); };
    std::erase_if(commit.batch.slots, refused);
    std::erase_if(commit.batch.sketches, refused);
  }
  commit.batch.normalize();
  commit.alerts = engine_.save_alerts();
  commit.now = now;
  return commit;
}

void Judge::give_back(store::StateStore::Commit&& commit) {
  commit.batch.merge(std::move(pending_.batch));
  for (slo::AlertEvent& event : pending_.events) commit.events.push_back(std::move(event));
  commit.documents.clear();  // of then; the next commit carries those of its own time
  pending_ = std::move(commit);
  if (pending_.batch.slots.size() > kMaxPendingSlots) coarsen(pending_.batch);
}

// Each SLO with its rows behind it, `other` last.
std::vector<uint32_t> Judge::order_of_rows() const {
  std::vector<uint32_t> order;
  const auto add_rows = [&](const std::string& whole, bool other) {
    for (uint32_t row = 0; row < engine_.size(); ++row) {
      if (!engine_.has(row) || leaving_.contains(row)) continue;
      const slo::SloSpec& spec = engine_.spec(row);
      if (spec.group_of == whole && (spec.group == slo::kOtherGroup) == other) order.push_back(row);
    }
  };
  for (uint32_t slo = 0; slo < engine_.size(); ++slo) {
    if (!engine_.has(slo)) continue;
    const slo::SloSpec& spec = engine_.spec(slo);
    if (!spec.group_of.empty()) continue;
    order.push_back(slo);
    if (!spec.indicator.group) continue;
    add_rows(spec.name, false);
    add_rows(spec.name, true);
  }
  return order;
}

Snapshot Judge::snapshot() const {
  Snapshot out;
  out.watermark = watermark_;
  for (const uint32_t slo : order_of_rows()) {
    out.slos.push_back(engine_.status(slo));
    out.slos.back().good_total = std::max<int64_t>(0, watched_[slo].good_total);
    out.slos.back().bad_total = std::max<int64_t>(0, watched_[slo].bad_total);
  }
  for (const SourceState& state : sources_) {
    SourceStatus shown;
    shown.name = state.counts.name;
    shown.service = state.counts.service;
    shown.format = state.counts.format;
    shown.files = state.counts.files;
    shown.records = state.counts.records;
    shown.bytes = state.counts.bytes;
    shown.lag_bytes = state.lag_bytes;
    shown.first_malformed = state.counts.first_malformed;
    shown.malformed = {{"no_match", state.counts.no_match},
                       {"bad_time", state.counts.bad_time},
                       {"truncated", state.counts.truncated},
                       {"not_cri", state.counts.not_cri},
                       {"bad_count", state.counts.bad_count},
                       {"bad_characters", state.counts.replaced},
                       {"bad_annotation", state.counts.bad_annotations}};
    shown.set_aside = {{"rate_limit", state.counts.dropped},
                       {"before_start", state.counts.before_start},
                       {"continuation", state.counts.continuations},
                       {"pod_unknown", state.counts.pods_unknown},
                       {"excluded_bytes", state.counts.bytes_excluded},
                       {"nul_bytes", state.counts.nul_bytes}};
    out.sources.push_back(std::move(shown));
  }
  for (const collector::JoinCounts& join : joins_) {
    out.joins.push_back({engine_.spec(join.slo).name, join.pending, join.counters});
  }
  for (const collector::GroupCounts& groups : groups_) {
    out.groups.push_back(
        {engine_.spec(groups.slo).name, groups.groups, groups.overflow, groups.missing});
  }
  for (const slo::AlertEvent& event : recent_) {
    AlertShown shown;
    shown.event = event;
    out.recent_alerts.push_back(std::move(shown));
  }
  for (AlertShown& shown : out.recent_alerts) {
    if (shown.event.kind != slo::AlertEvent::Kind::fired) continue;
    for (const slo::SloStatus& status : out.slos) {
      if (status.slo != shown.event.slo) continue;
      if (shown.event.rule == "forecast" && status.forecast.warning &&
          status.forecast.warning_since == shown.event.since) {
        shown.firing = true;
      }
      for (const slo::RuleState& rule : status.rules) {
        if (rule.rule.name == shown.event.rule && rule.firing && rule.since == shown.event.since) {
          shown.firing = true;
        }
      }
    }
  }
  out.tailer = tailer_;
  out.index = index_;
  out.inputs = inputs_;
  out.governor = governor_;
  out.counters = engine_.counters();
  out.engine_bytes = engine_.memory_bytes();
  return out;
}

}  // namespace nines::agent
