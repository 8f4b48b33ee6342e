// Desks of several nodes over the machine that peers talk with, on a network that is cut, loses and
// repeats: whatever happens, all tell the same incidents in the end. How many schedules:
// NINES_SIM_COUNT (40), from which seed on: NINES_SIM_SEED.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>

#include "incident/desk.hpp"
#include "peer_world.hpp"

using namespace nines;
using agent::incident::Desk;
using fleet::FleetEvent;
using peer::test::World;
using peer::test::WorldOptions;
namespace core = nines::incident;

namespace {

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// A desk and what its store keeps.
struct Seat {
  std::optional<Desk> desk;
  std::map<std::string, store::Document> documents;
  std::map<std::string, core::Condition> holding;
  uint64_t lives = 0;
};

class Desks {
 public:
  explicit Desks(const WorldOptions& options) : world(options), seats(options.nodes) {
    for (size_t i = 0; i < seats.size(); ++i) sit_down(i);
  }

  // `s` seconds, with a tick of every desk each 10 s.
  void run(int64_t s) {
    for (int64_t at = 0; at < s; at += 10) {
      world.run_ms(10'000);
      for (size_t i = 0; i < seats.size(); ++i) tick(i);
    }
  }
  void crash(size_t i) {
    world.crash(i, false);
    seats[i].desk.reset();
    seats[i].holding.clear();
  }
  // `lost`: with an empty state directory.
  void restart(size_t i, bool lost) {
    if (world.up(i)) return;
    if (lost) seats[i].documents.clear();
    world.restart(i, lost);
    sit_down(i);
  }
  bool up(size_t i) const { return world.up(i); }
  WallTime now(size_t i) const { return world.now_of(i).wall; }

  // Something begins or ends on a node.
  void trouble(size_t i) {
    if (!up(i)) return;
    auto& dice = world.dice();
    const std::string service = "service-" + std::to_string(dice.below(4));
    core::Condition c;
    c.kind = core::ConditionKind::burn_rate;
    c.key = "burn/" + service;
    c.service = service;
    c.node = world.name(i);
    c.priority = static_cast<int>(dice.between(1, 3));
    c.at = c.since = now(i);
    c.text = service + " burns";
    const auto held = seats[i].holding.find(c.key);
    if (held != seats[i].holding.end()) {
      c = held->second;
      c.holds = false;
      seats[i].holding.erase(held);
    } else {
      seats[i].holding[c.key] = c;
    }
    seats[i].desk->conditions({c}, now(i));
  }
  void somebody_acts(size_t i) {
    if (!up(i)) return;
    core::IncidentBook& book = seats[i].desk->book();
    core::BookQuery open;
    open.only_open = true;
    const auto all = book.list(open, now(i));
    if (all.empty()) return;
    auto& dice = world.dice();
    const auto& id = all[static_cast<size_t>(dice.below(static_cast<int64_t>(all.size())))].id;
    const std::string who = "person at " + world.name(i);
    switch (dice.below(4)) {
      case 0: (void)seats[i].desk->did(book.acknowledge(id, who, "mine", now(i))); break;
      case 1: (void)seats[i].desk->did(book.resolve(id, who, "done", true, now(i))); break;
      case 2: (void)seats[i].desk->did(book.set_severity(id, 2, who, "less", now(i))); break;
      default:
        (void)seats[i].desk->did(book.add(id, core::EventKind::note, who, "seen", {}, now(i)));
    }
  }
  void end_all() {
    for (size_t i = 0; i < seats.size(); ++i) {
      if (!up(i)) continue;
      for (auto& [key, c] : std::exchange(seats[i].holding, {})) {
        c.holds = false;
        seats[i].desk->conditions({c}, now(i));
      }
    }
  }

  // What a node shows, at one moment for all.
  std::string shown(size_t i, WallTime at) { return shown(*seats[i].desk, at); }
  static std::string shown(Desk& desk, WallTime at) {
    std::string out;
    for (const core::Incident& one : desk.book().list({}, at)) {
      out += one.id + " " + one.key + " " + one.title + " P" + std::to_string(one.severity) + " " +
             std::to_string(static_cast<int>(one.state)) + " by " + one.acknowledged_by + "/" +
             one.resolved_by + " " + std::to_string(one.opened.ns) + " " +
             std::to_string(one.resolved.ns) + " " + one.opened_on + ":";
      for (const auto& entry : one.history) out += " " + std::to_string(entry.at.ns) + entry.text;
      out += "\n";
    }
    return out;
  }
  // Of the documents that its store has.
  std::string shown_after_restart(size_t i, WallTime at) {
    slo::SloEngine engine(1);
    Desk desk({"sim", world.name(i), 1}, {engine, nullptr});
    desk.restore(documents(i), at);
    return shown(desk, at);
  }
  std::vector<store::Document> documents(size_t i) const {
    std::vector<store::Document> out;
    for (const auto& [key, document] : seats[i].documents) out.push_back(document);
    return out;
  }

  World world;
  std::vector<Seat> seats;

 private:
  void sit_down(size_t i) {
    Seat& seat = seats[i];
    ++seat.lives;
    const uint64_t life = fleet::life_number(seat.lives, now(i));
    seat.desk.emplace(core::BookIdentity{"sim", world.name(i), life},
                      Desk::Parts{engine_, nullptr});
    seat.desk->restore(documents(i), now(i));
    seat.desk->tell_again();
    world.state(i).on_event([this, i](const std::string& origin, const FleetEvent& event) {
      if (event.stream != FleetEvent::Stream::incidents) return;
      heard_[i].emplace_back(origin, event.body);
    });
    publish(i);
  }
  void publish(size_t i) {
    for (const core::IncidentEvent& event : seats[i].desk->take_events()) {
      FleetEvent out;
      out.stream = FleetEvent::Stream::incidents;
      out.boot = event.boot;
      out.sequence = event.sequence;
      out.at = event.at;
      out.body = core::encode_event(event);
      world.state(i).publish(std::move(out));
    }
  }
  void tick(size_t i) {
    if (!up(i)) return;
    Seat& seat = seats[i];
    for (const auto& [origin, body] : std::exchange(heard_[i], {})) {
      (void)seat.desk->heard(origin, body, now(i));
    }
    for (const auto& [key, c] : seat.holding) seat.desk->conditions({c}, now(i));
    seat.desk->tick(now(i));
    publish(i);
    for (const auto& document : seat.desk->take_documents()) {
      if (document.body.empty()) {
        seat.documents.erase(document.key);
      } else {
        seat.documents[document.key] = document;
      }
    }
    (void)seat.desk->take_news();
  }

  slo::SloEngine engine_{1};
  std::map<size_t, std::vector<std::pair<std::string, std::string>>> heard_;
};

void some_fault(Desks& desks, bool lossy) {
  World& world = desks.world;
  auto& dice = world.dice();
  const auto any = [&] {
    return static_cast<size_t>(dice.below(static_cast<int64_t>(world.size())));
  };
  switch (dice.below(6)) {
    case 0: {  // two halves
      const uint64_t side = dice.next();
      for (size_t x = 0; x < world.size(); ++x) {
        for (size_t y = 0; y < world.size(); ++y) {
          if ((side >> x & 1) != (side >> y & 1)) world.cut(x, y);
        }
      }
      break;
    }
    case 1: world.cut(any(), any()); break;
    case 2: world.mend_all(); break;
    case 3: desks.crash(any()); break;
    default: desks.restart(any(), lossy && dice.percent(50));
  }
}

}  // namespace

TEST_CASE("Whatever is cut, lost and restarted, all nodes tell the same incidents in the end",
          "[incident][property][sim]") {
  const uint64_t first = from_environment("NINES_SIM_SEED", 1);
  const uint64_t count = from_environment("NINES_SIM_COUNT", 40);
  size_t incidents = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    INFO("NINES_SIM_SEED=" << seed << " NINES_SIM_COUNT=1");
    peer::test::Dice dice(seed);
    WorldOptions options;
    options.seed = seed;
    options.nodes = static_cast<size_t>(dice.between(2, 5));
    options.slos = 1;
    options.max_clock_offset_s = dice.percent(50) ? 20 : 0;
    options.jitter_ms = dice.below(200);
    if (dice.percent(50)) {
      options.loss_percent = dice.below(16);
      options.duplicate_percent = dice.below(20);
      options.reorder_percent = dice.below(30);
    }
    Desks desks(options);
    desks.run(60);
    for (int step = 0; step < 40; ++step) {
      desks.run(10 * desks.world.dice().between(1, 4));
      const auto at =
          static_cast<size_t>(desks.world.dice().below(static_cast<int64_t>(desks.world.size())));
      desks.trouble(at);
      if (desks.world.dice().percent(40)) desks.somebody_acts(at);
      if (desks.world.dice().percent(25)) some_fault(desks, seed % 3 == 0);
    }
    desks.world.mend_all();
    for (size_t i = 0; i < desks.world.size(); ++i) desks.restart(i, false);
    desks.run(120);
    desks.end_all();
    desks.run(1'200);  // what nobody has seen again since a start is over by then
    desks.run(300);
    const WallTime at{desks.now(0).ns + 30 * kNsPerSecond};
    const std::string wanted = desks.shown(0, at);
    for (size_t i = 0; i < desks.world.size(); ++i) {
      INFO(desks.world.name(i));
      CHECK(desks.shown(i, at) == wanted);
      CHECK(desks.shown_after_restart(i, at) == wanted);
      CHECK(desks.seats[i].desk->fleet_counters().refused == 0);
    }
    incidents += desks.seats[0].desk->book().list({}, at).size();
  }
  CHECK(incidents >= count * 3);
}
