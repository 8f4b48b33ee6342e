// PromQL -> expressions over scraped samples.
#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <utility>

#include "config/import.hpp"
#include "nines/expr/expression.hpp"

namespace nines::agent::config {
namespace {

using promql::Matcher;
using promql::MatchOp;
using promql::Node;
using promql::Selector;

constexpr std::string_view kBucket = "_bucket";
constexpr std::string_view kCount = "_count";

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

std::string text_literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

// Labels that the scraper renames because a field has their name.
std::string field_of(const std::string& label) {
  std::string_view bare = label;
  while (bare.starts_with("label_")) bare.remove_prefix(6);
  static const std::set<std::string_view> kReserved = {"ts",    "sample_ts", "metric",   "value",
                                                       "delta", "le",        "source",   "node",
                                                       "line",  "raw",       "ingest_ts"};
  const std::string name = kReserved.contains(bare) ? "label_" + label : label;
  const auto plain = expr::Expression::parse(name + " IS NULL");
  const bool is_field =
      plain.ok() && plain->fields().size() == 1 && plain->fields().front() == name;
  return is_field ? name : "\"" + name + "\"";
}

// Whether a constant expression is true.
bool holds(const std::string& text) {
  const auto expression = expr::Expression::parse(text);
  if (!expression.ok()) return false;
  expr::Evaluator evaluator(*expression, {});
  return evaluator.test({}) == expr::Truth::yes;
}

// The alternatives of "a|b|" when it is nothing else.
std::vector<std::string> literals_of(std::string_view pattern) {
  if (pattern.starts_with('(') && pattern.ends_with(')') && pattern.find('(', 1) == pattern.npos) {
    pattern = pattern.substr(1, pattern.size() - 2);
  }
  if (pattern.find_first_of("\\.+*?()[]{}^$\n") != std::string_view::npos) return {};
  std::vector<std::string> out;
  for (size_t begin = 0;;) {
    const size_t end = std::min(pattern.find('|', begin), pattern.size());
    out.emplace_back(pattern.substr(begin, end - begin));
    if (end == pattern.size()) return out;
    begin = end + 1;
  }
}

bool same_matcher(const Matcher& a, const Matcher& b) {
  return a.label == b.label && a.op == b.op && a.value == b.value;
}

}  // namespace

// A selector in the words of scraped samples.
struct Translator::Term {
  std::string metric, family;  // family: of a bucket or count, without the suffix
  bool bucket = false, count = false;
  std::optional<Decimal> bound;  // of a bucket: le <= bound; none: every bucket
  std::vector<Matcher> matchers;
  std::vector<std::string> conditions;  // of the matchers, in their order
};
struct Translator::Terms : std::vector<Term> {};
struct Translator::Sums {
  Terms plus, minus;
};

void Translator::refuse(const Query& query, size_t offset, const std::string& message,
                        const std::string& hint) {
  report_.add(Diagnostic::Severity::error, query.node->file->path,
              position_within(*query.node, offset),
              query.what + " cannot be translated: " + message +
                  "; the query is: " + one_line(query.node->text),
              hint);
}

std::unique_ptr<Node> Translator::parse(const Query& query) {
  if (!read_text(*query.node, query.what, report_)) return nullptr;
  auto parsed = promql::parse_query(query.node->text);
  if (parsed.failure) {
    refuse(query, parsed.failure->offset, parsed.failure->message, parsed.failure->hint);
  }
  return std::move(parsed.node);
}

std::unique_ptr<Selector> Translator::parse_selector(const Query& query) {
  if (!read_text(*query.node, query.what, report_)) return nullptr;
  auto parsed = promql::parse_selector(query.node->text);
  if (parsed.failure) {
    refuse(query, parsed.failure->offset, parsed.failure->message, parsed.failure->hint);
  }
  return std::move(parsed.selector);
}

// A label that is not there is "" to PromQL, and NULL here.
std::optional<std::string> Translator::condition(const Query& query, const Matcher& m) {
  const std::string field = field_of(m.label);
  const std::string either = "coalesce(" + field + ", '')";
  if (m.op == MatchOp::equal || m.op == MatchOp::not_equal) {
    const bool equal = m.op == MatchOp::equal;
    const bool plain = equal && !m.value.empty();
    return (plain ? field : either) + (equal ? " = " : " != ") + text_literal(m.value);
  }
  const bool wanted = m.op == MatchOp::regex;
  const auto literals = literals_of(m.value);
  if (!literals.empty()) {
    const bool empty_too = std::find(literals.begin(), literals.end(), "") != literals.end();
    std::string list;
    for (const auto& literal : literals) {
      list += (list.empty() ? "" : ", ") + text_literal(literal);
    }
    return (wanted && !empty_too ? field : either) + (wanted ? " IN (" : " NOT IN (") + list + ")";
  }
  const std::string pattern = text_literal("^(?:" + m.value + ")$");
  if (const auto valid = expr::Expression::parse("'' ~ " + pattern); !valid.ok()) {
    refuse(query, m.offset, "the regular expression of '" + m.label + "': " + valid.error().message,
           "RE2 syntax is understood");
    return std::nullopt;
  }
  const bool plain = wanted && !holds("'' ~ " + pattern);
  return (plain ? field : either) + (wanted ? " ~ " : " !~ ") + pattern;
}

std::optional<Translator::Term> Translator::term_of(const Query& query, const Selector& selector) {
  Term term;
  term.metric = selector.metric;
  const std::string_view name = term.metric;
  term.bucket = name.ends_with(kBucket);
  term.count = name.ends_with(kCount);
  if (term.bucket) term.family = name.substr(0, name.size() - kBucket.size());
  if (term.count) term.family = name.substr(0, name.size() - kCount.size());
  bool bounded = false;
  for (const Matcher& m : selector.matchers) {
    const auto& more = options_.target_labels;
    if (m.label == "job" || m.label == "instance" ||
        std::find(more.begin(), more.end(), m.label) != more.end()) {
      report_.add(Diagnostic::Severity::warning, query.node->file->path,
                  position_within(*query.node, m.offset),
                  "label '" + m.label + "' in " + query.what +
                      " is left out: Prometheus adds it to what it scrapes, the endpoint does not "
                      "expose it",
                  "scrape the targets that it selects, and no others");
      continue;
    }
    for (const std::string_view hidden : {"restart", "pod_uid", "owner", "owner_kind", "level"}) {
      if (m.label != hidden) continue;
      refuse(query, m.offset, "label '" + m.label + "' has the name of a field of every record",
             "rename the label where it is exposed");
      return std::nullopt;
    }
    if (term.bucket && m.label == "le") {
      const auto bound = Decimal::parse(m.value);
      if (m.op != MatchOp::equal || bounded || (!bound && m.value != "+Inf")) {
        refuse(query, m.offset, "the bound of a bucket must be one number", "le=\"0.3\"");
        return std::nullopt;
      }
      bounded = true;
      term.bound = bound;
      continue;
    }
    auto text = condition(query, m);
    if (!text) return std::nullopt;
    term.matchers.push_back(m);
    term.conditions.push_back(std::move(*text));
  }
  if (term.bucket && !bounded) {
    refuse(query, selector.offset, "buckets are cumulative: without 'le' events count many times",
           "add le=\"0.3\", a bound of the histogram, or use " + term.family + "_count");
    return std::nullopt;
  }
  return term;
}

bool Translator::collect(const Query& query, const Node& node, bool minus, Sums& out) {
  switch (node.kind) {
    case Node::Kind::sum: {
      auto term = term_of(query, node.selector);
      if (!term) return false;
      (minus ? out.minus : out.plus).push_back(std::move(*term));
      return true;
    }
    case Node::Kind::add:
    case Node::Kind::subtract:
      return collect(query, *node.left, minus, out) &&
             collect(query, *node.right, minus != (node.kind == Node::Kind::subtract), out);
    case Node::Kind::divide:
    case Node::Kind::one: break;
  }
  refuse(query, node.offset, "a number is not a count of events",
         "write sum(rate(metric{...}[{{.window}}]))");
  return false;
}

namespace {

std::string joined(const std::vector<std::string>& conditions) {
  std::string out;
  for (const auto& condition : conditions) out += (out.empty() ? "" : " AND ") + condition;
  return out;
}

}  // namespace

std::optional<slo::IndicatorSpec> Translator::build(const Query& at, Terms part, Terms total,
                                                    bool part_is_bad) {
  using Single = Translator::Term;
  // x_count beside x_bucket: all of its buckets, which exactly they add up to.
  std::set<std::string> histograms;
  for (const Terms* terms : {&part, &total}) {
    for (const Single& term : *terms) {
      if (term.bucket) histograms.insert(term.family);
    }
  }
  for (Terms* terms : {&part, &total}) {
    for (Single& term : *terms) {
      if (!term.count || !histograms.contains(term.family)) continue;
      term.metric = term.family + std::string(kBucket);
      term.bucket = true;
    }
    std::set<std::string> metrics;
    for (const Single& term : *terms) {
      if (metrics.insert(term.metric).second) continue;
      refuse(at, 0, "two selectors of '" + term.metric + "' may count an event twice",
             "write one selector, with a regular expression for the label in which they differ");
      return std::nullopt;
    }
  }
  const auto own = [](const Single& term) {
    std::vector<std::string> out = term.conditions;
    if (term.bucket && term.bound) out.push_back("le <= " + term.bound->to_string());
    return out;
  };
  const auto where = [&](const Terms& terms) {
    std::string out;
    for (const Single& term : terms) {
      auto all = own(term);
      all.insert(all.begin(), "metric = " + text_literal(term.metric));
      const std::string one = joined(all);
      out += out.empty() ? one : " OR " + one;
    }
    return out;
  };
  const auto within = [&](const Single& inner, const Single& outer) {
    const bool bound = !outer.bound || (inner.bound && *inner.bound <= *outer.bound);
    return inner.metric == outer.metric && bound &&
           std::all_of(outer.matchers.begin(), outer.matchers.end(), [&](const Matcher& m) {
             return std::any_of(inner.matchers.begin(), inner.matchers.end(),
                                [&](const Matcher& other) { return same_matcher(m, other); });
           });
  };
  const bool nested = std::all_of(part.begin(), part.end(), [&](const Single& inner) {
    return std::any_of(total.begin(), total.end(),
                       [&](const Single& outer) { return within(inner, outer); });
  });
  slo::IndicatorSpec indicator;
  indicator.count = "delta";
  indicator.part_is_bad = part_is_bad;
  indicator.independent = !nested;
  indicator.total = {options_.source, where(total)};
  indicator.part = {options_.source, where(part)};
  if (nested && part.size() == 1 && total.size() == 1) {
    // What holds for all events need not be said again.
    std::vector<std::string> extra;
    for (const std::string& condition : own(part.front())) {
      const auto known = own(total.front());
      if (std::find(known.begin(), known.end(), condition) == known.end()) {
        extra.push_back(condition);
      }
    }
    if (!extra.empty()) indicator.part.where = joined(extra);
  }
  return indicator;
}

// errors = E / total = T, or errors = T - G: then G are the good ones.
std::optional<slo::IndicatorSpec> Translator::from_sums(const Query& at, Sums errors, Sums total) {
  if (total.plus.empty() || !total.minus.empty()) {
    refuse(at, 0, "the total is a difference", "the total of events is a sum");
    return std::nullopt;
  }
  if (errors.minus.empty()) return build(at, std::move(errors.plus), std::move(total.plus), true);
  const auto key = [](const Terms& terms) {
    std::multiset<std::string> out;
    for (const auto& term : terms) {
      const bool whole = term.count || (term.bucket && !term.bound);
      out.insert((whole ? term.family + "_count" : term.metric) + "{" + joined(term.conditions) +
                 (term.bound ? term.bound->to_string() : "") + "}");
    }
    return out;
  };
  if (key(errors.plus) != key(total.plus)) {
    refuse(at, 0, "a difference is understood as total - good, and this is not the total",
           "errors: sum(rate(TOTAL[...])) - sum(rate(GOOD[...])), with the same TOTAL as in the "
           "total query");
    return std::nullopt;
  }
  return build(at, std::move(errors.minus), std::move(total.plus), false);
}

std::optional<slo::IndicatorSpec> Translator::ratio(const Query& errors, const Query& total) {
  const auto part = parse(errors);
  const auto whole = parse(total);
  Sums above;
  Sums below;
  if (!part || !whole || !collect(errors, *part, false, above) ||
      !collect(total, *whole, false, below)) {
    return std::nullopt;
  }
  return from_sums(errors, std::move(above), std::move(below));
}

std::optional<slo::IndicatorSpec> Translator::raw(const Query& errors) {
  const auto node = parse(errors);
  if (!node) return std::nullopt;
  const bool inverted = node->kind == Node::Kind::subtract && node->left->kind == Node::Kind::one;
  const Node& quotient = inverted ? *node->right : *node;
  if (quotient.kind != Node::Kind::divide) {
    refuse(errors, quotient.offset, "a ratio that is not a quotient of counts has no events",
           "sum(rate(ERRORS[{{.window}}])) / sum(rate(TOTAL[{{.window}}]))");
    return std::nullopt;
  }
  Sums above;
  Sums below;
  if (!collect(errors, *quotient.left, false, above) ||
      !collect(errors, *quotient.right, false, below)) {
    return std::nullopt;
  }
  if (!inverted) return from_sums(errors, std::move(above), std::move(below));
  if (!above.minus.empty() || !below.minus.empty()) {
    refuse(errors, quotient.offset, "a difference within 1 - GOOD / TOTAL", "write GOOD as a sum");
    return std::nullopt;
  }
  return build(errors, std::move(above.plus), std::move(below.plus), false);
}

std::optional<slo::IndicatorSpec> Translator::selectors(const Query& part, const Query& total,
                                                        bool part_is_bad) {
  const auto above = parse_selector(part);
  const auto below = parse_selector(total);
  if (!above || !below) return std::nullopt;
  auto inner = term_of(part, *above);
  auto outer = term_of(total, *below);
  if (!inner || !outer) return std::nullopt;
  Terms parts;
  Terms totals;
  parts.push_back(std::move(*inner));
  totals.push_back(std::move(*outer));
  return build(part, std::move(parts), std::move(totals), part_is_bad);
}

std::optional<slo::IndicatorSpec> Translator::gauge(const Query& metric) {
  const auto selector = parse_selector(metric);
  if (!selector) return std::nullopt;
  const auto term = term_of(metric, *selector);
  if (!term) return std::nullopt;
  auto all = term->conditions;
  all.insert(all.begin(), "metric = " + text_literal(term->metric));
  slo::IndicatorSpec indicator;
  indicator.total = {options_.source, joined(all)};
  indicator.part = {options_.source, "value = 1"};
  return indicator;
}

}  // namespace nines::agent::config
