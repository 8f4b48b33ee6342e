// SESSION BY. Rows are added as they come: a session is the hull of rows that are near each other,
// which no order of them changes, so that nothing is held back. Only MAX, START WHEN and END WHEN
// need rows in the order of time and get them through a Reorder.
//
// Sessions end when `idle` has gone by: a wheel of buckets by the time of the last row. A row that
// comes only changes that time; its session moves to its new bucket when the old one is due.
#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <numeric>
#include <optional>
#include <tuple>

#include "bound.hpp"
#include "key_table.hpp"
#include "match_operators.hpp"
#include "nines/query/aggregate.hpp"
#include "reorder.hpp"
#include "row_key.hpp"
#include "session_parts.hpp"

namespace nines::query {
namespace {

// What every row needs stands first: it comes from memory each time.
struct Session {
  uint64_t hash = 0;
  std::string key;
  int64_t start = 0, end = 0;
  uint64_t rows = 0;
  ServiceSet services;
  Place first;                 // of the rows at start
  uint32_t sibling = kNobody;  // another of the same key
  uint32_t bucket = 0;
  uint32_t next = kNobody, previous = kNobody;  // in its bucket
  size_t bytes = 0, aggregate_bytes = 0;
  std::unique_ptr<Timeline> timeline;
  std::unique_ptr<char[]> aggregates;
};

class SessionOperator final : public Operator {
 public:
  SessionOperator(const SessionStage& stage, std::span<const std::string> inputs,
                  const Limits& limits, RowSink& out);
  ~SessionOperator() override;

  bool take(const Row& row) override;
  void tick(WallTime now) override;
  void finish() override;
  OperatorStats stats() const noexcept override { return stats_; }

 private:
  static constexpr size_t kBuckets = 256;  // more than twice as many as can be in use
  static constexpr size_t kSessionBytes = sizeof(Session) + 32;  // and its cells of the table

  void add(const Row& row);
  void add_in_order(const Row& row, uint32_t id);
  uint32_t near(uint32_t id, int64_t ts) const noexcept;
  uint32_t open(const Row& row, uint32_t sibling_of);
  void extend(uint32_t id, const Row& row);
  void join_siblings(uint32_t id);
  void absorb(Session& into, Session& other);
  void unlink(uint32_t id);
  void drop(uint32_t id);
  void close(uint32_t id);
  void give(uint32_t id, std::string_view state);
  void emit(const Session& session, std::string_view state);

  int64_t bucket_of(int64_t end) const noexcept;
  void put_in_bucket(uint32_t id) noexcept;
  void leave_bucket(uint32_t id) noexcept;
  std::vector<uint32_t>& take_bucket(int64_t number);
  void advance(int64_t clock);
  void evict();
  void note_size() noexcept {
    stats_.peak_bytes = std::max(stats_.peak_bytes, bytes_ + held_.memory_bytes());
  }

  SessionStage stage_;
  RowKey key_;
  AggregateSet aggregates_;
  std::optional<Bound> start_when_, end_when_;
  std::optional<size_t> service_, message_;
  std::vector<size_t> all_columns_;
  Limits limits_;
  RowSink& out_;
  bool in_order_;
  bool done_ = false;
  OperatorStats stats_;

  Reorder held_;
  KeyTable<Session> sessions_;
  ServiceNames names_;
  size_t bytes_ = 0;

  int64_t width_;                 // of a bucket
  int64_t base_ = INT64_MIN;      // number of the first bucket that was not due yet
  int64_t next_due_ = INT64_MIN;  // clock at which it is
  std::array<uint32_t, kBuckets> buckets_;
  std::vector<uint32_t> due_;
  std::vector<Value> row_;
  std::deque<std::string> texts_;
};

std::optional<size_t> find_input(std::span<const std::string> inputs, std::string_view name) {
  const auto at = std::find(inputs.begin(), inputs.end(), name);
  if (at == inputs.end()) return std::nullopt;
  return static_cast<size_t>(at - inputs.begin());
}

std::optional<Bound> bind_if(const std::optional<expr::Expression>& expression,
                             std::span<const std::string> inputs) {
  if (!expression) return std::nullopt;
  return Bound(*expression, inputs);
}

std::vector<size_t> first_numbers(size_t count) {
  std::vector<size_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), size_t{0});
  return numbers;
}

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

SessionOperator::SessionOperator(const SessionStage& stage, std::span<const std::string> inputs,
                                 const Limits& limits, RowSink& out)
    : stage_(stage),
      key_(stage.keys, inputs, 1),
      aggregates_(stage.aggregates, inputs),
      start_when_(bind_if(stage.start_when, inputs)),
      end_when_(bind_if(stage.end_when, inputs)),
      all_columns_(first_numbers(inputs.size())),
      limits_(limits),
      out_(out),
      in_order_(stage.max_ns != INT64_MAX || stage.start_when || stage.end_when),
      held_(stage.lateness_ns, limits.max_bytes / 4) {
  if (stage.with_services || stage.with_timeline) service_ = find_input(inputs, "service");
  if (stage.with_timeline) message_ = find_input(inputs, "message");
  stage_.idle_ns = std::max<int64_t>(stage_.idle_ns, 0);
  // Ends of sessions that are not due lie within idle + 2 * lateness: the rows of the newest
  // bucket are up to `lateness` before the clock.
  const int64_t late = in_order_ ? 0 : std::max<int64_t>(stage.lateness_ns, 0);
  width_ = plus_ns(stage_.idle_ns, plus_ns(late, late)) / (kBuckets / 2) + 1;
  buckets_.fill(kNobody);
}

SessionOperator::~SessionOperator() {
  for (size_t i = 0; i < kBuckets; ++i) {
    for (uint32_t id = buckets_[i]; id != kNobody; id = sessions_[id].next) {
      if (aggregates_.size() > 0) aggregates_.destroy(sessions_[id].aggregates.get());
    }
  }
}

bool SessionOperator::take(const Row& row) {
  if (done_) return false;
  if (!arrives(row, held_, stats_)) return true;
  if (!in_order_) {
    advance(held_.watermark());
    if (key_.read(row.values)) add(row);
    return !done_;
  }
  if (!key_.read(row.values)) return true;
  held_.push(HeldRow(row, all_columns_));
  note_size();
  for (HeldRow next; !done_ && held_.pop(next);) add(next.row());
  return !done_;
}

void SessionOperator::tick(WallTime now) {
  if (done_ || !held_.seen() || now.ns <= held_.newest()) return;
  held_.see(now.ns);
  for (HeldRow next; !done_ && held_.pop(next);) add(next.row());
  if (!done_) advance(held_.watermark());
}

void SessionOperator::finish() {
  for (HeldRow next; !done_ && held_.pop(next, true);) add(next.row());
  if (done_ || !held_.seen()) return;
  const int64_t now = held_.newest();
  advance(now);
  // What is left ended within the last bucket, or is open.
  std::vector<uint32_t> left;
  for (int64_t number = base_; number < base_ + static_cast<int64_t>(kBuckets); ++number) {
    const auto& ids = take_bucket(number);
    left.insert(left.end(), ids.begin(), ids.end());
  }
  for (const uint32_t id : left) {
    const Session& s = sessions_[id];
    const bool over = plus_ns(s.end, stage_.idle_ns) < now || plus_ns(s.start, stage_.max_ns) < now;
    stats_.pending += over ? 0 : 1;
    give(id, over ? "closed" : "open");
  }
}

void SessionOperator::add(const Row& row) {
  if (in_order_) {
    key_.read(row.values);
    advance(row.ts.ns);
  }
  const uint32_t head = sessions_.find(key_.hash(), key_.bytes());
  if (in_order_) {
    add_in_order(row, head);
  } else {
    const uint32_t id = near(head, row.ts.ns);
    if (id == kNobody) {
      open(row, head);
    } else {
      extend(id, row);
      if (sessions_[head].sibling != kNobody) join_siblings(id);
    }
  }
  if (bytes_ > limits_.max_bytes) evict();
}

void SessionOperator::add_in_order(const Row& row, uint32_t id) {
  if (id != kNobody) {
    const Session& s = sessions_[id];
    if (row.ts.ns > plus_ns(s.end, stage_.idle_ns) || row.ts.ns > plus_ns(s.start, stage_.max_ns) ||
        (start_when_ && start_when_->holds(row.values))) {
      close(id);
      id = kNobody;
    }
  }
  if (id == kNobody) {
    id = open(row, kNobody);
  } else {
    extend(id, row);
  }
  if (end_when_ && end_when_->holds(row.values)) close(id);
}

// The session among those of one key that a row of that time belongs to.
uint32_t SessionOperator::near(uint32_t id, int64_t ts) const noexcept {
  for (; id != kNobody; id = sessions_[id].sibling) {
    const Session& s = sessions_[id];
    if (ts <= plus_ns(s.end, stage_.idle_ns) && ts >= minus_ns(s.start, stage_.idle_ns)) break;
  }
  return id;
}

uint32_t SessionOperator::open(const Row& row, uint32_t sibling_of) {
  const uint32_t id = sessions_.create(key_.hash(), key_.bytes());
  Session& s = sessions_[id];
  s.start = s.end = row.ts.ns;
  s.first = row.place;
  s.rows = 0;
  s.sibling = kNobody;
  s.bytes = kSessionBytes + key_.bytes().size() + aggregates_.state_bytes();
  s.aggregate_bytes = 0;
  bytes_ += s.bytes;
  if (aggregates_.size() > 0) {
    if (!s.aggregates) {
      s.aggregates = std::make_unique_for_overwrite<char[]>(aggregates_.state_bytes());
    }
    aggregates_.create(s.aggregates.get());
  }
  if (stage_.with_timeline) s.timeline = std::make_unique<Timeline>();
  if (sibling_of == kNobody) {
    sessions_.link(id);
  } else {
    s.sibling = std::exchange(sessions_[sibling_of].sibling, id);
  }
  extend(id, row);
  if (base_ == INT64_MIN) {
    base_ = bucket_of(minus_ns(row.ts.ns, plus_ns(stage_.idle_ns, 2 * width_)));
    next_due_ = INT64_MIN;
  }
  put_in_bucket(id);
  return id;
}

void SessionOperator::extend(uint32_t id, const Row& row) {
  Session& s = sessions_[id];
  if (row.ts.ns < s.start || (row.ts.ns == s.start && row.place < s.first)) {
    s.start = row.ts.ns;
    s.first = row.place;
  }
  s.end = std::max(s.end, row.ts.ns);
  ++s.rows;
  size_t grown = 0;
  if (aggregates_.size() > 0) {
    const size_t more = aggregates_.add(s.aggregates.get(), row);
    s.aggregate_bytes += more;
    bytes_ += more;
  }
  std::string_view service;
  if (service_) {
    const Value& v = row.values[*service_];
    service = v.text;
    if (stage_.with_services && v.kind == ValueKind::text) {
      const uint32_t number = names_.number_of(service);
      if (number == ServiceNames::kMost) {
        stats_.approximate = true;
      } else {
        grown += s.services.add(number);
      }
    }
  }
  if (s.timeline) {
    const std::string_view message = message_ ? row.values[*message_].text : std::string_view();
    grown += s.timeline->add(row, service, message);
  }
  s.bytes += grown;
  bytes_ += grown;
  note_size();
}

// A row between two sessions of a key makes them one.
void SessionOperator::join_siblings(uint32_t id) {
  const uint32_t head = sessions_.find(key_.hash(), key_.bytes());
  const auto joins = [&](const Session& a, const Session& b) {
    return a.start <= plus_ns(b.end, stage_.idle_ns) && b.start <= plus_ns(a.end, stage_.idle_ns);
  };
  uint32_t other = head;
  while (other != kNobody) {
    const uint32_t next = sessions_[other].sibling;
    if (other != id && joins(sessions_[id], sessions_[other])) {
      absorb(sessions_[id], sessions_[other]);
      leave_bucket(other);
      drop(other);
    }
    other = next;
  }
}

void SessionOperator::absorb(Session& into, Session& other) {
  size_t grown = 0;
  if (aggregates_.size() > 0) {
    // merge() wants what came later on the right.
    if (std::tie(other.start, other.first) < std::tie(into.start, into.first)) {
      into.aggregates.swap(other.aggregates);
      std::swap(into.aggregate_bytes, other.aggregate_bytes);
    }
    const size_t more = aggregates_.merge(into.aggregates.get(), other.aggregates.get());
    into.aggregate_bytes += more;
    bytes_ += more;
  }
  if (std::tie(other.start, other.first) < std::tie(into.start, into.first)) {
    into.start = other.start;
    into.first = other.first;
  }
  into.end = std::max(into.end, other.end);
  into.rows += other.rows;
  grown += into.services.add(other.services);
  if (into.timeline) grown += into.timeline->add(std::move(*other.timeline));
  into.bytes += grown;
  bytes_ += grown;
}

// Out of the sessions of its key.
void SessionOperator::unlink(uint32_t id) {
  Session& s = sessions_[id];
  const uint32_t head = sessions_.find(s.hash, s.key);
  if (head == id) {
    sessions_.relink(id, s.sibling);
    return;
  }
  uint32_t before = head;
  while (sessions_[before].sibling != id) before = sessions_[before].sibling;
  sessions_[before].sibling = s.sibling;
}

// REQUIRES that it is in no bucket.
void SessionOperator::drop(uint32_t id) {
  unlink(id);
  Session& s = sessions_[id];
  if (aggregates_.size() > 0) aggregates_.destroy(s.aggregates.get());
  bytes_ -= s.bytes + s.aggregate_bytes;
  s.services.clear();
  s.timeline.reset();
  sessions_.destroy(id);
}

void SessionOperator::close(uint32_t id) {
  leave_bucket(id);
  give(id, "closed");
}

void SessionOperator::give(uint32_t id, std::string_view state) {
  if (!done_) emit(sessions_[id], state);
  drop(id);
}

void SessionOperator::emit(const Session& s, std::string_view state) {
  row_.clear();
  key_.append_values(s.key, row_);
  char id[17];
  uint64_t bits = (s.hash ^ static_cast<uint64_t>(s.start)) * 0x9e3779b97f4a7c15;
  bits ^= bits >> 32;
  for (int i = 0; i < 16; ++i) id[i] = "0123456789abcdef"[bits >> (60 - 4 * i) & 15];
  std::string timeline;
  if (s.timeline) s.timeline->write({s.start}, timeline);
  row_.push_back(Value::of_text({id, 16}));
  row_.push_back(Value::of_time(s.start));
  row_.push_back(Value::of_time(s.end));
  row_.push_back(milliseconds(minus_ns(s.end, s.start)));
  row_.push_back(Value::of_int(static_cast<int64_t>(s.rows)));
  row_.push_back(stage_.with_services ? Value::of_text(names_.json_of(s.services)) : Value::null());
  row_.push_back(s.timeline ? Value::of_text(timeline) : Value::null());
  row_.push_back(Value::of_text(state));
  texts_.clear();
  if (aggregates_.size() > 0) {
    aggregates_.results(s.aggregates.get(), row_, texts_);
    if (aggregates_.approximate(s.aggregates.get())) stats_.approximate = true;
  }
  ++stats_.rows_out;
  if (!out_.take({row_, {s.start}, s.first, true})) done_ = true;
}

int64_t SessionOperator::bucket_of(int64_t end) const noexcept { return floor_divide(end, width_); }

void SessionOperator::put_in_bucket(uint32_t id) noexcept {
  Session& s = sessions_[id];
  const int64_t last = base_ + static_cast<int64_t>(kBuckets) - 1;
  const int64_t number = std::clamp(bucket_of(s.end), base_, last);
  s.bucket = static_cast<uint32_t>(static_cast<uint64_t>(number) % kBuckets);
  s.previous = kNobody;
  s.next = std::exchange(buckets_[s.bucket], id);
  if (s.next != kNobody) sessions_[s.next].previous = id;
}

void SessionOperator::leave_bucket(uint32_t id) noexcept {
  const Session& s = sessions_[id];
  if (s.next != kNobody) sessions_[s.next].previous = s.previous;
  (s.previous != kNobody ? sessions_[s.previous].next : buckets_[s.bucket]) = s.next;
}

// The sessions that ended in a bucket, in the order of their ends; others are put where they
// belong by now, which is behind.
std::vector<uint32_t>& SessionOperator::take_bucket(int64_t number) {
  due_.clear();
  uint32_t id = std::exchange(buckets_[static_cast<uint64_t>(number) % kBuckets], kNobody);
  while (id != kNobody) {
    const uint32_t next = sessions_[id].next;
    if (bucket_of(sessions_[id].end) > number) {
      put_in_bucket(id);
    } else {
      due_.push_back(id);
    }
    id = next;
  }
  std::sort(due_.begin(), due_.end(), [this](uint32_t a, uint32_t b) {
    const Session& left = sessions_[a];
    const Session& right = sessions_[b];
    return std::tie(left.end, left.start, left.first) <
           std::tie(right.end, right.start, right.first);
  });
  return due_;
}

void SessionOperator::advance(int64_t clock) {
  if (clock < next_due_ || base_ == INT64_MIN) return;
  const int64_t due = bucket_of(minus_ns(clock, stage_.idle_ns));
  const int64_t end = std::min(due, base_ + static_cast<int64_t>(kBuckets));
  for (; base_ < end; ++base_) {
    for (const uint32_t id : take_bucket(base_)) give(id, "closed");
  }
  base_ = std::max(base_, due);
  next_due_ = plus_ns((base_ + 1) * width_, stage_.idle_ns);
}

// The sessions whose last row is the oldest, down to seven eighths of the limit.
void SessionOperator::evict() {
  const size_t wanted = limits_.max_bytes / 8 * 7;
  const int64_t last = base_ + static_cast<int64_t>(kBuckets);
  for (int64_t number = base_; number < last && bytes_ > wanted; ++number) {
    const std::vector<uint32_t> ids = take_bucket(number);
    for (const uint32_t id : ids) {
      if (bytes_ <= wanted) {
        put_in_bucket(id);
        continue;
      }
      ++stats_.evicted;
      give(id, "evicted");
    }
  }
}

}  // namespace

std::unique_ptr<Operator> make_session(const SessionStage& stage,
                                       std::span<const std::string> inputs, const Limits& limits,
                                       RowSink& out) {
  return std::make_unique<SessionOperator>(stage, inputs, limits, out);
}

std::vector<std::string> session_columns(const SessionStage& stage, std::span<const std::string>) {
  std::vector<std::string> names;
  for (const Column& key : stage.keys) names.push_back(key.name);
  for (const char* const name :
       {"session_id", "start", "end", "duration_ms", "n", "services", "timeline", "state"}) {
    names.emplace_back(name);
  }
  for (const AggregateSpec& aggregate : stage.aggregates) names.push_back(aggregate.name);
  return names;
}

}  // namespace nines::query
