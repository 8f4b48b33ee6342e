// What systemd hears from the agent, over a real datagram socket.
#include "app/service_manager.hpp"

#include <stdlib.h>  // mkdtemp
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

namespace nines::agent {
namespace {

// What a service manager binds. The kernel delivers datagrams of this machine before sendto()
// returns, so that nothing need be waited for.
class Manager {
 public:
  explicit Manager(bool abstract = false) {
    std::string directory = "/tmp/nines-notify.XXXXXX";
    REQUIRE(::mkdtemp(directory.data()) != nullptr);
    directory_ = directory;
    name_ = (abstract ? "@" : "") + directory + "/notify";
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, name_.data(), name_.size());
    if (abstract) at.sun_path[0] = '\0';
    const size_t length = offsetof(sockaddr_un, sun_path) + name_.size() + (abstract ? 0 : 1);
    const void* const to = &at;
    REQUIRE(::bind(socket_, static_cast<const sockaddr*>(to), static_cast<socklen_t>(length)) == 0);
  }
  ~Manager() {
    ::close(socket_);
    if (name_[0] == '/') ::unlink(name_.c_str());
    ::rmdir(directory_.c_str());
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  const std::string& name() const { return name_; }
  std::vector<std::string> heard() const {
    std::vector<std::string> out;
    char buffer[1024];
    ssize_t n = 0;
    while ((n = ::recv(socket_, buffer, sizeof buffer, 0)) >= 0) {
      out.emplace_back(buffer, static_cast<size_t>(n));
    }
    return out;
  }

 private:
  std::string directory_, name_;
  int socket_ = -1;
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("ServiceManager tells a life from ready to stopping, each as one datagram") {
  const bool abstract = GENERATE(false, true);
  const Manager manager(abstract);
  ServiceManager service({manager.name(), 2'000'000});
  service.ready();
  service.alive();
  service.reloading(Instant{5'000'001'000});
  service.ready();
  service.stopping();
  CHECK(manager.heard() == Lines{"READY=1", "WATCHDOG=1", "RELOADING=1\nMONOTONIC_USEC=5000001",
                                 "READY=1", "STOPPING=1"});
  CHECK(service.dropped() == 0);
}

TEST_CASE("ServiceManager says a status once, on one line, and cuts it between characters") {
  const Manager manager;
  ServiceManager service({manager.name(), 0});
  service.status("3 SLO(s)");
  service.status("3 SLO(s)");
  service.status("a\nREADY=1");  // what a hostile name would say in our name
  CHECK(manager.heard() == Lines{"STATUS=3 SLO(s)", "STATUS=a READY=1"});
  service.status(std::string(ServiceManager::kMaxStatus - 1, 'x') + "\xC3\xBC");
  CHECK(manager.heard() == Lines{"STATUS=" + std::string(ServiceManager::kMaxStatus - 1, 'x')});
}

TEST_CASE("ServiceManager is alive twice in the watchdog's time, and silent without one") {
  const Manager manager;
  CHECK(ServiceManager({manager.name(), 60'000'000}).alive_every() ==
        std::chrono::microseconds(30'000'000));
  ServiceManager unwatched({manager.name(), 0});
  CHECK_FALSE(unwatched.alive_every());
  unwatched.alive();
  CHECK(manager.heard().empty());
}

TEST_CASE("ServiceManager does nothing where nobody listens, and counts what is not delivered") {
  ServiceManager nobody;
  nobody.ready();
  CHECK(nobody.dropped() == 0);
  CHECK_FALSE(nobody.alive_every());
  const std::string socket = GENERATE(std::string("/nonexistent/notify"), std::string("relative"),
                                      "/" + std::string(200, 'x'), std::string("@"));
  ServiceManager gone({socket, 1000});
  gone.ready();
  CHECK(gone.dropped() == 1);
}

TEST_CASE("ServiceManager never waits for a manager that does not read") {
  const Manager manager;
  ServiceManager service({manager.name(), 1000});
  for (int i = 0; i < 10000; ++i) service.alive();
  CHECK(service.dropped() > 0);
  CHECK(manager.heard().size() + service.dropped() == 10000);
}

TEST_CASE("ServiceManager takes its address out of the environment of what the agent starts") {
  ::setenv("NOTIFY_SOCKET", "/run/x", 1);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  const ServiceManager::Address ours = ServiceManager::take_address();
  CHECK(ours.socket == "/run/x");
  CHECK(ours.watchdog_usec == 30'000'000);
  CHECK(::getenv("NOTIFY_SOCKET") == nullptr);
  CHECK(::getenv("WATCHDOG_USEC") == nullptr);
  CHECK(::getenv("WATCHDOG_PID") == nullptr);

  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);  // that of another process
  CHECK(ServiceManager::take_address().watchdog_usec == 0);
  ::setenv("WATCHDOG_USEC", "soon", 1);
  CHECK(ServiceManager::take_address().watchdog_usec == 0);
}

}  // namespace nines::agent
