// Execution: how one action is carried out, step by step and without I/O: which request or program
// comes next, what its answer means, and what became of the action in the end. An executor
// (executor.hpp) does the steps; a simulated cluster can as well.
//
//   try_out   as far as it can be done without changing anything (the API server's own dry run)
//   act       the same, then the change itself
//   recheck   after a crash between intent and result: was it done? Never changes anything
//
// What it cannot tell it calls `unknown`: a request that changes something and whose answer did not
// come may have been carried out. Nothing is sent again in that case.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "http/client.hpp"
#include "nines/base/time.hpp"
#include "nines/remedy/action.hpp"
#include "notify/channel.hpp"

namespace nines::agent::remedy {

// The object of an action. Which members are needed depends on the verb.
struct Target {
  std::string ns;    // of pods and workloads; of programs and those asked outside, where known
  std::string name;  // of the pod, Deployment, node, systemd unit; else what the incident is about
  std::string uid;   // of the pod that is meant; another one of that name is left alone
};

enum class Mode : uint8_t { try_out, act, recheck };

struct Order {
  nines::remedy::Action action;
  Target target;
  std::string before;    // Mode::act: what it was when that was decided (Outcome::before). What is
                         // found otherwise, and could not be put back to that, is refused
  std::string restore;   // of what takes an act back: what it was before that act; empty: not known
  std::string key;       // names the intent: the same for every attempt, at most 64 bytes
  std::string incident;  // that it is against
  WallTime intended{};   // when the intent was written down
  Mode mode = Mode::try_out;
};

enum class Became : uint8_t {
  done,     // changed, or (recheck) found changed
  would,    // try_out: nothing stands against it
  idle,     // there is nothing to change: it is so already, or the object is gone
  refused,  // by a rule of ours or of the other side: it was not done (recheck: not looked at)
  failed,   // it was not done, for another reason
  unknown,  // it may have been done
};
std::string_view became_name(Became became) noexcept;

inline constexpr size_t kMostBefore = 32;

struct Outcome {
  Became became = Became::failed;
  std::string text;  // one line for people
  // What it was before: replicas, revision, "schedulable", "active"; also of what would be done. At
  // most kMostBefore bytes; empty: nothing to go back to.
  std::string before;
  std::optional<int64_t> retry_after_ms{};
  int ready = 0;  // replicas that serve, where the target has such
  // What was asked of whom, with the answer, in its order: for people. Nothing secret is in it.
  std::vector<std::string> steps{};
};

// Of the Kubernetes API; the executor adds where that is and the token.
struct ApiCall {
  std::string method = "GET";
  std::string path{};
  std::string body{};
  std::string_view type = "application/json";  // of the body; static
  friend bool operator==(const ApiCall&, const ApiCall&) = default;
};

using Step = std::variant<ApiCall, http::ClientRequest, notify::Program>;
using Turn = std::variant<Step, Outcome>;

struct Answer {
  int status = 0;      // of HTTP; of a program kExited + its exit code; 0: there was none
  std::string text{};  // the body; of a program the last line it complained with
  std::optional<int64_t> retry_after_ms{};
  std::string failure{};   // why there was none
  bool not_begun = false;  // of a program: it was not started
  bool raised = false;     // X-Amz-Function-Error was there
};
inline constexpr int kExited = 1000;

// One use. begin(), then answered() for each step until there is an outcome.
class Execution {
 public:
  virtual ~Execution() = default;
  virtual Turn begin() = 0;
  virtual Turn answered(const Answer& answer) = 0;
  // Time limit of each program it runs; 0: as the executor has it.
  virtual int64_t program_ms() const { return 0; }
};

// A name that may stand in a path, a unit or an environment: letters, digits, "-._@:", no "..", at
// most 253 bytes.
bool is_plain_name(std::string_view name) noexcept;

}  // namespace nines::agent::remedy
