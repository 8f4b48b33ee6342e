#include <catch2/catch.hpp>
#include <string>

#include "config_support.hpp"

using namespace nines::agent;
using nines::agent::test::all_text;
using nines::agent::test::ConfigFolder;

TEST_CASE("Every value of peers arrives", "[config]") {
  const ConfigFolder folder;
  const Loaded loaded = folder.load_node(
      "peers: {cluster: shop, listen: \"[::]:9991\", nodes: [pi-2:9991, 10.0.0.3:9991],\n"
      "        ca_file: ca.crt, cert_file: /c.crt, key_file: c.key,\n"
      "        deny: [laptop-7, pi-9]}\n");
  INFO(all_text(loaded.diagnostics));
  REQUIRE(loaded.diagnostics.empty());
  const PeersConfig& peers = loaded.node.peers;
  CHECK(peers.used());
  CHECK(peers.cluster == "shop");
  CHECK(peers.listen == "[::]:9991");
  CHECK(peers.nodes == std::vector<std::string>{"pi-2:9991", "10.0.0.3:9991"});
  CHECK(peers.ca_file == folder.path() + "/ca.crt");
  CHECK(peers.cert_file == "/c.crt");
  CHECK(peers.key_file == folder.path() + "/c.key");
  CHECK(peers.deny == std::vector<std::string>{"laptop-7", "pi-9"});
  CHECK_FALSE(folder.load_node("listen: 127.0.0.1:1\n").node.peers.used());
}

TEST_CASE("A mistake in peers is told with its place and a way out", "[config]") {
  const std::pair<const char*, const char*> mistakes[] = {
      {"{cluster: shop}", "neither listen nor nodes"},
      {"{listen: 0.0.0.0:9991}", "nines pki init"},
      {"{nodes: [pi-2:9991]}", "there are no certificates"},
      {"{nodes: ['127.0.0.1.example.org:1']}", "there are no certificates"},
      {"{nodes: [localhost]}", "is no HOST:PORT"},
      {"{nodes: ['127.0.0.1:99910']}", "is no HOST:PORT"},
      {"{listen: '::1:9991'}", "is no HOST:PORT"},
      {"{listen: '127.0.0.1:1', ca_file: a}", "belong together"},
      {"{listen: '127.0.0.1:1', cert_file: a, key_file: b}", "belong together"},
      {"{listn: '127.0.0.1:1', nodes: ['127.0.0.1:2']}", "did you mean 'listen'?"},
  };
  for (const auto& [entry, words] : mistakes) {
    const ConfigFolder folder;
    const Loaded loaded = folder.load_node("peers: " + std::string(entry) + "\n");
    INFO(entry << "\n" << all_text(loaded.diagnostics));
    REQUIRE_FALSE(loaded.diagnostics.empty());
    CHECK(loaded.diagnostics[0].line == 1);
    CHECK(all_text(loaded.diagnostics).find(words) != std::string::npos);
  }
}
