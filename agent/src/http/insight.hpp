// Routes over what is too costly or too large for every snapshot: forecasts at length, back-tests,
// capacity.
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "app/snapshot.hpp"
#include "http/message.hpp"
#include "nines/slo/backtest.hpp"
#include "nines/slo/capacity.hpp"

namespace nines::agent::http {

// Called on the thread of the server; one that is empty has nothing to tell.
struct Insight {
  std::function<std::optional<slo::BacktestReport>(std::string_view slo)> backtest;
  std::function<std::vector<slo::CapacityForecast>()> capacity;
  std::function<std::string()> outbox;
  std::function<std::string()> metrics{};  // of the server, for /metrics
};

// nullopt: the path is none of these.
//   /api/forecast, /api/backtest[?format=table&width=N&color=1]      all SLOs
//   /api/capacity                                                    the node
//   /api/outbox                                      who is told, how far, and what was given up
//   /api/slo/{name}/forecast, /api/slo/{name}/backtest               the same of one
std::optional<HttpResponse> insight_routes(const HttpRequest& request,
                                           const std::function<Snapshot()>& snapshot,
                                           const Insight& insight);

}  // namespace nines::agent::http
