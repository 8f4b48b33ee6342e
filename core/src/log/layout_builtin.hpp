#pragma once

#include "log/layout.hpp"
#include "log/layout_dialects.hpp"

namespace nines::log {

// All programs of a built-in layout, in the order they are tried; none when there is no such name.
Result<Programs> compile_builtin(std::string_view name);

}  // namespace nines::log
