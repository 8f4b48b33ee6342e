// TokenCollector with what every processor of its kind has: SSE2, NEON on arm64, or plain C++.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "index/token_engines.hpp"
#include "index/token_prints.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace nines::collector {
namespace {

#if defined(__SSE2__)

inline Masks classify(const char* p) noexcept {
  Masks out;
  for (int i = 0; i < 4; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
    const auto above = [](__m128i x, char c) { return _mm_cmpgt_epi8(x, _mm_set1_epi8(c)); };
    const auto is = [&](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
    const __m128i lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    const __m128i letter = _mm_andnot_si128(above(lower, 'z'), above(lower, 'a' - 1));
    const __m128i digit = _mm_andnot_si128(above(bytes, '9'), above(bytes, '0' - 1));
    const __m128i sign = _mm_or_si128(is('-'), is('_'));
    const __m128i token = _mm_or_si128(_mm_or_si128(letter, digit), sign);
    const auto bits = [i](__m128i x) {
      return static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(x))) << (16 * i);
    };
    out.token |= bits(token);
    out.digit |= bits(digit);
    out.dot |= bits(is('.'));
    out.odd |= bits(_mm_or_si128(is('\\'), is('P')));
  }
  return out;
}

#elif defined(__aarch64__)

uint64_t bits_of(const uint8x16_t (&m)[4]) noexcept {
  const uint8x16_t weights = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t a = vpaddq_u8(vandq_u8(m[0], weights), vandq_u8(m[1], weights));
  const uint8x16_t b = vpaddq_u8(vandq_u8(m[2], weights), vandq_u8(m[3], weights));
  const uint8x16_t c = vpaddq_u8(a, b);
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(c, c)), 0);
}

inline Masks classify(const char* p) noexcept {
  uint8x16_t token[4], digit[4], dot[4], odd[4];
  for (int i = 0; i < 4; ++i) {
    const uint8x16_t bytes = vld1q_u8(reinterpret_cast<const uint8_t*>(p) + 16 * i);
    const uint8x16_t lower = vorrq_u8(bytes, vdupq_n_u8(0x20));
    const uint8x16_t letter = vcltq_u8(vsubq_u8(lower, vdupq_n_u8('a')), vdupq_n_u8(26));
    digit[i] = vcltq_u8(vsubq_u8(bytes, vdupq_n_u8('0')), vdupq_n_u8(10));
    const uint8x16_t sign =
        vorrq_u8(vceqq_u8(bytes, vdupq_n_u8('-')), vceqq_u8(bytes, vdupq_n_u8('_')));
    token[i] = vorrq_u8(vorrq_u8(letter, digit[i]), sign);
    dot[i] = vceqq_u8(bytes, vdupq_n_u8('.'));
    odd[i] = vorrq_u8(vceqq_u8(bytes, vdupq_n_u8('\\')), vceqq_u8(bytes, vdupq_n_u8('P')));
  }
  return {bits_of(token), bits_of(digit), bits_of(dot), bits_of(odd)};
}

#else

enum Class : uint8_t { kToken = 1, kDigit = 2, kOdd = 4, kDot = 8 };
constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> out{};
  for (int c = 'a'; c <= 'z'; ++c) out[c] = out[c - 0x20] = kToken;
  for (int c = '0'; c <= '9'; ++c) out[c] = kToken | kDigit;
  out['-'] = out['_'] = kToken;
  out['\\'] = kOdd;
  out['P'] |= kOdd;
  out['.'] = kDot;
  return out;
}
constexpr auto kClasses = make_classes();

inline Masks classify(const char* p) noexcept {
  Masks out;
  for (size_t i = 0; i < 64; ++i) {
    const uint64_t c = kClasses[static_cast<unsigned char>(p[i])];
    out.token |= (c & kToken) << i;
    out.digit |= ((c & kDigit) >> 1) << i;
    out.odd |= ((c & kOdd) >> 2) << i;
    out.dot |= ((c & kDot) >> 3) << i;
  }
  return out;
}

#endif

}  // namespace
}  // namespace nines::collector

#include "index/token_kernel.hpp"

namespace nines::collector {

void collect_plain(std::string_view text, uint64_t serial, TokenCollector::Work& work,
                   TokenSet& out, Oddities& odd) {
  Collecting(text, serial, work, out, odd).run();
}

}  // namespace nines::collector
