// The events of one origin: a set keyed by (stream, boot, sequence); the newest of each stream
// stay. The union of two such sets, cut to the newest, does not depend on the order.
#pragma once

#include <array>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "nines/fleet/fleet_state.hpp"

namespace nines::fleet {

inline constexpr uint64_t kEventsOfBucket = 32;
inline constexpr uint8_t kStreams = kFleetStreams;

std::string encode_events(const std::vector<std::string>& bodies);
std::optional<std::vector<std::string>> decode_events(std::string_view body);
PartKey bucket_of(const FleetEvent& event);

class EventLog {
 public:
  // What happens to an event: news, known (or too old), see FleetState.
  Merge put(const FleetEvent& event, const FleetLimits& limits);
  std::vector<FleetEvent> all() const;
  std::vector<FleetEvent> of(FleetEvent::Stream stream) const;
  std::vector<PartDigest> buckets() const;
  uint64_t bucket_hash(const PartKey& bucket) const;
  // All of a bucket, as they are told; empty: none.
  std::string bucket(const PartKey& bucket) const;
  // Whether events of that bucket would be taken.
  bool keeps(const PartKey& bucket, const FleetLimits& limits) const;
  uint64_t last_sequence(FleetEvent::Stream stream, uint64_t boot) const;
  bool has(FleetEvent::Stream stream, uint64_t boot, uint64_t sequence) const;
  // Events of life `from` become those of life `to`; not those with a body, whose lives are their
  // owner's.
  void move_boot(uint64_t from, uint64_t to, const FleetLimits& limits);

  uint64_t hash() const { return hash_; }
  size_t bytes() const { return bytes_; }
  const std::array<uint64_t, kStreams>& dropped() const { return dropped_; }

 private:
  using Key = std::tuple<uint8_t, uint64_t, uint64_t>;  // stream, boot, sequence
  using Entries = std::map<Key, std::string>;
  static size_t room(uint8_t stream, const FleetLimits& limits);
  void account(const Entries::value_type& entry, bool in);
  std::pair<Entries::const_iterator, Entries::const_iterator> range(const PartKey& bucket) const;

  Entries entries_;
  std::array<size_t, kStreams> counts_{};
  uint64_t hash_ = 0;
  size_t bytes_ = 0;
  std::array<uint64_t, kStreams> dropped_{};
};

}  // namespace nines::fleet
