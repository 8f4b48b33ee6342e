#include "nines/base/bytes_text.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace nines;

TEST_CASE("Bytes are written as the vectors of RFC 4648 have them", "[base]") {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    CHECK(base64_of(bytes) == text);
    CHECK(bytes_of_base64(text) == bytes);
    CHECK(base64_url_of(bytes) == text.substr(0, text.find('=')));
  }
  CHECK(base64_of("\xFB\xFF") == "+/8=");
  CHECK(base64_url_of("\xFB\xFF") == "-_8");
  CHECK(hex_of("foobar") == "666f6f626172");
  CHECK(hex_of(std::string_view("\0\xFF", 2)) == "00ff");
  CHECK(hex_of(uint64_t{0xA1B2}) == "000000000000a1b2");
}

TEST_CASE("Bytes come back as they were, whatever they are", "[base]") {
  std::mt19937 random(7);
  for (size_t size = 0; size < 300; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    REQUIRE(bytes_of_base64(base64_of(bytes)) == bytes);
    REQUIRE(bytes_of_base64_url(base64_url_of(bytes)) == bytes);
  }
}

TEST_CASE("Text that is another way to write bytes, or none, is no base64", "[base]") {
  for (const char* wrong :
       {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9", "Zm-9", "Zg==\n"}) {
    INFO(wrong);
    CHECK_FALSE(bytes_of_base64(wrong));
  }
  for (const char* wrong : {"Z", "Zh", "Zm9v=", "Zg==", "Zm9", "Zm+v", "Zm9vZ"}) {
    INFO(wrong);
    CHECK_FALSE(bytes_of_base64_url(wrong));
  }
}
