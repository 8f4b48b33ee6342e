// Everyone who is told, over a real store and a receiver that refuses.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "config_support.hpp"
#include "http_fixture.hpp"
#include "manual_clock.hpp"
#include "notify/notifications.hpp"
#include "notify_support.hpp"

using namespace nines;
using namespace nines::agent;
using namespace nines::agent::notify;
using nlohmann::json;

namespace {

// A life of an agent: its store, and who is told. The store's jobs run at once.
struct Life {
  Life(const std::string& folder, const NodeConfig& config) {
    store::StoreOptions options;
    options.directory = folder + "/state";
    auto opened = store::StateStore::open(options);
    REQUIRE(opened.ok());
    store = std::move(*opened);
    auto started = Notifications::start(
        io, clock, config, {"node-1", "0.1.0", store->restored().boot}, *store,
        [](const std::function<void()>& job) { job(); }, 1);
    REQUIRE(started.ok());
    notifications = std::move(*started);
  }

  void happen(size_t events) {
    store::StateStore::Commit commit;
    for (size_t i = 0; i < events; ++i) {
      commit.events.push_back(agent::test::alert_event(0, i % 2 == 0));
    }
    commit.now = clock.wall();
    REQUIRE(store->commit(commit).ok());
    notifications->notify();
  }

  json outbox() const { return json::parse(notifications->outbox_json()); }

  template <class Condition>
  void run_until(Condition done) {
    const auto guard = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!done()) {
      REQUIRE(std::chrono::steady_clock::now() < guard);
      io.run_one_for(std::chrono::seconds(1));
    }
  }

  boost::asio::io_context io{1};
  nines::test::ManualClock clock{WallTime::from_s(1772402400)};
  std::unique_ptr<store::StateStore> store;
  std::unique_ptr<Notifications> notifications;
};

NotifierConfig webhook(const std::string& name, const std::string& url) {
  NotifierConfig config;
  config.name = name;
  config.url = url;
  return config;
}

http::AsyncHandler answering(int status) {
  return [status](const http::HttpRequest&, const http::Reply& reply) {
    reply({status, "application/json", "{}", {}});
  };
}

}  // namespace

TEST_CASE("Dead letters are kept over a restart, the newest first and no more than the bound",
          "[notify]") {
  const agent::test::ConfigFolder folder;
  agent::test::RunningServer server({}, answering(410));
  NodeConfig config;
  config.notifiers = {webhook("gone", server.url() + "/x")};
  const size_t events = Notifications::kMaxDeadLetters + 5;
  json before;
  {
    Life life(folder.path(), config);
    life.happen(events);
    life.run_until([&] { return life.outbox()["notifiers"][0]["dead"] == events; });
    before = life.outbox()["dead_letters"];
  }
  CHECK(before.size() == Notifications::kMaxDeadLetters);
  CHECK(before[0]["number"] == events);
  CHECK(before[0]["notifier"] == "gone");
  CHECK(before[0]["status"] == 410);
  CHECK(before[0]["reason"] == "answer 410");
  CHECK(before[0]["key"] == "node-1/3/alert/" + std::to_string(events));
  Life life(folder.path(), config);
  CHECK(life.outbox()["dead_letters"] == before);
  life.happen(1);
  life.run_until([&] { return life.outbox()["dead_letters"][0]["number"] == events + 1; });
  CHECK(life.outbox()["notifiers"][0]["dead"] == 1);  // nothing of the first life again
}

TEST_CASE("A dead letter told again after a crash takes the place of the one before it", "[notify]") {
  const agent::test::ConfigFolder folder;
  agent::test::RunningServer server({}, answering(410));
  NodeConfig config;
  config.notifiers = {webhook("gone", server.url() + "/x")};
  {
    Life life(folder.path(), config);
    life.happen(2);
    life.run_until([&] { return life.outbox()["notifiers"][0]["dead"] == 2; });
    // The crash came between the letter and how far the notifier is.
    REQUIRE(life.store->set_cursor("notifier:gone", 1).ok());
  }
  json again;
  {
    Life life(folder.path(), config);
    life.notifications->notify();
    life.run_until([&] { return life.outbox()["notifiers"][0]["dead"] == 1; });
    again = life.outbox()["dead_letters"];
  }
  REQUIRE(again.size() == 2);
  CHECK(again[0]["number"] == 2);
  CHECK(again[0]["key"] == "node-1/3/alert/2");
  CHECK(Life(folder.path(), config).outbox()["dead_letters"] == again);
}

TEST_CASE("A chain told by its second step goes on so after a restart", "[notify]") {
  const agent::test::ConfigFolder folder;
  agent::test::RunningServer refusing({}, answering(410)), taking({}, answering(200));
  NodeConfig config;
  config.notifiers = {webhook("a", refusing.url() + "/x"), webhook("b", taking.url() + "/x"),
                      webhook("alone", taking.url() + "/x")};
  config.chains = {{"c", {{"a", 60'000}, {"b", 0}}}};
  const auto sent = [](const Life& life, const std::string& name) {
    const json notifiers = life.outbox()["notifiers"];
    for (const auto& n : notifiers) {
      if (n["name"] == name) return n["sent"].get<int>();
    }
    return -1;
  };
  {
    Life life(folder.path(), config);
    REQUIRE(life.outbox()["notifiers"].size() == 3);
    life.happen(1);  // fires
    life.run_until([&] { return sent(life, "b") == 1 && sent(life, "alone") == 1; });
  }
  Life life(folder.path(), config);
  store::StateStore::Commit commit;
  commit.events.push_back(agent::test::alert_event(0, false));
  REQUIRE(life.store->commit(commit).ok());
  life.notifications->notify();
  life.run_until([&] { return sent(life, "b") == 1; });
  // The end goes to who told the fire: the first step is not even asked.
  const json first = life.outbox()["notifiers"][0];
  CHECK(first["name"] == "a");
  CHECK(first["attempts"] == 0);
  CHECK(life.outbox()["dead_letters"].size() == 1);
}

TEST_CASE("A document goes through the notifier that is named", "[notify]") {
  const agent::test::ConfigFolder folder;
  agent::test::RunningServer taking({}, answering(200)), refusing({}, answering(400));
  NodeConfig config;
  config.notifiers = {webhook("good", taking.url() + "/x"), webhook("bad", refusing.url() + "/x")};
  Life life(folder.path(), config);
  std::vector<bool> done;
  Message document = document_message("query/1", "rows", R"({"rows":[]})");
  document.done = [&](bool delivered) { done.push_back(delivered); };
  CHECK_FALSE(life.notifications->post("nobody", document));
  REQUIRE(life.notifications->post("good", document));
  life.run_until([&] { return done.size() == 1; });
  REQUIRE(life.notifications->post("bad", document));
  life.run_until([&] { return done.size() == 2; });
  CHECK(done == std::vector<bool>{true, false});
  life.run_until([&] { return life.outbox()["dead_letters"].size() == 1; });
  CHECK(life.outbox()["dead_letters"][0]["key"] == "query/1");
}
