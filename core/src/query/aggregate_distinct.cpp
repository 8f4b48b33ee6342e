// count(DISTINCT x), sum(DISTINCT x)...: the set of values, aggregated when the result is asked
// for. A set that outgrows its bytes goes on as an estimate of its size; no other aggregate can be
// told from that: NULL.
#include <algorithm>
#include <unordered_set>

#include "aggregate_function.hpp"
#include "distinct_sketch.hpp"
#include "hash.hpp"
#include "nines/query/bytes.hpp"

namespace nines::query {
namespace {

using Texts = std::deque<std::string>;

struct KeyHash {
  using is_transparent = void;
  size_t operator()(std::string_view key) const noexcept {
    return static_cast<size_t>(hash_bytes(key));
  }
};

struct DistinctState {
  static constexpr size_t kAround = 64;  // of an entry, beside its key

  std::unordered_set<std::string, KeyHash, std::equal_to<>> keys;
  size_t bytes = 0;
  bool full = false;
  DistinctSketch sketch;  // when full

  size_t add(const AggregateConfig& config, const Value& value, const Row&) {
    std::string key;
    append_key(key, value);
    return add_key(config, key);
  }
  size_t add_key(const AggregateConfig& config, std::string_view key) {
    if (full) {
      sketch.add(hash_bytes(key));
      return 0;
    }
    if (keys.find(key) != keys.end()) return 0;
    keys.emplace(key);
    const size_t more = key.size() + kAround;
    if (bytes + more <= config.max_bytes) {
      bytes += more;
      return more;
    }
    return fill(config);
  }
  // The measure stays at what the set had.
  size_t fill(const AggregateConfig& config) {
    const size_t grown = config.max_bytes - bytes + DistinctSketch::kRegisters;
    bytes += grown;
    full = true;
    for (const std::string& key : keys) sketch.add(hash_bytes(key));
    keys = {};
    return grown;
  }
  size_t merge(const AggregateConfig& config, const DistinctState& later) {
    size_t grown = 0;
    if (later.full) {
      if (!full) grown = fill(config);
      sketch.merge(later.sketch);
    }
    for (const std::string& key : later.keys) grown += add_key(config, key);
    return grown;
  }

  Value result(const AggregateConfig& config, Texts& texts) const {
    if (config.spec.kind == AggregateKind::count) {
      const uint64_t n = full ? sketch.estimate() : keys.size();
      return Value::of_int(static_cast<int64_t>(n));
    }
    if (full) return {};
    AggregateSpec spec = config.spec;
    spec.distinct = false;
    const auto inner = make_aggregate(spec, config.max_bytes);
    const auto state = std::make_unique_for_overwrite<std::max_align_t[]>(
        inner->state_bytes() / sizeof(std::max_align_t) + 1);
    inner->create(state.get());
    for (const std::string_view key : sorted()) {
      Value value;
      std::string_view rest = key;
      read_key(rest, value);
      inner->add(state.get(), value, Row{});
    }
    Value value = inner->result(state.get(), texts);
    // Texts that live in the state go with it.
    if (!value.text.empty()) value.text = texts.emplace_back(value.text);
    inner->destroy(state.get());
    return value;
  }
  bool approximate() const { return full; }

  std::vector<std::string_view> sorted() const {
    std::vector<std::string_view> all(keys.begin(), keys.end());
    std::sort(all.begin(), all.end());
    return all;
  }
  void save(std::string& out) const {
    put_byte(out, full ? 1 : 0);
    if (full) return sketch.save(out);
    put_varint(out, keys.size());
    for (const std::string_view key : sorted()) put_text(out, key);
  }
  bool load(const AggregateConfig& config, std::string_view& in, size_t& grown) {
    uint8_t flag = 0;
    uint64_t n = 0;
    size_t of_sketch = 0;
    if (!get_byte(in, flag) || flag > 1) return false;
    if (flag != 0) {
      grown += fill(config);
      return sketch.load(in, of_sketch);
    }
    if (!get_varint(in, n) || n > in.size()) return false;
    for (; n > 0; --n) {
      std::string_view key;
      if (!get_text(in, key)) return false;
      Value value;
      std::string_view rest = key;
      if (!read_key(rest, value) || !rest.empty() || keys.find(key) != keys.end()) return false;
      grown += add_key(config, key);
      if (full) return false;
    }
    return true;
  }
};

}  // namespace

std::unique_ptr<Aggregate> make_distinct(const AggregateConfig& config) {
  switch (config.spec.kind) {
    case AggregateKind::min:
    case AggregateKind::max:
    case AggregateKind::count_distinct:
    case AggregateKind::first:
    case AggregateKind::last:
    case AggregateKind::rate: return nullptr;  // the same without DISTINCT
    default: return std::make_unique<FunctionOf<DistinctState>>(config);
  }
}

}  // namespace nines::query
