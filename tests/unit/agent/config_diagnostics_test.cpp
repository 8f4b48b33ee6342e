// What bad input gets: one clear message with line, column and a way out. Each row is a document,
// the place and a fragment of message and hint. '@' in the input marks the place and is taken out.
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "config_support.hpp"

using namespace nines::agent;
using nines::agent::test::all_text;
using nines::agent::test::ConfigFolder;

namespace {

struct BadInput {
  const char* about;
  std::string text;     // with one '@' before the place
  std::string message;  // fragment
  std::string hint;     // fragment, may be empty
  Diagnostic::Severity severity = Diagnostic::Severity::error;
  int errors = 1;  // beside what one mistake makes: a key that is missing under its right name
};

struct Place {
  int line = 1, column = 1;
};

// Takes the '@' out of `text` and says where it stood.
Place take_mark(std::string& text) {
  const size_t at = text.find('@');
  REQUIRE(at != std::string::npos);
  text.erase(at, 1);
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(at);
  const auto line_start = text.rfind('\n', at == 0 ? 0 : at - 1);
  const size_t start = at == 0 || line_start == std::string::npos ? 0 : line_start + 1;
  return {1 + static_cast<int>(std::count(text.begin(), end, '\n')),
          1 + static_cast<int>(at - start)};
}

void expect(const BadInput& row, const Loaded& loaded, Place place) {
  INFO(row.about << "\n" << row.text << "\n" << all_text(loaded.diagnostics));
  const auto found =
      std::find_if(loaded.diagnostics.begin(), loaded.diagnostics.end(), [&](const Diagnostic& d) {
        return d.severity == row.severity && d.line == place.line && d.column == place.column &&
               d.message.find(row.message) != std::string::npos &&
               d.hint.find(row.hint) != std::string::npos;
      });
  CHECK(found != loaded.diagnostics.end());
  const bool is_error = row.severity == Diagnostic::Severity::error;
  CHECK(loaded.ok() == !is_error);
  // One mistake, one error: no follow-up errors that hide it.
  CHECK(
      std::count_if(loaded.diagnostics.begin(), loaded.diagnostics.end(), [](const Diagnostic& d) {
        return d.severity == Diagnostic::Severity::error;
      }) == (is_error ? row.errors : 0));
}

// One row a line reads best, however long it is.
// clang-format off
constexpr auto kError = Diagnostic::Severity::error;
constexpr auto kWarning = Diagnostic::Severity::warning;

const std::string kHead = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: api}\nspec:\n";
const std::string kMetric = "{metricSource: {type: nines.log, spec: {paths: [/l], where: \"status < 500\"}}}";
const std::string kRatio = "  indicator: {spec: {ratioMetric: {good: " + kMetric + ", total: " + kMetric + "}}}\n";
const std::string kObjective = "  objectives: [{target: 0.999}]\n";
const std::string kGood = kHead + "  service: s\n" + kRatio + kObjective;

std::string slo(const std::string& service, const std::string& ratio, const std::string& rest) {
  return kHead + service + ratio + rest;
}
std::string objectives(const std::string& text) {
  return slo("  service: s\n", kRatio, "  objectives: [{" + text + "}]\n");
}
std::string with(const std::string& line) { return slo("  service: s\n" + line, kRatio, kObjective); }
std::string ratio(const std::string& text) {
  return slo("  service: s\n", "  indicator: {spec: {ratioMetric: " + text + "}}\n", kObjective);
}
std::string good_spec(const std::string& spec) {
  return ratio("{good: {metricSource: {type: nines.log, spec: {" + spec + "}}}, total: " + kMetric + "}");
}
const std::string kAlpha = "apiVersion: ";
const std::string kAlphaRatio = "  objectives: [{target: 0.9, ratioMetrics: {good: {source: web, queryType: where, query: status < 500}, total: {source: web, queryType: where, query: \"\"}}}]\n";
const std::string kAlphaRest = "\nkind: Service\nmetadata: {name: a}\n";
std::string part(const std::string& more) {
  return "{displayName: a, target: 0.9, indicator: {spec: {ratioMetric: {good: " + kMetric + ", total: " + kMetric + "}}}" + (more.empty() ? "" : ", " + more) + "}";
}
const std::string kPart = part("");
std::string threshold(const std::string& spec, const std::string& objective) {
  return slo("  service: s\n",
             "  indicator:\n    spec:\n      thresholdMetric:\n        metricSource:\n"
             "          type: nines.log\n          spec:\n            paths: [/l]\n" + spec,
             "  objectives: [{" + objective + "}]\n");
}
std::string policy(const std::string& spec) {
  return kGood + "---\napiVersion: nines/v1alpha1\nkind: SLOPolicy\nmetadata: {name: p}\nspec:\n" + spec;
}
std::string rule(const std::string& text) {
  return policy("  sloRef: api\n  burnAlerts:\n    - " + text + "\n");
}
std::string budget(const std::string& text) {
  return policy("  sloRef: api\n  budgetAlerts:\n    - " + text + "\n");
}
std::string early(const std::string& text) {
  return policy("  sloRef: api\n  earlyWarnings:\n    - " + text + "\n");
}

std::vector<BadInput> bad_nodes() {
  return {
      {"unknown key", "@evalute: 10s\n", "unknown key 'evalute' in nines.yaml", "did you mean 'evaluate'?"},
      {"unknown key far from all", "@zzzzzzzzz: 1\n", "unknown key 'zzzzzzzzz'", "known keys: node, "},
      {"unknown nested key", "limits: {@file: 5}\n", "unknown key 'file' in limits", "'files'"},
      {"duplicate key", "listen: 127.0.0.1:1\nflush: 60s\n@listen: 127.0.0.1:2\n",
       "duplicate key 'listen', already given on line 1", "keep one"},
      {"not a map", "@- a\n", "nines.yaml must be a map, found a list", ""},
      {"list for text", "node: @[a]\n", "'node' of nines.yaml must be a text, found a list", ""},
      {"text for list of maps", "sources: @nginx\n", "'sources' of nines.yaml must be a list, found 'nginx'", ""},
      {"bad duration", "evaluate: @10x\n", "must be a duration (500ms, 10s, 5m, 1h, 30d), found '10x'", ""},
      {"duration without unit", "evaluate: @10\n", "must be a duration", ""},
      {"duration out of range", "evaluate: @1h\n", "must be within 1s..5m, found '1h'", ""},
      {"duration overflow", "flush: @99999999999999999d\n", "must be a duration", ""},
      {"bad size", "limits: {store_bytes: @64MB}\n", "must be a size (256KiB, 64MiB, 1GiB), found '64MB'", ""},
      {"size out of range", "limits:\n  line_bytes: @1\n", "must be within 1KiB..16MiB, found '1'", ""},
      {"not a number", "limits: {files: @many}\n", "must be a whole number, found 'many'", ""},
      {"number out of range", "limits: {slos: @0}\n", "must be within 1..1024, found '0'", ""},
      {"bad word", "log_level: @warning\n", "must be one of debug, info, warn, error, found 'warning'", "'warn'"},
      {"bad listen", "listen: @9990\n", "listen must be HOST:PORT, found '9990'", "127.0.0.1:9990"},
      {"bad port", "listen: @127.0.0.1:70000\n", "listen must be HOST:PORT", ""},
      {"listen outside", "listen: @0.0.0.0:9990\n", "reachable from other machines", "127.0.0.1", kWarning},
      {"source without name", "sources:\n  - @paths: [/l]\n", "a source has no 'name'", "{source: NAME}"},
      {"source without logs", "sources:\n  - @name: a\n", "source 'a' names no logs", "kubernetes"},
      {"two sources of a name", "sources:\n  - {name: a, paths: /l}\n  - {name: @a, paths: /l}\n",
       "two sources named 'a'", ""},
      {"unknown format", "sources:\n  - {name: a, paths: /l, format: @jsn}\n", "must be one of auto, nginx, apache, json", "'json'"},
      {"regex without pattern", "sources:\n  - {name: a, paths: /l, format: @regex}\n", "format regex but no pattern", "(?P<ts>"},
      {"pattern without regex", "sources:\n  - {name: a, paths: /l, pattern: @x}\n", "its format is auto", "format: regex"},
      {"bad regex", "sources:\n  - {name: a, paths: /l, format: regex, pattern: @'(?P<x>a'}\n", "source 'a': ", ""},
      {"two inputs", "sources:\n  - {name: a, paths: /l, kmsg: @true}\n", "a source is one kind of input, found paths, kmsg", "a source of each"},
      {"no flag", "sources:\n  - {name: a, kmsg: @maybe}\n", "must be true or false", ""},
      {"start", "sources:\n  - {name: a, paths: /l, start: @monday}\n", "start of source 'a' is 'monday'", "beginning, end"},
      {"bad multiline", "sources:\n  - {name: a, paths: /l, multiline: @'(x'}\n", "multiline of source 'a'", "first line of a record"},
      {"listens nowhere", "sources:\n  - {name: a, syslog: @{}}\n", "source 'a' listens nowhere", "udp://"},
      {"listens oddly", "sources:\n  - {name: a, syslog: @{listen: ['http://x']}}\n", "cannot listen on 'http://x'", "unix:///PATH"},
      {"scrape without url", "sources:\n  - {name: a, scrape: @{every: 10s}}\n", "source 'a' has no url", "url: http"},
      {"odd label", "sources:\n  - {name: a, kubernetes: @{labels: [web]}}\n", "label 'web' of source 'a' is not KEY=VALUE", ""},
      {"zone name", "sources:\n  - {name: a, paths: /l, timezone: @Europe/Berlin}\n", "must be a UTC offset", "names of zones"},
      {"webhook without url", "webhooks:\n  - @name: a\n", "a webhook has no 'url'", ""},
      {"webhook url", "webhooks:\n  - {name: a, url: @ftp://x}\n", "is not an http:// or https:// address", ""},
      {"password in url", "webhooks:\n  - {name: a, url: @'https://u:p@x/'}\n", "carries a user name", "bearer_token"},
      {"token in clear", "webhooks:\n  - {name: a, url: @http://h/, bearer_token: t}\n", "without encryption", "https", kWarning},
      {"missing token file", "webhooks:\n  - {name: a, url: https://h/, token_file: @nowhere}\n", "No such file", "token file"},
      {"two tokens", "webhooks:\n  - {name: a, url: https://h/, bearer_token: t, token_file: @t}\n", "both bearer_token and token_file", ""},
      {"SLO as nines.yaml", "@apiVersion: openslo/v1\nkind: SLO\n", "this is an SLO document", "--slo"},
      {"two documents", "node: a\n---\n@node: b\n", "must be one document", "slos/"},
      {"unclosed bracket", "node: [a\n@", "not valid YAML", "brackets"},
      {"tab indentation", "limits:\n@\tfiles: 5\n", "a tab in the indentation", "spaces"},
      {"not UTF-8", "node: a\nlisten: @\xff\n", "not UTF-8", ""},
      {"NUL byte", std::string("node: @\0b\n", 9), "not UTF-8", ""},
      {"unknown alias", "node: @*nobody\n", "not valid YAML", ""},
  };
}

std::vector<BadInput> bad_notifiers() {
  return {
      {"notifier without kind", "notifiers:\n  - @name: a\n", "a notifier has no 'kind'", "pagerduty"},
      {"notifier kind", "notifiers:\n  - {name: a, kind: @pagerdutty}\n", "must be one of", "pagerduty"},
      {"notifier name twice", "webhooks: [{name: a, url: 'https://h/'}]\nnotifiers:\n  - {name: @a, kind: webhook, url: 'https://h/'}\n", "two notifiers or webhooks named 'a'", ""},
      {"pagerduty without key", "notifiers:\n  - @name: a\n    kind: pagerduty\n", "has no secret", "routing key"},
      {"key of another kind", "notifiers:\n  - {name: a, kind: slack, url: 'https://h/', program: @/x}\n", "kind slack, which has no program", ""},
      {"secret file", "notifiers:\n  - {name: a, kind: opsgenie, secret_file: @nowhere}\n", "No such file", "able to read"},
      {"both secrets", "notifiers:\n  - {name: a, kind: opsgenie, secret_file: x, secret_env: @X}\n", "both secret_file and secret_env", "keep one"},
      {"notifier severity", "notifiers:\n  - {name: a, kind: webhook, url: 'https://h/', severities: @[pages]}\n", "found 'pages'", "did you mean 'page'"},
      {"secret in clear", "notifiers:\n  - {name: a, kind: ntfy, url: @'http://h/topic', secret_env: X}\n", "without encryption", "https", kWarning},
      {"ntfy topic", "notifiers:\n  - {name: a, kind: ntfy, url: @'https://ntfy.sh/'}\n", "names no topic", "my-topic"},
      {"mail server", "notifiers:\n  - {name: a, kind: email, url: @'https://h/', from: a@b.c, to: a@b.c}\n", "not that of a mail server", "smtp://"},
      {"mail sender", "notifiers:\n  - {name: a, kind: email, url: 'smtp://h', from: @'a b', to: a@b.c}\n", "'from' of notifier 'a' is not a mail address", ""},
      {"mail recipients", "notifiers:\n  - {name: a, to: @[a@b.c, 'x'], kind: email, url: 'smtp://h', from: a@b.c}\n", "'x' is not a mail address", ""},
      {"password in clear", "notifiers:\n  - {name: a, kind: email, url: @'smtp+plain://h:25', from: a@b.c, to: a@b.c, user: u, secret_env: X}\n", "password without encryption", "STARTTLS"},
      {"mail user", "notifiers:\n  - @name: a\n    kind: email\n    url: smtp://h\n    from: a@b.c\n    to: a@b.c\n    user: u\n", "belong together", ""},
      {"broker", "notifiers:\n  - {name: a, kind: mqtt, url: @'nats://h', topic: t}\n", "not that of an MQTT broker", "mqtts://"},
      {"topic", "notifiers:\n  - {name: a, kind: mqtt, url: 'mqtt://h', topic: @'pages/#'}\n", "needs 'topic'", "shop/pages"},
      {"no topic", "notifiers:\n  - @name: a\n    kind: mqtt\n    url: mqtt://h\n", "needs 'topic'", "shop/pages"},
      {"broker's user", "notifiers:\n  - @name: a\n    kind: mqtt\n    url: mqtts://h\n    topic: t\n    user: u\n", "belong together", ""},
      {"broker's certificate", "notifiers:\n  - @name: a\n    kind: mqtt\n    url: mqtts://h\n    topic: t\n    cert_file: c\n", "belong together", ""},
      {"login in clear", "notifiers:\n  - {name: a, kind: mqtt, url: @'mqtt://h', topic: t, user: u, secret_env: X}\n", "without encryption", "mqtts", kWarning},
      {"program path", "notifiers:\n  - {name: a, kind: exec, program: @siren}\n", "an absolute path", "no shell"},
      {"program missing", "notifiers:\n  - {name: a, kind: exec, program: @/nonexistent/siren}\n", "No such file", "", kWarning},
      {"chain of nobody", "notifiers: [{name: pager, kind: ntfy, url: 'https://h/t'}]\nchains:\n  - {name: c, steps: [{notify: @pagr}]}\n", "names notifier 'pagr', which does not exist", "did you mean 'pager'"},
      {"chain without within", "notifiers: [{name: a, kind: ntfy, url: 'https://h/t'}, {name: b, kind: ntfy, url: 'https://h/u'}]\nchains:\n  - name: c\n    steps:\n      - @notify: a\n      - notify: b\n", "has no 'within'", "2m"},
      {"notifier in two chains", "notifiers: [{name: a, kind: ntfy, url: 'https://h/t'}]\nchains:\n  - {name: c, steps: [{notify: a}]}\n  - {name: d, steps: [{notify: @a}]}\n", "told twice", ""},
      {"alertmanager url", "upstream:\n  - @name: a\n    kind: alertmanager\n    url: http://h/\n", "needs 'urls'", "every replica"},
      {"alertmanager label", "upstream:\n  - {name: a, kind: alertmanager, urls: ['http://h'], labels: @[severity=x]}\n", "'severity' is set by Nines", ""},
  };
}

std::vector<BadInput> bad_composites() {
  return {
      {"indicator beside those of a composite", slo("  service: s\n  indicator: @{spec: {}}\n", "", "  objectives: [{target: 0.9, indicatorRef: x}]\n"), "SLO 'api' is composite: its objectives have indicators", "move this one"},
      {"part without an SLI", slo("  service: s\n", "", "  objectives: [{target: 0.9, indicatorRef: @x}]\n"), "part 1 of SLO 'api' refers to SLI 'x', which does not exist", "no SLI document"},
      {"part without an indicator", slo("  service: s\n", "", "  objectives: [" + kPart + ", @{displayName: b, target: 0.9}]\n"), "part 2 of SLO 'api' has no indicator", "which records"},
      {"part with two indicators", slo("  service: s\n", "", "  objectives: [{displayName: a, target: 0.9, indicator: {spec: {}}, indicatorRef: @x}]\n"), "part 1 of SLO 'api' has both indicator and indicatorRef", "keep one"},
      {"part without a target", slo("  service: s\n", "", "  objectives: [@{displayName: a, indicator: {spec: {ratioMetric: {good: " + kMetric + ", total: " + kMetric + "}}}}]\n"), "objective of part 1 of SLO 'api' has no target", "0.999"},
      {"weight 0", slo("  service: s\n", "", "  objectives: [" + part("compositeWeight: @0") + "]\n"), "compositeWeight of part 1 of SLO 'api' must lie between", "twice as much"},
      {"weight below 0", slo("  service: s\n", "", "  objectives: [" + part("compositeWeight: @-2") + "]\n"), "must lie between", ""},
      {"weight too fine", slo("  service: s\n", "", "  objectives: [" + part("compositeWeight: @0.0000000001") + "]\n"), "at most 9 decimal places", ""},
      {"weight too large", slo("  service: s\n", "", "  objectives: [" + part("compositeWeight: @1000001") + "]\n"), "must lie between", ""},
      {"weight not a number", slo("  service: s\n", "", "  objectives: [" + part("compositeWeight: @heavy") + "]\n"), "compositeWeight of part 1 of SLO 'api' must be a number, found 'heavy'", ""},
      {"two parts of one name", slo("  service: s\n", "", "  objectives: [" + kPart + ", @" + kPart + "]\n"), "two SLOs named 'api-a'", "different displayNames"},
      {"weight without parts", objectives("target: 0.9, compositeWeight: @2"), "has a compositeWeight, but its objectives have no indicators", "in every objective"},
      {"independent", good_spec("paths: [/l], independent: @maybe"), "independent of good of SLO 'api' must be true or false, found 'maybe'", ""},
  };
}

std::vector<BadInput> bad_slos() {
  return {
      {"target as percentage", objectives("target: @99.9"), "target 99.9 of SLO 'api' is impossible",
       "99.9 looks like a percentage: use targetPercent: 99.9 or target: 0.999"},
      {"target 1", objectives("target: @1"), "target 1 of SLO 'api' is impossible", "no error budget"},
      {"target 1.5", objectives("target: @1.5"), "between 0 and 1", "looks like a percentage"},
      {"target 0", objectives("target: @0"), "target 0 of SLO 'api' is impossible", "never be missed"},
      {"target negative", objectives("target: @-0.5"), "impossible", ""},
      {"target not a number", objectives("target: @high"), "target of SLO 'api' must be a number, found 'high'", ""},
      {"target too fine", objectives("target: @0.99999999999"), "too many decimal places", "9"},
      {"targetPercent 100", objectives("targetPercent: @100"), "targetPercent 100 of SLO 'api' is impossible", "no error budget"},
      {"no target", slo("  service: s\n", kRatio, "  objectives: [@{displayName: a}]\n"), "objective of SLO 'api' has no target", "0.999"},
      {"two targets", objectives("target: 0.9, targetPercent: @90"), "both target and targetPercent", "keep one"},
      {"no objectives", kHead + "  @service: s\n" + kRatio, "has no 'objectives'", ""},
      {"empty objectives", slo("  service: s\n", kRatio, "  objectives: @[]\n"), "needs 1 to 64 items", ""},
      {"no service", kHead + "  @indicator: {spec: {ratioMetric: {good: " + kMetric + ", total: " + kMetric + "}}}\n" + kObjective, "has no 'service'", ""},
      {"unnamed objective", slo("  service: s\n", kRatio, "  objectives: [{displayName: a, target: 0.9}, @{target: 0.99}]\n"), "this one has no displayName", "api-DISPLAYNAME"},
      {"same objective name", slo("  service: s\n", kRatio, "  objectives: [{displayName: a, target: 0.9}, @{displayName: A, target: 0.99}]\n"), "two SLOs named 'api-a'", ""},
      {"time slice", objectives("target: 0.9, timeSliceWindow: @1m"), "timeSliceWindow of SLO 'api' is not used: its budget is counted in events", "Timeslices", kWarning},
      {"time slice target of events", objectives("target: 0.9, timeSliceTarget: @0.9"), "timeSliceTarget of SLO 'api' is not used", "Timeslices", kWarning},
      {"no time slice target", slo("  service: s\n  budgetingMethod: Timeslices\n", kRatio, "  objectives: [@{target: 0.9}]\n"), "has no timeSliceTarget", "0.95"},
      {"time slice target of nonsense", slo("  service: s\n  budgetingMethod: Timeslices\n", kRatio, "  objectives: [{target: 0.9, timeSliceTarget: @95}]\n"), "must be above 0, at most 1", "95 %"},
      {"time slice target of ratios", slo("  service: s\n  budgetingMethod: RatioTimeslices\n", kRatio, "  objectives: [{target: 0.9, timeSliceTarget: @0.95}]\n"), "is not used: RatioTimeslices take the mean", "", kWarning},
      {"time slice too short", slo("  service: s\n  budgetingMethod: RatioTimeslices\n", kRatio, "  objectives: [{target: 0.9, timeSliceWindow: @30s}]\n"), "must be within 1m..12h, found '30s'", ""},
      {"time slice odd", slo("  service: s\n  budgetingMethod: RatioTimeslices\n", kRatio, "  objectives: [{target: 0.9, timeSliceWindow: @90s}]\n"), "must be whole minutes", ""},
      {"time slice longer than the window", slo("  service: s\n  budgetingMethod: RatioTimeslices\n  timeWindow: [{duration: 1h}]\n", kRatio, "  objectives: [{target: 0.9, timeSliceWindow: @2h}]\n"), "at most the window (1h)", ""},
      {"misspelt method", with("  budgetingMethod: @Occurences\n"), "must be one of Occurrences, Timeslices, RatioTimeslices", "'Occurrences'"},
      {"rolling calendar", with("  timeWindow: [{duration: 1d, isRolling: true, calendar: @{startTime: 2020-01-01 00:00:00, timeZone: UTC}}]\n"), "is rolling and has a calendar", "isRolling: false"},
      {"calendar of years", with("  timeWindow: [{duration: @1Y, isRolling: false, calendar: {startTime: 2020-01-01 00:00:00, timeZone: UTC}}]\n"), "is 1Y, and a node keeps its counts for 92 days", "1Q"},
      {"calendar of minutes", with("  timeWindow: [{duration: @1m, isRolling: false, calendar: {startTime: 2020-01-01 00:00:00, timeZone: UTC}}]\n"), "must be a number of days, weeks, months or quarters, found '1m'", "m would be minutes"},
      {"calendar zone", with("  timeWindow: [{duration: 1M, isRolling: false, calendar: {startTime: 2020-01-01 00:00:00, timeZone: @Europe/Berln}}]\n"), "'Europe/Berln' is not known here", ""},
      {"calendar zone outside", with("  timeWindow: [{duration: 1M, isRolling: false, calendar: {startTime: 2020-01-01 00:00:00, timeZone: @../../etc/passwd}}]\n"), "must be an IANA time zone", "Europe/Berlin"},
      {"calendar start", with("  timeWindow: [{duration: 1M, isRolling: false, calendar: {startTime: @2020-02-30 00:00:00, timeZone: UTC}}]\n"), "must be a local date and time, found '2020-02-30 00:00:00'", "2026-01-01 00:00:00"},
      {"calendar start odd", with("  timeWindow: [{duration: 1M, isRolling: false, calendar: {startTime: @2020-02-01 00:01:00, timeZone: UTC}}]\n"), "must be a multiple of 5m", "slots of 5m"},
      {"month", with("  timeWindow: [{duration: @1M, isRolling: true}]\n"), "is a calendar period (M months, Q quarters, Y years)", "isRolling: false"},
      {"not rolling", with("  timeWindow: [@{duration: 30d, isRolling: false}]\n"), "is not rolling and has no calendar", "startTime"},
      {"two windows", with("  timeWindow: @[{duration: 30d}, {duration: 7d}]\n"), "needs exactly one item", ""},
      {"window too long", with("  timeWindow: [{duration: @365d}]\n"), "must be within 1m..92d, found '365d'", ""},
      {"window odd", with("  timeWindow: [{duration: @65s}]\n"), "multiple of 10s", ""},
      {"window upper case H", with("  timeWindow: [{duration: @1H}]\n"), "must be a duration, found '1H'", "30d"},
      {"unknown key in spec", with("  @budgetMethod: Occurrences\n"), "unknown key 'budgetMethod' in spec of SLO 'api'", "'budgetingMethod'"},
      {"no indicator", kHead + "  @service: s\n" + kObjective, "has no indicator", ""},
      {"indicatorRef", slo("  service: s\n", "  indicatorRef: @nobody\n", kObjective), "refers to SLI 'nobody', which does not exist", "no SLI document"},
      {"raw", ratio("{rawType: success, raw: @" + kMetric + "}"), "ratioMetric.raw of SLO 'api' is unsupported", "good (or bad) and total"},
      {"no total", ratio("@{good: " + kMetric + "}"), "needs total and one of good and bad", ""},
      {"good and bad", ratio("@{good: " + kMetric + ", bad: " + kMetric + ", total: " + kMetric + "}"), "one of good and bad", ""},
      {"no source", ratio("{good: {metricSource: {type: nines.log, spec: {where: x}}}, total: {metricSource: {type: nines.log, spec: @{where: y}}}}"), "SLO 'api' has no source: nothing says which logs to read", "paths"},
      {"foreign type", ratio("{good: {metricSource: {type: @Prometheus, spec: {query: x}}}, total: " + kMetric + "}"), "type 'Prometheus', which Nines does not read", "nines.log"},
      {"no type", ratio("{good: {metricSource: @{spec: {paths: [/l]}}}, total: " + kMetric + "}"), "has no 'type'", "nines.log"},
      {"unknown DataSource", ratio("{good: {metricSource: {metricSourceRef: @x}}, total: " + kMetric + "}"), "metricSourceRef 'x' names no DataSource", "no DataSource document"},
      {"unknown source", good_spec("source: @nginx"), "there is no source 'nginx' in nines.yaml", "its sources: web"},
      {"source and paths", good_spec("source: web, paths: @[/l]"), "'paths' cannot be combined with source: web", ""},
      {"unknown key in spec", good_spec("paths: [/l], @wher: x"), "unknown key 'wher' in spec of good of SLO 'api'", "'where'"},
      {"value in ratio", good_spec("paths: [/l], value: @x"), "'value' has no meaning in good of SLO 'api'", "thresholdMetric"},
      {"where not text", good_spec("paths: [/l], where: @[a]"), "where of good of SLO 'api' must be a text, found a list", ""},
      {"expression", good_spec("paths: [/l], where: \"status >= @)\""), "where of good of SLO 'api': ", ""},
      {"expression in single quotes", good_spec("paths: [/l], where: 'path = ''/x'' AND @)'"), "where of good", ""},
      {"plain expression", good_spec("paths: [/l], where: status >= 200 AND @)"), "where of good", ""},
      {"expression in a block", threshold("            where: |\n              status >= 200\n              AND @)\n            value: v\n", "op: lt, value: 5, target: 0.9"), "where of thresholdMetric", ""},
      {"folded expression", threshold("            where: >\n              status >= 200\n              AND @)\n            value: v\n", "op: lt, value: 5, target: 0.9"), "where of thresholdMetric", ""},
      {"value expression", threshold("            value: \"a - @\"\n", "op: lt, value: 5, target: 0.9"), "value of thresholdMetric", ""},
      {"no value", slo("  service: s\n", "  indicator: {spec: {thresholdMetric: {metricSource: {type: nines.log, spec: @{paths: /l}}}}}\n", "  objectives: [{op: lt, value: 5, target: 0.9}]\n"), "has no 'value'", "duration_ms"},
      {"onMissing", threshold("            value: v\n            onMissing: @good\n", "op: lt, value: 5, target: 0.9"), "must be one of skip, bad, found 'good'", ""},
      {"no op", slo("  service: s\n", "  indicator: {spec: {thresholdMetric: {metricSource: {type: nines.log, spec: {paths: /l, value: v}}}}}\n", "  objectives: [@{value: 5, target: 0.9}]\n"), "has no 'op'", "lte"},
      {"op", threshold("            value: v\n", "op: @le, value: 5, target: 0.9"), "op of SLO 'api' must be one of lte, gte, lt, gt, found 'le'", "did you mean"},
      {"threshold not a number", threshold("            value: v\n", "op: lt, value: @500ms, target: 0.9"), "value of SLO 'api' must be a number, found '500ms'", ""},
      {"op on a ratio", objectives("op: @gt, target: 0.9"), "op of SLO 'api' is not used", "", kWarning},
  };
}

// Joins, groups and what an SLI asks of time slices.
std::vector<BadInput> bad_slis() {
  return {
      {"join without end", threshold("            value: @{start: {where: a}, key: id}\n            unit: s\n", "op: lt, value: 5, target: 0.9"), "has no 'end'", "event_id"},
      {"join side not a map", threshold("            value: {start: @a, end: {where: a}, key: id}\n            unit: s\n", "op: lt, value: 5, target: 0.9"), "start of thresholdMetric of SLO 'api' must be a map", ""},
      {"join without key", threshold("            value: @{start: {where: a}, end: {where: b}}\n            unit: s\n", "op: lt, value: 5, target: 0.9"), "has no 'key'", "event_id"},
      {"join of the same records", threshold("            value: @{start: {where: a}, end: {where: a}, key: id}\n            unit: s\n", "op: lt, value: 5, target: 0.9"), "are the same records", "where"},
      {"join without unit", slo("  service: s\n", "  indicator: {spec: {thresholdMetric: {metricSource: {type: nines.log, spec: @{paths: /l, value: {start: {where: a}, end: {where: b}, key: id}}}}}}\n", "  objectives: [{op: lt, value: 5, target: 0.9}]\n"), "its unit must be one of time", "ms"},
      {"join unit", threshold("            value: {start: {where: a}, end: {where: b}, key: id}\n            unit: @bytes\n", "op: lt, value: 5, target: 0.9"), "its unit must be one of time", "ms"},
      {"join timeout", threshold("            value: {start: {where: a}, end: {where: b}, key: id, timeout: @2h}\n            unit: s\n", "op: lt, value: 5, target: 0.9"), "timeout of thresholdMetric of SLO 'api'", ""},
      {"join onTimeout", threshold("            value: {start: {where: a}, end: {where: b}, key: id, onTimeout: @good}\n            unit: s\n", "op: lt, value: 5, target: 0.9"), "must be one of bad, skip, found 'good'", ""},
      {"join maxPending", threshold("            value: {start: {where: a}, end: {where: b}, key: id, maxPending: @0}\n            unit: s\n", "op: lt, value: 5, target: 0.9"), "maxPending of thresholdMetric", ""},
      {"join unknown key", threshold("            value: {start: {where: a}, end: {where: b}, @keys: id}\n            unit: s\n", "op: lt, value: 5, target: 0.9"), "unknown key 'keys'", "'key'"},
      {"join key expression", threshold("            value: {start: {where: a}, end: {where: b}, key: \"id +@\"}\n            unit: s\n", "op: lt, value: 5, target: 0.9"), "key of thresholdMetric", ""},
      {"join beyond its timeout", threshold("            value: {start: {where: a}, end: {where: b}, key: id}\n            unit: s\n", "op: lt, value: @61, target: 0.9"), "lies beyond the timeout of its join (1m)", "raise timeout"},
      {"where beside a join", threshold("            where: @c\n            value: {start: {where: a}, end: {where: b}, key: id}\n            unit: s\n", "op: lt, value: 5, target: 0.9"), "'where' has no meaning beside a join", "start and end"},
      {"onMissing beside a join", threshold("            onMissing: @bad\n            value: {start: {where: a}, end: {where: b}, key: id}\n            unit: s\n", "op: lt, value: 5, target: 0.9"), "'onMissing' has no meaning beside a join", "onTimeout"},
      {"groupBy a join", threshold("            groupBy: @c\n            value: {start: {where: a}, end: {where: b}, key: id}\n            unit: s\n", "op: lt, value: 5, target: 0.9"), "cannot go with a join", ""},
      {"floor", threshold("            value: v\n            floor: @100\n", "op: lt, value: 5, target: 0.9"), "floor of thresholdMetric of SLO 'api' must be a number of events in a time, found '100'", "100/1m"},
      {"floor of nothing", threshold("            value: v\n            floor: @0/1m\n", "op: lt, value: 5, target: 0.9"), "must be a number of events in a time", ""},
      {"floor time", threshold("            value: v\n            floor: @5/x\n", "op: lt, value: 5, target: 0.9"), "must be a number of events in a time", ""},
      {"heartbeat without every", threshold("            value: v\n            heartbeat: @{}\n", "op: lt, value: 5, target: 0.9"), "has no 'every'", "every: 5m"},
      {"heartbeat too quick", threshold("            value: v\n            heartbeat: {every: @10s}\n", "op: lt, value: 5, target: 0.9"), "every of heartbeat", ""},
      {"onEmpty", threshold("            value: v\n            onEmpty: @maybe\n", "op: lt, value: 5, target: 0.9"), "must be one of good, bad, skip, found 'maybe'", ""},
      {"onEmpty against a heartbeat", threshold("            value: v\n            heartbeat: {every: 5m}\n            onEmpty: @good\n", "op: lt, value: 5, target: 0.9"), "contradicts its heartbeat", "leave onEmpty out"},
      {"floor without slices", slo("  service: s\n", "  indicator: {spec: {thresholdMetric: {metricSource: {type: nines.log, spec: {paths: /l, value: v, floor: 5/1m}}}}}\n", "  objectives: [@{op: lt, value: 5, target: 0.9}]\n"), "asks for time slices", "budgetingMethod: Timeslices"},
      {"groupBy expression", good_spec("paths: [/l], groupBy: \"path +@\""), "groupBy of good", ""},
      {"groupBy in good only", good_spec("paths: [/l], groupBy: @path"), "stands in only one of its two parts", "total"},
      {"groupBy without field", threshold("            value: v\n            groupBy: @{max: 5}\n", "op: lt, value: 5, target: 0.9"), "has no 'field'", "job_type"},
      {"groupBy max", threshold("            value: v\n            groupBy: {field: f, max: @101}\n", "op: lt, value: 5, target: 0.9"), "max of groupBy", ""},
  };
}

std::vector<BadInput> bad_envelopes() {
  return {
      {"name with slash", "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: @a/b}\nspec:\n  service: s\n" + kRatio + kObjective, "name 'a/b' cannot be used", ""},
      {"name in upper case", "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: @Api}\nspec:\n  service: s\n" + kRatio + kObjective, "not a DNS label", "lower-case", kWarning},
      {"no name", "apiVersion: openslo/v1\nkind: SLO\nmetadata: @{}\nspec:\n  service: s\n" + kRatio + kObjective, "has no 'name'", ""},
      {"unknown tier", "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a, labels: {tier: @gold}}\nspec:\n  service: s\n" + kRatio + kObjective, "label tier 'gold' is not used", "1 critical", kWarning},
      {"apiVersion", "apiVersion: @openslo/v2alpha\nkind: SLO\nmetadata: {name: a}\nspec: {}\n", "unknown apiVersion 'openslo/v2alpha'", "openslo/v1, openslo/v1alpha and nines/v1alpha1"},
      {"a Sloth resource", "apiVersion: @sloth.slok.dev/v1\nkind: PrometheusServiceLevel\nmetadata: {name: a}\nspec: {}\n", "unknown apiVersion 'sloth.slok.dev/v1'", "nines slo import"},
      {"a Pyrra resource", "apiVersion: @pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {name: a}\nspec: {}\n", "unknown apiVersion 'pyrra.dev/v1alpha1'", "nines slo import"},
      {"a text in a list of documents", "- apiVersion: openslo/v1\n  kind: Service\n  metadata: {name: a}\n- @b\n", "the document must be a map, found 'b'", ""},
      {"v1alpha is read", kAlpha + "@openslo/v1alpha" + kAlphaRest, "openslo/v1alpha is read as the openslo/v1 that it means", "export", kWarning},
      {"v1alpha unit", kAlpha + "openslo/v1alpha\nkind: SLO\nmetadata: {name: a}\nspec:\n  service: s\n  timeWindows: [{unit: @day, count: 30}]\n" + kAlphaRatio, "a time window of openslo/v1alpha needs count and unit", "count: 30"},
      {"v1alpha unknown key", kAlpha + "openslo/v1alpha\nkind: SLO\nmetadata: {name: a}\nspec:\n  service: s\n  objectives: [{target: 0.9, ratioMetrics: {@god: {}, total: {source: x}}}]\n", "unknown key 'god' in ratioMetrics of openslo/v1alpha", "good, bad, total", kError, 2},
      {"v1alpha of another system", kAlpha + "openslo/v1alpha\nkind: SLO\nmetadata: {name: a}\nspec:\n  service: s\n  objectives: [{target: 0.9, ratioMetrics: {good: {source: @datadog, queryType: query, query: x}, total: {source: nines.log, queryType: where, query: \"\"}}}]\n", "has metricSource type 'datadog', which Nines does not read", ""},
      {"a service twice", "apiVersion: openslo/v1\nkind: Service\nmetadata: {name: a}\n---\napiVersion: openslo/v1\nkind: Service\nmetadata: {name: @a}\nspec: {description: other}\n" "---\n" + kGood, "Service 'a' is given twice, first at", "the first one", kWarning},
      {"kind", "apiVersion: openslo/v1\nkind: @SLo\nmetadata: {name: a}\nspec: {}\n", "unknown kind 'SLo'", "'SLO'"},
      {"no kind", "@apiVersion: openslo/v1\nmetadata: {name: a}\n", "has no 'kind'", "kind: SLO"},
      {"no spec", "@apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\n", "SLO 'a' has no 'spec'", ""},
      {"SLO twice", kGood + "---\n" + kHead.substr(0, kHead.find("api}")) + "@api}\nspec:\n  service: other\n" + kRatio + kObjective, "SLO 'api' is given twice, first at ", "rename"},
      {"the same SLO twice", kGood + "---\n" + kHead.substr(0, kHead.find("api}")) + "@api}\nspec:\n  service: s\n" + kRatio + kObjective, "given twice with the same content", "", kWarning},
      {"foreign DataSource", kGood + "---\napiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: d}\nspec: {type: @CloudWatch}\n", "is not used", "nines.log", kWarning},
      {"alert policy ref", with("  alertPolicies: [{alertPolicyRef: @x}]\n"), "refers to AlertPolicy 'x', which does not exist", ""},
  };
}

std::vector<BadInput> bad_alerts() {
  return {
      {"impossible factor", slo("  service: s\n", kRatio, "  objectives: [{target: 0.9}]\n") + "---\napiVersion: nines/v1alpha1\nkind: SLOPolicy\nmetadata: {name: p}\nspec: {sloRef: api, burnAlerts: [{name: f, severity: page, long: 1h, short: 5m, budgetPercent: @2}]}\n",
       "burn alert 'f' of SLO 'api' can never fire: its factor 14.4 is above 1/(1 - 0.9) = 10", "budgetPercent"},
      {"factor at the limit", rule("{name: f, severity: page, long: 1h, short: 5m, factor: @1000}"), "it can never fire", "lower", kWarning},
      {"factor over the limit", rule("{name: f, severity: page, long: 1h, short: 5m, factor: @1000.1}"), "is above 1/(1 - 0.999) = 1000", ""},
      {"factor 0", rule("{name: f, severity: page, long: 1h, short: 5m, factor: @0}"), "must be above 0", ""},
      {"percent over 100", rule("{name: f, severity: page, long: 1h, short: 5m, budgetPercent: @101}"), "at most 100, found '101'", ""},
      {"no factor", rule("@{name: f, severity: page, long: 1h, short: 5m}"), "neither budgetPercent nor factor", ""},
      {"two factors", rule("{name: f, severity: page, long: 1h, short: 5m, budgetPercent: 2, factor: @3}"), "both budgetPercent and factor", ""},
      {"short not shorter", rule("{name: f, severity: page, long: 5m, short: @5m, factor: 2}"), "must be shorter than 'long' (5m)", "twelfth"},
      {"odd window", rule("{name: f, severity: page, long: @65s, short: 10s, factor: 2}"), "multiples of 10s", ""},
      {"long over window", rule("{name: f, severity: page, long: 31d, short: 1d, factor: @2}"), "looks back 31d, longer than the window 30d", "sloRef: api"},
      {"severity", rule("{name: f, severity: @pager, long: 1h, short: 5m, factor: 2}"), "must be one of page, ticket, found 'pager'", "'page'"},
      {"unknown rule key", rule("{name: f, severity: page, long: 1h, short: 5m, factor: 2, @for: 1m}"), "unknown key 'for'", ""},
      {"same rule name", rule("{name: f, severity: page, long: 1h, short: 5m, factor: 2}\n    - @{name: f, severity: page, long: 1h, short: 5m, factor: 2}"), "two named 'f'", ""},
      {"budget share", budget("{consumedPercent: @0, severity: page}"), "must be above 0 and at most 1000, found '0'", ""},
      {"budget severity", budget("{consumedPercent: 50, severity: @red}"), "must be one of critical, page, ticket, warning, found 'red'", ""},
      {"budget for", budget("{consumedPercent: 50, severity: page, for: @3h}"), "must be within 0s..2h, found '3h'", ""},
      {"odd for", budget("@{consumedPercent: 50, severity: page, for: 15s}"), "must be a multiple of 10s", ""},
      {"no share", budget("@{severity: page}"), "consumedPercent", ""},
      {"same budget name", budget("{consumedPercent: 50, severity: page}\n    - @{consumedPercent: 50, severity: page}"), "two named 'budget-50'", ""},
      {"named like a burn alert", budget("{name: fast, consumedPercent: @50, severity: page}"), "called like a burn alert: 'fast'", ""},
      {"early share as a percentage", early("{below: @99.5, window: 5m, severity: warning}"), "'below' of an early warning of SLOPolicy 'p' must lie between 0 and 1, with at most 18 places, found '99.5'", "a share, not a percentage: \"0.995\""},
      {"early share 0", early("{below: @0, window: 5m, severity: warning}"), "must lie between 0 and 1", "warns below 99.5 %"},
      {"early share 1", early("{below: @1, window: 5m, severity: warning}"), "must lie between 0 and 1", "0.01"},
      {"early share too fine", early("{below: @0.1234567890123456789, window: 5m, severity: warning}"), "'below' of an early warning", ""},
      {"no early share", early("@{window: 5m, severity: warning}"), "an early warning of SLOPolicy 'p' has no 'below'", "0.995"},
      {"no early window", early("@{below: 0.995, severity: warning}"), "has no 'window'", "window: 5m"},
      {"odd early window", early("{below: 0.995, window: @15s, severity: warning}"), "must be a multiple of 10s, found '15s'", "slots of 10s"},
      {"early window beyond what is kept", early("{below: 0.995, window: @93d, severity: warning}"), "'window' of an early warning", ""},
      {"early window beyond the SLO's", early("{below: @0.995, window: 60d, severity: warning}"), "early warning 'early-99.5' of SLO 'api' looks back 60d, longer than the window 30d", "sloRef: api"},
      {"early severity", early("{below: 0.995, window: 5m, severity: @info}"), "must be one of critical, page, ticket, warning, found 'info'", ""},
      {"no early severity", early("@{below: 0.995, window: 5m}"), "has no 'severity'", "warning"},
      {"early for", early("{below: 0.995, window: 5m, severity: page, for: @3h}"), "must be within 0s..2h, found '3h'", ""},
      {"odd early for", early("{below: 0.995, window: 5m, severity: page, for: @5s}"), "must be a multiple of 10s", ""},
      {"unknown early key", early("{below: 0.995, window: 5m, severity: page, @fro: 5m}"), "unknown key 'fro'", "'for'"},
      {"same early name", early("{below: 0.995, window: 5m, severity: page}\n    - @{below: 0.995, window: 1h, severity: page}"), "earlyWarnings of SLOPolicy 'p' has two named 'early-99.5'", ""},
      {"early warning named like a burn alert", early("{name: fast, below: @0.995, window: 5m, severity: page}"), "'fast' of SLO 'api' is called like another alert", "a name of its own"},
  };
}

std::vector<BadInput> bad_policies() {
  return {
      {"highValue", policy("  sloRef: api\n  lowTraffic: {highValue: @yep}\n"), "'highValue' of lowTraffic of SLOPolicy 'p'", ""},
      {"no scope", policy("  @burnAlerts: []\n"), "neither sloRef nor selector", "tier"},
      {"two scopes", policy("  sloRef: api\n  selector: @{tier: 1}\n"), "both sloRef and selector", ""},
      {"unknown sloRef", policy("  sloRef: @apy\n"), "refers to SLO 'apy', which does not exist", "did you mean 'api'?"},
      {"bad tier", policy("  selector: {tier: @4}\n"), "must be 1, 2 or 3, found '4'", ""},
      {"nothing selected", policy("  @selector: {tier: 1}\n"), "applies to no SLO", "", kWarning},
      {"significance", policy("  sloRef: api\n  lowTraffic: {significance: @2}\n"), "must be above 0 and at most 1, found '2'", ""},
      {"minBad", policy("  sloRef: api\n  lowTraffic: {minBad: @-1}\n"), "must be within 0..1000000", ""},
      {"lateHorizon", policy("  sloRef: api\n  data: {lateHorizon: @2d}\n"), "must be within 0s..1d, found '2d'", ""},
      {"gate shares the wrong way round", policy("  sloRef: api\n  gate: {budget: @{reduceBelow: 0.1, freezeBelow: 0.5}}\n"), "needs freezeBelow (0.5) <= reduceBelow (0.1) < 1", ""},
      {"exclusion without an end", policy("  sloRef: api\n  exclusions:\n    - @{name: a, from: \"2026-03-01T22:00:00Z\"}\n"), "an exclusion of SLOPolicy 'p' has no 'to'", "rrule"},
      {"exclusion without a zone", policy("  sloRef: api\n  exclusions:\n    - {name: a, from: @2026-03-01T22:00:00, to: \"2026-03-01T23:00:00Z\"}\n"), "must be a time with its zone", "+01:00"},
      {"exclusion backwards", policy("  sloRef: api\n  exclusions:\n    - {name: a, from: \"2026-03-01T22:00:00Z\", to: @2026-03-01T21:00:00Z}\n"), "must lie behind 'from'", ""},
      {"exclusion rule", policy("  sloRef: api\n  exclusions:\n    - {name: a, rrule: @FREQ=WEEKLY;BYDAY=SUN, start: \"03:00\", duration: 30m}\n"), "BYDAY takes days like MO", "RFC 5545"},
      {"exclusion time of day", policy("  sloRef: api\n  exclusions:\n    - {name: a, rrule: FREQ=DAILY, start: @\"3:00\", duration: 30m}\n"), "must be a time of day, found '3:00'", "03:00"},
      {"exclusion twice", policy("  sloRef: api\n  exclusions:\n    - {name: a, rrule: FREQ=DAILY, start: \"03:00\", duration: 30m}\n    - @{name: a, rrule: FREQ=DAILY, start: \"04:00\", duration: 30m}\n"), "has two named 'a'", ""},
      {"exclusion effect", policy("  sloRef: api\n  exclusions:\n    - {name: a, rrule: FREQ=DAILY, start: \"03:00\", duration: 30m, effect: @pause}\n"), "must be one of drop, reserve", ""},
      {"reserve of nothing", policy("  sloRef: api\n  exclusions: @[{name: a, rrule: FREQ=DAILY, start: \"03:00\", duration: 30m, effect: reserve}]\n"), "nothing is reserved", "reservedBudget"},
      {"reserve of all", policy("  sloRef: api\n  reservedBudget: @1\n"), "must leave something", ""},
      {"not used yet", policy("  sloRef: api\n  onNoData: @x\n"), "'onNoData' of SLOPolicy 'p' is not used yet", "", kWarning},
      {"composite sum", policy("  sloRef: api\n  gate: {composite: @{5m: 0.4, 1h: 0.35, 24h: 0.24}}\n"), "must sum to exactly 1 and have at most nine places, found 0.99", "0.40"},
      {"composite part missing", policy("  sloRef: api\n  gate: {composite: @{5m: 0.5, 1h: 0.5}}\n"), "24h", ""},
      {"composite negative", policy("  sloRef: api\n  gate: {composite: {5m: @-0.5, 1h: 1, 24h: 0.5}}\n"), "must be within 0..1, found '-0.5'", ""},
      {"composite key", policy("  sloRef: api\n  gate: {composite: {5m: 0.4, 1h: 0.35, 24h: 0.25, @3d: 0}}\n"), "unknown key '3d'", ""},
      {"levels fall", policy("  sloRef: api\n  gate: {levels: @{observe: 2, danger: 1.5}}\n"), "needs observe (2) <= danger (1.5)", ""},
      {"level 0", policy("  sloRef: api\n  gate: {levels: {observe: @0}}\n"), "must be above 0 and at most 1000", ""},
      {"hold-down too long", policy("  sloRef: api\n  gate: {holdDown: @2d}\n"), "must be within 0s..1d, found '2d'", ""},
      {"onNoData", policy("  sloRef: api\n  gate: {onNoData: @observ}\n"), "must be one of observe, go, hold, freeze, found 'observ'", "'observe'"},
      {"override ttl", policy("  sloRef: api\n  gate: {override: {ttl: @8d}}\n"), "must be within 1m..7d, found '8d'", ""},
      {"override unaudited", policy("  sloRef: api\n  gate: {override: {audit: @false}}\n"), "cannot be kept out of the change log", ""},
      {"step without share", policy("  sloRef: api\n  errorBudgetPolicy: [@{name: a, actions: [b]}]\n"), "remainingBelow", ""},
      {"step share", policy("  sloRef: api\n  errorBudgetPolicy: [{remainingBelow: @50, name: a, actions: [b]}]\n"), "must be above 0 and at most 1, found '50'", ""},
      {"step twice", policy("  sloRef: api\n  errorBudgetPolicy: [{remainingBelow: 0.5, name: a, actions: [b]}, @{remainingBelow: 0.50, name: c, actions: [b]}]\n"), "two steps of one name or one share: 'c'", ""},
      {"step severity", policy("  sloRef: api\n  errorBudgetPolicy: [{remainingBelow: 0.5, name: a, actions: [b], severity: @red}]\n"), "must be one of critical, page, ticket, warning, found 'red'", ""},
      {"step key", policy("  sloRef: api\n  errorBudgetPolicy: [{remainingBelow: 0.5, name: a, actions: [b], @action: c}]\n"), "unknown key 'action'", ""},
      {"misspelt part", policy("  sloRef: api\n  @exclusion: []\n"), "unknown key 'exclusion'", "'exclusions'"},
      {"two policies", policy("  sloRef: api\n") + "---\napiVersion: nines/v1alpha1\nkind: SLOPolicy\nmetadata: {name: q}\nspec: @{sloRef: api}\n", "both apply to SLO 'api'", "sloRef"},
  };
}

// clang-format on

}  // namespace

TEST_CASE("Every mistake in nines.yaml is told once, with its place and a way out", "[config]") {
  for (BadInput row : bad_nodes()) {
    const ConfigFolder folder;
    const Place place = take_mark(row.text);
    expect(row, folder.load_node(row.text), place);
  }
}

TEST_CASE("Every mistake in who is told of alerts is told once, with its place and a way out",
          "[config]") {
  for (BadInput row : bad_notifiers()) {
    const ConfigFolder folder;
    const Place place = take_mark(row.text);
    expect(row, folder.load_node(row.text), place);
  }
}

TEST_CASE("Every mistake in an SLO document is told once, with its place and a way out",
          "[config]") {
  for (BadInput row : bad_slos()) {
    const ConfigFolder folder;
    const Place place = take_mark(row.text);
    expect(row, folder.load_slos(row.text, "sources: [{name: web, paths: /l}]"), place);
  }
}

TEST_CASE("Every mistake in a join, a group or a slice is told once, with its place and a way out",
          "[config]") {
  for (BadInput row : bad_slis()) {
    const ConfigFolder folder;
    const Place place = take_mark(row.text);
    expect(row, folder.load_slos(row.text), place);
  }
}

TEST_CASE("Every mistake in a composite is told once, with its place and a way out", "[config]") {
  for (BadInput row : bad_composites()) {
    const ConfigFolder folder;
    const Place place = take_mark(row.text);
    expect(row, folder.load_slos(row.text), place);
  }
}

TEST_CASE("Every mistake around an SLO document is told once, with its place", "[config]") {
  for (BadInput row : bad_envelopes()) {
    const ConfigFolder folder;
    const Place place = take_mark(row.text);
    expect(row, folder.load_slos(row.text, "sources: [{name: web, paths: /l}]"), place);
  }
}

TEST_CASE("Every mistake in the alerts of an SLOPolicy is told once, with its place and a way out", "[config]") {
  for (BadInput row : bad_alerts()) {
    const ConfigFolder folder;
    const Place place = take_mark(row.text);
    expect(row, folder.load_slos(row.text), place);
  }
}

TEST_CASE("Every mistake in an SLOPolicy is told once, with its place and a way out", "[config]") {
  for (BadInput row : bad_policies()) {
    const ConfigFolder folder;
    const Place place = take_mark(row.text);
    expect(row, folder.load_slos(row.text), place);
  }
}
