#include "pattern_program.hpp"

#include <algorithm>
#include <numeric>

namespace nines::query {
namespace {

using Op = PatternInstruction::Op;
using Kind = PatternNode::Kind;

class Compiler {
 public:
  PatternProgram program;

  bool too_large() const noexcept { return program.code.size() > kMaxInstructions; }

  void add(const PatternNode& node, bool excluded) {
    if (too_large()) return;
    excluded = excluded || node.excluded;
    switch (node.kind) {
      case Kind::variable: emit(Op::match, excluded, label(node.name)); break;
      case Kind::absent: emit(Op::absent, false, label(node.name)); break;
      case Kind::sequence:
        for (const PatternNode& kid : node.kids) add(kid, excluded);
        break;
      case Kind::alternation: alternation(node, excluded); break;
      case Kind::repeat: repeat(node, excluded); break;
      case Kind::permute: permute(node, excluded); break;
      case Kind::first:
        program.has_first = true;
        emit(Op::first);
        break;
      case Kind::last:
        program.has_last = true;
        emit(Op::last);
        break;
      case Kind::empty: break;
    }
  }

  uint32_t emit(Op op, bool excluded = false, uint32_t a = 0) {
    program.code.push_back({op, excluded, a, 0});
    return static_cast<uint32_t>(program.code.size() - 1);
  }

 private:
  uint32_t here() const noexcept { return static_cast<uint32_t>(program.code.size()); }

  uint32_t label(const std::string& name) {
    const size_t at = program.label(name);
    if (at == program.labels.size()) program.labels.push_back(name);
    return static_cast<uint32_t>(at);
  }

  // `split` goes to `body`, which is right behind it, or past what was emitted since.
  void close(uint32_t split, bool reluctant) {
    PatternInstruction& i = program.code[split];
    i.a = reluctant ? here() : split + 1;
    i.b = reluctant ? split + 1 : here();
  }

  template <class AddKid>
  void choices(size_t count, AddKid&& add_kid) {
    std::vector<uint32_t> jumps;
    for (size_t i = 0; i < count && !too_large(); ++i) {
      const bool is_last = i + 1 == count;
      const uint32_t split = is_last ? 0 : emit(Op::split);
      add_kid(i);
      if (is_last) break;
      jumps.push_back(emit(Op::jump));
      close(split, false);
    }
    for (const uint32_t jump : jumps) program.code[jump].a = here();
  }

  void alternation(const PatternNode& node, bool excluded) {
    choices(node.kids.size(), [&](size_t i) { add(node.kids[i], excluded); });
  }

  // PERMUTE(A, B, C) is A B C | A C B | B A C | ...: in the order of their places.
  void permute(const PatternNode& node, bool excluded) {
    std::vector<std::vector<size_t>> orders;
    std::vector<size_t> order(node.kids.size());
    std::iota(order.begin(), order.end(), size_t{0});
    do {
      orders.push_back(order);
    } while (orders.size() <= kMaxInstructions &&
             std::next_permutation(order.begin(), order.end()));
    choices(orders.size(), [&](size_t i) {
      for (const size_t kid : orders[i]) add(node.kids[kid], excluded);
    });
  }

  static bool may_be_empty(const PatternNode& node) {
    const auto kid_may = [](const PatternNode& kid) { return may_be_empty(kid); };
    switch (node.kind) {
      case Kind::variable: return false;
      case Kind::sequence:
      case Kind::permute: return std::all_of(node.kids.begin(), node.kids.end(), kid_may);
      case Kind::alternation: return std::any_of(node.kids.begin(), node.kids.end(), kid_may);
      case Kind::repeat: return node.min == 0 || may_be_empty(node.kids[0]);
      default: return true;
    }
  }

  void repeat(const PatternNode& node, bool excluded) {
    const PatternNode& kid = node.kids[0];
    uint32_t copies = node.min;
    const bool endless = node.max == UINT32_MAX;
    // x{2,} is x x+; x* is (x+)? when x may be empty, so that an empty turn goes on behind it.
    const bool plus = endless && (copies > 0 || may_be_empty(kid));
    const bool optional = plus && copies == 0;
    if (plus && copies > 0) --copies;
    for (uint32_t i = 0; i < copies && !too_large(); ++i) add(kid, excluded);
    if (endless) {
      const uint32_t around = optional ? emit(Op::split) : 0;
      const uint32_t start = here();
      const uint32_t split = plus ? 0 : emit(Op::split);
      add(kid, excluded);
      if (plus) {
        const uint32_t again = emit(Op::split);
        program.code[again].a = node.reluctant ? here() : start;
        program.code[again].b = node.reluctant ? start : here();
      } else {
        emit(Op::jump, false, start);
        close(split, node.reluctant);
      }
      if (optional) close(around, node.reluctant);
      return;
    }
    std::vector<uint32_t> splits;
    for (uint32_t i = node.min; i < node.max && !too_large(); ++i) {
      splits.push_back(emit(Op::split));
      add(kid, excluded);
    }
    for (const uint32_t split : splits) close(split, node.reluctant);
  }
};

}  // namespace

size_t PatternProgram::label(const std::string& name) const noexcept {
  return static_cast<size_t>(std::find(labels.begin(), labels.end(), name) - labels.begin());
}

Result<PatternProgram> compile_pattern(const PatternNode& pattern) {
  Compiler compiler;
  compiler.add(pattern, false);
  compiler.emit(Op::accept);
  if (compiler.too_large()) {
    return Error{Errc::exhausted,
                 "the pattern has more than " + std::to_string(kMaxInstructions) +
                     " steps once its repetitions and permutations are written out: "
                     "use smaller counts, or + and * instead"};
  }
  return std::move(compiler.program);
}

}  // namespace nines::query
