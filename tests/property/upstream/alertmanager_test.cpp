// Alertmanager replicas that come and go: a model of what each of them would page about.
#include "nines/upstream/alertmanager.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

using namespace nines;
using namespace nines::upstream;

namespace {

constexpr int64_t kStart = 1772402400;

// What an Alertmanager does with what it is posted: pages once an alert begins to be active.
struct Model {
  std::map<std::string, int64_t> active_until;  // by labels
  // By slo: incidents it paged about (an Alertmanager that was cut off for longer than endsAt
  // pages again about the same one), and replays.
  std::map<std::string, std::set<std::string>> pages;
  std::map<std::string, int> replays;

  void take(const std::string& body, int64_t now) {
    for (const auto& alert : nlohmann::json::parse(body)) {
      const std::string key = alert["labels"].dump();
      const std::string ends = alert["endsAt"];
      const int64_t end = seconds(ends);
      const bool was = active_until.contains(key) && active_until[key] > now;
      active_until[key] = end;
      if (end <= now || was) continue;
      const std::string slo = alert["labels"]["slo"];
      if (alert["labels"]["alertname"] == "OfflineIncidentReplay") {
        ++replays[slo];
      } else {
        pages[slo].insert(alert["startsAt"]);
      }
    }
  }
  bool is_active(const std::string& slo, int64_t now) const {
    for (const auto& [key, until] : active_until) {
      if (until > now && key.find("SLOBurn") != std::string::npos &&
          key.find("\"slo\":\"" + slo + "\"") != std::string::npos) {
        return true;
      }
    }
    return false;
  }
  static int64_t seconds(const std::string& t) {
    const auto part = [&](size_t from, size_t n) { return std::stoi(t.substr(from, n)); };
    return days_from_civil(part(0, 4), part(5, 2), part(8, 2)) * 86400 + part(11, 2) * 3600 +
           part(14, 2) * 60 + part(17, 2) - kStart;
  }
};

// Replicas that are up or down, and an agent that may be killed.
struct World {
  World(size_t replicas, uint64_t chance)
      : up(replicas, true), cursors(replicas, 0), models(replicas), seed(chance) {
    options.node = "n";
    restart();
  }

  void restart() {
    for (size_t i = 0; machine && i < up.size(); ++i) cursors[i] = machine->cursor(i);
    machine = std::make_unique<Alertmanager>(options, cursors, seed);
    for (const auto& e : events) machine->take(e);
  }

  void change(const std::string& slo) {
    slo::AlertEvent e;
    e.kind = burning[slo] ? slo::AlertEvent::Kind::resolved : slo::AlertEvent::Kind::fired;
    e.slo = slo;
    e.rule = "r";
    e.sequence = events.size() + 1;
    e.at = WallTime::from_s(kStart + now);
    e.since = {e.at.ns - static_cast<int64_t>(e.sequence) * kNsPerMs};
    if (!burning[slo]) ++incidents[slo];
    burning[slo] = !burning[slo];
    events.push_back(e);
    machine->take(e);
  }

  void run(int64_t seconds) {
    for (const int64_t until = now + seconds; now < until; ++now) {
      for (size_t i = 0; i < up.size(); ++i) tell(i);
    }
  }

  void tell(size_t i) {
    const Instant instant{now * kNsPerSecond};
    const WallTime wall = WallTime::from_s(kStart + now);
    while (const auto request = machine->begin(i, instant, wall)) {
      if (up[i]) models[i].take(request->body, now);
      machine->answered(i, up[i] ? 200 : 0, "", {}, instant, wall, {});
      if (!up[i]) return;
    }
  }

  AlertmanagerOptions options;
  std::vector<bool> up;
  std::vector<uint64_t> cursors;
  std::vector<Model> models;
  uint64_t seed;
  std::unique_ptr<Alertmanager> machine;
  std::vector<slo::AlertEvent> events;
  std::map<std::string, bool> burning;
  std::map<std::string, int> incidents;
  int64_t now = 0;
};

void check(World& w) {
  for (auto& [slo, count] : w.incidents) {
    // The cluster pages once for what several replicas show; a replay stands for one or more.
    std::set<std::string> pages;
    int replays = 0;
    for (Model& model : w.models) {
      RC_ASSERT(model.is_active(slo, w.now) == w.burning[slo]);
      pages.insert(model.pages[slo].begin(), model.pages[slo].end());
      replays = std::max(replays, model.replays[slo]);
    }
    RC_ASSERT(static_cast<int>(pages.size()) + replays >= 1);
    RC_ASSERT(static_cast<int>(pages.size()) + replays <= count);
  }
  for (size_t i = 0; i < w.up.size(); ++i) {
    RC_ASSERT(w.machine->cursor(i) == w.events.size());
    RC_ASSERT(w.machine->stats(i).pending == 0U);
  }
}

}  // namespace

TEST_CASE("After any outages every replica shows what burns, and no incident is missed or doubled",
          "[alertmanager]") {
  const bool good = rc::check([] {
    World w(*rc::gen::inRange<size_t>(1, 4), *rc::gen::arbitrary<uint64_t>());
    const int steps = *rc::gen::inRange(1, 25);
    for (int step = 0; step < steps; ++step) {
      const int what = *rc::gen::inRange(0, 10);
      if (what < 5) {
        w.change("s" + std::to_string(*rc::gen::inRange(0, 3)));
      } else if (what < 9) {
        const size_t i = *rc::gen::inRange<size_t>(0, w.up.size());
        w.up[i] = !w.up[i];
      } else {
        w.restart();
      }
      w.run(*rc::gen::inRange(0, 400));
    }
    w.up.assign(w.up.size(), true);
    w.run(300);
    check(w);
  });
  CHECK(good);
}
