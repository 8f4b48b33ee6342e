// The law of distributed queries: over any number of nodes the answer is, byte for byte, that of
// one query over the files of all of them, in their order. NINES_NODES_CASES and NINES_NODES_SEED
// make it longer or repeat it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "nines/query/plan_codec.hpp"
#include "node_world.hpp"
#include "random_logs.hpp"
#include "random_queries.hpp"

using namespace nines;
using namespace nines::test;

namespace {

namespace aq = nines::agent::query;
namespace fs = std::filesystem;

constexpr WallTime kNow{1'772'400'000'000'000'000};

// Every bit of a value.
std::string exact(const Value& v) {
  std::string out = std::to_string(static_cast<int>(v.kind)) + ":";
  switch (v.kind) {
    case ValueKind::null: break;
    case ValueKind::boolean:
    case ValueKind::number:
      out += std::to_string(v.mantissa) + "e" + std::to_string(v.exponent);
      break;
    case ValueKind::real: {
      char text[40];
      std::snprintf(text, sizeof text, "%a", v.real);
      out += text;
      break;
    }
    case ValueKind::time: out += std::to_string(v.time_ns); break;
    case ValueKind::level: out += std::to_string(static_cast<int>(v.level)); [[fallthrough]];
    case ValueKind::text: out += v.text; break;
  }
  return out;
}

class Collected final : public aq::AnswerSink {
 public:
  void begin(const std::vector<std::string>& names) override {
    for (const std::string& name : names) columns += name + "|";
  }
  bool take(const nines::query::Row& row) override {
    std::string text;
    for (const Value& v : row.values) text += exact(v) + "|";
    rows.push_back(std::move(text));
    return true;
  }
  std::string columns;
  std::vector<std::string> rows;
};

struct Outcome {
  std::string error, columns, told;
  std::vector<std::string> rows;
  bool complete = true;
  size_t nodes_ok = 0, nodes_failed = 0;

  std::string text() const {
    std::string out = error + "\n" + columns + "\n" + told + "\n";
    for (const std::string& row : rows) out += row + "\n";
    return out;
  }
};

Outcome run(const std::string& sql, aq::Environment environment, const aq::Nodes* nodes) {
  Outcome out;
  nines::query::ParseOptions options;
  options.now = kNow;
  const auto statement = nines::query::parse_statement(sql, options);
  REQUIRE(statement.ok());
  environment.nodes = nodes;
  Collected sink;
  aq::Answer answer;
  if (const Status done = aq::run_statement(*statement, environment, sink, answer); !done.ok()) {
    out.error = done.error().message;
  }
  for (const std::string& note : answer.notes) out.error += "\n" + note;
  out.columns = std::move(sink.columns);
  out.rows = std::move(sink.rows);
  out.complete = answer.complete;
  out.nodes_ok = answer.nodes_ok.size();
  out.nodes_failed = answer.nodes_failed.size();
  // LIMIT leaves unread what is not needed: how much that is depends on the parts.
  if (sql.find(" LIMIT ") == std::string::npos) {
    out.told = std::to_string(answer.files) + " files, " +
               std::to_string(answer.scan.bytes_scanned) + " bytes, " +
               std::to_string(answer.scan.malformed) + " malformed, " +
               std::to_string(answer.operators.late) + " late, " +
               std::to_string(answer.operators.pending) + " pending, " +
               std::to_string(answer.operators.evicted) + " evicted";
  }
  return out;
}

class TempFolder {
 public:
  TempFolder() {
    std::string path = (fs::temp_directory_path() / "nines-nodes-XXXXXX").string();
    if (::mkdtemp(path.data()) != nullptr) path_ = path;
  }
  ~TempFolder() { fs::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A log cut into files, and these dealt to nodes.
struct World {
  World(Chance& chance, const std::string& folder, const Clock& clock)
      : clock_(clock), nodes_(clock) {
    const LogFile log = random_log(chance);
    format_ = log.name.ends_with("logfmt") ? "logfmt"
              : log.name.ends_with("json") ? "json"
                                           : "combined";
    const size_t count = 1 + chance.below(5);
    size_t line = 0;
    for (size_t n = 0; n < count; ++n) {
      std::vector<std::string> own;
      const size_t files = 1 + chance.below(3);
      for (size_t f = 0; f < files; ++f) {
        const bool last = n + 1 == count && f + 1 == files;
        const size_t left = log.lines.size() - line;
        const size_t take = last ? left : chance.below(left + 1);
        const std::string path =
            folder + "/n" + std::to_string(n) + "f" + std::to_string(f) + ".log";
        std::ofstream out(path, std::ios::binary | std::ios::trunc);
        for (size_t i = 0; i < take; ++i) out << log.lines[line++] << '\n';
        own.push_back(path);
        all_.push_back(path);
      }
      links_.push_back(nodes_.node(
          "n" + std::to_string(n),
          environment_over(clock, own, format_, 1 + static_cast<unsigned>(chance.below(2)))));
    }
  }

  Outcome alone(const std::string& sql) const {
    return run(sql, environment_over(clock_, all_, format_), nullptr);
  }
  Outcome distributed(const std::string& sql, bool in_order) {
    aq::Nodes nodes;
    nodes.links = [this](const nines::query::SourceRef&) {
      return Result<std::vector<aq::NodeLink>>(links_);
    };
    nodes.options.in_order = in_order;
    Outcome out = run(sql, environment_over(clock_, {}, format_), &nodes);
    nodes_.join();
    return out;
  }
  size_t count() const { return links_.size(); }

 private:
  const Clock& clock_;
  NodeWorld nodes_;
  std::string format_;
  std::vector<std::string> all_;
  std::vector<aq::NodeLink> links_;
};

// What the generator of queries does not know.
std::string random_statement(Chance& chance) {
  static const std::vector<std::string> kEvents = {
      "SELECT * FROM logs('all') SESSION BY service IDLE '20s'",
      "SELECT service, n, duration_ms, state, timeline FROM logs('all') SESSION BY service, tag "
      "IDLE '5s' MAX '1m' ORDER BY start, service, tag",
      "SELECT * FROM logs('all') WHERE level >= INFO SEQUENCE BY service WITHIN '30s' "
      "(a: level = 'INFO', b: level >= WARN)",
      "SELECT * FROM logs('all') SEQUENCE BY service WITHIN '1m' "
      "(a: n > 1, NOT c: level = 'ERROR', b: n < 1) ALL ROWS",
      "SELECT * FROM logs('all') MATCH_RECOGNIZE (PARTITION BY service ORDER BY ts "
      "MEASURES count(*) AS c, LAST(A.ts) AS t PATTERN (A B+) DEFINE A AS n > 0, B AS n <= 5)",
      "SELECT service, ts, raw, ctx_group, ctx_offset FROM logs('all') WHERE level >= ERROR "
      "CONTEXT 1 BEFORE 2 AFTER",
      "SELECT ts, raw, ctx_group FROM logs('all') WHERE n > 3 CONTEXT 2 BEFORE BY service",
      "SELECT bucket(ts, '1m') b, count(*) n, anomaly(n) OVER (BUCKETS '1m' BASELINE '5m') z "
      "FROM logs('all') GROUP BY b",
      "SELECT a.service, count(*) c FROM logs('all') a JOIN (SELECT service, max(n) m FROM "
      "logs('all') GROUP BY service) b ON a.service = b.service AND a.n = b.m GROUP BY a.service "
      "ORDER BY 1",
      "SELECT service, n, row_number() OVER (PARTITION BY service ORDER BY n, raw) r FROM "
      "logs('all') ORDER BY service, r",
      "SELECT service, n, raw FROM logs('all') LIMIT 5",
      "SELECT DISTINCT service FROM logs('all') LIMIT 3 OFFSET 1",
      "SELECT first(raw), last(raw), topk(service, 3) FROM logs('all')",
      "SELECT * FROM logs('all') SINCE '2026-03-01T00:01:00Z'"};
  return chance.one_in(2) ? chance.of(kEvents) : random_query(chance).sql("logs('all')");
}

bool is_plain(const std::string& sql) {
  nines::query::ParseOptions options;
  options.now = kNow;
  const auto statement = nines::query::parse_statement(sql, options);
  return statement->residual.empty() && sql.find(" LIMIT ") == std::string::npos;
}

uint64_t setting(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

TEST_CASE("Over any nodes the answer is that of one query over all their files") {
  const uint64_t cases = setting("NINES_NODES_CASES", 600);
  const uint64_t first = setting("NINES_NODES_SEED", 1);
  const RunningClock clock(kNow);
  const TempFolder folder;
  size_t answered = 0, rows = 0, several = 0;
  for (uint64_t seed = first; seed < first + cases; ++seed) {
    Chance chance(seed);
    World world(chance, folder.path(), clock);
    const std::string sql = random_statement(chance);
    nines::query::ParseOptions options;
    options.now = kNow;
    if (!nines::query::parse_statement(sql, options).ok()) continue;
    const Outcome alone = world.alone(sql);
    const Outcome together = world.distributed(sql, true);
    INFO("NINES_NODES_SEED=" << seed << ", " << world.count() << " nodes\n" << sql);
    REQUIRE(alone.text() == together.text());
    REQUIRE(alone.complete == together.complete);
    CHECK(together.nodes_failed == 0);
    // SQLite asks nobody for what cannot hold.
    const bool unasked = together.nodes_ok == 0 && alone.rows.empty();
    if (alone.error.empty()) CHECK((together.nodes_ok == world.count() || unasked));
    answered += alone.error.empty();
    rows += alone.rows.size();
    several += world.count() > 1;
    if (!is_plain(sql)) continue;
    // As rows arrive they are the same rows.
    Outcome arriving = world.distributed(sql, false);
    Outcome sorted = alone;
    std::sort(arriving.rows.begin(), arriving.rows.end());
    std::sort(sorted.rows.begin(), sorted.rows.end());
    REQUIRE(sorted.text() == arriving.text());
  }
  if (cases < 100) return;
  CHECK(answered * 100 >= cases * 85);
  CHECK(several * 100 >= cases * 50);
  CHECK(rows > cases);
}

TEST_CASE("A plan that was sent is the plan that was meant") {
  const uint64_t cases = setting("NINES_NODES_CASES", 600) * 3;
  size_t tried = 0;
  for (uint64_t seed = 1; seed <= cases; ++seed) {
    Chance chance(seed);
    const std::string sql = random_statement(chance);
    nines::query::ParseOptions options;
    options.now = kNow;
    const auto statement = nines::query::parse_statement(sql, options);
    if (!statement.ok()) continue;
    for (const nines::query::Input& input : statement->inputs) {
      const auto* block = std::get_if<nines::query::Block>(&input.what);
      if (block == nullptr) continue;
      const auto plan = nines::query::plan_for_nodes(*block);
      const auto bytes = nines::query::encode_plan(plan);
      REQUIRE(bytes.ok());
      const auto back = nines::query::decode_plan(*bytes);
      INFO(sql);
      REQUIRE(back.ok());
      REQUIRE(*nines::query::encode_plan(*back) == *bytes);
      const auto shown = [](const nines::query::NodePlan& p) {
        nines::query::Statement s;
        s.inputs.push_back({"t", p.block, "", 0, 0});
        return nines::query::explain(s);
      };
      REQUIRE(shown(*back) == shown(plan));
      ++tried;
      // Damage never crashes, and what still decodes can be encoded.
      std::string damaged = *bytes;
      for (int i = 0; i < 20; ++i) {
        damaged = *bytes;
        if (chance.one_in(3)) damaged.resize(chance.below(damaged.size()));
        if (!damaged.empty()) {
          damaged[chance.below(damaged.size())] = static_cast<char>(chance.below(256));
        }
        const auto odd = nines::query::decode_plan(damaged);
        if (odd.ok()) REQUIRE(nines::query::encode_plan(*odd).ok());
      }
    }
  }
  CHECK(tried * 100 >= cases * 60);
}
