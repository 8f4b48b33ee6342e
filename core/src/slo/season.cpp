#include "nines/slo/season.hpp"

#include <algorithm>
#include <vector>

namespace nines::slo {
namespace {

constexpr size_t kWeeks = 13;
constexpr double kPriorBad = 1;

struct Cell {
  std::array<int64_t, kWeeks> total{}, bad{};
  size_t weeks = 0;
};

double middle(const Cell& cell) {
  // Not in the array: g++ for 32-bit ARM takes the sort of a part of it for one beyond its end.
  std::vector<int64_t> sorted(cell.total.begin(),
                              cell.total.begin() + static_cast<std::ptrdiff_t>(cell.weeks));
  std::sort(sorted.begin(), sorted.end());
  const size_t half = cell.weeks / 2;
  const auto upper = static_cast<double>(sorted[half]);
  return cell.weeks % 2 == 1 ? upper : (static_cast<double>(sorted[half - 1]) + upper) / 2;
}

// Sums of the cell without its worst week.
ForecastSlot usual(const Cell& cell) {
  size_t worst = cell.weeks;
  if (cell.weeks >= 3) {
    worst = 0;
    for (size_t i = 1; i < cell.weeks; ++i) {
      const double here = static_cast<double>(cell.bad[i]) * static_cast<double>(cell.total[worst]);
      const double there =
          static_cast<double>(cell.bad[worst]) * static_cast<double>(cell.total[i]);
      if (here > there) worst = i;
    }
  }
  ForecastSlot sum;
  for (size_t i = 0; i < cell.weeks; ++i) {
    if (i == worst) continue;
    sum.bad += cell.bad[i];
    sum.good += cell.total[i] - cell.bad[i];
  }
  return sum;
}

}  // namespace

std::optional<Season> Season::learn(std::span<const ForecastSlot> hours, int64_t first_hour) {
  if (hours.size() < kMinHours) return std::nullopt;
  const size_t skip = hours.size() - std::min(hours.size(), kWeeks * kCells);
  std::array<Cell, kCells> cells;
  for (size_t i = skip; i < hours.size(); ++i) {
    if (hours[i].gap) continue;
    Cell& cell = cells[cell_of(first_hour + static_cast<int64_t>(i))];
    cell.total[cell.weeks] = hours[i].total();
    cell.bad[cell.weeks++] = hours[i].bad;
  }
  std::array<ForecastSlot, kCells> sums;
  double bad = 0, total = 0;
  for (size_t c = 0; c < kCells; ++c) {
    if (cells[c].weeks == 0) return std::nullopt;
    sums[c] = usual(cells[c]);
    bad += static_cast<double>(sums[c].bad);
    total += static_cast<double>(sums[c].total());
  }
  Season season;
  double weighted = 0, weight = 0;
  for (size_t c = 0; c < kCells; ++c) {
    const double expected = total > 0 ? static_cast<double>(sums[c].total()) * bad / total : 0;
    season.traffic_[c] = middle(cells[c]);
    season.shape_[c] = (static_cast<double>(sums[c].bad) + kPriorBad) / (expected + kPriorBad);
    weighted += season.traffic_[c] * season.shape_[c];
    weight += season.traffic_[c];
  }
  if (weight <= 0) return std::nullopt;
  for (double& shape : season.shape_) shape *= weight / weighted;
  return season;
}

}  // namespace nines::slo
