// UserKeeper: who met bad events of which SLO, also over restarts: what it knows goes with the
// positions of the files, in the same transaction as the counts of the lines that it was learned
// from. So after a kill the lines that are read again are those whose users are not known yet, and
// how many users an incident has cost goes on exactly, or with the same error. Bounded: kMaxSlos
// samples of 64 KiB. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/collector/observer.hpp"
#include "nines/incident/user_sample.hpp"
#include "nines/slo/batch.hpp"
#include "nines/slo/spec.hpp"

namespace nines::agent::incident {

namespace core = nines::incident;

class UserKeeper {
 public:
  static constexpr size_t kMaxSlos = 16;  // whose users are counted; of others they are unknown
  static constexpr std::string_view kPrefix = "users:";  // of its positions

  // The users of this SLO are kept over restarts, from `now` on, or since an earlier life began:
  // takes what that has saved out of `saved`. Before anything is read.
  void follow(uint32_t slo, const slo::SloSpec& spec, std::vector<slo::Position>& saved,
              WallTime now);
  void bad(const collector::ObservedBad& event);

  // What is new since this was last asked, for the commit of what was read. Samples of many users
  // are written every kRestNs only, unless an incident is open (`at_once`): the card is spared.
  static constexpr size_t kFewUsers = 256;
  static constexpr int64_t kRestNs = 300 * kNsPerSecond;
  void take_positions(WallTime now, bool at_once, std::vector<slo::Position>& out);

  struct Counted {
    bool told = false;     // a source says who met bad events
    bool missing = false;  // some bad events since then did not say who
    WallTime from{};       // what is counted of all these SLOs is complete from here on
    core::UserSample::Count users;
  };
  Counted count(std::span<const uint32_t> slos, WallTime since) const;
  uint64_t dropped() const noexcept { return dropped_; }  // bad events of SLOs beyond kMaxSlos

 private:
  struct Followed {
    std::string key;  // of its position; empty: not kept
    WallTime from{};  // since when its users are counted
  };
  struct Users : Followed {
    core::UserSample sample;
    WallTime missing{};  // the last bad event that did not say who
    bool changed = false;
    WallTime written{};
  };
  static std::string encode(const Users& users);
  static bool decode(std::string_view saved, Users& out);

  std::map<uint32_t, Followed> followed_;  // by SLO; most of them never have users
  std::map<uint32_t, Users> users_;        // of those that have
  uint64_t dropped_ = 0;
};

}  // namespace nines::agent::incident
