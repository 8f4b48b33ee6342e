// Options of `nines slo`, `nines gate` and `nines capacity`.
#pragma once

#include <string>

#include "cli/commands.hpp"

namespace CLI {
class App;
}

namespace nines::agent {

// The options outlive the application. report, report_format: of `nines slo report`.
void add_slo(CLI::App& root, SloOptions& options, ChangeOptions& report,
             std::string& report_format);
// override_options: of `nines gate override`.
void add_gate(CLI::App& root, SloOptions& options, ChangeOptions& override_options);
void add_capacity(CLI::App& root, SloOptions& options);

}  // namespace nines::agent
