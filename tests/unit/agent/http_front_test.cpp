#include <zlib.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "http/api.hpp"
#include "http/client.hpp"
#include "http/content_coding.hpp"
#include "http/front.hpp"
#include "http/page.hpp"
#include "http/rate_limit.hpp"
#include "http/routes.hpp"
#include "http_fixture.hpp"
#include "snapshot_fixture.hpp"

namespace nines::agent::http {
extern const EmbeddedFile kPageFixture[];  // tests/unit/agent/page_fixture, by embed.cmake
}

using namespace nines;
using namespace nines::agent;
using nlohmann::json;
using test::RawClient;
using test::RunningServer;

namespace {

std::span<const http::EmbeddedFile> fixture() {
  size_t count = 0;
  while (http::kPageFixture[count].path != nullptr) ++count;
  return {http::kPageFixture, count};
}

std::string gunzip(const std::string& packed) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string out(1 << 20, '\0');
  std::string in = packed;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

constexpr const char* kDocument = R"({"openapi": "3.1.0", "paths": {
  "/api/slo": {"get": {"parameters": [
    {"name": "format", "in": "query", "schema": {"enum": ["json", "csv"]}},
    {"$ref": "#/components/parameters/limit"},
    {"name": "q", "in": "query", "schema": {"type": "string", "maxLength": 4}}]}},
  "/api/slo/{name}": {"get": {}},
  "/api/slo/{name}/history": {"get": {"parameters": [
    {"name": "kind", "in": "query", "required": true, "schema": {"type": "string"}}]}},
  "/api/slo/all": {"get": {}},
  "/api/changes": {"get": {}, "post": {}},
  "/api/services": {"get": {}, "x-instead": "change the file"}},
  "components": {"parameters": {"limit":
    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 9}}}}})";

// What the table says to "GET /path?query".
std::string said(const http::RouteTable& table, const std::string& method, const std::string& path,
                 const std::string& query = "") {
  const auto answer = table.refuse({method, path, query, "", ""});
  if (!answer) return "served";
  const std::string* const allow = answer->header("Allow");
  return std::to_string(answer->status) + " " +
         json::parse(answer->body)["detail"].get<std::string>() +
         (allow == nullptr ? "" : " [" + *allow + "]");
}

// A client with headers of its own.
struct Raw {
  std::string head, body;
};
Raw raw(const RunningServer& server, const std::string& request) {
  RawClient client(server.port());
  REQUIRE(client.send(request + "Host: x\r\nConnection: close\r\n\r\n"));
  const std::string answer = client.read_to_close();
  const size_t end = answer.find("\r\n\r\n");
  REQUIRE(end != std::string::npos);
  return {answer.substr(0, end + 2), answer.substr(end + 4)};
}

struct Fronted {
  explicit Fronted(http::FrontOptions options = {}) {
    if (!options.now) options.now = [] { return Instant{0}; };
    auto made = http::Front::create(std::move(options));
    REQUIRE(made.ok());
    front = std::move(*made);
    const auto routes = http::make_api([] { return test::snapshot(); });
    server.emplace(http::ServerOptions{},
                   front->before([routes](const http::HttpRequest& request, http::Reply reply) {
                     reply(routes(request));
                   }));
  }
  std::unique_ptr<http::Front> front;
  std::optional<RunningServer> server;
};

}  // namespace

TEST_CASE("The route table refuses what its document does not describe", "[http]") {
  const auto table = http::RouteTable::parse(kDocument);
  REQUIRE(table.ok());
  CHECK(said(*table, "GET", "/api/slo") == "served");
  CHECK(said(*table, "HEAD", "/api/slo/a/b") == "served");
  CHECK(said(*table, "GET", "/api/none").starts_with("404 nothing is served at '/api/none'"));
  CHECK(said(*table, "GET", "/api/slo/").starts_with("404 "));
  CHECK(said(*table, "POST", "/api/slo") ==
        "405 '/api/slo' takes no POST, only GET, HEAD "
        "[GET, HEAD]");
  CHECK(said(*table, "DELETE", "/api/changes").ends_with("[GET, HEAD, POST]"));
  CHECK(said(*table, "PUT", "/api/services") ==
        "405 '/api/services' takes no PUT: change the file [GET, HEAD]");
}

TEST_CASE("The route table checks the parameters of the path that fits best", "[http]") {
  const auto table = http::RouteTable::parse(kDocument);
  REQUIRE(table.ok());
  CHECK(said(*table, "GET", "/api/slo/x/history") == "400 kind is missing");
  CHECK(said(*table, "GET", "/api/slo/x/history", "kind=a") == "served");
  CHECK(said(*table, "GET", "/api/slo/all", "x=1") ==
        "400 there is no parameter 'x' here; there are none");
  CHECK(said(*table, "GET", "/api/slo", "x=1") ==
        "400 there is no parameter 'x' here; there are format, limit, q");
  CHECK(said(*table, "GET", "/api/slo", "limit=9&format=csv&q=abcd&") == "served");
  CHECK(said(*table, "GET", "/api/slo", "limit=&format=") == "served");
  CHECK(said(*table, "GET", "/api/slo", "limit=10") ==
        "400 limit must lie within 1..9, found '10'");
  CHECK(said(*table, "GET", "/api/slo", "limit=0").starts_with("400 "));
  CHECK(said(*table, "GET", "/api/slo", "limit=1e1").starts_with("400 "));
  CHECK(said(*table, "GET", "/api/slo", "format=xml") ==
        "400 format must be one of json, csv; found 'xml'");
  CHECK(said(*table, "GET", "/api/slo", "q=abcde") == "400 q is longer than 4 bytes");
  CHECK(said(*table, "GET", "/api/slo", "q=%4") == "400 q has a broken %-escape");
  CHECK(said(*table, "GET", "/api/slo", "limit=1&limit=2") == "400 limit is given twice");
  CHECK_FALSE(http::RouteTable::parse("{}").ok());
}

TEST_CASE("An address may ask so often, and again when time has passed", "[http]") {
  http::RateLimit limit({10, 20, 2});
  Instant now{5'000'000'000};
  for (int i = 0; i < 20; ++i) CHECK_FALSE(limit.wait("a", now));
  CHECK(limit.wait("a", now) == 1);
  CHECK_FALSE(limit.wait("b", now));
  now.ns += 99 * kNsPerMs;
  CHECK(limit.wait("a", now) == 1);
  now.ns += 1 * kNsPerMs;
  CHECK_FALSE(limit.wait("a", now));
  CHECK(limit.wait("a", now) == 1);
  CHECK(limit.refused() == 3);
  now.ns += 3600 * kNsPerSecond;
  for (int i = 0; i < 20; ++i) CHECK_FALSE(limit.wait("a", now));
  CHECK(limit.wait("a", now).has_value());
  // A third address takes the place of the one that was silent longest.
  CHECK_FALSE(limit.wait("c", now));
  CHECK(limit.addresses() == 2);
  CHECK(limit.forgotten() == 1);
  CHECK(limit.wait("a", now).has_value());
  CHECK_FALSE(http::RateLimit({0, 0, 2}).wait("a", now));
}

TEST_CASE("A client beyond its rate gets 429 with when to come back", "[http]") {
  http::FrontOptions options;
  options.rate = {1, 2, 8};
  Fronted fronted(std::move(options));
  CHECK(raw(*fronted.server, "GET /healthz HTTP/1.1\r\n").head.starts_with("HTTP/1.1 200 "));
  CHECK(raw(*fronted.server, "GET /healthz HTTP/1.1\r\n").head.starts_with("HTTP/1.1 200 "));
  const Raw refused = raw(*fronted.server, "GET /healthz HTTP/1.1\r\n");
  CHECK(refused.head.starts_with("HTTP/1.1 429 Too Many Requests\r\n"));
  CHECK(refused.head.find("Retry-After: 1\r\n") != std::string::npos);
  CHECK(json::parse(refused.body)["status"] == 429);
}

TEST_CASE("What has not changed is 304, and its tag holds for every coding", "[http]") {
  Fronted fronted;
  const Raw whole = raw(*fronted.server, "GET /api/slo HTTP/1.1\r\n");
  const size_t at = whole.head.find("ETag: ");
  REQUIRE(at != std::string::npos);
  const std::string tag = whole.head.substr(at + 6, whole.head.find("\r\n", at) - at - 6);
  CHECK(tag == http::etag_of(whole.body));
  CHECK(whole.head.find("Cache-Control: no-cache\r\n") != std::string::npos);
  const Raw same =
      raw(*fronted.server, "GET /api/slo HTTP/1.1\r\nIf-None-Match: \"x\", " + tag + "\r\n");
  CHECK(same.head.starts_with("HTTP/1.1 304 Not Modified\r\n"));
  CHECK(same.body.empty());
  CHECK(same.head.find("Content-Length") == std::string::npos);
  const Raw packed = raw(*fronted.server, "GET /api/slo HTTP/1.1\r\nAccept-Encoding: br, gzip\r\n");
  CHECK(packed.head.find("Content-Encoding: gzip\r\n") != std::string::npos);
  CHECK(packed.head.find("Vary: Accept-Encoding\r\n") != std::string::npos);
  CHECK(packed.head.find(tag) != std::string::npos);
  CHECK(packed.body.size() < whole.body.size() / 2);
  CHECK(gunzip(packed.body) == whole.body);
  const Raw plain = raw(*fronted.server, "GET /api/slo HTTP/1.1\r\nAccept-Encoding: gzip;q=0\r\n");
  CHECK(plain.body == whole.body);
  CHECK(raw(*fronted.server, "GET /healthz HTTP/1.1\r\nAccept-Encoding: gzip\r\n").body == "ok\n");
}

TEST_CASE("Errors are problem documents, or the sentence for who asks for text", "[http]") {
  Fronted fronted;
  const Raw problem = raw(*fronted.server, "GET /api/slo/none HTTP/1.1\r\n");
  CHECK(problem.head.starts_with("HTTP/1.1 404 "));
  CHECK(problem.head.find("Content-Type: application/problem+json\r\n") != std::string::npos);
  const json told = json::parse(problem.body);
  CHECK(told["type"] == "about:blank");
  CHECK(told["title"] == "Not Found");
  CHECK(told["status"] == 404);
  const Raw text = raw(*fronted.server, "GET /api/slo/none HTTP/1.1\r\nAccept: text/plain\r\n");
  CHECK(text.body == told["detail"].get<std::string>() + "\n");
}

TEST_CASE("Other origins are let in only where they are configured", "[http]") {
  const std::string ask = "GET /api/slo HTTP/1.1\r\nOrigin: https://grafana.example.org\r\n";
  const std::string before = "OPTIONS /api/slo HTTP/1.1\r\nOrigin: https://grafana.example.org\r\n";
  Fronted closed;
  CHECK(raw(*closed.server, ask).head.find("Access-Control") == std::string::npos);
  CHECK(raw(*closed.server, before).head.find("Access-Control") == std::string::npos);
  http::FrontOptions options;
  options.cors_origins = {"https://grafana.example.org"};
  Fronted open(std::move(options));
  CHECK(raw(*open.server, ask)
            .head.find("Access-Control-Allow-Origin: https://grafana.example.org\r\n") !=
        std::string::npos);
  CHECK(raw(*open.server, before).head.find("Access-Control-Allow-Methods: GET, HEAD\r\n") !=
        std::string::npos);
  const Raw other = raw(*open.server, "GET /api/slo HTTP/1.1\r\nOrigin: https://evil.example\r\n");
  CHECK(other.head.find("Access-Control") == std::string::npos);
  CHECK(other.head.find("Vary: Origin\r\n") != std::string::npos);
}

TEST_CASE("A page whose name was made to lead here reads nothing", "[http]") {
  const auto status = [](const Fronted& fronted, const std::string& host) {
    RawClient client(fronted.server->port());
    REQUIRE(
        client.send("GET /api/slo HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n"));
    return client.read_to_close().substr(9, 3);
  };
  http::FrontOptions options;
  options.hosts = std::vector<std::string>{"nines.example.org"};
  Fronted strict(std::move(options));
  CHECK(status(strict, "evil.example:9990") == "421");
  CHECK(status(strict, "127.0.0.1:9990") == "200");
  CHECK(status(strict, "nines.example.org") == "200");
  Fronted open;
  CHECK(status(open, "evil.example:9990") == "200");
}

TEST_CASE("Every answer is strict with browsers", "[http]") {
  Fronted fronted;
  for (const char* path : {"/api/slo", "/api/none", "/metrics"}) {
    CAPTURE(path);
    const Raw answer = raw(*fronted.server, std::string("GET ") + path + " HTTP/1.1\r\n");
    CHECK(answer.head.find("X-Content-Type-Options: nosniff\r\n") != std::string::npos);
    CHECK(answer.head.find("Referrer-Policy: no-referrer\r\n") != std::string::npos);
    CHECK(answer.head.find("frame-ancestors 'none'") != std::string::npos);
  }
}

TEST_CASE("Lists come in pages that lead to each other", "[http]") {
  Fronted fronted;
  std::string path = "/api/slo?format=json&limit=1";
  std::vector<std::string> seen;
  for (int i = 0; i < 10 && !path.empty(); ++i) {
    const Raw page = raw(*fronted.server, "GET " + path + " HTTP/1.1\r\n");
    REQUIRE(page.head.starts_with("HTTP/1.1 200 "));
    const json list = json::parse(page.body);
    REQUIRE(list.size() == 1);
    seen.push_back(list[0]["slo"]);
    const size_t link = page.head.find("Link: <");
    path = link == std::string::npos
               ? ""
               : page.head.substr(link + 7, page.head.find(">; rel=\"next\"") - link - 7);
  }
  std::vector<std::string> all;
  for (const auto& status : test::snapshot().slos) all.push_back(status.slo);
  CHECK(seen == all);
  const Raw lost = raw(*fronted.server, "GET /api/slo?cursor=gone HTTP/1.1\r\n");
  CHECK(lost.head.starts_with("HTTP/1.1 400 "));
}

TEST_CASE("The files of the page are served as their names say", "[http]") {
  http::FrontOptions options;
  options.page = fixture();
  Fronted fronted(std::move(options));
  const Raw index = raw(*fronted.server, "GET / HTTP/1.1\r\n");
  CHECK(index.head.find("Content-Type: text/html; charset=utf-8\r\n") != std::string::npos);
  CHECK(index.head.find("Cache-Control: no-cache\r\n") != std::string::npos);
  CHECK(index.head.find("script-src 'self'; style-src 'self'") != std::string::npos);
  CHECK(index.head.find("unsafe") == std::string::npos);
  CHECK(index.body.find("<script") != std::string::npos);
  const Raw script = raw(*fronted.server, "GET /assets/app-1a2b3c4d.js HTTP/1.1\r\n");
  CHECK(script.head.find("Content-Type: text/javascript; charset=utf-8\r\n") != std::string::npos);
  CHECK(script.head.find("immutable\r\n") != std::string::npos);
  const Raw packed =
      raw(*fronted.server, "GET /assets/app-1a2b3c4d.js HTTP/1.1\r\nAccept-Encoding: gzip\r\n");
  CHECK(packed.head.find("Content-Encoding: gzip\r\n") != std::string::npos);
  CHECK(gunzip(packed.body) == script.body);
  CHECK(script.body.find("fixture of the page") != std::string::npos);
  CHECK(raw(*fronted.server, "GET /../nines.yaml HTTP/1.1\r\n").head.starts_with("HTTP/1.1 404 "));
  CHECK(raw(*fronted.server, "POST / HTTP/1.1\r\nContent-Length: 0\r\n")
            .head.starts_with("HTTP/1.1 405 "));
}

TEST_CASE("The page that is compiled in needs nothing inline and nothing from elsewhere",
          "[http]") {
  const auto files = http::embedded_page();
  const auto content = [&](std::string_view path) {
    for (const http::EmbeddedFile& file : files) {
      if (file.path == path) return std::string(file.content());
    }
    FAIL("there is no " << path);
    return std::string();
  };
  const std::string index = content("/index.html");
  CHECK(index.find("<script type=\"module\" src=\"/page.js\">") != std::string::npos);
  CHECK(index.find("<style") == std::string::npos);
  CHECK(index.find(" style=") == std::string::npos);
  for (const http::EmbeddedFile& file : files) {
    CAPTURE(std::string(file.path));
    const std::string_view text = file.content();
    for (size_t at = 0; (at = text.find("://", at)) != std::string::npos; ++at) {
      CHECK(text.compare(at, 13, "://www.w3.org") == 0);  // names of vocabularies
    }
  }
}

TEST_CASE("A hash in a name is told from a word", "[http]") {
  CHECK(http::has_hash("/app-1a2b3c4d.js"));
  CHECK(http::has_hash("/assets/app-B7x_9zQw.css"));
  CHECK_FALSE(http::has_hash("/app.js"));
  CHECK_FALSE(http::has_hash("/service-overview.js"));
  CHECK_FALSE(http::has_hash("/app-1a2.js"));
  CHECK_FALSE(http::has_hash("/index.html"));
}

TEST_CASE("What clients accept is read as they mean it", "[http]") {
  CHECK(http::takes_gzip("gzip"));
  CHECK(http::takes_gzip("deflate, gzip;q=0.5"));
  CHECK(http::takes_gzip("*"));
  CHECK_FALSE(http::takes_gzip(""));
  CHECK_FALSE(http::takes_gzip("br, gzip;q=0"));
  CHECK_FALSE(http::takes_gzip("gzip;q=0.000"));
  CHECK(http::wants_text("text/plain"));
  CHECK_FALSE(http::wants_text("text/plain, application/json"));
  CHECK_FALSE(http::wants_text("*/*"));
  CHECK(http::matches("*", "W/\"a\""));
  CHECK(http::matches("\"a\"", "W/\"a\""));
  CHECK_FALSE(http::matches("\"b\"", "W/\"a\""));
}
