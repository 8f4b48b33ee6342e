// TemplateWatch against a list of everything that was counted.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "nines/incident/template_watch.hpp"

using namespace nines;
using namespace nines::incident;

namespace {

constexpr int64_t kStart = 1'767'571'200;  // a whole hour

struct Counted {
  int64_t s;  // since the start
  std::string service;
  TemplateId line;
  bool error;
  uint32_t times;
};

WallTime at(int64_t s) { return WallTime::from_s(kStart + s); }

std::vector<Counted> some_lines(int64_t seconds) {
  std::vector<Counted> all;
  const auto count = *rc::gen::inRange(0, 200);
  for (int i = 0; i < count; ++i) {
    all.push_back({*rc::gen::inRange<int64_t>(0, seconds),
                   "s" + std::to_string(*rc::gen::inRange(0, 4)),
                   *rc::gen::inRange<TemplateId>(1, 9), *rc::gen::arbitrary<bool>(),
                   *rc::gen::inRange<uint32_t>(1, 50)});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Counted& a, const Counted& b) { return a.s < b.s; });
  return all;
}

void play(TemplateWatch& watch, const std::vector<Counted>& lines, int64_t seconds) {
  size_t next = 0;
  for (int64_t s = 0; s < seconds; s += TemplateWatch::kSlotS) {
    watch.advance(at(s));
    for (; next < lines.size() && lines[next].s < s + TemplateWatch::kSlotS; ++next) {
      const Counted& line = lines[next];
      watch.count(line.service, line.line, line.error, at(line.s), line.times);
    }
  }
  watch.advance(at(seconds));
}

}  // namespace

TEST_CASE("Rates are the lines of the slots asked for") {
  CHECK(rc::check([] {
    const int64_t seconds = *rc::gen::inRange<int64_t>(1, 90) * 10;
    const std::vector<Counted> lines = some_lines(seconds);
    TemplateWatch watch;
    play(watch, lines, seconds);
    const int64_t back = *rc::gen::inRange<int64_t>(1, 31) * 10;
    const int64_t from = std::max<int64_t>(0, seconds - back);
    std::map<std::string, std::pair<uint64_t, uint64_t>> expected;
    for (const Counted& line : lines) {
      auto& [all, errors] = expected[line.service];
      if (line.s < from) continue;
      all += line.times;
      if (line.error) errors += line.times;
    }
    const auto rates = watch.rates(at(from));
    RC_ASSERT(rates.size() == expected.size());
    for (const ServiceRate& rate : rates) {
      RC_ASSERT(rate.lines == expected[rate.service].first);
      RC_ASSERT(rate.errors == expected[rate.service].second);
    }
  }));
}

TEST_CASE("No limit is ever exceeded, and what was saved is restored whatever was counted") {
  CHECK(rc::check([] {
    const std::vector<Counted> lines = some_lines(1200);
    const WatchLimits limits{
        .max_services = 3, .max_templates = 7, .max_first_seen = 2, .learn_minutes = 2};
    TemplateWatch watch(limits);
    play(watch, lines, 1200);
    const auto merges = *rc::gen::inRange(0, 5);
    for (int i = 0; i < merges; ++i) {
      watch.merge(*rc::gen::inRange<TemplateId>(1, 9), *rc::gen::inRange<TemplateId>(1, 9));
    }
    if (*rc::gen::arbitrary<bool>()) watch.forget("s1");
    RC_ASSERT(watch.stats().services <= 3U);
    RC_ASSERT(watch.stats().templates <= 7U);
    RC_ASSERT(watch.take_first_seen().size() <= 2U);
    TemplateWatch restored(limits);
    const std::string saved = watch.save();
    RC_ASSERT(restored.restore(saved).ok());
    RC_ASSERT(restored.save() == saved);
    std::string damaged = saved;
    const auto place = *rc::gen::inRange<size_t>(0, damaged.size());
    damaged[place] = static_cast<char>(damaged[place] ^ *rc::gen::inRange(1, 256));
    RC_ASSERT(!restored.restore(damaged).ok());
    RC_ASSERT(restored.save() == saved);
  }));
}
