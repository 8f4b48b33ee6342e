#include <catch2/catch.hpp>

#include "config/oncall.hpp"
#include "config_support.hpp"

using namespace nines;
using namespace nines::agent;
using nines::agent::test::all_text;
using nines::agent::test::ConfigFolder;

namespace {

constexpr const char* kExample = NINES_SOURCE_DIR "/packaging/examples/oncall.yaml";

int64_t civil(int64_t y, int m, int d, int hour = 0) {
  return days_from_civil(y, m, d) * 86400 + hour * 3600;
}

// What is told of a document; "file" stands for its path.
std::string told(const ConfigFolder& folder, std::string_view document) {
  const std::string path = folder.write("oncall.yaml", document);
  std::vector<Diagnostic> diagnostics;
  const auto plan = config::load_oncall(path, diagnostics);
  CHECK(plan.has_value() == diagnostics.empty());
  std::string out = all_text(diagnostics);
  for (size_t at = out.find(path); at != std::string::npos; at = out.find(path)) {
    out.replace(at, path.size(), "file");
  }
  return out;
}

const std::string kPeople = "people: [{id: anna}, {id: ben}]\n";
const std::string kPolicies = "policies: [{name: all, levels: [{people: [anna]}]}]\n";

std::string with_layer(const std::string& layer) {
  return kPeople + "schedules:\n  - name: primary\n    layers:\n      - " + layer + "\n" +
         kPolicies;
}

}  // namespace

TEST_CASE("The example of an on-call document is right and means what it says", "[oncall]") {
  std::vector<Diagnostic> diagnostics;
  const auto plan = config::load_oncall(kExample, diagnostics);
  INFO(all_text(diagnostics));
  REQUIRE(plan);
  const oncall::Schedule& primary = *plan->schedule_named("primary");
  const auto who = [&](int64_t at) { return plan->roster->people[primary.at(at).person].id; };
  CHECK(who(civil(2026, 1, 6, 12)) == "anna");
  CHECK(who(civil(2026, 1, 6, 22)) == "carla");  // 23:00 on a Tuesday
  CHECK(who(civil(2026, 1, 9, 22)) == "anna");   // on a Friday
  CHECK(who(civil(2026, 1, 13, 12)) == "ben");
  CHECK(who(civil(2026, 2, 2, 12)) == "carla");  // overridden
  CHECK(who(civil(2026, 7, 8, 12)) == "ben");    // anna is away
  CHECK(who(civil(2026, 3, 30, 6)) == "ben");    // 08:00 in summer time, still his turn
  CHECK(who(civil(2026, 3, 30, 7)) == "anna");
  const oncall::Person& anna = plan->roster->people[0];
  CHECK((anna.name == "Anna Arendt" && anna.knows("checkout") && anna.is_quiet(civil(2026, 1, 5))));
  CHECK(plan->policies[0].ack_s == std::array<int64_t, 4>{300, 900, 3600, 0});
  CHECK(oncall::next_digest(plan->policies[0], civil(2026, 12, 24, 12)) == civil(2026, 12, 28, 8));
}

TEST_CASE("What is wrong in an on-call document is told with its place and a way out", "[oncall]") {
  const ConfigFolder folder;
  CHECK(
      told(folder,
           with_layer("{rotation: sometimes, start: \"2026-01-05 09:00\", people: [anna]}")) ==
      "file:5:20: error: 'rotation' of layer '1' of schedule 'primary' must be how long a turn is, "
      "found 'sometimes'\n  hint: daily, weekly, or like 12h, 2d, 3w\n");
  CHECK(
      told(folder, with_layer("{rotation: weekly, start: \"2026-01-05 09:00\", people: [ana]}")) ==
      "file:5:64: error: 'people' of layer '1' of schedule 'primary' names 'ana', who is not among "
      "the people\n  hint: did you mean 'anna'?\n");
  CHECK(
      told(folder, with_layer("{rotation: weekly, start: tomorrow, people: [anna]}"))
          .find("file:5:35: error: 'start' of layer '1' of schedule 'primary' must be a local date "
                "and time, found 'tomorrow'") == 0);
  CHECK(told(folder,
             with_layer("{rotation: weekly, start: \"2026-01-05\", people: [anna], onyl: []}"))
            .find("'onyl'") != std::string::npos);
  CHECK(told(folder, with_layer("{rotation: weekly, start: \"2026-01-05\", people: [anna], only: "
                                "[{from: \"09:00\", to: \"17:00\", days: [mon, tues]}]}"))
            .find("has 'tues', which is no day of the week\n  hint: did you mean 'tue'?") !=
        std::string::npos);
  CHECK(told(folder, "people: [{id: anna, time_zone: Europe/Berln}]\nschedules: []\npolicies: []\n")
            .find("file:1:32: error: 'time_zone' of 'anna'") == 0);
  CHECK(told(folder, "people: [{id: anna}, {id: anna}]\nschedules: []\npolicies: []\n") ==
        "file:1:27: error: there are two people called 'anna'\n  hint: ids must differ\n");
  CHECK(
      told(folder, kPeople + "schedules: []\npolicies: [{name: all, levels: [{schedule: main}]}]\n")
          .find("file:3:44: error: 'schedule' of a level of policy 'all' names 'main', and "
                "there is no such schedule") == 0);
  CHECK(told(folder, kPeople + "schedules: []\n" + kPolicies + "weights: {fatigue: -1}\n")
            .find("file:4:20: error: 'fatigue' of the weights must be within 0..1000") == 0);
  CHECK(told(folder, kPeople +
                         "schedules:\n  - name: p\n    layers: []\n    overrides:\n      - "
                         "{from: \"2026-01-02\", to: \"2026-01-01\", person: anna}\n" +
                         kPolicies)
            .find("file:6:34: error: 'to' of an override of schedule 'p' must lie behind 'from'") ==
        0);
  CHECK(told(folder, "people: []\n").find("schedules") != std::string::npos);
}

TEST_CASE("A calendar is read beside the document, its errors at its own lines", "[oncall]") {
  const ConfigFolder folder;
  const std::string begin =
      "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:Anna (on call)\n"
      "DTSTART;TZID=Europe/Berlin:20260105T090000\nDURATION:P1W\n";
  folder.write("team.ics", begin + "RRULE:FREQ=WEEKLY;INTERVAL=2\nEND:VEVENT\nEND:VCALENDAR\n");
  const std::string document = with_layer("{calendar: team.ics}");
  CHECK(told(folder, document) ==
        "file:5:20: error: 'calendar' of layer '1' of schedule 'primary': line 2: nobody is called "
        "'Anna (on call)'\n  hint: say who it is: names: {\"Anna (on call)\": PERSON}\n");
  const std::string named = with_layer("{calendar: team.ics, names: {\"Anna (on call)\": anna}}");
  std::vector<Diagnostic> diagnostics;
  const auto plan = config::load_oncall(folder.write("oncall.yaml", named), diagnostics);
  INFO(all_text(diagnostics));
  REQUIRE(plan);
  CHECK(plan->schedules[0].at(civil(2026, 3, 16, 8)).person == 0);
  CHECK(plan->schedules[0].at(civil(2026, 3, 23, 8)).person == oncall::kNobody);
  folder.write("team.ics", begin + "RRULE:FREQ=MINUTELY\nEND:VEVENT\nEND:VCALENDAR\n");
  CHECK(
      told(folder, named).find("team.ics:7:7: error: RRULE 'FREQ=MINUTELY': FREQ must be DAILY") !=
      std::string::npos);
}
