// Entries of the change log: what may stand in them, and what a changed configuration says.
#include "nines/slo/changes.hpp"

#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

const WallTime kNow = WallTime::from_s(kT0);

Change deploy() {
  Change change;
  change.kind = ChangeKind::deploy;
  change.at = kNow;
  change.service = "shop";
  return change;
}

std::string why_not(const Change& change) {
  const Status status = check_change(change, kNow);
  return status.ok() ? "ok" : status.error().message;
}

Change action(const char* text, int64_t s, const char* minutes = nullptr) {
  Change change;
  change.kind = ChangeKind::manual_action;
  change.at = WallTime::from_s(kT0 + s);
  change.service = "shop";
  change.text = text;
  if (minutes != nullptr) change.details = {{"minutes", minutes}};
  return change;
}

}  // namespace

TEST_CASE("Kinds of changes have names, and people may write four of them", "[slo]") {
  int written = 0;
  for (int i = 0; i <= static_cast<int>(ChangeKind::release_watch); ++i) {
    const auto kind = static_cast<ChangeKind>(i);
    CHECK(change_kind_of(change_kind_name(kind)) == kind);
    written += is_annotation(kind);
  }
  CHECK(written == 4);
  CHECK_FALSE(change_kind_of("deployment"));
}

TEST_CASE("What cannot be kept of a change is refused with its reason", "[slo]") {
  CHECK(why_not(deploy()) == "ok");
  Change c = deploy();
  c.text = std::string(1001, 'x');
  CHECK(why_not(c) == "text has 1001 bytes; at most 1000 are kept");
  c = deploy();
  c.who = "a\x1b[31mb";
  CHECK(why_not(c) == "who has control characters or line breaks");
  c = deploy();
  c.service.clear();
  CHECK(why_not(c) == "a deploy names its service");
  c = deploy();
  c.at = WallTime::from_s(kT0 + 61);
  CHECK_THAT(why_not(c), Catch::Contains("lies in the future"));
  c.at = WallTime::from_s(kT0 - 93 * 86400);
  CHECK_THAT(why_not(c), Catch::Contains("more than 92d ago"));
  c = deploy();
  c.from = kNow;
  CHECK(why_not(c) == "from and to are given together or not at all");
  c.to = kNow;
  CHECK(why_not(c) == "to does not lie behind from");
  c.to = WallTime::from_s(kT0 + 400 * 86400);
  CHECK(why_not(c) == "from and to must lie within a year of now");
  c = deploy();
  c.details.assign(33, {"k", "v"});
  CHECK(why_not(c) == "there are 33 details; at most 32 are kept");
  c.details = {{"", "v"}};
  CHECK(why_not(c) == "a detail has no key");
  c.details = {{"k", std::string(513, 'v')}};
  CHECK_THAT(why_not(c), Catch::StartsWith("detail k has 513 bytes"));
}

TEST_CASE("A changed target, SLI and policy are told with old and new values", "[slo]") {
  SloSpec spec = spec_of("web");
  const Details before = decode_details(encode_details(describe_spec(spec)));
  CHECK(before == describe_spec(spec));
  CHECK(changes_between(spec, before, kNow).empty());
  spec.target = dec("0.995");
  spec.indicator.total.where = "status < 600";
  spec.gate.hold_down_s = 600;
  spec.gate.steps = {{"slow", dec("0.5"), {"wait"}, "ticket"}};
  const auto changes = changes_between(spec, before, kNow);
  REQUIRE(changes.size() == 3);
  CHECK(changes[0].kind == ChangeKind::target_change);
  CHECK(changes[0].text == "target 0.999 -> 0.995");
  CHECK(changes[0].slo == "web");
  CHECK(changes[0].service == "shop");
  CHECK(changes[1].kind == ChangeKind::sli_change);
  CHECK(changes[2].kind == ChangeKind::policy_change);
  CHECK(*changes[2].detail("gate.holdDown") == "0s -> 10m");
  CHECK(*changes[2].detail("step.slow") == "none -> below 0.5, ticket, wait");
  const auto back = changes_between(spec_of("web"), describe_spec(spec), kNow);
  REQUIRE(back.size() == 3);
  CHECK(*back[2].detail("step.slow") == "below 0.5, ticket, wait -> none");
  for (const Change& change : changes) CHECK(check_change(change, kNow).ok());
}

TEST_CASE("An early warning is described by its share, its window and how long", "[slo]") {
  SloSpec spec = spec_of("web");
  const Details before = describe_spec(spec);
  spec.alerts.rules.push_back(
      {"early", "warning", 300, 300, dec("0.995"), RuleKind::threshold, 600});
  spec.alerts.high_value = true;
  const auto changes = changes_between(spec, before, kNow);
  REQUIRE(changes.size() == 1);
  CHECK(*changes[0].detail("alert.early") == "none -> warning below 0.995 over 5m for 10m");
  CHECK_THAT(*changes[0].detail("lowTraffic"), Catch::EndsWith(" high value"));
}

TEST_CASE("An exclusion that was configured or taken away is an entry of its own kind", "[slo]") {
  SloSpec spec = spec_of("web");
  const Details before = describe_spec(spec);
  ExclusionSpec one;
  one.name = "db-migration";
  one.reason = "planned";
  one.text = "2026-03-01T22:00:00Z/2026-03-01T23:30:00Z";
  spec.exclusions.push_back(one);
  const auto changes = changes_between(spec, before, kNow);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].kind == ChangeKind::exclusion);
  CHECK(changes[0].text ==
        "exclusion.db-migration none -> drop 2026-03-01T22:00:00Z/2026-03-01T23:30:00Z, planned");
  CHECK(changes_between(spec_of("web"), describe_spec(spec), kNow).at(0).kind ==
        ChangeKind::exclusion);
}

TEST_CASE("A description that cannot be read tells of no change", "[slo]") {
  CHECK(changes_between(spec_of("web"), decode_details("garbage"), kNow).empty());
}

TEST_CASE("A window of the calendar is told with its unit, zone and beginning", "[slo]") {
  SloSpec spec = spec_of("web");
  const Details before = describe_spec(spec);
  spec.calendar =
      std::make_shared<const Calendar>(TimeZone(), Calendar::Unit::month, 3, int64_t{kT0});
  const auto changes = changes_between(spec, before, kNow);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].kind == ChangeKind::target_change);
  CHECK(*changes[0].detail("window") == "30d -> 3 month of UTC from 1767225600");
}

TEST_CASE("An alert on the budget is told by its share and how long it must last", "[slo]") {
  SloSpec spec = spec_of("web");
  const Details before = describe_spec(spec);
  spec.alerts.rules.push_back(
      {"half_used", "warning", spec.window_s, spec.window_s, dec("0.5"), RuleKind::budget, 300});
  const auto changes = changes_between(spec, before, kNow);
  REQUIRE(changes.size() == 1);
  CHECK(*changes[0].detail("alert.half_used") == "none -> warning above 0.5 of the budget for 5m");
}

TEST_CASE("However much of a policy changes, its entry is one that can be kept", "[slo]") {
  SloSpec spec = spec_of("web");
  const Details before = describe_spec(spec);
  for (const char* name : {"wait", "stop", "ask"}) {
    spec.gate.steps.push_back({name, dec("0.5"), {std::string(2000, 'x')}, ""});
  }
  const auto changes = changes_between(spec, before, kNow);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].text == "3 settings changed");
  CHECK_THAT(*changes[0].detail("step.ask"), Catch::EndsWith("xxx..."));
  CHECK(check_change(changes[0], kNow).ok());
}

TEST_CASE("Every part of a policy that decides is described", "[slo]") {
  const SloSpec usual = spec_of("web");
  const auto changed = [&](auto&& edit) {
    SloSpec spec = usual;
    edit(spec);
    return changes_between(spec, describe_spec(usual), kNow).size();
  };
  CHECK(changed([](SloSpec& s) { s.window_s = 7 * 86400; }) == 1);
  CHECK(changed([](SloSpec& s) { s.alerts.min_bad = 3; }) == 1);
  CHECK(changed([](SloSpec& s) { s.alerts.rules[0].factor = dec("10"); }) == 1);
  CHECK(changed([](SloSpec& s) { s.alerts.rules.pop_back(); }) == 1);
  CHECK(changed([](SloSpec& s) { s.alerts.cooldown_s = 1; }) == 1);
  CHECK(changed([](SloSpec& s) { s.data.min_coverage = dec("0.5"); }) == 1);
  CHECK(changed([](SloSpec& s) { s.gate.require_spent = dec("0.01"); }) == 1);
  CHECK(changed([](SloSpec& s) { s.gate.reduce_below = dec("0.4"); }) == 1);
  CHECK(changed([](SloSpec& s) { s.gate.composite.parts = {50, 25, 25}; }) == 1);
  CHECK(changed([](SloSpec& s) { s.gate.freeze_above = dec("3"); }) == 1);
  CHECK(changed([](SloSpec& s) { s.gate.on_no_data = OnNoData::hold; }) == 1);
  CHECK(changed([](SloSpec& s) { s.gate.override_ttl_s = 60; }) == 1);
  CHECK(changed([](SloSpec& s) { s.tier = 1; }) == 1);
  CHECK(changed([](SloSpec& s) { s.budgeting = Budgeting::timeslices; }) == 1);
  CHECK(changed([](SloSpec& s) { s.reserve = dec("0.2"); }) == 1);
  CHECK(changed([](SloSpec& s) { s.description = "words"; }) == 0);
}

TEST_CASE("Manual actions that differ in digits, case and spaces only are one kind of toil",
          "[slo]") {
  const auto toil = toil_inventory(
      {action("Restarted pod web-3", 0, "10"), action("cleaned disk", 10),
       action("restarted  pod web-17", 20, "5"), action("restarted pod web-4", 5, "many")});
  REQUIRE(toil.size() == 2);
  CHECK(toil[0].times == 3);
  CHECK(toil[0].minutes == 15);
  CHECK(toil[0].text == "restarted  pod web-17");
  CHECK(toil[0].first == WallTime::from_s(kT0));
  CHECK(toil[0].last == WallTime::from_s(kT0 + 20));
  CHECK(toil[1].times == 1);
}
