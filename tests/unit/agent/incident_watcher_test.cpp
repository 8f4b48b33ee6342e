// The watcher: what it makes of lines, and what it answers.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "incident/node_facts.hpp"
#include "incident/watcher.hpp"

namespace nines::agent::incident {
namespace {

constexpr int64_t kStart = 1'790'000'000;

class Lines {
 public:
  explicit Lines(core::DetectorSettings rules = {})
      : watcher("n1", {INT64_MIN}, 1024 * 1024, std::move(rules)) {}

  void line(int64_t ms, std::string_view service, const std::string& message, bool error = false) {
    collector::ObservedRecord record;
    record.at = {(kStart * 1000 + ms) * kNsPerMs};
    record.service = service;
    record.pod = std::string(service) == "pay" ? "pay-1" : "";
    record.message = message;
    record.level = error ? Level::error : Level::info;
    record.has_level = true;
    watcher.record(record);
  }
  // A request a second through shop and pay.
  void requests(int64_t from_s, int64_t to_s, bool broken) {
    for (int64_t s = from_s; s < to_s; ++s) {
      const std::string id = " trace_id=abc" + std::to_string(100'000 + s);
      line(s * 1000, "shop", "order comes in" + id);
      line(s * 1000 + 10, "pay", "charging card" + id);
      if (broken) {
        line(s * 1000 + 20, "pay", "card service refused connection" + id, true);
        line(s * 1000 + 30, "shop", "order failed" + id, true);
      } else {
        line(s * 1000 + 20, "pay", "card charged" + id);
        line(s * 1000 + 30, "shop", "order answered" + id);
      }
      if (s % 10 == 0) last = watcher.look(WallTime::from_s(kStart + s), true);
    }
  }
  Answer ask(int64_t onset_s, int64_t now_s) {
    return watcher.ask({WallTime::from_s(kStart + onset_s), WallTime::from_s(kStart + now_s)});
  }

  Watcher watcher;
  Observed last;
};

}  // namespace

TEST_CASE("Of services that fail together the one that is called is suspected first",
          "[incident]") {
  Lines lines;
  lines.requests(0, 1'800, false);
  lines.requests(1'800, 1'960, true);
  const Answer answer = lines.ask(1'800, 1'960);
  REQUIRE(answer.suspects.size() >= 2);
  CHECK(answer.suspects[0].told.service == "pay");
  CHECK(answer.suspects[0].pod == "pay-1");
  const auto& evidence = answer.suspects[0].told.evidence;
  CAPTURE(evidence);
  CHECK(std::any_of(evidence.begin(), evidence.end(), [](const std::string& sentence) {
    return sentence.find("refused") != std::string::npos;
  }));
  CHECK_FALSE(answer.suspects[0].told.wrong_if.empty());
  CHECK(answer.suspects[0].example.service == "pay");
  CHECK(answer.asked == WallTime::from_s(kStart + 1'930));  // two minutes of it, not all
}

TEST_CASE("Who calls whom is told now and then", "[incident]") {
  Lines lines;
  lines.requests(0, 301, false);
  std::vector<core::RequestTrail::Call> calls = lines.last.calls;
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].caller == "shop");
  CHECK(calls[0].callee == "pay");
}

TEST_CASE("Lines that were logged long before they are read teach nothing", "[incident]") {
  Lines lines;
  (void)lines.watcher.look(WallTime::from_s(kStart + 10'000), true);
  lines.requests(0, 100, false);
  CHECK(lines.watcher.look(WallTime::from_s(kStart + 10'010), true).trail_lines == 0);
  CHECK(lines.watcher.look(WallTime::from_s(kStart + 10'020), true).watch.lines == 0);
}

TEST_CASE("A depth above its limit is a condition, other numbers are usage", "[incident]") {
  core::DetectorSettings rules;
  rules.queue.limits.push_back({{}, "depth", 1000});
  Lines lines(rules);
  const auto gauge = [&](int64_t s, std::string_view name, double value) {
    lines.watcher.gauge({WallTime::from_s(kStart + s), 0, name, "mail", {}, value});
  };
  std::vector<core::Condition> conditions;
  for (int64_t s = 0; s <= 120; s += 10) {
    gauge(s, "depth", 5'000);
    gauge(s, "cpu_percent", 3);
    for (auto& one : lines.watcher.look(WallTime::from_s(kStart + s), true).conditions) {
      conditions.push_back(std::move(one));
    }
  }
  REQUIRE(conditions.size() == 1);
  CHECK(conditions[0].kind == core::ConditionKind::queue_depth);
  CHECK(conditions[0].service == "mail");
  CHECK(conditions[0].since == WallTime::from_s(kStart));
}

TEST_CASE("The kernel's messages are conditions where they tell of a kill", "[incident]") {
  Lines lines;
  lines.watcher.kernel_source(4);
  collector::ObservedRecord record;
  record.at = WallTime::from_s(kStart);
  record.source = 4;
  record.message = "Out of memory: Killed process 4711 (java) total-vm:123kB, anon-rss:45kB";
  lines.watcher.record(record);
  const auto conditions = lines.watcher.look(WallTime::from_s(kStart + 10), true).conditions;
  REQUIRE(conditions.size() == 1);
  CHECK(conditions[0].kind == core::ConditionKind::oom_kill);
  CHECK(conditions[0].text.find("java") != std::string::npos);
  CHECK(conditions[0].node == "n1");
}

TEST_CASE("A container that starts again and again is a condition", "[incident]") {
  Lines lines;
  std::vector<core::Condition> conditions;
  for (uint64_t restart = 0; restart < 5; ++restart) {
    const WallTime at = WallTime::from_s(kStart + static_cast<int64_t>(restart) * 60);
    lines.watcher.container({at, "pay", "pay-1", "pay", restart});
    for (auto& one : lines.watcher.look(at, true).conditions) conditions.push_back(std::move(one));
  }
  REQUIRE(conditions.size() == 1);
  CHECK(conditions[0].kind == core::ConditionKind::crash_loop);
  CHECK(conditions[0].service == "pay");
}

TEST_CASE("What was learned is learned again from the store", "[incident]") {
  Lines lines;
  lines.requests(0, 600, false);
  Lines again;
  for (const auto& [part, body] : lines.watcher.save()) {
    REQUIRE(again.watcher.restore(part, body).ok());
    CHECK_FALSE(again.watcher.restore(part, body.substr(0, body.size() / 2)).ok());
  }
  const Observed observed = again.watcher.look(WallTime::from_s(kStart + 610), true);
  CHECK(observed.templates.templates == lines.last.templates.templates);
}

namespace {

FactsQuestion about(int64_t onset_s, int64_t now_s, const Answer& answer) {
  FactsQuestion out;
  out.onset = WallTime::from_s(kStart + onset_s);
  out.now = WallTime::from_s(kStart + now_s);
  for (const Suspicion& one : answer.suspects) {
    out.suspected.push_back({one.told.service, one.told.line});
  }
  return out;
}

}  // namespace

TEST_CASE("A suspect is shown with what it logged last before, and what it logs now",
          "[incident]") {
  Lines lines;
  lines.requests(0, 1'800, false);
  lines.requests(1'800, 1'960, true);
  const Facts facts = lines.watcher.facts(about(1'800, 1'960, lines.ask(1'800, 1'960)));
  REQUIRE(facts.examples.size() >= 2);
  const BeforeAndAfter& pay = facts.examples[0];
  CHECK(pay.service == "pay");
  CHECK(pay.before.text.find("card charged") == 0);
  CHECK(pay.before.at < WallTime::from_s(kStart + 1'800));
  CHECK_FALSE(pay.after.text.empty());
  CHECK(pay.after.at >= WallTime::from_s(kStart + 1'800));
}

TEST_CASE("Requests that fail are counted with who else they pass, and who erred first",
          "[incident]") {
  Lines lines;
  lines.requests(0, 1'800, false);
  lines.requests(1'800, 1'960, true);
  const Facts facts = lines.watcher.facts(about(1'800, 1'960, {}));
  CHECK(facts.passed.requests == 160);
  CHECK(facts.passed.failed == 160);
  REQUIRE(facts.passed.services.size() == 2);
  for (const auto& one : facts.passed.services) {
    CHECK(one.quiet_before);
    CHECK(one.first_error ==
          WallTime{(kStart * 1000 + 1'800'000 + (one.service == "pay" ? 20 : 30)) * kNsPerMs});
  }
}

TEST_CASE("Shares of errors are told around the change of a service, else around the onset",
          "[incident]") {
  Lines lines;
  lines.requests(0, 1'800, false);
  lines.requests(1'800, 1'960, true);
  FactsQuestion question = about(1'800, 1'960, {});
  question.changed = {{"pay", WallTime::from_s(kStart + 1'700)}};
  const Facts facts = lines.watcher.facts(question);
  REQUIRE(facts.shares.size() == 2);
  const core::ShareChange &pay = facts.shares[0], &shop = facts.shares[1];
  REQUIRE(pay.service == "pay");
  CHECK(pay.errors_before == 0);
  CHECK(pay.of_before >= 3'000);
  CHECK(shop.errors_after >= 140);
  CHECK(shop.of_after <= 2 * 160);
  CHECK(pay.of_after > shop.of_after);  // from the change on
}

TEST_CASE("Users who met bad events are counted of the SLOs asked for", "[incident]") {
  Lines lines;
  const auto bad = [&](int64_t s, uint32_t slo, std::string_view user) {
    lines.watcher.bad({WallTime::from_s(kStart + s), slo, user});
  };
  bad(10, 0, "ann");
  bad(20, 0, "bob");
  bad(25, 1, "eve");
  bad(30, 0, "ann");
  FactsQuestion question = about(15, 60, {});
  CHECK_FALSE(lines.watcher.facts(question).users_told);  // of no SLO
  question.slos = {0};
  CHECK(lines.watcher.facts(question).users.users == 2);
  question.slos = {0, 1};
  CHECK(lines.watcher.facts(question).users.users == 3);
  CHECK_FALSE(lines.watcher.facts(question).users_missing);
  bad(40, 1, "");
  CHECK(lines.watcher.facts(question).users_missing);
}

TEST_CASE("Restarts and kills that logs tell of are what happened, the newest first",
          "[incident]") {
  Lines lines;
  lines.watcher.kernel_source(4);
  const auto container = [&](int64_t s, uint64_t restart) {
    lines.watcher.container(
        {WallTime::from_s(kStart + s), "pay", "pay-1", "main", restart, "shop", "u-1"});
  };
  container(0, 0);  // no restart
  container(10, 1);
  container(20, 2);
  container(20, 2);
  collector::ObservedRecord record;
  record.at = WallTime::from_s(kStart + 30);
  record.source = 4;
  record.message = "Out of memory: Killed process 4711 (java) total-vm:123kB, anon-rss:45kB";
  lines.watcher.record(record);
  NodeFacts facts;
  const WallTime now = WallTime::from_s(kStart + 60);
  facts.observed(lines.watcher.look(now, true), now);
  const NodeFacts::Trouble trouble = facts.trouble(WallTime::from_s(kStart));
  REQUIRE(trouble.restarts.size() == 2);
  CHECK(trouble.restarts[0].find("pay (pod pay-1) was restarted, for the 2. time") !=
        std::string::npos);
  REQUIRE(trouble.kills.size() == 1);
  CHECK(trouble.kills[0].find("the kernel killed java for want of memory") != std::string::npos);
  CHECK(facts.trouble(now).kills.empty());
}

TEST_CASE("What there is no room for is counted, by what it is", "[incident]") {
  Lines lines;
  lines.watcher.kernel_source(4);
  const auto dropped = [&](std::string_view what) {
    for (const auto& [name, times] :
         lines.watcher.look(WallTime::from_s(kStart + 1), true).dropped) {
      if (name == what) return times;
    }
    FAIL("nothing is counted as " << what);
    return uint64_t{0};
  };
  for (const char* what :
       {"happening", "service", "pod_line", "usage", "file", "example", "user"}) {
    CHECK(dropped(what) == 0);
  }
  collector::ObservedRecord record;
  record.at = WallTime::from_s(kStart);
  record.source = 4;
  record.message = "Out of memory: Killed process 4711 (java) total-vm:123kB, anon-rss:45kB";
  for (int i = 0; i < 100; ++i) lines.watcher.record(record);
  CHECK(dropped("happening") == 100 - 64);
  for (uint32_t slo = 0; slo < 20; ++slo) lines.watcher.bad({record.at, slo, "ann"});
  CHECK(dropped("user") == 20 - UserKeeper::kMaxSlos);
  record.source = 1;
  record.level = Level::error;
  record.has_level = true;
  record.service = "pay";
  std::string number, path, message, service;  // what the record looks at
  for (int i = 0; i < 600; ++i) {
    number = std::to_string(i);
    path = "/logs/" + number;
    message = "line of its own " + std::string(1 + i % 26, static_cast<char>('a' + i % 26)) + " x" +
              number;
    record.message = message;
    record.path = path;
    record.pod = number;
    record.at = {record.at.ns + 2 * kNsPerSecond};
    lines.watcher.record(record);
  }
  CHECK(dropped("file") > 0);
  CHECK(dropped("pod_line") > 0);
  for (int i = 0; i < 300; ++i) {
    service = "service-" + std::to_string(i);
    record.service = service;
    lines.watcher.record(record);
    lines.watcher.gauge({record.at, 1, "cpu_percent", service, {}, 3});
  }
  CHECK(dropped("service") > 0);
  CHECK(dropped("usage") == 300 - 128);
}

TEST_CASE("An access log takes part in requests by its answers, and is known to call",
          "[incident]") {
  Lines lines;
  const auto answer = [&](int64_t s, int64_t status) {
    collector::ObservedRecord record;
    record.at = {((kStart + s) * 1000 + 40) * kNsPerMs};
    record.service = "door";
    const std::string id = "abc" + std::to_string(100'000 + s);
    record.request = id;
    record.status = status;
    lines.watcher.record(record);
  };
  for (int64_t s = 0; s <= 300; ++s) {
    lines.requests(s, s + 1, false);
    answer(s, 200);
  }
  bool called = false;
  for (const auto& call : lines.watcher.look(WallTime::from_s(kStart + 600), true).calls) {
    called = called || (call.caller == "door" && call.callee == "shop");
  }
  CHECK(called);
  for (int64_t s = 301; s <= 460; ++s) {
    lines.requests(s, s + 1, s > 400);
    answer(s, s > 400 ? 502 : 200);
  }
  const Answer told = lines.ask(400, 460);
  const auto door =
      std::find_if(told.suspects.begin(), told.suspects.end(),
                   [](const Suspicion& suspicion) { return suspicion.told.service == "door"; });
  REQUIRE(door != told.suspects.end());
  CHECK(door->told.evidence.at(0).find("answers 5xx") != std::string::npos);
  CHECK(told.suspects[0].told.service == "pay");
}

TEST_CASE("A database that logs no requests is suspected by what it logs more often",
          "[incident]") {
  Lines lines;
  for (int64_t s = 0; s < 7'200; ++s) {
    lines.requests(s, s + 1, false);
    if (s % 240 == 0) lines.line(s * 1000, "db", "duration: 300 ms statement: SELECT 1");
  }
  for (int64_t s = 7'200; s < 7'330; ++s) {
    lines.requests(s, s + 1, false);
    lines.line(s * 1000, "db", "duration: 3000 ms statement: SELECT 1");
  }
  const Answer told = lines.ask(7'200, 7'330);
  REQUIRE_FALSE(told.suspects.empty());
  CHECK(told.suspects[0].told.service == "db");
  CHECK(told.suspects[0].told.evidence.at(0).find("usually") != std::string::npos);
  CHECK_FALSE(told.suspects[0].told.wrong_if.empty());
}

TEST_CASE("A node that starts in the midst of trouble still finds who breaks then", "[incident]") {
  Lines lines;
  lines.watcher.hold(true);
  for (int64_t s = 0; s < 2'400; ++s) {
    lines.requests(s, s + 1, false);
    if (s % 240 == 0) lines.line(s * 1000, "db", "duration: 300 ms statement: SELECT 1");
  }
  for (int64_t s = 2'400; s < 2'530; ++s) {
    lines.requests(s, s + 1, s >= 2'460);
    lines.line(s * 1000, "db", "duration: 3000 ms statement: SELECT 1");
  }
  const auto at = [](int64_t s) { return WallTime::from_s(kStart + s); };
  const Answer told = lines.watcher.ask({at(2'400), at(2'530), 0, {{at(-3'600), at(2'530)}}});
  std::set<std::string> suspects;
  for (const Suspicion& one : told.suspects) suspects.insert(one.told.service);
  CHECK(suspects.contains("pay"));
  CHECK(suspects.contains("db"));  // by how often it logs that, which was learned all the same
}

TEST_CASE("Who names a service as an address is known to depend on it", "[incident]") {
  Lines lines;
  lines.line(0, "db", "ready");
  lines.line(10, "api", "connected to postgres://shop@db:5432/shop");
  const auto calls = lines.watcher.look(WallTime::from_s(kStart + 301), true).calls;
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].caller == "api");
  CHECK(calls[0].callee == "db");
}

TEST_CASE("How long a service was silent in an incident is not taken for what is usual",
          "[incident]") {
  Lines lines;
  int64_t s = 0;
  const auto live = [&](int64_t until, bool heard, std::vector<core::Condition>& told) {
    for (; s < until; s += 10) {
      if (heard) lines.line(s * 1000, "mail", "mail is out");
      lines.line(s * 1000 + 1, "shop", "order comes in");
      for (auto& one : lines.watcher.look(WallTime::from_s(kStart + s), true).conditions) {
        if (one.service == "mail") told.push_back(std::move(one));
      }
    }
  };
  std::vector<core::Condition> told;
  live(3 * 86'400, true, told);
  CHECK(told.empty());
  live(3 * 86'400 + 1'800, false, told);
  live(3 * 86'400 + 3'600, true, told);
  REQUIRE(told.size() == 2);
  CHECK(told[0].holds);
  CHECK_FALSE(told[1].holds);
  live(3 * 86'400 + 5'400, false, told);  // as soon as before
  REQUIRE(told.size() == 3);
  CHECK(told[2].at.ns - told[2].since.ns == told[0].at.ns - told[0].since.ns);
}

TEST_CASE("The kernel is heard through syslog, too, and not when a container takes its name",
          "[incident]") {
  Lines lines;
  lines.line(0, "pay", "ready");
  const std::string killed = "Memory cgroup out of memory: Killed process 4711 (pay) total-vm:1kB";
  collector::ObservedRecord record;
  record.at = WallTime::from_s(kStart + 1);
  record.service = "kernel";
  record.message = killed;
  record.pod = "kernel-1";
  lines.watcher.record(record);
  CHECK(lines.watcher.look(WallTime::from_s(kStart + 10), true).conditions.empty());
  record.pod = "";
  lines.watcher.record(record);
  const auto told = lines.watcher.look(WallTime::from_s(kStart + 20), true).conditions;
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind == core::ConditionKind::oom_kill);
  CHECK(told[0].service == "pay");  // whose process it was
}

}  // namespace nines::agent::incident
