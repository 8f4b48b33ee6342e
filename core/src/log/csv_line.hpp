// Cells of one CSV line; shared with format detection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nines::log {

inline constexpr std::string_view kCsvDelimiters = ",;\t|";
inline constexpr size_t kMaxCsvColumns = 1024;

struct CsvCell {
  std::string_view text;  // without the quotes around it
  bool quoted = false;
  bool doubled = false;  // quotes within are doubled
};
enum class CsvStep : uint8_t {
  more,    // another cell follows
  last,    // it was the last one
  open,    // its quote is not closed
  broken,  // something stands between its closing quote and the delimiter
};
// The cell at the start of `rest`, which moves behind it and its delimiter.
CsvStep next_csv_cell(std::string_view& rest, char delimiter, CsvCell& out) noexcept;

// Cells of a line; 0 when its quotes are open or broken, or it has more than kMaxCsvColumns.
size_t csv_columns(std::string_view line, char delimiter) noexcept;
// The names in a header line; false when it is none.
bool csv_names(std::string_view header, char delimiter, std::vector<std::string>& out);
// The delimiter with which `line` is a header of three or more distinct names; 0: with none.
char csv_delimiter(std::string_view line);

}  // namespace nines::log
