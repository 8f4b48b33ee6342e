// What begins a new generation of counts beside what trap 13 names, and the rows of groups.
#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

SloSpec freshness() {
  SloSpec spec = spec_of("fresh");
  spec.indicator.kind = SliKind::threshold;
  spec.indicator.unit = "ms";
  spec.threshold = dec("500");
  spec.indicator.join = JoinSpec{"id", "event_id"};
  return spec;
}

SloSpec grouped(bool alerts) {
  SloSpec spec = spec_of("web");
  spec.indicator.group = GroupSpec{"tenant", 3, alerts};
  return spec;
}

}  // namespace

TEST_CASE("A join that counts other pairs, or judges them otherwise, is a new generation",
          "[slo]") {
  const SloSpec spec = freshness();
  const auto fresh = [&](auto change) {
    SloSpec changed = spec;
    change(changed);
    return changed.generation() != spec.generation();
  };
  CHECK(fresh([](SloSpec& s) { s.indicator.join.reset(); }));
  CHECK(fresh([](SloSpec& s) { s.indicator.join->start_key = "other"; }));
  CHECK(fresh([](SloSpec& s) { s.indicator.join->end_key = "other"; }));
  CHECK(fresh([](SloSpec& s) { s.indicator.join->timeout_s = 61; }));
  CHECK(fresh([](SloSpec& s) { s.indicator.join->on_timeout = OnTimeout::skip; }));
  CHECK(fresh([](SloSpec& s) { s.indicator.part.where = "stored"; }));
  CHECK(fresh([](SloSpec& s) { s.indicator.unit = "s"; }));  // of the threshold
  CHECK_FALSE(fresh([](SloSpec& s) { s.indicator.join->max_pending = 5; }));
}

TEST_CASE("Another input is a new generation, its speed and order are not", "[slo]") {
  const SloSpec spec = spec_of("web");
  const auto fresh = [&](auto change) {
    SloSpec changed = spec;
    change(changed.indicator.total.source);
    return changed.generation() != spec.generation();
  };
  CHECK(fresh([](SourceSelector& s) { s.input = InputKind::journal; }));
  CHECK(fresh([](SourceSelector& s) { s.multiline = "none"; }));
  CHECK(fresh([](SourceSelector& s) { s.start = "end"; }));
  CHECK(fresh([](SourceSelector& s) { s.url = "http://localhost/metrics"; }));
  CHECK(fresh([](SourceSelector& s) { s.k8s_labels = {"app=web"}; }));
  CHECK(fresh([](SourceSelector& s) { s.units = {"nginx.service"}; }));
  CHECK(fresh([](SourceSelector& s) { s.listen = {"udp://127.0.0.1:514"}; }));
  CHECK_FALSE(fresh([](SourceSelector& s) { s.max_lines_per_s = 9; }));
  CHECK_FALSE(fresh([](SourceSelector& s) { s.newest_first = true; }));
}

TEST_CASE("A row of a group is an SLO of its own that alerts only when asked to", "[slo]") {
  const SloSpec quiet = row_of(grouped(false), "acme"), loud = row_of(grouped(true), "acme");
  CHECK(quiet.name == "web{acme}");
  CHECK(quiet.group_of == "web");
  CHECK(quiet.group == "acme");
  CHECK(quiet.alerts.rules.empty());
  CHECK(loud.alerts.rules.size() == spec_of("web").alerts.rules.size());
  CHECK(quiet.generation() != grouped(false).generation());
  SloSpec by_path = grouped(false);
  by_path.indicator.group->by = "path";
  CHECK(row_of(by_path, "acme").generation() != quiet.generation());
  CHECK(by_path.generation() == grouped(false).generation());  // the whole counts the same
}

TEST_CASE("Groups take the places of their rows, of the others and of the whole", "[slo]") {
  CHECK(places_of(spec_of("web")) == 1);
  CHECK(places_of(grouped(false)) == 5);
}
