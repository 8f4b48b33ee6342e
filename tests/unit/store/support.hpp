// A directory that goes away, and what the store's tests count.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "nines/store/state_store.hpp"

namespace nines::store::test {

class TempDir {
 public:
  TempDir() {
    // In memory where possible: these tests count flushes, they need not wait for them.
    const bool memory = ::access("/dev/shm", W_OK) == 0;
    std::string pattern = (memory ? "/dev/shm" : std::filesystem::temp_directory_path().string());
    pattern += "/nines-store-XXXXXX";
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string state() const { return path_ + "/state"; }
  std::string file(const std::string& name) const { return state() + "/" + name; }
  const std::string& path() const { return path_; }
  StoreOptions options() const {
    StoreOptions options;
    options.directory = state();
    return options;
  }

 private:
  std::string path_;
};

struct Counts {
  int64_t good = 0, bad = 0, covered_s = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};
// By (slo, unix minute): the resolution that folding keeps.
struct Sums {
  std::map<std::pair<uint32_t, int64_t>, Counts> minutes;
  std::map<std::pair<uint32_t, std::pair<int64_t, uint16_t>>, uint64_t> bins;

  void add(const slo::Batch& batch) {
    for (const auto& s : batch.slots) {
      Counts& counts = minutes[{s.slo, s.slot >= 0 ? s.slot / 6 : -((-s.slot + 5) / 6)}];
      counts.good += s.good;
      counts.bad += s.bad;
      counts.covered_s += s.covered_s;
    }
    for (const auto& sketch : batch.sketches) {
      for (const auto& [bin, count] : sketch.bins) bins[{sketch.slo, {sketch.hour, bin}}] += count;
    }
    std::erase_if(minutes, [](const auto& e) { return e.second == Counts{}; });
    std::erase_if(bins, [](const auto& e) { return e.second == 0; });
  }
  int64_t good(uint32_t slo) const {
    int64_t sum = 0;
    for (const auto& [key, counts] : minutes) sum += key.first == slo ? counts.good : 0;
    return sum;
  }
  friend bool operator==(const Sums&, const Sums&) = default;
};

inline std::unique_ptr<StateStore> open_store(const StoreOptions& options) {
  auto store = StateStore::open(options);
  if (!store.ok()) FAIL(store.error().message);
  return std::move(*store);
}

inline void require_ok(const Status& status) {
  if (!status.ok()) FAIL(status.error().message);
}

inline Sums attach_all(StateStore& store, uint32_t slos) {
  Sums sums;
  for (uint32_t i = 0; i < slos; ++i) {
    require_ok(store.attach(i, {"slo-" + std::to_string(i), "g1"},
                            [&](const slo::Batch& batch) { sums.add(batch); }));
  }
  return sums;
}

inline std::map<std::string, std::string> positions_of(const Restored& restored) {
  std::map<std::string, std::string> out;
  for (const auto& position : restored.positions) out[position.key] = position.state;
  return out;
}

}  // namespace nines::store::test
