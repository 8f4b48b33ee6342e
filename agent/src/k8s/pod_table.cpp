#include "k8s/pod_table.hpp"

#include <algorithm>

#include "k8s/owner.hpp"

namespace nines::agent::k8s {

using collector::PodInfo;
using collector::PodPtr;

collector::Interned Interner::get(std::string_view text) {
  if (const auto known = texts_.find(text); known != texts_.end()) return known->second;
  if (texts_.size() >= sweep_at_) sweep();
  auto made = std::make_shared<const std::string>(text);
  texts_.emplace(std::string_view(*made), made);
  return made;
}

// Texts that no snapshot uses any more. Only get() hands out new owners, so one owner is us.
void Interner::sweep() {
  std::erase_if(texts_, [](const auto& text) { return text.second.use_count() == 1; });
  sweep_at_ = std::max<size_t>(256, 2 * texts_.size());
}

collector::PodTexts PodTable::intern(const RawPod::Texts& texts) {
  collector::PodTexts out;
  out.reserve(texts.size());
  for (const auto& [key, value] : texts) out.emplace_back(interner_.get(key), interner_.get(value));
  return out;
}

std::shared_ptr<PodInfo> PodTable::make(const RawPod& raw) {
  auto pod = std::make_shared<PodInfo>();
  pod->ns = raw.ns;
  pod->name = raw.name;
  pod->uid = raw.uid;
  pod->log_uid = raw.manifest_hash.empty() ? raw.uid : raw.manifest_hash;
  pod->node = interner_.get(raw.node);
  pod->phase = interner_.get(raw.phase);
  const Owner owner = owner_of(raw);
  pod->owner_kind = interner_.get(owner.kind);
  pod->owner = interner_.get(owner.name);
  pod->labels = intern(raw.labels);
  pod->annotations = intern(raw.annotations);
  for (const auto& container : raw.containers)
    pod->containers.push_back({interner_.get(container.name), container.restarts});
  pod->created_s = raw.created_s;
  pod->started_s = raw.started_s;
  pod->gone = raw.gone;
  return pod;
}

bool PodTable::put(const RawPod& raw) {
  auto known = pods_.find(raw.uid);
  if (known == pods_.end()) {
    if (pods_.size() >= limits_.max_pods && !make_room()) {
      ++refused_;
      return false;
    }
    known = pods_.emplace(raw.uid, Entry{}).first;
  }
  Entry& entry = known->second;
  entry.list = list_;
  auto pod = make(raw);
  if (entry.pod != nullptr && *entry.pod == *pod) return true;
  if (entry.pod != nullptr && entry.pod->gone) std::erase(gone_, raw.uid);
  const bool gone = pod->gone;
  entry.pod = std::move(pod);
  ++version_;
  changed_.insert(raw.uid);
  if (gone) {
    gone_.push_back(raw.uid);
    if (gone_.size() > limits_.max_gone) forget(gone_.front());
  }
  return true;
}

// Deleted pods give way first, then what the present list has not named (yet).
bool PodTable::make_room() {
  if (!gone_.empty()) {
    forget(gone_.front());
    return true;
  }
  if (!listing_) return false;
  const auto stale = std::find_if(pods_.begin(), pods_.end(),
                                  [this](const auto& e) { return e.second.list != list_; });
  if (stale == pods_.end()) return false;
  forget(std::string(stale->first));
  return true;
}

void PodTable::remove(const std::string& uid) {
  const auto known = pods_.find(uid);
  if (known != pods_.end() && !known->second.pod->gone) mark_gone(known->second);
}

void PodTable::mark_gone(Entry& entry) {
  auto pod = std::make_shared<PodInfo>(*entry.pod);
  pod->gone = true;
  entry.pod = std::move(pod);
  ++version_;
  changed_.insert(entry.pod->uid);
  gone_.push_back(entry.pod->uid);
  if (gone_.size() > limits_.max_gone) forget(gone_.front());
}

// By value: the name may be the one in gone_.
void PodTable::forget(const std::string& name) {
  const std::string uid = name;
  std::erase(gone_, uid);
  pods_.erase(uid);
  ++version_;
  changed_.insert(uid);
}

void PodTable::begin_list() {
  ++list_;
  listing_ = true;
}

void PodTable::end_list() {
  listing_ = false;
  std::vector<std::string> missing;
  for (const auto& [uid, entry] : pods_) {
    if (entry.list != list_ && !entry.pod->gone) missing.push_back(uid);
  }
  for (const std::string& uid : missing) remove(uid);
}

std::shared_ptr<const collector::PodDirectory> PodTable::snapshot() const {
  std::vector<PodPtr> pods;
  pods.reserve(pods_.size());
  for (const auto& [uid, entry] : pods_) pods.push_back(entry.pod);
  return std::make_shared<const collector::PodDirectory>(std::move(pods));
}

std::vector<std::pair<std::string, PodPtr>> PodTable::take_changes() {
  std::vector<std::pair<std::string, PodPtr>> out;
  for (const std::string& uid : changed_) {
    const auto known = pods_.find(uid);
    out.emplace_back(uid, known == pods_.end() ? nullptr : known->second.pod);
  }
  changed_.clear();
  return out;
}

}  // namespace nines::agent::k8s
