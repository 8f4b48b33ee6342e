// Communication: what is told to people about an incident, from what is known of it. Nothing is
// made up: what is not known is said to be unknown.
#pragma once

#include <string>

#include "nines/incident/incident.hpp"

namespace nines::incident {

enum class Template : uint8_t { initial, update, resolution };
std::string_view template_name(Template which) noexcept;

struct CommunicationSettings {
  int64_t update_s[4] = {1800, 3600, 14'400, 86'400};  // until the next update, by severity
  std::string tracker;  // where action items are tracked; empty: with the incident
};

// Markdown that reads as plain text, too.
std::string communication(Template which, const Incident& incident, WallTime now,
                          const CommunicationSettings& settings = {});

}  // namespace nines::incident
