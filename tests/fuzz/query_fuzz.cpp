// Statements: nothing that is written may crash the parser, the compiler or EXPLAIN, and what they
// make of it keeps the promises of plan.hpp. The first byte chooses the way.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "nines/query/operator.hpp"
#include "nines/query/plan.hpp"

namespace {

namespace nq = nines::query;

void require(bool holds) {
  if (!holds) std::abort();
}

bool known(const nines::expr::Expression& e, const std::vector<std::string>& columns) {
  return std::all_of(e.fields().begin(), e.fields().end(), [&](const std::string& field) {
    return std::find(columns.begin(), columns.end(), field) != columns.end();
  });
}

// Every field that a scan or a table uses is among its columns; expressions print as they parse.
void check_expression(const nines::expr::Expression& e, const std::vector<std::string>& columns) {
  require(known(e, columns));
  const auto again = nines::expr::Expression::parse(e.to_string());
  require(again.ok() && again->to_string() == e.to_string());
}

void check(const nq::Input& input) {
  if (const auto* table = std::get_if<nq::TableScan>(&input.what)) {
    const auto columns = nq::columns_of(table->scan);
    require(!table->columns.empty());
    for (const nq::Column& c : table->columns) check_expression(c.value, columns);
    if (table->scan.where) check_expression(*table->scan.where, columns);
    return;
  }
  const auto& block = std::get<nq::Block>(input.what);
  std::vector<std::string> columns = nq::columns_of(block.scan);
  if (block.scan.where) check_expression(*block.scan.where, columns);
  for (const nq::Stage& stage : block.stages) {
    if (const auto* project = std::get_if<nq::ProjectStage>(&stage)) {
      for (const nq::Column& c : project->columns) check_expression(c.value, columns);
      if (project->filter) check_expression(*project->filter, columns);
    }
    if (const auto* group = std::get_if<nq::GroupStage>(&stage)) {
      for (const nq::Column& c : group->keys) check_expression(c.value, columns);
    }
    if (const auto* sort = std::get_if<nq::SortStage>(&stage)) {
      for (const auto& key : sort->keys) require(key.column < columns.size());
      require(sort->keep <= columns.size());
    }
    if (std::holds_alternative<nq::ContextByStage>(stage)) {
      columns.insert(columns.end(), {"ctx_group", "ctx_offset"});
      continue;
    }
    columns = nq::columns_of(stage, columns);
  }
  require(columns.size() == block.columns.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view sql(reinterpret_cast<const char*>(data) + 1, size - 1);
  nq::ParseOptions options;
  options.now = nines::WallTime::from_s(1795255200);
  options.native = (data[0] & 1) == 0;
  const auto statement = nq::parse_statement(sql, options);
  if (!statement.ok()) {
    require(!statement.error().message.empty());
    return 0;
  }
  require(!statement->inputs.empty());
  for (const nq::Input& input : statement->inputs) check(input);
  require(!nq::explain(*statement).empty());
  return 0;
}
