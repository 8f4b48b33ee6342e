// ServiceShares: how many lines, and how many of them errors, each service logged in each minute of
// the last hour, so that the time before a change can be compared with the time after it. Filled
// from TemplateWatch, which knows the last six minutes in slots of 10 s: costs nothing a line.
// Bounded: 0.5 KiB a service that TemplateWatch knows. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "nines/base/time.hpp"
#include "nines/incident/template_watch.hpp"

namespace nines::agent::incident {

class ServiceShares {
 public:
  struct Counts {
    uint64_t lines = 0, errors = 0;
  };
  using ByService = std::map<std::string, Counts>;

  // At each hand-over; works once a minute.
  void look(WallTime now, const nines::incident::TemplateWatch& watch);
  // In [from, to): whole minutes of what is older than the slots, whole slots of what is not.
  uint64_t dropped() const noexcept { return dropped_; }  // minutes of services beyond kMaxServices
  ByService between(WallTime from, WallTime to, const nines::incident::TemplateWatch& watch) const;

 private:
  static constexpr size_t kMinutes = 64;
  static constexpr size_t kMaxServices = 256;
  struct Bin {
    uint32_t lines = 0, errors = 0;
  };
  std::map<std::string, std::array<Bin, kMinutes>> minutes_;
  uint64_t dropped_ = 0;
  int64_t begin_ = 0, end_ = 0;  // minutes that are kept: [begin_, end_)
};

}  // namespace nines::agent::incident
