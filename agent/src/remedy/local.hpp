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
  std::string path;                    // absolute; root's or ours, and writable by nobody else
  std::vector<std::string> arguments;  // as they are
  std::vector<std::string> check;      // a path and its arguments: exits with 0 when the action is
                                       // done; empty: nothing can tell after a crash
};

struct LocalAllowed {
  std::vector<std::string> units;  // "worker.service"
  std::map<std::string, AllowedProgram> programs;
  std::string systemctl = "/usr/bin/systemctl";
};

// unit_restart, unit_start, unit_stop of order.target.name. `allowed` outlives it.
std::unique_ptr<Execution> run_unit(const LocalAllowed& allowed, Order order);
// The program named by order.action.parameter; its environment is NINES_KEY, NINES_TARGET and
// NINES_NAMESPACE, with which it can tell repeated calls apart.
std::unique_ptr<Execution> run_program(const LocalAllowed& allowed, Order order);

}  // namespace nines::agent::remedy
