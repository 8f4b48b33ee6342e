#include "nines/collector/governor.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace nines::collector {
namespace {

// A trickle is granted in pieces of this long, so that it costs few wake-ups.
constexpr int64_t kPieceMs = 250;

std::string percent(int64_t hundredths) { return std::to_string((hundredths + 50) / 100) + " %"; }

int64_t since(Instant now, Instant then) {
  return then.ns == INT64_MIN ? INT64_MAX : now.ns - then.ns;
}

}  // namespace

Governor::Governor(GovernorOptions options) : options_(options) {
  options_.burst_ms = std::clamp<int64_t>(options_.burst_ms, 1, 60'000);
  options_.cpu_permille = std::max(options_.cpu_permille, 0);
  options_.trickle_bytes_per_s =
      std::clamp<size_t>(options_.trickle_bytes_per_s, kMinTrickle, size_t{1} << 28);
}

bool Governor::wants_pressure(Instant now, bool backlog) const noexcept {
  if (!backlog && !stats_.backing_off) return false;
  return since(now, looked_) >= options_.pressure_every_ms * kNsPerMs;
}

int64_t Governor::rate() const noexcept {
  return static_cast<int64_t>(options_.trickle_bytes_per_s);
}
int64_t Governor::piece() const noexcept { return rate() * kPieceMs * kNsPerMs; }

// What is above `share_percent` of its limit; empty: nothing.
std::string Governor::why(const Pressure& pressure, int64_t share_percent) const {
  const auto above = [&](const char* name, std::optional<int32_t> value, int32_t limit) {
    if (!value || limit <= 0 || *value <= limit * share_percent) return std::string();
    return std::string(name) + " pressure " + percent(*value) + " > " +
           percent(limit * share_percent);
  };
  std::string out = above("memory", pressure.memory, options_.memory_percent);
  for (const std::string& more : {above("io", pressure.io, options_.io_percent),
                                  above("cpu", pressure.cpu, options_.cpu_percent)}) {
    if (!out.empty() && !more.empty()) out += ", ";
    out += more;
  }
  return out;
}

void Governor::turn(Instant now, bool back_off) {
  stats_.backing_off = back_off;
  if (back_off) {
    ++stats_.back_offs;
    byte_tokens_ = 0;
  } else {
    stats_.backed_off_ms += (now.ns - turned_.ns) / kNsPerMs;
    stats_.reason.clear();
  }
  turned_ = now;
}

void Governor::note_pressure(Instant now, const Pressure& pressure) {
  looked_ = now;
  const bool may_turn = since(now, turned_) >= options_.hold_ms * kNsPerMs;
  std::string reason = why(pressure, 100);
  if (reason.empty() && stats_.backing_off) reason = why(pressure, options_.leave_percent);
  if (stats_.backing_off) {
    if (!reason.empty()) {
      stats_.reason = std::move(reason);
    } else if (may_turn) {
      turn(now, false);
    } else {
      stats_.reason = "pressure is gone; reading speeds up soon";
    }
  } else if (!reason.empty() && may_turn) {
    turn(now, true);
    stats_.reason = std::move(reason);
  }
}

void Governor::refill(Instant now, int64_t cpu_ns) {
  const int64_t full = options_.burst_ms * kNsPerMs * 1000;
  if (!begun_) {
    begun_ = true;
    cpu_tokens_ = full;
  } else {
    // A day is enough to fill any bucket and keeps the products within 64 bits.
    const int64_t elapsed = std::clamp<int64_t>(now.ns - at_.ns, 0, 86'400 * kNsPerSecond);
    const int64_t used = std::max<int64_t>(0, cpu_ns - cpu_ns_);
    cpu_tokens_ = std::min(full, cpu_tokens_ + elapsed * options_.cpu_permille - used * 1000);
    byte_tokens_ = std::min(piece(), byte_tokens_ + std::min(elapsed, kNsPerSecond) * rate());
  }
  at_ = now;
  cpu_ns_ = cpu_ns;
}

Governor::Grant Governor::pause(Instant now, int64_t ns, uint64_t& counter) {
  ++counter;
  stats_.paused_ms += ns / kNsPerMs;
  return {{now.ns + ns}, 0};
}

Governor::Grant Governor::next(Instant now, int64_t cpu_ns) {
  refill(now, cpu_ns);
  if (options_.cpu_permille > 0 && cpu_tokens_ < 0) {
    // Half a burst more than is owed, so that pauses are few and long instead of many and short.
    const int64_t owed = options_.burst_ms * kNsPerMs * 500 - cpu_tokens_;
    return pause(now, owed / options_.cpu_permille + 1, stats_.cpu_pauses);
  }
  if (!stats_.backing_off) return {now, options_.read_bytes};
  if (byte_tokens_ < piece()) {
    return pause(now, (piece() - byte_tokens_) / rate() + 1, stats_.trickle_pauses);
  }
  return {now, static_cast<size_t>(byte_tokens_ / kNsPerSecond)};
}

void Governor::spent(size_t bytes) noexcept {
  if (stats_.backing_off) {
    constexpr size_t kMost = size_t{1} << 30;
    byte_tokens_ -= static_cast<int64_t>(std::min(bytes, kMost)) * kNsPerSecond;
  }
}

}  // namespace nines::collector
