#include "query/remote_exchange.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>

using namespace nines;
using namespace nines::agent;

TEST_CASE("An exchange for which the system has no descriptor left ends with an error",
          "[remote]") {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const int next = ::dup(0);
  REQUIRE(next >= 0);
  ::close(next);
  for (const bool streams : {false, true}) {
    http::ClientRequest request;
    request.url = "http://127.0.0.1:9/";
    rlimit none = limit;
    none.rlim_cur = static_cast<rlim_t>(next);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    std::unique_ptr<query::RemoteExchange> exchange;
    std::string thrown;
    try {
      exchange = std::make_unique<query::RemoteExchange>(request, streams);
    } catch (const std::exception& e) {
      thrown = e.what();
    }
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
    INFO(thrown);
    REQUIRE(exchange != nullptr);
    REQUIRE(exchange->wait());
    const auto result = exchange->result();
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().message.find("ulimit -n") != std::string::npos);
  }
}
