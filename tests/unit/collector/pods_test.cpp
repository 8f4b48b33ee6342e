// Pods in the way of a line: who counts it, and what its context fields are.
#include <catch2/catch.hpp>
#include <map>

#include "manual_clock.hpp"
#include "nines/collector/pipeline.hpp"
#include "nines/collector/record_reader.hpp"
#include "tail_fixture.hpp"

using namespace nines;
using namespace nines::collector;

namespace {

constexpr int64_t kNoonS = 1'790'000'000 / 10 * 10;
constexpr const char* kPath = "/var/log/pods/shop_web-7d4b9c-x2x_u-1/app/2.log";

Interned text(const std::string& s) { return std::make_shared<const std::string>(s); }

PodTexts texts(const std::map<std::string, std::string>& from) {
  PodTexts out;
  for (const auto& [key, value] : from) out.emplace_back(text(key), text(value));
  return out;
}

PodPtr web(const std::map<std::string, std::string>& labels,
           const std::map<std::string, std::string>& annotations = {},
           const std::string& uid = "u-1") {
  auto pod = std::make_shared<PodInfo>();
  pod->ns = "shop";
  pod->name = "web-7d4b9c-x2x";
  pod->uid = pod->log_uid = uid;
  pod->node = text("n1");
  pod->phase = text("Running");
  pod->owner_kind = text("Deployment");
  pod->owner = text("web");
  pod->labels = texts(labels);
  pod->annotations = texts(annotations);
  return pod;
}

void tell(PodFeed& feed, std::vector<PodPtr> pods) {
  feed.publish(std::make_shared<const PodDirectory>(std::move(pods)));
}

slo::SourceSelector of_pods(std::vector<std::string> labels = {}) {
  slo::SourceSelector selector;
  selector.k8s_namespace = "shop";
  selector.k8s_labels = std::move(labels);
  return selector;
}

slo::SourceSelector of_paths() {
  slo::SourceSelector selector;
  selector.paths = {"/var/log/pods/*/*/*.log"};
  return selector;
}

struct Rig {
  test::ManualClock clock{WallTime::from_s(kNoonS + 600)};
  std::shared_ptr<PodFeed> feed = std::make_shared<PodFeed>();
  std::unique_ptr<Pipeline> pipeline;
  LogStream file;

  // One SLO a source: all records, good where `good` says so.
  Rig(const std::vector<slo::SourceSelector>& sources, const std::string& good = "status < 500",
      bool with_feed = true, const std::string& path = kPath) {
    PipelineOptions options;
    options.node = "n1";
    if (with_feed) options.pods = feed;
    pipeline = std::make_unique<Pipeline>(options, clock);
    for (uint32_t i = 0; i < sources.size(); ++i) {
      pipeline->add_source({.name = "s", .service = "", .selector = sources[i], .globs = {}});
      slo::SloSpec spec;
      spec.name = "slo-" + std::to_string(i);
      spec.target = {999, -3};
      spec.indicator.total.source = spec.indicator.part.source = sources[i];
      spec.indicator.part.where = good;
      REQUIRE(pipeline->add_slo(i, spec, i, i).ok());
      file.matched.push_back(i);
    }
    file.path = path;
    pipeline->opened(file);
  }

  Taken feed_lines(int lines, int status = 200) {
    std::string block;
    for (int i = 0; i < lines; ++i) {
      block +=
          "2026-09-21T14:13:20." + std::to_string(100 + i) +
          "Z stdout F {\"time\":\"2026-09-21T14:13:20Z\",\"status\":" + std::to_string(status) +
          "}\n";
    }
    const Taken taken = pipeline->consume(file, block, Reading::more);
    file.offset += static_cast<int64_t>(taken.bytes);
    return taken;
  }

  std::pair<int64_t, int64_t> counts(uint32_t slo) {
    pipeline->take(batch);
    batch.normalize();
    std::pair<int64_t, int64_t> out;
    for (const auto& delta : batch.slots) {
      if (delta.slo != slo) continue;
      out.first += delta.good;
      out.second += delta.bad;
    }
    return out;
  }
  slo::Batch batch;
};

using Pair = std::pair<int64_t, int64_t>;

}  // namespace

TEST_CASE("A pod is found by its log's uid, or by name alone where the path has none", "[pods]") {
  auto gone = std::make_shared<PodInfo>(*web({{"v", "old"}}, {}, "u-0"));
  gone->gone = true;
  const PodDirectory directory({gone, web({{"v", "new"}}, {}, "u-1")});
  CHECK(directory.find("shop", "web-7d4b9c-x2x", "u-0")->gone);
  CHECK(find_text(directory.find("shop", "web-7d4b9c-x2x", "")->labels, "v") == "new");
  CHECK(directory.find("shop", "web-7d4b9c-x2x", "u-2") == nullptr);
  CHECK(directory.find("shop", "web", "") == nullptr);
  CHECK(directory.find("zoo", "web-7d4b9c-x2x", "") == nullptr);
}

TEST_CASE("A source with labels counts the pods that have all of them", "[pods]") {
  Rig rig({of_pods({"app=web", "tier=front"}), of_pods({"app=web", "tier=back"}), of_pods()});
  tell(*rig.feed, {web({{"app", "web"}, {"tier", "front"}})});
  CHECK(rig.feed_lines(3).bytes > 0);
  CHECK(rig.counts(0) == Pair{3, 0});
  CHECK(rig.counts(1) == Pair{0, 0});
  CHECK(rig.counts(2) == Pair{3, 0});
}

TEST_CASE("A container's log waits until its pod is known", "[pods]") {
  Rig rig({of_pods({"app=web"})});
  const Taken first = rig.feed_lines(2);
  CHECK(first.bytes == 0);
  CHECK(first.rest == Taken::Rest::waiting);
  rig.clock.advance_s(9);
  tell(*rig.feed, {});  // Kubernetes speaks, but of other pods
  CHECK(rig.feed_lines(2).rest == Taken::Rest::waiting);
  tell(*rig.feed, {web({{"app", "web"}})});
  CHECK(rig.feed_lines(2).rest == Taken::Rest::none);
  CHECK(rig.counts(0) == Pair{2, 0});
  CHECK(rig.pipeline->counts()[0].pods_unknown == 0);
}

TEST_CASE("After ten seconds a log is read by what is known, and that is told", "[pods]") {
  Rig rig({of_pods({"app=web"}), of_pods()});
  CHECK(rig.feed_lines(2).rest == Taken::Rest::waiting);
  rig.clock.advance_s(10);
  CHECK(rig.feed_lines(2).bytes > 0);
  CHECK(rig.counts(0) == Pair{0, 0});  // its labels are not known to hold
  CHECK(rig.counts(1) == Pair{2, 0});
  CHECK(rig.pipeline->counts()[0].pods_unknown == 1);
  tell(*rig.feed, {web({{"app", "web"}})});
  rig.feed_lines(5);
  CHECK(rig.counts(0) == Pair{5, 0});
  CHECK(rig.counts(1) == Pair{7, 0});
}

TEST_CASE("Nothing waits where nobody tells of pods, or no source asks for them", "[pods]") {
  Rig alone({of_pods(), of_pods({"app=web"})}, "status < 500", false);
  alone.feed_lines(2);
  CHECK(alone.counts(0) == Pair{2, 0});
  CHECK(alone.counts(1) == Pair{0, 0});
  Rig paths({of_paths()});
  CHECK(paths.feed_lines(2).bytes > 0);
  CHECK(paths.counts(0) == Pair{2, 0});
  Rig outside({of_paths()}, "status < 500", true, "/var/log/app.log");
  CHECK(outside.feed_lines(1).bytes > 0);
}

TEST_CASE("A log waits for its pod where an expression asks for the pod's fields", "[pods]") {
  Rig rig({of_paths()}, "labels.app = 'web'");
  CHECK(rig.feed_lines(2).rest == Taken::Rest::waiting);
  tell(*rig.feed, {web({{"app", "web"}})});
  CHECK(rig.feed_lines(2).bytes > 0);
  CHECK(rig.counts(0) == Pair{2, 0});
}

TEST_CASE("An excluded pod is passed over by sources that choose by Kubernetes names", "[pods]") {
  for (const auto& annotation :
       {std::pair{"nines.io/exclude", "true"}, std::pair{"nines.io/include", "false"}}) {
    Rig rig({of_pods(), of_paths()});
    tell(*rig.feed, {web({}, {{annotation.first, annotation.second}})});
    CHECK(rig.feed_lines(4).bytes > 0);
    CHECK(rig.counts(0) == Pair{0, 0});
    CHECK(rig.counts(1) == Pair{4, 0});
  }
  Rig only({of_pods()});
  tell(*only.feed, {web({}, {{"nines.io/exclude", "true"}})});
  const Taken taken = only.feed_lines(4);
  CHECK(taken.bytes > 0);  // read past, so that it is not counted when the annotation goes
  CHECK_FALSE(taken.mid_line);
  CHECK(only.pipeline->counts()[0].bytes_excluded == taken.bytes);
  tell(*only.feed, {web({})});
  only.feed_lines(1);
  CHECK(only.counts(0) == Pair{1, 0});
}

TEST_CASE("Labels, owner, uid and restart count are fields of every record of a pod", "[pods]") {
  const std::string where =
      "labels.app = 'web' AND labels.\"app.kubernetes.io/name\" IS NULL AND owner = 'web' AND "
      "owner_kind = 'Deployment' AND restart = 2 AND pod_uid = 'u-1' AND node = 'n1' AND "
      "namespace = 'shop' AND labels.none IS NULL";
  Rig rig({of_pods()}, where);
  tell(*rig.feed, {web({{"app", "web"}})});
  rig.feed_lines(2);
  CHECK(rig.counts(0) == Pair{2, 0});
  tell(*rig.feed, {web({{"app", "other"}})});  // refreshed when the snapshot changes
  rig.feed_lines(3);
  CHECK(rig.counts(0) == Pair{2, 3});
}

TEST_CASE("A record's own field comes before the pod's", "[pods]") {
  Rig rig({of_pods()}, "owner = 'alice'");
  tell(*rig.feed, {web({})});
  const std::string line =
      "2026-09-21T14:13:20.1Z stdout F {\"time\":\"2026-09-21T14:13:20Z\",\"owner\":\"alice\"}\n";
  rig.pipeline->consume(rig.file, line + line, Reading::more);
  CHECK(rig.counts(0) == Pair{2, 0});
}

TEST_CASE("A pod that is forgotten stays what it was to the files it left", "[pods]") {
  Rig rig({of_pods({"app=web"})});
  tell(*rig.feed, {web({{"app", "web"}})});
  rig.feed_lines(1);
  tell(*rig.feed, {});
  rig.feed_lines(1);
  CHECK(rig.counts(0) == Pair{2, 0});
}

TEST_CASE("Annotations say the service and the format of a pod's logs", "[pods]") {
  Rig rig({of_pods()}, "service = 'checkout'");
  tell(*rig.feed, {web({}, {{"nines.io/service", "checkout"}, {"nines.io/format", "logfmt"}})});
  const std::string line =
      "2026-09-21T14:13:20.1Z stdout F time=2026-09-21T14:13:20Z status=200\n";
  rig.pipeline->consume(rig.file, line, Reading::more);
  CHECK(rig.counts(0) == Pair{1, 0});
  CHECK(rig.pipeline->counts()[0].format == "cri+logfmt");
  CHECK(rig.pipeline->counts()[0].bad_annotations == 0);
}

TEST_CASE("Annotations that mean nothing are counted and change nothing", "[pods]") {
  Rig rig({of_pods()});
  tell(*rig.feed, {web({}, {{"nines.io/format", "bogus"}, {"nines.io/multiline", "(("}})});
  rig.feed_lines(2);
  CHECK(rig.counts(0) == Pair{2, 0});
  CHECK(rig.pipeline->counts()[0].bad_annotations == 2);
}

TEST_CASE("A file that waits is asked again after a while and keeps its successors waiting",
          "[pods][tailer]") {
  struct Waiter : RecordConsumer {
    int asked = 0;
    bool ready = false;
    std::string got;
    Taken consume(LogStream&, std::string_view data, Reading) override {
      ++asked;
      if (!ready) return {0, Taken::Rest::waiting, false};
      got += data;
      return {data.size(), Taken::Rest::none, false};
    }
    void opened(LogStream&) override {}
    void closed(LogStream&) override {}
  } waiter;
  test::ManualClock clock{WallTime::from_s(kNoonS)};
  const testing::TempDir dir;
  testing::append(dir / "a.log", "one\ntwo\n");
  auto tailer = Tailer::create({}, waiter, {}, clock);
  REQUIRE(tailer.ok());
  FileSource source;
  source.globs.include = {dir / "*.log"};
  (*tailer)->add_source(0, source);
  (*tailer)->rescan();
  CHECK_FALSE((*tailer)->poll(0, 1 << 20));  // not busy with it
  CHECK_FALSE((*tailer)->poll(0, 1 << 20));
  CHECK(waiter.asked == 1);
  CHECK_FALSE((*tailer)->caught_up());
  CHECK((*tailer)->due().ns > clock.mono().ns);
  clock.advance_s(1);
  (*tailer)->poll(0, 1 << 20);
  CHECK(waiter.asked == 2);
  waiter.ready = true;
  clock.advance_s(1);
  (*tailer)->poll(0, 1 << 20);
  CHECK(waiter.got == "one\ntwo\n");
  CHECK((*tailer)->caught_up());
}

TEST_CASE("RecordReader tells a container's pod uid and restart count", "[pods]") {
  test::ManualClock clock{WallTime::from_s(kNoonS)};
  std::string uid;
  std::optional<int32_t> restart;
  RecordReader reader({}, 64 * 1024, clock, [&](const ReadRecord& record) {
    uid = record.pod_uid;
    restart = record.restart;
  });
  LogStream file;
  file.path = kPath;
  reader.opened(file);
  reader.consume(file, "2026-09-21T14:13:20.1Z stdout F {\"a\":1}\n", Reading::last);
  CHECK(uid == "u-1");
  CHECK(restart == 2);
}
