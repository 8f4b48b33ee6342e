// sql_bench [ROWS]: CPU cost and memory of plain SQL over tables of rows that are already in
// memory, so that what is measured is SQLite and the way of values into it.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "nines/sql/residual.hpp"

namespace {

using namespace nines;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Rows made up on the fly: ts, service, level, status, duration_ms, request_id.
class MadeUp final : public sql::Table {
 public:
  explicit MadeUp(int64_t rows) : rows_(rows) {}
  const std::vector<std::string>& columns() const override { return columns_; }
  int64_t estimated_rows() const override { return rows_; }
  Result<std::unique_ptr<Cursor>> open(const Wish& wish) override {
    const int64_t rows = wish.limit < 0 ? rows_ : std::min(rows_, wish.limit);
    return std::unique_ptr<Cursor>(std::make_unique<RowCursor>(rows));
  }

 private:
  struct RowCursor final : Cursor {
    explicit RowCursor(int64_t n) : rows(n) {}
    Status next(query::RowBatch& out) override {
      static constexpr const char* kServices[] = {"api", "auth", "cart", "orders", "search"};
      out.clear();
      for (int n = 0; n < 1000 && at < rows; ++n, ++at) {
        seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
        const auto r = static_cast<int64_t>(seed >> 33);
        char id[24];
        const int size = std::snprintf(id, sizeof id, "req-%08llx",
                                       static_cast<unsigned long long>(r % (rows / 5 + 1)));
        const Value values[] = {
            Value::of_time(1'772'323'200'000'000'000 + at * 1'000'000),
            Value::of_text(kServices[r % 5]),
            Value::of_level(r % 100 == 0 ? Level::error : Level::info, "x"),
            Value::of_int(r % 100 == 0 ? 500 : 200),
            Value::of_decimal(r % 100'000, -1),
            Value::of_text({id, static_cast<size_t>(size)}),
        };
        query::Row row;
        row.values = values;
        out.take(row);
      }
      return Ok{};
    }
    int64_t rows, at = 0;
    uint64_t seed = 1;
  };
  int64_t rows_;
  std::vector<std::string> columns_ = {"ts", "service", "level", "status", "ms", "id"};
};

class Drop final : public query::RowSink {
 public:
  bool take(const query::Row&) override {
    ++rows;
    return true;
  }
  int64_t rows = 0;
};

void measure(const char* what, const char* statement, int64_t rows) {
  MadeUp table(rows);
  MadeUp small(1000);
  sql::Limits limits;
  limits.max_bytes = size_t{1} << 30;
  Drop drop;
  const double begin = cpu_seconds();
  auto prepared = sql::Residual::prepare(statement, {{"t", &table}, {"small", &small}}, limits);
  if (!prepared.ok()) {
    std::printf("%-34s %s\n", what, prepared.error().message.c_str());
    return;
  }
  const Status done = (*prepared)->run(drop);
  const double seconds = cpu_seconds() - begin;
  std::printf("%-34s %8.3f s %8.2f M rows/s %9.1f MiB %9lld rows%s\n", what, seconds,
              static_cast<double>(rows) / 1e6 / seconds,
              static_cast<double>((*prepared)->usage().peak_bytes) / (1 << 20),
              static_cast<long long>(drop.rows), done.ok() ? "" : done.error().message.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const int64_t rows = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  const struct {
    const char *what, *statement;
  } kStatements[] = {
      {"prepare, LIMIT 1", "SELECT * FROM t LIMIT 1"},
      {"COUNT(*)", "SELECT count(*) FROM t"},
      {"COUNT(*) WHERE status = 500", "SELECT count(*) FROM t WHERE status = 500"},
      {"COUNT(*) WHERE level >= 'WARN'", "SELECT count(*) FROM t WHERE level >= 'WARN'"},
      {"SUM(ms)", "SELECT sum(ms) FROM t"},
      {"nines_sum(ms)", "SELECT nines_sum(ms) FROM t"},
      {"all columns", "SELECT * FROM t"},
      {"GROUP BY service, COUNT", "SELECT service, count(*) FROM t GROUP BY service"},
      {"  ... COLLATE BINARY", "SELECT service, count(*) FROM t GROUP BY service COLLATE BINARY"},
      {"GROUP BY service, percentile", "SELECT service, percentile(ms, 0.99) FROM t GROUP BY 1"},
      {"GROUP BY id, COUNT", "SELECT id, count(*) FROM t GROUP BY id"},
      {"LAG OVER (PARTITION BY id)",
       "SELECT count(d) FROM (SELECT ms - lag(ms) OVER (PARTITION BY id ORDER BY ts) d FROM t)"},
      {"ROW_NUMBER OVER (ORDER BY ts)",
       "SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY ts) n FROM t)"},
      {"join with 1,000 rows by id", "SELECT count(*) FROM t JOIN small s ON t.id = s.id"},
      {"contains(id, 'ff')", "SELECT count(*) FROM t WHERE contains(id, 'ff')"},
      {"id REGEXP 'ff$'", "SELECT count(*) FROM t WHERE id REGEXP 'ff$'"},
  };
  for (const auto& s : kStatements) measure(s.what, s.statement, rows);
  return 0;
}
