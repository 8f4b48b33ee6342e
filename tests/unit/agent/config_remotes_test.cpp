#include <catch2/catch.hpp>
#include <string>

#include "config_support.hpp"

using namespace nines::agent;
using nines::agent::test::all_text;
using nines::agent::test::ConfigFolder;

TEST_CASE("Every value of remotes arrives", "[config]") {
  const ConfigFolder folder;
  const Loaded loaded = folder.load_node(R"(
remotes:
  - {name: a, kind: opensearch, url: "https://h:9200", token_file: t, index: "logs-*,web-*",
     query: "NOT env:test", timeout: 5s, max_rows: 10, range: 7d, ca_file: /ca.pem}
  - {name: b, kind: loki, url: "http://127.0.0.1:3100/", user: me, password_file: /p}
  - {name: c, kind: graylog, url: "http://localhost:9000/api"}
  - {name: d, kind: splunk, url: "https://h:8089"}
)");
  INFO(all_text(loaded.diagnostics));
  REQUIRE(loaded.diagnostics.empty());
  const auto& remotes = loaded.node.remotes;
  REQUIRE(remotes.size() == 4);
  using Kind = RemoteConfig::Kind;
  CHECK(remotes[0].kind == Kind::elasticsearch);
  CHECK(remotes[0].token_file == folder.path() + "/t");
  CHECK(remotes[0].index == "logs-*,web-*");
  CHECK(remotes[0].query == "NOT env:test");
  CHECK(remotes[0].timeout_ms == 5000);
  CHECK(remotes[0].max_rows == 10);
  CHECK(remotes[0].range_s == 7 * 86'400);
  CHECK(remotes[0].ca_file == "/ca.pem");
  CHECK(remotes[1].kind == Kind::loki);
  CHECK(remotes[1].user == "me");
  CHECK(remotes[1].password_file == "/p");
  CHECK(remotes[1].timeout_ms == RemoteConfig().timeout_ms);
  CHECK(remotes[1].max_rows == RemoteConfig().max_rows);
  CHECK(remotes[1].range_s == RemoteConfig().range_s);
  CHECK(remotes[2].kind == Kind::graylog);
  CHECK(remotes[3].kind == Kind::splunk);
}

TEST_CASE("A mistake in remotes is told with its place and a way out", "[config]") {
  struct Mistake {
    const char* entry;
    const char* place;
    const char* words;
  };
  const Mistake mistakes[] = {
      {"{kind: loki, url: 'http://h'}", ":2:5:", "FROM remote('NAME')"},
      {"{name: a, url: 'http://h'}", ":2:5:", "OpenSearch too"},
      {"{name: a, kind: lokki, url: 'http://h'}", ":2:21:", "did you mean 'loki'?"},
      {"{name: a, kind: loki}", ":2:5:", "url"},
      {"{name: a, kind: loki, url: 'ftp://h'}", ":2:32:", "http:// or https://"},
      {"{name: a, kind: loki, url: 'http://me:pw@h'}", ":2:32:", "user and password_file"},
      {"{name: a, kind: loki, url: 'http://h/?x=1'}", ":2:32:", "has parameters"},
      {"{name: a, kind: loki, url: 'https://h', user: me}", ":2:5:", "no password_file"},
      {"{name: a, kind: loki, url: 'https://h', password_file: p}", ":2:5:", "no user"},
      {"{name: a, kind: loki, url: 'https://h', token_file: t, user: me, password_file: p}",
       ":2:66:", "both token_file and user"},
      {"{name: a, kind: loki, url: 'https://h', index: 'a b'}", ":2:52:", "characters"},
      {"{name: a, kind: loki, url: 'https://h', indx: x}", ":2:", "index"},
      {"{name: a, kind: loki, url: 'https://h', max_rows: 0}", ":2:55:", "within"},
      {"{name: a, kind: loki, url: 'http://h', token_file: t}", ":2:32:", "without encryption"},
      {"{name: a, kind: loki, url: 'https://h'}\n  - {name: a, kind: loki, url: 'https://h'}",
       ":3:12:", "two remotes named 'a'"},
  };
  for (const Mistake& mistake : mistakes) {
    const ConfigFolder folder;
    const Loaded loaded = folder.load_node("remotes:\n  - " + std::string(mistake.entry) + "\n");
    INFO(mistake.entry << "\n" << all_text(loaded.diagnostics));
    REQUIRE_FALSE(loaded.diagnostics.empty());
    const std::string text = all_text(loaded.diagnostics);
    CHECK(text.find(mistake.place) != std::string::npos);
    CHECK(text.find(mistake.words) != std::string::npos);
  }
}
