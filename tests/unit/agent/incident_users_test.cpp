// Users of an incident over kills of the agent: the real tailer, pipeline, judge and store.
#include <catch2/catch.hpp>
#include <string>

#include "composition.hpp"

using namespace nines;
using namespace nines::test;
using agent::incident::Facts;
using agent::incident::FactsQuestion;
using agent::incident::UserKeeper;

namespace {

constexpr int64_t kStart = kMidnight + 12 * 3600;

std::string answer(int64_t s, int status, const std::string& user) {
  return R"({"ts":")" + format_rfc3339(WallTime::from_s(s)) + R"(","status":)" +
         std::to_string(status) + R"(,"user":")" + user + "\"}\n";
}

class Shop {
 public:
  Shop() {
    agent::SourceConfig source;
    source.name = "answers";
    source.user = "user";
    source.selector = access_log(dir / "answers.log");
    source.selector.format = "json";
    setup.config.sources = {source};
    slo::SloSpec spec = availability("checkout", dir / "answers.log");
    spec.indicator.total.source = {};
    spec.indicator.total.source.name = "answers";
    spec.indicator.part.source = spec.indicator.total.source;
    setup.slos = {spec};
  }
  // Users [from, to) meet a bad event each.
  void fails(int64_t s, int from, int to) {
    for (int i = from; i < to; ++i) {
      append(dir / "answers.log", answer(kStart + s, 502, "user-" + std::to_string(i)));
      append(dir / "answers.log", answer(kStart + s, 200, "well-" + std::to_string(i)));
    }
  }
  Life life() { return Life(setup, dir / "state", clock); }
  Facts facts(Life& life, int64_t onset_s) {
    FactsQuestion question{WallTime::from_s(kStart + onset_s), clock.wall()};
    question.slos = {0};
    return life.ingest().watcher()->facts(question);
  }

  TempDir dir;
  ManualClock clock{WallTime::from_s(kStart)};
  agent::Setup setup;
};

}  // namespace

TEST_CASE("How many users met a bad event goes on exactly when the agent was killed",
          "[incident]") {
  Shop shop;
  shop.fails(0, 0, 10);
  {
    Life life = shop.life();
    life.tick();
    life.commit();
    shop.clock.advance_s(100);
    shop.fails(100, 5, 30);
    life.tick();
    life.commit();
    shop.clock.advance_s(20);
    shop.fails(110, 30, 40);  // read, and lost with the kill
    life.tick();
    CHECK(shop.facts(life, 50).users.users == 35);
  }
  shop.fails(120, 35, 50);  // while nobody reads
  for (int lives = 0; lives < 2; ++lives) {
    Life life = shop.life();
    life.tick();
    const Facts facts = shop.facts(life, 50);
    CHECK(facts.users.users == 45);  // 5 to 49
    CHECK(facts.users.exact);
    CHECK(facts.users_told);
    CHECK(facts.users_from.seconds() == kStart);
    CHECK(shop.facts(life, 0).users.users == 50);
    life.commit();
  }
}

TEST_CASE("It is another source of the same files that says who the users are", "[incident]") {
  Shop shop;
  shop.setup.config.incidents.sources = {"answers"};
  slo::SourceSelector paths = shop.setup.config.sources[0].selector;
  shop.setup.slos[0].indicator.total.source = paths;
  shop.setup.slos[0].indicator.part.source = paths;
  shop.fails(0, 0, 10);
  {
    Life life = shop.life();
    life.tick();
    life.commit();
  }
  shop.fails(10, 8, 12);
  Life life = shop.life();
  life.tick();
  CHECK(shop.facts(life, 0).users.users == 12);
  CHECK(shop.facts(life, 0).users_from.seconds() == kStart);
}

TEST_CASE("Users of an SLO that counts something else now are counted anew", "[incident]") {
  Shop shop;
  shop.fails(0, 0, 10);
  {
    Life life = shop.life();
    life.tick();
    life.commit();
  }
  shop.setup.slos[0].indicator.part.where = "status < 400";
  shop.clock.advance_s(60);
  {
    Life life = shop.life();
    shop.fails(60, 20, 24);
    life.tick();
    CHECK(shop.facts(life, 0).users.users == 4);
    CHECK(shop.facts(life, 0).users_from.seconds() == kStart + 60);
    life.commit();
  }
  Life last = shop.life();
  for (const slo::Position& one : last.store().restored().positions) {
    if (one.key.starts_with(UserKeeper::kPrefix)) {
      CHECK(one.key.ends_with(shop.setup.slos[0].generation()));  // the old one is gone
    }
  }
}

TEST_CASE("Samples of many users are written now and then, or at once in an incident",
          "[incident]") {
  Shop shop;
  UserKeeper keeper;
  std::vector<slo::Position> saved, out;
  keeper.follow(0, shop.setup.slos[0], saved, shop.clock.wall());
  const auto meet = [&](int from, int to, int64_t s) {
    for (int i = from; i < to; ++i) {
      keeper.bad({WallTime::from_s(kStart + s), 0, "user-" + std::to_string(i)});
    }
  };
  const auto written = [&](int64_t s, bool at_once = false) {
    out.clear();
    keeper.take_positions(WallTime::from_s(kStart + s), at_once, out);
    return out.size();
  };
  CHECK(written(0) == 0);  // nobody met anything
  meet(0, 100, 2);
  CHECK(written(3) == 1);  // few
  meet(100, 1'000, 4);
  CHECK(written(5) == 0);
  CHECK(written(302) == 0);
  CHECK(written(303) == 1);
  meet(1'000, 1'001, 304);
  CHECK(written(305) == 0);
  CHECK(written(306, true) == 1);
  CHECK(written(307, true) == 0);
  UserKeeper next;
  saved = out = {};
  meet(0, 1, 308);
  keeper.take_positions(WallTime::from_s(kStart + 308), true, saved);
  next.follow(7, shop.setup.slos[0], saved, WallTime::from_s(kStart + 400));
  CHECK(saved.empty());
  const uint32_t slos[] = {7};
  CHECK(next.count(slos, WallTime::from_s(kStart)).users.users == 1'001);
  CHECK(next.count(slos, WallTime::from_s(kStart + 300)).users.users == 2);
}
