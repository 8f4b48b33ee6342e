// What open sessions say: heartbeats, digests, parts, probes.
#include <algorithm>

#include "peer/peer_impl.hpp"

namespace nines::peer {
namespace {

constexpr size_t kFrameBytes = 256 * 1024;  // of parts in one frame
constexpr size_t kMaxCalls = 16;            // taken out at once
constexpr size_t kPartBytes = 40;           // of a part, beside its body

Instant plus_ms(Instant t, int64_t ms) { return {t.ns + ms * kNsPerMs}; }

}  // namespace

void PeerNode::Impl::handle(LinkId link, const Message& message, Now now) {
  if (const auto* hello = std::get_if<Hello>(&message)) return on(link, *hello, now);
  if (const auto* welcome = std::get_if<Welcome>(&message)) return on(link, *welcome, now);
  if (const auto* bye = std::get_if<Bye>(&message)) return on(link, *bye, now);
  Session& session = *find(link);
  // Every answer is small or waits for room, so this is the most that a peer can make us hold.
  if (session.unsent > 2 * settings.max_unsent_bytes) {
    fault(session, "it asks and does not read", now);
    return;
  }
  if (session.state != Session::State::open) {
    // The other side may be open already, while this one waits for a proof.
    if (!session.got_hello) fault(session, "no hello came first", now);
    return;
  }
  session.heard = now.mono;
  members.heard(session.hello.node, session.hello.boot, session.from.role, now.mono);
  if (const auto* ping = std::get_if<Ping>(&message)) return on(session, *ping, now);
  if (const auto* pong = std::get_if<Pong>(&message)) return on(session, *pong, now);
  if (const auto* ask = std::get_if<Ask>(&message)) return on(session, *ask);
  if (const auto* want = std::get_if<Want>(&message)) return on(session, *want);
  if (const auto* parts = std::get_if<Parts>(&message)) return on(session, *parts, now);
  if (const auto* origins = std::get_if<OriginDigests>(&message)) {
    if (session.turn.active() && origins->request == session.turn.request()) {
      OriginDigests wanted = *origins;
      std::erase_if(wanted.origins,
                    [&](const auto& digest) { return !may_tell(session, digest.origin, {}); });
      advance(session, session.turn.on(wanted, state), now);
    }
  } else if (const auto* digests = std::get_if<PartDigests>(&message)) {
    if (session.turn.active() && digests->request == session.turn.request()) {
      advance(session, session.turn.on(*digests, state), now);
    }
  } else if (const auto* probe = std::get_if<Probe>(&message)) {
    if (session.from.role == Role::leaf) return (void)beyond_role();
    const auto ago = members.heard_ago_ms(probe->node, now.mono);
    send(session, Seen{probe->node, ago.value_or(-1)});
  } else if (const auto* seen = std::get_if<Seen>(&message)) {
    if (session.trusted() || beyond_role()) members.seen(seen->node, seen->ago_ms, now.mono);
  } else if (const auto* call = std::get_if<Call>(&message)) {
    on(session, *call);
  } else if (const auto* no = std::get_if<NoCall>(&message)) {
    if (out.no_calls.size() < kMaxCalls) {
      out.no_calls.push_back({session.hello.node, no->token, no->text});
    }
  }
}

void PeerNode::Impl::on(Session& session, const Call& call) {
  if (!may_ask_queries(session.from.role)) {
    (void)beyond_role();
    send(session, NoCall{call.token, "a " + std::string(role_name(session.from.role)) +
                                         " may not ask queries"});
  } else if (out.calls.size() >= kMaxCalls) {
    send(session, NoCall{call.token, state.self() + " is called too often"});
  } else {
    const auto place = places.find(session.hello.node);
    out.calls.push_back({session.link, session.hello.node,
                         place == places.end() ? std::string() : place->second, call.token});
  }
}

// --- heartbeat

void PeerNode::Impl::ping(Session& session, Now now) {
  session.pinged = now.mono;
  session.ping_t1 = now.wall.ns;
  const auto offset = session.clock.best(now.mono);
  send(session, Ping{session.ping_t1, offset ? offset->ns : 0, offset ? offset->uncertainty_ns : -1,
                     state.hash()});
}

void PeerNode::Impl::on(Session& session, const Ping& ping, Now now) {
  session.peer_state = ping.state;
  if (ping.uncertainty_ns >= 0) {
    session.clock.add_theirs(ping.offset_ns, ping.uncertainty_ns, now.mono);
  }
  send(session, Pong{ping.t1, now.wall.ns, now.wall.ns, state.hash()});
}

void PeerNode::Impl::on(Session& session, const Pong& pong, Now now) {
  session.peer_state = pong.state;
  if (session.proof_t1 != 0 && pong.t1 == session.proof_t1) {
    session.proof_t1 = 0;
    const LinkId link = session.link;
    const bool contested = std::any_of(sessions.begin(), sessions.end(), [&](const auto& other) {
      return other.second.state == Session::State::contested && other.second.older == link;
    });
    if (contested) cloned_peer(std::string(session.hello.node), now);
    return;
  }
  if (session.ping_t1 == 0 || pong.t1 != session.ping_t1) return;
  session.ping_t1 = 0;
  // Steps of this node's clock since the question do not matter.
  const int64_t t4 = pong.t1 + (now.mono.ns - session.pinged.ns);
  session.clock.add(pong.t1, pong.t2, pong.t3, t4, now.mono);
}

int64_t PeerNode::Impl::median_offset_ns(Instant now) const {
  std::vector<int64_t> offsets{0};
  for (const auto& [node, link] : by_node) {
    const Session& session = sessions.at(link);
    const auto best = session.clock.best(now);
    if (best && session.trusted()) offsets.push_back(best->ns);
  }
  const auto middle = offsets.begin() + static_cast<ptrdiff_t>(offsets.size() / 2);
  std::nth_element(offsets.begin(), middle, offsets.end());
  return *middle;
}

// Of two clocks the later one: a node without a battery wakes up in 1970 and must not refuse all.
WallTime PeerNode::Impl::ceiling(Now now) const {
  return {now.wall.ns + median_offset_ns(now.mono) + settings.max_ahead_s * kNsPerSecond};
}

// --- answering

void PeerNode::Impl::on(Session& session, const Ask& ask) {
  if (session.unsent > settings.max_unsent_bytes) {
    ++counters.unanswered;
    return;
  }
  const bool leaf = session.from.role == Role::leaf;  // is told of itself only
  if (ask.origin.empty()) {
    auto origins = state.digest();
    if (leaf) std::erase_if(origins, [&](const auto& o) { return o.origin != session.hello.node; });
    if (origins.size() > kMaxOrigins) origins.resize(kMaxOrigins);
    send(session, OriginDigests{ask.request, std::move(origins)});
    return;
  }
  PartDigests digests{ask.request, ask.origin, {}};
  if (leaf && ask.origin != session.hello.node) {
    (void)beyond_role();
    send(session, digests);
    return;
  }
  if (ask.series.empty()) digests.parts = state.parts(ask.origin);
  for (const uint64_t id : ask.series) {
    const auto parts = state.parts(ask.origin, id);
    digests.parts.insert(digests.parts.end(), parts.begin(), parts.end());
  }
  if (digests.parts.size() > kMaxParts) digests.parts.resize(kMaxParts);
  send(session, digests);
}

void PeerNode::Impl::on(Session& session, const Want& want) {
  if (session.unsent > settings.max_unsent_bytes) {
    ++counters.unanswered;
    return;
  }
  size_t total = 0, bytes = 0;
  Parts parts{want.request, false, want.origin, {}};
  const bool told = session.from.role != Role::leaf || want.origin == session.hello.node;
  if (!told) (void)beyond_role();
  for (const auto& key : want.keys) {
    if (!told) break;
    auto piece = state.piece(want.origin, key);
    if (!piece) continue;
    if (total > settings.max_reply_bytes) break;
    bytes += piece->body.size() + kPartBytes;
    total += piece->body.size() + kPartBytes;
    ++counters.pieces_out;
    parts.parts.push_back({key, std::move(piece->body)});
    if (bytes < kFrameBytes) continue;
    send(session, parts);
    parts.parts.clear();
    bytes = 0;
  }
  parts.last = true;
  send(session, parts);
}

bool PeerNode::Impl::may_tell(const Session& session, const std::string& origin,
                              const fleet::PartKey& key) const {
  const bool own = origin == session.hello.node;
  const auto is = [&](fleet::FleetEvent::Stream stream) {
    return key.kind == fleet::PartKind::events && key.stream == static_cast<uint8_t>(stream);
  };
  switch (session.from.role) {
    case Role::observer: return false;
    case Role::leaf:
      return own && !is(fleet::FleetEvent::Stream::membership) &&
             !is(fleet::FleetEvent::Stream::rules);
    case Role::node: return !denies(origin);
  }
  return false;
}

void PeerNode::Impl::on(Session& session, const Parts& parts, Now now) {
  const WallTime limit = ceiling(now);
  std::vector<fleet::Piece> news;  // of who is there and who is not: passed on at once
  for (const auto& part : parts.parts) {
    fleet::Piece piece{parts.origin, part.key, part.body};
    ++counters.pieces_in;
    const bool membership =
        part.key.kind == fleet::PartKind::events &&
        part.key.stream == static_cast<uint8_t>(fleet::FleetEvent::Stream::membership);
    if (!may_tell(session, parts.origin, part.key)) {
      ++counters.beyond_role;
      continue;
    }
    const auto merged = state.merge(piece, limit);
    if (merged == fleet::Merge::news && membership) news.push_back(std::move(piece));
  }
  if (parts.request == 0) {
    push(news, session.link);
  } else if (session.turn.active() && parts.request == session.turn.request()) {
    const auto question = session.turn.on(parts);
    if (question || parts.last) {
      advance(session, question, now);
    } else {
      session.turn_deadline = plus_ms(now.mono, settings.request_ms);
    }
  }
}

// --- telling and catching up

// Pieces of one origin each; as few frames as they fit into.
void PeerNode::Impl::push(const std::vector<fleet::Piece>& pieces, LinkId except) {
  if (by_node.empty()) return;
  std::vector<std::string> frames;
  Parts parts;
  size_t bytes = 0;
  const auto flush = [&] {
    if (!parts.parts.empty()) frames.push_back(encode(parts));
    parts.parts.clear();
    bytes = 0;
  };
  for (const auto& piece : pieces) {
    if (piece.origin != parts.origin || bytes > kFrameBytes) flush();
    parts.origin = piece.origin;
    parts.parts.push_back({piece.key, piece.body});
    bytes += piece.body.size() + kPartBytes;
  }
  flush();
  if (frames.empty()) return;
  for (const auto& [node, link] : by_node) {
    Session& session = *find(link);
    if (link == except || session.state != Session::State::open) continue;
    if (session.from.role == Role::leaf) continue;
    if (session.unsent > settings.max_unsent_bytes / 2) {
      ++counters.untold;
      continue;
    }
    for (const auto& frame : frames) send_bytes(session, frame);
  }
}

void PeerNode::Impl::advance(Session& session, const std::optional<Message>& question, Now now) {
  if (question) {
    send(session, *question);
    session.turn_deadline = plus_ms(now.mono, settings.request_ms);
    return;
  }
  if (session.turn.active()) return;
  ++counters.syncs;
  end_turn(session, false, now);
  start_turns(now);
}

// What came of a turn is merged; one that was given up is soon followed by the next.
void PeerNode::Impl::end_turn(Session& session, bool given_up, Now now) {
  session.turn.stop();
  if (pulling == session.link) pulling = 0;
  const int64_t period = given_up ? settings.sync_every_ms / 8 : settings.sync_every_ms;
  session.next_sync = plus_ms(now.mono, period * 3 / 4 + chance.below(period / 2));
}

void PeerNode::Impl::start_turns(Now now) {
  while (pulling == 0) {
    Session* first = nullptr;
    for (const auto& [node, link] : by_node) {
      Session& session = *find(link);
      if (session.state != Session::State::open || session.next_sync > now.mono) continue;
      if (session.from.role == Role::observer) continue;
      if (first == nullptr || session.next_sync < first->next_sync) first = &session;
    }
    if (first == nullptr) return;
    if (first->peer_state == state.hash()) {
      end_turn(*first, false, now);
      continue;
    }
    pulling = first->link;
    next_request += 1'000'000'000;  // answers to an earlier turn are told from those to this one
    send(*first, first->turn.begin(next_request));
    first->turn_deadline = plus_ms(now.mono, settings.request_ms);
  }
}

}  // namespace nines::peer
