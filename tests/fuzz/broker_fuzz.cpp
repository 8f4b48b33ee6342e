// What a hostile broker may send. The first byte chooses:
//   0  bytes to the parser of NATS, in pieces
//   1  bytes to a client of NATS that has logged in, with a teller and a reader
//   2  answers of JetStream to those, each behind its length (u16): framed correctly here, and
//      addressed to the inbox that was subscribed last
//   3  bytes to a client of MQTT, from the login on
//   4  a unit of the stream: its name behind a length (u8), its body
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "broker/nats_parser.hpp"
#include "broker/units.hpp"
#include "nines/broker/fleet_stream.hpp"
#include "nines/broker/mqtt_teller.hpp"
#include "nines/broker/nats_client.hpp"

namespace {

using namespace nines;
using namespace nines::broker;

constexpr size_t kMaxMessage = 64 * 1024;
constexpr size_t kFleetBytes = 256 * 1024;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

Now at(int64_t ms) { return {{ms * kNsPerMs}, {(1'700'000'000'000 + ms) * kNsPerMs}}; }

fleet::FleetLimits limits() {
  fleet::FleetLimits limits;
  limits.max_origins = 4;
  limits.max_series = 4;
  limits.max_events = 64;
  limits.max_bytes = kFleetBytes;
  return limits;
}

void parser(std::string_view bytes) {
  NatsParser parser(kMaxMessage);
  for (size_t i = 0; i < bytes.size(); i += 7) {
    parser.feed(bytes.substr(i, 7));
    for (auto frame = parser.next(); frame.ok() && *frame; frame = parser.next()) {
      require((*frame)->body.size() <= kMaxMessage, "no message beyond the limit");
    }
    require(parser.buffered() <= kMaxMessage + kMaxInfoLine + 16, "no more than a message is kept");
  }
}

// Whoever holds one has a session in which two machines act.
struct Session {
  Session()
      : own("a", 3, limits(), 7), seen("reader", 1, limits()), teller({}, own), reader({}, seen) {
    const auto ids = own.set_series({{{}, "api", "g", "shop", "0.99", 86400}}, at(0).wall);
    if (ids.ok()) own.publish(ids->front(), fleet::Tier::minute, 28'333'000, {5, 1, 60});
    NatsOptions options;
    options.max_message = kMaxMessage;
    client = std::make_unique<NatsClient>(options);
    client->join(teller, at(0));
    client->join(reader, at(0));
    client->opened({}, at(0));
    client->received("INFO {\"headers\":true}\r\nPONG\r\n", at(1));
    note(client->take_output());
  }
  // Keeps the last subject that was subscribed or named for a reply.
  void note(const std::string& output) {
    const size_t place = output.rfind("_INBOX.");
    if (place != std::string::npos)
      inbox = output.substr(place, output.find_first_of(" \r", place) - place);
  }
  void feed(std::string_view bytes, int64_t ms) {
    client->received(bytes, at(ms));
    client->tick(at(ms));
    note(client->take_output());
    require(seen.bytes() < 2 * kFleetBytes, "the fleet's state stays within its limit");
    require(own.boot() >= 3, "the boot never goes back");
  }
  fleet::FleetState own, seen;
  FleetTeller teller;
  FleetReader reader;
  std::unique_ptr<NatsClient> client;
  std::string inbox;
};

void answers(std::string_view bytes) {
  Session session;
  for (int64_t ms = 2; bytes.size() > 3; ms += 300) {
    const auto length = static_cast<size_t>(static_cast<unsigned char>(bytes[0])) << 8 |
                        static_cast<unsigned char>(bytes[1]);
    const int sid = bytes[2] & 7;
    const std::string_view body = bytes.substr(3, length);
    bytes.remove_prefix(3 + body.size());
    session.feed("MSG " + session.inbox + " " + std::to_string(sid) +
                     " $JS.ACK.S.C.1.1.1.1700000000000000000.0 " + std::to_string(body.size()) +
                     "\r\n" + std::string(body) + "\r\n",
                 ms);
  }
  session.client->closed(at(1'000'000));
}

void mqtt(std::string_view bytes) {
  fleet::FleetState state("a", 1, limits());
  MqttTeller teller("shop", "1", state, "0 0");
  MqttClient client({"c", "will", "x"}, false, teller);
  teller.set_client(client);
  teller.show({{"api", "{}"}});
  fleet::FleetEvent event;
  event.sequence = 1;
  state.publish(event);
  client.opened({}, at(0));
  for (size_t i = 0; i < bytes.size(); i += 5) {
    client.received(bytes.substr(i, 5), at(static_cast<int64_t>(i)));
    client.tick(at(static_cast<int64_t>(i)));
    require(client.take_output().size() < 1024 * 1024, "what is said is bounded");
  }
  client.closed(at(1'000'000));
}

void unit(std::string_view bytes) {
  if (bytes.empty()) return;
  const auto length = static_cast<size_t>(static_cast<unsigned char>(bytes[0]));
  const std::string_view name = bytes.substr(1, length);
  const auto message = decode_unit(name, bytes.substr(1 + name.size()));
  if (!message) return;
  fleet::FleetState state("reader", 1, limits());
  for (const auto& piece : message->pieces) state.merge(piece, at(0).wall);
  require(state.bytes() < 2 * kFleetBytes, "a unit stays within the limit");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0: parser(bytes); break;
    case 1: {
      Session session;
      session.feed(bytes, 2);
      session.client->closed(at(1'000'000));
      break;
    }
    case 2: answers(bytes); break;
    case 3: mqtt(bytes); break;
    default: unit(bytes); break;
  }
  return 0;
}
