// RequestTrail: which lines of which services the requests of the last hours passed, 24 bytes a
// line, without the lines. Kept on every node while all is well, and evaluated (ask_trails) only
// when something is not: then the trails of all nodes, which a request may have crossed, are laid
// together and RequestFlow reads them in the order of time, the healthy past first.
//
// Bounded by thinning: where max_lines do not reach back over `wanted_ns`, only every second
// request is kept, and so on. Which ones is decided by a hash of the request, so that all nodes
// keep the same requests, and one that thins more keeps a part of what the others keep.
//
// Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/incident/request_flow.hpp"
#include "nines/incident/template_miner.hpp"

namespace nines::incident {

struct TrailLimits {
  size_t max_lines = 131'072;  // 3 MiB
  size_t max_services = 512;   // at most 2,047
  size_t max_templates = 8'192;
  int64_t wanted_ns = 2 * 3600 * kNsPerSecond;
};

struct TrailLine {
  WallTime at;
  std::string_view request;  // empty: belongs to none, left out
  std::string_view span;     // the part of the request that this call is; empty: not known
  std::string_view service;
  TemplateId line = 0;
  bool error = false;
};

class RequestTrail {
 public:
  static constexpr size_t kLineBytes = 24;

  explicit RequestTrail(TrailLimits limits = {});

  void add(const TrailLine& line);
  // A template became part of another one.
  void merge(TemplateId from, TemplateId to);

  // Of the requests, one in 2^thinning() is kept.
  unsigned thinning() const noexcept { return thinning_; }
  size_t lines() const noexcept { return entries_.size(); }
  size_t memory_bytes() const noexcept;
  uint64_t left_out() const noexcept { return left_out_; }  // for want of places for services

  // Who called whom in [from, to), the most frequent first: within a request, the lines of the
  // callee lie between lines of the caller. Calls through a third service count for the nearest
  // caller only. Who logs no more of a request than that it was answered (is_answer) called whoever
  // was heard last before.
  struct Call {
    std::string caller, callee;
    uint64_t requests = 0;
  };
  std::vector<Call> calls(WallTime from, WallTime to) const;

  // When a request was at work here: its first and its last line.
  struct Seen {
    uint64_t request = 0;  // a hash, the same on all nodes
    WallTime first{}, last{};
    friend bool operator==(const Seen&, const Seen&) = default;
  };
  // Of the requests that began in [from, to), at most `most`, by request: those with the lowest
  // hashes, which all nodes keep, however they thin.
  std::vector<Seen> seen(WallTime from, WallTime to, size_t most) const;
  // The templates logged in [from, to), those with errors first, then the most frequent.
  struct Logged {
    TemplateId line = 0;
    uint64_t lines = 0, errors = 0;
  };
  std::vector<Logged> logged(WallTime from, WallTime to) const;
  // How many lines each service logged there, by name.
  std::vector<std::pair<std::string, uint64_t>> speakers(WallTime from, WallTime to) const;
  // The requests of which a line came in [from, to): how many there were, how many of them have an
  // error line, and which services those passed, the most frequent first.
  struct Passage {
    std::string service;
    uint64_t requests = 0;      // with an error line somewhere, that passed it
    WallTime first_error{};     // of its own in [from, to); 0: none
    bool quiet_before = false;  // no error line of its own in the two minutes before `from`
  };
  struct Passed {
    // Of those that are kept: of all about 2^thinning() times as many.
    uint64_t requests = 0, failed = 0;
    std::vector<Passage> services;
    WallTime reaches_back{};  // the oldest line that is kept
  };
  Passed passed(WallTime from, WallTime to) const;

  // Lines in [from, to), for another node. At most about 12 bytes a line.
  std::string save(WallTime from, WallTime to) const;
  // Adds the lines of a saved trail, thinned to the stronger thinning of both. Its clock was
  // `ahead_ns` ahead of this one's: so much earlier they are taken to be. Corrupt: nothing was
  // taken.
  Status take(std::string_view saved, int64_t ahead_ns = 0);

 private:
  friend struct TrailReader;
  struct Entry {
    int64_t at = 0;
    uint64_t request = 0;
    uint32_t line = 0;  // service, error, index into templates_
    uint32_t span = 0;
  };
  static_assert(sizeof(Entry) == kLineBytes);
  static constexpr unsigned kTemplateBits = 20;
  static constexpr uint32_t kErrorBit = 1U << kTemplateBits;
  static constexpr unsigned kServiceShift = kTemplateBits + 1;

  bool keeps(uint64_t request) const noexcept {
    return thinning_ == 0 || (request >> (64 - thinning_)) == 0;
  }
  void push(const Entry& entry);
  void push_full(const Entry& entry);
  void make_room();
  void thin(unsigned thinning);
  void sweep_templates();
  // False: there is no place for it.
  bool service_index(std::string_view name, uint32_t& out);
  bool find_service(std::string_view name);  // makes it the last one
  bool template_index(TemplateId id, uint32_t& out);
  bool find_template(TemplateId id, uint32_t& out);

  TrailLimits limits_;
  std::vector<Entry> entries_;  // a ring once it is full
  size_t oldest_ = 0;
  unsigned thinning_ = 0;
  uint64_t left_out_ = 0;
  std::vector<std::string> services_;
  std::map<std::string, uint32_t, std::less<>> service_at_;
  uint32_t last_service_ = 0;  // of the line before: mostly that of this one, too
  std::vector<TemplateId> templates_;
  std::unordered_map<TemplateId, uint32_t> template_at_;
  std::array<uint32_t, 256> hints_{};  // where templates were found last: a guess, to be tested
};

// What RequestFlow finds in a trail. ServiceIds are places in `services`.
struct TrailEvidence {
  std::vector<FlowFinding> findings;
  std::vector<std::string> services;
  RequestFlow::Stats read;
};
struct Stretch {
  WallTime from, to;  // [from, to)
};
struct TrailQuestion {
  WallTime onset;                    // nothing that came from here on is healthy past
  WallTime now;                      // lines behind it are left out
  int64_t minutes = 2;               // that are compared with the past
  std::vector<Stretch> unhealthy{};  // not learned from, where that leaves five minutes of past
};
TrailEvidence ask_trail(const RequestTrail& trail, const TrailQuestion& question);

}  // namespace nines::incident
