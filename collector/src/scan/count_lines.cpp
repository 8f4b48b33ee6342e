#include "scan/count_lines.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace nines::collector {
namespace {

// In vectors of whatever the machine has; the compiler knows how. Lanes are added up before they
// can overflow.
template <class Vector>
inline __attribute__((always_inline)) LineCount count_in_vectors(std::string_view text) noexcept {
  constexpr size_t kWidth = sizeof(Vector), kUnrolled = 4, kStep = kWidth * kUnrolled;
  constexpr size_t kRounds = 255;
  LineCount out;
  const char* p = text.data();
  const char* const end = p + text.size();
  Vector nuls{};
  while (static_cast<size_t>(end - p) >= kStep) {
    Vector sums[kUnrolled] = {};
    const size_t rounds = std::min(kRounds, static_cast<size_t>(end - p) / kStep);
    for (size_t i = 0; i < rounds; ++i, p += kStep) {
      for (size_t k = 0; k < kUnrolled; ++k) {
        Vector bytes;
        std::memcpy(&bytes, p + k * kWidth, kWidth);
        sums[k] -= reinterpret_cast<Vector>(bytes == '\n');  // -1 where it is
        nuls |= reinterpret_cast<Vector>(bytes == 0);
      }
    }
    for (const Vector& sum : sums) {
      for (size_t i = 0; i < kWidth; ++i) out.lines += sum[i];
    }
  }
  for (; p != end; ++p) {
    out.lines += *p == '\n' ? 1 : 0;
    out.has_nul = out.has_nul || *p == '\0';
  }
  for (size_t i = 0; i < kWidth; ++i) out.has_nul = out.has_nul || nuls[i] != 0;
  return out;
}

using Vector16 = unsigned char __attribute__((vector_size(16)));

#if defined(__x86_64__)
using Vector32 = unsigned char __attribute__((vector_size(32)));
__attribute__((target("avx2"))) LineCount count_avx2(std::string_view text) noexcept {
  return count_in_vectors<Vector32>(text);
}
#endif

}  // namespace

LineCount count_lines(std::string_view text) noexcept {
#if defined(__x86_64__)
  static const bool avx2 = __builtin_cpu_supports("avx2") != 0;
  if (avx2) return count_avx2(text);
#endif
  return count_in_vectors<Vector16>(text);
}

}  // namespace nines::collector
