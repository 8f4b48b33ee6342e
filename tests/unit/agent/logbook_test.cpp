// The log book: what it decides at each evaluation, over restarts, with a clock of the test's own.
#include "app/logbook.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::agent;
using slo::Change;
using slo::ChangeKind;

namespace {

constexpr int64_t kT0 = 1'767'225'600;

WallTime at(int64_t s) { return WallTime::from_s(kT0 + s); }

slo::SloSpec spec(const char* target = "0.9") {
  slo::SloSpec out;
  out.name = "web";
  out.service = "shop";
  out.target = *Decimal::parse(target);
  out.window_s = 86400;
  out.gate.steps = {{"slow", {5, -1}, {"pause"}, "ticket"}};
  return out;
}

// An engine and a log book whose records are kept as a store would; both restart together.
class World {
 public:
  explicit World(slo::SloSpec s = spec()) : spec_(std::move(s)) { restart(); }

  void restart() {
    book_.reset();
    engine_ = slo::SloEngine();
    REQUIRE(engine_.add(spec_).ok());
    for (const slo::Batch& batch : batches_) engine_.apply(batch);
    book_ = std::make_unique<Logbook>(engine_);
    book_->restore(changes_, of(kGateKind), of(kOverrideKind));
    Record found = book_->compare_specs(of(kSpecKind), at(now_s_));
    keep(found);
    book_->recorded(found);
  }
  // A minute at a time, evaluated every ten seconds.
  void run(int64_t seconds, int64_t good, int64_t bad) {
    for (const int64_t end = now_s_ + seconds; now_s_ < end;) {
      slo::Batch batch;
      batch.slots.push_back({0, slo::slot_of(at(now_s_)), good, bad, 10});
      batch.max_event_time = at(now_s_ + 9);
      batches_.push_back(batch);
      engine_.apply(batch);
      now_s_ += 10;
      evaluate();
    }
  }
  void evaluate(bool ready = true) {
    std::vector<slo::AlertEvent> events;
    engine_.evaluate(at(now_s_), at(now_s_), events);
    Record record = book_->evaluate(at(now_s_), ready);
    keep(record);
    book_->recorded(record);
  }
  Change deploy(int64_t at_s = -1) {
    Change change;
    change.kind = ChangeKind::deploy;
    change.service = "shop";
    change.at = at(at_s < 0 ? now_s_ : at_s);
    return write(change);
  }
  Change write(const Change& change) {
    const auto checked = book_->annotation(change, at(now_s_));
    if (!checked.ok()) FAIL(checked.error().message);
    Record record;
    record.changes.push_back(*checked);
    keep(record);
    book_->recorded(record);
    return record.changes[0];
  }
  void decide(const Result<Record>& decided) {
    if (!decided.ok()) FAIL(decided.error().message);
    Record record = *decided;
    keep(record);
    book_->recorded(record);
  }
  slo::GateVerdict gate() const {
    Snapshot snapshot;
    snapshot.slos.push_back(engine_.status(0));
    book_->decorate(snapshot);
    return snapshot.slos[0].gate;
  }
  std::vector<Change> told(ChangeKind kind) const {
    std::vector<Change> out;
    for (const Change& change : changes_) {
      if (change.kind == kind) out.push_back(change);
    }
    return out;
  }
  Logbook& book() { return *book_; }
  size_t kept() const { return of(kSpecKind).size(); }
  int64_t now_s() const { return now_s_; }
  slo::SloSpec spec_;
  size_t alerts_ = 0;

 private:
  void keep(Record& record) {
    for (Change& change : record.changes) {
      change.id = changes_.size() + 1;
      changes_.push_back(change);
    }
    for (const store::Document& d : record.documents) documents_[{d.kind, d.key}] = d;
    alerts_ += record.events.size();
  }
  std::vector<store::Document> of(const char* kind) const {
    std::vector<store::Document> out;
    for (const auto& [key, d] : documents_) {
      if (d.kind == kind && !d.body.empty()) out.push_back(d);
    }
    return out;
  }
  slo::SloEngine engine_;
  std::unique_ptr<Logbook> book_;
  std::vector<slo::Batch> batches_;
  std::vector<Change> changes_;
  std::map<std::pair<std::string, std::string>, store::Document> documents_;
  int64_t now_s_ = 0;
};

}  // namespace

TEST_CASE("A first start tells of no changed configuration, a second only of what changed",
          "[logbook]") {
  World world;
  CHECK(world.told(ChangeKind::target_change).empty());
  world.restart();
  CHECK(world.told(ChangeKind::target_change).empty());
  world.spec_.target = {95, -2};
  world.restart();
  world.restart();
  REQUIRE(world.told(ChangeKind::target_change).size() == 1);
  CHECK(world.told(ChangeKind::target_change)[0].text == "target 0.9 -> 0.95");
  CHECK(world.told(ChangeKind::policy_change).empty());
}

TEST_CASE("What is kept of an SLO goes when it is configured no more", "[logbook]") {
  World world;
  CHECK(world.kept() == 1);
  world.spec_.name = "renamed";
  world.restart();
  CHECK(world.kept() == 1);
}

TEST_CASE("A WORSE release holds the gate, is told once at its end, and the next one lets go",
          "[logbook]") {
  World world;
  world.run(3600, 100, 0);
  const Change first = world.deploy();
  world.run(600, 100, 0);
  CHECK(world.book().watches_of(first, at(world.now_s()))[0].verdict ==
        slo::WatchVerdict::watching);
  CHECK(world.gate().watch.empty());
  world.run(600, 60, 40);
  CHECK_THAT(world.gate().watch, Catch::StartsWith("release #1 is WORSE for web"));
  CHECK(world.gate().decision >= slo::Release::hold);
  world.run(6000, 100, 0);  // its share over two hours is within the target again
  REQUIRE(world.told(ChangeKind::release_watch).size() == 1);
  CHECK(*world.told(ChangeKind::release_watch)[0].detail("change") == "1");
  world.restart();
  world.run(600, 100, 0);
  CHECK(world.told(ChangeKind::release_watch).size() == 1);
}

TEST_CASE("A release found WORSE at its end holds until the next release", "[logbook]") {
  World world;
  world.run(3600, 100, 0);
  const Change first = world.deploy();
  world.run(7200, 80, 20);
  const auto told = world.told(ChangeKind::release_watch);
  REQUIRE(told.size() == 1);
  CHECK(*told[0].detail("verdict") == "WORSE");
  world.restart();
  world.run(60, 100, 0);
  CHECK_FALSE(world.gate().watch.empty());
  world.deploy();
  world.run(60, 100, 0);
  CHECK(world.gate().watch.empty());
  CHECK(world.book().watches_of(first, at(world.now_s()))[0].done);
}

TEST_CASE("A watch does not end before the counts up to its end are in", "[logbook]") {
  World world;
  world.run(9000, 100, 0);
  world.deploy(0);
  world.evaluate(false);
  CHECK(world.told(ChangeKind::release_watch).empty());
  world.evaluate(true);
  REQUIRE(world.told(ChangeKind::release_watch).size() == 1);
}

TEST_CASE("Releases of services that nobody watches do not crowd out the others", "[logbook]") {
  World world;
  world.run(3600, 100, 0);
  world.deploy();
  for (int i = 0; i < 100; ++i) {
    Change change;
    change.kind = ChangeKind::deploy;
    change.service = "elsewhere";
    world.write(change);
  }
  world.run(7200, 100, 0);
  CHECK(world.told(ChangeKind::release_watch).size() == 1);
}

TEST_CASE("A step of the budget is told once, with its alert, over restarts", "[logbook]") {
  World world;
  world.run(3600, 100, 0);
  CHECK(world.told(ChangeKind::budget_step).empty());
  world.run(600, 40, 60);
  REQUIRE(world.told(ChangeKind::budget_step).size() == 1);
  CHECK(world.alerts_ == 1);
  world.restart();
  world.run(60, 100, 0);
  CHECK(world.told(ChangeKind::budget_step).size() == 1);
  CHECK(world.alerts_ == 1);
}

TEST_CASE("An override opens the gate over a restart until its ttl, and is told when it ends",
          "[logbook]") {
  World world;
  world.run(600, 40, 60);
  REQUIRE(world.gate().decision == slo::Release::freeze);
  world.decide(
      world.book().override_gate({"shop", "ann", "hotfix", 600, false}, at(world.now_s())));
  world.evaluate();
  CHECK(world.gate().allows());
  CHECK(world.gate().without_override == slo::Release::freeze);
  world.restart();
  world.run(590, 40, 60);
  CHECK(world.gate().allows());
  world.run(10, 40, 60);
  CHECK(world.gate().decision == slo::Release::freeze);
  const auto told = world.told(ChangeKind::override);
  REQUIRE(told.size() == 2);
  CHECK(*told[0].detail("action") == "opened");
  CHECK(*told[1].detail("action") == "expired");
  world.restart();
  world.run(60, 40, 60);
  CHECK(world.told(ChangeKind::override).size() == 2);
}

TEST_CASE("An override without ttl lasts as long as the policy allows; revoking ends it",
          "[logbook]") {
  World world;
  world.run(600, 40, 60);
  world.decide(world.book().override_gate({"web", "ann", "why", 0, false}, at(world.now_s())));
  world.evaluate();
  CHECK(world.gate().override_until == at(world.now_s() + 4 * 3600));
  world.decide(world.book().override_gate({"web", "bob", "", 0, true}, at(world.now_s())));
  world.evaluate();
  CHECK_FALSE(world.gate().overridden);
  CHECK(world.book().override_gate({"web", "bob", "", 0, true}, at(0)).error().code ==
        Errc::not_found);
  CHECK(world.book().override_gate({"nobody", "bob", "x", 0, false}, at(0)).error().code ==
        Errc::not_found);
}

TEST_CASE("An annotation of an SLO gets its service, and must not contradict it", "[logbook]") {
  World world;
  Change change;
  change.slo = "web";
  CHECK(world.book().annotation(change, at(0))->service == "shop");
  CHECK(world.book().annotation(change, at(5))->at == at(5));
  change.service = "mail";
  CHECK_THAT(world.book().annotation(change, at(0)).error().message,
             Catch::Contains("belongs to service 'shop'"));
  change.slo = "wep";
  CHECK(world.book().annotation(change, at(0)).error().code == Errc::not_found);
  change = {};
  change.kind = ChangeKind::override;
  CHECK_FALSE(world.book().annotation(change, at(0)).ok());
}

TEST_CASE("The log book keeps a bounded number of entries", "[logbook]") {
  World world;
  Record record;
  record.changes.resize(Logbook::kMaxChanges + 10);
  uint64_t id = 0;
  for (Change& change : record.changes) change.id = ++id;
  world.book().recorded(record);
  CHECK(world.book().changes().size() == Logbook::kMaxChanges);
  CHECK(world.book().find(10) == nullptr);
  CHECK(world.book().find(11) != nullptr);
}

TEST_CASE("Every SLO shows its own gate, wherever the rows of groups stand", "[logbook]") {
  slo::SloSpec jobs = spec();
  jobs.name = "jobs";
  jobs.indicator.group = slo::GroupSpec{"type", 5, false};
  slo::SloEngine engine;
  REQUIRE(engine.add(jobs).ok());
  REQUIRE(engine.add(spec()).ok());
  REQUIRE(engine.add(slo::row_of(jobs, "mail")).ok());
  slo::Batch batch;
  const int64_t slot = slo::slot_of(at(0));
  batch.slots = {{0, slot, 100, 0, 10}, {1, slot, 0, 100, 10}, {2, slot, 50, 0, 10}};
  engine.apply(batch);
  std::vector<slo::AlertEvent> events;
  engine.evaluate(at(10), at(10), events);
  Logbook book(engine);
  (void)book.evaluate(at(10), true);
  Snapshot snapshot;
  for (const uint32_t shown : {0U, 2U, 1U}) snapshot.slos.push_back(engine.status(shown));
  book.decorate(snapshot);
  CHECK(snapshot.slos[0].gate.decision == slo::Release::go);
  CHECK(snapshot.slos[1].gate.decision == slo::Release::go);
  CHECK(snapshot.slos[2].gate.decision == slo::Release::freeze);
}

TEST_CASE("What is kept of the gate of a group goes with the group", "[logbook]") {
  slo::SloSpec jobs = spec();
  jobs.name = "jobs";
  jobs.indicator.group = slo::GroupSpec{"type", 5, false};
  slo::SloEngine engine;
  REQUIRE(engine.add(jobs).ok());
  const auto row = engine.add(slo::row_of(jobs, "mail"));
  REQUIRE(row.ok());
  Logbook book(engine);
  CHECK(book.evaluate(at(10), true).documents.empty());
  engine.remove(*row);
  const Record told = book.evaluate(at(20), true);
  REQUIRE(told.documents.size() == 1);
  CHECK(told.documents[0] == store::Document{kGateKind, "jobs{mail}", ""});
  CHECK(book.evaluate(at(30), true).documents.empty());
  Change change;
  change.kind = ChangeKind::note;
  change.slo = "jobs{mail}";
  CHECK_FALSE(book.annotation(change, at(30)).ok());
}
