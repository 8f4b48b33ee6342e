// Expressions over the rows of a match: conditions of steps, DEFINE, MEASURES. Navigation stands in
// the tree as fields of made-up names.
#pragma once

#include <string>
#include <vector>

#include "../expr/reader.hpp"
#include "syntax.hpp"

namespace nines::query {

class PatternHost final : public expr::Host {
 public:
  PatternHost(std::vector<std::string> variables, WallTime now)
      : variables_(std::move(variables)), now_(now) {}

  // What is read next: the condition of `self`, or a measure (empty: then a bare field is that of
  // the last row of the match).
  void enter(std::string_view self) {
    self_ = self;
    terms_.clear();
  }
  std::vector<Navigation> take_terms() { return std::move(terms_); }

  Result<NodePtr> call(expr::Reader& reader) override;
  Result<NodePtr> subquery(expr::Reader& reader, NodePtr left, bool negated) override;
  Result<NodePtr> name(expr::Reader& reader) override;

  // The spelling of the pattern; empty when there is no such variable.
  std::string_view variable(std::string_view name) const;

 private:
  Result<NodePtr> navigate(expr::Reader& reader, Navigation term);
  Result<NodePtr> aggregate(expr::Reader& reader, Navigation term);
  Status column(expr::Reader& reader, Navigation& term) const;
  NodePtr keep(Navigation term, size_t offset);

  std::vector<std::string> variables_;
  WallTime now_;
  std::string self_;
  std::vector<Navigation> terms_;
};

}  // namespace nines::query
