#include "scan_support.hpp"

using namespace nines;
using namespace nines::collector;

TEST_CASE("A scan gives the fields asked for, in the order asked for") {
  ScanFolder folder;
  const std::string path =
      folder.write("a.json", R"({"ts":"2026-11-21T01:00:00Z","level":"info","msg":"one","n":1})"
                             "\n"
                             R"({"ts":"2026-11-21T01:00:01Z","level":"error","msg":"two","n":2.5})"
                             "\n");
  CHECK(scan(path, asking({"n", "message", "level", "ts"})).rows ==
        Rows{"1|one|INFO|2026-11-21T01:00:00Z", "25e-1|two|ERROR|2026-11-21T01:00:01Z"});
  CHECK(scan(path, asking({"message"}, "level >= ERROR")).rows == Rows{"two"});
  CHECK(scan(path, asking({"message"}, "n < 2")).rows == Rows{"one"});
  CHECK(scan(path, asking({})).rows == Rows{"", ""});
}

TEST_CASE("A scan gives where a record stands and who wrote it") {
  ScanFolder folder;
  const std::string path =
      folder.write("a.json", "{\"msg\":\"x\"}\n{\"msg\":\"y\",\"service\":\"s\"}\n");
  CHECK(scan(path, asking({"line", "source", "node", "service", "ingest_ts", "raw"})).rows ==
        Rows{"0|" + path + "|node-1|svc|NULL|{\"msg\":\"x\"}",
             "12|" + path + "|node-1|s|NULL|{\"msg\":\"y\",\"service\":\"s\"}"});
}

TEST_CASE("Malformed lines stay as rows with raw and _error, and WHERE sees their fields as NULL") {
  ScanFolder folder;
  const std::string path = folder.write(
      "a.json",
      "{\"ts\":\"2026-11-21T01:00:00Z\",\"a\":1}\nnot json\n\n{\"ts\":\"never\",\"a\":2}\n");
  const Scanned all = scan(path, asking({"a", "raw", "_error"}));
  CHECK(all.rows == Rows{"1|{\"ts\":\"2026-11-21T01:00:00Z\",\"a\":1}|NULL",
                         "NULL|not json|no_match", "2|{\"ts\":\"never\",\"a\":2}|bad_time"});
  CHECK(all.stats.malformed == 1);
  CHECK(all.stats.records == 3);
  CHECK(scan(path, asking({"raw"}, "a IS NULL")).rows == Rows{"not json"});
  CHECK(scan(path, asking({"raw"}, "a <> 1")).rows == Rows{"{\"ts\":\"never\",\"a\":2}"});
}

TEST_CASE("SINCE and UNTIL take what lies between, and nothing without time") {
  ScanFolder folder;
  std::string content;
  for (int i = 0; i < 10; ++i) {
    content += "{\"ts\":\"2026-11-21T01:00:0" + std::to_string(i) +
               "Z\",\"n\":" + std::to_string(i) + "}\n";
  }
  const std::string path = folder.write("a.json", content + "{\"n\":99}\n");
  ScanRequest request = asking({"n"});
  request.plan.since = WallTime::from_s(1'795'222'800 + 3);  // 2026-11-21T01:00:03Z
  request.plan.until = WallTime::from_s(1'795'222'800 + 6);
  CHECK(scan(path, request).rows == Rows{"3", "4", "5"});
}

TEST_CASE("EXTRACT gives fields that WHERE and the row can use") {
  ScanFolder folder;
  const std::string path =
      folder.write("a.json", "{\"msg\":\"took 5ms\"}\n{\"msg\":\"took 50ms\"}\n{\"msg\":\"no\"}\n");
  ScanRequest request = asking({"message"}, "ms > 9");
  request.plan.extracts = {{query::Extract::Kind::pattern, "message", "took <ms:num>ms", {"ms"}}};
  CHECK(scan(path, request).rows == Rows{"took 50ms|50"});
  request.where = "";
  CHECK(scan(path, request).rows == Rows{"took 5ms|5", "took 50ms|50", "no|NULL"});
}

TEST_CASE("A file cut into parts has the rows of the file in one piece") {
  ScanFolder folder;
  std::string content;
  for (int i = 0; i < 100; ++i) content += "{\"n\":" + std::to_string(i) + "}\n";
  const std::string path = folder.write("a.json", content);
  const Rows whole = scan(path, asking({"n", "line"})).rows;
  REQUIRE(whole.size() == 100);
  ScanRequest request = asking({"n", "line"});
  for (const size_t part : {1, 7, 10, 64, 1000}) {
    request.options.part_bytes = part;
    request.options.block_bytes = 16;
    CHECK(scan(path, request).rows == whole);
  }
}

TEST_CASE("A scan tells which of the named fields some record had, however it is cut") {
  ScanFolder folder;
  std::string content;
  for (int i = 0; i < 50; ++i) content += "{\"n\":" + std::to_string(i) + ",\"x\":null}\n";
  const std::string path = folder.write("a.json", content + "{\"late\":1,\"n\":50}\n");
  ScanRequest request = asking({"line", "x", "n", "message", "late"}, "level IS NULL");
  const ScanRequest named = request;
  query::ScanPlan plan = named.plan;
  plan.fields = named.fields;
  plan.where = *expr::Expression::parse(named.where);
  REQUIRE(named_fields(plan) == std::vector<std::string>{"x", "n", "late", "level"});
  for (const size_t part : {1, 64, 100'000}) {
    request.options.part_bytes = part;
    const ScanStats stats = scan(path, request).stats;
    CHECK(stats.fields_seen == 0b0110);
    CHECK_FALSE(stats.partly);
  }
  request.where = "message = 'late'";
  CHECK(scan(path, request).stats.partly);
}

TEST_CASE("A file names the fields of its first records") {
  ScanFolder folder;
  const auto names = [&](const std::string& name, const std::string& content) {
    query::SourceRef source;
    const ScanFile file{folder.write(name, content), 0, "svc"};
    auto opened = FileScan::open(file, source, {}, test_options());
    REQUIRE(opened.ok());
    return (*opened)->field_names();
  };
  using Names = std::vector<std::string>;
  CHECK(names("a.json", "{\"msg\":\"x\",\"a\":{\"b\":1}}\n{\"msg\":\"y\",\"n\":2}\n") ==
        Names{"message", "msg", "a.b", "n"});
  CHECK(names("b.log", "ts=2026-11-21T01:00:00Z level=info took=5\n") ==
        Names{"ts", "level", "took"});
  CHECK(names("c.log", "").empty());
}
