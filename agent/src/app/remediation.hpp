// Remediation: the Steward within the running agent: incidents go in, actions go out, what was
// decided goes to the store; and what history teaches about actions. Control thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "app/fleet_link.hpp"
#include "config/config.hpp"
#include "config/remedy_target_config.hpp"
#include "incident/desk.hpp"
#include "nines/collector/pod_directory.hpp"
#include "remedy/audit_anchors.hpp"
#include "remedy/curator.hpp"
#include "remedy/executor.hpp"
#include "remedy/import_shelf.hpp"
#include "remedy/rule_story.hpp"
#include "remedy/steward.hpp"

namespace nines::agent {

class Remediation {
 public:
  // All outlive it.
  struct Parts {
    boost::asio::io_context& io;
    const Clock& clock;
    const NodeConfig& config;
    std::optional<k8s::Access> kube;
    std::string kube_node;                           // as Kubernetes calls this one
    std::shared_ptr<const collector::PodFeed> pods;  // of this node; null: no Kubernetes
    std::function<incident::Desk&()> desk;
    // Calls `done` once it is written; what could not be is tried again.
    std::function<void(store::StateStore::Record, std::function<void(Status)> done)> keep;
    // Of people: what cannot be written is told to them, and not tried again.
    std::function<void(store::StateStore::Record, std::function<void(Status)> done)> keep_asked;
    std::function<void()> incidents_changed;  // what the desk wrote is to be kept and told
    std::function<void(const slo::AlertEvent&)> show;
    // Says who hears an event about an incident (empty: about none); may be empty.
    std::function<void(const std::string& incident, slo::AlertEvent&)> address{};
    std::function<bool()> clock_set, isolated;
    std::function<FleetLink*()> fleet;  // null: there are no other nodes, or no more
  };
  static Result<std::unique_ptr<Remediation>> start(Parts parts, store::StateStore& store);

  // With each evaluation.
  void look(WallTime now);

  remedy::Steward& steward() noexcept { return *steward_; }
  const remedy::Steward& steward() const noexcept { return *steward_; }

  // Whether a person may still approve that action of that rule; an error says why not.
  Status may_approve(const std::string& rule, const std::string& action, WallTime now) const;

  // --- Other nodes (remediation_fleet.cpp).
  const std::string& node() const noexcept { return parts_.config.node; }
  const remedy::AuditAnchors& anchors() const noexcept { return anchors_; }
  // The first record of this node's log that is not as it was written, or as others have heard of
  // it.
  std::optional<nines::remedy::AuditFault> audit_fault() const;
  const remedy::Curator& curator() const noexcept { return *curator_; }

  // --- Before a person is believed: an action that names what the configuration does not have,
  // and, of a rule that is to become `becomes`, another that would undo what it does.
  Status check(const nines::remedy::Action& action) const;
  Status check(const nines::remedy::RuleLife& rule, nines::remedy::RuleState becomes) const;
  // Says so in the log, for what is there already.
  void warn_of(const nines::remedy::RuleLife& rule) const;

  // --- Learning: from the incidents of this node and what was imported.
  std::vector<nines::remedy::Lesson> lessons(WallTime now);
  nines::remedy::Effect effect(const std::string& rule, WallTime now);
  // The whole of a rule; nullopt: there is none of that name.
  std::optional<remedy::RuleStory> story(const std::string& rule, WallTime now);
  // Of every rule.
  std::vector<remedy::RuleStory> stories(WallTime now);
  struct Imported {
    size_t news = 0, known = 0;
  };
  // Records of another tool; all or, with the first that is wrong or that there is no room for,
  // none. They count once they are written, and then `done` is called.
  void import(std::vector<nines::remedy::Record> records,
              std::function<void(Result<Imported>)> done);

 private:
  Remediation(Parts parts, RemedyTargets targets, uint64_t boot);
  void join_fleet();
  void look_at_fleet(WallTime now);
  void recall(FleetLink& fleet);
  void tell(const nines::remedy::GuardEvent& event);
  void tell_head(const nines::remedy::AuditHead& head);
  void head_heard(const std::string& origin, const fleet::FleetEvent& event);
  void say_audit_fault();
  remedy::Steward::Parts steward_parts();
  remedy::ExecutorSettings executor_parts();
  std::optional<remedy::Found> find(const remedy::Incident& incident,
                                    const nines::remedy::Action& action) const;
  bool find_unit(const remedy::Incident& incident, const nines::remedy::Action& action,
                 remedy::Found& out) const;
  bool find_asked(const remedy::Incident& incident, const nines::remedy::Action& action,
                  remedy::Found& out) const;
  bool find_pod(const remedy::Incident& incident, remedy::Found& out) const;
  bool find_workload(const remedy::Incident& incident, remedy::Found& out) const;
  bool concerns_this_node(const remedy::Incident& incident) const;
  static const collector::PodInfo* pod_of(const collector::PodDirectory& pods,
                                          const remedy::Incident& incident);
  remedy::SharedLease::Parts lease_parts();
  void note(const nines::remedy::Act& act, const std::string& text, bool deed);
  void tell(const std::string& rule, const std::string& text);
  void page(const std::string& incident, const std::string& text, slo::Details more = {});
  bool is_held();
  void take(nines::remedy::Record record);
  void forget_let_go();
  remedy::Steward::Rank rank() const;  // among the peers that are alive (remediation_fleet.cpp)
  double proven_low(const nines::remedy::RuleLife& rule) const;

  Parts parts_;
  uint64_t boot_;  // of what this life writes
  const RemedyTargets targets_;
  remedy::Executor executor_;
  std::optional<remedy::SharedLease> lease_;  // where there is an API server to keep it
  std::optional<remedy::Steward> steward_;
  remedy::ImportShelf imports_;
  std::optional<remedy::Curator> curator_;
  bool stop_file_ = false;
  remedy::AuditAnchors anchors_;
  std::set<std::string> met_;  // nodes whose events from the store the fleet knows
  WallTime heard_anew_{};
  uint64_t refused_ = 0;  // by the steward when it was told all anew
  bool fault_said_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace nines::agent
