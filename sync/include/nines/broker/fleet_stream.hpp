// The fleet's state in a stream of NATS JetStream, without I/O: FleetTeller puts this node's parts
// into it, FleetReader makes the fleet's view of it. The stream holds one message for each subject,
// the newest, so that reading it from the beginning gives the whole state.
//
//   NINES-STATE-<cluster>   nines.<cluster>.state.<node>.<unit>, a frame as peers send it
//   NINES-EVENTS-<cluster>  nines.<cluster>.event.<node>, alert events as JSON
//
// Units: `who` (the node and its SLOs), `m.<0..5>` and `h.<0..95>` (minutes by the hour and hours
// by the day, of all SLOs, each in its place of a ring), `e.<stream>.<0..47>` (events). So a node
// has at most 200 subjects however long it lives. Every message carries the node's info and stands
// alone; `who` is told last, and a changed list of SLOs makes everything be told again.
//
// What is told, and when
//   Nothing is queued. A unit is told when its content differs from what the stream holds, and that
//   is read back at every connection: what the broker lost although it had acknowledged it, a
//   stream that vanished and events that are missing are seen there. Each message says which
//   message of its subject it follows (Nats-Expected-Last-Subject-Sequence), so that one that was
//   delayed can never take the place of a newer one; Nats-Msg-Id is
//   node/boot/unit/content/previous. Alert events follow one another: the last one in the stream is
//   how far it was told, so each is there once, also when an acknowledgement or the agent itself
//   was lost.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nines/base/backoff.hpp"
#include "nines/broker/bus.hpp"
#include "nines/fleet/fleet_state.hpp"

namespace nines::broker {

struct FleetSubjects {
  explicit FleetSubjects(const std::string& cluster, const std::string& domain = {});
  std::string api;  // "$JS.API.", of a leaf node's domain "$JS.<domain>.API."
  std::string state_stream, event_stream;  // names
  std::string state, event;                // "nines.<cluster>.state.", "nines.<cluster>.event."
};

class OrderedConsumer;

struct TellerOptions {
  std::string cluster = "nines";
  std::string version;  // of the program, for events
  std::string domain;   // of JetStream; empty: the server's own
  int replicas = 1;     // of streams that it makes
  size_t window = 64;   // messages without an acknowledgement
  size_t window_bytes = 1024 * 1024;
  int64_t answer_ms = 5'000;
  int64_t look_every_ms = 10'000;      // at the state, if nobody said that it changed
  int64_t events_kept_s = 31 * 86400;  // by a stream that it makes
  int64_t state_kept_s = 100 * 86400;  // longer than any hours: of nodes that are no more
  uint64_t seed = 0;
};

class FleetTeller final : public Participant {
 public:
  // `state` outlives it. Its own parts are read back from the stream, too.
  FleetTeller(TellerOptions options, fleet::FleetState& state);
  ~FleetTeller() override;

  // The state may have changed: looked at with the next tick.
  void look() { looked_ = true; }
  // The stream has everything that the state had at the last look.
  bool settled() const;

  void connected(Bus& bus, Now now) override;
  void received(uint64_t sid, const BusMessage& message, Bus& bus, Now now) override;
  void tick(Bus& bus, Now now) override;
  void lost(Now now) override;

  struct Stats {
    uint64_t units = 0, events = 0;  // acknowledged
    uint64_t bytes = 0;              // of their bodies
    uint64_t duplicates = 0;         // the stream had it already
    uint64_t conflicts = 0;          // another message was there: read back again
    uint64_t resyncs = 0;            // times that it was read back
    uint64_t missing = 0;            // units acknowledged before that the stream had lost
    uint64_t streams_made = 0;
    uint64_t oversized = 0;  // units beyond the broker's limit
    size_t waiting = 0;      // units and events to be told, or underway
    std::string trouble;     // empty: all is well
  };
  const Stats& stats() const { return stats_; }

 private:
  enum class Phase : uint8_t { away, streams, reading, cursor, telling, pausing };
  enum class Kind : uint8_t {
    state_info,
    state_made,
    event_info,
    event_made,
    last_event,
    unit,
    event
  };
  struct Unit {
    uint64_t content = 0;
    std::vector<fleet::PartKey> keys;
  };
  struct Told {
    uint64_t content = 0, sequence = 0, lists = 0;
  };
  struct Request {
    Kind kind = Kind::unit;
    std::string unit;
    uint64_t content = 0, lists = 0;  // of an event its boot and sequence
    size_t bytes = 0;
    Instant deadline{};
  };
  using EventId = std::pair<uint64_t, uint64_t>;  // boot, sequence

  void begin(Bus& bus, Now now);
  void pause(Bus& bus, Now now, std::string why);
  void ask(Kind kind, const std::string& subject, std::string_view body, Bus& bus, Now now);
  void answered(const Request& request, const BusMessage& message, Bus& bus, Now now);
  void on_stream(const Request& request, const class JsonFields& json, Bus& bus, Now now);
  void make_stream(bool events, Bus& bus, Now now);
  void start_reading(Bus& bus, Now now);
  void read_back(std::string_view subject, std::string_view body, uint64_t sequence, Now now);
  void all_read(Bus& bus, Now now);
  void on_last_event(const JsonFields& json, Bus& bus, Now now);
  void acknowledged(const Request& request, const JsonFields& json, Bus& bus, Now now);
  void compare();
  void fill(Bus& bus, Now now);
  bool tell(const std::string& name, Bus& bus, Now now);
  void tell_event(Bus& bus, Now now);
  void count_waiting();

  TellerOptions options_;
  FleetSubjects subjects_;
  std::string node_;  // as a token
  fleet::FleetState& state_;
  Backoff backoff_;
  Phase phase_ = Phase::away;
  std::string inbox_;
  uint64_t sid_ = 0, next_request_ = 0;
  std::map<uint64_t, Request> requests_;
  std::unique_ptr<OrderedConsumer> consumer_;
  Instant resume_{}, looked_at_{};
  bool looked_ = true;

  std::map<std::string, Unit> units_;       // as they should be
  std::map<std::string, Told> told_;        // as the stream has them
  std::map<std::string, uint64_t> before_;  // acknowledged in earlier connections: content
  std::set<std::string> dirty_;
  std::set<std::string> underway_;
  size_t underway_bytes_ = 0;
  uint64_t lists_ = 1;  // which list of SLOs it is
  uint64_t list_hash_ = 0, read_list_ = 0;
  std::vector<fleet::FleetEvent> events_;  // to be told, oldest first
  EventId event_cursor_{};
  uint64_t event_sequence_ = 0;
  bool event_underway_ = false;
  Stats stats_;
};

struct ReaderOptions {
  std::string cluster = "nines";
  std::string domain;
  int64_t ceiling_s = 2 * 3600;  // cells further in the future are refused
  bool nodes_only = false;       // `who` of every node and nothing that it counted
};

class FleetReader final : public Participant {
 public:
  // `state` outlives it; its limits bound the memory.
  FleetReader(ReaderOptions options, fleet::FleetState& state);
  ~FleetReader() override;

  // Everything that was in the stream when it was asked has been read, once at least.
  bool caught_up() const { return caught_up_; }
  // When the stream took the last message of that node, by the broker's clock.
  std::optional<WallTime> heard(const std::string& origin) const;

  void connected(Bus& bus, Now now) override;
  void received(uint64_t sid, const BusMessage& message, Bus& bus, Now now) override;
  void tick(Bus& bus, Now now) override;
  void lost(Now now) override;
  void denied(const Denied& what, Bus& bus, Now now) override;

  struct Stats {
    uint64_t messages = 0, bytes = 0;
    uint64_t refused = 0;   // no frame, or of another node than its subject says
    uint64_t restarts = 0;  // gaps, silence: read again from 5 minutes before
    std::string trouble;
  };
  const Stats& stats() const;

 private:
  void take(std::string_view subject, std::string_view body, WallTime stored, Now now);

  ReaderOptions options_;
  FleetSubjects subjects_;
  fleet::FleetState& state_;
  std::unique_ptr<OrderedConsumer> consumer_;
  std::map<std::string, WallTime, std::less<>> heard_;
  bool caught_up_ = false;
  mutable Stats stats_;
};

}  // namespace nines::broker
