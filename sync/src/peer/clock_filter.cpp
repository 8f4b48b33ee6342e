#include "peer/clock_filter.hpp"

namespace nines::peer {
namespace {

constexpr int64_t kDriftDivisor = 10'000;                             // 100 ppm
constexpr int64_t kSane = int64_t{100} * 366 * 86400 * kNsPerSecond;  // a century from 1970
constexpr int64_t kMostUncertain = 60 * kNsPerSecond;

bool sane(int64_t t) { return t > -kSane && t < kSane; }

}  // namespace

void ClockFilter::add(int64_t t1, int64_t t2, int64_t t3, int64_t t4, Instant now) {
  if (!sane(t1) || !sane(t2) || !sane(t3) || !sane(t4)) return;
  const int64_t round_trip = (t4 - t1) - (t3 - t2);
  if (t4 < t1 || t3 < t2 || round_trip < 0 || round_trip > kMostUncertain) return;
  put({((t2 - t1) + (t3 - t4)) / 2, round_trip / 2}, now);
}

void ClockFilter::add_theirs(int64_t offset_ns, int64_t uncertainty_ns, Instant now) {
  if (!sane(offset_ns) || uncertainty_ns < 0 || uncertainty_ns > kMostUncertain) return;
  put({-offset_ns, uncertainty_ns}, now);
}

void ClockFilter::put(Offset offset, Instant now) {
  samples_[next_] = {offset, now, true};
  next_ = (next_ + 1) % samples_.size();
}

int64_t ClockFilter::uncertainty(const Sample& sample, Instant now) {
  return sample.offset.uncertainty_ns + (now.ns - sample.at.ns) / kDriftDivisor;
}

std::optional<Offset> ClockFilter::best(Instant now) const {
  const Sample* best = nullptr;
  for (const Sample& sample : samples_) {
    if (!sample.used) continue;
    if (best == nullptr || uncertainty(sample, now) < uncertainty(*best, now)) best = &sample;
  }
  if (best == nullptr) return std::nullopt;
  return Offset{best->offset.ns, uncertainty(*best, now)};
}

}  // namespace nines::peer
