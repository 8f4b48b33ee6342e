// What was counted, and what an earlier life of the pipeline left to go on with.
#include <algorithm>
#include <utility>

#include "pipeline/pipeline_impl.hpp"

namespace nines::collector {

// Counts of groups bear made-up indices; the batch says what they stand for.
void Pipeline::Impl::take_rows(slo::Batch& out) {
  slo::Batch mine;
  rows.take(mine);
  for (slo::SlotDelta& delta : mine.slots) delta.slo += slo::GroupRow::kFirst;
  for (slo::SketchDelta& delta : mine.sketches) delta.slo += slo::GroupRow::kFirst;
  for (const auto& table : groups) {
    if (let_groups_go) table->let_go(max_event, mine.groups);
    table->take_new(mine.groups);
    table->take_position(mine.positions);
  }
  out.merge(std::move(mine));
}

void Pipeline::restore_joins(std::vector<slo::Position>& saved) {
  for (const Impl::Join& known : impl_->joins) {
    std::erase_if(saved, [&](const slo::Position& p) { return known.join->restore(p); });
  }
}

void Pipeline::restore_groups(std::vector<slo::Position>& saved, WallTime newest) {
  for (const auto& table : impl_->groups) {
    std::erase_if(saved, [&](const slo::Position& p) { return table->restore(p, newest); });
  }
}

void Pipeline::let_groups_go() { impl_->let_groups_go = true; }

void Pipeline::take_groups(std::vector<slo::GroupRow>& out) {
  for (const auto& table : impl_->groups) table->take_new(out);
}

void Pipeline::know(std::span<const WallTime> until) {
  for (const Impl::Join& known : impl_->joins) {
    known.join->advance(until[known.start], until[known.end]);
    impl_->count_verdicts(known.slo, *known.join);
  }
}

void Pipeline::take(slo::Batch& out) {
  impl_->accumulator.take(out);
  for (const Impl::Join& known : impl_->joins) known.join->take_positions(out.positions);
  if (!impl_->groups.empty()) impl_->take_rows(out);
  out.skewed += impl_->skewed;
  impl_->skewed = 0;
  out.max_event_time = std::max(out.max_event_time, impl_->max_event);
}

bool Pipeline::full() const noexcept {
  return std::max(impl_->accumulator.pending(), impl_->rows.pending()) >
         impl_->options.max_pending_slots;
}

std::vector<SourceCounts> Pipeline::counts() const {
  std::vector<SourceCounts> out;
  for (const Impl::Source& source : impl_->sources) out.push_back(source.counts);
  return out;
}

std::vector<JoinCounts> Pipeline::join_counts() const {
  std::vector<JoinCounts> out;
  for (const Impl::Join& known : impl_->joins) {
    out.push_back({known.slo, known.join->pending(), known.join->counters()});
  }
  return out;
}

std::vector<GroupCounts> Pipeline::group_counts() const {
  std::vector<GroupCounts> out;
  for (const auto& table : impl_->groups) {
    out.push_back(
        {table->slo(), table->groups(), table->counts().overflow, table->counts().missing});
  }
  return out;
}

WallTime Pipeline::max_event_time() const noexcept { return impl_->max_event; }

}  // namespace nines::collector
