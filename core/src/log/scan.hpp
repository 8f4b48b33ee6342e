// Byte searches of the hot path. Short runs dominate (keys, values), so the 16-byte loops are
// inline; none reads outside [p, end).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace nines::log {

inline const char* find_byte(const char* p, const char* end, char c) noexcept {
  if (p == end) return end;
  const void* hit = std::memchr(p, c, static_cast<size_t>(end - p));
  return hit != nullptr ? static_cast<const char*>(hit) : end;
}

inline std::string_view between(const char* begin, const char* end) noexcept {
  return {begin, static_cast<size_t>(end - begin)};
}

#if defined(__SSE2__)
#define NINES_BYTES16 1
struct Bytes16 {
  __m128i v;
  static Bytes16 load(const char* p) noexcept {
    return {_mm_loadu_si128(static_cast<const __m128i*>(static_cast<const void*>(p)))};
  }
  static Bytes16 splat(char c) noexcept { return {_mm_set1_epi8(c)}; }
  Bytes16 eq(char c) const noexcept { return {_mm_cmpeq_epi8(v, _mm_set1_epi8(c))}; }
  Bytes16 eq(Bytes16 o) const noexcept { return {_mm_cmpeq_epi8(v, o.v)}; }
  Bytes16 with_bit5() const noexcept { return {_mm_or_si128(v, _mm_set1_epi8(0x20))}; }
  Bytes16 at_most(char c) const noexcept {  // as unsigned bytes
    return {_mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(c)), v)};
  }
  Bytes16 operator|(Bytes16 o) const noexcept { return {_mm_or_si128(v, o.v)}; }
  Bytes16 operator&(Bytes16 o) const noexcept { return {_mm_and_si128(v, o.v)}; }
  // Index of the first matching byte; 16 when there is none.
  unsigned first() const noexcept {
    return static_cast<unsigned>(
        std::countr_zero(static_cast<unsigned>(_mm_movemask_epi8(v)) | 0x10000u));
  }
  // A bit for each matching byte, kBits apart.
  static constexpr int kBytes = 16, kBits = 1;
  uint64_t mask() const noexcept { return static_cast<unsigned>(_mm_movemask_epi8(v)); }
  static constexpr uint64_t kAll = 0xFFFF;  // mask() of sixteen matching bytes
};
#elif defined(__aarch64__)
#define NINES_BYTES16 1
struct Bytes16 {
  uint8x16_t v;
  static Bytes16 load(const char* p) noexcept {
    return {vld1q_u8(static_cast<const uint8_t*>(static_cast<const void*>(p)))};
  }
  static Bytes16 splat(char c) noexcept { return {vdupq_n_u8(static_cast<uint8_t>(c))}; }
  Bytes16 eq(char c) const noexcept { return {vceqq_u8(v, vdupq_n_u8(static_cast<uint8_t>(c)))}; }
  Bytes16 eq(Bytes16 o) const noexcept { return {vceqq_u8(v, o.v)}; }
  Bytes16 with_bit5() const noexcept { return {vorrq_u8(v, vdupq_n_u8(0x20))}; }
  Bytes16 at_most(char c) const noexcept {
    return {vcleq_u8(v, vdupq_n_u8(static_cast<uint8_t>(c)))};
  }
  Bytes16 operator|(Bytes16 o) const noexcept { return {vorrq_u8(v, o.v)}; }
  Bytes16 operator&(Bytes16 o) const noexcept { return {vandq_u8(v, o.v)}; }
  unsigned first() const noexcept {
    // Four bits a byte: the usual substitute for x86's movemask.
    const uint8x8_t narrow = vshrn_n_u16(vreinterpretq_u16_u8(v), 4);
    const uint64_t bits = vget_lane_u64(vreinterpret_u64_u8(narrow), 0);
    return bits == 0 ? 16 : static_cast<unsigned>(std::countr_zero(bits)) / 4;
  }
  static constexpr int kBytes = 16, kBits = 4;
  uint64_t mask() const noexcept {
    const uint8x8_t narrow = vshrn_n_u16(vreinterpretq_u16_u8(v), 4);
    return vget_lane_u64(vreinterpret_u64_u8(narrow), 0) & kAll;
  }
  static constexpr uint64_t kAll = 0x1111'1111'1111'1111;
};
#endif

// First '"' or '\\', or end.
inline const char* find_quote_or_backslash(const char* p, const char* end) noexcept {
#ifdef NINES_BYTES16
  for (; end - p >= 16; p += 16) {
    const Bytes16 bytes = Bytes16::load(p);
    const unsigned at = (bytes.eq('"') | bytes.eq('\\')).first();
    if (at < 16) return p + at;
  }
#endif
  while (p != end && *p != '"' && *p != '\\') ++p;
  return p;
}

// First of " { } [ ], or end.
inline const char* find_structure(const char* p, const char* end) noexcept {
#ifdef NINES_BYTES16
  for (; end - p >= 16; p += 16) {
    const Bytes16 bytes = Bytes16::load(p);
    const Bytes16 lowered = bytes.with_bit5();  // '[' becomes '{', ']' becomes '}'
    const unsigned at = (bytes.eq('"') | lowered.eq('{') | lowered.eq('}')).first();
    if (at < 16) return p + at;
  }
#endif
  while (p != end && *p != '"' && (*p | 0x20) != '{' && (*p | 0x20) != '}') ++p;
  return p;
}

// First of , } ] or white space: where a JSON number or literal ends.
inline bool ends_literal(char c) noexcept {
  return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

inline bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

inline std::string_view trim_right(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}
inline std::string_view trim_left(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

}  // namespace nines::log
