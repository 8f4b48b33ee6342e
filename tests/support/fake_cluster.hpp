// The pods of a node and the events that made them so, as an API server would tell them: the truth
// that a follower must end with, whatever happened to its connections.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fake_api_server.hpp"

namespace nines::test {

class FakeCluster {
 public:
  void put(const FakePod& pod) {
    const bool known = pods_.contains(pod.uid);
    pods_[pod.uid] = pod;
    versions_[pod.uid] = ++version_;
    events_.push_back({version_, event_json(known ? "MODIFIED" : "ADDED", pod.json(now()))});
  }
  void remove(const std::string& uid) {
    const auto pod = pods_.find(uid);
    if (pod == pods_.end()) return;
    ++version_;
    events_.push_back({version_, event_json("DELETED", pod->second.json(now()))});
    pods_.erase(pod);
  }
  // Something happens elsewhere in the cluster.
  void pass() { ++version_; }
  // Forgets what came before now: watches from then get 410.
  void compact() { floor_ = version_; }

  std::string now() const { return std::to_string(version_); }
  const std::map<std::string, FakePod>& pods() const { return pods_; }

  // What a request is answered: the body of a 200.
  std::string answer(const std::string& target) const {
    return target.find("watch=true") != std::string::npos ? watch(target) : list(target);
  }
  bool expired(const std::string& target) const {
    const std::string from = parameter(target, "resourceVersion");
    const std::string page = parameter(target, "continue");
    const std::string version = page.empty() ? from : page.substr(0, page.find('-'));
    if (version.find_first_not_of("0123456789") != std::string::npos) return true;
    return !version.empty() && version != "0" && std::stoll(version) < floor_;
  }

  static std::string parameter(const std::string& target, const std::string& name) {
    const size_t at = target.find("&" + name + "=");
    if (at == std::string::npos) return {};
    const size_t from = at + name.size() + 2;
    return target.substr(from, target.find('&', from) - from);
  }

 private:
  struct Event {
    int64_t version;
    std::string json;
  };

  // A page is told from the state as it is: a real server would tell the first page's. To be honest
  // all the same, the token names the version of the first page, and the watch goes on from there.
  std::string list(const std::string& target) const {
    const std::string token = parameter(target, "continue");
    const std::string version = token.empty() ? now() : token.substr(0, token.find('-'));
    const std::string after = token.empty() ? "" : token.substr(token.find('-') + 1);
    size_t left = std::stoul(parameter(target, "limit"));
    std::string items, last;
    auto pod = pods_.upper_bound(after);
    for (; pod != pods_.end() && left > 0; ++pod, --left) {
      items +=
          (items.empty() ? "" : ",") + pod->second.json(std::to_string(versions_.at(pod->first)));
      last = pod->first;
    }
    return list_json(items, version, pod == pods_.end() ? "" : version + "-" + last);
  }
  std::string watch(const std::string& target) const {
    const int64_t from = std::stoll(parameter(target, "resourceVersion"));
    std::string out;
    for (const Event& event : events_) {
      if (event.version > from) out += event.json;
    }
    return out;
  }

  std::map<std::string, FakePod> pods_;
  std::map<std::string, int64_t> versions_;
  std::vector<Event> events_;
  int64_t version_ = 100, floor_ = 0;
};

}  // namespace nines::test
