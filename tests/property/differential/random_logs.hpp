// Logs with everything that makes queries differ: missing fields, values of several kinds under one
// name, broken lines, times out of order, three formats.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace nines::test {

class Chance {
 public:
  explicit Chance(uint64_t seed) : engine_(seed) {}
  // 0 .. n - 1. REQUIRES n > 0.
  size_t below(size_t n) { return static_cast<size_t>(engine_() % n); }
  bool one_in(size_t n) { return below(n) == 0; }
  template <class T>
  const T& of(const std::vector<T>& items) {
    return items[below(items.size())];
  }
  uint64_t seed() { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

struct LogFile {
  std::string name;  // its end tells the format
  std::vector<std::string> lines;
};

// Fields that all formats have in some way or lack; what queries name.
//   number-like: n, x, status; text-like: service, message, tag, method; ok, level, ts, user.id
LogFile random_log(Chance& chance);

}  // namespace nines::test
