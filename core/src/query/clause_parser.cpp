// CONTEXT, SESSION and SEQUENCE.
#include <algorithm>

#include "../expr/ascii.hpp"
#include "block_parser.hpp"
#include "pattern_host.hpp"

namespace nines::query {
namespace {

using expr::Reader;
using expr::Sym;
using expr::Token;

constexpr uint64_t kMaxContext = 1'000'000;

Result<uint32_t> context_count(Reader& reader) {
  const Token& t = reader.peek();
  NINES_TRY(const uint64_t count, read_count(reader, "CONTEXT"));
  if (count > kMaxContext) return reader.fail(t, "CONTEXT takes at most 1000000 records");
  return static_cast<uint32_t>(count);
}

Status session_option(Reader& reader, SessionSyntax& out) {
  if (reader.accept_word("idle")) {
    NINES_TRY(out.idle_ns, read_duration(reader, "IDLE"));
  } else if (reader.accept_word("max")) {
    NINES_TRY(out.max_ns, read_duration(reader, "MAX"));
  } else {
    const bool start = reader.is_word("start");
    reader.take();
    if (!reader.accept(Sym::kw_when)) return reader.unexpected("WHEN and a condition");
    NINES_TRY((start ? out.start_when : out.end_when), reader.expression());
  }
  return Ok{};
}

// A key right in front of the steps looks like a call: BY k (a: ...).
bool before_steps(const Reader& reader) {
  if (reader.peek().sym != Sym::identifier || reader.peek(1).sym != Sym::left_paren) return false;
  const size_t name = reader.peek(2).sym == Sym::kw_not ? 3 : 2;
  return reader.peek(name).sym == Sym::identifier && reader.is_other(':', name + 1);
}

Result<std::vector<NodePtr>> sequence_keys(Reader& reader) {
  std::vector<NodePtr> keys;
  do {
    if (before_steps(reader)) {
      keys.push_back(field_node(reader.peek().text, reader.peek().begin));
      reader.take();
      break;
    }
    NINES_TRY(NodePtr key, reader.expression());
    keys.push_back(std::move(key));
  } while (reader.accept(Sym::comma));
  return keys;
}

// Names of the steps: each word with ':' behind it on the level of the list.
std::vector<std::string> step_names(const Reader& reader) {
  std::vector<std::string> names;
  int depth = 0;
  for (size_t i = 0; reader.peek(i).sym != Sym::end; ++i) {
    const Sym sym = reader.peek(i).sym;
    if (sym == Sym::left_paren) ++depth;
    if (sym == Sym::right_paren && --depth == 0) break;
    if (depth == 1 && sym == Sym::identifier && reader.is_other(':', i + 1)) {
      names.push_back(reader.peek(i).text);
    }
  }
  return names;
}

class SequenceParser {
 public:
  SequenceParser(Reader& reader, BlockHost& host, PatternHost& steps)
      : in_(reader), host_(host), steps_(steps) {}

  Status run(MatchSyntax& out) {
    NINES_CHECK(in_.expect(Sym::left_paren, "'(' and the steps of SEQUENCE: (a: x = 1, b: y = 2)"));
    do {
      NINES_CHECK(step(out));
    } while (in_.accept(Sym::comma));
    NINES_CHECK(in_.expect(Sym::right_paren, "',' or ')' after a step of SEQUENCE"));
    out.pattern.kind = PatternNode::Kind::sequence;
    const auto& kids = out.pattern.kids;
    const bool any = std::any_of(kids.begin(), kids.end(), [](const PatternNode& n) {
      return n.kind != PatternNode::Kind::absent;
    });
    if (!any) return in_.fail(in_.before(), "a sequence needs a step that is not NOT");
    return Ok{};
  }

 private:
  Status step(MatchSyntax& out) {
    const Token& begin = in_.peek();
    const bool absent = in_.accept(Sym::kw_not);
    if (absent && out.pattern.kids.empty()) {
      return in_.fail(begin,
                      "a sequence can't begin with NOT: nothing says from when on the step must be "
                      "absent; hint: begin with the event that opens it");
    }
    const Token& name = in_.peek();
    if (name.sym != Sym::identifier || !in_.is_other(':', 1)) {
      return in_.unexpected("a step: name, ':' and a condition, such as a: status = 500");
    }
    for (const PatternTree& known : out.define) {
      if (expr::equals_ignoring_case(known.name, name.text)) {
        return in_.fail(name, "the step '" + name.text + "' is there twice");
      }
    }
    PatternTree condition;
    condition.name = name.text;
    in_.take();
    in_.take();  // :
    steps_.enter(condition.name);
    in_.use(&steps_);
    auto tree = in_.expression();
    in_.use(&host_);
    if (!tree.ok()) return tree.error();
    condition.tree = std::move(*tree);
    condition.terms = steps_.take_terms();
    PatternNode node;
    node.kind = absent ? PatternNode::Kind::absent : PatternNode::Kind::variable;
    node.name = condition.name;
    out.pattern.kids.push_back(std::move(node));
    out.define.push_back(std::move(condition));
    return Ok{};
  }

  Reader& in_;
  BlockHost& host_;
  PatternHost& steps_;
};

Status rows_option(Reader& reader, MatchSyntax& out) {
  const bool all = reader.is_word("all");
  if (!all && !reader.is_word("one")) return Ok{};
  reader.take();
  if (!reader.accept_word(all ? "rows" : "row") && !reader.accept_word("rows")) {
    return reader.unexpected(all ? "ROWS after ALL" : "ROW after ONE");
  }
  out.rows = all ? MatchStage::Rows::all : MatchStage::Rows::one;
  if (reader.accept_word("per") && !reader.accept_word("match")) {
    return reader.unexpected("MATCH after PER");
  }
  return Ok{};
}

}  // namespace

// n BEFORE [m AFTER] | n AFTER | n, then [BY field] [WITHIN '10s']
Result<ContextSpec> parse_context(Reader& reader) {
  ContextSpec out;
  NINES_TRY(const uint32_t first, context_count(reader));
  if (reader.accept_word("after")) {
    out.after = first;
  } else if (reader.accept_word("before")) {
    out.before = first;
    if (reader.peek().sym == Sym::number) {
      NINES_TRY(out.after, context_count(reader));
      if (!reader.accept_word("after")) return reader.unexpected("AFTER");
    }
  } else if (reader.peek().sym == Sym::number) {
    return reader.unexpected("BEFORE or AFTER");
  } else {
    out.before = out.after = first;
  }
  if (reader.accept_word("by")) {
    if (reader.peek().sym != Sym::identifier) return reader.unexpected("file or a field after BY");
    out.by = reader.take().text;
    if (expr::equals_ignoring_case(out.by, "file")) out.by.clear();
  }
  if (reader.accept_word("within")) {
    NINES_TRY(out.within_ns, read_duration(reader, "WITHIN"));
  }
  return out;
}

Result<SessionSyntax> parse_session(Reader& reader, BlockHost& host) {
  SessionSyntax out;
  host.enter("SESSION", false);
  if (!reader.accept_word("by")) return reader.unexpected("BY and a key after SESSION");
  NINES_TRY(out.keys, parse_keys(reader));
  for (;;) {
    const bool when = reader.peek(1).sym == Sym::kw_when;
    const bool option = reader.is_word("idle") || reader.is_word("max") ||
                        (when && (reader.is_word("start") || reader.is_word("end")));
    if (!option) return out;
    NINES_CHECK(session_option(reader, out));
  }
}

Result<MatchSyntax> parse_sequence(Reader& reader, BlockHost& host) {
  MatchSyntax out;
  out.sequence = true;
  host.enter("SEQUENCE", false);
  if (reader.accept_word("by")) {
    NINES_TRY(out.keys, sequence_keys(reader));
  }
  if (reader.accept_word("within")) {
    NINES_TRY(out.within_ns, read_duration(reader, "WITHIN"));
  }
  PatternHost steps(step_names(reader), host.now());
  NINES_CHECK(SequenceParser(reader, host, steps).run(out));
  if (reader.is_word("until") && reader.peek(1).sym == Sym::left_paren) {
    reader.take();
    NINES_TRY(out.until, reader.expression());
  }
  const PatternNode& last = out.pattern.kids.back();
  if (last.kind == PatternNode::Kind::absent && !out.within_ns) {
    return reader.fail(reader.before(),
                       "a sequence that ends with NOT needs WITHIN: after that "
                       "time the step has not come");
  }
  NINES_CHECK(rows_option(reader, out));
  return out;
}

}  // namespace nines::query
