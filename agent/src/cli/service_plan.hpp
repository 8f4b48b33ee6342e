// What `nines service install` and `uninstall` are going to do, as a list that can be printed
// (--dry-run) before it is carried out: for machines whose packages are not .deb files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nines::agent {

// The files of packaging/systemd, embedded at build time.
extern const char* const kEmbeddedService;
extern const char* const kEmbeddedSysusers;
extern const char* const kEmbeddedTmpfiles;

struct ServiceStep {
  enum class Kind : uint8_t {
    copy_self,  // this program to path, 0755
    write,      // content to path, 0644
    remove,     // path and what is below it, if it is there
    run,        // command; `may_fail`: what it ends with does not matter
  };
  Kind kind;
  std::string path, content;
  std::vector<std::string> command;
  bool may_fail = false;
};

struct ServiceOptions {
  std::string root;  // files go below it, and nothing is run: for images; empty: this machine
  std::string prefix = "/usr/local";
  bool uninstall = false;
  bool purge = false;  // uninstall: configuration and state as well
  bool dry_run = false;
};

std::vector<ServiceStep> service_plan(const ServiceOptions& options);

// As --dry-run prints it, one line.
std::string to_string(const ServiceStep& step);

// nines service install|uninstall. 1: another installation is in the way; 2: an option is wrong;
// 3: not root, no systemd, or a step failed (which is said, with what was done before it left).
int run_service(const ServiceOptions& options);

}  // namespace nines::agent
