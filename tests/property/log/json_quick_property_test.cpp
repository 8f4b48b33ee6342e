// The quick way to the wanted keys of a JSON line against the walk over it.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "nines/log/format.hpp"

using namespace nines;
using namespace nines::log;

namespace {

const std::vector<std::string> kWanted{"service", "level", "duration_ms", "a"};
constexpr TimeContext kNoTime{0, {}, false};

std::string join(const std::vector<std::string>& parts, const std::string& between) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) out += (i > 0 ? between : "") + parts[i];
  return out;
}

rc::Gen<std::string> words() {
  return rc::gen::element<std::string>("x", "", "level", "error", "service", "a", "\\\"level\\\":1",
                                       "x,", "{", "[", "}", ":", "\\\\", "b\\\\", "\\u0061", "\\n",
                                       " : {", "\\\"a\\\" : 7",
                                       "longer than one vector of bytes is");
}

std::string value(int depth);
std::string object(int depth) {
  const std::string blank = *rc::gen::element<std::string>("", "", " ", "\t ");
  std::vector<std::string> members;
  for (int n = *rc::gen::inRange(0, 7); n > 0; --n) {
    const std::string name = *rc::gen::element<std::string>(
        "service", "level", "duration_ms", "a", "b", "ts", "lev\\u0065l", "\\u0061", "xlevel",
        "slevel", "a.b", "severity", "devel");
    members.push_back("\"" + name + "\"" + *rc::gen::element<std::string>("", "", "", " ") + ":" +
                      blank + value(depth));
  }
  return "{" + blank + join(members, blank + "," + blank) + blank + "}";
}

std::string value(int depth) {
  switch (*rc::gen::inRange(0, depth > 0 ? 8 : 6)) {
    case 0: return *rc::gen::element<std::string>("1", "-2.5", "true", "null", "50");
    case 6: return object(depth - 1);
    case 7: return "[" + join({value(depth - 1), value(depth - 1)}, ",") + "]";
    default: return "\"" + *words() + "\"";
  }
}

struct Seen {
  ParseOutcome outcome;
  std::string fields;
  friend bool operator==(const Seen&, const Seen&) = default;
};
std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << static_cast<int>(seen.outcome) << seen.fields;
}

Seen parse(LineParser& parser, std::string_view line, size_t wanted) {
  std::vector<Value> values(wanted);
  ParsedRecord record{{}, false, values};
  Seen seen{parser.parse(line, record), ""};
  for (const Value& v : values) {
    seen.fields += "|" + std::to_string(static_cast<int>(v.kind)) + " " + std::string(v.text) +
                   " " + std::to_string(v.kind == ValueKind::number ? v.mantissa : 0);
  }
  return seen;
}

std::unique_ptr<LineParser> fresh() {
  return std::move(*make_parser({FormatKind::json, "", {}}, kWanted, kNoTime));
}

// A parser that gave up looking for the quick ways walks first.
std::unique_ptr<LineParser> walking() {
  auto parser = fresh();
  for (int i = 0; i < 200; ++i) (void)parse(*parser, R"({"\u0078":{"level":1}})", kWanted.size());
  return parser;
}

}  // namespace

TEST_CASE("JSON keys are the same whether they were searched for or walked to", "[log]") {
  CHECK(rc::check("objects", [] {
    const std::string line = object(2);
    const Seen searched = parse(*fresh(), line, kWanted.size());
    RC_ASSERT(searched == parse(*walking(), line, kWanted.size()));
    RC_ASSERT(searched.outcome != ParseOutcome::no_match);
  }));
}

TEST_CASE("Broken JSON comes to the same whichever way is tried first", "[log]") {
  CHECK(rc::check("damage", [] {
    std::string line = object(1);
    for (int n = *rc::gen::inRange(1, 4); n > 0 && line.size() > 2; --n) {
      const size_t at = *rc::gen::inRange<size_t>(1, line.size() - 1);
      if (*rc::gen::arbitrary<bool>()) {
        line.erase(at, 1);
      } else {
        line.insert(at, 1, *rc::gen::element('"', '{', '[', '}', ',', ':', '\\', 'x', ' '));
      }
    }
    RC_ASSERT(parse(*fresh(), line, kWanted.size()) == parse(*walking(), line, kWanted.size()));
  }));
}

TEST_CASE("What lines before were like changes nothing of a JSON line", "[log]") {
  CHECK(rc::check("lines of a few shapes", [] {
    const std::vector<std::string> shapes{object(1), object(1), object(0)};
    auto parser = fresh();
    for (int n = *rc::gen::inRange(1, 40); n > 0; --n) {
      std::string line = *rc::gen::elementOf(shapes);
      if (*rc::gen::inRange(0, 3) == 0 && line.size() > 2) {
        const size_t at = *rc::gen::inRange<size_t>(1, line.size() - 1);
        line.replace(at, *rc::gen::inRange<size_t>(0, 2), *words());
      }
      RC_ASSERT(parse(*parser, line, kWanted.size()) == parse(*walking(), line, kWanted.size()));
    }
  }));
}

TEST_CASE("One wanted key is enough to find, and all of many", "[log]") {
  CHECK(rc::check("counts", [] {
    const std::string line = object(1);
    const size_t count = *rc::gen::inRange<size_t>(1, kWanted.size() + 1);
    const std::vector<std::string> few(kWanted.begin(), kWanted.begin() + static_cast<long>(count));
    auto parser = std::move(*make_parser({FormatKind::json, "", {}}, few, kNoTime));
    const Seen some = parse(*parser, line, count);
    const Seen all = parse(*walking(), line, kWanted.size());
    RC_ASSERT(all.fields.rfind(some.fields, 0) == 0);
  }));
}
