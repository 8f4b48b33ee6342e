#include "index/tokens.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace nines::collector {
namespace {

constexpr size_t kGramBytes = 24;
constexpr size_t kWindow = kLongTokenBytes - kGramBytes + 1;  // grams of which the least is taken
constexpr uint64_t kFold = 0x2020202020202020ULL;  // upper case to lower; no two token bytes to one

// ---- classes of bytes, 64 at a time ----

struct Masks {
  uint64_t token = 0, digit = 0, dot = 0, backslash = 0;  // token: without dots
};

#if defined(__SSE2__)

Masks classify(const char* p) noexcept {
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
    out.backslash |= bits(is('\\'));
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

Masks classify(const char* p) noexcept {
  uint8x16_t token[4], digit[4], dot[4], backslash[4];
  for (int i = 0; i < 4; ++i) {
    const uint8x16_t bytes = vld1q_u8(reinterpret_cast<const uint8_t*>(p) + 16 * i);
    const uint8x16_t lower = vorrq_u8(bytes, vdupq_n_u8(0x20));
    const uint8x16_t letter = vcltq_u8(vsubq_u8(lower, vdupq_n_u8('a')), vdupq_n_u8(26));
    digit[i] = vcltq_u8(vsubq_u8(bytes, vdupq_n_u8('0')), vdupq_n_u8(10));
    const uint8x16_t sign =
        vorrq_u8(vceqq_u8(bytes, vdupq_n_u8('-')), vceqq_u8(bytes, vdupq_n_u8('_')));
    token[i] = vorrq_u8(vorrq_u8(letter, digit[i]), sign);
    dot[i] = vceqq_u8(bytes, vdupq_n_u8('.'));
    backslash[i] = vceqq_u8(bytes, vdupq_n_u8('\\'));
  }
  return {bits_of(token), bits_of(digit), bits_of(dot), bits_of(backslash)};
}

#else

enum Class : uint8_t { kToken = 1, kDigit = 2, kBackslash = 4, kDot = 8 };
constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> out{};
  for (int c = 'a'; c <= 'z'; ++c) out[c] = out[c - 0x20] = kToken;
  for (int c = '0'; c <= '9'; ++c) out[c] = kToken | kDigit;
  out['-'] = out['_'] = kToken;
  out['\\'] = kBackslash;
  out['.'] = kDot;
  return out;
}
constexpr auto kClasses = make_classes();

Masks classify(const char* p) noexcept {
  Masks out;
  for (size_t i = 0; i < 64; ++i) {
    const uint64_t c = kClasses[static_cast<unsigned char>(p[i])];
    out.token |= (c & kToken) << i;
    out.digit |= ((c & kDigit) >> 1) << i;
    out.backslash |= ((c & kBackslash) >> 2) << i;
    out.dot |= ((c & kDot) >> 3) << i;
  }
  return out;
}

#endif

// ---- fingerprints ----

uint64_t load8(const char* p) noexcept {
  uint64_t out;
  std::memcpy(&out, p, sizeof out);
  return out | kFold;
}
uint64_t load4(const char* p) noexcept {
  uint32_t out;
  std::memcpy(&out, p, sizeof out);
  return out | static_cast<uint32_t>(kFold);
}
uint64_t mix(uint64_t x) noexcept {
  x *= 0x9FB21C651E98DF25ULL;
  return x ^ (x >> 32);
}
uint32_t print_of(uint64_t hash) noexcept {
  const auto print = static_cast<uint32_t>((hash * 0xD6E8FEB86659FD93ULL) >> 32);
  return print == 0 ? 1 : print;
}

// REQUIRES 4 bytes or more.
uint32_t print_of_token(const char* p, size_t size) noexcept {
  if (size < 8)
    return print_of(mix((load4(p) | (load4(p + size - 4) << 32)) ^ (uint64_t{size} << 56)));
  uint64_t hash = mix(load8(p) ^ size);
  for (size_t at = 8; at + 8 < size; at += 8) hash = mix(hash ^ load8(p + at));
  return print_of(hash ^ load8(p + size - 8));
}

uint32_t print_of_gram(const char* p) noexcept {
  return print_of(mix(mix(mix(load8(p)) ^ load8(p + 8)) ^ load8(p + 16)));
}

// The least fingerprint of every window of grams. REQUIRES kLongTokenBytes or more.
template <class Visit>
void each_minimizer(const char* p, size_t size, Visit&& visit) {
  const size_t grams = size - kGramBytes + 1;
  std::array<uint32_t, kWindow> window{};  // by position modulo its size
  size_t least_at = 0;
  uint32_t least = UINT32_MAX;
  for (size_t i = 0; i < grams; ++i) {
    const uint32_t print = print_of_gram(p + i);
    window[i % kWindow] = print;
    bool changed = false;
    if (print < least || i == 0) {
      least = print;
      least_at = i;
      changed = true;
    } else if (i >= least_at + kWindow) {
      least_at = i - kWindow + 1;
      for (size_t k = least_at; k <= i; ++k) {
        if (window[k % kWindow] <= window[least_at % kWindow]) least_at = k;
      }
      least = window[least_at % kWindow];
      changed = true;
    }
    // Small ones as they are, they would crowd in few places of a filter.
    if (i + 1 == kWindow || (i + 1 > kWindow && changed)) visit(print_of(mix(least)));
  }
}

// What is seen of a token on the way.
struct Traits {
  bool digit = false, dot = false;
  void add(const Masks& m, uint64_t within) noexcept {
    digit = digit || (m.digit & within) != 0;
    dot = dot || (m.dot & within) != 0;
  }
};

// 12.345, 51.262484239Z, 262484Z: every line has another one, and nobody looks for them.
bool is_fraction(const char* p, size_t size) noexcept {
  size_t dots = 0;
  const bool zulu = (p[size - 1] | 0x20) == 'z';
  for (size_t i = 0; i < size - (zulu ? 1 : 0); ++i) {
    if (p[i] == '.') {
      ++dots;
    } else if (p[i] < '0' || p[i] > '9') {
      return false;
    }
  }
  return dots == 1 || (dots == 0 && zulu);
}

// Of a token of less than kLongTokenBytes.
template <class Visit>
void visit_print(const char* p, size_t size, const Traits& traits, Visit&& visit) {
  if (!traits.digit) {
    if (size >= kMinWordBytes) visit(print_of_token(p, size));
    return;
  }
  if (size < kMinIdBytes) return;
  if ((traits.dot || (p[size - 1] | 0x20) == 'z') && is_fraction(p, size)) return;
  visit(print_of_token(p, size));
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// `visit(begin, end, traits)` for each token of at least kMinWordBytes; `block(at, masks)` for each
// 64 bytes.
template <class Visit, class Block>
void each_token(std::string_view text, Visit&& visit, Block&& block) {
  size_t begin = 0;  // of the token that goes on in the next 64 bytes
  bool open = false;
  Traits of_open;
  std::array<char, 64> last;
  uint64_t digit_before = 0;
  for (size_t at = 0; at < text.size(); at += 64) {
    const char* p = text.data() + at;
    if (text.size() - at < last.size()) {
      last.fill('\n');
      std::memcpy(last.data(), p, text.size() - at);
      p = last.data();
    }
    const Masks m = classify(p);
    block(at, m);
    const bool digit_behind = at + 64 < text.size() && is_digit(text[at + 64]);
    const uint64_t before = (m.digit << 1) | digit_before;
    const uint64_t behind = (m.digit >> 1) | (uint64_t{digit_behind} << 63);
    digit_before = m.digit >> 63;
    uint64_t tokens = m.token | (m.dot & before & behind);
    if (open) {
      const auto rest = static_cast<unsigned>(std::countr_one(tokens));
      const uint64_t within = rest == 64 ? ~uint64_t{0} : (uint64_t{1} << rest) - 1;
      of_open.add(m, within);
      if (rest == 64) continue;
      visit(begin, at + rest, of_open);
      tokens &= ~within;
      open = false;
    }
    if (const auto tail = static_cast<unsigned>(std::countl_one(tokens)); tail > 0) {
      open = true;
      begin = at + 64 - tail;
      const uint64_t within = ~uint64_t{0} << (64 - tail);
      of_open = {};
      of_open.add(m, within);
      tokens &= ~within;
    }
    uint64_t four = tokens & (tokens >> 1);
    four &= four >> 2;  // a token goes on for four bytes from here
    for (uint64_t starts = four & ~(tokens << 1); starts != 0; starts &= starts - 1) {
      const auto from = static_cast<unsigned>(std::countr_zero(starts));
      const auto size = static_cast<unsigned>(std::countr_one(tokens >> from));
      Traits traits;
      traits.add(m, ((uint64_t{1} << size) - 1) << from);  // less than 64 bytes
      visit(at + from, at + from + size, traits);
    }
  }
  if (open) visit(begin, text.size(), of_open);
}

// Behind "stdout" or "stderr".
bool is_piece(std::string_view text, size_t begin, size_t end) noexcept {
  if (end - begin != 6 || text[begin] != 's' || end + 1 >= text.size()) return false;
  return text[end] == ' ' && text[end + 1] == 'P' && text.substr(begin, 3) == "std";
}

}  // namespace

void TokenSet::clear() noexcept {
  std::fill(slots_.begin(), slots_.end(), 0);
  size_ = 0;
  overflowed_ = false;
}

void TokenSet::release() noexcept {
  std::vector<uint32_t>().swap(slots_);
  mask_ = size_ = 0;
  overflowed_ = false;
}

void TokenSet::add(uint32_t print, size_t at) {
  if (size_ >= max_) {
    overflowed_ = true;
    return;
  }
  if (4 * (size_ + 1) > 3 * slots_.size()) {
    grow();
    at = print & mask_;
    while (slots_[at] != 0) at = (at + 1) & mask_;
  }
  slots_[at] = print;
  ++size_;
}

void TokenSet::grow() {
  std::vector<uint32_t> old(slots_.empty() ? 256 : 2 * slots_.size());
  old.swap(slots_);
  mask_ = slots_.size() - 1;
  for (const uint32_t print : old) {
    if (print == 0) continue;
    size_t at = print & mask_;
    while (slots_[at] != 0) at = (at + 1) & mask_;
    slots_[at] = print;
  }
}

void collect_tokens(std::string_view text, TokenSet& out, Oddities& odd) {
  const auto insert = [&](uint32_t print) { out.insert(print); };
  each_token(
      text,
      [&](size_t begin, size_t end, const Traits& traits) {
        const size_t size = end - begin;
        if (size < kLongTokenBytes) {
          visit_print(text.data() + begin, size, traits, insert);
        } else if (size < kBlobBytes) {
          each_minimizer(text.data() + begin, size, insert);
        } else {
          odd.blobs = true;
        }
        odd.pieces = odd.pieces || is_piece(text, begin, end);
      },
      [&](size_t at, const Masks& m) {
        for (uint64_t left = m.backslash; left != 0; left &= left - 1) {
          const size_t next = at + static_cast<size_t>(std::countr_zero(left)) + 1;
          if (next >= text.size()) break;
          odd.unicode = odd.unicode || text[next] == 'u';
          odd.slash = odd.slash || text[next] == '/';
        }
      });
}

Required tokens_required_by(std::string_view literal, bool whole) {
  Required out;
  // A dot at the end of the literal may belong to the token.
  const size_t first = literal.starts_with('.') ? 1 : 0;
  const size_t last = literal.size() - (literal.ends_with('.') ? 1 : 0);
  each_token(
      literal,
      [&](size_t begin, size_t end, const Traits& traits) {
        const char* const p = literal.data() + begin;
        const bool bounded = whole || (begin > first && end < last);
        if (end - begin >= kLongTokenBytes) {
          each_minimizer(p, end - begin, [&](uint32_t print) { out.long_prints.push_back(print); });
        } else if (bounded) {
          visit_print(p, end - begin, traits, [&](uint32_t print) { out.prints.push_back(print); });
        }
      },
      [](size_t, const Masks&) {});
  for (auto* prints : {&out.prints, &out.long_prints}) {
    std::sort(prints->begin(), prints->end());
    prints->erase(std::unique(prints->begin(), prints->end()), prints->end());
  }
  return out;
}

}  // namespace nines::collector
