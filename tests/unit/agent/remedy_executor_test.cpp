// The executor with real connections and real programs.
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "fake_api_server.hpp"
#include "manual_clock.hpp"
#include "remedy/executor.hpp"
#include "remedy_cluster.hpp"
#include "tail_fixture.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::collector::testing::contents;
using nines::collector::testing::TempDir;
using nines::remedy::Verb;
using nines::test::FakeApiServer;
using nines::test::RemedyCluster;

namespace {

Order order(Verb verb, std::string name, Mode mode = Mode::act) {
  Order out;
  out.action = {verb, {}};
  out.target = {"shop", std::move(name), ""};
  out.key = "k1";
  out.mode = mode;
  return out;
}

Outcome carry_out(const ExecutorSettings& settings, const Order& of) {
  boost::asio::io_context io;
  nines::test::ManualClock clock({1'795'300'000 * kNsPerSecond});
  Executor executor(io, clock, settings);
  std::optional<Outcome> out;
  executor.carry_out(of, [&](Outcome outcome) { out = std::move(outcome); });
  REQUIRE_FALSE(out);  // never before it returns
  io.run();
  REQUIRE(out);
  CHECK(executor.running() == 0);
  return *out;
}

std::string program(const TempDir& dir, const std::string& name, const std::string& text) {
  const std::string path = dir / name;
  std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
  ::chmod(path.c_str(), 0755);
  return path;
}

// Answers as the cluster does, over HTTP.
struct Server {
  RemedyCluster cluster;
  std::vector<std::string> heads;
  FakeApiServer http{[this](const FakeApiServer::Request& request, FakeApiServer::Connection& to) {
    heads.push_back(request.head);
    nines::test::ApiCall call;
    call.method = request.head.substr(0, request.head.find(' '));
    call.path = request.target;
    call.body = request.body;
    if (request.head.find("application/json-patch+json") != std::string::npos) {
      call.type = "application/json-patch+json";
    }
    const auto answer = cluster.handle(call);
    if (answer.status != 0) to.answer(answer.status, answer.text);
  }};
};

}  // namespace

TEST_CASE("an action on Kubernetes goes over the wire with the token and its body", "[remedy]") {
  TempDir dir;
  std::ofstream(dir / "token") << "secret-1\n";
  Server server;
  server.cluster.pod("api-1", "u1");
  ExecutorSettings settings;
  settings.kube = agent::k8s::Access{server.http.url(), dir / "token", ""};
  settings.audit_events = true;
  const Outcome outcome = carry_out(settings, order(Verb::evict_pod, "api-1"));
  INFO(outcome.text);
  CHECK(outcome.became == Became::done);
  CHECK(server.cluster.objects.size() == 1);  // the controller
  REQUIRE(server.heads.size() == 5);          // look, its controller, dry run, deed, Event
  for (const std::string& head : server.heads) {
    CHECK(head.find("Authorization: Bearer secret-1") != std::string::npos);
  }
  REQUIRE(outcome.steps.size() == 4);  // what it did, for people
  CHECK(outcome.steps[2].find("/eviction?fieldManager=nines&dryRun=All: 2") != std::string::npos);
  CHECK(server.heads.back().starts_with("POST /apis/events.k8s.io/v1/namespaces/shop/events"));
}

TEST_CASE("an answer that breaks off after the deed is unknown", "[remedy]") {
  Server server;
  server.cluster.pod("api-1", "u1");
  server.cluster.fault = RemedyCluster::Fault::lost_after;
  server.cluster.fault_at = 3;
  ExecutorSettings settings;
  settings.kube = agent::k8s::Access{server.http.url(), "", ""};
  CHECK(carry_out(settings, order(Verb::delete_pod, "api-1")).became == Became::unknown);
  CHECK(carry_out(settings, order(Verb::delete_pod, "api-1", Mode::recheck)).became ==
        Became::done);
}

TEST_CASE("once all is stopped an act goes no step further, and what only looks does", "[remedy]") {
  TempDir dir;
  const std::string said = dir / "said";
  ExecutorSettings settings;
  settings.local.systemctl = program(dir, "systemctl", "echo \"$1\" >> " + said + "\nexit 0");
  settings.local.units = {"worker.service"};
  settings.stopped = [&] { return std::filesystem::exists(said); };  // after the first step
  const Outcome outcome = carry_out(settings, order(Verb::unit_restart, "worker.service"));
  CHECK(outcome.became == Became::refused);
  CHECK(outcome.text.find("stopped") != std::string::npos);
  CHECK(contents(said) == "is-active\n");
  CHECK(carry_out(settings, order(Verb::unit_restart, "worker.service", Mode::try_out)).became ==
        Became::would);
  CHECK(contents(said) == "is-active\nis-active\n");
}

TEST_CASE("without a cluster, a token or a function nothing is sent", "[remedy]") {
  CHECK(carry_out({}, order(Verb::evict_pod, "api-1")).became == Became::refused);
  CHECK(carry_out({}, order(Verb::lambda, "api-1")).became == Became::refused);
  CHECK(carry_out({}, order(Verb::other, "api-1")).became == Became::refused);
  ExecutorSettings settings;
  settings.kube = agent::k8s::Access{"http://127.0.0.1:1", "/nonexistent/token", ""};
  CHECK(carry_out(settings, order(Verb::evict_pod, "api-1")).became == Became::failed);
}

TEST_CASE("a unit is restarted by execve, and only one that is allowed", "[remedy]") {
  TempDir dir;
  const std::string said = dir / "said";
  ExecutorSettings settings;
  settings.local.systemctl = program(
      dir, "systemctl", "echo \"$@\" >> " + said + "\n[ \"$1\" = is-active ] && exit 3\nexit 0");
  settings.local.units = {"worker.service"};
  const Outcome outcome = carry_out(settings, order(Verb::unit_restart, "worker.service"));
  CHECK(outcome.became == Became::done);
  CHECK(outcome.before == "inactive");
  CHECK(contents(said) ==
        "is-active --quiet --no-ask-password -- worker.service\n"
        "restart --quiet --no-ask-password -- worker.service\n");
  std::filesystem::remove(said);
  CHECK(carry_out(settings, order(Verb::unit_restart, "sshd.service")).became == Became::refused);
  CHECK(carry_out(settings, order(Verb::unit_restart, "worker.service; reboot")).became ==
        Became::refused);
  CHECK_FALSE(std::filesystem::exists(said));
  CHECK(carry_out(settings, order(Verb::unit_stop, "worker.service")).became == Became::idle);
  CHECK(carry_out(settings, order(Verb::unit_start, "worker.service", Mode::recheck)).became ==
        Became::failed);
}

TEST_CASE("a program of the allow-list is told its target and key by its environment", "[remedy]") {
  TempDir dir;
  const std::string said = dir / "said";
  ExecutorSettings settings;
  AllowedProgram allowed;
  allowed.path = program(dir, "heal", "echo \"$1 $NINES_TARGET $NINES_KEY\" > " + said);
  allowed.arguments = {"--gently"};
  allowed.check = {program(dir, "check", "test -e " + said)};
  settings.local.programs["heal"] = allowed;
  Order heal = order(Verb::program, "worker");
  heal.action.parameter = "heal";
  heal.mode = Mode::try_out;
  CHECK(carry_out(settings, heal).became == Became::would);
  heal.mode = Mode::recheck;
  CHECK(carry_out(settings, heal).became == Became::failed);
  heal.mode = Mode::act;
  CHECK(carry_out(settings, heal).became == Became::done);
  CHECK(contents(said) == "--gently worker k1\n");
  heal.mode = Mode::recheck;
  CHECK(carry_out(settings, heal).became == Became::done);
}

TEST_CASE("a program that fails, hangs or may be changed by others is told apart", "[remedy]") {
  TempDir dir;
  ExecutorSettings settings;
  settings.program_ms = 200;
  settings.local.programs["fails"].path = program(dir, "fails", "echo no such worker >&2; exit 4");
  settings.local.programs["hangs"].path = program(dir, "hangs", "sleep 600");
  settings.local.programs["open"].path = program(dir, "open", "true");
  ::chmod((dir / "open").c_str(), 0777);
  Order of = order(Verb::program, "worker");
  of.action.parameter = "fails";
  const Outcome failed = carry_out(settings, of);
  CHECK(failed.became == Became::failed);
  CHECK(failed.text.find("exit code 4: no such worker") != std::string::npos);
  of.action.parameter = "hangs";
  CHECK(carry_out(settings, of).became == Became::unknown);
  of.action.parameter = "open";
  CHECK(carry_out(settings, of).became == Became::failed);
}

TEST_CASE("a program is tried out by its dry run, with what is filled into its arguments",
          "[remedy]") {
  TempDir dir;
  const std::string said = dir / "said";
  ExecutorSettings settings;
  settings.local.node = "pi-1";
  AllowedProgram& heal = settings.local.programs["heal"];
  heal.path = program(dir, "heal", "echo \"$@\" >> " + said + "; [ \"$1\" != --no ]");
  heal.arguments = {"--service={service}", "{node}"};
  heal.dry_run = {heal.path, "--dry-run", "{incident}"};
  Order of = order(Verb::program, "worker", Mode::try_out);
  of.action.parameter = "heal";
  of.incident = "INC-1";
  CHECK(carry_out(settings, of).became == Became::would);
  of.mode = Mode::act;
  CHECK(carry_out(settings, of).became == Became::done);
  CHECK(contents(said) == "--dry-run INC-1\n--service=worker pi-1\n");
  heal.dry_run = {heal.path, "--no"};
  of.mode = Mode::try_out;
  CHECK(carry_out(settings, of).became == Became::failed);
  std::filesystem::remove(said);
  of.target.name = "--exec=sh";
  for (const Mode mode : {Mode::try_out, Mode::act, Mode::recheck}) {
    of.mode = mode;
    CHECK(carry_out(settings, of).became == Became::refused);
  }
  of.target.name = "worker";
  of.incident.clear();
  heal.dry_run = {heal.path, "{incident}"};
  of.mode = Mode::try_out;
  CHECK(carry_out(settings, of).text.find("{incident} is not known") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(said));
}

TEST_CASE("a check that breaks tells nothing", "[remedy]") {
  TempDir dir;
  ExecutorSettings settings;
  Order of = order(Verb::program, "worker", Mode::recheck);
  of.action.parameter = "heal";
  const auto after = [&](const char* text) {
    settings.local.programs["heal"].check = {program(dir, "check", text)};
    return carry_out(settings, of).became;
  };
  CHECK(after("exit 0") == Became::done);
  CHECK(after("exit 1") == Became::failed);
  CHECK(after("exit 2") == Became::unknown);
  CHECK(after("/nonexistent/tool") == Became::unknown);
  CHECK(after("kill -9 $$") == Became::unknown);
}

TEST_CASE("a program that is gone was not begun, and its own time limit holds", "[remedy]") {
  TempDir dir;
  ExecutorSettings settings;
  settings.local.programs["gone"].path = dir / "gone";
  settings.local.programs["hangs"].path = program(dir, "hangs", "sleep 600");
  settings.local.programs["hangs"].timeout_ms = 200;
  Order of = order(Verb::program, "worker");
  of.action.parameter = "gone";
  const Outcome gone = carry_out(settings, of);
  INFO(gone.text);
  CHECK(gone.became == Became::failed);
  of.action.parameter = "hangs";
  CHECK(carry_out(settings, of).became == Became::unknown);
}

TEST_CASE("without its secrets a hook or a function is not asked", "[remedy]") {
  ExecutorSettings settings;
  settings.outside.hooks["h"] = {"http://127.0.0.1:1/", [] {
                                   return Result<Headers>(Error{Errc::not_found, "no token"});
                                 }};
  settings.outside.functions["f"] = {
      "f", "eu-west-1", "http://127.0.0.1:1", [] {
        return Result<AwsIdentity>(Error{Errc::not_found, "no credentials"});
      }};
  Order of = order(Verb::webhook, "worker");
  of.action.parameter = "h";
  CHECK(carry_out(settings, of).text == "webhook h worker: no token");
  CHECK(carry_out(settings, of).became == Became::refused);
  of.action = {Verb::lambda, "f"};
  CHECK(carry_out(settings, of).text == "lambda f worker: no credentials");
  settings.outside.functions["f"].identity = nullptr;
  CHECK(carry_out(settings, of).became == Became::refused);
}

TEST_CASE("however many are tried out, what acts finds room", "[remedy]") {
  TempDir dir;
  ExecutorSettings settings;
  AllowedProgram& slow = settings.local.programs["slow"];
  const std::string over = dir / "over";
  slow.path = program(dir, "slow", "until [ -e " + over + " ]; do sleep 0.1; done");
  slow.dry_run = {slow.path};
  settings.local.programs["quick"].path = program(dir, "quick", "true");
  boost::asio::io_context io;
  nines::test::ManualClock clock({1'795'300'000 * kNsPerSecond});
  Executor executor(io, clock, settings);
  std::vector<Outcome> tried;
  std::optional<Outcome> acted;
  size_t tried_before = SIZE_MAX;
  Order of = order(Verb::program, "worker", Mode::try_out);
  of.action.parameter = "slow";
  for (int i = 0; i < 10; ++i) {
    executor.carry_out(of, [&](Outcome outcome) { tried.push_back(std::move(outcome)); });
  }
  of.action.parameter = "quick";
  of.mode = Mode::act;
  executor.carry_out(of, [&](Outcome outcome) {
    acted = std::move(outcome);
    tried_before = tried.size();
    std::ofstream(over) << "yes";
  });
  io.run();
  REQUIRE(acted);
  CHECK(acted->became == Became::done);
  CHECK(tried_before == 10 - Executor::kMostTryOuts);  // that were refused at once
  CHECK(tried.size() == 10);
  CHECK(executor.running() == 0);
}
