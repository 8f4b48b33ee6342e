#include "hash.hpp"

#include <string>

#include "nines/query/row.hpp"

namespace nines::query {
namespace {

constexpr uint64_t kTextSeed = 1, kIntegerSeed = 2, kOtherSeed = 3;

}  // namespace

uint64_t hash_value(const Value& value) {
  if (value.kind == ValueKind::text) return hash_bytes(value.text, kTextSeed);
  const bool whole = value.kind == ValueKind::number && value.exponent == 0;
  if (whole) return hash_integer(static_cast<uint64_t>(value.mantissa), kIntegerSeed);
  std::string key;
  append_key(key, value);
  std::string_view rest = key;
  Value canonical;
  read_key(rest, canonical);
  if (canonical.kind == ValueKind::number && canonical.exponent == 0) return hash_value(canonical);
  return hash_bytes(key, kOtherSeed);
}

}  // namespace nines::query
