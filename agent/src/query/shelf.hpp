// QueryShelf: statements that people keep on this node for each other, under a name. Bounded by
// number and size; each is a document of the store, and counts once it is written. Control thread;
// no I/O, no clock.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent::query {

struct ShelvedQuery {
  std::string name, sql, who;
  WallTime at{};
};

class QueryShelf {
 public:
  static constexpr const char* kDocuments = "query";
  static constexpr size_t kMost = 64;
  static constexpr size_t kMostSql = 16 * 1024, kMostWho = 200;  // bytes

  // What the store has, at the start; what cannot be read is passed over, and counted.
  void restore(const std::vector<store::Document>& documents);

  // The document of a query that may be kept, in place of one of its name. It has its room until
  // written() or failed(). Errors: invalid_argument; exhausted.
  Result<store::Document> keep(const ShelvedQuery& query);
  // The document that removes it. Errors: not_found.
  Result<store::Document> remove(const std::string& name) const;
  void written(const store::Document& document);
  void failed(const store::Document& document);

  const ShelvedQuery* find(const std::string& name) const;
  const std::map<std::string, ShelvedQuery>& all() const noexcept { return all_; }
  size_t unreadable() const noexcept { return unreadable_; }

 private:
  std::map<std::string, ShelvedQuery> all_;
  std::map<std::string, size_t> on_the_way_;  // names; how many writes of each
  size_t unreadable_ = 0;
};

}  // namespace nines::agent::query
