#include "nines/query/aggregate.hpp"

#include <optional>

#include "aggregate_function.hpp"
#include "bound.hpp"
#include "nines/base/contract.hpp"

namespace nines::query {

std::unique_ptr<Aggregate> make_aggregate(const AggregateSpec& spec, size_t max_bytes) {
  const AggregateConfig config{spec, max_bytes};
  if (spec.distinct && spec.value) {
    if (auto distinct = make_distinct(config)) return distinct;
  }
  if (auto simple = make_simple(config)) return simple;
  auto sketch = make_sketch(config);
  NINES_ASSERT(sketch != nullptr);
  return sketch;
}

struct AggregateSet::Item {
  std::unique_ptr<Aggregate> function;
  std::optional<Bound> value, filter;
  size_t offset = 0;
};

AggregateSet::AggregateSet(std::span<const AggregateSpec> specs,
                           std::span<const std::string> inputs, size_t max_bytes) {
  for (const AggregateSpec& spec : specs) {
    Item& item = items_.emplace_back();
    item.function = make_aggregate(spec, max_bytes);
    if (spec.value) item.value.emplace(*spec.value, inputs);
    if (spec.filter) item.filter.emplace(*spec.filter, inputs);
    item.offset = state_bytes_;
    state_bytes_ += item.function->state_bytes();
  }
}
AggregateSet::~AggregateSet() = default;
AggregateSet::AggregateSet(AggregateSet&&) noexcept = default;

size_t AggregateSet::size() const noexcept { return items_.size(); }
size_t AggregateSet::state_bytes() const noexcept { return state_bytes_; }

void AggregateSet::create(char* states) const {
  for (const Item& item : items_) item.function->create(states + item.offset);
}
void AggregateSet::destroy(char* states) const noexcept {
  for (const Item& item : items_) item.function->destroy(states + item.offset);
}

size_t AggregateSet::add(char* states, const Row& row) {
  static const Value kAny = Value::of_bool(true);  // for count(*) and rate(), which take every row
  size_t grown = 0;
  Value room;
  for (Item& item : items_) {
    if (item.filter && !item.filter->holds(row.values)) continue;
    const Value& value = item.value ? item.value->eval(row.values, room) : kAny;
    grown += item.function->add(states + item.offset, value, row);
  }
  return grown;
}

size_t AggregateSet::merge(char* states, const char* later) const {
  size_t grown = 0;
  for (const Item& item : items_) {
    grown += item.function->merge(states + item.offset, later + item.offset);
  }
  return grown;
}

void AggregateSet::results(const char* states, std::vector<Value>& values,
                           std::deque<std::string>& texts) const {
  for (const Item& item : items_) {
    values.push_back(item.function->result(states + item.offset, texts));
  }
}

bool AggregateSet::approximate(const char* states) const noexcept {
  for (const Item& item : items_) {
    if (item.function->approximate(states + item.offset)) return true;
  }
  return false;
}

void AggregateSet::save(const char* states, std::string& out) const {
  for (const Item& item : items_) item.function->save(states + item.offset, out);
}

bool AggregateSet::load(char* states, std::string_view& in, size_t& grown) const {
  for (const Item& item : items_) {
    if (!item.function->load(states + item.offset, in, grown)) return false;
  }
  return true;
}

}  // namespace nines::query
