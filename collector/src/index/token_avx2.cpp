// TokenCollector with AVX2. Everything between push and pop is compiled for it, and reached only
// where the processor has it.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "index/token_engines.hpp"
#include "index/token_prints.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,popcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,popcnt")
#endif

namespace nines::collector {
namespace {

// Bits of the class of a byte, found by its upper and by its lower half. Those beyond kOther are of
// tokens.
enum Class : char {
  kDot = 1,
  kOdd = 2,  // backslash and P, 0x5C and 0x50
  kOther = 3,
  kMinus = 4,
  kUnderline = 8,
  kLetter46 = 16,  // 0x41 to 0x4F, 0x61 to 0x6F
  kLetter57 = 32,  // 0x50 to 0x5A, 0x70 to 0x7A
  kDigit = 64,
};

struct Half {
  uint32_t token, digit, dot, odd;
};

inline Half classify_half(const char* p, __m256i lower, __m256i upper) noexcept {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  const __m256i half = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(15));
  // Bytes beyond ASCII have no class: the table of lower halves gives 0.
  const __m256i c =
      _mm256_and_si256(_mm256_shuffle_epi8(lower, bytes), _mm256_shuffle_epi8(upper, half));
  const auto bits = [](__m256i v) { return static_cast<uint32_t>(_mm256_movemask_epi8(v)); };
  return {bits(_mm256_cmpgt_epi8(c, _mm256_set1_epi8(kOther))), bits(_mm256_slli_epi16(c, 1)),
          bits(_mm256_slli_epi16(c, 7)), bits(_mm256_slli_epi16(c, 6))};
}

inline Masks classify(const char* p) noexcept {
  constexpr char k46 = kLetter46, k4657 = kLetter46 | kLetter57;
  constexpr char k0 = kLetter57 | kDigit | kOdd, k1 = k4657 | kDigit;
  const __m256i lower = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(k0, k1, k1, k1, k1, k1, k1, k1, k1, k1, k4657, k46, k46 | kOdd, k46 | kMinus,
                    k46 | kDot, k46 | kUnderline));
  const __m256i upper = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, 0, kMinus | kDot, kDigit, k46, kLetter57 | kOdd | kUnderline, k46, kLetter57,
                    0, 0, 0, 0, 0, 0, 0, 0));
  const Half a = classify_half(p, lower, upper), b = classify_half(p + 32, lower, upper);
  const auto both = [](uint32_t x, uint32_t y) { return x | (uint64_t{y} << 32); };
  return {both(a.token, b.token), both(a.digit, b.digit), both(a.dot, b.dot), both(a.odd, b.odd)};
}

}  // namespace
}  // namespace nines::collector

#include "index/token_kernel.hpp"

namespace nines::collector {
namespace {

void collect_avx2(std::string_view text, uint64_t serial, TokenCollector::Work& work, TokenSet& out,
                  Oddities& odd) {
  Collecting(text, serial, work, out, odd).run();
}

}  // namespace
}  // namespace nines::collector

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace nines::collector {

CollectTokens collector_for_avx2() noexcept {
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
                          __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
  return has ? collect_avx2 : nullptr;
}

}  // namespace nines::collector

#else

namespace nines::collector {

CollectTokens collector_for_avx2() noexcept { return nullptr; }

}  // namespace nines::collector

#endif
