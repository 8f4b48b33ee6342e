#include "block_host.hpp"

#include <algorithm>

#include "../expr/ascii.hpp"
#include "../expr/functions.hpp"

namespace nines::query {
namespace {

using expr::Reader;
using expr::Sym;
using expr::Token;

struct AggregateName {
  std::string_view name;
  AggregateKind kind;
};
// The first of a kind is its canonical name.
constexpr AggregateName kAggregates[] = {
    {"count", AggregateKind::count},
    {"sum", AggregateKind::sum},
    {"min", AggregateKind::min},
    {"max", AggregateKind::max},
    {"avg", AggregateKind::avg},
    {"stddev", AggregateKind::stddev},
    {"count_distinct", AggregateKind::count_distinct},
    {"topk", AggregateKind::topk},
    {"percentile", AggregateKind::percentile},
    {"hist", AggregateKind::hist},
    {"rate", AggregateKind::rate},
    {"first", AggregateKind::first},
    {"last", AggregateKind::last},
};

constexpr std::string_view kSqliteFunctions[] = {
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "char",
    "concat",
    "concat_ws",
    "cos",
    "cosh",
    "cume_dist",
    "date",
    "datetime",
    "degrees",
    "dense_rank",
    "exp",
    "exists",
    "first_value",
    "format",
    "group_concat",
    "hex",
    "json",
    "json_array",
    "json_extract",
    "json_each",
    "json_insert",
    "json_object",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_set",
    "json_type",
    "json_valid",
    "julianday",
    "lag",
    "last_value",
    "lead",
    "like",
    "ln",
    "log",
    "log10",
    "log2",
    "mod",
    "nth_value",
    "ntile",
    "percent_rank",
    "pi",
    "pow",
    "power",
    "printf",
    "quote",
    "radians",
    "random",
    "rank",
    "row_number",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "strftime",
    "string_agg",
    "substring",
    "tan",
    "tanh",
    "time",
    "timediff",
    "total",
    "trunc",
    "unicode",
    "unixepoch",
    "json_group_array",
    "json_group_object",
    "json_array_length",
    "glob",
    "soundex",
    "unhex",
    "zeroblob",
    "likely",
    "unlikely",
};

constexpr std::string_view kReserved[] = {"select", "from",  "where", "group",     "having",
                                          "order",  "limit", "union", "intersect", "except"};

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return expr::equals_ignoring_case(w, word); });
}

// name(...) [FILTER (...)] OVER
bool is_window_call(const Reader& reader) {
  int depth = 0;
  for (size_t i = 1; reader.peek(i).sym != Sym::end; ++i) {
    if (reader.peek(i).sym == Sym::left_paren) ++depth;
    if (reader.peek(i).sym != Sym::right_paren || --depth > 0) continue;
    if (reader.is_word("over", i + 1)) return true;
    if (!reader.is_word("filter", i + 1)) return false;
  }
  return false;
}

std::string printed(const NodePtr& tree) { return tree ? expr::print_tree(*tree) : ""; }

std::string canonical(const AggregateSyntax& a) {
  std::string text(aggregate_name(a.kind));
  text += a.distinct ? "(DISTINCT " : "(";
  text += a.value ? printed(a.value) : a.kind == AggregateKind::count ? "*" : "";
  if (a.kind == AggregateKind::topk) text += ", " + std::to_string(a.k);
  if (a.kind == AggregateKind::percentile) {
    text += ", " + Decimal{a.permille, -3}.to_string();
  }
  if (a.kind == AggregateKind::rate && a.per_ns != kNsPerSecond) {
    text += "'" + Decimal{a.per_ns, -9}.to_string() + "s'";
  }
  text += ")";
  if (a.filter) text += " FILTER (WHERE " + printed(a.filter) + ")";
  return text;
}

// The number of a literal token, with a sign.
std::optional<Decimal> read_number(Reader& reader) {
  const bool minus = reader.peek().sym == Sym::minus;
  if (reader.peek(minus ? 1 : 0).sym != Sym::number) return std::nullopt;
  if (minus) reader.take();
  auto number = Decimal::parse(reader.take().text);
  if (number && minus) number->mantissa = -number->mantissa;
  return number;
}

Status read_share(Reader& reader, AggregateSyntax& out) {
  const Token& at = reader.peek();
  const auto share = read_number(reader);
  if (!share) return reader.unexpected("a share between 0 and 1, such as 0.99");
  if (*share < Decimal{0, 0} || *share > Decimal{1, 0}) {
    std::string what = "percentile() takes a share between 0 and 1, got " + share->to_string();
    if (*share > Decimal{1, 0} && *share <= Decimal{100, 0}) {
      what += "; did you mean " + Decimal{share->mantissa, share->exponent - 2}.to_string() + "?";
    }
    return reader.fail(at, what);
  }
  // Cut down to thousandths.
  int64_t mantissa = share->mantissa;
  int exponent = share->exponent + 3;
  for (; exponent < 0 && mantissa != 0; ++exponent) mantissa /= 10;
  for (; exponent > 0 && mantissa != 0; --exponent) mantissa *= 10;  // at most 1000
  out.permille = static_cast<uint32_t>(mantissa);
  return Ok{};
}

Status read_k(Reader& reader, AggregateSyntax& out) {
  constexpr int64_t kMostValues = 10'000;
  const Token& at = reader.peek();
  const auto k = read_number(reader);
  if (!k || k->exponent != 0 || k->mantissa < 1 || k->mantissa > kMostValues) {
    return reader.fail(at, "topk() takes the number of values, 1 to 10000: topk(path, 10)");
  }
  out.k = k->mantissa;
  return Ok{};
}

Status read_arguments(Reader& reader, AggregateSyntax& out) {
  const std::string name(aggregate_name(out.kind));
  reader.take();  // (
  if (out.kind == AggregateKind::rate) {
    if (reader.peek().sym == Sym::string) {
      NINES_TRY(out.per_ns, read_duration(reader, "rate("));
    }
    return reader.expect(Sym::right_paren, "')' or a unit of time such as '1m' in rate()");
  }
  if (out.kind == AggregateKind::count &&
      (reader.accept(Sym::star) || reader.peek().sym == Sym::right_paren)) {
    return reader.expect(Sym::right_paren, "')' after count(*");
  }
  if (reader.peek().sym == Sym::right_paren) {
    return reader.fail(reader.before(), name + "() takes the value to work on: " + name + "(x)");
  }
  out.distinct = reader.accept_word("distinct");
  NINES_TRY(out.value, reader.expression());
  if (out.kind == AggregateKind::count_distinct || out.kind == AggregateKind::min ||
      out.kind == AggregateKind::max) {
    out.distinct = false;  // says nothing more
  }
  const bool takes_distinct = out.kind == AggregateKind::count || out.kind == AggregateKind::sum ||
                              out.kind == AggregateKind::avg;
  if (out.distinct && !takes_distinct) {
    return reader.fail(reader.before(), "DISTINCT can stand in count, sum and avg only");
  }
  if (out.kind == AggregateKind::percentile) {
    if (!reader.accept(Sym::comma)) {
      return reader.unexpected("',' and a share between 0 and 1: percentile(x, 0.99)");
    }
    NINES_CHECK(read_share(reader, out));
  } else if (out.kind == AggregateKind::topk && reader.accept(Sym::comma)) {
    NINES_CHECK(read_k(reader, out));
  }
  return reader.expect(Sym::right_paren, "')' after the argument of " + name + "()");
}

Status read_filter(Reader& reader, AggregateSyntax& out) {
  if (!reader.is_word("filter") || reader.peek(1).sym != Sym::left_paren) return Ok{};
  reader.take();
  reader.take();
  if (!reader.accept_word("where")) return reader.unexpected("WHERE in FILTER (WHERE ...)");
  NINES_TRY(out.filter, reader.expression());
  return reader.expect(Sym::right_paren, "')' after the condition of FILTER");
}

}  // namespace

std::optional<AggregateKind> aggregate_named(std::string_view name) {
  for (const AggregateName& a : kAggregates) {
    if (expr::equals_ignoring_case(a.name, name)) return a.kind;
  }
  return std::nullopt;
}

std::string_view aggregate_name(AggregateKind kind) {
  for (const AggregateName& a : kAggregates) {
    if (a.kind == kind) return a.name;
  }
  return "";
}

bool is_sqlite_function(std::string_view name) { return is_one_of(name, kSqliteFunctions); }

Result<int64_t> read_duration(Reader& reader, std::string_view what) {
  const Token& t = reader.peek();
  if (t.sym == Sym::string) {
    if (const auto ns = expr::parse_duration_ns(t.text); ns && *ns > 0) {
      reader.take();
      return *ns;
    }
  }
  return reader.unexpected("a duration in quotes after " + std::string(what) +
                           ", such as '30s', '10m' or '1h'");
}

size_t count_arguments(const Reader& reader) {
  size_t depth = 0;
  size_t commas = 0;
  for (size_t i = 0; reader.peek(i).sym != Sym::end; ++i) {
    const Sym sym = reader.peek(i).sym;
    if (sym == Sym::left_paren) ++depth;
    if (sym == Sym::comma && depth == 1) ++commas;
    if (sym == Sym::right_paren && --depth == 0) return i == 1 ? 0 : commas + 1;
  }
  return commas + 1;
}

NodePtr time_node(Reader& reader, const Token& at, WallTime time) {
  NodePtr call = reader.make(NodeKind::call, at);
  call->function = expr::find_function("timestamp");
  NodePtr text = reader.make(NodeKind::literal, at);
  text->text = format_rfc3339(time);
  text->value = Value::of_text(text->text);
  call->height = 2;
  call->kids.push_back(std::move(text));
  return call;
}

NodePtr read_now(Reader& reader, WallTime now) {
  if (!reader.is_word("now") || reader.peek(2).sym != Sym::right_paren) return nullptr;
  NodePtr node = time_node(reader, reader.peek(), now);
  for (int i = 0; i < 3; ++i) reader.take();
  return node;
}

std::optional<AggregateKind> aggregate_call(Reader& reader) {
  const auto kind = aggregate_named(reader.peek().text);
  if (kind != AggregateKind::min && kind != AggregateKind::max) return kind;
  reader.seek(reader.position() + 1);
  const size_t count = count_arguments(reader);
  reader.seek(reader.position() - 1);
  return count < 2 ? kind : std::nullopt;
}

Result<AggregateSyntax> read_aggregate(Reader& reader, AggregateKind kind) {
  AggregateSyntax aggregate;
  aggregate.kind = kind;
  aggregate.offset = reader.take().begin;
  NINES_CHECK(read_arguments(reader, aggregate));
  NINES_CHECK(read_filter(reader, aggregate));
  aggregate.text = canonical(aggregate);
  return aggregate;
}

Result<NodePtr> BlockHost::call(Reader& reader) {
  const Token& name = reader.peek();
  if (NodePtr time = read_now(reader, now_)) return time;
  if (expr::equals_ignoring_case(name.text, "anomaly")) return anomaly(reader);
  if (const auto kind = aggregate_call(reader)) return aggregate(reader, *kind);
  if (expr::find_function(name.text) == nullptr) return unknown(reader);
  return NodePtr();
}

Result<NodePtr> BlockHost::unknown(Reader& reader) const {
  const Token& name = reader.peek();
  const std::string shown = name.text.substr(0, 64);
  if (is_sqlite_function(name.text)) {
    return reader.fail(name, shown + "() is a function of SQLite", Errc::unsupported);
  }
  std::string what = "unknown function '" + shown + "'";
  std::string_view nearest = expr::nearest_function(name.text);
  size_t best = nearest.empty() ? std::max<size_t>(2, shown.size() / 3) + 1
                                : expr::edit_distance(nearest, shown);
  for (const AggregateName& a : kAggregates) {
    const size_t distance = expr::edit_distance(a.name, shown);
    if (distance < best || (distance == best && nearest.empty())) {
      best = distance;
      nearest = a.name;
    }
  }
  if (!nearest.empty()) what += "; did you mean '" + std::string(nearest) + "'?";
  return reader.fail(name, what);
}

Result<NodePtr> BlockHost::aggregate(Reader& reader, AggregateKind kind) {
  const Token& name = reader.peek();
  if (is_window_call(reader)) {
    return reader.fail(name, "the window function " + name.text + "() OVER", Errc::unsupported);
  }
  if (inside_) {
    return reader.fail(name, "an aggregate can't stand within another: " + name.text + "()");
  }
  if (!aggregates_allowed_) {
    return reader.fail(name,
                       "the aggregate " + name.text + "() can't stand in " + std::string(clause_) +
                           (clause_ == "WHERE" ? "; conditions on groups go into HAVING" : ""));
  }
  inside_ = true;
  auto read = read_aggregate(reader, kind);
  inside_ = false;
  NINES_TRY(AggregateSyntax aggregate, std::move(read));
  NodePtr node = field_node(aggregate.text, name.begin);
  const bool known = std::any_of(aggregates.begin(), aggregates.end(),
                                 [&](const auto& a) { return a.text == aggregate.text; });
  if (!known) aggregates.push_back(std::move(aggregate));
  return node;
}

Result<NodePtr> BlockHost::anomaly(Reader& reader) {
  const Token& name = reader.take();
  if (!aggregates_allowed_ || inside_) {
    return reader.fail(name, "anomaly() can stand in the SELECT list, HAVING and ORDER BY only");
  }
  AnomalySyntax out;
  out.offset = name.begin;
  reader.take();
  NINES_TRY(out.value, reader.expression());
  NINES_CHECK(reader.expect(Sym::right_paren, "')' after the argument of anomaly()"));
  const std::string_view form = "OVER (BUCKETS '1m' BASELINE '1h') after anomaly(x)";
  if (!reader.accept_word("over")) return reader.unexpected(form);
  NINES_CHECK(reader.expect(Sym::left_paren, "'(' after OVER"));
  if (!reader.accept_word("buckets")) return reader.unexpected("BUCKETS and a duration");
  NINES_TRY(out.bucket_ns, read_duration(reader, "BUCKETS"));
  if (!reader.accept_word("baseline")) return reader.unexpected("BASELINE and a duration");
  const Token& baseline = reader.peek();
  NINES_TRY(out.baseline_ns, read_duration(reader, "BASELINE"));
  if (out.baseline_ns < out.bucket_ns) {
    return reader.fail(baseline, "BASELINE is shorter than BUCKETS; it must span several of them");
  }
  NINES_CHECK(reader.expect(Sym::right_paren, "')' after BASELINE"));
  out.text = "anomaly(" + printed(out.value) + ")";
  for (size_t i = 0; i < anomalies.size(); ++i) {
    const bool same =
        anomalies[i].bucket_ns == out.bucket_ns && anomalies[i].baseline_ns == out.baseline_ns;
    if (anomalies[i].text != out.text) continue;
    if (same) return field_node(out.text, name.begin);
    out.text += "_" + std::to_string(i + 2);
  }
  NodePtr node = field_node(out.text, name.begin);
  anomalies.push_back(std::move(out));
  return node;
}

Result<NodePtr> BlockHost::subquery(Reader& reader, NodePtr, bool) {
  return reader.fail(reader.peek(), "a sub-query", Errc::unsupported);
}

Result<NodePtr> BlockHost::name(Reader& reader) {
  const Token& t = reader.peek();
  if (!t.quoted && is_one_of(t.text, kReserved)) {
    return reader.unexpected("a value", "a field of this name is written \"" + t.text + "\"");
  }
  const size_t dot = t.text.find('.');
  if (dot != std::string::npos && !alias_.empty() &&
      expr::equals_ignoring_case(std::string_view(t.text).substr(0, dot), alias_)) {
    reader.take();
    return field_node(std::string_view(t.text).substr(dot + 1), t.begin);
  }
  return NodePtr();
}

}  // namespace nines::query
