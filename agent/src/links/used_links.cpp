#include "links/used_links.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace nines::agent::links {
namespace {

constexpr int64_t kKeepNs = 7 * 86'400 * kNsPerSecond;

}  // namespace

void UsedLinks::restore(const std::vector<store::Document>& documents) {
  for (const store::Document& one : documents) {
    int64_t expires = INT64_MAX;  // damaged: it was used, and that is what counts
    std::from_chars(one.body.data(), one.body.data() + one.body.size(), expires);
    expires = std::min(expires, INT64_MAX - kKeepNs);
    if (!one.body.empty() && used_.size() < kMost) used_[one.key] = {expires};
  }
}

bool UsedLinks::use(const std::string& id, WallTime expires, WallTime now) {
  for (auto it = used_.begin(); it != used_.end();) {
    // A clock that was ahead and is right again must not make links work that were used.
    if (now.ns < it->second.ns + kKeepNs) {
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
