// The parts of PeerNode: links and time in peer_node.cpp, who may talk in handshake.cpp, what is
// said then in exchange.cpp.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "nines/peer/peer_node.hpp"
#include "peer/clock_filter.hpp"
#include "peer/dialer.hpp"
#include "peer/members.hpp"
#include "peer/messages.hpp"
#include "peer/sync_turn.hpp"

namespace nines::peer {

struct Session {
  enum class State : uint8_t {
    dialling,   // not connected yet
    opening,    // hello and welcome are under way
    contested,  // its node has another session, of another process: which of them lives?
    open,
  };
  LinkId link = 0;
  bool initiator = false;
  State state = State::opening;
  Instant since{}, heard{};
  Credentials from;
  FrameDecoder decoder;
  size_t unsent = 0;
  bool got_hello = false, got_welcome = false;
  Hello hello;
  // Heartbeat.
  Instant pinged{};
  int64_t ping_t1 = 0;  // of the ping that is not answered yet; 0: none
  ClockFilter clock;
  std::optional<uint64_t> peer_state;
  // Catching up.
  Instant next_sync{}, turn_deadline{};
  SyncTurn turn;
  // Everything that it says of others counts only then.
  bool trusted() const { return from.role == Role::node; }
  // Contest: the older session, whose answer decides.
  LinkId older = 0;
  int64_t proof_t1 = 0;  // of the ping that the older one must answer
  Instant contest_until{};
};

struct PeerNode::Impl {
  Impl(PeerSettings given, fleet::FleetState& fleet, Now now)
      : settings(std::move(given)),
        state(fleet),
        chance(settings.seed),
        dialer(settings, now.mono),
        members(settings, state, now.mono),
        last_tick(now.mono),
        next_request(1 + chance.next() % 1'000'000) {}

  PeerSettings settings;
  fleet::FleetState& state;
  Chance chance;
  Dialer dialer;
  Members members;
  std::map<LinkId, Session> sessions;
  std::map<std::string, LinkId> by_node;  // open ones
  LinkId next_link = 1;
  LinkId pulling = 0;  // the link whose turn it is; one at a time, or all would send the same
  Output out;
  Counters counters;
  Instant last_tick, next_describe{};
  uint64_t next_request;
  std::map<std::string, Instant> quarantine;  // cloned nodes, until when
  Instant cloned_until{};                     // this node is one of them
  Instant cloned_told{};
  int raises = 0;
  Instant first_raise{};
  bool ever_open = false;
  Role role = Role::node;  // of this node
  uint16_t port = 0;
  std::map<std::string, std::string> places;  // nodes that were met, and where they can be dialled

  // --- links
  Session* find(LinkId link);
  Session* open_session(const std::string& node);
  void send(Session& session, const Message& message);
  void send_bytes(Session& session, std::string bytes);
  // Says why, if anything can be said, and is done with it.
  void end(LinkId link, const Bye& bye, Now now, int64_t wait_ms = 0);
  void drop(LinkId link, Now now, int64_t wait_ms = 0);
  void fault(Session& session, const std::string& what, Now now);
  void dial(Now now);
  bool denies(const std::string& node) const;
  std::string place_of(const Session& session) const;
  void check_links(Now now);
  void check_link(LinkId link, Now now);
  void decide(Decision::Kind kind, const std::string& node, const std::string& text, Now now);

  // --- handshake
  void begin(Session& session, Now now);
  void on(LinkId link, const Hello& hello, Now now);
  void on(LinkId link, const Welcome& welcome, Now now);
  bool acceptable(Session& session, const Hello& hello, Now now);
  bool settle_duplicate(Session& session, Session& older, Now now);
  void welcome(Session& session, Now now);
  void open(Session& session, Now now);
  void cloned_peer(const std::string& node, Now now);
  void cloned_self(const std::string& how, Now now);
  void raise_boot(uint64_t known, Now now);
  bool stands_aside(Now now) const { return now.mono < cloned_until; }

  // --- exchange
  void handle(LinkId link, const Message& message, Now now);
  void on(Session& session, const Ping& ping, Now now);
  void on(Session& session, const Pong& pong, Now now);
  void on(Session& session, const Ask& ask);
  void on(Session& session, const Want& want);
  void on(Session& session, const Parts& parts, Now now);
  void on(Session& session, const Call& call);
  void on(LinkId link, const Bye& bye, Now now);
  // Whether this session's node may say such of such an origin.
  bool may_tell(const Session& session, const std::string& origin, const fleet::PartKey& key) const;
  // Whether `origin` has a session of its own here.
  bool beyond_role() {
    ++counters.beyond_role;
    return false;
  }
  void ping(Session& session, Now now);
  void advance(Session& session, const std::optional<Message>& question, Now now);
  void end_turn(Session& session, bool given_up, Now now);
  void start_turns(Now now);
  void push(const std::vector<fleet::Piece>& pieces, LinkId except);
  WallTime ceiling(Now now) const;
  int64_t median_offset_ns(Instant now) const;
};

}  // namespace nines::peer
