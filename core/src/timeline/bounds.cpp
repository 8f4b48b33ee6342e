#include "timeline/bounds.hpp"

#include <algorithm>
#include <deque>

namespace nines::timeline {
namespace {

// Hands values along chains and causes until nothing changes. Without circles every event changes
// a few times at most; the budget only stops what goes around.
class Spread {
 public:
  Spread(size_t events, size_t causes) : budget_(64 * (uint64_t{events} + causes) + 1024) {}

  void push(uint32_t event) { todo_.push_back(event); }
  // step(event) calls push() for each event that it changed.
  template <class Step>
  bool run(Step step) {
    for (uint64_t steps = 0; !todo_.empty(); ++steps) {
      if (steps > budget_) return false;
      const uint32_t event = todo_.front();
      todo_.pop_front();
      step(event);
    }
    return true;
  }

 private:
  uint64_t budget_;
  std::deque<uint32_t> todo_;
};

template <class Do>
void each_effect(const std::vector<Cause>& causes, uint32_t from, Do act) {
  auto it = std::lower_bound(causes.begin(), causes.end(), from,
                             [](const Cause& c, uint32_t f) { return c.from < f; });
  for (; it != causes.end() && it->from == from; ++it) act(it->to);
}

bool raise(std::vector<int64_t>& values, const Bounds& bounds, const std::vector<Cause>& causes,
           int64_t step) {
  Spread spread(values.size(), causes.size());
  const auto lift = [&](uint32_t to, int64_t least) {
    if (to == kNone || values[to] >= least) return;
    values[to] = least;
    spread.push(to);
  };
  for (const Cause& cause : causes) spread.push(cause.from);
  return spread.run([&](uint32_t event) {
    if (values[event] == kFirstTime) return;
    lift(bounds.next[event], values[event]);
    each_effect(causes, event, [&](uint32_t to) { lift(to, values[event] + step); });
  });
}

bool lower_highs(Bounds& bounds, const std::vector<Cause>& by_effect) {
  Spread spread(bounds.high.size(), by_effect.size());
  const auto lower = [&](uint32_t to, int64_t most) {
    if (to == kNone || bounds.high[to] <= most) return;
    bounds.high[to] = most;
    spread.push(to);
  };
  for (const Cause& turned : by_effect) spread.push(turned.from);
  return spread.run([&](uint32_t event) {
    if (bounds.high[event] == kLastTime) return;
    lower(bounds.previous[event], bounds.high[event]);
    each_effect(by_effect, event, [&](uint32_t to) { lower(to, bounds.high[event] - 1); });
  });
}

}  // namespace

bool narrow(Bounds& bounds, std::vector<Cause> causes) {
  if (causes.empty()) return true;
  const auto by_from = [](const Cause& a, const Cause& b) { return a.from < b.from; };
  std::sort(causes.begin(), causes.end(), by_from);
  std::vector<Cause> turned;
  turned.reserve(causes.size());
  for (const Cause& cause : causes) turned.push_back({cause.to, cause.from});
  std::sort(turned.begin(), turned.end(), by_from);

  Bounds narrowed = bounds;
  if (!raise(narrowed.low, bounds, causes, 0) || !lower_highs(narrowed, turned)) return false;
  for (size_t i = 0; i < narrowed.likely.size(); ++i) {
    const auto [low, high] = std::minmax(narrowed.low[i], narrowed.high[i]);
    narrowed.likely[i] = std::clamp(narrowed.likely[i], low, high);
  }
  if (!raise(narrowed.likely, bounds, causes, 1)) return false;
  bounds = std::move(narrowed);
  return true;
}

}  // namespace nines::timeline
