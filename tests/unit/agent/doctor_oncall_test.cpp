// What the doctor finds about on-call: gaps of the next week, people whom nothing reaches, a
// document that is wrong.
#include <catch2/catch.hpp>

#include "cli/doctor.hpp"
#include "config_support.hpp"

using namespace nines;
using namespace nines::agent;

namespace {

const WallTime kNow = WallTime::from_s(1'772'452'800);  // 2026-03-02 12:00 UTC, a Monday

std::vector<Check> found(const std::string& document, const std::string& notify = "conditions") {
  agent::test::ConfigFolder folder;
  Loaded loaded;
  loaded.node.oncall.file = folder.write("oncall.yaml", document);
  loaded.node.incidents.notify = notify;
  std::vector<Check> out;
  check_oncall(loaded, kNow, out);
  return out;
}

std::string document(const std::string& layer, const std::string& more = {}) {
  return "people: [{id: anna, notify: [phone]}, {id: ben" + more +
         "}]\nschedules:\n  - name: primary\n    layers: [{rotation: weekly, start: \"2026-03-02 "
         "09:00\", people: [anna]" +
         layer + "}]\npolicies: [{name: all, levels: [{schedule: primary}]}]\n";
}

}  // namespace

TEST_CASE("The doctor finds nothing where somebody is always on call and can be told",
          "[oncall][doctor]") {
  const auto checks = found(document("", ", notify: [phone]"));
  REQUIRE(checks.size() == 1);
  CHECK(checks[0].verdict == Verdict::ok);
  CHECK(checks[0].found == "2 people, 1 schedule(s), no gap in 7 days");
}

TEST_CASE("The doctor finds gaps of the next seven days and people whom nothing reaches",
          "[oncall][doctor]") {
  const auto checks = found(document(", only: [{from: \"00:00\", to: \"22:00\", days: [mon]}]"));
  REQUIRE(checks.size() == 2);
  CHECK(checks[0].verdict == Verdict::warning);
  CHECK(checks[0].found.find("primary from 2026-03-02T22:00:00Z to 2026-03-09T00:00:00Z") !=
        std::string::npos);
  CHECK(checks[1].found == "cannot be told: ben");
}

TEST_CASE("The doctor says where an on-call document is wrong, or does nothing",
          "[oncall][doctor]") {
  const auto wrong = found(document(", only: 7"));
  REQUIRE(wrong.size() == 1);
  CHECK(wrong[0].verdict == Verdict::problem);
  const auto idle = found(document("", ", notify: [phone]"), "none");
  REQUIRE(idle.size() == 1);
  CHECK(idle[0].verdict == Verdict::warning);
  std::vector<Check> none;
  check_oncall(Loaded{}, kNow, none);
  CHECK(none.empty());
}
