// CONTEXT ... BY key: rows before and after chosen ones among those of equal key. The last rows of
// each key are kept; groups that touch or overlap are one, as grep has it.
#include <algorithm>
#include <deque>
#include <numeric>
#include <optional>

#include "bound.hpp"
#include "key_table.hpp"
#include "match_operators.hpp"
#include "quiet_keys.hpp"
#include "reorder.hpp"

namespace nines::query {
namespace {

struct Neighbours {
  uint64_t hash = 0;
  std::string key;
  std::deque<HeldRow> before;   // the last ones that were in no context
  int64_t chosen_ts = 0;        // of the last chosen row
  uint64_t since = UINT64_MAX;  // rows since then; UINT64_MAX: none was chosen yet
  uint64_t shown = 0;           // and how many of them were given as those after it
  int64_t group = 0;
  QuietLinks quiet;
  size_t bytes = 0;
};

class ContextByOperator final : public Operator {
 public:
  ContextByOperator(const ContextByStage& stage, std::span<const std::string> inputs,
                    const Limits& limits, RowSink& out)
      : spec_(stage.spec),
        chosen_(stage.chosen, inputs),
        key_column_(input_index(inputs, stage.spec.by)),
        all_columns_(inputs.size()),
        limits_(limits),
        out_(out),
        held_(stage.lateness_ns, limits.max_bytes / 4) {
    std::iota(all_columns_.begin(), all_columns_.end(), size_t{0});
  }

  bool take(const Row& row) override;
  void finish() override {
    for (HeldRow next; !done_ && held_.pop(next, true);) process(next);
  }
  OperatorStats stats() const noexcept override { return stats_; }

 private:
  void process(const HeldRow& row);
  uint32_t neighbours_of(const Value& key);
  void choose(Neighbours& n, const HeldRow& row);
  void keep(Neighbours& n, const HeldRow& row);
  void give(const HeldRow& row, int64_t group, int64_t offset);
  bool near(int64_t a, int64_t b) const noexcept {
    return !spec_.within_ns || minus_ns(std::max(a, b), std::min(a, b)) <= *spec_.within_ns;
  }
  void drop(uint32_t id);
  void forget(int64_t clock);

  ContextSpec spec_;
  Bound chosen_;
  size_t key_column_;
  std::vector<size_t> all_columns_;
  Limits limits_;
  RowSink& out_;
  bool done_ = false;
  OperatorStats stats_;
  Reorder held_;
  KeyTable<Neighbours> table_;
  QuietKeys<Neighbours> quiet_{table_};
  size_t bytes_ = 0;
  int64_t groups_ = 0;
  std::string key_;
  std::vector<Value> row_;
};

bool ContextByOperator::take(const Row& row) {
  if (done_) return false;
  ++stats_.rows_in;
  if (!row.has_ts) {
    ++stats_.no_timestamp;
    return true;
  }
  if (!held_.see(row.ts.ns)) ++stats_.late;
  const bool chosen = chosen_.holds(row.values);
  // Without a key a row has no neighbours.
  if (chosen || !row.values[key_column_].is_null()) held_.push(HeldRow(row, all_columns_, chosen));
  for (HeldRow next; !done_ && held_.pop(next);) process(next);
  stats_.peak_bytes = std::max(stats_.peak_bytes, bytes_ + held_.memory_bytes());
  return !done_;
}

void ContextByOperator::process(const HeldRow& row) {
  const Value& key = row.row().values[key_column_];
  if (key.is_null()) {
    give(row, ++groups_, 0);
    return;
  }
  forget(row.ts());
  const uint32_t id = neighbours_of(key);
  quiet_.push(id, row.ts());
  Neighbours& n = table_[id];
  if (n.since != UINT64_MAX) ++n.since;
  if (row.mark() != 0) {
    choose(n, row);
  } else if (n.since <= spec_.after && near(n.chosen_ts, row.ts())) {
    give(row, n.group, static_cast<int64_t>(n.since));
    ++n.shown;
  } else {
    keep(n, row);
  }
  while (bytes_ > limits_.max_bytes && quiet_.oldest() != kNobody) {
    ++stats_.evicted;
    drop(quiet_.oldest());
  }
}

uint32_t ContextByOperator::neighbours_of(const Value& key) {
  key_.clear();
  append_key(key_, key);
  const uint64_t hash = hash_bytes(key_);
  uint32_t id = table_.find(hash, key_);
  if (id != kNobody) {
    quiet_.remove(id);
    return id;
  }
  id = table_.create(hash, key_);
  table_.link(id);
  Neighbours& n = table_[id];
  n.since = UINT64_MAX;
  n.bytes = sizeof(Neighbours) + 600 + key_.size();  // a deque has its first block at once
  bytes_ += n.bytes;
  return id;
}

void ContextByOperator::choose(Neighbours& n, const HeldRow& row) {
  while (!n.before.empty() && !near(n.before.front().ts(), row.ts())) {
    n.bytes -= n.before.front().memory_bytes();
    bytes_ -= n.before.front().memory_bytes();
    n.before.pop_front();
  }
  // Rows of the key between the last group and these, if any, part the two.
  const bool joins = n.since != UINT64_MAX && n.shown + n.before.size() == n.since - 1;
  if (!joins) n.group = ++groups_;
  auto offset = -static_cast<int64_t>(n.before.size());
  for (; !n.before.empty(); n.before.pop_front()) {
    give(n.before.front(), n.group, offset++);
    n.bytes -= n.before.front().memory_bytes();
    bytes_ -= n.before.front().memory_bytes();
  }
  give(row, n.group, 0);
  n.chosen_ts = row.ts();
  n.since = n.shown = 0;
}

void ContextByOperator::keep(Neighbours& n, const HeldRow& row) {
  if (spec_.before == 0) return;
  if (n.before.size() == spec_.before) {
    n.bytes -= n.before.front().memory_bytes();
    bytes_ -= n.before.front().memory_bytes();
    n.before.pop_front();
  }
  n.before.push_back(row);
  n.bytes += row.memory_bytes();
  bytes_ += row.memory_bytes();
}

void ContextByOperator::give(const HeldRow& row, int64_t group, int64_t offset) {
  if (done_) return;
  const Row& from = row.row();
  row_.assign(from.values.begin(), from.values.end());
  row_.push_back(Value::of_int(group));
  row_.push_back(Value::of_int(offset));
  ++stats_.rows_out;
  if (!out_.take({row_, from.ts, from.place, true})) done_ = true;
}

void ContextByOperator::drop(uint32_t id) {
  Neighbours& n = table_[id];
  bytes_ -= n.bytes;
  n.before.clear();
  quiet_.remove(id);
  table_.relink(id, kNobody);
  table_.destroy(id);
}

// Keys of which no row is near enough any more.
void ContextByOperator::forget(int64_t clock) {
  if (!spec_.within_ns) return;
  for (uint32_t id; (id = quiet_.quiet_for(*spec_.within_ns, clock)) != kNobody;) drop(id);
}

}  // namespace

std::unique_ptr<Operator> make_context_by(const ContextByStage& stage,
                                          std::span<const std::string> inputs, const Limits& limits,
                                          RowSink& out) {
  return std::make_unique<ContextByOperator>(stage, inputs, limits, out);
}

std::vector<std::string> context_by_columns(const ContextByStage&,
                                            std::span<const std::string> inputs) {
  std::vector<std::string> names(inputs.begin(), inputs.end());
  names.insert(names.end(), {"ctx_group", "ctx_offset"});
  return names;
}

}  // namespace nines::query
