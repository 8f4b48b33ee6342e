#include "peer/dialer.hpp"

#include <algorithm>
#include <set>

#include "fleet/cells.hpp"

namespace nines::peer {

uint64_t Chance::next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  return fleet::mix64(state_);
}

int64_t Chance::below(int64_t bound) {
  return bound <= 0 ? 0 : static_cast<int64_t>(next() % static_cast<uint64_t>(bound));
}

void Dialer::set_addresses(const std::vector<std::string>& addresses, Instant now, Chance& chance) {
  const std::set<std::string> wanted(
      addresses.begin(), addresses.begin() + static_cast<ptrdiff_t>(std::min(
                                                 addresses.size(), settings_.max_addresses)));
  // An address that is dialled or connected stays until that ends.
  std::erase_if(entries_, [&](const auto& entry) {
    return entry.second.link == 0 && !wanted.contains(entry.first);
  });
  for (const auto& address : wanted) {
    if (entries_.contains(address) || entries_.size() >= settings_.max_addresses) continue;
    entries_[address].next = {now.ns + chance.below(settings_.backoff_min_ms) * kNsPerMs};
  }
}

Dialer::Entry* Dialer::find(LinkId link) {
  for (auto& [address, entry] : entries_) {
    if (entry.link == link) return &entry;
  }
  return nullptr;
}

void Dialer::learned(LinkId link, const std::string& node) {
  if (Entry* entry = find(link)) entry->node = node;
}

void Dialer::succeeded(LinkId link) {
  if (Entry* entry = find(link)) entry->failures = 0;
}

void Dialer::ended(LinkId link, Instant now, Chance& chance, int64_t wait_ms) {
  Entry* entry = find(link);
  if (entry == nullptr) return;
  entry->link = 0;
  const int64_t ceiling =
      std::min(settings_.backoff_max_ms, settings_.backoff_min_ms << std::min(entry->failures, 16));
  entry->next = {now.ns + (wait_ms + chance.below(ceiling)) * kNsPerMs};
  ++entry->failures;
}

std::string Dialer::address_of(LinkId link) const {
  for (const auto& [address, entry] : entries_) {
    if (entry.link == link) return address;
  }
  return {};
}

bool Dialer::only_itself(const std::string& self) const {
  return std::all_of(entries_.begin(), entries_.end(),
                     [&](const auto& entry) { return entry.second.node == self; });
}

}  // namespace nines::peer
