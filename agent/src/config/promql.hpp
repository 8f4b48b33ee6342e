// The part of PromQL that SLO generators write: sums of rates of one selector, their differences
// and quotients. Parsed exactly or not at all: what is not understood is an error with its place.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"

namespace nines::agent::config::promql {

enum class MatchOp : uint8_t { equal, not_equal, regex, not_regex };

struct Matcher {
  std::string label, value;
  MatchOp op = MatchOp::equal;
  size_t offset = 0;  // in the query
};

// metric{label="value", ...}
struct Selector {
  std::string metric;
  std::vector<Matcher> matchers;
  size_t offset = 0;
};

// Counts of events over a window: sum(rate(SELECTOR[...])), alone or combined.
struct Node {
  enum class Kind : uint8_t { sum, add, subtract, divide, one };
  Kind kind = Kind::sum;
  Selector selector;                  // sum
  std::unique_ptr<Node> left, right;  // of the others but one
  bool grouped = false;               // stands in parentheses
  size_t offset = 0;
};

struct Failure {
  size_t offset = 0;
  std::string message, hint;
};

// Either is null.
struct Parsed {
  std::unique_ptr<Node> node;
  std::unique_ptr<Failure> failure;
};
// A whole query, with {{.window}} for the window: sum(rate(m{...}[{{.window}}])), increase() for
// rate(), + - / ( ), 1 - ..., "or vector(0)" and "or on() vector(0)" behind a sum.
Parsed parse_query(std::string_view text);

struct ParsedSelector {
  std::unique_ptr<Selector> selector;
  std::unique_ptr<Failure> failure;
};
// A selector alone, as Pyrra has them.
ParsedSelector parse_selector(std::string_view text);

}  // namespace nines::agent::config::promql
