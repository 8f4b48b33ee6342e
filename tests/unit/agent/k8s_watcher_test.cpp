// The real client against a fake API server over real sockets. Waits are shortened to milliseconds
// by the options; no test waits for wall time but by a generous guard.
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "../store/support.hpp"
#include "fake_cluster.hpp"
#include "http/client.hpp"
#include "k8s/pod_watcher.hpp"
#include "manual_clock.hpp"
#include "net/asio.hpp"

using namespace nines;
using namespace nines::agent;
using namespace nines::agent::k8s;
using test::FakeApiServer;
using test::FakePod;
using Connection = FakeApiServer::Connection;
using Request = FakeApiServer::Request;

namespace {

struct Rig {
  net::asio::io_context io{1};
  test::ManualClock clock{WallTime::from_s(1'795'241'834)};
  std::shared_ptr<collector::PodFeed> feed = std::make_shared<collector::PodFeed>();
  WatcherOptions options;
  std::unique_ptr<PodWatcher> watcher;

  explicit Rig(const std::string& url) {
    options.access.url = url;
    options.sync.node = "n1";
    options.sync.base_ms = 1;
    options.sync.max_ms = 4;
    options.sync.useful_ms = 0;
  }
  void start(CachedPods cached = {}) {
    watcher = std::make_unique<PodWatcher>(io, clock, options, feed, std::move(cached), 1);
  }
  // Runs until `done` holds; false: it never did.
  template <class Condition>
  bool until(Condition done) {
    const auto guard = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done() && std::chrono::steady_clock::now() < guard) {
      io.run_one_for(std::chrono::milliseconds(20));
      if (io.stopped()) io.restart();
    }
    return done();
  }
  bool knows(const std::string& name) const {
    const auto pod = feed->current()->find("shop", name, "");
    return pod != nullptr && !pod->gone;
  }
};

std::string listed(const std::vector<FakePod>& pods, const std::string& version) {
  std::string items;
  for (const FakePod& pod : pods) items += (items.empty() ? "" : ",") + pod.json(version);
  return test::list_json(items, version);
}

}  // namespace

TEST_CASE("The watcher lists, then tells of each event while the watch is open", "[k8s]") {
  FakeApiServer server([](const Request& request, Connection& out) {
    if (!request.is_watch()) return out.answer(200, listed({{"a", "1"}}, "10"));
    out.begin();
    const std::string event = test::event_json("ADDED", FakePod{"b", "2"}.json("11"));
    for (const char c : event) out.chunk({&c, 1});  // in the smallest pieces there are
    out.stay_silent();
  });
  Rig rig(server.url());
  rig.start();
  REQUIRE(rig.until([&] { return rig.knows("b"); }));
  CHECK(rig.knows("a"));
  CHECK(rig.watcher->stats().connected);
  CHECK(rig.watcher->stats().pods == 2);
  CHECK(rig.watcher->stats().heard == rig.clock.wall());
  const auto targets = server.targets();
  REQUIRE(targets.size() == 2);  // one connection after the other
  CHECK(targets[1].find("resourceVersion=10") != std::string::npos);
}

TEST_CASE("A watch that breaks off goes on from its last event", "[k8s]") {
  std::atomic<int> watches{0};
  FakeApiServer server([&](const Request& request, Connection& out) {
    if (!request.is_watch()) return out.answer(200, listed({}, "10"));
    const int n = ++watches;
    const std::string version = std::to_string(10 + n);
    const std::string event =
        test::event_json("ADDED", FakePod{"p" + version, version}.json(version));
    out.begin();
    out.chunk(event);
    if (n < 4) return out.chunk(event.substr(0, 40));  // and no end
    out.stay_silent();
  });
  Rig rig(server.url());
  rig.start();
  REQUIRE(rig.until([&] { return rig.knows("p14"); }));
  for (const char* name : {"p11", "p12", "p13"}) CHECK(rig.knows(name));
  CHECK(server.targets()[4].find("resourceVersion=13") != std::string::npos);
  CHECK(rig.watcher->stats().sync.lists == 1);
}

TEST_CASE("A list in pages, an expired watch and garbage end in the truth", "[k8s]") {
  test::FakeCluster cluster;
  for (int i = 0; i < 7; ++i) {
    const std::string n = std::to_string(i);
    cluster.put(FakePod{"p" + n, "u" + n});
  }
  std::atomic<int> asked{0};
  FakeApiServer server([&](const Request& request, Connection& out) {
    switch (++asked) {
      case 2: return out.answer(500, "{}");
      case 4: return out.raw("not HTTP at all\r\n\r\n");
      case 6: return out.answer(200, "<html>no</html>");
      case 7: return;  // closes without a word
      default: break;
    }
    if (!request.is_watch()) return out.answer(200, cluster.answer(request.target));
    out.begin();
    if (request.has("resourceVersion=107")) {
      cluster.remove("u3");
      out.chunk(test::gone_json());
      return out.end();
    }
    out.chunk(test::bookmark_json("200"));
    out.stay_silent();
  });
  Rig rig(server.url());
  rig.options.sync.page = 3;
  rig.start();
  REQUIRE(rig.until([&] { return rig.watcher->stats().sync.bookmarks == 1; }));
  CHECK(rig.watcher->stats().pods == 6);
  CHECK_FALSE(rig.knows("p3"));
  CHECK(rig.watcher->stats().sync.expired == 1);
  CHECK(rig.watcher->stats().sync.failures >= 3);
}

TEST_CASE("A token that is refused is read again from its file", "[k8s]") {
  const store::test::TempDir dir;
  const std::string token = dir.path() + "/token";
  std::ofstream(token) << "old\n";
  FakeApiServer server([&](const Request& request, Connection& out) {
    if (request.head.find("Authorization: Bearer new\r\n") == std::string::npos) {
      std::ofstream(token) << "new\n";  // the kubelet rotates it
      return out.answer(401, "{}");
    }
    if (!request.is_watch()) return out.answer(200, listed({{"a", "1"}}, "10"));
    out.begin();
    out.stay_silent();
  });
  Rig rig(server.url());
  rig.options.access.token_file = token;
  rig.start();
  REQUIRE(rig.until([&] { return rig.knows("a") && rig.watcher->stats().connected; }));
  CHECK(server.targets().size() == 3);
}

TEST_CASE("Without its token nothing is asked, and that is said", "[k8s]") {
  FakeApiServer server([](const Request&, Connection& out) { out.answer(200, listed({}, "1")); });
  Rig rig(server.url());
  rig.options.access.token_file = "/nonexistent/token";
  rig.start();
  REQUIRE(rig.until([&] { return rig.watcher->stats().sync.failures >= 2; }));
  CHECK(rig.watcher->stats().trouble.find("/nonexistent/token") != std::string::npos);
  CHECK(server.targets().empty());
}

TEST_CASE("Silence beyond the end of a watch is a broken connection", "[k8s]") {
  std::atomic<int> watches{0};
  FakeApiServer server([&](const Request& request, Connection& out) {
    if (!request.is_watch()) return out.answer(200, listed({}, "10"));
    out.begin();
    if (++watches == 2) out.chunk(test::event_json("ADDED", FakePod{"late", "1"}.json("11")));
    out.stay_silent();
  });
  Rig rig(server.url());
  rig.options.sync.watch_s = 0;
  rig.options.idle_slack_ms = 50;
  rig.start();
  CHECK(rig.until([&] { return rig.knows("late"); }));
}

TEST_CASE("A server that accepts and never answers is given up and asked again", "[k8s]") {
  std::atomic<int> asked{0};
  FakeApiServer server([&](const Request& request, Connection& out) {
    if (++asked == 1) return out.stay_silent();
    if (!request.is_watch()) return out.answer(200, listed({{"a", "1"}}, "10"));
    out.stay_silent();
  });
  Rig rig(server.url());
  rig.options.connect_ms = 50;
  rig.start();
  CHECK(rig.until([&] { return rig.knows("a"); }));
}

TEST_CASE("After a restart without the API the pods are known from the state file",
          "[k8s][store]") {
  const store::test::TempDir dir;
  const auto keep = [&](PodWatcher& watcher) {
    auto store = store::test::open_store(dir.options());
    store::test::require_ok(store->put_documents(watcher.take_changes()));
  };
  {
    FakeApiServer server([](const Request& request, Connection& out) {
      if (!request.is_watch()) return out.answer(200, listed({{"a", "1"}, {"b", "2"}}, "10"));
      out.begin();
      out.chunk(test::event_json("DELETED", FakePod{"b", "2"}.json("11")));
      out.stay_silent();
    });
    Rig rig(server.url());
    rig.start();
    REQUIRE(rig.until([&] { return rig.watcher->stats().gone == 1; }));
    keep(*rig.watcher);
    CHECK(rig.watcher->take_changes().empty());  // nothing new to write
    rig.clock.advance_s(3600);
    CHECK(rig.watcher->take_changes().empty());  // nor has anything been heard since
  }
  Rig rig("http://127.0.0.1:1");  // nothing listens there
  auto store = store::test::open_store(dir.options());
  rig.clock.advance_s(600);
  rig.start(read_cache(*store, "n1"));
  CHECK(rig.knows("a"));
  CHECK(rig.feed->current()->find("shop", "b", "2")->gone);
  REQUIRE(rig.until([&] { return rig.watcher->stats().sync.failures >= 2; }));
  CHECK(rig.knows("a"));
  CHECK(rig.clock.wall().seconds() - rig.watcher->stats().heard.seconds() == 600);
  CHECK_FALSE(rig.watcher->stats().connected);
  CHECK(rig.watcher->take_changes().empty());
}

TEST_CASE("Changes that could not be written come again", "[k8s][store]") {
  FakeApiServer server([](const Request& request, Connection& out) {
    if (!request.is_watch()) return out.answer(200, listed({{"a", "1"}}, "10"));
    out.stay_silent();
  });
  Rig rig(server.url());
  rig.start();
  REQUIRE(rig.until([&] { return rig.knows("a"); }));
  const auto first = rig.watcher->take_changes();
  CHECK(first.size() == 2);
  rig.watcher->give_back(first);
  CHECK(rig.watcher->take_changes() == first);
}

TEST_CASE("The watcher can be dropped at any time", "[k8s]") {
  FakeApiServer server([](const Request&, Connection& out) {
    out.begin();
    out.stay_silent();
  });
  Rig rig(server.url());
  rig.start();
  REQUIRE(rig.until([&] { return !server.targets().empty(); }));
  rig.watcher.reset();
  rig.io.restart();
  rig.io.run_for(std::chrono::seconds(20));  // ends at once: nothing is left to do
  CHECK(rig.feed->generation() == 0);
}

TEST_CASE("Access to the API is found in the cluster, given, or off", "[k8s]") {
  const store::test::TempDir dir;
  std::map<std::string, std::string> variables;
  const Environment environment = [&](const char* name) { return variables[name]; };
  Settings settings;
  CHECK_FALSE(find_access(settings, environment, dir.path()));
  variables = {{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "6443"}};
  CHECK_FALSE(find_access(settings, environment, dir.path()));  // no account is mounted
  std::ofstream(dir.path() + "/token") << "t";
  const auto found = find_access(settings, environment, dir.path());
  REQUIRE(found);
  CHECK(found->url == "https://[fd00::1]:6443");
  CHECK(found->token_file == dir.path() + "/token");
  CHECK(found->ca_file == dir.path() + "/ca.crt");
  settings.api = "off";
  CHECK_FALSE(find_access(settings, environment, dir.path()));
  settings.api = "http://127.0.0.1:8001";
  CHECK(find_access(settings, environment, dir.path())->url == "http://127.0.0.1:8001");
  CHECK(find_access(settings, environment, dir.path())->token_file.empty());
  CHECK(find_node(settings, environment, "host") == "host");
  variables["NODE_NAME"] = "worker-3";
  CHECK(find_node(settings, environment, "host") == "worker-3");
  settings.node = "given";
  CHECK(find_node(settings, environment, "host") == "given");
}

TEST_CASE("A streamed answer comes in pieces, and its errors are told as they are", "[http]") {
  FakeApiServer server([](const Request& request, Connection& out) {
    if (request.has("/refused"))
      return out.answer(403, std::string(5000, 'x'), "Retry-After: 3\r\n");
    out.begin();
    out.chunk("one ");
    out.chunk(std::string(100'000, 'y'));
    if (!request.has("/cut")) out.end();
  });
  const auto stream = [&](const std::string& path, size_t wanted = SIZE_MAX) {
    net::asio::io_context io(1);
    http::StreamRequest request;
    request.request.url = server.url() + path;
    request.request.timeout_ms = 20'000;
    request.request.max_response_bytes = 100;
    size_t got = 0;
    std::optional<Result<http::ClientResponse>> result;
    http::async_stream(
        io, request,
        [&](std::string_view bytes) {
          got += bytes.size();
          return got < wanted;
        },
        [&](Result<http::ClientResponse> r) { result.emplace(std::move(r)); });
    io.run();
    REQUIRE(result);
    return std::pair(got, std::move(*result));
  };
  const auto whole = stream("/whole");
  CHECK(whole.first == 100'004);
  REQUIRE(whole.second.ok());
  CHECK(whole.second->status == 200);
  CHECK(whole.second->body.empty());
  const auto refused = stream("/refused");
  CHECK(refused.first == 0);
  REQUIRE(refused.second.ok());
  CHECK(refused.second->status == 403);
  CHECK(refused.second->body.size() == 100);
  CHECK(http::retry_after_ms(*refused.second) == 3000);
  const auto cut = stream("/cut");
  CHECK(cut.first == 100'004);
  CHECK_FALSE(cut.second.ok());
  const auto enough = stream("/whole", 1);
  REQUIRE_FALSE(enough.second.ok());
  CHECK(enough.second.error().code == Errc::cancelled);
}
