#include "block_parser.hpp"

#include <algorithm>

#include "../expr/ascii.hpp"
#include "nines/log/format.hpp"

namespace nines::query {
namespace {

using expr::Reader;
using expr::Sym;
using expr::Token;

constexpr std::string_view kClauses[] = {
    "FROM",    "AT NODES", "SINCE",    "UNTIL", "EXTRACT", "WHERE",  "GROUP BY",       "HAVING",
    "CONTEXT", "SESSION",  "SEQUENCE", "ORDER", "LIMIT",   "OFFSET", "MATCH_RECOGNIZE"};

// Words that can't be an alias without AS.
constexpr std::string_view kNoAlias[] = {
    "from",      "at",     "since",  "until",           "extract",
    "where",     "group",  "having", "context",         "session",
    "sequence",  "order",  "limit",  "offset",          "union",
    "intersect", "except", "with",   "match_recognize", "join",
    "left",      "right",  "inner",  "cross",           "natural",
    "full",      "on",     "using",  "window",          "format",
    "over",      "collate"};

class BlockParser {
 public:
  BlockParser(Reader& reader, BlockHost& host, const BlockContext& context)
      : in_(reader), host_(host), context_(context) {}

  Result<BlockSyntax> run() {
    out_.begin = in_.take().begin;  // SELECT
    if (in_.accept_word("distinct")) {
      out_.distinct = true;
    } else {
      in_.accept_word("all");
    }
    NINES_CHECK(find_alias());
    NINES_CHECK(items());
    NINES_CHECK(from());
    while (!at_end()) NINES_CHECK(clause());
    out_.end = in_.before().end;
    out_.aggregates = std::move(host_.aggregates);
    out_.anomalies = std::move(host_.anomalies);
    return std::move(out_);
  }

 private:
  // Names of the SELECT list may begin with the alias that stands behind it.
  Status find_alias() {
    const size_t first = in_.position();
    int depth = 0;
    for (; in_.peek().sym != Sym::end && depth >= 0; in_.take()) {
      if (in_.peek().sym == Sym::left_paren) ++depth;
      if (in_.peek().sym == Sym::right_paren) --depth;
      if (depth == 0 && in_.is_word("from")) break;
    }
    if (in_.is_word("from")) {
      NINES_CHECK(from());
      host_.set_alias(out_.source.alias);
    }
    in_.seek(first);
    return Ok{};
  }

  bool at_end() const {
    const Sym sym = in_.peek().sym;
    if (sym == Sym::end || sym == Sym::right_paren || in_.is_other(';')) return true;
    if (in_.is_word("union") || in_.is_word("intersect") || in_.is_word("except")) return true;
    if (in_.is_word("with") && in_.peek(1).sym == Sym::left_paren) return true;
    return context_.compound && (in_.is_word("order") || in_.is_word("limit"));
  }

  Error unsupported(std::string_view what) const {
    return in_.fail(in_.peek(), what, Errc::unsupported);
  }

  Status items() {
    host_.enter("the SELECT list", true);
    do {
      ItemSyntax item;
      item.begin = in_.peek().begin;
      if (!in_.accept(Sym::star)) {
        NINES_TRY(item.tree, in_.expression());
        NINES_CHECK(alias(item));
      }
      item.end = in_.before().end;
      out_.items.push_back(std::move(item));
    } while (in_.accept(Sym::comma));
    return Ok{};
  }

  Status alias(ItemSyntax& item) {
    if (in_.accept(Sym::kw_as)) {
      const Token& t = in_.peek();
      const bool name = t.sym == Sym::identifier || t.sym == Sym::string || t.sym == Sym::kw_end;
      if (!name) return in_.unexpected("a name after AS");
      item.alias = in_.take().text;
    } else if (may_be_alias(in_.peek())) {
      item.alias = in_.take().text;
    } else if (in_.is_word("collate") || in_.is_other('&') || in_.is_other('|') ||
               in_.is_other('.')) {
      return unsupported("an operator of SQLite");
    }
    return Ok{};
  }

  Status from() {
    if (!in_.accept_word("from")) {
      out_.source.kind = SourceRef::Kind::logs;
      out_.source.names = {"*"};
      return Ok{};
    }
    NINES_TRY(out_.source, parse_source(in_));
    if (in_.accept(Sym::kw_as)) {
      if (in_.peek().sym != Sym::identifier) return in_.unexpected("a name after AS");
      out_.source.alias = in_.take().text;
    } else if (may_be_alias(in_.peek()) && !looks_like_clause()) {
      out_.source.alias = in_.take().text;
    }
    return Ok{};
  }

  // "FROM logs('x') WEHRE a > 1": a mistyped clause is no alias.
  bool looks_like_clause() const {
    const Token& next = in_.peek(1);
    if (in_.peek().quoted || next.sym == Sym::end || next.sym == Sym::right_paren) return false;
    if (next.sym != Sym::identifier && next.sym != Sym::string && next.sym != Sym::number) {
      return false;
    }
    if (next.sym == Sym::identifier && !may_be_alias(next) && !next.quoted) return false;
    const std::string& word = in_.peek().text;
    return next.sym == Sym::identifier ||
           std::any_of(std::begin(kClauses), std::end(kClauses),
                       [&](auto clause) { return expr::edit_distance(clause, word) <= 2; });
  }

  // Each clause once; the order does not matter but for WHERE and MATCH_RECOGNIZE.
  Status once(std::string_view name) {
    if (std::find(seen_.begin(), seen_.end(), name) != seen_.end()) {
      return in_.fail(in_.before(), std::string(name) + " is given twice");
    }
    seen_.push_back(name);
    return Ok{};
  }
  bool has(std::string_view name) const {
    return std::find(seen_.begin(), seen_.end(), name) != seen_.end();
  }

  Status clause() {
    SourceClauses source{out_.source.nodes, out_.since, out_.until, {}};
    if (in_.is_word("since")) NINES_CHECK(once("SINCE"));
    if (in_.is_word("until")) NINES_CHECK(once("UNTIL"));
    NINES_TRY(const bool taken, parse_source_clause(in_, context_.now, source));
    if (taken) {
      out_.source.nodes = std::move(source.nodes);
      out_.since = source.since;
      out_.until = source.until;
      for (Extract& e : source.extracts) out_.extracts.push_back(std::move(e));
      return check_range();
    }
    if (in_.accept_word("where")) return where();
    if (in_.accept_word("group")) return group_by();
    if (in_.accept_word("having")) return having();
    if (in_.accept_word("order")) return order_by();
    if (in_.accept_word("limit")) return limit();
    if (in_.accept_word("offset")) {
      NINES_TRY(out_.offset, read_count(in_, "OFFSET"));
      return once("OFFSET");
    }
    return log_clause();
  }

  Status log_clause() {
    if (in_.accept_word("context")) {
      NINES_CHECK(once("CONTEXT"));
      NINES_TRY(out_.context, parse_context(in_));
      return Ok{};
    }
    const bool session = in_.is_word("session");
    const bool sequence = in_.is_word("sequence");
    if (!session && !sequence && !in_.is_word("match_recognize")) return no_clause();
    const Token& name = in_.take();
    if (out_.session || out_.match) {
      return in_.fail(name, "a block has one of SESSION, SEQUENCE and MATCH_RECOGNIZE");
    }
    if (session) {
      NINES_TRY(out_.session, parse_session(in_, host_));
      return Ok{};
    }
    NINES_TRY(out_.match,
              sequence ? parse_sequence(in_, host_) : parse_match_recognize(in_, host_));
    if (!sequence && may_be_alias(in_.peek())) in_.take();
    out_.match->offset = name.begin;
    return Ok{};
  }

  Status no_clause() const {
    if (in_.peek().sym == Sym::comma) return unsupported("several sources");
    for (const std::string_view word :
         {"join", "left", "right", "inner", "cross", "natural", "full"}) {
      if (in_.is_word(word)) return unsupported("a join");
    }
    if (in_.is_word("window")) return unsupported("a window function");
    if (in_.is_word("collate") || in_.is_other('&') || in_.is_other('|')) {
      return unsupported("an operator of SQLite");
    }
    return unexpected_word(in_, "a clause (WHERE, GROUP BY, ORDER BY, LIMIT, ...) or the end",
                           kClauses);
  }

  Status check_range() const {
    if (out_.since && out_.until && *out_.until < *out_.since) {
      return in_.fail(in_.before(), "UNTIL is before SINCE: no record can be in the range");
    }
    return Ok{};
  }

  Status where() {
    const bool after = out_.match && !out_.match->sequence;
    NINES_CHECK(once(after ? "WHERE behind MATCH_RECOGNIZE" : "WHERE"));
    host_.enter("WHERE", false);
    NINES_TRY(NodePtr tree, in_.expression());
    (after ? out_.where_after : out_.where) = std::move(tree);
    return Ok{};
  }

  Status group_by() {
    NINES_CHECK(once("GROUP BY"));
    if (!in_.accept_word("by")) return in_.unexpected("BY after GROUP");
    host_.enter("GROUP BY", false);
    NINES_TRY(out_.group_by, parse_keys(in_));
    return Ok{};
  }

  Status having() {
    NINES_CHECK(once("HAVING"));
    host_.enter("HAVING", true);
    out_.having_offset = in_.before().begin;
    NINES_TRY(out_.having, in_.expression());
    return Ok{};
  }

  Status order_by() {
    NINES_CHECK(once("ORDER BY"));
    if (!in_.accept_word("by")) return in_.unexpected("BY after ORDER");
    host_.enter("ORDER BY", true);
    do {
      OrderSyntax key;
      NINES_TRY(key.tree, in_.expression());
      if (in_.is_word("collate")) return unsupported("COLLATE");
      if (in_.accept_word("desc")) {
        key.descending = true;
      } else {
        in_.accept_word("asc");
      }
      if (in_.accept_word("nulls")) {
        if (!in_.is_word("first") && !in_.is_word("last")) return in_.unexpected("FIRST or LAST");
        key.nulls_first = in_.is_word("first");
        in_.take();
      }
      out_.order_by.push_back(std::move(key));
    } while (in_.accept(Sym::comma));
    return Ok{};
  }

  Status limit() {
    NINES_CHECK(once("LIMIT"));
    NINES_TRY(uint64_t first, read_count(in_, "LIMIT"));
    if (in_.accept(Sym::comma)) {  // LIMIT offset, count
      NINES_CHECK(once("OFFSET"));
      out_.offset = first;
      NINES_TRY(first, read_count(in_, "LIMIT"));
    }
    out_.limit = first;
    return Ok{};
  }

  Reader& in_;
  BlockHost& host_;
  const BlockContext& context_;
  BlockSyntax out_;
  std::vector<std::string_view> seen_;
};

}  // namespace

bool may_be_alias(const Token& t) {
  if (t.sym != Sym::identifier) return false;
  return t.quoted || std::none_of(std::begin(kNoAlias), std::end(kNoAlias), [&](auto word) {
           return expr::equals_ignoring_case(word, t.text);
         });
}

Error unexpected_word(const Reader& reader, std::string_view expected,
                      std::span<const std::string_view> words) {
  std::string_view nearest;
  size_t best = 3;
  for (const std::string_view word : words) {
    const std::string_view first = word.substr(0, word.find(' '));
    const size_t distance = expr::edit_distance(first, reader.peek().text.substr(0, 32));
    if (distance > 0 && distance < best && reader.peek().sym == Sym::identifier) {
      best = distance;
      nearest = word;
    }
  }
  std::string what = "unexpected " + reader.shown(reader.peek());
  what += nearest.empty() ? "; expected " + std::string(expected)
                          : "; did you mean " + std::string(nearest) + "?";
  return reader.fail(reader.peek(), what);
}

Result<uint64_t> read_count(Reader& reader, std::string_view what) {
  const Token& t = reader.peek();
  const auto number =
      t.sym == Sym::number ? Decimal::parse(t.text) : std::optional<Decimal>(std::nullopt);
  if (!number || number->exponent != 0) {
    return reader.unexpected("a whole number after " + std::string(what));
  }
  reader.take();
  return static_cast<uint64_t>(number->mantissa);
}

Result<std::vector<NodePtr>> parse_keys(Reader& reader) {
  std::vector<NodePtr> keys;
  do {
    NINES_TRY(NodePtr key, reader.expression());
    keys.push_back(std::move(key));
  } while (reader.accept(Sym::comma));
  return keys;
}

Result<BlockSyntax> parse_block(Reader& reader, BlockHost& host, const BlockContext& context) {
  return BlockParser(reader, host, context).run();
}

}  // namespace nines::query
