// Curator: what rules become by what history tells. A rule that may act and that stopped working
// goes back to shadow; what history proves becomes a draft. It never promotes anything: a draft
// does nothing until a person says so, and neither does a rule that was demoted.
//
//   demote   what came of a rule's acts is worse than what came of the same incidents without it
//            (nines/remedy/effect.hpp), and some of it was judged since a person let it act
//   draft    one for each proven lesson that an executor could carry out, once; again only when
//            evidence has changed the steps of its procedure, at most once in `redraft_s`. One that
//            a person removed does not come back by itself, nor is a rule touched that is past
//            draft
//
// Bounded: incidents that were open in the last two hours are looked at every `look_s`, at most
// kMostIncidents of them, and the effect of at most one rule a tick, of those whose evidence has
// changed. Control thread; no I/O, no clock.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "nines/remedy/effect.hpp"
#include "nines/remedy/procedure.hpp"
#include "remedy/experience.hpp"
#include "remedy/steward.hpp"

namespace nines::agent::remedy {

class Curator {
 public:
  static constexpr size_t kMostIncidents = 256;
  static constexpr int64_t kBackS = 2 * 3600;  // an incident is judged within that after its end

  struct Settings {
    size_t open_drafts = 8;  // of its own, waiting for a person; 0: it drafts nothing
    int64_t look_s = 60;
    int64_t redraft_s = 86'400;
    int64_t retry_s = 600;  // of drafts that had to wait
  };
  // `steward` outlives it. `incidents`: those open at some time since `from` (0: all), newest
  // first, at most so many.
  using Incidents = std::function<std::vector<Incident>(WallTime from, size_t most, WallTime now)>;
  // `let_go`: told of each id that history knows no more, for want of room; may be empty.
  Curator(Steward& steward, Incidents incidents, Settings settings,
          std::function<void(const std::string& id)> let_go = {});

  void tick(WallTime now);
  // With everything that is known now, for whoever asks.
  const Experience& experience(WallTime now);
  // As of the last look.
  const core::Learner& learned() const noexcept { return experience_.learner(); }
  // Of another tool. Not of this node's incidents: those are read from them.
  core::History::Merge import(core::Record record) { return experience_.take(std::move(record)); }
  const core::History& history() const noexcept { return experience_.history(); }

  struct Counters {
    uint64_t drafted = 0;
    uint64_t no_room = 0;  // drafts that had to wait for a person to look at the others
    uint64_t judged = 0;   // effects of rules that were looked at
  };
  const Counters& counters() const noexcept { return counters_; }
  const Settings& settings() const noexcept { return settings_; }
  size_t records() const noexcept { return experience_.history().size(); }

 private:
  // The last draft of a signature and action, whoever wrote it.
  struct Drafted {
    std::string rule, procedure;
    WallTime at{};
  };
  using Pair = std::pair<std::string, core::Action>;
  void see(WallTime now);
  void choose_rules();
  void judge_one(WallTime now);
  void draft(WallTime now);
  void draft(const core::Lesson& lesson, const core::Procedure& procedure, WallTime now);
  std::map<Pair, Drafted> drafted() const;
  size_t open_drafts() const;
  bool is_covered(const core::Lesson& lesson) const;
  std::string free_name(const core::Lesson& lesson) const;

  Steward& steward_;
  Incidents incidents_;
  Settings settings_;
  Experience experience_;
  WallTime next_{};
  bool whole_ = false;           // all incidents were read once
  std::set<std::string> rules_;  // whose effect is to be looked at
  uint64_t drafts_of_ = 0;       // Experience::changes() when lessons were looked at last
  std::set<Pair> waiting_;       // drafts that had to wait; looked at again without news
  WallTime again_{};             // then
  Counters counters_;
};

// What a procedure does, without what changes with each resolution: its actions in their order.
std::string digest_of(const core::Procedure& procedure);
// Whether an executor could carry it out as it was learned.
bool is_executable(const core::Action& action);

}  // namespace nines::agent::remedy
