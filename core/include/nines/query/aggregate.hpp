// Aggregates: what GROUP BY, SESSION BY and aggregates of SQL keep for a set of rows. A state is
// memory of the caller's, so that the states of a group lie side by side; every state can be merged
// with that of the rows behind it (the law of splitting, operator.hpp), saved and loaded.
//
// An Aggregate is immutable; an AggregateSet owns evaluators, so it takes one per thread.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/query/plan.hpp"
#include "nines/query/row.hpp"

namespace nines::query {

// One function without its argument's expression.
class Aggregate {
 public:
  virtual ~Aggregate() = default;
  // Bytes of a state, aligned as any scalar.
  virtual size_t state_bytes() const noexcept = 0;
  virtual void create(void* state) const = 0;
  virtual void destroy(void* state) const noexcept = 0;

  // Takes a row whose argument is `value` (count(*), rate: any). Returns how many bytes the state
  // has grown by: a measure that only depends on the rows taken, never on how they were split.
  virtual size_t add(void* state, const Value& value, const Row& row) const = 0;
  // Takes what `later`, a state of the rows behind, knows. Returns the growth likewise.
  virtual size_t merge(void* state, const void* later) const = 0;

  // A text in it points into the state or into a string that was put behind `texts`.
  virtual Value result(const void* state, std::deque<std::string>& texts) const = 0;
  // The result is not exact: sketches beyond their exact size, digits lost.
  virtual bool approximate(const void* state) const noexcept = 0;

  virtual void save(const void* state, std::string& out) const = 0;
  // Fills a state that was just created; `in` moves behind it. False: these are no such bytes; the
  // state can only be destroyed then. `grown`: as add().
  virtual bool load(void* state, std::string_view& in, size_t& grown) const = 0;
};

// `max_bytes`: of what one state of count(DISTINCT), sum(DISTINCT) keeps to be exact.
std::unique_ptr<Aggregate> make_aggregate(const AggregateSpec& spec,
                                          size_t max_bytes = size_t{4} << 20);

// The aggregates of a stage with their arguments and filters bound to its input columns.
class AggregateSet {
 public:
  AggregateSet(std::span<const AggregateSpec> specs, std::span<const std::string> inputs,
               size_t max_bytes = size_t{4} << 20);
  ~AggregateSet();
  AggregateSet(AggregateSet&&) noexcept;

  size_t size() const noexcept;
  size_t state_bytes() const noexcept;  // of all states, one behind the other
  void create(char* states) const;
  void destroy(char* states) const noexcept;
  size_t add(char* states, const Row& row);  // growth in bytes, as Aggregate::add
  size_t merge(char* states, const char* later) const;
  // Appends size() values; their texts live in the states and in `texts`.
  void results(const char* states, std::vector<Value>& values,
               std::deque<std::string>& texts) const;
  bool approximate(const char* states) const noexcept;
  void save(const char* states, std::string& out) const;
  bool load(char* states, std::string_view& in, size_t& grown) const;

 private:
  struct Item;
  std::vector<Item> items_;
  size_t state_bytes_ = 0;
};

}  // namespace nines::query
