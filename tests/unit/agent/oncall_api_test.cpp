// /api/oncall as a client sees it: who, whom, how the load was shared; and what is no question.
#include "http/oncall_api.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "config/oncall.hpp"
#include "config_support.hpp"

using namespace nines;
using namespace nines::agent;
using nlohmann::json;

namespace {

const WallTime kNow = WallTime::from_s(1'772'452'800);  // 2026-03-02 12:00 UTC, a Monday

constexpr const char* kDocument = R"(
people: [{id: anna, notify: [phone]}, {id: ben, notify: [phone]}]
schedules:
  - name: primary
    layers: [{rotation: weekly, start: "2026-03-02 09:00", people: [anna, ben]}]
policies: [{name: all, levels: [{schedule: primary}, {people: [ben]}]}]
)";

struct Api {
  Api() {
    test::ConfigFolder folder;
    std::vector<Diagnostic> diagnostics;
    auto plan = config::load_oncall(folder.write("oncall.yaml", kDocument), diagnostics);
    REQUIRE(plan);
    agent::incident::OnCall::Parts parts;
    parts.plan = std::make_shared<const oncall::Plan>(std::move(*plan));
    parts.notifiers = {{"phone", "", true, true}};
    on_call = std::make_shared<const agent::incident::OnCall>(std::move(parts));
  }
  http::HttpResponse ask(const std::string& path, const std::string& query = {},
                         const std::string& method = "GET") {
    http::HttpRequest request;
    request.method = method;
    request.path = path;
    request.query = query;
    http::HttpResponse out;
    http::make_oncall_api({[this] { return on_call.get(); },
                           [this]() -> const agent::incident::core::IncidentBook& { return book; },
                           [] { return kNow; }},
                          [](const http::HttpRequest&, http::Reply reply) {
                            reply({418, "text/plain", "not ours", {}});
                          })(request, [&](http::HttpResponse r) { out = std::move(r); });
    return out;
  }
  // An incident that was paged an hour ago and acknowledged after 90 s.
  std::string page() {
    const auto at = [](int64_t s) { return WallTime{kNow.ns + (s - 3600) * kNsPerSecond}; };
    const auto declared = book.declare("shop", 1, "it is down", "kim", at(0));
    REQUIRE(declared.ok());
    const std::string id = book.list({}, at(0)).at(0).id;
    REQUIRE(
        book.add(id, agent::incident::core::EventKind::page_sent, {}, "on call by primary",
                 {{agent::incident::kPagedPerson, "anna"}, {agent::incident::kPagedPriority, "1"}},
                 at(0))
            .ok());
    REQUIRE(book.acknowledge(id, "ANNA", "", at(90)).ok());
    return id;
  }

  std::shared_ptr<const agent::incident::OnCall> on_call;
  agent::incident::core::IncidentBook book{{"shop", "n1", 1}};
};

}  // namespace

TEST_CASE("The API tells who is on call until when, and how tired everybody is", "[oncall][http]") {
  Api api;
  api.page();
  const json told = json::parse(api.ask("/api/oncall").body);
  CHECK(told["schedules"][0]["person"] == "anna");
  CHECK(told["schedules"][0]["until"] == "2026-03-09T09:00:00Z");
  const json next = told["schedules"][0]["next"];
  REQUIRE(next.size() == 8);
  CHECK(next[0]["person"] == "ben");
  CHECK(next[0]["from"] == told["schedules"][0]["until"]);
  CHECK(next[0]["until"] == "2026-03-16T09:00:00Z");
  CHECK(next[1]["person"] == "anna");
  CHECK(told["people"][0]["pages_24h"] == 1);
  CHECK(told["people"][0]["fatigue"].get<double>() > 0.9);
  CHECK(told["people"][1]["fatigue"] == 0.0);
  CHECK(told["policies"][0]["next_digest"] == "2026-03-03T09:00:00Z");
  CHECK(told["pages"] == 1);
}

TEST_CASE("The API's report and pages know who acknowledged, whatever the case of the letters",
          "[oncall][http]") {
  Api api;
  const std::string id = api.page();
  const json report = json::parse(api.ask("/api/oncall/report").body);
  CHECK(report["pages"] == 1);
  CHECK(report["people"][0]["person"] == "anna");
  CHECK(report["people"][0]["median_ack_s"] == 90);
  const json page = json::parse(api.ask("/api/oncall/pages").body);
  CHECK(page["incident"] == id);
  CHECK(page["acknowledged"] == "2026-03-02T11:01:30Z");
  CHECK(api.ask("/api/oncall/report", "from=yesterday").status == 400);
  CHECK(api.ask("/api/oncall/report", "from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z").status ==
        400);
}

TEST_CASE("The API tells whom a page would go to, and refuses what is no question",
          "[oncall][http]") {
  Api api;
  const json route = json::parse(api.ask("/api/oncall/route", "service=shop&severity=P0").body);
  CHECK(route["chain"][0]["person"] == "anna");
  CHECK(route["chain"][1]["person"] == "ben");
  const json told = json::parse(api.ask("/api/oncall/route", "service=shop&told=anna").body);
  CHECK(told["chain"][0]["person"] == "ben");
  CHECK(api.ask("/api/oncall/route", "service=shop&format=text").body.find("candidate anna") !=
        std::string::npos);
  for (const char* wrong : {"", "severity=P1", "service=shop&severity=P9", "service=a&told=karl"}) {
    INFO(wrong);
    CHECK(api.ask("/api/oncall/route", wrong).status == 400);
  }
  CHECK(api.ask("/api/oncall/rota").status == 404);
  CHECK(api.ask("/api/oncall", "", "POST").status == 405);
  CHECK(api.ask("/api/oncalls").status == 418);
  api.on_call = nullptr;
  CHECK(api.ask("/api/oncall").status == 404);
}
