// What the search for lines takes out of a WHERE, and what it finds.
#include "nines/query/search.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace {

using namespace nines;
using query::LineFinder;
using query::RecordShape;

using Texts = std::vector<std::string>;

RecordShape shape_of(log::FormatKind kind) {
  RecordShape shape;
  shape.format.kind = kind;
  return shape;
}

Texts best_literals(const std::string& where, const RecordShape& shape) {
  const auto parsed = expr::Expression::parse(where);
  REQUIRE(parsed.ok());
  const auto sets = query::required_literals(*parsed, shape);
  return sets.empty() ? Texts{} : sets.front().any_of;
}

Texts lines_found(const std::string& where, const RecordShape& shape, const std::string& block) {
  const auto parsed = expr::Expression::parse(where);
  REQUIRE(parsed.ok());
  LineFinder finder(&*parsed, shape);
  LineFinder::Line line;
  Texts found;
  for (size_t at = 0; finder.next(block, at, line); at = line.end) {
    found.push_back(block.substr(line.begin, line.end - line.begin));
  }
  CHECK(finder.count(block) == found.size());
  return found;
}

LineFinder::Finds finds(const std::string& where, const RecordShape& shape) {
  const auto parsed = expr::Expression::parse(where);
  REQUIRE(parsed.ok());
  return LineFinder(&*parsed, shape).finds();
}

}  // namespace

TEST_CASE("A regular expression's alternatives are multiplied out") {
  CHECK(best_literals("raw ~ 'x(POST|PUT) /api/v1/(orders|cart)/?[^ ]*'",
                      shape_of(log::FormatKind::plain)) ==
        Texts{"xPUT /api/v1/cart", "xPOST /api/v1/cart", "xPUT /api/v1/orders",
              "xPOST /api/v1/orders"});
}

TEST_CASE("JSON may escape what a literal holds") {
  const RecordShape json = shape_of(log::FormatKind::json);
  CHECK(best_literals("message ~ 'timeout after'", json) == Texts{"\\u", "timeout after"});
  CHECK(best_literals("message = 'say \"refused\"'", json) == Texts{"\\u", "refused"});
  CHECK(best_literals("path = '/orders'", json) == Texts{"\\/", "\\u", "/orders"});
  CHECK(best_literals("raw ~ 'timeout after'", json) == Texts{"timeout after"});
}

TEST_CASE("Numbers and words that JSON writes in other ways give no literals") {
  const RecordShape json = shape_of(log::FormatKind::json);
  CHECK(best_literals("code = '100'", json).empty());
  CHECK(best_literals("ok LIKE '%true%'", json).empty());
  CHECK(best_literals("status >= 500", json).empty());
}

TEST_CASE("A status of an access log stands behind the request") {
  const RecordShape access = shape_of(log::FormatKind::combined);
  CHECK(best_literals("status = 404", access) == Texts{"\" 404"});
  CHECK(best_literals("status >= 500", access) == Texts{"\" 5", "\" 6", "\" 7", "\" 8", "\" 9"});
  CHECK(best_literals("status IN (500, 502)", access) == Texts{"\" 500", "\" 502"});
}

TEST_CASE("A service that the source names is in no line") {
  RecordShape json = shape_of(log::FormatKind::json);
  CHECK(best_literals("service = 'checkout'", json).empty());
  json.service = "checkout";
  CHECK(best_literals("service = 'checkout'", json).empty());
  json.service = "gateway";
  CHECK(best_literals("service = 'checkout'", json) == Texts{"\\u", "checkout"});
}

TEST_CASE("Levels are found in all their spellings") {
  const RecordShape json = shape_of(log::FormatKind::json);
  const std::string block =
      "{\"level\":\"Error\"}\n{\"level\":\"info\"}\n{\"severity\" : 50}\n{\"lvl\":3}\n"
      "{\"level\":30}\n{\"level\":\"\\u0065rr\"}\n";
  CHECK(lines_found("level = ERROR", json, block) ==
        Texts{"{\"level\":\"Error\"}\n", "{\"severity\" : 50}\n", "{\"lvl\":3}\n",
              "{\"level\":30}\n", "{\"level\":\"\\u0065rr\"}\n"});
  CHECK(finds("level = 'WARN'", json) == LineFinder::Finds::candidates);
  CHECK(finds("level >= ERROR", json) == LineFinder::Finds::all);  // too many to be worth it
  CHECK(finds("level >= INFO", json) == LineFinder::Finds::all);
}

TEST_CASE("Every word that is a level is found as one") {
  const RecordShape json = shape_of(log::FormatKind::json);
  const RecordShape logfmt = shape_of(log::FormatKind::logfmt);
  std::vector<LineFinder> in_json, in_logfmt;
  for (int i = 0; i <= static_cast<int>(Level::fatal); ++i) {
    const std::string name(level_name(static_cast<Level>(i)));
    const auto where = expr::Expression::parse("level = '" + name + "'");
    REQUIRE(where.ok());
    in_json.emplace_back(&*where, json);
    in_logfmt.emplace_back(&*where, logfmt);
  }
  size_t words = 0;
  const auto check = [&](const std::string& word) {
    Level level{};
    if (!parse_level(word, level)) return;
    ++words;
    LineFinder::Line line;
    const auto i = static_cast<size_t>(level);
    if (!in_json[i].next("{\"level\":\"" + word + "\"}", 0, line)) FAIL(word);
    if (!in_logfmt[i].next("lvl=" + word + " n=7", 0, line)) FAIL(word);
  };
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::string word;
  for (size_t size = 1; size <= 4; ++size) {
    size_t count = 1;
    for (size_t i = 0; i < size; ++i) count *= kLetters.size();
    for (size_t n = 0; n < count; ++n) {
      word.assign(size, ' ');
      for (size_t i = 0, left = n; i < size; ++i, left /= kLetters.size()) {
        word[i] = kLetters[left % kLetters.size()];
      }
      check(word);
    }
  }
  for (const char* longer :
       {"trace",   "verbose", "finest", "finer",    "silly",       "debug",
        "config",  "debug1",  "debug5", "notice",   "information", "informational",
        "warning", "error",   "severe", "fatal",    "critical",    "panic",
        "dpanic",  "alert",   "emerg",  "emergency"}) {
    check(longer);
  }
  CHECK(words > 50);
}

TEST_CASE("Texts that are no level stand neither above nor below one") {
  const auto where = expr::Expression::parse("level >= 'WARN'");
  REQUIRE(where.ok());
  expr::Evaluator evaluator(*where, std::vector<size_t>{0});
  const Value odd = Value::of_text("zzz");
  CHECK(evaluator.test({&odd, 1}) == expr::Truth::unknown);
  const Value spelled = Value::of_text("err");
  CHECK(evaluator.test({&spelled, 1}) == expr::Truth::yes);
}

TEST_CASE("Tests of raw alone are answered by the lines found") {
  const RecordShape plain = shape_of(log::FormatKind::plain);
  const std::string block = "a timeout\r\n\n  \nrefused\nTimeout at the end";
  CHECK(finds("raw ~ 'timeout|refused'", plain) == LineFinder::Finds::exact);
  CHECK(lines_found("raw ~ 'timeout|refused'", plain, block) ==
        Texts{"a timeout\r\n", "refused\n"});
  CHECK(lines_found("raw LIKE '%TIMEOUT%'", plain, block) ==
        Texts{"a timeout\r\n", "Timeout at the end"});
  CHECK(lines_found("raw ~ '[a-z]$'", plain, block).size() == 3);
  CHECK(lines_found("raw ~ '^[a-z]+$'", plain, block) == Texts{"refused\n"});
  CHECK(lines_found("raw NOT LIKE '%i%'", plain, block) == Texts{"refused\n"});
}

TEST_CASE("What hides the text of a line lets every line through") {
  RecordShape shape = shape_of(log::FormatKind::json);
  shape.wrapping = RecordShape::Wrapping::docker;
  CHECK(finds("message ~ 'timeout'", shape) == LineFinder::Finds::all);
  shape.wrapping = RecordShape::Wrapping::none;
  shape.bytes = false;
  CHECK(finds("raw ~ 'timeout'", shape) == LineFinder::Finds::all);
}

TEST_CASE("Pieces of a container's long line are found whatever they hold") {
  RecordShape shape = shape_of(log::FormatKind::plain);
  shape.wrapping = RecordShape::Wrapping::cri;
  const std::string block =
      "2026-11-21T01:35:51.1Z stdout P a time\n2026-11-21T01:35:51.1Z stdout F out\n";
  CHECK(lines_found("message ~ 'timeout'", shape, block) ==
        Texts{"2026-11-21T01:35:51.1Z stdout P a time\n"});
}

TEST_CASE("Every engine finds literals of any number and length where they stand") {
  using query::LiteralSearch;
  using Engine = LiteralSearch::Engine;
  for (const size_t count : {1u, 2u, 3u, 4u, 5u, 8u, 9u, 64u}) {
    for (size_t length = 1; length <= 5; ++length) {
      for (const bool fold : {false, true}) {
        Texts literals;
        for (size_t i = 0; i < count; ++i) {
          std::string literal(length, static_cast<char>('A' + i % 8));
          literal[length / 2] = static_cast<char>('a' + i / 8);
          literals.push_back(literal);
        }
        LiteralSearch search(literals, fold);
        REQUIRE(search.literals().size() == count);
        for (const Engine engine : {Engine::portable, Engine::vector16, Engine::vector32}) {
          if (!search.use(engine)) continue;  // not on this machine
          for (size_t at = 0; at < 100; at += 7) {
            std::string text(150, '.');
            text.replace(at, length, literals.back());
            const auto hit = search.find(text);
            REQUIRE(hit.at == at);
            REQUIRE(hit.literal < count);
            REQUIRE(search.find(text, at + 1).at == std::string::npos);
          }
        }
      }
    }
  }
}

TEST_CASE("What a search has learnt of a sample never changes what it finds") {
  using query::LiteralSearch;
  const std::string text =
      "GET /zz HTTP\nPOST /api/v1/orders/4711 HTTP\nPOST /api/v1/orders/4712 HTTP\n"
      "post /API/v1/orders/4711 "
      "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq\n";
  const std::vector<std::string> samples{
      "", "4", "1111 4711 4711", text, std::string(5000, 'P'), std::string(300, '\xff')};
  for (const bool fold : {false, true}) {
    for (const Texts& literals :
         {Texts{"POST /api/v1/orders/4711"}, Texts{"4712", "zz"}, Texts{"P"},
          Texts{"HTTP", "qq", "x"}, Texts{"a", "b", "c", "d", "e", "4711"}}) {
      const LiteralSearch plain(literals, fold);
      for (const std::string& sample : samples) {
        LiteralSearch learnt = plain;
        learnt.learn(sample);
        for (size_t from = 0; from <= text.size(); ++from) {
          if (plain.find(text, from).at != learnt.find(text, from).at) FAIL_CHECK(sample);
        }
      }
    }
  }
}

TEST_CASE("LIKE with ESCAPE requires what the escape makes plain") {
  const RecordShape plain = shape_of(log::FormatKind::plain);
  CHECK(best_literals("message LIKE '%50!% off%' ESCAPE '!'", plain) == Texts{"50% off"});
  CHECK(best_literals("message LIKE '%save_ab!' ESCAPE '!'", plain) == Texts{"save"});
}

TEST_CASE("A status that EXTRACT gives is not that of the access log") {
  RecordShape access = shape_of(log::FormatKind::combined);
  access.extracts.push_back({query::Extract::Kind::pattern, "path", "/<other>", {"other"}});
  CHECK(best_literals("status = 404", access) == Texts{"\" 404"});
  access.extracts.push_back({query::Extract::Kind::pattern, "path", "s=<status>", {"status"}});
  CHECK(best_literals("status = 404", access).empty());
}

TEST_CASE("Fields that a format makes up are in no line as they read") {
  CHECK(best_literals("severity = 'critical'", shape_of(log::FormatKind::syslog)).empty());
  CHECK(best_literals("severity = 'critical'", shape_of(log::FormatKind::layout)).empty());
  CHECK(best_literals("message = 'critical'", shape_of(log::FormatKind::layout)) ==
        Texts{"critical"});
  CHECK(finds("message = 'critical'", shape_of(log::FormatKind::journal)) ==
        LineFinder::Finds::all);
}

TEST_CASE("A copy of a finder of lines finds the same by itself") {
  const auto where = expr::Expression::parse("raw ~ '[a-z]$'");
  const auto other = expr::Expression::parse("raw LIKE '%refused%'");
  REQUIRE((where.ok() && other.ok()));
  const RecordShape plain = shape_of(log::FormatKind::plain);
  const std::string block = "1\r\nab\n2\r\n";
  LineFinder::Line line;
  LineFinder first(&*where, plain);
  LineFinder copy(first);
  CHECK(copy.count(block) == 1);
  LineFinder assigned(&*other, plain);
  CHECK(assigned.count(block) == 0);
  assigned = copy;
  CHECK(assigned.count(block) == 1);
  assigned = LineFinder(&*other, plain);
  CHECK(assigned.count("refused\n") == 1);
  REQUIRE(first.next(block, 0, line));
  CHECK(line.begin == 3);
  CHECK_FALSE(first.next(block, line.end, line));
}

TEST_CASE("A finder of lines explains what it looks for") {
  const auto explained = [](const std::string& where, log::FormatKind kind) {
    const auto parsed = expr::Expression::parse(where);
    REQUIRE(parsed.ok());
    return LineFinder(&*parsed, shape_of(kind)).explanation();
  };
  CHECK(explained("raw LIKE '%refused%'", log::FormatKind::plain) ==
        "literals 'refused' in either case; lines as they stand");
  CHECK(explained("message ~ 'refused' AND message ~ 'user12'", log::FormatKind::plain) ==
        "literals 'refused' and 'user12'");
  CHECK(explained("raw ~ 'a1|b2|c3|d4|e5'", log::FormatKind::plain) ==
        "literals 'a1' | 'b2' | 'c3' | 'd4' ...; lines as they stand");
  CHECK(explained("raw ~ '[a-z]$'", log::FormatKind::plain) ==
        "regular expression over whole blocks; lines as they stand");
  CHECK(explained("raw NOT LIKE '%x%'", log::FormatKind::plain) == "lines as they stand");
  CHECK(explained("status > 3", log::FormatKind::json) == "every line");
}

TEST_CASE("Levels that a condition allows are told through IS TRUE, and not through its opposite") {
  const auto levels = [](const std::string& where) {
    const auto parsed = expr::Expression::parse(where);
    REQUIRE(parsed.ok());
    return query::possible_levels(*parsed, shape_of(log::FormatKind::json));
  };
  CHECK(levels("(level = 'FATAL') IS TRUE") == levels("level = 'FATAL'"));
  CHECK(levels("level = 'FATAL'") != 0xff);
  CHECK(levels("(level = 'FATAL') IS FALSE") == 0xff);
}
