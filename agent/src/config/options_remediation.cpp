// The keys below `remediation`, which come last in the sample file.
#include "config/options.hpp"

namespace nines::agent::config {
namespace {

using enum OptionType;

constexpr int64_t kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;

RemedyProgramConfig& program(Draft& d) { return d.remedies.programs.back(); }
RemedyHookConfig& hook(Draft& d) { return d.remedies.webhooks.back(); }
RemedyFunctionConfig& function(Draft& d) { return d.remedies.functions.back(); }
void elsewhere(Draft&, OptionValue&&) {}  // config/remedy_windows.cpp

constexpr Option kOptions[] = {
    {"remediation", map, "", 0, 0, "",
     "What may be done about incidents without people. Rules begin as drafts, are watched in "
     "shadow, "
     "and act by themselves only when somebody has said so: nines remedy.",
     "", nullptr},
    {"remediation.enabled", flag, "false", 0, 0, "", "Whether anything may be done at all.", "",
     [](Draft& d, OptionValue&& v) { d.node.remediation.enabled = v.number != 0; }},
    {"remediation.verbs", texts, "", 0, 0, "",
     "What may be done: evict-pod, delete-pod, rollout-restart, rollout-undo, scale-up, "
     "scale-down, "
     "cordon, uncordon, unit-restart, unit-start, unit-stop; program, webhook, lambda, which ask a "
     "person each time unless they can be taken back.",
     "[unit-restart]",
     [](Draft& d, OptionValue&& v) { d.node.remediation.verbs = std::move(v.texts); }},
    {"remediation.units", texts, "", 0, 0, "", "Units of systemd that it may be done to.",
     "[worker.service]",
     [](Draft& d, OptionValue&& v) { d.node.remediation.units = std::move(v.texts); }},
    {"remediation.programs", maps, "", 0, 0, "",
     "Programs that rules may run on this node (--action 'program NAME'), 32 at most. A rule names "
     "one; what is run stands here alone.",
     "", nullptr},
    {"remediation.programs[].name", text, "", 0, 0, "",
     "Letters, digits and -._ , unique among the programs. Required.", "drop-cache",
     [](Draft& d, OptionValue&& v) { program(d).name = std::move(v.text); }},
    {"remediation.programs[].command", texts, "", 0, 0, "",
     "Absolute path and arguments, run without a shell. It must be root's or the agent's own, in "
     "folders that nobody else may write. In arguments {service}, {namespace}, {node}, {incident} "
     "and {key} are filled in, if they are plain names; else it is not run. Required.",
     "[/usr/local/bin/drop-cache, \"--service={service}\"]",
     [](Draft& d, OptionValue&& v) { program(d).command = std::move(v.texts); }},
    {"remediation.programs[].dry_run", texts, "", 0, 0, "",
     "Run beforehand, and changes nothing: exit code 0 says that it may be done.",
     "[/usr/local/bin/drop-cache, --dry-run]",
     [](Draft& d, OptionValue&& v) { program(d).dry_run = std::move(v.texts); }},
    {"remediation.programs[].check", texts, "", 0, 0, "",
     "Run after a crash in between, and changes nothing: exit code 0 says that it was done, 1 that "
     "it was not. Where nothing tells a person is called.",
     "[/usr/local/bin/drop-cache, --was-done, \"{key}\"]",
     [](Draft& d, OptionValue&& v) { program(d).check = std::move(v.texts); }},
    {"remediation.programs[].undo", text, "", 0, 0, "",
     "The program of this list that takes it back. With it the program counts as reversible: a "
     "rule "
     "may run it without being asked, and it is taken back once if it did not help.",
     "refill-cache", [](Draft& d, OptionValue&& v) { program(d).undo = std::move(v.text); }},
    {"remediation.programs[].timeout", duration, "1m", kSecond, kHour, "",
     "After which it is killed with all that it has started.", "",
     [](Draft& d, OptionValue&& v) { program(d).timeout_ms = v.number; }},
    {"remediation.programs[].per_hour", integer, "2", 1, 100, "", "Runs, whatever rule wants them.",
     "", [](Draft& d, OptionValue&& v) { program(d).per_hour = v.number; }},
    {"remediation.webhooks", maps, "", 0, 0, "",
     "Addresses that rules may call (--action 'webhook NAME'), 32 at most: POST of {action, name, "
     "key, incident, node, namespace, target, intended, dry_run}, with the key as Idempotency-Key.",
     "", nullptr},
    {"remediation.webhooks[].name", text, "", 0, 0, "",
     "Letters, digits and -._ , unique among them. Required.", "power-cycle",
     [](Draft& d, OptionValue&& v) { hook(d).name = std::move(v.text); }},
    {"remediation.webhooks[].url", text, "", 0, 0, "",
     "https:// address, or http:// on this machine. Required.", "https://pdu.example.org/cycle",
     [](Draft& d, OptionValue&& v) { hook(d).url = std::move(v.text); }},
    {"remediation.webhooks[].allow_http", flag, "false", 0, 0, "",
     "Whether url may be http:// to a private address, unencrypted.", "",
     [](Draft& d, OptionValue&& v) { hook(d).allow_http = v.number != 0; }},
    {"remediation.webhooks[].secret_file", text, "", 0, 0, "",
     "File with a token, sent as 'Authorization: Bearer ...'; read again for every call.",
     "/etc/nines/pdu.token",
     [](Draft& d, OptionValue&& v) { hook(d).secret.file = std::move(v.text); }},
    {"remediation.webhooks[].secret_env", text, "", 0, 0, "",
     "Variable of the environment that holds it instead.", "PDU_TOKEN",
     [](Draft& d, OptionValue&& v) { hook(d).secret.env = std::move(v.text); }},
    {"remediation.webhooks[].header_files", texts, "", 0, 0, "",
     "Further headers, NAME=FILE: the value is read from the file for every call.",
     "[X-Api-Key=/etc/nines/pdu.key]",
     [](Draft& d, OptionValue&& v) { d.header_files = std::move(v.texts); }},
    {"remediation.webhooks[].ca_file", text, "", 0, 0, "",
     "PEM file with the authority that signed its certificate. Default: those of the system.",
     "/etc/nines/pdu-ca.pem",
     [](Draft& d, OptionValue&& v) { hook(d).ca_file = std::move(v.text); }},
    {"remediation.webhooks[].dry_run", flag, "false", 0, 0, "",
     "Whether it understands \"dry_run\": true, and answers 2xx if it would do it.", "true",
     [](Draft& d, OptionValue&& v) { hook(d).dry_run = v.number != 0; }},
    {"remediation.webhooks[].scope", choice, "node", 0, 0, "node cluster",
     "node: each node asks for itself; cluster: one of all, who holds the Lease of Kubernetes.", "",
     [](Draft& d, OptionValue&& v) { hook(d).of_cluster = v.text == "cluster"; }},
    {"remediation.webhooks[].timeout", duration, "10s", 100, 5 * kMinute, "",
     "After which nobody knows whether it was done: it is not called again.", "",
     [](Draft& d, OptionValue&& v) { hook(d).timeout_ms = v.number; }},
    {"remediation.webhooks[].per_hour", integer, "2", 1, 100, "", "Calls, dry runs apart.", "",
     [](Draft& d, OptionValue&& v) { hook(d).per_hour = v.number; }},
    {"remediation.functions", maps, "", 0, 0, "",
     "Functions of AWS Lambda that rules may invoke (--action 'lambda NAME'), 32 at most, with the "
     "same body; tried out with DryRun.",
     "", nullptr},
    {"remediation.functions[].name", text, "", 0, 0, "",
     "Letters, digits and -._ , unique among them. Required.", "add-capacity",
     [](Draft& d, OptionValue&& v) { function(d).name = std::move(v.text); }},
    {"remediation.functions[].function", text, "", 0, 0, "",
     "Name or ARN of the function. Required.", "add-capacity",
     [](Draft& d, OptionValue&& v) { function(d).function = std::move(v.text); }},
    {"remediation.functions[].region", text, "", 0, 0, "", "Region of AWS. Required.", "eu-west-1",
     [](Draft& d, OptionValue&& v) { function(d).region = std::move(v.text); }},
    {"remediation.functions[].qualifier", text, "", 0, 0, "", "Version or alias.", "live",
     [](Draft& d, OptionValue&& v) { function(d).qualifier = std::move(v.text); }},
    {"remediation.functions[].endpoint", text, "", 0, 0, "",
     "Another address than that of AWS: https://, or http:// on this machine.",
     "https://lambda.eu-west-1.amazonaws.com",
     [](Draft& d, OptionValue&& v) { function(d).endpoint = std::move(v.text); }},
    {"remediation.functions[].credentials_file", text, "", 0, 0, "",
     "File of credentials as the tools of AWS have it, read for every call; it must not be "
     "readable "
     "by others. Default: AWS_ACCESS_KEY_ID and so on, else ~/.aws/credentials.",
     "/etc/nines/aws.credentials",
     [](Draft& d, OptionValue&& v) { function(d).credentials_file = std::move(v.text); }},
    {"remediation.functions[].profile", text, "", 0, 0, "", "Section of that file.", "nines",
     [](Draft& d, OptionValue&& v) { function(d).profile = std::move(v.text); }},
    {"remediation.functions[].scope", choice, "node", 0, 0, "node cluster", "As of webhooks.", "",
     [](Draft& d, OptionValue&& v) { function(d).of_cluster = v.text == "cluster"; }},
    {"remediation.functions[].timeout", duration, "10s", 100, 15 * kMinute, "", "As of webhooks.",
     "", [](Draft& d, OptionValue&& v) { function(d).timeout_ms = v.number; }},
    {"remediation.functions[].per_hour", integer, "2", 1, 100, "", "Invocations, dry runs apart.",
     "", [](Draft& d, OptionValue&& v) { function(d).per_hour = v.number; }},
    {"remediation.systemctl", text, "/usr/bin/systemctl", 0, 0, "",
     "The program that does it. It must be root's or the agent's own, and writable by nobody else.",
     "", [](Draft& d, OptionValue&& v) { d.node.remediation.systemctl = std::move(v.text); }},
    {"remediation.lease_namespace", text, "default", 0, 0, "",
     "Namespace of the Lease nines-remedy, which says who may act on pods, Deployments and nodes.",
     "", [](Draft& d, OptionValue&& v) { d.node.remediation.lease_namespace = std::move(v.text); }},
    {"remediation.stop_file", text, "/etc/nines/STOP", 0, 0, "",
     "While this file is there nothing is done.", "",
     [](Draft& d, OptionValue&& v) { d.node.remediation.stop_file = std::move(v.text); }},
    {"remediation.windows", maps, "", 0, 0, "",
     "When rules may act by themselves, 32 at most; without any: always. Outside of them a rule "
     "waits, and acts when one opens if what it is against is still wrong. People (nines remedy "
     "run), what takes back an action that did not help, and a P0 that a person approved are not "
     "held back.",
     "", nullptr},
    {"remediation.windows[].days", texts, "", 0, 0, "",
     "Days of the week on which it begins, or ranges of them. Default: every day.", "[mon-fri]",
     elsewhere},
    {"remediation.windows[].from", text, "", 0, 0, "", "Time of day by the clock there. Required.",
     "\"22:00\"", elsewhere},
    {"remediation.windows[].to", text, "", 0, 0, "",
     "Until then, on the next day if it is before 'from'; 24:00 is the end of the day. On days on "
     "which clocks change it is as much longer or shorter; a time that happens twice is the first. "
     "Required.",
     "\"06:00\"", elsewhere},
    {"remediation.windows[].zone", text, "UTC", 0, 0, "", "IANA time zone.", "Europe/Berlin",
     elsewhere},
    {"remediation.post_check", duration, "10m", 10 * kSecond, kDay, "",
     "After which an action must have helped.", "",
     [](Draft& d, OptionValue&& v) { d.node.remediation.post_check_ms = v.number; }},
    {"remediation.cool_down", duration, "15m", 0, kDay, "",
     "For which a target is left alone after an action; doubles with each one in a row.", "",
     [](Draft& d, OptionValue&& v) { d.node.remediation.cool_down_ms = v.number; }},
    {"remediation.approval", duration, "15m", kMinute, kDay, "",
     "For which a person's approval of one action holds.", "",
     [](Draft& d, OptionValue&& v) { d.node.remediation.approval_ms = v.number; }},
    {"remediation.node_per_hour", integer, "2", 0, 100, "", "Actions that hit one node.", "",
     [](Draft& d, OptionValue&& v) { d.node.remediation.node_per_hour = v.number; }},
    {"remediation.namespace_per_hour", integer, "3", 0, 100, "", "Actions in one namespace.", "",
     [](Draft& d, OptionValue&& v) { d.node.remediation.namespace_per_hour = v.number; }},
    {"remediation.rule_per_hour", integer, "2", 0, 100, "", "Actions of one rule.", "",
     [](Draft& d, OptionValue&& v) { d.node.remediation.rule_per_hour = v.number; }},
    {"remediation.shadow_hits", integer, "5", 1, 1000, "",
     "Incidents that a rule must have fitted in shadow before it may be approved.", "",
     [](Draft& d, OptionValue&& v) { d.node.remediation.shadow_hits = v.number; }},
    {"remediation.open_drafts", integer, "8", 0, 100, "",
     "What history proves becomes a draft by itself while fewer than so many wait for a person "
     "(0: never).",
     "", [](Draft& d, OptionValue&& v) { d.node.remediation.open_drafts = v.number; }},
};

}  // namespace

std::span<const Option> remediation_options() { return kOptions; }

}  // namespace nines::agent::config
