// What findings mean for the kind of a failure.
#include "nines/incident/failure_facts.hpp"

#include <catch2/catch.hpp>

namespace nines::incident {
namespace {

const std::vector<std::string> kServices = {"pay", "web"};

std::string text_of(TemplateId line) {
  return line == 9 ? "connection refused by <*>" : line == 3 ? "charged <*>" : "";
}

FlowFinding finding(FlowFinding::Kind kind, TemplateId line, TemplateId next = 0) {
  FlowFinding f;
  f.kind = kind;
  f.line = line;
  f.next = next;
  f.score = 90;
  f.hits = 50;
  f.of = 100;
  f.hits_before = 1;
  f.of_before = 1'000;
  return f;
}

FailureClass class_of(const std::vector<FailureFact>& facts) {
  return classify({}, facts).front().failure;
}

}  // namespace

TEST_CASE("An error line of the first suspects is a fact, with its words", "[incident]") {
  const SuspectNames names{kServices, text_of};
  const Suspect pay{0, 90, {finding(FlowFinding::Kind::error, 9)}, {}};
  const auto facts = failure_facts({pay}, names, 2, nullptr);
  REQUIRE(facts.size() == 2);
  CHECK(facts[0].kind == FactKind::error_text);
  CHECK(facts[0].service == "pay");
  CHECK(class_of(facts) == FailureClass::dependency_down);
  CHECK(failure_facts({pay}, names, 0, nullptr).empty());
}

TEST_CASE("A line that follows more often is a fact, one that follows less often is none",
          "[incident]") {
  const SuspectNames names{kServices, text_of};
  FlowFinding fell = finding(FlowFinding::Kind::path, 1, 3);
  fell.hits_before = 1'000;
  const Suspect pay{0, 90, {finding(FlowFinding::Kind::path, 1, 9), fell}, {}};
  const auto facts = failure_facts({pay}, names, 2, nullptr);
  REQUIRE(facts.size() == 1);
  CHECK(facts[0].text == "connection refused by <*>");
}

TEST_CASE("What a service uses more of is known by the name of the number", "[incident]") {
  const SuspectNames names{kServices, text_of};
  Suspect pay{0, 90, {}, {UsageFinding{60, 90, 10, 20}}};
  const auto of = [&](const char* gauge) {
    return failure_facts({pay}, names, 2, [gauge](const std::string&) { return gauge; });
  };
  CHECK(class_of(of("cpu_percent")) == FailureClass::cpu);
  CHECK(of("memory_bytes").at(0).kind == FactKind::memory_up);
  CHECK(of("threads").empty());
}

TEST_CASE("Slower, silent and busier are facts of their own", "[incident]") {
  const SuspectNames names{kServices, text_of};
  FlowFinding slow = finding(FlowFinding::Kind::slow, 1);
  slow.seconds = 2;
  slow.seconds_before = 0.1;
  const Suspect web{1, 90, {slow, finding(FlowFinding::Kind::silent, 1)}, {}};
  const auto facts = failure_facts({web}, names, 2, nullptr);
  REQUIRE(facts.size() == 2);
  CHECK(facts[0].kind == FactKind::slow);
  CHECK(facts[1].kind == FactKind::not_reached);
  CountFinding busy;
  busy.service = "web";
  busy.score = 40;
  CHECK(failure_fact(busy, "")->kind == FactKind::traffic_up);
  busy.score = -40;
  CHECK_FALSE(failure_fact(busy, "").has_value());
}

}  // namespace nines::incident
