// The search for literals against a naive one, lines found against lines evaluated one by one, and
// the law of the prefilter: a line that WHERE is true for is never missed, in any format.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cctype>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "nines/query/search.hpp"

namespace {

using namespace nines;
using query::LineFinder;
using query::LiteralSearch;
using query::RecordShape;

const bool kManyRuns = setenv("RC_PARAMS", "max_success=3000 max_discard_ratio=50", 0) == 0;

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(engine_); }
  bool one_in(size_t n) { return below(n) == 0; }
  template <class T>
  const T& of(const std::vector<T>& choice) {
    return choice[below(choice.size())];
  }
  std::string text(std::string_view alphabet, size_t most) {
    std::string out(below(most + 1), '\0');
    for (char& c : out) c = alphabet[below(alphabet.size())];
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

// A smaller seed is no simpler case.
rc::Gen<uint64_t> seeds() { return rc::gen::noShrink(rc::gen::arbitrary<uint64_t>()); }

std::string lowered(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return text;
}

size_t naive_find(const std::vector<std::string>& literals, const std::string& text, size_t from) {
  size_t first = std::string::npos;
  for (const std::string& literal : literals) first = std::min(first, text.find(literal, from));
  return first;
}

std::vector<std::string> some_literals(Random& random, std::string_view alphabet) {
  std::vector<std::string> literals;
  const size_t count = random.one_in(3) ? 1 + random.below(64) : 1 + random.below(6);
  while (literals.size() < count) {
    std::string literal = random.text(alphabet, random.one_in(4) ? 50 : 6);
    if (!literal.empty()) literals.push_back(std::move(literal));
  }
  return literals;
}

void check_search(const LiteralSearch& search, const std::vector<std::string>& literals,
                  const std::string& text, bool fold) {
  const std::string compared = fold ? lowered(text) : text;
  // No byte may be read beyond the end: sanitizers see it.
  const std::vector<char> exact(text.begin(), text.end());
  const std::string_view view(exact.data(), exact.size());
  for (size_t from = 0;; ++from) {
    const size_t expected = naive_find(literals, compared, from);
    const auto hit = search.find(view, from);
    RC_ASSERT(hit.at == expected);
    if (expected == std::string::npos) return;
    RC_ASSERT(compared.substr(expected).starts_with(literals[hit.literal]));
    from = expected;
  }
}

// ---- records ----

const std::vector<std::string> kWords = {"timeout",
                                         "Timeout after 12",
                                         "refused",
                                         "/api/v1/orders",
                                         "a/b",
                                         "user\"x",
                                         "tab\there",
                                         "back\\slash",
                                         "Kelvin",
                                         "true",
                                         "fal",
                                         "100",
                                         "1e2",
                                         "5",
                                         "\xc3\xa9t\xc3\xa9",
                                         "x",
                                         "GET ",
                                         "payment",
                                         "status=500",
                                         "in 12ms",
                                         "5xx",
                                         "error",
                                         "uE",
                                         "\"",
                                         "--"};
const std::vector<std::string> kLevels = {"info", "INFO",    "error", "Err", "e",  "50",
                                          "3",    "warning", "FATAL", "odd", "30", "W"};

std::string some_text(Random& random) {
  std::string text = random.of(kWords);
  while (random.one_in(2)) text += (random.one_in(2) ? " " : "") + random.of(kWords);
  if (random.one_in(8))
    text = random.one_in(2) ? lowered(text) : random.text("abTIMEout /\"\\", 12);
  return text;
}

// One of the ways to write it.
std::string json_string(Random& random, const std::string& text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool must = c == '"' || c == '\\' || byte < 0x20;
    if (byte < 0x80 && (random.one_in(40) || (must && random.one_in(2)))) {
      out += std::string("\\u00") + kHex[byte >> 4] + kHex[byte & 15];
    } else if (must) {
      out += c == '\t' ? std::string("\\t") : std::string("\\") + c;
    } else if (c == '/' && random.one_in(4)) {
      out += "\\/";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string json_line(Random& random) {
  const auto colon = [&] {
    return random.of<std::string>({":", ":", ":", ": ", " :", ":  ", "\t:", ":\t", " : "});
  };
  std::string line = "{\"ts\":\"2026-11-21T01:35:51Z\"";
  const std::string level = random.of(kLevels);
  const bool bare = std::isdigit(static_cast<unsigned char>(level[0])) != 0 && random.one_in(2);
  const std::string key = random.of<std::string>({"level", "severity", "lvl", "levelname"});
  line += ",\"" + key + "\"" + colon() + (bare ? level : json_string(random, level));
  for (const char* name : {"message", "service", "path"}) {
    if (random.one_in(5)) continue;
    line += std::string(",\"") + name + "\"" + colon();
    line +=
        random.one_in(6)
            ? random.of<std::string>({"100", "1e2", "true", "false", "null", "[1,\"x\"]", "5.0"})
            : json_string(random, some_text(random));
  }
  return line + "}";
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string logfmt_line(Random& random) {
  std::string line = "ts=2026-11-21T01:35:51Z";
  line += " " + random.of<std::string>({"level", "lvl"}) + "=";
  const std::string level = random.of(kLevels);
  line += random.one_in(2) ? level : json_string(random, level);
  for (const char* name : {"message", "service", "path"}) {
    if (random.one_in(6)) {
      line += std::string(" ") + name;
      continue;
    }
    line += std::string(" ") + name + "=" + json_string(random, some_text(random));
  }
  return line;
}

std::string access_line(Random& random) {
  std::string path = some_text(random);
  std::replace(path.begin(), path.end(), '"', '\'');
  std::replace(path.begin(), path.end(), '\\', '.');
  return "10.0.0.1 - bob [21/Nov/2026:01:35:51 +0000] \"GET " + path + " HTTP/1.1\" " +
         random.of<std::string>({"200", "404", "500", "502", "503"}) + " 500 \"-\" \"curl/8\" 0.5";
}

std::string csv_line(Random& random) {
  std::string line = "2026-11-21T01:35:51Z,error";
  for (int i = 0; i < 3; ++i) {
    std::string quoted;
    for (const char c : some_text(random))
      quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    line += ",\"" + quoted + "\"";
  }
  return line;
}

struct Kind {
  log::FormatSpec format;
  std::string (*line)(Random&);
};
const std::vector<Kind> kKinds = {
    {{log::FormatKind::json, "", ""}, json_line},
    {{log::FormatKind::logfmt, "", ""}, logfmt_line},
    {{log::FormatKind::combined, "", ""}, access_line},
    {{log::FormatKind::csv, ",ts,level,message,service,path", ""}, csv_line},
    {{log::FormatKind::plain, "", ""},
     [](Random& random) {
       return "2026-11-21 01:35:51 " + random.of(kLevels) + " " + some_text(random);
     }},
    {{log::FormatKind::syslog, "", ""},
     [](Random& random) { return "<11>Nov 21 01:35:51 web app[7]: " + some_text(random); }},
    {{log::FormatKind::regex, R"((?P<ts>\S+ \S+) (?P<service>\S+) (?P<message>.*))", ""},
     [](Random& random) { return "2026-11-21 01:35:51 shop " + some_text(random); }},
    {*log::format_from_name("redis"),
     [](Random& random) { return "1:M 21 Nov 2026 01:35:51.123 * " + some_text(random); }}};

// ---- expressions ----

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::string regexp_of(Random& random) {
  std::string pattern;
  const size_t parts = 1 + random.below(4);
  for (size_t i = 0; i < parts; ++i) {
    std::string word;
    for (const char c : random.of(kWords)) {
      if (std::ispunct(static_cast<unsigned char>(c)) != 0) word += '\\';
      word += c;
    }
    if (random.one_in(3)) {
      pattern += "(" + word + "|" + random.of<std::string>({"b", "refused", "", "x+", "y*"}) + ")";
    } else {
      pattern += word;
    }
    pattern += random.of<std::string>(
        {"", "", "", "?", "*", "+", ".*", "[0-9]+", "[ab]", "{2}", "\\b", " ?", "{0,2}", "$", "^"});
  }
  return (random.one_in(5) ? "(?i)" : "") + pattern;
}

std::string test_of(Random& random, const std::vector<std::string>& fields) {
  const std::string field = random.of(fields);
  const std::string subject =
      random.one_in(6) ? random.of<std::string>({"lower", "upper", "trim"}) + "(" + field + ")"
                       : field;
  const std::string word = quoted(random.one_in(4) ? some_text(random) : random.of(kWords));
  switch (random.below(10)) {
    case 0: return subject + " = " + word;
    case 1: return subject + " IN (" + word + ", " + quoted(random.of(kWords)) + ")";
    case 2:
      return subject + " LIKE " + quoted("%" + random.of(kWords) + "_" + random.of(kWords) + "%");
    case 3: return subject + " LIKE " + quoted("%" + random.of(kWords) + "%");
    case 4: return subject + " GLOB " + quoted("*" + random.of(kWords) + "[a-z]*");
    case 5: return "contains(" + subject + ", " + word + ")";
    case 6: return "starts_with(" + subject + ", " + word + ")";
    case 7: return subject + " ~ " + quoted(regexp_of(random));
    case 8:
      return "level " + random.of<std::string>({">=", "=", "<", "<>", ">"}) + " " +
             random.of<std::string>({"ERROR", "WARN", "'err'", "FATAL", "INFO", "'odd'", "'50'"});
    default:
      return random.of<std::string>({"status >= 500", "status = 404", "status IN (500, 502)",
                                     "level IN ('error', 'FATAL')", "status BETWEEN 500 AND 502",
                                     "level BETWEEN 'warn' AND 'error'", "status < 300"});
  }
}

std::string condition_of(Random& random, const std::vector<std::string>& fields, int depth) {
  if (depth == 0 || random.one_in(3)) return test_of(random, fields);
  const std::string a = condition_of(random, fields, depth - 1);
  const std::string b = condition_of(random, fields, depth - 1);
  switch (random.below(5)) {
    case 0: return "NOT (" + a + ")";
    case 1: return "((" + a + ") IS TRUE)";
    case 2: return "(" + a + " AND " + b + ")";
    default: return "(" + a + " OR " + b + ")";
  }
}

}  // namespace

TEST_CASE("literals are found where a naive search finds them, by every engine") {
  REQUIRE(rc::check([] {
    Random random(*seeds());
    const std::string_view alphabet = std::string_view("abcABC\nx").substr(0, 2 + random.below(7));
    const bool fold = random.one_in(2);
    std::vector<std::string> literals = some_literals(random, alphabet);
    std::string text;
    for (size_t i = random.below(300); i > 0; --i) {
      text +=
          random.one_in(3) ? alphabet[random.below(alphabet.size())] : "zyqwZ0 -"[random.below(8)];
    }
    for (size_t i = random.below(4); i > 0; --i) {
      text.insert(random.below(text.size() + 1), random.of(literals));
    }
    LiteralSearch search(literals, fold);
    if (random.one_in(2)) search.learn(text);
    if (fold) std::transform(literals.begin(), literals.end(), literals.begin(), lowered);
    using Engine = LiteralSearch::Engine;
    for (const Engine engine :
         {Engine::best, Engine::portable, Engine::vector16, Engine::vector32}) {
      if (search.use(engine)) check_search(search, literals, text, fold);
    }
  }));
}

TEST_CASE("a line for which WHERE is true is found, in every format") {
  REQUIRE(rc::check([] {
    Random random(*seeds());
    const Kind& kind = random.of(kKinds);
    const std::vector<std::string> fields = {"message", "raw", "path", "service"};
    const auto parsed = expr::Expression::parse(condition_of(random, fields, 2));
    RC_PRE(parsed.ok());  // some random patterns are none
    RecordShape shape;
    shape.format = kind.format;
    if (random.one_in(2)) shape.service = random.one_in(2) ? "payment" : "";
    auto parser = log::make_parser(kind.format, parsed->fields(), {});
    REQUIRE(parser.ok());
    std::vector<size_t> slots;
    for (size_t i = 0; i < parsed->fields().size(); ++i) slots.push_back(i);
    expr::Evaluator evaluator(*parsed, slots);
    LineFinder finder(&*parsed, shape);
    std::vector<Value> values(slots.size());
    for (int i = 0; i < 8; ++i) {
      const std::string line = one_line(kind.line(random));
      log::ParsedRecord record{{}, false, values};
      if ((*parser)->parse(line, record) == log::ParseOutcome::empty) continue;
      for (size_t f = 0; f < values.size(); ++f) {
        const bool service = parsed->fields()[f] == "service" && values[f].is_null();
        if (service && shape.service && !shape.service->empty()) {
          values[f] = Value::of_text(*shape.service);
        }
      }
      const bool wanted = evaluator.test(values) == expr::Truth::yes;
      LineFinder::Line found;
      const bool hit = finder.next(line, 0, found);
      if (wanted != hit && (wanted || finder.finds() == LineFinder::Finds::exact)) {
        RC_LOG() << parsed->to_string() << "\n" << line << "\n" << finder.explanation() << "\n";
        RC_FAIL("a line was missed");
      }
    }
  }));
}

TEST_CASE("lines found by raw are those that an evaluation line by line finds") {
  REQUIRE(rc::check([] {
    Random random(*seeds());
    const auto parsed = expr::Expression::parse(condition_of(random, {"raw"}, 1));
    RC_PRE(parsed.ok());
    RC_PRE(parsed->depends_only_on("raw") && !parsed->fields().empty());
    RecordShape shape;
    shape.format.kind = log::FormatKind::plain;
    shape.max_record_bytes = random.one_in(4) ? 16 : 4096;
    std::string block;
    std::vector<std::string> lines;
    const size_t wanted_bytes = random.one_in(8) ? 200'000 : 400;
    while (block.size() < wanted_bytes) {
      std::string line = random.one_in(4) ? random.text(" \t", 2) : one_line(some_text(random));
      if (random.one_in(10)) line.insert(0, 1, '\0');
      lines.push_back(line);
      block += line + (random.one_in(6) ? "\r\n" : "\n");
    }
    if (random.one_in(2)) block.pop_back();
    auto parser = log::make_parser(shape.format, parsed->fields(), {});
    expr::Evaluator evaluator(*parsed, std::vector<size_t>{0});
    LineFinder finder(&*parsed, shape);
    REQUIRE(finder.finds() == LineFinder::Finds::exact);
    size_t at = 0;
    uint64_t found = 0;
    LineFinder::Line line;
    bool more = finder.next(block, 0, line);
    for (const std::string& text : lines) {
      const size_t end = std::min(block.find('\n', at), block.size() - 1) + 1;
      std::string_view raw = text;
      while (!raw.empty() && raw.front() == '\0') raw.remove_prefix(1);
      if (raw.size() > shape.max_record_bytes) {
        size_t size = shape.max_record_bytes;
        while (size > 0 && (static_cast<unsigned char>(raw[size]) & 0xC0) == 0x80) --size;
        raw = raw.substr(0, size);
      }
      Value value;
      log::ParsedRecord record{{}, false, {&value, 1}};
      const bool blank = (*parser)->parse(raw, record) == log::ParseOutcome::empty;
      const bool wanted = !blank && evaluator.test({&value, 1}) == expr::Truth::yes;
      const bool hit = more && line.begin == at;
      if (wanted != hit)
        RC_LOG() << parsed->to_string() << "\n" << text << "\n" << finder.explanation();
      RC_ASSERT(wanted == hit);
      if (hit) {
        RC_ASSERT(line.end == end);
        ++found;
        more = finder.next(block, line.end, line);
      }
      at = end;
    }
    RC_ASSERT(LineFinder(&*parsed, shape).count(block) == found);
  }));
}
