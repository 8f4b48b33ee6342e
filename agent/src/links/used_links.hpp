// UsedLinks: which links were used, so that each works once. Kept in the store until they expire.
// Control thread; no clock.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent::links {

class UsedLinks {
 public:
  static constexpr const char* kDocuments = "link-used";
  // Beyond it links are refused, not forgotten: a link that was used must not work again.
  static constexpr size_t kMost = 4096;

  void restore(const std::vector<store::Document>& documents);

  bool was_used(const std::string& id) const { return used_.contains(id); }
  // False: it was used before, or there is no room.
  bool use(const std::string& id, WallTime expires, WallTime now);
  // The other way: what it was to do could not be done.
  void give_back(const std::string& id);
  // To be stored before what the link does is done, or with it.
  std::vector<store::Document> take_documents();
  size_t size() const noexcept { return used_.size(); }

 private:
  std::map<std::string, WallTime> used_;  // by id; when it expires
  std::vector<store::Document> documents_;
};

}  // namespace nines::agent::links
