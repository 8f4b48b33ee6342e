// Wiring: registers SLOs with both halves of the agent and gives them back what the store kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/ingest.hpp"
#include "app/judge.hpp"
#include "app/setup.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent {

// Both halves with every SLO of `setup` registered and restored from `store` (may be null).
struct Halves {
  std::unique_ptr<Judge> judge;
  std::unique_ptr<Ingest> ingest;
};
Result<Halves> wire(const Setup& setup, store::StateStore* store, const Clock& clock,
                    InputEnvironment environment = {});

// Makes a row of a group known to the store, which gives back what it kept of it. On one thread
// with both.
Status attach_row(store::StateStore& store, Judge& judge, uint32_t row);

Result<std::unique_ptr<store::StateStore>> open_store(const std::string& directory,
                                                      const NodeConfig& config);
// One that goes on in `memory` where the directory cannot be written.
Result<std::unique_ptr<store::StateStore>> open_store(const std::string& directory,
                                                      const NodeConfig& config,
                                                      std::shared_ptr<store::MemoryFiles> memory,
                                                      WallTime now);

// Figures of this process from /proc.
struct ProcessFigures {
  size_t resident_bytes = 0;
  double cpu_seconds = 0;
};
ProcessFigures process_figures();

}  // namespace nines::agent
