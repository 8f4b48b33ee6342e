// Errors that show the place: the line of the statement with a caret below.
#pragma once

#include <string>
#include <string_view>

#include "nines/base/result.hpp"

namespace nines::query {

// Of an error that begins with "line L, column C: "; others stay as they are.
Error with_caret(std::string_view source, const Error& error);
// The message without its place.
std::string without_place(std::string_view message);

}  // namespace nines::query
