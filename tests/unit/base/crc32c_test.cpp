#include "nines/base/crc32c.hpp"

#include <catch2/catch.hpp>
#include <string>

using nines::crc32c;

TEST_CASE("crc32c gives the published check values of RFC 3720", "[base]") {
  CHECK(crc32c("123456789") == 0xe3069283U);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aaU);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43U);
  CHECK(crc32c("") == 0U);
}

TEST_CASE("crc32c of two parts equals that of the whole", "[base]") {
  CHECK(crc32c("56789", crc32c("1234")) == crc32c("123456789"));
}

TEST_CASE("crc32c is the same with and without an instruction for it, at every length", "[base]") {
  std::string bytes;
  for (unsigned i = 0; i < 6000; ++i) bytes += static_cast<char>(i * 2654435761U >> 13);
  for (size_t size = 0; size <= bytes.size(); size += size < 70 ? 1 : 487) {
    const std::string_view part = std::string_view(bytes).substr(0, size);
    uint32_t slow = ~0U;  // bit by bit
    for (const char byte : part) {
      slow ^= static_cast<unsigned char>(byte);
      for (int k = 0; k < 8; ++k) slow = (slow & 1) != 0 ? (slow >> 1) ^ 0x82f63b78U : slow >> 1;
    }
    CHECK(nines::crc32c_by_table(part) == ~slow);
    CHECK(crc32c(part) == ~slow);
  }
}
