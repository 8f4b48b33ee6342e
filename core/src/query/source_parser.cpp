// FROM and what belongs to a source: format, nodes, time range, EXTRACT.
#include <algorithm>

#include "../expr/ascii.hpp"
#include "block_parser.hpp"
#include "nines/log/format.hpp"
#include "nines/query/extract.hpp"

namespace nines::query {
namespace {

using expr::Reader;
using expr::Sym;
using expr::Token;

bool is_path(const Token& t) {
  if (t.sym == Sym::string) return true;
  if (t.sym != Sym::identifier) return false;
  return t.text.find_first_of(t.quoted ? "/.*" : ".") != std::string::npos;
}

Status parse_format(Reader& reader, SourceRef& out) {
  const Token& name = reader.peek();
  if (name.sym != Sym::identifier && name.sym != Sym::string) {
    return reader.unexpected("a format after FORMAT: json, nginx, logfmt, syslog, csv, ...");
  }
  out.format = reader.take().text;
  if (reader.peek().sym == Sym::string) out.pattern = reader.take().text;
  if (out.format == "auto") return Ok{};
  const auto known = log::format_from_name(out.format, out.pattern);
  if (!known.ok()) return reader.fail(name, known.error().message, known.error().code);
  return Ok{};
}

// ('a', 'b' [, FORMAT x])
Status parse_names(Reader& reader, SourceRef& out) {
  reader.take();  // (
  while (reader.peek().sym == Sym::string) {
    if (reader.peek().text.empty()) return reader.fail(reader.peek(), "the name '' is empty");
    out.names.push_back(reader.take().text);
    if (!reader.accept(Sym::comma)) break;
  }
  const bool logs = out.kind == SourceRef::Kind::logs;
  if (out.names.empty() && logs && reader.peek().sym == Sym::right_paren) out.names = {"*"};
  if (out.names.empty()) {
    return reader.unexpected(logs ? "the name of a source in quotes: logs('app-*')"
                                  : "a path in quotes: files('/var/log/nginx/*.log')");
  }
  if (reader.accept_word("format")) NINES_CHECK(parse_format(reader, out));
  return reader.expect(Sym::right_paren, "',' or ')' after the names of the source");
}

// ('name' [, 'what to ask there'])
Status parse_remote(Reader& reader, SourceRef& out) {
  reader.take();  // (
  const bool named = reader.peek().sym == Sym::string && !reader.peek().text.empty();
  if (!named) {
    return reader.unexpected("the name of an entry of remotes: in nines.yaml: remote('central')");
  }
  out.names = {reader.take().text};
  if (reader.accept(Sym::comma)) {
    if (reader.peek().sym != Sym::string) {
      return reader.unexpected("a query in the words of that system, in quotes");
    }
    out.pattern = reader.take().text;
  }
  return reader.expect(Sym::right_paren, "')' after the name and the query of the remote");
}

Status parse_nodes(Reader& reader, std::vector<std::string>& out) {
  reader.take();
  reader.take();  // AT NODES
  NINES_CHECK(reader.expect(Sym::left_paren, "'(' after AT NODES"));
  do {
    if (reader.peek().sym != Sym::string) return reader.unexpected("the name of a node in quotes");
    out.push_back(reader.take().text);
  } while (reader.accept(Sym::comma));
  return reader.expect(Sym::right_paren, "',' or ')' after the names of nodes");
}

// '-2h', '2026-11-21 10:00', 'now', 'today', 'yesterday', now().
Result<WallTime> parse_moment(Reader& reader, WallTime now, std::string_view clause) {
  constexpr int64_t kNsPerDay = 86'400 * kNsPerSecond;
  const WallTime today{now.ns - (now.ns % kNsPerDay + kNsPerDay) % kNsPerDay};
  if (reader.is_word("now") && reader.peek(1).sym == Sym::left_paren) {
    reader.take();
    reader.take();
    NINES_CHECK(reader.expect(Sym::right_paren, "')' after now("));
    return now;
  }
  const std::string expected = "a time after " + std::string(clause) +
                               ": '-2h' (two hours ago), '2026-11-21 10:00', 'today' or now()";
  if (reader.peek().sym != Sym::string) return reader.unexpected(expected);
  const std::string& text = reader.peek().text;
  WallTime moment;
  if (const Value time = expr::parse_time(text); !time.is_null()) {
    moment = {time.time_ns};
  } else if (expr::equals_ignoring_case(text, "now")) {
    moment = now;
  } else if (expr::equals_ignoring_case(text, "today")) {
    moment = today;
  } else if (expr::equals_ignoring_case(text, "yesterday")) {
    moment = {today.ns - kNsPerDay};
  } else if (const auto ns = expr::parse_duration_ns(text)) {
    const int64_t ago = *ns < 0 ? -*ns : *ns;  // '2h' is as good as '-2h'
    if (__builtin_sub_overflow(now.ns, ago, &moment.ns)) return reader.unexpected(expected);
  } else {
    return reader.unexpected(expected);
  }
  reader.take();
  return moment;
}

// Behind EXTRACT: field PATTERN '...' | field REGEXP '...'
Result<Extract> parse_extract(Reader& reader) {
  Extract out;
  if (reader.peek().sym != Sym::identifier) {
    return reader.unexpected("the field to extract from: EXTRACT message PATTERN 'in <ms:num>ms'");
  }
  out.field = reader.take().text;
  if (reader.accept_word("pattern")) {
    out.kind = Extract::Kind::pattern;
  } else if (reader.accept(Sym::kw_regexp)) {
    out.kind = Extract::Kind::regexp;
  } else {
    return reader.unexpected("PATTERN or REGEXP after the field of EXTRACT");
  }
  const Token& text = reader.peek();
  if (text.sym != Sym::string) return reader.unexpected("the pattern in quotes");
  out.text = reader.take().text;
  size_t at = 0;
  auto names = extract_names(out.kind, out.text, &at);
  if (!names.ok()) {
    // Within the quotes, unless these hold doubled ones.
    const bool raw = reader.source()[text.begin] != '\'';
    const size_t begin = text.begin + (raw ? 2 : 1);
    const bool plain = reader.source().substr(begin, out.text.size()) == out.text;
    const size_t place = plain ? begin + std::min(at, out.text.size()) : text.begin;
    return expr::error_at(reader.source(), place, names.error().message, names.error().code);
  }
  out.names = std::move(*names);
  return out;
}

}  // namespace

bool at_log_source(const Reader& reader) {
  for (const std::string_view word : {"logs", "files", "remote"}) {
    if (reader.is_word(word) && reader.peek(1).sym == Sym::left_paren) return true;
  }
  return is_path(reader.peek()) || reader.is_word("stdin");
}

Result<SourceRef> parse_source(Reader& reader) {
  SourceRef out;
  const Token& t = reader.peek();
  if (reader.peek(1).sym == Sym::left_paren && t.sym == Sym::identifier) {
    if (reader.is_word("logs")) {
      out.kind = SourceRef::Kind::logs;
    } else if (reader.is_word("files")) {
      out.kind = SourceRef::Kind::files;
    } else if (reader.is_word("remote")) {
      out.kind = SourceRef::Kind::remote;
    } else {
      constexpr std::string_view kSources[] = {"logs", "files", "remote"};
      return unexpected_word(reader, "logs('name'), files('glob') or remote('name')", kSources);
    }
    reader.take();
    if (out.kind == SourceRef::Kind::remote) {
      NINES_CHECK(parse_remote(reader, out));
      return out;
    }
    NINES_CHECK(parse_names(reader, out));
  } else if (is_path(t)) {
    out.names = {reader.take().text};
  } else if (reader.accept_word("stdin")) {
    out.names = {"-"};
  } else {
    return reader.unexpected("a log source: logs('name'), files('glob'), stdin or '/path'");
  }
  const bool comma = reader.peek().sym == Sym::comma && reader.is_word("format", 1);
  if (comma || reader.is_word("format")) {
    reader.take();
    if (comma) reader.take();
    NINES_CHECK(parse_format(reader, out));
  }
  return out;
}

Result<bool> parse_source_clause(Reader& reader, WallTime now, SourceClauses& out) {
  if (reader.is_word("at") && reader.is_word("nodes", 1)) {
    NINES_CHECK(parse_nodes(reader, out.nodes));
  } else if (reader.accept_word("since")) {
    NINES_TRY(out.since, parse_moment(reader, now, "SINCE"));
  } else if (reader.accept_word("until")) {
    NINES_TRY(out.until, parse_moment(reader, now, "UNTIL"));
  } else if (reader.accept_word("extract")) {
    do {
      NINES_TRY(Extract extract, parse_extract(reader));
      out.extracts.push_back(std::move(extract));
    } while (reader.accept_other('|') && (reader.accept_word("extract") || true));
  } else {
    return false;
  }
  return true;
}

}  // namespace nines::query
