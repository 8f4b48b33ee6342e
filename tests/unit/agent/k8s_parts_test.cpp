// The parts that need neither socket nor clock: cutting, reading, owners, the table, the cache.
#include <catch2/catch.hpp>

#include "../store/support.hpp"
#include "fake_api_server.hpp"
#include "k8s/object_splitter.hpp"
#include "k8s/owner.hpp"
#include "k8s/pod_cache.hpp"
#include "k8s/pod_reader.hpp"
#include "k8s/pod_table.hpp"

using namespace nines;
using namespace nines::agent::k8s;
using collector::find_text;
using test::FakePod;

namespace {

struct Cut {
  std::vector<std::string> objects;
  std::string envelope;
  bool ok = true, complete = false;
  uint64_t oversized = 0;
};

Cut cut(ObjectSplitter::Shape shape, std::string_view text, size_t piece, size_t most = 1 << 20) {
  Cut out;
  ObjectSplitter splitter(shape, most, [&](std::string_view object) {
    out.objects.emplace_back(object);
    return true;
  });
  for (size_t at = 0; at < text.size() && out.ok; at += piece)
    out.ok = splitter.feed(text.substr(at, piece));
  out.complete = splitter.complete();
  out.envelope = splitter.envelope();
  out.oversized = splitter.oversized();
  return out;
}

constexpr auto kList = ObjectSplitter::Shape::list, kStream = ObjectSplitter::Shape::stream;

RawPod a_pod(const std::string& name, const std::string& uid, const std::string& app = "web") {
  RawPod pod;
  pod.ns = "shop";
  pod.name = name;
  pod.uid = uid;
  pod.node = "n1";
  pod.phase = "Running";
  pod.labels = {{"app", app}};
  return pod;
}

Owner owner(std::vector<RawPod::OwnerRef> refs, RawPod::Texts labels = {}, int64_t created_s = 0) {
  RawPod pod;
  pod.owners = std::move(refs);
  pod.labels = std::move(labels);
  pod.created_s = created_s;
  return owner_of(pod);
}
bool is(const Owner& owner, const std::string& kind, const std::string& name) {
  return owner.kind == kind && owner.name == name;
}

}  // namespace

TEST_CASE("A list is cut into its items and a frame, whatever the pieces", "[k8s]") {
  const std::string one = FakePod{"a", "u1"}.json("1"), two = FakePod{"b", "u2"}.json("2");
  const std::string list = test::list_json(one + ",\n " + two, "77", "next");
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{7}, size_t{64}, list.size()}) {
    CAPTURE(piece);
    const Cut got = cut(kList, list, piece);
    CHECK(got.ok);
    CHECK(got.complete);
    CHECK(got.objects == std::vector<std::string>{one, two});
    const auto frame = read_object(got.envelope);
    REQUIRE(frame);
    CHECK(frame->resource_version == "77");
    CHECK(frame->continue_token == "next");
  }
  CHECK(cut(kList, test::list_json("", "1"), 3).complete);
  CHECK(cut(kList, R"({"items":null,"metadata":{"resourceVersion":"1"}})", 3).complete);
  CHECK_FALSE(cut(kList, list.substr(0, list.size() / 2), 9).complete);
  // The name of a list inside something else is not the list.
  const Cut nested =
      cut(kList, R"({"metadata":{"items":[{"a":1}]},"x":"items","items":[{"b":2}]})", 5);
  CHECK(nested.objects == std::vector<std::string>{R"({"b":2})"});
}

TEST_CASE("Watch events are cut as they come", "[k8s]") {
  const std::string event = test::event_json("ADDED", FakePod{"a", "u1"}.json("1"));
  const std::string text = event + "\n" + test::bookmark_json("9");
  for (const size_t piece : {size_t{1}, size_t{5}, text.size()}) {
    const Cut got = cut(kStream, text, piece);
    CHECK(got.ok);
    CHECK(got.objects.size() == 2);
    CHECK(got.complete);
  }
  CHECK_FALSE(cut(kStream, event.substr(0, 100), 10).complete);
}

TEST_CASE("What is no JSON of the expected shape is refused", "[k8s]") {
  for (const char* bad : {"<html>", "[1]", "}", "{}}", "{\"items\":[1]}", "{\"items\":[[]]}",
                          "{\"a\":1} {\"b\":2}", "\"x\""}) {
    CAPTURE(bad);
    CHECK_FALSE(cut(kList, bad, 1).ok);
  }
  for (const char* bad : {"x", "[", "{}]", "null"}) CHECK_FALSE(cut(kStream, bad, 1).ok);
  CHECK_FALSE(cut(kList, "{\"a\":\"" + std::string(100'000, 'x') + "\"}", 1000).ok);
}

TEST_CASE("An object beyond the bound is passed over and counted, the next is not", "[k8s]") {
  const std::string large = R"({"a":")" + std::string(5000, 'x') + R"("})";
  const Cut got = cut(kStream, large + R"({"b":1})" + large, 100, 1000);
  CHECK(got.ok);
  CHECK(got.oversized == 2);
  CHECK(got.objects == std::vector<std::string>{R"({"b":1})"});
}

TEST_CASE("A pod is read for what is needed and nothing else", "[k8s]") {
  FakePod fake{"web-1", "u1"};
  fake.restarts = 3;
  fake.extra_metadata =
      R"(,"annotations":{"nines.io/format":"json","other/x":"y","kubernetes.io/config.hash":"abc"},)"
      R"("ownerReferences":[{"kind":"Node","name":"n9"},{"kind":"ReplicaSet","name":"web-7d","controller":true}])";
  for (const bool event : {false, true}) {
    const std::string json = fake.json("42");
    const auto read = event ? read_event(test::event_json("ADDED", json)) : read_object(json);
    REQUIRE(read);
    CHECK(read->event == (event ? "ADDED" : ""));
    CHECK(read->resource_version == "42");
    const RawPod& pod = read->pod;
    CHECK(pod.ns == "shop");
    CHECK(pod.name == "web-1");
    CHECK(pod.uid == "u1");
    CHECK(pod.node == "n1");
    CHECK(pod.phase == "Running");
    CHECK(pod.manifest_hash == "abc");
    CHECK(pod.labels == RawPod::Texts{{"app", "web"}});
    CHECK(pod.annotations == RawPod::Texts{{"nines.io/format", "json"}});
    REQUIRE(pod.owners.size() == 2);
    CHECK(pod.owners[1].controller);
    REQUIRE(pod.containers.size() == 1);
    CHECK(pod.containers[0].name == "app");
    CHECK(pod.containers[0].restarts == 3);
    CHECK(pod.started_s - pod.created_s == 1);
  }
}

TEST_CASE("A pod's texts are bounded, and what was left out is counted", "[k8s]") {
  std::string labels = R"("long":")" + std::string(64, 'v') + "\"";
  for (int i = 0; i < 100; ++i) labels += ",\"k" + std::to_string(i) + "\":\"v\"";
  FakePod fake{"a", "u"};
  fake.labels = labels;
  const auto read = read_object(fake.json("1"));
  REQUIRE(read);
  CHECK(read->pod.labels.size() == kMaxLabels);
  CHECK(read->left_out == 1 + 100 - kMaxLabels);
}

TEST_CASE("What is not JSON, or nested without end, is no object", "[k8s]") {
  for (const std::string& bad :
       {std::string("{"), std::string("{\"a\":}"), std::string(100'000, '['), std::string("\xff"),
        std::string("{\"a\":\"\xc3\x28\"}")}) {
    CHECK_FALSE(read_object(bad));
    CHECK_FALSE(read_event(bad));
  }
  CHECK_FALSE(read_event(R"({"object":{}})"));
  CHECK(read_object(R"({"metadata":{"labels":{"a":"1","a":"2"}}})")->pod.labels ==
        RawPod::Texts{{"a", "2"}});
  CHECK(read_object(R"({"metadata":{"name":7,"labels":[1,{"a":"b"}]},"status":null})")
            ->pod.name.empty());
}

TEST_CASE("Times of Kubernetes are unix seconds; others are none", "[k8s]") {
  CHECK(parse_time("1970-01-02T00:00:01Z") == 86401);
  CHECK(parse_time("2026-11-21T06:17:14Z") == 1'795'241'834);
  for (const char* bad : {"", "2026-11-21", "2026-13-21T06:17:14Z", "2026-11-21T06:17:14+01"})
    CHECK(parse_time(bad) == 0);
}

TEST_CASE("A pod belongs to its Deployment or CronJob where names leave no doubt", "[k8s]") {
  CHECK(is(owner({{"ReplicaSet", "web-7d4b9c", true}}, {{"pod-template-hash", "7d4b9c"}}),
           "Deployment", "web"));
  CHECK(is(owner({{"ReplicaSet", "web-7d4b9c", true}}), "ReplicaSet", "web-7d4b9c"));
  CHECK(is(owner({{"ReplicaSet", "web", true}}, {{"pod-template-hash", "7d4b9c"}}), "ReplicaSet",
           "web"));
  CHECK(
      is(owner({{"ReplicaSet", "-7d", true}}, {{"pod-template-hash", "7d"}}), "ReplicaSet", "-7d"));
  CHECK(is(owner({{"DaemonSet", "log", true}}), "DaemonSet", "log"));
  CHECK(is(owner({{"Node", "n1", false}, {"StatefulSet", "db", true}}), "StatefulSet", "db"));
  CHECK(is(owner({}), "", ""));
  // 29'920'700 minutes = 2026-11-21T06:20:00Z.
  const int64_t due = int64_t{29'920'700} * 60;
  CHECK(is(owner({{"Job", "backup-29920700", true}}, {}, due + 3), "CronJob", "backup"));
  CHECK(is(owner({{"Job", "backup-" + std::to_string(due), true}}, {}, due + 3), "CronJob",
           "backup"));
  // A date, a time long past, one that is to come, a word.
  CHECK(is(owner({{"Job", "backup-20261121", true}}, {}, due), "Job", "backup-20261121"));
  CHECK(is(owner({{"Job", "backup-29920700", true}}, {}, due + 90'000), "Job", "backup-29920700"));
  CHECK(is(owner({{"Job", "backup-29920700", true}}, {}, due - 120), "Job", "backup-29920700"));
  CHECK(is(owner({{"Job", "migrate-v2", true}}, {}, due), "Job", "migrate-v2"));
}

TEST_CASE("The table keeps shared texts once and lets unused ones go", "[k8s]") {
  PodTable table;
  for (int i = 0; i < 500; ++i) {
    RawPod pod = a_pod("p" + std::to_string(i), "u" + std::to_string(i));
    CHECK(table.put(pod));
  }
  CHECK(table.interned() < 10);
  const auto snapshot = table.snapshot();
  const auto first = snapshot->find("shop", "p0", ""), second = snapshot->find("shop", "p1", "");
  CHECK(first->labels[0].second.get() == second->labels[0].second.get());
  RawPod changing = a_pod("p0", "u0");
  for (int i = 0; i < 5000; ++i) {
    changing.labels = {{"build", std::to_string(i)}};
    table.put(changing);
  }
  CHECK(table.interned() < 600);
}

TEST_CASE("The table refuses pods beyond its limit; deleted ones give way first", "[k8s]") {
  PodTable table({.max_pods = 3, .max_gone = 2});
  for (const char* uid : {"a", "b", "c"}) CHECK(table.put(a_pod(uid, uid)));
  CHECK_FALSE(table.put(a_pod("d", "d")));
  CHECK(table.refused() == 1);
  CHECK(table.put(a_pod("a", "a", "changed")));
  table.remove("b");
  CHECK(table.present() == 2);
  CHECK(table.snapshot()->find("shop", "b", "b")->gone);
  CHECK(table.put(a_pod("d", "d")));
  CHECK(table.snapshot()->find("shop", "b", "b") == nullptr);
  for (const char* uid : {"a", "c", "d"}) table.remove(uid);
  CHECK(table.gone() == 2);  // the newest two
  CHECK(table.snapshot()->pods().size() == 2);
}

TEST_CASE("A list makes the pods it does not name be gone, and takes their place if it must",
          "[k8s]") {
  PodTable table({.max_pods = 2, .max_gone = 2});
  table.put(a_pod("old", "1"));
  table.put(a_pod("kept", "2"));
  table.begin_list();
  CHECK(table.put(a_pod("kept", "2")));
  CHECK(table.put(a_pod("new", "3")));
  CHECK_FALSE(table.put(a_pod("more", "4")));
  table.end_list();
  CHECK(table.present() == 2);
  CHECK(table.snapshot()->find("shop", "new", "") != nullptr);
  CHECK(table.snapshot()->find("shop", "old", "") == nullptr);
}

TEST_CASE("Only what changed is told to the store", "[k8s]") {
  PodTable table;
  table.put(a_pod("a", "1"));
  table.put(a_pod("b", "2"));
  CHECK(table.take_changes().size() == 2);
  const auto version = table.version();
  table.put(a_pod("a", "1"));
  CHECK(table.version() == version);
  CHECK(table.take_changes().empty());
  table.put(a_pod("a", "1", "other"));
  table.remove("2");
  CHECK(table.take_changes().size() == 2);
}

TEST_CASE("Pods come back from the store as they were", "[k8s]") {
  const store::test::TempDir dir;
  PodTable table;
  FakePod fake{"web-1", "u1"};
  fake.restarts = 3;
  fake.extra_metadata =
      R"(,"annotations":{"nines.io/service":"shöp \"x\"","kubernetes.io/config.hash":"abc"},)"
      R"("ownerReferences":[{"kind":"ReplicaSet","name":"web-7d","controller":true}])";
  fake.labels = R"("app":"","pod-template-hash":"7d")";
  table.put(read_object(fake.json("1"))->pod);
  table.put(a_pod("gone", "u2"));
  table.remove("u2");
  {
    auto store = store::test::open_store(dir.options());
    std::vector<store::Document> documents{sync_document("n1", WallTime::from_s(1'795'241'834))};
    for (const auto& [uid, pod] : table.take_changes()) documents.push_back(pod_document(uid, pod));
    store::test::require_ok(store->put_documents(documents));
  }
  auto store = store::test::open_store(dir.options());
  const CachedPods cached = read_cache(*store, "n1");
  CHECK(cached.heard == WallTime::from_s(1'795'241'834));
  CHECK(cached.obsolete.empty());
  PodTable again;
  for (const RawPod& pod : cached.pods) again.restore(pod);
  const auto was = table.snapshot(), is = again.snapshot();
  REQUIRE(is->pods().size() == 2);
  for (size_t i = 0; i < 2; ++i) CHECK(*is->pods()[i] == *was->pods()[i]);
  CHECK(*is->find("shop", "web-1", "abc")->owner == "web");
  CHECK(find_text(is->find("shop", "web-1", "")->annotations, "nines.io/service") == "shöp \"x\"");
  // The state of another node (a disk image, a renamed host) is not taken for ours.
  const CachedPods other = read_cache(*store, "n2");
  CHECK(other.pods.empty());
  CHECK(other.heard.ns == 0);
  CHECK(other.obsolete.size() == 2);
}
