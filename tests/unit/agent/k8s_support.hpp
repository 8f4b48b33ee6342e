// Pods and Events as the API writes them, for the tests of what is made of them.
#pragma once

#include <string>

#include "k8s/pod_reader.hpp"
#include "nines/base/time.hpp"

namespace nines::agent::k8s::test {

inline constexpr int64_t kStart = 1'795'241'834;  // 2026-11-21T06:17:14Z

inline std::string stamp(int64_t seconds) {
  return format_rfc3339(WallTime::from_s(kStart + seconds)).substr(0, 19) + "Z";
}

// Of Deployment `app` in namespace shop, with a container of that name.
struct Pod {
  std::string app = "orders", hash = "7f9c6d5b8", chance = "abcde";
  std::string image = "orders:1.2", node = "n1";
  int64_t made = 0;
  int restarts = 0;
  std::string state = R"("running":{})", last{};  // of the container
  std::string ready = "True", phase = "Running", reason{}, extra{};
  int64_t ready_since = 5;

  std::string name() const { return app + "-" + hash + "-" + chance; }
  std::string uid() const { return "u-" + name(); }
  std::string json(const std::string& version = "1") const {
    return R"({"kind":"Pod","metadata":{"name":")" + name() + R"(","namespace":"shop","uid":")" +
           uid() + R"(","resourceVersion":")" + version + R"(","creationTimestamp":")" +
           stamp(made) + R"(","labels":{"pod-template-hash":")" + hash +
           R"("},"ownerReferences":[{"kind":"ReplicaSet","name":")" + app + "-" + hash +
           R"(","uid":"rs-)" + hash + R"(","controller":true}])" + extra +
           R"(},"spec":{"nodeName":")" + node + R"(","containers":[{"name":")" + app +
           R"(","image":")" + image +
           R"(","env":[{"name":"image","value":"none"}]}]},"status":{"phase":")" + phase +
           R"(","reason":")" + reason + R"(","conditions":[{"type":"Ready","status":")" + ready +
           R"(","lastTransitionTime":")" + stamp(ready_since) +
           R"("},{"type":"ContainersReady","status":"False","lastTransitionTime":")" + stamp(0) +
           R"("}],"containerStatuses":[{"name":")" + app + R"(","restartCount":)" +
           std::to_string(restarts) + R"(,"ready":true,"state":{)" + state + R"(},"lastState":{)" +
           last + R"(}}]}})";
  }
  RawPod raw() const {
    const auto read = read_object(json());
    return read ? read->pod : RawPod{};
  }
};

inline std::string terminated(const std::string& reason, int code, int64_t at) {
  return R"("terminated":{"exitCode":)" + std::to_string(code) + R"(,"reason":")" + reason +
         R"(","startedAt":")" + stamp(at - 5) + R"(","finishedAt":")" + stamp(at) + R"("})";
}
inline std::string waiting(const std::string& reason) {
  return R"("waiting":{"reason":")" + reason + R"(","message":"back-off 5m0s restarting"})";
}

struct Event {
  std::string uid = "e1", reason = "BackOff", message = "Back-off restarting failed container";
  std::string type = "Warning", kind = "Pod", name, of_uid, host = "n1", extra{};
  int count = 1;
  int64_t first = 0, last = 0;

  std::string json(const std::string& version = "1") const {
    return R"({"kind":"Event","metadata":{"name":")" + name + "." + uid +
           R"(","namespace":"shop","uid":")" + uid + R"(","resourceVersion":")" + version +
           R"("},"involvedObject":{"kind":")" + kind + R"(","namespace":"shop","name":")" + name +
           R"(","uid":")" + of_uid + R"("},"reason":")" + reason + R"(","message":")" + message +
           R"(","source":{"component":"kubelet","host":")" + host + R"("},"firstTimestamp":")" +
           stamp(first) + R"(","lastTimestamp":")" + stamp(last) + R"(","count":)" +
           std::to_string(count) + R"(,"type":")" + type + R"(","eventTime":null)" + extra + "}";
  }
};

}  // namespace nines::agent::k8s::test
