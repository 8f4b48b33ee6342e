#include "nines/incident/template_watch.hpp"

#include <catch2/catch.hpp>
#include <cmath>

using namespace nines;
using namespace nines::incident;

namespace {

constexpr int64_t kMonday = 1'767'571'200;  // 2026-01-05 00:00 UTC
constexpr int64_t kHour = 3600, kDay = 86400;

WallTime at(int64_t s) { return WallTime::from_s(kMonday + s); }

// A service that logs `day` lines of template 1 in each slot by day and `night` of them by night,
// and one error line (template 2) every tenth slot.
void live(TemplateWatch& watch, int64_t from, int64_t until, uint32_t day = 20, uint32_t night = 20,
          Watched how = {}) {
  for (int64_t s = from; s < until; s += TemplateWatch::kSlotS) {
    const int64_t hour = s / kHour % 24;
    watch.count("api", 1, false, at(s), hour >= 8 && hour < 20 ? day : night);
    if (s / 10 % 10 == 0) watch.count("api", 2, true, at(s));
    watch.advance(at(s + 10), how);
  }
}

const CountFinding* find(const std::vector<CountFinding>& all, TemplateId line, bool error) {
  for (const CountFinding& found : all) {
    if (found.line == line && found.error == error) return &found;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("Many more lines of a template than usual are found, with what is usual") {
  TemplateWatch watch;
  live(watch, 0, 6 * kHour);
  CHECK(watch.findings(at(6 * kHour - 60)).empty());
  for (int64_t s = 6 * kHour; s < 6 * kHour + 60; s += 10) {
    watch.count("api", 1, false, at(s), 20);
    watch.count("api", 2, true, at(s), 30);
    watch.advance(at(s + 10));
  }
  const auto found = watch.findings(at(6 * kHour));
  const CountFinding* const errors = find(found, 2, true);
  REQUIRE(errors != nullptr);
  CHECK(errors->seen == 180);
  CHECK(errors->expected == Approx(0.6).epsilon(0.2));
  CHECK(errors->seconds == 60);
  CHECK(errors->score > 500);
  const CountFinding* const all_errors = find(found, 0, true);
  REQUIRE(all_errors != nullptr);
  CHECK(all_errors->seen == 180);
  CHECK(find(found, 1, false) == nullptr);
}

TEST_CASE("A template that is no longer logged is a deficit, below zero") {
  TemplateWatch watch;
  live(watch, 0, 6 * kHour);
  for (int64_t s = 6 * kHour; s < 6 * kHour + 60; s += 10) watch.advance(at(s + 10));
  const auto found = watch.findings(at(6 * kHour));
  const CountFinding* const lines = find(found, 1, false);
  REQUIRE(lines != nullptr);
  CHECK(lines->seen == 0);
  CHECK(lines->score < -100);
}

TEST_CASE("What is usual depends on the hour, once the hour has a history") {
  TemplateWatch watch;
  live(watch, 0, 7 * kDay, 40, 4);
  const auto usual = [&] { return watch.rates(at(0)).at(0).usual_lines; };
  live(watch, 7 * kDay, 7 * kDay + 3 * kHour, 40, 4);  // Monday 03:00
  const double by_night = usual() / watch.rates(at(0)).at(0).seconds * 10;
  live(watch, 7 * kDay + 3 * kHour, 7 * kDay + 12 * kHour, 40, 4);
  const double by_day = usual() / watch.rates(at(0)).at(0).seconds * 10;
  CHECK(by_night < 9);
  CHECK(by_day > 33);
  CHECK(by_day < 44);
}

TEST_CASE("A minute that wavers when all is well is less of a finding") {
  TemplateWatch even, wavering;
  for (int64_t s = 0; s < 6 * kHour; s += 10) {
    even.count("api", 1, false, at(s), 20);
    wavering.count("api", 1, false, at(s), s / 60 % 2 == 0 ? 39 : 1);
    even.advance(at(s + 10));
    wavering.advance(at(s + 10));
  }
  for (TemplateWatch* watch : {&even, &wavering}) {
    for (int64_t s = 6 * kHour; s < 6 * kHour + 60; s += 10) {
      watch->count("api", 1, false, at(s), 50);
      watch->advance(at(s + 10));
    }
  }
  const auto steady = even.findings(at(6 * kHour), 3, 0);
  const auto unsteady = wavering.findings(at(6 * kHour), 3, 0);
  CHECK(steady.at(0).score > 100);
  CHECK(steady.at(0).dispersion == 1);
  CHECK(unsteady.at(0).dispersion > 50);
  CHECK(unsteady.at(0).score < 5);
}

TEST_CASE("What happens while an incident is open, or was not read in full, is not learned") {
  TemplateWatch watch;
  live(watch, 0, 6 * kHour);
  const double before = watch.rates(at(6 * kHour - 60)).at(0).usual_lines;
  live(watch, 6 * kHour, 8 * kHour, 2000, 2000, {true, false});
  live(watch, 8 * kHour, 10 * kHour, 2000, 2000, {false, true});
  live(watch, 10 * kHour, 10 * kHour + 60);
  CHECK(watch.rates(at(10 * kHour)).at(0).usual_lines == Approx(before).epsilon(0.02));
}

TEST_CASE("Of a service that is hardly known half an hour is learned, incident or not") {
  TemplateWatch watch;
  live(watch, 0, 2 * kHour, 20, 20, {true, false});
  const auto usual = [&] {
    const ServiceRate rate = watch.rates(at(0)).at(0);
    return rate.usual_lines / rate.seconds * 10;
  };
  CHECK(usual() == Approx(20).epsilon(0.05));
  live(watch, 2 * kHour, 4 * kHour, 60, 60, {true, false});  // it is known by now
  CHECK(usual() == Approx(20).epsilon(0.05));
  const auto found = watch.findings(at(4 * kHour - 120));
  const CountFinding* const more = find(found, 1, false);
  REQUIRE(more != nullptr);
  CHECK(more->score > 100);
}

TEST_CASE(
    "First-seen templates are told after a day of learning, once, and not those of a new service") {
  TemplateWatch watch;
  live(watch, 0, kDay + kHour);
  CHECK(watch.take_first_seen().empty());
  watch.count("api", 77, true, at(kDay + kHour));
  watch.count("api", 77, true, at(kDay + kHour));
  watch.count("fresh", 78, true, at(kDay + kHour));
  const auto events = watch.take_first_seen();
  REQUIRE(events.size() == 1);
  CHECK(events[0].service == "api");
  CHECK(events[0].line == 77);
  CHECK(events[0].error);
  CHECK(events[0].at == at(kDay + kHour));
  CHECK(watch.take_first_seen().empty());
}

TEST_CASE("A template that was forgotten for want of room is not new when it comes back") {
  TemplateWatch watch({.max_templates = 8});
  live(watch, 0, kDay + kHour);
  for (TemplateId line = 100; line < 120; ++line) {
    watch.count("api", line, false, at(kDay + kHour + static_cast<int64_t>(line)));
    watch.advance(at(kDay + kHour + static_cast<int64_t>(line)));
  }
  CHECK(watch.take_first_seen().size() == 20);
  CHECK(watch.stats().templates == 8);
  CHECK(watch.stats().forgotten == 14);
  for (TemplateId line = 100; line < 112; ++line) {
    watch.count("api", line, false, at(kDay + kHour + 200));
  }
  CHECK(watch.take_first_seen().empty());
}

TEST_CASE("First-seen events beyond their limit are counted instead of kept") {
  TemplateWatch watch({.max_first_seen = 4});
  live(watch, 0, kDay + kHour);
  for (TemplateId line = 100; line < 120; ++line) watch.count("api", line, false, at(kDay + kHour));
  CHECK(watch.take_first_seen().size() == 4);
  CHECK(watch.stats().first_seen_dropped == 16);
}

TEST_CASE("Counts move along when a template becomes part of another one, which is not new then") {
  TemplateWatch watch;
  live(watch, 0, kDay + kHour);
  watch.count("api", 9, true, at(kDay + kHour), 5);
  watch.merge(2, 9);
  CHECK(watch.take_first_seen().empty());
  watch.advance(at(kDay + kHour + 10));
  const auto found = watch.findings(at(kDay + kHour - 50), 3, 0);
  CHECK(find(found, 2, true) == nullptr);
  const CountFinding* const merged = find(found, 9, true);
  REQUIRE(merged != nullptr);
  CHECK(merged->expected == Approx(0.6).epsilon(0.3));
  CHECK(merged->first_seen == at(0));
  CHECK(watch.stats().templates == 2);
}

TEST_CASE("Lines older than the slots and services beyond the limit are counted as left out") {
  TemplateWatch watch({.max_services = 1});
  live(watch, 0, kHour);
  watch.count("api", 1, false, at(kHour - 400), 3);
  watch.count("other", 1, false, at(kHour), 4);
  CHECK(watch.stats().late == 3);
  CHECK(watch.stats().left_out == 4);
  CHECK(watch.stats().services == 1);
  watch.forget("api");
  watch.count("other", 1, false, at(kHour));
  CHECK(watch.stats().services == 1);
  CHECK(watch.stats().templates == 1);
}

TEST_CASE("The longest silence of healthy days is known, and time that was not watched is none") {
  TemplateWatch watch;
  live(watch, 0, 2 * kHour);
  for (int64_t s = 0; s < 60; s += 10) watch.advance(at(2 * kHour + s + 10));
  live(watch, 2 * kHour + 60, 3 * kHour);
  CHECK(watch.hearing().at(0).longest_s == 60);
  CHECK(watch.hearing().at(0).quiet_s == 0);
  watch.advance(at(5 * kHour));  // the agent was stopped
  CHECK(watch.hearing().at(0).quiet_s == 0);
  live(watch, 5 * kHour, 6 * kHour);
  CHECK(watch.hearing().at(0).longest_s == 60);
  for (int64_t s = 0; s < 100; s += 10) watch.advance(at(6 * kHour + s + 10), {false, true});
  CHECK(watch.hearing().at(0).quiet_s == 0);
  for (int64_t s = 100; s < 130; s += 10) watch.advance(at(6 * kHour + s + 10));
  CHECK(watch.hearing().at(0).quiet_s == 30);
  CHECK(watch.hearing().at(0).last == at(6 * kHour - 10));
}

TEST_CASE("A line from the far future, or a clock that is set back, does not stop the watch") {
  TemplateWatch watch;
  watch.count("api", 1, false, at(50 * 365 * kDay));
  live(watch, 0, 2 * kHour);
  CHECK(watch.rates(at(2 * kHour - 60)).at(0).lines > 100);
  live(watch, kHour, 3 * kHour);
  CHECK(watch.rates(at(3 * kHour - 60)).at(0).seconds == 60);
}

TEST_CASE("A watch that was saved and restored judges as the one that went on") {
  TemplateWatch watch;
  live(watch, 0, 9 * kDay, 40, 4);
  TemplateWatch restored;
  REQUIRE(restored.restore(watch.save()).ok());
  CHECK(restored.save() == watch.save());
  for (TemplateWatch* both : {&watch, &restored}) {
    both->advance(at(9 * kDay + kHour));
    live(*both, 9 * kDay + kHour, 9 * kDay + kHour + 300, 40, 400);
    CHECK(both->take_first_seen().empty());
  }
  const auto a = watch.findings(at(9 * kDay + kHour)), b = restored.findings(at(9 * kDay + kHour));
  REQUIRE(a.size() == b.size());
  REQUIRE(a.size() > 0);
  for (size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].line == b[i].line);
    CHECK(a[i].score == b[i].score);
  }
  CHECK(watch.hearing().at(0).days == restored.hearing().at(0).days);
}

TEST_CASE("Of damaged saved counts nothing is taken") {
  TemplateWatch watch;
  live(watch, 0, kDay);
  const std::string saved = watch.save();
  TemplateWatch other;
  live(other, 0, kHour);
  const std::string before = other.save();
  for (size_t cut : {size_t{0}, size_t{3}, saved.size() / 2, saved.size() - 1}) {
    CHECK_FALSE(other.restore(saved.substr(0, cut)).ok());
  }
  for (size_t i = 0; i < saved.size(); i += 7) {
    std::string damaged = saved;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x20);
    CHECK_FALSE(other.restore(damaged).ok());
  }
  CHECK(other.save() == before);
}

TEST_CASE("2,048 templates of 256 services with their weeks fit into 1.3 MiB") {
  TemplateWatch watch;
  for (int64_t minute = 0; minute < 130; ++minute) {
    for (TemplateId line = 0; line < 3000; ++line) {
      const std::string service = "service-" + std::to_string(line % 300);
      watch.count(service, line, line % 3 == 0, at(minute * 60), 5);
    }
    for (int64_t s = 0; s < 60; s += 10) watch.advance(at(minute * 60 + s + 10));
  }
  const auto stats = watch.stats();
  CHECK(stats.templates == 2048);
  CHECK(stats.services == 256);
  CHECK(stats.left_out > 0);
  CHECK(stats.memory_bytes < 1'300 * 1024);
  CHECK(watch.save().size() < 700 * 1024);
}
