// A receiver of remote write as the tests need it: takes the wire format apart by itself and
// behaves like the engines were measured to behave (Prometheus 2.42 with and without a window for
// samples out of order, VictoriaMetrics).
#pragma once

#include <snappy.h>

#include <cstring>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "nines/upstream/exchange.hpp"

namespace nines::upstream::test {

class Wire {
 public:
  explicit Wire(std::string_view bytes) : at_(bytes) {}
  bool end() const { return at_.empty(); }
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      if (at_.empty() || shift > 63) throw std::runtime_error("varint");
      const auto byte = static_cast<unsigned char>(at_[0]);
      at_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) return value;
    }
  }
  std::string_view bytes() {
    const uint64_t n = varint();
    return take(n);
  }
  double fixed64() {
    double value = 0;
    std::memcpy(&value, take(8).data(), 8);
    return value;
  }

 private:
  std::string_view take(uint64_t n) {
    if (n > at_.size()) throw std::runtime_error("too short");
    const std::string_view out = at_.substr(0, n);
    at_.remove_prefix(n);
    return out;
  }
  std::string_view at_;
};

using Got = std::map<std::string, std::map<int64_t, double>>;  // series -> time (ms) -> value

inline void read_series(std::string_view bytes, Got& out) {
  std::string name;
  std::map<int64_t, double> samples;
  std::string last;
  for (Wire wire(bytes); !wire.end();) {
    const uint64_t key = wire.varint();
    Wire part(wire.bytes());
    if (key == (1 << 3 | 2)) {
      std::string label, value;
      while (!part.end()) {
        std::string& into = part.varint() >> 3U == 1 ? label : value;
        into = part.bytes();
      }
      if (label <= last || value.empty()) throw std::runtime_error("labels: " + label);
      last = label;
      name += label + "=" + value + ";";
    } else if (key == (2 << 3 | 2)) {
      double value = 0;
      int64_t at = 0;
      while (!part.end()) {
        if (part.varint() >> 3U == 1)
          value = part.fixed64();
        else
          at = static_cast<int64_t>(part.varint());
      }
      if (!samples.emplace(at, value).second) throw std::runtime_error("a time twice");
    } else {
      throw std::runtime_error("key");
    }
  }
  if (!out.emplace(name, samples).second) throw std::runtime_error("a series twice: " + name);
}

inline Got decode(const std::string& body) {
  std::string plain;
  if (!snappy::Uncompress(body.data(), body.size(), &plain)) throw std::runtime_error("snappy");
  Got out;
  for (Wire wire(plain); !wire.end();) {
    if (wire.varint() != (1 << 3 | 2)) throw std::runtime_error("key");
    read_series(wire.bytes(), out);
  }
  return out;
}

class Receiver {
 public:
  enum class Engine { prometheus, prometheus_with_window, victoria };
  explicit Receiver(Engine engine) : engine_(engine) {}

  int64_t window_ms = int64_t{30} * 86400 * 1000;
  size_t max_body = 1 << 20;
  std::set<std::string> poisoned;  // series that are never taken

  Answer write(const std::string& body) {
    ++requests;
    if (body.size() > max_body) return {413, "too large", {}, {}};
    const Got batch = decode(body);
    if (engine_ != Engine::victoria) {
      for (const auto& [name, samples] : batch) {
        Answer refused = check(name, samples);
        if (refused.status != 204) return refused;  // the whole batch is rolled back
      }
    }
    for (const auto& [name, samples] : batch) {
      if (poisoned.contains(name)) continue;  // VictoriaMetrics drops it and takes the rest
      for (const auto& [at, value] : samples) {
        stored[name].emplace(at, value);
        newest_ = std::max(newest_, at);
      }
    }
    return {204, "", {}, {}};
  }

  // What was stored after `at` is lost, as in a power cut.
  void forget(const Got& keep) {
    stored = keep;
    newest_ = 0;
    for (const auto& [name, samples] : stored) {
      if (!samples.empty()) newest_ = std::max(newest_, samples.rbegin()->first);
    }
  }

  Got stored;
  uint64_t requests = 0;

 private:
  Answer check(const std::string& name, const std::map<int64_t, double>& samples) const {
    if (poisoned.contains(name)) return {400, "label limit exceeded", {}, {}};
    const auto have = stored.find(name);
    for (const auto& [at, value] : samples) {
      if (have != stored.end() && have->second.contains(at)) {
        if (have->second.at(at) == value && at == have->second.rbegin()->first) continue;
        if (engine_ == Engine::prometheus_with_window && have->second.at(at) == value) continue;
        if (have->second.at(at) != value) {
          return {400, "duplicate sample for timestamp", {}, {}};
        }
      }
      const int64_t head = have == stored.end() ? 0 : have->second.rbegin()->first;
      if (engine_ == Engine::prometheus_with_window) {
        if (at < newest_ - window_ms) return {500, "too old sample", {}, {}};
        continue;
      }
      if (at < newest_ - 3600'000) return {400, "out of bounds", {}, {}};
      if (at < head) return {400, "out of order sample", {}, {}};
    }
    return {204, "", {}, {}};
  }

  Engine engine_;
  int64_t newest_ = 0;
};

}  // namespace nines::upstream::test
