// Watcher: what is learned from every line that is read, so that an incident can be explained when
// there is one: templates, how often each service logs them, which lines requests pass, an example
// of each. Memory is bounded, about 4 MiB. Ingest thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "incident/containers.hpp"
#include "incident/error_lines.hpp"
#include "incident/fact_keeper.hpp"
#include "incident/gauges.hpp"
#include "incident/node_evidence.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/observer.hpp"
#include "nines/incident/condition.hpp"
#include "nines/incident/detector.hpp"
#include "nines/incident/failure_class.hpp"
#include "nines/incident/happenings.hpp"
#include "nines/incident/mentions.hpp"
#include "nines/incident/request_trail.hpp"
#include "nines/incident/suspect_text.hpp"
#include "nines/incident/template_miner.hpp"
#include "nines/incident/template_watch.hpp"
#include "nines/incident/usage.hpp"

namespace nines::agent::incident {

// A template that its service never logged before.
struct Newcomer {
  core::FirstSeen seen;
  std::string text;  // of the template
};

struct Suspicion {
  core::SuspectText told;
  std::string pod;  // with most of the error lines; empty: none stands out
  // Where it logs most; empty: here, or nowhere.
  std::string node{};
  Example example;  // of the line that the evidence is about; empty text: none is kept
};
struct Answer {
  WallTime onset{}, asked{};  // what was compared ends at `asked`
  std::vector<Suspicion> suspects;
  std::vector<std::string> counts;   // services and templates that log more or less, in words
  uint64_t requests = 0, lines = 0;  // that were looked at
  // Of several nodes: who calls whom by their lines together, and who was not heard in time.
  std::vector<core::RequestTrail::Call> calls{};
  std::vector<std::pair<std::string, std::string>> missing{};  // node, why
  std::vector<NodeTime> clocks{};                              // of the nodes that were heard
  std::vector<core::FailureFact> facts{};  // what all that means for the kind of failure
};

// Before what the kernel says, as a happening tells it.
inline constexpr std::string_view kKernelSays = "kernel: ";

// What the judging half is told with each hand-over.
struct Observed {
  std::vector<core::RequestTrail::Call> calls;  // of the last minutes, now and then
  std::vector<core::Condition> conditions;      // that began, got worse or are over
  std::vector<Newcomer> newcomers;
  std::vector<core::Happening> happenings;  // of the kernel; restarts, as logs tell them
  std::vector<PodService> services;         // that containers' logs are counted under
  std::vector<GaugePoint> gauges;           // their newest values
  core::TemplateMiner::Stats templates;
  core::TemplateWatch::Stats watch;
  size_t trail_lines = 0, trail_bytes = 0;
  unsigned thinning = 0;  // of the requests one in 2^thinning is followed
  Dropped dropped;
};

// "pay logs "charged <*>" 3 times in 60 s, usually 120.5".
std::string tell_count(const core::CountFinding& finding, const std::string& text);

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
  void bad(const collector::ObservedBad& event) override { keeper_.users().bad(event); }
  // Who met bad events: kept with the positions of what was read.
  UserKeeper& users() noexcept { return keeper_.users(); }
  bool held() const noexcept { return !learn_; }  // an incident is open
  // What the node itself tells, about once a minute.
  core::Detector& detector() noexcept { return detector_; }
  // What the Kubernetes API tells of containers.
  Containers& containers() noexcept { return containers_; }
  Gauges& gauges() noexcept { return gauges_; }

  // At each hand-over. `complete`: everything written by `now` was read.
  Observed look(WallTime now, bool complete);
  void hold(bool trouble) { learn_ = !trouble; }

  // Who is suspected, of what began at `onset`.
  // How many minutes are looked at is decided here. `others`: what other nodes know of it.
  Answer ask(core::TrailQuestion question, const std::vector<NodeEvidence>& others = {}) const;
  // What this node knows, for another one.
  NodeEvidence share(const EvidenceQuestion& question) const;

  // Requests that began in [from, to), the same ones on all nodes.
  std::vector<core::RequestTrail::Seen> seen(WallTime from, WallTime to, size_t most) const {
    return trail_.seen(from, to, most);
  }

  // The newest lines that say what is wrong with these services.
  const ErrorLines& error_lines() const noexcept { return error_lines_; }

  // What else is known of it (watcher_facts.cpp). Reads up to 16 KiB of one log again.
  Facts facts(const FactsQuestion& question) const;

  // For the store: what was learned. Corrupt: nothing of that part is taken.
  std::vector<std::pair<std::string, std::string>> save() const;
  Status restore(std::string_view part, std::string_view body);

 private:
  static constexpr int64_t kMinuteNs = 60 * kNsPerSecond;
  static constexpr int64_t kExampleEveryNs = kNsPerSecond;  // one is as good as the next
  static constexpr int64_t kLookMinutes = 2;                // what came first tells causes

  struct Errors {
    WallTime at{};
    uint64_t lines = 0;
  };
  // When the example of a template was kept: most lines come too soon for another one.
  struct Kept {
    core::TemplateId line = 0;
    WallTime at{};
  };
  // Of what has a limit here: what went beyond it.
  struct Beyond {
    uint64_t happenings = 0, services = 0, pods = 0, usage = 0, files = 0, examples = 0;
  };
  Dropped dropped() const;
  void take_merges();
  void hear_of(std::string_view service);
  bool is_kernel(const collector::ObservedRecord& record) const;
  // It has an example that is young enough.
  bool has_example(core::TemplateId line, WallTime at) const noexcept {
    const Kept& kept = kept_[static_cast<size_t>(line % kept_.size())];
    return kept.line == line && at.ns - kept.at.ns < kExampleEveryNs;
  }
  void kernel_says(const collector::ObservedRecord& record);
  void restarted(const collector::ObservedContainer& container);
  core::Happening* happened();
  // Whether it was kept.
  bool keep_example(core::TemplateId line, const collector::ObservedRecord& record);
  std::vector<core::RequestTrail::Call> with_mentions(std::vector<core::RequestTrail::Call> all,
                                                      WallTime to) const;
  core::FactsOfServices own_facts(std::vector<std::string>& services) const;
  bool is_learning(WallTime now) const;
  void count_those_without_requests(WallTime since, std::vector<std::string>& services,
                                    core::CountsOfServices& counts) const;
  void count_pod(const collector::ObservedRecord& record);
  core::RequestTrail laid_together(const std::vector<NodeEvidence>& others) const;
  static void leave_out_unsure(std::vector<core::RequestTrail::Call>& calls,
                               const std::vector<NodeEvidence>& others);
  void add_usage(std::vector<std::string>& services,
                 std::map<core::ServiceId, core::UsageFinding>& used, WallTime asked,
                 const std::vector<NodeEvidence>& others) const;
  std::string text_of(core::TemplateId line, const std::vector<NodeEvidence>& others) const;
  void complete(Suspicion& suspicion, WallTime onset, WallTime asked,
                const std::vector<NodeEvidence>& others) const;
  std::string busiest_pod(const std::string& service, WallTime since) const;
  uint32_t file_of(std::string_view path);
  std::vector<BeforeAndAfter> examples(const FactsQuestion& question) const;
  const Example* example_of(const FactsQuestion::Suspected& suspected, WallTime onset) const;
  LogContext context(const FactsQuestion& question) const;
  void tell_templates(const FactsQuestion& question, Facts& out) const;

  std::string node_;
  WallTime fresh_from_, called_{};
  bool learn_ = true;
  core::TemplateMiner miner_;
  core::TemplateWatch watch_;
  core::Detector detector_;
  Containers containers_{detector_,
                         [this](std::string_view name) { return services_.contains(name); }};
  Gauges gauges_;
  std::vector<core::Happening> happenings_;
  std::vector<core::QueueLimit> limits_;
  std::set<uint32_t> kernel_sources_;
  core::RequestTrail trail_;
  core::Mentions mentions_;
  std::string last_service_;                                     // of the last record
  std::set<std::string, std::less<>> services_;                  // that were heard
  std::map<std::string, core::Usage, std::less<>> usage_;        // by service
  std::map<std::string, std::string, std::less<>> usage_names_;  // the gauge, by service
  std::unordered_map<core::TemplateId, Example> examples_;
  std::array<Kept, 256> kept_{};
  std::vector<std::string> files_;  // of examples; their places count from 1
  std::map<std::string, uint32_t, std::less<>> file_at_;
  FactKeeper keeper_;
  ErrorLines error_lines_;
  Beyond beyond_;
  // Error lines of a service by pod, of the last minutes.
  std::map<std::string, std::map<std::string, Errors, std::less<>>, std::less<>> pods_;
};

}  // namespace nines::agent::incident
