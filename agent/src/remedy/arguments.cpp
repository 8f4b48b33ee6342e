#include "remedy/arguments.hpp"

#include <algorithm>

namespace nines::agent::remedy {
namespace {

// The next place at or after `from`; empty: there is none. With its braces.
std::string_view next_place(std::string_view text, size_t from) {
  for (size_t open = text.find('{', from); open != std::string_view::npos;
       open = text.find('{', open + 1)) {
    const size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz", open + 1);
    if (end == std::string_view::npos) break;
    if (text[end] == '}' && end > open + 1) return text.substr(open, end + 1 - open);
  }
  return {};
}

std::string_view inside(std::string_view place) { return place.substr(1, place.size() - 2); }

bool is_plain_key(std::string_view key) {
  std::string flat(key);
  std::replace(flat.begin(), flat.end(), '/', '.');
  return is_plain_name(flat);
}

Result<std::string> value_of(std::string_view place, const Order& order, const std::string& node) {
  std::string value;
  if (place == "service") value = order.target.name;
  if (place == "namespace") value = order.target.ns;
  if (place == "node") value = node;
  if (place == "incident") value = order.incident;
  if (place == "key") value = order.key;
  if (place == "key" ? is_plain_key(value) : is_plain_name(value)) return value;
  const std::string name = '{' + std::string(place) + '}';
  return Error{Errc::invalid_argument, value.empty() ? name + " is not known"
                                                     : "what " + name +
                                                           " stands for is no plain "
                                                           "name"};
}

}  // namespace

std::vector<std::string_view> places_in(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::string_view place = next_place(text, 0); !place.empty();) {
    out.push_back(inside(place));
    const auto end = static_cast<size_t>(place.data() - text.data()) + place.size();
    place = next_place(text, end);
  }
  return out;
}

const std::vector<std::string_view>& known_places() {
  static const std::vector<std::string_view> kKnown{"service", "namespace", "node", "incident",
                                                    "key"};
  return kKnown;
}

Result<std::vector<std::string>> filled(const std::vector<std::string>& arguments,
                                        const Order& order, const std::string& node) {
  std::vector<std::string> out;
  for (const std::string_view argument : arguments) {
    std::string& text = out.emplace_back();
    size_t at = 0;
    for (const std::string_view place : places_in(argument)) {
      const auto open = static_cast<size_t>(place.data() - argument.data()) - 1;
      text += argument.substr(at, open - at);
      NINES_TRY(const std::string value, value_of(place, order, node));
      text += value;
      at = open + place.size() + 2;
    }
    text += argument.substr(at);
  }
  return out;
}

}  // namespace nines::agent::remedy
