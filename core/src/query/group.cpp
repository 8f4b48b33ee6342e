// GROUP BY: a table of groups, shown in the order of their keys.
#include <algorithm>
#include <array>

#include "bound.hpp"
#include "group_table.hpp"
#include "nines/base/contract.hpp"
#include "nines/query/bytes.hpp"
#include "operators.hpp"
#include "recent_groups.hpp"
#include "short_key.hpp"

namespace nines::query {
namespace {

constexpr uint8_t kVersion = 2;  // 2: the sketch of topk

// Orders keys as compare_values() orders their columns.
bool key_less(std::string_view a, std::string_view b) {
  while (!a.empty()) {
    Value left;
    Value right;
    const bool read = read_key(a, left) && read_key(b, right);
    NINES_ASSERT(read);
    if (const int order = compare_values(left, right); order != 0) return order < 0;
  }
  return false;
}

class GroupOperator final : public Operator {
 public:
  GroupOperator(const GroupStage& stage, std::span<const std::string> inputs, const Limits& limits,
                RowSink& out)
      : limits_(limits),
        keys_(bind(stage.keys, inputs)),
        aggregates_(stage.aggregates, inputs, limits.max_bytes / 16),
        table_(aggregates_, limits, stage.keys.empty()),
        out_(out) {}

  bool take(const Row& row) override {
    ++stats_.rows_in;
    Group* const group = group_of(row);
    if (group == nullptr) return true;
    note_where(*group, row);
    table_.grow(*group, aggregates_.add(table_.states_of(*group), row));
    return true;
  }

  void finish() override {
    if (keys_.empty()) table_.find_or_add({}, GroupTable::hash_of({}));
    table_.cut();
    std::vector<const Group*> groups = table_.groups();
    std::sort(groups.begin(), groups.end(), [this](const Group* a, const Group* b) {
      return key_less(table_.key_of(*a), table_.key_of(*b));
    });
    for (const Group* group : groups) {
      stats_.approximate |= aggregates_.approximate(table_.states_of(*group));
    }
    for (const Group* group : groups) {
      if (!show(*group)) return;
    }
  }

  bool mergeable() const noexcept override { return true; }
  void merge(Operator& later) override {
    auto& other = static_cast<GroupOperator&>(later);
    table_.merge(other.table_);
    stats_.rows_in += other.stats_.rows_in;
  }
  void save(std::string& out) const override {
    put_byte(out, kVersion);
    put_varint(out, stats_.rows_in);
    put_varint(out, aggregates_.size());
    table_.save(out);
  }
  Status merge_saved(std::string_view saved) override {
    GroupTable later(aggregates_, limits_, keys_.empty());
    uint8_t version = 0;
    uint64_t rows = 0;
    uint64_t aggregates = 0;
    if (!get_byte(saved, version) || version != kVersion || !get_varint(saved, rows) ||
        !get_varint(saved, aggregates) || aggregates != aggregates_.size() ||
        !later.load(saved, keys_.size()) || !saved.empty()) {
      return corrupt_state("GROUP BY");
    }
    table_.merge(later);
    stats_.rows_in += rows;
    return Ok{};
  }

  OperatorStats stats() const noexcept override {
    OperatorStats stats = stats_;
    stats.evicted = table_.evicted();
    stats.approximate |= stats.evicted != 0;
    stats.peak_bytes = table_.peak_bytes();
    return stats;
  }

 private:
  Group* group_of(const Row& row) {
    if (keys_.size() == 1) {
      Value room;
      const Value& value = keys_.front().eval(row.values, room);
      return value.kind == ValueKind::text ? group_of_text(value.text) : group_of_value(value);
    }
    key_.clear();
    for (Bound& key : keys_) append_key(key_, key.eval(row.values));
    return look_up(key_);
  }
  // What most keys are.
  Group* group_of_text(std::string_view text) {
    if (recent_epoch_ != table_.epoch()) {
      recent_.clear();
      recent_epoch_ = table_.epoch();
    }
    RecentGroups::Entry* const seen = recent_.entry(text);
    if (seen != nullptr && seen->group != nullptr) return seen->group;
    Group* const group = text.size() <= kShortText ? look_up(short_text_key(text, short_key_))
                                                   : group_of_value(Value::of_text(text));
    if (seen != nullptr && recent_epoch_ == table_.epoch()) seen->group = group;
    return group;
  }
  Group* group_of_value(const Value& value) {
    key_.clear();
    append_key(key_, value);
    return look_up(key_);
  }
  Group* look_up(std::string_view key) { return table_.find_or_add(key, GroupTable::hash_of(key)); }

  static void note_where(Group& group, const Row& row) noexcept {
    if (row.has_ts && (!group.has_ts || row.ts.ns < group.ts)) {
      group.ts = row.ts.ns;
      group.has_ts = true;
    }
    if (row.place < group.place) group.place = row.place;
  }

  bool show(const Group& group) {
    values_.clear();
    texts_.clear();
    std::string_view key = table_.key_of(group);
    for (size_t i = 0; i < keys_.size(); ++i) {
      const bool read = read_key(key, values_.emplace_back());
      NINES_ASSERT(read);
    }
    aggregates_.results(table_.states_of(group), values_, texts_);
    ++stats_.rows_out;
    return out_.take({values_, WallTime{group.ts}, group.place, group.has_ts});
  }

  Limits limits_;
  std::vector<Bound> keys_;
  AggregateSet aggregates_;
  GroupTable table_;
  RowSink& out_;
  OperatorStats stats_;
  std::string key_;  // of the row at hand
  std::array<char, kShortKey> short_key_;
  RecentGroups recent_;
  uint64_t recent_epoch_ = 0;  // of the table
  std::vector<Value> values_;
  std::deque<std::string> texts_;
};

}  // namespace

std::unique_ptr<Operator> make_group(const GroupStage& stage, std::span<const std::string> inputs,
                                     const Limits& limits, RowSink& out) {
  return std::make_unique<GroupOperator>(stage, inputs, limits, out);
}

}  // namespace nines::query
