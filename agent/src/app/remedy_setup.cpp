#include "app/remedy_setup.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "config/reader.hpp"
#include "http/credentials.hpp"
#include "notify/channel.hpp"
#include "remedy/aws_credentials.hpp"

namespace nines::agent {
namespace {

namespace core = nines::remedy;
using core::Verb;

remedy::AllowedProgram program_of(const RemedyProgramConfig& config) {
  remedy::AllowedProgram out;
  out.path = config.command.front();
  out.arguments.assign(config.command.begin() + 1, config.command.end());
  out.dry_run = config.dry_run;
  out.check = config.check;
  out.timeout_ms = config.timeout_ms;
  return out;
}

bool sendable(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 127; });
}

Result<remedy::Headers> secrets_of(const RemedyHookConfig& config) {
  remedy::Headers out;
  if (!config.secret.empty()) {
    NINES_TRY(const std::string token, notify::read_secret(config.secret));
    if (!sendable(token)) {
      return Error{Errc::invalid_argument,
                   "the secret of webhook '" + config.name + "' cannot be sent in a header"};
    }
    out.emplace_back("Authorization", "Bearer " + token);
  }
  for (const auto& [name, file] : config.header_files) {
    NINES_TRY(std::string value, http::read_secret(file));
    out.emplace_back(name, std::move(value));
  }
  return out;
}

remedy::AllowedHook hook_of(const RemedyHookConfig& config) {
  remedy::AllowedHook out;
  out.url = config.url;
  out.secrets = [config] { return secrets_of(config); };
  out.dry_runs = config.dry_run;
  out.ca_file = config.ca_file;
  out.timeout_ms = config.timeout_ms;
  return out;
}

remedy::AllowedFunction function_of(const RemedyFunctionConfig& config) {
  remedy::AllowedFunction out;
  out.function = config.function;
  if (!config.qualifier.empty()) out.function += ':' + config.qualifier;
  out.region = config.region;
  out.endpoint = config.endpoint;
  out.identity = [source = remedy::AwsSource{config.credentials_file, config.profile}] {
    return remedy::aws_identity(source);
  };
  out.timeout_ms = config.timeout_ms;
  return out;
}

template <class Config>
std::vector<std::string_view> names_of(const std::vector<Config>& all) {
  std::vector<std::string_view> out;
  out.reserve(all.size());
  for (const Config& one : all) out.push_back(one.name);
  return out;
}

template <class Config>
bool of_cluster(const std::vector<Config>& all, const std::string& name) {
  return std::any_of(all.begin(), all.end(),
                     [&](const Config& one) { return one.name == name && one.of_cluster; });
}

}  // namespace

remedy::ExecutorSettings executor_settings(const NodeConfig& config, const RemedyTargets& targets,
                                           std::optional<k8s::Access> kube) {
  remedy::ExecutorSettings out;
  out.kube = std::move(kube);
  out.local.units = config.remediation.units;
  out.local.systemctl = config.remediation.systemctl;
  out.local.node = out.outside.node = out.node = config.node;
  for (const auto& one : targets.programs) out.local.programs[one.name] = program_of(one);
  for (const auto& one : targets.webhooks) out.outside.hooks[one.name] = hook_of(one);
  for (const auto& one : targets.functions) out.outside.functions[one.name] = function_of(one);
  return out;
}

core::GuardLimits guard_limits(const RemediationConfig& config, const RemedyTargets& targets) {
  core::GuardLimits out;
  out.enabled = config.enabled;
  for (const std::string& name : config.verbs) {
    if (const auto verb = core::verb_of(name)) out.verbs.insert(*verb);
  }
  out.node_per_hour = static_cast<int>(config.node_per_hour);
  out.namespace_per_hour = static_cast<int>(config.namespace_per_hour);
  out.rule_per_hour = static_cast<int>(config.rule_per_hour);
  out.cool_down_s = config.cool_down_ms / 1000;
  out.post_check_s = config.post_check_ms / 1000;
  out.approval_s = config.approval_ms / 1000;
  out.shadow_hits = static_cast<uint64_t>(config.shadow_hits);
  out.windows = targets.windows;
  const auto limit = [&](Verb verb, const auto& all) {
    for (const auto& one : all) out.per_hour[{verb, one.name}] = static_cast<int>(one.per_hour);
  };
  limit(Verb::program, targets.programs);
  limit(Verb::webhook, targets.webhooks);
  limit(Verb::lambda, targets.functions);
  for (const RemedyProgramConfig& one : targets.programs) {
    if (one.undo.empty()) continue;
    out.undone_by[{Verb::program, one.name}] = {Verb::program, one.undo};
  }
  return out;
}

Status check_action(const core::Action& action, const RemediationConfig& config,
                    const RemedyTargets& targets) {
  const char* list = nullptr;
  std::vector<std::string_view> known;
  switch (action.verb) {
    case Verb::unit_restart:
    case Verb::unit_start:
    case Verb::unit_stop:
      list = "units";
      known.assign(config.units.begin(), config.units.end());
      break;
    case Verb::program:
      list = "programs";
      known = names_of(targets.programs);
      break;
    case Verb::webhook:
      list = "webhooks";
      known = names_of(targets.webhooks);
      break;
    case Verb::lambda:
      list = "functions";
      known = names_of(targets.functions);
      break;
    default: return Ok{};
  }
  if (std::find(known.begin(), known.end(), action.parameter) != known.end()) return Ok{};
  std::string way_out = "; write it there first";
  if (const auto near = config::nearest(action.parameter, known); !near.empty()) {
    way_out = "; did you mean '" + std::string(near) + "'?";
  } else if (!known.empty()) {
    way_out = ", which has " + config::join(known);
  }
  return Error{Errc::invalid_argument, "'" + action.key() + "': '" + action.parameter +
                                           "' is not in remediation." + list + " of nines.yaml" +
                                           way_out};
}

bool is_of_cluster(const core::Action& action, const RemedyTargets& targets) {
  if (action.verb == Verb::webhook) return of_cluster(targets.webhooks, action.parameter);
  return action.verb == Verb::lambda && of_cluster(targets.functions, action.parameter);
}

}  // namespace nines::agent
