// The engine of layouts: runs compiled programs over lines for a fixed list of wanted fields.
#pragma once

#include <memory>
#include <vector>

#include "log/layout_program.hpp"
#include "log/parsers.hpp"

namespace nines::log {

// Tries the programs in their order: the first that matches the whole line is the one.
std::unique_ptr<LineParser> run_programs(std::shared_ptr<const std::vector<Program>> programs,
                                         Wanted wanted, const TimeContext& time);

}  // namespace nines::log
