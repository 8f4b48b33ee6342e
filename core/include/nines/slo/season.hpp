// Season: the usual week of one SLO, learned from its hours: 168 cells (hour of the week, UTC, cell
// 0 is Monday 00:00), each with its usual traffic and how the share of bad events there compares
// with that of the whole week.
//
//   traffic  median over the weeks (mean of two)
//   shape    (bad + 1) / (expected bad + 1) of the cell, where expected bad = its events at the
//            share of the whole week; the worst week of each cell is left out from three weeks on,
//            so that one incident is not taken for a habit. Scaled so that the mean, weighted by
//            traffic, is 1: how bad it is now is told by the present, not by the season.
// Fixed size, plain data, deterministic (+ - * / only).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace nines::slo {

struct ForecastSlot {
  int64_t good = 0, bad = 0;
  bool gap = false;  // the logs of it are not known: tells nothing
  // Of reserved times (exclusions.hpp): bad events, which are not in `bad`, and whether it touches
  // one (in sums: how many do).
  int64_t reserved = 0, touching = 0;
  int64_t total() const noexcept { return good + bad; }
  int64_t all() const noexcept { return good + bad + reserved; }
  ForecastSlot& operator+=(const ForecastSlot& o) noexcept { return add(o, 1); }
  ForecastSlot& operator-=(const ForecastSlot& o) noexcept { return add(o, -1); }

 private:
  ForecastSlot& add(const ForecastSlot& o, int64_t sign) noexcept {
    good += sign * o.good;
    bad += sign * o.bad;
    reserved += sign * o.reserved;
    touching += sign * o.touching;
    return *this;
  }
};

class Season {
 public:
  static constexpr size_t kCells = 168;
  static constexpr size_t kMinHours = 2 * kCells;

  // Monday 00:00 UTC is 0; hour = unix seconds / 3600.
  static constexpr size_t cell_of(int64_t unix_hour) {
    const int64_t r = (unix_hour + 72) % static_cast<int64_t>(kCells);  // 1970 began on a Thursday
    return static_cast<size_t>(r < 0 ? r + static_cast<int64_t>(kCells) : r);
  }

  // `hours` begin with unix hour `first_hour`; at most the newest 13 weeks are used. nullopt: fewer
  // than two weeks of them, or a cell that was never known.
  static std::optional<Season> learn(std::span<const ForecastSlot> hours, int64_t first_hour);

  double traffic(size_t cell) const noexcept { return traffic_[cell]; }
  double shape(size_t cell) const noexcept { return shape_[cell]; }

 private:
  std::array<double, kCells> traffic_{}, shape_{};
};

}  // namespace nines::slo
