#include "nines/incident/current_evidence.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "incident/text.hpp"

namespace nines::incident {
namespace {

int64_t number_or(const Evidence& e, std::string_view name, int64_t otherwise) {
  return number_of(e.entry.detail(name), 0, 1'000).value_or(otherwise);
}

void find_suspects(const Incident& incident, std::vector<const Evidence*>& out) {
  const Evidence* first = nullptr;
  std::map<int64_t, const Evidence*> by_rank;
  for (auto e = incident.evidence.rbegin(); e != incident.evidence.rend(); ++e) {
    if (e->kind != EventKind::suspects) continue;
    if (first == nullptr) first = &*e;
    if (e->entry.node == first->entry.node) by_rank.try_emplace(number_or(*e, "rank", 1), &*e);
  }
  if (first == nullptr) return;
  const int64_t of = number_or(*first, "of", 1'000);
  for (const auto& [rank, e] : by_rank) {
    if (rank <= of) out.push_back(e);
  }
}

struct Page {
  int64_t number = 1, of = 1;
};
Page page_of(const Evidence& e) {
  const std::string* const text = e.entry.detail("page");
  if (text == nullptr) return {};
  const size_t slash = text->find('/');
  if (slash == std::string::npos) return {};
  const std::string number = text->substr(0, slash), of = text->substr(slash + 1);
  return {number_of(&number, 1, 1'000).value_or(1), number_of(&of, 1, 1'000).value_or(1)};
}

// Of each node and part the newest first page says how many there are.
void find_pages(const Incident& incident, CurrentEvidence& out) {
  using Part = std::pair<std::string, std::string>;
  std::map<Part, std::map<int64_t, const Evidence*>> pages;
  std::vector<Part> order;
  for (const Evidence& e : incident.evidence) {
    if (e.kind != EventKind::diagnostics) continue;
    const std::string* const name = e.entry.detail("part");
    if (name == nullptr) {
      order.emplace_back(std::string(), "E" + std::to_string(e.number));
      pages[order.back()][1] = &e;
      continue;
    }
    if (*name == "class") {
      out.failure_class = &e;
      continue;
    }
    const Part part{e.entry.node, *name};
    const Page page = page_of(e);
    auto& known = pages[part];
    if (known.empty()) order.push_back(part);
    if (page.number == 1) known.clear();
    known[page.number] = &e;
  }
  for (const Part& part : order) {
    for (const auto& [number, page] : pages[part]) out.diagnostics.push_back(page);
  }
}

}  // namespace

CurrentEvidence current_evidence(const Incident& incident) {
  CurrentEvidence out;
  find_suspects(incident, out.suspects);
  out.impact = incident.newest(EventKind::impact);
  find_pages(incident, out);
  return out;
}

std::string failure_class_words(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"crash", "a crash"},
      {"memory", "a lack of memory"},
      {"disk", "a full or failing disk"},
      {"cpu", "a lack of CPU"},
      {"dependency_down", "a dependency that is down"},
      {"slow_dependency", "a dependency, or the network to it, that is slow"},
      {"bad_deploy", "a bad deploy or change"},
      {"overload", "overload"},
      {"malformed_input", "malformed input"},
      {"power", "power or hardware"},
  };
  for (const auto& [known, words] : kWords) {
    if (known == name) return std::string(words);
  }
  return "unknown";
}

std::string suspect_name(const Evidence& suspect) {
  const std::string* const kind = suspect.entry.detail("kind");
  const std::string* const service = suspect.entry.detail("service");
  std::string of = service != nullptr ? *service : std::string();
  if (kind == nullptr || kind->empty()) return of;
  return *kind + " of " + (of.empty() ? "the node" : of);
}

std::string first_suspect(const Incident& incident) {
  const auto suspects = current_evidence(incident).suspects;
  return suspects.empty() ? std::string() : suspect_name(*suspects.front());
}

std::vector<std::string> lines_of(const Evidence& page) {
  std::vector<std::string> out;
  for (const auto& [key, value] : page.entry.details) {
    if (!key.empty() && key.find_first_not_of("0123456789") == std::string::npos) {
      out.push_back(value);
    }
  }
  return out;
}

std::vector<HistoryEntry> short_history(const Incident& incident) {
  std::vector<HistoryEntry> out;
  std::map<EventKind, std::pair<size_t, int>> newest;  // its place in `out`, how many it stands for
  for (const HistoryEntry& h : incident.history) {
    const bool many = h.kind == EventKind::suspects || h.kind == EventKind::diagnostics;
    const auto found = many ? newest.find(h.kind) : newest.end();
    if (found == newest.end() || out[found->second.first].at != h.at ||
        out[found->second.first].node != h.node) {
      if (many) newest[h.kind] = {out.size(), 1};
      out.push_back(h);
      continue;
    }
    HistoryEntry& known = out[found->second.first];
    ++found->second.second;
    known.text = h.kind == EventKind::suspects
                     ? h.text  // the first one is told last
                     : std::to_string(found->second.second) + " findings, see the evidence";
  }
  // Who is suspected as before is no news.
  std::string suspected;
  std::erase_if(out, [&](const HistoryEntry& h) {
    if (h.kind != EventKind::suspects) return false;
    return std::exchange(suspected, h.text) == h.text;
  });
  return out;
}

}  // namespace nines::incident
