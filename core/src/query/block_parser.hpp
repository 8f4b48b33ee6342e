// The grammar of a log block (README.md). Errors with Errc::unsupported mean: not of this grammar,
// but SQLite may know it; their message is the reason.
#pragma once

#include "../expr/reader.hpp"
#include "block_host.hpp"
#include "syntax.hpp"

namespace nines::query {

struct BlockContext {
  WallTime now;
  // Part of UNION and the like: ORDER BY and LIMIT behind it belong to the whole.
  bool compound = false;
};

// REQUIRES a reader made with `host`, standing at SELECT. Afterwards it stands behind the block.
Result<BlockSyntax> parse_block(expr::Reader& reader, BlockHost& host, const BlockContext& context);

// Does a log source begin here (behind FROM, JOIN or a comma)?
bool at_log_source(const expr::Reader& reader);
// logs('x'), files('a', 'b'), FORMAT json, stdin, '/var/log/x.log'; then AT NODES (...).
Result<SourceRef> parse_source(expr::Reader& reader);
// AT NODES, SINCE, UNTIL and EXTRACT belong to the source; true when one of them was taken.
struct SourceClauses {
  std::vector<std::string> nodes;
  std::optional<WallTime> since, until;
  std::vector<Extract> extracts;
};
Result<bool> parse_source_clause(expr::Reader& reader, WallTime now, SourceClauses& out);

// Clauses of their own files; the reader stands behind the first word.
Result<SessionSyntax> parse_session(expr::Reader& reader, BlockHost& host);
Result<MatchSyntax> parse_sequence(expr::Reader& reader, BlockHost& host);
Result<MatchSyntax> parse_match_recognize(expr::Reader& reader, BlockHost& host);
Result<ContextSpec> parse_context(expr::Reader& reader);

// A name that may follow without AS: quoted, or no word of a clause.
bool may_be_alias(const expr::Token& token);
// "expected" with the nearest of `words` to what stands there.
Error unexpected_word(const expr::Reader& reader, std::string_view expected,
                      std::span<const std::string_view> words);
Result<uint64_t> read_count(expr::Reader& reader, std::string_view what);
// k [, k]...
Result<std::vector<NodePtr>> parse_keys(expr::Reader& reader);

}  // namespace nines::query
