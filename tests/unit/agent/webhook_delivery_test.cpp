#include <catch2/catch.hpp>

#include "notify/delivery.hpp"

using namespace nines;
using namespace nines::agent::notify;

namespace {

Instant ms(int64_t n) { return {n * kNsPerMs}; }

std::vector<slo::AlertEvent> events(uint64_t first, uint64_t last) {
  std::vector<slo::AlertEvent> out(static_cast<size_t>(last - first + 1));
  for (size_t i = 0; i < out.size(); ++i) out[i].sequence = first + i;
  return out;
}

int64_t wait_ms(const Delivery& d, Instant now) { return (d.due()->ns - now.ns) / kNsPerMs; }

}  // namespace

TEST_CASE("Delivery has one event in flight and moves its cursor only when it is told",
          "[webhook]") {
  Delivery d({}, 10, 1);
  CHECK(d.begin(ms(0)) == nullptr);
  CHECK_FALSE(d.due().has_value());
  d.add(events(11, 12));
  REQUIRE(d.begin(ms(0)) != nullptr);
  CHECK(d.begin(ms(0)) == nullptr);
  CHECK(d.cursor() == 10);
  CHECK(d.answered(204, {}, ms(1)) == Outcome::delivered);
  CHECK(d.cursor() == 11);
  CHECK(d.begin(ms(1))->sequence == 12);
}

TEST_CASE("Delivery goes past what is not for its destination", "[webhook]") {
  Delivery d({}, 10, 1);
  d.add(events(11, 12));
  REQUIRE(d.begin(ms(0))->sequence == 11);
  d.pass_over();
  CHECK(d.cursor() == 11);
  REQUIRE(d.begin(ms(0))->sequence == 12);
  CHECK(d.answered(204, {}, ms(1)) == Outcome::delivered);
  CHECK(d.stats().sent == 1);
  CHECK(d.stats().attempts == 1);
  CHECK(d.stats().pending == 0);
}

TEST_CASE("Delivery ignores what it knows already and never holds more than its bound",
          "[webhook]") {
  Delivery d({}, 5, 1);
  d.add(events(1, 7));
  d.add(events(6, 8));
  CHECK(d.stats().pending == 3);
  CHECK(d.last_known() == 8);
  d.add(events(9, 500));
  CHECK(d.room() == 0);
  CHECK(d.stats().pending == Delivery::kMaxQueue);
}

TEST_CASE("Delivery backs off with full jitter up to its ceiling, for as long as it takes",
          "[webhook]") {
  Delivery d({1000, 60'000, 100, 3600'000}, 0, 7);
  d.add(events(1, 1));
  Instant now = ms(0);
  int64_t longest = 0;
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(d.begin(now) != nullptr);
    REQUIRE(d.failed(now) == Outcome::retry);
    const int64_t wait = wait_ms(d, now);
    const int64_t ceiling = i < 6 ? int64_t{1000} << i : 60'000;
    CHECK(wait >= 100);
    CHECK(wait <= ceiling);
    longest = std::max(longest, wait);
    CHECK(d.begin({d.due()->ns - 1}) == nullptr);
    now = *d.due();
  }
  CHECK(longest > 50'000);
  CHECK(d.cursor() == 0);
  CHECK(d.stats().failures == 1000);
}

TEST_CASE("Delivery keeps Retry-After as the least wait, within reason", "[webhook]") {
  Delivery d({}, 0, 1);
  d.add(events(1, 1));
  d.begin(ms(0));
  CHECK(d.answered(429, 30'000, ms(0)) == Outcome::retry);
  CHECK(wait_ms(d, ms(0)) >= 30'000);
  CHECK(wait_ms(d, ms(0)) <= 31'000);
  d.begin(ms(40'000));
  CHECK(d.answered(503, int64_t{1} << 60, ms(40'000)) == Outcome::retry);
  CHECK(wait_ms(d, ms(40'000)) <= 3600'000 + 2'000);
}

TEST_CASE("Delivery starts over with short waits after a success", "[webhook]") {
  Delivery d({1000, 60'000, 100, 3600'000}, 0, 3);
  d.add(events(1, 2));
  Instant now = ms(0);
  for (int i = 0; i < 10; ++i) {
    d.begin(now);
    d.failed(now);
    now = *d.due();
  }
  d.begin(now);
  d.answered(200, {}, now);
  d.begin(now);
  d.failed(now);
  CHECK(wait_ms(d, now) <= 1000);
}

TEST_CASE("Delivery tells final refusals from those worth another try", "[webhook]") {
  for (const int status : {400, 401, 403, 404, 410, 413, 422}) {
    CAPTURE(status);
    Delivery d({}, 0, 1);
    d.add(events(1, 2));
    d.begin(ms(0));
    CHECK(d.answered(status, {}, ms(0)) == Outcome::dead);
    CHECK(d.cursor() == 1);
    CHECK(d.stats().dead == 1);
    CHECK(d.begin(ms(0))->sequence == 2);
  }
  for (const int status : {100, 301, 302, 408, 429, 500, 502, 503, 504, 599}) {
    CAPTURE(status);
    Delivery d({}, 0, 1);
    d.add(events(1, 1));
    d.begin(ms(0));
    CHECK(d.answered(status, {}, ms(0)) == Outcome::retry);
    CHECK(d.cursor() == 0);
  }
}

TEST_CASE("Delivery draws the same waits from the same seed", "[webhook]") {
  const auto wait = [](uint64_t seed) {
    Delivery d({}, 0, seed);
    d.add(events(1, 1));
    d.begin(ms(0));
    d.failed(ms(0));
    return d.due()->ns;
  };
  CHECK(wait(1) == wait(1));
  CHECK(wait(1) != wait(2));
}
