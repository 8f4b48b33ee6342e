// Who is on call and what is known of pages, for people and programs.
#pragma once

#include <string>

#include "incident/on_call.hpp"
#include "nines/oncall/schedule.hpp"

namespace nines::agent::view {

// Who answers for that duty, and why: "layer nights instead of ben, who is away".
std::string why_on_duty(const nines::oncall::Schedule& schedule, const nines::oncall::Duty& duty);

// GET /api/oncall: who is on call now and until when, who is next, everybody's load, the policies.
std::string oncall_json(const incident::OnCall& on_call, const incident::core::IncidentBook& book,
                        WallTime now);
// GET /api/oncall/pages: those that the incidents tell of, as lines of a page history.
std::string oncall_pages(const incident::OnCall& on_call, const incident::core::IncidentBook& book,
                         WallTime now);

}  // namespace nines::agent::view
