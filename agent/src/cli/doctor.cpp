// `nines doctor`: is this node fit for Nines, and how to mend what is not. First checks:
// configuration, logs and their permissions, inotify limits, state directory, disk, what the node
// says of itself (node_care.hpp), the agent.
#include "cli/doctor.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "app/node_care.hpp"
#include "app/setup.hpp"
#include "cli/commands.hpp"
#include "http/client.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::agent {
namespace {

const char* word(Verdict v) {
  return v == Verdict::ok ? "ok" : v == Verdict::warning ? "warning" : "problem";
}

long long read_number(const char* path) {
  std::ifstream in(path);
  long long n = -1;
  in >> n;
  return n;
}

Check check_config(const CommonOptions& options, Loaded& loaded) {
  loaded = load_config(options.config, options.slo_paths);
  size_t errors = 0;
  std::string first;
  for (const Diagnostic& d : loaded.diagnostics) {
    if (d.severity != Diagnostic::Severity::error) continue;
    if (errors++ == 0) first = to_string(d);
  }
  if (errors > 0) {
    return {"configuration", Verdict::problem,
            std::to_string(errors) + " error(s); first: " + first,
            "mend them; `nines slo lint` lists all"};
  }
  const std::string where =
      loaded.node.file.empty() ? "no file: zero configuration" : loaded.node.file;
  return {"configuration", Verdict::ok,
          where + ", " + std::to_string(loaded.slos.size()) + " SLO(s)", ""};
}

Check check_logs(const NodeConfig& config, const std::string& root, const Clock& clock) {
  collector::Discovered found;
  const auto drafts = draft(config, root, clock, found);
  std::string seen = std::to_string(found.services.size()) + " service(s) with recognised logs, " +
                     std::to_string(drafts.size()) + " SLO(s) could be drafted";
  if (!found.unreadable.empty()) {
    return {"logs", Verdict::warning,
            seen + "; " + std::to_string(found.unreadable.size()) + " unreadable, e.g. " +
                found.unreadable.front(),
            "let this user read them: usermod -aG adm,systemd-journal USER (container logs: run as "
            "root or group 0)"};
  }
  if (found.services.empty()) {
    return {"logs", Verdict::warning, "no recognised log under " + root,
            "name your logs in nines.yaml (sources) or use --log-root"};
  }
  return {"logs", Verdict::ok, seen, ""};
}

Check check_inotify() {
  const long long watches = read_number("/proc/sys/fs/inotify/max_user_watches");
  const long long instances = read_number("/proc/sys/fs/inotify/max_user_instances");
  const int fd = ::inotify_init1(IN_CLOEXEC);
  const bool works = fd >= 0;
  if (works) ::close(fd);
  const std::string found =
      "instances " + std::to_string(instances) + ", watches " + std::to_string(watches);
  if (!works) {
    return {"inotify", Verdict::warning, "no instance left (" + found + "); logs would be polled",
            "sysctl fs.inotify.max_user_instances=1024"};
  }
  if (watches >= 0 && watches < 4096)
    return {"inotify", Verdict::warning, found, "sysctl fs.inotify.max_user_watches=65536"};
  return {"inotify", Verdict::ok, found, ""};
}

Check check_state(const std::string& directory) {
  std::string existing = directory;
  struct stat info {};
  while (::stat(existing.c_str(), &info) != 0 && existing.size() > 1) {
    const size_t slash = existing.rfind('/');
    existing = slash == 0 || slash == std::string::npos ? "/" : existing.substr(0, slash);
  }
  if (::access(existing.c_str(), W_OK | X_OK) != 0) {
    return {"state", Verdict::problem, directory + " cannot be written by this user",
            "mkdir -p " + directory + " && chown USER " + directory + ", or give --state DIR"};
  }
  struct statvfs fs {};
  if (::statvfs(existing.c_str(), &fs) != 0)
    return {"state", Verdict::warning, "cannot tell the free space of " + existing, ""};
  const unsigned long long free_mb =
      static_cast<unsigned long long>(fs.f_bavail) * fs.f_frsize / (1024 * 1024);
  const std::string found = directory + ", " + std::to_string(free_mb) + " MiB free";
  if (free_mb < 300)
    return {"state", Verdict::warning, found,
            "Nines keeps at most 256 MiB there: free some space or lower limits.store_bytes"};
  return {"state", Verdict::ok, found, ""};
}

void check_node(std::vector<Check>& checks) {
  for (NodeFinding& f : look_at_node(facts_of_this_node())) {
    checks.push_back(
        {f.name, f.well ? Verdict::ok : Verdict::warning, std::move(f.found), std::move(f.remedy)});
  }
}

Check check_agent(const std::string& listen) {
  http::ClientRequest request;
  request.url = "http://" + listen + "/readyz";
  request.timeout_ms = 2000;
  const auto answer = http::fetch(request);
  if (!answer.ok())
    return {"agent", Verdict::warning, "none answers at " + listen, "start one: nines agent"};
  if (answer->status == 200 && answer->body.find("only in memory") != std::string::npos) {
    return {"agent", Verdict::problem, answer->body.substr(0, answer->body.find('\n')),
            "make its state directory writable: it moves there by itself, without a restart"};
  }
  if (answer->status == 200) return {"agent", Verdict::ok, "ready at " + listen, ""};
  return {"agent", Verdict::warning, "not ready: " + answer->body, "see its log"};
}

std::string text_at(const nlohmann::json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// What the running agent could not tell.
void check_outbox(const std::string& listen, std::vector<Check>& checks) {
  const auto answer = http::fetch_json("http://" + listen + "/api/outbox", 2000);
  if (!answer.ok()) return;  // check_agent says it
  const auto outbox = nlohmann::json::parse(*answer, nullptr, false);
  if (!outbox.is_object()) return;
  std::string failing;
  size_t notifiers = 0;
  for (const char* kind : {"notifiers", "alertmanagers"}) {
    if (!outbox.contains(kind)) continue;
    for (const auto& notifier : outbox[kind]) {
      ++notifiers;
      const std::string why = text_at(notifier, "last_error");
      if (why.empty()) continue;
      failing += (failing.empty() ? "" : "; ") + text_at(notifier, "name") + ": " + why;
    }
  }
  const size_t dead = outbox.contains("dead_letters") ? outbox["dead_letters"].size() : 0;
  if (failing.empty() && dead == 0) {
    checks.push_back({"outbox", Verdict::ok, std::to_string(notifiers) + " notifier(s)", ""});
    return;
  }
  const std::string letters = dead == 0 ? "" : std::to_string(dead) + " dead letter(s)";
  checks.push_back({"outbox", Verdict::warning,
                    letters + (letters.empty() || failing.empty() ? "" : "; ") + failing,
                    "see http://" + listen + "/api/outbox; mend the address or the credential"});
}

// How far the running agent is behind the logs, and what holds it back.
void check_lag(const std::string& listen, std::vector<Check>& checks) {
  constexpr uint64_t kAhead = 1024 * 1024;  // what is on its way, on a node that logs much
  const auto answer = http::fetch_json("http://" + listen + "/api/status", 2000);
  if (!answer.ok()) return;  // check_agent says it
  const auto status = nlohmann::json::parse(*answer, nullptr, false);
  if (!status.is_object() || !status.contains("tailer") || !status.contains("governor")) return;
  const uint64_t lag = status["tailer"].value("lag_bytes", uint64_t{0});
  if (lag < kAhead) {
    checks.push_back({"reading", Verdict::ok, "at the end of the logs", ""});
    return;
  }
  const std::string reason = text_at(status["governor"], "reason");
  checks.push_back(
      {"reading", Verdict::warning,
       std::to_string(lag / kAhead) + " MiB behind the logs" +
           (reason.empty() ? "" : ": slowed by " + reason),
       "more comes in than limits.cpu, the pressure limits or the processor time given to it"
       " allow; nothing is lost while the logs are kept"});
}

// Brokers that the running agent is not heard by, or that let it do less than it should.
void check_brokers(const std::string& listen, std::vector<Check>& checks) {
  const auto answer = http::fetch_json("http://" + listen + "/api/status", 2000);
  if (!answer.ok()) return;  // check_agent says it
  const auto status = nlohmann::json::parse(*answer, nullptr, false);
  if (!status.is_object() || !status.contains("brokers")) return;
  for (const auto& broker : status["brokers"]) {
    const std::string name = text_at(broker, "name"), trouble = text_at(broker, "trouble");
    std::string denied;
    const auto list = broker.find("denied");
    if (list != broker.end() && list->is_array()) {
      for (const auto& one : *list) {
        if (one.is_string()) denied += (denied.empty() ? "" : "; ") + one.get<std::string>();
      }
    }
    if (!trouble.empty()) {
      checks.push_back({"broker", Verdict::warning, name + " is not told: " + trouble,
                        "mend its address, login or permissions; what it lacks is told then"});
    } else if (!denied.empty()) {
      checks.push_back({"broker", Verdict::warning, name + ": " + denied,
                        "give the login of this node these permissions at the broker"});
    } else {
      checks.push_back({"broker", Verdict::ok, name + " is told", ""});
    }
  }
}

void print(const std::vector<Check>& checks, Output output) {
  if (output == Output::table) {
    for (const Check& c : checks) {
      std::printf("%-8s %-15s %s\n", word(c.verdict), c.name, c.found.c_str());
      if (!c.remedy.empty()) std::printf("%-24s -> %s\n", "", c.remedy.c_str());
    }
    return;
  }
  std::string out;
  JsonWriter json(out, output == Output::json ? 2 : 0);
  json.begin_array();
  for (const Check& c : checks) {
    json.begin_object();
    json.member("check", c.name)
        .member("verdict", word(c.verdict))
        .member("found", c.found)
        .member("remedy", c.remedy);
    json.end_object();
  }
  json.end_array();
  std::printf("%s\n", out.c_str());
}

}  // namespace

int run_doctor(const CommonOptions& options, const Clock& clock) {
  Loaded loaded;
  std::vector<Check> checks;
  checks.push_back(check_config(options, loaded));
  checks.push_back(check_logs(loaded.node, options.log_root, clock));
  checks.push_back(check_inotify());
  check_inputs(loaded, checks);
  checks.push_back(check_state(options.state.empty() ? "/var/lib/nines" : options.state));
  check_node(checks);
  check_oncall(loaded, clock.wall(), checks);
  checks.push_back(check_agent(loaded.node.listen));
  check_lag(loaded.node.listen, checks);
  check_outbox(loaded.node.listen, checks);
  check_brokers(loaded.node.listen, checks);
  print(checks, options.output);
  for (const Check& c : checks) {
    if (c.verdict == Verdict::problem) return kExitNo;
  }
  return kExitOk;
}

}  // namespace nines::agent
