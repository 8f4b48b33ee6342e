// CONTEXT means the same in the order of a file and among the records of a key.
#include <rapidcheck.h>

#include <map>

#include "../../unit/scan/scan_support.hpp"
#include "nines/query/operator.hpp"

using namespace nines;
using namespace nines::collector;

namespace {

struct Line {
  int64_t second = 0;
  std::string key;
  bool chosen = false;
};

struct Case {
  query::ContextSpec spec;
  std::vector<Line> lines;  // in the order of time
};

Case draw_case(size_t keys) {
  Case c;
  c.spec.before = *rc::gen::inRange<uint32_t>(0, 5);
  c.spec.after = *rc::gen::inRange<uint32_t>(0, 5);
  if (*rc::gen::arbitrary<bool>()) {
    c.spec.within_ns = *rc::gen::inRange<int64_t>(0, 8) * 1'000'000'000;
  }
  const auto count = *rc::gen::inRange<size_t>(0, 50);
  const int rare = *rc::gen::element(2, 4, 9);  // how many records come to one that is chosen
  int64_t second = 1'795'222'800;               // 2026-11-21T01:00:00Z
  for (size_t i = 0; i < count; ++i) {
    second += *rc::gen::element(0, 0, 1, 1, 2, 5, 20);
    const auto key = std::to_string(*rc::gen::inRange<size_t>(0, keys));
    c.lines.push_back({second, key, *rc::gen::inRange(0, rare) == 0});
  }
  return c;
}

// Only lines of `key`, unless that is empty; `n` is the number among all of them.
std::string content_of(const Case& c, const std::string& key = {}) {
  std::string out;
  for (size_t i = 0; i < c.lines.size(); ++i) {
    const Line& line = c.lines[i];
    if (!key.empty() && line.key != key) continue;
    out += "{\"ts\":\"" + format_rfc3339(WallTime::from_s(line.second)) +
           "\",\"n\":" + std::to_string(i) + ",\"k\":\"" + line.key +
           "\",\"chosen\":" + (line.chosen ? "true" : "false") + "}\n";
  }
  return out;
}

// A row "k|chosen|n|ctx_group|ctx_offset" as "n|offset" under its key. What numbers groups have is
// no promise: they are told as 0, 1, 2 in the order in which they come.
class ByKey final : public query::RowSink {
 public:
  bool take(const query::Row& row) override {
    auto& groups = groups_[show(row.values[0])];
    const auto group = groups.emplace(row.values[3].mantissa, groups.size()).first->second;
    rows[show(row.values[0])].push_back(show(row.values[2]) + "|" + show(row.values[4]) +
                                        " in group " + std::to_string(group));
    return true;
  }
  std::map<std::string, Rows> rows;

 private:
  std::map<std::string, std::map<int64_t, size_t>> groups_;
};

using Shown = std::map<std::string, Rows>;

Shown of_file(const Case& c, const std::string& path) {
  ScanRequest request = asking({"k", "chosen", "n"}, "chosen");
  request.plan.context = c.spec;
  ByKey shown;
  RC_ASSERT(scan_into(shown, {path, 0, "svc"}, request).ok());
  return shown.rows;
}

Shown by_key(const Case& c, const std::string& path) {
  const query::Stage stage = query::ContextByStage{
      {c.spec.before, c.spec.after, "k", c.spec.within_ns}, *expr::Expression::parse("chosen"), 0};
  const std::vector<std::string> fields{"k", "chosen", "n"};
  ByKey shown;
  const auto context = query::make_operator(stage, fields, {}, shown);
  ScanRequest request = asking(fields);
  request.plan.needs_time = true;
  RC_ASSERT(scan_into(*context, {path, 0, "svc"}, request).ok());
  context->finish();
  return shown.rows;
}

}  // namespace

TEST_CASE("CONTEXT BY a key that all records have is the CONTEXT of their file") {
  CHECK(rc::check([] {
    const Case c = draw_case(1);
    const ScanFolder folder;
    const std::string path = folder.write("a.json", content_of(c));
    if (c.lines.empty()) return;
    RC_ASSERT(by_key(c, path) == of_file(c, path));
  }));
}

TEST_CASE("CONTEXT BY key is for each key the CONTEXT of a file that has no other") {
  CHECK(rc::check([] {
    const Case c = draw_case(3);
    const ScanFolder folder;
    if (c.lines.empty()) return;
    const std::string path = folder.write("a.json", content_of(c));
    Shown expected;
    for (const std::string key : {"0", "1", "2"}) {
      const std::string content = content_of(c, key);
      if (content.empty()) continue;
      expected.merge(of_file(c, folder.write(key + ".json", content)));
    }
    RC_ASSERT(by_key(c, path) == expected);
  }));
}
