// EXPLAIN: what runs where, a line a part.
#include <algorithm>

#include "block_host.hpp"
#include "nines/base/time.hpp"
#include "scope.hpp"

namespace nines::query {
namespace {

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) out += (i > 0 ? std::string(separator) : "") + parts[i];
  return out;
}

std::string duration(int64_t ns) {
  if (ns % kNsPerSecond == 0) return format_duration_s(ns / kNsPerSecond);
  if (ns % kNsPerMs == 0) return std::to_string(ns / kNsPerMs) + "ms";
  return std::to_string(ns) + "ns";
}

// The text of an expression; of one field its name.
std::string text_of(const expr::Expression& e) {
  std::string out = e.to_string();
  std::erase(out, '\x01');
  return out;
}

std::string named(const Column& column) {
  const std::string value = text_of(column.value);
  const bool same = column.value.fields().size() == 1 && column.value.fields()[0] == column.name;
  return same || value == column.name ? column.name : value + " AS " + column.name;
}

std::string listed(const std::vector<Column>& columns) {
  std::vector<std::string> parts;
  parts.reserve(columns.size());
  for (const Column& c : columns) parts.push_back(named(c));
  return join(parts, ", ");
}

std::string source_text(const SourceRef& source) {
  std::string out;
  switch (source.kind) {
    case SourceRef::Kind::logs: out = "logs("; break;
    case SourceRef::Kind::files: out = "files("; break;
    case SourceRef::Kind::remote: out = "remote("; break;
  }
  for (size_t i = 0; i < source.names.size(); ++i)
    out += (i > 0 ? ", '" : "'") + source.names[i] + "'";
  if (source.kind == SourceRef::Kind::remote && !source.pattern.empty()) {
    return out + ", '" + source.pattern + "')";
  }
  out += ")";
  if (source.format != "auto") out += " format " + source.format;
  if (!source.pattern.empty()) out += " '" + source.pattern + "'";
  if (!source.nodes.empty()) out += " at nodes " + join(source.nodes, ", ");
  return out;
}

class Explainer {
 public:
  std::string run(const Statement& s) {
    for (const Input& input : s.inputs) this->input(input, s.residual.empty());
    if (!s.residual.empty()) line(0, "sqlite: " + one_line(s.residual));
    options(s);
    return std::move(out_);
  }

 private:
  void line(int depth, const std::string& text) {
    out_ += std::string(static_cast<size_t>(depth) * 2, ' ') + text + "\n";
  }

  static std::string one_line(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
    return text;
  }

  void input(const Input& in, bool whole) {
    if (const auto* block = std::get_if<Block>(&in.what)) {
      line(0, (whole ? std::string("native") : in.table + ": native") + " -> " +
                  join(block->columns, ", "));
      scan(block->source, block->scan);
      for (const Stage& stage : block->stages) {
        std::visit([this](const auto& s) { this->stage(s); }, stage);
      }
      return;
    }
    const auto& table = std::get<TableScan>(in.what);
    line(0, in.table + ": table of sqlite, because of " + in.why_not_native);
    scan(table.source, table.scan);
    line(1, "columns: " + listed(table.columns));
  }

  void scan(const SourceRef& source, const ScanPlan& plan) {
    line(1, "scan " + source_text(source));
    if (!plan.fields.empty()) line(2, "fields: " + join(plan.fields, ", "));
    for (const Extract& e : plan.extracts) {
      line(2, "extract " + e.field +
                  (e.kind == Extract::Kind::pattern ? " pattern '" : " regexp '") + e.text +
                  "' -> " + join(e.names, ", "));
    }
    if (plan.since) line(2, "since " + format_rfc3339(*plan.since));
    if (plan.until) line(2, "until " + format_rfc3339(*plan.until));
    if (plan.where) line(2, "where " + text_of(*plan.where));
    if (plan.context) line(2, context(*plan.context));
    if (plan.needs_time) line(2, "time of each row");
    if (plan.first_rows) line(2, "first " + std::to_string(*plan.first_rows) + " rows");
  }

  static std::string context(const ContextSpec& c) {
    std::string out =
        "context " + std::to_string(c.before) + " before, " + std::to_string(c.after) + " after";
    if (!c.by.empty()) out += " by " + c.by;
    if (c.within_ns) out += " within " + duration(*c.within_ns);
    return out;
  }

  static std::string spec(const AggregateSpec& a) { return a.name; }

  void stage(const GroupStage& s) {
    line(1, s.keys.empty() ? "group everything" : "group by " + listed(s.keys));
    for (const AggregateSpec& a : s.aggregates) line(2, spec(a));
  }
  void stage(const ProjectStage& s) {
    if (s.filter) line(1, "filter " + text_of(*s.filter));
    line(1, "project " + listed(s.columns));
  }
  void stage(const SortStage& s) {
    std::string text = s.distinct ? "distinct" : "";
    for (size_t i = 0; i < s.keys.size(); ++i) {
      const SortStage::Key& key = s.keys[i];
      text += (i > 0          ? ", "
               : text.empty() ? "sort by "
                              : ", sort by ") +
              std::string("#") + std::to_string(key.column + 1) + (key.descending ? " desc" : "");
      if (key.nulls_first) text += *key.nulls_first ? " nulls first" : " nulls last";
    }
    if (s.limit) text += (text.empty() ? "limit " : ", limit ") + std::to_string(*s.limit);
    if (s.offset != 0) text += (text.empty() ? "offset " : ", offset ") + std::to_string(s.offset);
    text += ", keep " + std::to_string(s.keep);
    line(1, text);
  }
  void stage(const SessionStage& s) {
    line(1, "session by " + listed(s.keys) + " idle " + duration(s.idle_ns) +
                (s.max_ns == INT64_MAX ? "" : " max " + duration(s.max_ns)));
    if (s.start_when) line(2, "start when " + text_of(*s.start_when));
    if (s.end_when) line(2, "end when " + text_of(*s.end_when));
    for (const AggregateSpec& a : s.aggregates) line(2, spec(a));
    if (s.with_services) line(2, "services");
    if (s.with_timeline) line(2, "timeline");
  }

  void stage(const MatchStage& s) {
    std::string text = s.sequence ? "sequence" : "match";
    if (!s.keys.empty()) text += " by " + listed(s.keys);
    if (s.within_ns) text += " within " + duration(*s.within_ns);
    line(1, text + ": " + pattern(s.pattern, s.sequence));
    for (const PatternExpression& d : s.define) line(2, d.name + ": " + pattern_text(d));
    if (s.until) line(2, "until " + text_of(*s.until));
    for (const PatternExpression& m : s.measures) {
      line(2, "measure " + m.name + ": " + pattern_text(m));
    }
    constexpr std::string_view kRows[] = {"one row a match", "all rows",
                                          "all rows, unmatched ones too"};
    constexpr std::string_view kSkips[] = {"past the last row", "to the next row", "to the first ",
                                           "to the last "};
    line(2, std::string(kRows[static_cast<size_t>(s.rows)]) + "; then " +
                std::string(kSkips[static_cast<size_t>(s.skip)]) + s.skip_to);
  }

  static std::string pattern(const PatternNode& n, bool sequence) {
    using Kind = PatternNode::Kind;
    std::vector<std::string> kids;
    for (const PatternNode& kid : n.kids) {
      const bool group = kid.kids.size() > 1 && kid.kind != Kind::permute &&
                         (n.kind == Kind::repeat || kid.kind == Kind::alternation);
      kids.push_back(group ? "(" + pattern(kid, sequence) + ")" : pattern(kid, sequence));
    }
    switch (n.kind) {
      case Kind::variable: return n.excluded ? "{-" + n.name + "-}" : n.name;
      case Kind::sequence: return join(kids, sequence ? " -> " : " ");
      case Kind::alternation: return join(kids, " | ");
      case Kind::repeat: return kids[0] + quantifier(n);
      case Kind::permute: return "PERMUTE(" + join(kids, ", ") + ")";
      case Kind::first: return "^";
      case Kind::last: return "$";
      case Kind::empty: return "()";
      case Kind::absent: return "NOT " + n.name;
    }
    return "";
  }
  static std::string quantifier(const PatternNode& n) {
    const std::string end = n.max == UINT32_MAX ? "" : std::to_string(n.max);
    std::string out = "{" + std::to_string(n.min) + "," + end + "}";
    if (n.max == UINT32_MAX && n.min < 2) out = n.min == 0 ? "*" : "+";
    if (n.min == 0 && n.max == 1) out = "?";
    return out + (n.reluctant ? "?" : "");
  }

  static std::string pattern_text(const PatternExpression& e) {
    std::string out = e.value.to_string();
    for (const Navigation& t : e.terms) {
      const std::string made_up = '"' + t.field + '"';
      for (size_t at = 0; (at = out.find(made_up, at)) != std::string::npos;) {
        const std::string shown = navigation(t);
        out.replace(at, made_up.size(), shown);
        at += shown.size();
      }
    }
    return out;
  }
  static std::string navigation(const Navigation& t) {
    const std::string field = t.variable.empty() ? t.column
                              : t.column.empty() ? t.variable + ".*"
                                                 : t.variable + "." + t.column;
    const std::string args = field + (t.offset != 0 ? ", " + std::to_string(t.offset) : "") + ")";
    const std::string when = t.final_ ? "FINAL " : "";
    switch (t.kind) {
      case Navigation::Kind::value: return when + field;
      case Navigation::Kind::first: return when + "FIRST(" + args;
      case Navigation::Kind::last: return when + "LAST(" + args;
      case Navigation::Kind::prev: return when + "PREV(" + args;
      case Navigation::Kind::next: return when + "NEXT(" + args;
      case Navigation::Kind::aggregate:
        return when + std::string(aggregate_name(t.aggregate)) + "(" +
               (field.empty() ? "*" : field) + ")";
      case Navigation::Kind::classifier: return when + "CLASSIFIER()";
      case Navigation::Kind::match_number: return "MATCH_NUMBER()";
    }
    return "";
  }

  void stage(const AnomalyStage& s) {
    line(1, s.name + " over buckets of " + duration(s.bucket_ns) + " of " + s.time + ", baseline " +
                duration(s.baseline_ns) +
                (s.series.empty() ? "" : ", a series for each " + join(s.series, ", ")));
  }
  void stage(const ContextByStage& s) {
    line(1, context(s.spec));
    line(2, "chosen: " + text_of(s.chosen));
  }

  void options(const Statement& s) {
    constexpr int64_t kDefaultLateness = 2 * kNsPerSecond;
    std::vector<std::string> parts;
    if (s.deadline_ns) parts.push_back("deadline " + duration(*s.deadline_ns));
    if (s.max_memory) parts.push_back("at most " + std::to_string(*s.max_memory) + " bytes");
    if (s.lateness_ns != kDefaultLateness) parts.push_back("lateness " + duration(s.lateness_ns));
    if (!s.allow_partial) parts.emplace_back("no partial answers");
    if (!parts.empty()) line(0, "with " + join(parts, ", "));
  }

  std::string out_;
};

}  // namespace

std::string explain(const Statement& statement) { return Explainer().run(statement); }

}  // namespace nines::query
