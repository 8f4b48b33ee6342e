// The client of NATS against what servers say, right and wrong.
#include "nines/broker/nats_client.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "nines/broker/link.hpp"

using namespace nines;
using namespace nines::broker;

namespace {

const std::string kInfo =
    R"(INFO {"server_id":"X","server_name":"n1","version":"2.9.10","headers":true,)"
    R"("max_payload":1048576,"jetstream":true})"
    "\r\n";

Now at(int64_t ms) { return {{ms * kNsPerMs}, WallTime::from_s(1'700'000'000)}; }

struct Listener final : Participant {
  void connected(Bus& bus, Now) override {
    ++connects;
    sid = bus.subscribe("a.b", *this);
  }
  void received(uint64_t id, const BusMessage& m, Bus&, Now) override {
    got.push_back(std::to_string(id) + " " + std::string(m.subject) + " " + std::string(m.reply) +
                  " " + std::to_string(m.status) + " " + std::string(m.body));
    last_header = header_of(m, "x-key");
  }
  void tick(Bus&, Now) override { ++ticks; }
  void lost(Now) override { ++losses; }
  void denied(const Denied& what, Bus&, Now) override {
    denials.push_back((what.publish ? "publish " : "subscribe ") + std::string(what.subject));
  }
  int connects = 0, ticks = 0, losses = 0;
  uint64_t sid = 0;
  std::vector<std::string> got, denials;
  std::string last_header;
};

struct Standing {
  explicit Standing(NatsOptions options = {}) : client(options) {
    client.join(listener, at(0));
    client.opened({}, at(0));
    client.received(kInfo, at(1));
    client.take_output();
    client.received("PONG\r\n", at(2));
    client.take_output();
  }
  Listener listener;
  NatsClient client;
};

}  // namespace

TEST_CASE("a NATS client logs in when the server has said who it is, and then subscribes") {
  Listener listener;
  NatsClient client({});
  client.join(listener, at(0));
  client.opened({"edge", "secret", "", "", ""}, at(0));
  CHECK(client.take_output().empty());  // the server speaks first
  client.received(kInfo.substr(0, 20), at(1));
  client.received(kInfo.substr(20), at(1));
  const std::string login = client.take_output();
  CHECK(login.starts_with("CONNECT {"));
  CHECK(login.find(R"("user":"edge","pass":"secret")") != std::string::npos);
  CHECK(login.ends_with("}\r\nPING\r\n"));
  CHECK_FALSE(client.ready());
  client.received("PONG\r\n", at(2));
  CHECK(client.ready());
  CHECK(listener.connects == 1);
  CHECK(client.take_output() == "SUB a.b 1\r\n");
}

TEST_CASE("a NATS client reads messages with and without headers, however they are cut") {
  const std::string text =
      "MSG a.b 1 5\r\nhello\r\nHMSG a.b 1 r.1 28 30\r\nNATS/1.0 503 No\r\nX-Key: v\r\n\r\nxyz"
      "\r\nPING\r\n";
  // 28 bytes of headers would end within the line: the sizes are of the text below.
  const std::string headers = "NATS/1.0 503 No\r\nX-Key: v\r\n\r\n";
  const std::string right =
      "MSG a.b 1 5\r\nhello\r\nHMSG a.b 1 r.1 " + std::to_string(headers.size()) + " " +
      std::to_string(headers.size() + 3) + "\r\n" + headers + "xyz\r\nPING\r\n";
  for (const size_t step : {size_t{1}, size_t{3}, right.size()}) {
    Standing s;
    for (size_t i = 0; i < right.size(); i += step) s.client.received(right.substr(i, step), at(3));
    REQUIRE_FALSE(s.client.broken());
    CHECK(s.listener.got == std::vector<std::string>{"1 a.b  0 hello", "1 a.b r.1 503 xyz"});
    CHECK(s.listener.last_header == "v");
    CHECK(s.client.take_output() == "PONG\r\n");
  }
  Standing wrong;
  wrong.client.received(text, at(3));
  CHECK(wrong.client.broken());
}

TEST_CASE("a NATS client publishes with headers, and drops what the server would not take") {
  Standing s;
  const Header header{"Nats-Msg-Id", "1"};
  s.client.publish("x", "r", {&header, 1}, "body");
  CHECK(s.client.take_output() == "HPUB x r 28 32\r\nNATS/1.0\r\nNats-Msg-Id: 1\r\n\r\nbody\r\n");
  s.client.publish("x", "", {}, "");
  CHECK(s.client.take_output() == "PUB x 0\r\n\r\n");
  s.client.publish("x", "", {}, std::string(2'000'000, 'a'));
  CHECK(s.client.take_output().empty());
  CHECK(s.client.counters().dropped == 1);
}

TEST_CASE("a hostile NATS server ends the connection and nothing else") {
  const std::vector<std::string> lies = {
      "MSG a.b 1 -5\r\n",
      "MSG a.b 1 99999999999999999999\r\n",
      "MSG a.b 1 9000000\r\n",
      "MSG a.b\r\n",
      "MSG a.b x 3\r\nabc\r\n",
      "HMSG a.b 1 9 3\r\nabc\r\n",
      "MSG a.b 1 3\r\nabcde",
      "NONSENSE\r\n",
      "\r\n",
      std::string(70'000, 'x'),
      "INFO {" + std::string(70'000, ' '),
      "INFO [1,2]\r\n",
      "-ERR 'Stale Connection'\r\n",
  };
  for (const std::string& lie : lies) {
    Standing s;
    s.client.received(lie, at(3));
    CAPTURE(lie.substr(0, 40));
    CHECK(s.client.broken());
    s.client.received("MSG a.b 1 1\r\nx\r\n", at(4));
    CHECK(s.listener.got.empty());
    s.client.closed(at(5));
    CHECK(s.listener.losses == 1);
  }
}

TEST_CASE("a NATS client tells a refused login from other trouble") {
  NatsClient client({});
  client.opened({}, at(0));
  client.received(kInfo, at(1));
  client.received("-ERR 'Authorization Violation'\r\n", at(2));
  REQUIRE(client.broken());
  CHECK(client.refused());
  client.closed(at(3));
  client.opened({}, at(4));
  CHECK_FALSE(client.broken());
  CHECK_FALSE(client.refused());
}

TEST_CASE("a NATS server that repeats the login does not get it into what is told") {
  for (const char* const echo :
       {"-ERR 'CONNECT {\"auth_token\":\"hush\"}'\r\n",
        "-ERR 'Authorization Violation: {\"user\":\"me\",\"pass\":\"hush\"}'\r\n"}) {
    NatsClient client({});
    client.opened({}, at(0));
    client.received(kInfo, at(1));
    client.received(echo, at(2));
    REQUIRE(client.broken());
    CHECK(client.broken()->message.find("the NATS server says: ") == 0);
    CHECK(client.broken()->message.find("hush") == std::string::npos);
  }
}

TEST_CASE("a NATS client stays when it may not do something, says what, and what is missing") {
  Standing s;
  s.client.received("-ERR 'Permissions Violation for Publish to \"nines.shop.query.m\"'\r\n",
                    at(3));
  CHECK_FALSE(s.client.broken());
  CHECK(s.listener.denials == std::vector<std::string>{"publish nines.shop.query.m"});
  CHECK(s.client.denials(at(3).mono) ==
        std::vector<std::string>{
            "NATS forbids this login to publish to nines.shop.query.m; what it lacks: permissions "
            "{ publish: \"nines.shop.query.>\" }"});
  // Inboxes have another name each time: that is one thing to be told.
  for (const char* inbox : {"_INBOX.1", "_INBOX.2"}) {
    s.client.received(
        "-ERR 'Permissions Violation for Subscription to \"" + std::string(inbox) + "\"'\r\n",
        at(4));
  }
  CHECK(s.listener.denials.back() == "subscribe _INBOX.2");
  CHECK(s.client.denials(at(4).mono).size() == 2);
  CHECK(s.client.counters().dropped == 3);
}

TEST_CASE("what a NATS client was forbidden is bounded, and forgotten when it happens no more") {
  Standing s;
  for (int i = 0; i < 50; ++i) {
    s.client.received(
        "-ERR 'Permissions Violation for Publish to \"s" + std::to_string(i) + "\"'\r\n",
        at(10 + i));
  }
  const auto newest = s.client.denials(at(60).mono);
  CHECK(newest.size() == NatsClient::kDenials);
  for (const std::string& one : newest) CHECK(one.find("to s4") != std::string::npos);
  CHECK(s.client.denials(at(60 + NatsClient::kDenialMs).mono).empty());
  s.client.closed(at(61));
  s.client.opened({}, at(62));
  CHECK(s.client.denials(at(62).mono).empty());
}

TEST_CASE("a violation that names no subject, or one with control characters, is told safely") {
  Standing s;
  s.client.received("-ERR 'Permissions Violation'\r\n", at(3));
  s.client.received("-ERR 'Permissions Violation for Publish to \"a\x1b[2J\"'\r\n", at(3));
  CHECK_FALSE(s.client.broken());
  for (const std::string& one : s.client.denials(at(3).mono)) {
    CHECK(one.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("a NATS client does not send a login without the TLS that it was asked for") {
  NatsOptions options;
  options.tls = true;
  NatsClient plain(options);
  plain.opened({"edge", "secret", "", "", ""}, at(0));
  plain.received(kInfo, at(1));
  CHECK(plain.broken());
  CHECK(plain.take_output().empty());

  const std::string info = R"(INFO {"headers":true,"tls_required":true})"
                           "\r\n";
  NatsClient client({});
  client.opened({"edge", "secret", "", "", ""}, at(0));
  client.received(info, at(1));
  CHECK(client.wants_tls());
  CHECK(client.take_output().empty());
  client.secured(at(2));
  CHECK(client.take_output().find("secret") != std::string::npos);

  NatsClient smuggled({});
  smuggled.opened({}, at(0));
  smuggled.received(info + "PONG\r\n", at(1));
  CHECK(smuggled.broken());
}

TEST_CASE("a NATS server that falls silent is left") {
  Standing s;
  s.client.tick(at(21'000));
  CHECK(s.client.take_output() == "PING\r\n");
  s.client.tick(at(30'000));
  CHECK_FALSE(s.client.broken());
  s.client.tick(at(32'000));
  CHECK(s.client.broken());

  NatsClient mute({});
  mute.opened({}, at(0));
  mute.tick(at(9'000));
  CHECK_FALSE(mute.broken());
  mute.tick(at(11'000));
  CHECK(mute.broken());
}

TEST_CASE("a NATS client signs the server's nonce with its NKey") {
  // Key and signature: nats-io/nkeys, README; Ed25519 is deterministic.
  NatsClient client({});
  client.opened({"", "", "", "", "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"},
                at(0));
  client.received(R"(INFO {"headers":true,"nonce":"PXoWU7zWAMt75FY"})"
                  "\r\n",
                  at(1));
  REQUIRE_FALSE(client.broken());
  const std::string login = client.take_output();
  CHECK(login.find(R"("nkey":"UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4")") !=
        std::string::npos);
  const size_t at_sig = login.find(R"("sig":")");
  REQUIRE(at_sig != std::string::npos);
  CHECK(login.find('"', at_sig + 7) - at_sig - 7 == 86);  // 64 bytes in base64 without padding

  NatsClient wrong({});
  wrong.opened({"", "", "", "", "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VX"},
               at(0));
  wrong.received(R"(INFO {"headers":true,"nonce":"a"})"
                 "\r\n",
                 at(1));
  REQUIRE(wrong.broken());
  CHECK(wrong.refused());
  CHECK(wrong.broken()->message.find("SUAC") == std::string::npos);
}

TEST_CASE("names become tokens of subjects and back") {
  CHECK(token_of("pi-3_a") == "pi-3_a");
  CHECK(token_of("pi.example.org") == "pi=2Eexample=2Eorg");
  for (const std::string name : {"pi.example.org", "a b*>", "\xc3\xa4=", "x"}) {
    CHECK(name_of_token(token_of(name)) == name);
  }
  CHECK(name_of_token("a.b").empty());
  CHECK(name_of_token("a=2").empty());
  CHECK(name_of_token("a=zz").empty());
}

TEST_CASE("addresses of brokers are read, others refused") {
  const auto url = parse_broker_url("tls://nats.example.org");
  REQUIRE(url.ok());
  CHECK(url->tls);
  CHECK(url->host == "nats.example.org");
  CHECK(url->port == "4222");
  const auto six = parse_broker_url("mqtt://[::1]:1884/");
  REQUIRE(six.ok());
  CHECK(six->host == "::1");
  CHECK(six->port == "1884");
  for (const char* wrong : {"nats://", "http://a", "nats://u:p@a", "nats://a:0", "nats://a:99999",
                            "nats://a/b", "a:4222", "nats://a:x"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_broker_url(wrong).ok());
  }
}
