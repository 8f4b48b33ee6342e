// The routes of the change log over real sockets: who may write, what is refused, what is answered.
#include "http/changes_api.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "app/report.hpp"
#include "app/token.hpp"
#include "http/client.hpp"
#include "http_fixture.hpp"
#include "nines/slo/sketch.hpp"

using namespace nines;
using namespace nines::agent;
using namespace nines::agent::test;
using nlohmann::json;

namespace {

constexpr int64_t kT0 = 1'767'225'600;

// An engine with one SLO and a log book behind the routes. Record and report are kept in memory.
struct Desk {
  Desk()
      : book([this]() -> const slo::SloEngine& {
          slo::SloSpec spec;
          spec.name = "web";
          spec.service = "shop";
          spec.target = {99, -2};
          REQUIRE(engine.add(spec).ok());
          return engine;
        }()) {}
  http::AsyncHandler handler() {
    http::ChangesAccess access;
    access.token = "secret-token-of-this-test";
    access.book = [this]() -> const Logbook& { return book; };
    access.now = [] { return WallTime::from_s(kT0); };
    access.record = [this](Record record, std::function<void(Result<Record>)> done) {
      if (full) return done(Error{Errc::exhausted, "the disk is full"});
      for (slo::Change& change : record.changes) change.id = ++last;
      book.recorded(record);
      done(std::move(record));
    };
    access.report = [this](const http::ReportWish& wish,
                           std::function<void(Result<std::string>)> done) {
      const auto report = make_report(book, {}, wish.from_s, wish.to_s, WallTime::from_s(kT0));
      done(wish.markdown ? view::report_markdown(report) : view::report_json(report));
    };
    return http::make_changes_api(std::move(access), [](const http::HttpRequest&) {
      return http::HttpResponse{200, "text/plain", "read\n", {}};
    });
  }
  slo::SloEngine engine;
  Logbook book;
  uint64_t last = 0;
  bool full = false;
};

http::ClientResponse ask(const RunningServer& server, const std::string& path,
                         const std::string& method = "GET", const std::string& body = {},
                         const std::string& authorization = "Bearer secret-token-of-this-test") {
  http::ClientRequest request;
  request.method = method;
  request.url = server.url() + path;
  request.body = body;
  if (!authorization.empty()) request.headers.emplace_back("Authorization", authorization);
  const auto answer = http::fetch(request);
  REQUIRE(answer.ok());
  return *answer;
}

const std::string kDeploy =
    R"({"kind": "deploy", "service": "shop", "who": "ci", "text": "v2", "details": {"n": 2}})";

}  // namespace

TEST_CASE("Writing needs the token: none is 401, another is 403", "[http]") {
  Desk desk;
  RunningServer server({}, desk.handler());
  CHECK(ask(server, "/api/changes", "POST", kDeploy, "").status == 401);
  CHECK(ask(server, "/api/changes", "POST", kDeploy, "Basic c2VjcmV0").status == 401);
  CHECK(ask(server, "/api/changes", "POST", kDeploy, "Bearer").status == 401);
  CHECK(ask(server, "/api/changes", "POST", kDeploy, "Bearer secret").status == 403);
  CHECK(ask(server, "/api/gate/web/override", "POST", "{}", "").status == 401);
  CHECK(desk.book.changes().empty());
  CHECK(ask(server, "/api/changes", "POST", kDeploy, "bearer secret-token-of-this-test").status ==
        201);
  CHECK(ask(server, "/api/changes", "GET", "", "").status == 200);
}

TEST_CASE("An annotation comes back with its id and is found in the list", "[http]") {
  Desk desk;
  RunningServer server({}, desk.handler());
  const auto written = json::parse(ask(server, "/api/changes", "POST", kDeploy).body);
  CHECK(written["id"] == 1);
  CHECK(written["at"] == "2026-01-01T00:00:00Z");
  CHECK(written["details"][0]["value"] == "2");
  ask(server, "/api/changes", "POST", R"({"kind": "note", "text": "n"})");
  const auto all = json::parse(ask(server, "/api/changes").body);
  REQUIRE(all.size() == 2);
  CHECK(all[0]["kind"] == "note");
  CHECK(json::parse(ask(server, "/api/changes?service=shop").body).size() == 1);
  CHECK(json::parse(ask(server, "/api/changes?kind=note").body).size() == 1);
  CHECK(json::parse(ask(server, "/api/changes?limit=1").body).size() == 1);
  CHECK_THAT(ask(server, "/api/changes?format=table").body, Catch::Contains("deploy"));
  const auto one = json::parse(ask(server, "/api/changes/1").body);
  CHECK(one["watches"][0]["verdict"] == "WATCHING");
  CHECK_THAT(ask(server, "/api/changes/1?format=text").body,
             Catch::StartsWith("#1 deploy of shop at 2026-01-01T00:00:00Z by ci"));
  CHECK(json::parse(ask(server, "/api/changes/1/impact").body)["slos"].size() == 1);
  CHECK_THAT(ask(server, "/api/changes/1/impact?format=text").body,
             Catch::Contains("nothing can be said"));
  CHECK(ask(server, "/api/changes/3").status == 404);
  CHECK(ask(server, "/api/changes/1/impact?window=1s").status == 400);
}

TEST_CASE("An override is written and taken back through the API", "[http]") {
  Desk desk;
  RunningServer server({}, desk.handler());
  const auto post = [&](const char* body) {
    return ask(server, "/api/gate/shop/override", "POST", body);
  };
  CHECK(post(R"({"reason": "fix", "by": "ann", "ttl": "1h"})").status == 201);
  CHECK(post(R"({"revoke": true, "by": "ann"})").status == 201);
  CHECK(post(R"({"revoke": true, "by": "ann"})").status == 404);
  CHECK(post(R"({"reason": "fix", "by": "ann", "ttl": "5h"})").status == 400);
  CHECK(post(R"({"reason": 7})").status == 400);
  CHECK(post(R"({"revoke": "yes"})").status == 400);
  CHECK(desk.book.changes().size() == 2);
}

TEST_CASE("What cannot be kept is answered with 503 and its reason", "[http]") {
  Desk desk;
  desk.full = true;
  RunningServer server({}, desk.handler());
  const auto answer = ask(server, "/api/changes", "POST", kDeploy);
  CHECK(answer.status == 503);
  CHECK_THAT(answer.body, Catch::Contains("the disk is full"));
}

TEST_CASE("A body over the limit is 413, a POST elsewhere 405, a read goes on", "[http]") {
  Desk desk;
  RunningServer server({}, desk.handler());
  CHECK(ask(server, "/api/changes", "POST", std::string(70'000, 'x')).status == 413);
  CHECK(ask(server, "/api/slo", "POST", "{}").status == 405);
  CHECK(ask(server, "/api/changes", "DELETE").status == 405);
  CHECK(ask(server, "/api/slo").body == "read\n");
}

TEST_CASE("A handler that never answers becomes a 503, and one that throws a 500", "[http]") {
  http::ServerOptions options;
  options.idle_ms = 50;
  http::Reply kept;
  RunningServer silent(
      options, http::AsyncHandler(
                   [&](const http::HttpRequest&, http::Reply reply) { kept = std::move(reply); }));
  CHECK(ask(silent, "/", "POST").status == 503);
  RunningServer broken({}, http::AsyncHandler([](const http::HttpRequest&, const http::Reply&) {
                         throw std::runtime_error("x");
                       }));
  CHECK(ask(broken, "/", "POST").status == 500);
}

TEST_CASE("An answer that comes when nobody waits any more, or the server is gone, does nothing",
          "[http]") {
  http::ServerOptions options;
  options.idle_ms = 50;
  http::Reply kept;
  {
    RunningServer silent(options, http::AsyncHandler([&](const http::HttpRequest&,
                                                         http::Reply reply) { kept = reply; }));
    CHECK(ask(silent, "/", "POST").status == 503);
    kept({200, "text/plain", "late", {}});
  }
  REQUIRE(kept);
  kept({200, "text/plain", "later", {}});
}

TEST_CASE("The report's period is a month or the last days, within what is kept", "[http]") {
  const WallTime now = WallTime::from_s(kT0 + 90'000);  // 2026-01-02T01:00:00Z
  const auto month = http::report_period("2025-12", "", now);
  REQUIRE(month.ok());
  CHECK(month->from_s == kT0 - 31 * 86400);
  CHECK(month->to_s == kT0);
  CHECK(http::report_period("2026-01", "", now)->to_s == kT0 + 26 * 3600);
  CHECK(http::report_period("", "1", now)->from_s == kT0 + 2 * 3600);
  CHECK(http::report_period("", "", now)->from_s == kT0 + 26 * 3600 - 30 * 86400);
  for (const char* bad : {"2026-02", "2026-00", "2026-13", "26-01", "2025-09", "2026/01", "x"}) {
    CAPTURE(bad);
    CHECK_FALSE(http::report_period(bad, "", now).ok());
  }
  for (const char* bad : {"0", "93", "-1", "1d"}) {
    CAPTURE(bad);
    CHECK_FALSE(http::report_period("", bad, now).ok());
  }
  CHECK_FALSE(http::report_period("2025-12", "3", now).ok());
}

TEST_CASE("A report in Markdown cannot be broken by what was annotated", "[http]") {
  Desk desk;
  RunningServer server({}, desk.handler());
  ask(server, "/api/changes", "POST",
      R"({"kind": "manual_action", "service": "a|b", "text": "<b>*x*</b> | y"})");
  const std::string text = ask(server, "/api/report?format=md").body;
  CHECK_THAT(text, Catch::Contains("| 1 | - | a\\|b | \\<b\\>\\*x\\*\\</b\\> \\| y |"));
  CHECK_THAT(text, Catch::Contains("## Exclusions"));
  CHECK(json::parse(ask(server, "/api/report").body)["toil"][0]["times"] == 1);
}

TEST_CASE("Tokens are compared whole; the one that is made is random and for its owner only",
          "[http]") {
  CHECK(same_token("abc", "abc"));
  CHECK_FALSE(same_token("abc", "abcd"));
  CHECK_FALSE(same_token("abc", ""));
  char pattern[] = "/tmp/nines-token-XXXXXX";
  REQUIRE(::mkdtemp(pattern) != nullptr);
  const std::string folder = pattern;
  const auto made = provide_token("", folder);
  REQUIRE(made.ok());
  CHECK(made->size() == 64);
  CHECK(*provide_token("", folder) == *made);
  CHECK(*read_token(folder + "/api.token") == *made);
  ::unlink((folder + "/api.token").c_str());
  CHECK(*provide_token("", folder) != *made);
  CHECK_FALSE(provide_token(folder + "/none", folder).ok());
  ::unlink((folder + "/api.token").c_str());
  ::rmdir(folder.c_str());
}

TEST_CASE("The history of an SLO carries what was done to it in its span", "[http]") {
  Desk desk;
  slo::Batch batch;
  const int64_t hour = slo::slot_of(WallTime::from_s(kT0 - 3600));
  batch.slots = {{0, hour, 90, 10, 10}, {0, hour + 30, 5, 0, 10}};
  batch.sketches = {{0, kT0 / 3600 - 1, {{slo::sketch_index(250), 4}}}};
  desk.engine.apply(batch);
  std::vector<slo::AlertEvent> events;
  desk.engine.evaluate(WallTime::from_s(kT0), WallTime::from_s(kT0), events);
  RunningServer server({}, desk.handler());
  const auto write = [&](const std::string& rest) {
    CHECK(ask(server, "/api/changes", "POST", "{" + rest + "}").status == 201);
  };
  write(R"("kind": "deploy", "service": "shop", "text": "v1", "at": "2025-12-30T00:00:00Z")");
  write(R"("kind": "deploy", "service": "shop", "text": "v2", "at": "2025-12-31T23:00:00Z")");
  write(R"("kind": "note", "service": "other", "text": "elsewhere")");
  write(R"("kind": "note", "text": "everywhere")");
  write(R"("kind": "migration", "slo": "web", "text": "long", "from": "2025-12-30T12:00:00Z",
           "to": "2025-12-31T01:00:00Z")");

  const auto day = json::parse(ask(server, "/api/slo/web/history").body);
  CHECK(day["slo"] == "web");
  CHECK(day["from"] == "2025-12-31T00:15:00Z");
  CHECK(day["to"] == "2026-01-01T00:15:00Z");
  CHECK(day["step"] == "15m");
  REQUIRE(day["points"].size() == 96);
  CHECK(day["points"][91]["at"] == "2025-12-31T23:00:00Z");
  CHECK(day["points"][91]["good"] == 95);
  CHECK(day["points"][91]["bad"] == 10);
  CHECK(day["points"][91]["covered_s"] == 20);
  CHECK(day["points"][92]["good"] == 0);
  std::string texts;
  for (const auto& a : day["annotations"]) texts += a["text"].get<std::string>() + " ";
  CHECK(texts == "v2 everywhere long ");
  REQUIRE(day["latency"].size() == 1);
  CHECK(day["latency"][0]["at"] == "2025-12-31T23:00:00Z");
  CHECK(day["latency"][0]["count"] == 4);
  CHECK(day["latency"][0]["p99"].get<double>() == Approx(250).epsilon(0.01));

  const auto hours = json::parse(ask(server, "/api/slo/web/history?span=1h").body);
  CHECK(hours["step"] == "1m");
  CHECK(hours["points"].size() == 60);
  CHECK(hours["latency"].size() == 1);
  CHECK(hours["points"][4]["good"] == 5);
  const auto all = json::parse(ask(server, "/api/slo/web/history?span=92d").body);
  CHECK(all["step"] == "12h");
  CHECK(all["points"].size() == 184);
  CHECK(all["annotations"].size() == 4);
}

TEST_CASE("A history that cannot be told says why", "[http]") {
  Desk desk;
  RunningServer server({}, desk.handler());
  for (const char* span : {"5m", "93d", "x", "-1h"}) {
    CHECK(ask(server, "/api/slo/web/history?span=" + std::string(span)).status == 400);
  }
  CHECK(ask(server, "/api/slo/unknown/history").body == "read\n");  // the reading routes answer
  CHECK(ask(server, "/api/slo/history").body == "read\n");
  slo::SloSpec spec;
  spec.name = "web/history";
  spec.target = {99, -2};
  REQUIRE(desk.engine.add(spec).ok());
  CHECK(ask(server, "/api/slo/web/history").body == "read\n");
  CHECK(json::parse(ask(server, "/api/slo/web/history/history").body)["slo"] == "web/history");
}
