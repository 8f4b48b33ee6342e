// Answers as the documents of the four systems show them, and damaged ones.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "query/remote.hpp"
#include "query/remote_record.hpp"

namespace nines::agent::query {
namespace {

using Kind = RemoteConfig::Kind;

RemoteConfig config_of(Kind kind) {
  RemoteConfig remote;
  remote.name = "far";
  remote.kind = kind;
  remote.url = "http://h:1/base/";
  return remote;
}

RemoteWish wish_of(uint64_t page_rows) {
  RemoteWish wish;
  wish.range = {WallTime{1'000'000'000'500'000}, WallTime{2'000'000'000'500'000}};
  wish.page_rows = page_rows;
  return wish;
}

http::ClientResponse ok(std::string body) { return {200, std::move(body), {}, {}}; }

std::vector<Json> rows_of(const std::string& lines) {
  std::vector<Json> out;
  for (size_t at = 0; at < lines.size();) {
    const size_t end = lines.find('\n', at);
    out.push_back(Json::parse(lines.substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

constexpr const char* kPit = R"({"id":"p1"})";

}  // namespace

TEST_CASE("Elasticsearch is read through a point in time, page after page", "[remote]") {
  const RemoteConfig remote = config_of(Kind::elasticsearch);
  const auto pager = make_pager(remote, wish_of(2));
  std::string lines;
  CHECK(pager->next()->url == "http://h:1/base/*/_pit?keep_alive=2m");
  REQUIRE(pager->take(ok(kPit), lines).ok());
  const auto first = pager->next();
  CHECK(first->url == "http://h:1/base/_search");
  const Json body = Json::parse(first->body);
  CHECK(body["pit"]["id"] == "p1");
  const Json& range = body["query"]["bool"]["filter"][0]["range"]["@timestamp"];
  CHECK(range["gte"] == "1970-01-12T13:46:40Z");  // never too narrow: to whole milliseconds
  CHECK(range["lt"] == "1970-01-24T03:33:20.001Z");
  REQUIRE(pager
              ->take(ok(R"({"pit_id":"p2","timed_out":false,"_shards":{"failed":0},"hits":{"hits":[
    {"_index":"a","_id":"1","_source":{"@timestamp":"1970-01-12T13:46:41Z","message":"x",
     "event":{"original":"raw x"}},"sort":[1000001000,7]},
    {"_index":"a","_id":"2","_source":{"@timestamp":"1970-01-12T13:46:42Z"},"sort":[1000002000,8]}
    ]}})"),
                     lines)
              .ok());
  const Json second = Json::parse(pager->next()->body);
  CHECK(second["search_after"] == Json::array({1000002000, 8}));
  CHECK(second["pit"]["id"] == "p2");
  REQUIRE(pager->take(ok(R"({"hits":{"hits":[]}})"), lines).ok());
  CHECK_FALSE(pager->next());
  const auto bye = pager->goodbye();
  REQUIRE(bye);
  CHECK(bye->method == "DELETE");
  CHECK_FALSE(pager->goodbye());
  const auto rows = rows_of(lines);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0]["ts"] == "1970-01-12T13:46:41Z");
  CHECK(rows[0]["_raw"] == "raw x");
  CHECK(rows[0]["_id"] == "1");
}

TEST_CASE("Without points in time a page begins with the last instant and knows its records",
          "[remote]") {
  const auto pager = make_pager(config_of(Kind::elasticsearch), wish_of(2));
  std::string lines;
  for (int i = 0; i < 2; ++i) {
    REQUIRE(pager->next());
    REQUIRE(pager->take({405, "no", {}, {}}, lines).ok());
  }
  const auto hit = [](const char* id, int at) {
    return R"({"_index":"a","_id":")" + std::string(id) + R"(","_source":{},"sort":[)" +
           std::to_string(at) + "]}";
  };
  const auto page = [&](const std::string& hits) {
    return ok(R"({"hits":{"hits":[)" + hits + "]}}");
  };
  CHECK(pager->next()->url == "http://h:1/base/*/_search");
  REQUIRE(pager->take(page(hit("1", 5) + "," + hit("2", 6)), lines).ok());
  CHECK(Json::parse(pager->next()->body)["search_after"] == Json::array({5}));
  REQUIRE(pager->take(page(hit("2", 6) + "," + hit("3", 6)), lines).ok());
  REQUIRE(pager->next());
  REQUIRE(pager->take(page(hit("2", 6) + "," + hit("3", 6)), lines).ok());
  CHECK(Json::parse(pager->next()->body)["size"] == 4);  // the time stood still: a larger page
  REQUIRE(pager->take(page(hit("2", 6)), lines).ok());
  CHECK_FALSE(pager->next());
  CHECK(rows_of(lines).size() == 3);
  CHECK_FALSE(pager->goodbye());
}

TEST_CASE("An answer that says it is partial gives its rows and fails", "[remote]") {
  for (const char* flaw : {R"("timed_out":true)", R"("_shards":{"failed":2})"}) {
    const auto pager = make_pager(config_of(Kind::elasticsearch), wish_of(2));
    std::string lines;
    REQUIRE(pager->next());
    REQUIRE(pager->take(ok(kPit), lines).ok());
    REQUIRE(pager->next());
    CHECK_FALSE(pager
                    ->take(ok("{" + std::string(flaw) +
                              R"(,"hits":{"hits":[{"_id":"1","_source":{},"sort":[1,1]}]}})"),
                           lines)
                    .ok());
    CHECK(rows_of(lines).size() == 1);
  }
}

TEST_CASE("Loki's streams are put in the order of time, lines of JSON give their fields",
          "[remote]") {
  const auto pager = make_pager(config_of(Kind::loki), wish_of(10));
  std::string lines;
  const auto request = pager->next();
  CHECK(request->method == "GET");
  CHECK(request->url.find("start=1000000000500000&end=2000000000500000") != std::string::npos);
  REQUIRE(pager
              ->take(ok(R"({"status":"success","data":{"resultType":"streams","result":[
    {"stream":{"app":"b"},"values":[["1000000000500003","three"]]},
    {"stream":{"app":"a","detected_level":"warn"},"values":[
      ["1000000000500002","{\"level\":\"error\",\"message\":\"two\"}"],
      ["1000000000500004","four",{"trace_id":"t"}]]}],"stats":{}}})"),
                     lines)
              .ok());
  CHECK_FALSE(pager->next());
  const auto rows = rows_of(lines);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0]["message"] == "two");
  CHECK(rows[0]["level"] == "error");
  CHECK(rows[0]["ts"] == "1970-01-12T13:46:40.000500002Z");
  CHECK(rows[1]["message"] == "three");
  CHECK(rows[2]["level"] == "warn");
  CHECK(rows[2]["trace_id"] == "t");
  CHECK(rows[2]["_raw"] == "four");
}

TEST_CASE("Graylog's severities are levels, its millisecond range is never too narrow",
          "[remote]") {
  const auto pager = make_pager(config_of(Kind::graylog), wish_of(10));
  std::string lines;
  const std::string url = pager->next()->url;
  CHECK(url.find("/base/api/search/universal/absolute?query=%2A&") != std::string::npos);
  CHECK(url.find("from=1970-01-12T13%3A46%3A40.000Z") != std::string::npos);
  CHECK(url.find("to=1970-01-24T03%3A33%3A20.001Z") != std::string::npos);
  REQUIRE(pager
              ->take(ok(R"({"messages":[{"index":"graylog_0","message":{"_id":"1","level":3,
    "timestamp":"1970-01-12T13:46:41.250Z","source":"web-1","message":"x"}}],"total_results":1})"),
                     lines)
              .ok());
  CHECK_FALSE(pager->next());
  const auto rows = rows_of(lines);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0]["level"] == "err");
  CHECK(rows[0]["ts"] == "1970-01-12T13:46:41.250Z");
}

TEST_CASE("Splunk's stream is read however it is cut, previews are passed over", "[remote]") {
  const std::string answer =
      "{\"preview\":true,\"offset\":0,\"lastrow\":true,\"result\":{\"_raw\":\"p\"}}\n\n"
      "{\"preview\":false,\"offset\":0,\"result\":{\"_time\":\"2026-10-08 13:48:34.000 GMT\","
      "\"_raw\":\"one\"}}\n"
      "{\"preview\":false,\"offset\":1,\"lastrow\":true,\"result\":{\"message\":\"two\"}}\n"
      "{\"preview\":false,\"lastrow\":true}";
  for (size_t cut = 0; cut <= answer.size(); ++cut) {
    const auto pager = make_pager(config_of(Kind::splunk), wish_of(10));
    REQUIRE(pager->streams());
    const auto request = pager->next();
    CHECK(request->body.find("earliest_time=1000000.000500000&latest_time=2000000.000500000") !=
          std::string::npos);
    std::string lines;
    REQUIRE(pager->take_piece(std::string_view(answer).substr(0, cut), lines).ok());
    REQUIRE(pager->take_piece(std::string_view(answer).substr(cut), lines).ok());
    REQUIRE(pager->take_end(lines).ok());
    CHECK_FALSE(pager->next());
    const auto rows = rows_of(lines);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0]["ts"] == "2026-10-08 13:48:34.000Z");
    CHECK(rows[0]["message"] == "one");
    CHECK(rows[1]["message"] == "two");
  }
}

TEST_CASE("No damaged answer of any system is more than an error", "[remote]") {
  const std::vector<std::string> answers = {
      "",
      "x",
      "null",
      "[]",
      "{}",
      "\"\xff\xfe\"",
      std::string(1'000'000, '['),
      R"({"hits":3})",
      R"({"hits":{"hits":{}}})",
      R"({"hits":{"hits":[7]}})",
      R"({"hits":{"hits":[{"sort":[]}]}})",
      R"({"hits":{"hits":[{"sort":7}]}})",
      R"({"id":"","pit_id":5})",
      R"({"status":"success","data":{"resultType":"streams","result":[1]}})",
      R"({"status":"success","data":{"resultType":"streams","result":[{"stream":{},"values":[[]]}]}})",
      R"({"status":"success","data":{"resultType":"streams","result":[{"stream":{},"values":[["x","y"]]}]}})",
      R"({"status":"success","data":{"resultType":"matrix","result":[]}})",
      R"({"status":"error","data":null})",
      R"({"messages":[1]})",
      R"({"messages":[{"message":{"timestamp":5}}]})",
      R"({"messages":[{"type":"FATAL","text":"no"}]})",
  };
  for (const Kind kind : {Kind::elasticsearch, Kind::loki, Kind::graylog, Kind::splunk}) {
    for (const std::string& answer : answers) {
      for (const bool opened : {false, true}) {
        const auto pager = make_pager(config_of(kind), wish_of(10));
        std::string lines;
        REQUIRE(pager->next());
        if (opened && kind == Kind::elasticsearch) {
          REQUIRE(pager->take(ok(kPit), lines).ok());
          REQUIRE(pager->next());
        }
        INFO(static_cast<int>(kind) << " " << answer.substr(0, 100));
        const Status done = !pager->streams() ? pager->take(ok(answer), lines)
                            : pager->take_piece(answer, lines).ok()
                                ? pager->take_end(lines)
                                : Status(Error{Errc::unavailable, "a piece"});
        CHECK_FALSE(done.ok());
        CHECK(lines.empty());
      }
    }
  }
}

TEST_CASE("A search of Splunk that would write, send or run something is refused", "[remote]") {
  const RemoteConfig splunk = config_of(Kind::splunk);
  for (const char* search : {"index=a | delete", "a |  OutputLookup x", "| script perl x",
                             "a [ | sendemail to=x ] b", "\"|\" |collect index=x"}) {
    INFO(search);
    CHECK_FALSE(check_query(splunk, search).ok());
  }
  for (const char* search : {"", "error", "\"a | delete\"", "a | stats count by delete | head 5",
                             "a \"\\\" | delete\" b", "| tstats count"}) {
    INFO(search);
    CHECK(check_query(splunk, search).ok());
  }
  CHECK_FALSE(check_query(config_of(Kind::elasticsearch), "{\"match\":").ok());
  CHECK(check_query(config_of(Kind::elasticsearch), "{\"match\":{\"a\":1}}").ok());
  CHECK(check_query(config_of(Kind::loki), "{app=\"x\"} | delete").ok());
}

TEST_CASE("A refusal tells the status, what it means, how long to wait, and no control bytes",
          "[remote]") {
  const Error error = refusal({429, "slow\x1b[2Jdown", "30", {}});
  CHECK(error.message == "it answers 429 (too many requests; it asks to wait 30 s): slow [2Jdown");
  CHECK(refusal({401, "", {}, {}}).message.find("token_file") != std::string::npos);
}

}  // namespace nines::agent::query
