// The watch after a release and the impact of a change, against counts made by hand.
#include "nines/slo/impact.hpp"

#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

constexpr int64_t kHour = 3600, kDay = 86400;

WallTime at(int64_t s) { return WallTime::from_s(kT0 + s); }

// Counts a minute apart from -2 d on, told by a function of the second.
class History {
 public:
  explicit History(const char* target = "0.99") : target_(target) {}
  uint32_t add(const std::string& name, const std::string& service) {
    SloSpec spec = spec_of(name, target_);
    spec.service = service;
    return *engine.add(spec);
  }
  template <class Bad>
  void fill(uint32_t slo, int64_t total, Bad bad, int64_t until_s) {
    Batch batch;
    for (int64_t s = -2 * kDay; s < until_s; s += 60) {
      const int64_t n = bad(s);
      batch.slots.push_back(delta(kT0 + s, total - n, n, 60, slo));
    }
    batch.max_event_time = at(until_s - 1);
    engine.apply(batch);
  }
  SloEngine engine;

 private:
  const char* target_;
};

Change deploy(uint64_t id = 1) {
  Change change;
  change.id = id;
  change.kind = ChangeKind::deploy;
  change.at = at(0);
  change.service = "shop";
  return change;
}

ReleaseWatch watch(const History& h, int64_t now_s) {
  return watch_release(h.engine, 0, deploy(), at(2 * kHour), at(now_s));
}

}  // namespace

TEST_CASE("A release that breaks every tenth request is WORSE within minutes", "[slo]") {
  History h;
  const uint32_t slo = h.add("web", "shop");
  h.fill(
      slo, 60, [](int64_t s) { return s >= 0 ? 6 : 0; }, kHour);
  const ReleaseWatch w = watch(h, 300);
  CHECK(w.verdict == WatchVerdict::worse);
  CHECK_FALSE(w.done);
  CHECK(w.just_before.after.bad == 30);
  CHECK(w.just_before.after.total() == 300);
  CHECK(w.just_before.before.bad == 0);
  CHECK(w.just_before.before.total() == 300);
  CHECK(w.day_before.before.total() == 300);
  CHECK(w.just_before.probability < 1e-8);
  CHECK_THAT(w.text, Catch::StartsWith("release #1 is WORSE for web: 30 of 300 events bad after "
                                       "it, 0 of 300 just before"));
}

TEST_CASE("A good release is WATCHING for two hours and then OK", "[slo]") {
  History h;
  const uint32_t slo = h.add("web", "shop");
  h.fill(
      slo, 60, [](int64_t s) { return s % 3600 == 0 ? 1 : 0; }, 3 * kHour);
  CHECK(watch(h, 0).verdict == WatchVerdict::watching);
  CHECK(watch(h, 60).verdict == WatchVerdict::watching);
  CHECK(watch(h, 2 * kHour - 10).verdict == WatchVerdict::watching);
  const ReleaseWatch done = watch(h, 2 * kHour);
  CHECK(done.verdict == WatchVerdict::ok);
  CHECK(done.done);
  CHECK(watch(h, 3 * kHour).just_before.after.total() == 2 * 60 * 60);
}

TEST_CASE("More errors that the target allows are no reason to hold a release", "[slo]") {
  History h;
  const uint32_t slo = h.add("web", "shop");
  h.fill(
      slo, 1000, [](int64_t s) { return s >= 0 ? 9 : 1; }, 3 * kHour);
  const ReleaseWatch w = watch(h, 2 * kHour);
  CHECK(w.just_before.probability < 1e-6);
  CHECK(w.verdict == WatchVerdict::ok);
}

TEST_CASE("What is usual at this hour of the day is not the release's fault", "[slo]") {
  History h;
  const uint32_t slo = h.add("web", "shop");
  const auto peak = [](int64_t s) { return ((s % kDay) + kDay) % kDay < 2 * kHour ? 6 : 0; };
  h.fill(slo, 60, peak, 3 * kHour);
  const ReleaseWatch w = watch(h, 2 * kHour);
  CHECK(w.just_before.probability < 1e-6);
  CHECK(w.day_before.probability > 0.1);
  CHECK(w.verdict == WatchVerdict::ok);
}

TEST_CASE("A service without traffic gets no verdict, an obvious one gets it with little",
          "[slo]") {
  History quiet;
  const uint32_t slo = quiet.add("web", "shop");
  quiet.fill(
      slo, 1, [](int64_t s) { return s == 0 ? 1 : 0; }, 60);
  CHECK(watch(quiet, 2 * kHour).verdict == WatchVerdict::too_little_traffic);
  History few;
  few.add("web", "shop");
  few.fill(
      0, 1, [](int64_t s) { return s >= 0 ? 1 : 0; }, 40 * 60);
  CHECK(watch(few, 2 * kHour).verdict == WatchVerdict::worse);
  History none;
  none.add("web", "shop");
  CHECK(watch(none, 2 * kHour).verdict == WatchVerdict::too_little_traffic);
}

TEST_CASE("A watch that the next release ended compares what lies between", "[slo]") {
  History h;
  const uint32_t slo = h.add("web", "shop");
  h.fill(
      slo, 60, [](int64_t) { return 0; }, 3 * kHour);
  const ReleaseWatch w = watch_release(h.engine, 0, deploy(), at(600), at(kHour));
  CHECK(w.done);
  CHECK(w.just_before.after.total() == 600);
  CHECK(w.just_before.before.total() == 600);
}

TEST_CASE("Comparing equal shares finds nothing, empty windows neither", "[slo]") {
  const auto counts = [](int64_t bad, int64_t total) {
    WindowCounts w;
    w.good = total - bad;
    w.bad = bad;
    return w;
  };
  CHECK(compare_windows(counts(10, 1000), counts(10, 1000), 50).probability > 0.5);
  CHECK(compare_windows(counts(0, 0), counts(10, 10), 50).probability == 1);
  CHECK_FALSE(compare_windows(counts(0, 49), counts(10, 10), 50).enough);
  // 10 bad events, all behind: 2^-10 for windows of one size.
  CHECK(compare_windows(counts(0, 500), counts(10, 500), 50).probability ==
        Approx(1.0 / 1024).epsilon(1e-6));
}

TEST_CASE("Impact takes off what moved the untouched services alike", "[slo]") {
  History h;
  const uint32_t web = h.add("web", "shop"), mail = h.add("mail", "mail");
  h.fill(
      web, 1000, [](int64_t s) { return s >= 0 ? 60 : 10; }, 2 * kHour);
  h.fill(
      mail, 1000, [](int64_t s) { return s >= 0 ? 30 : 10; }, 2 * kHour);
  const auto impacts = impact_of(h.engine, deploy(), {deploy()}, at(2 * kHour), kHour);
  REQUIRE(impacts.size() == 1);
  const Impact& i = impacts[0];
  CHECK(i.treated.before.bad == 600);
  CHECK(i.treated.after.bad == 3600);
  CHECK(i.control_before.bad == 600);
  CHECK(i.control_after.bad == 1800);
  CHECK(*i.plain_difference == Approx(0.05));
  CHECK(*i.difference == Approx(0.03));
  CHECK(i.adjusted);
  CHECK(i.significant);
  CHECK(i.interval.low > 0.025);
  CHECK(i.interval.high < 0.035);
  REQUIRE(i.doubts.size() == 1);
  CHECK_THAT(i.doubts[0], Catch::Contains("bursts"));
}

TEST_CASE("Impact compares with an SLO once, not with each of its groups beside it", "[slo]") {
  History h;
  const uint32_t web = h.add("web", "shop"), mail = h.add("mail", "mail");
  SloSpec whole = h.engine.spec(mail);
  whole.indicator.group = GroupSpec{"type", 5, false};
  const auto row = h.engine.add(row_of(whole, "slow")), gone = h.engine.add(row_of(whole, "gone"));
  h.engine.remove(*gone);
  for (const uint32_t slo : {web, mail, *row}) {
    h.fill(
        slo, 1000, [](int64_t) { return 10; }, 2 * kHour);
  }
  const auto impacts = impact_of(h.engine, deploy(), {deploy()}, at(2 * kHour), kHour);
  REQUIRE(impacts.size() == 1);
  REQUIRE(impacts[0].controls.size() == 1);
  CHECK(impacts[0].controls[0].slo == "mail");
  CHECK(impacts[0].control_before.bad == 600);
}

TEST_CASE("Impact says what would make it wrong", "[slo]") {
  History h;
  const uint32_t web = h.add("web", "shop"), mail = h.add("mail", "mail");
  // web was getting worse before the change already; mail was deployed too.
  h.fill(
      web, 1, [](int64_t s) { return s >= -kHour && s % 120 == 0 ? 1 : 0; }, 1800);
  h.fill(
      mail, 1000, [](int64_t) { return 10; }, 1800);
  Change other = deploy(2);
  other.service = "mail";
  other.at = at(60);
  Change twin = deploy(3);
  twin.at = at(-600);
  const auto impacts = impact_of(h.engine, deploy(), {deploy(), other, twin}, at(1800), kHour);
  REQUIRE(impacts.size() == 1);
  CHECK_FALSE(impacts[0].adjusted);
  CHECK(impacts[0].controls.empty());
  std::string doubts;
  for (const std::string& doubt : impacts[0].doubts) doubts += doubt + "\n";
  CHECK_THAT(doubts, Catch::Contains("only 60 events before"));
  CHECK_THAT(doubts, Catch::Contains("no untouched service"));
  CHECK_THAT(doubts, Catch::Contains("moving before the change already"));
  CHECK_THAT(doubts, Catch::Contains("#3 (deploy"));
}

TEST_CASE("Impact without events before or after has no number", "[slo]") {
  History h;
  h.add("web", "shop");
  const auto impacts = impact_of(h.engine, deploy(), {}, at(600), kHour);
  REQUIRE(impacts.size() == 1);
  CHECK_FALSE(impacts[0].difference);
  CHECK_FALSE(impacts[0].significant);
  CHECK(impact_of(h.engine, Change{}, {}, at(600), kHour).empty());
}
