#include "knowledge/incident_wish.hpp"

#include <algorithm>
#include <set>

#include "notify/message.hpp"

namespace nines::agent::knowledge {
namespace {

using nines::incident::Incident;

constexpr size_t kIdDigits = 16;  // of a template
constexpr size_t kMostSuspects = 3;
constexpr size_t kMaxTitle = 400;

bool is_template(std::string_view text) {
  return text.size() == kIdDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string review_id(const std::string& incident) { return std::string(kReviews) + incident; }

}  // namespace

std::vector<std::string> templates_of(const Incident& incident) {
  std::set<std::string> out;
  const auto add = [&](std::string_view id) {
    if (is_template(id) && out.size() < store::KnowledgeBase::kMaxTemplates) out.emplace(id);
  };
  for (const auto& one : incident.conditions) {
    const std::string& key = one.condition.key;
    if (const size_t slash = key.rfind('/'); slash != std::string::npos) {
      add(std::string_view(key).substr(slash + 1));
    }
  }
  for (const auto& one : incident.evidence) {
    if (const std::string* const id = one.entry.detail("template")) add(*id);
  }
  return {out.begin(), out.end()};
}

Wish wish_of(const slo::AlertEvent& event, const Incident* incident) {
  Wish out;
  if (incident == nullptr) {
    out.service = event.service;
    out.text = event.slo + " " + event.rule + " " + event.summary;
    return out;
  }
  out.templates = templates_of(*incident);
  out.service = incident->service.empty() ? event.service : incident->service;
  out.text = incident->title;
  for (const auto& one : incident->conditions) {
    out.text += ' ';
    out.text += condition_kind_name(one.condition.kind);
    out.text += " " + one.condition.text;
  }
  size_t told = 0;
  for (auto it = incident->evidence.rbegin(); it != incident->evidence.rend(); ++it) {
    if (it->kind != nines::incident::EventKind::suspects || told++ == kMostSuspects) continue;
    out.text += " " + it->entry.text;
    if (const std::string* const example = it->entry.detail("example")) out.text += " " + *example;
  }
  for (const auto& cause : incident->causes) out.text += " " + cause.text;
  out.not_these.push_back(review_id(incident->id));
  for (const std::string& alias : incident->aliases) out.not_these.push_back(review_id(alias));
  return out;
}

store::Article review_of(const Incident& incident, const nines::incident::PostmortemFacts& facts) {
  store::Article out;
  out.id = review_id(incident.id);
  out.kind = "postmortem";
  out.title = notify::cut(incident.id + ": " + incident.title, kMaxTitle);
  out.service = notify::cut(incident.service, kMaxTitle);
  out.templates = templates_of(incident);
  // As of the last that was heard of it, so that reading it again later changes nothing.
  const WallTime at = std::max(incident.resolved, incident.last_event);
  out.text = postmortem_markdown(postmortem_of(incident, facts, at));
  constexpr size_t kMost = store::KnowledgeBase::kMaxArticleBytes;
  if (out.text.size() > kMost) out.text = notify::cut(std::move(out.text), kMost);
  return out;
}

}  // namespace nines::agent::knowledge
