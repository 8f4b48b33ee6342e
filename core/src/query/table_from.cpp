// FROM of a block that SQLite runs: its log sources become tables, what stands between them stays.
#include <algorithm>

#include "../expr/ascii.hpp"
#include "block_parser.hpp"
#include "scope.hpp"
#include "table_rewriter.hpp"

namespace nines::query {
namespace {

using expr::Sym;
using expr::Token;

size_t behind_parentheses(const std::vector<Token>& tokens, size_t open) {
  int depth = 0;
  for (size_t i = open; i < tokens.size(); ++i) {
    if (tokens[i].sym == Sym::left_paren) ++depth;
    if (tokens[i].sym == Sym::right_paren && --depth == 0) return i + 1;
  }
  return tokens.size() - 1;
}

}  // namespace

bool TableRewriter::has_from() {
  const size_t first = in_.position();
  bool found = false;
  for (size_t i = first + 1; i < scope_->behind && !found;) {
    in_.seek(i);
    found = in_.is_word("from");
    const bool inside = in_.peek().sym == Sym::left_paren;
    i = inside ? behind_parentheses(in_.tokens(), i) : i + 1;
  }
  in_.seek(first);
  return found;
}

// Without FROM: all sources.
void TableRewriter::all_logs() {
  TableScan scan;
  scan.source.kind = SourceRef::Kind::logs;
  scan.source.names = {"*"};
  add_log_source(std::move(scan), in_.peek().begin, in_.peek().begin);
  scope_->implicit_from = "FROM " + quoted_name(inputs_.back().table);
}

void TableRewriter::close_from(std::string& out) {
  if (!scope_->implicit_from.empty()) append(out, std::exchange(scope_->implicit_from, {}));
}

void TableRewriter::add_log_source(TableScan scan, size_t begin, size_t end) {
  Input input;
  input.table = "nines_" + std::to_string(inputs_.size());
  input.why_not_native = reason_;
  input.begin = begin;
  input.end = end;
  TableSource source;
  source.log = true;
  source.input = inputs_.size();
  source.alias = scan.source.alias.empty() ? input.table : scan.source.alias;
  finish_scan(scan.scan);
  input.what = std::move(scan);
  inputs_.push_back(std::move(input));
  scope_->sources.push_back(sources_.all.size());
  sources_.all.push_back(std::move(source));
}

std::string TableRewriter::take_alias() {
  if (in_.accept(Sym::kw_as) || may_be_alias(in_.peek())) return in_.take().text;
  return {};
}

bool TableRewriter::at_source_clause() const {
  if (in_.is_word("since") || in_.is_word("until")) {
    return in_.peek(1).sym == Sym::string || in_.is_word("now", 1);
  }
  if (in_.is_word("at")) return in_.is_word("nodes", 1);
  return in_.is_word("extract") && in_.peek(1).sym == Sym::identifier &&
         (in_.is_word("pattern", 2) || in_.is_word("regexp", 2));
}

Status TableRewriter::read_sources() {
  int depth = 0;
  bool in_from = false;
  bool table = false;  // one stands next
  for (size_t i = in_.position() + 1; i < scope_->behind;) {
    in_.seek(i);
    const Sym sym = in_.peek().sym;
    if (table && (sym == Sym::identifier || sym == Sym::string ||
                  (sym == Sym::left_paren && in_.is_word("select", 1)))) {
      NINES_CHECK(read_table(i));
      table = false;
      continue;
    }
    if (sym == Sym::left_paren && !table) {
      i = behind_parentheses(in_.tokens(), i);
      continue;
    }
    if (sym == Sym::left_paren) ++depth;
    if (sym == Sym::right_paren) --depth;
    for (const std::string_view word : {"where", "group", "having", "order", "limit", "window"}) {
      if (depth == 0 && in_.is_word(word)) in_from = table = false;
    }
    if (in_.is_word("from")) in_from = table = true;
    if (in_from && (in_.is_word("join") || sym == Sym::comma)) table = true;
    if (in_from && (in_.is_word("left") || in_.is_word("right") || in_.is_word("full"))) {
      scope_->outer_join = true;
    }
    if (depth == 0 && at_source_clause()) {
      NINES_CHECK(read_clauses());
      i = in_.position();
      continue;
    }
    ++i;
  }
  return Ok{};
}

Status TableRewriter::read_table(size_t& i) {
  const size_t first = i;
  if (sources_.all.size() >= 100) {
    return in_.fail(in_.peek(), "more than 100 tables in a block", Errc::exhausted);
  }
  if (at_log_source(in_)) {
    NINES_CHECK(read_log_source());
    i = in_.position();
    return Ok{};
  }
  TableSource source;
  std::string sql;
  const bool parentheses = in_.peek().sym == Sym::left_paren || in_.peek(1).sym == Sym::left_paren;
  if (in_.peek().sym != Sym::left_paren) {
    source.alias = in_.peek().text;
    const auto known = tables_.find(source.alias);
    if (known != tables_.end()) source.columns = known->second;
    copy(sql);
    if (parentheses) scope_->spans.push_back({first, in_.position(), std::exchange(sql, {})});
  }
  if (parentheses) in_.seek(behind_parentheses(in_.tokens(), in_.position()));
  const size_t alias_at = parentheses ? in_.position() : first;
  if (std::string alias = take_alias(); !alias.empty()) {
    source.alias = std::move(alias);
    sql += " AS " + quoted_name(source.alias);
  }
  if (in_.position() > alias_at) scope_->spans.push_back({alias_at, in_.position(), sql});
  scope_->sources.push_back(sources_.all.size());
  sources_.all.push_back(std::move(source));
  i = in_.position();
  return Ok{};
}

Status TableRewriter::read_log_source() {
  const size_t first = in_.position();
  TableScan scan;
  NINES_TRY(scan.source, parse_source(in_));
  SourceClauses clauses;
  const auto read_all = [&]() -> Status {
    while (at_source_clause()) {
      NINES_TRY(const bool taken, parse_source_clause(in_, now_, clauses));
      if (!taken) break;
    }
    return Ok{};
  };
  NINES_CHECK(read_all());
  scan.source.alias = take_alias();
  NINES_CHECK(read_all());
  scan.source.nodes = std::move(clauses.nodes);
  scan.scan.since = clauses.since;
  scan.scan.until = clauses.until;
  scan.scan.extracts = std::move(clauses.extracts);
  const std::string alias = scan.source.alias;
  add_log_source(std::move(scan), in_.tokens()[first].begin, in_.before().end);
  std::string sql = quoted_name(inputs_.back().table);
  if (!alias.empty()) sql += " AS " + quoted_name(alias);
  scope_->spans.push_back({first, in_.position(), std::move(sql)});
  return Ok{};
}

void TableRewriter::finish_scan(ScanPlan& scan) {
  scan.needs_time = scan.since || scan.until;
  for (const Extract& e : scan.extracts) {
    if (!contains(scan.fields, e.field)) scan.fields.push_back(e.field);
  }
}

// SINCE, UNTIL, EXTRACT, AT NODES elsewhere in the block: of its only log source.
Status TableRewriter::read_clauses() {
  const size_t first = in_.position();
  NINES_TRY(const size_t source, only_log_source(in_.peek()));
  TableScan& table = sources_.scan_of(source);
  SourceClauses clauses{table.source.nodes, table.scan.since, table.scan.until, {}};
  NINES_TRY(const bool taken, parse_source_clause(in_, now_, clauses));
  if (!taken) return Ok{};
  table.source.nodes = std::move(clauses.nodes);
  table.scan.since = clauses.since;
  table.scan.until = clauses.until;
  for (Extract& e : clauses.extracts) table.scan.extracts.push_back(std::move(e));
  finish_scan(table.scan);
  scope_->spans.push_back({first, in_.position(), ""});
  return Ok{};
}

// USING (a, b) of tables whose columns have other names.
Status TableRewriter::using_columns() {
  return in_.fail(in_.peek(), "USING can't know the fields of logs; write ON a.x = b.x");
}

}  // namespace nines::query
