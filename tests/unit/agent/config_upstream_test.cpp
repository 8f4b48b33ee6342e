#include <catch2/catch.hpp>
#include <string>

#include "config_support.hpp"

using namespace nines::agent;
using nines::agent::test::all_text;
using nines::agent::test::ConfigFolder;

TEST_CASE("Every value of upstream arrives", "[config]") {
  const ConfigFolder folder;
  const Loaded loaded = folder.load_node(R"(
upstream:
  - {name: a, kind: mimir, url: "https://h/api/v1/push", token_file: t, ca_file: /ca.pem,
     cert_file: c.pem, key_file: /k.pem, tenant: shop, labels: [cluster=x, site=a=b], every: 30s,
     timeout: 3s, max_age: 7d}
  - {name: b, url: "http://127.0.0.1:9090/api/v1/write", user: me, password_file: /p}
  - {name: c, kind: otlp, url: "http://127.0.0.1:4318/v1/metrics"}
)");
  INFO(all_text(loaded.diagnostics));
  REQUIRE(loaded.diagnostics.empty());
  REQUIRE(loaded.node.upstream.size() == 3);
  const UpstreamConfig& a = loaded.node.upstream[0];
  CHECK(a.url == "https://h/api/v1/push");
  CHECK(a.token_file == folder.path() + "/t");
  CHECK(a.ca_file == "/ca.pem");
  CHECK(a.cert_file == folder.path() + "/c.pem");
  CHECK(a.key_file == "/k.pem");
  CHECK(a.tenant == "shop");
  REQUIRE(a.labels.size() == 2);
  CHECK(a.labels[1] == std::pair<std::string, std::string>("site", "a=b"));
  CHECK(a.every_s == 30);
  CHECK(a.timeout_ms == 3000);
  CHECK(a.max_age_s == 7 * 86'400);
  const UpstreamConfig& b = loaded.node.upstream[1];
  const UpstreamConfig plain;
  CHECK(a.kind == UpstreamConfig::Kind::remote_write);
  CHECK(loaded.node.upstream[2].kind == UpstreamConfig::Kind::otlp);
  CHECK(b.user == "me");
  CHECK(b.labels.empty());
  CHECK(b.every_s == plain.every_s);
  CHECK(b.timeout_ms == plain.timeout_ms);
  CHECK(b.max_age_s == plain.max_age_s);
}

TEST_CASE("Brokers among the upstreams arrive with their own keys", "[config]") {
  const ConfigFolder folder;
  const Loaded loaded = folder.load_node(R"(
upstream:
  - {name: hub, kind: nats, url: "tls://nats.example.org", cluster: shop, nkey_file: hub.creds,
     domain: edge, replicas: 3, fleet: true, fleet_nodes: 2000, fleet_memory: 1GiB,
     queries: both}
  - {name: ask, kind: nats, url: "nats://nats.example.org", queries: ask}
  - {name: answer, kind: nats, url: "nats://127.0.0.1", queries: answer}
  - {name: iot, kind: mqtt, url: "mqtts://mqtt.example.org:8884", user: u, password_file: p}
)");
  INFO(all_text(loaded.diagnostics));
  REQUIRE(loaded.diagnostics.empty());
  const UpstreamConfig& hub = loaded.node.upstream[0];
  CHECK(hub.kind == UpstreamConfig::Kind::nats);
  CHECK(hub.is_broker());
  CHECK(hub.cluster == "shop");
  CHECK(hub.nkey_file == folder.path() + "/hub.creds");
  CHECK(hub.domain == "edge");
  CHECK(hub.replicas == 3);
  CHECK(hub.fleet);
  CHECK(hub.fleet_nodes == 2000);
  CHECK(hub.fleet_bytes == int64_t{1} << 30);
  CHECK((hub.asks && hub.answers));
  CHECK((loaded.node.upstream[1].asks && !loaded.node.upstream[1].answers));
  CHECK((!loaded.node.upstream[2].asks && loaded.node.upstream[2].answers));
  const UpstreamConfig& iot = loaded.node.upstream[3];
  CHECK(iot.kind == UpstreamConfig::Kind::mqtt);
  CHECK_FALSE((iot.fleet || iot.asks || iot.answers));
}

TEST_CASE("A mistake in upstream is told with its place and a way out", "[config]") {
  struct Mistake {
    const char* entry;
    const char* words;
  };
  const Mistake mistakes[] = {
      {"{url: 'http://h/w'}", "name"},
      {"{name: a}", "url"},
      {"{name: a, kind: mimirr, url: 'http://h/w'}", "must be one of remote_write, otlp"},
      {"{name: a, url: 'ftp://h/w'}", "http:// or https://"},
      {"{name: a, url: 'http://h'}", "/api/v1/write"},
      {"{name: a, kind: nats, url: 'http://h/w'}", "tls://nats.example.org:4222"},
      {"{name: a, kind: nats, url: 'nats://u:p@h'}", "is no address of NATS"},
      {"{name: a, kind: mqtt, url: 'nats://h'}", "mqtts://"},
      {"{name: a, kind: nats, url: 'nats://h', token_file: t}", "without encryption"},
      {"{name: a, kind: nats, url: 'tls://h', token_file: t, nkey_file: n}", "more than one way"},
      {"{name: a, kind: mqtt, url: 'mqtts://h', fleet: true}", "are for kind nats"},
      {"{name: a, kind: mqtt, url: 'mqtts://h', queries: ask}", "are for kind nats"},
      {"{name: a, kind: nats, url: 'tls://h', queries: all}", "must be one of none, ask"},
      {"{name: a, kind: nats, url: 'tls://h', queries: both}", "may query the logs of this node"},
      {"{name: a, url: 'http://h/w', token_file: t}", "without encryption"},
      {"{name: a, url: 'https://h/w', token_file: t, user: u, password_file: p}",
       "both token_file"},
      {"{name: a, url: 'https://h/w', user: u}", "belong together"},
      {"{name: a, url: 'https://h/w', cert_file: c}", "cert_file and key_file"},
      {"{name: a, url: 'https://h/w', tenant: 'a b'}", "header"},
      {"{name: a, url: 'https://h/w', labels: [cluster]}", "write NAME=VALUE"},
      {"{name: a, url: 'https://h/w', labels: [1x=y]}", "is no label"},
      {"{name: a, url: 'https://h/w', labels: [node=y]}", "set by Nines"},
      {"{name: a, url: 'https://h/w', labels: [x=y, x=z]}", "given twice"},
      {"{name: a, url: 'https://h/w', every: 15s}", "multiple of 10s"},
      {"{name: a, url: 'https://h/w', evry: 10s}", "did you mean 'every'?"},
  };
  for (const Mistake& mistake : mistakes) {
    const ConfigFolder folder;
    const Loaded loaded = folder.load_node("upstream:\n  - " + std::string(mistake.entry) + "\n");
    INFO(mistake.entry << "\n" << all_text(loaded.diagnostics));
    REQUIRE(loaded.diagnostics.size() == 1);
    CHECK(loaded.diagnostics[0].line == 2);
    CHECK(all_text(loaded.diagnostics).find(mistake.words) != std::string::npos);
  }
  const ConfigFolder folder;
  const Loaded twice = folder.load_node(
      "upstream:\n  - {name: a, url: 'http://h/w'}\n  - {name: a, url: 'http://h/w'}\n");
  CHECK(all_text(twice.diagnostics).find("two upstreams named 'a'") != std::string::npos);
}
