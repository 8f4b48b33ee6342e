// Suspects in words: each piece of evidence as a sentence with its numbers, and what would make the
// conclusion wrong.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/incident/suspects.hpp"

namespace nines::incident {

struct SuspectText {
  std::string service;
  double score = 0;
  std::vector<std::string> evidence;  // the strongest first
  std::string wrong_if;               // of the strongest
  // That it is about, rather one that comes now and did not; 0: none (usage).
  TemplateId line = 0;
};

// Names of services by their ids, the text of a template (empty: forgotten), and the gauge that a
// service's usage is read from ("cpu_percent"; null or empty: not known here).
struct SuspectNames {
  const std::vector<std::string>& services;
  std::function<std::string(TemplateId)> text_of;
  std::function<std::string(const std::string&)> gauge_of = nullptr;
};

// The first `most` of `suspects`, with at most `evidence` sentences each.
std::vector<SuspectText> tell_suspects(const std::vector<Suspect>& suspects,
                                       const SuspectNames& names, size_t most, size_t evidence);

}  // namespace nines::incident
