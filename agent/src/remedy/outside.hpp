// The executions that ask somebody else to act: a webhook, a function of AWS Lambda. Both carry the
// key of the intent, so that the other side can tell a repetition. Nothing can be looked up
// afterwards: after a crash it is not known whether they were carried out.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "remedy/execution.hpp"
#include "remedy/sigv4.hpp"

namespace nines::agent::remedy {

struct AllowedHook {
  std::string url;
  std::string authorization;  // value of that header; empty: none
  bool dry_runs = false;      // it understands {"dry_run": true}
};

struct AllowedFunction {
  std::string function;  // name, or name:qualifier
  std::string region;
  std::string endpoint;  // empty: https://lambda.REGION.amazonaws.com
};

struct OutsideAllowed {
  std::map<std::string, AllowedHook> hooks;
  std::map<std::string, AllowedFunction> functions;
  std::string node;
  int64_t timeout_ms = 10'000;
};

// POST of {action, key, node, namespace, target, dry_run}. `allowed` outlives it.
std::unique_ptr<Execution> call_hook(const OutsideAllowed& allowed, Order order);
// Invoke (2015-03-31), RequestResponse; DryRun to try it out. A function that raises an error
// answers 200 with X-Amz-Function-Error: that is a failure.
std::unique_ptr<Execution> invoke_function(const OutsideAllowed& allowed,
                                           const AwsIdentity& identity, const Clock& clock,
                                           Order order);

}  // namespace nines::agent::remedy
