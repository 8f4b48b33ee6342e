#include "nines/store/knowledge_base.hpp"

#include <algorithm>
#include <map>

#include "files.hpp"
#include "knowledge_words.hpp"
#include "sqlite.hpp"

namespace nines::store {
namespace {

constexpr int64_t kApplication = 0x4e494b42;  // "NIKB"
constexpr int64_t kVersion = 1;
constexpr size_t kMaxId = 500, kMaxTitle = 500, kMaxFound = 50;

constexpr const char* kSchema = R"(
CREATE TABLE article(n INTEGER PRIMARY KEY, id TEXT UNIQUE, kind TEXT, title TEXT, service TEXT,
                     digest INT, bytes INT);
CREATE INDEX article_service ON article(service);
CREATE TABLE template(id TEXT, n INT, PRIMARY KEY(id, n)) WITHOUT ROWID;
CREATE INDEX template_n ON template(n);
CREATE VIRTUAL TABLE words USING fts5(title, body, tokenize = 'unicode61 remove_diacritics 2');
)";

// FNV-1a of all that an article has, with the lengths, so that no two articles have the same bytes.
int64_t digest(const Article& article) {
  uint64_t hash = 14695981039346656037u;
  const auto add = [&](std::string_view part) {
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    hash = (hash ^ part.size()) * 1099511628211u;
  };
  add(article.kind);
  add(article.title);
  add(article.service);
  for (const std::string& one : article.templates) add(one);
  add(article.text);
  return static_cast<int64_t>(hash);
}

Status check(const Article& article) {
  const auto wrong = [&](const std::string& what) {
    return Error{Errc::invalid_argument, "article '" + article.id.substr(0, 80) + "' " + what, 0};
  };
  if (article.id.empty() || article.id.size() > kMaxId) return wrong("needs an id of 1..500 bytes");
  if (article.kind != "runbook" && article.kind != "postmortem") {
    return wrong("is of kind '" + article.kind.substr(0, 40) + "': runbook or postmortem");
  }
  if (article.title.size() > kMaxTitle || article.service.size() > kMaxTitle) {
    return wrong("has a title or service of more than 500 bytes");
  }
  return Ok{};
}

bool fits(const Article& article) {
  return article.text.size() <= KnowledgeBase::kMaxArticleBytes &&
         article.templates.size() <= KnowledgeBase::kMaxTemplates &&
         std::all_of(article.templates.begin(), article.templates.end(),
                     [](const std::string& one) { return one.size() <= kMaxId; });
}

class SqliteKnowledge final : public KnowledgeBase {
 public:
  Status open_at(const std::string& directory, int patience_ms);
  Result<bool> add(const Article& article) override;
  Result<bool> remove(const std::string& id) override;
  Result<std::vector<Knowledge>> search(const KnowledgeQuery& query) override;
  Result<std::optional<Article>> find(const std::string& id) override;
  Result<std::vector<Knowledge>> list() override;
  Stats stats() const noexcept override { return stats_; }

 private:
  using Found = std::map<int64_t, Knowledge>;  // by article.n
  Status migrate();
  Status prepare_all();
  Status count();
  Status drop(int64_t n);
  Status write(const Article& article, int64_t hash);
  Status find_templates(const KnowledgeQuery& query, Found& found);
  Status find_service(const KnowledgeQuery& query, Found& found);
  Status find_words(const KnowledgeQuery& query, Found& found);
  Status describe(Found& found);

  Database db_;
  Statement by_id_, put_, put_words_, put_template_, drop_, drop_words_, drop_templates_;
  Statement by_template_, by_service_, by_words_, one_, begin_of_, all_, count_, whole_, ids_of_;
  Stats stats_;
};

Status SqliteKnowledge::open_at(const std::string& directory, int patience_ms) {
  NINES_CHECK(prepare_directory(directory));
  NINES_CHECK(db_.open(directory + "/knowledge.db", nullptr));
  NINES_CHECK(db_.execute("PRAGMA busy_timeout=" + std::to_string(patience_ms) +
                          "; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
                          "PRAGMA cache_size=-512; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF;"
                          "PRAGMA max_page_count=" +
                          std::to_string(kMaxBytes / 4096)));
  NINES_CHECK(migrate());
  NINES_CHECK(prepare_all());
  return count();
}

Status SqliteKnowledge::migrate() {
  NINES_TRY(const int64_t application, db_.pragma("application_id"));
  NINES_TRY(const int64_t version, db_.pragma("user_version"));
  if (application == kApplication && version == kVersion) return Ok{};
  if (application != 0 || version != 0) {
    return Error{Errc::unsupported,
                 "knowledge.db was written by a newer Nines, or is not its own: move it away and "
                 "add the documents again",
                 0};
  }
  if (sqlite3_compileoption_used("ENABLE_FTS5") == 0) {
    return Error{Errc::unsupported, "this SQLite was built without FTS5 (full text search)", 0};
  }
  auto made = db_.execute("BEGIN IMMEDIATE;" + std::string(kSchema) +
                          "PRAGMA application_id=" + std::to_string(kApplication) +
                          ";PRAGMA user_version=" + std::to_string(kVersion) + ";COMMIT");
  if (!made.ok()) db_.rollback();
  return made;
}

Status SqliteKnowledge::prepare_all() {
  const std::pair<Statement*, const char*> all[] = {
      {&by_id_, "SELECT n, digest FROM article WHERE id = ?"},
      {&put_, "INSERT INTO article(id, kind, title, service, digest, bytes) VALUES(?,?,?,?,?,?)"},
      {&put_words_,
       "INSERT INTO words(rowid, title, body) SELECT n, title, ?2 FROM article WHERE id = ?1"},
      {&put_template_,
       "INSERT OR IGNORE INTO template(id, n) SELECT ?2, n FROM article WHERE id = ?1"},
      {&drop_, "DELETE FROM article WHERE n = ?"},
      {&drop_words_, "DELETE FROM words WHERE rowid = ?"},
      {&drop_templates_, "DELETE FROM template WHERE n = ?"},
      // A kind that is asked for is asked for here: hundreds of the other kind must not hide it.
      {&by_template_,
       "SELECT t.n FROM template t JOIN article a ON a.n = t.n"
       " WHERE t.id = ?1 AND ?2 IN ('', a.kind) LIMIT 200"},
      {&by_service_, "SELECT n FROM article WHERE service = ?1 AND ?2 IN ('', kind) LIMIT 200"},
      // Of a word that most articles have, BM25 is a millionth: whole numbers of less than that.
      {&by_words_,
       "SELECT words.rowid, CAST(-bm25(words, 4.0, 1.0) * 1e12 AS INT),"
       " snippet(words, 1, '', '', ' ... ', 24)"
       " FROM words JOIN article a ON a.n = words.rowid WHERE words MATCH ?1 AND ?2 IN ('', a.kind)"
       " ORDER BY bm25(words, 4.0, 1.0), words.rowid LIMIT 200"},
      {&one_, "SELECT id, kind, title, service FROM article WHERE n = ?"},
      {&begin_of_, "SELECT substr(body, 1, 200) FROM words WHERE rowid = ?"},
      {&all_, "SELECT id, kind, title, service FROM article ORDER BY id"},
      {&count_, "SELECT count(*) FROM article"},
      {&whole_,
       "SELECT n, kind, article.title, service, body FROM article JOIN words ON words.rowid = n"
       " WHERE article.id = ?"},
      {&ids_of_, "SELECT id FROM template WHERE n = ? ORDER BY id"},
  };
  for (const auto& [statement, sql] : all) {
    NINES_TRY(*statement, db_.prepare(sql));
  }
  return Ok{};
}

Status SqliteKnowledge::count() {
  NINES_TRY(const bool row, count_.with().row());
  stats_.articles = row ? static_cast<uint64_t>(count_.integer(0)) : 0;
  count_.reset();
  return Ok{};
}

Status SqliteKnowledge::drop(int64_t n) {
  NINES_CHECK(drop_words_.with(n).run());
  NINES_CHECK(drop_templates_.with(n).run());
  return drop_.with(n).run();
}

Status SqliteKnowledge::write(const Article& article, int64_t hash) {
  const std::string_view id = article.id;
  NINES_CHECK(put_.with(id, std::string_view(article.kind), std::string_view(article.title),
                        std::string_view(article.service), hash,
                        static_cast<int64_t>(article.text.size()))
                  .run());
  NINES_CHECK(put_words_.with(id, std::string_view(article.text)).run());
  for (const std::string& one : article.templates) {
    NINES_CHECK(put_template_.with(id, std::string_view(one)).run());
  }
  return Ok{};
}

Result<bool> SqliteKnowledge::add(const Article& article) {
  NINES_CHECK(check(article));
  if (!fits(article)) {
    ++stats_.refused;
    return Error{Errc::exhausted,
                 "article '" + article.id.substr(0, 80) +
                     "' has more than 256 KiB or 64 template ids: split it",
                 0};
  }
  const int64_t hash = digest(article);
  NINES_CHECK(db_.execute("BEGIN IMMEDIATE"));
  const auto add_it = [&]() -> Result<bool> {
    NINES_TRY(const bool known, by_id_.with(std::string_view(article.id)).row());
    const int64_t n = known ? by_id_.integer(0) : 0, had = known ? by_id_.integer(1) : 0;
    by_id_.reset();
    if (known && had == hash) return false;
    NINES_CHECK(count());
    if (!known && stats_.articles >= kMaxArticles) {
      ++stats_.refused;
      return Error{Errc::exhausted, "there are 4096 articles already: remove some", 0};
    }
    if (known) NINES_CHECK(drop(n));
    NINES_CHECK(write(article, hash));
    return true;
  };
  const auto added = add_it();
  const auto ended = added.ok() ? db_.execute("COMMIT") : Status(Ok{});
  if (!added.ok() || !ended.ok()) {
    db_.rollback();
    return added.ok() ? ended.error() : added.error();
  }
  NINES_CHECK(count());
  return *added;
}

Result<bool> SqliteKnowledge::remove(const std::string& id) {
  NINES_CHECK(db_.execute("BEGIN IMMEDIATE"));
  const auto remove_it = [&]() -> Result<bool> {
    NINES_TRY(const bool known, by_id_.with(std::string_view(id)).row());
    const int64_t n = known ? by_id_.integer(0) : 0;
    by_id_.reset();
    if (known) NINES_CHECK(drop(n));
    return known;
  };
  const auto removed = remove_it();
  const auto ended = removed.ok() ? db_.execute("COMMIT") : Status(Ok{});
  if (!removed.ok() || !ended.ok()) {
    db_.rollback();
    return removed.ok() ? ended.error() : removed.error();
  }
  NINES_CHECK(count());
  return *removed;
}

Status SqliteKnowledge::find_templates(const KnowledgeQuery& query, Found& found) {
  std::vector<std::string_view> ids(query.templates.begin(), query.templates.end());
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (ids.size() > kMaxTemplates) ids.resize(kMaxTemplates);
  for (const std::string_view id : ids) {
    by_template_.with(id, std::string_view(query.kind));
    for (;;) {
      NINES_TRY(const bool row, by_template_.row());
      if (!row) break;
      ++found[by_template_.integer(0)].templates;
    }
  }
  for (auto& [n, one] : found) {
    one.rank_milli += 4000 * one.templates / static_cast<int64_t>(ids.size());
  }
  return Ok{};
}

Status SqliteKnowledge::find_service(const KnowledgeQuery& query, Found& found) {
  if (query.service.empty()) return Ok{};
  by_service_.with(std::string_view(query.service), std::string_view(query.kind));
  for (;;) {
    NINES_TRY(const bool row, by_service_.row());
    if (!row) return Ok{};
    Knowledge& one = found[by_service_.integer(0)];
    one.of_service = true;
    one.rank_milli += 2000;
  }
}

Status SqliteKnowledge::find_words(const KnowledgeQuery& query, Found& found) {
  const std::string words = words_of(query.text);
  if (words.empty()) return Ok{};
  by_words_.with(std::string_view(words), std::string_view(query.kind));
  int64_t best = 0;
  for (;;) {
    NINES_TRY(const bool row, by_words_.row());
    if (!row) return Ok{};
    const int64_t score = std::max<int64_t>(1, by_words_.integer(1));
    best = std::max(best, score);
    Knowledge& one = found[by_words_.integer(0)];
    one.text_milli = 1000 * score / best;
    one.rank_milli += one.text_milli;
    one.excerpt = std::string(by_words_.bytes(2));
  }
}

Status SqliteKnowledge::describe(Found& found) {
  for (auto& [n, one] : found) {
    NINES_TRY(const bool row, one_.with(n).row());
    if (row) {
      one.id = one_.bytes(0);
      one.kind = one_.bytes(1);
      one.title = one_.bytes(2);
      one.service = one_.bytes(3);
    }
    one_.reset();
    if (!one.excerpt.empty()) continue;
    NINES_TRY(const bool text, begin_of_.with(n).row());
    if (text) one.excerpt = begin_of_.bytes(0);
    begin_of_.reset();
  }
  return Ok{};
}

Result<std::vector<Knowledge>> SqliteKnowledge::search(const KnowledgeQuery& query) {
  Found found;
  NINES_CHECK(find_templates(query, found));
  NINES_CHECK(find_service(query, found));
  NINES_CHECK(find_words(query, found));
  NINES_CHECK(describe(found));
  std::vector<Knowledge> out;
  for (auto& [n, one] : found) {
    if (!one.id.empty() && (query.kind.empty() || one.kind == query.kind)) {
      out.push_back(std::move(one));
    }
  }
  std::sort(out.begin(), out.end(), [](const Knowledge& a, const Knowledge& b) {
    return a.rank_milli != b.rank_milli ? a.rank_milli > b.rank_milli : a.id < b.id;
  });
  if (out.size() > std::min(query.limit, kMaxFound)) out.resize(std::min(query.limit, kMaxFound));
  return out;
}

Result<std::optional<Article>> SqliteKnowledge::find(const std::string& id) {
  NINES_TRY(const bool row, whole_.with(std::string_view(id)).row());
  if (!row) return std::optional<Article>();
  Article out;
  out.id = id;
  const int64_t n = whole_.integer(0);
  out.kind = whole_.bytes(1);
  out.title = whole_.bytes(2);
  out.service = whole_.bytes(3);
  out.text = whole_.bytes(4);
  whole_.reset();
  ids_of_.with(n);
  for (;;) {
    NINES_TRY(const bool one, ids_of_.row());
    if (!one) return std::optional<Article>(std::move(out));
    out.templates.emplace_back(ids_of_.bytes(0));
  }
}

Result<std::vector<Knowledge>> SqliteKnowledge::list() {
  std::vector<Knowledge> out;
  all_.with();
  for (;;) {
    NINES_TRY(const bool row, all_.row());
    if (!row) return out;
    Knowledge one;
    one.id = all_.bytes(0);
    one.kind = all_.bytes(1);
    one.title = all_.bytes(2);
    one.service = all_.bytes(3);
    out.push_back(std::move(one));
  }
}

}  // namespace

Result<std::unique_ptr<KnowledgeBase>> KnowledgeBase::open(const std::string& directory,
                                                           int patience_ms) {
  auto out = std::make_unique<SqliteKnowledge>();
  NINES_CHECK(out->open_at(directory, patience_ms));
  return std::unique_ptr<KnowledgeBase>(std::move(out));
}

}  // namespace nines::store
