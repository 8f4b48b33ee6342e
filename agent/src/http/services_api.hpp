// Services, targets, burn rates, forecasts and the release gate by service; everything else goes on
// to `next`. Where a service is asked for, the name of an SLO does as well.
//   GET  /api/services, /api/services/{name}
//   GET  /api/slo/{service}/targets, and /api/slo/{service} where it has one SLO
//   GET  /api/burn, /api/burn/{service}[?span=24h]
//   POST /api/burn/compute           reads what is new; needs the token
//   GET  /api/forecast/{service}
//   GET  /api/release/{service}
#pragma once

#include <functional>
#include <string>

#include "app/logbook.hpp"
#include "app/snapshot.hpp"
#include "http/message.hpp"

namespace nines::agent::http {

// All of it runs on the thread of the server.
struct ServicesAccess {
  std::string token;
  std::function<Snapshot()> snapshot;
  std::function<const Logbook&()> book;
  std::function<WallTime()> now;
  std::function<void()> read_on;  // asks for what is new in the logs
};

// The index of an SLO in the engine.
std::optional<uint32_t> place_of(const slo::SloEngine& engine, std::string_view slo);
const slo::SloSpec* spec_of(const Logbook& book, std::string_view slo);

AsyncHandler make_services_api(ServicesAccess access, AsyncHandler next);

}  // namespace nines::agent::http
