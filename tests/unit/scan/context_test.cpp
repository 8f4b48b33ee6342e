#include "scan_support.hpp"

using namespace nines;
using namespace nines::collector;

namespace {

std::string numbered(int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += "{\"n\":" + std::to_string(i) + "}\n";
  return out;
}

ScanRequest around(std::string where, uint32_t before, uint32_t after) {
  ScanRequest request = asking({"n"}, std::move(where));
  request.plan.context = query::ContextSpec{before, after, {}, {}};
  return request;
}

}  // namespace

TEST_CASE("CONTEXT shows the records around each hit, and where they stand to it") {
  ScanFolder folder;
  const std::string path = folder.write("a.json", numbered(12));
  CHECK(scan(path, around("n = 5", 2, 1)).rows == Rows{"3|40|-2", "4|40|-1", "5|40|0", "6|40|1"});
  CHECK(scan(path, around("n = 0", 2, 1)).rows == Rows{"0|0|0", "1|0|1"});
  CHECK(scan(path, around("n = 11", 1, 5)).rows == Rows{"10|89|-1", "11|89|0"});
  CHECK(scan(path, around("n = 5", 0, 0)).rows == Rows{"5|40|0"});
  CHECK(scan(path, around("n = 99", 3, 3)).rows.empty());
}

TEST_CASE("CONTEXT: groups that overlap or touch are one, and the nearer hit counts") {
  ScanFolder folder;
  const std::string path = folder.write("a.json", numbered(12));
  CHECK(scan(path, around("n IN (2, 4)", 1, 1)).rows ==
        Rows{"1|16|-1", "2|16|0", "3|16|1", "4|16|0", "5|16|1"});
  CHECK(scan(path, around("n IN (2, 5)", 1, 1)).rows ==
        Rows{"1|16|-1", "2|16|0", "3|16|1", "4|16|-1", "5|16|0", "6|16|1"});
  CHECK(scan(path, around("n IN (2, 6)", 1, 1)).rows ==
        Rows{"1|16|-1", "2|16|0", "3|16|1", "5|48|-1", "6|48|0", "7|48|1"});
  CHECK(scan(path, around("n IN (2, 5)", 3, 3)).rows == Rows{"0|16|-2", "1|16|-1", "2|16|0",
                                                             "3|16|1", "4|16|-1", "5|16|0",
                                                             "6|16|1", "7|16|2", "8|16|3"});
  CHECK(scan(path, around("n IN (2, 5)", 0, 9)).rows.size() == 10);
  CHECK(scan(path, around("n IN (3, 6)", 9, 0)).rows.size() == 7);
}

TEST_CASE("CONTEXT WITHIN leaves out what lies farther away in time") {
  ScanFolder folder;
  std::string content;
  for (const int second : {0, 1, 2, 30, 31, 32}) {
    content += "{\"ts\":\"2026-11-21T01:00:" + std::string(second < 10 ? "0" : "") +
               std::to_string(second) + "Z\",\"n\":" + std::to_string(second) + "}\n";
  }
  const std::string path = folder.write("a.json", content + "{\"n\":99}\n");
  ScanRequest request = around("n = 30", 2, 9);
  request.plan.context->within_ns = 1'000'000'000;
  const Rows rows = scan(path, request).rows;
  REQUIRE(rows.size() == 2);
  CHECK(rows[1].starts_with("31|"));
  request.where = "n IN (2, 30)";
  request.plan.context->within_ns = 5'000'000'000;
  CHECK(scan(path, request).rows.size() == 6);
}

TEST_CASE("CONTEXT WITHIN: hits that follow each other later than that are two groups") {
  ScanFolder folder;
  const std::string path = folder.write("a.json",
                                        "{\"ts\":\"2026-11-21T01:00:00Z\",\"n\":0}\n"
                                        "{\"ts\":\"2026-11-21T01:00:05Z\",\"n\":1}\n"
                                        "{\"ts\":\"2026-11-21T01:00:11Z\",\"n\":2}\n");
  ScanRequest request = around("n >= 0", 1, 1);
  CHECK(scan(path, request).rows == Rows{"0|0|0", "1|0|0", "2|0|0"});
  request.plan.context->within_ns = 5'000'000'000;
  const Rows rows = scan(path, request).rows;
  REQUIRE(rows.size() == 3);
  CHECK(rows[1] == "1|0|0");
  CHECK(rows[2] != "2|0|0");
}

TEST_CASE("CONTEXT passes over blank lines, which are no records") {
  ScanFolder folder;
  const std::string path =
      folder.write("a.json", "{\"n\":0}\n\n{\"n\":1}\n \n\n{\"n\":2}\n\n{\"n\":3}\n");
  CHECK(scan(path, around("n = 2", 1, 1)).rows == Rows{"1|20|-1", "2|20|0", "3|20|1"});
}

TEST_CASE("CONTEXT and a time range: what lies outside is not there at all") {
  ScanFolder folder;
  std::string content;
  for (int i = 0; i < 9; ++i) {
    content += "{\"ts\":\"2026-11-21T01:00:0" + std::to_string(i) +
               "Z\",\"n\":" + std::to_string(i) + "}\n";
  }
  const std::string path = folder.write("a.json", content);
  ScanRequest request = around("n = 4", 3, 3);
  request.plan.since = WallTime::from_s(1'795'222'800 + 3);
  request.plan.until = WallTime::from_s(1'795'222'800 + 6);
  const Rows rows = scan(path, request).rows;
  REQUIRE(rows.size() == 3);
  CHECK(rows.front().starts_with("3|"));
  CHECK(rows.back().starts_with("5|"));
}

TEST_CASE("CONTEXT is the same however much is read at once") {
  ScanFolder folder;
  const std::string path = folder.write("a.json", numbered(200));
  ScanRequest request = around("n % 17 = 3 OR n = 21", 4, 5);
  const Rows whole = scan(path, request).rows;
  REQUIRE(whole.size() > 100);
  for (const size_t block : {1, 10, 33, 100, 1000}) {
    request.options.block_bytes = block;
    request.options.part_bytes = block;
    const Scanned again = scan(path, request);
    CHECK(again.rows == whole);
    CHECK(again.parts == 1);
  }
}

TEST_CASE("CONTEXT gives fields that only WHERE needs to those that ask for them") {
  ScanFolder folder;
  const std::string path = folder.write("a.json", numbered(12));
  ScanRequest request = asking({"raw", "n"}, "n = 5");
  request.plan.context = query::ContextSpec{1, 1, {}, {}};
  CHECK(scan(path, request).rows ==
        Rows{"{\"n\":4}|4|40|-1", "{\"n\":5}|5|40|0", "{\"n\":6}|6|40|1"});
  request.plan.shown_fields = 1;
  CHECK(scan(path, request).rows ==
        Rows{"{\"n\":4}|NULL|40|-1", "{\"n\":5}|NULL|40|0", "{\"n\":6}|NULL|40|1"});
}

TEST_CASE("Rows are the same wherever blocks of whole pages and parts end") {
  ScanFolder folder;
  const std::string path = folder.write("a.json", numbered(20'000));
  ScanRequest request = asking({"n", "line"}, "n % 7 = 3");
  const Rows whole = scan(path, request).rows;
  REQUIRE(whole.size() > 2000);
  for (const size_t block : {4096, 8191, 8192, 12'345, 65'536}) {
    for (const size_t part : {20'000, 65'536, 100'001}) {
      request.options.block_bytes = block;
      request.options.part_bytes = part;
      CHECK(scan(path, request).rows == whole);
    }
  }
}
