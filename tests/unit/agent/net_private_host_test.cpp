#include <catch2/catch.hpp>

#include "net/private_host.hpp"

using nines::agent::net::is_private_host;

TEST_CASE("A private host is told by its address or zone, never by a lookalike", "[net]") {
  for (const char* host :
       {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.7", "fd00::1", "[fc12::1]",
        "pdu.local", "x.svc", "a.shop.svc.cluster.local", "hub.home.arpa", "nas.lan"}) {
    INFO(host);
    CHECK(is_private_host(host));
  }
  for (const char* host : {"11.0.0.1", "172.32.0.1", "172.15.0.1", "192.169.0.1", "8.8.8.8",
                           "169.254.169.254", "fe80::1", "2001:db8::1", "10.example.org", "local",
                           ".local", "local.example.org", "example.org", ""}) {
    INFO(host);
    CHECK_FALSE(is_private_host(host));
  }
}
