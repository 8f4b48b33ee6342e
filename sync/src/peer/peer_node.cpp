#include "nines/peer/peer_node.hpp"

#include <algorithm>

#include "peer/peer_impl.hpp"

namespace nines::peer {
namespace {

constexpr int64_t kPauseMs = 10'000;        // longer between two ticks: this process was stopped
constexpr int64_t kDescribeMs = 3'600'000;  // the info is told anew
constexpr int64_t kSelfDialMs = 600'000;    // before an address of one's own is tried again

Instant plus_ms(Instant t, int64_t ms) { return {t.ns + ms * kNsPerMs}; }

}  // namespace

PeerNode::PeerNode(PeerSettings settings, fleet::FleetState& state, Now now)
    : impl_(std::make_unique<Impl>(std::move(settings), state, now)) {
  NINES_ASSERT(impl_->settings.incarnation != 0);
  state.describe(now.wall, impl_->settings.capabilities, {});
  impl_->next_describe = plus_ms(now.mono, kDescribeMs);
}

PeerNode::~PeerNode() = default;

void PeerNode::set_addresses(const std::vector<std::string>& addresses, Now now) {
  impl_->dialer.set_addresses(addresses, now.mono, impl_->chance);
}

Role PeerNode::role() const { return impl_->role; }

void PeerNode::set_role(Role role) {
  impl_->role = role;
  impl_->members.set_pages(role == Role::node);
}

void PeerNode::set_port(uint16_t port) { impl_->port = port; }

const std::string& PeerNode::name() const { return impl_->state.self(); }

bool PeerNode::denies(const std::vector<std::string>& nodes) const {
  return std::any_of(nodes.begin(), nodes.end(),
                     [this](const std::string& node) { return impl_->denies(node); });
}

PeerNode::Way PeerNode::way_to(const std::string& node) const {
  Way way;
  if (impl_->denies(node)) return way;
  const auto place = impl_->places.find(node);
  const Session* session = impl_->open_session(node);
  way.known = place != impl_->places.end() || session != nullptr;
  if (place != impl_->places.end()) way.address = place->second;
  way.callable = session != nullptr && session->state == Session::State::open &&
                 (session->hello.capabilities & kCanBeCalled) != 0;
  return way;
}

bool PeerNode::call(const std::string& node, const std::string& token) {
  if (!way_to(node).callable) return false;
  impl_->send(*impl_->open_session(node), Call{token});
  return true;
}

void PeerNode::decline(LinkId link, const std::string& token, const std::string& why) {
  Session* session = impl_->find(link);
  if (session != nullptr && session->state == Session::State::open) {
    impl_->send(*session, NoCall{token, why});
  }
}

LinkId PeerNode::accepted(Now now, const Credentials& from) {
  Impl& impl = *impl_;
  if (impl.sessions.size() >= impl.settings.max_links || impl.stands_aside(now)) {
    ++impl.counters.refused_sessions;
    return 0;
  }
  Session session;
  session.link = impl.next_link++;
  session.from = from;
  auto& placed = impl.sessions.emplace(session.link, std::move(session)).first->second;
  impl.begin(placed, now);
  return placed.link;
}

void PeerNode::connected(LinkId link, Now now, const Credentials& from) {
  Session* session = impl_->find(link);
  if (session == nullptr || session->state != Session::State::dialling) return;
  session->state = Session::State::opening;
  session->from = from;
  impl_->begin(*session, now);
}

void PeerNode::received(LinkId link, std::string_view bytes, Now now) {
  Impl& impl = *impl_;
  impl.counters.bytes_in += bytes.size();
  if (Session* session = impl.find(link)) session->decoder.feed(bytes);
  for (Session* session = impl.find(link); session != nullptr; session = impl.find(link)) {
    auto frame = session->decoder.next();
    if (!frame.ok()) {
      impl.fault(*session, frame.error().message, now);
      return;
    }
    if (!*frame) return;
    ++impl.counters.frames_in;
    const auto message = decode(**frame);
    if (!message.ok()) {
      impl.fault(*session, message.error().message, now);
      return;
    }
    impl.handle(link, *message, now);
  }
}

void PeerNode::written(LinkId link, size_t bytes) {
  if (Session* session = impl_->find(link)) session->unsent -= std::min(bytes, session->unsent);
}

void PeerNode::closed(LinkId link, Now now) {
  const Session* session = impl_->find(link);
  if (session == nullptr) return;
  impl_->counters.broken_links += session->state != Session::State::dialling;
  impl_->drop(link, now);
}

void PeerNode::tick(Now now) {
  Impl& impl = *impl_;
  if (now.mono.ns - impl.last_tick.ns > kPauseMs * kNsPerMs) {
    ++impl.counters.pauses;
    impl.members.forgive(now.mono);
    for (auto& [link, session] : impl.sessions) session.since = session.heard = now.mono;
  }
  impl.last_tick = now.mono;
  impl.check_links(now);
  impl.dial(now);
  impl.start_turns(now);
  if (now.mono >= impl.next_describe) {
    impl.next_describe = plus_ms(now.mono, kDescribeMs);
    const auto info = impl.state.info(impl.state.self());
    impl.state.describe(now.wall, impl.settings.capabilities, info->isolated_since);
  }
  std::vector<std::string> probes;
  impl.members.set_unreached(!impl.ever_open && !impl.dialer.only_itself(impl.state.self()));
  impl.members.tick(now, probes, impl.out.decisions);
  for (const auto& node : probes) {
    ++impl.counters.probes;
    for (const auto& [name, link] : impl.by_node) {
      if (name != node) impl.send(*impl.find(link), Probe{node});
    }
  }
  if (impl.state.foreign_boot() >= impl.state.boot()) {
    impl.raise_boot(impl.state.foreign_boot(), now);
  }
  tell(now);
}

void PeerNode::tell(Now) { impl_->push(impl_->state.take_changes(), 0); }

void PeerNode::leave(Now now) {
  tell(now);
  while (!impl_->sessions.empty()) {
    impl_->end(impl_->sessions.begin()->first, {Bye::Reason::shutdown, "is being stopped"}, now);
  }
}

Output PeerNode::take() { return std::exchange(impl_->out, {}); }

bool PeerNode::isolated() const { return impl_->members.isolated(); }

const PeerNode::Counters& PeerNode::counters() const { return impl_->counters; }

int64_t PeerNode::median_offset_ns() const { return impl_->median_offset_ns(impl_->last_tick); }

std::vector<PeerView> PeerNode::peers(Now now) const {
  std::vector<PeerView> all;
  for (const auto& [node, member] : impl_->members.views(now.mono)) {
    PeerView view;
    view.node = node;
    view.state = member.state;
    view.heard_ago_ms = member.heard_ago_ms;
    view.boot = member.boot;
    view.role = member.role;
    const auto place = impl_->places.find(node);
    if (place != impl_->places.end()) view.address = place->second;
    if (const Session* session = impl_->open_session(node)) {
      view.connected = true;
      if (const auto offset = session->clock.best(now.mono)) {
        view.offset_ns = offset->ns;
        view.uncertainty_ns = offset->uncertainty_ns;
      }
    }
    all.push_back(std::move(view));
  }
  // Observers are no members: they are shown while they are there.
  for (const auto& [node, link] : impl_->by_node) {
    const Session& session = *impl_->find(link);
    if (session.state != Session::State::open || session.from.role != Role::observer) continue;
    PeerView view;
    view.node = node;
    view.connected = true;
    view.role = Role::observer;
    view.boot = session.hello.boot;
    view.heard_ago_ms = (now.mono.ns - session.heard.ns) / kNsPerMs;
    if (const auto offset = session.clock.best(now.mono)) {
      view.offset_ns = offset->ns;
      view.uncertainty_ns = offset->uncertainty_ns;
    }
    all.push_back(std::move(view));
  }
  std::sort(all.begin(), all.end(),
            [](const PeerView& a, const PeerView& b) { return a.node < b.node; });
  return all;
}

// --- links

Session* PeerNode::Impl::find(LinkId link) {
  const auto found = sessions.find(link);
  return found == sessions.end() ? nullptr : &found->second;
}

Session* PeerNode::Impl::open_session(const std::string& node) {
  const auto found = by_node.find(node);
  return found == by_node.end() ? nullptr : find(found->second);
}

bool PeerNode::Impl::denies(const std::string& node) const {
  return std::find(settings.deny.begin(), settings.deny.end(), node) != settings.deny.end();
}

// Where this node dialled it, or else where it came from with the port that it told.
std::string PeerNode::Impl::place_of(const Session& session) const {
  if (session.initiator) return dialer.address_of(session.link);
  const std::string& host = session.from.host;
  if (host.empty() || session.hello.port == 0) return {};
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(session.hello.port);
}

void PeerNode::Impl::send_bytes(Session& session, std::string bytes) {
  session.unsent += bytes.size();
  counters.bytes_out += bytes.size();
  ++counters.frames_out;
  out.sends.push_back({session.link, std::move(bytes)});
}

void PeerNode::Impl::send(Session& session, const Message& message) {
  send_bytes(session, encode(message));
}

void PeerNode::Impl::end(LinkId link, const Bye& bye, Now now, int64_t wait_ms) {
  Session* session = find(link);
  if (session == nullptr) return;
  if (session->state != Session::State::dialling) send(*session, bye);
  out.closes.push_back({link, bye.text});
  drop(link, now, wait_ms);
}

void PeerNode::Impl::drop(LinkId link, Now now, int64_t wait_ms) {
  Session* session = find(link);
  if (session == nullptr) return;
  if (pulling == link) pulling = 0;
  const auto mine = by_node.find(session->hello.node);
  if (mine != by_node.end() && mine->second == link) by_node.erase(mine);
  sessions.erase(link);
  dialer.ended(link, now.mono, chance, wait_ms);
  // Who waited for it to prove that it lives goes on.
  std::vector<LinkId> waiting;
  for (const auto& [id, other] : sessions) {
    if (other.state == Session::State::contested && other.older == link) waiting.push_back(id);
  }
  for (const LinkId id : waiting) {
    if (Session* other = find(id)) {
      other->state = Session::State::opening;
      on(id, Hello(other->hello), now);
    }
  }
}

void PeerNode::Impl::fault(Session& session, const std::string& what, Now now) {
  ++counters.refused_sessions;
  const std::string who = session.got_hello            ? session.hello.node
                          : session.from.nodes.empty() ? std::string()
                                                       : session.from.nodes.front();
  decide(Decision::Kind::refused, who,
         "the connection to " + (who.empty() ? "a peer" : who) + " is closed: " + what, now);
  end(session.link, {Bye::Reason::fault, what}, now);
}

void PeerNode::Impl::decide(Decision::Kind kind, const std::string& node, const std::string& text,
                            Now now) {
  out.decisions.push_back({kind, node, {}, now.wall, now.wall, text});
}

void PeerNode::Impl::dial(Now now) {
  while (!stands_aside(now) && sessions.size() < settings.max_links) {
    const auto address = dialer.due(next_link, now.mono, [this](const std::string& node) {
      return node == state.self() || by_node.contains(node);
    });
    if (!address) return;
    Session session;
    session.link = next_link++;
    session.initiator = true;
    session.state = Session::State::dialling;
    session.since = session.heard = now.mono;
    out.dials.push_back({session.link, *address});
    ++counters.dials;
    sessions.emplace(session.link, std::move(session));
  }
}

void PeerNode::Impl::check_links(Now now) {
  std::vector<LinkId> links;
  for (const auto& [link, session] : sessions) links.push_back(link);
  for (const LinkId link : links) check_link(link, now);
}

void PeerNode::Impl::check_link(LinkId link, Now now) {
  Session* session = find(link);
  if (session == nullptr) return;
  const auto past = [&](Instant from, int64_t ms) { return now.mono > plus_ms(from, ms); };
  if (session->state == Session::State::contested && now.mono >= session->contest_until) {
    ++counters.half_open;
    end(session->older, {Bye::Reason::duplicate, "another session took over"}, now);
  } else if (session->state != Session::State::open) {
    if (!past(session->since, settings.handshake_ms)) return;
    ++counters.broken_links;
    end(link, {Bye::Reason::fault, "the handshake takes too long"}, now);
  } else if (past(session->heard, settings.dead_link_ms)) {
    ++counters.half_open;
    end(link, {Bye::Reason::fault, "nothing was heard"}, now);
  } else {
    if (session->turn.active() && now.mono >= session->turn_deadline) {
      ++counters.syncs_given_up;
      end_turn(*session, true, now);
    }
    if (session->initiator && past(session->pinged, settings.ping_every_ms - 1))
      ping(*session, now);
  }
}

void PeerNode::Impl::on(LinkId link, const Bye& bye, Now now) {
  Session* session = find(link);
  const std::string node = session->hello.node;
  const bool was_open = session->state == Session::State::open;
  out.closes.push_back({link, bye.text});
  switch (bye.reason) {
    case Bye::Reason::cloned:
      if (session->trusted()) cloned_self(bye.text, now);
      break;
    case Bye::Reason::cluster:
    case Bye::Reason::protocol:
      decide(Decision::Kind::refused, node, "a peer refuses this node: " + bye.text, now);
      break;
    case Bye::Reason::shutdown:
      if (was_open) members.said_goodbye(node, now.mono);
      break;
    default: break;
  }
  drop(link, now, bye.reason == Bye::Reason::self ? kSelfDialMs : 0);
}

}  // namespace nines::peer
