// MqttTeller: what an MQTT broker is told, without I/O. Below nines/<cluster>/<node>/:
//
//   online      "true"; the will is "false". Retained.
//   slo/<name>  the status of an SLO as JSON, retained; told when it changed
//   alert       alert events as JSON with an id, QoS 1, not retained
//
// Everything retained is told anew at each connection: brokers forget (mosquitto loses by default
// what it acknowledged when it is killed). Alert events are told until they are acknowledged, one
// after the other from a cursor, which goes back 5 minutes at each connection: receivers tell
// repetitions by the id, "node/boot/alert/sequence".
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nines/broker/mqtt_client.hpp"
#include "nines/fleet/fleet_state.hpp"

namespace nines::broker {

// A name as one level of a topic.
std::string topic_level(std::string_view name);

class MqttTeller final : public MqttUser {
 public:
  static constexpr int64_t kRewindS = 300;
  static constexpr size_t kMaxRetained = 1024;

  // `state` outlives it: its own alert events are told. `cursor`: as of cursor() in an earlier
  // life; empty: events from now on.
  MqttTeller(const std::string& cluster, std::string version, const fleet::FleetState& state,
             std::string_view cursor);
  void set_client(MqttClient& client) { client_ = &client; }

  std::string topic(std::string_view below) const;
  // All of them: an SLO that is not named any more is no longer retained.
  void show(const std::map<std::string, std::string>& status_by_slo);
  void look() { looked_ = true; }  // the state may have new events
  // How far it was told; belongs to the store.
  std::string cursor() const;

  void connected(Now now) override;
  void acknowledged(uint16_t id, Now now) override;
  void tick(Now now) override;
  void lost(Now now) override;
  void leaving(Now now) override;

  struct Stats {
    uint64_t retained = 0, events = 0;  // acknowledged
    uint64_t rewound = 0;               // events told once more after a connection
    uint64_t left_out = 0;              // SLOs beyond kMaxRetained
    size_t waiting = 0;
  };
  const Stats& stats() const { return stats_; }

 private:
  using EventId = std::pair<uint64_t, uint64_t>;  // boot, sequence
  struct Retained {
    std::string payload;
    bool told = false, underway = false;
  };
  struct Underway {
    std::string topic;  // of what is retained; empty: an event
    std::string payload;
  };
  void collect_events();
  void fill();

  std::string base_, version_;
  const fleet::FleetState& state_;
  MqttClient* client_ = nullptr;
  std::map<std::string, Retained> retained_;  // by topic
  std::map<uint16_t, Underway> underway_;
  std::deque<fleet::FleetEvent> events_;  // to be told, the next one first
  EventId cursor_{};
  uint16_t event_underway_ = 0;
  bool looked_ = true;
  Stats stats_;
};

}  // namespace nines::broker
