// Syslog senders over real sockets on this machine.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <random>

#include "../../../collector/src/file/fs.hpp"
#include "sanitizers.hpp"
#include "stream_support.hpp"

using namespace nines;
using namespace nines::collector;
using namespace nines::collector::test;

namespace {

template <class T>
const sockaddr* generic(const T& address) {
  return static_cast<const sockaddr*>(static_cast<const void*>(&address));
}

uint16_t port_of(const Input& input, size_t index = 0) {
  const std::string name = stats_of(input, index).name;
  return static_cast<uint16_t>(std::stoi(name.substr(name.rfind(':') + 1)));
}

UniqueFd connect_inet(int type, uint16_t port) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  UniqueFd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(fd.get(), generic(to), sizeof to) == 0);
  return fd;
}

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, path.data(), path.size());
  return to;
}

UniqueFd connect_unix(int type, const std::string& path) {
  const sockaddr_un to = unix_address(path);
  UniqueFd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(fd.get(), generic(to), sizeof to) == 0);
  return fd;
}

void send_all(const UniqueFd& fd, std::string_view text) {
  REQUIRE(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(text.size()));
}

struct Rig {
  SteadyClock clock;
  RecordKeeper kept;
  std::unique_ptr<Input> input;
  explicit Rig(SyslogOptions options) {
    auto made = make_syslog_input(std::move(options), kept, clock);
    if (!made.ok()) FAIL(made.error().message);
    input = std::move(*made);
  }
  explicit Rig(std::vector<std::string> listen)
      : Rig(SyslogOptions{.sources = {}, .listen = std::move(listen)}) {}
  bool reads(size_t count) {
    return read_until(*input, [&] { return kept.records.size() >= count; });
  }
};

std::string failure(const std::string& uri) {
  SteadyClock clock;
  RecordKeeper kept;
  const auto made = make_syslog_input({.sources = {}, .listen = {uri}}, kept, clock);
  return made.ok() ? "" : made.error().message;
}

}  // namespace

TEST_CASE("Each datagram is one record, whatever line ends it holds", "[syslog]") {
  Rig rig({"udp://127.0.0.1:0"});
  const UniqueFd sender = connect_inet(SOCK_DGRAM, port_of(*rig.input));
  send_all(sender, "<34>one\n  two");
  send_all(sender, "<34>three");
  REQUIRE(rig.reads(2));
  CHECK(rig.kept.records == std::vector<std::string>{"<34>one\n  two", "<34>three"});
  CHECK(rig.kept.paths[0] == "syslog+" + stats_of(*rig.input).name);
  CHECK_FALSE(stats_of(*rig.input).resumable);
  CHECK(rig.input->caught_up());
}

TEST_CASE("Of a burst of datagrams, those received and those lost are all that were sent",
          "[syslog]") {
  if (nines::test::is_emulated()) {
    WARN("an emulator does not pass on what the kernel says of lost datagrams");
    return;
  }
  SyslogOptions options{.sources = {}, .listen = {"udp://127.0.0.1:0"}};
  options.rcvbuf_bytes = GENERATE(size_t{4096}, size_t{1024 * 1024});
  Rig rig(std::move(options));
  const UniqueFd sender = connect_inet(SOCK_DGRAM, port_of(*rig.input));
  constexpr uint64_t kSent = 10'000;
  for (uint64_t i = 0; i < kSent; ++i) {
    send_all(sender, "<34>message " + std::to_string(i));
    if (i % 1000 == 999) (void)rig.input->read(1 << 16);
  }
  const auto told = [&] {
    const InputStats stats = stats_of(*rig.input);
    return stats.received + stats.lost;
  };
  REQUIRE(read_until(*rig.input, [&] { return told() >= kSent && rig.input->caught_up(); }));
  CHECK(told() == kSent);
  CHECK(rig.kept.records.size() == stats_of(*rig.input).received);
}

TEST_CASE("A datagram beyond the limit is cut and counted", "[syslog]") {
  SyslogOptions options{.sources = {}, .listen = {"udp://127.0.0.1:0"}};
  options.max_message_bytes = 20;
  Rig rig(std::move(options));
  const UniqueFd sender = connect_inet(SOCK_DGRAM, port_of(*rig.input));
  send_all(sender, "<34>" + std::string(100, 'x'));
  send_all(sender, "<34>short");
  REQUIRE(rig.reads(2));
  CHECK(rig.kept.records[0] == "<34>" + std::string(16, 'x'));
  CHECK(rig.kept.records[1] == "<34>short");
  CHECK(stats_of(*rig.input).refused == 1);
}

TEST_CASE("Datagrams that the consumer declines wait", "[syslog]") {
  Rig rig({"udp://127.0.0.1:0"});
  const UniqueFd sender = connect_inet(SOCK_DGRAM, port_of(*rig.input));
  rig.kept.quota = 1;
  for (int i = 0; i < 3; ++i) send_all(sender, "<34>" + std::to_string(i));
  REQUIRE(rig.reads(1));
  (void)rig.input->read(1 << 20);
  CHECK(rig.kept.records.size() == 1);
  CHECK_FALSE(rig.input->caught_up());
  rig.kept.quota = SIZE_MAX;
  REQUIRE(rig.reads(3));
  CHECK(rig.kept.records.back() == "<34>2");
}

TEST_CASE("Octet counting and line ends are told apart per message, however the bytes are split",
          "[syslog]") {
  SyslogOptions options{.sources = {}, .listen = {"tcp://127.0.0.1:0"}};
  options.max_message_bytes = 200;
  Rig rig(std::move(options));
  std::mt19937 random(7);
  std::string wire;
  std::vector<std::string> expected;
  for (int i = 0; i < 400; ++i) {
    std::string text = "<" + std::to_string(i % 190) + ">" + std::string(random() % 180, 'm');
    if (i % 3 == 0) {
      wire += text + "\n";
    } else {
      std::string counted = i % 3 == 1 ? text : text + "\nmore";
      wire += std::to_string(counted.size()) + ' ' + counted;
      if (i % 3 == 2) text += " more";
    }
    expected.push_back(text);
  }
  const std::vector<std::pair<std::string, std::string>> odd = {
      {"12345678901 <34>long header\n", "12345678901 <34>long header"},
      {"9999999999 <34>no such count\n", "9999999999 <34>no such count"},
      {"404 not found\n", "404 not found"},
      {"12\n", "12"},
      {"7 <3>end\n", "<3>end"},  // counted with its line end
  };
  for (const auto& [sent, told] : odd) {
    wire += sent;
    expected.push_back(told);
  }
  UniqueFd sender = connect_inet(SOCK_STREAM, port_of(*rig.input));
  for (size_t at = 0; at < wire.size();) {
    const size_t size = std::min<size_t>(1 + random() % 97, wire.size() - at);
    send_all(sender, std::string_view(wire).substr(at, size));
    at += size;
    (void)rig.input->read(1 + random() % 200);
  }
  REQUIRE(rig.reads(expected.size()));
  CHECK(rig.kept.records == expected);
  CHECK(rig.kept.paths.front() == "syslog+tcp://127.0.0.1");
  CHECK(stats_of(*rig.input).received == expected.size());
  CHECK(stats_of(*rig.input).refused == 2);
}

TEST_CASE("A message beyond the limit is cut and counted on a connection", "[syslog]") {
  SyslogOptions options{.sources = {}, .listen = {"tcp://127.0.0.1:0"}};
  options.max_message_bytes = 10;
  Rig rig(std::move(options));
  const UniqueFd sender = connect_inet(SOCK_STREAM, port_of(*rig.input));
  send_all(sender,
           "<34>" + std::string(50'000, 'a') + "\n30 <34>" + std::string(26, 'b') + "<34>c\n");
  REQUIRE(rig.reads(3));
  CHECK(rig.kept.records == std::vector<std::string>{"<34>aaaaaa", "<34>bbbbbb", "<34>c"});
  CHECK(stats_of(*rig.input).refused == 2);
}

TEST_CASE("What a sender wrote before it closed is a record without its line end", "[syslog]") {
  Rig rig({"tcp://127.0.0.1:0"});
  const std::string text = GENERATE("<34>cut off", "123", "12 ", "100 <34>half");
  UniqueFd sender = connect_inet(SOCK_STREAM, port_of(*rig.input));
  send_all(sender, text);
  sender.reset();
  REQUIRE(rig.reads(1));
  CHECK(rig.kept.records[0] == (text == "100 <34>half" ? "<34>half" : text));
  REQUIRE(read_until(*rig.input, [&] { return rig.kept.open["syslog+tcp://127.0.0.1"] == 0; }));
}

TEST_CASE("Connections beyond the limit are closed and counted, and room is made again",
          "[syslog]") {
  SyslogOptions options{.sources = {}, .listen = {"tcp://127.0.0.1:0"}};
  options.max_connections = 2;
  Rig rig(std::move(options));
  const uint16_t port = port_of(*rig.input);
  UniqueFd first = connect_inet(SOCK_STREAM, port);
  const UniqueFd second = connect_inet(SOCK_STREAM, port);
  const UniqueFd third = connect_inet(SOCK_STREAM, port);
  REQUIRE(read_until(*rig.input, [&] { return stats_of(*rig.input).refused == 1; }));
  char byte = 0;
  CHECK(::recv(third.get(), &byte, 1, 0) == 0);
  first.reset();
  const auto open = [&] { return rig.kept.open["syslog+tcp://127.0.0.1"]; };
  REQUIRE(read_until(*rig.input, [&] { return open() == 1; }));
  const UniqueFd fourth = connect_inet(SOCK_STREAM, port);
  send_all(fourth, "<34>in\n");
  send_all(second, "<34>too\n");
  REQUIRE(rig.reads(2));
}

TEST_CASE("A silent connection is closed after the idle time", "[syslog]") {
  Rig rig({"tcp://127.0.0.1:0"});
  const UniqueFd sender = connect_inet(SOCK_STREAM, port_of(*rig.input));
  send_all(sender, "<34>a\n");
  REQUIRE(rig.reads(1));
  rig.clock.ahead_ns += 599'000 * kNsPerMs;
  (void)rig.input->read(1000);
  CHECK(rig.kept.open["syslog+tcp://127.0.0.1"] == 1);
  rig.clock.ahead_ns += 2'000 * kNsPerMs;
  CHECK(rig.input->due() <= rig.clock.mono());
  (void)rig.input->read(1000);
  CHECK(rig.kept.open["syslog+tcp://127.0.0.1"] == 0);
}

TEST_CASE("A sender waits while the consumer declines, and nothing is lost", "[syslog]") {
  SyslogOptions options{.sources = {}, .listen = {"tcp://127.0.0.1:0"}};
  options.max_message_bytes = 1000;
  Rig rig(std::move(options));
  const UniqueFd sender = connect_inet(SOCK_STREAM, port_of(*rig.input));
  rig.kept.quota = 10;
  std::string wire;
  for (int i = 0; i < 20'000; ++i) wire += "<34>" + std::to_string(i) + "\n";
  size_t sent = 0;
  const auto push = [&] {
    const ssize_t n =
        ::send(sender.get(), wire.data() + sent, wire.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) sent += static_cast<size_t>(n);
  };
  push();
  REQUIRE(rig.reads(10));
  (void)rig.input->read(1 << 20);
  CHECK(rig.kept.records.size() == 10);
  CHECK(stats_of(*rig.input).lag_bytes <= 1000 + 16 * 1024);
  rig.kept.quota = SIZE_MAX;
  REQUIRE(read_until(*rig.input, [&] {
    push();
    return rig.kept.records.size() == 20'000;
  }));
  CHECK(rig.kept.records.back() == "<34>19999");
}

TEST_CASE("Unix sockets take datagrams and connections, 0660, and vanish at the end", "[syslog]") {
  const TempDir dir;
  const std::string datagram = dir.file("log"), stream = dir.file("stream");
  {
    Rig rig({"unix://" + datagram, "unix-stream://" + stream});
    struct stat st;
    REQUIRE(::stat(datagram.c_str(), &st) == 0);
    CHECK((st.st_mode & 0777) == 0660);
    send_all(connect_unix(SOCK_DGRAM, datagram), "<34>datagram");
    REQUIRE(rig.reads(1));
    send_all(connect_unix(SOCK_STREAM, stream), "10 <34>stream<34>line\n");
    REQUIRE(rig.reads(3));
    CHECK(rig.kept.records == std::vector<std::string>{"<34>datagram", "<34>stream", "<34>line"});
    CHECK(rig.kept.paths.back() == "syslog+unix-stream://" + stream);
    CHECK(failure("unix://" + datagram).find("Address already in use") != std::string::npos);
    CHECK(failure("unix-stream://" + datagram).find("another program") != std::string::npos);
  }
  CHECK_FALSE(std::filesystem::exists(datagram));
  CHECK_FALSE(std::filesystem::exists(stream));
}

TEST_CASE("A socket file without a listener is replaced, any other file is not", "[syslog]") {
  const TempDir dir;
  const int type = GENERATE(SOCK_DGRAM, SOCK_STREAM);
  const std::string path = dir.file("log");
  {
    const UniqueFd dead(::socket(AF_UNIX, type, 0));
    const sockaddr_un at = unix_address(path);
    REQUIRE(::bind(dead.get(), generic(at), sizeof at) == 0);
  }
  {
    Rig rig({"unix://" + path});
    send_all(connect_unix(SOCK_DGRAM, path), "<34>a");
    CHECK(rig.reads(1));
  }
  const UniqueFd file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  CHECK(failure("unix://" + path).find("already in use") != std::string::npos);
  CHECK(std::filesystem::is_regular_file(path));
}

TEST_CASE("Any address means IPv4 too, and its peers are shown as IPv4", "[syslog]") {
  const std::string uri = GENERATE("tcp://:0", "tcp://*:0", "tcp://0.0.0.0:0", "tcp://localhost:0");
  Rig rig({uri});
  const UniqueFd sender = connect_inet(SOCK_STREAM, port_of(*rig.input));
  send_all(sender, "<34>a\n");
  REQUIRE(rig.reads(1));
  CHECK(rig.kept.paths[0] == "syslog+tcp://127.0.0.1");
}

TEST_CASE("Why nobody can listen is said with the URI and the way out", "[syslog]") {
  for (const char* uri : {"514", "udp://514", "udp://host.example:514", "udp://:70000", "ftp://:1",
                          "unix://relative", "tcp://[::1:5"}) {
    CHECK(failure(uri).find(uri) != std::string::npos);
    CHECK(failure(uri).find("udp://HOST:PORT") != std::string::npos);
  }
  CHECK(failure("unix:///no/such/directory/log").find("does not exist") != std::string::npos);
  CHECK(failure("udp://192.0.2.77:0").find("no interface") != std::string::npos);
  const Rig rig({"tcp://127.0.0.1:0"});
  CHECK(failure(stats_of(*rig.input).name).find("another program") != std::string::npos);
}

TEST_CASE("Out of descriptors, connections wait and the reason is told", "[syslog]") {
  if (nines::test::kSanitized) {
    WARN("not under a sanitizer, which needs descriptors itself");
    return;
  }
  Rig rig({"tcp://127.0.0.1:0"});
  const UniqueFd sender = connect_inet(SOCK_STREAM, port_of(*rig.input));
  send_all(sender, "<34>a\n");
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const UniqueFd probe(::dup(sender.get()));
  const rlimit none{static_cast<rlim_t>(probe.get()), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  // Below the limit there may be gaps: fill them.
  std::vector<UniqueFd> fill;
  while (true) {
    UniqueFd fd(::dup(sender.get()));
    if (!fd.valid()) break;
    fill.push_back(std::move(fd));
  }
  rig.input->rescan();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK_FALSE(stats_of(*rig.input).healthy);
  CHECK(stats_of(*rig.input).trouble.find("ulimit") != std::string::npos);
  rig.clock.ahead_ns += 2'000 * kNsPerMs;
  REQUIRE(rig.reads(1));
  CHECK(stats_of(*rig.input).healthy);
  CHECK(stats_of(*rig.input).trouble.empty());
}
