#include "timeline/clock_book.hpp"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "nines/base/crc32c.hpp"
#include "nines/query/bytes.hpp"

namespace nines::agent::timeline {
namespace {

constexpr int64_t kDayNs = 86400 * kNsPerSecond;
constexpr int64_t kHourNs = 3600 * kNsPerSecond;
constexpr size_t kBatches = 2;
constexpr uint64_t kVersion = 1;
constexpr uint8_t kSeenMark = 0xe1;  // blocks of events begin with a small number
constexpr size_t kLeastClock = 5, kMostName = 253;
constexpr size_t kMostTold = 60;  // of the 64 nodes of a model, which are also in requests

int64_t day_of(WallTime at) { return at.ns / kDayNs; }

bool get_clock(std::string_view& in, core::NodeClock& clock, WallTime& last) {
  std::string_view node;
  int64_t later = 0;
  uint64_t uncertainty = 0;
  uint8_t source = 0;
  if (!query::get_text(in, node) || node.empty() || node.size() > kMostName ||
      !query::get_signed(in, later) || !query::get_signed(in, clock.offset_ns) ||
      !query::get_varint(in, uncertainty) || uncertainty > INT64_MAX ||
      !query::get_byte(in, source) ||
      source >= static_cast<uint8_t>(core::NodeClock::Source::nothing)) {
    return false;
  }
  last.ns = static_cast<int64_t>(static_cast<uint64_t>(last.ns) + static_cast<uint64_t>(later));
  clock.node = node;
  clock.at = last;
  clock.uncertainty_ns = static_cast<int64_t>(uncertainty);
  clock.source = static_cast<core::NodeClock::Source>(source);
  return true;
}

}  // namespace

std::string encode_seen(const std::vector<ClockBook::Seen>& seen) {
  std::string out;
  query::put_byte(out, kSeenMark);
  const size_t count = std::min(seen.size(), kMostSeen);
  query::put_varint(out, count);
  ClockBook::Seen last;
  for (size_t i = 0; i < count; ++i) {
    query::put_varint(out, seen[i].request - last.request);
    query::put_signed(out, seen[i].first.ns - last.first.ns);
    query::put_varint(out, static_cast<uint64_t>(seen[i].last.ns - seen[i].first.ns));
    last = seen[i];
  }
  return out;
}

bool is_seen(std::string_view body) noexcept {
  return !body.empty() && static_cast<uint8_t>(body.front()) == kSeenMark;
}

Result<std::vector<ClockBook::Seen>> decode_seen(std::string_view body) {
  const Error corrupt{Errc::corrupt, "times of requests: damaged; left out"};
  uint64_t count = 0;
  if (!is_seen(body)) return corrupt;
  body.remove_prefix(1);
  if (!query::get_varint(body, count) || count > kMostSeen) return corrupt;
  std::vector<ClockBook::Seen> out(static_cast<size_t>(count));
  ClockBook::Seen last;
  for (ClockBook::Seen& one : out) {
    uint64_t step = 0, length = 0;
    int64_t later = 0;
    if (!query::get_varint(body, step) || !query::get_signed(body, later) ||
        !query::get_varint(body, length) || length > static_cast<uint64_t>(kDayNs) ||
        step > UINT64_MAX - last.request) {
      return corrupt;
    }
    const uint64_t first = static_cast<uint64_t>(last.first.ns) + static_cast<uint64_t>(later);
    one.request = last.request + step;
    one.first.ns = static_cast<int64_t>(first);
    one.last.ns = static_cast<int64_t>(first + length);
    last = one;
  }
  if (!body.empty()) return corrupt;
  return out;
}

std::string encode_clocks(const std::vector<core::NodeClock>& clocks) {
  std::string out;
  query::put_varint(out, kVersion);
  query::put_varint(out, clocks.size());
  WallTime last{};
  for (const core::NodeClock& clock : clocks) {
    query::put_text(out, clock.node);
    query::put_signed(out, clock.at.ns - last.ns);
    query::put_signed(out, clock.offset_ns);
    query::put_varint(out, static_cast<uint64_t>(clock.uncertainty_ns.value_or(INT64_MAX)));
    query::put_byte(out, static_cast<uint8_t>(clock.source));
    last = clock.at;
  }
  query::put_fixed64(out, crc32c(out));
  return out;
}

Result<std::vector<core::NodeClock>> decode_clocks(std::string_view bytes) {
  const Error corrupt{Errc::corrupt, "clocks of a timeline: damaged; they are measured anew"};
  if (bytes.size() < 10) return corrupt;
  std::string_view check = bytes.substr(bytes.size() - 8);
  uint64_t sum = 0, version = 0, count = 0;
  bytes.remove_suffix(8);
  if (!query::get_fixed64(check, sum) || sum != crc32c(bytes)) return corrupt;
  if (!query::get_varint(bytes, version) || version != kVersion ||
      !query::get_varint(bytes, count) || count > bytes.size() / kLeastClock) {
    return corrupt;
  }
  std::vector<core::NodeClock> out(static_cast<size_t>(count));
  WallTime last{};
  for (core::NodeClock& clock : out) {
    if (!get_clock(bytes, clock, last)) return corrupt;
  }
  if (!bytes.empty()) return corrupt;
  return out;
}

void ClockBook::restore(const std::vector<store::Document>& documents) {
  for (const store::Document& document : documents) {
    int64_t day = 0;
    const std::string& key = document.key;
    std::from_chars(key.data(), key.data() + key.size(), day);
    auto clocks = decode_clocks(document.body);
    if (!clocks.ok() || day <= 0) {
      ++stats_.damaged;
      if (day > 0) changed_[day] = true;
      continue;
    }
    stats_.kept += clocks->size();
    days_[day] = std::move(*clocks);
  }
  make_room();
}

void ClockBook::exchange(std::string_view peer, int64_t offset_ns, int64_t uncertainty_ns,
                         WallTime now) {
  auto found = told_.find(peer);
  if (found == told_.end()) {
    if (told_.size() >= kMostTold) {  // of whom nothing was heard for longest makes room
      const auto oldest =
          std::min_element(told_.begin(), told_.end(),
                           [](const auto& a, const auto& b) { return a.second.at < b.second.at; });
      model_.forget(oldest->first);
      told_.erase(oldest);
    }
    found = told_.try_emplace(std::string(peer)).first;
  } else {
    // It is no longer where it can be by drift alone: it was set. What was known until now is kept
    // for the events of before.
    const Told& before = found->second;
    const int64_t moved = std::abs(offset_ns - before.offset_ns);
    const int64_t drift = std::abs(now.ns - before.at.ns) / core::kDriftDivisor;
    if (moved > before.uncertainty_ns + uncertainty_ns + drift) {
      ++stats_.jumps;
      keep(before.at);
      model_.forget(peer);
      solved_.reset();
    }
  }
  found->second = {offset_ns, uncertainty_ns, now};
  model_.add_exchange(self_, peer, offset_ns, uncertainty_ns, now);
}

bool ClockBook::measured(std::string_view peer, WallTime now) const {
  const auto found = told_.find(peer);
  return found != told_.end() && now.ns - found->second.at.ns < kHourNs;
}

void ClockBook::requests(std::string_view node, std::vector<Seen> seen, WallTime now) {
  auto own = seen_.find(node);
  if (own == seen_.end()) {
    if (seen_.size() >= kMostTold) return;
    own = seen_.try_emplace(std::string(node)).first;
  }
  for (const Batch& batch : own->second) {
    if (batch.seen == seen) return;
  }
  for (const auto& [other, batches] : seen_) {
    if (other == node) continue;
    for (const Batch& batch : batches) join(node, seen, other, batch, now);
  }
  own->second.push_back({now, std::move(seen)});
  if (own->second.size() > kBatches) own->second.pop_front();
  std::erase_if(seen_, [&](const auto& one) {
    return one.second.empty() || now.ns - one.second.back().heard.ns > kHourNs;
  });
}

void ClockBook::join(std::string_view node, const std::vector<Seen>& seen, std::string_view other,
                     const Batch& batch, WallTime now) {
  auto theirs = batch.seen.begin();
  for (const Seen& one : seen) {
    while (theirs != batch.seen.end() && theirs->request < one.request) ++theirs;
    if (theirs == batch.seen.end()) return;
    if (theirs->request != one.request) continue;
    model_.add_request({{node, one.first, one.last}, {other, theirs->first, theirs->last}}, now);
  }
}

// The more nodes, the less often: a day has room for so many.
void ClockBook::tick(WallTime now) {
  const size_t nodes = model_.stats().nodes;
  if (nodes == 0) return;
  const int64_t every = std::max<int64_t>(
      kSolveEveryNs, static_cast<int64_t>(nodes) * kDayNs / static_cast<int64_t>(kMostADay));
  if (solved_ && now.ns - solved_->ns < every && now >= *solved_) return;
  keep(now);
}

void ClockBook::keep(WallTime now) {
  solved_ = now;
  ++stats_.solved;
  auto& day = days_[day_of(now)];
  for (core::NodeClock& clock : model_.solve(self_, now)) {
    if (clock.node == self_ || !clock.uncertainty_ns) continue;
    if (day.size() >= kMostADay) {
      ++stats_.dropped;
      continue;
    }
    day.push_back(std::move(clock));
    ++stats_.kept;
  }
  changed_[day_of(now)] = true;
  make_room();
}

void ClockBook::make_room() {
  while (stats_.kept > kMostKept && days_.size() > 1) {
    const auto oldest = days_.begin();
    stats_.kept -= oldest->second.size();
    stats_.dropped += oldest->second.size();
    changed_[oldest->first] = true;
    days_.erase(oldest);
  }
}

std::vector<core::NodeClock> ClockBook::clocks(WallTime now) const {
  std::vector<core::NodeClock> out;
  for (const auto& [day, clocks] : days_) out.insert(out.end(), clocks.begin(), clocks.end());
  for (core::NodeClock& clock : model_.solve(self_, now)) {
    if (clock.node != self_) out.push_back(std::move(clock));
  }
  return out;
}

std::vector<core::NodeClock> ClockBook::clocks_at(WallTime at, WallTime now) const {
  std::map<std::string, core::NodeClock> surest;
  for (core::NodeClock& clock : clocks(now)) {
    if (!clock.uncertainty_ns || clock.node == self_) continue;
    const int64_t age = at < clock.at ? clock.at.ns - at.ns : at.ns - clock.at.ns;
    const int64_t known = std::clamp<int64_t>(*clock.uncertainty_ns, 0, INT64_MAX / 2);
    clock.uncertainty_ns = known + age / core::kDriftDivisor;
    const auto [it, fresh] = surest.try_emplace(clock.node, clock);
    if (!fresh && *clock.uncertainty_ns < *it->second.uncertainty_ns) it->second = clock;
  }
  std::vector<core::NodeClock> out;
  for (auto& [node, clock] : surest) out.push_back(std::move(clock));
  return out;
}

std::vector<store::Document> ClockBook::take_changes() {
  std::vector<store::Document> out;
  for (const auto& [day, yes] : std::exchange(changed_, {})) {
    const auto found = days_.find(day);
    const bool gone = found == days_.end() || found->second.empty();
    out.push_back(
        {kDocuments, std::to_string(day), gone ? std::string() : encode_clocks(found->second)});
  }
  return out;
}

}  // namespace nines::agent::timeline
