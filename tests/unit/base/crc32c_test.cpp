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
