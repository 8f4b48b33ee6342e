#include "index/tokens.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "index/bloom.hpp"

using nines::collector::Oddities;
using nines::collector::TokenCollector;
using nines::collector::tokens_required_by;
using nines::collector::TokenSet;

namespace {

using Engine = TokenCollector::Engine;

void collect_tokens(std::string_view text, TokenSet& set, Oddities& odd) {
  TokenCollector().collect(text, set, odd);
}

std::vector<uint32_t> tokens_of(const std::string& text,
                                Engine engine = TokenCollector::best_engine()) {
  TokenSet set(10'000);
  Oddities odd;
  TokenCollector(engine).collect(text, set, odd);
  std::vector<uint32_t> out;
  set.each([&](uint32_t print) { out.push_back(print); });
  std::sort(out.begin(), out.end());
  return out;
}

bool would_find(const std::string& text, const std::string& literal, bool whole = false) {
  const auto all = tokens_of(text);
  const auto there = [&](uint32_t print) {
    return std::binary_search(all.begin(), all.end(), print);
  };
  const auto wanted = tokens_required_by(literal, whole);
  return std::all_of(wanted.prints.begin(), wanted.prints.end(), there) &&
         std::all_of(wanted.long_prints.begin(), wanted.long_prints.end(), there);
}

const std::string kUuid = "550e8400-e29b-41d4-a716-446655440000";

}  // namespace

TEST_CASE("ids of six bytes with a digit and words of eight are tokens; shorter ones are not") {
  CHECK(tokens_of("abc12 12345 abc a1 letters timeout").empty());
  CHECK(tokens_required_by("letters", true).empty());
  CHECK(tokens_of("abc123").size() == 1);
  CHECK(tokens_of("123456").size() == 1);
  CHECK(tokens_of("order-7").size() == 1);
  CHECK(tokens_of("deadlock").size() == 1);
  CHECK(tokens_of("Deadlock DEADLOCK deadlock ABC123 abc123").size() == 2);
  CHECK(tokens_of("req-8f3a2b_x").size() == 1);
}

TEST_CASE("An IPv4 address is one token, a dot at the end of a sentence belongs to none") {
  CHECK(tokens_of("10.1.22.33") == tokens_required_by("10.1.22.33", true).prints);
  CHECK(tokens_of("8.8.8.8") == tokens_required_by("8.8.8.8", true).prints);
  CHECK(tokens_of("deadlock. deadlock.") == tokens_of("deadlock"));
  CHECK(tokens_of("abc123.") == tokens_of("abc123"));
}

TEST_CASE("decimals and fractions of seconds are no tokens") {
  CHECK(tokens_of("12.3456789 51.262484239Z 262484239Z 0.123456").empty());
  CHECK(tokens_required_by("51.262484239z", true).empty());
}

TEST_CASE("A token that a literal may hold in part only is not required") {
  CHECK(tokens_required_by("req-8f3a2b", false).empty());
  CHECK(tokens_required_by("\"req-8f3a2b", false).empty());
  CHECK(tokens_required_by("\"req-8f3a2b\"", false).prints.size() == 1);
  CHECK(tokens_required_by("req-8f3a2b", true).prints.size() == 1);
  CHECK(tokens_required_by(" 10.1.22.", false).empty());  // the next may be a digit
  CHECK(tokens_required_by(".123456 ", false).empty());
}

TEST_CASE("A long id is found wherever it stands within a token") {
  const auto wanted = tokens_required_by(kUuid, false);
  REQUIRE_FALSE(wanted.long_prints.empty());
  CHECK(wanted.prints.empty());
  for (const std::string& around : {std::string("%"), std::string("x%"), std::string("%y"),
                                    std::string("trace-00-%-0123456789abcdef-01")}) {
    std::string text = around;
    text.replace(text.find('%'), 1, kUuid);
    CHECK(would_find(text, kUuid));
    CHECK(would_find("\"" + text + "\"", kUuid));
  }
  CHECK_FALSE(would_find("550e8400-e29b-41d4-b716-446655440000", kUuid));
}

TEST_CASE("Tokens are the same wherever they stand in a text") {
  const std::string words = "abc123 " + kUuid + " haystack 10.20.30.40 node-1234 x 9.9.9.9";
  const auto expected = tokens_of(words);
  for (size_t before = 0; before < 140; ++before) {
    CHECK(tokens_of(std::string(before, ' ') + words) == expected);
    CHECK(tokens_of(std::string(before, '.') + " " + words + std::string(before, '"')) == expected);
  }
}

TEST_CASE("All engines find the same tokens, and those that a literal requires") {
  uint64_t seed = 5;
  const auto below = [&](uint64_t n) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (seed >> 33) % n;
  };
  static constexpr std::string_view kSigns = "aZ09_-P.. \\\"\xc3\n";
  for (int round = 0; round < 300; ++round) {
    std::vector<uint32_t> wanted;
    std::string text;
    for (uint64_t words = below(round < 200 ? 40 : 1500); words > 0; --words) {
      std::string word;
      for (uint64_t size = below(4) == 0 ? below(60) : below(12); size > 0; --size) {
        word += kSigns[below(kSigns.size() - 5)];
      }
      if (below(400) == 0) word += std::string(250 + below(20), 'q');
      if (below(50) == 0) word = "stdout P";
      // Dots at its ends are for nobody.
      const auto required = tokens_required_by(" " + word + " ", false);
      wanted.insert(wanted.end(), required.prints.begin(), required.prints.end());
      const bool blob = word.find(std::string(250, 'q')) != std::string::npos;
      if (!blob) {
        wanted.insert(wanted.end(), required.long_prints.begin(), required.long_prints.end());
      }
      text += word + kSigns[kSigns.size() - 1 - below(5)];
    }
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    const auto plain = tokens_of(text, Engine::plain);
    REQUIRE(tokens_of(text) == plain);
    REQUIRE(std::includes(plain.begin(), plain.end(), wanted.begin(), wanted.end()));
    Oddities odd;
    TokenSet none(0);
    TokenCollector().collect(text, none, odd);
    CHECK(odd.pieces == (text.find("stdout P") != std::string::npos));
  }
}

TEST_CASE("What was seen of one set is not taken for seen of another") {
  TokenCollector collector;
  TokenSet one(100), two(100);
  Oddities odd;
  for (int round = 0; round < 3; ++round) {
    collector.collect("req-123456 deadlock\n", one, odd);
    collector.collect("deadlock\n", two, odd);
    collector.collect("req-123456 deadlock\n", two, odd);
    CHECK(one.size() == 2);
    CHECK(two.size() == 2);
    round == 1 ? one.release() : one.clear();
  }
}

TEST_CASE("Long ids that begin and end alike are told apart") {
  std::string text;
  for (int i = 100; i < 200; ++i) {
    text += "aaaaaaaaaaaa" + std::to_string(i) + "-0123456789-bbbbbbbbbbbb\n";
  }
  CHECK(tokens_of(text).size() >= 100);
}

TEST_CASE("Escapes of JSON and pieces of containers' lines are told") {
  TokenSet set(10);
  Oddities odd;
  collect_tokens(R"({"a":"\n\"\\"} 2026-01-01T00:00:00Z stdout F x)", set, odd);
  CHECK_FALSE((odd.unicode || odd.slash || odd.pieces));
  collect_tokens(std::string(63, ' ') + R"(\u0041)", set, odd);
  CHECK(odd.unicode);
  collect_tokens(R"(https:\/\/x)", set, odd);
  CHECK(odd.slash);
  collect_tokens("HTTP/1.1 POST Please stdoutP", set, odd);
  CHECK_FALSE(odd.pieces);
  collect_tokens("2026-01-01T00:00:00Z stderr P half", set, odd);
  CHECK(odd.pieces);
  CHECK_FALSE(odd.blobs);
}

TEST_CASE("Fingerprints of long ids are spread evenly") {
  TokenSet set(10'000);
  Oddities odd;
  uint64_t id = 1;
  for (int i = 0; i < 2000; ++i) {
    std::string text(32, ' ');
    for (char& c : text) c = "0123456789abcdef"[(id = id * 6364136223846793005ULL + 1) >> 60];
    collect_tokens(text, set, odd);
  }
  size_t low = 0;
  set.each([&](uint32_t print) { low += print < (1U << 31) ? 1 : 0; });
  CHECK(set.size() == 2000);
  CHECK(low > 850);
  CHECK(low < 1150);
}

TEST_CASE("Of a token of more than 256 bytes it is only known that there is one") {
  TokenSet set(10);
  Oddities odd;
  collect_tokens(" " + std::string(256, 'a') + " ", set, odd);
  CHECK(set.size() == 1);
  CHECK_FALSE(odd.blobs);
  collect_tokens(" " + std::string(257, 'b') + " ", set, odd);
  CHECK(set.size() == 1);
  CHECK(odd.blobs);
}

TEST_CASE("A set of tokens stops at its limit and says so") {
  TokenSet set(300);
  for (uint32_t i = 1; i <= 300; ++i) set.insert(i * 7919);
  CHECK(set.size() == 300);
  CHECK_FALSE(set.overflowed());
  set.insert(7919);
  CHECK_FALSE(set.overflowed());
  set.insert(1);
  CHECK(set.overflowed());
  CHECK(set.size() == 300);
  set.release();
  CHECK(set.bytes() == 0);
}

TEST_CASE("A filter has all of its tokens and few others") {
  TokenSet set(10'000);
  for (uint32_t i = 1; i <= 5000; ++i) set.insert(i * 2654435761U);
  const uint32_t buckets = nines::collector::buckets_for(set.size());
  const auto words = nines::collector::make_bloom(set, buckets);
  const char* const filter = reinterpret_cast<const char*>(words.data());
  CHECK(words.size() * 4 <= 5000 * 12 / 8 + 32);
  set.each([&](uint32_t print) { REQUIRE(nines::collector::may_hold(filter, buckets, print)); });
  int wrong = 0;
  for (uint32_t i = 5001; i <= 105'000; ++i) {
    wrong += nines::collector::may_hold(filter, buckets, i * 2654435761U) ? 1 : 0;
  }
  CHECK(wrong < 1000);  // of 100,000
}
