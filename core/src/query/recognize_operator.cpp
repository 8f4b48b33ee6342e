// MATCH_RECOGNIZE. Rows come through a Reorder and join their partition, which keeps them as long
// as an attempt, or navigation to rows before, needs them. Matches of a partition are looked for
// one after the other, as the standard has it; a row at which an attempt failed is not read again
// in the same state of the pattern, so that failing costs no more than matching.
#include "recognize_operator.hpp"

#include <algorithm>

#include "key_table.hpp"
#include "quiet_keys.hpp"
#include "recognizer.hpp"
#include "reorder.hpp"
#include "row_conditions.hpp"
#include "row_key.hpp"

namespace nines::query {
namespace {

constexpr uint64_t kUntil = 1;  // mark of a row that ends attempts

struct PartitionRow {
  HeldRow held;
  uint64_t known = 0, holds = 0;  // by label: conditions asked already
  uint64_t read = 0, dead = 0;    // by match instruction: by this attempt; leads nowhere
};

// Rows from number first() on.
class PartitionRows final : public RowsView {
 public:
  const Row& at(int64_t number) const override { return (*this)[number].held.row(); }
  const Row* beside(int64_t number, int64_t offset) const override {
    const int64_t at = number + offset;
    return at < first_ || at >= end() ? nullptr : &(*this)[at].held.row();
  }
  PartitionRow& operator[](int64_t number) noexcept {
    return rows_[head_ + static_cast<size_t>(number - first_)];
  }
  const PartitionRow& operator[](int64_t number) const noexcept {
    return rows_[head_ + static_cast<size_t>(number - first_)];
  }
  int64_t first() const noexcept { return first_; }
  int64_t end() const noexcept { return first_ + static_cast<int64_t>(rows_.size() - head_); }
  void push(HeldRow row) { rows_.push_back({std::move(row)}); }
  // Gives the bytes of what it lets go.
  size_t drop_before(int64_t number) {
    size_t bytes = 0;
    for (; first_ < number && head_ < rows_.size(); ++first_, ++head_) {
      bytes += size_of(rows_[head_]);
      rows_[head_].held = {};
    }
    if (head_ == rows_.size()) {
      rows_.clear();
      head_ = 0;
    } else if (head_ > 64 && head_ > rows_.size() / 2) {
      rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(head_));
      head_ = 0;
    }
    return bytes;
  }
  void reset() noexcept {
    rows_.clear();
    head_ = 0;
    first_ = 0;
  }
  static size_t size_of(const PartitionRow& row) noexcept {
    return row.held.memory_bytes() + sizeof(PartitionRow);
  }

 private:
  std::vector<PartitionRow> rows_;
  size_t head_ = 0;
  int64_t first_ = 0;
};

struct Partition {
  uint64_t hash = 0;
  std::string key;
  PartitionRows rows;
  Attempt attempt;
  int64_t start = 0;    // row at which the next match may begin
  int64_t covered = 0;  // rows before it were in a match, or told as unmatched
  int64_t matches = 0;
  uint64_t number = 0;  // in the order in which partitions came
  QuietLinks quiet;
  bool resting = false;  // which of the two lists it is in
  size_t bytes = 0;
};

class RecognizeOperator final : public Operator, private Recognizer::Conditions {
 public:
  RecognizeOperator(const MatchStage& stage, PatternProgram program,
                    std::span<const std::string> inputs, const Limits& limits, RowSink& out);

  bool take(const Row& row) override;
  void finish() override;
  OperatorStats stats() const noexcept override;
  Status status() const override { return status_; }

 private:
  enum class Ending : uint8_t {
    none,     // more rows may come
    expired,  // more rows may come, but behind WITHIN
    ended,
  };

  void process(const HeldRow& row);
  uint32_t partition();
  void run(Partition& p, Ending ending);
  bool read_on(Partition& p, Ending ending);
  bool holds(const Attempt& attempt, const Attempt::Reading& reading, size_t label) override;
  bool may_read(int64_t row, uint64_t bit) override;
  bool cut_off(const Partition& p) const noexcept;
  void settle(Partition& p);
  void failed(Partition& p);
  void matched(Partition& p);
  bool skip(Partition& p, int64_t end);
  void forget_reads(Partition& p, bool dead);

  void emit_match(Partition& p);
  void emit_one(Partition& p);
  void emit_row(Partition& p, int64_t row, bool measured, size_t i);
  bool send(const Row& row);
  void fail(const Partition& p, std::string_view why);

  void forget(int64_t clock);
  void drop(uint32_t id);
  QuietKeys<Partition>& list_of(const Partition& p) { return p.resting ? resting_ : busy_; }
  void list(uint32_t id, int64_t ts, bool resting);
  void evict();
  void note_size() noexcept {
    stats_.peak_bytes = std::max(stats_.peak_bytes, bytes_ + held_.memory_bytes());
  }

  MatchStage stage_;
  RowConditions conditions_;
  Recognizer recognizer_;
  Navigator measures_;
  Reach reach_;
  bool numbers_matter_;
  std::optional<Bound> until_;
  RowKey key_;
  std::vector<size_t> kept_;
  size_t skip_label_;
  bool remembers_;  // dead ends
  Limits limits_;
  RowSink& out_;
  bool done_ = false;
  Status status_ = Ok{};
  OperatorStats stats_;

  Reorder held_;
  KeyTable<Partition> table_;
  QuietKeys<Partition> busy_{table_};  // more rows may matter to what goes on in them
  // Nothing goes on, they are remembered only: nobody looks at them as time goes by.
  QuietKeys<Partition> resting_{table_};
  uint64_t partitions_ = 0;
  size_t bytes_ = 0;
  Partition* current_ = nullptr;
  std::vector<uint16_t> labels_;
  std::vector<bool> excluded_;
  std::vector<Value> row_;
};

RecognizeOperator::RecognizeOperator(const MatchStage& stage, PatternProgram program,
                                     std::span<const std::string> inputs, const Limits& limits,
                                     RowSink& out)
    : stage_(stage),
      conditions_(stage, program, inputs),
      recognizer_(std::move(program), conditions_.visible()),
      measures_(stage.measures, recognizer_.program().labels, inputs),
      reach_(reach_of(stage)),
      numbers_matter_(uses_match_number(stage) || recognizer_.program().has_first),
      key_(stage.keys, inputs),
      skip_label_(recognizer_.program().label(stage.skip_to)),
      remembers_(recognizer_.has_dead_bits() && conditions_.all_of_row() && !stage.within_ns),
      limits_(limits),
      out_(out),
      held_(stage.lateness_ns, limits.max_bytes / 4) {
  if (stage.until) until_.emplace(*stage.until, inputs);
  if (recognizer_.program().has_last) reach_.behind = std::max<int64_t>(reach_.behind, 1);
  kept_ = conditions_.columns();
  const auto measured = measures_.columns();
  kept_.insert(kept_.end(), measured.begin(), measured.end());
  for (const Column& key : stage.keys) {
    for (const std::string& f : key.value.fields()) kept_.push_back(input_index(inputs, f));
  }
  for (size_t i = 0; i < inputs.size() && stage.rows != MatchStage::Rows::one; ++i) {
    kept_.push_back(i);
  }
  std::sort(kept_.begin(), kept_.end());
  kept_.erase(std::unique(kept_.begin(), kept_.end()), kept_.end());
}

OperatorStats RecognizeOperator::stats() const noexcept {
  OperatorStats stats = stats_;
  stats.evicted += recognizer_.dropped();
  return stats;
}

bool RecognizeOperator::take(const Row& row) {
  if (done_) return false;
  if (!arrives(row, held_, stats_)) return true;
  if (!key_.read(row.values)) return true;
  held_.push(HeldRow(row, kept_, until_ && until_->holds(row.values) ? kUntil : 0));
  note_size();
  for (HeldRow next; !done_ && held_.pop(next);) process(next);
  return !done_;
}

void RecognizeOperator::finish() {
  for (HeldRow next; !done_ && held_.pop(next, true);) process(next);
  std::vector<uint32_t> left;
  for (const QuietKeys<Partition>* keys : {&busy_, &resting_}) {
    for (uint32_t id = keys->oldest(); id != kNobody; id = keys->behind(id)) left.push_back(id);
  }
  std::sort(left.begin(), left.end(),
            [this](uint32_t a, uint32_t b) { return table_[a].number < table_[b].number; });
  for (const uint32_t id : left) {
    if (!done_) run(table_[id], Ending::ended);
    drop(id);
  }
}

uint32_t RecognizeOperator::partition() {
  uint32_t id = table_.find(key_.hash(), key_.bytes());
  if (id != kNobody) {
    list_of(table_[id]).remove(id);
    return id;
  }
  id = table_.create(key_.hash(), key_.bytes());
  table_.link(id);
  Partition& p = table_[id];
  p.rows.reset();
  p.attempt.active = false;
  p.start = p.covered = p.matches = 0;
  p.number = partitions_++;
  p.bytes = sizeof(Partition) + 48 + key_.bytes().size();
  bytes_ += p.bytes;
  return id;
}

void RecognizeOperator::process(const HeldRow& row) {
  key_.read(row.row().values);
  forget(row.ts());
  const uint32_t id = partition();
  list(id, row.ts(), false);
  Partition& p = table_[id];
  const size_t before = p.attempt.memory_bytes();
  p.rows.push(row);
  const size_t more = PartitionRows::size_of(p.rows[p.rows.end() - 1]);
  p.bytes += more;
  bytes_ += more;
  run(p, Ending::none);
  // What the attempt has grown by.
  p.bytes += p.attempt.memory_bytes() - before;
  bytes_ += p.attempt.memory_bytes() - before;
  note_size();
  if (p.rows.first() == p.rows.end() && !numbers_matter_ && reach_.before == 0) drop(id);
  if (bytes_ > limits_.max_bytes) evict();
}

void RecognizeOperator::run(Partition& p, Ending ending) {
  current_ = &p;
  while (!done_) {
    if (!p.attempt.active) {
      if (p.start >= p.rows.end()) break;
      recognizer_.begin(p.attempt, p.start);
    }
    if (!read_on(p, ending)) break;
    settle(p);
  }
  const int64_t needed = p.attempt.active ? p.attempt.start : p.start;
  const size_t bytes = p.rows.drop_before(needed - reach_.before);
  p.bytes -= bytes;
  bytes_ -= bytes;
}

// Reads rows until it is known whether the attempt matches. False: that needs rows to come.
bool RecognizeOperator::read_on(Partition& p, Ending ending) {
  Attempt& attempt = p.attempt;
  while (!attempt.readings.empty()) {
    const bool there = attempt.next < p.rows.end();
    if (!there && ending == Ending::none) return false;
    if (!there || cut_off(p)) {
      attempt.readings.clear();
      break;
    }
    if (ending != Ending::ended && attempt.next + reach_.behind >= p.rows.end()) return false;
    recognizer_.read(attempt, *this, attempt.next + 1 == p.rows.end());
  }
  return true;
}

// WITHIN and UNTIL: the attempt can't go on with its next row.
bool RecognizeOperator::cut_off(const Partition& p) const noexcept {
  const HeldRow& next = p.rows[p.attempt.next].held;
  if (next.mark() == kUntil) return true;
  return stage_.within_ns &&
         minus_ns(next.ts(), p.rows[p.attempt.start].held.ts()) > *stage_.within_ns;
}

bool RecognizeOperator::may_read(int64_t number, uint64_t bit) {
  if (!remembers_) return true;
  PartitionRow& row = current_->rows[number];
  if ((row.dead & bit) != 0) return false;
  row.read |= bit;
  return true;
}

bool RecognizeOperator::holds(const Attempt& attempt, const Attempt::Reading& reading,
                              size_t label) {
  PartitionRows& rows = current_->rows;
  if (!conditions_.of_row(label)) {
    recognizer_.labels(attempt, reading.path, labels_);
    labels_.push_back(static_cast<uint16_t>(label));
    return conditions_.holds(label, rows, attempt.start, labels_, current_->matches + 1);
  }
  if (label >= 64) return conditions_.holds(label, rows, attempt.next);
  PartitionRow& row = rows[attempt.next];
  const uint64_t bit = uint64_t{1} << label;
  if ((row.known & bit) == 0) {
    row.known |= bit;
    if (conditions_.holds(label, rows, attempt.next)) row.holds |= bit;
  }
  return (row.holds & bit) != 0;
}

void RecognizeOperator::settle(Partition& p) {
  if (p.attempt.has_match) {
    matched(p);
  } else {
    failed(p);
  }
  p.attempt.active = false;
}

void RecognizeOperator::forget_reads(Partition& p, bool dead) {
  if (!remembers_) return;
  const int64_t end = std::min(p.attempt.next, p.rows.end());
  for (int64_t number = p.attempt.start; number < end; ++number) {
    PartitionRow& row = p.rows[number];
    if (dead) row.dead |= row.read;
    row.read = 0;
  }
}

void RecognizeOperator::failed(Partition& p) {
  forget_reads(p, true);
  const int64_t row = p.attempt.start;
  if (stage_.rows == MatchStage::Rows::all_unmatched && row >= p.covered)
    emit_row(p, row, false, 0);
  p.covered = std::max(p.covered, row + 1);
  p.start = row + 1;
}

void RecognizeOperator::matched(Partition& p) {
  forget_reads(p, false);
  ++p.matches;
  const Attempt& attempt = p.attempt;
  recognizer_.labels(attempt, attempt.match_path, labels_);
  measures_.begin({&p.rows, attempt.start, labels_, p.matches});
  emit_match(p);
  p.covered = std::max(p.covered, std::max(attempt.match_end, attempt.start + 1));
  if (attempt.match_end == attempt.start) {
    p.start = attempt.start + 1;
  } else if (!skip(p, attempt.match_end)) {
    done_ = true;
  }
}

// False: there is no such row to skip to.
bool RecognizeOperator::skip(Partition& p, int64_t end) {
  using Skip = MatchStage::Skip;
  switch (stage_.skip) {
    case Skip::past_last: p.start = end; return true;
    case Skip::to_next: p.start = p.attempt.start + 1; return true;
    default: break;
  }
  const auto label = static_cast<uint16_t>(skip_label_);
  size_t at = labels_.size();
  for (size_t i = 0; i < labels_.size(); ++i) {
    if (labels_[i] != label) continue;
    at = i;
    if (stage_.skip == Skip::to_first) break;
  }
  if (at == labels_.size()) {
    fail(p, "has no row of it");
    return false;
  }
  if (at == 0) {
    fail(p, "begins with that row, so the next would be the same match again");
    return false;
  }
  p.start = p.attempt.start + static_cast<int64_t>(at);
  return true;
}

void RecognizeOperator::fail(const Partition& p, std::string_view why) {
  const bool first = stage_.skip == MatchStage::Skip::to_first;
  status_ = Error{Errc::invalid_argument,
                  std::string("AFTER MATCH SKIP TO ") + (first ? "FIRST " : "LAST ") +
                      stage_.skip_to + ": the match that begins at " +
                      format_rfc3339(p.rows.at(p.attempt.start).ts) + " " + std::string(why) +
                      "; skip past the last row or to the next one, or to a variable that every "
                      "match has behind its first row"};
}

void RecognizeOperator::emit_match(Partition& p) {
  const Attempt& attempt = p.attempt;
  if (stage_.rows == MatchStage::Rows::one) {
    emit_one(p);
    return;
  }
  if (labels_.empty()) {
    emit_row(p, attempt.start, true, 0);
    return;
  }
  recognizer_.excluded(attempt, attempt.match_path, excluded_);
  for (size_t i = 0; i < labels_.size() && !done_; ++i) {
    if (!excluded_[i]) emit_row(p, attempt.start + static_cast<int64_t>(i), true, i);
  }
}

void RecognizeOperator::emit_one(Partition& p) {
  row_.clear();
  key_.append_values(p.key, row_);
  measures_.at(labels_.empty() ? 0 : labels_.size() - 1, row_);
  const Row& first = p.rows.at(p.attempt.start);
  send({row_, first.ts, first.place, true});
}

// i: its number within the match.
void RecognizeOperator::emit_row(Partition& p, int64_t number, bool measured, size_t i) {
  const Row& row = p.rows.at(number);
  row_.assign(row.values.begin(), row.values.end());
  if (measured) {
    measures_.at(i, row_);
  } else {
    row_.resize(row_.size() + stage_.measures.size());
  }
  send({row_, row.ts, row.place, true});
}

bool RecognizeOperator::send(const Row& row) {
  ++stats_.rows_out;
  if (!out_.take(row)) done_ = true;
  return !done_;
}

// Partitions whose attempts WITHIN has ended; those of which nothing is remembered then go.
void RecognizeOperator::forget(int64_t clock) {
  if (!stage_.within_ns || reach_.behind > 0) return;
  for (uint32_t id; (id = busy_.quiet_for(*stage_.within_ns, clock)) != kNobody;) {
    run(table_[id], Ending::expired);
    if (numbers_matter_ || reach_.before > 0) {
      busy_.remove(id);
      list(id, clock, !table_[id].attempt.active);  // looked at again after as long
    } else {
      drop(id);
    }
    if (done_) return;
  }
}

void RecognizeOperator::drop(uint32_t id) {
  Partition& p = table_[id];
  bytes_ -= p.bytes;
  p.rows.reset();
  p.attempt = {};
  list_of(table_[id]).remove(id);
  table_.relink(id, kNobody);
  table_.destroy(id);
}

void RecognizeOperator::list(uint32_t id, int64_t ts, bool resting) {
  table_[id].resting = resting;
  list_of(table_[id]).push(id, ts);
}

// The partitions that were quiet longest, down to seven eighths of the limit.
void RecognizeOperator::evict() {
  while (bytes_ > limits_.max_bytes / 8 * 7) {
    const uint32_t id = resting_.oldest() != kNobody ? resting_.oldest() : busy_.oldest();
    if (id == kNobody) return;
    const Partition& p = table_[id];
    if (p.attempt.active || numbers_matter_ || reach_.before > 0) ++stats_.evicted;
    drop(id);
  }
}

}  // namespace

std::unique_ptr<Operator> make_recognizer(const MatchStage& stage, PatternProgram program,
                                          std::span<const std::string> inputs, const Limits& limits,
                                          RowSink& out) {
  return std::make_unique<RecognizeOperator>(stage, std::move(program), inputs, limits, out);
}

}  // namespace nines::query
