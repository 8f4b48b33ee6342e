#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "http/api.hpp"
#include "http/client.hpp"
#include "http/embedded.hpp"
#include "http_fixture.hpp"
#include "snapshot_fixture.hpp"

using namespace nines;
using namespace nines::agent;
using nlohmann::json;
using test::RawClient;
using test::RunningServer;

namespace {

http::HttpResponse hello(const http::HttpRequest& request) {
  return {200, "text/plain", "path=" + request.path + " query=" + request.query, {}};
}

http::ClientResponse get(const RunningServer& server, const std::string& path) {
  http::ClientRequest request;
  request.url = server.url() + path;
  request.timeout_ms = 20'000;
  auto response = http::fetch(request);
  REQUIRE(response.ok());
  return std::move(*response);
}

http::Handler api() {
  return http::make_api([] { return test::snapshot(); });
}

std::string listen_error(http::ServerOptions options) {
  boost::asio::io_context io(1);
  auto server = http::HttpServer::start(io, options, hello);
  return server.ok() ? "" : server.error().message;
}

}  // namespace

TEST_CASE("The server decodes paths and keeps queries apart", "[http]") {
  RunningServer server({}, hello);
  CHECK(get(server, "/a%20b/c?x=%20&y").body == "path=/a b/c query=x=%20&y");
}

TEST_CASE("The server answers several requests on one connection", "[http]") {
  RunningServer server({}, hello);
  RawClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    REQUIRE(client.send("GET /one HTTP/1.1\r\nHost: x\r\n\r\n"));
    const std::string answer = client.read_until("query=");
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.find("Connection: keep-alive\r\n") != std::string::npos);
  }
  REQUIRE(client.send("GET /two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  CHECK(client.read_to_close().find("Connection: close\r\n") != std::string::npos);
}

TEST_CASE("HEAD gets the headers of GET without the body", "[http]") {
  RunningServer server({}, hello);
  RawClient client(server.port());
  REQUIRE(client.send("HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  const std::string answer = client.read_to_close();
  CHECK(answer.find("Content-Length: 14\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("Other methods get 405 with what is allowed, in JSON", "[http]") {
  RunningServer server({}, hello);
  RawClient client(server.port());
  REQUIRE(client.send("DELETE /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  const std::string answer = client.read_to_close();
  CHECK(answer.starts_with("HTTP/1.1 405 "));
  CHECK(answer.find("Allow: GET, HEAD\r\n") != std::string::npos);
  CHECK(json::parse(answer.substr(answer.find("\r\n\r\n")))["status"] == 405);
}

TEST_CASE("What is not HTTP gets 400, broken paths too", "[http]") {
  RunningServer server({}, hello);
  for (const char* text :
       {"\x16\x03\x01 hello\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "GET http://other/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"}) {
    CAPTURE(text);
    RawClient client(server.port());
    REQUIRE(client.send(text));
    CHECK(client.read_to_close().starts_with("HTTP/1.1 400 Bad Request\r\n"));
  }
  CHECK(server.stats().errors == 4);
}

TEST_CASE("A header or body beyond its limit is refused and the connection closed", "[http]") {
  RunningServer server({}, hello);
  RawClient header(server.port());
  REQUIRE(header.send("GET / HTTP/1.1\r\nX: " + std::string(9000, 'a') + "\r\n\r\n"));
  CHECK(header.read_to_close().starts_with("HTTP/1.1 431 "));
  const std::string announced = "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n";
  for (const std::string& sent : {announced, announced + std::string(70'000, 'a')}) {
    RawClient body(server.port());
    REQUIRE(body.send(sent));
    CHECK(body.read_to_close().starts_with("HTTP/1.1 413 "));
  }
  RawClient chunked(server.port());
  REQUIRE(chunked.send("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n"));
  CHECK(chunked.read_to_close().starts_with("HTTP/1.1 413 "));
}

TEST_CASE("A client that dribbles its request is closed after the idle time", "[http]") {
  http::ServerOptions options;
  options.idle_ms = 50;
  RunningServer server(options, hello);
  RawClient client(server.port());
  REQUIRE(client.send("GET / HT"));
  CHECK(client.read_to_close() == "");
  RawClient silent(server.port());
  CHECK(silent.read_to_close() == "");
  // Answered after the server's thread has dealt with what closed the other two.
  RawClient after(server.port());
  REQUIRE(after.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  CHECK(after.read_to_close().starts_with("HTTP/1.1 200 "));
  CHECK(server.stats().timeouts == 2);
}

TEST_CASE("Connections beyond the limit get 503 and the others go on", "[http]") {
  http::ServerOptions options;
  options.max_connections = 2;
  RunningServer server(options, hello);
  RawClient first(server.port()), second(server.port());
  REQUIRE(first.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"));
  REQUIRE(second.send("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n"));
  first.read_until("query=");
  second.read_until("query=");
  RawClient third(server.port());
  CHECK(third.read_to_close().starts_with("HTTP/1.1 503 "));
  REQUIRE(first.send("GET /3 HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(first.read_until("query=").find("path=/3") != std::string::npos);
  CHECK(server.stats().refused_connections == 1);
}

TEST_CASE("A handler that throws answers 500 and the server lives on", "[http]") {
  RunningServer server({}, [](const http::HttpRequest& request) -> http::HttpResponse {
    if (request.path == "/bad") throw std::runtime_error("inside");
    return {};
  });
  const http::ClientResponse bad = get(server, "/bad");
  CHECK(bad.status == 500);
  CHECK(bad.body.find("inside") == std::string::npos);
  CHECK(get(server, "/good").status == 200);
}

TEST_CASE("Addresses that others can reach are refused unless allowed", "[http]") {
  http::ServerOptions options;
  for (const char* listen : {"0.0.0.0:0", ":0", "[::]:0", "*:0"}) {
    CAPTURE(listen);
    options.listen = listen;
    CHECK(listen_error(options).find("reachable from outside") != std::string::npos);
  }
  options.listen = "0.0.0.0:0";
  options.allow_non_loopback = true;
  CHECK(listen_error(options) == "");
}

TEST_CASE("A listen address that makes no sense is told with an example", "[http]") {
  http::ServerOptions options;
  for (const char* listen :
       {"127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:http", "nowhere:1"}) {
    CAPTURE(listen);
    options.listen = listen;
    CHECK(listen_error(options).find("for example 127.0.0.1:9990") != std::string::npos);
  }
}

TEST_CASE("A port in use is named with the way out", "[http]") {
  RunningServer server({}, hello);
  http::ServerOptions options;
  options.listen = "127.0.0.1:" + std::to_string(server.port());
  const std::string message = listen_error(options);
  CHECK(message.find("port " + std::to_string(server.port()) + " is in use") != std::string::npos);
  CHECK(message.find("set `listen` to another port") != std::string::npos);
}

TEST_CASE("The API serves status, one SLO, its explanation and metrics", "[http]") {
  RunningServer server({}, api());
  CHECK(json::parse(get(server, "/api/slo").body).size() == 3);
  CHECK(json::parse(get(server, "/api/slo/api-availability").body)["bad"] == 600);
  const http::ClientResponse explained = get(server, "/api/slo/api-availability/explain");
  CHECK(explained.body.starts_with("SLO api-availability"));
  CHECK(json::parse(
            get(server, "/api/slo/checkout%20%22latency%22%5Cp99%0A%1B%5B31m").body)["service"] ==
        "checkout");
  CHECK(json::parse(get(server, "/api/status").body)["boot"] == 3);
  CHECK(get(server, "/metrics").body.find("nines_build_info") != std::string::npos);
  CHECK(get(server, "/healthz").body == "ok\n");
}

TEST_CASE("The API gives the status in every format of the command line", "[http]") {
  RunningServer server({}, api());
  CHECK(get(server, "/api/slo?format=ndjson").body.starts_with("{\"slo\":\"api-availability\""));
  CHECK(get(server, "/api/slo?format=csv").body.starts_with("slo,service,"));
  const std::string table = get(server, "/api/slo?format=table&width=200").body;
  CHECK(table.starts_with("SLO "));
  CHECK(table.find("SERVICE") != std::string::npos);
  CHECK(table.find("\nSOURCE ") != std::string::npos);
  CHECK(get(server, "/api/slo?width=60&color=1&format=table").body.find("\x1b[") !=
        std::string::npos);
  CHECK(get(server, "/api/slo?format=table&width=60").body.find("SERVICE") == std::string::npos);
  CHECK(get(server, "/api/slo?format=table&width=-1").status == 200);
  const http::ClientResponse unknown = get(server, "/api/slo?format=xml");
  CHECK(unknown.status == 400);
  CHECK(unknown.body.find("json, ndjson, csv or table") != std::string::npos);
}

TEST_CASE("Unknown paths and SLOs get 404 that says what there is", "[http]") {
  RunningServer server({}, api());
  for (const char* path : {"/api/slo/none", "/api/slo/none/explain", "/api/slo/"}) {
    CAPTURE(path);
    const http::ClientResponse response = get(server, path);
    CHECK(response.status == 404);
    CHECK(json::parse(response.body)["detail"].get<std::string>().find("/api/slo") !=
          std::string::npos);
  }
}

TEST_CASE("Readiness follows the snapshot and gives the reason", "[http]") {
  Snapshot snapshot = test::snapshot();
  snapshot.ready = false;
  snapshot.not_ready_reason = "3.2 MiB behind on /var/log/x";
  RunningServer server({}, http::make_api([snapshot] { return snapshot; }));
  const http::ClientResponse response = get(server, "/readyz");
  CHECK(response.status == 503);
  CHECK(response.body == "not ready: 3.2 MiB behind on /var/log/x\n");
  CHECK(get(server, "/healthz").status == 200);
}

TEST_CASE("The OpenAPI schema names the keys of the status document", "[http]") {
  RunningServer server({}, api());
  const json schema = json::parse(http::embedded_openapi())["components"]["schemas"]["SloStatus"];
  const json slo = json::parse(get(server, "/api/slo/shop-errors").body);
  for (const auto& [key, value] : slo.items()) {
    CAPTURE(key);
    CHECK(schema["properties"].contains(key));
  }
  for (const json& key : schema["required"]) CHECK(slo.contains(key.get<std::string>()));
}
