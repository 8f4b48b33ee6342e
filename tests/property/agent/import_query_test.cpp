// Selectors of PromQL and the expressions made of them agree on every set of labels.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "../../unit/agent/config_support.hpp"
#include "config/import.hpp"
#include "nines/expr/expression.hpp"

using namespace nines;
using namespace nines::agent;

namespace {

using Labels = std::map<std::string, std::string>;

struct Matcher {
  std::string label, op, value;

  // As Prometheus has it: an absent label is "", regular expressions match the whole value.
  bool matches(const Labels& labels) const {
    const auto found = labels.find(label);
    const std::string text = found == labels.end() ? "" : found->second;
    if (op == "=") return text == value;
    if (op == "!=") return text != value;
    const bool match = std::regex_match(text, std::regex(value, std::regex::ECMAScript));
    return match == (op == "=~");
  }
};

const std::vector<std::string> kNames = {"code", "verb", "in", "node", "le", "a_b", "metric"};

std::vector<Matcher> matchers() {
  std::vector<Matcher> out;
  const auto count = *rc::gen::inRange(0, 4);
  for (int i = 0; i < count; ++i) {
    Matcher m;
    m.label = *rc::gen::elementOf(kNames);
    m.op = *rc::gen::element<std::string>("=", "!=", "=~", "!~");
    m.value = m.op.size() == 2 && m.op[1] == '~'
                  ? *rc::gen::element<std::string>("5..", "GET|LIST", "(GET|LIST)", "", "5?.*",
                                                   ".+", "a|", "it's", "[ab]+", "50[0-9]|429")
                  : *rc::gen::element<std::string>("500", "GET", "", "it's", "a", "x y");
    out.push_back(m);
  }
  return out;
}

Labels labels() {
  Labels out;
  for (const auto& name : kNames) {
    const auto value = *rc::gen::element<std::string>("-", "", "500", "503", "GET", "LIST", "GETS",
                                                      "it's", "a", "b", "x y", "429");
    if (value != "-") out[name] = value;
  }
  return out;
}

std::string selector(const std::vector<Matcher>& all) {
  std::string out = "requests_total{";
  for (const auto& m : all) out += m.label + m.op + "\"" + m.value + "\",";
  return out + "}";
}

// What a scraped sample of the series is to an expression.
bool counted(const std::string& where, const Labels& series) {
  const auto expression = expr::Expression::parse(where);
  RC_ASSERT(expression.ok());
  std::vector<Value> values;
  std::vector<size_t> slots;
  for (const std::string& field : expression->fields()) {
    slots.push_back(values.size());
    std::string label = field;
    if (field == "metric") {
      values.push_back(Value::of_text("requests_total"));
      continue;
    }
    if (label.starts_with("label_")) label = label.substr(6);
    const auto found = series.find(label);
    values.push_back(found == series.end() ? Value::null() : Value::of_text(found->second));
  }
  expr::Evaluator evaluator(*expression, slots);
  return evaluator.test(values) == expr::Truth::yes;
}

}  // namespace

TEST_CASE("An imported selector counts exactly the series that it selects", "[import][property]") {
  const test::ConfigFolder folder;
  ImportOptions options;
  options.source.input = slo::InputKind::scrape;
  options.source.url = "http://127.0.0.1/metrics";
  CHECK(rc::check([&] {
    const auto part = matchers();
    const auto total = matchers();
    const std::string text =
        "apiVersion: pyrra.dev/v1alpha1\nkind: ServiceLevelObjective\nmetadata: {name: api}\n"
        "spec:\n  target: \"99\"\n  window: 4w\n  indicator:\n    ratio:\n      errors:\n"
        "        metric: |\n          " +
        selector(part) + "\n      total:\n        metric: |\n          " + selector(total) + "\n";
    const Imported imported = import_slos({folder.write("p.yaml", text)}, options);
    RC_LOG() << text << test::all_text(imported.diagnostics);
    RC_ASSERT(imported.ok());
    const slo::IndicatorSpec& sli = imported.slos.at(0).indicator;
    for (int i = 0; i < 20; ++i) {
      const Labels series = labels();
      const auto all = [&](const std::vector<Matcher>& list) {
        return std::all_of(list.begin(), list.end(),
                           [&](const Matcher& m) { return m.matches(series); });
      };
      RC_ASSERT(counted(sli.total.where, series) == all(total));
      const bool bad = counted(sli.part.where, series);
      // A part within the total need not say again what the total says.
      RC_ASSERT((sli.independent ? bad : bad && all(total)) == all(part));
    }
  }));
}
