// LiteralSearch with AVX2. Everything between push and pop is compiled for it, and reached only
// where the processor has it.
#include "query/search_impl.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi")
#endif

namespace nines::query {
namespace {

struct V {
  using T = __m256i;
  using Mask = uint32_t;
  static constexpr size_t kBytes = 32;
  static constexpr unsigned kShift = 0;
  static constexpr Mask kAll = 0xFFFFFFFF;
  static T load(const unsigned char* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static T splat(uint8_t b) { return _mm256_set1_epi8(static_cast<char>(b)); }
  static T equal(T a, T b) { return _mm256_cmpeq_epi8(a, b); }
  static T both(T a, T b) { return _mm256_and_si256(a, b); }
  static T either(T a, T b) { return _mm256_or_si256(a, b); }
  static bool any(T v) { return _mm256_testz_si256(v, v) == 0; }
  static Mask mask(T v) { return static_cast<Mask>(_mm256_movemask_epi8(v)); }
  static int trailing_zeros(Mask m) { return __builtin_ctz(m); }
  static T table(const uint8_t* bytes) {
    return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(bytes)));
  }
  static T look_up(T table, T nibbles) { return _mm256_shuffle_epi8(table, nibbles); }
  static T low(T v) { return _mm256_and_si256(v, splat(15)); }
  static T high(T v) { return _mm256_and_si256(_mm256_srli_epi16(v, 4), splat(15)); }
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

LiteralSearch::Impl::Engine vector32_engine(const LiteralSearch::Impl& search) noexcept {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi")) return nullptr;
  return choose_kernel(search);
}

}  // namespace nines::query

#else

namespace nines::query {

LiteralSearch::Impl::Engine vector32_engine(const LiteralSearch::Impl&) noexcept { return nullptr; }

}  // namespace nines::query

#endif
