#include "nines/query/row_codec.hpp"

#include <algorithm>
#include <limits>

#include "nines/base/contract.hpp"
#include "nines/query/bytes.hpp"
#include "nines/query/kept_value.hpp"
#include "nines/query/plan_codec.hpp"

namespace nines::query {
namespace {

constexpr uint8_t kHasTime = 1, kOtherOrder = 2;

// Differences wrap around, so that there are no two ways of writing one.
int64_t minus(int64_t a, int64_t b) noexcept {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
int64_t plus(int64_t a, int64_t b) noexcept {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

Error corrupt() { return Error{Errc::corrupt, "rows that cannot be read"}; }

}  // namespace

void RowEncoder::add(const Row& row, WallTime order) {
  NINES_ASSERT(row.values.size() == travels_.size());
  const int64_t usual = row.has_ts ? row.ts.ns : last_order_;
  const bool other = order.ns != usual;
  put_byte(body_, static_cast<uint8_t>((row.has_ts ? kHasTime : 0) | (other ? kOtherOrder : 0)));
  if (row.has_ts) put_signed(body_, minus(row.ts.ns, last_.ts.ns));
  if (other) put_signed(body_, minus(order.ns, last_order_));
  put_signed(body_, int64_t{row.place.file} - int64_t{last_.place.file});
  put_signed(body_, minus(row.place.at, last_.place.at));
  for (size_t i = 0; i < travels_.size(); ++i) {
    put_value(body_, travels_[i] ? row.values[i] : Value::null());
  }
  if (row.has_ts) last_.ts = row.ts;
  last_.place = row.place;
  last_order_ = order.ns;
  ++rows_;
}

std::string RowEncoder::take() {
  std::string out;
  put_varint(out, rows_);
  out += body_;
  body_.clear();
  rows_ = 0;
  last_ = {};
  last_order_ = 0;
  return out;
}

Result<DecodedRows> DecodedRows::decode(std::string_view bytes, size_t columns,
                                        uint32_t first_file) {
  DecodedRows out;
  out.columns_ = columns;
  out.bytes_.assign(bytes.begin(), bytes.end());
  std::string_view in(out.bytes_.data(), out.bytes_.size());
  uint64_t rows = 0;
  // Each takes at least three bytes and one for each value.
  if (!get_varint(in, rows) || rows > in.size() / (3 + columns)) return corrupt();
  if (rows > 1 && bytes.size() > kMostRowsBytes) return corrupt();
  out.heads_.reserve(static_cast<size_t>(rows));
  out.values_.reserve(static_cast<size_t>(rows) * columns);
  Head last;
  int64_t file = 0;
  int64_t ts = 0;
  for (; rows > 0; --rows) {
    uint8_t flags = 0;
    int64_t step = 0;
    Head head;
    if (!get_byte(in, flags) || flags > (kHasTime | kOtherOrder)) return corrupt();
    head.has_ts = (flags & kHasTime) != 0;
    if (head.has_ts) {
      if (!get_signed(in, step)) return corrupt();
      ts = plus(ts, step);
      head.ts = {ts};
    }
    head.order = head.has_ts ? head.ts : last.order;
    if ((flags & kOtherOrder) != 0) {
      if (!get_signed(in, step)) return corrupt();
      head.order = {plus(last.order.ns, step)};
    }
    if (!get_signed(in, step)) return corrupt();
    file = plus(file, step);
    if (file < int64_t{first_file} || file - int64_t{first_file} >= int64_t{kFilesANode}) {
      return corrupt();
    }
    if (!get_signed(in, step)) return corrupt();
    head.place = {static_cast<uint32_t>(file), plus(last.place.at, step)};
    for (size_t i = 0; i < columns; ++i) {
      if (!get_value(in, out.values_.emplace_back())) return corrupt();
    }
    out.heads_.push_back(head);
    last = head;
  }
  if (!in.empty()) return corrupt();
  return out;
}

OrderedRow DecodedRows::operator[](size_t i) const noexcept {
  const Head& head = heads_[i];
  OrderedRow out;
  out.row.values = std::span<const Value>(values_).subspan(i * columns_, columns_);
  out.row.ts = head.ts;
  out.row.place = head.place;
  out.row.has_ts = head.has_ts;
  out.order = head.order;
  return out;
}

size_t DecodedRows::memory_bytes() const noexcept {
  return bytes_.capacity() + heads_.capacity() * sizeof(Head) + values_.capacity() * sizeof(Value);
}

bool DecodedRows::is_ordered(WallTime floor) const noexcept {
  for (const Head& head : heads_) {
    if (head.order < floor) return false;
    floor = head.order;
  }
  return true;
}

}  // namespace nines::query
