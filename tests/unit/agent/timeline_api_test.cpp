// /api/timeline: what may be asked for, what an incident's timeline is made of, what is refused.
#include "http/timeline_api.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace nines::agent {
namespace {

using nlohmann::json;
using timeline::core::EventKind;
using timeline::core::TimelineEvent;

constexpr int64_t kNow = 1'790'000'000;
WallTime ago(int64_t s) { return WallTime::from_s(kNow - s); }

TimelineEvent event(const std::string& service, EventKind kind, int64_t ago_s,
                    const std::string& text) {
  TimelineEvent out;
  out.service = service;
  out.kind = kind;
  out.at = ago(ago_s);
  out.text = text;
  return out;
}

// The routes over a log that is told from at once.
struct Desk {
  Desk() : log("n1") {
    const auto add = [this](TimelineEvent one) { log.add(one, one.at); };
    add(event("mail", EventKind::change, 90'000, "deploy of yesterday"));
    add(event("shop", EventKind::change, 7'000, "deploy an hour before"));
    add(event("shop", EventKind::change, 4'000, "deploy"));
    TimelineEvent alert = event("shop", EventKind::alert, 3'600, "alert");
    alert.key = "k";
    add(alert);
    TimelineEvent opened = event("shop", EventKind::state, 3'599, "opened");
    opened.incident = "INC-2026-0921-001";
    opened.key = "k";
    add(opened);
    add(event("mail", EventKind::alert, 3'500, "of another service"));
    add(event("", EventKind::kernel, 3'400, "of the node"));
    TimelineEvent page = event("", EventKind::page, 3'300, "page");
    page.key = "k";
    add(page);
    TimelineEvent other = event("shop", EventKind::note, 3'200, "of another incident");
    other.incident = "INC-2026-0921-002";
    add(other);
    add(event("shop", EventKind::note, 600, "when it was over"));
  }
  http::HttpResponse get(const std::string& path, const std::string& query = {},
                         const std::string& method = "GET") {
    http::TimelineAccess access;
    access.now = [] { return ago(0); };
    access.incident = [](const std::string& id) -> std::optional<nines::incident::Incident> {
      if (id != "INC-2026-0921-001") return std::nullopt;
      nines::incident::Incident out;
      out.id = id;
      out.title = "shop burns";
      out.service = "shop";
      out.services = {"shop"};
      out.nodes = {"n1"};
      out.began = out.opened = ago(3'600);
      out.resolved = ago(1'000);
      out.state = nines::incident::State::resolved;
      return out;
    };
    access.tell = [this](const timeline::StoryWish& wish, auto done) {
      done(busy ? Result<std::string>(Error{Errc::unavailable, "ask again"})
                : timeline::render_story({log.blocks(), {}, "n1"}, wish));
    };
    const auto handler = http::make_timeline_api(
        std::move(access), [](const http::HttpRequest&, const http::Reply& reply) {
          reply({200, "text/plain", "next", {}});
        });
    http::HttpResponse out;
    handler({method, path, query, {}, {}}, [&](http::HttpResponse answer) { out = answer; });
    return out;
  }
  std::vector<std::string> texts(const std::string& path, const std::string& query = {}) {
    const auto answer = get(path, query);
    CAPTURE(answer.body);
    REQUIRE(answer.status == 200);
    std::vector<std::string> out;
    const json told = json::parse(answer.body);
    for (const json& one : told["events"]) out.push_back(one["text"]);
    return out;
  }
  timeline::EventLog log;
  bool busy = false;
};

using Texts = std::vector<std::string>;
constexpr const char* kOfOne = "/api/incidents/INC-2026-0921-001/timeline";

}  // namespace

TEST_CASE("Without a wish the timeline is that of the last day", "[timeline]") {
  Desk desk;
  const auto all = desk.texts("/api/timeline");
  CHECK(all.size() == 9);
  CHECK(all.front() == "deploy an hour before");
  CHECK(desk.texts("/api/timeline", "since=48h").size() == 10);
  CHECK(desk.texts("/api/timeline", "since=48h&until=24h") == Texts{"deploy of yesterday"});
  CHECK(desk.texts("/api/timeline", "since=" + format_rfc3339(ago(700))) ==
        Texts{"when it was over"});
}

TEST_CASE("The timeline of an incident holds what concerns it, from before it until it was over",
          "[timeline]") {
  Desk desk;
  const Texts wanted{"deploy", "alert", "opened", "of the node", "page"};
  CHECK(desk.texts(kOfOne) == wanted);
  CHECK(desk.texts("/api/timeline", "incident=INC-2026-0921-001") == wanted);
  const Texts longer = desk.texts(kOfOne, "since=24h");
  CHECK(longer.front() == "deploy an hour before");
  const json told = json::parse(desk.get(kOfOne).body);
  CHECK(told["title"] == "INC-2026-0921-001: shop burns");
}

TEST_CASE("Kinds, services and nodes are chosen by name", "[timeline]") {
  Desk desk;
  CHECK(desk.texts("/api/timeline", "kind=alert,page") ==
        Texts{"alert", "of another service", "page"});
  CHECK(desk.texts("/api/timeline", "service=mail") == Texts{"of another service"});
  CHECK(desk.texts("/api/timeline", "node=n2").empty());
  CHECK(desk.texts("/api/timeline", "limit=2").size() == 2);
  CHECK(desk.get("/api/timeline", "kind=first-seen").status == 200);
}

TEST_CASE("The timeline comes as text, Mermaid and a picture, too", "[timeline]") {
  Desk desk;
  const auto text = desk.get(kOfOne, "format=text&width=80");
  CHECK(text.content_type == "text/plain; charset=utf-8");
  CHECK(text.body.find("alert") != std::string::npos);
  CHECK(desk.get(kOfOne, "format=mermaid").body.find("sequenceDiagram") != std::string::npos);
  const auto svg = desk.get(kOfOne, "format=svg");
  CHECK(svg.content_type == "image/svg+xml");
  CHECK(svg.body.find("<svg") != std::string::npos);
  REQUIRE(svg.headers.size() == 1);
  CHECK(svg.headers[0].second.find("default-src 'none'") != std::string::npos);
  const json zoned = json::parse(desk.get(kOfOne, "zone=UTC").body);
  CHECK(zoned["zone"] == "UTC");
}

TEST_CASE("What cannot be told is refused with the way out", "[timeline]") {
  Desk desk;
  const auto refused = [&](const std::string& query, const std::string& says) {
    const auto answer = desk.get("/api/timeline", query);
    CAPTURE(query, answer.body);
    CHECK(answer.status == 400);
    CHECK(answer.body.find(says) != std::string::npos);
  };
  refused("since=yesterday", "24h or 30m");
  refused("since=2026-11-21T10:00:00", "with its zone");
  refused("since=1h&until=2h", "until must be later than since");
  refused("kind=alarm", "some of other, note");
  refused("format=pdf", "json, text, mermaid or svg");
  refused("limit=0", "1..20000");
  refused("width=x", "width");
  refused("zone=Mars/Olympus", "Europe/Berlin");
  refused("zone=..%2F..%2Fetc%2Fpasswd", "IANA");
  CHECK(desk.get("/api/timeline", "incident=INC-1").status == 404);
  CHECK(desk.get("/api/incidents/INC-1/timeline").status == 404);
  CHECK(desk.get("/api/timeline", {}, "POST").status == 405);
  desk.busy = true;
  CHECK(desk.get("/api/timeline").status == 503);
}

TEST_CASE("Other paths go on", "[timeline]") {
  Desk desk;
  for (const char* path : {"/api/timelines", "/api/incidents/INC-1", "/api/incidents/timeline"}) {
    CHECK(desk.get(path).body == "next");
  }
}

TEST_CASE("The timeline of an incident has what happened to who is suspected", "[timeline]") {
  nines::incident::Incident one;
  one.service = "checkout";
  one.services = {"checkout"};
  one.evidence.push_back(
      {1,
       nines::incident::EventKind::suspects,
       {ago(100), "n1", "", "deploy of pay", {{"rank", "1"}, {"service", "pay"}}}});
  CHECK(timeline::scope_of(one).services == Texts{"checkout", "checkout", "pay"});
}

}  // namespace nines::agent
