// What a node cannot tell another one tells: once, by the first that can, and not when the origin
// was quicker.
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "incident/relay.hpp"
#include "notify/message.hpp"

namespace nines::agent::incident {
namespace {

const WallTime kStart = WallTime::from_s(1'772'452'800);
WallTime at(int64_t s) { return {kStart.ns + s * kNsPerSecond}; }
Instant mono(int64_t s) { return {s * kNsPerSecond}; }
using Names = Relay::Names;

// A node: its book, what its notifiers are like, what they told.
struct Node {
  explicit Node(std::string called) : name(std::move(called)), book({"shop", name, 1}) {
    restart();
  }
  void restart() {
    Relay::Parts parts;
    parts.node = name;
    parts.live = [this] { return live; };
    parts.hopeless = [this](const slo::AlertEvent&, const Names&) { return !works; };
    parts.told_elsewhere = [this](const slo::AlertEvent& event, const Names&) {
      passed_over.push_back(event.sequence);
    };
    parts.working = [this](const Names& names) {
      Names out;
      for (const std::string& one : has) {
        const bool wanted =
            names.empty() || std::find(names.begin(), names.end(), one) != names.end();
        if (works && wanted) out.push_back(one);
      }
      return out;
    };
    if (on_call) {
      parts.reach = [this](const std::string& person) {
        return reach.contains(person) ? reach[person] : Names();
      };
    }
    relay = std::make_unique<Relay>(std::move(parts));
  }
  // Stores what is decided; events get their numbers and are about to be told.
  void look(int64_t s) {
    const Relay::Decided decided = relay->look(book, at(s), mono(s));
    for (const auto& note : decided.notes) {
      const auto done =
          book.add(note.incident, core::EventKind::note, {}, note.text, note.details, at(s));
      INFO((done.ok() ? "" : done.error().message));
      REQUIRE(done.ok());
    }
    for (slo::AlertEvent event : decided.events) out(std::move(event), s);
  }
  void out(slo::AlertEvent event, int64_t s) {
    event.boot = 1;
    event.sequence = ++sequence;
    relay->outgoing({event}, mono(s));
    queue.push_back(event);
  }
  // The notifiers deliver the oldest.
  void deliver(int64_t s, const std::string& channel = "hook") {
    REQUIRE_FALSE(queue.empty());
    const slo::AlertEvent event = queue.front();
    queue.erase(queue.begin());
    told.push_back(event);
    const bool receipt = relay->delivered(event, channel);
    if (!receipt && event.kind != slo::AlertEvent::Kind::fired) return;
    core::Details details = {
        {"channel", channel},
        {"event", std::to_string(event.boot) + "/" + std::to_string(event.sequence)}};
    if (const auto* relays = event.detail(notify::kRelaysDetail)) {
      details.emplace_back(notify::kRelaysDetail, *relays);
    }
    REQUIRE(book.add(*event.detail("incident"), core::EventKind::page_sent, {}, "told",
                     std::move(details), at(s))
                .ok());
  }

  std::string name;
  Names live, has = {"hook"};
  std::map<std::string, Names> reach;
  bool works = true, on_call = false;
  core::IncidentBook book;
  std::unique_ptr<Relay> relay;
  uint64_t sequence = 0;
  std::vector<slo::AlertEvent> queue, told;
  std::vector<uint64_t> passed_over;
};

struct Fleet {
  explicit Fleet(Names names) {
    for (const std::string& name : names) nodes.try_emplace(name, name);
    for (auto& [name, node] : nodes) node.live = names;
  }
  Node& operator[](const std::string& name) { return nodes.at(name); }
  void meet(int64_t s) {
    for (auto& [from, one] : nodes) {
      if (cut_off.contains(from)) continue;
      for (const auto& event : one.book.events()) {
        for (auto& [to, other] : nodes) {
          if (to != from && !cut_off.contains(to)) (void)other.book.merge(event, at(s));
        }
      }
    }
  }
  // All look, then hear of each other, second by second.
  void run(int64_t from, int64_t to) {
    for (int64_t s = from; s <= to; ++s) {
      for (auto& [name, node] : nodes) node.look(s);
      meet(s);
    }
  }
  std::string declare(const std::string& on, int64_t s) {
    const auto done = nodes.at(on).book.declare("shop", 1, "the shop is down", "kim", at(s));
    REQUIRE(done.ok());
    meet(s);
    return nodes.at(on).book.list({}, at(s)).at(0).id;
  }
  std::map<std::string, Node> nodes;
  std::set<std::string> cut_off;
};

slo::AlertEvent page(const std::string& incident, Names notify = {}) {
  slo::AlertEvent event;
  event.slo = incident;
  event.rule = "incident";
  event.service = "shop";
  event.severity = "page";
  event.priority = 1;
  event.since = at(0);
  event.at = at(1);
  event.summary = "the shop is down";
  event.notify = std::move(notify);
  event.details = {{"incident", incident}, {"transition", "opened"}, {"opened_on", "a"}};
  return event;
}

std::string key_of(const Node& node, const slo::AlertEvent& event) {
  return notify::idempotency_key({node.name, "1", 7}, event);
}

}  // namespace

TEST_CASE("What a node cannot tell the first other one that can tells, once, under its key",
          "[relay]") {
  Fleet fleet({"a", "b", "c", "d"});
  fleet["a"].works = false;
  fleet["b"].works = false;  // the first by name, but it reaches nobody either
  fleet["a"].out(page(fleet.declare("a", 1)), 1);
  fleet.run(1, 14);
  CHECK(fleet["a"].relay->counters().asked == 0);  // its notifiers had no time yet
  fleet.run(15, 120);
  CHECK(fleet["a"].relay->counters().asked == 1);
  CHECK(fleet["b"].queue.empty());
  REQUIRE(fleet["c"].queue.size() == 1);
  CHECK(fleet["d"].queue.empty());
  CHECK(key_of(fleet["c"], fleet["c"].queue[0]) == "a/1/alert/1");
  CHECK(fleet["c"].queue[0].summary == "the shop is down");
  fleet["c"].deliver(31);
  fleet.run(121, 300);
  CHECK(fleet["a"].passed_over == std::vector<uint64_t>{1});
  CHECK(fleet["a"].relay->counters().relayed == 1);
  for (const char* name : {"b", "d"}) CHECK(fleet[name].relay->counters().taken == 0);
}

TEST_CASE("While a notifier of its own may still do it nobody else is asked", "[relay]") {
  Fleet fleet({"a", "b"});
  fleet["a"].out(page(fleet.declare("a", 1)), 1);
  fleet.run(1, 600);
  CHECK(fleet["a"].relay->counters().asked == 0);
  CHECK(fleet["b"].queue.empty());
  fleet["a"].deliver(601);
  fleet["a"].works = false;
  fleet.run(602, 700);
  CHECK(fleet["a"].relay->counters().asked == 0);  // it is told
}

TEST_CASE("An origin that is quicker after all is not told again", "[relay]") {
  Fleet fleet({"a", "b"});
  fleet["a"].works = false;
  fleet["a"].out(page(fleet.declare("a", 1)), 1);
  fleet.run(1, 20);
  REQUIRE(fleet["b"].queue.size() == 1);
  fleet["a"].works = true;
  fleet["a"].deliver(20);  // the link is back in the middle
  fleet.run(21, 30);
  CHECK(fleet["b"].passed_over == std::vector<uint64_t>{1});
  CHECK(fleet["b"].relay->counters().overtaken == 1);
  CHECK(fleet["b"].relay->counters().twice == 0);
}

TEST_CASE("Two that have told the same are counted, and their keys are one", "[relay]") {
  Fleet fleet({"a", "b"});
  fleet["a"].works = false;
  fleet["a"].out(page(fleet.declare("a", 1)), 1);
  fleet.run(1, 20);
  const std::string own = key_of(fleet["a"], fleet["a"].queue.at(0));
  CHECK(own == key_of(fleet["b"], fleet["b"].queue.at(0)));
  fleet.cut_off = {"a"};
  fleet["a"].deliver(20);
  fleet["b"].deliver(20);
  fleet.cut_off = {};
  fleet.meet(21);
  fleet.run(22, 30);
  CHECK(fleet["b"].relay->counters().twice == 1);
}

TEST_CASE("Who took it on and delivers nothing gives way, and a restart takes nothing on twice",
          "[relay]") {
  Fleet fleet({"a", "b", "c"});
  fleet["a"].works = false;
  fleet["a"].out(page(fleet.declare("a", 1)), 1);
  fleet.run(1, 20);
  REQUIRE(fleet["b"].queue.size() == 1);
  fleet["b"].restart();
  fleet["b"].relay->outgoing({fleet["b"].queue.at(0)}, mono(20));
  fleet["a"].restart();
  fleet["a"].relay->outgoing({fleet["a"].queue.at(0)}, mono(20));
  fleet.run(21, 100);
  CHECK(fleet["b"].queue.size() == 1);
  CHECK(fleet["c"].queue.empty());
  fleet.run(101, 200);
  REQUIRE(fleet["c"].queue.size() == 1);
  fleet["c"].deliver(201);
  fleet.run(201, 210);
  CHECK(fleet["b"].passed_over == std::vector<uint64_t>{1});
  CHECK(fleet["a"].passed_over == std::vector<uint64_t>{1});
}

TEST_CASE("A page of a person goes by that person's notifiers there, or not at all", "[relay]") {
  Fleet fleet({"a", "b", "c"});
  for (auto& [name, node] : fleet.nodes) {
    node.on_call = true;
    node.reach["anna"] = {"phone-anna"};
    node.has = {"hook", "phone-anna"};
    node.restart();
  }
  fleet["b"].reach.clear();  // has no way to her
  fleet["b"].restart();
  fleet["a"].works = false;
  slo::AlertEvent event = page(fleet.declare("a", 1), {"(on call)", "hook", "phone-anna"});
  event.details.emplace_back("person", "anna");
  fleet["a"].out(event, 1);
  CHECK_FALSE(fleet["a"].relay->delivered(fleet["a"].queue[0], "hook"));  // that is not she
  fleet.run(1, 60);
  CHECK(fleet["b"].queue.empty());
  REQUIRE(fleet["c"].queue.size() == 1);
  CHECK(fleet["c"].queue[0].notify == Names{"phone-anna"});
  CHECK(*fleet["c"].queue[0].detail("person") == "anna");
}

TEST_CASE("Nodes whose role does not let them page nobody asks, and they take nothing on",
          "[relay]") {
  Fleet fleet({"a", "b"});
  fleet["a"].works = false;
  fleet["b"].live = {};  // an observer, as it knows of itself
  fleet["a"].out(page(fleet.declare("a", 1)), 1);
  fleet.run(1, 120);
  CHECK(fleet["b"].queue.empty());
  Fleet alone({"a"});
  alone["a"].works = false;
  alone["a"].out(page(alone.declare("a", 1)), 1);
  alone.run(1, 120);
  CHECK(alone["a"].relay->counters().asked == 0);
}

TEST_CASE("More than a node takes on in an hour waits at home, counted", "[relay]") {
  Fleet fleet({"a", "b"});
  fleet["a"].works = false;
  const std::string incident = fleet.declare("a", 1);
  for (size_t i = 0; i < Relay::kMaxWaiting + 5; ++i) fleet["a"].out(page(incident), 1);
  CHECK(fleet["a"].relay->counters().beyond == 5);
  fleet.run(1, 200);
  CHECK(fleet["b"].queue.size() == Relay::kMostAnHour);
  CHECK(fleet["b"].relay->counters().beyond > 0);
}

TEST_CASE("However long names are, the note fits into an event", "[relay]") {
  Fleet fleet({"a", "b"});
  fleet["a"].works = false;
  slo::AlertEvent event = page(fleet.declare("a", 1));
  event.slo = event.rule = event.service = std::string(64, 's');
  event.summary = std::string(5000, 'x');
  event.details.emplace_back("person", std::string(500, 'p'));
  event.details.emplace_back("why", std::string(500, 'w'));
  for (int i = 0; i < 50; ++i) event.notify.push_back("notifier-" + std::to_string(i));
  fleet["a"].out(event, 1);
  fleet.run(1, 30);
  CHECK(fleet["a"].relay->counters().asked == 1);
  REQUIRE(fleet["b"].queue.size() == 1);
  CHECK(fleet["b"].queue[0].slo == event.slo);
  event.slo += "s";
  fleet["a"].out(event, 31);
  CHECK(fleet["a"].relay->counters().beyond == 1);
}

}  // namespace nines::agent::incident
