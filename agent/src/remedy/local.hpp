// The executions that run a program on this node: systemd units, and programs that the
// configuration allows by name. No shell, and no argument that comes from a log line: a name is
// looked up in the allow-list and what stands there is run.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "remedy/execution.hpp"

namespace nines::agent::remedy {

struct AllowedProgram {
  // Each a path and its arguments (arguments.hpp). Paths are absolute; what they name is root's or
  // ours and can be changed by nobody else, which is looked at before each run.
  std::string path;
  std::vector<std::string> arguments;
  std::vector<std::string> dry_run;  // exits with 0 when nothing stands against it; empty: none
  std::vector<std::string> check;    // exits with 0 when the action is done; empty: nothing can
                                     // tell after a crash
  int64_t timeout_ms = 0;            // of each of them; 0: as the executor has it
};

struct LocalAllowed {
  std::vector<std::string> units;  // "worker.service"
  std::map<std::string, AllowedProgram> programs;
  std::string systemctl = "/usr/bin/systemctl";
  std::string node;  // what {node} stands for
};

// unit_restart, unit_start, unit_stop of order.target.name. `allowed` outlives it.
std::unique_ptr<Execution> run_unit(const LocalAllowed& allowed, Order order);
// The program named by order.action.parameter; its environment is NINES_KEY, NINES_TARGET,
// NINES_NAMESPACE and NINES_INCIDENT, with which it can tell repeated calls apart.
std::unique_ptr<Execution> run_program(const LocalAllowed& allowed, Order order);

}  // namespace nines::agent::remedy
