// Statements: which parts of a text are log blocks, and what SQLite is left with.
#include <algorithm>

#include "../expr/ascii.hpp"
#include "block_compiler.hpp"
#include "block_parser.hpp"
#include "caret.hpp"
#include "statement_options.hpp"
#include "table_rewriter.hpp"

namespace nines::query {
namespace {

using expr::Reader;
using expr::Sym;
using expr::Token;

constexpr size_t kMaxSelects = 100;

class StatementParser {
 public:
  StatementParser(std::string_view sql, const ParseOptions& options)
      : sql_(sql), options_(options), host_(options.now) {}

  Result<Statement> run() {
    NINES_TRY(std::vector<Token> tokens, expr::tokenize(sql_, expr::Dialect::statement));
    in_ = expr::make_reader(sql_, std::move(tokens), "statement", &host_);
    out_.text = sql_;
    NINES_CHECK(plain_names());
    if (in_->accept_word("explain")) {
      out_.explain =
          in_->accept_word("analyze") ? Statement::Explain::analyze : Statement::Explain::plan;
    }
    const size_t first = in_->position();
    NINES_TRY(const size_t behind, read_options(*in_, out_));
    NINES_CHECK(balanced(first, behind));
    if (!in_->is_word("select") && !in_->is_word("with") && in_->peek().sym != Sym::left_paren) {
      constexpr std::string_view kWords[] = {"SELECT", "WITH", "EXPLAIN"};
      return unexpected_word(*in_, "SELECT", kWords);
    }
    begin_ = in_->peek().begin;
    NINES_CHECK(inputs(first, behind));
    if (in_->position() < behind && whole_native()) return in_->unexpected("the end");
    finish(behind);
    return std::move(out_);
  }

 private:
  // Control characters mark the names that are made up on the way.
  Status plain_names() const {
    for (const Token& t : in_->tokens()) {
      const bool odd = std::any_of(t.text.begin(), t.text.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x20; });
      if (t.sym == Sym::identifier && odd) {
        return in_->fail(t, "a name can't hold control characters");
      }
    }
    return Ok{};
  }

  Status balanced(size_t first, size_t behind) const {
    std::vector<size_t> open;
    for (size_t i = first; i < behind; ++i) {
      const Token& t = in_->tokens()[i];
      if (t.sym == Sym::left_paren) open.push_back(i);
      if (t.sym != Sym::right_paren) continue;
      if (open.empty()) {
        return in_->fail(t, "unexpected ')'; hint: there is no '(' that it closes");
      }
      open.pop_back();
    }
    if (open.empty()) return Ok{};
    return in_->fail(in_->tokens()[open.back()], "this '(' is never closed; expected ')'");
  }

  // ---- blocks ----

  Status inputs(size_t first, size_t behind) {
    while (in_->position() < behind) {
      if (!in_->is_word("select")) {
        in_->take();
        continue;
      }
      if (++selects_ > kMaxSelects) {
        return in_->fail(in_->peek(), "a statement may have 100 SELECTs", Errc::exhausted);
      }
      const SelectShape shape = shape_of(*in_);
      const bool only = in_->position() == first && !shape.has_from && shape.behind >= behind;
      if (shape.log_sources > 0 || only) {
        NINES_CHECK(block(shape));
      } else {
        in_->take();
      }
    }
    if (out_.inputs.empty()) return no_source(first);
    return Ok{};
  }

  Error no_source(size_t first) const {
    for (size_t i = first; i < in_->tokens().size(); ++i) {
      const Token& t = in_->tokens()[i];
      if (t.sym != Sym::identifier || t.quoted || !expr::equals_ignoring_case(t.text, "from"))
        continue;
      in_->seek(i + 1);
      if (in_->peek().sym == Sym::left_paren) continue;
      constexpr std::string_view kSources[] = {"logs", "files", "remote", "stdin"};
      return unexpected_word(
          *in_, "a log source: logs('name'), files('glob'), stdin or '/path/to/file'", kSources);
    }
    in_->seek(in_->tokens().size() - 1);
    return in_->unexpected("FROM and a log source: logs('name') or files('glob')");
  }

  Status block(const SelectShape& shape) {
    const size_t first = in_->position();
    std::string reason = options_.native ? "a join" : "the caller's wish";
    if (shape.native_only || (options_.native && shape.tables <= 1)) {
      auto native = native_block(shape);
      if (native.ok()) {
        name_table(first, std::get<Block>(native->what).columns);
        add(std::move(*native));
        return Ok{};
      }
      if (native.error().code != Errc::unsupported) return native.error();
      if (shape.native_only) return outside(native.error());
      reason = without_place(native.error().message);
    }
    in_->seek(first);
    const size_t begin = in_->peek().begin;
    TableRewriter tables(
        *in_, options_.now, out_.inputs, known_,
        [this](const SelectShape& nested) { return nested_native(nested); }, reason);
    NINES_TRY(std::string rewritten, tables.run());
    in_->use(&host_);
    edits_.push_back({begin, in_->before().end, std::move(rewritten)});
    return Ok{};
  }

  // Within a block that SQLite runs; the edit is that of the block.
  std::optional<size_t> nested_native(const SelectShape& shape) {
    const size_t first = in_->position();
    if (options_.native && shape.tables == 1) {
      in_->use(&host_);
      auto native = native_block(shape);
      if (native.ok()) {
        native->table = "nines_" + std::to_string(out_.inputs.size());
        out_.inputs.push_back(std::move(*native));
        return out_.inputs.size() - 1;
      }
    }
    in_->seek(first);
    return std::nullopt;
  }

  Result<Input> native_block(const SelectShape& shape) {
    host_ = BlockHost(options_.now);
    NINES_TRY(BlockSyntax syntax, parse_block(*in_, host_, {options_.now, shape.compound}));
    NINES_TRY(Block block, compile_block(syntax, sql_, out_.lateness_ns));
    Input input;
    input.what = std::move(block);
    input.begin = syntax.begin;
    input.end = syntax.end;
    return input;
  }

  // WITH e AS (SELECT ...): columns of e.
  void name_table(size_t select, const std::vector<std::string>& columns) {
    const auto token = [&](size_t back) {
      return in_->tokens()[select >= back ? select - back : 0];
    };
    if (token(1).sym != Sym::left_paren || token(2).sym != Sym::kw_as) return;
    if (token(3).sym == Sym::identifier) known_[token(3).text] = columns;
  }

  void add(Input input) {
    input.table = "nines_" + std::to_string(out_.inputs.size());
    edits_.push_back({input.begin, input.end, "SELECT * FROM \"" + input.table + "\""});
    out_.inputs.push_back(std::move(input));
  }

  Error outside(const Error& error) const {
    return {Errc::invalid_argument,
            error.message +
                " can't stand in a block with SESSION, SEQUENCE, MATCH_RECOGNIZE, "
                "CONTEXT or anomaly(); hint: put it around: SELECT ... FROM (SELECT "
                "... )"};
  }

  // ---- what is left for SQLite ----

  bool whole_native() const {
    return out_.inputs.size() == 1 && std::holds_alternative<Block>(out_.inputs[0].what) &&
           out_.inputs[0].begin == begin_;
  }

  void finish(size_t behind) {
    const size_t end = behind > 0 ? in_->tokens()[behind - 1].end : 0;
    if (whole_native() && out_.inputs[0].end == end) return;
    size_t at = begin_;
    for (const Edit& edit : edits_) {
      out_.residual += sql_.substr(at, edit.begin - at);
      out_.residual += edit.text;
      at = edit.end;
    }
    if (end > at) out_.residual += sql_.substr(at, end - at);
  }

  struct Edit {
    size_t begin, end;
    std::string text;
  };

  std::string_view sql_;
  const ParseOptions& options_;
  BlockHost host_;
  std::unique_ptr<Reader> in_;
  Statement out_;
  std::vector<Edit> edits_;
  KnownTables known_;
  size_t begin_ = 0;
  size_t selects_ = 0;
};

}  // namespace

Result<Statement> parse_statement(std::string_view sql, const ParseOptions& options) {
  auto statement = StatementParser(sql, options).run();
  if (!statement.ok()) return with_caret(sql, statement.error());
  return statement;
}

std::vector<std::string> columns_of(const ScanPlan& scan) {
  std::vector<std::string> names = scan.fields;
  for (const Extract& e : scan.extracts) names.insert(names.end(), e.names.begin(), e.names.end());
  if (scan.context) names.insert(names.end(), {"ctx_group", "ctx_offset"});
  return names;
}

}  // namespace nines::query
