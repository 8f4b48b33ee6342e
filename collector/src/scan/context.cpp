#include "scan/context.hpp"

#include <algorithm>
#include <utility>

namespace nines::collector {

ContextWindow::Held& ContextWindow::Queue::add() {
  if (size_ == places_.size()) {
    std::vector<Held> more(std::max<size_t>(8, 2 * places_.size()));
    for (size_t i = 0; i < size_; ++i) more[i] = std::move((*this)[i]);
    places_.swap(more);
    first_ = 0;
  }
  return (*this)[size_++];
}

void ContextWindow::Queue::pop_front() noexcept {
  std::string& text = front().text;
  if (text.capacity() > kKeptBytes || places_.size() > kKeptPlaces) std::string().swap(text);
  first_ = (first_ + 1) & (places_.size() - 1);
  --size_;
}

void ContextWindow::Queue::clear() noexcept {
  while (!empty()) pop_front();
}

bool ContextWindow::near(const std::optional<WallTime>& a,
                         const std::optional<WallTime>& b) const noexcept {
  if (!spec_.within_ns) return true;
  if (!a || !b) return false;
  const int64_t apart = a->ns > b->ns ? a->ns - b->ns : b->ns - a->ns;
  return apart <= *spec_.within_ns;
}

bool ContextWindow::belongs_behind(const Held& held) const noexcept {
  return held.behind > 0 && held.behind <= spec_.after && near(held.ts, hit_ts_);
}

bool ContextWindow::show(const Held& held, int64_t group, int64_t offset) {
  FramedRecord record = held.record;
  record.content = held.text;
  return emit_(record, group, offset);
}

void ContextWindow::hold(const FramedRecord& record, std::optional<WallTime> ts) {
  Held& held = held_.add();
  held.text.assign(record.content);
  held.record = record;
  held.behind = has_hit_ ? since_hit_ : 0;
  held.ts = ts;
  bytes_ += record.content.size();
}

// The first of those held back has no hit near enough behind it.
bool ContextWindow::settle_front() {
  Held& held = held_.front();
  bool wanted = true;
  if (belongs_behind(held)) {
    wanted = show(held, group_, static_cast<int64_t>(held.behind));
  } else {
    broken_ = true;
  }
  bytes_ -= held.text.size();
  held_.pop_front();
  return wanted;
}

bool ContextWindow::add(const FramedRecord& record, bool hit, std::optional<WallTime> ts) {
  if (!near(last_ts_, ts)) broken_ = true;
  last_ts_ = ts;
  if (!hit) {
    ++since_hit_;
    hold(record, ts);
    bool wanted = true;
    while (wanted && !held_.empty() && (held_.size() > spec_.before || bytes_ > kMaxBytes)) {
      wanted = settle_front();
    }
    return wanted;
  }
  // First what belongs to the hit before, for it may break the chain to this one.
  const auto before = [&](const Held& held) { return near(held.ts, ts); };
  bool chained = has_hit_ && !broken_;
  for (size_t i = 0; chained && i < held_.size(); ++i) {
    chained = belongs_behind(held_[i]) || before(held_[i]);
  }
  const int64_t group = chained ? group_ : record.at;
  bool wanted = true;
  for (size_t i = 0; wanted && i < held_.size(); ++i) {
    const Held& held = held_[i];
    const uint64_t ahead = held_.size() - i;
    if (belongs_behind(held) && (held.behind <= ahead || !before(held))) {
      wanted = show(held, group_, static_cast<int64_t>(held.behind));
    } else if (before(held)) {
      wanted = show(held, group, -static_cast<int64_t>(ahead));
    }
  }
  held_.clear();
  bytes_ = 0;
  has_hit_ = true;
  broken_ = false;
  since_hit_ = 0;
  group_ = group;
  hit_ts_ = ts;
  return wanted && emit_(record, group, 0);
}

bool ContextWindow::gap() {
  bool wanted = true;
  while (wanted && !held_.empty()) wanted = settle_front();
  held_.clear();
  bytes_ = 0;
  has_hit_ = false;
  broken_ = true;
  return wanted;
}

}  // namespace nines::collector
