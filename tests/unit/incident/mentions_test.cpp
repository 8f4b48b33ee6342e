// Whom a service names as an address in what it logs.
#include "nines/incident/mentions.hpp"

#include <catch2/catch.hpp>

namespace nines::incident {
namespace {

using Hosts = std::vector<std::string_view>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

WallTime second(int64_t s) { return WallTime::from_s(1'790'000'000 + s); }
bool is_service(const std::string& name) { return name == "db" || name == "broker"; }

}  // namespace

TEST_CASE("Hosts stand before a port, behind a scheme and behind a user", "[incident]") {
  CHECK(hosts_in("lost connection to broker:5672 (refused)") == Hosts{"broker"});
  CHECK(hosts_in("connected to postgres://shop@db:5432/shop") == Hosts{"db"});
  CHECK(hosts_in("connected to postgres://shop@db/shop") == Hosts{"db"});
  CHECK(hosts_in("GET http://orders.shop.svc/7: 503") == Hosts{"orders"});
  CHECK(hosts_in("lookup of db.shop.svc:5432.") == Hosts{"db"});
  CHECK(hosts_in("http://a:80 and http://b:80, a:80 again") == Hosts{"a", "b"});
}

TEST_CASE("Times, numbers and words with a colon are no hosts", "[incident]") {
  for (const char* text :
       {"", ":", "@", "://", "at 12:30:59", "10.43.0.17:5672 refused", "attempt:3", "error: 500",
        "Foo::bar()", "a:123456", "key:12:34", "x:80y", "[::1]:80", "level=info msg=\"a: b\""}) {
    INFO(text);
    CHECK(hosts_in(text).empty());
  }
}

TEST_CASE("Mentions of services are told, those of others and of oneself are not", "[incident]") {
  Mentions mentions;
  mentions.read("api", "dial tcp: db:5432 refused", second(0));
  mentions.read("api", "http://example.org/ is slow", second(0));
  mentions.read("db", "listening on db:5432", second(0));
  mentions.read("worker", "lost broker:5672", second(10));
  CHECK(mentions.pairs(second(20), is_service) == Pairs{{"api", "db"}, {"worker", "broker"}});
  CHECK(mentions.pairs(second(7 * 86400 + 5), is_service) == Pairs{{"worker", "broker"}});
}

TEST_CASE("Of too many mentions those not seen for longest go", "[incident]") {
  Mentions mentions;
  mentions.read("api", "db:5432", second(0));
  mentions.read("worker", "broker:5672", second(1));
  for (size_t i = 0; i < Mentions::kMost - 1; ++i) {
    mentions.read("api", "host-" + std::to_string(i) + ":80", second(100));
  }
  CHECK(mentions.pairs(second(200), is_service) == Pairs{{"worker", "broker"}});
}

}  // namespace nines::incident
