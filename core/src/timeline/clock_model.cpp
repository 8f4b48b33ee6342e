#include "nines/timeline/clock_model.hpp"

#include <algorithm>

#include "timeline/agreement.hpp"
#include "timeline/clock_graph.hpp"

namespace nines::timeline {
namespace {

constexpr int64_t kMostTimeNs = int64_t{1} << 62;  // 1824 to 2116: differences fit 64 bits
constexpr int64_t kMostStretchNs = 86400 * kNsPerSecond;
constexpr size_t kFewRequests = 8;  // less tell nothing when nobody knows who called whom

bool sane(int64_t ns) { return ns > -kMostTimeNs && ns < kMostTimeNs; }
bool sane(const Stretch& s) {
  return sane(s.start.ns) && sane(s.end.ns) && s.start <= s.end && !s.node.empty() &&
         s.end.ns - s.start.ns < kMostStretchNs;
}
bool sane(const Interval& theta) {
  return theta.low > -kMostOffsetNs && theta.high < kMostOffsetNs;
}

}  // namespace

struct ClockModel::Edge : ClockEdge {};

void ClockModel::Ring::add(const Bound& bound) {
  if (bounds.size() < ClockLimits::kBoundsAPair) {
    bounds.push_back(bound);
    return;
  }
  bounds[next] = bound;
  next = (next + 1) % bounds.size();
}

std::optional<ClockModel::NodeId> ClockModel::id_of(std::string_view node) {
  const auto found = ids_.find(node);
  if (found != ids_.end()) return found->second;
  if (ids_.size() >= limits_.max_nodes) {
    ++stats_.left_out;
    return std::nullopt;
  }
  ids_.emplace(std::string(node), next_id_);
  return next_id_++;
}

ClockModel::Pair* ClockModel::pair_of(NodeId& first, NodeId& second, Bound& bound) {
  if (second < first) {
    std::swap(first, second);
    std::swap(bound.low, bound.high);
    bound.low = -bound.low;
    bound.high = -bound.high;
  }
  const auto found = pairs_.find({first, second});
  if (found != pairs_.end()) return &found->second;
  if (pairs_.size() >= limits_.max_pairs) {
    ++stats_.left_out;
    return nullptr;
  }
  return &pairs_[{first, second}];
}

bool ClockModel::add_bound(std::string_view first, std::string_view second, Bound bound,
                           bool span) {
  if (!sane(Interval{bound.low, bound.high})) {
    ++stats_.absurd;
    return false;
  }
  auto a = id_of(first);
  auto b = id_of(second);
  if (!a || !b) return false;
  Pair* const pair = pair_of(*a, *b, bound);
  if (pair == nullptr) return false;
  (span ? pair->spans : pair->requests).add(bound);
  return true;
}

bool ClockModel::add_exchange(std::string_view by, std::string_view of, int64_t offset_ns,
                              int64_t uncertainty_ns, WallTime now) {
  if (by == of || by.empty() || of.empty() || !sane(now.ns) || uncertainty_ns < 0 ||
      uncertainty_ns > kMostStretchNs || offset_ns < -kMostOffsetNs || offset_ns > kMostOffsetNs ||
      !sane(Interval{offset_ns - uncertainty_ns, offset_ns + uncertainty_ns})) {
    ++stats_.absurd;
    return false;
  }
  auto a = id_of(by);
  auto b = id_of(of);
  if (!a || !b) return false;
  Bound bound{offset_ns - uncertainty_ns, offset_ns + uncertainty_ns, now.ns, 0};
  Pair* const pair = pair_of(*a, *b, bound);
  if (pair == nullptr) return false;
  ++stats_.exchanges;
  if (pair->exchange) {
    const Bound& old = *pair->exchange;
    const int64_t drift = (now.ns - old.at) / kDriftDivisor;
    const bool agrees = old.low - drift <= bound.high && bound.low <= old.high + drift;
    if (agrees && old.high - old.low + 2 * drift < bound.high - bound.low) return true;
  }
  pair->exchange = bound;
  return true;
}

bool ClockModel::add_span(const Stretch& parent, const Stretch& child, WallTime now) {
  if (parent.node == child.node) return false;
  // What lasts longer than its caller was not waited for: it bounds nothing.
  if (!sane(parent) || !sane(child) || !sane(now.ns) ||
      child.end.ns - child.start.ns > parent.end.ns - parent.start.ns) {
    ++stats_.absurd;
    return false;
  }
  const Bound bound{child.end.ns - parent.end.ns, child.start.ns - parent.start.ns, now.ns, 0};
  if (!add_bound(parent.node, child.node, bound, true)) return false;
  ++stats_.spans;
  return true;
}

bool ClockModel::add_request(const std::vector<Stretch>& nodes, WallTime now) {
  if (nodes.size() < 2) return false;
  if (nodes.size() > ClockLimits::kNodesARequest) {
    ++stats_.left_out;
    return false;
  }
  if (!sane(now.ns) || !std::all_of(nodes.begin(), nodes.end(), [](auto& s) { return sane(s); })) {
    ++stats_.absurd;
    return false;
  }
  const auto length = [](const Stretch& s) { return s.end.ns - s.start.ns; };
  const Stretch& root =
      *std::max_element(nodes.begin(), nodes.end(), [&](const Stretch& a, const Stretch& b) {
        return length(a) != length(b) ? length(a) < length(b) : b.node < a.node;
      });
  bool any = false;
  for (const Stretch& other : nodes) {
    if (other.node == root.node) continue;
    const Bound bound{other.end.ns - root.end.ns, other.start.ns - root.start.ns, now.ns,
                      length(root)};
    any |= add_bound(root.node, other.node, bound, false);
  }
  stats_.requests += any ? 1 : 0;
  return any;
}

void ClockModel::forget(std::string_view node) {
  const auto found = ids_.find(node);
  if (found == ids_.end()) return;
  std::erase_if(pairs_, [id = found->second](const auto& pair) {
    return pair.first.first == id || pair.first.second == id;
  });
  ids_.erase(found);
}

namespace {

template <class Bounds>
std::vector<Interval> aged(const Bounds& bounds, int64_t now) {
  std::vector<Interval> out;
  out.reserve(bounds.size());
  for (const auto& bound : bounds) {
    const int64_t drift = std::max<int64_t>(0, now - bound.at) / kDriftDivisor;
    out.push_back({bound.low - drift, bound.high + drift});
  }
  return out;
}

int64_t middle(const Interval& interval) {
  return interval.low + (interval.high - interval.low) / 2;
}

// Where a pair most likely is, as if no clock drifted (they hardly do, and the newest bounds alone
// would say little), and where it can be if they do.
template <class Bounds>
std::optional<Agreement> agree_on(const Bounds& bounds, int64_t now) {
  std::vector<Interval> undrifted;
  undrifted.reserve(bounds.size());
  for (const auto& bound : bounds) undrifted.push_back({bound.low, bound.high});
  const auto likely = agree(undrifted);
  if (!likely) return std::nullopt;
  return Agreement{likely->best, agree(aged(bounds, now))->plausible, likely->spread};
}

template <class Bounds>
int64_t median_extent(const Bounds& bounds) {
  std::vector<int64_t> extents;
  extents.reserve(bounds.size());
  for (const auto& bound : bounds) extents.push_back(bound.extent);
  const auto middle = extents.begin() + static_cast<ptrdiff_t>(extents.size() / 2);
  std::nth_element(extents.begin(), middle, extents.end());
  return *middle;
}

}  // namespace

std::optional<ClockModel::Edge> ClockModel::edge_of(const Pair& pair, int64_t now) {
  using Source = NodeClock::Source;
  Edge edge;
  const auto spans = agree_on(pair.spans.bounds, now);
  if (pair.exchange) {
    edge.theta = aged(std::vector<Bound>{*pair.exchange}, now).front();
    edge.source = Source::exchange;
    if (spans) {  // both are true: what both allow; if they contradict, who measured is right
      const Interval both{std::max(edge.theta.low, spans->plausible.low),
                          std::min(edge.theta.high, spans->plausible.high)};
      if (both.low <= both.high) edge.theta = both;
    }
    edge.likely = middle(edge.theta);
    edge.spread = (edge.theta.high - edge.theta.low) / 2;
    return edge;
  }
  if (spans) {
    edge.theta = spans->plausible;
    edge.likely = std::clamp(middle(spans->best), edge.theta.low, edge.theta.high);
    edge.spread = spans->spread;
    edge.source = Source::spans;
    return edge;
  }
  if (pair.requests.bounds.size() < kFewRequests) return std::nullopt;
  const auto requests = agree_on(pair.requests.bounds, now);
  const int64_t extent = median_extent(pair.requests.bounds);
  edge.theta = {requests->plausible.low - extent, requests->plausible.high + extent};
  edge.likely = std::clamp(middle(requests->best), edge.theta.low, edge.theta.high);
  edge.spread = (edge.theta.high - edge.theta.low) / 2;
  edge.source = Source::requests;
  return edge;
}

std::vector<NodeClock> ClockModel::solve(std::string_view reference, WallTime now) const {
  std::vector<const std::string*> names;
  std::map<NodeId, size_t> places;
  const std::string reference_name(reference);
  size_t first = 0;
  if (!ids_.contains(reference)) names.push_back(&reference_name);
  for (const auto& [name, id] : ids_) {
    if (name == reference) first = names.size();
    places[id] = names.size();
    names.push_back(&name);
  }
  std::vector<ClockEdge> edges;
  for (const auto& [ends, pair] : pairs_) {
    auto edge = edge_of(pair, now.ns);
    if (!edge) continue;
    edge->from = places[ends.first];
    edge->to = places[ends.second];
    edges.push_back(*edge);
  }
  std::vector<NodeClock> out(names.size());
  std::vector<bool> done(names.size());
  size_t component = 0;
  for (size_t next = 0, start = first; start < names.size(); ++component) {
    const auto solved = solve_clocks(names.size(), edges, start);
    for (size_t i = 0; i < solved.size(); ++i) {
      if (!solved[i].reached) continue;
      out[i] = {*names[i], now, solved[i].offset, std::nullopt, component, solved[i].source};
      if (component == 0) out[i].uncertainty_ns = solved[i].uncertainty;
      done[i] = true;
    }
    while (next < names.size() && done[next]) ++next;
    start = next;
  }
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.node < b.node; });
  return out;
}

ClockModel::Stats ClockModel::stats() const noexcept {
  Stats out = stats_;
  out.nodes = ids_.size();
  out.pairs = pairs_.size();
  for (const auto& [name, id] : ids_) out.memory_bytes += name.capacity() + 96;
  for (const auto& [ends, pair] : pairs_) {
    out.memory_bytes += sizeof ends + sizeof pair + 48;
    out.memory_bytes +=
        (pair.spans.bounds.capacity() + pair.requests.bounds.capacity()) * sizeof(Bound);
  }
  return out;
}

}  // namespace nines::timeline
