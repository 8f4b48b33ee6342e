// remediation.windows of nines.yaml: when rules may act, in which zone.
#include <catch2/catch.hpp>
#include <string>
#include <utility>

#include "app/remedy_setup.hpp"
#include "config/remedy_targets.hpp"
#include "config_support.hpp"
#include "nines/base/time.hpp"

using namespace nines::agent;
using nines::days_from_civil;
using nines::WallTime;
using nines::agent::test::all_text;
using nines::agent::test::ConfigFolder;
using nines::remedy::GuardLimits;
using nines::remedy::in_windows;

namespace {

std::string told(const ConfigFolder& folder, const std::string& windows) {
  std::string text =
      all_text(folder.load_node("remediation:\n  windows: " + windows + "\n").diagnostics);
  for (size_t at = text.find(folder.path()); at != std::string::npos;
       at = text.find(folder.path())) {
    text.replace(at, folder.path().size(), "@");
  }
  return text;
}

GuardLimits limits(const ConfigFolder& folder, const std::string& windows) {
  const auto loaded = folder.load_node("remediation:\n  windows: " + windows + "\n");
  REQUIRE(all_text(loaded.diagnostics).empty());
  const auto targets = config::load_remedy_targets(loaded.node.file);
  REQUIRE(targets.ok());
  return guard_limits(loaded.node.remediation, *targets);
}

WallTime at(int year, int month, int day, int hour, int minute = 0) {
  return WallTime::from_s(days_from_civil(year, month, day) * 86'400 + hour * 3600 + minute * 60);
}

// Minutes that are open in the two days from noon (UTC) of that day.
int open_minutes(const GuardLimits& limits, int year, int month, int day) {
  int out = 0;
  for (int minute = 0; minute < 2 * 1440; ++minute) {
    out += in_windows(limits.windows, at(year, month, day, 12, minute)) ? 1 : 0;
  }
  return out;
}

}  // namespace

TEST_CASE("Without windows rules act always, with some of them only within one", "[config]") {
  const ConfigFolder folder;
  CHECK(in_windows(limits(folder, "").windows, at(2026, 7, 1, 3)));
  const auto night = limits(folder, "[{days: [mon-fri], from: \"22:00\", to: \"06:00\"}]");
  REQUIRE(night.windows.size() == 1);
  CHECK(night.windows[0].hours.weekdays == 0x1f);
  CHECK_FALSE(in_windows(night.windows, at(2026, 7, 3, 21, 59)));  // Friday
  CHECK(in_windows(night.windows, at(2026, 7, 3, 22)));
  CHECK(in_windows(night.windows, at(2026, 7, 4, 5, 59)));  // it began on Friday
  CHECK_FALSE(in_windows(night.windows, at(2026, 7, 4, 6)));
  CHECK_FALSE(in_windows(night.windows, at(2026, 7, 4, 23)));  // Saturday
  CHECK_FALSE(in_windows(night.windows, at(2026, 7, 6, 5)));   // Sunday's would be
  const auto two =
      limits(folder,
             "[{days: sat-mon, from: \"00:00\", to: \"24:00\"}, {days: wed, from: \"09:00\", "
             "to: \"09:30\"}]");
  CHECK(in_windows(two.windows, at(2026, 7, 6, 23, 59)));
  CHECK_FALSE(in_windows(two.windows, at(2026, 7, 7, 0)));
  CHECK(in_windows(two.windows, at(2026, 7, 8, 9, 29)));
  CHECK_FALSE(in_windows(two.windows, at(2026, 7, 8, 9, 30)));
}

TEST_CASE("A window goes by the clock of its zone, also in the nights in which it changes",
          "[config]") {
  const ConfigFolder folder;
  const auto night =
      limits(folder, "[{days: [sat], from: \"22:00\", to: \"06:00\", zone: Europe/Berlin}]");
  CHECK_FALSE(in_windows(night.windows, at(2026, 7, 4, 19, 59)));
  CHECK(in_windows(night.windows, at(2026, 7, 4, 20)));  // 22:00 in summer
  CHECK(in_windows(night.windows, at(2026, 1, 3, 21)));  // and in winter
  CHECK_FALSE(in_windows(night.windows, at(2026, 1, 3, 20, 59)));
  CHECK(open_minutes(night, 2026, 7, 4) == 480);
  CHECK(open_minutes(night, 2026, 3, 28) == 420);   // 02:00 to 03:00 is skipped
  CHECK(open_minutes(night, 2026, 10, 24) == 540);  // and happens twice
  const auto early =
      limits(folder, "[{days: [sun], from: \"02:00\", to: \"02:30\", zone: Europe/Berlin}]");
  CHECK(open_minutes(early, 2026, 7, 4) == 30);
  CHECK(open_minutes(early, 2026, 3, 28) == 0);
  CHECK(open_minutes(early, 2026, 10, 24) == 30);  // the first of both, once
  const auto kiritimati =
      limits(folder, "[{days: [sun], from: \"00:00\", to: \"01:00\", zone: Pacific/Kiritimati}]");
  CHECK(in_windows(kiritimati.windows, at(2026, 7, 4, 10, 30)));  // its Sunday, our Saturday
}

TEST_CASE("What is wrong with a window is told with its place and the way out", "[config]") {
  const ConfigFolder folder;
  const std::pair<const char*, const char*> mistakes[] = {
      {"[{to: \"06:00\"}]",
       "@/nines.yaml:2:13: error: a window of remediation has no 'from'\n"
       "  hint: from: \"22:00\"\n"},
      {"[{from: \"22:00\", to: \"6\"}]",
       "@/nines.yaml:2:33: error: 'to' of a window of remediation must be a time of day, found "
       "'6'\n  hint: like \"03:00\"\n"},
      {"[{from: \"24:00\", to: \"06:00\"}]",
       "@/nines.yaml:2:20: error: 'from' of a window of remediation must be a time of day, found "
       "'24:00'\n  hint: like \"03:00\"\n"},
      {"[{from: \"06:00\", to: \"06:00\"}]",
       "@/nines.yaml:2:33: error: a window of remediation ends at 06:00, where it begins\n"
       "  hint: for whole days: from: \"00:00\", to: \"24:00\"\n"},
      {"[{days: [mon-fry], from: \"22:00\", to: \"06:00\"}]",
       "@/nines.yaml:2:20: error: 'days' of a window of remediation has 'mon-fry', which is no "
       "day of the week and no range of them\n  hint: did you mean 'fri'?\n"},
      {"[{days: [], from: \"22:00\", to: \"06:00\"}]",
       "@/nines.yaml:2:20: error: 'days' of a window of remediation has no day in it\n"
       "  hint: leave it out for every day, or give [mon-fri]\n"},
      {"[{from: \"22:00\", to: \"06:00\", zone: Europe/Berlni}]",
       "@/nines.yaml:2:48: error: 'zone' of a window of remediation 'Europe/Berlni' is not known "
       "here: cannot read '/usr/share/zoneinfo/Europe/Berlni': No such file or directory\n"
       "  hint: like Europe/Berlin, America/New_York or UTC\n"},
      {"[{from: \"22:00\", to: \"06:00\", zone: ../Berlin}]",
       "@/nines.yaml:2:48: error: 'zone' of a window of remediation must be an IANA time zone, "
       "found '../Berlin'\n  hint: like Europe/Berlin, America/New_York or UTC\n"},
      {"[{from: \"22:00\", till: \"06:00\", to: \"06:00\"}]",
       "@/nines.yaml:2:29: error: unknown key 'till' in a window of remediation\n"
       "  hint: known keys: from, to, days, zone\n"},
      {"[]",
       "@/nines.yaml:2:12: error: remediation.windows has no window in it\n"
       "  hint: leave it out for always; enabled: false for never\n"},
      {"night",
       "@/nines.yaml:2:12: error: remediation.windows must be a list, found 'night'\n"
       "  hint: start each item with '- '\n"},
      {"[{days: {a: b}, from: [1], to: \"06:00\"}]",
       "@/nines.yaml:2:20: error: 'days' of a window of remediation must be a list of texts, found "
       "a map\n  hint: write [\"first\", \"second\"]\n"
       "@/nines.yaml:2:34: error: 'from' of a window of remediation must be a text, found a list\n"
       "  hint: write one text; quote it when it holds ': ' or starts with a sign\n"},
  };
  for (const auto& [windows, text] : mistakes) CHECK(told(folder, windows) == text);
  std::string many = "[";
  for (int i = 0; i < 33; ++i) many += "{from: \"01:00\", to: \"02:00\"}, ";
  CHECK(told(folder, many + "]").find("more than 32 remediation.windows") != std::string::npos);
}
