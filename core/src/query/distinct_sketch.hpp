// How many different values: exact up to 1,000, then HyperLogLog with 2^14 registers (standard
// error 0.8 %). A function of the set of hashes: order and division of the rows leave no trace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace nines::query {

class DistinctSketch {
 public:
  static constexpr size_t kExact = 1000;
  static constexpr int kPrecision = 14;
  static constexpr size_t kRegisters = size_t{1} << kPrecision;

  // Returns the bytes grown by.
  size_t add(uint64_t hash) {
    if (registers_) {
      raise(hash);
      return 0;
    }
    return add_exact(hash);
  }
  size_t merge(const DistinctSketch& other);
  uint64_t estimate() const;
  bool exact() const noexcept { return registers_ == nullptr; }
  bool empty() const noexcept { return exact() && size_ == 0 && !zero_; }

  void save(std::string& out) const;
  // REQUIRES an empty one.
  bool load(std::string_view& in, size_t& grown);

 private:
  static constexpr size_t kBytesEach = 16;  // with the free half of the table
  static_assert(kExact * kBytesEach < kRegisters);

  size_t add_exact(uint64_t hash);
  void raise(uint64_t hash) noexcept;
  size_t to_registers();
  size_t count() const noexcept { return size_ + (zero_ ? 1 : 0); }
  std::vector<uint64_t> sorted() const;
  bool load_registers(std::string_view& in);

  std::vector<uint64_t> table_;  // open addressing; 0 is free
  size_t size_ = 0;
  bool zero_ = false;  // the hash 0 is there
  std::unique_ptr<uint8_t[]> registers_;
};

}  // namespace nines::query
