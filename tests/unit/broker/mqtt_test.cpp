// The publishing half of MQTT, and what it is used for, against what brokers say.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "nines/broker/mqtt_teller.hpp"

using namespace nines;
using namespace nines::broker;

namespace {

constexpr int64_t kStartS = 1'700'000'000;

Now at(int64_t s) { return {{s * kNsPerSecond}, WallTime::from_s(kStartS + s)}; }
std::string bytes(std::initializer_list<int> list) {
  std::string out;
  for (const int byte : list) out += static_cast<char>(byte);
  return out;
}
const std::string kWelcome = bytes({0x20, 2, 0, 0});

struct Silent final : MqttUser {
  void connected(Now) override { ++connects; }
  void acknowledged(uint16_t id, Now) override { acknowledgements.push_back(id); }
  void tick(Now) override {}
  void lost(Now) override { ++losses; }
  void leaving(Now) override {}
  int connects = 0, losses = 0;
  std::vector<uint16_t> acknowledgements;
};

// A broker that takes publications apart and acknowledges them when it is told to.
struct Broker {
  void read(const std::string& out) {
    size_t i = 0;
    while (i < out.size()) {
      const auto head = static_cast<unsigned char>(out[i++]);
      size_t length = 0;
      for (int shift = 0;; shift += 7) {
        const auto byte = static_cast<unsigned char>(out[i++]);
        length |= static_cast<size_t>(byte & 0x7F) << shift;
        if (byte < 0x80) break;
      }
      if ((head & 0xF0) == 0x30) publication(head, out.substr(i, length));
      i += length;
    }
  }
  void publication(int head, const std::string& body) {
    const size_t topic = static_cast<size_t>(static_cast<unsigned char>(body[0])) << 8 |
                         static_cast<unsigned char>(body[1]);
    size_t at = 2 + topic;
    if ((head & 6) != 0) {
      ids.push_back(body.substr(at, 2));
      at += 2;
    }
    got.push_back(body.substr(2, topic) + ((head & 1) != 0 ? " kept " : " ") + body.substr(at));
  }
  std::string acknowledge() {
    std::string out;
    for (const auto& id : ids) out += bytes({0x40, 2}) + id;
    ids.clear();
    return out;
  }
  std::vector<std::string> got, ids;
};

struct World {
  World() : teller("shop", "1.0", state, "0 0"), client({"id", "will", "false"}, false, teller) {
    teller.set_client(client);
  }
  void fire(uint64_t sequence, int64_t s) {
    fleet::FleetEvent event;
    event.sequence = sequence;
    event.slo = "api";
    event.at = WallTime::from_s(kStartS + s);
    state.publish(event);
    teller.look();
  }
  void connect(int64_t s) {
    client.opened({}, at(s));
    client.received(kWelcome, at(s));
  }
  void exchange(int64_t s) {
    for (int i = 0; i < 50; ++i) {
      client.tick(at(s));
      broker.read(client.take_output());
      client.received(broker.acknowledge(), at(s));
    }
  }
  size_t count(const std::string& part) const {
    size_t n = 0;
    for (const auto& message : broker.got) n += message.find(part) != std::string::npos;
    return n;
  }
  fleet::FleetState state{"pi/1", 3};
  MqttTeller teller;
  MqttClient client;
  Broker broker;
};

}  // namespace

TEST_CASE("an MQTT client logs in with a will, publishes and takes acknowledgements") {
  Silent user;
  MqttClient client({"id", "t", "w"}, false, user);
  client.opened({"u", "p", "", "", ""}, at(0));
  CHECK(client.take_output() == bytes({0x10, 26, 0, 4}) + "MQTT" + bytes({4, 0xEE, 0, 30}) +
                                    bytes({0, 2}) + "id" + bytes({0, 1}) + "t" + bytes({0, 1}) +
                                    "w" + bytes({0, 1}) + "u" + bytes({0, 1}) + "p");
  CHECK(client.publish("a", "b", 1, false) == 0);
  client.received(kWelcome.substr(0, 3), at(0));
  CHECK_FALSE(client.ready());
  client.received(kWelcome.substr(3), at(0));
  CHECK(client.ready());
  CHECK(user.connects == 1);
  CHECK(client.publish("a", "b", 1, true) == 1);
  CHECK(client.take_output() == bytes({0x33, 6, 0, 1}) + "a" + bytes({0, 1}) + "b");
  CHECK(client.publish("a", std::string(200, 'x'), 0, false) == 0);
  CHECK(client.take_output().starts_with(bytes({0x30, 0xCB, 1, 0, 1}) + "ax"));
  client.received(bytes({0x40, 2, 0, 1, 0x40, 2, 0, 1, 0x40, 2, 0, 9}), at(1));
  CHECK(user.acknowledgements == std::vector<uint16_t>{1});
  CHECK_FALSE(client.broken());
  client.leave(at(2));
  CHECK(client.take_output() == bytes({0xE0, 0}));
}

TEST_CASE("an MQTT client has no more publications underway than its window") {
  Silent user;
  MqttClient client({"id", "", ""}, false, user);
  client.opened({}, at(0));
  client.received(kWelcome, at(0));
  for (int i = 0; i < 16; ++i) CHECK(client.publish("a", "b", 1, false) == i + 1);
  CHECK_FALSE(client.room());
  CHECK(client.publish("a", "b", 1, false) == 0);
  client.received(bytes({0x40, 2, 0, 3}), at(0));
  CHECK(client.publish("a", "b", 1, false) == 17);
}

TEST_CASE("a hostile MQTT broker ends the connection and nothing else") {
  const std::vector<std::string> lies = {bytes({0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1}),
                                         bytes({0x30, 0xFF, 0xFF, 0x7F}),
                                         bytes({0x32, 3, 0, 9, 1}),
                                         bytes({0x36, 6, 0, 1, 'a', 0, 1, 'x'}),
                                         bytes({0x50, 0}),
                                         bytes({0x20, 2, 0, 0}),
                                         bytes({0x40, 1, 0})};
  for (const std::string& lie : lies) {
    Silent user;
    MqttClient client({"id", "", ""}, false, user);
    client.opened({}, at(0));
    client.received(kWelcome, at(0));
    client.received(lie, at(1));
    CAPTURE(lie.size(), static_cast<int>(lie[0]));
    CHECK(client.broken());
    client.closed(at(2));
    CHECK(user.losses == 1);
  }
}

TEST_CASE("an MQTT client tells a refused login from a broker that is not available") {
  for (const int code : {1, 2, 3, 4, 5, 77}) {
    Silent user;
    MqttClient client({"id", "", ""}, false, user);
    client.opened({}, at(0));
    client.received(bytes({0x20, 2, 0, code}), at(0));
    REQUIRE(client.broken());
    CHECK(client.refused() == (code != 3));
    CHECK(user.connects == 0);
  }
}

TEST_CASE("an MQTT broker that falls silent is left") {
  Silent user;
  MqttClient client({"id", "", ""}, false, user);
  client.opened({}, at(0));
  client.received(kWelcome, at(0));
  client.tick(at(16));
  CHECK(client.take_output().ends_with(bytes({0xC0, 0})));
  client.tick(at(30));
  CHECK_FALSE(client.broken());
  client.tick(at(32));
  CHECK(client.broken());
}

TEST_CASE("an MQTT broker that forgot is told everything that it should retain again") {
  World world;
  world.teller.show({{"api", "{1}"}, {"a/b", "{2}"}});
  world.connect(0);
  world.exchange(1);
  CHECK(world.count("nines/shop/pi=2F1/online kept true") == 1);
  CHECK(world.count("nines/shop/pi=2F1/slo/api kept {1}") == 1);
  CHECK(world.count("nines/shop/pi=2F1/slo/a=2Fb kept {2}") == 1);
  world.teller.show({{"api", "{1}"}, {"a/b", "{3}"}});
  world.exchange(2);
  CHECK(world.broker.got.size() == 4);  // only what changed
  world.client.closed(at(3));
  world.connect(4);
  world.exchange(5);
  CHECK(world.count("slo/api kept {1}") == 2);
  CHECK(world.count("slo/a=2Fb kept {3}") == 2);
  world.teller.show({{"api", "{1}"}});
  world.exchange(6);
  CHECK(world.broker.got.back() == "nines/shop/pi=2F1/slo/a=2Fb kept ");
  CHECK(world.teller.stats().waiting == 0);
}

TEST_CASE("alert events go to MQTT until they are acknowledged, and those of 5 minutes once more") {
  World world;
  world.fire(1, -1000);
  world.fire(2, -10);
  world.connect(0);
  world.client.tick(at(1));
  world.broker.read(world.client.take_output());  // and no acknowledgement comes
  CHECK(world.count("/alert ") == 1);
  world.client.closed(at(2));
  world.connect(3);
  world.exchange(4);
  CHECK(world.count("\"sequence\":1") == 2);
  CHECK(world.count("\"sequence\":2") == 1);
  CHECK(world.count("\"id\":\"pi/1/3/alert/2\"") == 1);
  CHECK(world.teller.cursor() == "3 2");
  world.client.closed(at(5));
  world.fire(3, 5);
  world.connect(6);
  world.exchange(7);
  CHECK(world.count("\"sequence\":1") == 2);
  CHECK(world.count("\"sequence\":2") == 2);
  CHECK(world.count("\"sequence\":3") == 1);
  CHECK(world.teller.stats().rewound == 1);
  // Another life goes on from the cursor, a first one begins with what comes.
  MqttTeller next("shop", "1.0", world.state, world.teller.cursor());
  CHECK(next.cursor() == "3 3");
  MqttTeller first("shop", "1.0", world.state, "");
  CHECK(first.cursor() == "3 3");
}
