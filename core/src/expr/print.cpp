// Canonical text of a tree: upper-case keywords, <> and =, parentheses only where they are needed.
#include "ascii.hpp"
#include "functions.hpp"
#include "node.hpp"
#include "pattern.hpp"
#include "precedence.hpp"
#include "token.hpp"

namespace nines::expr {
namespace {

std::string in_quotes(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c;
    if (c == quote) out += c;
  }
  return out + quote;
}

// Would the lexer read it back as this one field?
bool is_plain_name(std::string_view name) {
  if (name.empty() || !is_identifier_start(name[0]) || keyword(name) != Sym::identifier)
    return false;
  for (size_t i = 0; i < name.size(); ++i) {
    // Bytes beyond ASCII are legal, but typographic quotes among them are refused.
    if (static_cast<unsigned char>(name[i]) >= 0x80) return false;
    if (name[i] == '.' ? i + 1 == name.size() || name[i + 1] == '.'
                       : !is_identifier_char(name[i])) {
      return false;
    }
  }
  return true;
}

std::string_view compare_sign(uint8_t mask) {
  switch (mask) {
    case kEqual: return " = ";
    case kLess: return " < ";
    case kLess | kEqual: return " <= ";
    case kGreater: return " > ";
    case kGreater | kEqual: return " >= ";
    default: return " <> ";
  }
}

std::string_view arithmetic_sign(Arithmetic op) {
  switch (op) {
    case Arithmetic::add: return " + ";
    case Arithmetic::subtract: return " - ";
    case Arithmetic::multiply: return " * ";
    case Arithmetic::divide: return " / ";
    case Arithmetic::modulo: return " % ";
  }
  return "";
}

std::string_view cast_name(CastType type) {
  switch (type) {
    case CastType::integer: return "integer";
    case CastType::real: return "real";
    case CastType::number: return "number";
    case CastType::text: return "text";
    case CastType::boolean: return "boolean";
  }
  return "";
}

int precedence_of(const Node& n) {
  switch (n.kind) {
    case NodeKind::logical_or: return kPrecOr;
    case NodeKind::logical_and: return kPrecAnd;
    case NodeKind::logical_not: return kPrecNot;
    case NodeKind::compare:
      return n.detail == kEqual || n.detail == (kLess | kGreater) ? kPrecEqual : kPrecRelation;
    case NodeKind::same:
    case NodeKind::is_truth:
    case NodeKind::is_null:
    case NodeKind::like:
    case NodeKind::glob:
    case NodeKind::regexp:
    case NodeKind::in:
    case NodeKind::between: return kPrecEqual;
    case NodeKind::arithmetic:
      return n.detail <= static_cast<uint8_t>(Arithmetic::subtract) ? kPrecAdd : kPrecMultiply;
    case NodeKind::concat: return kPrecConcat;
    case NodeKind::negate: return kPrecUnary;
    case NodeKind::literal: {
      const bool negative = (n.value.kind == ValueKind::number && n.value.mantissa < 0) ||
                            (n.value.kind == ValueKind::real && n.value.real < 0);
      return negative ? kPrecUnary : kPrecPrimary;
    }
    default: return kPrecPrimary;
  }
}

class Printer {
 public:
  std::string take() { return std::move(out_); }

  void print(const Node& n, int min = kPrecOr) {
    const bool paren = precedence_of(n) < min;
    if (paren) out_ += '(';
    bare(n);
    if (paren) out_ += ')';
  }

 private:
  void bare(const Node& n) {
    switch (n.kind) {
      case NodeKind::literal: literal(n); break;
      case NodeKind::field: out_ += is_plain_name(n.text) ? n.text : in_quotes(n.text, '"'); break;
      case NodeKind::negate: before("-", n, kPrecPrimary); break;
      case NodeKind::logical_not: before("NOT ", n, kPrecNot); break;
      case NodeKind::logical_and: joined(n, 0, " AND ", kPrecAnd + 1); break;
      case NodeKind::logical_or: joined(n, 0, " OR ", kPrecOr + 1); break;
      case NodeKind::compare: binary(n, compare_sign(n.detail)); break;
      case NodeKind::same: binary(n, n.negated ? " IS NOT " : " IS "); break;
      case NodeKind::arithmetic:
        binary(n, arithmetic_sign(static_cast<Arithmetic>(n.detail)));
        break;
      case NodeKind::concat: binary(n, " || "); break;
      case NodeKind::case_when:
      case NodeKind::case_of: case_of(n); break;
      case NodeKind::cast:
        before("CAST(", n, kPrecOr);
        out_ += " AS " + std::string(cast_name(static_cast<CastType>(n.detail))) + ")";
        break;
      case NodeKind::call:
        out_ += std::string(n.function->name) + "(";
        joined(n, 0, ", ", kPrecOr);
        out_ += ')';
        break;
      default: test(n); break;
    }
  }

  void literal(const Node& n) {
    char memory[64];
    Scratch scratch(memory, sizeof memory);
    switch (n.value.kind) {
      case ValueKind::null: out_ += "NULL"; break;
      case ValueKind::boolean: out_ += n.value.mantissa != 0 ? "TRUE" : "FALSE"; break;
      case ValueKind::text: out_ += in_quotes(n.text, '\''); break;
      case ValueKind::real: out_ += n.text; break;
      default: out_ += to_text(n.value, scratch).value_or(""); break;
    }
  }

  // The kinds at the level of equality that are no plain binary operator.
  void test(const Node& n) {
    print(*n.kids[0], kPrecEqual);
    if (n.kind == NodeKind::is_null || n.kind == NodeKind::is_truth) {
      out_ += n.negated ? " IS NOT " : " IS ";
      out_ += n.kind == NodeKind::is_null ? "NULL" : n.detail != 0 ? "TRUE" : "FALSE";
      return;
    }
    if (n.negated) out_ += " NOT";
    switch (n.kind) {
      case NodeKind::in: out_ += " IN ("; break;
      case NodeKind::between: out_ += " BETWEEN "; break;
      case NodeKind::glob: out_ += " GLOB "; break;
      case NodeKind::regexp: out_ += " REGEXP "; break;
      default: out_ += " LIKE "; break;
    }
    joined(n, 1, n.kind == NodeKind::in ? ", " : " AND ",
           n.kind == NodeKind::in ? kPrecOr : kPrecRelation);
    if (n.kind == NodeKind::in) out_ += ')';
    if (n.escape != kNoEscape) {
      out_ += " ESCAPE " + in_quotes(std::string(1, static_cast<char>(n.escape)), '\'');
    }
  }

  void before(std::string_view text, const Node& n, int min) {
    out_ += text;
    print(*n.kids[0], min);
  }
  void joined(const Node& n, size_t first, std::string_view separator, int min) {
    for (size_t i = first; i < n.kids.size(); ++i) {
      if (i > first) out_ += separator;
      print(*n.kids[i], min);
    }
  }
  // Left-associative.
  void binary(const Node& n, std::string_view sign) {
    print(*n.kids[0], precedence_of(n));
    out_ += sign;
    print(*n.kids[1], precedence_of(n) + 1);
  }
  void case_of(const Node& n) {
    size_t i = 0;
    out_ += "CASE";
    if (n.kind == NodeKind::case_of) {
      out_ += ' ';
      print(*n.kids[i++]);
    }
    for (; i + 1 < n.kids.size(); i += 2) {
      out_ += " WHEN ";
      print(*n.kids[i]);
      out_ += " THEN ";
      print(*n.kids[i + 1]);
    }
    out_ += " ELSE ";
    print(*n.kids[i]);
    out_ += " END";
  }

  std::string out_;
};

}  // namespace

NodePtr clone_tree(const Node& root) {
  auto copy = std::make_unique<Node>();
  copy->kind = root.kind;
  copy->negated = root.negated;
  copy->detail = root.detail;
  copy->escape = root.escape;
  copy->height = root.height;
  copy->offset = root.offset;
  copy->function = root.function;
  copy->text = root.text;
  copy->value = root.value;
  if (copy->value.kind == ValueKind::text) copy->value.text = copy->text;
  for (const NodePtr& kid : root.kids) copy->kids.push_back(clone_tree(*kid));
  return copy;
}

std::string print_tree(const Node& root) {
  Printer printer;
  printer.print(root);
  return printer.take();
}

}  // namespace nines::expr
