// What a day costs the card: 1440 commits of 20 SLOs and 8 files, 24 folds, as fast as the disk
// takes them. Bytes and flushes are those SQLite asked for; the file system's journal comes on top.
//   bench_store [directory] [days]
// The store is left behind for the question how fast a start is; both are printed.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "nines/store/state_store.hpp"

using namespace nines;
using namespace nines::store;

namespace {

constexpr int64_t kT0 = 1'800'000'000;
constexpr uint32_t kSlos = 20;
constexpr int kFiles = 8;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void require(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.error().message.c_str());
  std::exit(1);
}

StateStore::Commit minute(int64_t t, int64_t n) {
  StateStore::Commit commit;
  commit.now = WallTime::from_s(t);
  for (uint32_t slo = 0; slo < kSlos; ++slo) {
    for (int64_t slot = -6; slot < 0; ++slot) {
      commit.batch.slots.push_back({slo, t / 10 + slot, 900 + (n * 37 + slo) % 400, n % 5, 10});
    }
    slo::SketchDelta sketch{slo, t / 3600, {}};
    for (uint16_t bin = 0; bin < 20; ++bin) {
      sketch.bins.emplace_back(static_cast<uint16_t>(400 + slo + 3 * bin), 40U + bin);
    }
    if (slo % 4 == 0) commit.batch.sketches.push_back(sketch);  // a quarter measures latency
  }
  for (int file = 0; file < kFiles; ++file) {
    commit.batch.positions.push_back({"fe01:" + std::to_string(1000000 + file),
                                      std::string(40, 's') + std::to_string(n * 1000)});
  }
  commit.batch.max_event_time = commit.now;
  return commit;
}

size_t attach_all(StateStore& store) {
  size_t slots = 0;
  for (uint32_t slo = 0; slo < kSlos; ++slo) {
    require(store.attach(slo, {"slo-" + std::to_string(slo), "g"},
                         [&](const slo::Batch& batch) { slots += batch.slots.size(); }));
  }
  return slots;
}

}  // namespace

int main(int argc, char** argv) {
  StoreOptions options;
  options.directory = argc > 1 ? argv[1] : "bench-state";
  const int64_t days = argc > 2 ? std::atoll(argv[2]) : 1;
  auto opened = StateStore::open(options);
  if (!opened.ok()) require(opened.error());
  auto store = std::move(*opened);
  attach_all(*store);
  const auto start = std::chrono::steady_clock::now();
  for (int64_t n = 1; n <= days * 1440; ++n) {
    auto commit = minute(kT0 + 60 * n, n);
    require(store->commit(commit));
    if (n % 60 == 0) require(store->fold(commit.now));
  }
  const auto stats = store->stats();
  std::printf("%lld day(s): %.1f MB and %.0f flushes a day; row %llu B, file %.2f MB, %.1f s\n",
              static_cast<long long>(days),
              static_cast<double>(stats.bytes_written) / 1e6 / static_cast<double>(days),
              static_cast<double>(stats.flushes) / static_cast<double>(days),
              static_cast<unsigned long long>(stats.last_row_bytes),
              static_cast<double>(stats.file_bytes) / 1e6, seconds_since(start));
  store.reset();
  const auto again = std::chrono::steady_clock::now();
  auto reopened = StateStore::open(options);
  if (!reopened.ok()) require(reopened.error());
  const double open_s = seconds_since(again);
  const size_t slots = attach_all(**reopened);
  std::printf("start: open and check %.3f s, then %zu slots of %u SLOs in %.3f s\n", open_s, slots,
              kSlos, seconds_since(again) - open_s);
  return 0;
}
