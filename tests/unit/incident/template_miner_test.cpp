#include "nines/incident/template_miner.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <iostream>
#include <random>

#include "loghub.hpp"

using nines::incident::MinerLimits;
using nines::incident::TemplateId;
using nines::incident::TemplateMiner;
using nines::incident::test::Accuracy;
using nines::incident::test::accuracy_of;
using nines::incident::test::loghub;

namespace {

TemplateId id_of(TemplateMiner& miner, const std::string& message) {
  return miner.current(miner.add(message).id);
}

std::string text_of(TemplateMiner& miner, const std::string& message) {
  return std::string(miner.text(miner.add(message).id));
}

}  // namespace

TEST_CASE("Numbers, hosts, paths, dates and addresses are parameters from the first line on") {
  TemplateMiner miner;
  const auto same = [&](const std::string& a, const std::string& b) {
    INFO(a << " | " << b);
    CHECK(id_of(miner, a) == id_of(miner, b));
  };
  same("took 18 ms to read 5.2 KB", "took 3 s to read 59.0 B");
  same("Connection from 10.0.0.1 closed", "Connection from db.example.org closed");
  same("cannot open /var/log/x.log now", "cannot open ./x now");
  same("at Fri Jul  1 07:57:30 2005 it ended", "at 2005-07-02 it ended");
  same("station FF:FE:9F:16:EB:DC joined us", "station 00:11:22:33:44:55 joined us");
  same("ask to delete blk_-1", "ask to delete blk_2 blk_3 blk_-4");
  same("request 7f9d4c2e-11aa-4b6e-9c1d-5f0a1b2c3d4e failed", "request deadbeef failed");
  same("value.......0", "value..12");
  CHECK(id_of(miner, "Transitioned from NEW to INITED") !=
        id_of(miner, "Transitioned from INITED to RUNNING"));
  CHECK(id_of(miner, "GET /a status 200") != id_of(miner, "POST /a status 200"));
}

TEST_CASE("A text shows where the parameters are") {
  TemplateMiner miner;
  CHECK(text_of(miner, "Failed password for root from 10.0.0.1 port 42 ssh2") ==
        "Failed password for root from <*> port <*> <*>");
  CHECK(text_of(miner, "x=12, y=(3.5) [abc] blk_-1") == "x=<*>, y=(<*>) [abc] <*>");
  CHECK(text_of(miner, "42") == "<*>");
  CHECK(text_of(miner, "") == "<*>");
}

TEST_CASE(
    "A word that differs four times at one place becomes a parameter, and what was counted moves") {
  TemplateMiner miner;
  const auto line = [](const std::string& user) { return "session opened for user " + user; };
  const auto first = miner.add(line("alice"));
  CHECK(first.fresh);
  CHECK_FALSE(miner.add(line("alice")).fresh);
  CHECK(miner.add(line("bob")).fresh);
  CHECK(miner.add(line("carol")).fresh);
  CHECK(miner.take_merges().empty());
  const auto fourth = miner.add(line("dave"));
  CHECK_FALSE(fourth.fresh);
  CHECK(miner.text(fourth.id) == "session opened for user <*>");
  const auto merges = miner.take_merges();
  CHECK(merges.size() == 4);
  CHECK(std::all_of(merges.begin(), merges.end(),
                    [&](const auto& merge) { return merge.to == fourth.id; }));
  CHECK(miner.current(first.id) == fourth.id);
  CHECK(miner.add(line("erin")).id == fourth.id);
  CHECK(miner.add(line("user17")).id == fourth.id);  // a parameter by its digits
  CHECK(miner.add("session opened for user alice on tty").id != fourth.id);
}

TEST_CASE("Two parameters in one message are found one after the other") {
  TemplateMiner miner;
  for (const char* a : {"alice", "bob", "carol", "dave", "erin"}) {
    for (const char* b : {"read", "write", "list", "drop", "grant"}) {
      miner.add(std::string("denied for ") + a + " to " + b + " the table");
    }
  }
  CHECK(text_of(miner, "denied for mallory to see the table") == "denied for <*> to <*> the table");
  CHECK(miner.stats().templates == 1);
}

TEST_CASE("Short messages that differ in a word stay apart") {
  TemplateMiner miner;
  for (const char* word : {"start", "stop", "reload", "flush", "sync", "idle"}) miner.add(word);
  CHECK(miner.stats().templates == 6);
  for (const char* unit : {"klogd", "syslogd", "hcid", "portmap", "random"}) {
    miner.add(std::string(unit) + " startup succeeded");
  }
  CHECK(miner.stats().templates == 11);
}

TEST_CASE("The number of templates is bounded, and those in use stay") {
  MinerLimits limits;
  limits.max_templates = 64;
  TemplateMiner miner(limits);
  const TemplateId kept = id_of(miner, "the line that comes again and again");
  std::mt19937 chance(7);
  for (int i = 0; i < 5000; ++i) {
    std::string message;
    for (int w = 0; w < 4; ++w) {
      message += ' ';
      for (int c = 0; c < 6; ++c) message += static_cast<char>('g' + chance() % 20);
    }
    miner.add(message);
    CHECK_FALSE(miner.add("the line that comes again and again").fresh);
  }
  const auto stats = miner.stats();
  CHECK(stats.templates <= 64);
  CHECK(stats.forgotten > 1000);
  CHECK(stats.memory_bytes < 512 * 1024);
  CHECK(id_of(miner, "the line that comes again and again") == kept);
}

TEST_CASE("What was saved makes the same templates again, and damage is refused") {
  TemplateMiner before;
  for (const char* user : {"alice", "bob", "carol", "dave"}) {
    before.add(std::string("session opened for user ") + user);
  }
  const TemplateId id = id_of(before, "session opened for user erin");
  const TemplateId other = id_of(before, "disk is full");
  const std::string saved = before.save();
  TemplateMiner after;
  REQUIRE(after.merge_saved(saved).ok());
  CHECK_FALSE(after.add("session opened for user frank").fresh);
  CHECK(id_of(after, "session opened for user frank") == id);
  CHECK(id_of(after, "disk is full") == other);
  REQUIRE(after.merge_saved(saved).ok());
  CHECK(after.stats().templates == 2);
  for (size_t n = 0; n < saved.size(); ++n) {
    TemplateMiner fresh;
    CHECK_FALSE(fresh.merge_saved(saved.substr(0, n)).ok());
    CHECK(fresh.stats().templates == 0);
  }
}

TEST_CASE("Nodes that tell each other have the same ids, although each saw other lines") {
  TemplateMiner a, b;
  for (const char* user : {"alice", "bob", "carol", "dave"}) {
    a.add(std::string("session opened for user ") + user);
  }
  const TemplateId theirs = b.add("session opened for user zoe").id;
  CHECK(theirs != id_of(a, "session opened for user zoe"));
  REQUIRE(b.merge_saved(a.save()).ok());
  REQUIRE(a.merge_saved(b.save()).ok());
  CHECK(b.current(theirs) == id_of(a, "session opened for user zoe"));
  CHECK(b.text(theirs) == a.text(id_of(a, "session opened for user zoe")));
}

TEST_CASE("Neither the order of lines nor which node saw them changes an id") {
  std::vector<std::string> messages;
  for (const char* set : {"Linux", "Hadoop", "OpenSSH"}) {
    for (const auto& line : loghub(set)) messages.push_back(line.content);
  }
  if (messages.empty()) {
    std::cout << "######## SKIPPED: no labelled samples of LogHub here ########\n";
    return;
  }
  TemplateMiner alone;
  for (const std::string& message : messages) alone.add(message);
  std::mt19937 chance(42);
  std::vector<std::string> shuffled = messages;
  for (int round = 0; round < 3; ++round) {
    std::shuffle(shuffled.begin(), shuffled.end(), chance);
    TemplateMiner nodes[3];
    for (const std::string& message : shuffled) nodes[chance() % 3].add(message);
    // Each tells the others, until nobody has news.
    for (int turn = 0; turn < 3; ++turn) {
      for (TemplateMiner& from : nodes) {
        for (TemplateMiner& to : nodes) REQUIRE(to.merge_saved(from.save()).ok());
      }
    }
    size_t unlike = 0;
    for (const std::string& message : messages) {
      const TemplateId wanted = id_of(alone, message);
      for (TemplateMiner& node : nodes) unlike += id_of(node, message) != wanted ? 1 : 0;
    }
    CHECK(unlike == 0);
  }
}

TEST_CASE("Templates of the labelled samples are grouped as people grouped them") {
  // What it reached when it was written, with the one setting that there is; the published Drain,
  // with settings for each set, beside it.
  struct Set {
    const char* name;
    double least, drain;
  };
  const Set sets[] = {{"Apache", 1.0, 1.0},       {"BGL", 0.975, 0.9625},
                      {"HDFS", 1.0, 0.9975},      {"Hadoop", 0.985, 0.9475},
                      {"HealthApp", 1.0, 0.78},   {"Linux", 0.935, 0.69},
                      {"OpenSSH", 0.995, 0.7875}, {"Zookeeper", 0.99, 0.9665}};
  double sum = 0, f1 = 0;
  for (const Set& set : sets) {
    const auto lines = loghub(set.name);
    if (lines.empty()) {
      std::cout << "######## SKIPPED: no labelled samples of LogHub here ########\n";
      return;
    }
    TemplateMiner miner;
    std::vector<TemplateId> ids;
    for (const auto& line : lines) ids.push_back(miner.add(line.content).id);
    for (TemplateId& id : ids) id = miner.current(id);
    const Accuracy accuracy = accuracy_of(lines, ids);
    std::cout << set.name << ": grouping accuracy " << accuracy.grouping << " (Drain " << set.drain
              << "), F1 of groups " << accuracy.f1 << ", " << accuracy.groups << " groups of "
              << accuracy.events << "\n";
    INFO(set.name);
    CHECK(accuracy.grouping >= set.least);
    sum += accuracy.grouping;
    f1 += accuracy.f1;
  }
  CHECK(sum / 8 >= 0.98);
  CHECK(f1 / 8 >= 0.96);
}
