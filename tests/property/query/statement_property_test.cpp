// Statements put together at random: nothing crashes, both ways have the same columns, and what is
// printed parses again.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "nines/query/operator.hpp"
#include "nines/query/plan.hpp"

namespace {

namespace nq = nines::query;

const char* const kWords[] = {"SELECT",
                              "FROM",
                              "logs('x')",
                              "files('a', FORMAT json)",
                              "WHERE",
                              "GROUP BY",
                              "HAVING",
                              "ORDER BY",
                              "LIMIT",
                              "OFFSET",
                              "DISTINCT",
                              "count(*)",
                              "sum(a)",
                              "percentile(a, 0.9)",
                              "a",
                              "b.c",
                              "ts",
                              "level",
                              "WARN",
                              "'text'",
                              "'1m'",
                              "1",
                              "2.5",
                              ",",
                              "(",
                              ")",
                              "*",
                              "+",
                              "-",
                              "/",
                              "=",
                              "<",
                              "~",
                              "AND",
                              "OR",
                              "NOT",
                              "IN",
                              "BETWEEN",
                              "LIKE",
                              "IS NULL",
                              "CASE",
                              "WHEN",
                              "THEN",
                              "END",
                              "AS",
                              "n",
                              "SINCE",
                              "UNTIL",
                              "EXTRACT",
                              "PATTERN",
                              "'<n:num>'",
                              "CONTEXT",
                              "BEFORE",
                              "AFTER",
                              "BY",
                              "SESSION BY",
                              "IDLE",
                              "MAX",
                              "START",
                              "SEQUENCE BY",
                              "WITHIN",
                              "a:",
                              "NOT b:",
                              "ONE ROW",
                              "ALL ROWS",
                              "MATCH_RECOGNIZE",
                              "PARTITION BY",
                              "MEASURES",
                              "DEFINE",
                              "PATTERN (",
                              "A",
                              "B+",
                              "{2,3}",
                              "?",
                              "|",
                              "^",
                              "$",
                              "{-",
                              "-}",
                              "PERMUTE(",
                              "OVER",
                              "(BUCKETS '1m' BASELINE '1h')",
                              "anomaly(n)",
                              "JOIN",
                              "ON",
                              "UNION ALL",
                              "WITH",
                              "lag(ts)",
                              "EXISTS",
                              "(SELECT",
                              "bucket(ts, '1m')",
                              ";",
                              "\"",
                              "'",
                              "/*",
                              "--",
                              "now()",
                              "first(a)",
                              "FILTER (WHERE",
                              "x.",
                              ".",
                              "\xc3\xa9"};

std::string soup() {
  const auto picks =
      *rc::gen::container<std::vector<size_t>>(rc::gen::inRange<size_t>(0, std::size(kWords)));
  std::string text = *rc::gen::element<std::string>("SELECT a ", "SELECT ", "");
  for (const size_t pick : picks) text += std::string(kWords[pick]) + " ";
  return text;
}

// A random expression over a, b and c, of fields when `of` is empty, else of such aggregates.
std::string expression(int depth, const std::vector<std::string>& leaves) {
  if (depth == 0 || *rc::gen::inRange(0, 4) == 0) {
    return *rc::gen::elementOf(leaves);
  }
  const auto kid = [&] { return expression(depth - 1, leaves); };
  switch (*rc::gen::inRange(0, 8)) {
    case 0: return "(" + kid() + " + " + kid() + ")";
    case 1: return kid() + " * " + kid();
    case 2: return "CASE WHEN " + kid() + " THEN " + kid() + " ELSE " + kid() + " END";
    case 3: return "coalesce(" + kid() + ", " + kid() + ")";
    case 4: return "(" + kid() + " IN (" + kid() + ", 3))";
    case 5: return "(NOT " + kid() + ")";
    case 6: return "lower(" + kid() + ")";
    default: return "(" + kid() + " = " + kid() + ")";
  }
}

std::string block() {
  const std::vector<std::string> fields = {"a", "b", "\"odd name\"", "12", "'it''s'", "level"};
  const std::vector<std::string> groups = {"count(*)", "sum(a)", "max(b) FILTER (WHERE a > 1)",
                                           "7.5"};
  const std::string key = expression(2, fields);
  std::string sql = "SELECT " + key + " AS k, " + expression(2, groups) + " FROM logs('x') ";
  if (*rc::gen::arbitrary<bool>()) sql += "WHERE " + expression(2, fields) + " ";
  sql += "GROUP BY k ";
  if (*rc::gen::arbitrary<bool>()) sql += "HAVING " + expression(1, groups) + " ";
  if (*rc::gen::arbitrary<bool>()) sql += "ORDER BY 2 DESC, " + expression(1, groups) + " ";
  if (*rc::gen::arbitrary<bool>()) sql += "LIMIT 3";
  return sql;
}

void check_round_trip(const nines::expr::Expression& e) {
  const auto again = nines::expr::Expression::parse(e.to_string());
  RC_ASSERT(again.ok());
  RC_ASSERT(again->to_string() == e.to_string());
}

}  // namespace

TEST_CASE("Property: no soup of words crashes the parser of statements") {
  REQUIRE(rc::check([] {
    const std::string sql = soup();
    for (const bool native : {true, false}) {
      const auto statement =
          nq::parse_statement(sql, {nines::WallTime::from_s(1795255200), native});
      if (!statement.ok()) {
        RC_ASSERT(!statement.error().message.empty());
      } else {
        RC_ASSERT(!statement->inputs.empty());
        RC_ASSERT(!nq::explain(*statement).empty());
      }
    }
  }));
}

TEST_CASE("Property: expressions of a block print as they parse, and every field is there") {
  REQUIRE(rc::check([] {
    const std::string sql = block();
    const auto statement = nq::parse_statement(sql, {nines::WallTime::from_s(1795255200), true});
    RC_LOG() << sql << "\n" << (statement.ok() ? "" : statement.error().message);
    RC_ASSERT(statement.ok());
    const auto* plan = std::get_if<nq::Block>(&statement->inputs.at(0).what);
    RC_PRE(plan != nullptr);
    std::vector<std::string> columns = nq::columns_of(plan->scan);
    if (plan->scan.where) check_round_trip(*plan->scan.where);
    for (const nq::Stage& stage : plan->stages) {
      const auto check = [&](const nq::Column& c) {
        check_round_trip(c.value);
        for (const std::string& field : c.value.fields()) {
          RC_ASSERT(std::find(columns.begin(), columns.end(), field) != columns.end());
        }
      };
      if (const auto* group = std::get_if<nq::GroupStage>(&stage)) {
        for (const nq::Column& c : group->keys) check(c);
      } else if (const auto* project = std::get_if<nq::ProjectStage>(&stage)) {
        for (const nq::Column& c : project->columns) check(c);
      }
      columns = nq::columns_of(stage, columns);
    }
    RC_ASSERT(columns.size() == plan->columns.size());
  }));
}
