// notifiers: and chains: of nines.yaml.
#pragma once

#include "config/options.hpp"

namespace nines::agent::config {

// Behind the webhooks, whose names must not come twice.
void read_notifiers(MapReader& root, Draft& draft, Reporter& report);

}  // namespace nines::agent::config
