// What people read of an incident.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "nines/incident/communication.hpp"
#include "nines/incident/current_evidence.hpp"
#include "nines/incident/kpi.hpp"
#include "story_fixture.hpp"

using namespace nines;
using namespace nines::incident;
using namespace nines::incident::testing;

namespace {

// Compares with tests/unit/incident/golden/<name>; NINES_BLESS=1 writes it anew.
void golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(NINES_SOURCE_DIR) + "/tests/unit/incident/golden/" + name;
  if (std::getenv("NINES_BLESS") != nullptr) {
    std::ofstream(path) << text;
    std::cerr << "BLESSED: " << path << "\n";
    return;
  }
  std::ifstream in(path);
  REQUIRE(in.good());
  std::stringstream expected;
  expected << in.rdbuf();
  CHECK(text == expected.str());
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("A postmortem reads as a person would write it, and makes nothing up") {
  const CheckoutStory story;
  const Postmortem p = postmortem_of(story.incident(10 * 86400), story.facts, at(10 * 86400));
  golden("postmortem.md", postmortem_markdown(p));
  std::string json;
  JsonWriter out(json, 1);
  write_json(out, p);
  golden("postmortem.json", json + "\n");
}

TEST_CASE("Where the timeline of all nodes is kept the review tells it, in its order") {
  CheckoutStory story;
  story.facts.timeline = {{at(-60), "Change (b, pay): v2"},
                          {at(0), "Alert (a, checkout): burns"},
                          {at(0), "Kernel (b): out of memory", true}};
  const Postmortem p = postmortem_of(story.incident(10 * 86400), story.facts, at(10 * 86400));
  const std::string paper = postmortem_markdown(p);
  const size_t change = paper.find("Change (b, pay): v2"),
               alert = paper.find("Alert (a, checkout)");
  CHECK(change < alert);
  CHECK(alert < paper.find("Kernel (b): out of memory (or before the line above)"));
  CHECK_FALSE(has(paper, "** - Acknowledged"));  // the history is in the timeline already
  CHECK(has(paper, "** - Recovered"));           // what follows from it is told beside it
}

TEST_CASE("A postmortem has a title that fits a line, and tells suspects of one moment as one") {
  Node n("a");
  Condition burn = condition("burn/door", "door", 1, at(0));
  burn.text =
      "door burns its error budget 14.5 times as fast as it may: 74 of 1019 events bad in 1h (rule "
      "fast, page above 14.4); 46.4 % of the 30d budget is used.";
  n.keep(n.book.observe(burn, at(0)));
  const std::string id = n.all(0)[0].id;
  for (const char* name : {"2 mail", "1 pay"}) {
    n.keep(n.book.add(id, EventKind::suspects, "", std::string(name + 2) + "; is silent",
                      {{"rank", std::string(name, 1)}, {"service", name + 2}, {"score", "82.10"}},
                      at(10)));
  }
  const std::string paper = postmortem_markdown(postmortem_of(n.all(60)[0], {}, at(60)));
  const std::string title = paper.substr(0, paper.find('\n'));
  CHECK(has(title, "74 of 1019 events bad in 1h"));
  CHECK_FALSE(has(title, "rule fast"));
  CHECK_FALSE(has(title, "budget is used"));
  CHECK(has(paper, "Suspects found: pay (E2), mail (E1)\n"));
  CHECK(has(paper, "): pay: is silent\n"));  // ranks and scores are for programs
  CHECK(paper.find("): pay: is silent") < paper.find("): mail: is silent"));
}

TEST_CASE("A postmortem of what came back tells the time between apart, and the newest cost only") {
  Node n("a");
  n.begins("burn/door", "door", 1, 0);
  const std::string id = n.all(0)[0].id;
  const auto cost = [&](int64_t s, const char* text) {
    n.keep(n.book.add(id, EventKind::impact, "", text, {{"until", "1772366400"}}, at(s)));
  };
  cost(10, "4 of 9 events were bad");
  n.ends("burn/door", 600);
  n.run(600, 1'300);
  REQUIRE(n.all(1'300)[0].state == State::resolved);
  n.begins("burn/door", "door", 1, 1'500);
  n.tick(1'500);
  cost(1'600, "7 of 19 events were bad");
  n.ends("burn/door", 1'800);
  n.run(1'800, 2'500);
  REQUIRE(n.all(2'500).size() == 1);
  const std::string paper = postmortem_markdown(postmortem_of(n.all(2'500)[0], {}, at(2'500)));
  CAPTURE(paper);
  CHECK(has(paper,
            "Duration: 30 min (2026-03-01 12:00:00 UTC to 2026-03-01 12:30:00 UTC), 15 min "
            "of it in 2 stretches, between which all was well\n"));
  CHECK(has(paper, "It lasted 15 min in 2 stretches (aim for P0 and P1"));
  CHECK(has(paper, "**12:25:00 UTC** - It is back. Condition: door burns its budget\n"));
  CHECK_FALSE(has(paper, "Impact measured: 4 of 9"));
  CHECK(has(paper, "Impact measured: 7 of 19"));
  CHECK(has(paper, "12:26:40 UTC, a): 7 of 19 events were bad\n"));  // without what its text says
}

TEST_CASE("Diagnostics that were renewed are told as such in a postmortem") {
  Node n("a");
  n.begins("burn/door", "door", 1, 0);
  const std::string id = n.all(0)[0].id;
  for (const int64_t s : {10, 70, 130}) {
    for (const char* part : {"class", "vitals"}) {
      n.keep(
          n.book.add(id, EventKind::diagnostics, "", "free memory 12 %", {{"part", part}}, at(s)));
    }
  }
  const std::string paper = postmortem_markdown(postmortem_of(n.all(200)[0], {}, at(200)));
  CAPTURE(paper);
  CHECK(has(paper, "**12:00:10 UTC** - Diagnostics taken: 2 findings, see the evidence\n"));
  CHECK(has(paper, "**12:01:10 UTC** - Diagnostics taken again: 2 findings, see the evidence\n"));
  CHECK(has(paper, "**12:02:10 UTC** - Diagnostics taken again: 2 findings"));
}

TEST_CASE("Evidence in a postmortem is words, with what it rests on in lines of their own") {
  Node n("a");
  n.begins("burn/door", "door", 1, 0);
  const std::string id = n.all(0)[0].id;
  n.keep(n.book.add(id, EventKind::diagnostics, "", "the last changes",
                    {{"part", "changes"}, {"page", "1/1"}, {"1", "deploy of pay: 1.4.2"}}, at(10)));
  n.keep(n.book.add(id, EventKind::diagnostics, "", "failure class crash (3.00)",
                    {{"part", "class"},
                     {"class", "crash"},
                     {"weight", "3.00"},
                     {"why-1", "pay: no line for 370 s"}},
                    at(10)));
  n.keep(n.book.add(id, EventKind::suspects, "", "pay; is silent",
                    {{"rank", "1"},
                     {"of", "1"},
                     {"score", "9.10"},
                     {"service", "pay"},
                     {"example", "charged"},
                     {"on", "n3"}},
                    at(10)));
  const std::string paper = postmortem_markdown(postmortem_of(n.all(60)[0], {}, at(60)));
  CAPTURE(paper);
  CHECK(has(paper, "failure class crash (3.00)\n  - pay: no line for 370 s\n"));
  CHECK(has(paper, "): pay: is silent\n  - for example: charged\n  - on node n3\n"));
  CHECK(has(paper, "): the last changes\n  - deploy of pay: 1.4.2\n"));
  for (const char* raw : {"rank:", "score:", "page:", "part:", "weight:", "1: "}) {
    CHECK_FALSE(has(paper, raw));
  }
}

TEST_CASE("A suspect has one name: of a change what it is and whose, of a service its own") {
  Node n("a");
  n.keep(n.book.observe(condition("burn/door", "door", 1, at(0)), at(0)));
  const std::string id = n.all(0)[0].id;
  CHECK(first_suspect(n.all(0)[0]).empty());
  const auto suspect = [&](const char* rank, const char* service, const char* kind) {
    Details details{{"rank", rank}, {"service", service}};
    if (*kind != 0) details.emplace_back("kind", kind);
    n.keep(n.book.add(id, EventKind::suspects, "", "it broke", details, at(10)));
  };
  suspect("3", "", "manual_action");
  suspect("2", "pay", "");
  suspect("1", "pay", "deploy");
  const Incident incident = n.all(20)[0];
  CHECK(first_suspect(incident) == "deploy of pay");
  const std::string paper = postmortem_markdown(postmortem_of(incident, {}, at(60)));
  CHECK(
      has(paper, "Suspects found: deploy of pay (E3), pay (E2), manual_action of the node (E1)\n"));
}

TEST_CASE("Communication tells what is known when it is sent") {
  const CheckoutStory story;
  golden("initial.md", communication(Template::initial, story.early, at(60)));
  golden("resolution.md", communication(Template::resolution, story.incident(4000), at(4000)));
}

TEST_CASE("Where nothing is known, communication and postmortem say so") {
  Node n("a");
  n.begins("slo/api", "", 1, 0);
  const Incident i = n.all(60)[0];
  const std::string initial = communication(Template::initial, i, at(60));
  CHECK(has(initial, "Effect on users: unknown so far"));
  CHECK(has(initial, "Service: unknown"));
  CHECK(has(initial, "Incident Commander: not assigned"));
  CHECK(has(initial, "nobody has acknowledged it yet"));
  CHECK(has(initial, "Next update: 2026-03-01 13:01:00 UTC"));
  const std::string update = communication(Template::update, i, at(60));
  CHECK(has(update, "ACTIONS TAKEN:\n- None recorded"));
  const std::string end = communication(Template::resolution, i, at(60));
  CHECK(has(end, "INCIDENT NOT RESOLVED YET"));
  CHECK(has(end, "ROOT CAUSE:\n- Unknown so far"));
  const std::string paper = postmortem_markdown(postmortem_of(i, {}, at(9000)));
  CHECK(has(paper, "- Impact: unknown"));
  CHECK(has(paper, "The root cause is not stated yet."));
  CHECK(has(paper, "Nobody acknowledged it."));
  CHECK(has(paper, "Not resolved yet."));
  CHECK(has(paper, "None recorded yet."));
}

TEST_CASE("Overdue action items of all incidents are listed, the longest overdue first") {
  const CheckoutStory story;
  Incident other = story.incident(86400);
  other.id = "INC-2026-0301-999";
  other.items[0].due = at(3 * 86400);
  const auto items = overdue_items({story.incident(86400), other}, at(10 * 86400));
  REQUIRE(items.size() == 2);
  CHECK(items[0].incident == "INC-2026-0301-999");
  CHECK(items[1].item.owner == "bob");
  CHECK(overdue_items({other}, at(86400)).empty());
}

TEST_CASE("KPIs are means and medians of what both ends are known of") {
  const CheckoutStory story;
  Incident first = story.incident(4000), second = first, open = first;
  second.id = "INC-2026-0301-998";
  second.recovered = at(2 * 3600 - 120);
  open.id = "INC-2026-0301-997";
  open.severity = 2;
  open.state = State::acknowledged;
  open.resolved = open.recovered = {};
  const auto fine = deploy("mail", 0, "2.0");
  const Kpis k = kpis_of({first, second, open}, {story.facts.changes[0], fine}, at(-3600),
                         at(86400), at(10 * 86400));
  CHECK(k.all.incidents == 3);
  CHECK(k.all.open == 1);
  const SeverityKpis& p1 = k.by_severity[1];
  CHECK(p1.detect.mean == 120.0);
  CHECK(p1.acknowledge.median == 180.0);
  CHECK(p1.mitigate.mean == 720.0);
  CHECK(p1.recover.count == 2);
  CHECK(p1.recover.mean == (1020.0 + 7200.0) / 2);
  CHECK(k.by_severity[2].recover.count == 0);
  CHECK_FALSE(k.by_severity[2].recover.mean.has_value());
  CHECK(k.urgent == 2);
  CHECK(k.urgent_share == 0.5);
  CHECK(k.changes == 2);
  CHECK(k.change_success == 0.5);
  REQUIRE(k.repeats.size() == 1);
  CHECK(k.repeats[0].signature == "burn_rate checkout");
  CHECK(k.repeats[0].times == 3);
  CHECK(k.items_overdue == 3);
  const Kpis none = kpis_of({first}, {}, at(86400), at(2 * 86400), at(3 * 86400));
  CHECK(none.all.incidents == 0);
  CHECK_FALSE(none.change_success.has_value());
  CHECK_FALSE(none.urgent_share.has_value());
  std::string json;
  JsonWriter out(json);
  write_json(out, none);
  CHECK(has(json, "\"success\":null"));
}

TEST_CASE("A deploy that is the first suspect of an incident of another service went wrong") {
  const CheckoutStory story;
  const Incident whole = story.incident(4000);
  auto change = deploy("card", 0, "2.0");
  change.at = whole.began;
  const auto success = [&](std::string_view kind) {
    Incident one = whole;
    one.evidence.clear();
    one.evidence.push_back({1,
                            EventKind::suspects,
                            {one.began,
                             "n1",
                             "",
                             "deploy of card",
                             {{"rank", "1"}, {"kind", std::string(kind)}, {"service", "card"}}}});
    return kpis_of({one}, {change}, at(-3600), at(86400), at(10 * 86400)).change_success;
  };
  CHECK(success("deploy") == 0.0);
  CHECK(success("service") == 1.0);
}
