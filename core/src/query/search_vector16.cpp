// LiteralSearch with vectors of 16 bytes: SSSE3, or NEON on arm64.
#include "query/search_impl.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("ssse3"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("ssse3")
#endif

namespace nines::query {
namespace {

struct V {
  using T = __m128i;
  using Mask = uint32_t;
  static constexpr size_t kBytes = 16;
  static constexpr unsigned kShift = 0;
  static constexpr Mask kAll = 0xFFFF;
  static T load(const unsigned char* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  }
  static T splat(uint8_t b) { return _mm_set1_epi8(static_cast<char>(b)); }
  static T equal(T a, T b) { return _mm_cmpeq_epi8(a, b); }
  static T both(T a, T b) { return _mm_and_si128(a, b); }
  static T either(T a, T b) { return _mm_or_si128(a, b); }
  static bool any(T v) { return mask(v) != 0; }  // of comparisons
  static Mask mask(T v) { return static_cast<Mask>(_mm_movemask_epi8(v)); }
  static int trailing_zeros(Mask m) { return __builtin_ctz(m); }
  static T table(const uint8_t* bytes) {
    return _mm_load_si128(reinterpret_cast<const __m128i*>(bytes));
  }
  static T look_up(T table, T nibbles) { return _mm_shuffle_epi8(table, nibbles); }
  static T low(T v) { return _mm_and_si128(v, splat(15)); }
  static T high(T v) { return _mm_and_si128(_mm_srli_epi16(v, 4), splat(15)); }
};

}  // namespace
}  // namespace nines::query

#include "query/search_kernel.hpp"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace nines::query {

LiteralSearch::Impl::Engine vector16_engine(const LiteralSearch::Impl& search) noexcept {
  return __builtin_cpu_supports("ssse3") ? choose_kernel(search) : nullptr;
}

}  // namespace nines::query

#elif defined(__aarch64__)
#include <arm_neon.h>

namespace nines::query {
namespace {

struct V {
  using T = uint8x16_t;
  using Mask = uint64_t;
  static constexpr size_t kBytes = 16;
  static constexpr unsigned kShift = 2;  // four bits a byte, of which one is kept
  static constexpr Mask kAll = 0x8888888888888888;
  static T load(const unsigned char* p) { return vld1q_u8(p); }
  static T splat(uint8_t b) { return vdupq_n_u8(b); }
  static T equal(T a, T b) { return vceqq_u8(a, b); }
  static T both(T a, T b) { return vandq_u8(a, b); }
  static T either(T a, T b) { return vorrq_u8(a, b); }
  static bool any(T v) { return vmaxvq_u8(v) != 0; }
  static Mask mask(T v) {
    const uint8x8_t narrow = vshrn_n_u16(vreinterpretq_u16_u8(v), 4);
    return vget_lane_u64(vreinterpret_u64_u8(narrow), 0) & kAll;
  }
  static int trailing_zeros(Mask m) { return __builtin_ctzll(m); }
  static T table(const uint8_t* bytes) { return vld1q_u8(bytes); }
  static T look_up(T table, T nibbles) { return vqtbl1q_u8(table, nibbles); }
  static T low(T v) { return vandq_u8(v, splat(15)); }
  static T high(T v) { return vshrq_n_u8(v, 4); }
};

}  // namespace
}  // namespace nines::query

#include "query/search_kernel.hpp"

namespace nines::query {

LiteralSearch::Impl::Engine vector16_engine(const LiteralSearch::Impl& search) noexcept {
  return choose_kernel(search);
}

}  // namespace nines::query

#else

namespace nines::query {

LiteralSearch::Impl::Engine vector16_engine(const LiteralSearch::Impl&) noexcept { return nullptr; }

}  // namespace nines::query

#endif
