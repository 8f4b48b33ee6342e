// What nodes of a distributed query send each other: plans, rows, states. Nothing of it may crash,
// and a plan that is taken can be run. The first byte chooses what the others are.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "nines/query/pipeline.hpp"
#include "nines/query/plan_codec.hpp"
#include "nines/query/row_codec.hpp"

namespace {

namespace nq = nines::query;

void require(bool holds) {
  if (!holds) std::abort();
}

class Nowhere final : public nq::RowSink {
 public:
  bool take(const nq::Row&) override { return true; }
};

nq::Limits small() {
  nq::Limits limits;
  limits.max_bytes = size_t{1} << 20;
  limits.max_groups = 1000;
  return limits;
}

void plan(std::string_view bytes) {
  const auto plan = nq::decode_plan(bytes);
  if (!plan.ok()) return require(!plan.error().message.empty());
  const auto again = nq::encode_plan(*plan);
  require(again.ok());
  const auto back = nq::decode_plan(*again);
  require(back.ok() && *nq::encode_plan(*back) == *again);
  // It runs: over rows without values.
  Nowhere nowhere;
  const auto inputs = nq::columns_of(plan->block.scan);
  const auto pipeline = nq::QueryPipeline::make(plan->block.stages, inputs, small(), nowhere);
  const std::vector<nines::Value> nulls(inputs.size());
  nq::Row row;
  row.values = nulls;
  pipeline->input().take(row);
  pipeline->finish();
}

void rows(std::string_view bytes) {
  const auto rows = nq::DecodedRows::decode(bytes, 2, 7);
  if (!rows.ok()) return;
  nq::RowEncoder encoder({true, true});
  for (size_t i = 0; i < rows->size(); ++i) {
    const auto row = (*rows)[i];
    require(row.row.values.size() == 2 && row.row.place.file >= 7);
    encoder.add(row.row, row.order);
  }
  const auto again = nq::DecodedRows::decode(encoder.take(), 2, 7);
  require(again.ok() && again->size() == rows->size());
}

void state(std::string_view bytes) {
  static const auto statement = *nq::parse_statement(
      "SELECT a, count(*), sum(b), topk(c, 3), percentile(b, 0.9), count_distinct(c), first(c) "
      "FROM logs('x') GROUP BY a ORDER BY 2 LIMIT 5",
      {nines::WallTime{}, true});
  static const auto& block = std::get<nq::Block>(statement.inputs[0].what);
  Nowhere nowhere;
  const auto pipeline =
      nq::QueryPipeline::make(block.stages, nq::columns_of(block.scan), small(), nowhere);
  if (!pipeline->merge_saved(bytes).ok()) return;
  pipeline->finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0: plan(bytes); break;
    case 1: rows(bytes); break;
    default: state(bytes); break;
  }
  return 0;
}
