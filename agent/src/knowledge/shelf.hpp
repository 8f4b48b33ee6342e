// Shelf: the knowledge base within the running agent: what fits a page, the runbooks of a folder,
// the reviews of incidents. It opens knowledge.db when it is used first, and again later when that
// cannot be opened now; without it pages go out bare.
//
// All but counters() on the thread of the store, in turns that are bounded: a commit never waits
// for more than one of them.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "knowledge/incident_wish.hpp"
#include "knowledge/page_knowledge.hpp"
#include "nines/store/knowledge_base.hpp"

namespace nines::agent::knowledge {

struct ShelfSettings {
  std::string state;      // directory of knowledge.db
  std::string runbooks;   // folder of Markdown files that is kept in step with; empty: none
  int64_t reviews = 512;  // of incidents, at most; the oldest go
  // Whether what is found of past incidents shows lines of their reviews, which quote logs.
  bool review_lines = true;
};

class Shelf {
 public:
  static constexpr size_t kMostWrites = 8, kMostReads = 64;  // of a turn
  static constexpr size_t kMostEntries = 16'384;             // of the folder, whatever they are

  explicit Shelf(ShelfSettings settings) : settings_(std::move(settings)) {}

  // What fits. Nothing where there is nothing that does, or no knowledge base.
  PageKnowledge find(const Wish& wish);
  Result<std::vector<store::Knowledge>> search(const store::KnowledgeQuery& query);
  Result<std::optional<store::Article>> article(const std::string& id);

  // One turn of keeping in step with the folder: new and changed files are added, what is gone is
  // removed; a folder that cannot be read as a whole removes nothing. True: there is more to do.
  bool follow_runbooks();
  // A review takes the place of what it was; aliases under which it was known go.
  void keep_review(const store::Article& review, const std::vector<std::string>& aliases);

  struct Counters {
    std::atomic<uint64_t> articles{0};
    std::atomic<uint64_t> added{0}, removed{0};     // runbooks of the folder
    std::atomic<uint64_t> reviews{0}, pruned{0};    // written; given way to newer ones
    std::atomic<uint64_t> refused{0}, failures{0};  // too large, no room; the base did not answer
  };
  const Counters& counters() const noexcept { return counters_; }

 private:
  struct Stamp {
    int64_t time = 0;
    uint64_t bytes = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  using Files = std::map<std::string, Stamp>;  // by path

  store::KnowledgeBase* base();
  std::vector<store::Knowledge> ask(const Wish& wish, const char* kind, size_t limit);
  std::optional<PageNote> note_of(const store::Knowledge& found, const Wish& wish,
                                  const std::vector<std::string>& words);
  bool scan(Files& out);
  bool add_changed(const Files& files);
  bool remove_gone(const Files& files);
  enum class Taken : uint8_t { same, written, refused, failed };
  Taken add_runbook(const std::string& path);
  void prune_reviews();
  void failed(const Error& error);

  ShelfSettings settings_;
  std::unique_ptr<store::KnowledgeBase> base_;
  Files seen_;                   // as they are in the base, or were refused
  std::set<std::string> known_;  // articles of the folder
  bool listed_ = false;          // known_ is what the base has
  std::string trouble_;          // said last
  Counters counters_;
};

}  // namespace nines::agent::knowledge
