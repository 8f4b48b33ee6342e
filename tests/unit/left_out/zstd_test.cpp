// The program has parts of zstd left out (toolchains/left_out/zstd.cpp). Here the library is linked
// as the program has it: where it is not the static one, all of it.
#include <zstd.h>

#include <catch2/catch.hpp>
#include <random>
#include <string>

namespace {

// Words, so that there are matches to find, and noise between them.
std::string text_of(size_t size) {
  std::mt19937 random(7);
  std::string text;
  while (text.size() < size) {
    text += random() % 4 == 0 ? std::to_string(random()) : std::string("checkout GET /api/v1 200 ");
  }
  text.resize(size);
  return text;
}

// Magic 0xFD2FB52x, what the formats 0.5 to 0.7 begin with, and what might be a header and a block.
std::string old_frame(int version) {
  std::string frame = {static_cast<char>(0x20 + version), '\xB5', '\x2F', '\xFD'};
  for (int i = 0; i < 64; ++i) frame += static_cast<char>(i * 37);
  return frame;
}

}  // namespace

TEST_CASE("what the fast strategy packs, of any size, is unpacked to the same") {
  for (const size_t size : {0U, 1U, 100U, 5'000U, 16'385U, 131'073U, 262'145U, 3'000'000U}) {
    const std::string text = text_of(size);
    std::string packed(::ZSTD_compressBound(size), '\0'), plain(size, '\0');
    packed.resize(::ZSTD_compress(packed.data(), packed.size(), text.data(), size, 1));
    CHECK((size < 100 || packed.size() < size));
    REQUIRE(::ZSTD_decompress(plain.data(), size, packed.data(), packed.size()) == size);
    CHECK((plain == text));
  }
}

TEST_CASE("frames of zstd before 0.8 are refused, at once and as a stream, also behind others") {
  for (const int version : {5, 6, 7}) {
    const std::string old = old_frame(version);
    std::string plain(1'000, '\0');
    CHECK(::ZSTD_isError(::ZSTD_decompress(plain.data(), plain.size(), old.data(), old.size())));

    std::string both(100, '\0');
    both.resize(::ZSTD_compress(both.data(), both.size(), "nines", 5, 1));
    both += old;
    CHECK(::ZSTD_isError(::ZSTD_decompress(plain.data(), plain.size(), both.data(), both.size())));

    ZSTD_DCtx* context = ::ZSTD_createDCtx();
    ZSTD_inBuffer in{both.data(), both.size(), 0};
    ZSTD_outBuffer out{plain.data(), plain.size(), 0};
    size_t left = 0;
    for (int i = 0; i < 100 && in.pos < in.size && !::ZSTD_isError(left); ++i) {
      left = ::ZSTD_decompressStream(context, &out, &in);
    }
    CHECK(::ZSTD_isError(left));
    CHECK(plain.starts_with("nines"));
    ::ZSTD_freeDCtx(context);
  }
}
