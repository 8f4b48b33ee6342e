// A row pattern as a program for a set of threads, each of them one way to read the rows so far
// (R. Cox, "Regular Expression Matching: the Virtual Machine Approach"). SEQUENCE and
// MATCH_RECOGNIZE share it; a SEQUENCE is a program without branches.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/query/plan.hpp"

namespace nines::query {

struct PatternInstruction {
  enum class Op : uint8_t {
    match,   // the row is an `a`
    split,   // go on at a, or else, less preferred, at b
    jump,    // to a
    first,   // only before the first row of the partition
    last,    // only behind the last
    absent,  // SEQUENCE: no `a` between the steps around
    accept,
  };
  Op op = Op::accept;
  bool excluded = false;  // match: {- -}
  uint32_t a = 0, b = 0;
};

struct PatternProgram {
  std::vector<PatternInstruction> code;
  std::vector<std::string> labels;  // in the order in which the pattern names them first
  bool has_first = false, has_last = false;

  // Index among `labels`, or their number.
  size_t label(const std::string& name) const noexcept;
};

// What a counted repetition or PERMUTE may grow to.
inline constexpr size_t kMaxInstructions = 16384;
// SEQUENCE: steps and absent ones; what a row satisfies is a word.
inline constexpr size_t kMaxSteps = 60;

// exhausted: the pattern is larger than that.
Result<PatternProgram> compile_pattern(const PatternNode& pattern);

}  // namespace nines::query
