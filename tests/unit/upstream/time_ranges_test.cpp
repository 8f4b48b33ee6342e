#include "nines/upstream/time_ranges.hpp"

#include <catch2/catch.hpp>

using nines::upstream::TimeRange;
using nines::upstream::TimeRanges;

TEST_CASE("ranges that touch become one") {
  TimeRanges t;
  t.add({100, 160});
  t.add({220, 280});
  CHECK(t.text() == "100-160 220-280");
  t.add({160, 220});
  CHECK(t.text() == "100-280");
  t.add({50, 50});
  CHECK(t.text() == "100-280");
}

TEST_CASE("a range is taken out of the middle") {
  TimeRanges t;
  t.add({0, 600});
  t.remove({120, 180});
  CHECK(t.text() == "0-120 180-600");
  CHECK(t.length_s() == 540);
  CHECK(t.oldest() == TimeRange{0, 120});
  CHECK(t.newest() == TimeRange{180, 600});
  t.remove({0, 1000});
  CHECK(t.empty());
}

TEST_CASE("too many ranges grow together where the gap is smallest") {
  TimeRanges t;
  for (int64_t i = 0; i < 65; ++i) t.add({i * 1000, i * 1000 + (i == 20 ? 900 : 100)});
  CHECK(t.ranges().size() == TimeRanges::kMost);
  CHECK(t.ranges()[20] == TimeRange{20'000, 21'100});
}

TEST_CASE("ranges read back from their text") {
  TimeRanges t;
  t.add({100, 160});
  t.add({-220, -80});
  CHECK(TimeRanges::parse(t.text())->text() == t.text());
  CHECK(TimeRanges::parse("")->empty());
  for (const char* bad : {"x", "1", "1-", "1-2x", "2-1", "1-2,3-4", "-"}) {
    CHECK_FALSE(TimeRanges::parse(bad));
  }
}
