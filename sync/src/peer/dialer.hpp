// When to connect to which address: full-jitter back-off for each, a common pace for all.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nines/peer/peer_node.hpp"

namespace nines::peer {

// splitmix64: chance from a seed.
class Chance {
 public:
  explicit Chance(uint64_t seed) : state_(seed) {}
  uint64_t next();
  // In [0, bound); 0 for a bound of 0.
  int64_t below(int64_t bound);

 private:
  uint64_t state_;
};

class Dialer {
 public:
  Dialer(const PeerSettings& settings, Instant start) : settings_(settings), next_any_(start) {}

  void set_addresses(const std::vector<std::string>& addresses, Instant now, Chance& chance);
  // The next address that is due, if any; it is being dialled on `link` then. `reached` says of a
  // node whether there is a session with it.
  template <class Reached>
  std::optional<std::string> due(LinkId link, Instant now, const Reached& reached) {
    if (now < next_any_) return std::nullopt;
    Entry* first = nullptr;
    const std::string* address = nullptr;
    for (auto& [where, entry] : entries_) {
      const bool wanted =
          entry.link == 0 && entry.next <= now && (entry.node.empty() || !reached(entry.node));
      if (!wanted || (first != nullptr && first->next <= entry.next)) continue;
      first = &entry;
      address = &where;
    }
    if (first == nullptr) return std::nullopt;
    first->link = link;
    next_any_ = {now.ns + settings_.dial_every_ms * kNsPerMs};
    return *address;
  }
  // Who answers there.
  void learned(LinkId link, const std::string& node);
  // The session stood; the next attempt comes soon after it ends.
  void succeeded(LinkId link);
  // The link is no more; `wait_ms` more than the back-off: it makes no sense for a while.
  void ended(LinkId link, Instant now, Chance& chance, int64_t wait_ms = 0);
  std::string address_of(LinkId link) const;
  size_t size() const { return entries_.size(); }
  bool only_itself(const std::string& self) const;

 private:
  struct Entry {
    LinkId link = 0;  // 0: nothing is under way
    Instant next{};
    int failures = 0;
    std::string node;
  };
  Entry* find(LinkId link);

  const PeerSettings& settings_;
  std::map<std::string, Entry> entries_;
  Instant next_any_;
};

}  // namespace nines::peer
