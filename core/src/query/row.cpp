#include "nines/query/row.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "nines/base/contract.hpp"
#include "nines/query/bytes.hpp"
#include "numbers.hpp"
#include "short_key.hpp"

namespace nines::query {
namespace {

constexpr size_t kBlockBytes = size_t{64} << 10;

// Classes of compare_values() in their order.
enum class Class : uint8_t { null, number, time, level, text };

Class class_of(ValueKind kind) noexcept {
  switch (kind) {
    case ValueKind::null: return Class::null;
    case ValueKind::boolean:
    case ValueKind::number:
    case ValueKind::real: return Class::number;
    case ValueKind::time: return Class::time;
    case ValueKind::level: return Class::level;
    case ValueKind::text: break;
  }
  return Class::text;
}

// First byte of a key. Each value has one form; what has another is no key.
enum Tag : uint8_t { kNull, kInteger, kDecimal, kReal, kTime, kLevel, kText };

void append_decimal(std::string& out, Decimal d) {
  if (d.exponent == 0) {
    put_byte(out, kInteger);
    put_signed(out, d.mantissa);
    return;
  }
  put_byte(out, kDecimal);
  put_signed(out, d.exponent);
  put_signed(out, d.mantissa);
}

void append_real(std::string& out, double d) {
  if (const auto exact = exact_decimal(d)) return append_decimal(out, *exact);
  put_byte(out, kReal);
  // One NaN for all.
  put_fixed64(out, d != d ? 0x7ff8'0000'0000'0000ULL : std::bit_cast<uint64_t>(d));
}

bool read_decimal(std::string_view& in, Value& out) noexcept {
  int64_t exponent = 0;
  int64_t mantissa = 0;
  if (!get_signed(in, exponent) || !get_signed(in, mantissa)) return false;
  if (exponent < INT16_MIN || exponent > INT16_MAX) return false;
  const Decimal d{mantissa, static_cast<int>(exponent)};
  const Decimal one_form = canonical(d);
  if (one_form.exponent == 0 || one_form.exponent != d.exponent) return false;
  out = Value::of_decimal(mantissa, d.exponent);
  return true;
}

bool read_real(std::string_view& in, Value& out) noexcept {
  double d = 0;
  if (!get_double(in, d)) return false;
  if (exact_decimal(d)) return false;
  if (d != d && std::bit_cast<uint64_t>(d) != 0x7ff8'0000'0000'0000ULL) return false;
  out = Value::of_real(d);
  return true;
}

bool read_integer(std::string_view& in, Value& out) noexcept {
  int64_t i = 0;
  if (!get_signed(in, i)) return false;
  out = Value::of_int(i);
  return true;
}

bool read_time(std::string_view& in, Value& out) noexcept {
  uint64_t bits = 0;
  if (!get_fixed64(in, bits)) return false;
  out = Value::of_time(static_cast<int64_t>(bits));
  return true;
}

bool read_level(std::string_view& in, Value& out) noexcept {
  uint8_t rank = 0;
  if (!get_byte(in, rank) || rank > static_cast<uint8_t>(Level::fatal)) return false;
  const auto level = static_cast<Level>(rank);
  out = Value::of_level(level, level_name(level));
  return true;
}

bool read_text(std::string_view& in, Value& out) noexcept {
  std::string_view text;
  if (!get_text(in, text)) return false;
  out = Value::of_text(text);
  return true;
}

template <class T>
int order(T a, T b) noexcept {
  return (a > b) - (a < b);
}

}  // namespace

// ---- RowBatch ----

std::string_view RowBatch::keep(std::string_view text) {
  if (text.empty()) return {};
  if (block_ == blocks_.size() || text.size() > block_sizes_[block_] - used_) {
    // Blocks left over from before clear() are used again when they are large enough.
    if (block_ < blocks_.size()) ++block_;
    used_ = 0;
    if (block_ == blocks_.size() || text.size() > block_sizes_[block_]) {
      const size_t bytes = std::max(kBlockBytes, text.size());
      const auto at = static_cast<std::ptrdiff_t>(block_);
      blocks_.insert(blocks_.begin() + at, std::make_unique_for_overwrite<char[]>(bytes));
      block_sizes_.insert(block_sizes_.begin() + at, bytes);
    }
  }
  char* const start = blocks_[block_].get() + used_;
  std::memcpy(start, text.data(), text.size());
  used_ += text.size();
  return {start, text.size()};
}

bool RowBatch::take(const Row& row) {
  NINES_ASSERT(row.values.size() == columns_);
  heads_.push_back({row.ts, row.place, row.has_ts});
  for (const Value& value : row.values) {
    values_.push_back(value);
    values_.back().text = keep(value.text);
  }
  return true;
}

Row RowBatch::operator[](size_t i) const noexcept {
  const Head& head = heads_[i];
  return {{values_.data() + i * columns_, columns_}, head.ts, head.place, head.has_ts};
}

size_t RowBatch::memory_bytes() const noexcept {
  size_t bytes = heads_.capacity() * sizeof(Head) + values_.capacity() * sizeof(Value) +
                 blocks_.capacity() * sizeof(blocks_[0]) +
                 block_sizes_.capacity() * sizeof(block_sizes_[0]);
  for (const size_t size : block_sizes_) bytes += size;
  return bytes;
}

void RowBatch::clear() noexcept {
  heads_.clear();
  values_.clear();
  block_ = 0;
  used_ = 0;
}

// ---- order and keys ----

int compare_values(const Value& a, const Value& b) noexcept {
  const Class class_a = class_of(a.kind);
  const Class class_b = class_of(b.kind);
  if (class_a != class_b) return order(class_a, class_b);
  switch (class_a) {
    case Class::null: return 0;
    case Class::number: return compare_numbers(a, b);
    case Class::time: return order(a.time_ns, b.time_ns);
    case Class::level: return order(a.level, b.level);
    case Class::text: break;
  }
  return order(a.text.compare(b.text), 0);
}

void append_key(std::string& out, const Value& value) {
  switch (value.kind) {
    case ValueKind::null: return put_byte(out, kNull);
    case ValueKind::boolean: return append_decimal(out, {value.mantissa, 0});
    case ValueKind::number: return append_decimal(out, canonical({value.mantissa, value.exponent}));
    case ValueKind::real: return append_real(out, value.real);
    case ValueKind::time:
      put_byte(out, kTime);
      return put_fixed64(out, static_cast<uint64_t>(value.time_ns));
    case ValueKind::level:
      put_byte(out, kLevel);
      return put_byte(out, static_cast<uint8_t>(value.level));
    case ValueKind::text: put_byte(out, kText); return put_text(out, value.text);
  }
}

std::string_view short_text_key(std::string_view text, std::span<char, kShortKey> room) noexcept {
  room[0] = static_cast<char>(kText);
  room[1] = static_cast<char>(text.size());
  if (!text.empty()) std::memcpy(room.data() + 2, text.data(), text.size());
  return {room.data(), text.size() + 2};
}

bool read_key(std::string_view& in, Value& out) noexcept {
  uint8_t tag = 0;
  if (!get_byte(in, tag)) return false;
  switch (tag) {
    case kNull: out = Value::null(); return true;
    case kInteger: return read_integer(in, out);
    case kDecimal: return read_decimal(in, out);
    case kReal: return read_real(in, out);
    case kTime: return read_time(in, out);
    case kLevel: return read_level(in, out);
    case kText: return read_text(in, out);
    default: return false;
  }
}

}  // namespace nines::query
