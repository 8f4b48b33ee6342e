// Templates: each is a good configuration as it stands and with values of one's own.
#include "config/templates.hpp"

#include <catch2/catch.hpp>
#include <set>

#include "config_support.hpp"

using namespace nines;
using namespace nines::agent;
using config::render_template;

TEST_CASE("Every template loads without an error or a warning", "[templates]") {
  REQUIRE(config::templates().size() >= 10);
  std::set<std::string> names;
  for (const config::Template& t : config::templates()) {
    INFO(t.name);
    CHECK_FALSE(t.summary.empty());
    const auto rendered = render_template(t.name, {});
    REQUIRE(rendered.ok());
    CHECK(test::all_text(rendered->diagnostics) == "");
    CHECK_FALSE(rendered->slos.empty());
    CHECK(rendered->text.find("${") == std::string::npos);
    for (const slo::SloSpec& spec : rendered->slos) {
      CHECK(names.insert(spec.name).second);
      CHECK_FALSE(spec.description.empty());
    }
    for (const config::TemplateKey& key : t.keys) {
      INFO(key.name);
      CHECK_FALSE(key.meaning.empty());
      CHECK(t.body.find("${" + std::string(key.name) + "}") != std::string_view::npos);
    }
  }
}

TEST_CASE("A value goes where its key stands, quotes and all", "[templates]") {
  const std::vector<std::string> settings = {"name=web", "paths=/logs/\"odd\\name\"*.log",
                                             "target=0.99"};
  const auto rendered = render_template("api-availability", settings);
  REQUIRE(rendered.ok());
  REQUIRE(rendered->slos.size() == 1);
  const slo::SloSpec& spec = rendered->slos[0];
  CHECK(spec.name == "web");
  CHECK(spec.target == Decimal{99, -2});
  CHECK(spec.indicator.total.source.paths == std::vector<std::string>{"/logs/\"odd\\name\"*.log"});
}

TEST_CASE("An unknown template or key is refused with those there are", "[templates]") {
  const auto none = render_template("nothing", {});
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().message.find("api-availability, ") != std::string::npos);
  const auto wrong = render_template("api-availability", std::vector<std::string>{"path=/x"});
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.error().message.find("name, service, paths, format, target") != std::string::npos);
  CHECK_FALSE(render_template("api-availability", std::vector<std::string>{"paths"}).ok());
  CHECK_FALSE(render_template("api-availability", std::vector<std::string>{"name=a\nb"}).ok());
}

TEST_CASE("A value that makes no good configuration is told with its place", "[templates]") {
  const auto rendered =
      render_template("api-availability", std::vector<std::string>{"target=99.9"});
  REQUIRE(rendered.ok());
  REQUIRE(rendered->diagnostics.size() == 1);
  CHECK(rendered->diagnostics[0].file == "template api-availability");
  CHECK(rendered->diagnostics[0].line > 1);
}

TEST_CASE("Heartbeat and floor become the slices of the SLO", "[templates]") {
  const auto alive = render_template("heartbeat", std::vector<std::string>{"every=10m"});
  REQUIRE(alive.ok());
  REQUIRE(alive->slos.size() == 1);
  CHECK(alive->slos[0].slices.slice_s == 600);
  CHECK(alive->slos[0].slices.on_empty == slo::OnEmpty::bad);
  const auto busy = render_template("throughput", std::vector<std::string>{"floor=250/30s"});
  REQUIRE(busy.ok());
  REQUIRE(busy->slos.size() == 1);
  CHECK(busy->slos[0].slices.floor == 500);
  CHECK(busy->slos[0].slices.slice_s == 60);
}

TEST_CASE("Joins and groups are exported as documents that load back to the same", "[templates]") {
  for (const char* name : {"message-processing", "background-jobs"}) {
    const auto rendered = render_template(name, {});
    REQUIRE(rendered.ok());
    const test::ConfigFolder folder;
    const Loaded again = folder.load_slos(to_openslo_yaml(rendered->slos));
    INFO(test::all_text(again.diagnostics));
    REQUIRE(again.slos.size() == rendered->slos.size());
    for (size_t i = 0; i < again.slos.size(); ++i) {
      CHECK(again.slos[i].generation() == rendered->slos[i].generation());
      CHECK(again.slos[i].indicator.join == rendered->slos[i].indicator.join);
      CHECK(again.slos[i].indicator.group == rendered->slos[i].indicator.group);
    }
  }
}
