// Table: aligned columns that fit a width. Columns with the highest `drop` number leave first; then
// the first column, which grows with its content, is cut.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nines::agent::view {

class Table {
 public:
  struct Column {
    std::string title;
    bool right = false;
    int drop = 0;  // 0: never left out
  };
  struct Cell {
    std::string text;
    const char* color = "";  // ANSI parameters, e.g. "31;1"
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // REQUIRES as many cells as columns.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  std::string render(size_t width, bool color) const;

 private:
  std::vector<size_t> natural_widths() const;
  void render_row(std::string& out, const std::vector<Cell>& row, const std::vector<size_t>& widths,
                  bool color) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace nines::agent::view
