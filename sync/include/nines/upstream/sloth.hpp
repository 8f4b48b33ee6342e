// The names that Sloth (sloth.dev) gives to SLOs and their series, so that dashboards made for it
// show what Nines counts.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "nines/slo/spec.hpp"

namespace nines::upstream {

// As Prometheus prints durations: "5m", "1d", "4w" for 28 days, "1h30m".
std::string prometheus_duration(int64_t seconds);

// Days of a window as text; 7 digits are enough to tell a part of a day.
std::string days_text(int64_t window_s);

// Sloth's identity is service-slo. What was imported from it has that as its name.
struct SlothIdentity {
  std::string id, service, slo;
};
// `exists`: whether another SLO of this service has that name.
SlothIdentity sloth_identity(const slo::SloSpec& spec,
                             const std::function<bool(const std::string& name)>& exists);

}  // namespace nines::upstream
