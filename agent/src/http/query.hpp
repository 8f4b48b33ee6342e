// Parameters of a request's query, "a=1&b=2".
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace nines::agent::http {

// As sent; empty when absent.
inline std::string_view parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      return pair.substr(name.size() + 1);
    }
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
  }
  return {};
}

// What a broken escape stands for is empty.
inline std::string decoded_parameter(std::string_view query, std::string_view name) {
  std::string out;
  return percent_decode(parameter(query, name), out) ? out : std::string();
}

}  // namespace nines::agent::http
