// From the syntax of a log block to its plan.
#pragma once

#include "nines/query/plan.hpp"
#include "syntax.hpp"

namespace nines::query {

// Errc::unsupported: it is right, but operators can't do it; the message says what. `text` is the
// statement, for errors.
Result<Block> compile_block(const BlockSyntax& syntax, std::string_view text, int64_t lateness_ns);

// What SELECT * gives, for the fields of a record can't be known before it is read.
inline constexpr std::string_view kStarFields[] = {"ts", "level", "service", "message", "raw"};

}  // namespace nines::query
