// Backfill: an SLO that is new here counts what the logs still hold: every file of its source that
// was read before, rotated and compressed generations included, from its start up to where it was
// read. What lies behind those positions is counted with all other SLOs when the agent goes on, so
// that no line counts twice and none is left out.
#pragma once

#include <string>
#include <vector>

#include "app/setup.hpp"
#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent {

struct Backfilled {
  struct Slo {
    std::string name;
    bool known = false;      // counted here before: nothing was done
    bool not_files = false;  // its source is not files: nothing can be read again
    int64_t good = 0, bad = 0;
    WallTime first{};  // oldest event that counted
  };
  std::vector<Slo> slos;
  int64_t files = 0;
  uint64_t bytes = 0;
};

// `names`: SLOs of `setup`; empty: all that the state does not know. All or nothing: one commit at
// the end, so that a run that is killed is simply repeated. not_found names an SLO that there is
// not.
Result<Backfilled> backfill(const Setup& setup, const std::vector<std::string>& names,
                            store::StateStore& store, const Clock& clock);

}  // namespace nines::agent
