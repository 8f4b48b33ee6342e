#include "statement_options.hpp"

#include <algorithm>

#include "../expr/ascii.hpp"
#include "block_host.hpp"
#include "block_parser.hpp"

namespace nines::query {
namespace {

using expr::Reader;
using expr::Sym;
using expr::Token;

constexpr std::string_view kOptions[] = {"deadline", "partial", "max_memory", "lateness"};

// '64MB', '512KiB', '1GB', '1000000'; powers of 1024.
std::optional<uint64_t> parse_bytes(std::string_view text) {
  struct Unit {
    std::string_view name;
    int shift;
  };
  constexpr Unit kUnits[] = {{"", 0},     {"B", 0},  {"KB", 10}, {"KiB", 10}, {"K", 10}, {"MB", 20},
                             {"MiB", 20}, {"M", 20}, {"GB", 30}, {"GiB", 30}, {"G", 30}};
  size_t digits = 0;
  uint64_t number = 0;
  constexpr size_t kMostDigits = 12;
  for (; digits < text.size() && expr::is_digit(text[digits]); ++digits) {
    if (digits >= kMostDigits) return std::nullopt;
    number = number * 10 + static_cast<uint64_t>(text[digits] - '0');
  }
  if (digits == 0) return std::nullopt;
  for (const Unit& unit : kUnits) {
    if (!expr::equals_ignoring_case(unit.name, text.substr(digits))) continue;
    return number > (UINT64_MAX >> unit.shift) ? std::nullopt
                                               : std::optional<uint64_t>(number << unit.shift);
  }
  return std::nullopt;
}

Status read_option(Reader& reader, Statement& out) {
  const Token& name = reader.peek();
  const bool known = std::any_of(std::begin(kOptions), std::end(kOptions),
                                 [&](auto option) { return reader.is_word(option); });
  if (!known) {
    return unexpected_word(reader, "an option: deadline, partial, max_memory or lateness",
                           kOptions);
  }
  reader.take();
  NINES_CHECK(reader.expect(Sym::eq, "'=' after " + name.text));
  if (expr::equals_ignoring_case(name.text, "partial")) {
    const bool allow = reader.peek().text == "allow";
    if (reader.peek().sym != Sym::string || (!allow && reader.peek().text != "refuse")) {
      return reader.unexpected("'allow' or 'refuse'");
    }
    out.allow_partial = allow;
    reader.take();
  } else if (expr::equals_ignoring_case(name.text, "max_memory")) {
    const auto bytes =
        reader.peek().sym == Sym::string ? parse_bytes(reader.peek().text) : std::nullopt;
    if (!bytes || *bytes == 0) return reader.unexpected("a size in quotes, such as '64MB'");
    out.max_memory = bytes;
    reader.take();
  } else {
    NINES_TRY(const int64_t ns, read_duration(reader, name.text + " ="));
    if (expr::equals_ignoring_case(name.text, "deadline")) {
      out.deadline_ns = ns;
    } else {
      out.lateness_ns = ns;
    }
  }
  return Ok{};
}

bool starts_native_clause(const Reader& reader, size_t i) {
  const Sym next = reader.peek(i + 1).sym;
  if (reader.is_word("session", i) || reader.is_word("sequence", i)) {
    return reader.is_word("by", i + 1) || reader.is_word("within", i + 1) ||
           (next == Sym::left_paren && reader.is_word("sequence", i));
  }
  if (reader.is_word("context", i)) return next == Sym::number;
  if (reader.is_word("anomaly", i) || reader.is_word("match_recognize", i)) {
    return next == Sym::left_paren;
  }
  return false;
}

}  // namespace

bool is_set_operator(const Reader& reader, size_t ahead) {
  return reader.is_word("union", ahead) || reader.is_word("intersect", ahead) ||
         reader.is_word("except", ahead);
}

Result<size_t> read_options(Reader& reader, Statement& out) {
  const size_t first = reader.position();
  const std::vector<Token>& tokens = reader.tokens();
  size_t behind = tokens.size() - 1;
  while (behind > first && tokens[behind - 1].sym == Sym::other && tokens[behind - 1].text == ";") {
    --behind;
  }
  int depth = 0;
  for (size_t i = first; i < behind; ++i) {
    if (tokens[i].sym == Sym::left_paren) ++depth;
    if (tokens[i].sym == Sym::right_paren) --depth;
    reader.seek(i);
    const bool options =
        depth == 0 && i > first && reader.is_word("with") && reader.peek(1).sym == Sym::left_paren;
    if (!options) continue;
    reader.take();
    reader.take();
    do {
      NINES_CHECK(read_option(reader, out));
    } while (reader.accept(Sym::comma));
    NINES_CHECK(reader.expect(Sym::right_paren, "',' or ')' after an option"));
    if (reader.position() != behind) return reader.unexpected("the end after WITH (...)");
    behind = i;
  }
  reader.seek(first);
  return behind;
}

SelectShape shape_of(Reader& reader) {
  SelectShape out;
  int depth = 0;
  bool in_from = false;
  const size_t first = reader.position();
  for (size_t back = 1; back <= 2 && first >= back; ++back) {
    reader.seek(first - back);
    const bool all = back == 1 && reader.is_word("all");
    if (is_set_operator(reader, 0)) out.compound = true;
    if (!all) break;
  }
  reader.seek(first);
  size_t i = 1;
  for (; reader.peek(i).sym != Sym::end; ++i) {
    const Sym sym = reader.peek(i).sym;
    if (sym == Sym::right_paren && --depth < 0) break;
    if (depth == 0) {
      if (reader.is_other(';', i)) break;
      if (is_set_operator(reader, i)) {
        out.compound = true;
        break;
      }
      if (reader.is_word("with", i) && reader.peek(i + 1).sym == Sym::left_paren) break;
      const bool from = reader.is_word("from", i) && !out.has_from;
      if (from) out.has_from = in_from = true;
      for (const std::string_view word : {"where", "group", "having", "order", "limit", "window"}) {
        if (reader.is_word(word, i)) in_from = false;
      }
      if (from || (in_from && (reader.is_word("join", i) || sym == Sym::comma))) {
        reader.seek(first + i + 1);
        out.tables += !(sym == Sym::comma && reader.is_word("format"));
        out.log_sources += at_log_source(reader);
        reader.seek(first);
      }
      if (starts_native_clause(reader, i)) out.native_only = true;
    }
    if (sym == Sym::left_paren) ++depth;
  }
  out.behind = first + i;
  return out;
}

}  // namespace nines::query
