// The Steward, with the executions of the real verbs, against a cluster and a unit, and one rule
// that does nothing that helps. Each request, answer and write is a step: between any two of them
// it may be killed, or stopped.
#pragma once

#include <catch2/catch.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "remedy/kube.hpp"
#include "remedy/local.hpp"
#include "remedy/steward.hpp"
#include "remedy/stoppable.hpp"
#include "remedy/target_name.hpp"
#include "remedy_cluster.hpp"
#include "remedy_disk.hpp"
#include "remedy_incident.hpp"

namespace nines::test {

using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::remedy::Act;
using nines::remedy::Action;
using nines::remedy::Guard;
using nines::remedy::GuardLimits;
using nines::remedy::Phase;
using nines::remedy::Verb;

inline constexpr const char* kRule = "of-ada";

inline GuardLimits limits() {
  GuardLimits out;
  out.enabled = true;
  for (const Verb verb : {Verb::scale_up, Verb::scale_down, Verb::cordon, Verb::uncordon,
                          Verb::unit_start, Verb::unit_stop}) {
    out.verbs.insert(verb);
  }
  out.shadow_hits = 1;
  out.post_check_s = 60;
  return out;
}

// The state of the target as an act names it.
struct RemedyKind {
  Verb verb;
  const char *before, *after;
};
inline const std::vector<RemedyKind> kKinds{{Verb::scale_up, "3", "4"},
                                            {Verb::scale_down, "3", "2"},
                                            {Verb::cordon, "schedulable", "unschedulable"},
                                            {Verb::unit_start, "inactive", "active"}};

// Nothing that is done helps.
class RemedyWorld {
 public:
  explicit RemedyWorld(const RemedyKind& kind) : kind_(kind) {
    cluster.deployment("api:2", 3);
    cluster.node(false);
    allowed_.units = {"worker.service"};
    live();
    arm();
  }

  RemedyCluster cluster;
  bool active = false;  // the unit
  bool broken = false;
  std::vector<std::string> pages;
  std::vector<std::string> states;  // that the target went through
  size_t steps = 0;
  std::optional<size_t> crash_at;
  std::function<void(size_t)> meanwhile;  // before each step
  std::optional<size_t> stop_at;
  bool stop_file = false;
  size_t sent = 0;          // that changed something
  size_t sent_by_stop = 0;  // of them, when it was stopped
  int crashes = 0;

  Guard& guard() { return steward_->guard(); }
  Steward& steward() { return *steward_; }
  const AuditLog& audit() const { return steward_->audit(); }
  WallTime now() const { return now_; }
  void stop() {
    sent_by_stop = sent;
    steward_->did(guard().stop("person", "ada", "enough", now_), [](const Status&) {});
  }
  std::string state() {
    switch (kind_.verb) {
      case Verb::scale_up:
      case Verb::scale_down:
        return std::to_string(cluster.deployment_object()["spec"]["replicas"].get<int>());
      case Verb::cordon:
        return cluster.objects["/api/v1/nodes/n1"]["spec"].value("unschedulable", false)
                   ? "unschedulable"
                   : "schedulable";
      default: return active ? "active" : "inactive";
    }
  }
  void run(int64_t seconds) {
    for (int64_t s = 0; s < seconds; s += 10) {
      now_.ns += 10 * kNsPerSecond;
      steward_->tick(now_);
      settle();
    }
  }

 private:
  Found target() const {
    Found out;
    out.target.node = "pi-1";
    out.target.service = "api";
    out.target.local = true;
    switch (kind_.verb) {
      case Verb::cordon: out.object.name = "n1"; break;
      case Verb::unit_start: out.object.name = "worker.service"; break;
      default: out.object = {"shop", "api", ""}; out.target.namespace_ = "shop";
    }
    out.target.name = target_name(kind_.verb, "pi-1", out.object);
    return out;
  }

  void live() {
    ++boot_;
    waiting_.clear();
    Steward::Parts parts;
    parts.node = "pi-1";
    parts.carry_out = [this](const Order& order, std::function<void(Outcome)> told) {
      std::shared_ptr<Execution> run = execution(order);
      if (order.mode == Mode::act) {
        run = stoppable(execution(order), [this] { return steward_->stopped(now_); });
      }
      waiting_.push_back([this, run, told = std::move(told)] { take(run, run->begin(), told); });
    };
    parts.keep = [this](std::vector<store::Document> documents, std::function<void(Status)> told) {
      waiting_.push_back([this, documents = std::move(documents), told = std::move(told)] {
        disk_.write(documents);
        waiting_.push_front([told] { told(Ok{}); });
      });
    };
    parts.open = [this](WallTime) {
      return broken ? std::vector<Incident>{incident()} : std::vector<Incident>{};
    };
    parts.incident = [this](const std::string& id, WallTime) {
      return id == incident_ ? std::optional(incident()) : std::nullopt;
    };
    parts.find = [this](const Incident&, const Action&) { return std::optional(target()); };
    parts.note = [](const Act&, const std::string&, bool) {};
    parts.page = [this](const std::string&, const std::string& text) { pages.push_back(text); };
    parts.clock_set = [] { return true; };
    parts.isolated = [] { return false; };
    parts.held = [this] { return stop_file; };
    steward_ = std::make_unique<Steward>(Guard({"pi-1", boot_}, limits()), std::move(parts));
    steward_->restore(disk_.documents());
  }

  std::unique_ptr<Execution> execution(const Order& order) const {
    switch (order.action.verb) {
      case Verb::scale_up:
      case Verb::scale_down: return scale(order);
      case Verb::cordon:
      case Verb::uncordon: return cordon(order);
      default: return run_unit(allowed_, order);
    }
  }
  // An answer is heard in a step of its own: there may be a crash between the deed and that.
  void take(const std::shared_ptr<Execution>& run, Turn turn,
            const std::function<void(Outcome)>& told) {
    if (auto* outcome = std::get_if<Outcome>(&turn)) return told(*outcome);
    const std::string before = state();
    const Answer answer = do_step(std::get<Step>(turn));
    sent += state() != before ? 1 : 0;
    if (states.empty() || states.back() != state()) states.push_back(state());
    waiting_.push_back([this, run, answer, told] { take(run, run->answered(answer), told); });
  }
  Answer do_step(const Step& step) {
    if (const auto* call = std::get_if<ApiCall>(&step)) return cluster.handle(*call);
    const std::string& verb = std::get<agent::notify::Program>(step).arguments.front();
    if (verb == "is-active") return {.status = kExited + (active ? 0 : 3)};
    active = verb != "stop";
    return {.status = kExited};
  }

  void settle() {
    while (!waiting_.empty()) {
      if (steps++ == crash_at) {
        ++crashes;
        return live();
      }
      if (stop_at && steps > *stop_at) {
        stop_at.reset();
        stop();
      }
      if (meanwhile) meanwhile(steps);
      const auto next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
  }

  // Through the life of the rule, as people would; then its incident goes on and on.
  void arm() {
    const auto kept = [](const Status& written) { REQUIRE(written.ok()); };
    const Action action{kind_.verb, kind_.verb == Verb::unit_start ? "worker.service" : ""};
    steward_->did(guard().draft(kRule, action, "", "api", "ada", now_), kept);
    steward_->did(guard().shadow(kRule, "ada", now_), kept);
    settle();
    broken = true;
    run(20);
    broken = false;
    REQUIRE(state() == kind_.before);
    steward_->did(guard().approve(kRule, "bob", now_), kept);
    steward_->did(guard().arm(kRule, 20, 0.7, "bob", now_), kept);
    settle();
    incident_ = "INC-2";
    broken = true;
    steps = 0;
    states = {state()};
  }

  Incident incident() const { return incident_of(incident_, "api", broken, now_); }

  const RemedyKind kind_;
  LocalAllowed allowed_;
  RemedyDisk disk_;
  std::string incident_ = "INC-1";
  WallTime now_{1'795'300'000 * kNsPerSecond};
  uint64_t boot_ = 0;
  std::deque<std::function<void()>> waiting_;
  std::unique_ptr<Steward> steward_;
};

}  // namespace nines::test
