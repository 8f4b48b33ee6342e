// NodeFacts: what this node knows beside what its services log: what happened (restarts, kills,
// rollouts, events of Kubernetes, messages of the kernel, vitals that left their range), and how
// its vitals and other metrics were. The one home of each: the context of incidents, their
// diagnostics, the kind of a failure and the timeline all read it here.
//
// A restart may be told twice: by the log of the new container, at once, and by the API, which
// knows why. Both have the same key; while the API is listened to, what a log tells waits kApiNs
// for it.
//
// What happened is kept as documents, so that a later life tells nothing twice. Bounded as
// Happenings and MetricEvidence are, and kMostWaiting restarts. Control thread; no I/O, no clock.
#pragma once

#include <deque>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "incident/vital_watch.hpp"
#include "nines/incident/happenings.hpp"
#include "nines/incident/metric_evidence.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent::incident {

struct Observed;

class NodeFacts {
 public:
  static constexpr const char* kDocuments = "happening";
  static constexpr size_t kMostWaiting = 64, kMostTold = 32;
  static constexpr int64_t kApiNs = 15 * kNsPerSecond;

  void restore(const std::vector<store::Document>& documents);
  // Is told of every happening that is news, once.
  using Told = std::function<void(const nines::incident::Happening&)>;
  void tell(Told told) { told_ = std::move(told); }
  // The Kubernetes API tells of this node's pods.
  void api_tells() noexcept { api_tells_ = true; }

  void happened(nines::incident::Happening happening);
  // Names as NodeCapacity tells them: "cpu", "memory", "disk_root" (shares), "psi_io_some_avg60"
  // (per cent), "temperature_celsius", "undervoltage" (0 or 1)...
  void vital(std::string_view name, double value, WallTime at);
  // What the thread that reads has seen: the kernel, restarts, numbers.
  void observed(const Observed& observed, WallTime now);
  // With each evaluation.
  void look(WallTime now);

  // What happened within [from, to], in the order of time; the nearest to the onset where there is
  // more than `limit`.
  std::vector<nines::incident::Happening> around(WallTime onset, WallTime from, WallTime to,
                                                 size_t limit) const {
    return happenings_.around(onset, from, to, limit);
  }
  // In words, the newest first, at most kMostTold of each.
  struct Trouble {
    std::vector<std::string> restarts, kills;  // of containers; by the kernel for want of memory
  };
  Trouble trouble(WallTime since) const;
  // One line a vital: "memory used: 61.0 % (most in half an hour: 88.0 %)".
  std::vector<std::string> vitals(WallTime now) const;
  // Metrics that left what is usual near the onset, strongest first (metric_evidence.hpp).
  std::vector<nines::incident::MetricFinding> metrics(WallTime onset, WallTime now,
                                                      std::span<const double> bad, WallTime bad_end,
                                                      size_t limit) const {
    return metrics_.find(onset, now, bad, bad_end, limit);
  }
  bool empty() const noexcept { return happenings_.size() == 0 && metrics_.size() == 0; }

  // To be kept with the next commit; what could not be kept comes back.
  std::vector<store::Document> take_changes();
  void give_back(const std::vector<store::Document>& documents);

  struct Stats {
    size_t happenings = 0, metrics = 0;
    uint64_t happenings_let_go = 0, metrics_let_go = 0;  // to make room
  };
  Stats stats() const noexcept;

 private:
  struct Waiting {
    nines::incident::Happening restart;
    WallTime until{};
  };
  void restarted(const nines::incident::Happening& restart, WallTime now);
  void tell_first_waiting();

  nines::incident::Happenings happenings_;
  nines::incident::MetricEvidence metrics_;
  VitalWatch vitals_;
  Told told_;
  std::deque<Waiting> waiting_;
  std::vector<store::Document> given_back_;
  bool api_tells_ = false;
};

}  // namespace nines::agent::incident
