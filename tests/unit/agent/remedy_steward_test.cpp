// The Steward in a world of one unit that breaks: what it does, what is on the disk, and what
// people are told, also when it is killed anywhere.
#include <catch2/catch.hpp>
#include <deque>
#include <map>

#include "remedy/steward.hpp"
#include "remedy/target_name.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::remedy::Action;
using nines::remedy::Guard;
using nines::remedy::GuardLimits;
using nines::remedy::Verb;

namespace {

constexpr const char* kRule = "restart-worker";
const Action kRestart{Verb::unit_restart, "worker.service"};

GuardLimits limits() {
  GuardLimits out;
  out.enabled = true;
  out.verbs = {Verb::unit_restart, Verb::unit_stop, Verb::unit_start};
  out.shadow_hits = 1;
  out.post_check_s = 60;
  return out;
}

class World {
 public:
  explicit World(GuardLimits of = limits()) : limits_(std::move(of)) { live(); }

  // --- what a test says
  bool broken = false, helps = true, disk = true;
  std::optional<Became> act_becomes;  // instead of being done
  bool loses_answer = false;          // it is done, and nobody hears of it
  Became recheck_becomes = Became::unknown;
  std::string incident_id = "INC-1";
  Action does = kRestart;
  std::map<std::string, double> proven;  // Wilson's lower bound

  // --- what came of it
  std::vector<std::string> done;  // keys of intents that were carried out
  std::vector<Verb> verbs;        // what was done, in that order
  std::vector<std::string> pages, notes, notices;
  size_t steps = 0;
  std::optional<size_t> crash_at;
  std::optional<size_t> stop_at;
  int crashes = 0;

  Steward& steward() { return *steward_; }
  Guard& guard() { return steward_->guard(); }
  WallTime now() const { return now_; }

  void live() {
    ++boot_;
    waiting_.clear();
    Steward::Parts parts;
    parts.node = "pi-1";
    parts.carry_out = [this](Order order, std::function<void(Outcome)> told) {
      waiting_.push_back([this, order = std::move(order), told = std::move(told)] {
        const Outcome outcome = carry_out(order);
        const bool lost = loses_answer && order.mode == Mode::act;
        hear([told, outcome, lost] {
          told(lost ? Outcome{Became::unknown, "no answer", {}, {}} : outcome);
        });
      });
    };
    parts.keep = [this](std::vector<store::Document> documents, std::function<void(Status)> told) {
      waiting_.push_back([this, documents = std::move(documents), told = std::move(told)] {
        if (!disk) return hear([told] { told(Error{Errc::io, "disk full"}); });
        for (const auto& one : documents) {
          if (one.body.empty()) {
            disk_.erase({one.kind, one.key});
          } else {
            disk_[{one.kind, one.key}] = one.body;
          }
        }
        hear([told] { told(Ok{}); });
      });
    };
    parts.open = [this](WallTime) {
      return broken || lingers ? std::vector<Incident>{incident()} : std::vector<Incident>{};
    };
    parts.incident = [this](const std::string& id, WallTime) -> std::optional<Incident> {
      if (id != incident_id || forgets) return std::nullopt;
      return incident();
    };
    parts.find = [](const Incident&, const Action& action) -> std::optional<Found> {
      Found out;
      out.object.name = action.parameter;
      out.target.name = target_name(action.verb, "pi-1", out.object);
      out.target.node = "pi-1";
      out.target.service = "worker";
      out.target.local = true;
      return out;
    };
    parts.note = [this](const nines::remedy::Act&, const std::string& text, bool) {
      notes.push_back(text);
    };
    parts.page = [this](const std::string&, const std::string& text) { pages.push_back(text); };
    parts.notify = [this](const std::string& rule, const std::string& text) {
      notices.push_back(rule + ": " + text);
    };
    parts.proven_low = [this](const nines::remedy::RuleLife& rule) { return proven[rule.rule]; };
    parts.clock_set = [] { return true; };
    parts.isolated = [] { return false; };
    steward_ = std::make_unique<Steward>(Guard({"pi-1", boot_}, limits_), std::move(parts));
    std::vector<store::Document> documents;
    for (const auto& [key, body] : disk_) documents.push_back({key.first, key.second, body});
    steward_->restore(documents);
  }

  // Runs `seconds`, a tick every ten.
  void run(int64_t seconds) {
    for (int64_t s = 0; s < seconds; s += 10) {
      now_.ns += 10 * kNsPerSecond;
      steward_->tick(now_);
      settle();
    }
  }
  void settle() {
    while (!waiting_.empty()) {
      if (steps++ == crash_at) {
        ++crashes;
        live();  // what was not written is gone; what was on its way was not begun
        return;
      }
      if (stop_at && steps > *stop_at) {
        stop_at.reset();
        steward_->did(guard().stop("person", "ada", "enough", now_), [](const Status&) {});
      }
      const auto next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
  }
  // Through the life of the rule, as people would.
  void arm(const std::vector<std::string>& rules = {kRule}) {
    const auto kept = [](const Status& written) { REQUIRE(written.ok()); };
    for (const std::string& rule : rules) {
      steward().did(guard().draft(rule, does, "", "worker", "ada", now_), kept);
      steward().did(guard().shadow(rule, "ada", now_), kept);
    }
    settle();
    broken = true;
    run(20);
    REQUIRE(done.empty());
    broken = false;
    for (const std::string& rule : rules) {
      steward().did(guard().approve(rule, "bob", now_), kept);
      steward().did(guard().arm(rule, 20, 0.7, "bob", now_), kept);
    }
    settle();
    incident_id = "INC-2";
    steps = 0;
  }
  std::map<std::pair<std::string, std::string>, std::string>& on_disk() { return disk_; }
  bool forgets = false;  // no incident is known any more
  bool lingers = false;  // the incident is open although its condition is over

 private:
  Incident incident() const {
    Incident out;
    out.id = incident_id;
    out.severity = 1;
    out.service = "worker";
    out.services = {"worker"};
    nines::incident::IncidentCondition one;
    one.condition.kind = nines::incident::ConditionKind::crash_loop;
    one.condition.service = "worker";
    one.condition.holds = broken;
    if (!broken) one.over = now_;
    out.conditions.push_back(one);
    return out;
  }
  // What was done is heard of in a step of its own: there may be a crash in between.
  void hear(std::function<void()> told) { waiting_.push_front(std::move(told)); }
  Outcome carry_out(const Order& order) {
    if (order.mode == Mode::try_out) return {Became::would, "it would be done", {}, {}};
    if (order.mode == Mode::recheck) return {recheck_becomes, "rechecked", {}, {}};
    if (act_becomes) return {*act_becomes, "as told", {}, {}};
    const std::string uid = order.key;  // the intent is on the disk before anything is done
    REQUIRE(disk_.contains({Steward::kDocuments, uid}));
    done.push_back(uid);
    verbs.push_back(order.action.verb);
    if (helps) broken = false;
    return {Became::done, "done", {}, {}};
  }

  GuardLimits limits_;
  WallTime now_{1'795'300'000 * kNsPerSecond};
  uint64_t boot_ = 0;
  std::map<std::pair<std::string, std::string>, std::string> disk_;
  std::deque<std::function<void()>> waiting_;
  std::unique_ptr<Steward> steward_;
};

nines::remedy::Phase phase(World& world) {
  const auto acts = world.guard().acts();
  REQUIRE(acts.size() == 1);
  return acts.front().phase;
}

}  // namespace

TEST_CASE("a rule in shadow counts what it would have done, once for an incident", "[remedy]") {
  World world;
  world.steward().did(world.guard().draft(kRule, kRestart, "", "worker", "ada", world.now()),
                      [](const Status&) {});
  world.broken = true;
  world.run(60);
  CHECK(world.steward().counters().looked == 0);  // a draft does nothing
  world.steward().did(world.guard().shadow(kRule, "ada", world.now()), [](const Status&) {});
  world.run(300);
  CHECK(world.done.empty());
  CHECK(world.guard().rule(kRule)->hits == 1);
}

TEST_CASE("a proven rule repairs, its intent on the disk first, and looks whether it helped",
          "[remedy]") {
  World world;
  world.arm();
  world.broken = true;
  world.run(20);
  CHECK(world.done.size() == 1);
  CHECK(phase(world) == nines::remedy::Phase::done);
  world.run(90);
  CHECK(phase(world) == nines::remedy::Phase::good);
  CHECK(world.done.size() == 1);
  CHECK(world.pages.empty());
  CHECK_FALSE(world.steward().audit().fault());
  CHECK(world.steward().audit().records().size() == world.guard().events().size());
}

TEST_CASE("what did not help is undone once, as soon as that is known", "[remedy]") {
  World world;
  world.does = {Verb::unit_start, "worker.service"};
  world.arm();
  world.broken = true;
  world.helps = false;
  world.run(90);
  CHECK(world.verbs == std::vector{Verb::unit_start, Verb::unit_stop});
  CHECK(world.steward().counters().rolled_back == 1);
  world.run(300);
  CHECK(world.verbs.size() == 2);
}

TEST_CASE("a look at an act in doubt that is refused does not say that it was not done",
          "[remedy]") {
  World world;
  world.arm();
  world.broken = true;
  world.helps = false;
  world.loses_answer = true;
  world.recheck_becomes = Became::refused;  // the program is not configured any more
  world.run(3600);
  CHECK(world.done.size() == 1);
  CHECK(phase(world) == nines::remedy::Phase::in_doubt);
  CHECK_FALSE(world.pages.empty());
}

TEST_CASE("killed anywhere, what was done is done once and every intent gets its end", "[remedy]") {
  for (const bool done_before : {true, false}) {
    int crashes = 0;
    for (size_t at = 0; at < 40; ++at) {
      World world;
      world.arm();
      world.recheck_becomes = done_before ? Became::done : Became::failed;
      world.broken = true;
      world.crash_at = at;
      world.run(400);
      crashes += world.crashes;
      INFO("killed at step " << at << ", " << world.done.size() << " times");
      std::set<std::string> intents(world.done.begin(), world.done.end());
      CHECK(intents.size() == world.done.size());
      for (const auto& act : world.guard().acts()) CHECK(act.over());
      CHECK_FALSE(world.steward().audit().fault());
    }
    CHECK(crashes >= 10);
  }
}

TEST_CASE("what nobody can tell is not repeated: a person is called and settles it", "[remedy]") {
  World world;
  world.arm();
  world.broken = true;
  world.helps = false;
  world.loses_answer = true;
  world.run(3600);
  CHECK(world.done.size() == 1);
  CHECK(phase(world) == nines::remedy::Phase::in_doubt);
  REQUIRE(world.pages.size() == 1);
  CHECK(world.pages.front().find("nobody can tell") != std::string::npos);
  const std::string id = world.guard().acts().front().id;
  world.steward().did(world.guard().settle(id, "ada", "it was restarted", world.now()),
                      [](const Status&) {});
  world.settle();
  CHECK(phase(world) == nines::remedy::Phase::settled);
}

TEST_CASE("without a disk that takes the intent nothing is done", "[remedy]") {
  World world;
  world.arm();
  world.disk = false;
  world.broken = true;
  world.run(600);
  CHECK(world.done.empty());
  CHECK(world.steward().counters().unwritten > 0);
}

TEST_CASE("with an event that cannot be read back nothing is begun until a person says so",
          "[remedy]") {
  World world;
  world.arm();
  world.on_disk()[{Steward::kDocuments, "pi-1/1/99"}] = "damaged";
  world.live();
  world.broken = true;
  world.run(300);
  CHECK(world.done.empty());
  world.steward().did(world.steward().resume("ada", "looked", world.now()), [](const Status&) {});
  world.run(60);
  CHECK(world.done.size() == 1);
  world.live();
  CHECK(world.steward().broken() == 0);
}

TEST_CASE("a stop that the disk has lost holds still: the audit log knows of it", "[remedy]") {
  World world;
  world.arm();
  world.steward().did(world.guard().stop("person", "ada", "enough", world.now()),
                      [](const Status&) {});
  world.settle();
  const std::string stop = world.guard().stops().front().uid();
  world.on_disk().erase({Steward::kDocuments, stop});
  world.live();
  CHECK(world.guard().stops().empty());
  CHECK(world.steward().broken() == 1);
  world.broken = true;
  world.run(300);
  CHECK(world.done.empty());
  world.steward().did(world.steward().resume("ada", "looked", world.now()), [](const Status&) {});
  world.run(60);
  CHECK(world.done.size() == 1);
  world.live();
  CHECK(world.steward().broken() == 0);
}

TEST_CASE("the kill switch holds at each step", "[remedy]") {
  for (size_t at = 0; at < 12; ++at) {
    World world;
    world.arm();
    world.broken = true;
    world.helps = false;
    world.stop_at = at;
    world.run(60);
    const size_t by_then = world.done.size();
    INFO("stopped at step " << at);
    CHECK(by_then <= 1);
    world.run(7200);
    CHECK(world.done.size() == by_then);
  }
}

TEST_CASE("an action that does not help is told to a person, and not tried for ever", "[remedy]") {
  World world;
  world.arm();
  world.broken = true;
  world.helps = false;
  world.run(6 * 3600);
  CHECK(world.done.size() >= 1);
  CHECK(world.done.size() <= 3);  // three failures in a row end it
  CHECK_FALSE(world.pages.empty());
  CHECK(world.guard().rule(kRule)->state == nines::remedy::RuleState::shadow);
  REQUIRE(world.notices.size() == 1);  // nobody has to find it out
  CHECK(world.notices.front() == std::string(kRule) + ": goes back to shadow: 3 failures in a row");
  CHECK(world.steward().counters().demoted == 1);
}

TEST_CASE("a record of the audit log that was altered or taken out is told", "[remedy]") {
  World world;
  world.arm();
  world.broken = true;
  world.run(200);
  auto& disk = world.on_disk();
  std::vector<std::string> keys;
  for (const auto& [key, body] : disk) {
    if (key.first == AuditLog::kDocuments && key.second != "head") keys.push_back(key.second);
  }
  REQUIRE(keys.size() > 4);
  const auto untouched = disk;
  for (size_t i = 0; i < keys.size(); ++i) {
    disk = untouched;
    disk[{AuditLog::kDocuments, keys[i]}].back() = '!';
    world.live();
    REQUIRE(world.steward().audit().fault());
    CHECK(world.steward().audit().fault()->number == i + 1);
    disk = untouched;
    disk.erase({AuditLog::kDocuments, keys[i]});
    world.live();
    CHECK(world.steward().audit().fault());
  }
}

TEST_CASE("the name of a target finds its object again", "[remedy]") {
  const Target pod{"shop", "api-1", ""};
  for (const Verb verb : {Verb::evict_pod, Verb::rollout_undo, Verb::cordon, Verb::unit_stop,
                          Verb::program, Verb::webhook, Verb::lambda}) {
    const std::string name = target_name(verb, "pi-1", pod);
    const auto object = object_of(verb, name);
    REQUIRE(object);
    CHECK(object->name == "api-1");
    CHECK(target_name(verb, "pi-1", *object) == name);
  }
  CHECK(target_name(Verb::webhook, "", pod) == "webhook/api-1");  // for all nodes alike
  CHECK(object_of(Verb::webhook, "webhook/api-1")->name == "api-1");
  CHECK_FALSE(object_of(Verb::webhook, "webhook/pi-1/api-1/x"));
  CHECK_FALSE(object_of(Verb::program, "program/api-1"));
  CHECK_FALSE(object_of(Verb::evict_pod, "deployment/shop/api"));
  CHECK_FALSE(object_of(Verb::evict_pod, "pod/shop/api/x"));
  CHECK_FALSE(object_of(Verb::other, "x/y"));
}

TEST_CASE("a dry run of a rule says what the guard would say, is in the audit log, and is no act",
          "[remedy]") {
  World world;
  world.steward().did(world.guard().draft(kRule, kRestart, "", "worker", "ada", world.now()),
                      [](const Status&) {});
  world.broken = true;
  world.run(20);
  const size_t before = world.guard().events().size();
  std::optional<Steward::Ran> ran;
  world.steward().run({kRule, "INC-1", "kim", true}, world.now(), [&](Result<Steward::Ran> one) {
    REQUIRE(one.ok());
    ran = *one;
  });
  world.settle();
  REQUIRE(ran);
  CHECK(ran->tried.became == Became::would);
  CHECK(ran->as_rule == std::vector{nines::remedy::Refusal::rule_state});
  CHECK(ran->as_person.empty());
  CHECK(ran->act.empty());
  CHECK(world.done.empty());
  CHECK(world.guard().events().size() == before);
  const auto& record = world.steward().audit().records().back();
  CHECK(record.body.find("\"what\":\"dry_run\"") != std::string::npos);
  CHECK(record.body.find("\"who\":\"kim\"") != std::string::npos);
  CHECK_FALSE(world.steward().audit().fault());
  world.run(600);
  CHECK(world.done.empty());
}

TEST_CASE("a person's run is an act of his: intent, done once, looked at afterwards", "[remedy]") {
  World world;
  world.steward().did(world.guard().draft(kRule, kRestart, "", "worker", "ada", world.now()),
                      [](const Status&) {});
  world.broken = true;
  world.run(20);
  std::string act;
  world.steward().run({kRule, "INC-1", "kim", false}, world.now(), [&](Result<Steward::Ran> one) {
    REQUIRE(one.ok());
    act = one->act;
  });
  world.settle();
  REQUIRE_FALSE(act.empty());
  CHECK(world.done == std::vector<std::string>{act});
  CHECK(world.guard().find(act)->who == "kim");
  CHECK(world.guard().find(act)->by_person);
  world.run(120);
  CHECK(phase(world) == nines::remedy::Phase::good);
  CHECK(world.guard().rule(kRule)->state == nines::remedy::RuleState::draft);
}

TEST_CASE("a person's run does not pass a stop, and that it was asked for is written", "[remedy]") {
  World world;
  world.steward().did(world.guard().draft(kRule, kRestart, "", "worker", "ada", world.now()),
                      [](const Status&) {});
  world.steward().did(world.guard().stop("person", "ada", "enough", world.now()),
                      [](const Status&) {});
  world.broken = true;
  world.run(20);
  std::string why;
  world.steward().run({kRule, "INC-1", "kim", false}, world.now(), [&](Result<Steward::Ran> one) {
    REQUIRE(one.ok());
    CHECK(one->act.empty());
    why = one->why;
  });
  world.settle();
  CHECK(why.find("kill switch") != std::string::npos);
  CHECK(world.done.empty());
  CHECK(world.steward().audit().records().back().body.find("run_refused") != std::string::npos);
  const auto error = [&](const Steward::RunWish& wish) {
    std::string out;
    world.steward().run(wish, world.now(),
                        [&](Result<Steward::Ran> one) { out = one.error().message; });
    return out;
  };
  CHECK(error({"none", "INC-1", "kim", true}).find("no rule") != std::string::npos);
  CHECK(error({kRule, "INC-9", "kim", true}).find("no incident") != std::string::npos);
  CHECK(error({kRule, "INC-1", "", true}).find("who?") != std::string::npos);
}

TEST_CASE("only so many runs of people are under way at once", "[remedy]") {
  World world;
  world.steward().did(world.guard().draft(kRule, kRestart, "", "worker", "ada", world.now()),
                      [](const Status&) {});
  world.settle();
  size_t answers = 0, refused = 0;
  for (size_t i = 0; i < Steward::kMostRuns + 3; ++i) {
    world.steward().run({kRule, "INC-1", "kim", true}, world.now(),
                        [&](Result<Steward::Ran> one) { ++(one.ok() ? answers : refused); });
  }
  CHECK(refused == 3);
  CHECK(world.steward().counters().runs_refused == 3);
  world.settle();
  CHECK(answers == Steward::kMostRuns);
}

TEST_CASE("killed anywhere, what did not help is undone once, or a person is called", "[remedy]") {
  int crashes = 0;
  for (const Became found : {Became::done, Became::failed, Became::unknown}) {
    for (size_t at = 0; at < 60; ++at) {
      World world;
      world.does = {Verb::unit_start, "worker.service"};
      world.arm();
      world.recheck_becomes = found;
      world.broken = true;
      world.helps = false;
      world.crash_at = at;
      world.run(800);
      crashes += world.crashes;
      INFO("killed at step " << at);
      const auto stops = std::count(world.verbs.begin(), world.verbs.end(), Verb::unit_stop);
      CHECK(stops <= 1);
      const auto acts = world.guard().acts();
      const bool bad =
          std::any_of(acts.begin(), acts.end(), [](const auto& act) { return act.judged_bad; });
      if (bad) CHECK((stops == 1 || !world.pages.empty()));
      for (const auto& act : acts) {
        const bool open = act.judged_bad && act.undoes.empty() && !act.rolled_back;
        CHECK_FALSE((open && world.pages.empty()));
      }
    }
  }
  CHECK(crashes >= 40);
}

TEST_CASE("what was to undo an act and did not help is told to a person", "[remedy]") {
  World world;
  world.does = {Verb::unit_start, "worker.service"};
  world.arm();
  world.broken = true;
  world.helps = false;
  world.run(300);
  CHECK(world.verbs == std::vector{Verb::unit_start, Verb::unit_stop});
  const auto told = [](const std::string& page) {
    return page.find("it was to undo") != std::string::npos;
  };
  CHECK(std::count_if(world.pages.begin(), world.pages.end(), told) == 1);
}

TEST_CASE(
    "of rules that meet on one target the one that is proven best acts, whoever is tried first",
    "[remedy]") {
  for (const bool last : {false, true}) {
    World world;
    world.proven = {{"a", last ? 0.6 : 0.9}, {"z", last ? 0.9 : 0.6}};
    world.arm({"a", "z"});
    world.broken = true;
    world.run(20);
    const auto acts = world.guard().acts();
    REQUIRE(acts.size() == 1);
    CHECK(acts.front().rule == (last ? "z" : "a"));
    CHECK(world.done.size() == 1);
  }
}

TEST_CASE("an act whose incident is not known any more is no success: a person is called",
          "[remedy]") {
  World world;
  world.arm();
  world.broken = true;
  world.run(20);
  REQUIRE(phase(world) == nines::remedy::Phase::done);
  world.forgets = true;
  world.run(600);
  CHECK(phase(world) == nines::remedy::Phase::in_doubt);
  REQUIRE(world.pages.size() == 1);
  CHECK(world.pages.front().find("whether it helped") != std::string::npos);
}

TEST_CASE("an answer that was lost is looked for after half a minute, in the same life",
          "[remedy]") {
  GuardLimits slow = limits();
  slow.post_check_s = 600;
  World world(slow);
  world.arm();
  world.broken = true;
  world.loses_answer = true;
  world.recheck_becomes = Became::done;
  world.run(10);
  REQUIRE(phase(world) == nines::remedy::Phase::intended);
  world.run(20);
  CHECK(phase(world) == nines::remedy::Phase::intended);
  world.run(10);
  CHECK(phase(world) == nines::remedy::Phase::done);
  CHECK(world.done.size() == 1);
}
