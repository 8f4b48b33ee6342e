#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "query/output.hpp"
#include "query/progress.hpp"
#include "query/service.hpp"

using namespace nines;
namespace aq = nines::agent::query;
namespace nq = nines::query;
using nlohmann::json;

namespace {

const std::vector<std::string> kColumns = {"ts", "level", "n", "text"};

const std::vector<std::vector<Value>> kRows = {
    {Value::of_time(1'772'323'200'250'000'000), Value::of_level(Level::error, "err"),
     Value::of_int(12), Value::of_text("a, \"b\"\nc")},
    {Value::null(), Value::of_text("warn"), Value::of_decimal(15, -1),
     Value::of_text("\x1b[31mred")},
    {Value::null(), Value::of_bool(true), Value::of_real(0.25), Value::null()},
};

std::string write(aq::WriterOptions options, const std::vector<std::string>& columns = kColumns,
                  const std::vector<std::vector<Value>>& rows = kRows, aq::Answer answer = {}) {
  std::string out;
  const auto writer = aq::make_writer(options, [&](std::string_view bytes) {
    out += bytes;
    return true;
  });
  writer->begin(columns);
  for (const auto& values : rows) {
    nq::Row row;
    row.values = values;
    CHECK(writer->take(row));
  }
  answer.rows = writer->rows();
  writer->end(answer);
  return out;
}

}  // namespace

TEST_CASE("JSON holds the rows by name and what is said of the answer", "[query]") {
  aq::Answer answer;
  answer.nodes_ok = {"pi-1"};
  answer.incomplete("the deadline was reached");
  const auto tree = json::parse(write({aq::Format::json, 0, false}, kColumns, kRows, answer));
  REQUIRE(tree["data"].size() == 3);
  CHECK(tree["columns"] == json(kColumns));
  CHECK(tree["data"][0]["ts"] == "2026-03-01T00:00:00.250Z");
  CHECK(tree["data"][0]["level"] == "ERROR");
  CHECK(tree["data"][0]["text"] == "a, \"b\"\nc");
  CHECK(tree["data"][1]["n"] == 1.5);
  CHECK(tree["data"][2]["level"] == true);
  CHECK(tree["data"][2]["text"].is_null());
  CHECK(tree["rows"] == 3);
  CHECK(tree["complete"] == false);
  CHECK(tree["nodes_ok"] == json({"pi-1"}));
  CHECK(tree["notes"][0] == "the deadline was reached");
  for (const char* key :
       {"nodes_failed", "bytes_scanned", "bytes_skipped", "malformed", "no_timestamp", "evicted"}) {
    CHECK(tree.contains(key));
  }
}

TEST_CASE("An answer without rows is a whole document", "[query]") {
  CHECK(json::parse(write({aq::Format::json, 0, false}, kColumns, {}))["data"].empty());
  std::string out;
  const auto writer = aq::make_writer({aq::Format::json, 0, false}, [&](std::string_view bytes) {
    out += bytes;
    return true;
  });
  writer->end({});
  CHECK(json::parse(out)["columns"].empty());
}

TEST_CASE("NDJSON ends with the answer's summary", "[query]") {
  const std::string out = write({aq::Format::ndjson, 0, false});
  std::vector<json> lines;
  for (size_t at = 0; at < out.size();) {
    const size_t end = out.find('\n', at);
    lines.push_back(json::parse(out.substr(at, end - at)));
    at = end + 1;
  }
  REQUIRE(lines.size() == 4);
  CHECK(lines[0]["n"] == 12);
  CHECK(lines[3]["_answer"]["rows"] == 3);
}

TEST_CASE("CSV quotes what needs it and nothing else", "[query]") {
  CHECK(write({aq::Format::csv, 0, false}) ==
        "ts,level,n,text\r\n"
        "2026-03-01T00:00:00.250Z,ERROR,12,\"a, \"\"b\"\"\nc\"\r\n"
        ",warn,1.5,\x1b[31mred\r\n"
        ",true,0.25,\r\n");
}

TEST_CASE("A table fits the terminal, and no log line writes to it", "[query]") {
  const std::string wide = write({aq::Format::table, 0, false});
  CHECK(wide.find('\x1b') == std::string::npos);
  CHECK_THAT(wide, Catch::StartsWith("ts                        level     n  text\n"));
  const std::string narrow = write({aq::Format::table, 40, false});
  for (size_t at = 0; at < narrow.find(" rows");) {
    const size_t end = narrow.find('\n', at);
    CHECK(end - at <= 40);
    at = end + 1;
  }
  const std::string colored = write({aq::Format::table, 0, true});
  CHECK_THAT(colored, Catch::Contains("\x1b[31mERROR\x1b[0m") && Catch::Contains("\x1b[33mwarn"));
}

TEST_CASE("Raw lines are as the log has them, with a mark between groups of context", "[query]") {
  const std::vector<std::vector<Value>> rows = {{Value::of_text("one"), Value::of_int(1)},
                                                {Value::of_text("two"), Value::of_int(1)},
                                                {Value::of_text("three\tx"), Value::of_int(7)}};
  CHECK(write({aq::Format::raw, 0, false}, {"raw", "ctx_group"}, rows) ==
        "one\ntwo\n--\nthree\tx\n");
  const auto writer = aq::make_writer({aq::Format::raw, 0, false}, [](auto) { return true; });
  writer->begin({"message"});
  CHECK_FALSE(writer->problem().ok());
}

TEST_CASE("Who does not read any more is not written to", "[query]") {
  for (const aq::Format format : {aq::Format::json, aq::Format::ndjson, aq::Format::csv}) {
    size_t writes = 0;
    const auto writer = aq::make_writer({format, 0, false}, [&](std::string_view) {
      ++writes;
      return false;
    });
    writer->begin({"text"});
    const std::string large(100'000, 'x');
    nq::Row row;
    const std::vector<Value> values = {Value::of_text(large)};
    row.values = values;
    CHECK_FALSE(writer->take(row));
    CHECK_FALSE(writer->take(row));
    writer->end({});
    CHECK(writes == 1);
  }
}

TEST_CASE("Progress tells share, rate and what is left", "[query]") {
  constexpr int64_t kGiB = int64_t{1} << 30;
  CHECK(aq::progress_text(kGiB, 4 * kGiB, 3, kNsPerSecond) ==
        "25 %  1 GiB of 4 GiB  1 GiB/s  4s left  3 rows");
  CHECK(aq::progress_text(kGiB, 0, 1, kNsPerSecond) == "1 GiB  1 GiB/s  1 row");
  CHECK_THAT(aq::progress_text(0, 10, 0, 0), Catch::StartsWith("0 %"));
}

TEST_CASE("The logs of a node are asked for by the names of its configuration", "[query]") {
  agent::NodeConfig config;
  agent::SourceConfig web;
  web.name = "web-access";
  web.service = "web";
  web.selector.paths = {"/var/log/nginx/*.log"};
  web.selector.exclude = {"*error*"};
  web.selector.format = "nginx";
  agent::SourceConfig app = web;
  app.name = "app";
  app.service = "shop";
  agent::SourceConfig journal;
  journal.name = "journal";
  journal.selector.input = slo::InputKind::journal;
  config.sources = {web, app, journal};

  nq::SourceRef wanted;
  wanted.kind = nq::SourceRef::Kind::logs;
  wanted.names = {"web-*"};
  const auto one = aq::resolve_source(config, wanted);
  REQUIRE(one.ok());
  REQUIRE(one->size() == 1);
  CHECK((*one)[0].names == web.selector.paths);
  CHECK((*one)[0].exclude == web.selector.exclude);
  CHECK((*one)[0].format == "nginx");
  CHECK((*one)[0].service == "web");

  wanted.names = {"shop"};
  CHECK(aq::resolve_source(config, wanted)->size() == 1);
  wanted.names = {"*"};
  CHECK(aq::resolve_source(config, wanted)->size() == 2);
  wanted.names = {"nginx"};
  const auto none = aq::resolve_source(config, wanted);
  REQUIRE_FALSE(none.ok());
  CHECK_THAT(none.error().message,
             Catch::Contains("'nginx'") && Catch::Contains("web-access, app"));
  const auto bare = aq::resolve_source({}, wanted);  // zero configuration
  REQUIRE(bare.ok());
  CHECK((*bare)[0].kind == nq::SourceRef::Kind::logs);
}
