// ORDER BY, DISTINCT, LIMIT, OFFSET over rows that are kept and ordered. Rows are cut to those that
// can still be in the answer whenever twice as many are there: the best `limit + offset`, and no
// more than fit the declared bytes.
//
// What is cut is everything from one row (the bar) of the order on, so that a part of the input
// never lacks a row of the answer, and the bytes are counted by what rows hold: the answer is the
// same however the input was divided.
#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "nines/base/contract.hpp"
#include "nines/query/bytes.hpp"
#include "nines/query/kept_value.hpp"
#include "row_order.hpp"
#include "sort_operators.hpp"

namespace nines::query {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kFewRows = 1024;  // not worth cutting below

// Rows with the number of their arrival, which orders those with equal keys.
struct Kept {
  explicit Kept(size_t columns) : rows(columns) {}
  void add(const Row& row, uint64_t n) {
    rows.take(row);
    arrival.push_back(n);
  }
  void clear() {
    rows.clear();
    arrival.clear();
  }
  RowBatch rows;
  std::vector<uint64_t> arrival;
};

void put_row(std::string& out, const Row& row, uint64_t arrival) {
  put_varint(out, arrival);
  put_byte(out, row.has_ts ? 1 : 0);
  put_signed(out, row.ts.ns);
  put_varint(out, row.place.file);
  put_signed(out, row.place.at);
  for (const Value& value : row.values) put_value(out, value);
}

bool get_row(std::string_view& in, std::vector<Value>& values, Row& row, uint64_t& arrival) {
  uint8_t has_ts = 0;
  uint64_t file = 0;
  if (!get_varint(in, arrival) || !get_byte(in, has_ts) || has_ts > 1 ||
      !get_signed(in, row.ts.ns) || !get_varint(in, file) || file > UINT32_MAX ||
      !get_signed(in, row.place.at)) {
    return false;
  }
  row.has_ts = has_ts != 0;
  row.place.file = static_cast<uint32_t>(file);
  for (Value& value : values) {
    if (!get_value(in, value)) return false;
  }
  row.values = values;
  return true;
}

class SortOperator final : public Operator {
 public:
  SortOperator(const SortStage& stage, size_t columns, const Limits& limits, RowSink& out)
      : stage_(stage),
        order_(stage.keys),
        max_rows_(most_rows(stage)),
        max_bytes_(limits.max_bytes),
        columns_(columns),
        kept_(columns),
        spare_(columns),
        bar_(columns),
        out_(out) {
    NINES_ASSERT(stage.keep <= columns && (!stage.distinct || stage.keep == columns));
  }

  bool take(const Row& row) override {
    ++stats_.rows_in;
    insert(row, next_++);
    return max_rows_ > 0;
  }

  void finish() override {
    cut();
    const std::vector<size_t> sorted = sorted_rows();
    for (size_t i = stage_.offset < sorted.size() ? static_cast<size_t>(stage_.offset)
                                                  : sorted.size();
         i < sorted.size(); ++i) {
      Row row = kept_.rows[sorted[i]];
      row.values = row.values.first(stage_.keep);
      ++stats_.rows_out;
      if (!out_.take(row)) return;
    }
  }

  bool mergeable() const noexcept override { return true; }
  void merge(Operator& later) override { merge_later(static_cast<SortOperator&>(later)); }
  void save(std::string& out) const override;
  Status merge_saved(std::string_view saved) override;

  OperatorStats stats() const noexcept override {
    OperatorStats stats = stats_;
    const uint64_t wanted = std::min<uint64_t>(max_rows_, stats_.rows_in);
    const size_t kept = kept_.rows.size();
    if (over_bytes_ && wanted > kept) stats.evicted = wanted - kept;
    stats.approximate = stats.evicted != 0;
    return stats;
  }

 private:
  static uint64_t most_rows(const SortStage& stage) {
    if (!stage.limit) return UINT64_MAX;
    return *stage.limit > UINT64_MAX - stage.offset ? UINT64_MAX : *stage.limit + stage.offset;
  }

  // With DISTINCT the same for equal rows, however their values are written: which of them has
  // come so far must not tell what fits.
  size_t bytes_of(const Row& row) {
    size_t bytes = sizeof(Row) + row.values.size() * sizeof(Value);
    if (stage_.distinct) return bytes + 2 * key_of(row).size() + kKeyBytes;
    for (const Value& value : row.values) bytes += value.text.size();
    return bytes;
  }
  // Until the next call.
  const std::string& key_of(const Row& row) {
    key_.clear();
    for (const Value& value : row.values) append_key(key_, value);
    return key_;
  }

  bool before(const Row& a, uint64_t arrival_a, const Row& b, uint64_t arrival_b) const {
    const int order = order_.compare(a, b);
    return order != 0 ? order < 0 : arrival_a < arrival_b;
  }
  bool below_bar(const Row& row, uint64_t arrival) const {
    return bar_.arrival.empty() || before(row, arrival, bar_.rows[0], bar_.arrival[0]);
  }

  void insert(const Row& row, uint64_t arrival) {
    if (!below_bar(row, arrival)) return;
    if (stage_.distinct && !note_distinct(row, arrival)) return;
    kept_.add(row, arrival);
    bytes_ += bytes_of(row);
    stats_.peak_bytes = std::max(stats_.peak_bytes, bytes_);
    const size_t rows = kept_.rows.size();
    const bool many = rows > kFewRows && rows / 2 > max_rows_;
    if (many || bytes_ / 9 > max_bytes_ / 8) cut();
  }

  // Of equal rows the one that comes first in the order stays. False: that is another one.
  bool note_distinct(const Row& row, uint64_t arrival) {
    const auto [at, added] = by_key_.try_emplace(key_of(row), kept_.rows.size());
    if (added) return true;
    const size_t other = at->second;
    if (!before(row, arrival, kept_.rows[other], kept_.arrival[other])) return false;
    at->second = kept_.rows.size();
    return true;
  }
  bool is_current(size_t i) {
    return !stage_.distinct || by_key_.find(key_of(kept_.rows[i]))->second == i;
  }

  std::vector<size_t> sorted_rows() {
    std::vector<size_t> rows;
    for (size_t i = 0; i < kept_.rows.size(); ++i) {
      if (is_current(i)) rows.push_back(i);
    }
    std::sort(rows.begin(), rows.end(), [this](size_t a, size_t b) {
      return before(kept_.rows[a], kept_.arrival[a], kept_.rows[b], kept_.arrival[b]);
    });
    return rows;
  }

  // Keeps the rows before the bar that fit; the first that doesn't is the new bar.
  void cut();
  void set_bar(const Row& row, uint64_t arrival) {
    if (!below_bar(row, arrival)) return;
    Kept bar(columns_);
    bar.add(row, arrival);
    bar_ = std::move(bar);
  }
  void merge_later(SortOperator& later);

  static constexpr size_t kKeyBytes = 64;

  SortStage stage_;
  RowOrder order_;
  uint64_t max_rows_;
  size_t max_bytes_;
  size_t columns_;
  Kept kept_, spare_;
  Kept bar_;  // one row or none: it and what comes behind it is in no answer
  bool over_bytes_ = false;
  size_t bytes_ = 0;
  uint64_t next_ = 0;
  std::unordered_map<std::string, size_t> by_key_;  // DISTINCT: index of the row that counts
  std::string key_;
  RowSink& out_;
  OperatorStats stats_;
};

void SortOperator::cut() {
  const std::vector<size_t> sorted = sorted_rows();
  spare_.clear();
  by_key_.clear();
  bytes_ = 0;
  for (const size_t i : sorted) {
    const Row row = kept_.rows[i];
    if (!below_bar(row, kept_.arrival[i])) break;
    const size_t bytes = bytes_of(row);
    const bool fits = bytes_ + bytes <= max_bytes_;
    if (!fits || spare_.rows.size() >= max_rows_) {
      over_bytes_ |= !fits;
      set_bar(row, kept_.arrival[i]);
      break;
    }
    bytes_ += bytes;
    if (stage_.distinct) by_key_.emplace(key_of(row), spare_.rows.size());
    spare_.add(row, kept_.arrival[i]);
  }
  std::swap(kept_, spare_);
}

void SortOperator::merge_later(SortOperator& later) {
  NINES_ASSERT(later.columns_ == columns_);
  if (!later.bar_.arrival.empty()) {
    set_bar(later.bar_.rows[0], next_ + later.bar_.arrival[0]);
  }
  over_bytes_ |= later.over_bytes_;
  for (const size_t i : later.sorted_rows()) {
    insert(later.kept_.rows[i], next_ + later.kept_.arrival[i]);
  }
  next_ += later.next_;
  stats_.rows_in += later.stats_.rows_in;
  later.kept_.clear();
  cut();
}

void SortOperator::save(std::string& out) const {
  put_byte(out, kVersion);
  put_varint(out, columns_);
  put_varint(out, stats_.rows_in);
  put_varint(out, next_);
  put_byte(out, static_cast<uint8_t>((over_bytes_ ? 1 : 0) | (bar_.arrival.empty() ? 0 : 2)));
  if (!bar_.arrival.empty()) put_row(out, bar_.rows[0], bar_.arrival[0]);
  put_varint(out, kept_.rows.size());
  for (size_t i = 0; i < kept_.rows.size(); ++i) put_row(out, kept_.rows[i], kept_.arrival[i]);
}

Status SortOperator::merge_saved(std::string_view saved) {
  SortOperator later(stage_, columns_, {max_bytes_, 0}, out_);
  const Error corrupt = corrupt_state("ORDER BY");
  uint8_t version = 0;
  uint8_t flags = 0;
  uint64_t columns = 0;
  uint64_t rows = 0;
  uint64_t arrival = 0;
  std::vector<Value> values(columns_);
  Row row;
  if (!get_byte(saved, version) || version != kVersion || !get_varint(saved, columns) ||
      columns != columns_ || !get_varint(saved, later.stats_.rows_in) ||
      !get_varint(saved, later.next_) || !get_byte(saved, flags) || flags > 3) {
    return corrupt;
  }
  later.over_bytes_ = (flags & 1) != 0;
  if ((flags & 2) != 0) {
    if (!get_row(saved, values, row, arrival) || arrival >= later.next_) return corrupt;
    later.set_bar(row, arrival);
  }
  if (!get_varint(saved, rows)) return corrupt;
  for (; rows > 0; --rows) {
    if (!get_row(saved, values, row, arrival) || arrival >= later.next_) return corrupt;
    later.insert(row, arrival);
  }
  if (!saved.empty()) return corrupt;
  merge_later(later);
  return Ok{};
}

}  // namespace

std::unique_ptr<Operator> make_ordered(const SortStage& stage, size_t columns, const Limits& limits,
                                       RowSink& out) {
  return std::make_unique<SortOperator>(stage, columns, limits, out);
}

}  // namespace nines::query
