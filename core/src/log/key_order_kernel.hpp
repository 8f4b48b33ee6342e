// The walk of KeyOrder over vectors of any width. Included by one file for each instruction set,
// which defines `V` (as Bytes16 of scan.hpp, with kBytes) first and compiles this for its target.
#pragma once

#include <bit>

#include "log/key_order.hpp"

namespace nines::log {
namespace {

// Behind how many bytes the first of `ends` is. REQUIRES one.
inline int first_of(uint64_t ends) noexcept { return std::countr_zero(ends) / V::kBits; }

// Whether the first of `ends`, found in the vector at `at`, is the end of `value` that was
// expected. Says so by a branch and not by computing where it is.
inline bool as_expected(const KeyMember& member, const char* value, const char* at,
                        uint64_t ends) noexcept {
  const int within = member.length % V::kBytes;
  return member.is(KeyMember::kFixed) && at + within == value + member.length &&
         ends << (63 - within * V::kBits) == uint64_t{1} << 63;
}

inline bool opens(char c) noexcept { return c == '"' || c == '{' || c == '['; }

KeyWalk walk_members(const KeyMember*& member, const KeyMember* behind, const char*& from,
                     const char* end, Collector& out) {
  if (end - from < V::kBytes) return KeyWalk::stopped;
  const char* const last = end - V::kBytes;  // where a vector may begin
  const char* at = from;
  for (const KeyMember* m = member; m != behind; ++m) {
    from = at;
    member = m;
    if (at > last) return KeyWalk::stopped;
    const uint64_t same = V::load(at).eq(V::load(m->lead)).mask();
    if (static_cast<unsigned>(std::countr_zero(~same & V::kAll)) / V::kBits < m->size &&
        (m->size <= V::kBytes || !m->leads(at, end))) {
      return KeyWalk::different;
    }
    at += m->size;
    const char* const value = at;
    if (m->is(KeyMember::kText)) {
      uint64_t ends = 0;
      for (;; at += V::kBytes) {
        if (at > last) return KeyWalk::stopped;
        const V bytes = V::load(at);
        ends = (bytes.eq('"') | bytes.eq('\\')).mask();
        if (ends != 0) break;
      }
      at = as_expected(*m, value, at, ends) ? value + m->length : at + first_of(ends);
      if (*at != '"') return KeyWalk::stopped;
    } else {
      if (m->is(KeyMember::kLast)) return at == end ? KeyWalk::complete : KeyWalk::different;
      if (at > last) return KeyWalk::stopped;
      const V bytes = V::load(at);
      const uint64_t ends = (bytes.eq(',') | bytes.with_bit5().eq('}') | bytes.at_most(' ')).mask();
      if (ends == 0) return KeyWalk::stopped;
      at = as_expected(*m, value, at, ends) ? value + m->length : at + first_of(ends);
      if (at == value || opens(*value) || !ends_literal(*at)) return KeyWalk::stopped;
    }
    if (m->key == nullptr) continue;
    out.offer(*m->key, {m->is(KeyMember::kText) ? RawValue::Kind::string : RawValue::Kind::literal,
                        false, between(value, at)});
    if (out.complete()) return KeyWalk::complete;
  }
  return KeyWalk::different;
}

}  // namespace
}  // namespace nines::log
