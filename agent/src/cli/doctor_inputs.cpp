// The part of `nines doctor` that looks at inputs: can they be read, and which of them have no
// memory, so that what comes while Nines is down is lost.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string_view>

#include "app/inputs.hpp"
#include "cli/doctor.hpp"

namespace nines::agent {
namespace {

bool is_directory(const char* path) {
  struct stat info {};
  return ::stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool in_path(std::string_view program) {
  const char* variable = std::getenv("PATH");
  std::string_view rest = variable != nullptr ? variable : "/usr/bin:/bin";
  while (!rest.empty()) {
    const size_t colon = std::min(rest.find(':'), rest.size());
    const std::string file = std::string(rest.substr(0, colon)) + "/" + std::string(program);
    if (::access(file.c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return false;
}

Check check_journal() {
  if (!in_path("journalctl")) {
    return {"journal", Verdict::problem, "there is no journalctl",
            "install systemd, or let its messages be written to files (rsyslog)"};
  }
  const char* persistent = "/var/log/journal";
  const char* present = is_directory(persistent) ? persistent : "/run/log/journal";
  if (::access(present, R_OK | X_OK) != 0) {
    return {"journal", Verdict::warning, std::string(present) + ": " + std::strerror(errno),
            "usermod -aG systemd-journal USER"};
  }
  if (present != persistent) {
    return {"journal", Verdict::warning, "volatile: a reboot loses what was not read yet",
            "mkdir /var/log/journal and restart systemd-journald, if the SD card may bear it"};
  }
  return {"journal", Verdict::ok, "readable, persistent", ""};
}

Check check_kmsg() {
  if (::access("/dev/kmsg", R_OK) == 0) return {"kernel log", Verdict::ok, "readable", ""};
  return {"kernel log", Verdict::warning, std::string("/dev/kmsg: ") + std::strerror(errno),
          "sysctl kernel.dmesg_restrict=0, or give Nines CAP_SYSLOG"};
}

Check check_pressure() {
  if (::access("/proc/pressure/io", R_OK) == 0)
    return {"pressure", Verdict::ok, "the kernel tells (PSI)", ""};
  return {"pressure", Verdict::warning,
          "the kernel tells no pressure (PSI): reading logs does not slow down for it",
          "append psi=1 to the kernel's command line and reboot"};
}

void check_one(const slo::SourceSelector& selector, std::set<std::string>& seen,
               std::vector<Check>& out) {
  const std::string name = input_name(selector);
  if (selector.input == slo::InputKind::files || !seen.insert(name).second) return;
  switch (selector.input) {
    case slo::InputKind::journal: out.push_back(check_journal()); break;
    case slo::InputKind::kmsg: out.push_back(check_kmsg()); break;
    case slo::InputKind::syslog:
    case slo::InputKind::standard_input:
      out.push_back({"input", Verdict::warning,
                     name + " has no memory: what is sent while Nines is down, or faster than it "
                            "is read, is lost; that time counts as not covered",
                     "where it matters let the sender keep a file, and read that"});
      break;
    case slo::InputKind::scrape:
      out.push_back({"input", Verdict::ok,
                     name + ": counters go on over restarts; a failed scrape is not covered", ""});
      break;
    default: break;
  }
}

}  // namespace

void check_inputs(const Loaded& loaded, std::vector<Check>& out) {
  std::set<std::string> seen;
  for (const SourceConfig& source : loaded.node.sources) check_one(source.selector, seen, out);
  for (const slo::SloSpec& slo : loaded.slos) {
    check_one(slo.indicator.total.source, seen, out);
    check_one(slo.indicator.part.source, seen, out);
  }
  out.push_back(check_pressure());
}

}  // namespace nines::agent
