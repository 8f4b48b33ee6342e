// Answer lines: what a record of an access log is to the requests. It has no message that a
// template could be of; it says that a request was answered, and how. Their ids are the same on
// every node.
#pragma once

#include <cstdint>
#include <string_view>

#include "nines/incident/template_miner.hpp"

namespace nines::incident {

// Of a status of HTTP (100..599). 0: it is none.
TemplateId answer_line(int64_t status) noexcept;
// Empty: `line` is no answer.
std::string_view answer_text(TemplateId line) noexcept;
inline bool is_answer(TemplateId line) noexcept { return !answer_text(line).empty(); }

}  // namespace nines::incident
