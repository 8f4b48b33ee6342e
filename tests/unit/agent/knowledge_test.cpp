#include <stdlib.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>

#include "app/librarian.hpp"
#include "knowledge/page_knowledge.hpp"
#include "knowledge/shelf.hpp"
#include "manual_clock.hpp"
#include "notify/message.hpp"

using namespace nines;
using namespace nines::agent;
using knowledge::PageKnowledge;
using knowledge::Shelf;
using knowledge::Wish;

namespace fs = std::filesystem;

namespace {

class KnowledgeDir {
 public:
  KnowledgeDir() {
    std::string pattern = (fs::temp_directory_path() / "nines-kb-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
    fs::create_directories(runbooks());
  }
  ~KnowledgeDir() {
    std::error_code ignored;
    fs::permissions(runbooks(), fs::perms::owner_all, ignored);
    fs::remove_all(path_, ignored);
  }
  std::string runbooks() const { return path_ + "/runbooks"; }
  std::string state() const { return path_ + "/state"; }
  std::string write(const std::string& name, const std::string& text) const {
    const std::string path = runbooks() + "/" + name;
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
    return path;
  }
  knowledge::ShelfSettings settings(int64_t reviews = 512) const {
    return {state(), runbooks(), reviews};
  }

 private:
  std::string path_;
};

void follow(Shelf& shelf) {
  for (int turn = 0; turn < 100; ++turn) {
    if (!shelf.follow_runbooks()) return;
  }
  FAIL("there is always more to do");
}

std::string ids(Shelf& shelf) {
  const auto all = shelf.search({{}, {}, "runbook words", "", 50});
  REQUIRE(all.ok());
  std::string out;
  for (const auto& one : *all) {
    out += (out.empty() ? "" : " ") + fs::path(one.id).filename().string();
  }
  return out;
}

constexpr const char* kDisk =
    "---\nservice: checkout\ntemplates: [00000000000000a1]\n---\n# Disk full\n\nAbout disks.\n\n"
    "## Free space\n\nDelete old write-ahead segments first.\nThen vacuum.\nThird line.\n\n"
    "## Prevent it\n\nAlert earlier.\n";

Wish wish(std::vector<std::string> templates, std::string service, std::string text) {
  return {std::move(templates), std::move(service), std::move(text), {}};
}

store::Article review(const std::string& id, const std::string& text,
                      std::vector<std::string> templates = {}) {
  return {"incident/" + id, "postmortem", id + ": " + text, "checkout", std::move(templates), text};
}

slo::AlertEvent fired(uint64_t sequence, const std::string& summary) {
  slo::AlertEvent event;
  event.kind = slo::AlertEvent::Kind::fired;
  event.sequence = sequence;
  event.boot = 1;
  event.service = "checkout";
  event.summary = summary;
  event.severity = "page";
  return event;
}

}  // namespace

TEST_CASE("The section that fits is the one with the template id, then the one with most words",
          "[knowledge]") {
  const std::string text =
      "# Top\nintro about nothing\n## Restart\nrestart the broker\n```\n# kill -9\n```\n"
      "## Drain\n\ndrain the queue of the broker first\n00000000000000b2\n";
  CHECK(knowledge::best_section(text, {"restart"}, {}).heading == "Restart");
  CHECK(knowledge::best_section(text, {"restart", "drain", "queue"}, {}).heading == "Drain");
  CHECK(knowledge::best_section(text, {"restart"}, {"00000000000000b2"}).heading == "Drain");
  CHECK(knowledge::best_section(text, {"zebra"}, {}).heading == "Top");
  const auto best = knowledge::best_section(text, {"queue", "broker", "bro"}, {});
  CHECK(best.lines ==
        std::vector<std::string>{"drain the queue of the broker first", "00000000000000b2"});
  CHECK(best.words == 2);  // "bro" is only a part of a word
  CHECK(knowledge::best_section("", {"a"}, {}).lines.empty());
}

TEST_CASE("Words that every text has, and numbers, tell nothing", "[knowledge]") {
  CHECK(knowledge::telling_words("The disk of 12345 was FULL, the Disk", 10) ==
        std::vector<std::string>{"disk", "full"});
  CHECK(knowledge::telling_words("one two three four", 2).size() == 2);
}

TEST_CASE("A page takes along the runbook that fits and incidents that were alike", "[knowledge]") {
  const KnowledgeDir dir;
  const std::string path = dir.write("disk.md", kDisk);
  dir.write("network.md", "---\nservice: checkout\n---\n# Network\n\nWhen the broker is away.\n");
  Shelf shelf(dir.settings());
  follow(shelf);
  shelf.keep_review(review("INC-1", "the disk of checkout was full", {"00000000000000a1"}), {});
  shelf.keep_review(review("INC-2", "something with a certificate"), {});
  Wish asked = wish({"00000000000000a1"}, "checkout", "no space left, write segments");
  const PageKnowledge found = shelf.find(asked);
  REQUIRE(found.runbook);
  CHECK(found.runbook->id == path);
  CHECK(found.runbook->title == "Disk full");
  CHECK(found.runbook->section == "Free space");
  CHECK(found.runbook->lines ==
        std::vector<std::string>{"Delete old write-ahead segments first.", "Then vacuum."});
  CHECK(found.runbook->read == "nines kb show " + path);
  REQUIRE(found.similar.size() == 1);
  CHECK(found.similar[0].id == "incident/INC-1");
  CHECK(!found.similar[0].lines.empty());
  asked.not_these = {"incident/INC-1"};  // no incident is like itself
  CHECK(shelf.find(asked).similar.empty());

  // Reviews quote logs; where those are not to be shown, runbooks are all the same.
  knowledge::ShelfSettings without = dir.settings();
  without.review_lines = false;
  asked.not_these = {};
  Shelf other(without);
  const PageKnowledge names = other.find(asked);
  REQUIRE(names.runbook);
  CHECK(names.runbook->lines == found.runbook->lines);
  REQUIRE(names.similar.size() == 1);
  CHECK(names.similar[0].id == "incident/INC-1");
  CHECK(names.similar[0].lines.empty());

  slo::AlertEvent event = fired(1, "disk");
  attach(event, found);
  const std::string json = notify::payload_json({"n", "v", 1}, event);
  CHECK(json.find("\"knowledge\":{\"runbook\":{\"id\":") != std::string::npos);
  CHECK(json.find("\"incident\"") == std::string::npos);  // there is none
  CHECK(to_text(found).find("What to do: Disk full, Free space\n  Delete old") == 0);
}

TEST_CASE("What only has a word in common is no help", "[knowledge]") {
  const KnowledgeDir dir;
  dir.write("disk.md", "---\nservice: other\n---\n# Disk full\n\nAbout disks and requests.\n");
  Shelf shelf(dir.settings());
  follow(shelf);
  CHECK(shelf.find(wish({}, "checkout", "requests fail with a timeout")).empty());
  CHECK(shelf.find(wish({}, "checkout", "")).empty());
  CHECK(shelf.find(wish({}, "checkout", "the disk is full, requests fail")).runbook);
}

TEST_CASE("A folder of runbooks is kept in step with", "[knowledge]") {
  const KnowledgeDir dir;
  dir.write("a.md", "# A\nrunbook words\n");
  const std::string b = dir.write("sub/b.md", "# B\nrunbook words\n");
  dir.write("..2026_11/c.md", "# C\nrunbook words\n");  // the other half of a ConfigMap
  dir.write("notes.txt", "runbook words\n");
  {
    Shelf shelf(dir.settings());
    follow(shelf);
    CHECK(ids(shelf) == "a.md b.md");
    CHECK(shelf.counters().added == 2);
    follow(shelf);
    CHECK(shelf.counters().added == 2);  // nothing changed, nothing is written

    dir.write("a.md", "# A\nrunbook words, and more of them\n");
    follow(shelf);
    CHECK(shelf.counters().added == 3);
    CHECK((*shelf.article(fs::canonical(dir.runbooks()).string() + "/a.md"))->text.size() == 36);
  }
  fs::remove(b);  // while nobody looked
  Shelf later(dir.settings());
  follow(later);
  CHECK(ids(later) == "a.md");
  CHECK(later.counters().removed == 1);
}

TEST_CASE("A folder that is away removes nothing", "[knowledge]") {
  const KnowledgeDir dir;
  dir.write("a.md", "# A\nrunbook words\n");
  Shelf shelf(dir.settings());
  follow(shelf);
  fs::rename(dir.runbooks(), dir.runbooks() + ".away");
  follow(shelf);
  CHECK(ids(shelf) == "a.md");
  CHECK(shelf.counters().failures == 1);
  fs::rename(dir.runbooks() + ".away", dir.runbooks());
  follow(shelf);
  CHECK(ids(shelf) == "a.md");
}

TEST_CASE("A runbook that is too large is left out and counted, once", "[knowledge]") {
  const KnowledgeDir dir;
  dir.write("a.md", "# A\nrunbook words\n");
  dir.write("large.md", std::string(store::KnowledgeBase::kMaxArticleBytes + 1, 'x'));
  Shelf shelf(dir.settings());
  follow(shelf);
  follow(shelf);
  CHECK(ids(shelf) == "a.md");
  CHECK(shelf.counters().refused == 1);
}

TEST_CASE("Many runbooks are taken in over several turns", "[knowledge]") {
  const KnowledgeDir dir;
  for (int i = 0; i < 20; ++i) dir.write(std::to_string(i) + ".md", "# R\nrunbook words\n");
  Shelf shelf(dir.settings());
  CHECK(shelf.follow_runbooks());
  CHECK(shelf.counters().added == Shelf::kMostWrites);
  follow(shelf);
  CHECK(shelf.counters().added == 20);
}

TEST_CASE("Reviews are replaced, and the oldest give way", "[knowledge]") {
  const KnowledgeDir dir;
  Shelf shelf(dir.settings(2));
  shelf.keep_review(review("INC-2026-0101-001", "one"), {});
  shelf.keep_review(review("INC-2026-0102-001", "two"), {});
  shelf.keep_review(review("INC-2026-0102-001", "two"), {});
  CHECK(shelf.counters().reviews == 2);
  shelf.keep_review(review("INC-2026-0102-001", "two, rewritten"), {});
  CHECK(shelf.counters().reviews == 3);
  CHECK((*shelf.article("incident/INC-2026-0102-001"))->text == "two, rewritten");
  shelf.keep_review(review("INC-2026-0103-001", "three"), {"INC-2026-0102-001"});
  CHECK_FALSE(*shelf.article("incident/INC-2026-0102-001"));  // it was the same incident
  shelf.keep_review(review("INC-2026-0104-001", "four"), {});
  CHECK_FALSE(*shelf.article("incident/INC-2026-0101-001"));
  CHECK(shelf.counters().pruned == 1);
  CHECK(shelf.counters().articles == 2);
}

namespace {

struct LibrarianWorld {
  explicit LibrarianWorld(const KnowledgeDir& dir) : LibrarianWorld(dir.settings()) {}
  template <class Settings>
  explicit LibrarianWorld(const Settings& settings)
      : librarian({io, clock, work, settings, [] { return nullptr; },
                   [] { return std::vector<slo::Change>(); }}) {}
  // Runs until `done` says so, for half a minute at most.
  template <class Done>
  void run(Done done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done() && std::chrono::steady_clock::now() < deadline) {
      io.restart();
      io.run_for(std::chrono::milliseconds(10));
    }
    REQUIRE(done());
  }
  net::asio::io_context io{1};
  nines::test::ManualClock clock{WallTime{1'800'000'000 * kNsPerSecond}};
  Worker work;
  Librarian librarian;
};

}  // namespace

TEST_CASE("Events that fire take along what fits, others pass as they are", "[knowledge]") {
  const KnowledgeDir dir;
  dir.write("disk.md", kDisk);
  LibrarianWorld world(dir);
  const auto added = [&] {
    return world.librarian.metrics().find("runbooks_added_total 1\n") != std::string::npos;
  };
  world.librarian.look();
  world.run(added);
  std::vector<slo::AlertEvent> events{fired(1, "the disk is full"), fired(2, "disk")};
  events[1].kind = slo::AlertEvent::Kind::resolved;
  std::optional<std::vector<slo::AlertEvent>> told;
  world.librarian.prepare(events, [&](auto out) { told = std::move(out); });
  world.run([&] { return told.has_value(); });
  REQUIRE(told->size() == 2);
  CHECK((*told)[0].detail(knowledge::kJsonDetail) != nullptr);
  CHECK((*told)[1].details.empty());
  // Who else tells of it gets the same, without another search.
  told.reset();
  world.librarian.prepare({events[0]}, [&](auto out) { told = std::move(out); });
  REQUIRE(told.has_value());
  CHECK((*told)[0].detail(knowledge::kJsonDetail) != nullptr);
  CHECK(world.librarian.metrics().find("nines_knowledge_searches_total 1\n") != std::string::npos);
}

TEST_CASE("However many tell of an event, it is searched for once, and all have the answer",
          "[knowledge]") {
  const KnowledgeDir dir;
  dir.write("disk.md", kDisk);
  LibrarianWorld world(dir);
  world.librarian.look();
  world.run([&] {
    return world.librarian.metrics().find("runbooks_added_total 1\n") != std::string::npos;
  });
  std::promise<void> release;
  world.work.post([&] { release.get_future().wait(); });
  constexpr size_t kTellers = 3 * Librarian::kMostSearches;
  size_t with = 0, told = 0;
  for (size_t i = 0; i < kTellers; ++i) {
    std::vector<slo::AlertEvent> events{fired(1, "the disk is full")};
    if (i % 2 == 1) events.push_back(fired(2, "disk"));
    const size_t wanted = events.size();
    world.librarian.prepare(events, [&, wanted](const std::vector<slo::AlertEvent>& out) {
      ++told;
      CHECK(out.size() == wanted);
      for (const auto& event : out) with += event.detail(knowledge::kJsonDetail) != nullptr;
    });
  }
  release.set_value();
  world.run([&] { return told == kTellers; });
  CHECK(with == kTellers * 3 / 2);
  CHECK(world.librarian.metrics().find("nines_knowledge_searches_total 2\n") != std::string::npos);
}

TEST_CASE("A page does not wait for a store that is busy", "[knowledge]") {
  const KnowledgeDir dir;
  LibrarianWorld world(dir);
  std::promise<void> release;
  world.work.post([&] { release.get_future().wait(); });
  std::optional<std::vector<slo::AlertEvent>> told;
  world.librarian.prepare({fired(1, "disk")}, [&](auto out) { told = std::move(out); });
  CHECK_FALSE(told.has_value());
  world.run([&] { return told.has_value(); });  // the store is still busy
  CHECK((*told)[0].details.empty());
  CHECK(world.librarian.metrics().find("nines_knowledge_late_total 1\n") != std::string::npos);
  // Beyond so many that wait nobody waits.
  size_t bare = 0;
  for (uint64_t i = 2; i < 2 + Librarian::kMostSearches; ++i) {
    world.librarian.prepare({fired(i, "disk")}, [&](const auto&) { ++bare; });
  }
  CHECK(bare == 1);
  CHECK(world.librarian.metrics().find("nines_knowledge_busy_total 1\n") != std::string::npos);
  release.set_value();
  world.run([&] { return bare == Librarian::kMostSearches; });
}

TEST_CASE("A knowledge base that cannot be opened leaves pages bare", "[knowledge]") {
  const KnowledgeDir dir;
  fs::create_directories(dir.state());
  std::ofstream(dir.state() + "/knowledge.db") << "this is no database, and it is long enough";
  LibrarianWorld world(dir);
  std::optional<std::vector<slo::AlertEvent>> told;
  world.librarian.prepare({fired(1, "disk")}, [&](auto out) { told = std::move(out); });
  world.run([&] { return told.has_value(); });
  CHECK((*told)[0].details.empty());
}

TEST_CASE("Where no postmortems are kept, none waits for room", "[knowledge]") {
  const KnowledgeDir dir;
  for (const int64_t reviews : {0, 1}) {
    auto settings = dir.settings();
    settings.reviews = reviews;
    LibrarianWorld world(settings);
    for (size_t i = 0; i < Librarian::kMostReviews + 7; ++i) {
      world.librarian.touched("INC-" + std::to_string(i));
    }
    const std::string beyond = "reviews_beyond_limit_total " + std::to_string(reviews == 0 ? 0 : 7);
    CHECK(world.librarian.metrics().find(beyond + "\n") != std::string::npos);
  }
}
