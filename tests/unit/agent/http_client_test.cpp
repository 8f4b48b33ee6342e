#include <catch2/catch.hpp>

#include "http/client.hpp"
#include "http/message.hpp"
#include "http_fixture.hpp"

using namespace nines;
using namespace nines::agent;
using test::RunningServer;

namespace {
std::string error_of(const std::string& url) {
  const auto parsed = http::parse_url(url);
  return parsed.ok() ? "" : parsed.error().message;
}
std::optional<int64_t> retry_after(const std::string& value, const std::string& date = "") {
  http::ClientResponse response;
  response.retry_after = value;
  response.date = date;
  return http::retry_after_ms(response);
}
}  // namespace

TEST_CASE("URLs are taken apart, with the default ports", "[http]") {
  const auto plain = http::parse_url("http://example.org");
  REQUIRE(plain.ok());
  CHECK(plain->target == "/");
  CHECK(plain->port == "80");
  CHECK(plain->authority() == "example.org");
  const auto full = http::parse_url("https://[::1]:8443/hook?x=1");
  REQUIRE(full.ok());
  CHECK(full->tls);
  CHECK(full->host == "::1");
  CHECK(full->port == "8443");
  CHECK(full->target == "/hook?x=1");
  CHECK(full->authority() == "[::1]:8443");
  CHECK(http::parse_url("https://h?x")->target == "/?x");
}

TEST_CASE("URLs that could be misread are refused with the reason", "[http]") {
  CHECK(error_of("ftp://x").find("http://") != std::string::npos);
  CHECK(error_of("http://").find("host is missing") != std::string::npos);
  CHECK(error_of("http://u:p@h/").find("bearer token") != std::string::npos);
  CHECK(error_of("http://h:0/").find("port") != std::string::npos);
  CHECK(error_of("http://h:99999/").find("port") != std::string::npos);
  CHECK(error_of("http://[::1/").find("']'") != std::string::npos);
  CHECK(error_of("http://[::1]x/").find("port") != std::string::npos);
  CHECK(error_of("http://h/a b").find("blank") != std::string::npos);
  CHECK(error_of("http://h/\r\nX: y").find("control") != std::string::npos);
}

TEST_CASE("What stands in a part of a URL is read back as it was", "[http]") {
  CHECK(http::percent_encode("Az09-_.~") == "Az09-_.~");
  CHECK(http::percent_encode("a b/c?d=e&f%") == "a%20b%2Fc%3Fd%3De%26f%25");
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += static_cast<char>(byte);
  std::string back;
  REQUIRE(http::percent_decode(http::percent_encode(all), back));
  CHECK(back == all);
}

TEST_CASE("Retry-After is read as seconds or as a date against the server's own clock", "[http]") {
  CHECK(retry_after("7") == 7000);
  CHECK(retry_after("Sun, 06 Nov 1994 08:50:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT") == 60'000);
  CHECK(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:50:37 GMT") == 0);
  for (const char* bad :
       {"", "-1", "soon", "1.5", "99999999999", "Sun, 06 Foo 1994 08:49:37 GMT"}) {
    CAPTURE(bad);
    CHECK_FALSE(retry_after(bad, "Sun, 06 Nov 1994 08:49:37 GMT").has_value());
  }
}

TEST_CASE("fetch_json gives the body, or an error that quotes the answer", "[http]") {
  RunningServer server({}, [](const http::HttpRequest& request) -> http::HttpResponse {
    if (request.path == "/ok") return {200, "application/json", "[1]", {}};
    return http::problem(404, "no such thing");
  });
  const auto good = http::fetch_json(server.url() + "/ok", 20'000);
  REQUIRE(good.ok());
  CHECK(*good == "[1]");
  const auto bad = http::fetch_json(server.url() + "/x", 20'000);
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().message.find("answers 404") != std::string::npos);
  CHECK(bad.error().message.find("no such thing") != std::string::npos);
}

TEST_CASE("A port where nothing listens is told as such", "[http]") {
  uint16_t port = 0;
  {
    port = RunningServer({}, [](const auto&) { return http::HttpResponse{}; }).port();
  }
  const auto result = http::fetch_json("http://127.0.0.1:" + std::to_string(port), 20'000);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().message.find("nothing listens there") != std::string::npos);
}

TEST_CASE("A server that accepts and never answers ends the fetch at its deadline", "[http]") {
  boost::asio::io_context io(1);
  net::tcp::acceptor acceptor(io, {boost::asio::ip::address_v4::loopback(), 0});
  const auto port = acceptor.local_endpoint().port();
  const auto result = http::fetch_json("http://127.0.0.1:" + std::to_string(port) + "/", 50);
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().code == Errc::timeout);
  CHECK(result.error().message.find("within 50 ms") != std::string::npos);
}

TEST_CASE("A response beyond the limit is refused", "[http]") {
  RunningServer server({}, [](const auto&) -> http::HttpResponse {
    return {200, "text/plain", std::string(100'000, 'x'), {}};
  });
  http::ClientRequest request;
  request.url = server.url();
  request.timeout_ms = 20'000;
  request.max_response_bytes = 50'000;
  CHECK_FALSE(http::fetch(request).ok());
  request.max_response_bytes = 200'000;
  CHECK(http::fetch(request)->body.size() == 100'000);
}
