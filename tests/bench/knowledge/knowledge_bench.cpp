// Recall of the right runbook at the first place. For every event of the labelled LogHub samples
// that stands in both halves of its log there is one runbook, written when the first half was
// known: all of one system share their wording, and each quotes the first line of its event and
// names the ids that the miner gave to its lines. Every event of the second half is then an
// incident: the id of a line of it as the miner has it at the end, ids of three other events that
// went on (suspects are several), its service, and a sentence with that line as its example.
//
//   bench_knowledge           prints recall@1 and the time of a search
//   bench_knowledge --check   fails unless template ids beat plain text
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "loghub.hpp"
#include "nines/incident/template_miner.hpp"
#include "nines/store/knowledge_base.hpp"

using namespace nines;
using incident::TemplateId;
using incident::TemplateMiner;
using incident::test::LabelledLine;

namespace {

constexpr const char* kSets[] = {"Apache",    "BGL",   "HDFS",    "Hadoop",
                                 "HealthApp", "Linux", "OpenSSH", "Zookeeper"};

std::string id_text(TemplateId id) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(id));
  return text;
}

struct Event {
  std::string first, last;  // lines: of the first half, of the second
  std::set<TemplateId> early, late;
  size_t lines = 0;  // of the first half
};
using Events = std::map<std::string, Event>;

Events events_of(const std::vector<LabelledLine>& lines) {
  TemplateMiner miner;
  Events out;
  const size_t half = lines.size() / 2;
  for (size_t i = 0; i < lines.size(); ++i) {
    Event& event = out[lines[i].event];
    const TemplateId id = miner.add(lines[i].content).id;
    if (i < half) {
      if (event.first.empty()) event.first = lines[i].content;
      event.early.insert(id);
      ++event.lines;
    } else {
      event.last = lines[i].content;
      event.late.insert(id);
    }
    if (i + 1 != half) continue;
    for (auto& [name, one] : out) {  // as whoever writes the runbook finds them
      std::set<TemplateId> now;
      for (const TemplateId each : one.early) now.insert(miner.current(each));
      one.early = std::move(now);
    }
  }
  for (auto& [name, one] : out) {
    std::set<TemplateId> now;
    for (const TemplateId each : one.late) now.insert(miner.current(each));
    one.late = std::move(now);
  }
  std::erase_if(
      out, [](const auto& one) { return one.second.early.empty() || one.second.late.empty(); });
  return out;
}

store::Article runbook_of(const std::string& set, const std::string& name, const Event& event) {
  store::Article out;
  out.id = set + "/" + name;
  out.title = "Errors of " + set;
  out.service = set;
  out.text = "# Errors of " + set +
             "\n\nWhen error lines of one template come far more often than " +
             "usual.\n\n## Look\n\nLook whether connections of " + set +
             " time out or fail, and what was changed. It is about lines such as\n\n    " +
             event.first + "\n\n## Do\n\nRestart " + set + " on one node, then the others.\n";
  for (const TemplateId id : event.early) {
    if (out.templates.size() < store::KnowledgeBase::kMaxTemplates) {
      out.templates.push_back(id_text(id));
    }
  }
  return out;
}

struct Case {
  std::string wanted;
  store::KnowledgeQuery query;
};

std::vector<Case> cases_of(const std::string& set, const Events& events) {
  std::vector<std::pair<size_t, const Event*>> frequent;
  for (const auto& [name, event] : events) frequent.emplace_back(event.lines, &event);
  std::sort(frequent.begin(), frequent.end(),
            [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<Case> out;
  for (const auto& [name, event] : events) {
    Case one;
    one.wanted = set + "/" + name;
    one.query.templates.push_back(id_text(*event.late.begin()));
    size_t others = 0;
    for (const auto& [lines, other] : frequent) {
      if (other == &event || others == 3) continue;
      one.query.templates.push_back(id_text(*other->late.begin()));
      ++others;
    }
    one.query.service = set;
    one.query.text = set +
                     ": error lines of one template far more often than usual; logs the error " +
                     event.last;
    one.query.limit = 1;
    out.push_back(std::move(one));
  }
  return out;
}

struct Recall {
  size_t hits = 0, of = 0;
  double ms = 0;
  double share() const { return of == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(of); }
};

template <class Change>
Recall measure(store::KnowledgeBase& kb, const std::vector<Case>& cases, Change change) {
  Recall out;
  const auto began = std::chrono::steady_clock::now();
  for (const Case& one : cases) {
    store::KnowledgeQuery query = one.query;
    change(query);
    const auto found = kb.search(query);
    ++out.of;
    out.hits += found.ok() && !found->empty() && found->front().id == one.wanted ? 1 : 0;
  }
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  out.ms = took.count() / static_cast<double>(std::max<size_t>(1, out.of));
  return out;
}

void print(const char* name, const Recall& r) {
  std::printf("  %-44s recall@1 %.3f (%zu of %zu), %.2f ms each\n", name, r.share(), r.hits, r.of,
              r.ms);
}

int run(const std::string& directory, bool check) {
  auto kb = store::KnowledgeBase::open(directory);
  if (!kb.ok()) {
    std::printf("%s\n", kb.error().message.c_str());
    return 1;
  }
  std::vector<Case> cases;
  for (const char* const set : kSets) {
    const Events events = events_of(incident::test::loghub(set));
    for (const auto& [name, event] : events) {
      const auto added = (*kb)->add(runbook_of(set, name, event));
      if (!added.ok()) std::printf("%s\n", added.error().message.c_str());
    }
    for (Case& one : cases_of(set, events)) cases.push_back(std::move(one));
  }
  if (cases.empty()) {
    std::printf("SKIPPED: the LogHub samples are not there\n");
    return 77;
  }
  const Recall plain = measure(**kb, cases, [](store::KnowledgeQuery& query) {
    query.templates.clear();
    query.service.clear();
  });
  const Recall bare = measure(**kb, cases, [](store::KnowledgeQuery& query) {
    query.templates.clear();
    query.text.resize(query.text.find(';'));
  });
  const Recall ids = measure(**kb, cases, [](store::KnowledgeQuery& query) {
    query.templates.resize(1);
    query.text.resize(query.text.find(';'));
  });
  const Recall mixed = measure(
      **kb, cases, [](store::KnowledgeQuery& query) { query.text.resize(query.text.find(';')); });
  const Recall all = measure(**kb, cases, [](store::KnowledgeQuery&) {});
  std::printf("%zu similar runbooks, %zu incidents\n", cases.size(), cases.size());
  print("plain FTS, title and example line", plain);
  print("plain FTS and service, title alone", bare);
  print("its template id, service, title alone", ids);
  print("its id among three others, title alone", mixed);
  print("the same, title and example line", all);
  if (!check) return 0;
  const bool better = all.share() > plain.share() && ids.share() > bare.share() + 0.2;
  if (!better) std::printf("FAILED: template ids do not beat plain text\n");
  return better ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const bool check = argc > 1 && std::string_view(argv[1]) == "--check";
  std::string directory = (std::filesystem::temp_directory_path() / "nines-recall-XXXXXX").string();
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  const int code = run(directory, check);
  std::filesystem::remove_all(directory);
  return code;
}
