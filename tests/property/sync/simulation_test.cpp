// Schedules of faults, each from one seed. How many: NINES_SIM_COUNT (300); from which seed on:
// NINES_SIM_SEED. A seed that fails is told with the way to run it alone.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "fleet_dump.hpp"
#include "peer_world.hpp"

using namespace nines;
using namespace nines::peer;
using peer::test::Dice;
using peer::test::World;
using peer::test::WorldOptions;

namespace {

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

constexpr int64_t kSlowMs = 2'000;  // each way, of slow links; others: below 50

struct Plan {
  WorldOptions options;
  bool tcp = true;  // nothing is lost within a connection
  bool partitions = false, crashes = false, losses = false;
  bool early = false;  // faults begin before all have met
  // Who hears somebody hears all whom that one hears, and it stays so until that is noticed.
  bool groups = false;
};

Plan plan_of(uint64_t seed) {
  Dice dice(seed);
  Plan plan;
  plan.options.seed = seed;
  plan.options.nodes = static_cast<size_t>(dice.between(2, 5));
  plan.options.slos = static_cast<size_t>(dice.between(1, 3));
  plan.options.history_hours = dice.below(30);
  plan.options.max_clock_offset_s = dice.percent(50) ? 300 : 0;
  plan.options.latency_ms = dice.percent(20) ? kSlowMs : dice.below(50);
  plan.options.jitter_ms = dice.below(200);
  plan.tcp = dice.percent(60);
  if (!plan.tcp) {
    plan.options.latency_ms = dice.below(50);
    plan.options.loss_percent = dice.below(16);
    plan.options.duplicate_percent = dice.below(20);
    plan.options.reorder_percent = dice.below(30);
  }
  plan.partitions = dice.percent(70);
  plan.crashes = dice.percent(60);
  plan.losses = plan.crashes && dice.percent(30);
  plan.early = dice.percent(25);
  plan.groups = dice.percent(50);
  return plan;
}

void some_fault(World& world, const Plan& plan) {
  Dice& dice = world.dice();
  const auto any = [&] {
    return static_cast<size_t>(dice.below(static_cast<int64_t>(world.size())));
  };
  const int64_t drawn = dice.below(7);
  const int64_t kind = plan.groups && drawn < 2 ? 2 : drawn;
  const size_t a = any(), b = any();
  if (std::getenv("NINES_SIM_TRACE") != nullptr) {
    std::printf("%lld s: fault %lld of %zu, %zu\n", static_cast<long long>(world.now_ms() / 1000),
                static_cast<long long>(kind), a, b);
  }
  if (kind == 0 && plan.partitions && a != b) {
    world.cut(a, b);  // one way
  } else if (kind == 1 && plan.partitions && a != b) {
    world.cut(a, b);
    world.cut(b, a);
  } else if (kind == 2 && plan.partitions) {
    const auto side = static_cast<uint64_t>(dice.next());  // two halves
    for (size_t x = 0; x < world.size(); ++x) {
      for (size_t y = 0; y < world.size(); ++y) {
        if ((side >> x & 1) != (side >> y & 1)) world.cut(x, y);
      }
    }
  } else if (kind == 3) {
    world.mend_all();
  } else if (kind == 4 && plan.crashes) {
    world.crash(a, dice.percent(50));
  } else if (kind >= 5) {
    world.restart(a, plan.losses && dice.percent(50));
  }
}

void run_faults(World& world, const Plan& plan) {
  if (!plan.early) world.run_ms(45'000);
  for (int i = 0; i < (plan.groups ? 6 : 12); ++i) {
    world.run_ms((plan.groups ? 40'000 : 0) + world.dice().below(25'000));
    some_fault(world, plan);
  }
  world.mend_all();
  for (size_t i = 0; i < world.size(); ++i) world.restart(i, false);
}

// Schedules in which a page came twice without a fault that explains it.
uint64_t told_twice = 0;

// Pages under one key. Ends may be told twice when the network is cut while they are.
void check_pages(World& world, const Plan& plan) {
  std::map<std::string, int> paged, ended;
  bool twice = false;
  for (const auto& page : world.pages()) {
    if (page.decision.kind == Decision::Kind::node_silent) {
      ++paged[page.decision.key];
      INFO(page.decision.key << " by " << world.name(page.by));
      CHECK_FALSE(page.told_before);
      const auto& subject = page.decision.node;
      for (size_t i = 0; i < world.size(); ++i) {
        if (world.name(i) != subject || !plan.tcp) continue;
        INFO(subject << " never had a fault");
        CHECK(world.ever_faulted(i));
      }
    }
    if (page.decision.kind == Decision::Kind::node_back) ++ended[page.decision.key];
    CHECK(page.decision.kind != Decision::Kind::cloned);
  }
  for (const auto& [key, count] : paged) {
    INFO(key);
    // Nodes that do not know of each other yet, forgot with a crash what they had not told anybody,
    // hear each other only through others, or are cut off again before what happened could be told
    // may tell twice, under one key.
    // Where links are so slow that who was cut off has not caught up yet when it may page again,
    // that seldom happens, too; where they are not, never.
    const bool unexplained = plan.tcp && !plan.crashes && !plan.early && plan.groups && count > 1;
    if (unexplained) CHECK(plan.options.latency_ms == kSlowMs);
    twice = twice || unexplained;
    if (!plan.losses) CHECK(ended[key] >= 1);
  }
  told_twice += twice ? 1 : 0;
}

void check_counts(World& world) {
  for (size_t owner = 0; owner < world.size(); ++owner) {
    if (world.ever_lost(owner)) continue;
    for (size_t i = 0; i < world.size(); ++i) {
      size_t cells = 0;
      bool same = true;
      const auto& counted = world.counted(owner);
      for (const auto& [id, meta] : world.state(i).series(world.name(owner))) {
        for (const auto tier : {fleet::Tier::minute, fleet::Tier::hour}) {
          world.state(i).each_cell(world.name(owner), id, tier, INT64_MIN / 4, INT64_MAX / 4,
                                   [&](int64_t slot, const fleet::Counts& counts) {
                                     ++cells;
                                     const auto truth = counted.find({tier, id, slot});
                                     same =
                                         same && truth != counted.end() && truth->second == counts;
                                   });
        }
      }
      INFO("cells of " << world.name(owner) << " at " << world.name(i));
      CHECK(cells == counted.size());
      CHECK(same);
    }
  }
}

void check_budgets(World& world) {
  const WallTime now = WallTime::from_s(World::kStartS + world.now_ms() / 1000);
  const auto first = fleet::fleet_budgets(world.state(0), now);
  fleet::Counts sum;  // by hand: all cells, hours and minutes do not overlap here
  bool lost = false;
  for (size_t i = 0; i < world.size(); ++i) {
    lost = lost || world.ever_lost(i);
    const auto budgets = fleet::fleet_budgets(world.state(i), now);
    REQUIRE(budgets.size() == first.size());
    for (size_t b = 0; b < budgets.size(); ++b) {
      CHECK(budgets[b].counts == first[b].counts);
      CHECK(budgets[b].parts.size() == world.size());
    }
  }
  for (size_t i = 0; i < world.size(); ++i) {
    for (const auto& [key, counts] : world.counted(i)) {
      const int64_t end = (std::get<2>(key) + 1) * fleet::slot_seconds(std::get<0>(key));
      if (end > first.front().end.seconds()) return;  // of a clock that is ahead
      sum.good += counts.good;
      sum.bad += counts.bad;
    }
  }
  fleet::Counts told;
  for (const auto& budget : first) {
    told.good += budget.counts.good;
    told.bad += budget.counts.bad;
  }
  if (lost) return;
  CHECK(told.good == sum.good);
  CHECK(told.bad == sum.bad);
}

std::string story(const World& world) {
  std::string text;
  for (const auto& page : world.pages()) {
    text += std::to_string(page.at_ms / 1000) + " s, " + world.name(page.by) + ": " +
            page.decision.key + " " + page.decision.text + "\n";
  }
  return text;
}

void run_schedule(uint64_t seed) {
  const Plan plan = plan_of(seed);
  World world(plan.options);
  run_faults(world, plan);
  world.run_ms(90'000);
  world.stop_publishing();
  world.run_ms(150'000);  // pages end in the order of ranks
  const int patience = plan.tcp ? 24 : 400;
  for (int i = 0; i < patience && !world.converged(); ++i) world.run_ms(5'000);
  INFO("replay: NINES_SIM_SEED=" << seed << " NINES_SIM_COUNT=1 property_sync [sim]");
  INFO(story(world));
  if (!world.converged() && std::getenv("NINES_SIM_TRACE") != nullptr) {
    for (size_t i = 0; i < world.size(); ++i) {
      const auto& c = world.machine(i).counters();
      std::printf("%s: %zu peers, boot %llu, syncs %llu, given up %llu, sessions %llu\n%s\n",
                  world.name(i).c_str(), world.machine(i).peers(world.now_of(i)).size(),
                  static_cast<unsigned long long>(world.state(i).boot()),
                  static_cast<unsigned long long>(c.syncs),
                  static_cast<unsigned long long>(c.syncs_given_up),
                  static_cast<unsigned long long>(c.sessions),
                  fleet::test::dump(world.state(i)).substr(0, 3000).c_str());
    }
  }
  REQUIRE(world.converged());
  for (size_t i = 1; i < world.size(); ++i) {
    CHECK(fleet::test::dump(world.state(i)) == fleet::test::dump(world.state(0)));
  }
  check_counts(world);
  check_budgets(world);
  check_pages(world, plan);
}

}  // namespace

TEST_CASE("After any schedule of faults all nodes agree, nothing is lost and pages come once",
          "[peer][sim]") {
  const uint64_t first = from_environment("NINES_SIM_SEED", 1);
  const uint64_t count = from_environment("NINES_SIM_COUNT", 300);
  for (uint64_t seed = first; seed < first + count; ++seed) run_schedule(seed);
  // Measured: 3 of 88,000, all at 2 s each way.
  CAPTURE(told_twice, count);
  CHECK(told_twice <= 1 + count / 1'000);
}
