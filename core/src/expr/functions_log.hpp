// Functions that only logs ask for: parts of a time, buckets of time, the template of a message.
#pragma once

#include <span>

#include "coerce.hpp"

namespace nines::expr {

// Start of the bucket of `width_ns` since 1970 that a time (or a text that is one) falls into.
// REQUIRES width_ns > 0.
Value bucket_of(const Value& time, int64_t width_ns) noexcept;

Value fn_timestamp(std::span<const Value> args, Scratch& scratch) noexcept;
Value fn_date_trunc(std::span<const Value> args, Scratch& scratch) noexcept;
Value fn_second(std::span<const Value> args, Scratch& scratch) noexcept;
Value fn_minute(std::span<const Value> args, Scratch& scratch) noexcept;
Value fn_hour(std::span<const Value> args, Scratch& scratch) noexcept;
Value fn_day(std::span<const Value> args, Scratch& scratch) noexcept;
Value fn_month(std::span<const Value> args, Scratch& scratch) noexcept;
Value fn_year(std::span<const Value> args, Scratch& scratch) noexcept;
Value fn_weekday(std::span<const Value> args, Scratch& scratch) noexcept;  // 1: Monday
// The message with what varies replaced by <*>.
Value fn_template(std::span<const Value> args, Scratch& scratch) noexcept;

}  // namespace nines::expr
