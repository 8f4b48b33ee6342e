// A process with counters and a histogram that dies and begins anew, scraped by an agent that is
// killed at any moment, by way of a consumer that stops anywhere. What the agent committed must be
// what a witness sums up that knows everything the process ever showed.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "../../unit/collector/scrape_support.hpp"
#include "nines/log/format.hpp"

using namespace nines;
using namespace nines::collector;
using namespace nines::collector::test;

namespace {

constexpr int kBounds = 3;  // 0.1, 0.3, +Inf
constexpr const char* kLe[kBounds] = {"0.1", "0.3", "+Inf"};
constexpr const char* kLeShown[kBounds] = {"0.1", "0.3", "1e30"};

// The process. Series 0..3 are counters; not cumulative buckets follow.
struct Process {
  int64_t born_ms = 0;
  std::map<std::string, uint64_t> counters;  // by label n; they appear when first used
  uint64_t buckets[kBounds] = {};
  bool histogram = false;

  std::string page(bool starts) const {
    std::string out = "# TYPE c counter\n";
    const std::string born = std::to_string(static_cast<double>(born_ms) / 1000);
    for (const auto& [n, value] : counters) {
      out += "c_total{n=\"" + n + "\"} " + std::to_string(value) + "\n";
      if (starts) out += "c_created{n=\"" + n + "\"} " + born + "\n";
    }
    if (!histogram) return out + "# EOF\n";
    out += "# TYPE h histogram\n";
    uint64_t sum = 0;
    for (int i = 0; i < kBounds; ++i) {
      sum += buckets[i];
      out += std::string("h_bucket{le=\"") + kLe[i] + "\"} " + std::to_string(sum) + "\n";
    }
    out += "h_count " + std::to_string(sum) + "\n";
    if (starts) out += "h_created " + born + "\n";
    return out + "# EOF\n";
  }

  // What every series shows, as the lines name them.
  std::map<std::string, uint64_t> shown() const {
    std::map<std::string, uint64_t> out;
    for (const auto& [n, value] : counters)
      out["\"metric\":\"c_total\",\"n\":\"" + n + "\""] = value;
    if (!histogram) return out;
    uint64_t sum = 0;
    for (int i = 0; i < kBounds; ++i) {
      out[std::string("\"metric\":\"h_bucket\",\"le\":") + kLeShown[i]] = buckets[i];
      sum += buckets[i];
    }
    out["\"metric\":\"h_count\""] = sum;
    return out;
  }
};

// Sums what was committed, with start times knowing which life of the process each value is from.
struct Witness {
  struct Seen {
    int life;
    uint64_t value;
    int64_t born_ms;
  };
  std::map<std::string, std::map<std::string, Seen>> scrapes;  // by ts, then series
  std::map<std::string, Seen> last;                            // committed
  std::map<std::string, double> totals;
  bool up = false;
  bool complete = false;  // a scrape was consumed to its end and committed

  void commit(const std::vector<std::string>& lines, bool starts, int64_t watching_ms) {
    for (const std::string& line : lines) {
      const std::string key = key_of_line(line);
      if (key == "\"metric\":\"up\"") up = line.ends_with("1}");
      if (key == "\"metric\":\"scrape_duration_ms\"") complete = complete || up;
      const auto& scrape = scrapes[line.substr(0, line.find(','))];
      const auto now = scrape.find(key);
      if (now == scrape.end()) continue;
      const auto before = last.find(key);
      if (before != last.end()) {
        // Without start times a new life shows by a smaller value only.
        const bool same = starts ? before->second.life == now->second.life
                                 : before->second.value <= now->second.value;
        totals[key] += static_cast<double>(now->second.value - (same ? before->second.value : 0));
      } else if (starts ? now->second.born_ms / 1000 * 1000 >= watching_ms : complete) {
        totals[key] += static_cast<double>(now->second.value);
      }
      last[key] = now->second;
    }
  }
};

// Histograms only with start times: without them, whether the whole of one was reset can be seen or
// not depending on what was committed when, which the unit tests spell out.
void live(Process& process, bool starts, int64_t now_ms, int& life) {
  if (*rc::gen::inRange(0, 6) == 0) {
    ++life;
    process = {};
    process.born_ms = now_ms;
  }
  for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
    process.counters[*rc::gen::element<std::string>("a", "b", "c", "d")] +=
        *rc::gen::inRange(0, 50);
  }
  if (starts && *rc::gen::inRange(0, 2) == 0) {
    process.histogram = true;
    for (uint64_t& bucket : process.buckets) bucket += *rc::gen::inRange<uint64_t>(0, 20);
  }
}

}  // namespace

TEST_CASE("However processes and agent die, every increase is counted exactly once", "[scrape]") {
  CHECK(rc::check([] {
    const bool starts = *rc::gen::arbitrary<bool>();
    ScrapeRig rig;
    rig.options.chunk_bytes = *rc::gen::element<size_t>(1, 200, 65'536);
    rig.start();
    Process process;
    process.born_ms = (kStartS - 100) * 1000;
    process.counters["a"] = 1000;
    Witness witness;
    int life = 0;
    // When the target was first asked, as far as that is remembered: 0 until it is, lost with a
    // kill before the first commit.
    int64_t watching_ms = 0;
    const auto ask = [&](Result<std::string> answer) {
      if (watching_ms == 0) watching_ms = rig.clock.wall().seconds() * 1000;
      rig.scrape(std::move(answer));
    };
    bool clean = true;  // all of the last scrape was consumed
    const int steps = *rc::gen::inRange(5, 40);
    for (int step = 0; step < steps; ++step) {
      const int what = *rc::gen::inRange(0, 10);
      if (what < 6) {
        if (!clean) continue;
        const int64_t due_s = (rig.input->due().ns - rig.clock.mono().ns) / kNsPerSecond;
        if (due_s > 0) rig.clock.advance_s(due_s + 1);
        live(process, starts, rig.clock.wall().ns / kNsPerMs, life);
        rig.consumer.quota = *rc::gen::inRange(0, 3) == 0 ? *rc::gen::inRange<size_t>(0, 8) : 1000;
        const std::string ts = "{\"ts\":\"" + format_rfc3339(to_ms(rig.clock.wall())) + "\"";
        for (const auto& [key, value] : process.shown()) {
          witness.scrapes[ts][key] = {life, value, process.born_ms};
        }
        RC_LOG() << "scrape of life " << life << ":\n" << process.page(starts);
        ask(process.page(starts));
        clean = rig.consumer.quota > 0;
      } else if (what == 6) {
        if (!clean) continue;
        const int64_t due_s = (rig.input->due().ns - rig.clock.mono().ns) / kNsPerSecond;
        if (due_s > 0) rig.clock.advance_s(due_s + 1);
        ask(Error{Errc::unavailable, "down"});
      } else if (what < 9) {
        const auto lines = rig.consumer.lines;
        for (const std::string& line : lines) RC_LOG() << "committed " << line << "\n";
        rig.commit();
        witness.commit(lines, starts, watching_ms);
      } else {
        RC_LOG() << "killed\n";
        rig.clock.advance_s(*rc::gen::element<int64_t>(1, 7200));
        rig.crash();
        if (rig.store.empty()) watching_ms = 0;
        clean = true;
      }
    }
    const auto lines = rig.consumer.lines;
    rig.commit();
    witness.commit(lines, starts, watching_ms);
    for (const std::string& line : lines) RC_LOG() << "committed " << line << "\n";
    for (const auto& [key, total] : witness.totals) {
      RC_LOG() << key << (starts ? " with" : " without") << " start times";
      RC_ASSERT(rig.totals[key] == total);
    }
    for (const auto& [key, total] : rig.totals) RC_ASSERT(witness.totals[key] == total);
  }));
}

TEST_CASE("Whatever an endpoint answers, every line is one JSON record that keeps its labels",
          "[scrape]") {
  CHECK(rc::check([] {
    std::string body;
    const std::string alphabet = "ab\"\\\n{}=,#_ \t1.e+:\x01\xc3\xa9\xff";
    for (int i = *rc::gen::inRange(0, 20); i > 0; --i) {
      const int n = *rc::gen::inRange(0, 12);
      std::string junk;
      for (int k = 0; k < n; ++k) junk += *rc::gen::elementOf(alphabet);
      const std::string value =
          *rc::gen::element<std::string>("1", "NaN", "-0", "007", "1e400", ".5");
      body +=
          *rc::gen::element<std::string>("# TYPE a histogram\n", "# TYPE a counter\n", "", junk) +
          *rc::gen::element<std::string>("a", "a_total", "a_bucket", "a_count", "a_sum") +
          "{le=\"" + *rc::gen::element<std::string>("1", "-Inf", "+Inf", junk) + "\",ts=\"" + junk +
          "\"} " + value + "\n";
    }
    ScrapeRig rig;
    rig.scrape(body);
    rig.scrape(body);
    auto parser = std::move(*log::make_parser({log::FormatKind::json, "", ""}, {}, {}));
    RC_ASSERT(rig.consumer.lines.size() >= 4u);
    for (const std::string& line : rig.consumer.lines) {
      WallTime ts;
      bool has_ts = false;
      std::vector<log::LineParser::NamedValue> fields;
      RC_ASSERT(parser->parse_all(line, ts, has_ts, fields) == log::ParseOutcome::ok);
      RC_ASSERT(has_ts);
      std::set<std::string_view> names;
      for (const auto& field : fields) RC_ASSERT(names.insert(field.name).second);
      RC_ASSERT(names.contains("metric"));
    }
  }));
}
