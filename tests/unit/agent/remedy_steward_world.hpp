// The Steward in a world of one unit that breaks. Each write, deed and answer is a step: between
// any two of them it may be killed, or stopped.
#pragma once

#include <catch2/catch.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "remedy/steward.hpp"
#include "remedy_disk.hpp"
#include "remedy_incident.hpp"

namespace nines::test::steward {

using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::remedy::Action;
using nines::remedy::Guard;
using nines::remedy::GuardLimits;
using nines::remedy::Verb;

inline constexpr const char* kRule = "restart-worker";
inline const Action kRestart{Verb::unit_restart, "worker.service"};

inline GuardLimits limits() {
  GuardLimits out;
  out.enabled = true;
  out.verbs = {Verb::unit_restart, Verb::unit_stop, Verb::unit_start};
  out.shadow_hits = 1;
  out.post_check_s = 60;
  return out;
}

class World {
 public:
  explicit World(GuardLimits of = limits()) : limits_(std::move(of)) { live(); }

  // --- what a test says
  bool broken = false, helps = true, disk = true;
  std::optional<Became> act_becomes;  // instead of being done
  bool loses_answer = false;          // it is done, and nobody hears of it
  Became recheck_becomes = Became::unknown;
  std::string incident_id = "INC-1";
  Action does = kRestart;
  std::map<std::string, double> proven;  // Wilson's lower bound

  // --- what came of it
  std::vector<std::string> done;  // keys of intents that were carried out
  std::vector<Verb> verbs;        // what was done, in that order
  std::vector<std::string> pages, notes, notices;
  size_t steps = 0;
  std::optional<size_t> crash_at;
  std::optional<size_t> stop_at;
  int crashes = 0;

  Steward& steward() { return *steward_; }
  Guard& guard() { return steward_->guard(); }
  WallTime now() const { return now_; }

  void live() {
    ++boot_;
    waiting_.clear();
    Steward::Parts parts;
    parts.node = "pi-1";
    parts.carry_out = [this](Order order, std::function<void(Outcome)> told) {
      waiting_.push_back([this, order = std::move(order), told = std::move(told)] {
        const Outcome outcome = carry_out(order);
        const bool lost = loses_answer && order.mode == Mode::act;
        hear([told, outcome, lost] {
          told(lost ? Outcome{Became::unknown, "no answer", {}, {}} : outcome);
        });
      });
    };
    parts.keep = [this](std::vector<store::Document> documents, std::function<void(Status)> told) {
      waiting_.push_back([this, documents = std::move(documents), told = std::move(told)] {
        if (!disk) return hear([told] { told(Error{Errc::io, "disk full"}); });
        disk_.write(documents);
        hear([told] { told(Ok{}); });
      });
    };
    parts.open = [this](WallTime) {
      return broken || lingers ? std::vector<Incident>{incident()} : std::vector<Incident>{};
    };
    parts.incident = [this](const std::string& id, WallTime) -> std::optional<Incident> {
      if (id != incident_id || forgets) return std::nullopt;
      return incident();
    };
    parts.find = [](const Incident&, const Action& action) -> std::optional<Found> {
      return found_unit(action);
    };
    parts.note = [this](const nines::remedy::Act&, const std::string& text, bool) {
      notes.push_back(text);
    };
    parts.page = [this](const std::string&, const std::string& text) { pages.push_back(text); };
    parts.notify = [this](const std::string& rule, const std::string& text) {
      notices.push_back(rule + ": " + text);
    };
    parts.proven_low = [this](const nines::remedy::RuleLife& rule) { return proven[rule.rule]; };
    parts.clock_set = [] { return true; };
    parts.isolated = [] { return false; };
    steward_ = std::make_unique<Steward>(Guard({"pi-1", boot_}, limits_), std::move(parts));
    steward_->restore(disk_.documents());
  }

  // Runs `seconds`, a tick every ten.
  void run(int64_t seconds) {
    for (int64_t s = 0; s < seconds; s += 10) {
      now_.ns += 10 * kNsPerSecond;
      steward_->tick(now_);
      settle();
    }
  }
  void settle() {
    while (!waiting_.empty()) {
      if (steps++ == crash_at) {
        ++crashes;
        live();  // what was not written is gone; what was on its way was not begun
        return;
      }
      if (stop_at && steps > *stop_at) {
        stop_at.reset();
        steward_->did(guard().stop("person", "ada", "enough", now_), [](const Status&) {});
      }
      const auto next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
  }
  // Through the life of the rule, as people would.
  void arm(const std::vector<std::string>& rules = {kRule}) {
    const auto kept = [](const Status& written) { REQUIRE(written.ok()); };
    for (const std::string& rule : rules) {
      steward().did(guard().draft(rule, does, "", "worker", "ada", now_), kept);
      steward().did(guard().shadow(rule, "ada", now_), kept);
    }
    settle();
    broken = true;
    run(20);
    REQUIRE(done.empty());
    broken = false;
    for (const std::string& rule : rules) {
      steward().did(guard().approve(rule, "bob", now_), kept);
      steward().did(guard().arm(rule, 20, 0.7, "bob", now_), kept);
    }
    settle();
    incident_id = "INC-2";
    steps = 0;
  }
  std::map<std::pair<std::string, std::string>, std::string>& on_disk() { return disk_.rows; }
  bool forgets = false;  // no incident is known any more
  bool lingers = false;  // the incident is open although its condition is over

 private:
  Incident incident() const { return incident_of(incident_id, "worker", broken, now_); }
  // What was done is heard of in a step of its own: there may be a crash in between.
  void hear(std::function<void()> told) { waiting_.push_front(std::move(told)); }
  Outcome carry_out(const Order& order) {
    if (order.mode == Mode::try_out) return {Became::would, "it would be done", {}, {}};
    if (order.mode == Mode::recheck) return {recheck_becomes, "rechecked", {}, {}};
    if (act_becomes) return {*act_becomes, "as told", {}, {}};
    const std::string uid = order.key;  // the intent is on the disk before anything is done
    REQUIRE(disk_.rows.contains({Steward::kDocuments, uid}));
    done.push_back(uid);
    verbs.push_back(order.action.verb);
    if (helps) broken = false;
    return {Became::done, "done", {}, {}};
  }

  GuardLimits limits_;
  WallTime now_{1'795'300'000 * kNsPerSecond};
  uint64_t boot_ = 0;
  RemedyDisk disk_;
  std::deque<std::function<void()>> waiting_;
  std::unique_ptr<Steward> steward_;
};

inline nines::remedy::Phase phase(World& world) {
  const auto acts = world.guard().acts();
  REQUIRE(acts.size() == 1);
  return acts.front().phase;
}

}  // namespace nines::test::steward
