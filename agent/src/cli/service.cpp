// `nines service install|uninstall`: carries out the plan (service_plan.hpp), or says why not.
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "cli/commands.hpp"
#include "cli/service_plan.hpp"

namespace nines::agent {
namespace {

namespace fs = std::filesystem;

int refuse(int code, const std::string& what, const char* hint) {
  std::fprintf(stderr, "nines service: %s\n  hint: %s\n", what.c_str(), hint);
  return code;
}

// Whole or not at all: written beside it, then renamed; a program that runs can be replaced so.
std::string replace_file(const std::string& path, mode_t mode, std::istream& content) {
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  const std::string fresh = path + ".new";
  {
    std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
    out << content.rdbuf();
    out.flush();
    if (!out) return fresh + ": " + std::strerror(errno);
  }
  if (::chmod(fresh.c_str(), mode) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0) {
    const std::string why = path + ": " + std::strerror(errno);
    ::unlink(fresh.c_str());
    return why;
  }
  return "";
}

std::string run_command(const std::vector<std::string>& command) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, words[0], nullptr, nullptr, words.data(), environ);
  if (failed != 0) return command[0] + ": " + std::strerror(failed);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
  return command[0] + " ended with " +
         std::to_string(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

// What went wrong; empty: nothing.
std::string carry_out(const ServiceStep& step) {
  switch (step.kind) {
    case ServiceStep::Kind::copy_self: {
      std::error_code error;
      if (fs::equivalent("/proc/self/exe", step.path, error)) return "";  // started from there
      std::ifstream self("/proc/self/exe", std::ios::binary);
      return replace_file(step.path, 0755, self);
    }
    case ServiceStep::Kind::write: {
      std::istringstream content(step.content);
      return replace_file(step.path, 0644, content);
    }
    case ServiceStep::Kind::remove: {
      std::error_code error;
      fs::remove_all(step.path, error);
      return error ? step.path + ": " + error.message() : "";
    }
    case ServiceStep::Kind::run: break;
  }
  const std::string why = run_command(step.command);
  return step.may_fail ? "" : why;
}

// 0: nothing is in the way.
int in_the_way(const ServiceOptions& options) {
  if (options.prefix.empty() || options.prefix[0] != '/' ||
      options.prefix.find_first_of(" \t\n%$\"'\\") != std::string::npos)
    return refuse(kExitUsage, "--prefix is a path from / without blanks", "--prefix /usr/local");
  for (const char* folder : {"/lib", "/usr/lib"}) {
    if (::access((options.root + folder + "/systemd/system/nines.service").c_str(), F_OK) == 0)
      return refuse(kExitNo, "the package nines is installed here",
                    "apt upgrades and removes it; to have this program instead: apt remove nines");
  }
  if (!options.root.empty() || options.dry_run) return kExitOk;
  if (::geteuid() != 0)
    return refuse(kExitUnavailable, "only root may do that",
                  "sudo nines service install; what it would do: --dry-run");
  if (::access("/run/systemd/system", F_OK) != 0)
    return refuse(kExitUnavailable, "this machine was not started by systemd",
                  "let its own service manager run: nines agent --state /var/lib/nines");
  return kExitOk;
}

}  // namespace

int run_service(const ServiceOptions& options) {
  if (const int code = in_the_way(options); code != kExitOk) return code;
  for (const ServiceStep& step : service_plan(options)) {
    std::printf("%s\n", to_string(step).c_str());
    std::fflush(stdout);
    if (options.dry_run) continue;
    const std::string why = carry_out(step);
    if (!why.empty())
      return refuse(kExitUnavailable, why, "mend it and say it again: steps done twice do no harm");
  }
  if (options.dry_run || !options.root.empty()) return kExitOk;
  std::printf("%s\n", options.uninstall
                          ? options.purge ? "Gone; the user nines stays."
                                          : "Gone; /etc/nines and /var/lib/nines stay (--purge)."
                          : "It runs: nines slo status, nines doctor, journalctl -u nines.");
  return kExitOk;
}

}  // namespace nines::agent
