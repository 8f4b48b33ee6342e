#include "links/used_links.hpp"

#include <charconv>
#include <utility>

namespace nines::agent::links {

void UsedLinks::restore(const std::vector<store::Document>& documents) {
  for (const store::Document& one : documents) {
    int64_t expires = INT64_MAX;  // damaged: it was used, and that is what counts
    std::from_chars(one.body.data(), one.body.data() + one.body.size(), expires);
    if (!one.body.empty() && used_.size() < kMost) used_[one.key] = {expires};
  }
}

bool UsedLinks::use(const std::string& id, WallTime expires, WallTime now) {
  for (auto it = used_.begin(); it != used_.end();) {
    if (now < it->second) {
      ++it;
      continue;
    }
    documents_.push_back({kDocuments, it->first, {}});
    it = used_.erase(it);
  }
  if (used_.size() >= kMost || !used_.emplace(id, expires).second) return false;
  documents_.push_back({kDocuments, id, std::to_string(expires.ns)});
  return true;
}

void UsedLinks::give_back(const std::string& id) {
  if (used_.erase(id) > 0) documents_.push_back({kDocuments, id, {}});
}

std::vector<store::Document> UsedLinks::take_documents() { return std::exchange(documents_, {}); }

}  // namespace nines::agent::links
