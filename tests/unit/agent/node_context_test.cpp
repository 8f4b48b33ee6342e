// What happens around the services, from the API to the log of changes, over lives of the agent.
#include "app/node_context.hpp"

#include <catch2/catch.hpp>

#include "../store/support.hpp"
#include "k8s_support.hpp"
#include "manual_clock.hpp"
#include "net/asio.hpp"

using namespace nines;
using namespace nines::agent;

namespace {

namespace kube = nines::agent::k8s::test;

WallTime at(int64_t seconds) { return WallTime::from_s(kube::kStart + seconds); }

// One agent after the other on one store.
struct Rig {
  store::test::TempDir dir;
  std::unique_ptr<store::StateStore> store;
  net::asio::io_context io{1};
  nines::test::ManualClock clock{at(0)};
  std::deque<slo::Change> changes;
  std::vector<nines::incident::Happening> told;
  std::unique_ptr<NodeContext> context;

  Rig() { start(); }
  void start() {
    context.reset();
    store.reset();
    store::StoreOptions options;
    options.directory = dir.path();
    auto opened = store::StateStore::open(options);
    REQUIRE(opened.ok());
    store = std::move(*opened);
    context = std::make_unique<NodeContext>(
        NodeContext::Parts{io, clock, "n1",
                           [this](Record&& record) {
                             REQUIRE(store->record(record).ok());
                             for (slo::Change& change : record.changes) changes.push_back(change);
                           },
                           [this]() -> const std::deque<slo::Change>& { return changes; }});
    REQUIRE(context->restore(*store).ok());
    context->facts().tell([this](const nines::incident::Happening& one) { told.push_back(one); });
  }
  void list(const std::vector<kube::Pod>& pods) {
    context->pods().list_began();
    for (const kube::Pod& pod : pods) context->pods().pod(pod.raw(), false);
    context->pods().list_ended();
  }
  void wait(int64_t seconds) {
    for (int64_t s = 0; s < seconds; s += 10) {
      clock.advance_s(10);
      context->look(to_ms(clock.wall()));
    }
  }
  static kube::Pod pod(const std::string& hash, int64_t made) {
    kube::Pod out;
    out.hash = hash;
    out.made = made;
    out.image = "orders:" + hash;
    return out;
  }
};

}  // namespace

TEST_CASE("An observed rollout is one change, over restarts and lists anew", "[k8s][store]") {
  Rig rig;
  rig.list({Rig::pod("aaa", -1000)});
  rig.wait(60);
  CHECK(rig.changes.empty());
  rig.list({Rig::pod("bbb", 50)});
  rig.wait(10);
  CHECK(rig.changes.empty());  // somebody may annotate it yet
  rig.start();                 // before it was written
  rig.list({Rig::pod("bbb", 50)});
  rig.wait(60);
  REQUIRE(rig.changes.size() == 1);
  CHECK(rig.changes[0].id == 1);
  CHECK(rig.changes[0].service == "orders");
  CHECK(rig.changes[0].at == at(50));
  rig.list({Rig::pod("bbb", 50)});
  rig.wait(60);
  rig.start();
  rig.list({Rig::pod("bbb", 50)});
  rig.wait(60);
  CHECK(rig.changes.size() == 1);
}

TEST_CASE("What comes right after the first list is compared with it", "[k8s][store]") {
  Rig rig;
  rig.list({Rig::pod("aaa", -1000)});
  rig.context->pods().pod(Rig::pod("bbb", 5).raw(), false);
  rig.context->pods().pod(Rig::pod("aaa", -1000).raw(), true);
  rig.wait(60);
  CHECK(rig.changes.size() == 1);
}

TEST_CASE("A rollout that somebody annotated is not told again", "[k8s][store]") {
  Rig rig;
  rig.list({Rig::pod("aaa", -1000)});
  rig.wait(10);
  slo::Change annotated;
  annotated.kind = slo::ChangeKind::deploy;
  annotated.service = "orders";
  annotated.at = at(40);
  rig.changes.push_back(annotated);
  rig.list({Rig::pod("bbb", 50)});
  rig.wait(120);
  CHECK(rig.changes.size() == 1);
}

TEST_CASE("While a list is under way nothing is concluded from what it has not named yet",
          "[k8s][store]") {
  Rig rig;
  rig.list({Rig::pod("aaa", -1000)});
  rig.wait(10);
  rig.context->pods().list_began();
  rig.context->pods().pod(Rig::pod("bbb", 50).raw(), false);
  rig.wait(120);
  CHECK(rig.changes.empty());
  rig.context->pods().list_ended();
  rig.wait(60);
  CHECK(rig.changes.size() == 1);
}

TEST_CASE("What happened is told once, over restarts of the agent", "[k8s][store]") {
  Rig rig;
  kube::Pod pod = Rig::pod("aaa", -100);
  pod.restarts = 2;
  pod.last = kube::terminated("OOMKilled", 137, -20);
  rig.list({pod});
  rig.context->vital("memory", 0.97, at(0));
  const size_t told = rig.told.size();
  CHECK(told == 3);  // it was made, it was started again, memory is short
  rig.wait(70);      // and is kept
  rig.start();
  rig.list({pod});
  CHECK(rig.told.size() == told);
  const auto around = rig.context->facts().around(at(0), at(-900), at(300), 10);
  REQUIRE(around.size() == 3);
  CHECK(around[1].text.find("OOMKilled") != std::string::npos);
  CHECK(around[2].kind == nines::incident::HappeningKind::vital);
  CHECK(rig.context->stats().happenings == 3);
}

TEST_CASE("Vitals are evidence when they leave what is usual for them", "[k8s][store]") {
  Rig rig;
  for (int64_t s = 0; s < 3'600; s += 60) {
    rig.context->vital("cpu", 0.2 + 0.001 * static_cast<double>(s % 7), at(s));
  }
  rig.context->vital("cpu", 0.85, at(3'600));
  const auto found = rig.context->facts().metrics(at(3'600), at(3'730), {}, {}, 3);
  REQUIRE(found.size() == 1);
  CHECK(found[0].text.starts_with("cpu was 0.85, usually 0.20"));
}

TEST_CASE("A restart that a log and the API tell of is one, as the API has it", "[k8s][store]") {
  Rig rig;
  kube::Pod pod = Rig::pod("aaa", -100);
  rig.list({pod});
  const size_t before = rig.told.size();
  nines::incident::Happening logged;
  logged.at = at(3);
  logged.kind = nines::incident::HappeningKind::restart;
  logged.service = "orders";
  logged.pod = pod.name();
  logged.text = "orders was restarted, for the 1. time";
  agent::incident::Observed observed;
  logged.key = agent::incident::restart_key(pod.raw().uid, "orders", "1");
  observed.happenings = {logged};
  rig.context->observed(observed);
  CHECK(rig.told.size() == before);  // the API knows why
  pod.restarts = 1;
  pod.last = kube::terminated("Error", 2, 1);
  rig.context->pods().pod(pod.raw(), false);
  rig.wait(60);
  rig.context->observed(observed);  // or late
  rig.wait(60);
  REQUIRE(rig.told.size() == before + 1);
  CHECK(rig.told.back().text.find("it ended with Error (exit code 2)") != std::string::npos);
  CHECK(rig.context->facts().trouble(at(-100)).restarts.size() == 1);
}

TEST_CASE("A restart that the API does not tell of is told as the log has it", "[k8s][store]") {
  Rig rig;
  rig.list({Rig::pod("aaa", -100)});
  const size_t before = rig.told.size();
  nines::incident::Happening logged;
  logged.at = at(3);
  logged.kind = nines::incident::HappeningKind::restart;
  logged.text = "pay was restarted, for the 1. time";
  logged.key = "restart/of-another/pay/1";
  agent::incident::Observed observed;
  observed.happenings = {logged};
  rig.context->observed(observed);
  rig.wait(30);
  REQUIRE(rig.told.size() == before + 1);
  CHECK(rig.told.back().text == logged.text);
}
