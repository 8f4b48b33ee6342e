// From a plain struct to an Aggregate. A State has
//   size_t add(const Config&, const Value&, const Row&);
//   size_t merge(const Config&, const State& later);
//   Value result(const Config&, std::deque<std::string>& texts) const;
//   bool approximate() const;
//   void save(std::string&) const; bool load(const Config&, std::string_view&, size_t& grown);
// and kTakesNull when rows with a NULL argument count too.
#pragma once

#include <new>

#include "nines/query/aggregate.hpp"

namespace nines::query {

// What all states of one aggregate share.
struct AggregateConfig {
  AggregateSpec spec;
  size_t max_bytes = 0;
};

template <class State>
class FunctionOf final : public Aggregate {
 public:
  explicit FunctionOf(AggregateConfig config) : config_(std::move(config)) {}

  size_t state_bytes() const noexcept override {
    constexpr size_t kAlign = alignof(std::max_align_t);
    static_assert(alignof(State) <= kAlign);
    return (sizeof(State) + kAlign - 1) / kAlign * kAlign;
  }
  void create(void* state) const override { ::new (state) State(); }
  void destroy(void* state) const noexcept override { of(state).~State(); }

  size_t add(void* state, const Value& value, const Row& row) const override {
    if constexpr (!requires { State::kTakesNull; }) {
      if (value.is_null()) return 0;
    }
    return of(state).add(config_, value, row);
  }
  size_t merge(void* state, const void* later) const override {
    return of(state).merge(config_, of(later));
  }
  Value result(const void* state, std::deque<std::string>& texts) const override {
    return of(state).result(config_, texts);
  }
  bool approximate(const void* state) const noexcept override { return of(state).approximate(); }
  void save(const void* state, std::string& out) const override { of(state).save(out); }
  bool load(void* state, std::string_view& in, size_t& grown) const override {
    return of(state).load(config_, in, grown);
  }

 private:
  static State& of(void* state) noexcept { return *static_cast<State*>(state); }
  static const State& of(const void* state) noexcept { return *static_cast<const State*>(state); }

  AggregateConfig config_;
};

// The families, each in a file of its own. nullptr: not one of theirs.
std::unique_ptr<Aggregate> make_simple(const AggregateConfig& config);  // count sum avg min max ..
std::unique_ptr<Aggregate> make_sketch(const AggregateConfig& config);  // percentile hist ..
std::unique_ptr<Aggregate> make_distinct(const AggregateConfig& config);  // DISTINCT

}  // namespace nines::query
