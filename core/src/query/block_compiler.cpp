#include "block_compiler.hpp"

#include <algorithm>

#include "../expr/reader.hpp"
#include "nines/query/operator.hpp"
#include "scope.hpp"

namespace nines::query {
namespace {

constexpr std::string_view kSessionColumns[] = {"session_id", "start",    "end",      "duration_ms",
                                                "n",          "services", "timeline", "state"};

class BlockCompiler {
 public:
  BlockCompiler(const BlockSyntax& syntax, std::string_view text, int64_t lateness_ns)
      : in_(syntax), text_(text), lateness_ns_(lateness_ns) {}

  Result<Block> run() {
    block_.source = in_.source;
    copy_items();
    NINES_CHECK(expand_star());
    order_ = prepared_order();
    having_ = in_.having ? expr::clone_tree(*in_.having) : nullptr;
    if (having_) expand_aliases(having_, items_);
    NINES_CHECK(scan());
    if (in_.session) NINES_CHECK(session());
    if (in_.match) NINES_CHECK(match());
    NINES_CHECK(filter_after());
    if (grouped()) {
      NINES_CHECK(group());
    } else if (having_ && !in_.session && !in_.match) {
      return fail(in_.having_offset, "HAVING is for groups; conditions on records go into WHERE");
    }
    if (!in_.anomalies.empty()) NINES_CHECK(anomalies());
    NINES_CHECK(project());
    first_rows();
    if (block_.scan.since || block_.scan.until) block_.scan.needs_time = true;
    return std::move(block_);
  }

 private:
  Error fail(size_t offset, std::string_view what, Errc code = Errc::invalid_argument) const {
    return expr::error_at(text_, offset, what, code);
  }

  void copy_items() {
    for (const ItemSyntax& item : in_.items) {
      ItemSyntax copy{item.tree ? expr::clone_tree(*item.tree) : nullptr, item.alias, item.begin,
                      item.end};
      items_.push_back(std::move(copy));
    }
  }

  // ---- names ----

  bool is_aggregate(const std::string& name) const {
    return std::any_of(in_.aggregates.begin(), in_.aggregates.end(),
                       [&](const auto& a) { return a.text == name; });
  }
  bool is_anomaly(const std::string& name) const {
    return std::any_of(in_.anomalies.begin(), in_.anomalies.end(),
                       [&](const auto& a) { return a.text == name; });
  }

  // A field that the scan must give (extracted ones and those of CONTEXT it gives anyway).
  void read_field(const std::string& name) {
    for (const Extract& e : in_.extracts) {
      if (contains(e.names, name)) return;
    }
    if (in_.context && (name == "ctx_group" || name == "ctx_offset")) return;
    if (!contains(block_.scan.fields, name)) block_.scan.fields.push_back(name);
  }
  void read_fields(const Node& tree) {
    for (const std::string& name : expr::fields_of(tree)) {
      if (!is_aggregate(name) && !is_anomaly(name)) read_field(name);
    }
  }

  // Columns of the stages so far; `open_`: still those of the scan, which has every field.
  Error unknown_column(const Node& field) const {
    std::string what = "there is no column '" + field.text.substr(0, 64) + "' here; ";
    std::string_view nearest;
    size_t best = 3;
    for (const std::string& c : columns_) {
      const size_t distance = expr::edit_distance(c, field.text.substr(0, 64));
      if (distance < best) {
        best = distance;
        nearest = c;
      }
    }
    if (!nearest.empty())
      return fail(field.offset, what + "did you mean '" + std::string(nearest) + "'?");
    what += "it has";
    for (size_t i = 0; i < columns_.size() && i < 12; ++i)
      what += (i > 0 ? ", " : " ") + columns_[i];
    return fail(field.offset, what);
  }

  // ---- SELECT * ----

  Status expand_star() {
    std::vector<ItemSyntax> out;
    for (ItemSyntax& item : items_) {
      if (item.tree) {
        out.push_back(std::move(item));
        continue;
      }
      if (!in_.group_by.empty() || (!in_.aggregates.empty() && !in_.session)) {
        return fail(item.begin, "SELECT * of groups", Errc::unsupported);
      }
      for (const std::string& name : star_columns()) {
        out.push_back({field_node(name, item.begin), {}, item.begin, item.end});
      }
    }
    items_ = std::move(out);
    return Ok{};
  }

  std::vector<std::string> star_columns() const {
    std::vector<std::string> out;
    const auto key_names = [&](const std::vector<NodePtr>& keys) {
      for (const NodePtr& key : keys) out.push_back(key_name(*key));
    };
    if (in_.session) {
      key_names(in_.session->keys);
      for (const std::string_view c : kSessionColumns) {
        if (c != "timeline") out.emplace_back(c);
      }
      return out;
    }
    const bool one_row = in_.match && in_.match->rows == MatchStage::Rows::one;
    if (one_row) {
      key_names(in_.match->keys);
      if (in_.match->sequence) {
        for (const char* c : {"match_number", "start", "end", "duration_ms", "state"})
          out.push_back(c);
        for (const PatternNode& step : in_.match->pattern.kids) {
          if (step.kind == PatternNode::Kind::absent) continue;
          out.push_back(step.name + "_ts");
          out.push_back(step.name + "_message");
        }
      }
    } else {
      for (const std::string_view c : kStarFields) out.emplace_back(c);
      for (const Extract& e : in_.extracts) {
        for (const std::string& name : e.names) {
          if (!contains(out, name)) out.push_back(name);
        }
      }
    }
    if (in_.match && !in_.match->sequence) {
      for (const PatternTree& m : in_.match->measures) out.push_back(m.name);
    } else if (in_.match && !one_row) {
      out.insert(out.end(), {"match_number", "step"});
    }
    if (in_.context) out.insert(out.end(), {"ctx_group", "ctx_offset"});
    return out;
  }

  static std::string key_name(const Node& key) {
    return key.kind == NodeKind::field ? key.text : expr::print_tree(key);
  }

  // A number that an alias stands for is a constant, not that of a column: as a key it is as good
  // as NULL.
  void expand_key(NodePtr& tree) const {
    const bool ordinal = ordinal_of(*tree) != 0;
    expand_aliases(tree, items_);
    if (!ordinal && ordinal_of(*tree) != 0) tree->value = Value::null(), tree->text.clear();
  }

  std::vector<OrderSyntax> prepared_order() const {
    std::vector<OrderSyntax> out;
    for (const OrderSyntax& key : in_.order_by) {
      // As written: an alias of a number is no ordinal.
      OrderSyntax copy{expr::clone_tree(*key.tree), key.descending, key.nulls_first,
                       ordinal_of(*key.tree)};
      expand_key(copy.tree);
      out.push_back(std::move(copy));
    }
    return out;
  }

  // ---- scan ----

  Status scan() {
    ScanPlan& scan = block_.scan;
    scan.extracts = in_.extracts;
    scan.since = in_.since;
    scan.until = in_.until;
    if (!in_.session && !in_.match) {
      // In the order of the SELECT list, so that rows often need no rearranging.
      for (const ItemSyntax& item : items_) read_fields(*item.tree);
      for (const OrderSyntax& key : order_) {
        if (key.ordinal == 0) read_fields(*key.tree);
      }
      for (const NodePtr& key : in_.group_by) {
        NodePtr copy = group_key(*key);
        if (copy) read_fields(*copy);
      }
      if (having_) read_fields(*having_);
    }
    for (const Extract& e : in_.extracts) read_field(e.field);
    const size_t shown = scan.fields.size();
    NodePtr where = in_.where ? expr::clone_tree(*in_.where) : nullptr;
    if (where) {
      // Of sessions and matches the SELECT list is about other columns.
      if (!in_.session && !in_.match) expand_aliases_of_rows(where, items_, in_.aggregates);
      read_fields(*where);
    }
    for (const AggregateSyntax& a : in_.aggregates) NINES_CHECK(read_aggregate(a));
    if (!in_.context) {
      if (where) scan.where = expression_of(*where);
      return Ok{};
    }
    if (in_.aggregates.empty() && !in_.session && !in_.match) scan.shown_fields = shown;
    return context(std::move(where));
  }

  Status read_aggregate(const AggregateSyntax& a) {
    if (in_.match || over_sessions()) return Ok{};  // of columns of that stage
    if (a.value) read_fields(*a.value);
    if (a.filter) read_fields(*a.filter);
    const bool timed = a.kind == AggregateKind::first || a.kind == AggregateKind::last ||
                       a.kind == AggregateKind::rate;
    if (timed) block_.scan.needs_time = true;
    return Ok{};
  }

  Status context(NodePtr where) {
    if (!where) {
      return fail(in_.begin, "CONTEXT needs a WHERE that chooses the records it surrounds");
    }
    ScanPlan& scan = block_.scan;
    if (in_.context->by.empty()) {
      scan.where = expression_of(*where);
      scan.context = in_.context;
      if (scan.context->within_ns) scan.needs_time = true;
      return Ok{};
    }
    read_field(in_.context->by);
    scan.needs_time = true;
    block_.stages.push_back(ContextByStage{*in_.context, expression_of(*where), lateness_ns_});
    return Ok{};
  }

  std::vector<std::string> scan_columns() const {
    std::vector<std::string> out = block_.scan.fields;
    for (const Extract& e : in_.extracts) out.insert(out.end(), e.names.begin(), e.names.end());
    if (in_.context) out.insert(out.end(), {"ctx_group", "ctx_offset"});
    return out;
  }

  // ---- SESSION ----

  // Aggregates over sessions rather than over the records of each: with GROUP BY, or when the
  // SELECT list is nothing but aggregates of columns of sessions.
  bool over_sessions() const {
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
  bool is_session_column(const std::string& name) const {
    if (std::find(std::begin(kSessionColumns), std::end(kSessionColumns), name) !=
        std::end(kSessionColumns)) {
      return true;
    }
    return std::any_of(in_.session->keys.begin(), in_.session->keys.end(),
                       [&](const NodePtr& key) { return key_name(*key) == name; });
  }

  Status session() {
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
  bool uses(std::string_view column) const {
    const auto is = [&](const std::string& name) { return name == column; };
    const auto in = [&](const NodePtr& tree) { return tree && mentions(*tree, is); };
    return std::any_of(items_.begin(), items_.end(), [&](const auto& i) { return in(i.tree); }) ||
           std::any_of(order_.begin(), order_.end(), [&](const auto& k) { return in(k.tree); }) ||
           std::any_of(in_.group_by.begin(), in_.group_by.end(), in) || in(having_) ||
           std::any_of(in_.aggregates.begin(), in_.aggregates.end(),
                       [&](const auto& a) { return in(a.value) || in(a.filter); });
  }

  // ---- SEQUENCE, MATCH_RECOGNIZE ----

  Status match() {
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

  PatternExpression pattern_expression(const PatternTree& in) {
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

  // Every tree behind the stage.
  void each_tree(const std::function<void(NodePtr&)>& visit) {
    for (ItemSyntax& item : items_) visit(item.tree);
    for (OrderSyntax& key : order_) visit(key.tree);
    if (having_) visit(having_);
  }

  // What is read of a sequence: columns it has anyway, a.x, and x of its last row.
  Status sequence_columns(MatchStage& stage) {
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
  bool step_column(const std::string& name) {
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

  PatternExpression measure_of(const std::string& name) {
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
  void row_columns(const MatchStage& stage) {
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

  // The first closed stage: from here on columns are known.
  template <class StageType>
  void push(StageType stage) {
    std::vector<std::string> inputs = open_ ? scan_columns() : columns_;
    block_.stages.emplace_back(std::move(stage));
    columns_ = columns_of(block_.stages.back(), inputs);
    open_ = false;
  }

  Status check_columns(const Node& tree) const {
    if (open_) return Ok{};
    if (tree.kind == NodeKind::field && !contains(columns_, tree.text)) {
      return in_.session || in_.match ? unknown_column(tree) : bare(tree);
    }
    for (const NodePtr& kid : tree.kids) NINES_CHECK(check_columns(*kid));
    return Ok{};
  }
  Error bare(const Node& field) const {
    return fail(field.offset,
                "'" + field.text.substr(0, 64) + "' is neither grouped nor in an aggregate",
                Errc::unsupported);
  }

  // WHERE behind MATCH_RECOGNIZE; HAVING of sessions and matches that are not grouped.
  Status filter_after() {
    if (!in_.where_after) return Ok{};
    NINES_CHECK(check_columns(*in_.where_after));
    if (!grouped() && !having_) {  // one projection is enough
      having_ = expr::clone_tree(*in_.where_after);
      return Ok{};
    }
    push_filter(expression_of(*in_.where_after));
    return Ok{};
  }
  void push_filter(expr::Expression filter) {
    ProjectStage stage;
    stage.filter = std::move(filter);
    for (const std::string& c : columns_) {
      stage.columns.push_back({c, expression_of(*field_node(c, 0))});
    }
    push(std::move(stage));
  }

  // ---- GROUP BY ----

  bool grouped() const {
    if (!in_.group_by.empty()) return true;
    return !in_.aggregates.empty() && (!in_.session || over_sessions());
  }

  // With aliases and ordinals in their places; nullptr: an ordinal that is none.
  NodePtr group_key(const Node& key) const {
    if (const size_t n = ordinal_of(key); n != 0) {
      return n <= items_.size() ? expr::clone_tree(*items_[n - 1].tree) : nullptr;
    }
    NodePtr copy = expr::clone_tree(key);
    expand_key(copy);
    return copy;
  }

  AggregateSpec spec_of(const AggregateSyntax& a) const {
    AggregateSpec spec;
    spec.kind = a.kind;
    spec.name = a.text;
    if (a.value) spec.value = expression_of(*a.value);
    if (a.filter) spec.filter = expression_of(*a.filter);
    spec.distinct = a.distinct;
    spec.k = a.k;
    spec.permille = a.permille;
    spec.per_ns = a.per_ns;
    return spec;
  }

  Status group() {
    GroupStage stage;
    std::vector<std::string> names;
    for (const NodePtr& key : in_.group_by) {
      NodePtr tree = group_key(*key);
      if (!tree) {
        return fail(key->offset, "GROUP BY " + std::to_string(ordinal_of(*key)) +
                                     ": the SELECT list has " + std::to_string(items_.size()) +
                                     (items_.size() == 1 ? " item" : " items"));
      }
      if (mentions(*tree, [&](const std::string& n) { return is_aggregate(n); })) {
        return fail(key->offset, "GROUP BY can't hold an aggregate");
      }
      NINES_CHECK(check_columns(*tree));
      names.push_back(unique_name(key_name(*tree), names));
      stage.keys.push_back({names.back(), expression_of(*tree)});
      keys_.push_back(std::move(tree));
    }
    for (const AggregateSyntax& a : in_.aggregates) {
      if (a.value) NINES_CHECK(check_columns(*a.value));
      if (a.filter) NINES_CHECK(check_columns(*a.filter));
      stage.aggregates.push_back(spec_of(a));
    }
    push(std::move(stage));
    each_tree([&](NodePtr& tree) { over_groups(tree); });
    return Ok{};
  }

  // Sub-trees that are a key become the key's column.
  void over_groups(NodePtr& tree) {
    replace_trees(tree, [&](const Node& n) -> NodePtr {
      for (size_t i = 0; i < keys_.size(); ++i) {
        if (same_tree(n, *keys_[i])) return field_node(columns_[i], n.offset);
      }
      return nullptr;
    });
  }

  // ---- anomaly() ----

  Status anomalies() {
    const auto* groups =
        block_.stages.empty() ? nullptr : std::get_if<GroupStage>(&block_.stages.back());
    if (groups == nullptr) return needs_bucket(in_.anomalies[0]);
    for (const AnomalySyntax& a : in_.anomalies) {
      size_t time = keys_.size();
      for (size_t i = 0; i < keys_.size(); ++i) {
        if (bucket_width(*keys_[i]) == a.bucket_ns) time = i;
      }
      if (time == keys_.size()) return needs_bucket(a);
      AnomalyStage stage;
      stage.time = columns_[time];
      for (size_t i = 0; i < keys_.size(); ++i) {
        if (i != time) stage.series.push_back(columns_[i]);
      }
      stage.bucket_ns = a.bucket_ns;
      stage.baseline_ns = a.baseline_ns;
      stage.name = a.text;
      NINES_TRY(stage.value, anomaly_value(a));
      push(std::move(stage));
    }
    return Ok{};
  }

  Error needs_bucket(const AnomalySyntax& a) const {
    return fail(a.offset, "anomaly() OVER (BUCKETS ...) needs the groups of that width: GROUP BY " +
                              std::string("bucket(ts, ...)"));
  }
  static int64_t bucket_width(const Node& key) {
    const bool bucket = key.kind == NodeKind::call && key.function != nullptr &&
                        expr::print_tree(key).starts_with("bucket(");
    return bucket ? expr::parse_duration_ns(key.kids[1]->text).value_or(0) : 0;
  }

  // The column that holds it; made by a projection when it is an expression.
  Result<std::string> anomaly_value(const AnomalySyntax& a) {
    NodePtr tree = expr::clone_tree(*a.value);
    expand_aliases(tree, items_);
    over_groups(tree);
    NINES_CHECK(check_columns(*tree));
    if (tree->kind == NodeKind::field) return tree->text;
    ProjectStage stage;
    for (const std::string& c : columns_) {
      stage.columns.push_back({c, expression_of(*field_node(c, 0))});
    }
    std::string name = unique_name(expr::print_tree(*tree), columns_);
    stage.columns.push_back({name, expression_of(*tree)});
    push(std::move(stage));
    return name;
  }

  // ---- SELECT list, ORDER BY ----

  Status project() {
    ProjectStage stage;
    for (const ItemSyntax& item : items_) NINES_CHECK(check_columns(*item.tree));
    for (size_t i = 0; i < items_.size(); ++i) {
      // Named after what was written, not after what became of it.
      const bool star = i >= in_.items.size() || in_.items.size() != items_.size();
      const std::string name = item_name(star || !in_.items[i].tree ? items_[i] : in_.items[i]);
      block_.columns.push_back(unique_name(name, block_.columns));
      stage.columns.push_back({block_.columns.back(), expression_of(*items_[i].tree)});
    }
    if (having_) {
      NINES_CHECK(check_columns(*having_));
      stage.filter = expression_of(*having_);
    }
    SortStage sort;
    NINES_CHECK(sort_keys(stage, sort));
    sort.distinct = in_.distinct;
    sort.limit = in_.limit;
    sort.offset = in_.offset;
    sort.keep = items_.size();
    if (!is_identity(stage)) block_.stages.emplace_back(std::move(stage));
    const bool sorts = !sort.keys.empty() || sort.distinct || sort.limit || sort.offset != 0;
    if (sorts) block_.stages.emplace_back(std::move(sort));
    return Ok{};
  }

  Status sort_keys(ProjectStage& stage, SortStage& sort) {
    for (const OrderSyntax& key : order_) {
      SortStage::Key out{0, key.descending, key.nulls_first};
      const size_t n = key.ordinal;
      if (n > items_.size()) {
        return fail(key.tree->offset, "ORDER BY " + std::to_string(n) + ": the SELECT list has " +
                                          std::to_string(items_.size()) +
                                          (items_.size() == 1 ? " item" : " items"));
      }
      NINES_CHECK(check_columns(*key.tree));
      out.column = n != 0 ? n - 1 : column_of(*key.tree);
      if (out.column == stage.columns.size() || (n == 0 && out.column >= items_.size())) {
        NINES_TRY(out.column, hidden(*key.tree, stage));
      }
      sort.keys.push_back(out);
    }
    return Ok{};
  }
  size_t column_of(const Node& tree) const {
    const auto found = std::find_if(items_.begin(), items_.end(),
                                    [&](const auto& i) { return same_tree(*i.tree, tree); });
    return static_cast<size_t>(found - items_.begin());
  }
  Result<size_t> hidden(const Node& tree, ProjectStage& stage) const {
    if (in_.distinct) {
      return fail(tree.offset, "DISTINCT rows ordered by what is not in the SELECT list",
                  Errc::unsupported);
    }
    std::vector<std::string> names;
    for (const Column& c : stage.columns) names.push_back(c.name);
    stage.columns.push_back({unique_name(expr::print_tree(tree), names), expression_of(tree)});
    return stage.columns.size() - 1;
  }

  // Columns as they come in, in their order.
  bool is_identity(const ProjectStage& stage) const {
    if (stage.filter) return false;
    const std::vector<std::string> inputs = open_ ? scan_columns() : columns_;
    if (inputs.size() != stage.columns.size()) return false;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const expr::Expression& value = stage.columns[i].value;
      const bool plain = value.fields().size() == 1 && value.fields()[0] == inputs[i];
      if (!plain || !is_field(value, inputs[i])) return false;
    }
    return true;
  }
  static bool is_field(const expr::Expression& value, const std::string& name) {
    return value.to_string() == expr::print_tree(*field_node(name, 0));
  }

  void first_rows() {
    if (!in_.limit) return;
    for (const Stage& stage : block_.stages) {
      const auto* sort = std::get_if<SortStage>(&stage);
      const bool passes = std::holds_alternative<ProjectStage>(stage) ||
                          (sort != nullptr && sort->keys.empty() && !sort->distinct);
      if (!passes) return;
    }
    uint64_t rows = 0;
    if (!__builtin_add_overflow(*in_.limit, in_.offset, &rows)) block_.scan.first_rows = rows;
  }

  const BlockSyntax& in_;
  std::string_view text_;
  int64_t lateness_ns_;
  Block block_;
  std::vector<ItemSyntax> items_;
  std::vector<OrderSyntax> order_;
  NodePtr having_;
  std::vector<NodePtr> keys_;  // of GROUP BY
  std::vector<std::string> columns_;
  bool open_ = true;
};

}  // namespace

Result<Block> compile_block(const BlockSyntax& syntax, std::string_view text, int64_t lateness_ns) {
  return BlockCompiler(syntax, text, lateness_ns).run();
}

}  // namespace nines::query
