#include "caret.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "nines/base/utf.hpp"

namespace nines::query {
namespace {

constexpr size_t kShown = 100;  // characters of a long line

struct Place {
  size_t line = 0, column = 0;
  size_t length = 0;  // of the text that tells it
};

std::optional<Place> place_of(std::string_view message) {
  constexpr std::string_view kLine = "line ";
  constexpr std::string_view kColumn = ", column ";
  if (!message.starts_with(kLine)) return std::nullopt;
  const char* const begin = message.data();
  const char* const end = begin + message.size();
  Place place;
  const auto line = std::from_chars(begin + kLine.size(), end, place.line);
  const size_t at = static_cast<size_t>(line.ptr - begin);
  if (line.ec != std::errc() || !message.substr(at).starts_with(kColumn)) return std::nullopt;
  const auto column = std::from_chars(begin + at + kColumn.size(), end, place.column);
  place.length = static_cast<size_t>(column.ptr - begin);
  if (column.ec != std::errc() || !message.substr(place.length).starts_with(": ")) {
    return std::nullopt;
  }
  place.length += 2;
  return place;
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Offset of a character of the line, counted from 0.
size_t offset_of(std::string_view line, size_t character) {
  size_t at = 0;
  for (; character > 0 && at < line.size(); --character) {
    do ++at;
    while (at < line.size() && continues(line[at]));
  }
  return at;
}

}  // namespace

Error with_caret(std::string_view source, const Error& error) {
  const auto place = place_of(error.message);
  if (!place) return error;
  std::string_view line = source;
  for (size_t n = 1; n < place->line; ++n)
    line.remove_prefix(std::min(line.find('\n') + 1, line.size()));
  line = line.substr(0, line.find('\n'));
  size_t column = place->column - 1;
  // Of a long line what stands around the place.
  const size_t skip = column > kShown / 2 && line.size() > kShown ? column - kShown / 2 : 0;
  std::string shown(line.substr(offset_of(line, skip)));
  const bool cut = offset_of(shown, kShown) < shown.size();
  shown.resize(offset_of(shown, kShown));
  column -= skip;
  // Tabs and other control characters would move the caret.
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  std::string message = error.message + "\n  " + (skip > 0 ? "..." : "") + shown +
                        (cut ? "..." : "") + "\n  " +
                        std::string(column + (skip > 0 ? 3 : 0), ' ') + "^";
  return {error.code, std::move(message), error.sys_errno};
}

std::string without_place(std::string_view message) {
  const auto place = place_of(message);
  return std::string(place ? message.substr(place->length) : message);
}

}  // namespace nines::query
