// PeerNode: everything that a node says to its peers and makes of what they say: sessions,
// heartbeats, catching up, who is silent. Sans I/O: links, bytes and time in; dials, bytes and
// decisions out. The agent's driver, the simulation and the fuzzer run the same machine. How it
// works and what it promises: sync/src/peer/README.md. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/fleet/fleet_state.hpp"
#include "nines/peer/role.hpp"

namespace nines::peer {

struct PeerSettings {
  std::string cluster;       // peers of another one are refused
  uint64_t incarnation = 1;  // chance of this process, not 0
  uint64_t seed = 1;         // of jitter
  uint64_t capabilities = 0;
  int64_t ping_every_ms = 5'000;
  int64_t dead_link_ms = 15'000;      // nothing heard: the link is closed
  int64_t suspect_after_ms = 15'000;  // nothing heard of a node: others are asked
  int64_t probe_wait_ms = 5'000;      // and when none has heard it either: it is silent
  int64_t rank_wait_ms = 45'000;  // a node that is n-th by id pages after n times this, unless told
  int64_t sync_every_ms = 30'000;
  int64_t request_ms = 15'000;  // an answer that takes longer is given up
  int64_t handshake_ms = 10'000;
  int64_t backoff_min_ms = 1'000, backoff_max_ms = 60'000;  // full jitter in between
  int64_t dial_every_ms = 500;                              // at most two connects a second
  int64_t goodbye_ms = 300'000;              // a node that said goodbye is not missed for that long
  int64_t forget_after_ms = 24 * 3'600'000;  // silent nodes count for "most peers" for that long
  int64_t max_ahead_s = 2 * 3600;            // cells later than most clocks by more are refused
  size_t max_links = 128;
  size_t max_addresses = 128;
  size_t max_reply_bytes = 512 * 1024;
  size_t max_unsent_bytes = 1024 * 1024;  // of a link; beyond it requests are not answered
  // Nodes that are shut out by name: not spoken to, not taken from others, not missed.
  std::vector<std::string> deny;
};

using LinkId = uint64_t;

struct Now {
  Instant mono{};
  WallTime wall{};
};

struct Decision {
  enum class Kind : uint8_t {
    node_silent,  // page it: this node is the one to do so
    node_back,    // and this resolves it
    isolated,     // this node no longer hears most of its peers
    rejoined,
    cloned,       // another process with this node's name, or two with `node`: no sync with them
    boot_raised,  // peers knew this node in a later life: state().boot() is the new one
    refused,      // a peer of another cluster or protocol, or one that broke the protocol
  };
  Kind kind = Kind::refused;
  std::string node;  // whom it is about
  std::string key;   // the same for the same thing wherever it is decided: for de-duplication
  WallTime at{}, since{};
  std::string text;  // for people
};

struct Output {
  struct Dial {
    LinkId link = 0;
    std::string address;
  };
  struct Send {
    LinkId link = 0;
    std::string bytes;
  };
  struct Close {
    LinkId link = 0;
    std::string reason;
  };
  struct Call {  // a peer asks this node to connect to it, for a query of the peer's
    LinkId link = 0;
    std::string node, address, token;  // no address: it is not known
  };
  struct NoCall {  // the answer to call(): it will not connect
    std::string node, token, text;
  };
  std::vector<Dial> dials;
  std::vector<Send> sends;    // in order; before the closes
  std::vector<Close> closes;  // after what was sent is out; closed() need not be told
  std::vector<Decision> decisions;
  std::vector<Call> calls;
  std::vector<NoCall> no_calls;
};

// A node as seen from here.
struct PeerView {
  std::string node;
  enum class State : uint8_t { alive, suspect, silent, left } state = State::alive;
  bool connected = false;
  int64_t heard_ago_ms = 0;
  uint64_t boot = 0;
  // Of its clock against this node's; none: not measured.
  std::optional<int64_t> offset_ns;
  int64_t uncertainty_ns = 0;
  std::string address;  // where it can be dialled; empty: it only connects outwards
  Role role = Role::node;
};

class PeerNode {
 public:
  // `state` outlives it and is used by nobody else while a call is on.
  PeerNode(PeerSettings settings, fleet::FleetState& state, Now now);
  ~PeerNode();

  // Where peers may be; this node's own address may be among them.
  void set_addresses(const std::vector<std::string>& addresses, Now now);

  // What this node's own certificate lets it be, and the port it takes connections at; 0: none.
  void set_role(Role role);
  Role role() const;
  void set_port(uint16_t port);

  // A peer connected to this node; 0: refused, too many links.
  LinkId accepted(Now now, const Credentials& from = {});
  // What a Dial came to.
  void connected(LinkId link, Now now, const Credentials& from = {});
  void received(LinkId link, std::string_view bytes, Now now);
  void written(LinkId link, size_t bytes);  // of what was to be sent
  void closed(LinkId link, Now now);        // also: could not connect
  // At least once a second.
  void tick(Now now);
  // Tells peers at once what state.publish() changed.
  void tell(Now now);
  // Says goodbye to all; the node is being stopped.
  void leave(Now now);

  // --- Ways for queries.
  struct Way {
    bool known = false;
    std::string address;    // where it can be dialled, or may be: it is behind NAT perhaps
    bool callable = false;  // it has a session and can be asked to connect to this node
  };
  Way way_to(const std::string& node) const;
  // Asks a node to connect to this one. False: it is not callable.
  bool call(const std::string& node, const std::string& token);
  // Answers an Output::Call.
  void decline(LinkId link, const std::string& token, const std::string& why);

  Output take();

  const std::string& name() const;
  bool denies(const std::vector<std::string>& nodes) const;  // any of them
  bool isolated() const;
  std::vector<PeerView> peers(Now now) const;  // by node
  // What this node's clock should be taken to show less: the middle of all clocks heard, its own
  // included, against its own.
  int64_t median_offset_ns() const;

  struct Counters {
    uint64_t sessions = 0, refused_sessions = 0, broken_links = 0, half_open = 0, duplicates = 0;
    uint64_t frames_in = 0, frames_out = 0, bytes_in = 0, bytes_out = 0;
    uint64_t syncs = 0, syncs_given_up = 0, pieces_in = 0, pieces_out = 0;
    uint64_t unanswered = 0;  // requests of a peer that does not read
    uint64_t untold = 0;      // changes not pushed for the same reason; caught up later
    uint64_t dials = 0, probes = 0, pauses = 0;
    uint64_t beyond_role = 0;  // pieces and requests that the speaker's role does not allow
  };
  const Counters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::peer
