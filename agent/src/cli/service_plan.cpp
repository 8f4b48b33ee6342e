#include "cli/service_plan.hpp"

#include <string_view>
#include <utility>

namespace nines::agent {
namespace {

constexpr const char* kUnit = "/etc/systemd/system/nines.service";
constexpr const char* kUsers = "/etc/sysusers.d/nines.conf";
constexpr const char* kFolders = "/etc/tmpfiles.d/nines.conf";

// The unit names the program of the package.
std::string unit_for(const std::string& program) {
  static constexpr std::string_view kPackaged = "=/usr/bin/nines ";
  std::string out = kEmbeddedService;
  for (size_t at = out.find(kPackaged); at != std::string::npos; at = out.find(kPackaged, at))
    out.replace(at, kPackaged.size(), "=" + program + " ");
  return out;
}

class Plan {
 public:
  explicit Plan(const ServiceOptions& options) : options_(options) {}

  void copy_self(const std::string& path) {
    steps_.push_back({ServiceStep::Kind::copy_self, options_.root + path, "", {}, false});
  }
  void write(const std::string& path, std::string content) {
    steps_.push_back(
        {ServiceStep::Kind::write, options_.root + path, std::move(content), {}, false});
  }
  void remove(const std::string& path) {
    steps_.push_back({ServiceStep::Kind::remove, options_.root + path, "", {}, false});
  }
  // Of this machine only: a root of another one is nothing to run things in.
  void run(std::vector<std::string> command, bool may_fail = false) {
    if (!options_.root.empty()) return;
    steps_.push_back({ServiceStep::Kind::run, "", "", std::move(command), may_fail});
  }
  std::vector<ServiceStep> take() { return std::move(steps_); }

 private:
  const ServiceOptions& options_;
  std::vector<ServiceStep> steps_;
};

}  // namespace

std::vector<ServiceStep> service_plan(const ServiceOptions& options) {
  Plan plan(options);
  const std::string program = options.prefix + "/bin/nines";
  if (!options.uninstall) {
    plan.copy_self(program);
    plan.write(kUsers, kEmbeddedSysusers);
    plan.write(kFolders, kEmbeddedTmpfiles);
    plan.write(kUnit, unit_for(program));
    plan.run({"systemd-sysusers", kUsers});
    plan.run({"systemd-tmpfiles", "--create", kFolders});
    plan.run({"systemctl", "daemon-reload"});
    plan.run({"systemctl", "enable", "nines.service"});
    plan.run({"systemctl", "restart", "nines.service"});
    return plan.take();
  }
  plan.run({"systemctl", "disable", "--now", "nines.service"}, true);
  for (const char* path : {kUnit, kFolders, kUsers}) plan.remove(path);
  plan.remove(program);
  plan.run({"systemctl", "daemon-reload"});
  if (options.purge) {
    plan.remove("/etc/nines");
    plan.remove("/var/lib/nines");
  }
  return plan.take();
}

std::string to_string(const ServiceStep& step) {
  switch (step.kind) {
    case ServiceStep::Kind::copy_self: return "copy    this program to " + step.path;
    case ServiceStep::Kind::write: return "write   " + step.path;
    case ServiceStep::Kind::remove: return "remove  " + step.path;
    case ServiceStep::Kind::run: break;
  }
  std::string out = "run    ";
  for (const std::string& word : step.command) out += " " + word;
  return out;
}

}  // namespace nines::agent
