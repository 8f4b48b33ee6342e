// What is read in which pieces, and what is left out because it cannot matter, makes no difference
// to the rows.
#include <rapidcheck.h>

#include <algorithm>

#include "../../unit/scan/scan_support.hpp"

using namespace nines;
using namespace nines::collector;

namespace {

constexpr int64_t kStart = 1'795'222'800;  // 2026-11-21T01:00:00Z

std::string json(int64_t second, int n, const std::string& message) {
  return "{\"ts\":\"" + format_rfc3339(WallTime::from_s(second)) + "\",\"level\":\"" +
         (n % 5 == 0 ? "error" : "info") + "\",\"n\":" + std::to_string(n) + ",\"msg\":\"" +
         message + "\"}";
}

const std::vector<std::string> kMessages{
    "timeout after 5 s", "request done",     "connection refused",
    "Timeout AFTER",     "time\\u006fut",    "in 12ms",
    "x\\\"y\\\\timeout", "caf\xC3\xA9 open", ""};

// A log of JSON lines with what else comes to be in one.
std::string some_json() {
  const int count = *rc::gen::inRange(1, 60);
  std::string out = *rc::gen::arbitrary<bool>() ? "\xEF\xBB\xBF" : "";
  int64_t second = kStart;
  for (int i = 0; i < count; ++i) {
    second += *rc::gen::inRange(0, 5);
    const int what = *rc::gen::inRange(0, 20);
    if (what == 0) {
      out += *rc::gen::element<std::string>("", "  ", "not json: timeout", "{\"cut\":\"timeo");
    } else if (what == 1) {
      out += std::string(*rc::gen::inRange<size_t>(1, 400), '\0') + json(second, i, "timeout");
    } else if (what == 2) {
      out += json(second, i, std::string(*rc::gen::inRange<size_t>(1, 700), 'l') + "timeout");
    } else {
      out += json(second, i, *rc::gen::elementOf(kMessages));
    }
    const bool last = i + 1 == count && *rc::gen::arbitrary<bool>();
    if (!last) out += what % 7 == 3 ? "\r\n" : "\n";
  }
  return out;
}

// Records of several lines, each begun by a time stamp.
std::string some_joined() {
  const int count = *rc::gen::inRange(2, 50);
  std::string out;
  int64_t second = kStart;
  for (int i = 0; i < count; ++i) {
    second += *rc::gen::inRange(0, 5);
    out += format_rfc3339(WallTime::from_s(second)) + (i % 3 == 0 ? " ERROR " : " INFO ") +
           *rc::gen::elementOf(kMessages) + "\n";
    const int more = *rc::gen::inRange(-3, 4);
    for (int k = 0; k < more; ++k) {
      out += *rc::gen::element<std::string>("  indented timeout\n", "\n", "\tat x.y(Z.java:1)\n",
                                            "  more\r\n");
    }
  }
  return out;
}

// A container's log: two streams, lines in pieces.
std::string some_cri() {
  const int count = *rc::gen::inRange(1, 60);
  std::string out;
  for (int i = 0; i < count; ++i) {
    const std::string line = json(kStart + i, i, *rc::gen::elementOf(kMessages));
    const std::string head = format_rfc3339(WallTime::from_s(kStart + i)) +
                             (*rc::gen::inRange(0, 3) == 0 ? " stderr " : " stdout ");
    if (*rc::gen::inRange(0, 4) == 0) {
      const size_t cut = *rc::gen::inRange<size_t>(1, line.size());
      out += head + "P " + line.substr(0, cut) + "\n" + head + "F " + line.substr(cut) + "\n";
    } else {
      out += head + "F " + line + "\n";
    }
  }
  return out;
}

std::string some_log() {
  switch (*rc::gen::inRange(0, 4)) {
    case 0: return some_joined();
    case 1: return some_cri();
    default: return some_json();
  }
}

ScanRequest some_request() {
  ScanRequest request = asking({"line", "ts", "level", "n", "message", "raw", "_error"});
  request.with_place = true;
  request.options.max_record_bytes = 512;
  return request;
}

const std::vector<std::string> kConditions{"message LIKE '%timeout%'",
                                           "raw LIKE '%timeout%'",
                                           "level = 'ERROR'",
                                           "message REGEXP 'time.?ut a'",
                                           "raw REGEXP 'refused|in \\d+'",
                                           "message = 'request done'",
                                           "n = 7 AND level >= 'WARN'",
                                           "message LIKE 'caf%'",
                                           "_error = 'no_match'",
                                           "message ILIKE '%TIMEOUT after%'",
                                           "raw IS NULL OR n > 3",
                                           "NOT message LIKE '%o%'",
                                           "message IN ('in 12ms', 'timeout after 5 s')"};

}  // namespace

TEST_CASE("However a file is cut and read, its rows are the same") {
  ScanFolder folder;
  CHECK(rc::check("parts and blocks of any size", [&] {
    const std::string path = folder.write("a.log", some_log());
    ScanRequest request = some_request();
    if (*rc::gen::arbitrary<bool>()) request.where = *rc::gen::elementOf(kConditions);
    const Scanned whole = scan(path, request);
    request.options.part_bytes = *rc::gen::inRange<size_t>(1, 2000);
    request.options.block_bytes = *rc::gen::inRange<size_t>(1, 1000);
    const Scanned cut = scan(path, request);
    RC_LOG() << cut.explanation << "\n";
    RC_ASSERT(cut.rows == whole.rows);
  }));
}

TEST_CASE("Rows that are found by literals are the rows that WHERE chooses") {
  ScanFolder folder;
  CHECK(rc::check("with and without the search", [&] {
    const std::string path = folder.write("a.log", some_log());
    ScanRequest request = some_request();
    const std::string where = *rc::gen::elementOf(kConditions);
    request.options.block_bytes = *rc::gen::inRange<size_t>(1, 4000);
    request.where = where;
    const Scanned found = scan(path, request);
    request.where = "(" + where + ") OR line < 0";  // nothing can be said of any literal
    const Scanned all = scan(path, request);
    RC_LOG() << where << "\n" << found.explanation << "\n" << all.explanation << "\n";
    RC_ASSERT(found.rows == all.rows);
  }));
}

TEST_CASE("CONTEXT shows what grep would show") {
  ScanFolder folder;
  CHECK(rc::check("against the records one by one", [&] {
    const std::string path = folder.write("a.log", some_log());
    ScanRequest request = some_request();
    request.fields = {"line"};
    request.with_place = false;
    const Rows all = scan(path, request).rows;
    request.where = *rc::gen::elementOf(kConditions);
    const Rows hits = scan(path, request).rows;
    const auto before = *rc::gen::inRange<int64_t>(0, 6);
    const auto after = *rc::gen::inRange<int64_t>(0, 6);
    Rows expected;
    std::string group;
    int64_t shown = -1;  // the last one shown
    const auto is_hit = [&](size_t i) {
      return std::find(hits.begin(), hits.end(), all[i]) != hits.end();
    };
    const auto count = static_cast<int64_t>(all.size());
    for (int64_t i = 0; i < count; ++i) {
      int64_t behind = INT64_MAX, ahead = INT64_MAX;
      for (int64_t k = 0; k <= after && i - k >= 0 && behind == INT64_MAX; ++k) {
        if (is_hit(static_cast<size_t>(i - k))) behind = k;
      }
      for (int64_t k = 0; k <= before && i + k < count && ahead == INT64_MAX; ++k) {
        if (is_hit(static_cast<size_t>(i + k))) ahead = k;
      }
      if (behind == INT64_MAX && ahead == INT64_MAX) continue;
      if (shown < 0 || shown + 1 < i) group = all[static_cast<size_t>(i + ahead)];
      shown = i;
      expected.push_back(all[static_cast<size_t>(i)] + "|" + group + "|" +
                         std::to_string(behind <= ahead ? behind : -ahead));
    }
    request.plan.context =
        query::ContextSpec{static_cast<uint32_t>(before), static_cast<uint32_t>(after), {}, {}};
    request.options.block_bytes = *rc::gen::inRange<size_t>(1, 2000);
    RC_ASSERT(scan(path, request).rows == expected);
  }));
}

TEST_CASE("A time range gives the rows of the range, whatever of the file is not read") {
  ScanFolder folder;
  uint64_t skipped = 0;
  CHECK(rc::check("disorder within the tolerance", [&] {
    const int count = *rc::gen::inRange(1, 200);
    const int disorder = *rc::gen::inRange(0, 8);
    std::string content;
    for (int i = 0; i < count; ++i) {
      // Two records are out of order by at most 2 * (disorder / 2).
      const int64_t off = disorder == 0 ? 0 : *rc::gen::inRange(-(disorder / 2), disorder / 2 + 1);
      content +=
          *rc::gen::inRange(0, 15) == 0 ? "no time\n" : json(kStart + i + off, i, "m") + "\n";
    }
    const std::string path = folder.write("a.log", content);
    ScanRequest request = some_request();
    request.options.disorder_ns = int64_t{disorder} * kNsPerSecond;
    request.options.block_bytes = *rc::gen::inRange<size_t>(1, 500);
    request.options.part_bytes = *rc::gen::inRange<size_t>(100, 4000);
    const int64_t since = kStart + *rc::gen::inRange(-5, count + 5);
    const int64_t until = kStart + *rc::gen::inRange(-5, count + 5);
    request.where = "ts >= '" + format_rfc3339(WallTime::from_s(since)) + "' AND ts < '" +
                    format_rfc3339(WallTime::from_s(until)) + "'";
    const Rows expected = scan(path, request).rows;
    request.where.clear();
    request.plan.since = WallTime::from_s(since);
    request.plan.until = WallTime::from_s(until);
    const Scanned found = scan(path, request);
    RC_ASSERT(found.rows == expected);
    skipped += found.stats.bytes_skipped;
  }));
  CHECK(skipped > 0);
}
