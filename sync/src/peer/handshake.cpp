// Who may talk: hello, welcome, two sessions with one node, two nodes with one name.
#include <algorithm>

#include "peer/peer_impl.hpp"

namespace nines::peer {
namespace {

constexpr int64_t kContestMs = 6'000;      // for the older session to prove that it lives
constexpr int64_t kQuarantineMs = 60'000;  // cloned nodes, before they are heard again
constexpr int64_t kClonedToldMs = 600'000;
constexpr int64_t kRefusedMs = 60'000;  // before a peer of another cluster is tried again
constexpr size_t kMaxQuarantine = 64;
constexpr size_t kMaxPlaces = 256;
constexpr int kMaxRaises = 3;  // within an hour
constexpr int64_t kRaisesMs = 3'600'000;

Instant plus_ms(Instant t, int64_t ms) { return {t.ns + ms * kNsPerMs}; }

}  // namespace

void PeerNode::Impl::begin(Session& session, Now now) {
  session.since = session.heard = now.mono;
  Hello hello;
  hello.cluster = settings.cluster;
  hello.node = state.self();
  hello.boot = state.boot();
  hello.incarnation = settings.incarnation;
  hello.capabilities = settings.capabilities | kCanBeCalled;
  hello.port = port;
  hello.wall = now.wall;
  send(session, hello);
}

bool PeerNode::Impl::acceptable(Session& session, const Hello& hello, Now now) {
  const LinkId link = session.link;
  if (hello.cluster != settings.cluster) {
    ++counters.refused_sessions;
    decide(Decision::Kind::refused, hello.node,
           hello.node + " is of cluster '" + hello.cluster + "', this node of '" +
               settings.cluster + "'",
           now);
    end(link, {Bye::Reason::cluster, "this is cluster '" + settings.cluster + "'"}, now,
        kRefusedMs);
    return false;
  }
  if (hello.protocol_min > kProtocol || hello.protocol_max < kProtocol) {
    ++counters.refused_sessions;
    decide(Decision::Kind::refused, hello.node,
           hello.node + " speaks protocols " + std::to_string(hello.protocol_min) + " to " +
               std::to_string(hello.protocol_max) + ", this node " + std::to_string(kProtocol),
           now);
    end(link, {Bye::Reason::protocol, "this node speaks " + std::to_string(kProtocol)}, now,
        kRefusedMs);
    return false;
  }
  const auto& names = session.from.nodes;
  if (!names.empty() && std::find(names.begin(), names.end(), hello.node) == names.end()) {
    fault(session, "it says it is " + hello.node + ", its certificate is of " + names.front(), now);
    return false;
  }
  if (denies(hello.node) ||
      std::any_of(names.begin(), names.end(), [this](const auto& name) { return denies(name); })) {
    ++counters.refused_sessions;
    decide(Decision::Kind::refused, hello.node, hello.node + " is refused: peers denies it", now);
    end(link, {Bye::Reason::cluster, "this node denies " + hello.node}, now, kRefusedMs);
    return false;
  }
  if (hello.node == state.self()) {
    dialer.learned(link, hello.node);
    if (hello.incarnation == settings.incarnation) {
      end(link, {Bye::Reason::self, "this is this node itself"}, now);
    } else {
      end(link, {Bye::Reason::cloned, "both nodes call themselves " + hello.node}, now);
      cloned_self("another process answers as " + hello.node, now);
    }
    return false;
  }
  const auto held = quarantine.find(hello.node);
  if (held != quarantine.end() && now.mono < held->second) {
    end(link, {Bye::Reason::cloned, "two nodes call themselves " + hello.node}, now);
    return false;
  }
  return true;
}

void PeerNode::Impl::on(LinkId link, const Hello& hello, Now now) {
  Session* session = find(link);
  if (session->got_hello && session->state != Session::State::opening) {
    fault(*session, "a second hello", now);
    return;
  }
  session->got_hello = true;
  session->hello = hello;
  if (!acceptable(*session, hello, now)) return;
  dialer.learned(link, hello.node);
  Session* older = open_session(hello.node);
  if (older != nullptr && older->link != link) {
    if (older->hello.incarnation != hello.incarnation) {
      // A restart, or two of them: the older one has to answer a question asked now.
      session->state = Session::State::contested;
      session->older = older->link;
      session->contest_until = plus_ms(now.mono, kContestMs);
      session->since = now.mono;
      older->proof_t1 = now.wall.ns | 1;
      send(*older, Ping{older->proof_t1, 0, -1, state.hash()});
      return;
    }
    if (!settle_duplicate(*session, *older, now)) return;
  }
  welcome(*session, now);
}

// Of two links between the same processes the one that the lower id has opened stays; of two that
// the same side has opened the newer: it knows why it opened another. False: this one went.
bool PeerNode::Impl::settle_duplicate(Session& session, Session& older, Now now) {
  ++counters.duplicates;
  const bool lower = state.self() < session.hello.node;
  const bool same_side = session.initiator == older.initiator;
  const Bye bye{Bye::Reason::duplicate, "there is another session"};
  if (same_side || session.initiator == lower) {
    end(older.link, bye, now);
    return true;
  }
  end(session.link, bye, now);
  return false;
}

void PeerNode::Impl::welcome(Session& session, Now now) {
  session.decoder.set_limit(kMaxBody);
  Welcome welcome;
  if (const auto info = state.info(session.hello.node)) {
    welcome.known_boot = info->version.boot;
    welcome.known_incarnation = info->incarnation;
  }
  send(session, welcome);
  // Claimed now, so that a second link between the two finds it.
  by_node[session.hello.node] = session.link;
  if (session.got_welcome) open(session, now);
}

void PeerNode::Impl::on(LinkId link, const Welcome& welcome, Now now) {
  Session* session = find(link);
  if (session->got_welcome || session->state == Session::State::open) {
    fault(*session, "a second welcome", now);
    return;
  }
  session->got_welcome = true;
  // Who may not speak of others may not tell this node about itself either.
  const uint64_t known = session->trusted() ? welcome.known_boot : 0;
  const bool other_life = known == state.boot() && welcome.known_incarnation != 0 &&
                          welcome.known_incarnation != settings.incarnation;
  if (known > state.boot() || other_life) raise_boot(known, now);
  session = find(link);  // too many raises end all sessions
  if (session == nullptr) return;
  if (session->got_hello && session->state == Session::State::opening) open(*session, now);
}

void PeerNode::Impl::open(Session& session, Now now) {
  session.state = Session::State::open;
  session.heard = now.mono;
  session.next_sync = now.mono;
  ever_open = true;
  ++counters.sessions;
  dialer.succeeded(session.link);
  const std::string place = place_of(session);
  if (place.empty()) {
    places.erase(session.hello.node);
  } else if (places.contains(session.hello.node) || places.size() < kMaxPlaces) {
    places[session.hello.node] = place;
  }
  members.heard(session.hello.node, session.hello.boot, session.from.role, now.mono);
  if (session.initiator) ping(session, now);
  start_turns(now);
}

void PeerNode::Impl::cloned_peer(const std::string& node, Now now) {
  std::erase_if(quarantine, [&](const auto& entry) { return entry.second <= now.mono; });
  if (quarantine.size() < kMaxQuarantine) {
    quarantine[node] = plus_ms(now.mono, kQuarantineMs);
  }
  decide(Decision::Kind::cloned, node,
         "two nodes call themselves " + node + ": neither is heard until one of them is renamed",
         now);
  std::vector<LinkId> links;
  for (const auto& [link, session] : sessions) {
    if (session.got_hello && session.hello.node == node) links.push_back(link);
  }
  // The contested one first, or it would be taken for the only one left.
  for (auto link = links.rbegin(); link != links.rend(); ++link) {
    end(*link, {Bye::Reason::cloned, "two nodes call themselves " + node}, now);
  }
}

void PeerNode::Impl::cloned_self(const std::string& how, Now now) {
  cloned_until = plus_ms(now.mono, kQuarantineMs);
  if (cloned_told.ns == 0 || now.mono > plus_ms(cloned_told, kClonedToldMs)) {
    cloned_told = now.mono;
    decide(Decision::Kind::cloned, state.self(),
           "another node has the name of this one (" + how +
               "): no sync until one of them is renamed or its state directory is removed",
           now);
  }
  std::vector<LinkId> links;
  for (const auto& [link, session] : sessions) links.push_back(link);
  for (const LinkId link : links) {
    end(link, {Bye::Reason::shutdown, "stands aside: there is another node of its name"}, now);
  }
}

void PeerNode::Impl::raise_boot(uint64_t known, Now now) {
  if (raises == 0 || now.mono > plus_ms(first_raise, kRaisesMs)) {
    raises = 0;
    first_raise = now.mono;
  }
  if (++raises > kMaxRaises) {
    cloned_self("peers meet ever later lives of it", now);
    return;
  }
  const uint64_t before = state.boot();
  state.raise_boot(known + 1);
  decide(Decision::Kind::boot_raised, state.self(),
         "peers know a later life of this node: boot " + std::to_string(before) + " becomes " +
             std::to_string(state.boot()) + " (its state was lost or restored)",
         now);
}

}  // namespace nines::peer
