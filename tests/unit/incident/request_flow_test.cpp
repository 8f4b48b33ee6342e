#include "nines/incident/request_flow.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "incident/excess.hpp"

using namespace nines;
using namespace nines::incident;
using Kind = FlowFinding::Kind;

namespace {

constexpr int64_t kBegin = 1'700'000'000;
constexpr ServiceId kFront = 1, kShop = 2, kStock = 3;
// Lines: front 11 12, shop 21 22 23, stock 31 32.

struct Fault {
  enum class What { none, shop_throws, stock_silent, stock_error, shop_slow };
  double share = 0;  // of requests that it hits
  What what = What::none;
};

// Requests of a shop: front -> shop -> stock and back, 40 a minute.
class Shop {
 public:
  explicit Shop(unsigned seed) : chance_(seed) {}

  void minutes(int count, const Fault& fault = {}, bool learn = true) {
    for (int m = 0; m < count; ++m, now_s_ += 60) {
      for (int i = 0; i < 40; ++i) request(now_s_ + static_cast<int64_t>(chance_() % 50), fault);
      flow.advance(WallTime::from_s(now_s_ + 59), learn);
    }
  }

  void merge_others() {
    flow.merge(other_, 22);
    other_ = 22;
  }

  RequestFlow flow;

 private:
  bool lucky(double share) { return static_cast<double>(chance_() % 10'000) < share * 10'000; }

  void request(int64_t at_s, const Fault& fault) {
    const std::string id = "r" + std::to_string(++requests_);
    const bool hit = lucky(fault.share);
    int64_t at = at_s * kNsPerSecond + static_cast<int64_t>(chance_() % kNsPerSecond);
    std::vector<FlowLine> lines;
    const auto say = [&](ServiceId service, TemplateId line, bool error = false, int64_t ms = 5) {
      at += (ms + static_cast<int64_t>(chance_() % 5)) * kNsPerMs;
      lines.push_back({WallTime{at}, id, 0, service, line, error});
    };
    using What = Fault::What;
    say(kFront, 11);
    say(kShop, 21);
    if (!hit || fault.what != What::shop_throws) {
      if (!hit || fault.what != What::stock_silent) {
        say(kStock, 31);
        if (hit && fault.what == What::stock_error) {
          say(kStock, 39, true);
        } else {
          say(kStock, 32);
        }
      }
      const bool slow = hit && fault.what == What::shop_slow;
      say(kShop, lucky(0.5) ? 22 : other_);
      say(kShop, 23, false, slow ? 200 : 5);
    }
    say(kFront, 12);
    // Files are read one after the other: what comes of stock first.
    std::stable_sort(lines.begin(), lines.end(),
                     [](const FlowLine& a, const FlowLine& b) { return a.service > b.service; });
    for (const FlowLine& line : lines) flow.add(line);
  }

  std::mt19937 chance_;
  int64_t now_s_ = kBegin - kBegin % 60;
  uint64_t requests_ = 0;
  TemplateId other_ = 24;
};

FlowFinding strongest(const Shop& shop) {
  const auto found = shop.flow.findings(1);
  return found.empty() ? FlowFinding() : found[0];
}

}  // namespace

TEST_CASE("The G2 of two shares is that of the reference") {
  // scipy.stats.chi2_contingency(lambda_='log-likelihood', correction=False).
  CHECK(g2(8, 10, 1, 6) == Approx(6.5152716556872505).epsilon(1e-12));
  CHECK(g2(30, 100, 10, 100) == Approx(12.97151432600681).epsilon(1e-12));
  CHECK(g2(0, 10, 5, 10) == Approx(8.630462173553425).epsilon(1e-12));
  CHECK(g2(1000, 10000, 800, 10000) == Approx(24.466020699210475).epsilon(1e-9));
  CHECK(g2(0, 0, 5, 10) == 0);
}

TEST_CASE("A share that wavers from minute to minute is no evidence where a steady one is") {
  ShareBaseline steady, wavering;
  for (int i = 0; i < 30; ++i) {
    steady.add(50, 100);
    wavering.add(i % 2 == 0 ? 20 : 80, 100);
  }
  CHECK(excess(80, 100, steady) > 30);
  CHECK(excess(80, 100, wavering) < 2);
  CHECK(overdispersion(steady) == 1);
}

TEST_CASE("Healthy requests give no evidence to speak of") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    Shop shop(seed);
    shop.minutes(40);
    INFO(seed);
    CHECK(strongest(shop).score < 12);
  }
}

TEST_CASE("A service that stops in the middle is pointed at, and not those that wait for it") {
  Shop shop(1);
  shop.minutes(30);
  shop.minutes(2, {0.5, Fault::What::shop_throws}, false);
  const FlowFinding finding = strongest(shop);
  CHECK(finding.kind == Kind::path);
  CHECK(finding.service == kShop);
  CHECK(finding.line == 21);
  CHECK(finding.next == 0);
  CHECK(finding.score > 30);
  CHECK(finding.hits > 20);
  CHECK(finding.of > finding.hits);
  CHECK(finding.hits_before == 0);
}

TEST_CASE("A service that is called and says nothing is pointed at instead of its caller") {
  Shop shop(2);
  shop.minutes(30);
  shop.minutes(2, {0.9, Fault::What::stock_silent}, false);
  const FlowFinding finding = strongest(shop);
  CHECK(finding.kind == Kind::silent);
  CHECK(finding.service == kStock);
  CHECK(finding.caller == kShop);
  CHECK(finding.line == 21);
}

TEST_CASE("An error line in more requests than before is found with its shares") {
  Shop shop(3);
  shop.minutes(30);
  shop.minutes(2, {0.4, Fault::What::stock_error}, false);
  bool found = false;
  for (const FlowFinding& finding : shop.flow.findings(1)) {
    if (finding.kind != Kind::error) continue;
    found = true;
    CHECK(finding.service == kStock);
    CHECK(finding.line == 39);
    CHECK(finding.score > 20);
  }
  CHECK(found);
  CHECK(strongest(shop).service == kStock);
}

TEST_CASE("A service that takes longer is pointed at, with how long it takes") {
  Shop shop(4);
  shop.minutes(30);
  shop.minutes(2, {1, Fault::What::shop_slow}, false);
  const FlowFinding finding = strongest(shop);
  CHECK(finding.kind == Kind::slow);
  CHECK(finding.service == kShop);
  CHECK(finding.seconds > 0.15);
  CHECK(finding.seconds_before < 0.05);
}

TEST_CASE("What an incident does is not learned while it lasts") {
  Shop held(5), taught(5);
  held.minutes(30);
  taught.minutes(30);
  held.minutes(30, {0.5, Fault::What::shop_throws}, false);
  taught.minutes(30, {0.5, Fault::What::shop_throws}, true);
  CHECK(strongest(held).score > 30);
  CHECK(strongest(taught).score < strongest(held).score / 2);
}

TEST_CASE("Templates that become one are counted as one from then on") {
  Shop shop(6);
  shop.minutes(30);
  const auto before = shop.flow.stats();
  shop.merge_others();
  CHECK(shop.flow.stats().trials < before.trials);
  shop.minutes(3);
  CHECK(strongest(shop).score < 12);
}

TEST_CASE("What is rare is as fast as it usually is, however many minutes pass without it") {
  FlowLimits limits;
  limits.half_life_minutes = 30;
  RequestFlow flow(limits);
  // A request a minute goes from line 1 to line 2, every fourth to line 3 instead, in 4 ms.
  for (int64_t m = 0; m < 600; ++m) {
    const WallTime at = WallTime::from_s(kBegin - kBegin % 60 + m * 60);
    const std::string id = "r" + std::to_string(m);
    flow.add({at, id, 0, kShop, 21, false});
    const TemplateId next = m % 4 == 0 ? 23 : 22;
    const bool late = m >= 596;
    flow.add({{at.ns + (late ? 80 : 4) * kNsPerMs}, id, 0, kShop, late ? 23 : next, false});
    flow.advance({at.ns + 59 * kNsPerSecond}, !late);
  }
  bool told = false;
  for (const FlowFinding& found : flow.findings(3)) {
    if (found.kind != Kind::slow) continue;
    told = true;
    CHECK(found.next == 23);
    CHECK(found.seconds == Approx(0.08).epsilon(0.01));
    CHECK(found.seconds_before == Approx(0.004).epsilon(0.01));
  }
  CHECK(told);
}

TEST_CASE("Requests that never end and new kinds of lines without end stay within the limits") {
  FlowLimits limits;
  limits.max_lines = 1000;
  limits.max_trials = 100;
  limits.max_outcomes = 200;
  RequestFlow flow(limits);
  flow.advance(WallTime::from_s(kBegin));
  for (uint64_t i = 0; i < 50'000; ++i) {
    const std::string id = "r" + std::to_string(i % 300);
    flow.add({WallTime::from_s(kBegin + static_cast<int64_t>(i / 1000)), id, 0,
              static_cast<ServiceId>(i % 7), i, false});
    if (i % 100 == 0) flow.advance(WallTime::from_s(kBegin + static_cast<int64_t>(i / 1000)));
  }
  const auto stats = flow.stats();
  CHECK(stats.trials <= 100);
  CHECK(stats.outcomes <= 200);
  CHECK(stats.left_out > 1000);
  CHECK(stats.cut_short > 0);
  CHECK(stats.memory_bytes < 512 * 1024);
}

TEST_CASE("A silence of hours and lines out of the past change nothing that was learned") {
  Shop shop(7);
  shop.minutes(30);
  shop.flow.advance(WallTime::from_s(kBegin + 40'000));
  shop.flow.add({WallTime::from_s(kBegin), "late", 0, kShop, 21, false});
  shop.flow.advance(WallTime::from_s(kBegin + 40'100));
  CHECK(shop.flow.findings(1).empty());
}
