// Who is alive, and who pages that somebody is not.
//
//   alive -> (nothing heard) suspect: all peers are asked when they last heard it
//         -> (nobody has) silent; heard again by anyone: alive
//         A peer that fell silent before it could answer is waited for until it is given up itself.
//
// A silent node is paged by the live node that is lowest by id; the n-th waits n times rank_wait.
// The page is an event in the pager's log, which all get, under a key that all derive alike: the
// node, its boot and how often it was paged before. Whoever hears the node for longer than it takes
// to suspect one while such a key is open ends it: first who has paged it, then the others by id. A
// node that hears less than half of those that lived within the last day pages nobody: it says that
// it is isolated. Two such halves cannot be, so no silence is paged twice.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nines/fleet/fleet_state.hpp"
#include "nines/peer/peer_node.hpp"

namespace nines::peer {

class Members {
 public:
  Members(const PeerSettings& settings, fleet::FleetState& state, Instant start);

  // Directly. Observers are no members.
  void heard(const std::string& node, uint64_t boot, Role role, Instant now);
  void seen(const std::string& node, int64_t ago_ms, Instant now);  // by another
  void said_goodbye(const std::string& node, Instant now);
  // When it was heard directly; none: never.
  std::optional<int64_t> heard_ago_ms(const std::string& node, Instant now) const;
  // This process did not run for a while: what was not heard then proves nothing.
  void forgive(Instant now);
  // Nobody was ever reached though there are addresses.
  void set_unreached(bool unreached) { unreached_ = unreached; }

  // Whether this node's role lets it page.
  void set_pages(bool pages) { pages_ = pages; }

  // `probes`: nodes to ask all peers about.
  void tick(Now now, std::vector<std::string>& probes, std::vector<Decision>& decisions);

  bool isolated() const { return isolated_since_.ns != 0; }
  struct View {
    PeerView::State state = PeerView::State::alive;
    int64_t heard_ago_ms = 0;
    uint64_t boot = 0;
    Role role = Role::node;
  };
  std::map<std::string, View> views(Instant now) const;

 private:
  struct Member {
    PeerView::State state = PeerView::State::alive;
    Instant heard{};   // by anyone, as far as known here
    Instant direct{};  // by this node
    bool ever_direct = false;
    bool evident = false;    // heard by anyone in this life of ours
    Instant probed{};        // when others were asked
    Instant silent_since{};  // found out
    bool settled = false;    // silent, and paged by somebody
    Instant grace_until{};
    uint64_t boot = 0;
    Role role = Role::node;
  };
  struct Ledger;

  bool denied(const std::string& node) const;
  void discover(Instant now);
  bool answer_is_open(Instant asked, Instant now) const;
  void judge(const std::string& node, Member& member, Instant now,
             std::vector<std::string>& probes);
  void judge_isolation(Now now, std::vector<Decision>& decisions);
  void review_pages(Now now, std::vector<Decision>& decisions);
  void page(const std::string& node, Member& member, const Ledger& ledger, Now now,
            std::vector<Decision>& decisions);
  void end_pages(const std::string& node, const Member& member, const Ledger& ledger, Now now,
                 std::vector<Decision>& decisions);
  int64_t rank() const;
  void publish(fleet::FleetEvent::Kind kind, const std::string& node, const std::string& key,
               Now now, WallTime since, const std::string& text);

  const PeerSettings& settings_;
  fleet::FleetState& state_;
  Instant start_;
  std::map<std::string, Member> members_;
  bool unreached_ = false;
  bool pages_ = true;
  WallTime isolated_since_{};
  Instant doubtful_since_{};  // in the other state than told
  bool doubtful_ = false;
  bool may_page_ = false;  // at least half of all are heard for sure
  Instant hold_until_{};   // pages of silence wait at least until then
  struct Noticed {
    Instant open{}, back{};  // when it was first seen open here; its node surely alive since
  };
  std::map<std::string, Noticed> noticed_;  // open pages, by key
  Instant next_review_{};
};

}  // namespace nines::peer
