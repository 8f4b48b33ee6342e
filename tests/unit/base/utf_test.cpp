#include "nines/base/utf.hpp"

#include <catch2/catch.hpp>

using namespace nines;

namespace {

std::string utf8(std::string_view units, bool big_endian, size_t limit = 1000) {
  std::string out;
  append_utf16(out, units, big_endian, limit);
  return out;
}

}  // namespace

TEST_CASE("A cut does not split a UTF-8 character", "[base]") {
  CHECK(cut_utf8("abc", 3) == "abc");
  CHECK(cut_utf8("ab\xC3\xA4", 3) == "ab");
  CHECK(cut_utf8("ab\xE2\x82\xAC", 4) == "ab");
  CHECK(cut_utf8("ab\xF0\x9F\x98\x80x", 6) == "ab\xF0\x9F\x98\x80");
  CHECK(cut_utf8("\x80\x80\x80\x80\x80", 4).size() == 4);
  CHECK(whole_utf8("ab\xE2\x82") == "ab");
  CHECK(whole_utf8("ab\xF0") == "ab");
  CHECK(whole_utf8("ab\xE2\x82\xAC") == "ab\xE2\x82\xAC");
  CHECK(whole_utf8("\x80\x80").size() == 2);
  CHECK(whole_utf8("").empty());
}

TEST_CASE("UTF-16 becomes UTF-8 in both byte orders", "[base]") {
  using namespace std::string_view_literals;
  CHECK(utf8("a\0\xE4\0\xAC\x20"sv, false) == "a\xC3\xA4\xE2\x82\xAC");
  CHECK(utf8("\0a\0\xE4\x20\xAC"sv, true) == "a\xC3\xA4\xE2\x82\xAC");
  CHECK(utf8("\x3D\xD8\x00\xDE"sv, false) == "\xF0\x9F\x98\x80");
  CHECK(utf8("\xD8\x3D\xDE\x00"sv, true) == "\xF0\x9F\x98\x80");
}

TEST_CASE("Lone surrogates and odd bytes of UTF-16 become the replacement character", "[base]") {
  using namespace std::string_view_literals;
  std::string out;
  const Transcoded done = append_utf16(out, "\x3D\xD8x\0\x00\xDEy\0z"sv, false, 1000);
  CHECK(out == "\xEF\xBF\xBDx\xEF\xBF\xBDy\xEF\xBF\xBD");
  CHECK(done.replaced == 3);
  CHECK_FALSE(done.cut);
}

TEST_CASE("UTF-16 is cut at a limit between characters", "[base]") {
  using namespace std::string_view_literals;
  std::string out;
  CHECK(append_utf16(out, "a\0\xAC\x20\x62\0"sv, false, 3).cut);
  CHECK(out == "a");
}
