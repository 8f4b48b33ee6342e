// ops_bench: what GROUP BY and ORDER BY cost a row, in CPU time.
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "../../support/query_rows.hpp"

namespace {

using namespace nines::query;
using namespace nines::query::testing;

double cpu_s() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

void measure(const char* name, const Stage& stage, size_t rows) {
  const std::vector<std::string> inputs{"service", "ms"};
  std::vector<std::string> services;
  for (int i = 0; i < 50; ++i) services.push_back("service-" + std::to_string(i));
  RowBatch out(columns_of(stage, inputs).size());
  const auto op = make_operator(stage, inputs, {}, out);
  uint64_t state = 1;
  const double start = cpu_s();
  for (size_t i = 0; i < rows; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const nines::Value values[] = {text(services[(state >> 33) % services.size()]),
                                   number(static_cast<int64_t>(state >> 50))};
    op->take({values, nines::WallTime{static_cast<int64_t>(i)}, {0, 0}, true});
  }
  op->finish();
  const double s = cpu_s() - start;
  std::printf("%-28s %6.1f M rows/s\n", name, static_cast<double>(rows) / s / 1e6);
}

}  // namespace

int main() {
  GroupStage group;
  group.keys.push_back({"service", expression("service")});
  group.aggregates = {aggregate(AggregateKind::count)};
  measure("GROUP BY text, count", group, 20'000'000);
  group.aggregates.push_back(aggregate(AggregateKind::percentile, "ms"));
  measure("... and percentile", group, 20'000'000);
  group.aggregates.push_back(aggregate(AggregateKind::avg, "ms"));
  measure("... and avg", group, 20'000'000);
  SortStage sort;
  sort.keys.push_back({1, true, {}});
  sort.limit = 10;
  sort.keep = 2;
  measure("ORDER BY number LIMIT 10", sort, 20'000'000);
  return 0;
}
