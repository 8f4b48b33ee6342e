#include "nines/log/cri.hpp"

#include "log_test_support.hpp"

using namespace nines;
using namespace nines::log;

namespace {

constexpr const char* kTs = "2026-11-21T01:35:51.262484239Z";
std::string cri(const std::string& rest) { return kTs + (" " + rest); }

std::string parsed(const std::string& line) {
  CriLine out;
  if (!parse_cri(line, out)) return "no";
  return std::string(out.stream == CriStream::out ? "out" : "err") +
         (out.partial ? " P '" : " F '") + std::string(out.content) + "'";
}

std::string pushed(PieceJoiner& joiner, const std::string& line) {
  Piece piece;
  if (!parse_cri(line, piece)) return "not_cri";
  PieceJoiner::Line whole;
  if (!joiner.push(piece, 0, whole)) return "pending";
  return std::string(whole.stream == OutputStream::out ? "out '" : "err '") +
         std::string(whole.content) + "'" + (whole.truncated ? " truncated" : "");
}

}  // namespace

TEST_CASE("CRI lines give time, stream, tag and content", "[log]") {
  CHECK(parsed(cri("stdout F hello world")) == "out F 'hello world'");
  CHECK(parsed(cri("stderr P hello ")) == "err P 'hello '");
  CHECK(parsed(cri("stdout F ")) == "out F ''");
  CHECK(parsed(cri("stdout F")) == "out F ''");
  CHECK(parsed(cri("stdout P:x more")) == "out P 'more'");
  CHECK(parsed(cri("stdout no tag here")) == "out F 'no tag here'");
  CHECK(parsed(cri("stdout")) == "out F ''");
  CHECK(parsed("2026-11-21T01:35:51.262484239+01:00 stdout F x") == "out F 'x'");
  CHECK(parsed(cri("stdout F a\xff\xfe")) == "out F 'a\xff\xfe'");
  for (const std::string& bad :
       {cri("stdin F x"), cri("stdoutF x"), cri(" stdout F x"), std::string("x"), std::string(),
        std::string("1754-11-21T01:35:51.262484239Z stdout F x"),
        std::string("2026-11-21 01:35:51.262484Z stdout F x"),
        std::string("2026-11-21T01:35:51.262484239 stdout F x"), std::string("{\"log\":\"x\"}")}) {
    CAPTURE(bad);
    CHECK(parsed(bad) == "no");
  }
  CriLine line;
  REQUIRE(parse_cri(cri("stdout F x"), line));
  CHECK(line.ts.ns == 1'795'224'951'262'484'239);
}

TEST_CASE("The joiner keeps streams apart and the first piece's time", "[log]") {
  PieceJoiner joiner(1000);
  CHECK(pushed(joiner, cri("stdout P 1a. some ")) == "pending");
  CHECK(pushed(joiner, cri("stderr P 1b. some ")) == "pending");
  CHECK(pushed(joiner, cri("stdout P multiline ")) == "pending");
  CHECK(pushed(joiner, cri("stderr P multiline ")) == "pending");
  CHECK(joiner.has_pending());
  PieceJoiner::Line record;
  Piece last;
  REQUIRE(parse_cri("2026-11-21T01:35:59Z stdout F log", last));
  REQUIRE(joiner.push(last, 7, record));
  CHECK(record.at == 0);
  CHECK(record.content == "1a. some multiline log");
  CHECK(format_rfc3339(record.ts) == "2026-11-21T01:35:51.262484239Z");
  CHECK(pushed(joiner, cri("stderr F log")) == "err '1b. some multiline log'");
  CHECK_FALSE(joiner.has_pending());
  CHECK(pushed(joiner, cri("stdout F next")) == "out 'next'");
  CHECK(pushed(joiner, cri("stdout P again ")) == "pending");
  CHECK(pushed(joiner, cri("stdout F")) == "out 'again '");
  CHECK(pushed(joiner, "no cri") == "not_cri");
}

TEST_CASE("The joiner cuts records at its bound and says so", "[log]") {
  PieceJoiner joiner(8);
  CHECK(pushed(joiner, cri("stdout F 12345678")) == "out '12345678'");
  CHECK(pushed(joiner, cri("stdout F 123456789")) == "out '12345678' truncated");
  CHECK(pushed(joiner, cri("stdout P 12345")) == "pending");
  CHECK(pushed(joiner, cri("stdout P 6789")) == "pending");
  CHECK(pushed(joiner, cri("stdout P x")) == "pending");
  CHECK(pushed(joiner, cri("stdout F end")) == "out '12345678' truncated");
  CHECK(pushed(joiner, cri("stdout P 1234")) == "pending");
  CHECK(pushed(joiner, cri("stdout F 5678")) == "out '12345678'");
  CHECK(pushed(joiner, cri("stdout F 1234567\xE2\x82\xAC")) == "out '1234567' truncated");
  CHECK(pushed(joiner, cri("stdout F \x80\x80\x80\x80\x80\x80\x80\x80\x80")).size() > 13);
}

TEST_CASE("The joiner's state survives a restart in the middle of a record", "[log]") {
  PieceJoiner before(1000);
  CHECK(before.save().empty());
  pushed(before, cri("stdout P half "));
  pushed(before, cri("stderr P other "));
  const std::string saved = before.save();
  PieceJoiner after(1000);
  REQUIRE(after.restore(saved));
  CHECK(after.save() == saved);
  CHECK(pushed(after, cri("stdout F done")) == "out 'half done'");
  CHECK(pushed(after, cri("stderr F done")) == "err 'other done'");
  REQUIRE(after.restore(""));
  CHECK_FALSE(after.has_pending());
  PieceJoiner small(4);
  REQUIRE(small.restore(saved));
  CHECK(pushed(small, cri("stdout F x")) == "out 'half' truncated");
}

TEST_CASE("The joiner refuses damaged state and keeps its own", "[log]") {
  PieceJoiner source(1000);
  pushed(source, cri("stdout P half "));
  pushed(source, cri("stderr P other "));
  const std::string saved = source.save();
  PieceJoiner joiner(1000);
  pushed(joiner, cri("stdout P mine "));
  const std::string mine = joiner.save();
  for (size_t i = 0; i < saved.size(); ++i) {
    std::string flipped = saved;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x41);
    CAPTURE(i);
    CHECK_FALSE(joiner.restore(flipped));
    if (i > 0) CHECK_FALSE(joiner.restore(saved.substr(0, i)));
  }
  CHECK_FALSE(joiner.restore(saved + "x"));
  CHECK(joiner.save() == mine);
}

TEST_CASE("Open pieces that an older version saved are completed", "[log]") {
  // CR1: stream, truncated, time, length, content; then FNV-1a of all before.
  std::string saved("CR1\0\0\x01\0\0\0\0\0\0\0\x05\0\0\0half ", 22);
  uint32_t hash = 2166136261u;
  for (const char c : saved) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  for (int i = 0; i < 4; ++i) saved.push_back(static_cast<char>(hash >> (8 * i) & 0xff));
  PieceJoiner joiner(1000);
  REQUIRE(joiner.restore(saved));
  CHECK(pushed(joiner, cri("stdout F done")) == "out 'half done'");
}

TEST_CASE("The pieces of a line that never ends can be had all the same", "[log]") {
  PieceJoiner joiner(1000);
  pushed(joiner, cri("stderr P half "));
  PieceJoiner::Line line;
  CHECK_FALSE(joiner.flush(OutputStream::out, line));
  REQUIRE(joiner.flush(OutputStream::err, line));
  CHECK(line.content == "half ");
  CHECK_FALSE(joiner.has_pending());
}
