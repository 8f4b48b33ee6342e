// Executor: carries out the steps of a Execution, over HTTP and by running programs. It decides
// nothing: what may be done, and when, was decided before (nines/remedy); what it is not set up for
// it refuses. Everything on the thread of the io_context.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "k8s/api_follower.hpp"
#include "remedy/execution.hpp"
#include "remedy/local.hpp"
#include "remedy/outside.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent::remedy {

struct ExecutorSettings {
  std::optional<k8s::Access> kube;  // nullopt: no Kubernetes
  LocalAllowed local;
  OutsideAllowed outside;
  int64_t step_ms = 10'000;
  int64_t program_ms = 60'000;  // of those that say nothing else
  std::string node;
  bool audit_events = true;         // tell Kubernetes what was done to its objects
  std::function<bool()> stopped{};  // an act goes no step further; may be empty. Outlives it
};

class Executor {
 public:
  static constexpr size_t kMostAtOnce = 8, kMostSteps = 24;
  static constexpr size_t kMostTryOuts = 6;  // of them: what acts, or looks back, finds room

  // `io` and `clock` outlive it. When it is destroyed, what is under way is given up and not told.
  Executor(boost::asio::io_context& io, const Clock& clock, ExecutorSettings settings);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Calls `done` once, never before it returns.
  void carry_out(Order order, std::function<void(Outcome)> done);
  // One call to the Kubernetes API, for the lease: not counted among those under way.
  void ask(const ApiCall& call, std::function<void(Answer)> done);
  size_t running() const noexcept;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace nines::agent::remedy
