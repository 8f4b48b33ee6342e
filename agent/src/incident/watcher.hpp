// Watcher: what is learned from every line that is read, so that an incident can be explained when
// there is one: templates, how often each service logs them, which lines requests pass, an example
// of each. Memory is bounded, about 4 MiB. Ingest thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/collector/observer.hpp"
#include "nines/incident/condition.hpp"
#include "nines/incident/detector.hpp"
#include "nines/incident/request_trail.hpp"
#include "nines/incident/suspect_text.hpp"
#include "nines/incident/template_miner.hpp"
#include "nines/incident/template_watch.hpp"
#include "nines/incident/usage.hpp"

namespace nines::agent::incident {

namespace core = nines::incident;

// A line as it was logged, cut.
struct Example {
  WallTime at{};
  std::string service, pod, text;
};

// A template that its service never logged before.
struct Newcomer {
  core::FirstSeen seen;
  std::string text;  // of the template
};

struct Suspicion {
  core::SuspectText told;
  std::string pod;  // with most of the error lines; empty: none stands out
  Example example;  // of the line that the evidence is about; empty text: none is kept
};
struct Answer {
  WallTime onset{}, asked{};  // what was compared ends at `asked`
  std::vector<Suspicion> suspects;
  std::vector<std::string> counts;   // services and templates that log more or less, in words
  uint64_t requests = 0, lines = 0;  // that were looked at
};

// What the judging half is told with each hand-over.
struct Observed {
  std::vector<core::RequestTrail::Call> calls;  // of the last minutes, now and then
  std::vector<core::Condition> conditions;      // that began, got worse or are over
  std::vector<Newcomer> newcomers;
  core::TemplateMiner::Stats templates;
  core::TemplateWatch::Stats watch;
  size_t trail_lines = 0, trail_bytes = 0;
  unsigned thinning = 0;
};

class Watcher final : public collector::RecordObserver {
 public:
  // Lines from before `fresh_from` are history that was read late: not learned from.
  Watcher(std::string node, WallTime fresh_from, size_t trail_bytes,
          core::DetectorSettings rules = {});
  // Records of this source are messages of the kernel.
  void kernel_source(uint32_t source) { kernel_sources_.insert(source); }

  void record(const collector::ObservedRecord& record) override;
  void gauge(const collector::ObservedGauge& gauge) override;
  void container(const collector::ObservedContainer& container) override;
  // What the node itself tells, about once a minute.
  core::Detector& detector() noexcept { return detector_; }

  // At each hand-over. `complete`: everything written by `now` was read.
  Observed look(WallTime now, bool complete);
  void hold(bool trouble) { learn_ = !trouble; }

  // Who is suspected, of what began at `onset`.
  // How many minutes are looked at is decided here.
  Answer ask(core::TrailQuestion question) const;

  // Requests that began in [from, to), the same ones on all nodes.
  std::vector<core::RequestTrail::Seen> seen(WallTime from, WallTime to, size_t most) const {
    return trail_.seen(from, to, most);
  }

  // For the store: what was learned. Corrupt: nothing of that part is taken.
  std::vector<std::pair<std::string, std::string>> save() const;
  Status restore(std::string_view part, std::string_view body);

 private:
  struct Errors {
    WallTime at{};
    uint64_t lines = 0;
  };
  void keep_example(core::TemplateId line, const collector::ObservedRecord& record);
  void count_pod(const collector::ObservedRecord& record);
  std::string busiest_pod(const std::string& service, WallTime since) const;

  std::string node_;
  WallTime fresh_from_, called_{};
  bool learn_ = true;
  core::TemplateMiner miner_;
  core::TemplateWatch watch_;
  core::Detector detector_;
  std::vector<core::QueueLimit> limits_;
  std::set<uint32_t> kernel_sources_;
  core::RequestTrail trail_;
  std::map<std::string, core::Usage, std::less<>> usage_;  // by service
  std::unordered_map<core::TemplateId, Example> examples_;
  // Error lines of a service by pod, of the last minutes.
  std::map<std::string, std::map<std::string, Errors>, std::less<>> pods_;
};

}  // namespace nines::agent::incident
