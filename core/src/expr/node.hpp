// The checked syntax tree. Lives only while an expression is parsed and compiled.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "coerce.hpp"
#include "nines/base/result.hpp"
#include "nines/log/value.hpp"

namespace nines::expr {

struct Function;

enum class NodeKind : uint8_t {
  literal,      // value, text
  field,        // text: its name
  negate,       // -a
  logical_not,  // NOT a
  logical_and,  // two or more kids
  logical_or,   // two or more kids
  compare,      // a op b; detail: mask of accepted orders
  same,         // a IS [NOT] b
  is_truth,     // a IS [NOT] TRUE/FALSE; detail: 1 or 0
  is_null,      // a IS [NOT] NULL
  like,         // a [NOT] LIKE b; escape
  glob,
  regexp,      // second kid is a literal
  in,          // kids[0] [NOT] IN (kids[1]...)
  between,     // kids[0] [NOT] BETWEEN kids[1] AND kids[2]
  arithmetic,  // detail: Arithmetic
  concat,
  case_when,  // when, then, when, then, ..., else
  case_of,    // operand, when, then, ..., else
  cast,       // detail: CastType
  call,       // function
};

struct Node {
  NodeKind kind = NodeKind::literal;
  bool negated = false;
  uint8_t detail = 0;
  int escape = -1;    // pattern.hpp kNoEscape
  int height = 1;     // of the tree below
  size_t offset = 0;  // in the source, for errors
  const Function* function = nullptr;
  Value value;       // literal; its text points into `text`
  std::string text;  // literal: what a text holds or how a real was written; field: its name
  std::vector<std::unique_ptr<Node>> kids;
};
using NodePtr = std::unique_ptr<Node>;

// Parsed, checked, unfolded.
Result<NodePtr> parse_tree(std::string_view source);
std::string print_tree(const Node& root);
NodePtr clone_tree(const Node& root);
// Names in order of first use.
std::vector<std::string> fields_of(const Node& root);

}  // namespace nines::expr
