// Six hours without the network, in seconds: what an agent counts, evaluates, tells a metric engine
// and pages is played by the machines that it is made of, on a fake clock, with every chance from a
// seed. NINES_SIM_SEED: the first one, NINES_SIM_COUNT: how many (3); NINES_SIM_TRACE=1 tells
// figures.
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>

#include "nines/upstream/sample_sender.hpp"
#include "nines/upstream/slo_samples.hpp"
#include "notify/chain.hpp"
#include "peer_world.hpp"
#include "receiver.hpp"

using namespace nines;
using namespace nines::agent::notify;
using peer::test::Dice;
using upstream::Answer;
using upstream::test::Receiver;

namespace {

constexpr int64_t kT0 = 1'800'000'000 / 3600 * 3600;
constexpr int64_t kOutageS = 6 * 3600;
constexpr uint32_t kSlos = 20;

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}
bool tracing() { return std::getenv("NINES_SIM_TRACE") != nullptr; }

slo::SloSpec spec_of(uint32_t slo) {
  slo::SloSpec spec;
  spec.name = "slo-" + std::to_string(slo);
  spec.service = "shop";
  spec.target = *Decimal::parse("0.9");
  spec.window_s = 7 * 86400;
  spec.alerts.rules = {{"fast", "page", 3600, 300, *Decimal::parse("2")}};
  return spec;
}

// Who is paged: merges by key.
struct Hook {
  std::map<std::string, std::string> got;  // key -> body
  uint64_t repeated = 0, garbled = 0;
  void take(const Message& message) {
    const auto [place, fresh] = got.emplace(message.key, message.json);
    repeated += !fresh;
    garbled += place->second != message.json;
  }
};

// A node: its engine, what its store holds, and the machines that tell others.
class Node {
 public:
  Node(uint64_t seed, Receiver& engine, Hook& hook)
      : dice(seed), receiver_(engine), hook_(hook), good_(kSlos), bad_(kSlos) {
    start();
  }

  // Ten seconds of life.
  void live() {
    now_s += 10;
    slo::Batch batch;
    for (uint32_t slo = 0; slo < kSlos; ++slo) {
      if (dice.percent(1)) burning_[slo] = !burning_[slo];
      const int64_t bad = burning_[slo] ? dice.between(30, 60) : dice.below(3), good = 100 - bad;
      batch.slots.push_back({slo, (kT0 + now_s) / 10 - 1, good, bad, 10});
      count(slo, good, bad);
    }
    batch.max_event_time = wall();
    batch.normalize();
    engine_->apply(batch);
    batches_.push_back(batch);
    std::vector<slo::AlertEvent> fresh;
    engine_->evaluate(wall(), wall(), fresh);
    for (slo::AlertEvent& event : fresh) {
      event.boot = boot_;
      event.sequence = events.size() + 1;
      events.push_back(std::move(event));
    }
    sender_->known_until(wall());
    tell_engine();
    for (int second = 0; second < 10; ++second) tell_people(now_s - 10 + second);
    progress_ = sender_->progress();
  }
  // Killed; what its store holds is left.
  void restart() {
    ++boot_;
    start();
  }

  WallTime wall() const { return WallTime::from_s(kT0 + now_s); }
  bool told_all() const {
    return sender_->stats().behind_s == 0 && chain_->cursor() == events.size();
  }

  Dice dice;
  int64_t now_s = 0;
  bool cut = false;
  std::optional<Answer> instead;  // of the engine: a proxy before it answers
  int64_t lose_acks_percent = 0;
  uint64_t requests = 0, bytes = 0;
  std::vector<slo::AlertEvent> events;
  // By SLO: (time, all good and bad up to it).
  std::map<uint32_t, std::map<int64_t, std::pair<int64_t, int64_t>>> truth;
  const upstream::SampleSender& sender() const { return *sender_; }

 private:
  void start() {
    const std::vector<slo::AlertMemory> memory =
        engine_ ? engine_->save_alerts() : std::vector<slo::AlertMemory>();
    engine_ = std::make_unique<slo::SloEngine>(kSlos);
    for (uint32_t slo = 0; slo < kSlos; ++slo) REQUIRE(engine_->add(spec_of(slo)).ok());
    for (const slo::Batch& batch : batches_) engine_->apply(batch);
    engine_->restore_alerts(memory);
    samples_ = std::make_unique<upstream::SloSamples>(
        *engine_,
        [this](uint32_t slo) {
          return upstream::SloTotals{good_[slo], bad_[slo]};
        },
        "node", std::vector<upstream::Label>(), "1");
    sender_ = std::make_unique<upstream::SampleSender>(
        upstream::SampleSenderOptions(),
        [this](int64_t from, int64_t to) { return samples_->between(from, to, wall()); },
        [this](int64_t at) { return samples_->canary(at); }, dice.next());
    if (!progress_.empty()) REQUIRE(sender_->restore(progress_));
    const uint64_t cursor = chain_ ? chain_->cursor() : 0;
    chain_ = std::make_unique<Chain>(std::vector<StepRule>{{"hook", 0, 0, {}}}, RetryPolicy(),
                                     cursor, dice.next());
  }
  void count(uint32_t slo, int64_t good, int64_t bad) {
    good_[slo] += good;
    bad_[slo] += bad;
    if (now_s % 60 == 0) truth[slo][kT0 + now_s] = {good_[slo], bad_[slo]};
  }
  Instant mono(int64_t second) const { return {(second + 1) * kNsPerSecond}; }

  void tell_engine() {
    for (int i = 0; i < 5000; ++i) {
      const auto request = sender_->begin(wall(), mono(now_s));
      if (!request) return;
      sender_->answered(answer(*request), wall(), mono(now_s));
    }
    FAIL("it never rests");
  }
  Answer answer(const upstream::Request& request) {
    if (cut) return {0, "no route to host", {}, {}};
    if (instead) return *instead;
    ++requests;
    bytes += request.body.size();
    Answer out = receiver_.write(request.body);
    if (dice.percent(lose_acks_percent)) return {0, "connection reset", {}, {}};
    out.date = wall();
    return out;
  }
  void tell_people(int64_t second) {
    std::vector<Message> more;
    for (size_t i = chain_->last_known(); i < events.size() && more.size() < chain_->room(); ++i) {
      more.push_back(event_message({"node", "1", boot_}, events[i]));
    }
    chain_->add(std::move(more), mono(second));
    while (const Message* message = chain_->begin(0, mono(second))) {
      Verdict verdict;
      const bool arrives = !cut && !instead;
      if (arrives) hook_.take(*message);
      verdict.outcome =
          arrives && !dice.percent(lose_acks_percent) ? Outcome::delivered : Outcome::retry;
      (void)chain_->answered(0, verdict, mono(second));
    }
  }

  Receiver& receiver_;
  Hook& hook_;
  uint64_t boot_ = 1;
  std::vector<int64_t> good_, bad_;
  std::map<uint32_t, bool> burning_;
  std::vector<slo::Batch> batches_;  // what its store holds, with the next
  std::string progress_;
  std::unique_ptr<slo::SloEngine> engine_;
  std::unique_ptr<upstream::SloSamples> samples_;
  std::unique_ptr<upstream::SampleSender> sender_;
  std::unique_ptr<Chain> chain_;
};

void live(Node& node, int64_t seconds) {
  for (const int64_t until = node.now_s + seconds; node.now_s < until;) node.live();
}

// Every minute of every SLO, with exactly what was counted until then.
void check_samples(const Node& node, const Receiver& receiver, int64_t from_s) {
  for (const auto& [slo, counts] : node.truth) {
    for (const bool good : {true, false}) {
      const std::string label = std::string("result=") + (good ? "good" : "bad") + ";";
      const std::string name = "slo=slo-" + std::to_string(slo) + ";";
      const std::map<int64_t, double>* stored = nullptr;
      for (const auto& [series, samples] : receiver.stored) {
        const bool counter = series.find("__name__=nines_slo_events_total;") != std::string::npos;
        if (counter && series.find(label) != std::string::npos &&
            series.find(name) != std::string::npos) {
          stored = &samples;
        }
      }
      REQUIRE(stored != nullptr);
      int wrong = 0;
      for (const auto& [at, sums] : counts) {
        if (at < from_s) continue;
        const auto found = stored->find(at * 1000);
        wrong += found == stored->end() ||
                 found->second != static_cast<double>(good ? sums.first : sums.second);
      }
      INFO(name << label);
      CHECK(wrong == 0);
    }
  }
}

void check_pages(const Node& node, const Hook& hook, bool acks_lost) {
  CHECK(hook.got.size() == node.events.size());  // each under one key
  CHECK(hook.garbled == 0);
  if (!acks_lost) CHECK(hook.repeated == 0);
  for (const slo::AlertEvent& event : node.events) {
    CHECK(hook.got.contains("node/" + std::to_string(event.boot) + "/alert/" +
                            std::to_string(event.sequence)));
  }
}

void six_hours(uint64_t seed) {
  INFO("replay: NINES_SIM_SEED=" << seed << " NINES_SIM_COUNT=1 property_outage");
  Dice dice(seed);
  Receiver receiver(seed % 2 == 0 ? Receiver::Engine::victoria
                                  : Receiver::Engine::prometheus_with_window);
  Hook hook;
  Node node(seed, receiver, hook);
  const bool acks_lost = dice.percent(50);
  node.lose_acks_percent = acks_lost ? 20 : 0;
  live(node, 1800);
  node.cut = true;
  live(node, kOutageS / 2);
  if (dice.percent(70)) node.restart();
  live(node, kOutageS / 2);
  node.cut = false;
  // The link is back before what is behind it.
  const int status = std::vector<int>{429, 500, 503, 400, 502}[seed % 5];
  node.instead = Answer{status, "a proxy",
                        status == 429 ? std::optional<int64_t>(30'000) : std::nullopt, node.wall()};
  live(node, 300);
  node.instead.reset();
  const size_t pages = hook.got.size();
  const uint64_t requests = node.requests, bytes = node.bytes;
  int64_t waited = 0;
  for (; !node.told_all() && waited < 3600; waited += 10) live(node, 10);
  if (tracing()) {
    std::printf(
        "seed %llu: after %lld s and %llu requests of %llu bytes all is told; %zu pages late, "
        "%llu repeated\n",
        static_cast<unsigned long long>(seed), static_cast<long long>(waited),
        static_cast<unsigned long long>(node.requests - requests),
        static_cast<unsigned long long>(node.bytes - bytes), hook.got.size() - pages,
        static_cast<unsigned long long>(hook.repeated));
  }
  // Back-off of the engine is 120 s at most; each lost acknowledgement is one more of both.
  CHECK(waited <= (acks_lost ? 1200 : 360));
  CHECK(pages < node.events.size());
  node.lose_acks_percent = 0;
  live(node, 600);
  CHECK(node.sender().stats().seconds_given_up == 0);
  CHECK(node.sender().stats().samples_refused == 0);
  check_samples(node, receiver, kT0 + 120);
  check_pages(node, hook, acks_lost);
}

fleet::Counts sum_of_minutes(peer::test::World& world) {
  fleet::Counts sum;
  for (size_t i = 0; i < world.size(); ++i) {
    for (const auto& [key, counts] : world.counted(i)) {
      if (std::get<0>(key) != fleet::Tier::minute) continue;
      sum.good += counts.good;
      sum.bad += counts.bad;
    }
  }
  return sum;
}

void six_hours_apart(uint64_t seed) {
  INFO("replay: NINES_SIM_SEED=" << seed << " NINES_SIM_COUNT=1 property_outage");
  peer::test::WorldOptions options;
  options.seed = seed;
  options.nodes = 3;
  options.slos = kSlos;
  options.tell_hours = true;
  peer::test::World world(options);
  world.run_ms(600'000);
  for (const size_t other : {size_t{1}, size_t{2}}) {
    world.cut(0, other);
    world.cut(other, 0);
  }
  world.run_ms(kOutageS * 500);
  if (world.dice().percent(50)) {
    world.crash(0, false);
    world.restart(0, false);
  }
  world.run_ms(kOutageS * 500);
  CHECK_FALSE(world.converged());
  const uint64_t before = world.bytes_sent();
  world.mend_all();
  int64_t waited = 0;
  for (; !world.converged() && waited < 600'000; waited += 1000) world.run_ms(1000);
  if (tracing()) {
    std::printf("seed %llu: equal after %lld s, %llu bytes sent by all three\n",
                static_cast<unsigned long long>(seed), static_cast<long long>(waited / 1000),
                static_cast<unsigned long long>(world.bytes_sent() - before));
  }
  CHECK(waited <= 65'000);  // dials are at most 60 s apart
  world.run_ms(200'000);
  world.stop_publishing();
  world.run_ms(60'000);
  REQUIRE(world.converged());
  std::map<peer::Decision::Kind, int> decided;
  for (const auto& page : world.pages()) ++decided[page.decision.kind];
  CHECK(decided[peer::Decision::Kind::node_silent] == 1);
  CHECK(decided[peer::Decision::Kind::node_back] == 1);
  const fleet::Counts wanted = sum_of_minutes(world);
  for (size_t i = 0; i < world.size(); ++i) {
    fleet::Counts told;
    for (const auto& budget : fleet::fleet_budgets(world.state(i), world.now_of(i).wall)) {
      told.good += budget.counts.good;
      told.bad += budget.counts.bad;
    }
    CHECK(told.good == wanted.good);
    CHECK(told.bad == wanted.bad);
  }
}

}  // namespace

TEST_CASE(
    "After six hours without a network the metric engine has every minute and each page came once",
    "[outage][sim]") {
  const uint64_t first = from_environment("NINES_SIM_SEED", 1);
  const uint64_t count = from_environment("NINES_SIM_COUNT", 3);
  for (uint64_t seed = first; seed < first + count; ++seed) six_hours(seed);
}

TEST_CASE("After six hours apart peers agree on every count within a minute, and paged once",
          "[outage][sim]") {
  const uint64_t first = from_environment("NINES_SIM_SEED", 1);
  const uint64_t count = from_environment("NINES_SIM_COUNT", 3);
  for (uint64_t seed = first; seed < first + count; ++seed) six_hours_apart(seed);
}
