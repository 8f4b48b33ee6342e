// What the tests of statements share: a fixed now, the plan or the error as text.
#pragma once

#include <string>
#include <string_view>

#include "nines/query/plan.hpp"

namespace nines::query::test {

// 2026-11-21T10:00:00Z
inline constexpr WallTime kNow = WallTime::from_s(1795255200);

inline std::string plan_of(std::string_view sql, bool native = true) {
  const auto statement = parse_statement(sql, {kNow, native});
  return statement.ok() ? explain(*statement) : "error: " + statement.error().message;
}

inline std::string error_of(std::string_view sql) {
  const auto statement = parse_statement(sql, {kNow, true});
  return statement.ok() ? "no error:\n" + explain(*statement) : statement.error().message;
}

}  // namespace nines::query::test
