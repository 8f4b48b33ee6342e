#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <map>

#include "log_oracle.hpp"
#include "nines/base/decimal.hpp"
#include "nines/log/cri.hpp"
#include "nines/log/timestamp.hpp"

using namespace nines;
using namespace nines::log;

namespace {

// A random JSON document with the leaves it has, kept as the text a correct parser must give:
// built the other way round (values first, then their spelling), it shares nothing with the
// scanner.
struct Document {
  std::string text;
  std::map<std::string, std::string> leaves;  // path -> "kind:value", the first of equal paths
  std::map<std::string, bool> objects;
};

std::string blank() { return *rc::gen::element<std::string>("", "", " ", "\t "); }

std::string utf8_text() {
  return *rc::gen::container<std::string>(
      rc::gen::element('a', 'b', '"', '\\', '\n', '{', '}', '[', ']', ',', ':', ' ', '/'));
}

std::string spelled(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const int way = *rc::gen::inRange(0, 4);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += way < 2 ? "\\n" : "\\u000A";
    } else if (c == '/' && way == 0) {
      out += "\\/";
    } else if (way == 0) {
      char buffer[8];
      std::snprintf(buffer, sizeof buffer, "\\u%04x", static_cast<unsigned>(c));
      out += buffer;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string array_text(int depth) {
  std::string out = "[";
  const int n = *rc::gen::inRange(0, 3);
  for (int i = 0; i < n; ++i) {
    if (i > 0) out += ",";
    out += depth > 0 && *rc::gen::arbitrary<bool>() ? array_text(depth - 1) : spelled(utf8_text());
  }
  return out + "]";
}

void add_object(Document& doc, const std::string& prefix, int depth);

void add_value(Document& doc, const std::string& path, int depth) {
  std::string leaf;
  switch (*rc::gen::inRange(0, depth > 0 ? 7 : 5)) {
    case 0: {
      const std::string text = utf8_text();
      doc.text += spelled(text);
      leaf = "text:" + text;
      break;
    }
    case 1: {
      const auto n = *rc::gen::inRange<int64_t>(-1'000'000'000'000, 1'000'000'000'000);
      const int places = *rc::gen::inRange(0, 4);
      const std::string number = Decimal{n, -places}.to_string();
      doc.text += number;
      leaf = "number:" + number;
      break;
    }
    case 2: {
      const bool b = *rc::gen::arbitrary<bool>();
      doc.text += b ? "true" : "false";
      leaf = b ? "true" : "false";
      break;
    }
    case 3:
      doc.text += "null";
      leaf = "null";
      break;
    case 4: {
      const std::string array = array_text(2);
      doc.text += array;
      leaf = "text:" + array;
      break;
    }
    default:
      if (!doc.leaves.contains(path)) doc.objects[path] = true;
      return add_object(doc, path + ".", depth - 1);
  }
  if (!doc.objects.contains(path)) doc.leaves.emplace(path, leaf);
}

void add_object(Document& doc, const std::string& prefix, int depth) {
  doc.text += "{" + blank();
  const int n = *rc::gen::inRange(1, 5);
  for (int i = 0; i < n; ++i) {
    if (i > 0) doc.text += "," + blank();
    const std::string key =
        *rc::gen::element<std::string>("a", "b", "c", "status", "a.b", "k\"q", "\n");
    doc.text += spelled(key) + blank() + ":" + blank();
    add_value(doc, prefix + key, depth);
    doc.text += blank();
  }
  doc.text += "}";
}

std::string told(const Value& v) {
  switch (v.kind) {
    case ValueKind::null: return "null";
    case ValueKind::boolean: return v.mantissa != 0 ? "true" : "false";
    case ValueKind::number: return "number:" + Decimal{v.mantissa, v.exponent}.to_string();
    case ValueKind::text: return "text:" + std::string(v.text);
    default: return "unexpected";
  }
}

std::string printed(const char* pattern, WallTime t, int64_t divisor, int width) {
  const int64_t s = t.seconds();
  const CivilDate d = civil_from_days(s / 86400);
  char buffer[96];
  std::snprintf(buffer, sizeof buffer, pattern, static_cast<int>(d.year), d.month, d.day,
                static_cast<int>(s % 86400 / 3600), static_cast<int>(s % 3600 / 60),
                static_cast<int>(s % 60), width, static_cast<int>(t.ns % kNsPerSecond / divisor));
  return buffer;
}

constexpr int64_t kEndS = 7'289'654'400;  // 2201
rc::Gen<WallTime> any_time() {
  return rc::gen::map(rc::gen::pair(rc::gen::inRange<int64_t>(0, kEndS),
                                    rc::gen::inRange<int64_t>(0, kNsPerSecond)),
                      [](const auto& p) { return WallTime{p.first * kNsPerSecond + p.second}; });
}

rc::Gen<std::string> damaged_sample() {
  const auto& samples = log::test::sample_lines();
  return rc::gen::exec([&samples] {
    std::string line =
        samples[static_cast<size_t>(*rc::gen::inRange<int>(0, static_cast<int>(samples.size())))];
    const int edits = *rc::gen::inRange(0, 6);
    for (int i = 0; i < edits && !line.empty(); ++i) {
      const auto at = static_cast<size_t>(*rc::gen::inRange<int>(0, static_cast<int>(line.size())));
      switch (*rc::gen::inRange(0, 3)) {
        case 0: line[at] = *rc::gen::arbitrary<char>(); break;
        case 1: line.erase(at, static_cast<size_t>(*rc::gen::inRange(1, 8))); break;
        default: line.insert(at, line.substr(line.size() / 2, 6)); break;
      }
    }
    return line;
  });
}

}  // namespace

TEST_CASE("The JSON scanner gives what was written into the document", "[log]") {
  CHECK(rc::check("leaves", [] {
    Document doc;
    add_object(doc, "", 3);
    std::vector<std::string> wanted;
    for (const auto& [path, leaf] : doc.leaves) wanted.push_back(path);
    auto parser = make_parser({FormatKind::json, {}, {}}, wanted, log::test::kOracleContext);
    std::vector<Value> values(wanted.size());
    ParsedRecord record{{}, false, values};
    RC_ASSERT((*parser)->parse(doc.text, record) == ParseOutcome::bad_time);
    for (size_t i = 0; i < wanted.size(); ++i) RC_ASSERT(told(values[i]) == doc.leaves[wanted[i]]);
    RC_ASSERT(log::test::disagreement(FormatKind::json, doc.text) == "");
  }));
}

TEST_CASE("Every prefix of a JSON document is no match", "[log]") {
  CHECK(rc::check("prefixes", [] {
    Document doc;
    add_object(doc, "", 2);
    auto parser = make_parser({FormatKind::json, {}, {}}, {}, log::test::kOracleContext);
    const auto n =
        static_cast<size_t>(*rc::gen::inRange<int>(1, static_cast<int>(doc.text.size())));
    ParsedRecord record;
    RC_ASSERT((*parser)->parse(doc.text.substr(0, n), record) == ParseOutcome::no_match);
  }));
}

TEST_CASE("Times survive being written and read", "[log]") {
  CHECK(rc::check("iso and epoch", [] {
    const WallTime t = *any_time();
    const TimeContext utc{};
    const std::string iso = printed("%04d-%02d-%02dT%02d:%02d:%02d.%0*dZ", t, 1, 9);
    const auto parsed = parse_iso_time(iso, utc);
    RC_ASSERT(parsed && parsed->ts == t && parsed->length == iso.size());
    RC_ASSERT(parse_any_time(iso, utc)->ts == t);
    const WallTime ms{t.ns / kNsPerMs * kNsPerMs};
    RC_ASSERT(
        parse_any_time(printed("%04d-%02d-%02d %02d:%02d:%02d,%0*d", t, kNsPerMs, 3), utc)->ts ==
        ms);
    if (t.seconds() >= 1'000'000'000) {
      RC_ASSERT(parse_epoch(std::to_string(t.ns))->ns == t.ns);
      RC_ASSERT(parse_epoch(std::to_string(t.ns / 1000))->ns == t.ns / 1000 * 1000);
      RC_ASSERT(parse_epoch(std::to_string(t.ns / kNsPerMs))->ns == ms.ns);
      RC_ASSERT(parse_epoch(std::to_string(t.seconds()))->ns == t.seconds() * kNsPerSecond);
    }
  }));
  CHECK(rc::check("common log format in any zone", [] {
    const WallTime t{*rc::gen::inRange<int64_t>(86400, kEndS - 86400) * kNsPerSecond};
    const int minutes = *rc::gen::inRange(-14 * 60, 14 * 60 + 1);
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const int64_t local = t.seconds() + minutes * 60;
    const CivilDate d = civil_from_days(local / 86400);
    char text[64];
    std::snprintf(text, sizeof text, "%02d/%s/%04d:%02d:%02d:%02d %c%02d%02d", d.day,
                  kMonths[d.month - 1], static_cast<int>(d.year),
                  static_cast<int>(local % 86400 / 3600), static_cast<int>(local % 3600 / 60),
                  static_cast<int>(local % 60), minutes < 0 ? '-' : '+', std::abs(minutes) / 60,
                  std::abs(minutes) % 60);
    RC_ASSERT(parse_clf_time(text)->ts == t);
    // Without its year it comes back whenever the reference is within the year behind it.
    std::snprintf(text, sizeof text, "%s %2d %02d:%02d:%02d", kMonths[d.month - 1], d.day,
                  static_cast<int>(local % 86400 / 3600), static_cast<int>(local % 3600 / 60),
                  static_cast<int>(local % 60));
    const int64_t later = *rc::gen::inRange<int64_t>(-86400, 364 * 86400);
    const TimeContext context{minutes * 60, {t.ns + later * kNsPerSecond}};
    if (d.month != 2 || d.day != 29) RC_ASSERT(parse_bsd_time(text, context)->ts == t);
  }));
}

TEST_CASE("What a parser gives for a line does not depend on the lines before it", "[log]") {
  CHECK(rc::check("history", [] {
    const std::vector<std::string> wanted = {"ts",          "level", "message", "status",
                                             "duration_ms", "a.b",   "app",     "sd.a@1.b"};
    const auto lines = *rc::gen::container<std::vector<std::string>>(damaged_sample());
    for (const FormatKind kind : log::test::kTextKinds) {
      auto kept = make_parser({kind, {}, {}}, wanted, log::test::kOracleContext);
      for (const std::string& line : lines) {
        auto fresh = make_parser({kind, {}, {}}, wanted, log::test::kOracleContext);
        std::vector<Value> a(wanted.size()), b(wanted.size());
        ParsedRecord ra{{}, false, a}, rb{{}, false, b};
        RC_ASSERT((*kept)->parse(line, ra) == (*fresh)->parse(line, rb));
        RC_ASSERT(ra.has_ts == rb.has_ts);
        for (size_t i = 0; i < wanted.size(); ++i) RC_ASSERT(log::test::same_value(a[i], b[i]));
      }
    }
  }));
}

TEST_CASE("parse() agrees with parse_all() on damaged lines", "[log]") {
  CHECK(rc::check("agreement", [] {
    const std::string line = *damaged_sample();
    for (const FormatKind kind : log::test::kTextKinds)
      RC_ASSERT(log::test::disagreement(kind, line) == "");
  }));
}

TEST_CASE("CRI records come out whole however they were cut and wherever the process restarts",
          "[log]") {
  CHECK(rc::check("pieces", [] {
    const auto records = *rc::gen::container<std::vector<std::pair<bool, std::string>>>(
        rc::gen::pair(rc::gen::arbitrary<bool>(), rc::gen::string<std::string>()));
    std::vector<std::string> expected[2], got[2], queue[2];
    for (const auto& [err, text] : records) {
      std::string rest = text;
      const std::string head =
          std::string("2026-11-21T01:35:51.262484239Z ") + (err ? "stderr " : "stdout ");
      while (!rest.empty() && *rc::gen::arbitrary<bool>()) {
        const auto n =
            static_cast<size_t>(*rc::gen::inRange<int>(0, static_cast<int>(rest.size()) + 1));
        queue[err].push_back(head + "P " + rest.substr(0, n));
        rest.erase(0, n);
      }
      queue[err].push_back(head + "F " + rest);
      expected[err].push_back(text);
    }
    auto joiner = std::make_unique<PieceJoiner>(1 << 20);
    size_t next[2] = {0, 0};
    while (next[0] < queue[0].size() || next[1] < queue[1].size()) {
      size_t s = *rc::gen::arbitrary<bool>() ? 1 : 0;
      if (next[s] == queue[s].size()) s = 1 - s;
      PieceJoiner::Line record;
      Piece piece;
      RC_ASSERT(parse_cri(queue[s][next[s]++], piece));
      if (joiner->push(piece, 0, record)) {
        RC_ASSERT(!record.truncated);
        got[static_cast<size_t>(record.stream)].emplace_back(record.content);
      }
      if (*rc::gen::inRange(0, 3) == 0) {
        auto restarted = std::make_unique<PieceJoiner>(1 << 20);
        RC_ASSERT(restarted->restore(joiner->save()));
        joiner = std::move(restarted);
      }
    }
    RC_ASSERT(got[0] == expected[0]);
    RC_ASSERT(got[1] == expected[1]);
    RC_ASSERT(!joiner->has_pending());
  }));
}
