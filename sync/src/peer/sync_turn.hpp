// One turn of catching up with one peer: compares digests from the whole down to blocks and asks
// for what differs, one request at a time. The asker's pace is the only credit there is: a peer
// never has more than one answer of ours to hold.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "nines/fleet/fleet_state.hpp"
#include "peer/messages.hpp"

namespace nines::peer {

class SyncTurn {
 public:
  bool active() const { return stage_ != Stage::idle; }
  // The request that is waited for.
  uint64_t request() const { return request_; }
  void stop();

  // `request`: of the first question; counts on from there.
  Message begin(uint64_t request);
  // The next question; none: what was said is no answer to the last one, or the turn is over.
  std::optional<Message> on(const OriginDigests& digests, const fleet::FleetState& state);
  std::optional<Message> on(const PartDigests& digests, const fleet::FleetState& state);
  // Of parts that are merged already.
  std::optional<Message> on(const Parts& parts);

 private:
  enum class Stage : uint8_t { idle, origins, parts, blocks, pieces };
  std::optional<Message> next();
  Message ask(Stage stage, std::vector<uint64_t> series);

  Stage stage_ = Stage::idle;
  uint64_t request_ = 0;
  std::deque<std::string> origins_;
  std::string origin_;
  std::deque<uint64_t> series_;
  std::deque<fleet::PartKey> wanted_;
  std::vector<fleet::PartKey> asked_;  // of the present question, ascending
  bool progress_ = false;              // of its answers
};

}  // namespace nines::peer
