// nines.yaml: values, defaults, the option table and its sample file.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "config/node_config.hpp"
#include "config/options.hpp"
#include "config_support.hpp"

using namespace nines::agent;
using nines::agent::test::all_text;
using nines::agent::test::ConfigFolder;

namespace {

const std::string kSamplePath = std::string(NINES_SOURCE_DIR) + "/packaging/examples/nines.yaml";

// The sample with every key in use: doc lines start with "# X", keys with "#key" or "#  ".
std::string with_all_keys(const std::string& sample) {
  std::istringstream in(sample);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    const bool doc = line.size() > 2 && line[0] == '#' && line[1] == ' ' && line[2] != ' ';
    if (!doc && !line.empty() && line[0] == '#') line.erase(0, 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("The defaults of the option table are those of NodeConfig", "[config]") {
  const NodeConfig table = config::default_node_config();
  const NodeConfig plain;
  CHECK(table.listen == plain.listen);
  CHECK(table.evaluate_s == plain.evaluate_s);
  CHECK(table.flush_s == plain.flush_s);
  CHECK(table.max_files == plain.max_files);
  CHECK(table.max_slos == plain.max_slos);
  CHECK(table.max_line_bytes == plain.max_line_bytes);
  CHECK(table.store_max_bytes == plain.store_max_bytes);
  CHECK(table.log_level == plain.log_level);
  CHECK(table.sources.empty());
  CHECK(table.webhooks.empty());
}

TEST_CASE("The sample nines.yaml says what the option table says (bless: unit_agent \"[bless]\")",
          "[config]") {
  std::ifstream in(kSamplePath);
  const std::string sample((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  CHECK(sample == config::sample_config());
}

TEST_CASE("Writes the sample nines.yaml anew", "[.][bless]") {
  std::ofstream(kSamplePath) << config::sample_config();
}

TEST_CASE("The sample nines.yaml loads as it is and gives the defaults", "[config]") {
  const ConfigFolder folder;
  const Loaded loaded = folder.load_node(config::sample_config());
  INFO(all_text(loaded.diagnostics));
  CHECK(loaded.diagnostics.empty());
  CHECK(loaded.node.flush_s == 60);
  CHECK_FALSE(loaded.node.has_sources());
  CHECK_FALSE(loaded.node.node.empty());  // the host name
}

TEST_CASE("The sample nines.yaml with every key in use has only the known contradictions",
          "[config]") {
  const ConfigFolder folder;
  folder.write("slos/a.yaml", "");
  folder.write("oncall.yaml",
               "people: [{id: anna}]\nschedules: []\n"
               "policies: [{name: all, levels: [{people: [anna]}]}]\n");
  const Loaded loaded = folder.load_node(with_all_keys(config::sample_config()));
  INFO(all_text(loaded.diagnostics));
  // All inputs at once; a pattern beside format auto; both ways to give a token or a secret; keys
  // of all kinds of notifiers; both ways to log in; an address and replicas;
  // so the source that the query names is no files.
  std::vector<std::string> errors;
  for (const auto& d : loaded.diagnostics) {
    if (d.severity == Diagnostic::Severity::error) errors.push_back(d.message);
  }
  REQUIRE(errors.size() == 11);
  CHECK(errors[0].find("a source is one kind of input") != std::string::npos);
  CHECK(errors[1].find("has a pattern, but its format is auto") != std::string::npos);
  CHECK(errors[2].find("both bearer_token and token_file") != std::string::npos);
  CHECK(errors[3].find(
            "which has no cert_file, key_file, topic, user, from, to, program, arguments") !=
        std::string::npos);
  CHECK(errors[4].find("both secret_file and secret_env") != std::string::npos);
  CHECK(errors[5].find("remote 'central' has both token_file and user") != std::string::npos);
  CHECK(errors[6].find("upstream 'central' has both token_file and user") != std::string::npos);
  CHECK(errors[7].find("has 'urls', which are for kind alertmanager") != std::string::npos);
  CHECK(errors[8].find("none of the sources of this node is files") != std::string::npos);
  CHECK(errors[9].find("undo of program 'drop-cache' names 'refill-cache'") != std::string::npos);
  CHECK(errors[10].find("webhook 'power-cycle' has both secret_file") != std::string::npos);
  REQUIRE(loaded.node.sources.size() == 1);
  const auto& source = loaded.node.sources[0];
  CHECK(source.name == "nginx");
  CHECK(source.service == "web");
  CHECK(source.selector.paths == std::vector<std::string>{"/var/log/nginx/access.log"});
  CHECK(source.selector.k8s_container == "nginx");
  CHECK(source.selector.pattern == "^(?P<ts>\\S+) (?P<level>\\w+) (?P<message>.*)$");
  CHECK(source.user == "user_id");
}

TEST_CASE("A standing query arrives with its defaults, and a saved one with its text", "[config]") {
  const ConfigFolder folder;
  folder.write("queries/errors.sql", "SELECT n FROM logs('a') WHERE level >= ERROR\n\n");
  const Loaded loaded = folder.load_node(
      "sources: [{name: a, paths: [/l]}]\n"
      "webhooks: [{name: ops, url: 'http://127.0.0.1/'}, {name: two, url: 'http://127.0.0.1/'}]\n"
      "queries:\n"
      "  - {name: first, sql: \"SELECT * FROM logs('a')\"}\n"
      "  - {name: second, sql: '@errors', every: 5m, notify: [two, ops], severity: page,\n"
      "     limit: 7, start: beginning}\n");
  INFO(all_text(loaded.diagnostics));
  REQUIRE(loaded.ok());
  REQUIRE(loaded.node.queries.size() == 2);
  const StandingQueryConfig& first = loaded.node.queries[0];
  CHECK(first.every_s == 60);
  CHECK(first.notify.empty());
  CHECK(first.severity == "ticket");
  CHECK(first.limit == 100);
  CHECK(first.from_end);
  const StandingQueryConfig& second = loaded.node.queries[1];
  CHECK(second.sql == "SELECT n FROM logs('a') WHERE level >= ERROR");
  CHECK(second.every_s == 300);
  CHECK(second.notify == std::vector<std::string>{"two", "ops"});
  CHECK(second.severity == "page");
  CHECK(second.limit == 7);
  CHECK_FALSE(second.from_end);
}

TEST_CASE("A standing query without webhooks is told that it tells nobody", "[config]") {
  const ConfigFolder folder;
  const Loaded loaded =
      folder.load_node("queries: [{name: q, sql: \"SELECT * FROM files('/l')\"}]\n");
  CHECK(loaded.ok());
  CHECK(all_text(loaded.diagnostics).find("tells nobody but the log") != std::string::npos);
}

TEST_CASE("Every input of a source arrives", "[config]") {
  const ConfigFolder folder;
  const Loaded loaded = folder.load_node(
      "sources:\n"
      "  - {name: j, journal: {units: [k3s.service]}}\n"
      "  - {name: all, journal: {}}\n"
      "  - {name: s, syslog: {listen: ['udp://0.0.0.0:5514', 'unix:///run/nines/log']}}\n"
      "  - {name: k, kmsg: true}\n"
      "  - {name: i, stdin: true}\n"
      "  - {name: m, scrape: {url: 'http://127.0.0.1:9100/metrics', every: 30s, token_file: /t}}\n"
      "  - {name: v, vitals: {every: 20s}}\n"
      "  - {name: f, paths: /l, multiline: '^\\d', start: end, ignore_older: 7d,\n"
      "     catch_up: newest_first, rate_limit: {lines: 100, bytes: 1MiB, excess: drop}}\n"
      "  - {name: p, kubernetes: {labels: [app=web]}}\n");
  INFO(all_text(loaded.diagnostics));
  REQUIRE(loaded.ok());
  const auto at = [&](size_t i) { return loaded.node.sources[i].selector; };
  using nines::slo::InputKind;
  CHECK(at(0).input == InputKind::journal);
  CHECK(at(0).units == std::vector<std::string>{"k3s.service"});
  CHECK(at(1).input == InputKind::journal);
  CHECK(at(2).input == InputKind::syslog);
  CHECK(at(2).listen.size() == 2);
  CHECK(at(3).input == InputKind::kmsg);
  CHECK(at(4).input == InputKind::standard_input);
  CHECK(at(5).input == InputKind::scrape);
  CHECK(at(5).url == "http://127.0.0.1:9100/metrics");
  CHECK(at(5).scrape_every_s == 30);
  CHECK(at(5).token_file == "/t");
  CHECK(at(6).input == InputKind::vitals);
  CHECK(at(6).vitals_every_s == 20);
  CHECK(at(7).input == InputKind::files);
  CHECK(at(7).multiline == "^\\d");
  CHECK(at(7).start == "end");
  CHECK(at(7).ignore_older_s == 7 * 86400);
  CHECK(at(7).newest_first);
  CHECK(at(7).max_lines_per_s == 100);
  CHECK(at(7).max_bytes_per_s == 1 << 20);
  CHECK(at(7).excess == nines::slo::Excess::drop);
  CHECK(at(8).k8s_labels == std::vector<std::string>{"app=web"});
}

TEST_CASE("Every value of nines.yaml arrives", "[config]") {
  const ConfigFolder folder;
  folder.write("token", "secret\n");
  std::filesystem::permissions(folder.path() + "/token", std::filesystem::perms(0600));
  const Loaded loaded = folder.load_node(R"(
node: pi-4
sources:
  - name: web
    service: shop
    paths: /var/log/nginx/access.log
    exclude: ["*.gz"]
    format: nginx-combined
    timezone: "-05:30"
  - {name: pods, kubernetes: {namespace: shop, pod: "web-*"}, format: json}
  - {name: own, paths: [/a, /b], format: regex, pattern: '^(?P<ts>\S+) (?P<message>.*)$'}
webhooks:
  - {name: a, url: "https://h/x", token_file: token, timeout: 500ms}
  - {name: b, url: "http://127.0.0.1:8080/"}
listen: "[::1]:9991"
evaluate: 5s
flush: 2m
limits: {files: 10, slos: 20, line_bytes: 64KiB, store_bytes: 1GiB}
log_level: debug
)");
  INFO(all_text(loaded.diagnostics));
  REQUIRE(loaded.diagnostics.empty());
  const NodeConfig& node = loaded.node;
  CHECK(node.node == "pi-4");
  REQUIRE(node.sources.size() == 3);
  CHECK(node.sources[0].selector.name == "web");
  CHECK(node.sources[0].selector.paths == std::vector<std::string>{"/var/log/nginx/access.log"});
  CHECK(node.sources[0].selector.exclude == std::vector<std::string>{"*.gz"});
  CHECK(node.sources[0].selector.format == "nginx");
  CHECK(node.sources[0].selector.utc_offset_s == -(5 * 3600 + 1800));
  CHECK(node.sources[1].selector.k8s_pod == "web-*");
  CHECK(node.sources[2].selector.format == "regex");
  REQUIRE(node.webhooks.size() == 2);
  CHECK(node.webhooks[0].bearer_token == "secret");
  CHECK(node.webhooks[0].timeout_ms == 500);
  CHECK(node.webhooks[1].timeout_ms == 5000);
  CHECK(node.listen == "[::1]:9991");
  CHECK(node.evaluate_s == 5);
  CHECK(node.flush_s == 120);
  CHECK(node.max_files == 10);
  CHECK(node.max_slos == 20);
  CHECK(node.max_line_bytes == 65536);
  CHECK(node.store_max_bytes == 1 << 30);
  CHECK(node.log_level == "debug");
}

TEST_CASE("Anchors and merge keys work", "[config]") {
  const ConfigFolder folder;
  const Loaded loaded = folder.load_node(R"(
sources:
  - &base {name: a, paths: [/a], format: json, timezone: "+01:00"}
  - {<<: *base, name: b, paths: [/b]}
)");
  INFO(all_text(loaded.diagnostics));
  REQUIRE(loaded.diagnostics.empty());
  REQUIRE(loaded.node.sources.size() == 2);
  CHECK(loaded.node.sources[1].name == "b");
  CHECK(loaded.node.sources[1].selector.paths == std::vector<std::string>{"/b"});
  CHECK(loaded.node.sources[1].selector.format == "json");
  CHECK(loaded.node.sources[1].selector.utc_offset_s == 3600);
}

TEST_CASE("A file is bounded in size, depth, documents and expansion", "[config]") {
  const ConfigFolder folder;
  const auto complaint = [&](const std::string& text) {
    return all_text(folder.load_node(text).diagnostics);
  };
  CHECK_THAT(complaint("node: a # " + std::string(1024 * 1024, 'x')),
             Catch::Contains("larger than 1048576 bytes"));
  CHECK_THAT(complaint("node: " + std::string(100, '[') + std::string(100, ']')),
             Catch::Contains("nested deeper than 64 levels"));
  CHECK_THAT(complaint("node: " + std::string(100'000, '[')), Catch::Contains("nested deeper"));
  std::string documents;
  for (int i = 0; i < 1001; ++i) documents += "---\nnode: a\n";
  CHECK_THAT(complaint(documents), Catch::Contains("more than 1000 documents"));
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 9; ++k) laughs += ", " + before;
    laughs += "]\n";
  }
  CHECK_THAT(complaint(laughs), Catch::Contains("grows beyond 16 MiB"));
}

TEST_CASE("Positions count characters, not bytes", "[config]") {
  const ConfigFolder folder;
  const Loaded loaded = folder.load_node("{node: \"\xC3\xA4\xE2\x82\xAC\", evaluate: soon}\n");
  REQUIRE(loaded.diagnostics.size() == 1);
  CHECK(loaded.diagnostics[0].line == 1);
  CHECK(loaded.diagnostics[0].column == 24);
}

TEST_CASE("All problems of a file are told in one run", "[config]") {
  const ConfigFolder folder;
  const Loaded loaded = folder.load_node("evalute: 1\nflush: x\nlisten: y\nlimits: {files: z}\n");
  CHECK(loaded.diagnostics.size() == 4);
  CHECK_FALSE(loaded.ok());
}

TEST_CASE("A missing file is an error with a way out, an absent default is not", "[config]") {
  const ConfigFolder folder;
  const Loaded missing = load_config(folder.path() + "/none.yaml", {});
  REQUIRE(missing.diagnostics.size() == 1);
  CHECK_FALSE(missing.ok());
  CHECK_THAT(to_string(missing.diagnostics[0]),
             Catch::Contains("No such file or directory") && Catch::Contains("--config"));
  const Loaded folder_instead = load_config(folder.path(), {});
  CHECK_THAT(all_text(folder_instead.diagnostics), Catch::Contains("not a regular file"));
}

TEST_CASE("A diagnostic reads as file:line:column, severity, message, hint", "[config]") {
  CHECK(to_string(Diagnostic{Diagnostic::Severity::error, "a.yaml", 12, 17, "bad", "mend it"}) ==
        "a.yaml:12:17: error: bad\n  hint: mend it");
  CHECK(to_string(Diagnostic{Diagnostic::Severity::warning, "a.yaml", 0, 0, "odd", ""}) ==
        "a.yaml: warning: odd");
}

TEST_CASE("Who is told of incidents, and when one level up, is read and checked", "[config]") {
  const ConfigFolder folder;
  const Loaded loaded = folder.load_node(
      "webhooks: [{name: lead, url: 'http://127.0.0.1/'}]\n"
      "incidents:\n"
      "  notify: all\n"
      "  acknowledge_within: {P0: 90s, P3: 2h}\n"
      "  escalate_to: [lead]\n"
      "  show_lines: false\n"
      "  runbook: 'https://wiki/{kind}'\n"
      "narrative: {url: 'http://127.0.0.1:8080/v1/', model: small, token_file: model.token}\n");
  INFO(all_text(loaded.diagnostics));
  CHECK(loaded.diagnostics.empty());
  const IncidentsConfig& incidents = loaded.node.incidents;
  CHECK(incidents.notify == "all");
  CHECK(incidents.acknowledge_ms[0] == 90'000);
  CHECK(incidents.acknowledge_ms[1] == 900'000);
  CHECK(incidents.acknowledge_ms[3] == 7'200'000);
  CHECK(incidents.escalate_to == std::vector<std::string>{"lead"});
  CHECK_FALSE(incidents.show_lines);
  CHECK(IncidentsConfig{}.show_lines);
  CHECK(loaded.node.narrative.url == "http://127.0.0.1:8080/v1");
  CHECK(loaded.node.narrative.token_file.starts_with("/"));
  for (const char* bad :
       {"incidents: {notify: some}\n", "incidents: {escalate_to: [nobody]}\n",
        "incidents: {acknowledge_within: {P4: 1m}}\n",
        "incidents: {acknowledge_within: {P0: 31d}}\n", "narrative: {model: small}\n",
        "narrative: {url: 'http://127.0.0.1/v1'}\n",
        "narrative: {url: 'ftp://127.0.0.1/v1', model: small}\n"}) {
    CAPTURE(bad);
    CHECK_FALSE(folder.load_node(bad).ok());
  }
}

TEST_CASE("An on-call document that is wrong is an error of the configuration", "[config]") {
  const ConfigFolder folder;
  folder.write("people.yaml",
               "people: [{id: anna, time_zone: Mars}]\nschedules: []\npolicies: []\n");
  const Loaded loaded = folder.load_node("oncall: {file: people.yaml}\n");
  CHECK_FALSE(loaded.ok());
  CHECK(all_text(loaded.diagnostics).find("people.yaml:1:32: error: 'time_zone' of 'anna'") !=
        std::string::npos);
  CHECK_FALSE(folder.load_node("oncall: {file: none.yaml}\n").ok());
  folder.write("people.yaml",
               "people: [{id: anna, notify: [fone]}]\nschedules: []\n"
               "policies: [{name: all, levels: [{people: [anna]}]}]\n");
  const Loaded unreachable = folder.load_node(
      "oncall: {file: people.yaml}\nwebhooks: [{name: phone, url: \"http://127.0.0.1:1/\"}]\n");
  CHECK(all_text(unreachable.diagnostics)
            .find("people.yaml:1:29: error: 'notify' of 'anna' names 'fone', which is no notifier, "
                  "webhook or chain\n  hint: did you mean 'phone'?") != std::string::npos);
}

TEST_CASE("A secret that everybody can read is told of, with its place and the way out",
          "[config]") {
  const ConfigFolder folder;
  const std::string path = folder.write("hook.token", "secret");
  const std::string node = "webhooks:\n  - {name: a, url: 'http://h/', token_file: hook.token}\n";
  std::filesystem::permissions(path, std::filesystem::perms(0640));
  const auto hidden = folder.load_node(node);
  CHECK(all_text(hidden.diagnostics).find("everybody") == std::string::npos);
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  const std::string said = all_text(folder.load_node(node).diagnostics);
  INFO(said);
  CHECK(said.find("nines.yaml:2:") != std::string::npos);
  CHECK(said.find(path + ", which everybody on this machine can read") != std::string::npos);
  CHECK(said.find("chmod o= " + path) != std::string::npos);
}
