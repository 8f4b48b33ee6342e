// What a look of the Pager works on.
#pragma once

#include <optional>

#include "incident/pager.hpp"

namespace nines::agent::incident {

struct Pager::Turn {
  const core::IncidentBook& book;
  WallTime now;
  Decided out;
  std::optional<nines::oncall::PageLedger> ledger;  // made when somebody asks for it
};

}  // namespace nines::agent::incident
