// The executions that ask somebody else to act: a webhook, a function of AWS Lambda. Both carry the
// key of the intent, so that the other side can tell a repetition. Nothing can be looked up
// afterwards: after a crash it is not known whether they were carried out. Their secrets are read
// for each call, and stand in no text of an outcome.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "remedy/execution.hpp"
#include "remedy/sigv4.hpp"

namespace nines::agent::remedy {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct AllowedHook {
  std::string url;
  std::function<Result<Headers>()> secrets;  // headers that say who we are; empty: none
  bool dry_runs = false;                     // it understands {"dry_run": true}
  std::string ca_file{};                     // PEM; empty: the system's authorities
  int64_t timeout_ms = 10'000;
};

struct AllowedFunction {
  std::string function;  // name, or name:qualifier
  std::string region;
  std::string endpoint;  // empty: https://lambda.REGION.amazonaws.com
  std::function<Result<AwsIdentity>()> identity;
  int64_t timeout_ms = 10'000;
};

struct OutsideAllowed {
  std::map<std::string, AllowedHook> hooks;
  std::map<std::string, AllowedFunction> functions;
  std::string node;
};

// POST of {action, name, key, incident, node, namespace, target, intended, dry_run}. `allowed`
// outlives it.
std::unique_ptr<Execution> call_hook(const OutsideAllowed& allowed, Order order);
// Invoke (2015-03-31), RequestResponse; DryRun to try it out. A function that raises an error
// answers 200 with X-Amz-Function-Error: that is a failure.
std::unique_ptr<Execution> invoke_function(const OutsideAllowed& allowed, const Clock& clock,
                                           Order order);

}  // namespace nines::agent::remedy
