#include "nines/incident/failure_class.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::incident;

namespace {

Condition condition(ConditionKind kind, std::string service, std::string text = "it holds") {
  Condition out;
  out.kind = kind;
  out.service = std::move(service);
  out.text = std::move(text);
  return out;
}

FailureClass first(const std::vector<Condition>& conditions,
                   const std::vector<FailureFact>& facts) {
  return classify(conditions, facts).at(0).failure;
}

}  // namespace

// The failure injections of the sources, each with what is seen of it.
TEST_CASE("A killed service is a crash") {
  CHECK(first({condition(ConditionKind::service_silent, "audit-log-analysis")}, {}) ==
        FailureClass::crash);
  CHECK(first({condition(ConditionKind::crash_loop, "audit-log-analysis")},
              {{FactKind::restarted, "audit-log-analysis", 30, "exit code 137"}}) ==
        FailureClass::crash);
}

TEST_CASE(
    "A broker that is gone is a dependency that is down, whether its own silence is seen or not") {
  const std::vector<FailureFact> facts = {
      {FactKind::error_text, "audit-log-analysis", 200, "AMQP: Connection refused (rabbitmq:<*>)"},
      {FactKind::errors_up, "audit-event-generator", 100, ""},
      {FactKind::not_reached, "rabbitmq", 50, ""}};
  const std::vector<Condition> storm = {
      condition(ConditionKind::error_storm, "audit-log-analysis")};
  CHECK(first(storm, facts) == FailureClass::dependency_down);
  std::vector<Condition> both = storm;
  both.push_back(condition(ConditionKind::service_silent, "rabbitmq"));
  CHECK(first(both, facts) == FailureClass::dependency_down);
  CHECK(classify(both, facts).at(1).failure == FailureClass::crash);
}

TEST_CASE("Malformed events are malformed input, though the one who sends them was changed") {
  CHECK(first({condition(ConditionKind::error_storm, "audit-log-analysis")},
              {{FactKind::error_text, "audit-log-analysis", 90,
                "Failed to parse event: json.decoder.JSONDecodeError: Expecting value"},
               {FactKind::change, "audit-event-generator", 30, "deploy v2"}}) ==
        FailureClass::malformed_input);
}

TEST_CASE("A disk that fills is a disk, by its use or by what is said about it") {
  CHECK(first({condition(ConditionKind::disk_full, "")},
              {{FactKind::errors_up, "postgres", 50, ""}}) == FailureClass::disk);
  CHECK(first({condition(ConditionKind::error_storm, "postgres")},
              {{FactKind::error_text, "postgres", 50,
                "could not extend file: No space left on device"}}) == FailureClass::disk);
}

TEST_CASE("A slow database is a slow dependency") {
  CHECK(first({condition(ConditionKind::burn_rate, "api")},
              {{FactKind::slow, "postgres", 60, ""},
               {FactKind::error_text, "api", 40, "query timed out after <*> ms"}}) ==
        FailureClass::slow_dependency);
}

TEST_CASE("A deploy whose service then fails is a bad deploy") {
  CHECK(first({condition(ConditionKind::burn_rate, "api")},
              {{FactKind::change, "api", 30, "v1.4.2"},
               {FactKind::error_text, "api", 80, "NullPointerException at <*>"},
               {FactKind::change_impact, "api", 300, "+8.1 points"}}) == FailureClass::bad_deploy);
  // A change elsewhere, with nothing that ties it to the trouble, is not.
  CHECK(first({condition(ConditionKind::service_silent, "db")},
              {{FactKind::change, "frontend", 30, "v9"}}) == FailureClass::crash);
}

TEST_CASE("A lost node is power or hardware") {
  CHECK(first({condition(ConditionKind::node_silent, "")},
              {{FactKind::not_reached, "api", 50, ""}}) == FailureClass::power);
  CHECK(first({condition(ConditionKind::under_voltage, "")}, {}) == FailureClass::power);
}

TEST_CASE("Memory, a saturated processor and overload are told apart") {
  CHECK(first({condition(ConditionKind::oom_kill, "orders"),
               condition(ConditionKind::crash_loop, "orders")},
              {{FactKind::memory_up, "orders", 40, ""}}) == FailureClass::memory);
  CHECK(first({condition(ConditionKind::burn_rate, "api")},
              {{FactKind::cpu_up, "api", 90, "95 % of a core"}}) == FailureClass::cpu);
  CHECK(first({condition(ConditionKind::queue_depth, "orders")},
              {{FactKind::traffic_up, "orders", 90, ""}, {FactKind::cpu_up, "orders", 15, ""}}) ==
        FailureClass::overload);
}

TEST_CASE("What nothing speaks for is unknown, and weak facts are nothing") {
  CHECK(first({condition(ConditionKind::burn_rate, "api")}, {}) == FailureClass::unknown);
  CHECK(first({}, {{FactKind::cpu_up, "api", 3, ""}}) == FailureClass::unknown);
}

TEST_CASE("A class names the facts that led to it, each kind once, the weightiest first") {
  const auto found = classify(
      std::vector<Condition>{condition(ConditionKind::service_silent, "rabbitmq", "no line")},
      std::vector<FailureFact>{{FactKind::error_text, "a", 30, "connection refused"},
                               {FactKind::error_text, "b", 30, "connection refused by broker"},
                               {FactKind::not_reached, "rabbitmq", 30, ""}});
  REQUIRE(found.at(0).failure == FailureClass::dependency_down);
  CHECK(found[0].weight == 6);
  CHECK(found[0].why == std::vector<std::string>{"a: error lines: connection refused",
                                                 "rabbitmq: not reached any more"});
  CHECK(failure_class_name(found[0].failure) == "dependency_down");
}
