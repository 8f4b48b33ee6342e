// Users who met something bad: exact while they are few, within the stated error when they are not.
#include "nines/incident/user_sample.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <set>
#include <string>

namespace nines::incident {
namespace {

WallTime at(int64_t s) { return WallTime::from_s(1'790'000'000 + s); }

UserSample::Count count(const UserSample& sample, WallTime since) {
  const UserSample* const all[] = {&sample};
  return UserSample::count(all, since);
}

}  // namespace

TEST_CASE("Users are counted once, by when they last met something bad", "[incident]") {
  UserSample sample;
  sample.met("ann", at(0));
  sample.met("bob", at(10));
  sample.met("ann", at(20));
  sample.met("bob", at(5));  // late: the last time stays
  sample.met("", at(30));    // nobody
  CHECK(count(sample, at(0)).users == 2);
  CHECK(count(sample, at(10)).users == 2);
  CHECK(count(sample, at(11)).users == 1);
  CHECK(count(sample, at(21)).users == 0);
  CHECK(count(sample, at(0)).exact);
}

TEST_CASE("Up to the limit every user counts, in bounded memory", "[incident]") {
  UserSample sample;
  for (size_t i = 0; i < UserSample::kMost; ++i) {
    sample.met("user-" + std::to_string(i), at(static_cast<int64_t>(i % 100)));
  }
  CHECK(count(sample, at(0)).users == UserSample::kMost);
  CHECK(count(sample, at(0)).exact);
  CHECK(sample.memory_bytes() <= 64 * 1024);
}

TEST_CASE("Many users are estimated within four times the error that is stated", "[incident]") {
  for (const int64_t users : {5'000, 100'000, 1'000'000}) {
    UserSample sample;
    for (int64_t i = 0; i < users; ++i) sample.met(std::to_string(i * 7919), at(i * 60 / users));
    const auto all = count(sample, at(0));
    const auto half = count(sample, at(30));
    CAPTURE(users, all.users, half.users, all.error);
    CHECK_FALSE(all.exact);
    CHECK(all.error < 0.05);
    const auto near = [](uint64_t got, double wanted, double error) {
      return std::abs(static_cast<double>(got) - wanted) <= 4 * error * wanted;
    };
    CHECK(near(all.users, static_cast<double>(users), all.error));
    CHECK(near(half.users, static_cast<double>(users) / 2, half.error));
    CHECK(sample.users() <= UserSample::kMost);
    CHECK(sample.memory_bytes() <= 64 * 1024);
  }
}

TEST_CASE("Users of a day ago make room before anybody is left out", "[incident]") {
  UserSample sample;
  for (int i = 0; i < 2'000; ++i) sample.met("old-" + std::to_string(i), at(0));
  for (int i = 0; i < 1'000; ++i) sample.met("new-" + std::to_string(i), at(90'000));
  CHECK(count(sample, at(86'400)).users == 1'000);
  CHECK(count(sample, at(86'400)).exact);
}

TEST_CASE("Who met something bad of two kinds is one user, however either was thinned",
          "[incident]") {
  UserSample few, many;
  for (int i = 0; i < 100; ++i) few.met(std::to_string(i), at(0));
  for (int i = 50; i < 150; ++i) many.met(std::to_string(i), at(0));
  const UserSample* const both[] = {&few, &many};
  CHECK(UserSample::count(both, at(0)).users == 150);
  for (int i = 0; i < 20'000; ++i) many.met(std::to_string(i), at(1));
  const auto joined = UserSample::count(both, at(0));
  CHECK_FALSE(joined.exact);
  CHECK(std::abs(static_cast<double>(joined.users) - 20'000) <= 4 * joined.error * 20'000);
}

TEST_CASE("A sample that was saved goes on as if it had never been put away", "[incident]") {
  for (const int users : {0, 3, 2'000, 50'000}) {
    UserSample one;
    for (int i = 0; i < users; ++i) one.met("user-" + std::to_string(i), at(i % 600));
    UserSample other;
    other.met("somebody else", at(0));
    REQUIRE(other.restore(one.save()).ok());
    CHECK(other.save() == one.save());
    CHECK(one.save().size() <= 26 * 1024);
    for (int i = users / 2; i < users * 2; ++i) {
      one.met("user-" + std::to_string(i), at(900 + i % 7));
      other.met("user-" + std::to_string(i), at(900 + i % 7));
    }
    for (const int64_t since : {0, 300, 900, 903}) {
      CAPTURE(users, since);
      CHECK(count(other, at(since)).users == count(one, at(since)).users);
      CHECK(count(other, at(since)).exact == count(one, at(since)).exact);
      CHECK(count(other, at(since)).error == count(one, at(since)).error);
    }
    CHECK(other.memory_bytes() <= 64 * 1024);
  }
}

TEST_CASE("Times are kept to the nanosecond", "[incident]") {
  UserSample one, other;
  one.met("ann", {at(0).ns + 1});
  one.met("bob", {at(5).ns + 999'999});
  REQUIRE(other.restore(one.save()).ok());
  CHECK(count(other, {at(0).ns + 1}).users == 2);
  CHECK(count(other, {at(0).ns + 2}).users == 1);
  CHECK(count(other, {at(6).ns}).users == 0);
}

TEST_CASE("Of a sample that is damaged nothing is taken", "[incident]") {
  UserSample one, kept;
  for (int i = 0; i < 40; ++i) one.met(std::to_string(i), at(i));
  kept.met("ann", at(0));
  const std::string good = one.save(), before = kept.save();
  for (size_t cut = 0; cut < good.size(); ++cut) {
    CHECK_FALSE(kept.restore(good.substr(0, cut)).ok());
  }
  CHECK_FALSE(kept.restore(good + "x").ok());
  std::string swapped = good;  // not by hash any more: a user would be there twice
  std::swap_ranges(swapped.end() - 20, swapped.end() - 12, swapped.begin() + 12);
  CHECK_FALSE(kept.restore(swapped).ok());
  CHECK(kept.save() == before);
}

}  // namespace nines::incident
