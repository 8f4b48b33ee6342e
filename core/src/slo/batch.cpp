#include "nines/slo/batch.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace nines::slo {
namespace {

template <class T>
T capped_sum(T a, T b) {
  const T room = std::numeric_limits<T>::max() - a;
  return b > room ? std::numeric_limits<T>::max() : static_cast<T>(a + b);
}

template <class T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  if (to.empty()) {
    to = std::move(from);
    return;
  }
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

// Sorts by `key` (stably) and folds neighbours with equal keys by `fold(kept, next)`.
template <class Vector, class Key, class Fold>
void fold_equal(Vector& v, Key key, Fold fold) {
  std::stable_sort(v.begin(), v.end(),
                   [&](const auto& a, const auto& b) { return key(a) < key(b); });
  size_t kept = 0;
  for (size_t i = 1; i < v.size(); ++i) {
    if (key(v[kept]) == key(v[i])) {
      fold(v[kept], v[i]);
    } else if (++kept != i) {
      v[kept] = std::move(v[i]);
    }
  }
  if (!v.empty()) v.resize(kept + 1);
}

void fold_bins(std::vector<std::pair<uint16_t, uint32_t>>& bins) {
  fold_equal(
      bins, [](const auto& b) { return b.first; },
      [](auto& kept, const auto& next) { kept.second = capped_sum(kept.second, next.second); });
}

// 0 means "none", also beside times before 1970.
WallTime newer(WallTime a, WallTime b) {
  if (a == WallTime{}) return b;
  if (b == WallTime{}) return a;
  return std::max(a, b);
}

}  // namespace

bool Batch::empty() const noexcept {
  return slots.empty() && sketches.empty() && positions.empty() && groups.empty() && late == 0 &&
         dropped_late == 0 && skewed == 0 && max_event_time == WallTime{};
}

void Batch::take(Batch&& other) {
  append(slots, std::move(other.slots));
  append(sketches, std::move(other.sketches));
  append(positions, std::move(other.positions));
  append(groups, std::move(other.groups));
  late += other.late;
  dropped_late += other.dropped_late;
  skewed += other.skewed;
  max_event_time = newer(max_event_time, other.max_event_time);
  other = Batch{};
}

void Batch::merge(Batch&& other) {
  take(std::move(other));
  normalize();
}

size_t Batch::entries() const noexcept {
  size_t n = slots.size() + positions.size();
  for (const SketchDelta& s : sketches) n += 1 + s.bins.size();
  return n;
}

void Batch::gather(Batch&& other) {
  constexpr size_t kWorthIt = 1024;
  take(std::move(other));
  if (entries() > 2 * normalized_ + kWorthIt) normalize();
}

void Batch::normalize() {
  fold_equal(
      slots, [](const SlotDelta& s) { return std::tuple(s.slo, s.slot); },
      [](SlotDelta& kept, const SlotDelta& next) {
        kept.good += next.good;
        kept.bad += next.bad;
        kept.covered_s = capped_sum(kept.covered_s, next.covered_s);
      });
  fold_equal(
      sketches, [](const SketchDelta& s) { return std::tuple(s.slo, s.hour); },
      [](SketchDelta& kept, SketchDelta& next) { append(kept.bins, std::move(next.bins)); });
  for (SketchDelta& s : sketches) fold_bins(s.bins);
  fold_equal(
      positions, [](const Position& p) -> const std::string& { return p.key; },
      [](Position& kept, Position& next) { kept = std::move(next); });
  normalized_ = entries();
}

}  // namespace nines::slo
