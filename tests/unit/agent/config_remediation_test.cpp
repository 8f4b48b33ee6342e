// remediation: of nines.yaml: what rules may run, call and invoke.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <string>

#include "app/remedy_setup.hpp"
#include "config/remedy_targets.hpp"
#include "config_support.hpp"

using namespace nines::agent;
using nines::agent::test::all_text;
using nines::agent::test::ConfigFolder;
using nines::remedy::Verb;

namespace {

class Folder : public ConfigFolder {
 public:
  Folder() {
    for (const char* name : {"fix", "unfix", "open"}) program(name, 0755);
    ::chmod((path() + "/open").c_str(), 0777);
    secret("token", 0600);
    write("aws", "[default]\naws_access_key_id = AKID\naws_secret_access_key = secret\n");
    ::chmod((path() + "/aws").c_str(), 0600);
  }
  void program(const std::string& name, mode_t mode) const {
    ::chmod(write(name, "#!/bin/sh\n").c_str(), mode);
  }
  void secret(const std::string& name, mode_t mode) const {
    ::chmod(write(name, "top-secret\n").c_str(), mode);
  }
  // "@/" stands for this folder.
  Loaded load(std::string text) const {
    for (size_t at = text.find("@/"); at != std::string::npos; at = text.find("@/", at + 1)) {
      text.replace(at, 1, path());
    }
    return load_node(text);
  }
};

std::string after(std::string text, const std::string& folder) {
  for (size_t at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
    text.replace(at, folder.size(), "@");
  }
  return text;
}

struct Mistake {
  const char* list;
  const char* entry;  // in line 6, from column 5
  const char* told;
};
const Mistake kMistakes[] = {
    {"programs", "{name: a}",
     "@/nines.yaml:6:5: error: a program of remediation has no 'command'\n"
     "  hint: right documents with every key lie in packaging/examples\n"},
    {"programs", "{command: @/fix}",
     "@/nines.yaml:6:5: error: a program of remediation has no 'name'\n"
     "  hint: right documents with every key lie in packaging/examples\n"},
    {"programs", "{name: a/b, command: @/fix}",
     "@/nines.yaml:6:12: error: name of a program of remediation must be letters, digits and "
     "-._, 64 at most, found 'a/b'\n"
     "  hint: right documents with every key lie in packaging/examples\n"},
    {"programs", "{name: a, command: fix}",
     "@/nines.yaml:6:24: error: command of program 'a' must begin with an absolute path, found "
     "'fix'\n"
     "  hint: no shell is used: pipes and variables need a script of yours\n"},
    {"programs", "{name: a, command: [\"/bin/{service}\"]}",
     "@/nines.yaml:6:24: error: command of program 'a' has a place to fill in in its path "
     "'/bin/{service}'\n"
     "  hint: which program it is must be certain: use places in the arguments\n"},
    {"programs", "{name: a, command: @/missing}",
     "@/nines.yaml:6:24: error: program 'a': cannot run @/missing: stat: No such file or "
     "directory\n"
     "  hint: it is looked at before each run\n"},
    {"programs", "{name: a, command: @/open}",
     "@/nines.yaml:6:24: error: program 'a': @/open may be changed by others (chown root, chmod "
     "go-w): it is not run\n"
     "  hint: it is looked at before each run\n"},
    {"programs", "{name: a, command: [@/fix, \"{servce}\"]}",
     "@/nines.yaml:6:24: error: command of program 'a' has {servce}, which is not known\n"
     "  hint: did you mean {service}?\n"},
    {"programs", "{name: a, command: [@/fix, \"{message}\"]}",
     "@/nines.yaml:6:24: error: command of program 'a' has {message}, which is not known\n"
     "  hint: there are {service}, {namespace}, {node}, {incident}, {key}\n"},
    {"programs", "{name: a, check: \"test -e x\", command: @/fix}",
     "@/nines.yaml:6:22: error: check of program 'a' must begin with an absolute path, found "
     "'test -e x'\n"
     "  hint: no shell is used: pipes and variables need a script of yours\n"},
    {"programs", "{name: a, undo: a, command: @/fix}",
     "@/nines.yaml:6:21: error: program 'a' is said to undo itself\n"
     "  hint: give another program, or none: it then asks a person each time\n"},
    {"programs", "{name: a, undo: b, command: @/fix}",
     "@/nines.yaml:6:21: error: undo of program 'a' names 'b', which is not among "
     "remediation.programs\n"
     "  hint: did you mean 'a'?\n"},
    {"programs", "{name: a, timeout: 2h, command: @/fix}",
     "@/nines.yaml:6:24: error: 'timeout' of a program of remediation must be within 1s..1h, "
     "found '2h'\n"
     "  hint: right documents with every key lie in packaging/examples\n"},
    {"programs", "{name: a, per_hour: 0, command: @/fix}",
     "@/nines.yaml:6:25: error: 'per_hour' of a program of remediation must be within 1..100, "
     "found '0'\n"
     "  hint: right documents with every key lie in packaging/examples\n"},
    {"programs", "{name: a, comand: @/fix}",
     "@/nines.yaml:6:5: error: a program of remediation has no 'command'\n"
     "  hint: right documents with every key lie in packaging/examples\n"
     "@/nines.yaml:6:15: error: unknown key 'comand' in a program of remediation\n"
     "  hint: did you mean 'command'?\n"},
    {"programs", "{name: a, command: @/fix}\n  - {name: a, command: @/fix}",
     "@/nines.yaml:7:12: error: there are two programs of remediation named 'a'\n"
     "  hint: right documents with every key lie in packaging/examples\n"},
    {"webhooks", "{name: a}",
     "@/nines.yaml:6:5: error: a webhook of remediation has no 'url'\n"
     "  hint: right documents with every key lie in packaging/examples\n"},
    {"webhooks", "{name: a, url: \"ftp://h\"}",
     "@/nines.yaml:6:20: error: webhook 'a': 'ftp://h' is not a usable URL: it must start with "
     "http:// or https://\n"
     "  hint: https://HOST/PATH; secrets belong into files\n"},
    {"webhooks", "{name: a, url: \"https://me:pw@h\"}",
     "@/nines.yaml:6:20: error: the url of webhook 'a' carries a user name or password\n"
     "  hint: use secret_file or header_files\n"},
    {"webhooks", "{name: a, url: \"http://h.example.org/\"}",
     "@/nines.yaml:6:20: error: webhook 'a': what is asked of 'h.example.org' goes unencrypted\n"
     "  hint: use https://; to a private address allow_http: true\n"},
    {"webhooks", "{name: a, url: \"http://h.example.org/\", allow_http: true}",
     "@/nines.yaml:6:20: error: webhook 'a': allow_http is for private addresses, which "
     "'h.example.org' is not\n"
     "  hint: use https://\n"},
    {"webhooks", "{name: a, url: \"http://169.254.169.254/\", allow_http: true}",
     "@/nines.yaml:6:20: error: webhook 'a': allow_http is for private addresses, which "
     "'169.254.169.254' is not\n"
     "  hint: use https://\n"},
    {"webhooks", "{name: a, url: \"http://10.0.0.1/\", allow_http: true, secret_file: token}",
     "@/nines.yaml:6:20: warning: the secrets of webhook 'a' are sent unencrypted\n"
     "  hint: use https://\n"},
    {"webhooks", "{name: a, url: \"https://h\", secret_file: none}",
     "@/nines.yaml:6:46: error: webhook 'a': cannot read '@/none': No such file or directory\n"
     "  hint: Nines must be able to read the file\n"},
    {"webhooks", "{name: a, url: \"https://h\", secret_file: token, secret_env: X}",
     "@/nines.yaml:6:65: error: webhook 'a' has both secret_file and secret_env\n"
     "  hint: keep one of them\n"},
    {"webhooks", "{name: a, url: \"https://h\", header_files: [\"X-Key: top-secret\"]}",
     "@/nines.yaml:6:47: error: header_files of webhook 'a': item 1 is not NAME=FILE\n"
     "  hint: for example X-Api-Key=/etc/nines/pdu.key; the value stays in the file\n"},
    {"webhooks", "{name: a, url: \"https://h\", header_files: [Host=token]}",
     "@/nines.yaml:6:47: error: header_files of webhook 'a' has 'Host', which is sent already\n"
     "  hint: right documents with every key lie in packaging/examples\n"},
    {"webhooks", "{name: a, url: \"https://h\", header_files: [X-Key=none]}",
     "@/nines.yaml:6:47: error: webhook 'a': cannot read '@/none': No such file or directory\n"
     "  hint: one line of text\n"},
    {"webhooks", "{name: a, url: \"https://h\", scope: clutser}",
     "@/nines.yaml:6:40: error: 'scope' of a webhook of remediation must be one of node, "
     "cluster, found 'clutser'\n"
     "  hint: did you mean 'cluster'?\n"},
    {"functions", "{name: a, function: f, credentials_file: aws}",
     "@/nines.yaml:6:5: error: a function of remediation has no 'region'\n"
     "  hint: right documents with every key lie in packaging/examples\n"},
    {"functions", "{name: a, function: f/g, region: eu-west-1, credentials_file: aws}",
     "@/nines.yaml:6:25: error: function of function 'a' is no name of AWS, found 'f/g'\n"
     "  hint: right documents with every key lie in packaging/examples\n"},
    {"functions",
     "{name: a, function: \"f:1\", qualifier: live, region: eu-west-1, credentials_file: aws}",
     "@/nines.yaml:6:43: error: function 'a' has two qualifiers: 'f:1' and 'live'\n"
     "  hint: keep one of them\n"},
    {"functions", "{name: a, function: f, region: eu-west-1, credentials_file: token}",
     "@/nines.yaml:6:65: error: function 'a': '@/token': there is no section [default]\n"
     "  hint: aws_access_key_id and aws_secret_access_key under [default], mode 600\n"},
    {"functions", "{name: a, function: f, region: eu-west-1, credentials_file: none}",
     "@/nines.yaml:6:65: error: function 'a': cannot read '@/none': No such file or directory\n"
     "  hint: aws_access_key_id and aws_secret_access_key under [default], mode 600\n"},
    {"functions", "{name: a, function: f, region: r, credentials_file: aws, profile: production}",
     "@/nines.yaml:6:57: error: function 'a': '@/aws': there is no section [production]\n"
     "  hint: aws_access_key_id and aws_secret_access_key under [default], mode 600\n"},
    {"functions",
     "{name: a, function: f, region: r, credentials_file: aws, endpoint: \"http://10.0.0.1\"}",
     "@/nines.yaml:6:72: error: function 'a': what is asked of '10.0.0.1' goes unencrypted\n"
     "  hint: use https://\n"},
    {"functions",
     "{name: a, function: f, region: r, credentials_file: aws, endpoint: \"https://h/x\"}",
     "@/nines.yaml:6:72: error: endpoint of function 'a' has a path, found 'https://h/x'\n"
     "  hint: https://HOST alone\n"},
};

}  // namespace

TEST_CASE("Every value of programs, webhooks and functions arrives", "[config]") {
  const Folder folder;
  const Loaded loaded = folder.load(R"(
remediation:
  enabled: true
  verbs: [program, webhook, lambda]
  programs:
    - name: fix
      command: [@/fix, "--service={service}", "{a: 1}"]
      dry_run: [@/fix, --dry-run]
      check: [@/fix, --was-done, "{key}"]
      undo: unfix
      timeout: 5s
      per_hour: 7
    - {name: unfix, command: @/unfix}
  webhooks:
    - {name: cycle, url: "http://192.168.1.7/cycle", allow_http: true, scope: cluster, dry_run: true}
    - {name: call, url: "https://h.example.org/x", secret_file: token, header_files: [X-Key=token],
       ca_file: ca.pem, timeout: 2s, per_hour: 3}
  functions:
    - {name: add, function: add-capacity, region: eu-west-1, qualifier: live, credentials_file: aws,
       endpoint: "http://127.0.0.1:9", timeout: 3s, per_hour: 4}
)");
  INFO(all_text(loaded.diagnostics));
  REQUIRE(loaded.diagnostics.empty());
  const auto targets = config::load_remedy_targets(loaded.node.file);
  REQUIRE(targets.ok());
  const RemedyTargets& of = *targets;
  REQUIRE(of.programs.size() == 2);
  CHECK(of.programs[0].command ==
        std::vector<std::string>{folder.path() + "/fix", "--service={service}", "{a: 1}"});
  CHECK(of.programs[0].dry_run.back() == "--dry-run");
  CHECK(of.programs[0].check.back() == "{key}");
  CHECK(of.programs[0].timeout_ms == 5000);
  CHECK(of.programs[1].timeout_ms == RemedyProgramConfig().timeout_ms);
  CHECK(of.programs[1].per_hour == RemedyProgramConfig().per_hour);
  REQUIRE(of.webhooks.size() == 2);
  CHECK(of.webhooks[0].of_cluster);
  CHECK(of.webhooks[0].dry_run);
  CHECK(of.webhooks[0].timeout_ms == RemedyHookConfig().timeout_ms);
  CHECK(of.webhooks[1].secret.file == folder.path() + "/token");
  CHECK(of.webhooks[1].ca_file == folder.path() + "/ca.pem");
  CHECK(of.webhooks[1].header_files.front().first == "X-Key");
  CHECK_FALSE(of.webhooks[1].of_cluster);
  REQUIRE(of.functions.size() == 1);
  CHECK(of.functions[0].endpoint == "http://127.0.0.1:9");
  CHECK(of.functions[0].credentials_file == folder.path() + "/aws");

  const auto settings = executor_settings(loaded.node, of, std::nullopt);
  CHECK(settings.local.programs.at("fix").arguments.size() == 2);
  CHECK(settings.local.programs.at("fix").timeout_ms == 5000);
  const auto headers = settings.outside.hooks.at("call").secrets();
  REQUIRE(headers.ok());
  CHECK(*headers ==
        remedy::Headers{{"Authorization", "Bearer top-secret"}, {"X-Key", "top-secret"}});
  CHECK(settings.outside.hooks.at("call").timeout_ms == 2000);
  CHECK(settings.outside.functions.at("add").function == "add-capacity:live");
  CHECK(settings.outside.functions.at("add").identity()->access_key == "AKID");

  const auto limits = guard_limits(loaded.node.remediation, of);
  const nines::remedy::Action fix{Verb::program, "fix"}, unfix{Verb::program, "unfix"};
  CHECK(reach_of(fix, limits) == nines::remedy::Reach::reversible);
  CHECK(inverse_of(fix, limits) == unfix);
  CHECK(reach_of(unfix, limits) == nines::remedy::Reach::irreversible);
  CHECK(limits.per_hour.at(fix) == 7);
  CHECK(limits.per_hour.at({Verb::webhook, "call"}) == 3);
  CHECK(limits.per_hour.at({Verb::lambda, "add"}) == 4);
}

TEST_CASE("What is wrong with programs, webhooks and functions is told to the word", "[config]") {
  const Folder folder;
  for (const Mistake& one : kMistakes) {
    const char* const verb = std::string_view(one.list) == "programs"   ? "program"
                             : std::string_view(one.list) == "webhooks" ? "webhook"
                                                                        : "lambda";
    const Loaded loaded =
        folder.load(std::string("remediation:\n  enabled: true\n  verbs: [") + verb +
                    "]\n  stop_file: /s\n  " + one.list + ":\n  - " + one.entry + "\n");
    CHECK(after(all_text(loaded.diagnostics), folder.path()) == one.told);
  }
}

TEST_CASE("What may be done and what it may be done with belong together", "[config]") {
  const Folder folder;
  const auto told = [&](const std::string& text) {
    return after(all_text(folder.load(text).diagnostics), folder.path());
  };
  CHECK(told("remediation: {verbs: [webhook]}") ==
        "@/nines.yaml:1:22: warning: remediation.verbs has 'webhook', and webhooks names none\n"
        "  hint: name them: webhooks: [{name: power-cycle, url: https://...}]\n");
  CHECK(told("remediation: {verbs: [progam]}") ==
        "@/nines.yaml:1:22: error: remediation.verbs has 'progam', which is no verb\n"
        "  hint: did you mean 'program'?\n");
  CHECK(told("remediation: {programs: [{name: a, command: @/fix}]}") ==
        "@/nines.yaml:1:25: warning: remediation.programs is not used: verbs does not have "
        "'program'\n"
        "  hint: add it to remediation.verbs\n");
  // What is not there yet is a warning as long as nothing can happen.
  CHECK(told("remediation: {verbs: [program], programs: [{name: a, command: @/missing}]}") ==
        "@/nines.yaml:1:63: warning: program 'a': cannot run @/missing: stat: No such file or "
        "directory\n"
        "  hint: it is looked at before each run\n");
}

TEST_CASE("A rule may name only what the configuration has", "[remedy]") {
  RemediationConfig limits;
  limits.units = {"worker.service"};
  RemedyTargets of;
  of.programs.emplace_back().name = "drop-cache";
  of.webhooks.emplace_back().name = "cycle";
  of.webhooks.back().of_cluster = true;
  of.functions.emplace_back().name = "add";
  using nines::remedy::Action;
  CHECK(check_action({Verb::program, "drop-cache"}, limits, of).ok());
  CHECK(check_action({Verb::webhook, "cycle"}, limits, of).ok());
  CHECK(check_action({Verb::lambda, "add"}, limits, of).ok());
  CHECK(check_action({Verb::unit_restart, "worker.service"}, limits, of).ok());
  CHECK(check_action({Verb::scale_up, {}}, limits, of).ok());
  const auto told = [&](const Action& action) {
    return check_action(action, limits, of).error().message;
  };
  CHECK(told({Verb::program, "drop-cash"}) ==
        "'program drop-cash': 'drop-cash' is not in remediation.programs of nines.yaml; did you "
        "mean 'drop-cache'?");
  CHECK(told({Verb::webhook, "drop-cache"}) ==
        "'webhook drop-cache': 'drop-cache' is not in remediation.webhooks of nines.yaml, which "
        "has cycle");
  of.functions.clear();
  CHECK(told({Verb::lambda, "add"}) ==
        "'lambda add': 'add' is not in remediation.functions of nines.yaml; write it there first");
  CHECK(is_of_cluster({Verb::webhook, "cycle"}, of));
  CHECK_FALSE(is_of_cluster({Verb::program, "cycle"}, of));
}
