#include "notify/chain.hpp"

#include <algorithm>
#include <utility>

#include "nines/base/contract.hpp"

namespace nines::agent::notify {
namespace {

constexpr int64_t kPollMs = 1'000;
constexpr int kMaxPolls = 30;                        // then it is sent again
constexpr std::optional<int64_t> kSlowMs = 150'000;  // somebody has to mend it first

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool wants(const StepRule& rule, const slo::AlertEvent& event) {
  const bool named = event.notify.empty() || contains(event.notify, rule.name) ||
                     (!rule.chain.empty() && contains(event.notify, rule.chain));
  // Whom an incident goes to by name (one level up, on call) hears of it, whatever else he is told
  // of.
  const bool by_name = !event.notify.empty() && event.detail("transition") != nullptr;
  return named && (by_name || rule.severities.empty() || contains(rule.severities, event.severity));
}

Instant after_ms(Instant now, int64_t ms) { return {now.ns + ms * kNsPerMs}; }

}  // namespace

Chain::Chain(std::vector<StepRule> steps, RetryPolicy policy, uint64_t cursor, uint64_t seed)
    : cursor_(cursor) {
  NINES_ASSERT(!steps.empty());
  for (StepRule& rule : steps) {
    steps_.push_back(Step{std::move(rule),
                          Backoff(policy, seed++),
                          cursor,
                          {},
                          {},
                          {},
                          Flight::none,
                          0,
                          Instant{INT64_MIN},
                          {},
                          {},
                          0,
                          {}});
  }
}

uint64_t Chain::last_known() const { return window_.empty() ? cursor_ : window_.back().sequence(); }

void Chain::add(std::vector<Message> messages, Instant now) {
  for (Message& message : messages) {
    if (message.sequence() <= last_known() || room() == 0) continue;
    Entry entry;
    entry.message = std::move(message);
    if (const auto kept = kept_.find(entry.sequence()); kept != kept_.end()) {
      entry.turn = kept->second.turn;
      entry.turn_since = kept->second.turn_since;
      entry.satisfied = kept->second.satisfied;
      entry.failed = true;
      kept_.erase(kept);
    }
    window_.push_back(std::move(entry));
  }
  settle(now);
}

bool Chain::post(size_t step, Message document) {
  Step& to = steps_[step];
  if (to.documents.size() >= kMaxDocuments) {
    ++to.stats.dropped;
    return false;
  }
  to.documents.push_back(std::move(document));
  return true;
}

// The first event that the step has not decided.
const Chain::Entry* Chain::next(const Step& step) const {
  const auto found = std::upper_bound(
      window_.begin(), window_.end(), step.position,
      [](uint64_t position, const Entry& entry) { return position < entry.sequence(); });
  return found == window_.end() ? nullptr : &*found;
}

Chain::Entry* Chain::next(Step& step) {
  return const_cast<Entry*>(std::as_const(*this).next(step));
}

Chain::Entry* Chain::entry(uint64_t sequence) {
  for (Entry& entry : window_) {
    if (entry.sequence() == sequence) return &entry;
  }
  return nullptr;
}

// Which steps a resolution goes to is known once its fire is told, or dead everywhere.
bool Chain::fire_is_unsettled(const Entry& resolution) const {
  const std::string alert = alert_of(resolution.message.event);
  for (const Entry& entry : window_) {
    if (entry.sequence() >= resolution.sequence()) return false;
    if (!entry.message.fired() || entry.satisfied || alert_of(entry.message.event) != alert) {
      continue;
    }
    for (const Step& step : steps_) {
      if (step.position < entry.sequence()) return true;
    }
  }
  return false;
}

void Chain::place(Entry& entry, Instant now) {
  if (entry.message.resolved() && !single()) {
    if (fire_is_unsettled(entry)) return;
    const std::string alert = alert_of(entry.message.event);
    for (size_t i = steps_.size(); i-- > 0;) {
      if (steps_[i].open.contains(alert)) entry.first = i;
    }
    entry.turn = std::max(entry.turn, entry.first);
  }
  if (entry.turn_since == Instant{}) entry.turn_since = now;
  entry.placed = true;
}

// A step gets its whole time, however late it was to get its turn.
void Chain::turn(Entry& entry, Instant now) {
  while (!entry.satisfied && entry.turn + 1 < steps_.size()) {
    const Step& step = steps_[entry.turn];
    const bool unwanted = !wants(step.rule, entry.message.event);
    const bool decided = step.position >= entry.sequence();
    const int64_t within_ms = step.rule.within_ms;
    if (!decided && (within_ms == 0 || now < after_ms(entry.turn_since, within_ms))) return;
    ++entry.turn;
    entry.turn_since = now;
    if (!unwanted) changed_ = true;
  }
}

void Chain::settle(Instant now) {
  for (Entry& entry : window_) {
    if (!entry.placed) place(entry, now);
    if (entry.placed) turn(entry, now);
  }
}

// True: the step has nothing to do with it, or not any more.
bool Chain::passes(size_t index, Entry& entry) {
  Step& step = steps_[index];
  if (step.flight == Flight::entry && step.flight_sequence == entry.sequence()) return false;
  if (!wants(step.rule, entry.message.event)) {
    ++step.stats.filtered;
    return true;
  }
  if (entry.satisfied) {
    ++step.stats.passed_over;
    changed_ = true;
    if (entry.message.is_alert()) leave_to_others(step, entry.message);
    return true;
  }
  const bool foreign =
      entry.placed && index < entry.first && !step.open.contains(alert_of(entry.message.event));
  if (foreign) {
    ++step.stats.passed_over;
    changed_ = true;
  }
  return foreign;
}

void Chain::advance(size_t index) {
  Step& step = steps_[index];
  while (Entry* entry = next(step)) {
    if (!passes(index, *entry)) return;
    step.position = entry->sequence();
  }
}

bool Chain::may_send(size_t index, const Entry& entry) const {
  if (!entry.placed) return false;
  if (index <= entry.turn) return true;
  return entry.message.resolved() && steps_[index].open.contains(alert_of(entry.message.event));
}

void Chain::leave_to_others(Step& step, const Message& message) {
  const std::string alert = alert_of(message.event);
  if (!step.open.contains(alert)) return;
  forget_owed(step, alert);  // fired again: its incident there is rightly open
  if (message.resolved()) owe(step, message);
}

void Chain::forget_owed(Step& step, const std::string& alert) {
  std::erase_if(step.owed, [&](const Message& owed) {
    const bool in_flight = step.flight == Flight::owed && step.flight_sequence == owed.sequence();
    return !in_flight && alert_of(owed.event) == alert;
  });
}

void Chain::owe(Step& step, const Message& message) {
  if (step.owed.size() >= kMaxOwed) {
    ++step.stats.dropped;
    const bool front_flies =
        step.flight == Flight::owed && step.flight_sequence == step.owed.front().sequence();
    step.owed.erase(step.owed.begin() + (front_flies ? 1 : 0));
  }
  step.owed.push_back(message);
  changed_ = true;
}

const Message* Chain::begin(size_t index, Instant now) {
  settle(now);
  advance(index);
  pop_settled();
  Step& step = steps_[index];
  if (step.flight != Flight::none || now < step.not_before) return nullptr;
  const Entry* entry = next(step);
  if (entry != nullptr && !may_send(index, *entry)) entry = nullptr;
  const Message* message = nullptr;
  if (!step.owed.empty() &&
      (entry == nullptr || step.owed.front().sequence() < entry->sequence())) {
    step.flight = Flight::owed;
    message = &step.owed.front();
  } else if (entry != nullptr) {
    step.flight = Flight::entry;
    message = &entry->message;
  } else if (!step.documents.empty()) {
    step.flight = Flight::document;
    message = &step.documents.front();
  }
  if (message == nullptr) return nullptr;
  step.flight_sequence = message->sequence();
  if (step.receipt_key != message->key) step.receipt.clear();
  ++step.stats.attempts;
  return message;
}

std::optional<Instant> Chain::due(size_t index) const {
  const Step& step = steps_[index];
  if (step.flight != Flight::none) return std::nullopt;
  const Entry* entry = next(step);
  if (!step.owed.empty() || !step.documents.empty() ||
      (entry != nullptr && may_send(index, *entry))) {
    return step.not_before;
  }
  if (entry == nullptr || !entry->placed || entry->satisfied) return std::nullopt;
  const int64_t within_ms = steps_[entry->turn].rule.within_ms;
  if (within_ms == 0 || entry->turn >= index) return std::nullopt;
  return after_ms(entry->turn_since, within_ms);
}

std::optional<Message> Chain::answered(size_t index, const Verdict& verdict, Instant now) {
  Step& step = steps_[index];
  NINES_ASSERT(step.flight != Flight::none);
  std::optional<Message> dead;
  step.stats.refused = verdict.outcome == Outcome::refused;
  if (verdict.outcome == Outcome::delivered || verdict.outcome == Outcome::dead) {
    dead = finish(step, verdict.outcome, now);
  } else {
    wait(step, verdict, now);
  }
  step.flight = Flight::none;
  settle(now);
  for (size_t i = 0; i < steps_.size(); ++i) advance(i);
  pop_settled();
  return dead;
}

Chain::Hope Chain::hope(const slo::AlertEvent& event) const {
  Hope out = Hope::refused;
  for (const Step& step : steps_) {
    if (!wants(step.rule, event)) continue;
    const bool given_up = step.position >= event.sequence;
    if (given_up || step.stats.refused) continue;
    if (step.stats.failures_in_row == 0) return Hope::open;
    out = Hope::failing;
  }
  return out;
}

void Chain::told_elsewhere(uint64_t sequence, Instant now) {
  Entry* const told = entry(sequence);
  if (told == nullptr || std::exchange(told->satisfied, true)) return;
  changed_ = true;
  settle(now);
  for (size_t i = 0; i < steps_.size(); ++i) advance(i);
  pop_settled();
}

void Chain::wait(Step& step, const Verdict& verdict, Instant now) {
  const bool polls = verdict.outcome == Outcome::pending && step.polls < kMaxPolls;
  if (polls) {
    ++step.polls;
    step.receipt = verdict.receipt;
    if (step.flight == Flight::entry) step.receipt_key = entry(step.flight_sequence)->message.key;
    if (step.flight == Flight::owed) step.receipt_key = step.owed.front().key;
    if (step.flight == Flight::document) step.receipt_key = step.documents.front().key;
    step.not_before = after_ms(now, verdict.retry_after_ms.value_or(kPollMs));
    return;
  }
  step.polls = 0;
  step.receipt.clear();
  ++step.stats.failures;
  ++step.stats.failures_in_row;
  const bool slowly = verdict.outcome == Outcome::refused;
  step.not_before = step.backoff.next(now, slowly ? kSlowMs : verdict.retry_after_ms);
  if (step.flight != Flight::entry || single()) return;
  Entry* failed = entry(step.flight_sequence);
  if (!std::exchange(failed->failed, true)) changed_ = true;
  // Somebody has to mend it first: the next one need not wait for that.
  const auto index = static_cast<size_t>(&step - steps_.data());
  if (slowly && failed->turn == index && index + 1 < steps_.size()) {
    ++failed->turn;
    failed->turn_since = now;
    changed_ = true;
  }
}

void Chain::note_told(Step& step, const Message& message) {
  if (single()) return;
  const std::string alert = alert_of(message.event);
  if (!message.fired()) {
    step.open.erase(alert);
  } else if (step.open.size() < kMaxOpen) {
    step.open.insert(alert);
    forget_owed(step, alert);
  }
}

std::optional<Message> Chain::finish(Step& step, Outcome outcome, Instant now) {
  const bool delivered = outcome == Outcome::delivered;
  std::optional<Message> message;
  if (step.flight == Flight::entry) {
    Entry* told = entry(step.flight_sequence);
    if (delivered && std::exchange(told->satisfied, true)) ++step.stats.late;
    step.position = told->sequence();
    message = told->message;
  } else if (step.flight == Flight::owed) {
    const auto at = std::find_if(step.owed.begin(), step.owed.end(), [&](const Message& owed) {
      return owed.sequence() == step.flight_sequence;
    });
    message = std::move(*at);
    step.owed.erase(at);
  } else {
    message = std::move(step.documents.front());
    step.documents.pop_front();
  }
  if (message->is_alert() && (delivered || message->resolved())) note_told(step, *message);
  step.flight = Flight::none;
  step.polls = 0;
  step.receipt.clear();
  step.backoff.succeeded();
  step.stats.failures_in_row = 0;
  step.not_before = step.rule.gap_ms > 0 ? after_ms(now, step.rule.gap_ms) : Instant{INT64_MIN};
  ++(delivered ? step.stats.sent : step.stats.dead);
  changed_ = true;
  if (message->done) message->done(delivered);
  return delivered ? std::nullopt : std::move(message);
}

void Chain::pop_settled() {
  const auto behind = [&](const Step& step) { return step.position >= window_.front().sequence(); };
  while (!window_.empty() && std::all_of(steps_.begin(), steps_.end(), behind)) {
    cursor_ = window_.front().sequence();
    window_.pop_front();
  }
}

StepStats Chain::stats(size_t index) const {
  const Step& step = steps_[index];
  StepStats stats = step.stats;
  stats.pending = step.owed.size() + step.documents.size();
  for (const Entry& entry : window_) {
    stats.pending += entry.sequence() > step.position && may_send(index, entry) ? 1 : 0;
  }
  return stats;
}

}  // namespace nines::agent::notify
