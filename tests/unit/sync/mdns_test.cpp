#include "nines/peer/mdns.hpp"

#include <catch2/catch.hpp>
#include <memory>
#include <random>

#include "peer/dns_packet.hpp"

using namespace nines;
using namespace nines::peer;

namespace {

using Found = std::vector<std::string>;

// Some machines on one link, which loses nothing.
class Link {
 public:
  Mdns& add(const std::string& node, uint8_t address, const std::string& cluster = "home",
            uint16_t port = 9991) {
    nodes_.push_back(
        std::make_unique<Mdns>(MdnsSettings{node, cluster, port, nodes_.size() + 1}, now));
    nodes_.back()->set_addresses({{10, 0, 0, address}}, now);
    return *nodes_.back();
  }
  void run(int64_t seconds) {
    for (int64_t i = 0; i < seconds * 2; ++i) {
      now.ns += kNsPerSecond / 2;
      for (const auto& node : nodes_) node->tick(now);
      carry();
    }
  }
  void carry() {
    for (const auto& from : nodes_) {
      for (const std::string& datagram : from->take()) {
        ++datagrams;
        for (const auto& to : nodes_) to->received(datagram, now);
      }
    }
  }
  void remove(Mdns& node, bool in_good_order) {
    if (in_good_order) {
      node.leave();
      carry();
    }
    std::erase_if(nodes_, [&](const auto& one) { return one.get() == &node; });
  }

  Instant now{1000 * kNsPerSecond};
  size_t datagrams = 0;

 private:
  std::vector<std::unique_ptr<Mdns>> nodes_;
};

}  // namespace

TEST_CASE("Nodes of a link find each other within seconds and not themselves") {
  Link link;
  Mdns& a = link.add("pi-1", 1);
  Mdns& b = link.add("pi.2", 2);
  link.run(3);
  CHECK(a.found(link.now) == Found{"10.0.0.2:9991"});
  CHECK(b.found(link.now) == Found{"10.0.0.1:9991"});
  Mdns& c = link.add("pi-3", 3);
  link.run(2);
  CHECK(c.found(link.now) == Found{"10.0.0.1:9991", "10.0.0.2:9991"});
  CHECK(a.found(link.now) == Found{"10.0.0.2:9991", "10.0.0.3:9991"});
}

TEST_CASE("Nodes of another cluster and those that only look are not found") {
  Link link;
  Mdns& a = link.add("a", 1);
  link.add("b", 2, "work");
  Mdns& c = link.add("c", 3, "home", 0);
  link.run(5);
  CHECK(a.found(link.now).empty());
  CHECK(c.found(link.now) == Found{"10.0.0.1:9991"});
}

TEST_CASE("A node that says goodbye is gone at once, one that falls silent after two minutes") {
  Link link;
  Mdns& a = link.add("a", 1);
  Mdns& b = link.add("b", 2);
  Mdns& c = link.add("c", 3);
  link.run(5);
  link.remove(b, true);
  CHECK(a.found(link.now) == Found{"10.0.0.3:9991"});
  link.remove(c, false);
  link.run(100);
  CHECK(a.found(link.now).size() == 1);
  link.run(60);
  CHECK(a.found(link.now).empty());
}

TEST_CASE("Who stays is found for hours, with a few datagrams a minute") {
  Link link;
  Mdns& a = link.add("a", 1);
  Mdns& b = link.add("b", 2);
  link.run(200);
  link.datagrams = 0;
  for (int i = 0; i < 60; ++i) {
    link.run(60);
    REQUIRE(a.found(link.now) == Found{"10.0.0.2:9991"});
    REQUIRE(b.found(link.now) == Found{"10.0.0.1:9991"});
  }
  CHECK(link.datagrams <= 60 * 5);
}

TEST_CASE("Another address is told, and the old one is forgotten") {
  Link link;
  Mdns& a = link.add("a", 1);
  Mdns& b = link.add("b", 2);
  link.run(5);
  b.set_addresses({{10, 0, 0, 77}}, link.now);
  link.run(3);
  CHECK(a.found(link.now) == Found{"10.0.0.77:9991"});
}

TEST_CASE("A link full of nodes takes no more memory than is declared") {
  Link link;
  Mdns& a = link.add("a", 1);
  for (int i = 0; i < 1000; ++i) {
    Mdns other({"n" + std::to_string(i), "home", 9991, 5}, link.now);
    other.set_addresses({{10, 1, static_cast<uint8_t>(i / 250), static_cast<uint8_t>(i % 250)}},
                        link.now);
    other.tick(link.now);
    for (const std::string& datagram : other.take()) a.received(datagram, link.now);
  }
  CHECK(a.found(link.now).size() <= Mdns::kMaxFound);
  CHECK(a.counters().refused > 0);
}

TEST_CASE("DNS messages come back as they were written") {
  dns::Message message;
  message.response = true;
  message.questions.push_back({"_nines._tcp.local", dns::Type::ptr});
  dns::Record srv;
  srv.name = dns::as_label("rack 1.node\\2") + "._nines._tcp.local";
  srv.type = dns::Type::srv;
  srv.port = 9991;
  srv.target = "host.local";
  srv.unique = true;
  dns::Record txt;
  txt.name = srv.name;
  txt.type = dns::Type::txt;
  txt.texts = {"cluster=home", ""};
  message.records = {srv, txt};
  const auto back = dns::decode(dns::encode(message));
  REQUIRE(back.ok());
  CHECK(back->response);
  REQUIRE(back->questions.size() == 1);
  CHECK(back->questions[0].name == "_nines._tcp.local");
  REQUIRE(back->records.size() == 2);
  CHECK(back->records[0].name == srv.name);
  CHECK(back->records[0].port == 9991);
  CHECK(back->records[0].target == "host.local");
  CHECK(back->records[0].unique);
  CHECK(back->records[1].texts == txt.texts);
  CHECK(dns::same_name("_NINES._tcp.Local", "_nines._tcp.local"));
}

TEST_CASE("Compressed names are read, pointers in circles and beyond the end are refused") {
  // One PTR record as avahi sends it: "_nines._tcp.local" -> "x" + pointer to byte 12.
  std::string wire("\0\0\x84\0\0\0\0\1\0\0\0\0", 12);
  wire += std::string("\6_nines\4_tcp\5local\0", 19);
  wire += std::string("\0\14\0\1\0\0\0\x78\0\4\1x\xc0\x0c", 14);
  const auto good = dns::decode(wire);
  REQUIRE(good.ok());
  REQUIRE(good->records.size() == 1);
  CHECK(good->records[0].target == "x._nines._tcp.local");
  for (const char to : {'\x29', '\x2a', '\x2b', '\x7f'}) {
    std::string bad = wire;
    bad.back() = to;  // at itself, behind it
    CHECK_FALSE(dns::decode(bad).ok());
  }
  for (size_t n = 0; n < wire.size(); ++n) CHECK_FALSE(dns::decode(wire.substr(0, n)).ok());
}

TEST_CASE("Whatever is sent to a node, it neither falls nor grows") {
  Link link;
  Mdns& a = link.add("a", 1);
  Mdns other({"b", "home", 9991, 2}, link.now);
  other.set_addresses({{10, 0, 0, 2}}, link.now);
  other.tick(link.now);
  const std::string good = other.take().at(0);
  std::mt19937 chance(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = good;
    for (size_t n = chance() % 6; n-- > 0;)
      bytes[chance() % bytes.size()] = static_cast<char>(chance());
    bytes.resize(chance() % (bytes.size() + 1));
    a.received(bytes, link.now);
  }
  CHECK(a.found(link.now).size() <= Mdns::kMaxFound * 8);
  CHECK(a.counters().damaged > 1000);
}
