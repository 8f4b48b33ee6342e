// Traffic: a seeded stream of requests as a small shop might see them: more by day than by night,
// slower when busy, a few errors always and many in an outage. The same seed gives the same
// requests on every machine with the same libm. No clock: times follow from the options. Not
// thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace nines::demo {

inline constexpr int64_t kNsPerSecond = 1'000'000'000;

// xoshiro256** (Blackman, Vigna), seeded by splitmix64.
class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t next();
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  // 0..n-1; the bias of a 64-bit multiply is below 2^-32 for the n used here.
  uint32_t below(uint32_t n) {
    return static_cast<uint32_t>(((next() >> 32) * static_cast<uint64_t>(n)) >> 32);
  }
  bool chance(double p) { return uniform() < p; }

 private:
  std::array<uint64_t, 4> state_{};
};

struct Outage {
  int64_t start_ns = 0, end_ns = 0;  // half-open
  double error_share = 0.3;          // of the requests inside fail
  double slowdown = 4;               // of the others' duration
};

struct TrafficOptions {
  uint64_t seed = 1;
  int64_t start_ns = 0;
  double rate = 100;     // requests a second, mean of a day
  double swing = 0.8;    // 0: flat; 0.8: the afternoon has nine times the traffic of the night
  double day_s = 86400;  // length of one "day" (the demo's is minutes long)
  double error_share = 0.0004;  // server errors outside outages
  double median_ms = 35;
  std::vector<Outage> outages;
};

struct Request {
  int64_t ts_ns = 0;    // when it was answered
  uint32_t method = 0;  // indices into the tables of lines.cpp
  uint32_t route = 0;
  uint32_t agent = 0;
  uint32_t client = 0;
  uint32_t item = 0;
  int status = 200;
  uint32_t bytes = 0;
  int64_t duration_us = 0;
  uint64_t id = 0;
};

class Traffic {
 public:
  explicit Traffic(TrafficOptions options);
  // The next request; its time never lies before that of the one before.
  void next(Request& out);
  int64_t now_ns() const { return now_ns_; }

 private:
  double rate_at(int64_t ns) const;
  const Outage* outage_at(int64_t ns) const;
  int choose_status(const Outage* outage);
  int64_t choose_duration(const Outage* outage, int status);

  TrafficOptions options_;
  Random random_;
  int64_t now_ns_;
  int64_t rate_until_ns_ = 0;  // the rate is worked out once a second of model time
  double gap_ns_ = 0;
};

}  // namespace nines::demo
