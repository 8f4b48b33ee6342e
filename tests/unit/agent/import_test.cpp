// nines slo import: what Sloth and Pyrra say of metrics, said of scraped samples. The specs are
// written here after the forms that both document.
#include "config/import.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "config_support.hpp"

using namespace nines;
using namespace nines::agent;
using nines::agent::test::all_text;
using nines::agent::test::ConfigFolder;

namespace {

Decimal dec(const char* text) { return *Decimal::parse(text); }

ImportOptions scrape_options() {
  ImportOptions options;
  options.source.input = slo::InputKind::scrape;
  options.source.url = "http://127.0.0.1:9100/metrics";
  return options;
}

Imported import_text(const std::string& text, const ImportOptions& options = scrape_options()) {
  return import_slos({ConfigFolder().write("spec.yaml", text)}, options);
}

std::string sloth(const std::string& error, const std::string& total,
                  const std::string& rest = "") {
  return "version: prometheus/v1\nservice: shop\nslos:\n  - name: works\n    objective: 99.9\n"
         "    sli:\n      events:\n        error_query: '" +
         error + "'\n        total_query: '" + total + "'\n" + rest;
}
std::string rate(const std::string& selector) { return "sum(rate(" + selector + "[{{.window}}]))"; }
std::string pyrra(const std::string& indicator, const std::string& target = "99",
                  const std::string& rest = "") {
  return "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {name: api}\n"
         "spec:\n  target: \"" +
         target + "\"\n  window: 4w\n  indicator:\n    " + indicator + "\n" + rest;
}

// The one SLO of a spec that is expected to be fine, loaded back from what import prints.
slo::SloSpec one(const std::string& text) {
  const Imported imported = import_text(text);
  INFO(text << all_text(imported.diagnostics));
  REQUIRE(imported.ok());
  REQUIRE(imported.slos.size() == 1);
  const std::string yaml = to_openslo_yaml(imported.slos);
  const Loaded loaded = ConfigFolder().load_slos(yaml);
  INFO(yaml << all_text(loaded.diagnostics));
  REQUIRE(loaded.ok());
  CHECK(loaded.diagnostics.empty());
  REQUIRE(loaded.slos.size() == 1);
  CHECK(loaded.slos[0].generation() == imported.slos[0].generation());
  CHECK(loaded.slos[0].target == imported.slos[0].target);
  CHECK(loaded.slos[0].window_s == imported.slos[0].window_s);
  CHECK(loaded.slos[0].alerts.rules.size() == imported.slos[0].alerts.rules.size());
  return loaded.slos[0];
}

struct Query {
  const char *about, *error, *total;  // selectors, in sums of rates
  const char *part, *all;             // the conditions expected
  bool independent = false;
};

}  // namespace

TEST_CASE("A Sloth spec becomes an SLO of scraped samples with its windows and alerts",
          "[import]") {
  const Imported imported = import_text(R"yaml(
version: "prometheus/v1"
service: "my shop"
labels: {owner: payments, tier: "1", repo: x}
slos:
  - name: "requests-availability"
    objective: 99.9
    description: "most requests work"
    labels: {category: availability}
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="shop",code=~"(5..|429)"}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="shop"}[{{.window}}]))
    alerting:
      name: ShopErrors
      labels: {team: payments}
      annotations: {summary: many errors}
      page_alert: {
labels : {
severity:
  page
}
}
      ticket_alert: {disable: true}
)yaml");
  const std::string told = all_text(imported.diagnostics);
  INFO(told);
  REQUIRE(imported.ok());
  REQUIRE(imported.slos.size() == 1);
  const slo::SloSpec& spec = imported.slos[0];
  CHECK(spec.name == "my-shop-requests-availability");
  CHECK(spec.service == "my shop");
  CHECK(spec.owner == "payments");
  CHECK(spec.tier == 1);
  CHECK(spec.target == dec("0.999"));
  CHECK(spec.window_s == 30 * 86400);
  CHECK(spec.indicator.part_is_bad);
  CHECK(spec.indicator.count == "delta");
  CHECK(spec.indicator.total.where == "metric = 'http_requests_total'");
  CHECK(spec.indicator.part.where == "code ~ '^(?:(5..|429))$'");
  CHECK(spec.indicator.total.source.url == "http://127.0.0.1:9100/metrics");
  REQUIRE(spec.alerts.rules.size() == 2);
  CHECK(spec.alerts.rules[0].factor == dec("14.4"));
  CHECK(spec.alerts.rules[1].factor == dec("6"));
  CHECK(
      told.find("label 'job' in error_query of SLO 'my-shop-requests-availability' is left out") !=
      std::string::npos);
}

TEST_CASE("Sloth's Kubernetes resource is read in its own spelling", "[import]") {
  const slo::SloSpec spec = one(R"(
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {name: x, namespace: monitoring}
spec:
  service: shop
  slos:
    - name: works
      objective: 95
      sli:
        events:
          errorQuery: sum(rate(errors_total[{{.window}}]))
          totalQuery: sum(rate(requests_total[{{.window}}]))
      alerting: {pageAlert: {disable: true}, ticketAlert: {labels: {severity: slack}}}
)");
  CHECK(spec.name == "shop-works");
  CHECK(spec.target == dec("0.95"));
  REQUIRE(spec.alerts.rules.size() == 2);
  CHECK(spec.alerts.rules[0].severity == "ticket");
  CHECK(spec.indicator.independent);
}

TEST_CASE("Without switches Sloth's alerts are the usual ones, so no policy is printed",
          "[import]") {
  const Imported imported = import_text(sloth(rate("m{code=\"500\"}"), rate("m")));
  REQUIRE(imported.ok());
  CHECK(to_openslo_yaml(imported.slos).find("SLOPolicy") == std::string::npos);
}

TEST_CASE("Sloth's windows follow --window", "[import]") {
  ImportOptions options = scrape_options();
  options.sloth_window_s = 28 * 86400;
  const Imported imported = import_text(sloth(rate("m{code=\"500\"}"), rate("m")), options);
  REQUIRE(imported.ok());
  REQUIRE(imported.slos[0].alerts.rules.size() == 4);
  CHECK(imported.slos[0].alerts.rules[0].factor == dec("13.44"));
  CHECK(imported.slos[0].alerts.rules[3].factor == dec("0.933333"));
}

TEST_CASE("Selectors become conditions with the same meaning", "[import]") {
  const Query queries[] = {
      {"equal", "m{code=\"500\"}", "m", "code = '500'", "metric = 'm'"},
      {"empty or absent", "m{code=\"\"}", "m", "coalesce(code, '') = ''", "metric = 'm'"},
      {"not equal takes absent ones", "m{code!=\"200\"}", "m", "coalesce(code, '') != '200'",
       "metric = 'm'"},
      {"regex is anchored", "m{code=~\"5..\"}", "m", "code ~ '^(?:5..)$'", "metric = 'm'"},
      {"regex that takes nothing", "m{code=~\"5?\"}", "m", "coalesce(code, '') ~ '^(?:5?)$'",
       "metric = 'm'"},
      {"words", "m{verb=~\"LIST|GET\"}", "m", "verb IN ('LIST', 'GET')", "metric = 'm'"},
      {"words or nothing", "m{scope=~\"cluster|\"}", "m", "coalesce(scope, '') IN ('cluster', '')",
       "metric = 'm'"},
      {"no such words", "m{verb!~\"LIST|GET\"}", "m", "coalesce(verb, '') NOT IN ('LIST', 'GET')",
       "metric = 'm'"},
      {"shared matchers are said once", "m{a=\"1\",b=\"2\"}", "m{a=\"1\"}", "b = '2'",
       "metric = 'm' AND a = '1'"},
      {"errors that are no part of the total", "m{a=\"2\"}", "m{a=\"1\"}",
       "metric = 'm' AND a = '2'", "metric = 'm' AND a = '1'", true},
      {"another metric", "errors_total", "requests_total", "metric = 'errors_total'",
       "metric = 'requests_total'", true},
      {"labels that hide behind fields", "m{node=\"a\",value=\"b\"}", "m",
       "label_node = 'a' AND label_value = 'b'", "metric = 'm'"},
      {"labels that are words of the language", "m{in=\"a\",like=\"b\"}", "m",
       "\"in\" = 'a' AND \"like\" = 'b'", "metric = 'm'"},
      {"the name as a label", "{__name__=\"m\",a=\"1\"}", "m", "a = '1'", "metric = 'm'"},
  };
  for (const Query& q : queries) {
    INFO(q.about);
    const slo::SloSpec spec = one(sloth(rate(q.error), rate(q.total)));
    CHECK(spec.indicator.part.where == q.part);
    CHECK(spec.indicator.total.where == q.all);
    CHECK(spec.indicator.independent == q.independent);
    CHECK(spec.indicator.part_is_bad);
  }
}

TEST_CASE("Slow requests as total minus a bucket count the fast ones as good", "[import]") {
  const std::string total = rate("d_seconds_count{verb!=\"WATCH\"}");
  const std::string fast = rate("d_seconds_bucket{le=\"0.4\",verb!=\"WATCH\"}");
  for (const std::string& error :
       {"(" + total + " - " + fast + ")", total + " - " + fast,
        rate("d_seconds_bucket{le=\"+Inf\",verb!=\"WATCH\"}") + " - " + fast}) {
    const slo::SloSpec spec = one(sloth(error, total));
    INFO(error);
    CHECK_FALSE(spec.indicator.part_is_bad);
    CHECK_FALSE(spec.indicator.independent);
    CHECK(spec.indicator.total.where ==
          "metric = 'd_seconds_bucket' AND coalesce(verb, '') != 'WATCH'");
    CHECK(spec.indicator.part.where == "le <= 0.4");
  }
}

TEST_CASE("increase, or vector(0), comments, blanks and sums of metrics are understood",
          "[import]") {
  const slo::SloSpec spec =
      one(sloth("sum ( increase( a_total { } [ 5m ] ) ) OR on() vector(0)",
                "(" + rate("a_total") + " + " + rate("b_total") + ") or vector(0)"));
  CHECK(spec.indicator.total.where == "metric = 'a_total' OR metric = 'b_total'");
  CHECK(spec.indicator.part.where == "metric = 'a_total'");
  CHECK_FALSE(spec.indicator.independent);
}

TEST_CASE("A ready-made ratio that is a quotient of counts is taken apart again", "[import]") {
  const auto raw = [](const std::string& query) {
    return "version: prometheus/v1\nservice: shop\nslos:\n  - name: works\n    objective: "
           "99\n"
           "    sli: {raw: {error_ratio_query: '" +
           query + "'}}\n";
  };
  const slo::SloSpec bad = one(raw(rate("m{code=\"500\"}") + " / " + rate("m")));
  CHECK(bad.indicator.part_is_bad);
  CHECK(bad.indicator.part.where == "code = '500'");
  for (const std::string& query :
       {"1 - (" + rate("m{code=\"200\"}") + " / " + rate("m") + ")",
        "1 - " + rate("m{code=\"200\"}") + " / " + rate("m"),
        "(" + rate("m") + " - " + rate("m{code=\"200\"}") + ") / " + rate("m")}) {
    INFO(query);
    const slo::SloSpec good = one(raw(query));
    CHECK_FALSE(good.indicator.part_is_bad);
    CHECK(good.indicator.part.where == "code = '200'");
    CHECK(good.indicator.total.where == "metric = 'm'");
  }
}

TEST_CASE("Pyrra's ratio, latency and gauge become SLOs with its windows and factors", "[import]") {
  const slo::SloSpec ratio =
      one(pyrra("ratio: {errors: {metric: 'm{code=~\"5..\"}'}, total: {metric: m}}", "99.5"));
  CHECK(ratio.name == "api");
  CHECK(ratio.target == dec("0.995"));
  CHECK(ratio.window_s == 28 * 86400);
  CHECK(ratio.indicator.part_is_bad);
  REQUIRE(ratio.alerts.rules.size() == 4);
  const auto& rules = ratio.alerts.rules;
  CHECK((rules[0].long_s == 3600 && rules[0].short_s == 300 && rules[0].factor == dec("14")));
  CHECK((rules[1].long_s == 6 * 3600 && rules[1].short_s == 1800 && rules[1].factor == dec("7")));
  CHECK((rules[2].long_s == 86400 && rules[2].short_s == 7200 && rules[2].factor == dec("2")));
  CHECK((rules[3].long_s == 4 * 86400 && rules[3].short_s == 6 * 3600));
  CHECK(rules[3].factor == dec("1"));

  const slo::SloSpec latency =
      one(pyrra("latency: {success: {metric: 'd_bucket{le=\"0.05\"}'}, total: {metric: d_count}}"));
  CHECK_FALSE(latency.indicator.part_is_bad);
  CHECK(latency.indicator.total.where == "metric = 'd_bucket'");
  CHECK(latency.indicator.part.where == "le <= 0.05");

  const slo::SloSpec gauge = one(pyrra("bool_gauge: {metric: 'probe_success{target=\"a\"}'}"));
  CHECK(gauge.indicator.count.empty());
  CHECK(gauge.indicator.total.where == "metric = 'probe_success' AND target = 'a'");
  CHECK(gauge.indicator.part.where == "value = 1");
}

TEST_CASE("Pyrra's switches and windows of a week are followed", "[import]") {
  const std::string indicator = "ratio: {errors: {metric: e}, total: {metric: t}}";
  CHECK(one(pyrra(indicator, "99", "  alerting: {burnrates: false}\n")).alerts.rules.empty());
  CHECK(one(pyrra(indicator, "99", "  alerting: {disabled: true}\n")).alerts.rules.empty());
  std::string week = pyrra(indicator);
  week.replace(week.find("4w"), 2, "1w");
  const auto rules = one(week).alerts.rules;
  REQUIRE(rules.size() == 4);
  CHECK((rules[0].long_s == 900 && rules[0].short_s == 60));
  CHECK((rules[1].long_s == 5400 && rules[1].short_s == 480));
  const Imported low = import_text(pyrra(indicator, "90"));
  CHECK(low.ok());
  CHECK(low.slos[0].alerts.rules.size() == 3);
  CHECK(all_text(low.diagnostics).find("burn alert 'fast' of SLO 'api' is left out") !=
        std::string::npos);
}

TEST_CASE("A source of nines.yaml and labels of the target can be named", "[import]") {
  ImportOptions options;
  options.source.name = "shop-metrics";
  options.target_labels = {"cluster"};
  const Imported imported =
      import_text(sloth(rate("m{cluster=\"a\",code=\"500\"}"), rate("m{cluster=\"a\"}")), options);
  REQUIRE(imported.ok());
  CHECK(imported.diagnostics.size() == 2);
  CHECK(imported.slos[0].indicator.total.where == "metric = 'm'");
  const Loaded loaded =
      ConfigFolder().load_slos(to_openslo_yaml(imported.slos),
                               "sources: [{name: shop-metrics, scrape: {url: \"http://x/m\"}}]");
  INFO(all_text(loaded.diagnostics));
  CHECK(loaded.ok());
}

namespace {

struct Row {
  const char* about;
  std::string text;  // '@' marks the place
  const char *message, *hint;
};

std::vector<Row> bad_queries() {
  const std::string total = rate("m");
  return {
      {"no sum", sloth("@rate(m[5m])", total), "a rate() without sum()", "write sum(rate("},
      {"grouping before", sloth("sum @by (a) (rate(m[5m]))", total), "makes several SLOs", "group"},
      {"grouping behind", sloth("sum(rate(m[5m])) @by (a)", total), "makes several SLOs", "group"},
      {"histogram_quantile", sloth("@histogram_quantile(0.9, x)", total),
       "'histogram_quantile' is not a count", "sum(rate("},
      {"max", sloth("sum(@max_over_time(m[5m]))", total), "sum(max_over_time(...)) is not", ""},
      {"subquery", sloth("sum(rate(m@[5m:1m]))", total), "a subquery", ""},
      {"offset", sloth("sum(rate(m[5m] @offset 1d))", total), "'offset' has no meaning", ""},
      {"no window", sloth("sum(rate(m@))", total), "expected '['", ""},
      {"open bracket", sloth("sum(rate(m@[5m))", total), "this '[' is never closed", ""},
      {"scaled", sloth(total + " @* 2", total), "unexpected '*'", ""},
      {"a number", sloth("@1", total), "a number is not a count of events", ""},
      {"text never closed", sloth("sum(rate(m{a=@\"x}[5m]))", total), "never closed", ""},
      {"bad escape", sloth("sum(rate(m{a=\"x@\\d\"}[5m]))", total), "unknown escape '\\d'", "\\\\"},
      {"bad regex", sloth("sum(rate(m{@a=~\"(\"}[5m]))", total), "the regular expression of 'a'",
       "RE2"},
      {"no operator", sloth("sum(rate(m{a @\"x\"}[5m]))", total), "expected =, !=, =~ or !~", ""},
      {"no metric", sloth("sum(rate(@{a=\"x\"}[5m]))", total), "expected the name of a metric", ""},
      {"bucket without a bound", sloth("sum(rate(@d_bucket[5m]))", total), "buckets are cumulative",
       "le="},
      {"bucket of several bounds", sloth("sum(rate(d_bucket{@le=~\"1|2\"}[5m]))", total),
       "must be one number", "le="},
      {"field of ours", sloth("sum(rate(m{@owner=\"a\"}[5m]))", total), "has the name of a field",
       "rename"},
      {"difference of strangers", sloth("@" + rate("x") + " - " + rate("y"), total),
       "total - good, and this is not the total", "same TOTAL"},
      {"one metric twice", sloth("@" + rate("m{a=\"1\"}") + " + " + rate("m{a=\"2\"}"), total),
       "may count an event twice", "regular expression"},
      {"or of something", sloth(total + " @or vector(1)", total), "only 'or vector(0)'", ""},
      {"deep", sloth(std::string(32, '(') + "@(" + total + std::string(33, ')'), total),
       "nested deeper", ""},
  };
}

std::vector<Row> bad_documents() {
  std::string zero_target = pyrra("ratio: {errors: {metric: e}, total: {metric: t}}", "0");
  zero_target.insert(zero_target.find("\"0\""), 1, '@');
  return {
      {"Sloth version", "version: @prometheus/v2\nservice: a\nslos: []\n", "unknown version",
       "prometheus/v1"},
      {"Sloth kind", "apiVersion: sloth.slok.dev/v1\nkind: @AlertWindows\nspec: {}\n",
       "unknown kind 'AlertWindows'", "PrometheusServiceLevel"},
      {"Sloth plugin",
       "version: prometheus/v1\nservice: a\nslos: [{name: b, objective: 99, sli: {plugin: "
       "@{id: "
       "x}}}]\n",
       "is a Sloth plugin", "error_query"},
      {"Sloth objective 100",
       "version: prometheus/v1\nservice: a\nslos: [{name: b, objective: @100, sli: {events: "
       "{error_query: \"sum(rate(e[1m]))\", total_query: \"sum(rate(t[1m]))\"}}}]\n",
       "must lie between 0 and 100", "99.9"},
      {"Sloth unknown key", "version: prometheus/v1\nservice: a\n@slo: []\nslos: []\n",
       "unknown key 'slo'", "'slos'"},
      {"no queries",
       "version: prometheus/v1\nservice: a\nslos: [{name: b, objective: 99, sli: @{}}]\n",
       "needs events or raw", ""},
      {"raw of averages",
       "version: prometheus/v1\nservice: a\nslos: [{name: b, objective: 99, sli: {raw: "
       "{error_ratio_query: \"@avg(x)\"}}}]\n",
       "'avg' is not a count", "sum(rate("},
      {"Pyrra kind", "apiVersion: pyrra.dev/v1alpha1\nkind: @Other\n", "unknown kind", ""},
      {"Pyrra native", pyrra("latencyNative: @{latency: 200ms, total: {metric: d}}"),
       "reads a native histogram", "classic"},
      {"Pyrra nothing", pyrra("@other: {}"), "unknown key 'other'", "known keys"},
      {"Pyrra two", pyrra("@ratio: {}\n    bool_gauge: {metric: m}"), "needs one of", ""},
      {"Pyrra query", pyrra("ratio: {errors: {metric: \"@sum(x)\"}, total: {metric: t}}"), "", ""},
      {"Pyrra target", zero_target, "must lie between 0 and 100", ""},
      {"OpenSLO", "apiVersion: @openslo/v1\nkind: SLO\n", "which needs no import", "--slo"},
      {"something else", "@a: 1\n", "neither a Sloth nor a Pyrra spec", "prometheus/v1"},
  };
}

void expect_refusal(const Row& row) {
  std::string text = row.text;
  const size_t at = text.find('@');
  REQUIRE(at != std::string::npos);
  text.erase(at, 1);
  const size_t line_start = at == 0 ? 0 : text.rfind('\n', at - 1) + 1;
  const int line = 1 + static_cast<int>(std::count(
                           text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  const int column = 1 + static_cast<int>(at - line_start);
  const Imported imported = import_text(text);
  INFO(row.about << "\n" << text << all_text(imported.diagnostics));
  CHECK_FALSE(imported.ok());
  const auto found = std::find_if(
      imported.diagnostics.begin(), imported.diagnostics.end(), [&](const Diagnostic& d) {
        const bool place = d.line == line && (d.column == column || row.message[0] == '\0');
        return place && d.message.find(row.message) != std::string::npos &&
               d.hint.find(row.hint) != std::string::npos;
      });
  CHECK(found != imported.diagnostics.end());
}

}  // namespace

TEST_CASE("What cannot be translated is told with its place, the query and a way out", "[import]") {
  for (const Row& row : bad_queries()) expect_refusal(row);
  for (const Row& row : bad_documents()) expect_refusal(row);
}

TEST_CASE("The query stands in the message on one line", "[import]") {
  const Imported imported = import_text(
      "version: prometheus/v1\nservice: a\nslos:\n  - name: b\n    objective: 99\n    sli:\n"
      "      events:\n        error_query: |\n          sum(\n            avg(x)\n          "
      ")\n"
      "        total_query: sum(rate(t[1m]))\n");
  REQUIRE(imported.diagnostics.size() == 1);
  CHECK(imported.diagnostics[0].line == 10);
  CHECK(imported.diagnostics[0].column == 13);
  CHECK(imported.diagnostics[0].message.find("the query is: sum( avg(x) )") != std::string::npos);
}

TEST_CASE("Two SLOs of one name in all files are told", "[import]") {
  const ConfigFolder folder;
  const std::string text = sloth(rate("e"), rate("t"));
  const Imported imported = import_slos(
      {folder.write("a.yaml", text), folder.write("b.yaml", text), folder.path() + "/none"},
      scrape_options());
  CHECK_FALSE(imported.ok());
  const std::string told = all_text(imported.diagnostics);
  CHECK(told.find("two SLOs are named 'shop-works'") != std::string::npos);
  CHECK(told.find("No such file") != std::string::npos);
}
