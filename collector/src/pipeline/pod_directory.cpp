#include "nines/collector/pod_directory.hpp"

#include <algorithm>
#include <tuple>

namespace nines::collector {
namespace {

PodTexts::const_iterator locate(const PodTexts& texts, std::string_view key) {
  const auto at = std::lower_bound(
      texts.begin(), texts.end(), key,
      [](const auto& text, std::string_view wanted) { return *text.first < wanted; });
  return at != texts.end() && *at->first == key ? at : texts.end();
}

bool same(const PodTexts& a, const PodTexts& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return *x.first == *y.first && *x.second == *y.second;
  });
}

}  // namespace

std::string_view find_text(const PodTexts& texts, std::string_view key) {
  const auto at = locate(texts, key);
  return at == texts.end() ? std::string_view() : std::string_view(*at->second);
}

bool has_text(const PodTexts& texts, std::string_view key) {
  return locate(texts, key) != texts.end();
}

bool operator==(const PodInfo& a, const PodInfo& b) {
  const auto told = [](const PodInfo& p) {
    return std::tie(p.ns, p.name, p.uid, p.log_uid, *p.node, *p.phase, *p.owner_kind, *p.owner,
                    p.created_s, p.started_s, p.gone);
  };
  return told(a) == told(b) && same(a.labels, b.labels) && same(a.annotations, b.annotations) &&
         std::equal(a.containers.begin(), a.containers.end(), b.containers.begin(),
                    b.containers.end(), [](const auto& x, const auto& y) {
                      return *x.name == *y.name && x.restarts == y.restarts;
                    });
}

PodDirectory::PodDirectory(std::vector<PodPtr> pods) : pods_(std::move(pods)) {
  std::sort(pods_.begin(), pods_.end(), [](const PodPtr& a, const PodPtr& b) {
    return std::tie(a->ns, a->name, a->gone, b->created_s, a->uid) <
           std::tie(b->ns, b->name, b->gone, a->created_s, b->uid);
  });
}

PodPtr PodDirectory::find(std::string_view ns, std::string_view pod, std::string_view uid) const {
  const auto key = [](const PodInfo& p) {
    return std::pair<std::string_view, std::string_view>(p.ns, p.name);
  };
  const std::pair wanted(ns, pod);
  auto at = std::lower_bound(pods_.begin(), pods_.end(), wanted,
                             [&](const PodPtr& p, const auto& w) { return key(*p) < w; });
  for (; at != pods_.end() && key(**at) == wanted; ++at) {
    if (uid.empty() || (*at)->log_uid == uid) return *at;
  }
  return nullptr;
}

void PodFeed::publish(std::shared_ptr<const PodDirectory> directory) {
  const std::lock_guard lock(mutex_);
  directory_ = std::move(directory);
  generation_.fetch_add(1, std::memory_order_release);
}

std::shared_ptr<const PodDirectory> PodFeed::current() const {
  const std::lock_guard lock(mutex_);
  return directory_;
}

}  // namespace nines::collector
