#include "nines/incident/happenings.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::incident;

namespace {

WallTime at(int64_t seconds) { return WallTime::from_s(1'795'000'000 + seconds); }

Happening one(int64_t seconds, const std::string& key, bool wrong = true) {
  Happening out;
  out.at = at(seconds);
  out.key = key;
  out.text = key + " happened";
  out.wrong = wrong;
  return out;
}

std::string keys(const std::vector<Happening>& all) {
  std::string out;
  for (const Happening& happening : all) out += (out.empty() ? "" : " ") + happening.key;
  return out;
}

}  // namespace

TEST_CASE("What happened near an onset is found in the order of time", "[incident]") {
  Happenings all;
  for (const int64_t s : {500, 100, 300, 200, 400}) all.add(one(s, std::to_string(s)));
  CHECK(keys(all.around(at(300), at(0), at(1000), 10)) == "100 200 300 400 500");
  CHECK(keys(all.around(at(300), at(200), at(400), 10)) == "200 300 400");
  CHECK(keys(all.around(at(320), at(0), at(1000), 2)) == "300 400");
  CHECK(all.around(at(300), at(600), at(1000), 10).empty());
}

TEST_CASE("What was wrong comes before what was not, where not all can be told", "[incident]") {
  Happenings all;
  all.add(one(300, "came", false));
  all.add(one(100, "far"));
  all.add(one(310, "back", false));
  all.add(one(200, "near"));
  CHECK(keys(all.around(at(300), at(0), at(1000), 2)) == "far near");
  CHECK(keys(all.around(at(300), at(0), at(1000), 3)) == "far near came");
}

TEST_CASE("An occurrence that is told again is still one, as it was told last", "[incident]") {
  Happenings all;
  CHECK(all.add(one(100, "a")));
  CHECK_FALSE(all.add(one(100, "a")));
  Happening again = one(160, "a");
  again.text = "a happened 3 times";
  CHECK(all.add(again));
  REQUIRE(all.size() == 1);
  CHECK(all.around(at(0), at(0), at(1000), 9)[0].text == "a happened 3 times");
  CHECK_FALSE(all.add(one(100, "")));
}

TEST_CASE("So many are kept, the newest of them, and what went is counted", "[incident]") {
  Happenings all;
  const auto most = static_cast<int64_t>(Happenings::kMost);
  for (int64_t s = 1; s <= most + 10; ++s) all.add(one(s, std::to_string(s)));
  CHECK(all.size() == Happenings::kMost);
  CHECK(all.let_go() == 10);
  CHECK(keys(all.around(at(0), at(0), at(12), 9)) == "11 12");
  CHECK_FALSE(all.add(one(0, "older than all")));
  CHECK(all.size() == Happenings::kMost);
}

TEST_CASE("Texts from outside are cut within a character and harmless", "[incident]") {
  Happenings all;
  Happening long_one = one(1, "k");
  long_one.text = "a\x1b[31m\n" + std::string(Happenings::kMaxText - 8, 'x') + "\xc3\xa4\xc3\xa4";
  all.add(long_one);
  const std::string text = all.around(at(0), at(0), at(9), 9)[0].text;
  CHECK(text.size() <= Happenings::kMaxText);
  CHECK(text.substr(0, 7) == "a [31m ");
  CHECK(text.back() == 'x');
}

TEST_CASE("What was kept of an earlier life is no news when it is told again", "[incident]") {
  Happenings before;
  before.add(one(100, "a"));
  before.add(one(200, "b", false));
  Happenings now;
  for (const std::string& key : before.take_changes()) {
    const Happening* kept = before.find(key);
    REQUIRE(kept != nullptr);
    auto read = decode_happening(key, encode_happening(*kept));
    REQUIRE(read);
    CHECK(*read == *kept);
    now.restore(std::move(*read));
  }
  CHECK(before.take_changes().empty());
  CHECK(now.take_changes().empty());
  CHECK_FALSE(now.add(one(100, "a")));
  Happening named = one(200, "b", false);
  named.service = "orders";
  CHECK_FALSE(now.add(named));  // no news, but better to know
  CHECK(now.find("b")->service == "orders");
  CHECK(now.take_changes() == std::vector<std::string>{"b"});
  CHECK_FALSE(now.add(one(200, "b", false)));
  CHECK(now.find("b")->service == "orders");
  for (const char* bad : {"", "x",
                          "1\x1f"
                          "9\x1f"
                          "1\x1f\x1f\x1f",
                          "1\x1f"
                          "0\x1f"
                          "1"}) {
    CHECK_FALSE(decode_happening("k", bad));
  }
}

TEST_CASE("What makes room is to be forgotten by the store, too", "[incident]") {
  Happenings all;
  const auto most = static_cast<int64_t>(Happenings::kMost);
  for (int64_t s = 1; s <= most; ++s) all.add(one(s, std::to_string(s)));
  (void)all.take_changes();
  all.add(one(most + 1, "new"));
  CHECK(all.take_changes() == std::vector<std::string>{"1", "new"});
  CHECK(all.find("1") == nullptr);
}
