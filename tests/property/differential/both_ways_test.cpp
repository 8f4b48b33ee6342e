// Every query of the block language is answered twice: by native operators, and by SQLite over the
// rows of the scan. NINES_DIFFERENTIAL_CASES and NINES_DIFFERENTIAL_SEED make it longer or repeat
// it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "manual_clock.hpp"
#include "nines/base/decimal.hpp"
#include "query/execute.hpp"
#include "random_logs.hpp"
#include "random_queries.hpp"

using namespace nines;
using namespace nines::test;

namespace {

namespace aq = nines::agent::query;
using Rows = std::vector<std::vector<std::string>>;

// Values as SQLite can tell them apart: booleans are numbers, times and levels texts, numbers agree
// to 14 digits.
std::string plain(const Value& v) {
  const auto number = [](double d) {
    char text[40];
    std::snprintf(text, sizeof text, "%.14g", d == 0 ? 0.0 : d);
    return std::string(text);
  };
  switch (v.kind) {
    case ValueKind::null: return "NULL";
    case ValueKind::boolean: return number(static_cast<double>(v.mantissa));
    case ValueKind::number: return number(Decimal{v.mantissa, v.exponent}.to_double());
    case ValueKind::real: return number(v.real);
    case ValueKind::text: return "'" + std::string(v.text) + "'";
    case ValueKind::time: return "'" + format_rfc3339({v.time_ns}) + "'";
    case ValueKind::level: return "'" + std::string(level_name(v.level)) + "'";
  }
  return "?";
}

class Collected final : public aq::AnswerSink {
 public:
  void begin(const std::vector<std::string>& names) override { columns = names; }
  bool take(const nines::query::Row& row) override {
    std::vector<std::string> texts;
    for (const Value& v : row.values) texts.push_back(plain(v));
    rows.push_back(std::move(texts));
    return true;
  }
  std::vector<std::string> columns;
  Rows rows;
};

struct Outcome {
  std::string error;
  std::vector<std::string> columns;
  Rows rows;
  bool native = false;
};

class TempFolder {
 public:
  TempFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "nines-both-XXXXXX").string();
    if (::mkdtemp(path.data()) != nullptr) path_ = path;
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  // The source of a query.
  std::string write(const LogFile& log) const {
    const std::string path = path_ + "/" + log.name;
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    for (const std::string& line : log.lines) out << line << '\n';
    const bool logfmt = log.name.ends_with("logfmt");
    return "files('" + path + "', FORMAT " +
           (logfmt                       ? "logfmt"
            : log.name.ends_with("json") ? "json"
                                         : "combined") +
           ")";
  }

 private:
  std::string path_;
};

constexpr WallTime kNow{1'772'400'000'000'000'000};

Outcome answer(const std::string& sql, bool native, unsigned threads) {
  Outcome out;
  nines::query::ParseOptions options;
  options.now = kNow;
  options.native = native;
  const auto statement = nines::query::parse_statement(sql, options);
  if (!statement.ok()) {
    out.error = statement.error().message;
    return out;
  }
  out.native = statement->residual.empty();
  const ManualClock clock(kNow);
  aq::Environment environment{clock,       {},      "node",  threads, size_t{64} << 20,
                              {INT64_MAX}, nullptr, nullptr, nullptr, {},
                              false};
  Collected sink;
  aq::Answer told;
  if (const Status done = aq::run_statement(*statement, environment, sink, told); !done.ok()) {
    out.error = done.error().message;
  }
  if (!told.complete) out.error += " incomplete: " + (told.notes.empty() ? "" : told.notes[0]);
  out.columns = std::move(sink.columns);
  out.rows = std::move(sink.rows);
  return out;
}

std::string shown(const Outcome& o) {
  std::string text = o.error.empty() ? "" : "error: " + o.error + "\n";
  for (const auto& row : o.rows) {
    for (const std::string& v : row) text += v + " | ";
    text += "\n";
  }
  return text;
}

// What the order of the query says of the rows: the columns that it goes by, or all of them.
Rows in_order(const QueryText& q, const Rows& rows) {
  if (q.order.empty()) return rows;
  Rows out;
  for (const auto& row : rows) {
    std::vector<std::string> keys;
    for (const auto& key : q.order) keys.push_back(row[key.item]);
    out.push_back(std::move(keys));
  }
  return out;
}

bool same_answer(const QueryText& q, const Outcome& a, const Outcome& b) {
  if (a.error.empty() != b.error.empty()) return false;
  if (!a.error.empty()) return true;
  if (a.columns != b.columns) return false;
  if (q.is_ordered() && in_order(q, a.rows) != in_order(q, b.rows)) return false;
  Rows left = a.rows;
  Rows right = b.rows;
  std::sort(left.begin(), left.end());
  std::sort(right.begin(), right.end());
  return left == right;
}

struct Case {
  LogFile log;
  QueryText query;
};

class BothWays {
 public:
  bool agree(const Case& c) {
    const std::string sql = c.query.sql(folder_.write(c.log));
    const Outcome native = answer(sql, true, 2);
    const Outcome by_sqlite = answer(sql, false, 1);
    natively += native.native;
    answered += native.error.empty();
    rows += native.rows.size();
    return same_answer(c.query, native, by_sqlite);
  }

  // The smallest that still differs.
  Case reduced(Case c) {
    for (bool smaller = true; smaller;) {
      smaller = false;
      for (QueryText& q : c.query.smaller()) {
        Case fewer{c.log, std::move(q)};
        if (agree(fewer)) continue;
        c = std::move(fewer);
        smaller = true;
        break;
      }
      for (size_t i = 0; !smaller && i < c.log.lines.size(); ++i) {
        Case fewer = c;
        fewer.log.lines.erase(fewer.log.lines.begin() + static_cast<std::ptrdiff_t>(i));
        if (agree(fewer)) continue;
        c = std::move(fewer);
        smaller = true;
      }
    }
    return c;
  }

  std::string told(const Case& c) {
    const std::string sql = c.query.sql(folder_.write(c.log));
    std::string text = sql + "\nover\n";
    for (const std::string& line : c.log.lines) text += line + "\n";
    return text + "natively\n" + shown(answer(sql, true, 1)) + "by SQLite\n" +
           shown(answer(sql, false, 1));
  }

  size_t natively = 0, answered = 0, rows = 0;

 private:
  TempFolder folder_;
};

uint64_t setting(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

TEST_CASE("Native operators and SQLite answer every query alike") {
  const uint64_t cases = setting("NINES_DIFFERENTIAL_CASES", 3000);
  const uint64_t first = setting("NINES_DIFFERENTIAL_SEED", 1);
  const uint64_t most_told = setting("NINES_DIFFERENTIAL_TOLD", 3);
  BothWays both;
  uint64_t told = 0, drawn = 0;
  for (uint64_t seed = first; seed < first + cases && told < most_told; ++seed, ++drawn) {
    Chance chance(seed);
    Case c{random_log(chance), random_query(chance)};
    if (both.agree(c)) continue;
    ++told;
    FAIL_CHECK("NINES_DIFFERENTIAL_SEED=" << seed << "\n" << both.told(both.reduced(std::move(c))));
  }
  if (told > 0 || drawn < 100) return;
  // The test would be worth nothing if most queries were refused, or none ran natively.
  CHECK(both.answered * 100 >= drawn * 90);
  CHECK(both.natively * 100 >= drawn * 80);
  CHECK(both.rows > drawn);
}
