// The clauses of a block that follow events: SESSION, SEQUENCE, MATCH_RECOGNIZE.
#include <algorithm>

#include "../expr/reader.hpp"
#include "block_builder.hpp"
#include "scope.hpp"

namespace nines::query {

// Aggregates over sessions rather than over the records of each: with GROUP BY, or when the
// SELECT list is nothing but aggregates of columns of sessions.
bool BlockBuilder::over_sessions() const {
  if (!in_.session || in_.aggregates.empty()) return false;
  if (!in_.group_by.empty()) return true;
  const auto of_sessions = [&](const NodePtr& tree) {
    return !tree || !mentions(*tree, [&](const std::string& n) { return !is_session_column(n); });
  };
  const bool bare = std::any_of(items_.begin(), items_.end(), [&](const ItemSyntax& item) {
    return mentions(*item.tree, [&](const std::string& n) { return !is_aggregate(n); });
  });
  return !bare && std::all_of(in_.aggregates.begin(), in_.aggregates.end(), [&](const auto& a) {
    return of_sessions(a.value) && of_sessions(a.filter);
  });
}

bool BlockBuilder::is_session_column(const std::string& name) const {
  if (std::find(std::begin(kSessionColumns), std::end(kSessionColumns), name) !=
      std::end(kSessionColumns)) {
    return true;
  }
  return std::any_of(in_.session->keys.begin(), in_.session->keys.end(),
                     [&](const NodePtr& key) { return key_name(*key) == name; });
}

Status BlockBuilder::session() {
  const SessionSyntax& in = *in_.session;
  SessionStage stage;
  for (const NodePtr& key : in.keys) {
    read_fields(*key);
    stage.keys.push_back({key_name(*key), expression_of(*key)});
  }
  if (in.idle_ns) stage.idle_ns = *in.idle_ns;
  if (in.max_ns) stage.max_ns = *in.max_ns;
  if (in.start_when) {
    read_fields(*in.start_when);
    stage.start_when = expression_of(*in.start_when);
  }
  if (in.end_when) {
    read_fields(*in.end_when);
    stage.end_when = expression_of(*in.end_when);
  }
  stage.lateness_ns = lateness_ns_;
  if (!over_sessions()) {
    for (const AggregateSyntax& a : in_.aggregates) stage.aggregates.push_back(spec_of(a));
  }
  stage.with_services = uses("services");
  stage.with_timeline = uses("timeline");
  if (stage.with_services || stage.with_timeline) read_field("service");
  if (stage.with_timeline) read_field("message");
  block_.scan.needs_time = true;
  push(std::move(stage));
  return Ok{};
}

// Is a column of the stage just made used by what stands behind it?
bool BlockBuilder::uses(std::string_view column) const {
  const auto is = [&](const std::string& name) { return name == column; };
  const auto in = [&](const NodePtr& tree) { return tree && mentions(*tree, is); };
  return std::any_of(items_.begin(), items_.end(), [&](const auto& i) { return in(i.tree); }) ||
         std::any_of(order_.begin(), order_.end(), [&](const auto& k) { return in(k.tree); }) ||
         std::any_of(in_.group_by.begin(), in_.group_by.end(), in) || in(having_) ||
         std::any_of(in_.aggregates.begin(), in_.aggregates.end(),
                     [&](const auto& a) { return in(a.value) || in(a.filter); });
}

Status BlockBuilder::match() {
  const MatchSyntax& in = *in_.match;
  MatchStage stage;
  stage.sequence = in.sequence;
  stage.pattern = in.pattern;
  stage.within_ns = in.within_ns;
  stage.rows = in.rows;
  stage.skip = in.skip;
  stage.skip_to = in.skip_to;
  stage.lateness_ns = lateness_ns_;
  for (const NodePtr& key : in.keys) {
    read_fields(*key);
    stage.keys.push_back({key_name(*key), expression_of(*key)});
  }
  for (const PatternTree& d : in.define) stage.define.push_back(pattern_expression(d));
  for (const PatternTree& m : in.measures) stage.measures.push_back(pattern_expression(m));
  if (in.until) {
    read_fields(*in.until);
    stage.until = expression_of(*in.until);
  }
  block_.scan.needs_time = true;
  if (in.rows == MatchStage::Rows::one) {
    if (in.sequence) NINES_CHECK(sequence_columns(stage));
  } else {
    row_columns(stage);
  }
  push(std::move(stage));
  return Ok{};
}

PatternExpression BlockBuilder::pattern_expression(const PatternTree& in) {
  for (const std::string& name : expr::fields_of(*in.tree)) {
    const auto term = std::find_if(in.terms.begin(), in.terms.end(),
                                   [&](const Navigation& t) { return t.field == name; });
    if (term == in.terms.end()) {
      read_field(name);
    } else if (!term->column.empty()) {
      read_field(term->column);
    }
  }
  return {in.name, expression_of(*in.tree), in.terms};
}

// What is read of a sequence: columns it has anyway, a.x, and x of its last row.
Status BlockBuilder::sequence_columns(MatchStage& stage) {
  std::vector<std::string> fixed = {"match_number", "start", "end", "duration_ms", "state"};
  for (const Column& key : stage.keys) fixed.push_back(key.name);
  const auto need = [&](const std::string& name) {
    if (is_aggregate(name) || is_anomaly(name) || contains(fixed, name)) return;
    if (step_column(name)) return;
    if (std::any_of(stage.measures.begin(), stage.measures.end(),
                    [&](const auto& m) { return m.name == name; })) {
      return;
    }
    stage.measures.push_back(measure_of(name));
  };
  const auto need_all = [&](const Node& tree) {
    for (const std::string& name : expr::fields_of(tree)) need(name);
  };
  each_tree([&](NodePtr& tree) { need_all(*tree); });
  for (const NodePtr& key : in_.group_by) {
    if (const NodePtr copy = group_key(*key)) need_all(*copy);
  }
  for (const AggregateSyntax& a : in_.aggregates) {
    if (a.value) need_all(*a.value);
    if (a.filter) need_all(*a.filter);
  }
  return Ok{};
}

// a_ts, a_message, a_raw: there when the input has the field.
bool BlockBuilder::step_column(const std::string& name) {
  for (const PatternNode& step : in_.match->pattern.kids) {
    if (step.kind == PatternNode::Kind::absent) continue;
    for (const char* field : {"ts", "message", "raw"}) {
      if (name != step.name + "_" + field) continue;
      read_field(field);
      return true;
    }
  }
  return false;
}

PatternExpression BlockBuilder::measure_of(const std::string& name) {
  Navigation term;
  term.field = "\x01n0";
  term.column = name;
  const size_t dot = name.find('.');
  for (const PatternNode& step : in_.match->pattern.kids) {
    if (dot == std::string::npos || step.name != name.substr(0, dot)) continue;
    term.variable = step.name;
    term.column = name.substr(dot + 1);
  }
  read_field(term.column);
  const NodePtr field = field_node(term.field, 0);
  return {name, expression_of(*field), {term}};
}

// ALL ROWS: the rows go through, so what is read of them are fields of the scan.
void BlockBuilder::row_columns(const MatchStage& stage) {
  const auto need = [&](const Node& tree) {
    for (const std::string& name : expr::fields_of(tree)) {
      const bool measure = std::any_of(stage.measures.begin(), stage.measures.end(),
                                       [&](const auto& m) { return m.name == name; });
      const bool own = stage.sequence && (name == "match_number" || name == "step");
      if (!measure && !own && !is_aggregate(name) && !is_anomaly(name)) read_field(name);
    }
  };
  each_tree([&](NodePtr& tree) { need(*tree); });
  for (const NodePtr& key : in_.group_by) {
    if (const NodePtr copy = group_key(*key)) need(*copy);
  }
  if (in_.where_after) need(*in_.where_after);
  for (const AggregateSyntax& a : in_.aggregates) {
    if (a.value) need(*a.value);
    if (a.filter) need(*a.filter);
  }
}

}  // namespace nines::query
