// A node whose services are well: seasons of day and week, busy quarters of an hour, restarts,
// deploys with templates that were never seen, a loud job each night, times in which the agent was
// stopped or lagged. Counts by slot of 10 s, from a seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "nines/incident/template_watch.hpp"

namespace nines::incident::test {

inline constexpr int64_t kMonthStart = 1'767'571'200;  // Monday 2026-01-05, UTC

class HealthyNode {
 public:
  explicit HealthyNode(uint32_t seed);

  // Counts the slot that begins at second `s` of the month. `silenced`: number of a service that
  // logs nothing; -1: none. Lines of it come at even times within the slot.
  void slot(TemplateWatch& watch, int64_t s, int silenced = -1);
  // How the agent fared in that slot.
  Watched watched(int64_t s) const;
  bool stopped(int64_t s) const;

  static std::string name(size_t service) { return "service-" + std::to_string(service); }
  size_t services() const { return services_.size(); }

 private:
  struct Line {
    TemplateId id;
    double share;  // of the service's traffic
    bool error;
  };
  struct Service {
    double rate;  // lines a slot at noon
    std::vector<Line> lines;
    int64_t restart_at = 0, restart_ends = 0, busy_from = 0, busy_until = 0;
    double level = 1;
  };
  struct Span {
    int64_t from, until;
  };

  uint32_t draw(double mean);
  double uniform(double low, double high);
  void plan_day(int64_t day);
  void deploy(Service& service, TemplateWatch& watch, size_t index, int64_t s);

  std::mt19937 chance_;
  std::vector<Service> services_;
  std::vector<Span> stops_, lags_;
  int64_t day_ = -1;
  int64_t deploy_at_ = -1;
  size_t deploy_of_ = 0;
  TemplateId next_ = 1'000'000;
};

}  // namespace nines::incident::test
