// How a table is to look, as a request says: width=, color=1.
#pragma once

#include <algorithm>
#include <charconv>
#include <string_view>

#include "http/query.hpp"
#include "view/status_table.hpp"

namespace nines::agent::http {

inline view::TableOptions table_options(std::string_view query) {
  view::TableOptions options;
  const std::string_view width = parameter(query, "width");
  std::from_chars(width.data(), width.data() + width.size(), options.width);
  options.width = std::clamp<size_t>(options.width, 40, 400);
  options.color = parameter(query, "color") == "1";
  return options;
}

}  // namespace nines::agent::http
