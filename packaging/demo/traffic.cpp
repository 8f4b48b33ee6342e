#include "traffic.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nines::demo {

namespace {
constexpr uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

// Durations are heavy-tailed; a table of quantiles of a log-normal (sigma 0.7) is faster than
// exp(normal) for each request.
constexpr int kQuantiles = 1024;
std::array<double, kQuantiles> lognormal_quantiles() {
  std::array<double, kQuantiles> table{};
  for (int i = 0; i < kQuantiles; ++i) {
    const double p = (i + 0.5) / kQuantiles;
    // Inverse of the logistic distribution scaled to the normal's variance: close enough for logs.
    const double z = std::log(p / (1 - p)) * std::sqrt(3.0) / std::numbers::pi;
    table[static_cast<size_t>(i)] = std::exp(0.7 * z);
  }
  return table;
}
}  // namespace

Random::Random(uint64_t seed) {
  for (auto& word : state_) {
    seed += 0x9e3779b97f4a7c15ULL;
    uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    word = z ^ (z >> 31);
  }
}

uint64_t Random::next() {
  auto& s = state_;
  const uint64_t result = rotl(s[1] * 5, 7) * 9;
  const uint64_t t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = rotl(s[3], 45);
  return result;
}

Traffic::Traffic(TrafficOptions options)
    : options_(std::move(options)), random_(options_.seed), now_ns_(options_.start_ns) {}

double Traffic::rate_at(int64_t ns) const {
  const double second = static_cast<double>(ns / kNsPerSecond);
  const double day = std::fmod(second, options_.day_s) / options_.day_s;
  // Busiest at 15:00, quietest at 03:00.
  const double wave = std::cos(2 * std::numbers::pi * (day - 15.0 / 24));
  return options_.rate * (1 + options_.swing * wave);
}

const Outage* Traffic::outage_at(int64_t ns) const {
  for (const auto& outage : options_.outages) {
    if (ns >= outage.start_ns && ns < outage.end_ns) return &outage;
  }
  return nullptr;
}

int Traffic::choose_status(const Outage* outage) {
  const double p = random_.uniform();
  const double errors = outage ? outage->error_share : options_.error_share;
  if (p < errors) {
    const uint32_t kind = random_.below(10);
    return kind < 5 ? 503 : kind < 8 ? 500 : kind < 9 ? 502 : 504;
  }
  const double q = (p - errors) / (1 - errors);
  if (q < 0.88) return 200;
  if (q < 0.93) return 304;
  if (q < 0.96) return 201;
  if (q < 0.975) return 302;
  if (q < 0.992) return 404;
  if (q < 0.996) return 401;
  return 400;
}

int64_t Traffic::choose_duration(const Outage* outage, int status) {
  static const auto quantiles = lognormal_quantiles();
  double ms = options_.median_ms * quantiles[random_.below(kQuantiles)];
  if (status == 304 || status == 302) ms *= 0.2;
  if (status == 504) ms = 30'000;
  if (outage && status != 503) ms *= outage->slowdown;
  return std::max<int64_t>(200, static_cast<int64_t>(ms * 1000));
}

void Traffic::next(Request& out) {
  if (now_ns_ >= rate_until_ns_) {
    gap_ns_ = static_cast<double>(kNsPerSecond) / std::max(1e-6, rate_at(now_ns_));
    rate_until_ns_ = (now_ns_ / kNsPerSecond + 1) * kNsPerSecond;
  }
  now_ns_ += static_cast<int64_t>(-std::log(1 - random_.uniform()) * gap_ns_);
  const Outage* outage = outage_at(now_ns_);
  out.ts_ns = now_ns_;
  const uint64_t bits = random_.next();
  out.method = static_cast<uint32_t>(bits & 0xf);
  out.route = static_cast<uint32_t>((bits >> 4) & 0xff);
  out.agent = static_cast<uint32_t>((bits >> 12) & 0xff);
  out.client = static_cast<uint32_t>((bits >> 20) & 0xfff);
  out.item = static_cast<uint32_t>((bits >> 32) % 100'000);
  out.id = random_.next();
  out.status = choose_status(outage);
  out.duration_us = choose_duration(outage, out.status);
  out.bytes = out.status == 304 ? 0 : 150 + static_cast<uint32_t>(out.id % 14'000);
}

}  // namespace nines::demo
