// The compiled form: instructions of a stack machine and their constants. Comparisons of a field
// with a literal and pattern tests of a field, which make up most expressions, are one instruction.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "coerce.hpp"
#include "functions.hpp"
#include "nines/expr/expression.hpp"
#include "node.hpp"
#include "pattern.hpp"

namespace nines::expr {

// f: field a; c: constant b. Others take their operands from the stack.
enum class Op : uint8_t {
  field,          // push field a
  constant,       // push constant a
  compare_field,  // push field a against constant b; flag: mask of accepted orders
  match_field,    // push field a against matcher b; flag: negated
  and_first,      // top becomes its truth; when no, go to a
  and_next,       // combine the two on top; when no, go to a
  or_first,
  or_next,
  compare,  // flag: mask
  logical_not,
  match,         // matcher b; flag: negated
  in_set,        // set b; flag: negated
  jump,          // to a
  jump_unless,   // pop; when not true, to a
  jump_present,  // when the top is not NULL to a, else pop
  duplicate,
  drop,
  same,      // flag: negated
  is_truth,  // n: 1 TRUE, 0 FALSE; flag: negated
  is_null,   // flag: negated
  like,      // n: escape + 1; flag: negated
  glob,
  in_list,  // n: items; flag: negated
  between,  // flag: negated
  arithmetic,
  concat,
  negate,
  cast,
  call,     // function a with n arguments
  extract,  // regexp b, group n
  bucket,   // constant b: width in nanoseconds
  done,
};

struct Instruction {
  Op op = Op::done;
  uint8_t flag = 0;
  uint16_t n = 0;
  uint32_t a = 0;
  uint32_t b = 0;
};

// IN over literals. Texts are sorted, so that a long list costs a binary search.
struct LiteralSet {
  std::vector<std::string_view> texts;
  std::vector<Operand> all;
  bool only_texts = false;
  bool has_null = false;
};

class Program {
 public:
  std::string canonical;
  std::vector<std::string> fields;
  std::vector<Instruction> code;
  std::vector<Operand> constants;
  std::vector<Matcher> matchers;
  std::vector<Regexp> regexps;
  std::vector<LiteralSet> sets;
  std::vector<const Function*> functions;
  std::deque<std::string> texts;  // what views in constants and sets point to
  size_t max_stack = 0;
  bool needs_scratch = false;
  // When the whole program is one test of a field, or such tests joined by AND alone or OR alone:
  // these tests. The usual `where` then needs no stack.
  std::vector<Instruction> chain;
  Truth chain_stops_at = Truth::no;  // AND; yes: OR
};

inline constexpr size_t kScratchBytes = 64 * 1024;

// REQUIRES a checked tree; folds constant parts of it on the way.
std::shared_ptr<const Program> compile(Node& root);

// REQUIRES program.chain not empty.
Truth run_chain(const Program& program, const Value* values, const size_t* slots,
                Scratch& scratch) noexcept;

// REQUIRES `stack` of max_stack values; slots[i] is the place of field i in `values`.
Value run(const Program& program, const Value* values, const size_t* slots, Value* stack,
          Scratch& scratch) noexcept;

}  // namespace nines::expr
