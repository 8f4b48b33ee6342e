// How services went before and after a moment, without a cost a line.
#include <catch2/catch.hpp>

#include "incident/service_shares.hpp"

namespace nines::agent::incident {
namespace {

constexpr int64_t kStart = 1'790'000'040 / 60 * 60;  // the start of a minute

WallTime at(int64_t s) { return WallTime::from_s(kStart + s); }

// Two lines a second of `pay`, one of them an error from `broken_s` on.
struct Run {
  void until(int64_t to_s, int64_t broken_s) {
    for (; s < to_s; ++s) {
      if (s % 10 == 0) look();
      watch.count("pay", 1, false, at(s));
      watch.count("pay", 2, s >= broken_s, at(s));
    }
    look();
  }
  void look() {
    watch.advance(at(s));
    shares.look(at(s), watch);
  }
  ServiceShares::Counts between(int64_t from_s, int64_t to_s) {
    return shares.between(at(from_s), at(to_s), watch)["pay"];
  }
  nines::incident::TemplateWatch watch;
  ServiceShares shares;
  int64_t s = 0;
};

}  // namespace

TEST_CASE("Errors before and after a change are counted over the last hour", "[incident]") {
  Run run;
  run.until(1'800, 1'500);
  CHECK(run.between(1'500, 1'800).lines == 600);
  CHECK(run.between(1'500, 1'800).errors == 300);
  const auto before = run.between(600, 1'500);
  CHECK(before.lines == 1'800);
  CHECK(before.errors == 0);
  CHECK(run.between(1'790, 1'800).errors == 10);  // the slots know tens of seconds
}

TEST_CASE("What is older than the slots is known by whole minutes, within the time asked for",
          "[incident]") {
  Run run;
  run.until(1'800, 900);
  CHECK(run.between(630, 1'020).lines == 720);  // from 660 to 1020
  CHECK(run.between(630, 1'020).errors == 120);
  run.until(5'400, 900);
  const auto all = run.between(0, 5'400);
  CHECK(all.lines <= 2 * 66 * 60);
  CHECK(all.lines >= 2 * 63 * 60);  // an hour is kept, not more
}

TEST_CASE("Time that was not looked at is not known, and not taken for silence", "[incident]") {
  Run run;
  run.until(600, 99'999);
  run.s = 3'000;
  run.until(3'300, 99'999);
  const auto after = run.between(2'900, 3'300);
  CHECK(after.lines >= 360);
  CHECK(after.lines <= 600);
  CHECK(run.between(0, 600).lines == 0);
}

}  // namespace nines::agent::incident
