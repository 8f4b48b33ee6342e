// A Kubernetes API server for tests: plain HTTP on loopback, one answer a connection, each written
// by a script that sees the request. It can send in pieces, break off, stay silent, or send
// garbage. Scripts run on the server's thread; nothing waits for wall time but by generous guards.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace nines::test {

class FakeApiServer {
 public:
  // The open connection, for a script.
  class Connection {
   public:
    Connection(int fd, const std::atomic<bool>& stopping) : fd_(fd), stopping_(stopping) {}
    void raw(std::string_view bytes) const {
      (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    // A whole answer.
    void answer(int status, const std::string& body, const std::string& headers = "") const {
      raw("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: application/json\r\n" +
          headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    // A chunked answer: begin, any number of chunks, and an end unless it is to break off.
    void begin(int status = 200) const {
      raw("HTTP/1.1 " + std::to_string(status) + " OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    }
    void chunk(std::string_view bytes) const {
      char size[20];
      std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
      raw(size);
      raw(bytes);
      raw("\r\n");
    }
    void end() const { raw("0\r\n\r\n"); }
    // Until the client has gone or the server is stopped.
    void stay_silent() const {
      while (!stopping_) {
        pollfd fd{fd_, POLLIN, 0};
        if (::poll(&fd, 1, 20) <= 0) continue;
        char byte = 0;
        if (::recv(fd_, &byte, 1, 0) <= 0) return;
      }
    }

   private:
    int fd_;
    const std::atomic<bool>& stopping_;
  };
  struct Request {
    std::string target, head, body;  // head: all of it
    bool has(std::string_view text) const { return target.find(text) != std::string::npos; }
    bool is_watch() const { return has("watch=true"); }
  };
  using Script = std::function<void(const Request&, Connection&)>;

  explicit FakeApiServer(Script script) : script_(std::move(script)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
        ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
      throw std::runtime_error("fake API server cannot listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~FakeApiServer() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
  }
  FakeApiServer(const FakeApiServer&) = delete;
  FakeApiServer& operator=(const FakeApiServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<std::string> targets() const {
    const std::lock_guard lock(mutex_);
    return targets_;
  }

 private:
  void run() {
    while (!stopping_) {
      pollfd fd{listener_, POLLIN, 0};
      if (::poll(&fd, 1, 20) <= 0) continue;
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) continue;
      serve(client);
      ::close(client);
    }
  }

  static size_t body_size(const std::string& head) {
    const size_t at = head.find("Content-Length: ");
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
  }

  void serve(int client) {
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n") && ::recv(client, &byte, 1, 0) == 1) head += byte;
    const size_t from = head.find(' ') + 1;
    std::string body(body_size(head), '\0');
    for (size_t got = 0; got < body.size();) {
      const ssize_t n = ::recv(client, body.data() + got, body.size() - got, 0);
      if (n <= 0) break;
      got += static_cast<size_t>(n);
    }
    const Request request{head.substr(from, head.find(' ', from) - from), head, body};
    {
      const std::lock_guard lock(mutex_);
      targets_.push_back(request.target);
    }
    Connection connection(client, stopping_);
    script_(request, connection);
  }

  Script script_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> targets_;
  std::thread thread_;
};

// --- what it says
// -------------------------------------------------------------------------------------

struct FakePod {
  std::string name, uid;
  std::string ns = "shop", node = "n1";
  std::string labels = R"("app":"web")";
  std::string extra_metadata{};  // starts with ','
  std::string phase = "Running";
  int restarts = 0;

  std::string json(const std::string& resource_version) const {
    return R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":")" + name + R"(","namespace":")" +
           ns + R"(","uid":")" + uid + R"(","resourceVersion":")" + resource_version +
           R"(","creationTimestamp":"2026-11-21T06:00:00Z","labels":{)" + labels + "}" +
           extra_metadata +
           R"(,"managedFields":[{"manager":"kubelet","fieldsV1":{"f:status":{"k:{\"type\":\"}]\"}":{}}}}]},)" +
           R"("spec":{"nodeName":")" + node +
           R"(","containers":[{"name":"app","env":[{"name":"X","value":"\\\"}{"}]}]},)" +
           R"("status":{"phase":")" + phase +
           R"(","startTime":"2026-11-21T06:00:01Z","containerStatuses":[{"name":"app","restartCount":)" +
           std::to_string(restarts) + R"(,"state":{"running":{}}}]}})";
  }
};

inline std::string list_json(const std::string& items, const std::string& resource_version,
                             const std::string& continue_token = "") {
  return R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":")" +
         resource_version + R"(","continue":")" + continue_token + R"("},"items":[)" + items +
         "]}\n";
}
inline std::string event_json(const std::string& type, const std::string& object) {
  return R"({"type":")" + type + R"(","object":)" + object + "}\n";
}
inline std::string bookmark_json(const std::string& resource_version) {
  return event_json("BOOKMARK",
                    R"({"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":")" +
                        resource_version + R"(","creationTimestamp":null}})");
}
inline std::string gone_json() {
  return event_json("ERROR",
                    R"({"kind":"Status","status":"Failure","message":"too old resource version",)"
                    R"("reason":"Expired","code":410})");
}

}  // namespace nines::test
