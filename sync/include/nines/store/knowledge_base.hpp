// KnowledgeBase: runbooks and postmortems, found again by what an incident looks like: the ids of
// its message templates, its service, and words (SQLite FTS5, BM25). One file, knowledge.db, beside
// the state; it can be made anew from the documents, so that it has no checksums of its own. Other
// processes may read and write it meanwhile (a CLI beside the agent): they wait for each other.
//
// Rank of an article, in thousandths:
//   4.000 * template ids it shares / template ids asked for
// + 2.000 if it is of that service
// + 1.000 * BM25 / the best BM25 (a word in the title counts four times one in the text)
// Ties by id. What shares nothing is not found.
//
// Not thread-safe. Bounds: 4,096 articles of 256 KiB, 64 ids each, 64 MiB in all: what is beyond is
// refused (`exhausted`) and counted; a search takes its first 32 words and 64 ids.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"

namespace nines::store {

struct Article {
  std::string id;  // whoever adds it chooses: a path, an incident's id; at most 500 bytes
  std::string kind = "runbook";  // or "postmortem"
  std::string title, service;    // service empty: of all
  std::vector<std::string> templates;
  std::string text;  // Markdown
};

// The text of a Markdown file: title from its first heading, and `service`, `kind`, `title` and
// `templates` (separated by commas) from lines between two `---` at its beginning, if it has them.
Article read_markdown(std::string id, std::string_view text);

struct KnowledgeQuery {
  std::vector<std::string> templates;
  std::string service, text;
  std::string kind;  // empty: all
  size_t limit = 5;  // at most 50
};

struct Knowledge {
  std::string id, kind, title, service;
  std::string excerpt;  // where the words stand, or how it begins
  int64_t rank_milli = 0;
  int64_t templates = 0;  // shared
  bool of_service = false;
  int64_t text_milli = 0;  // the part of BM25
};

class KnowledgeBase {
 public:
  static constexpr size_t kMaxArticles = 4096, kMaxArticleBytes = 256 * 1024, kMaxTemplates = 64;
  static constexpr int64_t kMaxBytes = 64 * 1024 * 1024;

  // Opens or creates directory/knowledge.db. unsupported: this SQLite has no FTS5, or a newer Nines
  // wrote the file. corrupt: delete the file and add the documents again. `patience_ms`: for how
  // long it waits for another process that writes.
  static Result<std::unique_ptr<KnowledgeBase>> open(const std::string& directory,
                                                     int patience_ms = 2000);
  virtual ~KnowledgeBase() = default;

  // Takes the place of what has that id. False: the same is there already, nothing was written.
  virtual Result<bool> add(const Article& article) = 0;
  // False: there was none.
  virtual Result<bool> remove(const std::string& id) = 0;
  virtual Result<std::vector<Knowledge>> search(const KnowledgeQuery& query) = 0;
  // The whole article; nullopt: there is none of that id.
  virtual Result<std::optional<Article>> find(const std::string& id) = 0;
  // All of it, by id, without excerpts.
  virtual Result<std::vector<Knowledge>> list() = 0;

  struct Stats {
    uint64_t articles = 0, refused = 0;
  };
  virtual Stats stats() const noexcept = 0;
};

}  // namespace nines::store
