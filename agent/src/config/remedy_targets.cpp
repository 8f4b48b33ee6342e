#include "config/remedy_targets.hpp"

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "config/files.hpp"
#include "config/remedy_windows.hpp"
#include "http/client.hpp"
#include "http/credentials.hpp"
#include "net/private_host.hpp"
#include "notify/channel.hpp"
#include "notify/program.hpp"
#include "remedy/arguments.hpp"
#include "remedy/aws_credentials.hpp"

namespace nines::agent::config {
namespace {

constexpr size_t kMost = 32, kMostArguments = 64, kMostHeaders = 8, kMostName = 64;

// What an item is called in messages, and where it stands.
struct Item {
  const YamlNode& node;
  std::string who;  // "program 'drop-cache'"
  bool enabled;
  Reporter& report;

  const YamlNode& at(std::string_view key) const { return place_of(node, key); }
  void error(std::string_view key, std::string message, std::string hint = {}) const {
    report.error(at(key), std::move(message), std::move(hint));
  }
  // What stands outside of the file, and may come later.
  void unready(std::string_view key, const std::string& message, std::string hint) const {
    if (enabled) return report.error(at(key), who + ": " + message, std::move(hint));
    report.warning(at(key), who + ": " + message, std::move(hint));
  }
};

bool is_name(std::string_view name) {
  return remedy::is_plain_name(name) && name.size() <= kMostName &&
         name.find_first_of("@:") == std::string_view::npos;
}

void check_places(const std::vector<std::string>& command, std::string_view key, const Item& item) {
  const auto& known = remedy::known_places();
  for (size_t i = 1; i < command.size(); ++i) {
    for (const std::string_view place : remedy::places_in(command[i])) {
      if (std::find(known.begin(), known.end(), place) != known.end()) continue;
      const auto near = nearest(place, known);
      item.error(key,
                 std::string(key) + " of " + item.who + " has {" + std::string(place) +
                     "}, which is not known",
                 near.empty() ? "there are {" + join(known, "}, {") + "}"
                              : "did you mean {" + std::string(near) + "}?");
    }
  }
}

void check_command(const std::vector<std::string>& command, std::string_view key,
                   const Item& item) {
  const std::string what = std::string(key) + " of " + item.who;
  if (command.empty() || !command.front().starts_with('/')) {
    return item.error(key,
                      what + " must begin with an absolute path, found '" +
                          (command.empty() ? std::string() : command.front()) + "'",
                      "no shell is used: pipes and variables need a script of yours");
  }
  if (!remedy::places_in(command.front()).empty()) {
    return item.error(key, what + " has a place to fill in in its path '" + command.front() + "'",
                      "which program it is must be certain: use places in the arguments");
  }
  if (command.size() > kMostArguments) {
    return item.error(key,
                      what + " has more than " + std::to_string(kMostArguments - 1) + " arguments");
  }
  check_places(command, key, item);
  const Status usable = notify::check_program(command.front());
  if (!usable.ok()) item.unready(key, usable.error().message, "it is looked at before each run");
}

void check_address(std::string_view key, const std::string& text, bool private_too,
                   const Item& item) {
  const size_t scheme = std::min(text.find("://"), text.size());
  if (text.substr(0, text.find_first_of("/?#", scheme + 3)).find('@') != std::string::npos) {
    return item.error(
        key, "the " + std::string(key) + " of " + item.who + " carries a user name or password",
        "use secret_file or header_files");  // and it is not told
  }
  const auto url = http::parse_url(text);
  if (!url.ok()) {
    return item.error(key, item.who + ": " + url.error().message,
                      "https://HOST/PATH; secrets belong into files");
  }
  if (url->tls || http::is_loopback(url->host)) return;
  if (!private_too) {
    return item.error(
        key, item.who + ": what is asked of '" + url->host + "' goes unencrypted",
        key == "endpoint" ? "use https://" : "use https://; to a private address allow_http: true");
  }
  if (!net::is_private_host(url->host)) {
    item.error(key,
               item.who + ": allow_http is for private addresses, which '" + url->host + "' is not",
               "use https://");
  }
}

// --- programs

void read_program(const Item& item, const RemedyProgramConfig& program) {
  if (item.node.get("command") != nullptr) check_command(program.command, "command", item);
  if (!program.dry_run.empty()) check_command(program.dry_run, "dry_run", item);
  if (!program.check.empty()) check_command(program.check, "check", item);
}

void check_undo(const std::vector<RemedyProgramConfig>& programs, const YamlNode& list,
                Reporter& report) {
  std::vector<std::string_view> known;
  for (const auto& one : programs) known.push_back(one.name);
  for (size_t i = 0; i < programs.size(); ++i) {
    const RemedyProgramConfig& one = programs[i];
    if (one.undo.empty()) continue;
    const YamlNode& at = place_of(list.items[i], "undo");
    if (one.undo == one.name) {
      report.error(at, "program '" + one.name + "' is said to undo itself",
                   "give another program, or none: it then asks a person each time");
    } else if (std::find(known.begin(), known.end(), one.undo) == known.end()) {
      const auto near = nearest(one.undo, known);
      report.error(at,
                   "undo of program '" + one.name + "' names '" + one.undo +
                       "', which is not among remediation.programs",
                   near.empty() ? std::string("write it there")
                                : "did you mean '" + std::string(near) + "'?");
    }
  }
}

// --- webhooks

bool is_header_name(std::string_view name) {
  return !name.empty() && name.size() <= kMostName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

// That we send ourselves.
bool is_taken(std::string_view name) {
  const std::string low = slug(name);
  for (const char* own : {"host", "content-type", "content-length", "connection",
                          "transfer-encoding", "idempotency-key"}) {
    if (low == own) return true;
  }
  return false;
}

void read_headers(const Item& item, const std::vector<std::string>& texts, RemedyHookConfig& hook) {
  if (texts.size() > kMostHeaders) {
    return item.error("header_files",
                      "more than " + std::to_string(kMostHeaders) + " header_files of " + item.who);
  }
  size_t number = 0;
  for (const std::string& text : texts) {
    ++number;
    const size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const bool pair = equals != std::string::npos && equals + 1 < text.size();
    if (!pair || !is_header_name(name)) {  // it may be the secret itself: it is not told
      item.error(
          "header_files",
          "header_files of " + item.who + ": item " + std::to_string(number) + " is not NAME=FILE",
          "for example X-Api-Key=/etc/nines/pdu.key; the value stays in the file");
      continue;
    }
    const bool twice = slug(name) == "authorization" && !hook.secret.empty();
    if (is_taken(name) || twice) {
      item.error("header_files",
                 "header_files of " + item.who + " has '" + name + "', which is sent already");
      continue;
    }
    const std::string file = beside(item.node.file->path, text.substr(equals + 1));
    const auto value = http::read_secret(file);
    if (!value.ok()) item.unready("header_files", value.error().message, "one line of text");
    hook.header_files.emplace_back(name, file);
  }
}

void read_hook(const Item& item, const std::vector<std::string>& headers, RemedyHookConfig& hook) {
  hook.secret.file = beside(item.node.file->path, hook.secret.file);
  hook.ca_file = beside(item.node.file->path, hook.ca_file);
  if (!hook.secret.file.empty() && !hook.secret.env.empty()) {
    item.error("secret_env", item.who + " has both secret_file and secret_env", "keep one of them");
  } else if (!hook.secret.file.empty()) {
    const auto secret = notify::read_secret(hook.secret);
    if (!secret.ok()) {
      item.unready("secret_file", secret.error().message, "Nines must be able to read the file");
    }
  }
  read_headers(item, headers, hook);
  if (item.node.get("url") == nullptr) return;
  check_address("url", hook.url, hook.allow_http, item);
  const auto url = http::parse_url(hook.url);
  const bool secret = !hook.secret.empty() || !hook.header_files.empty();
  if (url.ok() && !url->tls && !http::is_loopback(url->host) && hook.allow_http && secret) {
    item.report.warning(item.at("url"), "the secrets of " + item.who + " are sent unencrypted",
                        "use https://");
  }
}

// --- functions

void read_function(const Item& item, RemedyFunctionConfig& function) {
  function.credentials_file = beside(item.node.file->path, function.credentials_file);
  const std::pair<std::string_view, const std::string*> names[] = {
      {"function", &function.function},
      {"region", &function.region},
      {"qualifier", &function.qualifier}};
  for (const auto& [key, value] : names) {
    if (value->empty() || remedy::is_plain_name(*value)) continue;
    item.error(key,
               std::string(key) + " of " + item.who + " is no name of AWS, found '" + *value + "'");
  }
  if (!function.qualifier.empty() && !function.function.starts_with("arn:") &&
      function.function.find(':') != std::string::npos) {
    item.error("qualifier",
               item.who + " has two qualifiers: '" + function.function + "' and '" +
                   function.qualifier + "'",
               "keep one of them");
  }
  if (!function.endpoint.empty()) {
    check_address("endpoint", function.endpoint, false, item);
    const auto url = http::parse_url(function.endpoint);
    if (url.ok() && (url->target != "/" || function.endpoint.ends_with('/'))) {
      item.error("endpoint",
                 "endpoint of " + item.who + " has a path, found '" + function.endpoint + "'",
                 "https://HOST alone");
    }
  }
  const auto identity = remedy::aws_identity({function.credentials_file, function.profile});
  if (!identity.ok()) {
    item.unready("credentials_file", identity.error().message,
                 "aws_access_key_id and aws_secret_access_key under [default], mode 600");
  }
}

// --- lists

// Reads each item of `remediation.KEY` and hands it to `check`.
template <class Config, class Check>
void read_each(const YamlNode& at, std::string_view key, std::string_view kind,
               std::initializer_list<std::string_view> required, std::vector<Config>& into,
               Draft& draft, Reporter& report, Check check) {
  const YamlNode* const list = at.get(key);
  if (list == nullptr || list->is_null()) return;
  const std::string path = "remediation." + std::string(key);
  const auto items = read_list(*list, path, report);
  if (items.size() > kMost) {
    return report.error(*list, "more than " + std::to_string(kMost) + " " + path);
  }
  std::set<std::string> names;
  for (const YamlNode* node : items) {
    into.emplace_back();
    draft.header_files.clear();
    apply_defaults(path + "[].", draft);
    MapReader reader(*node, "a " + std::string(kind) + " of remediation", report);
    for (const std::string_view one : required) reader.require(one);
    read_options(reader, path + "[].", draft, report);
    reader.finish();
    if (!reader.is_map() || node->get("name") == nullptr) continue;
    const std::string& name = into.back().name;
    const Item item{*node, std::string(kind) + " '" + name + "'", draft.node.remediation.enabled,
                    report};
    if (!is_name(name)) {
      item.error("name", "name of a " + std::string(kind) +
                             " of remediation must be letters, "
                             "digits and -._, " +
                             std::to_string(kMostName) + " at most, found '" + name + "'");
    } else if (!names.insert(name).second) {
      item.error("name",
                 "there are two " + std::string(kind) + "s of remediation named '" + name + "'");
    }
    check(item, into.back());
  }
}

}  // namespace

void read_remedy_targets(const YamlNode& at, Draft& draft, Reporter& report) {
  RemedyTargets& remediation = draft.remedies;
  read_each(at, "programs", "program", {"name", "command"}, remediation.programs, draft, report,
            [](const Item& item, RemedyProgramConfig& one) { read_program(item, one); });
  if (const YamlNode* programs = at.get("programs");
      programs != nullptr && programs->items.size() == remediation.programs.size()) {
    check_undo(remediation.programs, *programs, report);
  }
  read_each(
      at, "webhooks", "webhook", {"name", "url"}, remediation.webhooks, draft, report,
      [&](const Item& item, RemedyHookConfig& one) { read_hook(item, draft.header_files, one); });
  read_each(at, "functions", "function", {"name", "function", "region"}, remediation.functions,
            draft, report,
            [](const Item& item, RemedyFunctionConfig& one) { read_function(item, one); });
  read_remedy_windows(at, draft, report);
}

Result<RemedyTargets> load_remedy_targets(const std::string& file) {
  if (file.empty()) return RemedyTargets{};
  NINES_TRY(std::string content, read_file(file, kMaxFileBytes));
  std::vector<Diagnostic> told;
  Reporter report(told);
  const auto parsed = parse_yaml(file, std::move(content), report);
  const YamlNode* const at =
      parsed->documents.empty() ? nullptr : parsed->documents.front().get("remediation");
  Draft draft;
  if (at != nullptr && !at->is_null()) {
    MapReader reader(*at, "remediation of nines.yaml", report);
    apply_defaults("remediation.", draft);
    read_options(reader, "remediation.", draft, report);
    reader.finish();
    read_remedy_targets(*at, draft, report);
  }
  for (const Diagnostic& one : told) {
    if (one.severity == Diagnostic::Severity::error) {
      return Error{Errc::invalid_argument, to_string(one)};
    }
  }
  return std::move(draft.remedies);
}

}  // namespace nines::agent::config
