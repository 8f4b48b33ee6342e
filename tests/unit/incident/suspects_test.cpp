#include "nines/incident/suspects.hpp"

#include <catch2/catch.hpp>

#include "nines/incident/suspect_text.hpp"
#include "nines/incident/usage.hpp"

using namespace nines;
using namespace nines::incident;

namespace {

WallTime minute(int64_t m) { return WallTime::from_s(1'700'000'000 + m * 60); }

Usage steady(int minutes, double level, double spike_every = 0) {
  Usage usage(5);
  for (int m = 0; m < minutes; ++m) {
    const bool spike = spike_every > 0 && m % static_cast<int>(spike_every) == 0;
    usage.add(minute(m), spike ? level * 10 : level + m % 3);
  }
  return usage;
}

}  // namespace

TEST_CASE("A service that takes a core all of a sudden is found, with what was usual") {
  Usage usage = steady(100, 10);
  usage.add(minute(100), 95);
  const auto found = usage.finding(minute(99), minute(98));
  REQUIRE(found);
  CHECK(found->score > 50);
  CHECK(found->now == 95);
  CHECK(found->usual == 11);
}

TEST_CASE("Spikes that healthy hours have, and small rises, are no finding to speak of") {
  Usage spiky = steady(100, 10, 10);
  spiky.add(minute(100), 95);
  CHECK(spiky.finding(minute(99), minute(98))->score < 2);
  Usage idle = steady(100, 0.1);
  idle.add(minute(100), 4);
  CHECK(idle.finding(minute(99), minute(98))->score < 1);
  CHECK_FALSE(steady(100, 10).finding(minute(200), minute(98)));
  CHECK_FALSE(steady(2, 10).finding(minute(1), minute(1)));
}

TEST_CASE("What is older than some hours no longer counts as usual") {
  Usage usage = steady(200, 80);
  for (int m = 200; m < 400; ++m) usage.add(minute(m), 10);
  usage.add(minute(400), 80);
  CHECK(usage.finding(minute(399), minute(398))->score > 20);
}

TEST_CASE("Suspects are ranked by the strongest evidence, and slowness counts half") {
  FlowFinding slow, path, silent;
  slow.kind = FlowFinding::Kind::slow;
  slow.service = 1;
  slow.score = 50;
  path.service = 2;
  path.score = 30;
  silent.kind = FlowFinding::Kind::silent;
  silent.service = 2;
  silent.score = 10;
  const auto ranked =
      rank_suspects({slow, path, silent}, {{3, {40, 90, 10, 12}}, {2, {1, 6, 5, 6}}});
  REQUIRE(ranked.size() == 3);
  CHECK(ranked[0].service == 3);
  CHECK(ranked[0].usage.size() == 1);
  CHECK(ranked[1].service == 2);
  CHECK(ranked[1].score == 30);
  CHECK(ranked[1].flow.size() == 2);
  CHECK(ranked[2].service == 1);
  CHECK(ranked[2].score == 25);
  CHECK(rank_suspects({}, {}).empty());
}

TEST_CASE("A service that no request passes is suspected by how often it logs what") {
  FlowFinding slow;
  slow.kind = FlowFinding::Kind::slow;
  slow.service = 1;
  slow.score = 60;
  CountFinding more;
  more.line = 7;
  more.score = 90;
  CountFinding less;
  less.score = -40;
  const auto ranked = rank_suspects({slow}, {}, {{2, {less, more}}, {3, {less}}});
  REQUIRE(ranked.size() == 3);
  CHECK(ranked[0].service == 2);
  CHECK(ranked[0].score == 90);
  CHECK(ranked[0].counts.size() == 2);
  CHECK(ranked[1].service == 3);
  CHECK(ranked[1].score == 40);
}

TEST_CASE(
    "What is certain of a service goes before those that depend on it, however much they log") {
  FlowFinding path;
  path.service = 1;
  path.score = 500;
  CountFinding silent;
  silent.score = -40;
  const auto calls = [](ServiceId caller, ServiceId callee) {  // 1 and 3 use 2; 4 is apart
    return (caller == 1 || caller == 3) && callee == 2;
  };
  FlowFinding other = path, apart = path;
  other.service = 3;
  other.score = 90;
  apart.service = 4;
  apart.score = 80;
  auto ranked = rank_suspects({path, other, apart}, {}, {{2, {silent}}});
  put_called_first(ranked, calls);
  std::vector<ServiceId> order;
  for (const Suspect& one : ranked) order.push_back(one.service);
  CHECK(order == std::vector<ServiceId>{2, 1, 3, 4});
  silent.score = -20;  // may be chance
  ranked = rank_suspects({path, other, apart}, {}, {{2, {silent}}});
  put_called_first(ranked, calls);
  CHECK(ranked[0].service == 1);
}

TEST_CASE("A service that was killed or restarts is suspected before those that only log errors") {
  FlowFinding error;
  error.service = 1;
  error.score = 500;
  const auto ranked = rank_suspects({error}, {}, {}, {{2, {"3 restarts in 600 s"}}});
  REQUIRE(ranked.size() == 2);
  CHECK(ranked[0].service == 2);
  const std::vector<std::string> names{"none", "api", "orders"};
  const auto told = tell_suspects(ranked, {names, [](TemplateId) { return std::string(); }}, 1, 3);
  CHECK(told[0].evidence == std::vector<std::string>{"3 restarts in 600 s"});
  CHECK(told[0].wrong_if.find("fails for what it was given") != std::string::npos);
}

TEST_CASE("What a service uses more of is told by the name of its gauge, where that is known") {
  const auto ranked = rank_suspects({}, {{0, {50, 95, 11, 14.5}}});
  REQUIRE(ranked.size() == 1);
  const std::vector<std::string> services{"pay"};
  const auto no_text = [](TemplateId) { return std::string(); };
  const auto gauge = [](const std::string& service) { return service + "_cpu_percent"; };
  CHECK(tell_suspects(ranked, {services, no_text, gauge}, 1, 1)[0].evidence ==
        std::vector<std::string>{"pay_cpu_percent is 95.0, usually 11.0 and at most 14.5 (95 %)"});
  CHECK(tell_suspects(ranked, {services, no_text}, 1, 1)[0].evidence ==
        std::vector<std::string>{"uses 95.0, usually 11.0 and at most 14.5 (95 %)"});
}
