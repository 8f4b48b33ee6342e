#include "nines/base/int128.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "nines/base/decimal.hpp"

using nines::PortableInt128;

namespace {

PortableInt128 power_of_ten(int power) {
  PortableInt128 value = 1;
  for (; power > 0; --power) value *= 10;
  return value;
}

std::string text_of(PortableInt128 value) {
  if (value == 0) return "0";
  const bool negative = value < 0;
  std::string text;
  for (; value != 0; value /= 10) {
    const auto digit = static_cast<int64_t>(value % 10);
    text.insert(text.begin(), static_cast<char>('0' + (digit < 0 ? -digit : digit)));
  }
  return negative ? "-" + text : text;
}

}  // namespace

TEST_CASE("PortableInt128 keeps every digit of a 38-digit number", "[base]") {
  const PortableInt128 nines = power_of_ten(19) - 1;
  CHECK(text_of(nines * nines) == "99999999999999999980000000000000000001");
  CHECK(text_of(-nines * nines) == "-99999999999999999980000000000000000001");
  CHECK(text_of(PortableInt128(INT64_MIN) * INT64_MIN) == "85070591730234615865843651857942052864");
  CHECK(text_of(PortableInt128(INT64_MIN) * INT64_MAX) ==
        "-85070591730234615856620279821087277056");
  CHECK(text_of((PortableInt128(1) << 122) + 7) == "5316911983139663491615228241121378311");
}

TEST_CASE("PortableInt128 divides towards zero and leaves the sign of the dividend", "[base]") {
  const PortableInt128 a = power_of_ten(30) + 123;
  const PortableInt128 b = power_of_ten(12) + 1;
  CHECK(text_of(a / b) == "999999999999000000");
  CHECK(text_of(-a / b) == "-999999999999000000");
  CHECK(text_of(a % b) == "1000123");
  CHECK(text_of(-a % b) == text_of(-(a % b)));
  CHECK(text_of(a % -b) == text_of(a % b));
  CHECK(a / b * b + a % b == a);
}

TEST_CASE("PortableInt128 orders numbers across the limbs and the signs", "[base]") {
  const std::array<PortableInt128, 7> ordered = {-power_of_ten(38), -power_of_ten(19), -1, 0, 1,
                                                 power_of_ten(19),  power_of_ten(38)};
  for (size_t i = 0; i < ordered.size(); ++i) {
    for (size_t k = 0; k < ordered.size(); ++k) {
      CAPTURE(i, k);
      CHECK((ordered[i] < ordered[k]) == (i < k));
      CHECK((ordered[i] == ordered[k]) == (i == k));
    }
  }
}

#ifdef __SIZEOF_INT128__
namespace {

// SplitMix64: numbers of every width, the same in every run.
struct Numbers {
  uint64_t state = 1;
  uint64_t next() {
    uint64_t z = (state += 0x9e37'79b9'7f4a'7c15);
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
    return z ^ (z >> 31);
  }
  int64_t any_width() { return static_cast<int64_t>(next()) >> (next() % 64); }
};

bool same(PortableInt128 portable, __int128 native) {
  const PortableInt128 whole = PortableInt128(static_cast<int64_t>(native >> 64)) << 64;
  const auto low = static_cast<uint64_t>(native);
  return portable == whole + (PortableInt128(static_cast<int64_t>(low >> 32)) << 32) +
                         static_cast<int64_t>(low & 0xffff'ffff);
}

}  // namespace

TEST_CASE("PortableInt128 computes what the compiler's own type does", "[base]") {
  Numbers random;
  for (int i = 0; i < 20'000; ++i) {
    const int64_t parts[] = {random.any_width(), random.any_width(), random.any_width()};
    const int shift = static_cast<int>(random.next() % 60);
    const __int128 a = __int128(parts[0]) * parts[1];
    const __int128 b = __int128(parts[2]) * (__int128(1) << shift);
    const PortableInt128 p = PortableInt128(parts[0]) * parts[1];
    const PortableInt128 q = PortableInt128(parts[2]) << shift;
    REQUIRE((same(p, a) && same(q, b)));
    REQUIRE((same(p + q, a + b) && same(p - q, a - b)));
    REQUIRE(((p < q) == (a < b) && (p == q) == (a == b)));
    if (b != 0) REQUIRE((same(p / q, a / b) && same(p % q, a % b)));
  }
}
#endif
