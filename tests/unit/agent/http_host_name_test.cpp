// Names in Host that can be this node, and those by which others would read it.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "http/host_name.hpp"

using nines::agent::http::may_be_here;

TEST_CASE("Addresses, local names and what is configured can be this node", "[http]") {
  const std::string host = GENERATE(
      as<std::string>(), "", "127.0.0.1", "127.0.0.1:9990", "[::1]", "[::1]:9990", "localhost",
      "LocalHost:9990", "x", "pi-2", "pi.local", "node.lan:9990", "app.localhost", "10.1.2.3:80",
      "nines.example.org", "NINES.example.org:443", "nines.example.org.");
  CAPTURE(host);
  CHECK(may_be_here(host, {"nines.example.org"}));
}

TEST_CASE("A name of the world that leads to loopback is not this node", "[http]") {
  const std::string host =
      GENERATE(as<std::string>(), "evil.example", "evil.example:9990", "EVIL.example.",
               "localhost.evil.example", "127.0.0.1.evil.example", "nines.example.org.evil.example",
               "xnines.example.org", "local.com");
  CAPTURE(host);
  CHECK_FALSE(may_be_here(host, {"nines.example.org"}));
  CHECK_FALSE(may_be_here(host, {}));
}
