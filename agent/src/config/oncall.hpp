// The on-call document (oncall.file of nines.yaml): people, holidays, schedules, policies. Every
// key with its meaning: packaging/examples/oncall.yaml.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "config/reporter.hpp"
#include "config/yaml_tree.hpp"
#include "nines/oncall/router.hpp"

namespace nines::agent::config {

// nullopt: there is an error, which was appended; calendars that it names lie beside the file.
// `notifiers`: what people may be reached by; nullptr: nobody asks.
std::optional<nines::oncall::Plan> load_oncall(const std::string& path,
                                               std::vector<Diagnostic>& diagnostics,
                                               const std::vector<std::string>* notifiers = nullptr);

// A calendar of a file, with what is wrong in it reported at its lines. `floating`: the zone of
// times that name none.
std::optional<nines::oncall::Calendar> load_calendar(const std::string& path,
                                                     const nines::oncall::Zone& floating,
                                                     Reporter& report);

}  // namespace nines::agent::config
