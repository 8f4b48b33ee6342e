// What WHERE tells the block index.
#include <catch2/catch.hpp>
#include <string>

#include "nines/query/search.hpp"

using namespace nines;
using query::LiteralSet;
using query::RecordShape;

namespace {

RecordShape shape_of(log::FormatKind kind) {
  RecordShape shape;
  shape.format.kind = kind;
  return shape;
}
expr::Expression parsed(const std::string& text) { return expr::Expression::parse(text).value(); }

// Of the first set; false also when there is none.
bool is_whole(const std::string& text, const RecordShape& shape) {
  const auto sets = query::required_literals(parsed(text), shape);
  return !sets.empty() && sets.front().whole;
}

constexpr uint8_t kWarn = 8, kError = 16, kFatal = 32, kNone = 0x80;

}  // namespace

TEST_CASE("The whole value of a field stands by itself in JSON, logfmt and access logs") {
  for (const auto kind :
       {log::FormatKind::json, log::FormatKind::logfmt, log::FormatKind::combined}) {
    const RecordShape shape = shape_of(kind);
    CHECK(is_whole("request_id = 'req-17'", shape));
    CHECK(is_whole("'req-17' = request_id", shape));
    CHECK(is_whole("request_id IN ('req-17', 'req-18')", shape));
    CHECK(is_whole("request_id = 'req-17' OR trace = 'abc-99'", shape));
    CHECK(is_whole("lower(request_id) = 'req-17'", shape));
    CHECK_FALSE(is_whole("request_id LIKE 'req-17%'", shape));
    CHECK_FALSE(is_whole("request_id = 'req-17' OR message LIKE '%abc-99%'", shape));
    CHECK_FALSE(is_whole("substr(request_id, 1, 6) = 'req-17'", shape));
    CHECK_FALSE(is_whole("trim(request_id) = 'req-17'", shape));
    CHECK_FALSE(is_whole("contains(request_id, 'req-17')", shape));
  }
  CHECK_FALSE(is_whole("request_id = 'req-17'", shape_of(log::FormatKind::plain)));
  CHECK_FALSE(is_whole("request_id = 'req-17'", shape_of(log::FormatKind::regex)));
}

TEST_CASE("A value of which only a part is written as it is does not stand by itself") {
  CHECK_FALSE(is_whole("request_id = 'req\"-17'", shape_of(log::FormatKind::json)));
}

TEST_CASE("A literal within another one of the set makes neither stand by itself") {
  const RecordShape shape = shape_of(log::FormatKind::json);
  CHECK_FALSE(is_whole("request_id IN ('req-17', 'req-17-b')", shape));
}

TEST_CASE("A field that EXTRACT gives may be part of a word") {
  RecordShape shape = shape_of(log::FormatKind::json);
  shape.extracts.push_back({query::Extract::Kind::pattern, "message", "id<id:text>x", {"id"}});
  CHECK_FALSE(is_whole("id = 'req-17'", shape));
}

TEST_CASE("An address is no number and is searched for") {
  const auto sets = query::required_literals(parsed("remote_addr = '10.1.2.3'"),
                                             shape_of(log::FormatKind::combined));
  REQUIRE(sets.size() == 1);
  CHECK(sets.front().any_of == std::vector<std::string>{"10.1.2.3"});
  CHECK(
      query::required_literals(parsed("x = '10.5'"), shape_of(log::FormatKind::combined)).empty());
}

TEST_CASE("WHERE tells which levels a record may have; those without one stay possible") {
  const RecordShape shape = shape_of(log::FormatKind::json);
  const auto levels = [&](const char* text) { return query::possible_levels(parsed(text), shape); };
  CHECK(levels("level >= ERROR") == (kError | kFatal | kNone));
  CHECK(levels("'ERROR' <= level") == (kError | kFatal | kNone));
  CHECK(levels("level = 'warn' AND message LIKE '%x%'") == (kWarn | kNone));
  CHECK(levels("level = WARN OR level = FATAL") == (kWarn | kFatal | kNone));
  CHECK(levels("level IN ('warn', 'error')") == (kWarn | kError | kNone));
  CHECK(levels("level BETWEEN 'warn' AND 'error'") == (kWarn | kError | kNone));
  CHECK(levels("level >= ERROR OR message LIKE '%x%'") == 0xff);
  CHECK(levels("NOT level >= ERROR") == 0xff);
  CHECK(levels("level <> ERROR") == 0xff);
  CHECK(levels("level NOT IN ('error')") == 0xff);
  CHECK(levels("level = 'strange'") == 0xff);
  CHECK(levels("status >= 500") == 0xff);
  RecordShape extracted = shape;
  extracted.extracts.push_back({query::Extract::Kind::pattern, "message", "<level>:", {"level"}});
  CHECK(query::possible_levels(parsed("level >= ERROR"), extracted) == 0xff);
}
