#include "timeline/event_log.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace nines::agent::timeline {
namespace {

constexpr size_t kDigits = 12;

// Blocks sort by their keys.
std::string key_of(uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits;
}

std::optional<uint64_t> number_of(const std::string& key) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
  if (error != std::errc() || end != key.data() + key.size() || number == 0) return std::nullopt;
  return number;
}

size_t bytes_of(const core::TimelineEvent& event) {
  size_t bytes = 24 + event.node.size() + event.service.size() + event.text.size() +
                 event.incident.size() + event.key.size();
  for (const auto& [name, value] : event.fields) bytes += 4 + name.size() + value.size();
  return bytes;
}

WallTime newest_of(const std::vector<core::TimelineEvent>& events) {
  WallTime newest{INT64_MIN};
  for (const core::TimelineEvent& event : events) newest = std::max(newest, event.at);
  return newest;
}

}  // namespace

EventLog::EventLog(std::string node, EventLogLimits limits)
    : node_(std::move(node)), limits_(limits) {}

void EventLog::restore(const std::vector<store::Document>& documents, WallTime now) {
  std::map<uint64_t, const std::string*> sorted;
  for (const store::Document& document : documents) {
    if (const auto number = number_of(document.key)) sorted[*number] = &document.body;
  }
  for (const auto& [number, body] : sorted) {
    tail_number_ = number + 1;
    auto events = core::decode(*body);
    if (!events.ok()) {
      ++stats_.damaged;
      changed_.insert(number);
      continue;
    }
    for (const core::TimelineEvent& event : *events) known_[event.node].insert(event.seq);
    sealed_.push_back(
        {number, std::make_shared<const std::string>(*body), events->size(), newest_of(*events)});
    stats_.events += events->size();
    stats_.bytes += body->size();
  }
  // What the last life was filling is gone on with.
  if (!sealed_.empty() && sealed_.back().events < kBlockEvents &&
      sealed_.back().bytes->size() < kBlockBytes) {
    const Block last = sealed_.back();
    sealed_.pop_back();
    tail_ = std::move(*core::decode(*last.bytes));
    tail_number_ = last.number;
    stats_.bytes -= last.bytes->size();
    for (const core::TimelineEvent& event : tail_) tail_bytes_ += bytes_of(event);
    stats_.bytes += tail_bytes_;
  }
  // Numbers go on rising, whatever the clock shows in this life.
  const auto own = known_.find(node_);
  if (own != known_.end() && !own->second.empty()) {
    const int64_t last_ns = static_cast<int64_t>(*own->second.rbegin()) * kNsPerUs;
    if (last_ns >= now.ns) set_by_ns_ = now.ns - last_ns - kNsPerUs;
  }
  make_room(now);
  stats_.blocks = sealed_.size() + 1;
  stats_.nodes = known_.size();
}

uint64_t EventLog::number_for(WallTime at, WallTime now) const {
  const int64_t when = std::clamp(at.ns, now.ns - kLateNs, now.ns) - set_by_ns_;
  uint64_t number = static_cast<uint64_t>(std::max<int64_t>(1, when / kNsPerUs));
  const auto own = known_.find(node_);
  if (own == known_.end()) return number;
  for (auto taken = own->second.lower_bound(number); taken != own->second.end() && *taken == number;
       ++taken) {
    ++number;
  }
  return number;
}

const core::TimelineEvent& EventLog::add(core::TimelineEvent event, WallTime now) {
  event.node = node_;
  event.seq = number_for(event.at.ns < now.ns - kLateNs ? now : event.at, now);
  ++stats_.recorded;
  append(std::move(event));
  make_room(now);
  return tail_.back();
}

bool EventLog::take(core::TimelineEvent event, WallTime now) {
  const auto known = known_.find(event.node);
  if (known != known_.end() && known->second.contains(event.seq)) {
    ++stats_.known;
    return false;
  }
  const bool full = known == known_.end() && known_.size() >= limits_.max_nodes;
  if (event.node.empty() || event.seq == 0 || full ||
      event.at.ns < now.ns - limits_.keep_s * kNsPerSecond) {
    ++stats_.refused;
    return false;
  }
  ++stats_.heard;
  append(std::move(event));
  make_room(now);
  return true;
}

void EventLog::append(core::TimelineEvent event) {
  if (tail_.size() >= kBlockEvents || tail_bytes_ >= kBlockBytes) seal();
  stats_.cut += core::fit(event) ? 1U : 0U;
  known_[event.node].insert(event.seq);
  const size_t bytes = bytes_of(event);
  tail_bytes_ += bytes;
  stats_.bytes += bytes;
  ++stats_.events;
  tail_.push_back(std::move(event));
  changed_.insert(tail_number_);
  stats_.nodes = known_.size();
}

std::string EventLog::encoded_tail() const { return core::encode(tail_); }

void EventLog::seal() {
  auto bytes = std::make_shared<const std::string>(encoded_tail());
  stats_.bytes = stats_.bytes - tail_bytes_ + bytes->size();
  sealed_.push_back({tail_number_++, std::move(bytes), tail_.size(), newest_of(tail_)});
  tail_.clear();
  tail_bytes_ = 0;
  stats_.blocks = sealed_.size() + 1;
}

void EventLog::make_room(WallTime now) {
  const WallTime oldest{now.ns - limits_.keep_s * kNsPerSecond};
  while (!sealed_.empty() &&
         (stats_.events > limits_.max_events || stats_.bytes > limits_.max_bytes ||
          sealed_.size() >= limits_.max_blocks || sealed_.front().newest < oldest)) {
    drop_oldest();
  }
}

void EventLog::drop_oldest() {
  const Block block = std::move(sealed_.front());
  sealed_.pop_front();
  stats_.events -= block.events;
  stats_.bytes -= block.bytes->size();
  stats_.dropped += block.events;
  stats_.blocks = sealed_.size() + 1;
  changed_.insert(block.number);
  const auto events = core::decode(*block.bytes);
  if (!events.ok()) return;
  for (const core::TimelineEvent& event : *events) {
    const auto known = known_.find(event.node);
    if (known == known_.end()) continue;
    known->second.erase(event.seq);
    if (known->second.empty()) known_.erase(known);
  }
  stats_.nodes = known_.size();
}

std::vector<store::Document> EventLog::changes() const {
  std::vector<store::Document> out;
  for (const uint64_t number : changed_) {
    store::Document document{kDocuments, key_of(number), {}};
    if (number == tail_number_ && !tail_.empty()) document.body = encoded_tail();
    for (const Block& block : sealed_) {
      if (block.number == number) document.body = *block.bytes;
    }
    out.push_back(std::move(document));
  }
  return out;
}

std::vector<store::Document> EventLog::take_changes() {
  auto out = changes();
  changed_.clear();
  return out;
}

void EventLog::give_back(const std::vector<store::Document>& documents) {
  for (const store::Document& document : documents) {
    if (document.kind != kDocuments) continue;
    if (const auto number = number_of(document.key)) changed_.insert(*number);
  }
}

EventLog::Blocks EventLog::blocks() const {
  Blocks out;
  out.reserve(sealed_.size() + 1);
  for (const Block& block : sealed_) out.push_back(block.bytes);
  if (!tail_.empty()) out.push_back(std::make_shared<const std::string>(encoded_tail()));
  return out;
}

std::vector<core::TimelineEvent> EventLog::events() const {
  std::vector<core::TimelineEvent> out;
  for (const auto& block : blocks()) {
    auto events = core::decode(*block);
    if (!events.ok()) continue;
    for (core::TimelineEvent& event : *events) out.push_back(std::move(event));
  }
  return out;
}

}  // namespace nines::agent::timeline
