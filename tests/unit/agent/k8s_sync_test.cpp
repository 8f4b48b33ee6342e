// The protocol without sockets: what is asked next, and how long is waited.
#include <catch2/catch.hpp>

#include "fake_cluster.hpp"
#include "k8s/pod_sync.hpp"

using namespace nines;
using namespace nines::agent::k8s;
using test::FakeCluster;
using test::FakePod;

namespace {

struct Rig {
  PodTable table;
  PodSync sync;
  explicit Rig(SyncOptions options = of("n1")) : sync(options, table, 7) {}
  static SyncOptions of(const std::string& node) {
    SyncOptions options;
    options.node = node;
    return options;
  }

  // One exchange with a 200 that says `body`; cut: the connection breaks after it.
  int64_t hear(const std::string& body, bool cut = false, int64_t lived_ms = 0) {
    target = sync.begin();
    Ended ended{200, !cut, std::nullopt, lived_ms, cut ? "broken" : ""};
    if (!sync.on_data(body)) ended.whole = false;
    return sync.on_end(ended);
  }
  int64_t refuse(int status, std::optional<int64_t> retry_after_ms = std::nullopt) {
    target = sync.begin();
    return sync.on_end({status, status != 0, retry_after_ms, 0, "no"});
  }
  // Up to the first watch.
  void list(const std::vector<FakePod>& pods, const std::string& version = "10") {
    std::string items;
    for (const FakePod& pod : pods) items += (items.empty() ? "" : ",") + pod.json(version);
    CHECK(hear(test::list_json(items, version)) == 0);
  }
  bool asked(const std::string& what) const { return target.find(what) != std::string::npos; }
  bool knows(const std::string& name) const {
    const auto pod = table.snapshot()->find("shop", name, "");
    return pod != nullptr && !pod->gone;
  }
  std::string target;
};

}  // namespace

TEST_CASE("Pods of the node are listed in pages, then watched from there", "[k8s]") {
  Rig rig;
  CHECK(rig.hear(test::list_json(FakePod{"a", "1"}.json("5"), "10", "t/1 +")) == 0);
  CHECK(rig.asked("/api/v1/pods?fieldSelector=spec.nodeName%3Dn1&limit=100&resourceVersion=0"));
  CHECK_FALSE(rig.sync.watching());
  CHECK(rig.hear(test::list_json(FakePod{"b", "2"}.json("6"), "10")) == 0);
  CHECK(rig.asked("&continue=t%2F1%20%2B"));
  CHECK_FALSE(rig.asked("resourceVersion"));
  CHECK(rig.sync.watching());
  CHECK(rig.sync.stats().lists == 1);
  rig.hear(test::event_json("MODIFIED", FakePod{"a", "1"}.json("11")) + test::bookmark_json("20"));
  CHECK(rig.asked("watch=true"));
  CHECK(rig.asked("allowWatchBookmarks=true"));
  CHECK(rig.asked("resourceVersion=10"));
  CHECK(rig.asked("timeoutSeconds=240"));
  rig.hear("");
  CHECK(rig.asked("resourceVersion=20"));  // a bookmark moves it as well
  CHECK(rig.sync.stats().bookmarks == 1);
  CHECK(rig.table.present() == 2);
}

TEST_CASE("A watch that was useful is asked again soon, a useless one ever later", "[k8s]") {
  Rig rig;
  rig.list({});
  for (int i = 0; i < 20; ++i) {
    const int64_t wait = rig.hear(test::bookmark_json("11"), true);
    CHECK(wait >= 500);
    CHECK(wait <= 1000);
  }
  CHECK(rig.hear("", false, 240'000) <= 1000);  // quiet, but it stood
  int64_t longest = 0;
  for (int i = 0; i < 30; ++i) {
    const int64_t wait = rig.hear("", true);
    CHECK(wait <= 300'000);
    CHECK(wait >= std::min<int64_t>(300'000, int64_t{1000} << std::min(i, 20)) / 2);
    longest = std::max(longest, wait);
  }
  CHECK(longest > 200'000);
  CHECK(rig.hear(test::bookmark_json("12")) <= 1000);
}

TEST_CASE("Waits differ between nodes that lost the server at the same instant", "[k8s]") {
  PodTable a, b;
  PodSync one(Rig::of("n1"), a, 1), two(Rig::of("n2"), b, 2);
  int same = 0;
  for (int i = 0; i < 10; ++i) {
    one.begin();
    two.begin();
    same += one.on_end({}) == two.on_end({}) ? 1 : 0;
  }
  CHECK(same <= 1);
}

TEST_CASE("410 Gone lists anew, from the server's present and not its memory", "[k8s]") {
  for (const bool as_event : {true, false}) {
    CAPTURE(as_event);
    Rig rig;
    rig.list({{"a", "1"}, {"b", "2"}});
    const int64_t wait = as_event ? rig.hear(test::gone_json()) : rig.refuse(410);
    CHECK(wait > 0);  // also a server that says so for ever is not worn out
    CHECK(rig.sync.stats().expired == 1);
    rig.list({{"b", "2"}}, "50");
    CHECK_FALSE(rig.asked("resourceVersion"));
    CHECK_FALSE(rig.knows("a"));
    CHECK(rig.knows("b"));
    rig.hear("");
    CHECK(rig.asked("resourceVersion=50"));
  }
  Rig rig;  // for ever
  int64_t wait = 0;
  for (int i = 0; i < 12; ++i) {
    rig.list({});
    wait = rig.hear(test::gone_json());
  }
  CHECK(wait > 100'000);
}

TEST_CASE("A page whose token is too old starts the list over", "[k8s]") {
  Rig rig;
  rig.hear(test::list_json(FakePod{"a", "1"}.json("5"), "10", "token"));
  CHECK(rig.refuse(410) > 0);
  CHECK(rig.asked("continue=token"));
  rig.list({{"b", "2"}}, "30");
  CHECK_FALSE(rig.asked("continue"));
  CHECK(rig.knows("b"));
  CHECK_FALSE(rig.knows("a"));
}

TEST_CASE("A list cut short is asked for again from the same page", "[k8s]") {
  Rig rig;
  rig.hear(test::list_json(FakePod{"a", "1"}.json("5"), "10", "token"));
  const std::string page = test::list_json(FakePod{"b", "2"}.json("5"), "10");
  CHECK(rig.hear(page.substr(0, page.size() - 5), true) > 0);
  CHECK_FALSE(rig.sync.watching());
  CHECK(rig.hear(page) == 0);
  CHECK(rig.asked("continue=token"));
  CHECK(rig.knows("a"));
  CHECK(rig.knows("b"));
}

TEST_CASE("An event that cannot be read makes the pods be listed again", "[k8s]") {
  for (const char* bad : {"{\"type\":\"ADDED\",\"object\":{}}", "{\"type\":\"NEW\",\"object\":{}}",
                          "{\"type\":7}", "{\"a\":\"\xff\"}"}) {
    CAPTURE(bad);
    Rig rig;
    rig.list({{"a", "1"}});
    CHECK(rig.hear(bad) > 0);
    CHECK(rig.sync.stats().malformed == 1);
    CHECK_FALSE(rig.sync.trouble().empty());
    CHECK_FALSE(rig.sync.watching());
    rig.list({{"a", "1"}});
    CHECK(rig.sync.trouble().empty());
  }
}

TEST_CASE("Garbage instead of an answer changes nothing that is known", "[k8s]") {
  Rig rig;
  rig.list({{"a", "1"}});
  CHECK(rig.hear("<html>captive portal</html>") > 0);
  CHECK(rig.sync.watching());
  CHECK(rig.knows("a"));
  Rig fresh;
  CHECK(fresh.hear("<html>") > 0);
  CHECK(fresh.hear("{}") > 0);  // a list without a version
  CHECK(fresh.hear(test::list_json("{\"kind\":\"Pod\"}", "9")) == 0);
  CHECK(fresh.sync.stats().malformed == 3);
}

TEST_CASE("Retry-After is kept on top of the wait, within reason", "[k8s]") {
  Rig rig;
  const int64_t wait = rig.refuse(429, 20'000);
  CHECK(wait >= 20'000);
  CHECK(wait <= 21'000);
  CHECK(rig.refuse(503, int64_t{1} << 50) <= 302'000);
}

TEST_CASE("What is wrong with the account is said in so many words", "[k8s]") {
  Rig rig;
  rig.refuse(403);
  CHECK(rig.sync.trouble().find("get, list and watch of pods") != std::string::npos);
  rig.refuse(401);
  CHECK(rig.sync.trouble().find("token") != std::string::npos);
  rig.list({});
  CHECK(rig.sync.trouble().empty());
}

TEST_CASE("Pods of other nodes are passed over", "[k8s]") {
  Rig rig;
  FakePod other{"x", "9"};
  other.node = "n2";
  rig.list({other, {"a", "1"}});
  rig.hear(test::event_json("ADDED", other.json("11")) +
           test::event_json("DELETED", FakePod{"a", "1"}.json("12")));
  CHECK(rig.table.present() == 0);
  CHECK(rig.sync.stats().foreign == 2);
  CHECK(rig.table.snapshot()->find("shop", "a", "1")->gone);
}

namespace {

// A small generator of its own, so that every failure can be replayed by its seed.
struct Dice {
  uint64_t state;
  uint64_t roll(uint64_t sides) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % sides;
  }
};

// A cluster that changes at random, heard of over a connection that breaks at random.
class BrokenTalk {
 public:
  explicit BrokenTalk(uint64_t seed) : dice_{seed}, rig_(options()) {}

  void change_pods() {
    for (uint64_t n = dice_.roll(4); n > 0; --n) {
      const std::string uid = std::to_string(dice_.roll(9));
      FakePod pod{"p" + uid, "u" + uid};
      pod.labels = "\"v\":\"" + std::to_string(dice_.roll(5)) + "\"";
      const uint64_t what = dice_.roll(10);
      if (what < 6) {
        cluster_.put(pod);
      } else if (what < 8) {
        cluster_.remove(pod.uid);
      } else if (what < 9) {
        cluster_.pass();
      } else {
        cluster_.compact();
      }
    }
  }

  void exchange(bool faults) {
    const std::string target = rig_.sync.begin();
    const uint64_t fault = faults ? dice_.roll(8) : 99;
    if (cluster_.expired(target) || fault == 0) return refuse(target);
    if (fault == 1) return (void)rig_.sync.on_end({});
    std::string body = cluster_.answer(target);
    if (fault <= 4 && fault >= 2 && !body.empty()) body.resize(dice_.roll(body.size()));
    if (fault == 5 && !body.empty()) body[dice_.roll(body.size())] = '}';
    const bool whole = say(body) && fault > 4;
    rig_.sync.on_end({200, whole, std::nullopt, 0, whole ? "" : "broken"});
  }

  // A flipped byte may have gone unnoticed, also in a list that goes on: one that is whole from its
  // first page puts everything right.
  void heal() {
    for (int i = 0; i < 120; ++i) {
      if (i % 60 == 0) {
        cluster_.pass();
        cluster_.compact();
      }
      exchange(false);
    }
  }

  std::map<std::string, std::string> truth() const {
    std::map<std::string, std::string> out;
    for (const auto& [uid, pod] : cluster_.pods()) out[uid] = pod.labels;
    return out;
  }
  std::map<std::string, std::string> known() const {
    std::map<std::string, std::string> out;
    const auto snapshot = rig_.table.snapshot();
    for (const auto& pod : snapshot->pods()) {
      if (pod->gone) continue;
      out[pod->uid] = "\"v\":\"" + std::string(collector::find_text(pod->labels, "v")) + "\"";
    }
    return out;
  }
  bool watching() const { return rig_.sync.watching(); }

 private:
  SyncOptions options() {
    SyncOptions out = Rig::of("n1");
    out.page = static_cast<int64_t>(1 + dice_.roll(4));
    return out;
  }

  void refuse(const std::string& target) {
    const bool as_event = target.find("watch=true") != std::string::npos && dice_.roll(2) == 0;
    if (as_event) (void)rig_.sync.on_data(test::gone_json());
    const int status = dice_.roll(2) == 0 ? 400 : 410;
    rig_.sync.on_end({as_event ? 200 : status, false, std::nullopt, 0, ""});
  }

  // In pieces; false: the connection was given up.
  bool say(std::string_view body) {
    for (size_t at = 0; at < body.size();) {
      const size_t piece = 1 + dice_.roll(400);
      if (!rig_.sync.on_data(body.substr(at, piece))) return false;
      at += piece;
    }
    return true;
  }

  Dice dice_;
  Rig rig_;
  FakeCluster cluster_;
};

}  // namespace

TEST_CASE("Whatever breaks, what is known ends as it truly is", "[k8s][simulation]") {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    BrokenTalk talk(seed);
    for (int step = 0; step < 60; ++step) {
      talk.change_pods();
      talk.exchange(true);
    }
    talk.heal();
    REQUIRE(talk.known() == talk.truth());
    REQUIRE(talk.watching());
  }
}
