#include "distinct_sketch.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "nines/query/bytes.hpp"

namespace nines::query {
namespace {

constexpr int kMaxRank = 64 - DistinctSketch::kPrecision + 1;

// The series of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017),
// which need no tables of corrections. Only + * / sqrt: the same on every machine.
double sigma(double x) {
  if (x == 1) return INFINITY;
  double y = 1;
  double z = x;
  for (double before = -1; z != before;) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

double tau(double x) {
  if (x == 0 || x == 1) return 0;
  double y = 1;
  double z = 1 - x;
  for (double before = -1; z != before;) {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) * (1 - x) * y;
  }
  return z / 3;
}

}  // namespace

size_t DistinctSketch::add_exact(uint64_t hash) {
  if (hash == 0) {
    if (zero_) return 0;
    zero_ = true;
  } else {
    if (table_.size() < 2 * (size_ + 1)) {
      std::vector<uint64_t> old(std::max<size_t>(8, table_.size() * 2));
      old.swap(table_);
      size_ = 0;
      for (const uint64_t h : old) {
        if (h != 0) add_exact(h);
      }
    }
    const size_t mask = table_.size() - 1;
    auto at = static_cast<size_t>(hash) & mask;
    for (; table_[at] != 0; at = (at + 1) & mask) {
      if (table_[at] == hash) return 0;
    }
    table_[at] = hash;
    ++size_;
  }
  return count() > kExact ? to_registers() : kBytesEach;
}

void DistinctSketch::raise(uint64_t hash) noexcept {
  const auto at = static_cast<size_t>(hash >> (64 - kPrecision));
  const uint64_t rest = hash << kPrecision | uint64_t{1} << (kPrecision - 1);
  const auto rank = static_cast<uint8_t>(std::countl_zero(rest) + 1);
  registers_[at] = std::max(registers_[at], rank);
}

size_t DistinctSketch::to_registers() {
  const size_t before = (count() - 1) * kBytesEach;
  registers_ = std::make_unique<uint8_t[]>(kRegisters);
  for (const uint64_t hash : table_) {
    if (hash != 0) raise(hash);
  }
  if (zero_) raise(0);
  std::vector<uint64_t>().swap(table_);
  size_ = 0;
  zero_ = false;
  return kRegisters - before;
}

size_t DistinctSketch::merge(const DistinctSketch& other) {
  size_t grown = 0;
  if (other.registers_ && !registers_) {
    const size_t before = count() * kBytesEach;
    to_registers();
    grown = kRegisters - before;
  }
  if (other.registers_) {
    for (size_t i = 0; i < kRegisters; ++i) {
      registers_[i] = std::max(registers_[i], other.registers_[i]);
    }
    return grown;
  }
  for (const uint64_t hash : other.table_) {
    if (hash != 0) grown += add(hash);
  }
  if (other.zero_) grown += add(0);
  return grown;
}

uint64_t DistinctSketch::estimate() const {
  if (!registers_) return count();
  size_t ranks[kMaxRank + 1] = {};
  for (size_t i = 0; i < kRegisters; ++i) ++ranks[registers_[i]];
  constexpr auto m = static_cast<double>(kRegisters);
  double z = m * tau((m - static_cast<double>(ranks[kMaxRank])) / m);
  for (int k = kMaxRank - 1; k >= 1; --k) z = 0.5 * (z + static_cast<double>(ranks[k]));
  z += m * sigma(static_cast<double>(ranks[0]) / m);
  constexpr double kAlpha = 0.721347520444481703680;  // 1 / (2 ln 2)
  return static_cast<uint64_t>(std::round(kAlpha * m * m / z));
}

std::vector<uint64_t> DistinctSketch::sorted() const {
  std::vector<uint64_t> hashes;
  if (zero_) hashes.push_back(0);
  for (const uint64_t hash : table_) {
    if (hash != 0) hashes.push_back(hash);
  }
  std::sort(hashes.begin(), hashes.end());
  return hashes;
}

void DistinctSketch::save(std::string& out) const {
  put_byte(out, registers_ ? 1 : 0);
  if (registers_) {
    for (size_t i = 0; i < kRegisters; ++i) put_byte(out, registers_[i]);
    return;
  }
  put_varint(out, count());
  for (const uint64_t hash : sorted()) put_fixed64(out, hash);
}

bool DistinctSketch::load_registers(std::string_view& in) {
  if (in.size() < kRegisters) return false;
  registers_ = std::make_unique<uint8_t[]>(kRegisters);
  std::memcpy(registers_.get(), in.data(), kRegisters);
  in.remove_prefix(kRegisters);
  return std::all_of(registers_.get(), registers_.get() + kRegisters,
                     [](uint8_t rank) { return rank <= kMaxRank; });
}

bool DistinctSketch::load(std::string_view& in, size_t& grown) {
  uint8_t dense = 0;
  if (!get_byte(in, dense) || dense > 1) return false;
  if (dense != 0) {
    grown += kRegisters;
    return load_registers(in);
  }
  uint64_t n = 0;
  if (!get_varint(in, n) || n > kExact || in.size() < n * 8) return false;
  uint64_t before = 0;
  for (uint64_t i = 0; i < n; ++i) {
    uint64_t hash = 0;
    if (!get_fixed64(in, hash) || (i > 0 && hash <= before)) return false;
    before = hash;
    grown += add(hash);
  }
  return true;
}

}  // namespace nines::query
