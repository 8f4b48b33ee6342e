// What a hostile peer may send. The first byte chooses:
//   0  bytes to the frame decoder, in pieces
//   1  bytes to a node, before any hello
//   2  bodies to a node that has an open session: each behind its type and length (u8, u16), framed
//      correctly here, since no fuzzer guesses a checksum
//   3  bytes that begin a connection of a query
//   4  as 2, from an observer or (second byte odd) a leaf
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "../../sync/src/peer/messages.hpp"
#include "nines/fleet/fleet_view.hpp"
#include "nines/peer/peer_node.hpp"

namespace {

using namespace nines;
using namespace nines::peer;

constexpr size_t kFleetBytes = 256 * 1024;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void decoder(std::string_view bytes) {
  FrameDecoder decoder;
  decoder.set_limit(64 * 1024);
  for (size_t at = 0; at < bytes.size(); at += 7) {
    decoder.feed(bytes.substr(at, 7));
    for (auto frame = decoder.next(); frame.ok() && *frame; frame = decoder.next()) {
      require((*frame)->body.size() <= 64 * 1024, "no body beyond the limit");
      const auto message = decode(**frame);
      if (!message.ok()) continue;
      // What was understood can be said again, and means the same.
      FrameDecoder again;
      again.set_limit(kMaxBody);
      again.feed(encode(*message));
      const auto copy = again.next();
      require(copy.ok() && *copy && decode(**copy).ok(), "what was read can be written");
    }
    require(decoder.buffered() <= 64 * 1024 + kFrameHeader + 7, "no more than one frame is kept");
  }
}

void opening(std::string_view bytes) {
  if (bytes.size() < kOpeningHeader) return;
  const auto header = bytes.substr(0, kOpeningHeader);
  const auto size = opening_body(header);
  if (!size.ok()) return;
  require(*size <= kOpeningBody, "an opening is short");
  const auto read = decode_opening(header, bytes.substr(kOpeningHeader, *size));
  if (!read.ok()) return;
  const std::string written = encode_opening(*read);
  require(bytes.starts_with(written), "what was read is written the same");
}

struct Victim {
  explicit Victim(Role role = Role::node)
      : state("victim", 5, limits(), 77),
        node(settings(), state, now()),
        link(node.accepted(now(), {{}, role, "10.0.0.9"})) {
    const auto ids = state.set_series({{{}, "api", "g", "shop", "0.99", 86400}}, now().wall);
    if (ids.ok()) state.publish(ids->front(), fleet::Tier::minute, 30'000'000, {5, 1, 60});
  }
  static fleet::FleetLimits limits() {
    fleet::FleetLimits limits;
    limits.max_origins = 4;
    limits.max_series = 8;
    limits.max_events = 16;
    limits.max_bytes = kFleetBytes;
    return limits;
  }
  static PeerSettings settings() {
    PeerSettings settings;
    settings.cluster = "c";
    settings.incarnation = 77;
    return settings;
  }
  static Now now() { return {{1'000'000'000'000}, WallTime::from_s(1'800'000'000)}; }

  void open() {
    Hello hello;
    hello.cluster = "c";
    hello.node = "hostile";
    hello.boot = 1;
    hello.incarnation = 5;
    receive(encode(hello));
    receive(encode(Welcome{}));
  }
  void receive(std::string_view bytes) {
    node.received(link, bytes, now());
    const Output out = node.take();
    size_t sent = 0;
    for (const auto& send : out.sends) sent += send.bytes.size();
    require(sent <= 4 * 1024 * 1024, "an answer is bounded");
    require(out.decisions.size() <= 64, "so is what is made of it");
    require(out.calls.size() <= 16 && out.no_calls.size() <= 16, "and what it asks for");
    for (const auto& call : out.calls)
      require(call.token.size() == kTokenBytes, "a token is whole");
  }
  void check() {
    Now later = now();
    for (int i = 0; i < 40; ++i) {
      later.mono.ns += kNsPerSecond;
      later.wall.ns += kNsPerSecond;
      node.tick(later);
      node.take();
    }
    // Counted at every 16th piece; a piece has up to 32 events.
    require(state.bytes() <= kFleetBytes + 17 * 64 * 1024, "the fleet state is bounded");
    require(state.origins().size() <= 4, "so are the nodes in it");
    (void)fleet::fleet_budgets(state, later.wall);
  }

  fleet::FleetState state;
  PeerNode node;
  LinkId link;
};

void session(std::string_view bytes, Role role) {
  Victim victim(role);
  victim.open();
  while (bytes.size() >= 3) {
    const auto at = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
    const auto type = static_cast<uint8_t>(at(0));
    const size_t size = std::min<size_t>(at(1) * 256U + at(2), bytes.size() - 3);
    victim.receive(encode_frame(type, bytes.substr(3, size)));
    bytes.remove_prefix(3 + size);
  }
  if (role != Role::node) {
    const auto origins = victim.state.origins();
    const bool own = origins.size() == 1 ||
                     (role == Role::leaf && origins.size() == 2 && origins.front() == "hostile");
    require(own, "a role tells of itself at most");
    require(victim.state.boot() == 5, "and nothing about the node that it speaks to");
  }
  victim.check();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(static_cast<const char*>(static_cast<const void*>(data)) + 1,
                              size - 1);
  switch (data[0] % 5) {
    case 0: decoder(rest); break;
    case 1: {
      Victim victim;
      victim.receive(rest);
      victim.check();
      break;
    }
    case 2: session(rest, Role::node); break;
    case 3: opening(rest); break;
    default:
      if (rest.empty()) break;
      session(rest.substr(1), rest[0] % 2 == 0 ? Role::observer : Role::leaf);
  }
  return 0;
}
