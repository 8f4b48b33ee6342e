// Numbers of log lines as exact decimals.
#pragma once

#include <string_view>

#include "nines/log/value.hpp"

namespace nines::log {

// Exact decimal where 18 digits do, else the nearest double; text when it is no number.
Value number_value(std::string_view text) noexcept;
// An unsigned integer of at most 18 digits as a number, else null.
Value integer_value(std::string_view text) noexcept;

}  // namespace nines::log
