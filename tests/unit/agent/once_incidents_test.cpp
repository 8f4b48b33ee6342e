// `agent --once` over logs of the past: what the kernel and the names of containers' logs tell is
// with the incident, as on a live agent, and known to the next life.
#include "app/once_incidents.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>

#include "app/once_cluster.hpp"
#include "composition.hpp"
#include "fake_api_server.hpp"
#include "k8s_support.hpp"

using namespace nines;
using namespace nines::test;

namespace {

using agent::OnceIncidents;
namespace core = nines::incident;

constexpr int64_t kBroken = kMidnight + 2 * 3600;
const std::string kPod = "/pods/shop_pay-7c9f6-bbbbb_u-1/pay/";

void write_line(const std::string& file, int64_t s, const std::string& message) {
  append(file, R"({"time":")" + format_rfc3339(WallTime::from_s(s)) +
                   R"(","level":"info","message":")" + message + "\"}\n");
}

// Three hours of a shop whose front door fails when pay is killed for want of memory.
void write_logs(const TempDir& dir) {
  std::filesystem::create_directories(dir.path() + kPod);
  for (int64_t t = kMidnight; t < kMidnight + 3 * 3600; t += 2) {
    const bool broken = t >= kBroken && t < kBroken + 1'200;
    append(dir / "access.log", access_line(t, broken ? 502 : 200));
    if (t % 10 == 0 && t < kBroken) write_line(dir.path() + kPod + "0.log", t, "charged");
    if (t % 10 == 0 && t >= kBroken + 10) write_line(dir.path() + kPod + "1.log", t, "charged");
  }
  append(dir / "kern.log",
         format_rfc3339(WallTime::from_s(kBroken)) +
             " n1 kernel: Out of memory: Killed process 4711 (java) total-vm:1kB\n");
}

agent::Setup shop(const TempDir& dir) {
  agent::Setup setup;
  setup.config.node = "n1";
  setup.slos = {availability("web", dir / "access.log")};
  const auto source = [&](const std::string& name, const std::string& glob, const char* format) {
    agent::SourceConfig out;
    out.name = name;
    out.selector.paths = {glob};
    out.selector.format = format;
    setup.config.sources.push_back(out);
    setup.config.incidents.sources.push_back(name);
  };
  source("pods", dir / "pods/*/*/*.log", "");
  source("kernel", dir / "kern.log", "syslog");
  return setup;
}

struct Run {
  Run(const agent::Setup& setup, store::StateStore& store, const Clock& clock) {
    auto wired = agent::wire(setup, &store, clock, {nullptr, "", true});
    REQUIRE(wired.ok());
    halves = std::move(*wired);
    auto made = OnceIncidents::create(setup.config, *halves.ingest, halves.judge->engine(), &store,
                                      clock.wall());
    REQUIRE(made.ok());
    incidents = std::move(*made);
    REQUIRE(incidents);
    agent::OnceOptions options;
    options.log_clock = true;
    REQUIRE(agent::run_once(*halves.ingest, *halves.judge, incidents.get(), &store, clock, options)
                .ok());
  }
  agent::Halves halves;
  std::unique_ptr<OnceIncidents> incidents;
};

// Of the evidence what happened around it: "kernel: ..." by source.
std::vector<std::string> context_of(const core::Incident& incident) {
  std::vector<std::string> out;
  for (const core::Evidence& one : incident.evidence) {
    const auto* source = one.entry.detail("source");
    if (source != nullptr) out.push_back(*source + ": " + one.entry.text);
  }
  return out;
}

bool has(const std::vector<std::string>& all, const std::string& part) {
  return std::any_of(all.begin(), all.end(),
                     [&](const auto& one) { return one.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("An incident of a replay has what the kernel and the containers' logs tell", "[once]") {
  const TempDir dir;
  const ManualClock clock(WallTime::from_s(kMidnight + 30 * 86'400));
  write_logs(dir);
  const agent::Setup setup = shop(dir);
  auto store = agent::open_store(dir / "state", setup.config);
  REQUIRE(store.ok());
  Run run(setup, **store, clock);
  const auto all = run.incidents->desk().book().list({}, clock.wall());
  const auto broken = std::find_if(all.begin(), all.end(),
                                   [](const core::Incident& one) { return one.concerns("web"); });
  REQUIRE(broken != all.end());
  const auto context = context_of(*broken);
  CHECK(has(context, "kernel: kernel: Out of memory: Killed process 4711 (java)"));
  const auto trouble = run.incidents->facts().trouble(WallTime::from_s(kBroken - 60));
  REQUIRE(trouble.restarts.size() == 1);
  CHECK(trouble.restarts[0].find("pay (pod pay-7c9f6-bbbbb) was restarted, for the 1. time") !=
        std::string::npos);
  CHECK(trouble.kills.size() == 1);

  const auto kept = (*store)->documents(agent::incident::NodeFacts::kDocuments);
  REQUIRE(kept.ok());
  CHECK(kept->size() == 2);
  agent::incident::NodeFacts later;
  later.restore(*kept);
  CHECK(later.trouble(WallTime::from_s(kBroken - 60)).restarts == trouble.restarts);
}

TEST_CASE("What the API says of now is known to a run that does not stay", "[once][k8s]") {
  agent::k8s::test::Pod pod;
  pod.made = -4'000;
  pod.restarts = 3;
  pod.last = agent::k8s::test::terminated("OOMKilled", 137, -60);
  FakeApiServer server([&](const FakeApiServer::Request& request, FakeApiServer::Connection& out) {
    if (!request.is_watch()) {
      return out.answer(200, R"({"kind":"PodList","metadata":{"resourceVersion":"7"},"items":[)" +
                                 pod.json("7") + "]}");
    }
    out.begin();
    out.stay_silent();
  });
  const ManualClock clock(WallTime::from_s(agent::k8s::test::kStart));
  agent::k8s::Settings settings;
  settings.api = server.url();
  settings.node = "n1";
  settings.events = false;
  agent::incident::NodeFacts facts;
  agent::ask_cluster(settings, "n1", clock, nullptr, facts);
  const auto trouble = facts.trouble(WallTime::from_s(agent::k8s::test::kStart - 3'600));
  REQUIRE(trouble.restarts.size() == 1);
  CHECK(trouble.restarts[0].find("it ended with OOMKilled (exit code 137)") != std::string::npos);
}

TEST_CASE("An API that does not answer costs a run so long and no more", "[once][k8s]") {
  FakeApiServer server(
      [](const FakeApiServer::Request&, FakeApiServer::Connection& out) { out.stay_silent(); });
  const ManualClock clock(WallTime::from_s(agent::k8s::test::kStart));
  agent::k8s::Settings settings;
  settings.api = server.url();
  agent::incident::NodeFacts facts;
  const auto began = std::chrono::steady_clock::now();
  agent::ask_cluster(settings, "n1", clock, nullptr, facts, 100);
  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
  CHECK(facts.empty());
  settings.api = "off";
  agent::ask_cluster(settings, "n1", clock, nullptr, facts);
  CHECK(facts.empty());
}
