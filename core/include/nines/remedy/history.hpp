// History: what was done against incidents and what came of it: by people (notes of actions), by
// rules, or imported from other tools.
//
// A record is known by its id. Records are a set: merging them in any order and repetition ends in
// the same history, of two that share an id the one counts that was judged later. Bounded: at most
// kMaxRecords; the oldest go first, and none that is older than all of a full history comes in.
// Not thread-safe; no clock.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/incident/incident.hpp"
#include "nines/remedy/action.hpp"

namespace nines::remedy {

enum class Outcome : uint8_t {
  unknown,   // not judged yet, or nobody can tell: nothing is learned from it
  resolved,  // recovered within the action's window and stayed so
  failed,
};
std::string_view outcome_name(Outcome outcome) noexcept;

enum class Actor : uint8_t { person, rule, import };
std::string_view actor_name(Actor actor) noexcept;

struct Record {
  std::string id;         // "INC-2026-0301-042/2"; unique
  std::string incident;   // several records may be of one
  std::string signature;  // incidents that are repeats of one another share it
  Action action;
  WallTime at{};      // it was done
  WallTime judged{};  // the outcome was found; 0: not yet
  int severity = 3;   // P0..P3
  Outcome outcome = Outcome::unknown;
  // From the onset of the incident to its recovery. `censored`: it lasted at least so long.
  int64_t recover_s = 0;
  bool censored = true;
  Actor actor = Actor::person;
  std::string who;   // person or tool; may be empty
  std::string rule;  // of Actor::rule
  int step = 1;      // its place among the actions of the incident
  // That a person was busy with the incident, from his acknowledgement to the recovery; -1:
  // unknown.
  int64_t hands_on_s = -1;
  friend bool operator==(const Record&, const Record&) = default;
};
inline constexpr size_t kMaxRecords = 16'384;
inline constexpr size_t kMaxRecordBytes = 1000;

std::string encode_record(const Record& record);
std::optional<Record> decode_record(std::string_view bytes);  // nullopt: broken or out of range

// When an action has worked.
struct JudgeRules {
  int64_t window_s = 1800;  // recovered so long after the action at most
  int64_t stays_s = 1800;   // and not open again for so long
};
// The actions of an incident, judged. The last one before the recovery has the merit, those before
// it failed; what was done after it is left out. An incident that recovered without any action is
// one of Verb::nothing: what the others are compared with. What cannot be said yet is unknown.
std::vector<Record> records_of(const incident::Incident& incident, WallTime now,
                               const JudgeRules& rules = {});

class History {
 public:
  enum class Merge : uint8_t { news, better, known, refused };
  explicit History(size_t max_records = kMaxRecords) : most_(max_records) {}

  // `gone`: what had to make room, or was replaced, for whoever counts along.
  Merge merge(Record record, std::vector<Record>* gone = nullptr);
  Merge would(const Record& record) const;  // what merge() would make of it
  const Record* find(std::string_view id) const;
  size_t size() const noexcept { return by_id_.size(); }
  uint64_t dropped() const noexcept { return dropped_; }  // for want of room
  uint64_t refused() const noexcept { return refused_; }

  // In the order of (at, id).
  template <class Visit>
  void each(Visit visit) const {
    for (const auto& [key, id] : by_time_) visit(by_id_.find(id)->second);
  }

 private:
  using Time = std::pair<int64_t, std::string>;
  size_t most_;
  std::map<std::string, Record, std::less<>> by_id_;
  std::map<Time, std::string> by_time_;
  uint64_t dropped_ = 0, refused_ = 0;
};

}  // namespace nines::remedy
