#include "nines/peer/driver.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <list>

#include "fleet_dump.hpp"
#include "nines/net/asio.hpp"
#include "nines/peer/pki.hpp"
#include "raw_socket.hpp"

using namespace nines;
using namespace nines::peer;
namespace fs = std::filesystem;

namespace {

struct RealClock : Clock {
  Instant mono() const noexcept override {
    return {std::chrono::steady_clock::now().time_since_epoch().count()};
  }
  WallTime wall() const noexcept override {
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
  }
};

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "nines-peer-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const std::string& name) const { return path + "/" + name; }
  std::string path;
};

void authority(const std::string& directory) {
  AuthorityRequest request;
  request.directory = directory;
  request.cluster = "shop";
  REQUIRE(make_authority(request, RealClock().wall()).ok());
}

TlsSettings certificate(const std::string& directory, const std::string& node) {
  CertificateRequest request;
  request.authority_directory = directory;
  request.node = node;
  const auto issued = issue_certificate(request, RealClock().wall());
  REQUIRE(issued.ok());
  return {issued->authority, issued->certificate, issued->key};
}

struct Peer {
  Peer(boost::asio::io_context& io, const Clock& clock, const std::string& name,
       const TlsSettings& tls, std::vector<std::string> peers, uint64_t incarnation,
       DriverSettings driving)
      : state(name, 1, {}, incarnation),
        node(settings(incarnation), state, {clock.mono(), clock.wall()}) {
    fleet::test::set_series(state, {{{}, "api", "g", "shop", "0.99", 86400}}, clock.wall());
    driving.listen = "127.0.0.1:0";
    driving.peers = std::move(peers);
    driving.tls = tls;
    driving.tick_ms = 20;
    driving.reload_every_ms = 20;
    auto started = PeerDriver::start(
        io, clock, driving, node, [this](const Decision& d) { decisions.push_back(d); },
        [this](const std::string& text) { notices.push_back(text); });
    if (!started.ok()) FAIL(started.error().message);
    driver = std::move(*started);
  }
  static PeerSettings settings(uint64_t incarnation) {
    PeerSettings settings;
    settings.cluster = "shop";
    settings.incarnation = settings.seed = incarnation;
    settings.dial_every_ms = 10;
    settings.backoff_min_ms = settings.backoff_max_ms = 50;
    return settings;
  }
  std::string address() const { return "localhost:" + std::to_string(driver->port()); }

  fleet::FleetState state;
  PeerNode node;
  std::unique_ptr<PeerDriver> driver;
  std::vector<Decision> decisions;
  std::vector<std::string> notices;
};

struct Net {
  std::unique_ptr<Peer> peer(const std::string& name, const TlsSettings& tls,
                             std::vector<std::string> peers, DriverSettings driving = {}) {
    return std::make_unique<Peer>(io, clock, name, tls, std::move(peers), ++count,
                                  std::move(driving));
  }
  // Ten seconds are only for machines that are busy otherwise.
  template <class Condition>
  bool until(const Condition& holds) {
    const int64_t end = clock.mono().ns + 10 * kNsPerSecond;
    while (!holds() && clock.mono().ns < end) io.run_one_for(std::chrono::milliseconds(50));
    return holds();
  }
  boost::asio::io_context io;
  RealClock clock;
  uint64_t count = 0;
};

}  // namespace

TEST_CASE("Certificates of nines pki verify, hold the node's name and keep their keys secret",
          "[peer][pki]") {
  const Folder folder;
  authority(folder / "ca");
  const auto files = certificate(folder / "ca", "node-1.shop");
  const auto run = [](const std::string& command) { return std::system(command.c_str()); };
  for (const std::string purpose : {"sslserver", "sslclient"}) {
    CHECK(run("openssl verify -x509_strict -purpose " + purpose + " -CAfile " + files.authority +
              " " + files.certificate + " >/dev/null 2>&1") == 0);
  }
  CHECK(run("openssl x509 -in " + files.certificate +
            " -noout -checkhost node-1.shop | grep -q 'does match'") == 0);
  authority(folder / "other");
  CHECK(run("openssl verify -CAfile " + (folder / "other/ca.crt") + " " + files.certificate +
            " >/dev/null 2>&1") != 0);
  for (const auto& key : {files.key, folder / "ca/ca.key"}) {
    struct stat file {};
    REQUIRE(::stat(key.c_str(), &file) == 0);
    CHECK((file.st_mode & 0777) == 0600);
  }
}

TEST_CASE("An authority is not replaced by mistake, and names that mean something else are refused",
          "[peer][pki]") {
  const Folder folder;
  authority(folder / "ca");
  AuthorityRequest again;
  again.directory = folder / "ca";
  again.cluster = "shop";
  CHECK_FALSE(make_authority(again, RealClock().wall()).ok());
  CertificateRequest request;
  request.authority_directory = folder / "ca";
  for (const std::string name : {"", "a,DNS:b", "../x", "a b", "-a", "a\nb"}) {
    request.node = name;
    CHECK_FALSE(issue_certificate(request, RealClock().wall()).ok());
  }
}

TEST_CASE("Nodes on real sockets find each other over TLS and agree", "[peer][driver]") {
  const Folder folder;
  authority(folder / "ca");
  Net net;
  auto a = net.peer("a", certificate(folder / "ca", "a"), {});
  auto b = net.peer("b", certificate(folder / "ca", "b"), {a->address()});
  auto c = net.peer("c", certificate(folder / "ca", "c"), {a->address(), b->address()});
  REQUIRE(net.until([&] {
    return a->state.origins().size() == 3 && a->state.hash() == b->state.hash() &&
           b->state.hash() == c->state.hash();
  }));
  const auto id = a->state.series("a").front().first;
  const int64_t minute = net.clock.wall().seconds() / 60;
  a->state.publish(id, fleet::Tier::minute, minute, {100, 1, 60});
  a->driver->tell();
  REQUIRE(net.until([&] {
    return b->state.extent("a", id, fleet::Tier::minute).second == minute + 1 &&
           c->state.hash() == a->state.hash();
  }));
  const auto views = c->node.peers({net.clock.mono(), net.clock.wall()});
  REQUIRE(views.size() == 2);
  CHECK(net.until([&] {
    return c->node.peers({net.clock.mono(), net.clock.wall()})[0].offset_ns.has_value();
  }));
  b.reset();  // says goodbye
  CHECK(net.until([&] {
    return a->node.peers({net.clock.mono(), net.clock.wall()})[0].state == PeerView::State::left;
  }));
}

TEST_CASE("A certificate of another authority or of another node does not get in",
          "[peer][driver]") {
  const Folder folder;
  authority(folder / "ca");
  authority(folder / "other");
  Net net;
  auto a = net.peer("a", certificate(folder / "ca", "a"), {});
  auto stranger = net.peer("s", certificate(folder / "other", "s"), {a->address()});
  REQUIRE(net.until([&] { return a->driver->counters().handshakes_failed > 0; }));
  CHECK(a->state.origins().size() == 1);
  auto liar = net.peer("liar", certificate(folder / "ca", "honest"), {a->address()});
  REQUIRE(net.until([&] { return !a->decisions.empty(); }));
  CHECK(a->decisions[0].text.find("its certificate is of honest") != std::string::npos);
  CHECK(a->state.origins().size() == 1);
}

TEST_CASE("Slow handshakes of one address leave room for those of others", "[peer][driver]") {
  const Folder folder;
  authority(folder / "ca");
  Net net;
  DriverSettings few;
  few.max_handshakes = 4;
  few.max_handshakes_a_source = 2;
  auto a = net.peer("a", certificate(folder / "ca", "a"), {}, few);
  constexpr uint32_t kElsewhere = INADDR_LOOPBACK + 1;
  std::list<test::RawSocket> silent;  // each would be waited for, for ten seconds
  for (int i = 0; i < 2; ++i) silent.emplace_back(a->driver->port(), kElsewhere);
  REQUIRE(net.until([&] { return a->driver->counters().accepted == 2; }));
  test::RawSocket refused(a->driver->port(), kElsewhere);
  REQUIRE(net.until([&] { return a->driver->counters().sources_refused == 1; }));
  CHECK(refused.is_hung_up());
  auto b = net.peer("b", certificate(folder / "ca", "b"), {a->address()});
  CHECK(net.until([&] { return b->state.origins().size() == 2; }));
  CHECK(a->driver->counters().handshakes_failed == 0);
  silent.clear();
  REQUIRE(net.until([&] { return a->driver->counters().handshakes_failed == 2; }));
  test::RawSocket again(a->driver->port(), kElsewhere);
  CHECK(net.until([&] { return a->driver->counters().accepted == 4; }));
  CHECK(a->driver->counters().sources_refused == 1);
}

TEST_CASE("Certificates that are replaced are used without a restart; bad ones are not",
          "[peer][driver]") {
  const Folder folder;
  authority(folder / "ca");
  Net net;
  auto a = net.peer("a", certificate(folder / "ca", "a"), {});
  const auto files = certificate(folder / "ca", "a");  // renewed in place
  REQUIRE(net.until([&] { return a->driver->counters().reloads == 1; }));
  auto b = net.peer("b", certificate(folder / "ca", "b"), {a->address()});
  REQUIRE(net.until([&] { return a->state.origins().size() == 2; }));
  std::ofstream(files.certificate) << "not a certificate\n";
  REQUIRE(net.until([&] { return a->driver->counters().reloads_failed > 0; }));
  auto c = net.peer("c", certificate(folder / "ca", "c"), {a->address()});
  REQUIRE(net.until([&] { return a->state.origins().size() == 3; }));
}

TEST_CASE("Without TLS only loopback is spoken to", "[peer][driver]") {
  Net net;
  auto a = net.peer("a", {}, {});
  auto b = net.peer("b", {}, {a->address(), "192.0.2.1:9991"});
  REQUIRE(net.until([&] { return a->state.hash() == b->state.hash(); }));
  REQUIRE(net.until([&] { return !b->notices.empty(); }));
  CHECK(b->notices[0] == "not connecting to 192.0.2.1:9991 without TLS");
  fleet::FleetState state("x", 1);
  PeerNode node(Peer::settings(9), state, {net.clock.mono(), net.clock.wall()});
  DriverSettings open;
  open.listen = "0.0.0.0:0";
  const auto refused = PeerDriver::start(net.io, net.clock, open, node, nullptr, nullptr);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("without TLS") != std::string::npos);
}
