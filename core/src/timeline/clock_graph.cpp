#include "timeline/clock_graph.hpp"

#include <algorithm>
#include <cmath>

namespace nines::timeline {
namespace {

constexpr double kLeastWidthNs = 10'000;  // weights of least squares: nothing is surer than 10 us

int64_t plus(int64_t a, int64_t b) { return std::clamp(a + b, -kMostOffsetNs, kMostOffsetNs); }

// An edge as seen from one of its ends.
struct Way {
  size_t from, to;
  int64_t low, high;
  NodeClock::Source source;
};

std::vector<Way> ways_of(const std::vector<ClockEdge>& edges) {
  std::vector<Way> ways;
  ways.reserve(2 * edges.size());
  for (const ClockEdge& e : edges) {
    ways.push_back({e.from, e.to, e.theta.low, e.theta.high, e.source});
    ways.push_back({e.to, e.from, -e.theta.high, -e.theta.low, e.source});
  }
  return ways;
}

struct Reach {
  Interval offset;
  NodeClock::Source source = NodeClock::Source::nothing;
  bool reached = false;
  int64_t width() const { return offset.high - offset.low; }
  bool better_than(const Reach& o) const {
    return source != o.source ? source < o.source : width() < o.width();
  }
};

// The way with the best sources, then the least uncertainty, to each node (Bellman-Ford: graphs are
// small, order fixed).
std::vector<Reach> least_uncertain(size_t nodes, const std::vector<Way>& ways, size_t reference) {
  std::vector<Reach> out(nodes);
  out[reference] = {{0, 0}, NodeClock::Source::reference, true};
  bool changed = true;
  for (size_t round = 0; changed && round < nodes; ++round) {
    changed = false;
    for (const Way& way : ways) {
      const Reach& from = out[way.from];
      if (!from.reached) continue;
      const Reach next{{plus(from.offset.low, way.low), plus(from.offset.high, way.high)},
                       std::max(from.source, way.source),
                       true};
      if (out[way.to].reached && !next.better_than(out[way.to])) continue;
      out[way.to] = next;
      changed = true;
    }
  }
  return out;
}

// The tightest bounds over all ways, low and high each by its own; a weak source never tightens
// what better ones say. False: bounds contradict each other, and `out` is as it was.
bool tighten(std::vector<Reach>& out, const std::vector<Way>& ways) {
  std::vector<Reach> tight = out;
  bool changed = true;
  for (size_t round = 0; changed; ++round) {
    if (round > out.size()) return false;  // around a circle it gets ever tighter
    changed = false;
    for (const Way& way : ways) {
      const Reach& from = tight[way.from];
      Reach& to = tight[way.to];
      if (!from.reached || std::max(from.source, way.source) > to.source) continue;
      const Interval next{std::max(to.offset.low, plus(from.offset.low, way.low)),
                          std::min(to.offset.high, plus(from.offset.high, way.high))};
      if (next.low > next.high) return false;
      if (next.low == to.offset.low && next.high == to.offset.high) continue;
      to.offset = next;
      changed = true;
    }
  }
  out = std::move(tight);
  return true;
}

// Normal equations of weighted least squares for what is to be added to `base`, one row a node.
struct Equations {
  explicit Equations(size_t nodes) : n(nodes), cells(nodes * (nodes + 1)) {}
  double& at(size_t row, size_t column) { return cells[row * (n + 1) + column]; }
  size_t n;
  std::vector<double> cells;
};

void add_edge(Equations& eq, const ClockEdge& edge, int64_t residual, size_t reference) {
  const double width = std::max(kLeastWidthNs, static_cast<double>(edge.spread));
  const double weight = kLeastWidthNs * kLeastWidthNs / (width * width);
  for (const bool forth : {true, false}) {
    const size_t here = forth ? edge.to : edge.from, there = forth ? edge.from : edge.to;
    if (here == reference) continue;
    eq.at(here, here) += weight;
    if (there != reference) eq.at(here, there) -= weight;
    eq.at(here, eq.n) += weight * static_cast<double>(forth ? residual : -residual);
  }
}

// Gauss; the matrix is that of a grounded graph: symmetric, positive definite where it is
// connected.
std::vector<double> eliminate(Equations& eq) {
  const size_t n = eq.n;
  for (size_t i = 0; i < n; ++i) {
    if (eq.at(i, i) <= 0) eq.at(i, i) = 1;  // reference, or of another component
    for (size_t j = i + 1; j < n; ++j) {
      if (eq.at(j, i) == 0) continue;
      const double factor = eq.at(j, i) / eq.at(i, i);
      for (size_t k = i; k <= n; ++k) eq.at(j, k) -= factor * eq.at(i, k);
    }
  }
  std::vector<double> x(n);
  for (size_t i = n; i-- > 0;) {
    double rest = eq.at(i, n);
    for (size_t k = i + 1; k < n; ++k) rest -= eq.at(i, k) * x[k];
    x[i] = rest / eq.at(i, i);
  }
  return x;
}

std::vector<double> corrections(const std::vector<Reach>& base, const std::vector<ClockEdge>& edges,
                                size_t reference) {
  Equations eq(base.size());
  for (const ClockEdge& edge : edges) {
    const Reach &from = base[edge.from], &to = base[edge.to];
    if (!from.reached || !to.reached) continue;
    const int64_t between = (to.offset.low + to.width() / 2) - (from.offset.low + from.width() / 2);
    add_edge(eq, edge, edge.likely - between, reference);
  }
  return eliminate(eq);
}

}  // namespace

std::vector<SolvedClock> solve_clocks(size_t nodes, const std::vector<ClockEdge>& edges,
                                      size_t reference) {
  const std::vector<Way> ways = ways_of(edges);
  std::vector<Reach> reach = least_uncertain(nodes, ways, reference);
  tighten(reach, ways);
  const std::vector<double> more = corrections(reach, edges, reference);
  std::vector<SolvedClock> out(nodes);
  for (size_t i = 0; i < nodes; ++i) {
    const Reach& r = reach[i];
    if (!r.reached) continue;
    const double half = static_cast<double>(r.width());  // clamped anyway
    const auto by = static_cast<int64_t>(std::llround(std::clamp(more[i], -half, half)));
    const int64_t offset =
        std::clamp(r.offset.low + r.width() / 2 + by, r.offset.low, r.offset.high);
    out[i] = {offset, std::max(offset - r.offset.low, r.offset.high - offset), r.source, true};
  }
  return out;
}

}  // namespace nines::timeline
