// What the executions of the Kubernetes API share: reading an object, changing it once, and what
// the answers mean.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "remedy/execution.hpp"

namespace nines::agent::remedy {

inline constexpr std::string_view kMergePatch = "application/merge-patch+json";
inline constexpr std::string_view kStrategicPatch = "application/strategic-merge-patch+json";
inline constexpr std::string_view kJsonPatch = "application/json-patch+json";

class KubeExecution : public Execution {
 public:
  Turn answered(const Answer& answer) final;

 protected:
  explicit KubeExecution(Order order) : order_(std::move(order)) {}

  using Json = nlohmann::json;
  // Reads an object; what is no object, or no 2xx, ends the execution. 404 ends it as `gone` says.
  Turn read(std::string path, std::function<Turn(const Json&)> next, Outcome gone);
  // The Deployment that is the target, where it is within bounds.
  Turn read_deployment(std::function<Turn(const Json&)> next);
  // The change: a dry run first, then (Mode::act) for good.
  struct Change {
    ApiCall call;
    std::string done;                  // told when it was done
    std::string before = {};           // Outcome::before
    int ready = 0;                     // Outcome::ready
    std::function<Turn()> again = {};  // another one was faster (409, 422): looked at anew
    std::optional<ApiCall> tried_by =
        {};  // the dry run, where `call` itself would not heed budgets
  };
  Turn change(const Change& change);

  Outcome outcome(Became became, std::string text) const;
  // It is not as it was when that was decided: what the intent says would not be what to go back
  // to.
  std::optional<Outcome> moved_on(const std::string& present) const;
  // kube-system, or no plain names: nothing is asked at all.
  std::optional<Outcome> out_of_bounds() const;
  bool is(nines::remedy::Verb verb) const { return order_.action.verb == verb; }
  bool recheck() const { return order_.mode == Mode::recheck; }

  const Order order_;

 private:
  Turn send(const Change& change, bool for_good);
  Turn sent(Change change, bool for_good, const Answer& answer);
  Turn not_done(const Change& change, const Answer& answer);

  std::function<Turn(const Answer&)> next_;
  int races_ = 0;
};

// A member of an object, by names; null when it is not there.
const nlohmann::json& member(const nlohmann::json& of, std::initializer_list<const char*> names);
std::string text_of(const nlohmann::json& of, std::initializer_list<const char*> names);

// 0: it is no whole number.
int64_t number_of(const nlohmann::json& of, std::initializer_list<const char*> names);

std::string deployments(const Target& target);  // path of the target's Deployment

}  // namespace nines::agent::remedy
