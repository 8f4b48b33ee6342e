// The fast path of scans: which lines of a block are worth a look. Literals are searched over whole
// blocks with SIMD first, lines are located around the hits, and only these are parsed. Where WHERE
// tests nothing but `raw`, the lines found are the answer already.
//
// The law: a record for which WHERE is true is never missed. What is found too much costs time
// only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/expr/expression.hpp"
#include "nines/log/format.hpp"
#include "nines/query/plan.hpp"

namespace nines::query {

// Finds the next of up to 64 byte strings. Few literals: two rare bytes of each are compared at all
// places at once; more: Teddy (nibbles of the first three bytes looked up by shuffles). AVX2 where
// the processor has it, else SSSE3, SSE2 or NEON, else plain C++. find() is thread-safe; cheap to
// copy.
class LiteralSearch {
 public:
  static constexpr size_t kMaxLiterals = 64;
  struct Hit {
    size_t at = std::string_view::npos;  // where it begins
    size_t literal = 0;                  // index of a literal that is there
  };
  // REQUIRES 1..64 literals, none empty. `ignore_case`: ASCII letters match in either case.
  explicit LiteralSearch(std::span<const std::string> literals, bool ignore_case = false);
  // The first place at or behind `from` where any of them stands.
  Hit find(std::string_view text, size_t from = 0) const noexcept;
  const std::vector<std::string>& literals() const noexcept;
  // Looks for the bytes that are rare together in a sample of what is searched. Changes what a
  // search costs and nothing else.
  void learn(std::string_view sample);

  // The ways to do it, for tests. False: this machine cannot.
  enum class Engine : uint8_t { best, portable, vector16, vector32 };
  bool use(Engine engine);

  class Impl;

 private:
  std::shared_ptr<const Impl> impl_;
};

// Every text that satisfies a condition holds one of these.
struct LiteralSet {
  std::vector<std::string> any_of;
  bool ignore_case = false;
  // Whichever is there stands by itself: no letter, digit, '_' or '-' is before or behind it. So
  // the block index, which knows whole words only, can look for it. Escapes (\u, \/) and the marks
  // of pieces among `any_of` are not meant.
  bool whole = false;
};

// What is known of the records of a file.
struct RecordShape {
  log::FormatSpec format;
  enum class Wrapping : uint8_t { none, cri, docker } wrapping = Wrapping::none;
  bool bytes = true;                   // not UTF-16
  bool one_line = true;                // no record goes on in another line (JoinRule::By::none)
  size_t max_record_bytes = SIZE_MAX;  // records are cut there
  std::vector<Extract> extracts;
  // The value of `service` where a record names none. Unset: not known, so nothing is derived from
  // tests of it; "" when it is NULL then.
  std::optional<std::string> service;
};

// Literals that WHERE requires of the bytes of a record, several independent sets, the one that
// looks rarest first. None: nothing can be said.
std::vector<LiteralSet> required_literals(const expr::Expression& where, const RecordShape& shape);

// Levels that a record may have for which WHERE is true: bit i for Level i, bit 7 for those without
// one. 0xff: nothing can be said.
uint8_t possible_levels(const expr::Expression& where, const RecordShape& shape);

// Finds lines in blocks of whole lines. Not thread-safe (it learns which literals are rare); copies
// are independent, one for each part of a file.
class LineFinder {
 public:
  enum class Finds : uint8_t {
    all,         // every line
    candidates,  // at least a line of each record for which WHERE may be true; test it
    exact,       // just the lines for which WHERE is true: no test is needed
  };
  struct Line {
    size_t begin = 0, end = 0;  // within the block; `end` is behind the line end
  };

  // No WHERE: finds all.
  LineFinder(const expr::Expression* where, const RecordShape& shape);
  ~LineFinder();
  LineFinder(const LineFinder&);
  LineFinder& operator=(const LineFinder&);
  LineFinder(LineFinder&&) noexcept;
  LineFinder& operator=(LineFinder&&) noexcept;

  Finds finds() const noexcept;
  // The first line wanted that begins at or behind `from`. REQUIRES `block` to hold whole lines
  // (the last one may lack its line end), without byte order mark, and `from` to be where a line
  // begins or block.size().
  //   for (size_t at = 0; finder.next(block, at, line); at = line.end) ...
  // Container logs in pieces: every line that begins a record of several pieces is found; the lines
  // behind it, up to the piece that completes it, are the caller's to take.
  bool next(std::string_view block, size_t from, Line& line);
  // How many lines next() would find.
  uint64_t count(std::string_view block);
  // For EXPLAIN: `literals "timeout after ", "refused"; matches lines as they stand`.
  std::string explanation() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::query
