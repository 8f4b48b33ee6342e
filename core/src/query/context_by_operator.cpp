// CONTEXT ... BY key: rows before and after chosen ones among those of equal key, in the order of
// time. What belongs to which chosen row is as in the context of a file (README.md, "CONTEXT"): a
// row between two of them belongs to the nearer one, so that rows wait until it is known which that
// is. The last rows of each key are kept for that.
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

// The rows around the chosen ones of one key.
struct Neighbours {
  struct Waiting {
    HeldRow row;
    uint64_t behind;  // the last chosen row by so many rows; 0: none was chosen
  };
  uint64_t hash = 0;
  std::string key;
  std::deque<Waiting> waiting;  // at most as many as stand before a chosen row
  bool has_chosen = false;
  bool broken = false;    // some row since the last chosen one was not given, or came too late
  int64_t chosen_ts = 0;  // of the last chosen row
  uint64_t since = 0;     // rows since then
  int64_t last_ts = 0;    // of the row before
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
    while (quiet_.oldest() != kNobody) drop(quiet_.oldest());
  }
  OperatorStats stats() const noexcept override { return stats_; }

 private:
  void process(const HeldRow& row);
  uint32_t neighbours_of(const Value& key);
  void choose(Neighbours& n, const HeldRow& row);
  void wait(Neighbours& n, const HeldRow& row);
  bool is_behind(const Neighbours& n, const Neighbours::Waiting& w) const noexcept {
    return w.behind > 0 && w.behind <= spec_.after && near(n.chosen_ts, w.row.ts());
  }
  void settle_first(Neighbours& n);
  void leave(Neighbours& n);
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
  if (!arrives(row, held_, stats_)) return true;
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
  if (!near(n.last_ts, row.ts())) n.broken = true;
  n.last_ts = row.ts();
  if (row.mark() != 0) {
    choose(n, row);
  } else {
    wait(n, row);
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
  n.has_chosen = n.broken = false;
  n.since = 0;
  n.bytes = sizeof(Neighbours) + 600 + key_.size();  // a deque has its first block at once
  bytes_ += n.bytes;
  return id;
}

void ContextByOperator::choose(Neighbours& n, const HeldRow& row) {
  const auto is_before = [&](const auto& w) { return near(w.row.ts(), row.ts()); };
  const bool joins = n.has_chosen && !n.broken &&
                     std::all_of(n.waiting.begin(), n.waiting.end(),
                                 [&](const auto& w) { return is_behind(n, w) || is_before(w); });
  const int64_t group = joins ? n.group : ++groups_;
  for (; !n.waiting.empty(); leave(n)) {
    const Neighbours::Waiting& w = n.waiting.front();
    const uint64_t ahead = n.waiting.size();
    if (is_behind(n, w) && (w.behind <= ahead || !is_before(w))) {
      give(w.row, n.group, static_cast<int64_t>(w.behind));
    } else if (is_before(w)) {
      give(w.row, group, -static_cast<int64_t>(ahead));
    }
  }
  give(row, group, 0);
  n.has_chosen = true;
  n.broken = false;
  n.group = group;
  n.chosen_ts = row.ts();
  n.since = 0;
}

// Until as many stand behind it that no row to come is nearer than the last chosen one.
void ContextByOperator::wait(Neighbours& n, const HeldRow& row) {
  n.waiting.push_back({row, n.has_chosen ? ++n.since : 0});
  n.bytes += row.memory_bytes();
  bytes_ += row.memory_bytes();
  while (!n.waiting.empty()) {
    const Neighbours::Waiting& first = n.waiting.front();
    const bool known = is_behind(n, first) && first.behind <= n.waiting.size();
    if (!known && n.waiting.size() <= spec_.before) break;
    settle_first(n);
  }
}

// No chosen row to come is nearer to the first of those that wait.
void ContextByOperator::settle_first(Neighbours& n) {
  const Neighbours::Waiting& first = n.waiting.front();
  if (is_behind(n, first)) {
    give(first.row, n.group, static_cast<int64_t>(first.behind));
  } else {
    n.broken = true;
  }
  leave(n);
}

void ContextByOperator::leave(Neighbours& n) {
  const size_t bytes = n.waiting.front().row.memory_bytes();
  n.bytes -= bytes;
  bytes_ -= bytes;
  n.waiting.pop_front();
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
  while (!n.waiting.empty()) settle_first(n);
  bytes_ -= n.bytes;
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
