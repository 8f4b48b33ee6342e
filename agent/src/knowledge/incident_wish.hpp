// What an incident asks of the knowledge base, and what its review gives to it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nines/incident/incident.hpp"
#include "nines/incident/postmortem.hpp"
#include "nines/slo/changes.hpp"
#include "nines/slo/engine.hpp"
#include "nines/store/knowledge_base.hpp"

namespace nines::agent::knowledge {

// Ids of reviews in the knowledge base begin so; the incident's id follows.
inline constexpr std::string_view kReviews = "incident/";

struct Wish {
  std::vector<std::string> templates;  // ids, as the keys of conditions have them
  std::string service, text;
  std::vector<std::string> not_these;  // articles about the incident itself
};

// `incident`: what the event belongs to; null: nothing that is known.
Wish wish_of(const slo::AlertEvent& event, const nines::incident::Incident* incident);
// Of the lines that its conditions and suspects are about, at most KnowledgeBase::kMaxTemplates.
std::vector<std::string> templates_of(const nines::incident::Incident& incident);
// The review of an incident that is over. The same incident and facts give the same article.
store::Article review_of(const nines::incident::Incident& incident,
                         const nines::incident::PostmortemFacts& facts);

}  // namespace nines::agent::knowledge
