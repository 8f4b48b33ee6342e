#include "view/table.hpp"

#include <algorithm>

#include "nines/base/contract.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kMinFirst = 8;

// Columns that are left out have width 0.
size_t total_width(const std::vector<size_t>& widths) {
  size_t total = 0;
  for (const size_t w : widths) total += w == 0 ? 0 : w + kGap;
  return total == 0 ? 0 : total - kGap;
}

void trim_right(std::string& line, size_t from) {
  while (line.size() > from && line.back() == ' ') line.pop_back();
}

}  // namespace

std::vector<size_t> Table::natural_widths() const {
  std::vector<size_t> widths;
  for (const Column& column : columns_) widths.push_back(display_width(column.title));
  for (const auto& row : rows_) {
    NINES_ASSERT(row.size() == columns_.size());
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i].text));
    }
  }
  return widths;
}

void Table::render_row(std::string& out, const std::vector<Cell>& row,
                       const std::vector<size_t>& widths, bool color) const {
  const size_t start = out.size();
  bool first = true;
  for (size_t i = 0; i < row.size(); ++i) {
    if (widths[i] == 0) continue;
    if (!first) out.append(kGap, ' ');
    first = false;
    const std::string text = fit(row[i].text, widths[i]);
    const std::string cell =
        columns_[i].right ? pad_left(text, widths[i]) : pad_right(text, widths[i]);
    const bool painted = color && *row[i].color != '\0';
    if (painted) out.append("\x1b[").append(row[i].color).append("m");
    out += cell;
    if (painted) out += "\x1b[0m";
  }
  trim_right(out, start);
  out += '\n';
}

std::string Table::render(size_t width, bool color) const {
  std::vector<size_t> widths = natural_widths();
  std::vector<size_t> by_drop(columns_.size());
  for (size_t i = 0; i < by_drop.size(); ++i) by_drop[i] = i;
  std::stable_sort(by_drop.begin(), by_drop.end(),
                   [&](size_t a, size_t b) { return columns_[a].drop > columns_[b].drop; });
  for (const size_t i : by_drop) {
    if (total_width(widths) <= width || columns_[i].drop == 0) break;
    // Names may be long: cutting the first column to a readable rest is better than losing facts.
    const size_t excess = total_width(widths) - width;
    if (widths[0] >= excess + 3 * kMinFirst) break;
    widths[i] = 0;
  }
  const size_t total = total_width(widths);
  if (total > width) {
    const size_t excess = total - width;
    widths[0] =
        widths[0] > excess + kMinFirst ? widths[0] - excess : std::min(widths[0], kMinFirst);
  }
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.push_back({column.title, "1"});
  std::string out;
  render_row(out, titles, widths, color);
  for (const auto& row : rows_) render_row(out, row, widths, color);
  return out;
}

}  // namespace nines::agent::view
