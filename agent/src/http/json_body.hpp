// The body of a POST: one JSON object whose members are all known, taken out one by one. Errors are
// `invalid_argument` and name the member.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/slo/changes.hpp"

namespace nines::agent::http {

// RFC 3339 with its zone, such as 2026-11-21T10:00:00Z.
std::optional<WallTime> zoned_time(std::string_view given);

class JsonBody {
 public:
  static Result<JsonBody> parse(const std::string& text,
                                std::initializer_list<std::string_view> known);
  // What is missing, or null, is empty.
  Result<std::string> text(const char* key) const;
  Result<bool> flag(const char* key) const;
  Result<WallTime> time(const char* key) const;  // RFC 3339 with its zone
  // {"details": {"key": "value"}}; numbers are taken as they are written.
  Result<slo::Details> details() const;

 private:
  struct Tree;
  std::shared_ptr<const Tree> tree_;
};

}  // namespace nines::agent::http
