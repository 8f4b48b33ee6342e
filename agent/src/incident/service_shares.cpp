#include "incident/service_shares.hpp"

#include <algorithm>

namespace nines::agent::incident {
namespace {

using nines::incident::ServiceRate;
using nines::incident::TemplateWatch;

constexpr int64_t kMinuteNs = 60 * kNsPerSecond;
constexpr int64_t kSlotNs = TemplateWatch::kSlotS * kNsPerSecond;
// Lines of a minute may be read in the next one, and the slots reach back over six.
constexpr int64_t kLateMinutes = 1, kMostBehind = 4, kInSlots = 3;

int64_t up(int64_t ns, int64_t unit) { return (ns + unit - 1) / unit * unit; }

// What the slots hold of [from, to).
ServiceShares::ByService in_slots(const TemplateWatch& watch, int64_t from, int64_t to) {
  ServiceShares::ByService out;
  if (from >= to) return out;
  for (const ServiceRate& rate : watch.rates({from})) {
    out[rate.service] = {rate.lines, rate.errors};
  }
  for (const ServiceRate& rate : watch.rates({to})) {
    ServiceShares::Counts& counts = out[rate.service];
    counts.lines -= std::min(counts.lines, rate.lines);
    counts.errors -= std::min(counts.errors, rate.errors);
  }
  return out;
}

}  // namespace

void ServiceShares::look(WallTime now, const TemplateWatch& watch) {
  const int64_t until = now.ns / kMinuteNs - kLateMinutes;
  if (until <= end_) return;
  if (until - end_ > kMostBehind) {  // the first time, or after a gap: nothing older can be known
    minutes_.clear();
    begin_ = end_ = until - 1;
  }
  for (; end_ < until; ++end_) {
    const auto place = static_cast<size_t>(end_) % kMinutes;
    for (auto& [service, bins] : minutes_) bins[place] = {};
    for (const auto& [service, counts] :
         in_slots(watch, end_ * kMinuteNs, (end_ + 1) * kMinuteNs)) {
      if (counts.lines == 0) continue;
      if (minutes_.size() >= kMaxServices && !minutes_.contains(service)) {
        ++dropped_;
        continue;
      }
      minutes_[service][place] = {static_cast<uint32_t>(counts.lines),
                                  static_cast<uint32_t>(counts.errors)};
    }
  }
  begin_ = std::max(begin_, end_ - static_cast<int64_t>(kMinutes));
}

ServiceShares::ByService ServiceShares::between(WallTime from, WallTime to,
                                                const TemplateWatch& watch) const {
  // Where the slots begin to be used: as early as they are sure to reach back.
  const int64_t border = std::max(begin_, end_ - kInSlots);
  const int64_t first = std::max(begin_, up(from.ns, kMinuteNs) / kMinuteNs);
  const int64_t last = std::min(border, to.ns / kMinuteNs);
  ByService out = in_slots(watch, up(std::max(from.ns, border * kMinuteNs), kSlotNs),
                           to.ns / kSlotNs * kSlotNs);
  for (const auto& [service, bins] : minutes_) {
    Counts& counts = out[service];
    for (int64_t minute = first; minute < last; ++minute) {
      const Bin& bin = bins[static_cast<size_t>(minute) % kMinutes];
      counts.lines += bin.lines;
      counts.errors += bin.errors;
    }
  }
  return out;
}

}  // namespace nines::agent::incident
