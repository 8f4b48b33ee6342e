#include "nines/timeline/timeline.hpp"

#include <algorithm>
#include <map>
#include <queue>
#include <unordered_map>

#include "nines/base/contract.hpp"
#include "timeline/bounds.hpp"

namespace nines::timeline {
namespace {

constexpr size_t kLookBack = 64;  // entries of a group that a next one is compared with exactly

int64_t within_times(int64_t ns) { return std::clamp(ns, kFirstTime + 1, kLastTime - 1); }
int64_t distance(int64_t a, int64_t b) { return a < b ? b - a : a - b; }

// Events of one node by its clock, with its sequence as the tie; each but once.
class NodeLists {
 public:
  explicit NodeLists(const std::vector<TimelineEvent>& events) : events_(events) {
    NINES_ASSERT(events.size() < kNone);
    for (uint32_t i = 0; i < events.size(); ++i) {
      if (last_ == nullptr || events[i].node != last_->first)
        last_ = &*lists_.try_emplace(events[i].node).first;
      last_->second.push_back(i);
    }
    for (auto& [node, list] : lists_) put_in_order(list);
  }
  uint64_t twice() const { return twice_; }
  const std::map<std::string_view, std::vector<uint32_t>>& all() const { return lists_; }

 private:
  void put_in_order(std::vector<uint32_t>& list) {
    const auto by_seq = [this](uint32_t a, uint32_t b) { return events_[a].seq < events_[b].seq; };
    const auto same = [this](uint32_t a, uint32_t b) { return events_[a].seq == events_[b].seq; };
    const auto by_clock = [this](uint32_t a, uint32_t b) {
      return events_[a].at != events_[b].at ? events_[a].at < events_[b].at
                                            : events_[a].seq < events_[b].seq;
    };
    if (!std::is_sorted(list.begin(), list.end(), by_seq))
      std::stable_sort(list.begin(), list.end(), by_seq);
    const auto end = std::unique(list.begin(), list.end(), same);
    twice_ += static_cast<uint64_t>(list.end() - end);
    list.erase(end, list.end());
    if (!std::is_sorted(list.begin(), list.end(), by_clock))
      std::sort(list.begin(), list.end(), by_clock);
  }

  const std::vector<TimelineEvent>& events_;
  std::map<std::string_view, std::vector<uint32_t>> lists_;
  std::pair<const std::string_view, std::vector<uint32_t>>* last_ = nullptr;
  uint64_t twice_ = 0;
};

// The events of a longest rising run of sequence numbers (patience sorting, Fredman 1975), as
// positions in `list`: whoever is not among them was written down late, or the clock was set.
std::vector<uint32_t> in_sequence(const std::vector<TimelineEvent>& events,
                                  const std::vector<uint32_t>& list) {
  std::vector<uint32_t> tails, before(list.size(), kNone);  // tails: positions
  for (uint32_t i = 0; i < list.size(); ++i) {
    const uint64_t seq = events[list[i]].seq;
    auto it = tails.end();
    if (!tails.empty() && events[list[tails.back()]].seq >= seq) {
      it = std::lower_bound(tails.begin(), tails.end(), seq,
                            [&](uint32_t t, uint64_t s) { return events[list[t]].seq < s; });
    }
    if (it != tails.begin()) before[i] = *(it - 1);
    if (it == tails.end())
      tails.push_back(i);
    else
      *it = i;
  }
  std::vector<uint32_t> run(tails.size());
  uint32_t at = tails.empty() ? kNone : tails.back();
  for (size_t i = run.size(); i-- > 0; at = before[at]) run[i] = at;
  return run;
}

// What an alert, a page and an ack of one key come after.
class Keys {
 public:
  void add(const TimelineEvent& event, uint32_t index) {
    if (event.key.empty()) return;
    if (event.kind == EventKind::alert) note(by_key_[event.key].alert, index);
    if (event.kind == EventKind::page) note(by_key_[event.key].page, index);
  }
  uint32_t cause_of(const TimelineEvent& event) const {
    if (event.key.empty()) return kNone;
    const auto found = by_key_.find(event.key);
    if (found == by_key_.end()) return kNone;
    const Once &alert = found->second.alert, &page = found->second.page;
    switch (event.kind) {
      case EventKind::page:
      case EventKind::resolved: return alert.index;
      case EventKind::ack: return page.index != kNone ? page.index : alert.index;
      default: return kNone;
    }
  }

 private:
  struct Once {
    uint32_t index = kNone;
    bool several = false;
  };
  static void note(Once& once, uint32_t index) {
    once.several = once.several || once.index != kNone;
    once.index = once.several ? kNone : index;
  }
  struct Use {
    Once alert, page;
  };
  std::unordered_map<std::string_view, Use> by_key_;
};

class Builder {
 public:
  Builder(const std::vector<TimelineEvent>& events, const std::vector<NodeClock>& clocks,
          std::string_view reference)
      : events_(events),
        lists_(events),
        bounds_(events.size()),
        in_sequence_(events.size()),
        cause_(events.size(), kNone) {
    for (const auto& [node, list] : lists_.all()) place(node, list, clocks, reference);
    find_causes();
  }

  const NodeLists& lists() const { return lists_; }
  const Bounds& bounds() const { return bounds_; }
  bool is_in_sequence(uint32_t event) const { return in_sequence_[event]; }
  uint32_t cause(uint32_t event) const { return cause_[event]; }
  bool keys_unused() const { return keys_unused_; }
  uint64_t out_of_sequence() const { return out_of_sequence_; }

 private:
  void place(std::string_view node, const std::vector<uint32_t>& list,
             const std::vector<NodeClock>& clocks, std::string_view reference) {
    std::vector<const NodeClock*> known;
    NodeClock self;
    self.uncertainty_ns = 0;
    for (const NodeClock& clock : clocks) {
      if (clock.node == node && clock.uncertainty_ns) known.push_back(&clock);
    }
    if (node == reference) known.assign(1, &self);
    for (const uint32_t i : list) place(i, known, node == reference);
    widen(list);
    const auto run = in_sequence(events_, list);
    out_of_sequence_ += list.size() - run.size();
    uint32_t last = kNone;
    for (const uint32_t position : run) {
      const uint32_t i = list[position];
      in_sequence_[i] = true;
      bounds_.previous[i] = last;
      if (last != kNone) {
        bounds_.next[last] = i;
        bounds_.likely[i] = std::max(bounds_.likely[i], bounds_.likely[last]);
      }
      last = i;
    }
  }

  // By the clock that is surest for this event.
  void place(uint32_t i, const std::vector<const NodeClock*>& known, bool is_reference) {
    const int64_t reported = within_times(events_[i].at.ns);
    bounds_.likely[i] = reported;
    int64_t least = kLastTime;
    for (const NodeClock* clock : known) {
      const int64_t at =
          within_times(reported - std::clamp(clock->offset_ns, -kLastTime, kLastTime));
      const int64_t age = is_reference ? 0 : distance(at, within_times(clock->at.ns));
      const int64_t unsure =
          std::clamp<int64_t>(*clock->uncertainty_ns, 0, kLastTime / 4) + age / kDriftDivisor;
      if (unsure >= least) continue;
      least = unsure;
      bounds_.likely[i] = at;
      bounds_.low[i] = within_times(at - unsure);
      bounds_.high[i] = within_times(at + unsure);
    }
  }

  // What is later by the clock of the node is not earlier because another moment's offset was used.
  void widen(const std::vector<uint32_t>& list) {
    for (size_t k = 1; k < list.size(); ++k)
      bounds_.high[list[k]] = std::max(bounds_.high[list[k]], bounds_.high[list[k - 1]]);
    for (size_t k = list.size(); k-- > 1;)
      bounds_.low[list[k - 1]] = std::min(bounds_.low[list[k - 1]], bounds_.low[list[k]]);
  }

  void find_causes() {
    Keys keys;
    for (const auto& [node, list] : lists_.all()) {
      for (const uint32_t i : list) keys.add(events_[i], i);
    }
    std::vector<Cause> causes;
    for (const auto& [node, list] : lists_.all()) {
      for (const uint32_t i : list) {
        const uint32_t from = keys.cause_of(events_[i]);
        if (from == kNone || contradicts_sequence(from, i)) continue;
        cause_[i] = from;
        causes.push_back({from, i});
      }
    }
    if (!narrow(bounds_, causes)) {
      keys_unused_ = true;
      std::fill(cause_.begin(), cause_.end(), kNone);
    }
  }

  // On one node its clock and sequence know better.
  bool contradicts_sequence(uint32_t from, uint32_t to) const {
    const TimelineEvent &a = events_[from], &b = events_[to];
    return a.node == b.node && !(in_sequence_[from] && in_sequence_[to] && a.seq < b.seq);
  }

  const std::vector<TimelineEvent>& events_;
  NodeLists lists_;
  Bounds bounds_;
  std::vector<bool> in_sequence_;
  std::vector<uint32_t> cause_;
  bool keys_unused_ = false;
  uint64_t out_of_sequence_ = 0;
};

bool passes(const TimelineFilter& filter, const TimelineEvent& event, const Bounds& bounds,
            uint32_t i) {
  const auto is = [](const std::string& wanted, const std::string& given) {
    return wanted.empty() || wanted == given;
  };
  if (!is(filter.node, event.node) || !is(filter.service, event.service) ||
      !is(filter.incident, event.incident))
    return false;
  if (!filter.kinds.empty() &&
      std::find(filter.kinds.begin(), filter.kinds.end(), event.kind) == filter.kinds.end())
    return false;
  int64_t low = std::min(bounds.low[i], bounds.high[i]);
  int64_t high = std::max(bounds.low[i], bounds.high[i]);
  if (low == kFirstTime || high == kLastTime) low = high = bounds.likely[i];
  return !(filter.since && high < filter.since->ns) && !(filter.until && low >= filter.until->ns);
}

// K lists, each in order, into one.
std::vector<uint32_t> merge(std::vector<std::vector<uint32_t>> lists, const Bounds& bounds,
                            const std::vector<TimelineEvent>& events) {
  struct Head {
    int64_t likely;
    size_t list, at;                       // lists are by the name of the node
    bool operator<(const Head& o) const {  // the greatest is on top of a heap
      return likely != o.likely ? likely > o.likely : list > o.list;
    }
  };
  std::priority_queue<Head> heads;
  size_t all = 0;
  for (size_t k = 0; k < lists.size(); ++k) {
    const auto earlier = [&](uint32_t a, uint32_t b) {
      return bounds.likely[a] != bounds.likely[b] ? bounds.likely[a] < bounds.likely[b]
                                                  : events[a].seq < events[b].seq;
    };
    if (!std::is_sorted(lists[k].begin(), lists[k].end(), earlier))
      std::sort(lists[k].begin(), lists[k].end(), earlier);
    if (!lists[k].empty()) heads.push({bounds.likely[lists[k][0]], k, 0});
    all += lists[k].size();
  }
  std::vector<uint32_t> out;
  out.reserve(all);
  while (!heads.empty()) {
    Head head = heads.top();
    heads.pop();
    out.push_back(lists[head.list][head.at]);
    if (++head.at == lists[head.list].size()) continue;
    head.likely = bounds.likely[lists[head.list][head.at]];
    heads.push(head);
  }
  return out;
}

Entry entry_of(TimelineEvent&& event, const Bounds& bounds, uint32_t i, bool in_sequence) {
  Entry entry;
  entry.event = std::move(event);
  entry.at = {bounds.likely[i]};
  const auto [low, high] = std::minmax(bounds.low[i], bounds.high[i]);
  entry.low = {low};
  entry.high = {high};
  entry.clock_known = low != kFirstTime && high != kLastTime;
  entry.doubtful = bounds.low[i] > bounds.high[i];
  entry.in_sequence = in_sequence;
  return entry;
}

// The newest of each node that has events.
std::vector<NodeClock> clocks_of(const NodeLists& lists, const std::vector<NodeClock>& clocks,
                                 std::string_view reference) {
  std::vector<NodeClock> out;
  for (const auto& [node, list] : lists.all()) {
    NodeClock newest;
    newest.node = node;
    newest.component = 1;
    for (const NodeClock& clock : clocks) {
      if (clock.node == node &&
          (newest.source == NodeClock::Source::nothing || clock.at >= newest.at))
        newest = clock;
    }
    if (node == reference)
      newest = {std::string(node), newest.at, 0, 0, 0, NodeClock::Source::reference};
    out.push_back(std::move(newest));
  }
  return out;
}

}  // namespace

int64_t Entry::uncertainty_ns() const noexcept {
  return std::max({at.ns - low.ns, high.ns - at.ns, int64_t{0}});
}

Timeline Timeline::build(std::vector<TimelineEvent> events, const std::vector<NodeClock>& clocks,
                         std::string_view reference, const TimelineFilter& filter) {
  Timeline out;
  out.reference_ = reference;
  out.filter_ = filter;
  out.stats_.given = events.size();
  const Builder built(events, clocks, reference);
  out.stats_.twice = built.lists().twice();
  out.stats_.out_of_sequence = built.out_of_sequence();
  out.stats_.keys_unused = built.keys_unused();
  out.nodes_ = clocks_of(built.lists(), clocks, reference);

  std::vector<std::vector<uint32_t>> lists;
  for (const auto& [node, list] : built.lists().all()) {
    lists.emplace_back();
    for (const uint32_t i : list) {
      if (passes(filter, events[i], built.bounds(), i)) lists.back().push_back(i);
    }
    out.stats_.filtered += list.size() - lists.back().size();
  }
  const auto order = merge(std::move(lists), built.bounds(), events);
  const size_t kept = std::min(order.size(), filter.limit);
  out.stats_.beyond_limit = order.size() - kept;

  std::vector<uint32_t> place(events.size(), kNone);
  out.entries_.reserve(kept);
  for (uint32_t k = 0; k < kept; ++k) place[order[k]] = k;
  for (size_t k = 0; k < kept; ++k) {
    const uint32_t i = order[k], cause = built.cause(i);
    const bool in_sequence = built.is_in_sequence(i);
    Entry entry = entry_of(std::move(events[i]), built.bounds(), i, in_sequence);
    if (cause != kNone && place[cause] != kNone) entry.after = place[cause];
    out.stats_.doubtful += entry.doubtful ? 1 : 0;
    out.entries_.push_back(std::move(entry));
  }
  out.group_entries();
  return out;
}

bool Timeline::before(size_t a, size_t b) const noexcept {
  if (a >= b || b >= entries_.size()) return false;  // entries stand in an order that claims keep
  const Entry &first = entries_[a], &second = entries_[b];
  for (auto cause = second.after; cause && *cause >= a; cause = entries_[*cause].after) {
    if (*cause == a) return true;
  }
  if (first.event.node == second.event.node) return first.in_sequence && second.in_sequence;
  return !first.doubtful && !second.doubtful && first.high < second.low;
}

void Timeline::group_entries() {
  std::vector<size_t> run;  // entries of the group so far
  WallTime highest{kFirstTime};
  size_t groups = 0;
  const auto overlaps = [&](size_t other, size_t i) {
    return entries_[i].low <= entries_[other].high && !before(other, i);
  };
  const auto joins = [&](size_t i) {
    if (run.size() > kLookBack) return entries_[i].low <= highest;
    return std::any_of(run.begin(), run.end(), [&](size_t other) { return overlaps(other, i); });
  };
  const auto close = [&] {
    for (const size_t i : run) {
      if (run.size() > 1) entries_[i].group = groups;
    }
    groups += run.size() > 1 ? 1 : 0;
    run.clear();
    highest = {kFirstTime};
  };
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].clock_known || entries_[i].doubtful) continue;
    if (!joins(i)) close();
    run.push_back(i);
    highest = std::max(highest, entries_[i].high);
  }
  close();
}

}  // namespace nines::timeline
