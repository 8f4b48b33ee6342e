// What many incidents come to, as the API tells it: KPIs of a time, action items, the story of the
// node and what a language model may make of it.
#include "http/incident_reports.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "app/paging.hpp"
#include "incident/rewriter.hpp"
#include "view/incident_status.hpp"
#include "view/metrics_text.hpp"
#include "view/status_json.hpp"

namespace nines::agent {
namespace {

namespace core = nines::incident;
using nlohmann::json;

const WallTime kStart = WallTime::from_s(1'772'366'400);  // 2026-03-01 12:00:00 UTC
WallTime at(int64_t s) { return {kStart.ns + s * kNsPerSecond}; }

core::Condition condition(const std::string& key, int priority, int64_t since_s) {
  core::Condition c;
  c.key = key;
  c.kind = core::ConditionKind::error_storm;
  c.priority = priority;
  c.service = key;
  c.since = at(since_s);
  c.at = at(since_s);
  c.text = key + " logs errors";
  return c;
}

// Two incidents: `pay` was over after twenty minutes, `mail` goes on.
struct Office {
  Office() {
    book.observe(condition("pay", 1, 0), at(60));
    const std::string pay = book.list({}, at(60)).at(0).id;
    REQUIRE(book.acknowledge(pay, "kim", "", at(180)).ok());
    REQUIRE(
        book.add_item(pay, "watch the card service", "kim", at(7'000), "P2", "kim", at(200)).ok());
    REQUIRE(book.add_item(pay, "write it down", "", {}, "", "kim", at(210)).ok());
    REQUIRE(book.finish_item(pay, "A2", "kim", at(220)).ok());
    core::Condition over = condition("pay", 1, 1'200);
    over.holds = false;
    book.observe(over, at(1'200));
    for (int64_t s = 1'200; s < 2'400; s += 10) book.tick(at(s));
    book.observe(condition("mail", 2, 7'000), at(7'100));
  }

  http::HttpResponse ask(const std::string& path, const std::string& query = {}) {
    http::IncidentReportsAccess access{
        [this]() -> const core::IncidentBook& { return book; }, [] { return at(7'200); },
        [] { return std::vector<slo::Change>(); }, [this] { return slos; },
        [] { return static_cast<incident::Rewriter*>(nullptr); }};
    const auto handler = http::make_incident_reports(
        std::move(access), [](const http::HttpRequest&, http::Reply reply) {
          reply({404, "text/plain", "another's\n", {}});
        });
    http::HttpRequest request;
    request.method = "GET";
    request.path = path;
    request.query = query;
    http::HttpResponse answer;
    handler(request, [&](http::HttpResponse&& given) { answer = std::move(given); });
    return answer;
  }

  core::IncidentBook book{{"shop", "n1", 1}};
  std::vector<slo::SloStatus> slos;
};

}  // namespace

TEST_CASE("KPIs are of the incidents that were opened in the time asked for", "[reports]") {
  Office office;
  const json all = json::parse(office.ask("/api/kpis").body);
  CHECK(all["all"]["incidents"] == 2);
  CHECK(all["all"]["open"] == 1);
  CHECK(all["by_severity"]["P1"]["mttd"]["mean_seconds"] == 60);
  CHECK(all["by_severity"]["P1"]["mtta"]["mean_seconds"] == 120);
  CHECK(all["by_severity"]["P1"]["mttr"]["mean_seconds"] == 1'200);
  CHECK(all["urgent"]["share"] == 1.0);
  CHECK(all["action_items"] == json({{"all", 2}, {"done", 1}, {"overdue", 1}}));
  CHECK(json::parse(office.ask("/api/kpis", "since=1h").body)["all"]["incidents"] == 1);
  const json first = json::parse(
      office.ask("/api/kpis", "from=2026-03-01T12:00:00Z&to=2026-03-01T13:00:00Z").body);
  CHECK(first["all"]["incidents"] == 1);
  CHECK(first["by_severity"]["P1"]["incidents"] == 1);
  const std::string table = office.ask("/api/kpis", "format=table").body;
  CHECK(table.find("P1") != std::string::npos);
  CHECK(table.find("2m (1)") != std::string::npos);
  CHECK(table.find("P0 and P1 over within 30m: 1 of 1 (100.0 %)") != std::string::npos);
}

TEST_CASE("A time that is none is refused with an example", "[reports]") {
  Office office;
  for (const char* query : {"since=soon", "since=0s", "since=93d", "from=yesterday", "to=12:00",
                            "from=2026-03-01T12:00:00Z&to=2026-03-01T12:00:00Z"}) {
    CAPTURE(query);
    CHECK(office.ask("/api/kpis", query).status == 400);
  }
  CHECK(office.ask("/api/items", "state=late").status == 400);
}

TEST_CASE("Action items of all incidents are listed, the first due first", "[reports]") {
  Office office;
  const json open = json::parse(office.ask("/api/items").body);
  REQUIRE(open.size() == 1);
  CHECK(open[0]["text"] == "watch the card service");
  CHECK(open[0]["owner"] == "kim");
  CHECK(open[0]["overdue"] == true);
  CHECK(open[0]["done"].is_null());
  CHECK(json::parse(office.ask("/api/items", "state=overdue").body).size() == 1);
  CHECK(json::parse(office.ask("/api/items", "state=done").body)[0]["item"] == "A2");
  CHECK(json::parse(office.ask("/api/items", "state=all").body).size() == 2);
  CHECK(office.ask("/api/items", "format=table").body.find("OVERDUE") != std::string::npos);
}

TEST_CASE("The story of the node is told in sentences that name their facts", "[reports]") {
  Office office;
  slo::SloStatus status;
  status.slo = "checkout";
  status.service = "pay";
  status.target = {999, -3};
  status.window_name = "30d";
  status.state = slo::State::degrading;
  status.sli = 0.9985;
  status.error_budget_remaining = -0.5;
  office.slos.push_back(status);
  const std::string text = office.ask("/api/narrative").body;
  CHECK(text.find("mail") != std::string::npos);
  CHECK(text.find("checkout") != std::string::npos);
  CHECK(text.find("99.9") != std::string::npos);
  const json told = json::parse(office.ask("/api/narrative", "format=json").body);
  CHECK(told["rewritten"] == false);
  CHECK(told["note"] == "");
  CHECK(told["sentences"].size() > 1);
  for (const json& sentence : told["sentences"]) {
    for (const json& fact : sentence["facts"]) CHECK(told["facts"].contains(fact));
  }
}

TEST_CASE("Other paths go on to who serves them", "[reports]") {
  Office office;
  CHECK(office.ask("/api/kpis/x").body == "another's\n");
  CHECK(office.ask("/api/incidents").body == "another's\n");
}

TEST_CASE("A language model is asked with the sentences, and its answer is taken apart with care",
          "[reports]") {
  core::Narrative narrative;
  narrative.sentences.push_back({"One \"incident\" is open.", {}});
  const json asked = json::parse(incident::rewrite_request("small", narrative));
  CHECK(asked["model"] == "small");
  CHECK(asked["stream"] == false);
  CHECK(asked["messages"][1]["content"] == narrative.text());
  const auto good = incident::rewrite_answer(
      R"({"choices": [{"message": {"role": "assistant", "content": "\n All is well. \n"}}]})");
  REQUIRE(good.ok());
  CHECK(*good == "All is well.");
  for (const char* bad : {"", "[]", "{}", R"({"choices": []})", R"({"choices": [1]})",
                          R"({"choices": [{"message": "x"}]})", R"({"choices": {"message": 1}})",
                          R"({"choices": [{"message": {"content": 7}}]})", "<html>"}) {
    CAPTURE(bad);
    CHECK_FALSE(incident::rewrite_answer(bad).ok());
  }
}

TEST_CASE("What is open stands below the status, in the status document and in the metrics",
          "[reports]") {
  Snapshot snapshot;
  CHECK(view::incidents_footer(snapshot, {}).empty());  // incidents are switched off
  CHECK(view::metrics_text(snapshot).find("nines_incident") == std::string::npos);
  snapshot.incidents.kept = true;
  CHECK(view::incidents_footer(snapshot, {}) == "no incident is open\n");
  OpenIncident one;
  one.id = "INC-2026-0301-042";
  one.state = "open";
  one.title = "shop burns";
  one.severity = 1;
  one.since = at(0);
  snapshot.incidents.open = {one};
  snapshot.incidents.transitions = {{"opened", 3}};
  snapshot.incidents.told = {{"escalated", 2}};
  CHECK(view::incidents_footer(snapshot, {}) ==
        "1 incident is open: INC-2026-0301-042, P1, since 2026-03-01T12:00:00Z, open\n");
  snapshot.incidents.open.back().suspect = "pay\x1b[2J";
  const std::string shown = view::incidents_footer(snapshot, {});
  CHECK(shown.find("suspect pay") != std::string::npos);
  CHECK(shown.find('\x1b') == std::string::npos);
  for (int i = 0; i < 8; ++i) snapshot.incidents.open.push_back(one);
  CHECK(view::incidents_footer(snapshot, {}).find("and 4 more") != std::string::npos);
  const std::string metrics = view::metrics_text(snapshot);
  CHECK(metrics.find("nines_incidents_open{severity=\"P1\"} 9\n") != std::string::npos);
  CHECK(metrics.find("nines_incidents_open{severity=\"P0\"} 0\n") != std::string::npos);
  CHECK(metrics.find("nines_incident_transitions_total{kind=\"opened\"} 3\n") != std::string::npos);
  CHECK(metrics.find("nines_incident_told_total{transition=\"escalated\"} 2\n") !=
        std::string::npos);
  CHECK(metrics.find("nines_narrative") == std::string::npos);  // nobody is asked
  const json document = json::parse(view::agent_json(snapshot));
  CHECK(document["incidents"]["open"].size() == 9);
  CHECK(document["incidents"]["open"][1]["suspect"].is_null());
}

TEST_CASE("Levels of escalation are what is named, else the later steps of the chains",
          "[paging]") {
  NodeConfig config;
  CHECK(pager_rules(config).levels.size() == 3);  // everybody once more
  CHECK(pager_rules(config).levels[0].empty());
  config.chains = {{"a", {{"pager", 1000}, {"lead", 1000}, {"boss", 0}}},
                   {"b", {{"chat", 1000}, {"mail", 0}}}};
  const auto levels = pager_rules(config).levels;
  REQUIRE(levels.size() == 2);
  CHECK(levels[0] == std::vector<std::string>{"lead", "mail"});
  CHECK(levels[1] == std::vector<std::string>{"boss"});
  config.incidents.escalate_to = {"siren"};
  CHECK(pager_rules(config).levels == std::vector<std::vector<std::string>>{{"siren"}});
  NotifierConfig tracker, siren;
  tracker.name = "tracker";
  tracker.severities = {"ticket"};
  siren.name = "siren";
  siren.severities = {"critical"};
  config.notifiers = {tracker, siren};
  config.incidents.acknowledge_ms[1] = 4'000;
  const auto rules = pager_rules(config);
  CHECK(rules.only_tickets == std::vector<std::string>{"tracker"});
  CHECK(rules.no_pages == std::vector<std::string>{"tracker", "siren"});
  CHECK(rules.no_tickets == std::vector<std::string>{"siren"});
  CHECK(rules.ack_s[1] == 4);
  CHECK(book_rules(config).ack_s[1] == 4);
}

TEST_CASE("Of an incident tells who opened it, and who is first by name while that one is silent",
          "[paging]") {
  using State = peer::PeerView::State;
  const auto view = [](const char* node, State state) {
    peer::PeerView out;
    out.node = node;
    out.state = state;
    return out;
  };
  CHECK(tells_of("n1", "n1", {}));
  CHECK_FALSE(tells_of("n1", "n2", {}));  // nothing is known of it yet
  CHECK_FALSE(tells_of("n1", "n2", {view("n2", State::alive), view("n3", State::alive)}));
  CHECK_FALSE(tells_of("n1", "n2", {view("n2", State::suspect)}));
  CHECK(tells_of("n1", "n2", {view("n2", State::silent), view("n3", State::alive)}));
  CHECK(tells_of("n1", "n2", {view("n0", State::silent), view("n2", State::left)}));
  CHECK_FALSE(tells_of("n3", "n2", {view("n1", State::alive), view("n2", State::silent)}));
}

}  // namespace nines::agent
