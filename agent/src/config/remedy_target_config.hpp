// What rules may run, call and invoke, and when: what the lists of `remediation:` of nines.yaml
// become.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "config/notifier_config.hpp"
#include "nines/remedy/window.hpp"

namespace nines::agent {

// A program of the allow-list. Commands are a path and arguments, without a shell; arguments may
// have places that are filled in (remedy/arguments.hpp).
struct RemedyProgramConfig {
  std::string name;
  std::vector<std::string> command;
  std::vector<std::string> dry_run;  // exit code 0: nothing stands against it; empty: none
  std::vector<std::string> check;    // exit code 0: it was done; empty: nothing can tell
  std::string undo;                  // the program that takes it back; empty: irreversible
  int64_t timeout_ms = 60'000, per_hour = 2;
};

struct RemedyHookConfig {
  std::string name, url;
  SecretConfig secret;  // sent as a bearer token
  // Further headers, each with the file that holds its value.
  std::vector<std::pair<std::string, std::string>> header_files;
  std::string ca_file;
  bool allow_http = false;  // to a private address
  bool dry_run = false;     // it understands {"dry_run": true}
  bool of_cluster = false;  // asked for all nodes alike: under the lease, once
  int64_t timeout_ms = 10'000, per_hour = 2;
};

struct RemedyFunctionConfig {
  std::string name, function, region, qualifier;
  std::string endpoint;                   // empty: that of AWS
  std::string credentials_file, profile;  // empty: as remedy/aws_credentials.hpp says
  bool of_cluster = false;
  int64_t timeout_ms = 10'000, per_hour = 2;
};

// The limits are in RemediationConfig; these are read by whoever needs them
// (config/remedy_targets.hpp).
struct RemedyTargets {
  std::vector<RemedyProgramConfig> programs;
  std::vector<RemedyHookConfig> webhooks;
  std::vector<RemedyFunctionConfig> functions;
  std::vector<nines::remedy::Window> windows;  // with their zones, as this machine has them
};

}  // namespace nines::agent
