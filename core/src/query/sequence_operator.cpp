// SEQUENCE BY: Elastic EQL's state machine. A key has at most one attempt that waits for each step;
// the most recent one takes the place of an older one. Rows that satisfy no step, no NOT and no
// UNTIL cost their conditions and nothing else.
//
// An attempt is matched, or expired (WITHIN went by, UNTIL, an absent step came), or pending when
// the input ends before either is known. A sequence that ends with NOT is matched only once WITHIN
// has gone by; such attempts wait side by side.
#include "sequence_operator.hpp"

#include <algorithm>
#include <bit>
#include <deque>
#include <optional>
#include <queue>
#include <tuple>

#include "bound.hpp"
#include "key_table.hpp"
#include "navigation.hpp"
#include "pattern_program.hpp"
#include "quiet_keys.hpp"
#include "reorder.hpp"
#include "row_key.hpp"
#include "session_parts.hpp"

namespace nines::query {
namespace {

using Op = PatternInstruction::Op;

struct Step {
  size_t label = 0;
  uint64_t absent = 0;  // labels that must not come between the step before and this one
};

struct Attempt {
  std::vector<HeldRow> rows;      // of the steps so far
  int64_t absent_ts = INT64_MIN;  // of the last absent step before the first
  uint32_t key = kNobody;         // kNobody: over
  size_t bytes = 0;
};

struct Key {
  uint64_t hash = 0;
  std::string key;
  std::vector<uint32_t> attempts;  // [k]: the one with k + 1 steps behind it
  std::vector<uint32_t> waiting;   // all steps are there, NOT is not over
  int64_t absent_ts = INT64_MIN;   // of the last row of a leading NOT
  QuietLinks quiet;
  size_t alive = 0;
};

// A match of a sequence: its rows are those of the steps, nothing stands beside them.
class StepRows final : public RowsView {
 public:
  explicit StepRows(const std::vector<HeldRow>& rows) : rows_(rows) {}
  const Row& at(int64_t number) const override { return rows_[static_cast<size_t>(number)].row(); }
  const Row* beside(int64_t, int64_t) const override { return nullptr; }

 private:
  const std::vector<HeldRow>& rows_;
};

class SequenceOperator final : public Operator {
 public:
  SequenceOperator(const MatchStage& stage, const PatternProgram& program,
                   std::span<const std::string> inputs, const Limits& limits, RowSink& out);

  bool take(const Row& row) override;
  void tick(WallTime now) override;
  void finish() override;
  OperatorStats stats() const noexcept override { return stats_; }

 private:
  static constexpr uint64_t kUntil = uint64_t{1} << 63;
  static constexpr size_t kKeyBytes = sizeof(Key) + 48, kAttemptBytes = sizeof(Attempt) + 32;
  struct Condition {
    std::optional<Bound> plain;             // of the row alone
    std::unique_ptr<Navigator> contextual;  // looks at the rows of the steps before
    bool always = false;
  };
  struct Deadline {
    int64_t ts;
    uint64_t order;
    uint32_t attempt;
    bool operator>(const Deadline& other) const noexcept {
      return std::tie(ts, order) > std::tie(other.ts, other.order);
    }
  };

  void read_steps(const PatternProgram& program);
  void bind_conditions(const PatternProgram& program, std::span<const std::string> inputs);
  void keep_columns(const PatternProgram& program, std::span<const std::string> inputs);
  uint64_t satisfied(std::span<const Value> values) noexcept;

  void process(const HeldRow& row);
  void release(bool all);
  void step(uint32_t key, size_t number, const HeldRow& row);
  bool holds(size_t label, const Attempt* attempt, const HeldRow& row);
  bool any_holds(uint64_t labels, const Attempt* attempt, const HeldRow& row);
  void label_steps(size_t count);
  void start(uint32_t key, const HeldRow& row);
  void advance(uint32_t id, const HeldRow& row);
  void complete(uint32_t id);
  bool expired(const Attempt& attempt, int64_t ts) const noexcept;
  void confirm(int64_t clock);
  void forget(int64_t clock);
  void end_attempt(uint32_t id);
  void end_all(Key& key);
  void drop_key(uint32_t id);
  void drop_if_empty(uint32_t id);
  void evict();
  void give_pending();

  void emit(const Attempt& attempt, bool matched);
  void emit_one(const Attempt& attempt, bool matched);
  void emit_all(const Attempt& attempt);
  bool send(const Row& row);
  void note_size() noexcept {
    stats_.peak_bytes = std::max(stats_.peak_bytes, bytes_ + held_.memory_bytes());
  }

  MatchStage stage_;
  std::vector<std::string> labels_;
  std::vector<Step> steps_;
  uint64_t trailing_ = 0;  // labels that must not come behind the last step
  uint64_t relevant_ = 0;  // bits that start something, or keep the time of a leading NOT
  std::vector<Condition> conditions_;  // by label
  std::optional<Bound> until_;
  RowKey key_;
  std::vector<size_t> kept_;                             // columns of held rows
  std::vector<std::pair<size_t, size_t>> step_columns_;  // step, column: x_ts, x_message, ...
  Navigator measures_;
  Limits limits_;
  RowSink& out_;
  bool done_ = false;
  OperatorStats stats_;

  Reorder held_;
  KeyTable<Key> table_;
  std::deque<Attempt> attempts_;
  std::vector<uint32_t> free_attempts_;
  QuietKeys<Key> quiet_{table_};
  std::priority_queue<Deadline, std::vector<Deadline>, std::greater<>> deadlines_;
  uint64_t deadlines_made_ = 0;
  size_t bytes_ = 0;
  int64_t matches_ = 0;
  std::vector<Value> row_;
  std::vector<uint16_t> row_labels_;
};

SequenceOperator::SequenceOperator(const MatchStage& stage, const PatternProgram& program,
                                   std::span<const std::string> inputs, const Limits& limits,
                                   RowSink& out)
    : stage_(stage),
      labels_(program.labels),
      key_(stage.keys, inputs),
      measures_(stage.measures, program.labels, inputs),
      limits_(limits),
      out_(out),
      held_(stage.lateness_ns, limits.max_bytes / 4) {
  read_steps(program);
  bind_conditions(program, inputs);
  keep_columns(program, inputs);
}

void SequenceOperator::read_steps(const PatternProgram& program) {
  uint64_t absent = 0;
  for (const PatternInstruction& i : program.code) {
    if (i.op == Op::absent) absent |= uint64_t{1} << i.a;
    if (i.op != Op::match) continue;
    steps_.push_back({i.a, absent});
    absent = 0;
  }
  trailing_ = absent;
  relevant_ = uint64_t{1} << steps_.front().label | steps_.front().absent;
}

void SequenceOperator::bind_conditions(const PatternProgram& program,
                                       std::span<const std::string> inputs) {
  for (const std::string& label : labels_) {
    Condition& made = conditions_.emplace_back();
    const auto define = std::find_if(stage_.define.begin(), stage_.define.end(),
                                     [&](const PatternExpression& e) { return e.name == label; });
    if (define == stage_.define.end()) {
      made.always = true;
    } else if (define->terms.empty()) {
      made.plain.emplace(define->value, inputs);
    } else {
      made.contextual = std::make_unique<Navigator>(std::span(&*define, 1), program.labels, inputs);
    }
  }
  if (stage_.until) until_.emplace(*stage_.until, inputs);
}

void SequenceOperator::keep_columns(const PatternProgram& program,
                                    std::span<const std::string> inputs) {
  const auto keep = [&](std::span<const size_t> columns) {
    kept_.insert(kept_.end(), columns.begin(), columns.end());
  };
  const auto keep_fields = [&](const expr::Expression& expression) {
    for (const std::string& field : expression.fields())
      kept_.push_back(input_index(inputs, field));
  };
  for (const Column& key : stage_.keys) keep_fields(key.value);
  for (const Condition& condition : conditions_) {
    if (condition.contextual) keep(condition.contextual->columns());
  }
  keep(measures_.columns());
  for (const size_t label : step_labels(program)) {
    for (const size_t column : step_inputs(inputs)) {
      step_columns_.emplace_back(label, column);
      kept_.push_back(column);
    }
  }
  if (stage_.rows != MatchStage::Rows::one) {
    for (size_t i = 0; i < inputs.size(); ++i) kept_.push_back(i);
  }
  std::sort(kept_.begin(), kept_.end());
  kept_.erase(std::unique(kept_.begin(), kept_.end()), kept_.end());
}

uint64_t SequenceOperator::satisfied(std::span<const Value> values) noexcept {
  uint64_t bits = until_ && until_->holds(values) ? kUntil : 0;
  for (size_t label = 0; label < conditions_.size(); ++label) {
    Condition& condition = conditions_[label];
    // What depends on the steps before is looked at when there are some.
    if (!condition.plain || condition.plain->holds(values)) bits |= uint64_t{1} << label;
  }
  return bits;
}

bool SequenceOperator::take(const Row& row) {
  if (done_) return false;
  if (!arrives(row, held_, stats_)) return true;
  const uint64_t bits = satisfied(row.values);
  if (bits != 0) {
    held_.push(HeldRow(row, kept_, bits));
    note_size();
  }
  const bool over = !deadlines_.empty() && deadlines_.top().ts < held_.watermark();
  if (over || held_.due()) release(false);
  return !done_;
}

void SequenceOperator::release(bool all) {
  for (HeldRow row; !done_ && held_.pop(row, all);) process(row);
  // Rows that are held are not before the watermark.
  if (!done_ && !all) confirm(held_.watermark());
}

void SequenceOperator::tick(WallTime now) {
  if (done_ || !held_.seen() || now.ns <= held_.newest()) return;
  held_.see(now.ns);
  release(false);
}

void SequenceOperator::finish() {
  release(true);
  if (done_ || !held_.seen()) return;
  confirm(held_.newest());
  give_pending();
}

void SequenceOperator::process(const HeldRow& row) {
  if (!key_.read(row.row().values)) return;
  confirm(row.ts());
  forget(row.ts());
  const uint64_t bits = row.mark();
  uint32_t id = table_.find(key_.hash(), key_.bytes());
  if (id == kNobody) {
    if ((bits & relevant_) == 0 || (bits & kUntil) != 0) return;
    id = table_.create(key_.hash(), key_.bytes());
    table_.link(id);
    Key& made = table_[id];
    made.attempts.assign(steps_.size(), kNobody);
    made.absent_ts = INT64_MIN;
    made.alive = 0;
    bytes_ += kKeyBytes + key_.bytes().size() + steps_.size() * sizeof(uint32_t);
  } else {
    quiet_.remove(id);
  }
  quiet_.push(id, row.ts());
  if ((bits & kUntil) != 0) {
    end_all(table_[id]);
  } else {
    for (const uint32_t attempt : std::vector<uint32_t>(table_[id].waiting)) {
      if (any_holds(trailing_, &attempts_[attempt], row)) end_attempt(attempt);
    }
    for (size_t number = steps_.size(); number-- > 1;) step(id, number, row);
    if (holds(steps_.front().label, nullptr, row)) start(id, row);
    if (any_holds(steps_.front().absent, nullptr, row)) table_[id].absent_ts = row.ts();
  }
  drop_if_empty(id);
  if (bytes_ > limits_.max_bytes) evict();
  note_size();
}

// The attempt that waits for step `number` meets a row.
void SequenceOperator::step(uint32_t key, size_t number, const HeldRow& row) {
  const uint32_t id = table_[key].attempts[number - 1];
  if (id == kNobody) return;
  if (expired(attempts_[id], row.ts())) {
    end_attempt(id);
  } else if (holds(steps_[number].label, &attempts_[id], row)) {
    advance(id, row);
  } else if (any_holds(steps_[number].absent, &attempts_[id], row)) {
    end_attempt(id);
  }
}

bool SequenceOperator::any_holds(uint64_t labels, const Attempt* attempt, const HeldRow& row) {
  for (labels &= row.mark(); labels != 0; labels &= labels - 1) {
    if (holds(static_cast<size_t>(std::countr_zero(labels)), attempt, row)) return true;
  }
  return false;
}

// Whether the row, behind those of the attempt, is a `label`.
bool SequenceOperator::holds(size_t label, const Attempt* attempt, const HeldRow& row) {
  if ((row.mark() >> label & 1) == 0) return false;
  Navigator* const contextual = conditions_[label].contextual.get();
  if (contextual == nullptr) return true;
  std::vector<HeldRow> rows;
  if (attempt != nullptr) rows = attempt->rows;
  label_steps(rows.size());
  rows.push_back(row);
  row_labels_.push_back(static_cast<uint16_t>(label));
  const StepRows view(rows);
  contextual->begin({&view, 0, row_labels_, 0});
  row_.clear();
  contextual->at(rows.size() - 1, row_);
  return is_true(row_.front());
}

void SequenceOperator::label_steps(size_t count) {
  row_labels_.clear();
  for (size_t i = 0; i < count; ++i) {
    row_labels_.push_back(static_cast<uint16_t>(steps_[i].label));
  }
}

void SequenceOperator::start(uint32_t key, const HeldRow& row) {
  uint32_t id;
  if (free_attempts_.empty()) {
    id = static_cast<uint32_t>(attempts_.size());
    attempts_.emplace_back();
  } else {
    id = free_attempts_.back();
    free_attempts_.pop_back();
  }
  Attempt& attempt = attempts_[id];
  attempt.key = key;
  attempt.absent_ts = table_[key].absent_ts;
  attempt.bytes = kAttemptBytes;
  bytes_ += kAttemptBytes;
  ++table_[key].alive;
  advance(id, row);
}

void SequenceOperator::advance(uint32_t id, const HeldRow& row) {
  Attempt& attempt = attempts_[id];
  Key& key = table_[attempt.key];
  if (!attempt.rows.empty()) key.attempts[attempt.rows.size() - 1] = kNobody;
  const size_t more = row.memory_bytes() + sizeof(HeldRow);
  attempt.rows.push_back(row);
  attempt.bytes += more;
  bytes_ += more;
  if (attempt.rows.size() == steps_.size()) {
    complete(id);
    return;
  }
  uint32_t& place = key.attempts[attempt.rows.size() - 1];
  if (place != kNobody) end_attempt(place);
  place = id;
}

void SequenceOperator::complete(uint32_t id) {
  Attempt& attempt = attempts_[id];
  const int64_t end = attempt.rows.back().ts();
  const bool spoilt = attempt.absent_ts != INT64_MIN &&
                      (!stage_.within_ns || attempt.absent_ts >= minus_ns(end, *stage_.within_ns));
  if (spoilt) {
    end_attempt(id);
  } else if (trailing_ == 0) {
    emit(attempt, true);
    end_attempt(id);
  } else {
    table_[attempt.key].waiting.push_back(id);
    const int64_t within = stage_.within_ns.value_or(INT64_MAX);
    deadlines_.push({plus_ns(attempt.rows.front().ts(), within), deadlines_made_++, id});
  }
}

bool SequenceOperator::expired(const Attempt& attempt, int64_t ts) const noexcept {
  return stage_.within_ns && minus_ns(ts, attempt.rows.front().ts()) > *stage_.within_ns;
}

// Nothing before `clock` comes any more: what waited for NOT until then is matched.
void SequenceOperator::confirm(int64_t clock) {
  while (!deadlines_.empty() && deadlines_.top().ts < clock && !done_) {
    const uint32_t id = deadlines_.top().attempt;
    deadlines_.pop();
    Attempt& attempt = attempts_[id];
    if (attempt.key != kNobody) {
      const uint32_t key = attempt.key;
      emit(attempt, true);
      end_attempt(id);
      drop_if_empty(key);
    }
    free_attempts_.push_back(id);
  }
}

// Keys of which everything has expired.
void SequenceOperator::forget(int64_t clock) {
  if (!stage_.within_ns) return;
  for (uint32_t id; (id = quiet_.quiet_for(*stage_.within_ns, clock)) != kNobody;) {
    end_all(table_[id]);
    drop_key(id);
  }
}

void SequenceOperator::end_attempt(uint32_t id) {
  Attempt& attempt = attempts_[id];
  Key& key = table_[attempt.key];
  const auto waits = std::find(key.waiting.begin(), key.waiting.end(), id);
  const bool waited = waits != key.waiting.end();
  if (waited) {
    key.waiting.erase(waits);
  } else if (attempt.rows.size() < steps_.size()) {
    key.attempts[attempt.rows.size() - 1] = kNobody;
  }
  --key.alive;
  bytes_ -= attempt.bytes;
  attempt.rows.clear();
  attempt.key = kNobody;
  if (!waited) free_attempts_.push_back(id);  // else its deadline still names it
}

void SequenceOperator::end_all(Key& key) {
  for (const uint32_t id : std::vector<uint32_t>(key.attempts)) {
    if (id != kNobody) end_attempt(id);
  }
  while (!key.waiting.empty()) end_attempt(key.waiting.back());
}

// REQUIRES that it has no attempts.
void SequenceOperator::drop_key(uint32_t id) {
  Key& key = table_[id];
  bytes_ -= kKeyBytes + key.key.size() + steps_.size() * sizeof(uint32_t);
  quiet_.remove(id);
  table_.relink(id, kNobody);
  table_.destroy(id);
}

void SequenceOperator::drop_if_empty(uint32_t id) {
  const Key& key = table_[id];
  if (key.alive == 0 && key.absent_ts == INT64_MIN) drop_key(id);
}

// The keys that were quiet longest, down to seven eighths of the limit.
void SequenceOperator::evict() {
  while (bytes_ > limits_.max_bytes / 8 * 7 && quiet_.oldest() != kNobody) {
    const uint32_t id = quiet_.oldest();
    stats_.evicted += table_[id].alive;
    end_all(table_[id]);
    drop_key(id);
  }
}

void SequenceOperator::give_pending() {
  std::vector<const Attempt*> left;
  for (const Attempt& attempt : attempts_) {
    if (attempt.key != kNobody && !expired(attempt, held_.newest())) left.push_back(&attempt);
  }
  std::sort(left.begin(), left.end(), [](const Attempt* a, const Attempt* b) {
    return earlier(a->rows.front().row(), b->rows.front().row());
  });
  stats_.pending = left.size();
  for (const Attempt* const attempt : left) {
    if (!done_) emit(*attempt, false);
  }
}

void SequenceOperator::emit(const Attempt& attempt, bool matched) {
  // ALL ROWS has no column that would tell a pending attempt.
  if (done_ || (!matched && stage_.rows != MatchStage::Rows::one)) return;
  ++matches_;
  label_steps(attempt.rows.size());
  if (stage_.rows == MatchStage::Rows::one) {
    emit_one(attempt, matched);
  } else {
    emit_all(attempt);
  }
}

void SequenceOperator::emit_one(const Attempt& attempt, bool matched) {
  const Row& first = attempt.rows.front().row();
  const Row& last = attempt.rows.back().row();
  row_.clear();
  key_.append_values(table_[attempt.key].key, row_);
  row_.push_back(Value::of_int(matches_));
  row_.push_back(Value::of_time(first.ts.ns));
  row_.push_back(Value::of_time(last.ts.ns));
  row_.push_back(milliseconds(minus_ns(last.ts.ns, first.ts.ns)));
  row_.push_back(Value::of_text(matched ? "matched" : "pending"));
  for (const auto& [label, column] : step_columns_) {
    Value value;
    for (size_t i = 0; i < attempt.rows.size(); ++i) {
      if (row_labels_[i] == label) value = attempt.rows[i].row().values[column];
    }
    row_.push_back(value);
  }
  const StepRows view(attempt.rows);
  measures_.begin({&view, 0, row_labels_, matches_});
  measures_.at(attempt.rows.size() - 1, row_);
  send({row_, first.ts, first.place, true});
}

void SequenceOperator::emit_all(const Attempt& attempt) {
  for (size_t i = 0; i < attempt.rows.size() && !done_; ++i) {
    const Row& row = attempt.rows[i].row();
    row_.assign(row.values.begin(), row.values.end());
    row_.push_back(Value::of_int(matches_));
    row_.push_back(Value::of_text(labels_[row_labels_[i]]));
    send({row_, row.ts, row.place, true});
  }
}

bool SequenceOperator::send(const Row& row) {
  ++stats_.rows_out;
  if (!out_.take(row)) done_ = true;
  return !done_;
}

}  // namespace

std::vector<size_t> step_labels(const PatternProgram& program) {
  std::vector<size_t> labels;
  for (const PatternInstruction& i : program.code) {
    if (i.op != Op::match) continue;
    if (std::find(labels.begin(), labels.end(), i.a) == labels.end()) labels.push_back(i.a);
  }
  return labels;
}

std::vector<size_t> step_inputs(std::span<const std::string> inputs) {
  std::vector<size_t> found;
  for (const char* const name : {"ts", "message", "raw"}) {
    const auto at = std::find(inputs.begin(), inputs.end(), name);
    if (at != inputs.end()) found.push_back(static_cast<size_t>(at - inputs.begin()));
  }
  return found;
}

std::unique_ptr<Operator> make_sequence(const MatchStage& stage, const PatternProgram& program,
                                        std::span<const std::string> inputs, const Limits& limits,
                                        RowSink& out) {
  return std::make_unique<SequenceOperator>(stage, program, inputs, limits, out);
}

}  // namespace nines::query
