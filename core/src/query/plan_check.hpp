// Whether a plan that came from elsewhere can be run: what operators and scans take for granted of
// plans that this process made itself.
#pragma once

#include "nines/base/result.hpp"
#include "nines/query/plan_codec.hpp"

namespace nines::query {

Status check_plan(const NodePlan& plan);  // corrupt, with what is wrong

}  // namespace nines::query
