// KeyOrder with AVX2. Everything between push and pop is compiled for it, and reached only where
// the processor has it.
#include <bit>

#include "log/key_order.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi")
#endif

namespace nines::log {
namespace {

struct V {
  __m256i v;
  static constexpr int kBytes = 32, kBits = 1;
  static constexpr uint64_t kAll = 0xFFFFFFFF;
  static V load(const char* p) noexcept {
    return {_mm256_loadu_si256(static_cast<const __m256i*>(static_cast<const void*>(p)))};
  }
  V eq(char c) const noexcept { return {_mm256_cmpeq_epi8(v, _mm256_set1_epi8(c))}; }
  V eq(V o) const noexcept { return {_mm256_cmpeq_epi8(v, o.v)}; }
  V with_bit5() const noexcept { return {_mm256_or_si256(v, _mm256_set1_epi8(0x20))}; }
  V at_most(char c) const noexcept {
    return {_mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(c)), v)};
  }
  V operator|(V o) const noexcept { return {_mm256_or_si256(v, o.v)}; }
  uint64_t mask() const noexcept { return static_cast<uint32_t>(_mm256_movemask_epi8(v)); }
};

}  // namespace
}  // namespace nines::log

#include "log/key_order_kernel.hpp"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace nines::log {

KeyWalker vector32_key_walker() noexcept {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi")) return nullptr;
  return &walk_members;
}

}  // namespace nines::log

#else

namespace nines::log {

KeyWalker vector32_key_walker() noexcept { return nullptr; }

}  // namespace nines::log

#endif
