// Compressed generations: what was read plain is not read again compressed, and what was not is
// read once, also over restarts.
#include <catch2/catch.hpp>

#include "../../../collector/src/file/decoder.hpp"
#include "../../../collector/src/file/fs.hpp"
#include "tail_fixture.hpp"

using namespace nines;                      // NOLINT(google-build-using-namespace)
using namespace nines::collector;           // NOLINT(google-build-using-namespace)
using namespace nines::collector::testing;  // NOLINT(google-build-using-namespace)

namespace {

constexpr const char* kEndings[] = {".gz", ".zst"};
constexpr const char* kGlobs[] = {"app.log", "app.log*"};

std::string decoded(const std::string& path, Decoder::End* end = nullptr, size_t piece = 1000) {
  const UniqueFd fd = open_for_reading(path);
  const auto decoder = Decoder::create(packing_of(fd.get()));
  REQUIRE(decoder);
  std::string out, buffer(piece, '\0');
  while (true) {
    const int64_t got =
        decoder->read_at(fd.get(), buffer.data(), piece, static_cast<int64_t>(out.size()));
    out.append(buffer, 0, static_cast<size_t>(got));
    if (got < static_cast<int64_t>(piece)) break;
  }
  if (end != nullptr) *end = decoder->end();
  return out;
}

}  // namespace

TEST_CASE("gzip members and zstd frames one after another are one content") {
  const TempDir dir;
  const std::string a = text_of(numbered(0, 3'000)), b = text_of(numbered(3'000, 3'010));
  for (const bool zstd : {false, true}) {
    const std::string path = dir / (zstd ? "x.zst" : "x.gz");
    append(path, zstd ? zstd_of(a) + zstd_of(b) : gzipped(a) + gzipped(b));
    for (const size_t piece : {1U, 100U, 100'000U}) {
      Decoder::End end{};
      CHECK((decoded(path, &end, piece) == a + b));
      CHECK(end == Decoder::End::complete);
    }
  }
  append(dir / "x.gz", std::string(1000, '\0'));  // padding of a tape or block device
  Decoder::End end{};
  CHECK((decoded(dir / "x.gz", &end) == a + b));
  CHECK(end == Decoder::End::complete);
}

TEST_CASE("A compressed file that is cut, corrupt or wants too large a window says so") {
  const TempDir dir;
  const std::string text = text_of(numbered(0, 30'000));
  const std::string whole = gzipped(text);
  append(dir / "cut.gz", whole.substr(0, whole.size() / 2));
  std::string bad = whole;
  bad[bad.size() - 6] = static_cast<char>(bad[bad.size() - 6] ^ 1);  // the check sum
  append(dir / "bad.gz", bad);
  Decoder::End end{};
  CHECK(text.starts_with(decoded(dir / "cut.gz", &end)));
  CHECK(end == Decoder::End::starved);
  CHECK((decoded(dir / "bad.gz", &end) == text));
  CHECK(end == Decoder::End::damaged);
  ZSTD_CCtx* context = ::ZSTD_createCCtx();
  ::ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 27);
  ::ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string wide(64 * 1024, '\0');
  ZSTD_inBuffer in{text.data(), 1000, 0};
  ZSTD_outBuffer out{wide.data(), wide.size(), 0};
  ::ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush);
  ::ZSTD_compressStream2(context, &out, &in, ZSTD_e_end);
  ::ZSTD_freeCCtx(context);
  append(dir / "wide.zst", std::string_view(wide).substr(0, out.pos));
  CHECK(decoded(dir / "wide.zst", &end).empty());
  CHECK(end == Decoder::End::refused);
}

TEST_CASE("Random reads of a compressed file give what the plain one has there") {
  const TempDir dir;
  const std::string text = text_of(numbered(0, 50'000));
  append(dir / "x.gz", gzipped(text));
  const UniqueFd fd = open_for_reading(dir / "x.gz");
  const auto decoder = Decoder::create(Packing::gzip);
  uint32_t random = 1;
  for (int i = 0; i < 60; ++i) {
    random = random * 1664525 + 1013904223;
    const size_t at = random % (text.size() + 100), size = random % 5'000;
    std::string got(size, '\0');
    const int64_t n = decoder->read_at(fd.get(), got.data(), size, static_cast<int64_t>(at));
    got.resize(static_cast<size_t>(n));
    CHECK((got == (at >= text.size() ? "" : text.substr(at, size))));
    CHECK(decoder->memory_bytes() < 512 * 1024);
  }
}

TEST_CASE("R8 what was read before it was compressed is not read again, compressed and renamed") {
  for (const char* ending : kEndings) {
    for (const char* glob : kGlobs) {
      for (const Between between : kEveryBetween) {
        for (const bool late : {false, true}) {
          CAPTURE(ending, glob, static_cast<int>(between), late);
          Rig rig(glob);
          append(rig.log(), text_of(numbered(0, 500)));
          rig.drain();
          rename_file(rig.log(), rig.dir / "app.log.1");
          append(rig.log(), text_of(numbered(500, 510)));
          rig.drain();
          if (late) rig.pass_ms(31'000);  // it was closed
          rig.save();
          rig.down(between);
          const std::string packed = compress_file(rig.dir / "app.log.1", ending);
          rig.drain();
          rename_file(packed, rig.dir / "app.log.2" + ending);
          rig.pass_ms(31'000);
          rig.pass_ms(31'000);
          CHECK((rig.lines.all == numbered(0, 510)));
          rig.save();
          rig.down(between);
          rename_file(rig.dir / "app.log.2" + ending, rig.dir / "app.log.3" + ending);
          append(rig.log(), "line 510\n");
          rig.pass_ms(31'000);
          rig.pass_ms(4'000'000);
          CHECK((rig.lines.all == numbered(0, 511)));
          CHECK(rig.tailer->stats().compressed_damaged == 0);
        }
      }
    }
  }
}

TEST_CASE("Rotated and compressed twice while stopped: reading goes on within the right archive") {
  for (const char* ending : kEndings) {
    for (const char* glob : kGlobs) {
      for (const bool banner : {false, true}) {
        CAPTURE(ending, glob, banner);
        Rig rig(glob);
        const std::string head = banner ? std::string(1500, '=') + "\n" : "";
        const Strings heads = banner ? Strings{std::string(1500, '=')} : Strings{};
        rig.options.buffer_bytes = rig.lines.buffer_bytes = 16 * 1024;
        append(rig.log(), head + text_of(numbered(0, 700)));
        rig.drain();
        rig.stop();
        append(rig.log(), text_of(numbered(700, 1'000)));
        rename_file(rig.log(), rig.dir / "app.log.1");
        append(rig.log(), head + text_of(numbered(1'000, 2'000)));
        rename_file(compress_file(rig.dir / "app.log.1", ending), rig.dir / "app.log.2" + ending);
        rename_file(rig.log(), rig.dir / "app.log.1");
        (void)compress_file(rig.dir / "app.log.1", ending);
        append(rig.log(), head + text_of(numbered(2'000, 2'100)));
        rig.drain();
        rig.pass_ms(6'000);
        Strings got = rig.lines.all;
        CHECK(std::erase(got, std::string(1500, '=')) == (banner ? 3 : 0));
        CHECK((sorted(got) == sorted(numbered(0, 2'100))));
        rig.restart();
        rig.pass_ms(31'000);
        CHECK(rig.lines.all.size() == 2'100U + (banner ? 3 : 0));
      }
    }
  }
}

TEST_CASE("copytruncate whose copy is compressed: the unread rest is read from the archive") {
  for (const char* glob : kGlobs) {
    for (const Between between : kEveryBetween) {
      CAPTURE(glob, static_cast<int>(between));
      Rig rig(glob);
      append(rig.log(), text_of(numbered(0, 300)));
      rig.drain();
      rig.save();
      rig.down(between);
      append(rig.log(), text_of(numbered(300, 400)));
      copy_file(rig.log(), rig.dir / "app.log.1");
      truncate_file(rig.log());
      (void)compress_file(rig.dir / "app.log.1");
      append(rig.log(), text_of(numbered(400, 410)));
      rig.drain();
      rig.pass_ms(31'000);
      CHECK((rig.lines.all == numbered(0, 410)));
    }
  }
}

TEST_CASE("An archive in the making beside its original is not read; of the original all is") {
  for (const char* glob : kGlobs) {
    for (const Between between : kEveryBetween) {
      CAPTURE(glob, static_cast<int>(between));
      Rig rig(glob);
      Strings noise;  // does not compress well: the archive grows piece by piece
      uint64_t random = 1;
      for (int i = 0; i < 4'000; ++i) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        noise.push_back("line " + std::to_string(random));
      }
      append(rig.log(), text_of(noise));
      rig.drain();
      rename_file(rig.log(), rig.dir / "app.log.1");
      append(rig.log(), "x\n");
      rig.drain();
      rig.save();
      const std::string whole = gzipped(contents(rig.dir / "app.log.1"));
      for (size_t at = 0; at < whole.size(); at += 10'000) {
        append(rig.dir / "app.log.1.gz", std::string_view(whole).substr(at, 10'000));
        rig.pass_ms(at % 20'000 == 0 ? 1'000 : 7'000);
        if (at == 10'000) rig.down(between);
      }
      rig.pass_ms(40'000);
      remove_file(rig.dir / "app.log.1");
      rig.pass_ms(40'000);
      rig.pass_ms(40'000);
      noise.push_back("x");
      CHECK((rig.lines.all == noise));
    }
  }
}

TEST_CASE("gzip -k: the archive beside its original counts for nothing, before and after") {
  for (const char* glob : kGlobs) {
    Rig rig(glob);
    append(rig.log(), text_of(numbered(0, 300)));
    rig.drain();
    rename_file(rig.log(), rig.dir / "app.log.1");
    append(rig.log(), "line 300\n");
    (void)compress_file(rig.dir / "app.log.1", ".gz", true);
    rig.drain();
    rig.pass_ms(6'000);
    rig.pass_ms(40'000);
    remove_file(rig.dir / "app.log.1");
    rig.pass_ms(40'000);
    rig.restart();
    rig.pass_ms(40'000);
    CHECK((rig.lines.all == numbered(0, 301)));
  }
}

TEST_CASE("Archives that a pattern matches and that are nobody's are read once") {
  for (const char* ending : kEndings) {
    for (const Between between : kEveryBetween) {
      Rig rig(std::string("old*") + ending);
      append(rig.dir / "old1" + ending, ending == kEndings[0] ? gzipped(text_of(numbered(0, 900)))
                                                              : zstd_of(text_of(numbered(0, 900))));
      append(rig.dir / "old2" + ending, ending == kEndings[0] ? gzipped("unterminated")
                                                              : zstd_of("unterminated"));
      rig.drain();
      CHECK(rig.lines.all.size() == 901);
      rig.save();
      rig.down(between);
      rig.pass_ms(40'000);
      rename_file(rig.dir / "old1" + ending, rig.dir / "old3" + ending);
      rig.pass_ms(40'000);
      CHECK(rig.lines.all.size() == 901);
      CHECK(rig.tailer->stats().files_open == 0);
    }
  }
}

TEST_CASE("Appended gzip members are read, each line once") {
  for (const Between between : kEveryBetween) {
    Rig rig("*.gz");
    append(rig.dir / "x.gz", gzipped(text_of(numbered(0, 10))));
    rig.drain();
    rig.save();
    rig.down(between);
    append(rig.dir / "x.gz", gzipped(text_of(numbered(10, 20))));
    rig.drain();
    CHECK(rig.lines.all == numbered(0, 20));
  }
}

TEST_CASE("Archives that were there before the live file was ever seen are history, not news") {
  Rig rig;
  append(rig.dir / "app.log.2", text_of(numbered(0, 10)));
  (void)compress_file(rig.dir / "app.log.2");
  append(rig.dir / "app.log.1", text_of(numbered(10, 20)));
  append(rig.log(), text_of(numbered(20, 30)));
  rig.drain();
  CHECK(rig.lines.all == numbered(20, 30));
  // The next rotation compresses app.log.1 with something that does not keep its age.
  rename_file(rig.dir / "app.log.2.gz", rig.dir / "app.log.3.gz");
  append(rig.dir / "app.log.2.gz", gzipped(contents(rig.dir / "app.log.1")));
  remove_file(rig.dir / "app.log.1");
  rename_file(rig.log(), rig.dir / "app.log.1");
  append(rig.log(), text_of(numbered(30, 40)));
  rig.drain();
  rig.pass_ms(40'000);
  CHECK(rig.lines.all == numbered(20, 40));
}

TEST_CASE("A damaged archive is read as far as it goes, counted, told, and stops nothing") {
  for (const Between between : kEveryBetween) {
    Rig rig("*.log*");
    const std::string whole = gzipped(text_of(numbered(0, 100'000)));
    append(rig.dir / "a.log.1.gz", whole.substr(0, whole.size() / 2));
    append(rig.dir / "b.log", "b\n");
    rig.drain();
    rig.save();
    rig.down(between);
    rig.pass_ms(40'000);
    const size_t lines = rig.lines.all.size();
    CHECK(lines > 10'000);
    CHECK(rig.lines.all.back() != "b");
    if (between == Between::nothing) CHECK(rig.tailer->stats().compressed_damaged == 1);
    std::vector<InputStats> shown;
    rig.tailer->describe(shown);
    if (between == Between::nothing) CHECK(shown[0].trouble.find("a.log.1.gz") != std::string::npos);
    const uint64_t scans = rig.tailer->stats().rescans;
    rig.drain();
    rig.drain();
    CHECK(rig.tailer->stats().rescans == scans);
    CHECK(rig.tailer->caught_up());
    rig.pass_ms(40'000);
    rig.restart();
    rig.pass_ms(40'000);
    append(rig.dir / "b.log", "c\n");
    rig.drain();
    CHECK(rig.lines.all.size() == lines + 1);
  }
}

TEST_CASE("What a pattern matches is not always what its name says") {
  Rig rig("*");
  append(rig.dir / "plain.gz", "not compressed\n");
  append(rig.dir / "empty.gz", "");
  append(rig.dir / "short.gz", "\x1f\x8b");
  append(rig.dir / "random.zst", "\x28\xb5\x2f\xfd" + std::string(100, 'x'));
  append(rig.dir / "left.xz", "?\n");
  rig.drain();
  rig.pass_ms(40'000);
  CHECK(rig.lines.all == Strings{"not compressed"});
  CHECK(rig.tailer->stats().compressed_ignored == 1);
  CHECK(rig.tailer->stats().compressed_damaged == 1);
}

TEST_CASE("Many archives are decompressed within the memory granted, all of them") {
  Rig rig("*.gz");
  rig.options.max_decoder_bytes = 300'000;  // two or three at once
  rig.lines.max_lines = 7;                  // and the consumer changes files all the time
  for (int i = 0; i < 20; ++i) {
    append(rig.dir / ("f" + std::to_string(i) + ".gz"), gzipped(text_of(numbered(0, 100))));
  }
  rig.drain();
  CHECK(rig.lines.all.size() == 2'000);
}

TEST_CASE("Generations numbered before the extension are known by what is in them") {
  for (const Between between : kEveryBetween) {
    CAPTURE(static_cast<int>(between));
    Rig rig;
    append(rig.dir / "app-7.log", "another app\n");
    std::filesystem::last_write_time(
        rig.dir / "app-7.log",
        std::filesystem::last_write_time(rig.dir / "app-7.log") - std::chrono::hours(1));
    append(rig.log(), text_of(numbered(0, 10)));
    rig.drain();
    rig.save();
    rig.down(between);
    append(rig.log(), text_of(numbered(10, 20)));
    rename_file(rig.log(), rig.dir / "app-2.log");
    append(rig.log(), text_of(numbered(20, 30)));
    rename_file(rig.log(), rig.dir / "app-1.log");  // never seen under its own name
    (void)compress_file(rig.dir / "app-2.log");
    append(rig.log(), text_of(numbered(30, 40)));
    rig.drain();
    rig.pass_ms(40'000);
    CHECK(sorted(rig.lines.all) == sorted(numbered(0, 40)));
  }
}
