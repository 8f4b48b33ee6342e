// Nodes on real sockets, whose io runs in a thread of its own as in the agent, so that a test can
// block in streams.
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "nines/net/asio.hpp"
#include "nines/peer/driver.hpp"
#include "nines/peer/pki.hpp"
#include "nines/peer/query_dialer.hpp"

namespace nines::peer::test {

struct RealClock : Clock {
  Instant mono() const noexcept override {
    return {std::chrono::steady_clock::now().time_since_epoch().count()};
  }
  WallTime wall() const noexcept override {
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
  }
  Instant in_ms(int64_t ms) const { return {mono().ns + ms * kNsPerMs}; }
};

struct Folder {
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "nines-query-XXXXXX").string();
    NINES_ASSERT(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path;
};

// An authority and its certificates.
class Authority {
 public:
  explicit Authority(std::string directory) : directory_(std::move(directory)) {
    AuthorityRequest request;
    request.directory = directory_;
    request.cluster = "shop";
    NINES_ASSERT(make_authority(request, RealClock().wall()).ok());
  }
  TlsSettings issue(const std::string& node, Role role = Role::node) const {
    CertificateRequest request;
    request.authority_directory = directory_;
    request.node = node;
    request.role = role;
    const auto issued = issue_certificate(request, RealClock().wall());
    NINES_ASSERT(issued.ok());
    return {issued->authority, issued->certificate, issued->key};
  }

 private:
  std::string directory_;
};

class QueryNet;

struct QueryNode {
  QueryNode(QueryNet& around, const std::string& name, DriverSettings driving,
            std::vector<std::string> deny);
  ~QueryNode();
  std::string address() const { return "127.0.0.1:" + std::to_string(port); }
  template <class Condition>
  bool until(const Condition& holds);
  bool knows(const std::string& node);

  QueryNet& net;
  fleet::FleetState state;
  std::unique_ptr<PeerNode> node;
  std::unique_ptr<PeerDriver> driver;
  std::vector<Decision> decisions;   // of the io thread
  std::vector<std::string> notices;  // of the io thread
  uint16_t port = 0;
  // Connections that ask it, in order.
  std::mutex mutex;
  std::condition_variable came;
  std::vector<std::unique_ptr<stream::ByteStream>> asked;
  std::vector<Credentials> askers;

  std::unique_ptr<stream::ByteStream> next_asked() {
    std::unique_lock lock(mutex);
    if (!came.wait_for(lock, std::chrono::seconds(10), [this] { return !asked.empty(); })) {
      return nullptr;
    }
    auto first = std::move(asked.front());
    asked.erase(asked.begin());
    return first;
  }
};

class QueryNet {
 public:
  QueryNet() : thread_([this] { io.run(); }) {}
  ~QueryNet() {
    io.stop();
    thread_.join();
  }
  QueryNet(const QueryNet&) = delete;
  QueryNet& operator=(const QueryNet&) = delete;

  static DriverSettings settings(TlsSettings tls, std::vector<std::string> peers = {}) {
    DriverSettings driving;
    driving.listen = "127.0.0.1:0";
    driving.peers = std::move(peers);
    driving.tls = std::move(tls);
    driving.tick_ms = 20;
    return driving;
  }
  std::unique_ptr<QueryNode> node(const std::string& name, DriverSettings driving,
                                  std::vector<std::string> deny = {}) {
    return std::make_unique<QueryNode>(*this, name, std::move(driving), std::move(deny));
  }
  // On the io thread.
  template <class Run>
  auto on_io(Run run) {
    std::packaged_task<decltype(run())()> task(std::move(run));
    auto done = task.get_future();
    boost::asio::post(io, [&task] { task(); });
    return done.get();
  }
  // Ten seconds are only for machines that are busy otherwise.
  template <class Condition>
  bool until(const Condition& holds) {
    const Instant end = clock.in_ms(10'000);
    bool held = false;
    while (!(held = on_io(holds)) && clock.mono() < end) std::this_thread::yield();
    return held;
  }

  boost::asio::io_context io;
  RealClock clock;
  uint64_t count = 0;

 private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      boost::asio::make_work_guard(io)};
  std::thread thread_;
};

inline QueryNode::QueryNode(QueryNet& around, const std::string& name, DriverSettings driving,
                            std::vector<std::string> deny)
    : net(around), state(name, 1, {}, around.count + 1) {
  PeerSettings settings;
  settings.cluster = "shop";
  settings.incarnation = settings.seed = ++net.count;
  settings.dial_every_ms = 10;
  settings.backoff_min_ms = settings.backoff_max_ms = 50;
  settings.deny = std::move(deny);
  net.on_io([&] {
    NINES_ASSERT(
        state.set_series({{{}, "api", "g", "shop", "0.99", 86400}}, net.clock.wall()).ok());
    node = std::make_unique<PeerNode>(settings, state, Now{net.clock.mono(), net.clock.wall()});
    auto started = PeerDriver::start(
        net.io, net.clock, driving, *node, [this](const Decision& d) { decisions.push_back(d); },
        [this](const std::string& text) { notices.push_back(text); });
    NINES_ASSERT(started.ok());
    driver = std::move(*started);
    driver->serve_queries(
        [this](std::unique_ptr<stream::ByteStream> stream, const Credentials& asker) {
          const std::lock_guard lock(mutex);
          asked.push_back(std::move(stream));
          askers.push_back(asker);
          came.notify_all();
        });
    port = driver->port();
    return 0;
  });
}

inline QueryNode::~QueryNode() {
  {
    const std::lock_guard lock(mutex);
    asked.clear();
  }
  net.on_io([this] {
    driver.reset();
    return 0;
  });
}

template <class Condition>
bool QueryNode::until(const Condition& holds) {
  return net.until(holds);
}

inline bool QueryNode::knows(const std::string& other) {
  return net.until([&] { return node->way_to(other).callable; });
}

}  // namespace nines::peer::test
