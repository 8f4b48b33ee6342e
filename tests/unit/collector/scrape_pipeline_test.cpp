// From a scripted endpoint through the real pipeline to counts of SLIs, with kills between.
#include <catch2/catch.hpp>
#include <map>

#include "nines/collector/pipeline.hpp"
#include "scrape_support.hpp"

using namespace nines;
using namespace nines::collector;
using namespace nines::collector::test;

namespace {

struct Sli {
  std::string total, good, count;
  bool independent = false;
};
struct Counted {
  int64_t good = 0, bad = 0;
  friend bool operator==(const Counted&, const Counted&) = default;
};

// An agent that is nothing but a scrape and a pipeline, and a store that outlives it.
class Agent {
 public:
  Agent(std::vector<Sli> slis, Fetch fetch) : slis_(std::move(slis)), fetch_(std::move(fetch)) {
    counted.resize(slis_.size());
    start();
  }

  void start() {
    input_.reset();
    pipeline_ = std::make_unique<Pipeline>(PipelineOptions{}, clock);
    SourcePlan plan;
    plan.name = "target";
    plan.selector.input = slo::InputKind::scrape;
    plan.selector.format = "json";
    const uint32_t source = pipeline_->add_source(plan);
    for (uint32_t i = 0; i < slis_.size(); ++i) {
      slo::SloSpec spec;
      spec.name = "slo" + std::to_string(i);
      spec.indicator.total.where = slis_[i].total;
      spec.indicator.part.where = slis_[i].good;
      spec.indicator.count = slis_[i].count;
      spec.indicator.independent = slis_[i].independent;
      REQUIRE(pipeline_->add_slo(i, spec, source, source).ok());
    }
    ScrapeOptions options;
    options.url = "http://127.0.0.1:8080/metrics";
    options.sources = {source};
    std::vector<slo::Position> saved;
    for (const auto& [key, state] : store_) saved.push_back({key, state});
    input_ = std::move(*ScrapeInput::create(options, fetch_, *pipeline_, saved, clock));
  }
  void scrape() {
    while (input_->read(1 << 20)) continue;
    clock.advance_s(15);
  }
  void commit() {
    slo::Batch batch;
    pipeline_->take(batch);
    input_->take_positions(batch.positions);
    batch.normalize();
    for (const slo::SlotDelta& slot : batch.slots) {
      counted[slot.slo].good += slot.good;
      counted[slot.slo].bad += slot.bad;
    }
    for (slo::Position& p : batch.positions) store_[p.key] = p.state;
    CHECK(pipeline_->counts().at(0).no_match == 0);
    CHECK(pipeline_->counts().at(0).bad_time == 0);
  }

  nines::test::ManualClock clock{WallTime::from_s(kStartS)};
  std::vector<Counted> counted;

 private:
  std::vector<Sli> slis_;
  Fetch fetch_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<ScrapeInput> input_;
  std::map<std::string, std::string> store_;
};

// A service that serves `fast`, `slow` (over 0.3 s) and `failed` requests.
struct Service {
  int64_t fast = 0, slow = 0, failed = 0;
  bool down = false;

  Result<std::string> page() const {
    if (down) return Error{Errc::unavailable, "connection refused"};
    const int64_t all = fast + slow + failed;
    const auto bucket = [](const char* le, int64_t n) {
      return std::string("t_seconds_bucket{le=\"") + le + "\"} " + std::to_string(n) + "\n";
    };
    return "# TYPE r_total counter\nr_total{code=\"200\"} " + std::to_string(fast + slow) +
           "\nr_total{code=\"500\"} " + std::to_string(failed) + "\n# TYPE t_seconds histogram\n" +
           bucket("0.1", fast / 2) + bucket("0.3", fast) + bucket("1", all) + bucket("+Inf", all) +
           "t_seconds_sum " + std::to_string(all) + ".25\nt_seconds_count " + std::to_string(all) +
           "\n# TYPE mem gauge\nmem 5\n";
  }
};

const std::vector<Sli> kSlis{
    {"metric = 'r_total'", "code < 500", "delta"},
    {"metric = 't_seconds_bucket'", "le <= 0.3", "delta"},
    {"metric = 'up'", "value = 1", ""},
};

}  // namespace

TEST_CASE("Two metrics of one endpoint are counted independently when asked to", "[scrape]") {
  Service service{1000, 100, 10};
  const std::vector<Sli> slis{
      {"metric = 'r_total'", "metric = 't_seconds_bucket' AND le <= 0.3", "delta", true},
      {"metric = 'r_total'", "metric = 't_seconds_bucket' AND le <= 0.3", "delta", false}};
  Agent agent(slis, [&](const ScrapeRequest&, std::function<void(Result<std::string>)> done) {
    done(service.page());
  });
  agent.scrape();  // the past
  service.fast += 40;
  service.slow += 7;
  service.failed += 3;
  agent.scrape();
  agent.commit();
  CHECK(agent.counted[0] == Counted{40, 10});
  CHECK(agent.counted[1] == Counted{0, 50});  // no record is of both metrics
}

TEST_CASE("The pipeline counts what an endpoint tells exactly, over its restarts and ours",
          "[scrape]") {
  Service service{1000, 100, 10};
  Agent agent(kSlis, [&](const ScrapeRequest&, std::function<void(Result<std::string>)> done) {
    done(service.page());
  });
  int64_t fast = 0, slow = 0, failed = 0, up = 0, down = 0;
  const auto serve = [&](int64_t f, int64_t s, int64_t e) {
    service.fast += f;
    service.slow += s;
    service.failed += e;
    fast += f;
    slow += s;
    failed += e;
  };
  agent.scrape();  // the past
  agent.commit();
  for (int round = 1; round <= 60; ++round) {
    serve(7 * round % 41, round % 5, round % 3);
    if (round % 10 == 0) {  // begins anew; what it serves until the next scrape is seen whole
      service = {};
      fast -= 7 * round % 41;  // what it served since the last scrape is seen by nobody
      slow -= round % 5;
      failed -= round % 3;
      serve(4, 1, 0);
    }
    service.down = round % 7 == 0 && round % 10 != 9;  // silent for a while, but not over a restart
    agent.scrape();
    if (round % 13 == 5) {
      agent.start();  // killed: what was not committed is gone, and asked for again
      agent.clock.advance_s(round * 60);
      agent.scrape();
    }
    (service.down ? down : up) += 1;
    agent.commit();
  }
  service.down = false;
  agent.scrape();
  agent.commit();
  CHECK(agent.counted[0] == Counted{fast + slow, failed});
  CHECK(agent.counted[1] == Counted{fast, slow + failed});
  CHECK(agent.counted[2] == Counted{up + 2, down});
}

TEST_CASE("The pipeline counts a failed scrape as an event of its own", "[scrape]") {
  int asked = 0;
  Agent agent({{"metric = 'up'", "value = 1", ""}},
              [&](const ScrapeRequest& request, std::function<void(Result<std::string>)> done) {
                CHECK(request.timeout_ms == 10'000);
                if (++asked % 4 == 0) return done(Error{Errc::unavailable, "refused"});
                done(std::string("a 1\n"));
              });
  for (int i = 0; i < 20; ++i) agent.scrape();
  agent.commit();
  CHECK(agent.counted[0] == Counted{15, 5});
}
