// PageKnowledge: what the knowledge base has for whoever is paged: the runbook that fits best and
// past incidents that were alike, each with the lines that matter and where the rest is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/slo/engine.hpp"

namespace nines::agent::knowledge {

// One article, as a page shows it. Plain text without control characters; all of it bounded.
struct PageNote {
  std::string id, title;
  std::string section;             // heading of the part that fits; empty: the article has none
  std::vector<std::string> lines;  // of that part, two at most
  std::string why;                 // "2 template ids, of the service"
  std::string read;                // the command that shows the whole
};

struct PageKnowledge {
  static constexpr size_t kMostSimilar = 3;
  std::optional<PageNote> runbook;
  std::vector<PageNote> similar;  // incidents, the most alike first
  bool empty() const noexcept { return !runbook && similar.empty(); }
};

// The part of a Markdown text that fits best: the section with most of `templates` in it, then with
// most of `words`, then the first.
struct Section {
  std::string heading;
  std::vector<std::string> lines;
  size_t words = 0;  // of those asked for that are anywhere in the text
};
Section best_section(std::string_view markdown, const std::vector<std::string>& words,
                     const std::vector<std::string>& templates);
// Words that say something, in small letters, each once, at most `most`.
std::vector<std::string> telling_words(std::string_view text, size_t most);

// For people, some lines; and as JSON: {"runbook": {...}, "similar": [...]}.
std::string to_text(const PageKnowledge& knowledge);
std::string to_json(const PageKnowledge& knowledge);

// Goes with an event as two details, which messages take from there.
inline constexpr const char* kJsonDetail = "knowledge";
inline constexpr const char* kTextDetail = "knowledge_text";
void attach(slo::AlertEvent& event, const PageKnowledge& knowledge);

}  // namespace nines::agent::knowledge
